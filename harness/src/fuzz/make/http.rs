//! What only HTTP can do wrong: headers, content types, methods, and requests that are written out.

use mcp_conform_cases::case::{Action, HttpRaw, HttpRequest, Path};
use serde_json::Value;

use super::MakerSettings;
use super::call::{alone, idle_method, request, tool_call};
use super::methods::in_turn;
use super::sequences::{MAX_TOOLS, plain_call};
use super::tool::Tool;
use crate::event::Transport;
use crate::fuzz::input::{Input, InputStep};
use crate::session::headers::{self, PARAMETER};
use crate::template::repeated;

/// Where these inputs come from.
const ORIGIN: &str = "http";
/// The calls of so many tools have their streams taken up again.
const RESUMED_TOOLS: usize = 2;
/// A header line of this length, in bytes, is longer than most servers take.
const HUGE_HEADER: usize = 100_000;

/// So many headers of each tool are made to contradict its arguments.
const MIRRORED_HEADERS: usize = 8;

/// All of them, each sort in turn; none on stdio.
pub(super) fn all(tools: &[Tool], settings: &MakerSettings) -> Vec<Input> {
    if settings.transport == Transport::Stdio {
        return Vec::new();
    }
    let of_era = if settings.is_stateless() { mirrored(tools) } else { resumed(tools, settings) };
    in_turn(vec![odd_headers(settings), requests(), written_out(settings), of_era])
}

/// Calls whose headers do not repeat what the arguments say, where a tool wants them to.
fn mirrored(tools: &[Tool]) -> Vec<Input> {
    let huge = repeated("h", HUGE_HEADER);
    let values =
        [None, Some(""), Some("x"), Some("-1"), Some("=?base64?%%%?="), Some("=?base64?/w==?="), Some(&huge)];
    let mut all = Vec::new();
    for tool in tools.iter().take(MAX_TOOLS) {
        for (_, header) in headers::mirrored_of(&tool.schema).into_iter().take(MIRRORED_HEADERS) {
            let name = format!("{PARAMETER}{header}");
            for value in values {
                // The fullest has arguments that may be left out too.
                let call = tool_call(&tool.name, tool.fullest().clone());
                all.push(alone(ORIGIN, call.with_headers(&[(&name, value)])));
            }
        }
    }
    all
}

/// Streams that are taken up again after an event that the server gave, or nearly gave, an id.
fn resumed(tools: &[Tool], settings: &MakerSettings) -> Vec<Input> {
    let Ok(event) = "http.events[0].id".parse::<Path>() else { return Vec::new() };
    let idle = || request(idle_method(settings), Value::Null);
    let firsts = std::iter::once(idle()).chain(tools.iter().take(RESUMED_TOOLS).map(plain_call));
    let mut all = Vec::new();
    for first in firsts {
        for ids in [&["{{event}}"][..], &["{{event}}", "{{event}}"], &["x{{event}}"], &["{{event}}{{event}}"]]
        {
            let mut first = first.clone();
            first.capture = vec![("event".to_owned(), event.clone())];
            let mut steps = vec![first];
            steps.extend(ids.iter().map(|id| {
                let stream =
                    HttpRequest { host: None, method: "GET".to_owned(), path: None, body: None, open: true };
                InputStep::from(Action::Http(stream)).with_headers(&[("Last-Event-ID", Some(*id))])
            }));
            steps.push(idle());
            all.push(Input { origin: ORIGIN, steps });
        }
    }
    all
}

fn odd_headers(settings: &MakerSettings) -> Vec<Input> {
    let huge = repeated("h", HUGE_HEADER);
    let many = repeated("a,", 10_000);
    let table: Vec<(&str, Vec<Option<&str>>)> = vec![
        (
            "Content-Type",
            vec![
                None,
                Some(""),
                Some("text/plain"),
                Some("application/json; charset=utf-16"),
                Some("application/JSON"),
                Some("application/json, application/json"),
                Some("multipart/form-data"),
                Some("application/json;"),
                Some(";"),
                Some("*/*"),
                Some(&huge),
            ],
        ),
        (
            "Accept",
            vec![
                None,
                Some(""),
                Some("*/*"),
                Some("text/html"),
                Some("application/json"),
                Some("text/event-stream"),
                Some("application/json;q=0, text/event-stream;q=0"),
                Some("application/json;q=x"),
                Some(","),
                Some(&many),
                Some(&huge),
            ],
        ),
        (
            "MCP-Protocol-Version",
            vec![
                None,
                Some(""),
                Some("1900-01-01"),
                Some("9999-12-31"),
                Some("x"),
                Some("2025-06-18, 2025-11-25"),
                Some("%00"),
                Some(&huge),
            ],
        ),
        (
            "Mcp-Session-Id",
            vec![
                None,
                Some(""),
                Some("1868a90c-7b3e-4d57-9f0a-000000000000"),
                Some("no-such-session"),
                Some("../../etc/passwd"),
                Some("'"),
                Some("__proto__"),
                Some("%00"),
                Some("a b"),
                Some(&huge),
            ],
        ),
        (
            "Last-Event-ID",
            vec![
                Some(""),
                Some("0"),
                Some("-1"),
                Some("no-such-event"),
                Some("__proto__"),
                Some("99999999999999999999"),
                Some(&huge),
            ],
        ),
        ("Origin", vec![Some("http://evil.example"), Some("null"), Some("x"), Some("")]),
        ("Host", vec![Some("evil.example"), Some(""), Some("a:99999"), Some("[")]),
        ("Content-Encoding", vec![Some("gzip"), Some("x"), Some("br, gzip")]),
        ("Expect", vec![Some("200-maybe")]),
        ("Cookie", vec![Some("="), Some(&huge)]),
        ("Mcp-Method", vec![None, Some(""), Some("no/such/method"), Some(&huge)]),
        ("Mcp-Name", vec![Some(""), Some("=?base64?%%%?="), Some("x"), Some(&huge)]),
        ("Authorization", vec![Some("Bearer"), Some("Bearer "), Some("Basic %%%"), Some("x")]),
    ];
    let idle = idle_method(settings);
    let mut lanes: Vec<Vec<Input>> = Vec::new();
    for (name, values) in table {
        let lane = values.into_iter().map(|value| {
            let step: InputStep = request(idle, Value::Null);
            alone(ORIGIN, step.with_headers(&[(name, value)]))
        });
        lanes.push(lane.collect());
    }
    in_turn(lanes)
}

