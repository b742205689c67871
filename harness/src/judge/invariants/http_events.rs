//! Streamable HTTP: the events of streams, and what stands around them.

use std::collections::HashMap;

use mcp_conform_cases::Revision;
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::Breach;
use crate::judge::dialogue::Dialogue;
use crate::judge::exchanges::{Exchange, Exchanges};
use crate::session::headers::SESSION;
use crate::transport::http::events::Event;
use crate::wire::Content;

/// Servers that act on `X-Accel-Buffering` and do not pass it on.
const TAKERS: [&str; 3] = ["nginx", "openresty", "tengine"];

/// The streams of what a client may send.
fn streams<'e, 'd>(exchanges: &'e Exchanges<'d>) -> impl Iterator<Item = &'e Exchange<'d>> {
    exchanges.all.iter().filter(|exchange| !exchange.hostile && exchange.is_stream())
}

/// Every event holds one message. An event without data, or of another type, is advice at most.
pub(super) fn data(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let revision = dialogue.transcript.revision;
    for stream in streams(&exchanges) {
        for arrival in &stream.arrivals {
            let wrong = match (arrival.frame, arrival.event) {
                // What is too long to be read may be a message.
                (Some((_, Content::TooLong | Content::Beyond(_))), _) => continue,
                (Some((_, Content::Batch(_))), _) if revision == Revision::R2025_03_26 => None,
                (Some((_, content)), _) => not_one_message(content, revision),
                (None, Some(event)) => unusual(event, revision),
                (None, None) => continue,
            };
            seen.examine(wrong.map(|(what, advice)| {
                let mut broken = breach(dialogue, arrival.entry, Some(stream.sent), what);
                broken.expected = Some("an event that holds one JSON-RPC message".to_owned());
                broken.advice = advice;
                broken
            }));
        }
    }
    seen
}

fn not_one_message(content: &Content, revision: Revision) -> Option<(String, bool)> {
    match content {
        Content::Message(message) if message.is_none_of_ours() => {
            Some(("an event holds an object that is no JSON-RPC message".to_owned(), false))
        }
        Content::Message(_) | Content::TooLong | Content::Beyond(_) => None,
        Content::Batch(_) => Some(("an event holds an array".to_owned(), false)),
        Content::NotAMessage => Some(("an event holds JSON that is no message".to_owned(), false)),
        Content::NotJson(why) => Some((format!("the data of an event is no JSON: {why}"), false)),
        Content::NotUtf8(at) => Some((format!("the data of an event is no UTF-8 from byte {at} on"), false)),
        Content::Empty => without_data(revision),
    }
}

fn unusual(event: &Event, revision: Revision) -> Option<(String, bool)> {
    match &event.name {
        Some(name) if !event.is_message() => {
            Some((format!("an event has the type {name:?}, which clients need not know"), true))
        }
        _ => without_data(revision),
    }
}

/// Events without data prime clients in the stateful era, and have no purpose after it.
fn without_data(revision: Revision) -> Option<(String, bool)> {
    (revision >= Revision::R2026_07_28).then(|| ("an event holds no data".to_owned(), true))
}

/// Where events have ids, the answer to a request begins with one that has an id and no data. The handshake is left
/// out: its revision is not agreed on yet.
pub(super) fn priming(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let resumable =
        streams(&exchanges).any(|stream| stream.arrivals.iter().any(|arrival| arrival.event_id().is_some()));
    if !resumable {
        return seen;
    }
    for (post, _, asked) in
        exchanges.requests().filter(|(post, _, asked)| post.is_stream() && asked.method != "initialize")
    {
        let Some(first) = post.arrivals.first() else { continue };
        let empty = match first.frame {
            Some((_, content)) => *content == Content::Empty,
            None => first.event.is_some_and(|event| event.data.as_ref().is_none_or(Vec::is_empty)),
        };
        let what = match (empty, first.event_id()) {
            (true, Some(_)) => None,
            (true, None) => Some("begins with an event that has no id"),
            (false, _) => Some("begins with an event that has data"),
        };
        seen.examine(what.map(|what| {
            let message = format!("the stream that answers `{}` {what}", asked.method);
            let mut broken = breach(dialogue, first.entry, Some(post.sent), message);
            broken.expected = Some("an event with an id and empty data".to_owned());
            broken
        }));
    }
    seen
}

