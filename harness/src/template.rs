//! Fills `{{name}}` in the values of a case.

mod literal;

use std::sync::Arc;

pub use literal::{MAX_REPEATED, escape, escape_value, repeated};
pub(crate) use literal::{Piece, pieces};

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
    /// A text in quotes that is no JSON string, is followed by something unknown, or becomes too long.
    #[error("the template `{{{{{0}}}}}` is no text in quotes, nor one repeated within the limit")]
    Literal(String),
}

/// Fills every string in `value`. A string that is one template takes the type of what it names.
///
/// # Errors
/// When a template names nothing, or is not closed.
pub fn fill(value: &Value, variables: &Variables) -> Result<Value, TemplateError> {
    let mut filled = value.clone();
    fill_in(&mut filled, variables)?;
    Ok(filled)
}

/// As [`fill`], in the value itself: most of what is sent has no templates, or few.
fn fill_in(value: &mut Value, variables: &Variables) -> Result<(), TemplateError> {
    match value {
        Value::String(text) if has_template(text) => *value = fill_text(text, variables)?,
        Value::Array(items) => {
            for item in items {
                fill_in(item, variables)?;
            }
        }
        Value::Object(members) => {
            if members.keys().any(|key| has_template(key)) {
                let mut filled = Map::with_capacity(members.len());
                for (key, mut member) in std::mem::take(members) {
                    let key = match fill_text(&key, variables)? {
                        Value::String(key) => key,
                        other => other.to_string(),
                    };
                    fill_in(&mut member, variables)?;
                    filled.insert(key, member);
                }
                *members = filled;
            } else {
                for member in members.values_mut() {
                    fill_in(member, variables)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn has_template(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"{{").is_some()
}

/// Fills a text that goes out as it is: every template is replaced by the JSON of what it names. Texts in quotes
/// stand for themselves, without the quotes.
///
/// # Errors
/// As [`fill`].
pub fn fill_raw(text: &str, variables: &Variables) -> Result<String, TemplateError> {
    filled(text, variables, Value::to_string)
}

/// As [`fill`], for a single text.
///
/// # Errors
/// As [`fill`].
pub fn fill_text(text: &str, variables: &Variables) -> Result<Value, TemplateError> {
    if !has_template(text) {
        return Ok(Value::String(text.to_owned()));
    }
    let mut all = pieces(text);
    if let (Some(Ok(Piece::Name(name))), None) = (all.next(), all.next()) {
        return look_up(name, variables).cloned();
    }
    filled(text, variables, |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        .map(Value::String)
}

fn filled(
    text: &str,
    variables: &Variables,
    write: impl Fn(&Value) -> String,
) -> Result<String, TemplateError> {
    let mut filled = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece? {
            Piece::Text(text) => filled.push_str(text),
            Piece::Name(name) => filled.push_str(&write(look_up(name, variables)?)),
            Piece::Literal { text, times } => {
                let wanted = text.len().saturating_mul(times).saturating_add(filled.len());
                if wanted > MAX_REPEATED {
                    return Err(TemplateError::Literal(shortened(&text)));
                }
                filled.push_str(&text.repeat(times));
            }
        }
    }
    Ok(filled)
}

/// As much of a text as an error message needs.
fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
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
        assert_eq!(fill(&json!("{{id}}x}}"), variables).unwrap(), json!("7x}}"));
    }

    #[test]
    fn texts_in_quotes_stand_for_themselves() {
        let variables = &Variables::default();
        for (template, text) in [
            ("{{\"{{\"}}", "{{"),
            ("{{\"a\" * 3}}!", "aaa!"),
            ("{{\"}}\" * 2}}}}", "}}}}}}"),
            ("{{\"\\u0041\\\"\"}}", "A\""),
            ("{{\"\"*0}}", ""),
            ("{{\"\"*18446744073709551615}}", ""),
        ] {
            assert_eq!(fill_raw(template, variables).unwrap(), text);
            assert_eq!(fill(&json!(template), variables).unwrap(), json!(text));
        }
        for wrong in
            ["{{\"a}}", "{{\"a\"", "{{\"a\" x}}", "{{\"a\" * -1}}", "{{\"\\q\"}}", "{{\"aa\" * 99999999}}"]
        {
            assert!(fill_raw(wrong, variables).is_err(), "{wrong}");
            assert!(fill(&json!(wrong), variables).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_escaped_comes_out_as_it_was() {
        let variables = &Variables::default();
        for text in
            ["", "{", "{{", "{{{", "{{{{{", "{{7*7}}", "{{id}}", "}}", "{{\"{{\"}}", "a{{b}}c{{\"d\" * 9}}{"]
        {
            assert_eq!(fill_raw(&escape(text), variables).unwrap(), text);
            let value = json!({ text: [text, { "a": text }], "n": 1 });
            assert_eq!(fill(&escape_value(value.clone()), variables).unwrap(), value);
        }
        assert_eq!(fill_raw(&repeated("\"{{", 2), variables).unwrap(), "\"{{\"{{");
    }
}
