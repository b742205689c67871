//! Recordings as text, so that seeds can be written by hand and mutations hit something. The first line chooses: a byte
//! each for the revision, the transport, what we declare, and what became of steps without an answer, and the rest for
//! the case. Each further line is something that happened; its first byte says what:
//!
//! `>` sent, `!` sent although a client may not, `<` received, `h` the head of an HTTP answer (`h200 a: b; c: d`), `e` a
//! received event (its id, a space, its data), `x` the end of an answer, and letters for what happens to the process.
//! Where HTTP is spoken, the second byte of each such line numbers the exchange.

use std::time::Duration;

use mcp_conform::event::Transport;
use mcp_conform::template::Variables;
use mcp_conform::transcript::{
    Carrier, CaseRecord, Entry, Exit, Happening, Health, Origin, Pass, Reading, Rung, StepRecord, Transcript,
    Waited,
};
use mcp_conform::transport::http::events::Event;
use mcp_conform::transport::http::exchange::{End, ExchangeId};
use mcp_conform::wire::{Ending, Frame, parse};
use mcp_conform_cases::case::{ClientKind, Script};
use mcp_conform_cases::{Case, Library, Revision};
use serde_json::{Value, json};

use crate::bytes::Bytes;

/// Most happenings of a recording.
const MOST_ENTRIES: usize = 60;
/// Exchanges are numbered below this.
const EXCHANGES: u8 = 8;

/// Reads a recording.
pub(super) fn read(data: &[u8], library: &Library) -> Transcript {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut head = Bytes::new(lines.next().unwrap_or_default());
    let revision = *head.pick(&Revision::ALL);
    let transport = *head.pick(&[Transport::Stdio, Transport::Http, Transport::Sse]);
    let client = *head.pick(&[ClientKind::Usual, ClientKind::Full, ClientKind::Plain]);
    let capabilities = match head.below(3) {
        0 => json!({ "tools": {}, "resources": {}, "prompts": {}, "logging": {}, "completions": {} }),
        1 => {
            json!({ "tools": { "listChanged": true }, "resources": { "subscribe": true, "listChanged": true } })
        }
        _ => Value::Null,
    };
    let waited = *head.pick(&[Waited::TimedOut, Waited::Closed, Waited::Passed, Waited::NotWaited]);
    let health = *head.pick(&[Health::Well, Health::Dead, Health::Hung]);
    let case = library.cases.get(head.below(256) * 256 + head.below(256));
    let entries: Vec<Entry> = lines
        .take(MOST_ENTRIES)
        .enumerate()
        .filter_map(|(index, line)| {
            let what = happening(line, transport, revision)?;
            Some(Entry { at: Duration::from_millis(index as u64), what })
        })
        .collect();
    let cases = case.map(|case| record(case, &entries, waited, health)).into_iter().collect();
    Transcript { revision, transport, client, capabilities, entries, cases, stderr: String::new() }
}

fn happening(line: &[u8], transport: Transport, revision: Revision) -> Option<Happening> {
    let mut bytes = Bytes::new(line);
    let what = bytes.byte();
    let on_http = transport != Transport::Stdio;
    let exchange: ExchangeId = if on_http { u32::from(bytes.byte() % EXCHANGES) } else { 0 };
    let rest = bytes.rest();
    let text = || String::from_utf8_lossy(rest).into_owned();
    Some(match what {
        b'>' | b'!' => {
            let message: Option<Value> = serde_json::from_slice(rest).ok();
            let carrier = on_http.then(|| carrier(exchange, rest, message.as_ref(), revision));
            Happening::Sent {
                bytes: rest.to_vec(),
                message,
                read: Reading::Unread,
                hostile: what == b'!',
                carrier,
            }
        }
        b'<' => received(rest, on_http.then_some(Origin { exchange, event: None })),
        b'e' if on_http => {
            let (id, data) = rest.split_at(rest.iter().position(|byte| *byte == b' ').unwrap_or(0));
            let id = (!id.is_empty()).then(|| String::from_utf8_lossy(id).into_owned());
            let event = Event { id, name: None, retry: None, data: None, length: data.len() as u64 };
            received(data.trim_ascii(), Some(Origin { exchange, event: Some(event) }))
        }
        b'v' if on_http => {
            let event = Event {
                name: Some(text()),
                id: Some(text()),
                retry: Some(5),
                data: Some(rest.to_vec()),
                length: rest.len() as u64,
            };
            Happening::Event { exchange, event }
        }
        b'h' if on_http => {
            let text = text();
            let (status, fields) = text.split_once(' ').unwrap_or((&text, ""));
            let headers = fields.split("; ").filter_map(|field| field.split_once(": "));
            Happening::Head {
                exchange,
                status: status.parse().unwrap_or(200),
                headers: headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect(),
            }
        }
        b'x' if on_http => {
            Happening::End { exchange, end: End::Whole, body: rest.to_vec(), length: rest.len() as u64 }
        }
        b'y' if on_http => {
            Happening::End { exchange, end: End::Cut(text()), body: Vec::new(), length: rest.len() as u64 }
        }
        b'z' if on_http => {
            let end = End::Failed { why: text(), unreachable: rest.is_empty() };
            Happening::End { exchange, end, body: Vec::new(), length: 0 }
        }
        b'd' if on_http => Happening::End { exchange, end: End::Dropped, body: Vec::new(), length: 0 },
        b'l' if on_http => Happening::SessionLost,
        b'1' => Happening::Stop(Rung::InputClosed),
        b'2' => Happening::Stop(Rung::Terminated),
        b'3' => Happening::Stop(Rung::Killed),
        b'o' => Happening::OutputClosed,
        b'i' => Happening::InputBroken,
        b'c' => Happening::Exited(Exit { code: text().parse().ok(), signal: None }),
        b'k' => Happening::Exited(Exit { code: None, signal: Some(11) }),
        b'f' => Happening::Overflow,
        _ => return None,
    })
}

