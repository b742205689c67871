//! Shortens texts. Planted: cuts between the bytes of a character, which panics.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "shorten_text",
    "description": "Shortens a text to a number of bytes of UTF-8 and adds an ellipsis.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "The text to shorten"},
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "Bytes to keep"}
        },
        "required": ["text", "limit"],
        "additionalProperties": false
    }
}]"#;

struct Shortener {
    planted: bool,
}

impl Server for Shortener {
    fn name(&self) -> &'static str {
        "shorten"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = arguments.get("text").and_then(Json::text).unwrap_or_default();
        let limit = arguments.get("limit").and_then(Json::integer).unwrap_or_default() as usize;
        if text.len() <= limit {
            return Outcome::Text(text.to_owned());
        }
        let mut end = limit;
        while !self.planted && !text.is_char_boundary(end) {
            end -= 1;
        }
        Outcome::Text(format!("{}…", &text[..end]))
    }
}

fn main() {
    common::run(Shortener { planted: common::planted() });
}
