//! Whether a value is what a matcher asks for, and if not, why.

use std::fmt;

use mcp_conform_cases::case::{JsonType, Matcher, Path, Segment};
use serde_json::Value;

use super::checks;
use crate::template::{self, Variables};
use crate::wire::member;

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
    let mismatch = |place: String, unmet: Unmet<'_>, value: Option<&Value>| Mismatch {
        path: place,
        expected: unmet.to_string(),
        got: in_short(value),
    };
    if found.is_empty() {
        if path.names_many() || matches!(matcher, Matcher::Exists(false)) {
            return Ok(());
        }
        return matches(matcher, None, variables).map_err(|unmet| mismatch(path.to_string(), unmet, None));
    }
    for (place, value) in found {
        matches(matcher, Some(value), variables)
            .map_err(|unmet| mismatch(place.to_string(), unmet, Some(value)))?;
    }
    Ok(())
}

/// Whether every path of `members` matches in `message`, where nobody asks why not.
#[must_use]
pub fn hold(members: &[(Path, Matcher)], message: &Value, variables: &Variables) -> bool {
    members.iter().all(|(path, matcher)| {
        let found = resolve(path, message);
        if found.is_empty() {
            return path.names_many() || matches(matcher, None, variables).is_ok();
        }
        found.iter().all(|(_, value)| matches(matcher, Some(value), variables).is_ok())
    })
}

/// Where a path led to: the path, and which item of each array was taken. It is only written out for people.
#[derive(Clone, Debug)]
pub struct Place<'p> {
    path: &'p Path,
    items: Vec<usize>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut items = self.items.iter();
        for (position, segment) in self.path.segments().iter().enumerate() {
            match segment {
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Every => write!(f, "[{}]", items.next().copied().unwrap_or_default())?,
            }
        }
        Ok(())
    }
}

/// The values that a path names, each with its place.
#[must_use]
pub fn resolve<'p, 'a>(path: &'p Path, message: &'a Value) -> Vec<(Place<'p>, &'a Value)> {
    let mut found = vec![(Place { path, items: Vec::new() }, message)];
    for segment in path.segments() {
        let inner = |value: &'a Value| match segment {
            Segment::Key(key) => member(value, key),
            Segment::Index(index) => value.get(index),
            Segment::Every => None,
        };
        if matches!(segment, Segment::Every) {
            found = found.into_iter().flat_map(|(place, value)| items_of(place, value)).collect();
        } else {
            found = found.into_iter().filter_map(|(place, value)| Some((place, inner(value)?))).collect();
        }
    }
    found
}

fn items_of<'p, 'a>(place: Place<'p>, value: &'a Value) -> impl Iterator<Item = (Place<'p>, &'a Value)> {
    let items = value.as_array().into_iter().flatten().enumerate();
    items.map(move |(index, item)| {
        let mut place = place.clone();
        place.items.push(index);
        (place, item)
    })
}

/// What a matcher asked for and did not get.
#[derive(Clone, Debug)]
pub enum Unmet<'m> {
    /// What the matcher says of itself.
    Matcher(&'m Matcher),
    /// This value.
    Value(Value),
    /// One of these values.
    OneOf(Value),
    /// Something with this in it.
    Contains(Value),
    /// What somebody else says of it.
    Words(String),
}

impl fmt::Display for Unmet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unmet::Matcher(matcher) => matcher.fmt(f),
            Unmet::Value(wanted) => f.write_str(&in_short(Some(wanted))),
            Unmet::OneOf(wanted) => write!(f, "one of {}", in_short(Some(wanted))),
            Unmet::Contains(wanted) => write!(f, "something that holds {}", in_short(Some(wanted))),
            Unmet::Words(words) => f.write_str(words),
        }
    }
}

/// Whether a value matches; `None` stands for a member that is not there.
///
/// # Errors
/// What was asked for.
pub fn matches<'m>(
    matcher: &'m Matcher,
    value: Option<&Value>,
    variables: &Variables,
) -> Result<(), Unmet<'m>> {
    let filled =
        |wanted: &Value| template::fill(wanted, variables).map_err(|error| Unmet::Words(error.to_string()));
    let ok = match (matcher, value) {
        (Matcher::Exists(wanted), _) => *wanted == value.is_some(),
        (Matcher::Not(inner), _) => matches(inner, value, variables).is_err(),
        (Matcher::All(inner), _) => {
            for matcher in inner {
                matches(matcher, value, variables)?;
            }
            true
        }
        (Matcher::Check(name), _) => return checks::value(name, value).map_err(Unmet::Words),
        (_, None) => false,
        (Matcher::Equals(wanted), Some(value)) => {
            let wanted = filled(wanted)?;
            if wanted != *value {
                return Err(Unmet::Value(wanted));
            }
            true
        }
        (Matcher::OneOf(wanted), Some(value)) => {
            let wanted = filled(wanted)?;
            if !wanted.as_array().is_some_and(|items| items.contains(value)) {
                return Err(Unmet::OneOf(wanted));
            }
            true
        }
        (Matcher::Contains(wanted), Some(value)) => {
            let wanted = filled(wanted)?;
            let holds = match (value, &wanted) {
                (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
                (Value::Array(items), wanted) => items.contains(wanted),
                _ => false,
            };
            if !holds {
                return Err(Unmet::Contains(wanted));
            }
            true
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
    if ok { Ok(()) } else { Err(Unmet::Matcher(matcher)) }
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
