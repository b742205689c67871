//! A tool whose arguments travel in headers as well (`basic/transports/streamable-http#schema-extension` of
//! 2026-07-28). On stdio the annotations mean nothing.

use serde_json::{Value, json};

use super::tool::{Run, Tool, text};
use crate::revision::Revision;

pub(super) fn official_tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_header_arguments",
            "Header arguments",
            "Says what it was given; over HTTP the arguments are repeated in headers",
            Run::Now(|_, arguments| text(&format!("Given: {}", Value::Object(arguments.clone())))),
        )
        .input(json!({
            "type": "object",
            "properties": {
                "region": { "type": "string", "x-mcp-header": "Region" },
                "count": { "type": "integer", "x-mcp-header": "Count" },
                "urgent": { "type": "boolean", "x-mcp-header": "Urgent" },
                "filter": {
                    "type": "object",
                    "properties": { "tenant": { "type": "string", "x-mcp-header": "Tenant" } },
                    "additionalProperties": false,
                },
            },
            "additionalProperties": false,
        }))
        .since(Revision::V2026_07_28),
    ]
}
