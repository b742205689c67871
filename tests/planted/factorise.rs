//! Factorises numbers. Planted: each call leaves a thread behind that waits for ever.

#[path = "common.rs"]
mod common;

use std::thread;

use common::{Json, Outcome, Server};

const TOOLS: &str = r#"[{
    "name": "factorise",
    "description": "The prime factors of a number, in ascending order.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {"number": {"type": "integer", "minimum": 2, "maximum": 1000000000}},
        "required": ["number"],
        "additionalProperties": false
    },
    "outputSchema": {
        "type": "object",
        "properties": {"factors": {"type": "array", "items": {"type": "integer", "minimum": 2}, "minItems": 1}},
        "required": ["factors"]
    }
}]"#;

struct Factoriser {
    planted: bool,
}

impl Server for Factoriser {
    fn name(&self) -> &'static str {
        "factorise"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let number = arguments.get("number").and_then(Json::integer).unwrap_or(2) as u64;
        let work = thread::spawn(move || factors(number));
        if self.planted {
            // Meant to stop work that takes too long, but nobody tells it that the work is done.
            thread::spawn(|| {
                loop {
                    thread::park();
                }
            });
        }
        let factors = work.join().unwrap_or_default();
        let factors = factors.into_iter().map(|factor| Json::Number(factor.to_string())).collect();
        Outcome::Structured(Json::Object(vec![("factors".to_owned(), Json::Array(factors))]))
    }
}

fn factors(mut number: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut factor = 2;
    while factor * factor <= number {
        while number.is_multiple_of(factor) {
            found.push(factor);
            number /= factor;
        }
        factor += 1;
    }
    if number > 1 {
        found.push(number);
    }
    found
}

fn main() {
    common::run(Factoriser { planted: common::planted() });
}
