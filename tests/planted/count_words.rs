//! Counts words. Planted: answers to string ids with unusual characters have the id null.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "count_words",
    "description": "Counts the words of a text.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {"text": {"type": "string", "maxLength": 100000}},
        "required": ["text"],
        "additionalProperties": false
    }
}]"#;

struct WordCounter {
    planted: bool,
}

impl Server for WordCounter {
    fn name(&self) -> &'static str {
        "count-words"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn id_text(&self, id: &Json) -> Option<String> {
        let usual = |sign: char| sign.is_ascii_alphanumeric() || "-_.".contains(sign);
        match id {
            Json::String(text) if self.planted && !text.chars().all(usual) => None,
            _ => common::id_text(id),
        }
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = arguments.get("text").and_then(Json::text).unwrap_or_default();
        Outcome::Text(text.split_whitespace().count().to_string())
    }
}

fn main() {
    common::run(WordCounter { planted: common::planted() });
}
