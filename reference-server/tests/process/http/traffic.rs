//! Traffic in which every fault of the network side shows, written down in a form that is the same in every run.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::{
    Answer, Ask, Connection, SILENCE, Server, Session, initialize, modern, notification, request,
};

/// What was seen, each under a name.
#[derive(Default)]
pub(crate) struct Log {
    pub(crate) entries: Vec<(&'static str, String)>,
}

impl Log {
    fn note(&mut self, name: &'static str, what: impl Into<String>) {
        self.entries.push((name, steady(&what.into())));
    }

    /// Writes an answer down, and gives it back.
    fn answer(&mut self, name: &'static str, answer: Answer) -> Answer {
        let headers: Vec<String> = answer
            .headers
            .iter()
            .filter(|(name, _)| name != "date")
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        self.note(
            name,
            format!("{} {} | {} | ended: {}", answer.status, headers.join("; "), answer.body, answer.ended),
        );
        answer
    }

    fn send(&mut self, name: &'static str, ask: &Ask) -> Answer {
        self.answer(name, ask.open().finish(Duration::from_millis(400)))
    }

    /// Reads a stream until that text comes, or until it has been silent for long enough.
    fn watch(&mut self, name: &'static str, mut stream: Connection, text: &str) -> Answer {
        stream.read_until(SILENCE, |all| all.contains(text));
        // What is sent together may arrive in pieces.
        stream.read_until(Duration::from_millis(20), |_| false);
        self.answer(name, stream.finish(Duration::ZERO))
    }
}

/// Replaces ids and ports, which differ from run to run, and signs of life, which depend on the clock.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut hex = String::new();
    for character in text.replace("3\r\n:\n\n\r\n", "").chars().chain(['\n']) {
        if character.is_ascii_hexdigit() {
            hex.push(character);
            continue;
        }
        steady.push_str(if hex.len() == 32 { "ID" } else { &hex });
        hex.clear();
        steady.push(character);
    }
    let mut parts = steady.split("127.0.0.1:");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str("HERE");
        whole.push_str(part.trim_start_matches(|character: char| character.is_ascii_digit()));
    }
    whole
}

/// Waits until a stream is open; a fault may have refused it.
fn opened(ask: &Ask) -> Connection {
    let mut stream = ask.open();
    stream.read_until(Duration::from_secs(2), |text| text.contains("\r\n\r\n"));
    stream
}

/// Waits until a call is known to be at work, so that its connection may break; a fault may hide that.
fn begun(call: &Ask) -> Connection {
    let mut stream = call.open();
    stream.read_until(Duration::from_secs(2), |text| text.contains("notifications/progress"));
    stream
}

fn update_later() -> Value {
    json!({ "name": "test_update_later", "arguments": { "seconds": 0.1 }, "_meta": { "progressToken": "later" } })
}

fn bad_notification() -> Value {
    json!({ "jsonrpc": "1.0", "method": "notifications/x" })
}

fn completion() -> Value {
    json!({ "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" }, "argument": { "name": "arg1", "value": "test" } })
}

fn probe_origins(log: &mut Log, ask: &Ask) {
    log.send("foreign origin", &ask.clone().with("Origin", "http://evil.example"));
    log.send("null origin", &ask.clone().with("Origin", "null"));
    log.send("own origin", &ask.clone().with("Origin", "http://localhost"));
    let foreign = ask.clone().with("Host", "evil.example");
    log.send("foreign host", &foreign);
    log.send("foreign host and origin", &foreign.with("Origin", "http://evil.example"));
}

/// Whether another interface is listened on: a loopback address that was not given.
fn probe_interfaces(log: &mut Log, port: u16) {
    log.note("interfaces", TcpStream::connect(("127.0.0.2", port)).is_ok().to_string());
}

