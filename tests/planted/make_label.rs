//! Makes labels. Planted: `maxLength` stands in the schema, but nobody looks at it.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "make_label",
    "description": "Makes the markup of a coloured label.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 40, "description": "What stands on the label"},
            "colour": {"type": "string", "enum": ["red", "green", "blue"]}
        },
        "required": ["title", "colour"],
        "additionalProperties": false
    }
}]"#;

struct LabelMaker {
    planted: bool,
}

impl Server for LabelMaker {
    fn name(&self) -> &'static str {
        "make-label"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn problem(&self, schema: &Json, arguments: &Json) -> Option<String> {
        let mut schema = schema.clone();
        if self.planted {
            forget(&mut schema, "maxLength");
        }
        common::problem(&schema, arguments, "arguments")
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = |name: &str| arguments.get(name).and_then(Json::text).unwrap_or_default();
        let title = text("title").replace('&', "&amp;").replace('<', "&lt;");
        Outcome::Text(format!("<b style=\"color: {}\">{title}</b>", text("colour")))
    }
}

/// Removes a keyword everywhere.
fn forget(schema: &mut Json, keyword: &str) {
    let Json::Object(members) = schema else { return };
    members.retain(|(name, _)| name != keyword);
    for (_, part) in members {
        forget(part, keyword);
    }
}

fn main() {
    common::run(LabelMaker { planted: common::planted() });
}
