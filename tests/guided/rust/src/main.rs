//! A server with one tool that dies of one of 2^32 prefixes: the measure of guided fuzzing.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

fn main() {
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().split(b'\n') {
        let Ok(line) = line else { break };
        if let Some(answer) = answer(&line) {
            let _ = writeln!(out, "{answer}").and_then(|()| out.flush());
        }
    }
}

fn answer(line: &[u8]) -> Option<Value> {
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return Some(error(&Value::Null, -32700, "not JSON"));
    };
    let method = message["method"].as_str().unwrap_or_default();
    let id = message.get("id")?;
    Some(match method {
        "initialize" => result(
            id,
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": { "tools": {} },
                "serverInfo": { "name": "guided", "version": "0" },
            }),
        ),
        "ping" => result(id, &json!({})),
        "tools/list" => result(
            id,
            &json!({ "tools": [{
                "name": "deploy",
                "inputSchema": {
                    "type": "object",
                    "properties": { "mode": { "type": "string" } },
                    "required": ["mode"],
                },
            }] }),
        ),
        "tools/call" => match message["params"]["arguments"]["mode"].as_str() {
            Some(mode) => result(id, &json!({ "content": [{ "type": "text", "text": deploy(mode) }] })),
            None => error(id, -32602, "no mode"),
        },
        _ => error(id, -32601, "no such method"),
    })
}

/// The bug: each character is looked at alone, and the fourth one is the last.
fn deploy(mode: &str) -> String {
    let mut characters = mode.bytes();
    if characters.next() == Some(b'Q') {
        if characters.next() == Some(b'z') {
            if characters.next() == Some(b'7') {
                if characters.next() == Some(b'#') {
                    panic!("the planted bug");
                }
            }
        }
    }
    format!("deployed, {} bytes", mode.len())
}

fn result(id: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn error(id: &Value, code: i32, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}
