//! Fills `{{name}}` in the values of a case.

use std::sync::Arc;

use mcp_conform_cases::case::{Path, Segment};
use serde_json::{Map, Value};

/// The values that templates may name: those of a whole run, which are shared because some are big, and on top of
/// them those of a case, an item, or a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Variables {
    shared: Arc<Map<String, Value>>,
    own: Map<String, Value>,
}

impl Variables {
    /// On top of shared values.
    #[must_use]
    pub fn above(shared: Arc<Map<String, Value>>) -> Variables {
        Variables { shared, own: Map::new() }
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.own.get(name).or_else(|| self.shared.get(name))
    }

    /// Gives a name a value, for this copy alone.
    pub fn insert(&mut self, name: String, value: Value) {
        self.own.insert(name, value);
    }
}

/// A template that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// No such variable.
    #[error("the template `{{{{{0}}}}}` names nothing that is known here")]
    Unknown(String),
    /// `{{` without `}}`.
    #[error("`{{{{` without `}}}}` in {0:?}")]
    Unclosed(String),
}

/// Fills every string in `value`. A string that is one template takes the type of what it names.
///
/// # Errors
/// When a template names nothing, or is not closed.
pub fn fill(value: &Value, variables: &Variables) -> Result<Value, TemplateError> {
    Ok(match value {
        Value::String(text) => fill_string(text, variables)?,
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| fill(item, variables)).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let mut filled = Map::with_capacity(members.len());
            for (key, member) in members {
                let key = match fill_string(key, variables)? {
                    Value::String(key) => key,
                    other => other.to_string(),
                };
                filled.insert(key, fill(member, variables)?);
            }
            Value::Object(filled)
        }
        other => other.clone(),
    })
}

/// Fills a text that goes out as it is: every template is replaced by the JSON of what it names.
///
/// # Errors
/// As [`fill`].
pub fn fill_raw(text: &str, variables: &Variables) -> Result<String, TemplateError> {
    pieces(text, variables, Value::to_string)
}

fn fill_string(text: &str, variables: &Variables) -> Result<Value, TemplateError> {
    if let Some(name) = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"))
        && !name.contains("{{")
    {
        return look_up(name, variables).cloned();
    }
    pieces(text, variables, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .map(Value::String)
}

fn pieces(
    text: &str,
    variables: &Variables,
    write: impl Fn(&Value) -> String,
) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, behind) =
            after.split_once("}}").ok_or_else(|| TemplateError::Unclosed(text.to_owned()))?;
        filled.push_str(before);
        filled.push_str(&write(look_up(name, variables)?));
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn look_up<'a>(name: &str, variables: &'a Variables) -> Result<&'a Value, TemplateError> {
    let unknown = || TemplateError::Unknown(name.to_owned());
    let path: Path = name.trim().parse().map_err(|_| unknown())?;
    let mut segments = path.segments().iter();
    let Some(Segment::Key(first)) = segments.next() else { return Err(unknown()) };
    let mut value = variables.get(first).ok_or_else(unknown)?;
    for segment in segments {
        value = match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
            Segment::Every => None,
        }
        .ok_or_else(unknown)?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn templates_keep_the_type_of_what_they_name() {
        let variables = json!({ "id": 7, "item": { "name": "a\"b" }, "list": ["x"] });
        let variables = &Variables::above(Arc::new(variables.as_object().unwrap().clone()));
        let filled = fill(
            &json!({ "a": "{{id}}", "b": "n{{id}}-{{item.name}}", "c": ["{{list[0]}}"], "{{list[0]}}": 1 }),
            variables,
        );
        assert_eq!(filled.unwrap(), json!({ "a": 7, "b": "n7-a\"b", "c": ["x"], "x": 1 }));
        assert_eq!(
            fill_raw("{\"id\":{{id}},\"n\":{{item.name}}}", variables).unwrap(),
            "{\"id\":7,\"n\":\"a\\\"b\"}"
        );
        assert!(fill(&json!("{{nope}}"), variables).is_err());
        assert!(fill(&json!("x{{id"), variables).is_err());
        assert!(fill(&json!("{{}}"), variables).is_err());
    }
}
