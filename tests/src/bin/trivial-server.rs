//! A server that does as little as a correct one can: one tool that repeats a text. What is measured against it is the
//! cost of the measuring.

use std::io::{self, BufRead as _, Write as _};

use serde_json::{Value, json};

fn main() -> io::Result<()> {
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        if let Some(answer) = answer(&line) {
            let mut bytes = answer.to_string().into_bytes();
            bytes.push(b'\n');
            output.write_all(&bytes)?;
            output.flush()?;
        }
        line.clear();
    }
    Ok(())
}

fn answer(line: &[u8]) -> Option<Value> {
    let error = |id: &Value, code: i32, message: &str| {
        Some(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } }))
    };
    if line.trim_ascii().is_empty() {
        return None;
    }
    let Ok(message) = serde_json::from_slice::<Value>(line) else {
        return error(&Value::Null, -32700, "no JSON");
    };
    let id = message.get("id");
    let readable = id.filter(|id| id.is_string() || id.is_i64() || id.is_u64());
    let params = message.get("params");
    let is_sound = message.get("jsonrpc").is_some_and(|version| version == "2.0")
        && params.is_none_or(Value::is_object)
        && (id.is_none() || readable.is_some());
    let Some(method) = message.get("method").and_then(Value::as_str).filter(|_| is_sound) else {
        let is_response = message.get("result").is_some() || message.get("error").is_some();
        return if is_response {
            None
        } else {
            error(readable.unwrap_or(&Value::Null), -32600, "no request")
        };
    };
    let id = readable?;
    let result = match method {
        "initialize" => json!({
            "protocolVersion": "2025-11-25",
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "trivial", "version": "1" },
        }),
        "ping" => json!({}),
        "tools/list" => json!({ "tools": [{
            "name": "repeat",
            "description": "Repeats a text",
            "inputSchema": {
                "type": "object",
                "properties": { "text": { "type": "string" } },
                "required": ["text"],
            },
        }] }),
        "tools/call" => {
            if params.and_then(|params| params.get("name")).is_none_or(|name| name != "repeat") {
                return error(id, -32602, "no such tool");
            }
            match params.and_then(|params| params.pointer("/arguments/text")).and_then(Value::as_str) {
                Some(text) => json!({ "content": [{ "type": "text", "text": text }] }),
                None => json!({ "content": [{ "type": "text", "text": "no text" }], "isError": true }),
            }
        }
        _ => return error(id, -32601, "no such method"),
    };
    Some(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}
