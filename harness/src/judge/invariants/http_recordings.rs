//! Recordings for the tests of rules about HTTP, written line by line:
//!
//! - `POST MESSAGE`, `GET [path=PATH] [name=value ...]`, and `DELETE` are requests, numbered from 0; with `!` after the method
//!   hostile, with `^` in a session
//! - `#N STATUS MEDIA [name=value ...]` is the head of the answer to request N, with `-` for no media type
//! - `#N [@ID] [retry=MS] [type=NAME] MESSAGE` is what it brings, as events where the head says so
//! - `#N end [LENGTH]`, `#N cut`, and `#N dropped` are its end
//! - `+MS` lets time pass, and `gone` is the end of the server
//!
//! A MESSAGE is `?ID METHOD [PARAMS]`, `*METHOD [PARAMS]` for a notification, `=ID [RESULT]`, `~ID CODE`, or anything
//! else as it stands.

use std::time::Duration;

use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Value, json};

use super::rule;
use crate::event::Transport;
use crate::judge::dialogue::Dialogue;
use crate::session::handshake::{META_CAPABILITIES, META_VERSION};
use crate::session::headers::SESSION;
use crate::transcript::{Carrier, Entry, Happening, Origin, Reading, Transcript};
use crate::transport::http::events::Event;
use crate::transport::http::exchange::{End, ExchangeId};
use crate::wire::{self, Ending, Frame};

/// How many things a rule examined in a recording, how many broke it, and how many advice only.
pub(super) type Seen = (usize, usize, usize);

/// Checks what a rule sees in recordings over Streamable HTTP.
pub(super) fn check(name: &str, with: &Value, revision: Revision, table: &[(&str, Seen)]) {
    check_over(Transport::Http, name, with, revision, table);
}

/// Checks what a rule sees in recordings.
pub(super) fn check_over(
    transport: Transport,
    name: &str,
    with: &Value,
    revision: Revision,
    table: &[(&str, Seen)],
) {
    let rule = rule(name).unwrap();
    for (script, expected) in table {
        let transcript = recording(transport, revision, script);
        let seen = rule(&Dialogue::of(&transcript), with.as_object().unwrap());
        let advice = seen.breaches.iter().filter(|breach| breach.advice).count();
        let counts = (seen.examined, seen.breaches.len() - advice, advice);
        assert_eq!(counts, *expected, "{name} on\n{script}\n{:#?}", seen.breaches);
    }
}

/// What such lines stand for.
pub(in crate::judge) fn recording(transport: Transport, revision: Revision, script: &str) -> Transcript {
    let mut writer = Writer {
        at: Duration::ZERO,
        next: 0,
        streams: Vec::new(),
        transcript: Transcript {
            revision,
            transport,
            client: ClientKind::default(),
            capabilities: json!({ "tools": {} }),
            entries: Vec::new(),
            cases: Vec::new(),
            stderr: String::new(),
        },
    };
    script.lines().map(str::trim).filter(|line| !line.is_empty()).for_each(|line| writer.line(line));
    writer.transcript
}

struct Writer {
    at: Duration,
    next: ExchangeId,
    streams: Vec<ExchangeId>,
    transcript: Transcript,
}

impl Writer {
    fn record(&mut self, what: Happening) {
        self.at += Duration::from_millis(1);
        self.transcript.entries.push(Entry { at: self.at, what });
    }

    fn line(&mut self, line: &str) {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if let Some(pause) = first.strip_prefix('+') {
            self.at += Duration::from_millis(pause.parse().unwrap());
        } else if first == "gone" {
            self.record(Happening::OutputClosed);
        } else if let Some(number) = first.strip_prefix('#') {
            self.answer(number.parse().unwrap(), rest);
        } else {
            self.request(first, rest);
        }
    }

