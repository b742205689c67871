//! Statistics of texts. Planted: a request above 64 KiB is cut off and never answered.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const BUFFER: usize = 64 * 1024; // bytes

const TOOLS: &str = r#"[{
    "name": "text_statistics",
    "description": "Counts characters, lines and upper-case letters of a text.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 1000000}},
        "required": ["text"],
        "additionalProperties": false
    },
    "outputSchema": {
        "type": "object",
        "properties": {
            "characters": {"type": "integer", "minimum": 0},
            "lines": {"type": "integer", "minimum": 0},
            "upper": {"type": "integer", "minimum": 0}
        },
        "required": ["characters", "lines", "upper"]
    }
}]"#;

struct Statistics {
    planted: bool,
}

impl Server for Statistics {
    fn name(&self) -> &'static str {
        "text-statistics"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn line_limit(&self) -> usize {
        if self.planted { BUFFER } else { 256 * BUFFER }
    }

    fn too_long(&mut self) -> Option<String> {
        (!self.planted).then(common::refuse_long)
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = arguments.get("text").and_then(Json::text).unwrap_or_default();
        let member = |name: &str, count: usize| (name.to_owned(), Json::Number(count.to_string()));
        Outcome::Structured(Json::Object(vec![
            member("characters", text.chars().count()),
            member("lines", text.lines().count()),
            member("upper", text.chars().filter(|sign| sign.is_uppercase()).count()),
        ]))
    }
}

fn main() {
    common::run(Statistics { planted: common::planted() });
}
