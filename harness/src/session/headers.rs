//! The HTTP headers that go with a message (spec page `basic/transports#streamable-http` of each revision).

use std::collections::BTreeMap;

use base64::Engine as _;
use mcp_conform_cases::{Era, Revision};
use serde_json::Value;

use super::handshake::META_VERSION;

/// The revision, from 2025-06-18 on.
pub const VERSION: &str = "MCP-Protocol-Version";
/// The id of the session, in the stateful era.
pub const SESSION: &str = "Mcp-Session-Id";
/// The method, in the stateless era.
const METHOD: &str = "Mcp-Method";
/// What the method is about, in the stateless era.
const NAME: &str = "Mcp-Name";
/// Before the name that a tool's schema gives a mirrored argument.
pub(crate) const PARAMETER: &str = "Mcp-Param-";

/// The arguments that a tool wants mirrored in headers: the names of the properties on the way, and of the header.
pub type Mirrored = Vec<(Vec<String>, String)>;

/// The mirrored arguments of every tool, by its name.
#[must_use]
pub fn mirrored(tools: &[Value]) -> BTreeMap<String, Mirrored> {
    let mut all = BTreeMap::new();
    for tool in tools {
        let (Some(name), Some(schema)) = (tool.get("name").and_then(Value::as_str), tool.get("inputSchema"))
        else {
            continue;
        };
        let found = mirrored_of(schema);
        if !found.is_empty() {
            all.insert(name.to_owned(), found);
        }
    }
    all
}

/// The arguments that a tool with this schema wants mirrored.
#[must_use]
pub(crate) fn mirrored_of(schema: &Value) -> Mirrored {
    let mut found = Mirrored::new();
    collect(schema, &mut Vec::new(), &mut found);
    found
}

fn collect(schema: &Value, path: &mut Vec<String>, found: &mut Mirrored) {
    /// Schemas of strangers may be as deep as they like.
    const DEEPEST: usize = 16;
    let properties = schema.get("properties").and_then(Value::as_object);
    if path.len() >= DEEPEST {
        return;
    }
    for (name, property) in properties.into_iter().flatten() {
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Value::as_str) {
            found.push((path.clone(), header.to_owned()));
        }
        collect(property, path, found);
        path.pop();
    }
}

/// What a session knows that headers depend on.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The revision that is spoken.
    pub revision: Revision,
    /// Whether the handshake of the stateful era is over.
    pub negotiated: bool,
    /// The id that the server gave the session.
    pub session: Option<&'a str>,
    /// The arguments that tools want mirrored.
    pub mirrored: &'a BTreeMap<String, Mirrored>,
}

/// The headers for a message, or for a request without one.
#[must_use]
pub fn headers(known: Known<'_>, message: Option<&Value>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: String| headers.push((name.to_owned(), value));
    if known.revision.era() == Era::Stateful {
        if let Some(session) = known.session {
            set(SESSION, session.to_owned());
        }
        if known.negotiated && known.revision >= Revision::R2025_06_18 {
            set(VERSION, known.revision.as_str().to_owned());
        }
        return headers;
    }
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let params = message.and_then(|message| message.get("params"));
    let said = text(params.and_then(|params| params.get("_meta")?.get(META_VERSION)));
    set(VERSION, said.unwrap_or_else(|| known.revision.as_str().to_owned()));
    let Some(method) = text(message.and_then(|message| message.get("method"))) else { return headers };
    let about = match method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => "",
    };
    let name = text(params.and_then(|params| params.get(about)));
    set(METHOD, encode(&method));
    if let Some(name) = &name {
        set(NAME, encode(name));
    }
    let arguments = params.and_then(|params| params.get("arguments"));
    let mirrored = name.filter(|_| method == "tools/call").and_then(|name| known.mirrored.get(&name));
    for (path, header) in mirrored.into_iter().flatten() {
        let value = arguments.and_then(|given| path.iter().try_fold(given, |value, key| value.get(key)));
        let value = match value {
            Some(Value::String(text)) => encode(text),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
            _ => continue,
        };
        set(&format!("{PARAMETER}{header}"), value);
    }
    headers
}

/// A text as a header value carries it: as it is, or in Base64 where it could not pass or would be misread.
#[must_use]
pub fn encode(text: &str) -> String {
    let plain = text.chars().all(|c| (' '..='~').contains(&c))
        && text.trim() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    if plain {
        return text.to_owned();
    }
    format!("=?base64?{}?=", base64::engine::general_purpose::STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(revision: Revision, message: &Value, tools: &[Value]) -> Vec<(String, String)> {
        let mirrored = mirrored(tools);
        headers(Known { revision, negotiated: true, session: Some("s"), mirrored: &mirrored }, Some(message))
    }

    #[test]
    fn headers_mirror_the_message_in_the_stateless_era() {
        let tools = [json!({ "name": "Ä", "inputSchema": { "properties": {
            "a": { "properties": { "b": { "x-mcp-header": "B" } } },
            "n": { "x-mcp-header": "N" }, "absent": { "x-mcp-header": "X" },
        } } })];
        let call = json!({ "method": "tools/call", "params": { "name": "Ä", "arguments": { "a": { "b": " x" }, "n": 7 } } });
        let found = of(Revision::R2026_07_28, &call, &tools);
        let wanted = [
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/call"),
            ("Mcp-Name", "=?base64?w4Q=?="),
            ("Mcp-Param-B", "=?base64?IHg=?="),
            ("Mcp-Param-N", "7"),
        ];
        assert_eq!(found, wanted.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn the_stateful_era_names_session_and_revision() {
        let ping = json!({ "method": "ping" });
        let names = |revision| of(revision, &ping, &[]).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(Revision::R2025_03_26), [SESSION]);
        assert_eq!(names(Revision::R2025_11_25), [SESSION, VERSION]);
    }
}
