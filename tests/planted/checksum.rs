//! Computes checksums. Planted: keeps 64 KiB for each call and never lets go of them.

#[path = "common.rs"]
mod common;

use common::{Json, Outcome, Server};

const BLOCK: usize = 64 * 1024; // bytes

const TOOLS: &str = r#"[{
    "name": "checksum",
    "description": "Computes the Adler-32 checksum of a text.",
    "annotations": {"readOnlyHint": true},
    "inputSchema": {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 4096},
            "base": {"type": "string", "enum": ["decimal", "hexadecimal"]}
        },
        "required": ["text"],
        "additionalProperties": false
    }
}]"#;

struct Checksum {
    planted: bool,
    blocks: Vec<Vec<u8>>,
}

impl Server for Checksum {
    fn name(&self) -> &'static str {
        "checksum"
    }

    fn tools(&self) -> &'static str {
        TOOLS
    }

    fn call(&mut self, _tool: &str, arguments: &Json) -> Outcome {
        let text = |name: &str| arguments.get(name).and_then(Json::text).unwrap_or_default();
        let mut block = vec![0xa5; BLOCK];
        block[..text("text").len()].copy_from_slice(text("text").as_bytes());
        let (low, high) = block[..text("text").len()].iter().fold((1_u32, 0_u32), |(low, high), byte| {
            let low = (low + u32::from(*byte)) % 65_521;
            (low, (high + low) % 65_521)
        });
        if self.planted {
            self.blocks.push(block);
        }
        let sum = (high << 16) | low;
        Outcome::Text(if text("base") == "hexadecimal" { format!("{sum:08x}") } else { sum.to_string() })
    }
}

fn main() {
    common::run(Checksum { planted: common::planted(), blocks: Vec::new() });
}
