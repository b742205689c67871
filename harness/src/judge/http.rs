//! HTTP answers, as cases and reports speak of them.

use mcp_conform_cases::case::{Matcher, Path, Segment};
use serde_json::{Map, Value, json};

use crate::template::Variables;
use crate::text;
use crate::transcript::{Carrier, Happening, Origin, StepRecord, Transcript};
use crate::transport::http::events::Event;
use crate::transport::http::exchange::{End, ExchangeId, media_type};
use crate::wire::Content;

/// The member under which cases name the HTTP answer.
const MEMBER: &str = "http";
/// Header fields that reports leave out: they say nothing about the protocol.
const DULL: [&str; 8] = [
    "date",
    "server",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "vary",
    "x-powered-by",
];
/// How much of a body a sentence shows, in bytes.
const SHOWN: usize = 200;

/// An HTTP answer and the message in it, as one value.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The members of the message, and `http`.
    pub value: Value,
    /// The entry of the head, or of the end if there was none.
    pub entry: usize,
}

/// Whether an expectation speaks of HTTP.
#[must_use]
pub fn is_asked_for(members: &[(Path, Matcher)]) -> bool {
    members
        .iter()
        .any(|(path, _)| matches!(path.segments().first(), Some(Segment::Key(key)) if key == MEMBER))
}

/// What came of the HTTP request that a step made; `None` if nothing has, or on stdio.
#[must_use]
pub fn view(done: &StepRecord, transcript: &Transcript, message: Option<&Value>) -> Option<View> {
    let wanted = done.exchange?;
    let mut found = None;
    let mut http = Map::new();
    let mut events = Vec::new();
    let mut first = None;
    for (index, entry) in transcript.entries.iter().enumerate().take(done.ends).skip(done.sent?) {
        match &entry.what {
            Happening::Head { exchange, status, headers } if *exchange == wanted => {
                found = Some(index);
                http.insert("status".to_owned(), json!(status));
                http.insert("media".to_owned(), json!(media_type(headers)));
                http.insert("headers".to_owned(), joined(headers));
            }
            Happening::Received { content, origin: Some(origin), frame } if origin.exchange == wanted => {
                if let (None, Content::Message(message)) = (&first, content) {
                    first = Some(&message.value);
                }
                if let Some(event) = &origin.event {
                    events.push(event_value(event, Some(&frame.bytes)));
                } else {
                    http.insert("body".to_owned(), json!(String::from_utf8_lossy(&frame.bytes)));
                }
            }
            Happening::Event { exchange, event } if *exchange == wanted => {
                events.push(event_value(event, event.data.as_deref()));
            }
            Happening::End { exchange, end, body, length } if *exchange == wanted => {
                found = found.or(Some(index));
                http.insert("ended".to_owned(), json!(*end == End::Whole));
                http.insert("length".to_owned(), json!(length));
                if let Some(failure) = end.failure() {
                    http.insert("failed".to_owned(), json!(failure));
                }
                http.entry("body".to_owned()).or_insert_with(|| json!(String::from_utf8_lossy(body)));
            }
            _ => {}
        }
    }
    http.entry("ended".to_owned()).or_insert(Value::Bool(false));
    http.insert("events".to_owned(), Value::Array(events));
    let mut value = message.or(first).and_then(Value::as_object).cloned().unwrap_or_default();
    value.insert(MEMBER.to_owned(), Value::Object(http));
    Some(View { value: Value::Object(value), entry: found? })
}

fn joined(headers: &[(String, String)]) -> Value {
    let mut all = Map::new();
    for (name, value) in headers {
        match all.get_mut(name) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(value);
            }
            _ => {
                all.insert(name.clone(), json!(value));
            }
        }
    }
    Value::Object(all)
}

fn event_value(event: &Event, data: Option<&[u8]>) -> Value {
    let mut value = Map::new();
    let mut set = |name: &str, member: Option<Value>| {
        value.extend(member.map(|member| (name.to_owned(), member)));
    };
    set("id", event.id.as_ref().map(|id| json!(id)));
    set("event", event.name.as_ref().map(|name| json!(name)));
    set("retry", event.retry.map(|retry| json!(retry)));
    set("data", data.map(|data| json!(String::from_utf8_lossy(data))));
    Value::Object(value)
}

/// Whether a frame came on the stream of the step of that name.
#[must_use]
pub fn came_on(name: &str, origin: Option<&Origin>, variables: &Variables) -> bool {
    let exchange = variables.get(name).and_then(|step| step.get("exchange")).and_then(Value::as_u64);
    origin.is_some_and(|origin| exchange == Some(u64::from(origin.exchange)))
}

/// The entry of the head that belongs to the answer that ended in an entry.
#[must_use]
pub fn head(transcript: &Transcript, end: usize) -> Option<usize> {
    let ended = exchange_at(transcript, end)?;
    transcript
        .entries
        .iter()
        .position(|entry| matches!(&entry.what, Happening::Head { exchange, .. } if *exchange == ended))
}

fn exchange_at(transcript: &Transcript, end: usize) -> Option<ExchangeId> {
    match &transcript.entries.get(end)?.what {
        Happening::End { exchange, .. } => Some(*exchange),
        _ => None,
    }
}

/// An HTTP answer without a message, in a few words.
#[must_use]
pub fn in_words(transcript: &Transcript, end: usize) -> String {
    let status = head(transcript, end).and_then(|head| match &transcript.entries.get(head)?.what {
        Happening::Head { status, .. } => Some(*status),
        _ => None,
    });
    let Some(Happening::End { end: how, body, .. }) = transcript.entries.get(end).map(|entry| &entry.what)
    else {
        return "nothing".to_owned();
    };
    let body = text::visible(&text::frame(body, SHOWN)).trim().to_owned();
    match (status, how.failure()) {
        (None, Some(failure)) => format!("no answer ({failure})"),
        (Some(status), Some(failure)) => format!("HTTP status {status} and then an end ({failure})"),
        (Some(status), None) if body.is_empty() => format!("HTTP status {status}"),
        (Some(status), None) => format!("HTTP status {status} with the body {body}"),
        (None, None) => "an empty answer".to_owned(),
    }
}

/// The head of a request, in one line.
#[must_use]
pub fn request_in_words(carrier: &Carrier) -> String {
    let usual = |name: &str| ["content-type", "accept"].contains(&name.to_ascii_lowercase().as_str());
    let headers: Vec<(String, String)> =
        carrier.headers.iter().filter(|(name, _)| carrier.raw || !usual(name)).cloned().collect();
    format!("{} {}{}", carrier.method, carrier.path, in_brackets(&headers))
}

/// The head of an answer, in one line.
#[must_use]
pub fn head_in_words(status: u16, headers: &[(String, String)]) -> String {
    let telling: Vec<(String, String)> =
        headers.iter().filter(|(name, _)| !DULL.contains(&name.as_str())).cloned().collect();
    format!("HTTP {status}{}", in_brackets(&telling))
}

fn in_brackets(headers: &[(String, String)]) -> String {
    if headers.is_empty() {
        return String::new();
    }
    let fields: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!(" [{}]", fields.join("; "))
}

/// An event that holds no message, in one line.
#[must_use]
pub fn event_in_words(event: &Event) -> String {
    let mut fields = Vec::new();
    fields.extend(event.name.as_ref().map(|name| format!("event: {name}")));
    fields.extend(event.id.as_ref().map(|id| format!("id: {id}")));
    fields.extend(event.retry.map(|retry| format!("retry: {retry}")));
    fields.extend(event.data.as_ref().map(|data| format!("data: {}", text::frame(data, SHOWN))));
    fields.join("; ")
}