/// A session of a stateful revision.
pub(crate) fn stateful(server: &Server, revision: &'static str) -> Log {
    let mut log = Log::default();
    probe_interfaces(&mut log, server.http.port());
    let (session, answer) = Session::begin(server.http, revision);
    log.answer("initialize", answer);
    let ping = session.post(&request(1, "ping", json!({})));
    log.send("ping", &ping);
    log.send("completion", &session.post(&request(8, "completion/complete", completion())));
    log.send("notification", &session.post(&notification("notifications/x")));
    log.send("bad notification", &session.post(&bad_notification()));
    log.send("bad json", &ping.clone().body("{bad"));
    log.send("response", &session.post(&json!({ "jsonrpc": "2.0", "id": 99, "result": {} })));
    probe_origins(&mut log, &ping);
    log.send("no version", &ping.clone().without("MCP-Protocol-Version"));
    log.send("bad version", &ping.clone().with("MCP-Protocol-Version", "1999-01-01"));
    log.send("no session", &ping.clone().without("Mcp-Session-Id"));
    log.send("unknown session", &ping.clone().with("Mcp-Session-Id", "nobody"));
    log.send("batch of notifications", &session.post(&json!([notification("notifications/x")])));
    let batch = json!([request(1, "ping", json!({})), request(2, "ping", json!({}))]);
    log.send("batch", &session.post(&batch));
    let logged = log.send("logging", &session.call(2, "test_tool_with_logging", json!({})));
    let (one, other) = (opened(&session.get()), opened(&session.get()));
    log.send("ping beside streams", &ping);
    log.send("change", &session.call(3, "test_trigger_tool_change", json!({})));
    log.watch("first stream", one, "list_changed");
    log.watch("second stream", other, "list_changed");
    if let Some(id) = logged.ids().first() {
        let resume = session.get().with("Last-Event-ID", id).open();
        log.watch("resumed", resume, "Three messages were logged");
    }
    let standing = opened(&session.get());
    let progress = json!({ "name": "test_tool_with_progress", "_meta": { "progressToken": "beside" } });
    log.send("progress beside a stream", &session.post(&request(9, "tools/call", progress)));
    let mut asking = session.call(10, "test_sampling", json!({ "prompt": "Hello" })).open();
    asking.read_until(SILENCE, |text| text.contains("sampling/createMessage"));
    log.watch("stream beside calls", standing, "sampling/createMessage");
    if revision == "2025-11-25" {
        log.send("interrupted", &session.call(4, "test_reconnection", json!({})));
    }
    let watched = json!({ "uri": "test://watched-resource" });
    session.post(&request(5, "resources/subscribe", watched)).send();
    let standing = opened(&session.get());
    drop(begun(&session.post(&request(6, "tools/call", update_later()))));
    log.watch("after a broken connection", standing, "updated");
    log.send("delete", &session.delete());
    log.send("ended session", &ping);
    log
}

