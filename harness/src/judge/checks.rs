//! Named checks: what a matcher cannot say about a value.

use serde_json::Value;

use super::text_checks as text;

/// Every check, by the name that case files use.
pub const NAMES: [&str; 10] = [
    "valid-json-schema",
    "object-schema",
    "base64",
    "base64-like",
    "media-type",
    "uri",
    "uri-template",
    "iso-8601",
    "url",
    "https-or-local",
];

/// Applies a check to a value; `None` stands for a member that is not there.
///
/// # Errors
/// What was asked for, in words.
pub fn value(name: &str, value: Option<&Value>) -> Result<(), String> {
    let wanted = match name {
        "valid-json-schema" => {
            let Some(schema) = value else { return Err("a JSON Schema".to_owned()) };
            return valid_json_schema(schema);
        }
        "object-schema" => {
            if value.and_then(|schema| schema.get("type")).and_then(Value::as_str) == Some("object") {
                return Ok(());
            }
            "a JSON Schema whose root has \"type\": \"object\""
        }
        "base64" => {
            use base64::Engine as _;
            let engine = base64::engine::general_purpose::STANDARD;
            if value.and_then(Value::as_str).is_some_and(|text| engine.decode(text).is_ok()) {
                return Ok(());
            }
            "standard Base64 with padding"
        }
        text_check => {
            let Some((wanted, accepts)) = text::check(text_check) else {
                return Err(format!("a check named `{text_check}`, which does not exist"));
            };
            if value.and_then(Value::as_str).is_some_and(accepts) {
                return Ok(());
            }
            wanted
        }
    };
    Err(wanted.to_owned())
}

/// Whether a schema is valid against the meta-schema of the dialect it names; 2020-12 when it names none. A dialect that
/// we do not know is not judged.
///
/// # Errors
/// The first thing that is wrong with the schema.
pub fn valid_json_schema(schema: &Value) -> Result<(), String> {
    if !schema.is_object() && !schema.is_boolean() {
        return Err("a JSON Schema, which is an object or a boolean".to_owned());
    }
    let known = match schema.get("$schema").and_then(Value::as_str) {
        None => true,
        Some(dialect) => ["draft/2020-12", "draft/2019-09", "draft-07", "draft-06", "draft-04"]
            .iter()
            .any(|name| dialect.contains(name)),
    };
    if !known {
        return Ok(());
    }
    match jsonschema::meta::validate(schema) {
        Ok(()) => Ok(()),
        Err(error) => Err(format!("a valid JSON Schema; {} at `{}`", error, error.instance_path())),
    }
}