/// Other methods, paths and bodies. DELETE is left out: it ends the session, as it should.
fn requests() -> Vec<Input> {
    let mut all = Vec::new();
    let mut add = |method: &str, path: Option<&str>, body: Option<&str>| {
        let request = HttpRequest {
            host: None,
            method: method.to_owned(),
            path: path.map(str::to_owned),
            body: body.map(str::to_owned),
            // A stream that is opened has no end to wait for.
            open: method == "GET",
        };
        all.push(alone(ORIGIN, Action::Http(request)));
    };
    for body in [
        None,
        Some(""),
        Some(" "),
        Some("\n"),
        Some("{}"),
        Some("null"),
        Some("[]"),
        Some("{"),
        Some("a=b"),
        Some("\u{feff}{}"),
        Some("\0"),
    ] {
        add("POST", None, body);
    }
    for method in ["PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "GET", "PROPFIND", "X"] {
        add(method, None, None);
        add(method, None, Some("{}"));
    }
    for path in
        ["/", "/no-such-path", "/../..", "/%2e%2e/%2e%2e/etc/passwd", "/%00", "/%", "/?a=b&a=c", "/__proto__"]
    {
        add("POST", Some(path), Some("{}"));
        add("GET", Some(path), None);
    }
    all
}

fn written_out(settings: &MakerSettings) -> Vec<Input> {
    let idle = idle_method(settings);
    let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"written\",\"method\":\"{idle}\"}}");
    let mut all = Vec::new();
    let mut add = |lines: &[&str], body: Option<&str>, cut_after: Option<usize>| {
        let head = lines.iter().map(|line| (*line).to_owned()).collect();
        all.push(alone(ORIGIN, Action::HttpRaw(HttpRaw { head, body: body.map(str::to_owned), cut_after })));
    };
    let post = "POST {{http.path}} HTTP/1.1";
    let usual = "{{http.headers}}";
    for extra in [
        "Content-Length: -1",
        "Content-Length: 99999999999999999999",
        "Content-Length: x",
        "Content-Length: 5, 5",
        "Content-Length: +5",
        "Transfer-Encoding: x",
        "Transfer-Encoding: chunked, chunked",
    ] {
        add(&[post, usual, extra], Some(&body), None);
    }
    add(&[post, usual, "Content-Length: 1000000"], Some(&body), Some(10));
    add(&[post, usual, "Content-Length: 3", "Content-Length: 4"], Some(&body), None);
    add(&[post, usual, "Content-Length: 3", "Transfer-Encoding: chunked"], Some("0\r\n\r\n"), None);
    for chunks in [
        "",
        "0\r\n\r\n",
        "zz\r\n\r\n",
        "ffffffffffffffff\r\n",
        "-1\r\n\r\n",
        "1\r\n{\r\n",
        "2;x=y\r\n{}\r\n0\r\nA: b\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
    ] {
        add(&[post, usual, "Transfer-Encoding: chunked"], Some(chunks), None);
    }
    for cut in [0, 1, 10, body.len().saturating_sub(1)] {
        add(&[post, usual], Some(&body), Some(cut));
    }
    for first in [
        "POST",
        "POST {{http.path}}",
        "POST {{http.path}} HTTP/9.9",
        "POST {{http.path}} HTTP/1.0",
        "post {{http.path}} HTTP/1.1",
        "POST * HTTP/1.1",
        "POST http://a b HTTP/1.1",
        "\0",
        "",
        "PRI * HTTP/2.0",
    ] {
        add(&[first, usual], Some(&body), None);
    }
    let huge = format!("X: {}", repeated("h", HUGE_HEADER));
    for line in [
        ": x",
        "X",
        "X : y",
        " folded: x",
        "X: \0",
        "X: \u{1b}",
        "Héader: x",
        huge.as_str(),
        "Mcp-Session-Id: a",
        "Content-Type: text/plain",
        "Expect: 100-continue",
        "Upgrade: h2c",
        "Connection: close, keep-alive",
    ] {
        add(&[post, usual, line], Some(&body), None);
    }
    all
}
