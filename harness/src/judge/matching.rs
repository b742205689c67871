//! Whether a value is what a matcher asks for, and if not, why.

use mcp_conform_cases::case::{JsonType, Matcher, Path, Segment};
use serde_json::Value;

use super::checks;
use crate::template::{self, Variables};

/// Why a value does not match: where, what was asked for, what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The place in the message.
    pub path: String,
    /// What was asked for, in words.
    pub expected: String,
    /// What was found, in words.
    pub got: String,
}

/// Whether every path of `members` matches in `message`.
///
/// # Errors
/// The first mismatch.
pub fn all(members: &[(Path, Matcher)], message: &Value, variables: &Variables) -> Result<(), Mismatch> {
    for (path, matcher) in members {
        at(path, matcher, message, variables)?;
    }
    Ok(())
}

fn at(path: &Path, matcher: &Matcher, message: &Value, variables: &Variables) -> Result<(), Mismatch> {
    let found = resolve(path, message);
    let mismatch = |place: String, expected: String, value: Option<&Value>| Mismatch {
        path: place,
        expected,
        got: in_short(value),
    };
    if found.is_empty() {
        if path.names_many() || matches!(matcher, Matcher::Exists(false)) {
            return Ok(());
        }
        return match matches(matcher, None, variables) {
            Ok(()) => Ok(()),
            Err(expected) => Err(mismatch(path.to_string(), expected, None)),
        };
    }
    for (place, value) in found {
        matches(matcher, Some(value), variables)
            .map_err(|expected| mismatch(place, expected, Some(value)))?;
    }
    Ok(())
}

/// The values that a path names, each with its place.
#[must_use]
pub fn resolve<'a>(path: &Path, message: &'a Value) -> Vec<(String, &'a Value)> {
    let mut found = vec![(String::new(), message)];
    for segment in path.segments() {
        found = found
            .into_iter()
            .flat_map(|(place, value)| match segment {
                Segment::Key(key) => {
                    let dot = if place.is_empty() { "" } else { "." };
                    value
                        .get(key)
                        .map(|inner| (format!("{place}{dot}{key}"), inner))
                        .into_iter()
                        .collect::<Vec<_>>()
                }
                Segment::Index(index) => {
                    value.get(index).map(|inner| (format!("{place}[{index}]"), inner)).into_iter().collect()
                }
                Segment::Every => value
                    .as_array()
                    .map(|items| {
                        items
                            .iter()
                            .enumerate()
                            .map(|(index, item)| (format!("{place}[{index}]"), item))
                            .collect()
                    })
                    .unwrap_or_default(),
            })
            .collect();
    }
    found
}

/// Whether a value matches; `None` stands for a member that is not there.
///
/// # Errors
/// What was asked for, in words.
pub fn matches(matcher: &Matcher, value: Option<&Value>, variables: &Variables) -> Result<(), String> {
    let ok = match (matcher, value) {
        (Matcher::Exists(wanted), _) => *wanted == value.is_some(),
        (Matcher::Not(inner), _) => matches(inner, value, variables).is_err(),
        (Matcher::All(inner), _) => {
            for matcher in inner {
                matches(matcher, value, variables)?;
            }
            true
        }
        (Matcher::Check(name), _) => return checks::value(name, value),
        (_, None) => false,
        (Matcher::Equals(wanted), Some(value)) => {
            let wanted = template::fill(wanted, variables).map_err(|error| error.to_string())?;
            if wanted == *value {
                return Ok(());
            }
            return Err(in_short(Some(&wanted)));
        }
        (Matcher::OneOf(wanted), Some(value)) => {
            let wanted = template::fill(wanted, variables).map_err(|error| error.to_string())?;
            if wanted.as_array().is_some_and(|items| items.contains(value)) {
                return Ok(());
            }
            return Err(format!("one of {}", in_short(Some(&wanted))));
        }
        (Matcher::Contains(wanted), Some(value)) => {
            let wanted = template::fill(wanted, variables).map_err(|error| error.to_string())?;
            let holds = match (value, &wanted) {
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                (Value::Array(items), wanted) => items.contains(wanted),
                _ => false,
            };
            if holds {
                return Ok(());
            }
            return Err(format!("something that holds {}", in_short(Some(&wanted))));
        }
        (Matcher::Type(kinds), Some(value)) => kinds.iter().any(|kind| is_type(*kind, value)),
        (Matcher::Matches(pattern), Some(value)) => value.as_str().is_some_and(|text| pattern.is_match(text)),
        (Matcher::Length(min, max), Some(value)) => {
            let length = match value {
                Value::Array(items) => Some(items.len()),
                Value::Object(members) => Some(members.len()),
                Value::String(text) => Some(text.chars().count()),
                _ => None,
            };
            length.is_some_and(|length| {
                let length = length as u64;
                min.is_none_or(|min| length >= min) && max.is_none_or(|max| length <= max)
            })
        }
        (Matcher::Each(inner), Some(value)) => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| matches(inner, Some(item), variables).is_ok())),
        (Matcher::Any(inner), Some(value)) => value
            .as_array()
            .is_some_and(|items| items.iter().any(|item| matches(inner, Some(item), variables).is_ok())),
        (Matcher::AtLeast(bound), Some(value)) => value.as_f64().is_some_and(|number| number >= *bound),
        (Matcher::AtMost(bound), Some(value)) => value.as_f64().is_some_and(|number| number <= *bound),
    };
    if ok { Ok(()) } else { Err(matcher.to_string()) }
}

