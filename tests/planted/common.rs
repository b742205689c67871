// What the planted Rust servers share: MCP over stdio, revisions 2024-11-05 to 2025-11-25, done with care.
//
// There is no safety net: a panic ends the process. So a server whose tools are right stays up, and one with a planted
// panic dies of it. The methods of `Server` are the places where other bugs are planted.
//
// Each server uses only a part of this.
#![allow(dead_code)]

#[path = "common_json.rs"]
mod json;
#[path = "common_schema.rs"]
mod schema;

use std::io::{self, BufRead, Read, Write as _};

pub use json::{Json, parse, quote};
pub use schema::problem;

const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
const LINE_LIMIT: usize = 16 * 1024 * 1024; // bytes of one message
const DEPTH_LIMIT: usize = 128; // levels of nesting; what lies deeper is skipped

const PARSE_ERROR: i32 = -32700;
const INVALID_REQUEST: i32 = -32600;
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;

pub fn planted() -> bool {
    std::env::args().skip(1).any(|argument| argument == "--planted")
}

/// What a tool comes to.
pub enum Outcome {
    Text(String),
    Structured(Json),
    /// The tool cannot do what was asked, and says why.
    Failed(String),
}

/// What all servers do alike; the provided methods are replaced where something is planted.
pub trait Server {
    fn name(&self) -> &'static str;

    /// The tools as JSON, as they stand in the newest `tools/list`.
    fn tools(&self) -> &'static str;

    /// The arguments satisfy the tool's schema.
    fn call(&mut self, tool: &str, arguments: &Json) -> Outcome;

    fn problem(&self, schema: &Json, arguments: &Json) -> Option<String> {
        problem(schema, arguments, "arguments")
    }

    fn depth_limit(&self) -> usize {
        DEPTH_LIMIT
    }

    fn line_limit(&self) -> usize {
        LINE_LIMIT
    }

    /// A message longer than the limit came.
    fn too_long(&mut self) -> Option<String> {
        Some(refuse_long())
    }

    fn id_text(&self, id: &Json) -> Option<String> {
        id_text(id)
    }

    fn encode(&self, answer: String) -> String {
        answer
    }
}

/// Serves until the input ends.
pub fn run(server: impl Server) {
    let tools = parse(server.tools(), DEPTH_LIMIT).map_or(Json::Null, |(tools, _)| tools);
    let mut session = Session { server, tools, revision: None };
    let mut input = io::stdin().lock();
    let mut output = io::stdout().lock();
    loop {
        let mut line = Vec::new();
        let limit = session.server.line_limit();
        match input.by_ref().take(limit as u64).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let answer = if line.ends_with(b"\n") || line.len() < limit {
            session.reply(&line)
        } else {
            if input.skip_until(b'\n').is_err() {
                return;
            }
            session.server.too_long()
        };
        let Some(answer) = answer else { continue };
        let answer = session.server.encode(answer) + "\n";
        if output.write_all(answer.as_bytes()).and_then(|()| output.flush()).is_err() {
            return; // nobody listens any more
        }
    }
}

struct Session<S> {
    server: S,
    tools: Json,
    revision: Option<&'static str>,
}

impl<S: Server> Session<S> {
    fn reply(&mut self, line: &[u8]) -> Option<String> {
        if line.iter().all(|byte| b" \t\r\n".contains(byte)) {
            return None;
        }
        let parsed = std::str::from_utf8(line).ok().and_then(|text| parse(text, self.server.depth_limit()));
        let Some((message, deep)) = parsed else { return Some(failure("null", PARSE_ERROR, "Parse error")) };
        let Json::Array(messages) = &message else { return self.answer(&message, deep, false) };
        if self.revision != Some("2025-03-26") || messages.is_empty() {
            return Some(failure("null", INVALID_REQUEST, "Invalid request"));
        }
        let answers: Vec<String> = messages.iter().filter_map(|each| self.answer(each, deep, true)).collect();
        (!answers.is_empty()).then(|| format!("[{}]", answers.join(",")))
    }

