//! Finds tags. Planted: the list of a text without tags is null, against the tool's own output schema.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r##"[{
    "name": "find_tags",
    "description": "Lists the #tags of a text.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 20000, "description": "A text such as `read #books at #home`"}
        },
        "required": ["text"],
        "additionalProperties": false
    },
    "outputSchema": {
        "type": "object",
        "properties": {
            "tags": {"type": "array", "items": {"type": "string"}},
            "count": {"type": "integer", "minimum": 0}
        },
        "required": ["tags", "count"]
    }
}]"##;

struct TagFinder {
    planted: bool,
}

impl Server for TagFinder {
    fn name(&self) -> &'static str {
        "find-tags"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = arguments.get("text").and_then(Json::text).unwrap_or_default();
        let tags: Vec<Json> = text
            .split_whitespace()
            .filter_map(|word| word.strip_prefix('#'))
            .filter(|tag| !tag.is_empty())
            .map(|tag| Json::String(tag.to_owned()))
            .collect();
        let count = Json::Number(tags.len().to_string());
        let tags = if self.planted && tags.is_empty() { Json::Null } else { Json::Array(tags) };
        Outcome::Structured(Json::Object(vec![("tags".to_owned(), tags), ("count".to_owned(), count)]))
    }
}

fn main() {
    common::run(TagFinder { planted: common::planted() });
}