/// Requests of the stateless era.
pub(crate) fn stateless(server: &Server) -> Log {
    let mut log = Log::default();
    let to = |id: u64, method: &str, params: Value| modern(server.http, id, method, params);
    probe_interfaces(&mut log, server.http.port());
    log.send("discover", &to(1, "server/discover", json!({})));
    log.send("completion", &to(17, "completion/complete", completion()));
    log.send("another completion", &to(18, "completion/complete", completion()));
    let list = to(2, "prompts/list", json!({}));
    log.send("list", &list);
    probe_origins(&mut log, &list);
    log.send("notification", &list.clone().body(notification("notifications/x").to_string()));
    log.send("bad notification", &list.clone().body(bad_notification().to_string()));
    log.send("response", &list.clone().body(json!({ "jsonrpc": "2.0", "id": 9, "result": {} }).to_string()));
    log.send("session id", &list.clone().with("Mcp-Session-Id", "of-yore"));
    log.send("last event id", &list.clone().with("Last-Event-ID", "1-1"));
    log.send("unknown method", &to(3, "no/such", json!({})));
    log.send("removed method", &to(4, "ping", json!({})));
    log.send("missing meta", &list.clone().body(request(5, "prompts/list", json!({})).to_string()));
    let future = list.clone().with("MCP-Protocol-Version", "2099-01-01");
    log.send("other version", &future);
    let meta = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "2099-01-01",
        "io.modelcontextprotocol/clientCapabilities": {} } });
    log.send("unknown version", &future.body(request(6, "prompts/list", meta).to_string()));
    log.send("missing capability", &to(7, "tools/call", json!({ "name": "test_missing_capability" })));
    probe_headers(&mut log, server, &list);
    probe_params(&mut log, server);
    let wish =
        json!({ "name": "test_logging_tool", "_meta": { "io.modelcontextprotocol/logLevel": "debug" } });
    log.send("logging", &to(8, "tools/call", wish));
    let slow = |id: u64, seconds: f64| {
        to(
            id,
            "tools/call",
            json!({ "name": "test_slow", "arguments": { "seconds": seconds }, "_meta": { "progressToken": id } }),
        )
    };
    log.send("progress", &slow(9, 0.02));
    let mut first = slow(10, 0.3).open();
    first.expect("progressToken");
    let second = slow(11, 0.5).open();
    let (first, second) = (first.finish(Duration::from_secs(2)), second.finish(Duration::from_secs(2)));
    for (name, answer) in [("one of two", first), ("two of two", second)] {
        let tokens: std::collections::BTreeSet<String> =
            answer.messages().iter().map(|message| message["params"]["progressToken"].to_string()).collect();
        log.note(name, format!("{tokens:?}"));
    }
    let filter = json!({ "notifications": { "resourceSubscriptions": ["test://watched-resource"] } });
    let listen = to(12, "subscriptions/listen", filter);
    let stream = opened(&listen);
    let update = to(13, "tools/call", json!({ "name": "test_update_watched_resource" }));
    log.send("mismatch", &update.with("Mcp-Method", "tools/list"));
    log.watch("after a mismatch", stream, "updated");
    let stream = opened(&listen);
    drop(begun(&to(14, "tools/call", update_later())));
    log.watch("after a broken connection", stream, "updated");
    let (mut closed, mut other) = (slow(15, 0.3).open(), slow(16, 0.3).open());
    // A fault may send it elsewhere.
    for stream in [&mut closed, &mut other] {
        stream.read_until(SILENCE, |text| text.contains("progressToken"));
    }
    drop(closed);
    let other = other.finish(Duration::from_secs(2));
    log.note("beside a broken connection", other.body.contains("Worked for").to_string());
    log
}

fn probe_headers(log: &mut Log, server: &Server, list: &Ask) {
    log.send("no version", &list.clone().without("MCP-Protocol-Version"));
    log.send("no method", &list.clone().without("Mcp-Method"));
    log.send("wrong method", &list.clone().with("Mcp-Method", "tools/list"));
    log.send("method in capitals", &list.clone().with("Mcp-Method", "PROMPTS/LIST"));
    log.send("name of header in capitals", &list.clone().with("MCP-METHOD", "prompts/list"));
    log.send("blanks", &list.clone().with("Mcp-Method", "  prompts/list \t"));
    log.send("right and wrong method", &list.clone().and("Mcp-Method", b"tools/list"));
    log.send(
        "wrong and right method",
        &list.clone().with("Mcp-Method", "x").and("Mcp-Method", b"prompts/list"),
    );
    for (method, params) in [
        ("tools/call", json!({ "name": "test_simple_text" })),
        ("prompts/get", json!({ "name": "test_simple_prompt" })),
        ("resources/read", json!({ "uri": "test://static-text" })),
    ] {
        let get = modern(server.http, 20, method, params);
        log.send("no name", &get.clone().without("Mcp-Name"));
        log.send("wrong name", &get.clone().with("Mcp-Name", "other"));
    }
    let get = modern(server.http, 21, "prompts/get", json!({ "name": "test_simple_prompt" }));
    for value in [
        "TEST_SIMPLE_PROMPT",
        "=?base64?dGVzdF9zaW1wbGVfcHJvbXB0?=",
        "=?BASE64?dGVzdF9zaW1wbGVfcHJvbXB0?=",
        "=?base64?b3RoZXI=?=",
        "=?base64?***?=",
        "test_simple_pr\u{f6}mpt",
    ] {
        log.send("name", &get.clone().with("Mcp-Name", value));
    }
}