    fn answer(&mut self, message: &Json, deep: bool, in_batch: bool) -> Option<String> {
        let Json::Object(_) = message else {
            return Some(failure("null", INVALID_REQUEST, "Invalid request"));
        };
        let method = message.get("method").and_then(Json::text);
        if method.is_none() && (message.get("result").is_some() || message.get("error").is_some()) {
            return None; // a response; we never asked anything
        }
        if method.is_some() && message.get("id").is_none() {
            return None; // a notification
        }
        let known = message.get("id").and_then(id_text).is_some();
        let id = message.get("id").and_then(|id| self.server.id_text(id)).unwrap_or("null".to_owned());
        let jsonrpc = message.get("jsonrpc").and_then(Json::text);
        let (Some(method), true, Some("2.0")) = (method, known, jsonrpc) else {
            return Some(failure(&id, INVALID_REQUEST, "Invalid request"));
        };
        if in_batch && method == "initialize" {
            return Some(failure(&id, INVALID_REQUEST, "initialize must not be part of a batch"));
        }
        if !["initialize", "ping", "tools/list", "tools/call"].contains(&method) {
            return Some(failure(&id, METHOD_NOT_FOUND, "Method not found"));
        }
        if deep {
            return Some(failure(&id, INVALID_PARAMS, "Nested too deeply"));
        }
        let empty = Json::Object(Vec::new());
        let params = message.get("params").unwrap_or(&empty);
        let Json::Object(_) = params else {
            return Some(failure(&id, INVALID_PARAMS, "params must be an object"));
        };
        Some(match (method, self.revision) {
            ("ping", _) => success(&id, "{}"),
            ("initialize", _) => self.initialize(&id, params),
            (_, None) => failure(&id, INVALID_REQUEST, "Not initialized"),
            ("tools/list", _) if params.get("cursor").is_some() => {
                failure(&id, INVALID_PARAMS, "Unknown cursor")
            }
            ("tools/list", Some(revision)) => {
                success(&id, &format!("{{\"tools\":{}}}", self.listed(revision).write()))
            }
            (_, Some(revision)) => self.call(&id, params, revision),
        })
    }

    fn initialize(&mut self, id: &str, params: &Json) -> String {
        let client =
            |key: &str| params.get("clientInfo").and_then(|client| client.get(key)).and_then(Json::text);
        let offered = params.get("protocolVersion").and_then(Json::text);
        let capable = matches!(params.get("capabilities"), Some(Json::Object(_)));
        let (Some(_), Some(_), Some(offered), true) = (client("name"), client("version"), offered, capable)
        else {
            return failure(id, INVALID_PARAMS, "protocolVersion, capabilities and clientInfo are needed");
        };
        if self.revision.is_some() {
            return failure(id, INVALID_REQUEST, "Already initialized");
        }
        let revision = REVISIONS.into_iter().find(|each| *each == offered).unwrap_or("2025-11-25");
        self.revision = Some(revision);
        let name = self.server.name();
        let about = format!(r#""serverInfo":{{"name":"{name}","version":"1.0.0"}}"#);
        success(id, &format!(r#"{{"protocolVersion":"{revision}","capabilities":{{"tools":{{}}}},{about}}}"#))
    }

    /// The tools with the members that the revision knows.
    fn listed(&self, revision: &str) -> Json {
        let mut tools = self.tools.clone();
        let Json::Array(each) = &mut tools else { return tools };
        for tool in each {
            let Json::Object(members) = tool else { continue };
            members.retain(|(name, _)| match name.as_str() {
                "annotations" => revision >= "2025-03-26",
                "outputSchema" => revision >= "2025-06-18",
                _ => true,
            });
        }
        tools
    }

    fn call(&mut self, id: &str, params: &Json, revision: &str) -> String {
        let empty = Json::Object(Vec::new());
        let arguments = params.get("arguments").unwrap_or(&empty);
        let (Some(name), Json::Object(_)) = (params.get("name").and_then(Json::text), arguments) else {
            return failure(id, INVALID_PARAMS, "name must be a string and arguments an object");
        };
        let tool = self.tools.items().iter().find(|tool| tool.get("name").and_then(Json::text) == Some(name));
        let Some(schema) = tool.and_then(|tool| tool.get("inputSchema")) else {
            return failure(id, INVALID_PARAMS, "Unknown tool");
        };
        let outcome = match self.server.problem(schema, arguments) {
            Some(trouble) if revision >= "2025-11-25" => Outcome::Failed(trouble),
            Some(trouble) => return failure(id, INVALID_PARAMS, &trouble),
            None => self.server.call(name, arguments),
        };
        let (text, more) = match outcome {
            Outcome::Text(text) => (text, String::new()),
            Outcome::Failed(text) => (text, ",\"isError\":true".to_owned()),
            Outcome::Structured(value) if revision >= "2025-06-18" => {
                (value.write(), format!(",\"structuredContent\":{}", value.write()))
            }
            Outcome::Structured(value) => (value.write(), String::new()),
        };
        success(id, &format!(r#"{{"content":[{{"type":"text","text":{}}}]{more}}}"#, quote(&text)))
    }
}

pub fn refuse_long() -> String {
    failure("null", INVALID_REQUEST, "Message too long")
}

fn success(id: &str, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn failure(id: &str, code: i32, message: &str) -> String {
    let message = quote(message);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message}}}}}"#)
}

/// The id as it stands in the response; `None` for what is no id.
pub fn id_text(id: &Json) -> Option<String> {
    match id {
        Json::String(text) => Some(quote(text)),
        Json::Number(_) if id.is_integer() => Some(id.write()),
        _ => None,
    }
}