/// No event id comes twice in a session. Without a session id it is not certain how far one reaches.
pub(super) fn unique_ids(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let has_session = session_ids(&exchanges).any(|(_, id)| !id.is_empty());
    // What a stream repeats when it is taken up again has been there before.
    let mut ids: Vec<(usize, &str)> = streams(&exchanges)
        .filter(|stream| !stream.resumes())
        .flat_map(|stream| &stream.arrivals)
        .filter_map(|arrival| Some((arrival.entry, arrival.event_id()?)))
        .collect();
    ids.sort_unstable();
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (entry, id) in ids {
        let before = *first.entry(id).or_insert(entry);
        seen.examine((before != entry).then(|| {
            let mut broken =
                breach(dialogue, entry, Some(before), format!("the event id {id:?} came a second time"));
            broken.advice = !has_session;
            broken
        }));
    }
    seen
}

/// Event streams ask proxies not to buffer them.
pub(super) fn unbuffered(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for stream in streams(&exchanges) {
        let Some(head) = stream.head else { continue };
        let asks = stream.header("x-accel-buffering").any(|value| value.trim().eq_ignore_ascii_case("no"));
        let taken = stream.header("server").any(|server| {
            let server = server.to_ascii_lowercase();
            TAKERS.iter().any(|taker| server.starts_with(taker))
        });
        if !asks && taken {
            continue;
        }
        seen.examine((!asks).then(|| {
            let got = stream.header("x-accel-buffering").next();
            let mut broken = breach(
                dialogue,
                head.entry,
                Some(stream.sent),
                "an event stream came without `X-Accel-Buffering: no`",
            );
            broken.expected = Some("X-Accel-Buffering: no".to_owned());
            broken.got = Some(got.map_or_else(|| "no such header".to_owned(), str::to_owned));
            broken
        }));
    }
    seen
}

/// The session ids that came with the handshake: the entry of the head, and the id.
fn session_ids<'e, 'd>(exchanges: &'e Exchanges<'d>) -> impl Iterator<Item = (&'e Exchange<'d>, &'d str)> {
    let name = SESSION.to_ascii_lowercase();
    exchanges
        .posts()
        .filter(|post| post.succeeded() && matches!(post.request(), Some((_, "initialize"))))
        .flat_map(move |post| post.header(&name).map(move |id| (post, id)).collect::<Vec<_>>())
}