    fn request(&mut self, method: &str, rest: &str) {
        let hostile = method.ends_with('!');
        let in_session = method.contains('^');
        let method = method.trim_end_matches(['!', '^']);
        let mut carrier = Carrier {
            exchange: self.next,
            method: method.to_owned(),
            path: "/mcp".to_owned(),
            headers: vec![("Accept".to_owned(), "application/json, text/event-stream".to_owned())],
            raw: false,
        };
        self.next += 1;
        let mut message = None;
        if method == "POST" {
            let bytes = self.message(rest);
            message = serde_json::from_slice::<Value>(&bytes).ok();
        } else {
            carrier.headers = fields(rest);
            if let Some(place) = carrier.headers.iter().position(|(name, _)| name == "path") {
                carrier.path = carrier.headers.remove(place).1;
            }
        }
        if in_session {
            carrier.headers.push((SESSION.to_owned(), "s".to_owned()));
        }
        let bytes = message.as_ref().map(|message| message.to_string().into_bytes()).unwrap_or_default();
        self.record(Happening::Sent {
            bytes,
            message,
            read: Reading::Unread,
            hostile,
            carrier: Some(Box::new(carrier)),
        });
    }

    fn message(&self, text: &str) -> Vec<u8> {
        let mut words = text.splitn(3, ' ');
        let mut next = || words.next().unwrap_or_default();
        let (first, second, third) = (next(), next(), next());
        let id = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!(text));
        let members = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}));
        let value = if let Some(name) = first.strip_prefix('?') {
            let mut params = members(third);
            if self.transcript.revision.era() == Era::Stateless {
                params["_meta"][META_VERSION] = json!(self.transcript.revision.as_str());
                params["_meta"][META_CAPABILITIES] = json!({});
            }
            json!({ "jsonrpc": "2.0", "id": id(name), "method": second, "params": params })
        } else if let Some(method) = first.strip_prefix('*') {
            json!({ "jsonrpc": "2.0", "method": method, "params": members(&format!("{second}{third}")) })
        } else if let Some(name) = first.strip_prefix('=') {
            json!({ "jsonrpc": "2.0", "id": id(name), "result": members(&format!("{second}{third}")) })
        } else if let Some(name) = first.strip_prefix('~') {
            json!({ "jsonrpc": "2.0", "id": id(name), "error": { "code": id(second), "message": "no" } })
        } else {
            return text.as_bytes().to_vec();
        };
        value.to_string().into_bytes()
    }

    fn answer(&mut self, exchange: ExchangeId, rest: &str) {
        let (first, more) = rest.split_once(' ').unwrap_or((rest, ""));
        let end = match first {
            "end" => Some(End::Whole),
            "cut" => Some(End::Cut("reset".to_owned())),
            "dropped" => Some(End::Dropped),
            _ => None,
        };
        if let Some(end) = end {
            let length = more.parse().unwrap_or(0);
            self.record(Happening::End { exchange, end, body: Vec::new(), length });
        } else if let Ok(status) = first.parse() {
            let (media, more) = more.split_once(' ').unwrap_or((more, ""));
            let mut headers = fields(more);
            if media != "-" {
                headers.push(("content-type".to_owned(), media.to_owned()));
            }
            if media == "text/event-stream" {
                self.streams.push(exchange);
            }
            self.record(Happening::Head { exchange, status, headers });
        } else if self.streams.contains(&exchange) {
            self.event(exchange, rest);
        } else {
            self.frame(exchange, rest, None);
        }
    }

    fn event(&mut self, exchange: ExchangeId, rest: &str) {
        let mut event = Event::default();
        let mut rest = rest;
        loop {
            let (word, more) = rest.split_once(' ').unwrap_or((rest, ""));
            if let Some(id) = word.strip_prefix('@') {
                event.id = Some(id.to_owned());
            } else if let Some(retry) = word.strip_prefix("retry=") {
                event.retry = retry.parse().ok();
            } else if let Some(name) = word.strip_prefix("type=") {
                event.name = Some(name.to_owned());
            } else {
                break;
            }
            rest = more;
        }
        if rest.is_empty() {
            self.record(Happening::Event { exchange, event });
        } else if event.is_message() {
            self.frame(exchange, rest, Some(event));
        } else {
            event.data = Some(self.message(rest));
            self.record(Happening::Event { exchange, event });
        }
    }

    fn frame(&mut self, exchange: ExchangeId, text: &str, event: Option<Event>) {
        let bytes = self.message(text);
        let frame = Frame { length: bytes.len() as u64, bytes, ending: Ending::EndOfStream };
        let content = wire::parse(&frame);
        self.record(Happening::Received {
            frame,
            content,
            origin: Some(Box::new(Origin { exchange, event })),
        });
    }
}

fn fields(text: &str) -> Vec<(String, String)> {
    text.split_whitespace()
        .filter_map(|field| field.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
