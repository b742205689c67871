//! A calculator with a memory. Planted: a division by zero poisons the memory, and no later call succeeds.

#[path = "common.rs"]
mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "divide",
    "description": "Divides whole numbers, rounding towards zero, and remembers the result.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "dividend": {"type": "integer", "minimum": -1000000, "maximum": 1000000},
            "divisor": {"type": "integer", "minimum": -1000, "maximum": 1000}
        },
        "required": ["dividend", "divisor"],
        "additionalProperties": false
    }
}, {
    "name": "last_result",
    "description": "The result of the last division.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {"type": "object", "properties": {}, "additionalProperties": false}
}]"#;

struct Calculator {
    planted: bool,
    memory: Mutex<i128>,
}

impl Server for Calculator {
    fn name(&self) -> &'static str {
        "calculator"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, tool: &str, arguments: &Json) -> Outcome {
        let number = |name: &str| arguments.get(name).and_then(Json::integer).unwrap_or_default();
        if !self.planted && tool == "divide" && number("divisor") == 0 {
            return Outcome::Failed("Division by zero".to_owned());
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            let mut memory = self.memory.lock().ok()?;
            if tool == "divide" {
                *memory = number("dividend") / number("divisor");
            }
            Some(memory.to_string())
        }));
        match done {
            Ok(Some(result)) => Outcome::Text(result),
            Ok(None) => Outcome::Failed("The memory is not available".to_owned()),
            Err(_) => Outcome::Failed("Division by zero".to_owned()),
        }
    }
}

fn main() {
    std::panic::set_hook(Box::new(|_| {})); // caught panics are answered, and need no report
    common::run(Calculator { planted: common::planted(), memory: Mutex::new(0) });
}