fn received(bytes: &[u8], origin: Option<Origin>) -> Happening {
    let frame = Frame { bytes: bytes.to_vec(), ending: Ending::Lf, length: bytes.len() as u64 };
    let content = parse(&frame);
    Happening::Received { frame, content, origin: origin.map(Box::new) }
}

/// The request that carried something: a GET for nothing, else a POST with the usual headers.
fn carrier(exchange: ExchangeId, body: &[u8], message: Option<&Value>, revision: Revision) -> Box<Carrier> {
    let method = if body.is_empty() { "GET" } else { "POST" };
    let mut headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("accept".to_owned(), "application/json, text/event-stream".to_owned()),
        ("mcp-protocol-version".to_owned(), revision.as_str().to_owned()),
    ];
    if let Some(name) = message.and_then(|message| message.get("method")).and_then(Value::as_str) {
        headers.push(("mcp-method".to_owned(), name.to_owned()));
    }
    if body.is_empty() {
        headers.push(("last-event-id".to_owned(), exchange.to_string()));
    }
    Box::new(Carrier { exchange, method: method.to_owned(), path: "/mcp".to_owned(), headers, raw: false })
}

/// The steps of a case, as if each had sent one of the messages.
fn record(case: &Case, entries: &[Entry], without_answer: Waited, health: Health) -> CaseRecord {
    let count = match &case.script {
        Script::Steps(steps) => steps.len(),
        Script::Invariant(_) => 0,
    };
    let sent: Vec<usize> =
        (0..entries.len()).filter(|index| matches!(entries[*index].what, Happening::Sent { .. })).collect();
    let ends = |number: usize| sent.get(number + 1).copied().unwrap_or(entries.len());
    let steps = sent.iter().take(count).enumerate().map(|(number, begins)| {
        let Happening::Sent { message, carrier, .. } = &entries[*begins].what else {
            unreachable!("it is sent")
        };
        let id = message.as_ref().and_then(|message| message.get("id")).cloned();
        let answer = (*begins..ends(number)).find(|index| answers(&entries[*index].what, id.as_ref()));
        StepRecord {
            begins: *begins,
            ends: ends(number),
            sent: Some(*begins),
            exchange: carrier.as_ref().map(|carrier| carrier.exchange),
            waited: answer.map_or(without_answer, Waited::Response),
            id,
        }
    });
    let mut variables = Variables::default();
    for name in
        ["id", "item", "unused", "revisions", "first", "http", "meta", "capabilities", "tool", "revision"]
    {
        variables.insert(
            name.to_owned(),
            json!({ "name": "x", "tool": "x", "method": "x", "published": ["2025-06-18"] }),
        );
    }
    let pass = Pass { item: None, steps: steps.collect(), variables, stuck: None };
    CaseRecord {
        case: case.id.clone(),
        hostile: case.hostile,
        begins: 0,
        ends: entries.len(),
        passes: vec![pass],
        health,
    }
}

fn answers(what: &Happening, id: Option<&Value>) -> bool {
    let Happening::Received { content, .. } = what else { return false };
    let mut messages = content.messages();
    id.is_some() && messages.any(|message| message.id() == id && message.method().is_none())
}