fn is_type(kind: JsonType, value: &Value) -> bool {
    match kind {
        JsonType::Null => value.is_null(),
        JsonType::Boolean => value.is_boolean(),
        JsonType::Integer => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        JsonType::Number => value.is_number(),
        JsonType::String => value.is_string(),
        JsonType::Array => value.is_array(),
        JsonType::Object => value.is_object(),
    }
}

/// What stands for a member that is not there.
pub const NOTHING: &str = "nothing";

/// A value in few enough characters for a sentence.
#[must_use]
pub fn in_short(value: Option<&Value>) -> String {
    const LONGEST: usize = 300;
    let Some(value) = value else { return NOTHING.to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}… ({} bytes in all)", text.get(..cut).unwrap_or_default(), text.len()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(matcher: Value, value: Value) -> bool {
        let matcher = Matcher::from_value(matcher).unwrap();
        matches(&matcher, Some(&value), &Variables::default()).is_ok()
    }

    #[test]
    fn every_operator_says_yes_and_no() {
        for (matcher, yes, no) in [
            (json!(3), json!(3), json!("3")),
            (json!({ "equals": {} }), json!({}), json!({ "a": 1 })),
            (json!({ "one_of": [1, "a"] }), json!("a"), json!(2)),
            (json!({ "type": "integer" }), json!(2), json!(2.5)),
            (json!({ "type": ["string", "null"] }), json!(null), json!(1)),
            (json!({ "exists": true }), json!(0), Value::Null),
            (json!({ "matches": "^a+$" }), json!("aa"), json!("ab")),
            (json!({ "contains": "b" }), json!("abc"), json!(["a"])),
            (json!({ "length": { "min": 1, "max": 2 } }), json!([1]), json!([])),
            (json!({ "length": 2 }), json!("äö"), json!("ä")),
            (json!({ "each": { "type": "string" } }), json!(["a"]), json!(["a", 1])),
            (json!({ "any": 1 }), json!([0, 1]), json!([0])),
            (json!({ "at_least": 1, "at_most": 2 }), json!(1.5), json!(3)),
            (json!({ "not": 1 }), json!(2), json!(1)),
            (json!({ "all": [{ "type": "string" }, { "length": 1 }] }), json!("a"), json!("ab")),
        ] {
            assert!(check(matcher.clone(), yes.clone()), "{matcher} should accept {yes}");
            if !no.is_null() {
                assert!(!check(matcher.clone(), no.clone()), "{matcher} should refuse {no}");
            }
        }
    }

    #[test]
    fn a_mismatch_names_its_place() {
        let path: Path = "result.tools[*].name".parse().unwrap();
        let matcher = Matcher::from_value(json!({ "type": "string" })).unwrap();
        let message = json!({ "result": { "tools": [{ "name": "a" }, { "name": 5 }] } });
        let mismatch = all(&[(path, matcher)], &message, &Variables::default()).unwrap_err();
        assert_eq!((mismatch.path.as_str(), mismatch.got.as_str()), ("result.tools[1].name", "5"));
        assert_eq!(mismatch.expected, "a string");
    }
}