/// A session id consists of visible ASCII characters.
pub(super) fn session_id_visible(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, id) in session_ids(&exchanges) {
        let strange = id.chars().find(|character| !character.is_ascii_graphic());
        let what = match strange {
            Some(character) => Some(format!(
                "the session id holds U+{:04X}, which is no visible ASCII",
                u32::from(character)
            )),
            None if id.is_empty() => Some("the session id is empty".to_owned()),
            None => None,
        };
        let Some(head) = post.head else { continue };
        seen.examine(what.map(|what| Breach {
            got: Some(format!("{id:?}")),
            advice: id.is_empty(),
            ..breach(dialogue, head.entry, Some(post.sent), what)
        }));
    }
    seen
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::super::http_recordings::check;

    const STREAM: &str = "POST ?1 tools/call\n#0 200 text/event-stream\n";

    #[test]
    fn events_hold_one_message_each() {
        let now = Revision::R2026_07_28;
        let table = [
            ("#0 *notifications/message\n#0 =1", (2, 0, 0), now),
            ("#0 =1\n#0 [DONE]", (2, 1, 0), now),
            ("#0 {\n#0 true\n#0 {\"status\":\"ok\"}", (3, 3, 0), now),
            ("#0 [{\"id\":1,\"result\":{}}]", (1, 1, 0), now),
            ("#0 [{\"id\":1,\"result\":{}}]", (1, 0, 0), Revision::R2025_03_26),
            ("#0 type=ping now\n#0 type=mcp =1", (2, 0, 2), now),
            ("#0 @1\n#0 retry=5", (2, 0, 2), now),
            ("#0 @1\n#0 retry=5", (2, 0, 0), Revision::R2025_11_25),
        ];
        for (events, seen, revision) in table {
            check("http-sse-data", &json!({}), revision, &[(&format!("{STREAM}{events}"), seen)]);
            let hostile = STREAM.replace("POST", "POST!");
            check("http-sse-data", &json!({}), revision, &[(&format!("{hostile}{events}"), (0, 0, 0))]);
        }
    }

    #[test]
    fn streams_are_primed() {
        let table = [
            ("#0 @1\n#0 @2 =1", (1, 0, 0)),
            ("#0 @2 =1", (1, 1, 0)),
            ("#0 retry=5\n#0 @2 =1", (1, 1, 0)),
            ("#0 =1", (0, 0, 0)),
        ];
        for (events, seen) in table {
            check(
                "http-sse-priming",
                &json!({}),
                Revision::R2025_11_25,
                &[(&format!("{STREAM}{events}"), seen)],
            );
        }
        let handshake = "POST ?1 initialize\n#0 200 text/event-stream\n#0 @1 =1";
        check("http-sse-priming", &json!({}), Revision::R2025_11_25, &[(handshake, (0, 0, 0))]);
    }

    #[test]
    fn event_ids_come_once() {
        let begin = "POST ?0 initialize\n#0 200 application/json mcp-session-id=s\n#0 =0\nPOST ?1 tools/call\n#1 200 text/event-stream\n";
        let alone = begin.replace(" mcp-session-id=s", "");
        let table = [
            (format!("{begin}#1 @1\n#1 @2 =1\n#1 @\n#1 @"), (2, 0, 0)),
            (format!("{begin}#1 @1\n#1 @1 =1"), (2, 1, 0)),
            (format!("{alone}#1 @1\n#1 @1 =1"), (2, 0, 1)),
            (format!("{begin}GET\n#2 200 text/event-stream\n#2 @1\n#1 @1 =1"), (2, 1, 0)),
            (
                format!("{begin}#1 @1\n#1 @2\n#1 end\nGET Last-Event-ID=1\n#2 200 text/event-stream\n#2 @2"),
                (2, 0, 0),
            ),
        ];
        for (script, seen) in &table {
            check("http-event-id-unique", &json!({}), Revision::R2025_11_25, &[(script, *seen)]);
        }
    }

    #[test]
    fn proxies_are_asked_not_to_buffer() {
        let head = |headers: &str| format!("POST ?1 tools/call\n#0 200 text/event-stream {headers}");
        let table = [
            (head("x-accel-buffering=no"), (1, 0, 0)),
            (head("x-accel-buffering=yes"), (1, 1, 0)),
            (head(""), (1, 1, 0)),
            // It keeps the header for itself.
            (head("server=nginx/1.27"), (0, 0, 0)),
            (head("").replace("200", "500"), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-sse-unbuffered", &json!({}), Revision::R2026_07_28, &[(script, *seen)]);
        }
    }

    #[test]
    fn session_ids_are_visible() {
        let head = |headers: &str| format!("POST ?1 initialize\n#0 200 application/json {headers}\n#0 =1");
        let table = [
            (head("mcp-session-id=a1-~!"), (1, 0, 0)),
            (head("mcp-session-id=caf\u{e9}"), (1, 1, 0)),
            (head("mcp-session-id="), (1, 0, 1)),
            (head(""), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-session-id-visible-ascii", &json!({}), Revision::R2025_06_18, &[(script, *seen)]);
        }
    }
}