fn probe_params(log: &mut Log, server: &Server) {
    let call = |arguments: Value| {
        modern(
            server.http,
            30,
            "tools/call",
            json!({ "name": "test_header_arguments", "arguments": arguments }),
        )
    };
    log.send("no arguments", &call(json!({})));
    log.send("unknown param", &call(json!({})).with("Mcp-Param-Unknown", "x"));
    log.send("param without argument", &call(json!({})).with("Mcp-Param-Region", "x"));
    log.send("null", &call(json!({ "region": "a", "count": null })).with("Mcp-Param-Region", "a"));
    for (arguments, header, values) in [
        (json!({ "region": "a" }), "Mcp-Param-Region", ["a", "b", "=?base64?YQ==?=", "\u{e4}"]),
        (json!({ "count": 5 }), "Mcp-Param-Count", ["5", "6", "5.0", "=?base64?NQ==?="]),
        (json!({ "urgent": true }), "Mcp-Param-Urgent", ["true", "True", "false", "1"]),
        (json!({ "filter": { "tenant": "t" } }), "Mcp-Param-Tenant", ["t", "T", "u", "="]),
    ] {
        let call = call(arguments);
        log.send("no param", &call.clone().without(header));
        for value in values {
            log.send("param", &call.clone().with(header, value));
        }
    }
}

/// HTTP+SSE.
pub(crate) fn legacy(server: &Server) -> Log {
    let mut log = Log::default();
    probe_interfaces(&mut log, server.sse.port());
    let open = Ask::new(server.sse, "GET", "/sse").with("Accept", "text/event-stream");
    log.send("foreign origin", &open.clone().with("Origin", "http://evil.example"));
    let (mut one, mut other) = (open.open(), open.open());
    let mut path = String::new();
    for (name, stream) in [("endpoint", &mut one), ("other endpoint", &mut other)] {
        stream.read_until(SILENCE, |text| text.contains("sessionId=") && text.ends_with("\n\n\r\n"));
        let text = stream.text();
        log.note(name, text.split_once("\r\n\r\n").map_or("", |(_, body)| body));
        let id = text.split_once("sessionId=").map_or("none", |(_, id)| id.get(..32).unwrap_or_default());
        let own = format!("/messages?sessionId={id}");
        log.send("initialize", &Ask::post(server.sse, &own, &initialize("2024-11-05")));
        stream.read_until(SILENCE, |text| text.contains("\"id\":0"));
        if path.is_empty() {
            path = own;
        }
    }
    let ping = Ask::post(server.sse, &path, &request(77, "ping", json!({})));
    log.send("ping", &ping);
    log.send("completion", &Ask::post(server.sse, &path, &request(78, "completion/complete", completion())));
    let call = json!({ "name": "test_tool_with_logging" });
    log.send("call", &Ask::post(server.sse, &path, &request(79, "tools/call", call)));
    log.send("bad json", &ping.clone().body("{bad"));
    log.send("unknown session", &Ask::post(server.sse, "/messages?sessionId=nobody", &notification("x")));
    log.watch("stream", one, "\"id\":79");
    log.watch("other stream", other, "\"id\":77");
    log
}

/// The protected mode, with the token of the server.
pub(crate) fn protected(server: &Server, token: &str) -> Log {
    let mut log = Log::default();
    let hello = Ask::post(server.http, "/mcp", &initialize("2025-11-25"));
    let bearer = |token: &str| format!("Bearer {token}");
    log.send("no token", &hello);
    log.send("wrong token", &hello.clone().with("Authorization", &bearer("wrong")));
    let nearly = format!("{}x", token.get(..token.len() - 1).unwrap());
    log.send("nearly right token", &hello.clone().with("Authorization", &bearer(&nearly)));
    log.send("malformed", &hello.clone().with("Authorization", "Bearer a b"));
    let query = Ask::post(server.http, &format!("/mcp?access_token={token}"), &initialize("2025-11-25"));
    log.send("token in the query", &query);
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        log.send("metadata", &Ask::new(server.http, "GET", path));
    }
    let answer = log.send("right token", &hello.clone().with("Authorization", &bearer(token)));
    let id = answer.header("mcp-session-id").unwrap_or_default();
    log.send(
        "session without token",
        &Ask::post(server.http, "/mcp", &request(1, "ping", json!({}))).with("Mcp-Session-Id", id),
    );
    log.send("no token again", &hello);
    log
}
