//! Wraps texts. Planted: line ends stand unescaped in the answer, which tears it into several lines.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "wrap_text",
    "description": "Breaks a text into lines of at most so many characters, between words where it can.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 50000},
            "width": {"type": "integer", "minimum": 10, "maximum": 200}
        },
        "required": ["text"],
        "additionalProperties": false
    }
}]"#;

struct Wrapper {
    planted: bool,
}

impl Server for Wrapper {
    fn name(&self) -> &'static str {
        "wrap-text"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn encode(&self, answer: String) -> String {
        if self.planted { answer.replace("\\n", "\n") } else { answer }
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = arguments.get("text").and_then(Json::text).unwrap_or_default();
        let width = arguments.get("width").and_then(Json::integer).unwrap_or(80) as usize;
        Outcome::Text(wrap(text, width).join("\n"))
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut line, mut length) = (String::new(), 0);
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    lines.push(line);
    lines
}

fn main() {
    common::run(Wrapper { planted: common::planted() });
}
