// What the planted Rust servers share: MCP over stdio, revisions 2024-11-05 to 2025-11-25, done with care.
//
// There is no safety net: a panic ends the process. So a server whose tools are right stays up, and one with a planted
// panic dies of it. The methods of `Server` are the places where other bugs are planted.
//
// Each server uses only a part of this.
#![allow(dead_code)]

use std::fmt::Write as _;
use std::io::{self, BufRead, Read, Write as _};

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
        let Json::Object(_) = message else { return Some(failure("null", INVALID_REQUEST, "Invalid request")) };
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
            ("tools/list", _) if params.get("cursor").is_some() => failure(&id, INVALID_PARAMS, "Unknown cursor"),
            ("tools/list", Some(revision)) => success(&id, &format!("{{\"tools\":{}}}", self.listed(revision).write())),
            (_, Some(revision)) => self.call(&id, params, revision),
        })
    }

    fn initialize(&mut self, id: &str, params: &Json) -> String {
        let client = |key: &str| params.get("clientInfo").and_then(|client| client.get(key)).and_then(Json::text);
        let offered = params.get("protocolVersion").and_then(Json::text);
        let capable = matches!(params.get("capabilities"), Some(Json::Object(_)));
        let (Some(_), Some(_), Some(offered), true) = (client("name"), client("version"), offered, capable) else {
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

/// A value of JSON; numbers as they were written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    /// A string with half of a surrogate pair, which UTF-8 cannot carry; the halves are replaced.
    Broken(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Of members with the same name, the last.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    pub fn text(&self) -> Option<&str> {
        if let Json::String(text) | Json::Broken(text) = self { Some(text) } else { None }
    }

    pub fn items(&self) -> &[Json] {
        if let Json::Array(items) = self { items } else { &[] }
    }

    pub fn float(&self) -> Option<f64> {
        if let Json::Number(text) = self { text.parse().ok() } else { None }
    }

    pub fn is_integer(&self) -> bool {
        let Json::Number(text) = self else { return false };
        text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
            || self.float().is_some_and(|value| value.is_finite() && value.fract() == 0.0)
    }

    /// Also of `1.0` and `1e2`; `None` if it does not fit.
    pub fn integer(&self) -> Option<i128> {
        let Json::Number(text) = self else { return None };
        let value = self.float().filter(|value| value.fract() == 0.0 && value.abs() < 1e30);
        text.parse().ok().or(value.map(|value| value as i128))
    }

    pub fn write(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Number(text) => text.clone(),
            Json::String(text) | Json::Broken(text) => quote(text),
            Json::Array(items) => format!("[{}]", items.iter().map(Json::write).collect::<Vec<_>>().join(",")),
            Json::Object(members) => {
                let members: Vec<_> = members.iter().map(|(name, value)| quote(name) + ":" + &value.write()).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\0'..='\u{1f}' => write!(quoted, "\\u{:04x}", sign as u32).unwrap_or(()),
            _ => quoted.push(sign),
        }
    }
    quoted + "\""
}

/// The value, and whether anything was nested too deeply: null stands there then. `None` if it is no JSON.
pub fn parse(text: &str, depth_limit: usize) -> Option<(Json, bool)> {
    let mut parser = Parser { text, at: 0, depth_limit, deep: false };
    let value = parser.value(0)?;
    parser.space();
    (parser.at == text.len()).then_some((value, parser.deep))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_limit: usize,
    deep: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    /// Takes the byte if it comes next, after white space.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        self.next_is(byte).then_some(())
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        match self.peek()? {
            b'{' | b'[' if depth >= self.depth_limit => self.skip(),
            b'{' => {
                let mut members = Vec::new();
                self.list(b'{', b'}', |parser| {
                    parser.space();
                    let name = parser.string()?.text()?.to_owned();
                    parser.take(b':')?;
                    members.push((name, parser.value(depth + 1)?));
                    Some(())
                })?;
                Some(Json::Object(members))
            }
            b'[' => {
                let mut items = Vec::new();
                self.list(b'[', b']', |parser| {
                    items.push(parser.value(depth + 1)?);
                    Some(())
                })?;
                Some(Json::Array(items))
            }
            b'"' => self.string(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn list(&mut self, start: u8, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(start)?;
        if self.take(end).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if self.take(end).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// Goes past a list without looking into it, and without recursion.
    fn skip(&mut self) -> Option<Json> {
        let mut expected = Vec::new();
        loop {
            match self.peek()? {
                b'{' => expected.push(b'}'),
                b'[' => expected.push(b']'),
                b'"' => {
                    self.string()?;
                    continue;
                }
                byte @ (b'}' | b']') if expected.pop() != Some(byte) => return None,
                _ => {}
            }
            self.at += 1;
            if expected.is_empty() {
                self.deep = true;
                return Some(Json::Null);
            }
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(value)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        self.next_is(b'-');
        if !self.next_is(b'0') {
            self.digits()?;
        }
        if self.next_is(b'.') {
            self.digits()?;
        }
        if self.next_is(b'e') || self.next_is(b'E') {
            let _ = self.next_is(b'+') || self.next_is(b'-');
            self.digits()?;
        }
        Some(Json::Number(self.text.get(start..self.at)?.to_owned()))
    }

    fn string(&mut self) -> Option<Json> {
        self.next_is(b'"').then_some(())?;
        let (mut text, mut broken) = (String::new(), false);
        loop {
            let start = self.at;
            while self.peek()? >= b' ' && !b"\"\\".contains(&self.peek()?) {
                self.at += 1;
            }
            text.push_str(self.text.get(start..self.at)?);
            if self.next_is(b'"') {
                return Some(if broken { Json::Broken(text) } else { Json::String(text) });
            }
            self.next_is(b'\\').then_some(())?;
            self.at += 1;
            text.push(match *self.text.as_bytes().get(self.at - 1)? {
                byte @ (b'"' | b'\\' | b'/') => byte as char,
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode(&mut broken)?,
                _ => return None,
            });
        }
    }

    fn unicode(&mut self, broken: &mut bool) -> Option<char> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) && self.text.as_bytes().get(self.at..)?.starts_with(b"\\u") {
            let after_high = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = after_high;
        }
        *broken |= char::from_u32(high).is_none();
        Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        // `from_str_radix` would also take a sign.
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}

/// The first thing that the schema forbids, in words; `None` if it allows the value.
pub fn problem(schema: &Json, value: &Json, place: &str) -> Option<String> {
    let kind = schema.get("type").and_then(Json::text);
    if kind.is_some_and(|kind| !is_a(kind, value)) {
        return Some(format!("{place} must be of type {}", kind.unwrap_or_default()));
    }
    let bound = |name: &str| schema.get(name).and_then(Json::integer);
    let outside = |size: usize, least: &str, most: &str| {
        bound(least).is_some_and(|least| (size as i128) < least) || bound(most).is_some_and(|most| (size as i128) > most)
    };
    match value {
        _ if schema.get("enum").is_some_and(|allowed| !allowed.items().contains(value)) => {
            Some(format!("{place} must be one of {}", schema.get("enum")?.write()))
        }
        Json::Number(_) if below(value, schema.get("minimum")) => {
            Some(format!("{place} must be at least {}", schema.get("minimum")?.write()))
        }
        Json::Number(_) if schema.get("maximum").is_some_and(|most| below(most, Some(value))) => {
            Some(format!("{place} must be at most {}", schema.get("maximum")?.write()))
        }
        Json::String(text) | Json::Broken(text) => {
            outside(text.chars().count(), "minLength", "maxLength").then(|| format!("{place} is too short or too long"))
        }
        Json::Array(items) if outside(items.len(), "minItems", "maxItems") => {
            Some(format!("{place} has too few or too many items"))
        }
        Json::Array(items) => {
            let schema = schema.get("items")?;
            items.iter().enumerate().find_map(|(index, item)| problem(schema, item, &format!("{place}[{index}]")))
        }
        Json::Object(members) => {
            let empty = Json::Object(Vec::new());
            let properties = schema.get("properties").unwrap_or(&empty);
            let required = schema.get("required").map_or(&[][..], Json::items).iter().filter_map(Json::text);
            if let Some(name) = required.into_iter().find(|name| value.get(name).is_none()) {
                return Some(format!("{place}.{name} is required"));
            }
            let closed = schema.get("additionalProperties") == Some(&Json::Bool(false));
            if closed && members.iter().any(|(name, _)| properties.get(name).is_none()) {
                return Some(format!("{place} has an unknown property"));
            }
            let Json::Object(properties) = properties else { return None };
            properties.iter().find_map(|(name, part)| problem(part, value.get(name)?, &format!("{place}.{name}")))
        }
        _ => None,
    }
}

fn is_a(kind: &str, value: &Json) -> bool {
    match kind {
        "boolean" => matches!(value, Json::Bool(_)),
        "integer" => value.is_integer(),
        "number" => value.float().is_some_and(f64::is_finite),
        "string" => value.text().is_some(),
        "array" => matches!(value, Json::Array(_)),
        "object" => matches!(value, Json::Object(_)),
        _ => matches!(value, Json::Null),
    }
}

/// Whether the number is smaller than the bound; false without a bound.
fn below(value: &Json, bound: Option<&Json>) -> bool {
    let Some(bound) = bound else { return false };
    match (value.integer(), bound.integer()) {
        (Some(value), Some(bound)) => value < bound,
        _ => value.float() < bound.float(),
    }
}
