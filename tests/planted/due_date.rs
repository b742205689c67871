//! Computes due dates. Planted: an overflow at the end of the 32-bit range panics.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const SECONDS_PER_DAY: u32 = 86_400;

const TOOLS: &str = r#"[{
    "name": "due_date",
    "description": "Computes when something is due: so many days after a start, in Unix seconds.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "start": {"type": "integer", "minimum": 0, "maximum": 4294967295, "description": "Unix seconds"},
            "days": {"type": "integer", "minimum": 0, "maximum": 30, "description": "Days to add"}
        },
        "required": ["start", "days"],
        "additionalProperties": false
    }
}]"#;

struct DueDate {
    planted: bool,
}

impl Server for DueDate {
    fn name(&self) -> &'static str {
        "due-date"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let number = |name: &str| arguments.get(name).and_then(Json::integer).unwrap_or_default() as u32;
        let due = number("start").checked_add(number("days") * SECONDS_PER_DAY);
        if self.planted {
            return Outcome::Text(due.unwrap().to_string());
        }
        match due {
            Some(due) => Outcome::Text(due.to_string()),
            None => Outcome::Failed("Due after the end of the calendar".to_owned()),
        }
    }
}

fn main() {
    common::run(DueDate { planted: common::planted() });
}
