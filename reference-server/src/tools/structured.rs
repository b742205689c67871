//! Typed arguments and structured results (spec page `server/tools#structured-content`).

use serde_json::{Value, json};

use super::tool::{Run, Tool, text};
use crate::dispatch::Outcome;
use crate::revision::Revision;

pub(super) fn official_tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "json_schema_2020_12_tool",
            "JSON Schema",
            "Has an input schema with many keywords",
            Run::Now(|_, _| text("The arguments fit the schema.")),
        )
        .input(json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {
                "address": {
                    "$anchor": "addressDef",
                    "type": "object",
                    "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
                },
            },
            "properties": {
                "name": { "type": "string" },
                "address": { "$ref": "#/$defs/address" },
                "contactMethod": { "type": "string", "enum": ["phone", "email"] },
                "phone": { "type": "string" },
                "email": { "type": "string" },
            },
            "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
            "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
            "then": { "required": ["phone"] },
            "else": { "required": ["email"] },
            "additionalProperties": false,
        }))
        .since(Revision::V2025_11_25),
    ]
}

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_structured_content",
            "Structured content",
            "Returns an object that fits its output schema",
            Run::Now(|_, _| {
                structured(&json!({ "temperature": 22.5, "conditions": "sunny", "humidity": 65 }))
            }),
        )
        .output(json!({
            "type": "object",
            "properties": {
                "temperature": { "type": "number" },
                "conditions": { "type": "string" },
                "humidity": { "type": "integer", "minimum": 0, "maximum": 100 },
            },
            "required": ["temperature", "conditions", "humidity"],
            "additionalProperties": false,
        }))
        .since(Revision::V2025_06_18),
        Tool::new(
            "test_structured_array",
            "Structured array",
            "Returns an array that fits its output schema",
            Run::Now(|_, _| structured(&json!([1, 2, 3]))),
        )
        .output(json!({ "type": "array", "items": { "type": "integer" } }))
        .since(Revision::V2026_07_28),
        Tool::new(
            "test_typed_arguments",
            "Typed arguments",
            "Checks its arguments and returns them",
            Run::Now(|_, arguments| text(&Value::Object(arguments.clone()).to_string())),
        )
        .input(json!({
            "type": "object",
            "properties": {
                "text": { "type": "string", "minLength": 1, "maxLength": 1000 },
                "count": { "type": "integer", "minimum": 0, "maximum": 100 },
                "ratio": { "type": "number" },
                "flag": { "type": "boolean" },
                "color": { "type": "string", "enum": ["red", "green", "blue"] },
                "tags": { "type": "array", "items": { "type": "string" } },
            },
            "required": ["text", "count"],
            "additionalProperties": false,
        })),
    ]
}

/// The value, and the same as text for clients that know only text.
fn structured(value: &Value) -> Outcome {
    Ok(json!({ "content": [{ "type": "text", "text": value.to_string() }], "structuredContent": value }))
}
