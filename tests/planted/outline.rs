//! Measures JSON documents. Planted: no limit to nesting, so that deep nesting overflows the stack.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "measure_document",
    "description": "Tells how deeply a JSON document is nested and how many values it has.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {"document": {"description": "Any JSON value"}},
        "required": ["document"],
        "additionalProperties": false
    },
    "outputSchema": {
        "type": "object",
        "properties": {
            "depth": {"type": "integer", "minimum": 1},
            "values": {"type": "integer", "minimum": 1}
        },
        "required": ["depth", "values"]
    }
}]"#;

struct Outline {
    planted: bool,
}

impl Server for Outline {
    fn name(&self) -> &'static str {
        "outline"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn depth_limit(&self) -> usize {
        if self.planted { usize::MAX } else { 128 }
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let (depth, values) = measure(arguments.get("document").unwrap_or(&Json::Null));
        let member = |name: &str, value: usize| (name.to_owned(), Json::Number(value.to_string()));
        Outcome::Structured(Json::Object(vec![member("depth", depth), member("values", values)]))
    }
}

/// The depth, and the number of values.
fn measure(value: &Json) -> (usize, usize) {
    let inner: Vec<_> = match value {
        Json::Array(items) => items.iter().map(measure).collect(),
        Json::Object(members) => members.iter().map(|(_, value)| measure(value)).collect(),
        _ => Vec::new(),
    };
    let deepest = inner.iter().map(|(depth, _)| *depth).max().unwrap_or_default();
    (deepest + 1, 1 + inner.iter().map(|(_, values)| values).sum::<usize>())
}

fn main() {
    common::run(Outline { planted: common::planted() });
}
