//! Streamable HTTP: the stream of a GET, on which a server speaks by itself, and which stream a message comes on.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::judge::exchanges::{Exchange, Exchanges};
use crate::judge::http::head_in_words;
use crate::session::headers::SESSION;
use crate::transcript::Happening;
use crate::transport::http::exchange::ExchangeId;
use crate::wire::Kind;

const PROGRESS: &str = "notifications/progress";

/// How the first GET of a session is answered: `rule: handled` not with 404 where POST works, `rule: stream-or-405`
/// with an event stream or 405. Whether the client may have a stream at all, now and here, is not asked.
pub(super) fn answer(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let handled = with.get("rule").and_then(Value::as_str) == Some("handled");
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let first = exchanges.all.iter().find(|exchange| exchange.is("GET"));
    let Some(get) = first.filter(|get| !get.hostile && !get.resumes()) else { return seen };
    let Some(head) = get.head.filter(|head| exchanges.is_calm_at(head.entry)) else { return seen };
    // The server may know one client only, where nothing tells it that this one is another.
    let one_at_a_time = head.status == 409 && get.sent_header(SESSION).is_none();
    if matches!(head.status, 401 | 403 | 429 | 300..=399 | 500..=599) || one_at_a_time {
        return seen;
    }
    let (wrong, expected) = if handled {
        (head.status == 404, "anything but 404")
    } else if head.status == 404 {
        return seen;
    } else {
        let is_stream = get.succeeded() && get.media() == "text/event-stream";
        (!is_stream && head.status != 405, "text/event-stream, or status 405")
    };
    // Where POST gets nowhere either, the address or the session is what is unknown.
    if handled && !exchanges.posts().any(|post| post.sent > get.sent && post.succeeded()) {
        return seen;
    }
    seen.examine(wrong.then(|| {
        let message = if get.succeeded() {
            format!("GET was answered as {:?}", get.media())
        } else {
            format!("GET was answered with status {}", head.status)
        };
        let mut broken = breach(dialogue, head.entry, Some(get.sent), message);
        broken.expected = Some(expected.to_owned());
        broken.got = Some(head_in_words(head.status, head.headers));
        broken
    }));
    seen
}

/// The streams of our GETs that were granted.
fn standing<'e, 'd>(exchanges: &'e Exchanges<'d>) -> Vec<&'e Exchange<'d>> {
    exchanges.standing().filter(|get| get.is_stream()).collect()
}

fn is_open(streams: &[&Exchange<'_>], entry: usize) -> bool {
    streams.iter().any(|stream| stream.is_open_at(entry))
}

/// No response comes on the stream of a GET. An error without an id is advice, as long as it cannot belong to hostile
/// input.
pub(super) fn no_response(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let streams = standing(&exchanges);
    for said in dialogue
        .said
        .iter()
        .filter(|said| said.message.kind == Kind::Response && is_open(&streams, said.entry))
    {
        let Some(bearer) = exchanges.bearer(said.entry).filter(|bearer| !bearer.hostile && !bearer.resumes())
        else {
            continue;
        };
        if !bearer.is("GET") {
            seen.examine(None);
            continue;
        }
        let nameless = said.message.id().is_none_or(Value::is_null);
        let asked = dialogue.request_of(said);
        let breached = match asked {
            Some(asked) if !asked.hostile => "the response to a request came on the stream of a GET",
            None if nameless && said.error().is_some() && !dialogue.after_hostile(said.entry) => {
                "an error came on the stream of a GET"
            }
            _ => continue,
        };
        let mut broken = breach(dialogue, said.entry, asked.map(|asked| asked.entry), breached);
        broken.context.push(bearer.sent);
        broken.expected = Some("the response in the answer to its POST".to_owned());
        broken.advice = asked.is_none();
        seen.examine(Some(broken));
    }
    seen
}

/// The latest request with each progress token, as places in [`Dialogue::asked`]; tokens that were used again are left
/// out.
fn by_token(dialogue: &Dialogue<'_>) -> HashMap<String, usize> {
    let mut found: HashMap<String, Option<usize>> = HashMap::new();
    for (place, asked) in dialogue.asked.iter().enumerate() {
        if let Some(token) = asked.params.pointer("/_meta/progressToken") {
            found.entry(token.to_string()).and_modify(|owner| *owner = None).or_insert(Some(place));
        }
    }
    found.into_iter().filter_map(|(token, place)| Some((token, place?))).collect()
}

fn progress_of<'d>(said: &'d Said<'_>) -> Option<&'d Value> {
    (said.method() == Some(PROGRESS)).then(|| said.message.value.pointer("/params/progressToken")).flatten()
}

/// Progress of a request that is answered by a stream, and has no response yet, does not come on the stream of a GET.
pub(super) fn unrelated(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let streams = standing(&exchanges);
    let owners = by_token(dialogue);
    for said in &dialogue.said {
        let Some(place) = progress_of(said).and_then(|token| owners.get(&token.to_string()).copied()) else {
            continue;
        };
        let Some(asked) =
            dialogue.asked.get(place).filter(|asked| is_running(&exchanges, place, asked, said.entry))
        else {
            continue;
        };
        let Some(bearer) = exchanges.bearer(said.entry).filter(|bearer| !bearer.hostile && !bearer.resumes())
        else {
            continue;
        };
        if !is_open(&streams, said.entry) {
            continue;
        }
        seen.examine(bearer.is("GET").then(|| {
            let message = format!("progress of a running `{}` came on the stream of a GET", asked.method);
            let mut broken = breach(dialogue, said.entry, Some(asked.entry), message);
            broken.context.push(bearer.sent);
            broken.expected = Some("it on the stream that answers the request".to_owned());
            broken
        }));
    }
    seen
}

/// Whether a request waits for its response at an entry, with a stream in which it would come.
fn is_running(exchanges: &Exchanges<'_>, place: usize, asked: &Asked<'_>, entry: usize) -> bool {
    let waits = asked.entry < entry
        && !asked.hostile
        // A task outlives the answer to the request that began it.
        && asked.params.get("task").is_none()
        && exchanges.answered_at(place).is_none_or(|answer| answer > entry);
    waits
        && exchanges
            .carrier_of(asked.entry)
            .is_some_and(|post| post.is_stream() && post.end.is_none_or(|end| end.entry > entry))
}

/// Whether a stream is one that a client may have: ours, or one that a case opened as we do.
fn is_ordinary(exchange: &Exchange<'_>, session: Option<&str>) -> bool {
    let opened_by_case = exchange.is("GET")
        && !exchange.carrier.raw
        && exchange.sent_header("origin").is_none()
        && exchange.sent_header(SESSION) == session;
    exchange.is_stream() && !exchange.resumes() && (!exchange.hostile || opened_by_case)
}

/// A message comes on one stream only. Told apart are requests by their id, progress by token and value, and whatever
/// has an event id, if these ids tell anything: the whole message must be the same, and the other stream still open.
pub(super) fn no_broadcast(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let session = exchanges.posts().rev().find_map(|post| post.sent_header(SESSION));
    let streams: HashMap<ExchangeId, &Exchange<'_>> = exchanges
        .all
        .iter()
        .filter(|exchange| is_ordinary(exchange, session))
        .map(|exchange| (exchange.id, exchange))
        .collect();
    let ids_tell = event_ids_tell(&exchanges, &streams);
    let owners = by_token(dialogue);
    let mut open: BTreeSet<ExchangeId> = BTreeSet::new();
    let mut first: HashMap<String, (&Said<'_>, ExchangeId)> = HashMap::new();
    for (entry, happened) in dialogue.transcript.entries.iter().enumerate() {
        match &happened.what {
            Happening::Head { exchange, .. } if streams.contains_key(exchange) => {
                open.insert(*exchange);
            }
            Happening::End { exchange, .. } => {
                open.remove(exchange);
            }
            Happening::Received { origin: Some(origin), .. } if open.contains(&origin.exchange) => {
                let event_id = origin.event.as_ref().and_then(|event| event.id.as_deref());
                let event_id = event_id.filter(|id| ids_tell && !id.is_empty());
                for said in exchanges.said_in(entry) {
                    // Two requests with one token, which a client may not send, have progress of their own each.
                    if progress_of(said).is_some_and(|token| !owners.contains_key(&token.to_string())) {
                        continue;
                    }
                    let Some(name) = identity(said, event_id) else { continue };
                    let (before, stream) = *first.entry(name).or_insert((said, origin.exchange));
                    let again = stream != origin.exchange
                        && open.contains(&stream)
                        && before.message.value == said.message.value;
                    if again || open.len() > 1 {
                        seen.examine(again.then(|| {
                            let method = said.method().unwrap_or_default();
                            let message = format!("the same `{method}` came on two streams");
                            let mut broken = breach(dialogue, entry, Some(before.entry), message);
                            broken.context.extend(streams.get(&stream).map(|other| other.sent));
                            broken.context.extend(streams.get(&origin.exchange).map(|other| other.sent));
                            broken
                        }));
                    }
                }
            }
            _ => {}
        }
    }
    seen
}

/// What tells a message of the server from all others of its kind.
fn identity(said: &Said<'_>, event_id: Option<&str>) -> Option<String> {
    match said.message.kind {
        Kind::Request => said.message.id().map(|id| format!("request {id}")),
        Kind::Notification => match progress_of(said) {
            Some(token) => {
                let value = said.message.value.pointer("/params/progress")?;
                Some(format!("progress {token} {value}"))
            }
            None => event_id.map(|id| format!("event {id}")),
        },
        // A response that comes again has rules of its own.
        Kind::Response | Kind::Other => None,
    }
}

/// Whether an event id stands for one message: where streams count by themselves, it does not.
fn event_ids_tell(exchanges: &Exchanges<'_>, streams: &HashMap<ExchangeId, &Exchange<'_>>) -> bool {
    let mut first: HashMap<&str, (ExchangeId, &[u8])> = HashMap::new();
    exchanges.all.iter().filter(|exchange| streams.contains_key(&exchange.id)).all(|stream| {
        stream.arrivals.iter().all(|arrival| {
            let Some(id) = arrival.event_id() else { return true };
            let data = arrival.frame.map_or(&b""[..], |(frame, _)| frame.bytes.as_slice());
            match first.get(id) {
                Some((other, before)) => *other != stream.id && *before == data,
                None => {
                    first.insert(id, (stream.id, data));
                    true
                }
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::super::http_recordings::check;

    const REVISION: Revision = Revision::R2025_06_18;
    const OPEN: &str = "GET\n#0 200 text/event-stream\n";
    const CALL: &str = "POST ?1 tools/call {\"_meta\":{\"progressToken\":\"t\"}}\n#1 200 text/event-stream\n";
    const PROGRESS: &str = "*notifications/progress {\"progressToken\":\"t\",\"progress\":1}\n";

    #[test]
    fn get_is_answered_with_a_stream_or_405() {
        let later = "POST ?1 ping\n#1 200 application/json\n#1 =1";
        // The head; what `stream-or-405` sees; what `handled` sees.
        let table = [
            ("#0 200 text/event-stream", (1, 0, 0), (1, 0, 0)),
            ("#0 405 -", (1, 0, 0), (1, 0, 0)),
            ("#0 404 -", (0, 0, 0), (1, 1, 0)),
            ("#0 400 -", (1, 1, 0), (1, 0, 0)),
            ("#0 200 application/json", (1, 1, 0), (1, 0, 0)),
            ("#0 409 -", (0, 0, 0), (0, 0, 0)),
            ("#0 503 -", (0, 0, 0), (0, 0, 0)),
            ("#0 401 -", (0, 0, 0), (0, 0, 0)),
            ("#0 307 -", (0, 0, 0), (0, 0, 0)),
            ("", (0, 0, 0), (0, 0, 0)),
        ];
        for (head, strict, handled) in table {
            let script = format!("GET\n{head}\n{later}");
            check("http-get-answer", &json!({ "rule": "stream-or-405" }), REVISION, &[(&script, strict)]);
            check("http-get-answer", &json!({ "rule": "handled" }), REVISION, &[(&script, handled)]);
            let by_case = script.replace("GET", "GET!");
            check("http-get-answer", &json!({ "rule": "handled" }), REVISION, &[(&by_case, (0, 0, 0))]);
        }
        let lost = "GET\n#0 404 -\nPOST ?1 ping\n#1 404 -";
        check("http-get-answer", &json!({ "rule": "handled" }), REVISION, &[(lost, (0, 0, 0))]);
    }

    #[test]
    fn no_response_comes_by_get() {
        let table = [
            (format!("{OPEN}{CALL}#1 =1"), (1, 0, 0)),
            (format!("{OPEN}{CALL}#0 =1"), (1, 1, 0)),
            (format!("{OPEN}{CALL}#0 ~null -32603"), (1, 0, 1)),
            (format!("{OPEN}POST! nonsense\n#0 ~null -32700"), (0, 0, 0)),
            (format!("{OPEN}{}#0 =1", CALL.replace("POST", "POST!")), (0, 0, 0)),
            (format!("{}{CALL}#1 =1", OPEN.replace("200", "405")), (0, 0, 0)),
            (format!("{}{CALL}#0 =1", OPEN.replace("GET", "GET Last-Event-ID=4")), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-get-no-response", &json!({}), REVISION, &[(script, *seen)]);
        }
    }

    #[test]
    fn progress_does_not_come_by_get() {
        let table = [
            (format!("{OPEN}{CALL}#1 {PROGRESS}"), (1, 0, 0)),
            (format!("{OPEN}{CALL}#0 {PROGRESS}"), (1, 1, 0)),
            // Answered, answered as JSON, or of nobody.
            (format!("{OPEN}{CALL}#1 =1\n#0 {PROGRESS}"), (0, 0, 0)),
            (
                format!("{OPEN}{}#0 {PROGRESS}", CALL.replace("text/event-stream", "application/json")),
                (0, 0, 0),
            ),
            (format!("{OPEN}{CALL}#0 {}", PROGRESS.replace("\"t\"", "\"u\"")), (0, 0, 0)),
            (format!("{OPEN}{CALL}#1 end\n#0 {PROGRESS}"), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-get-unrelated", &json!({}), REVISION, &[(script, *seen)]);
        }
    }

    #[test]
    fn messages_come_once() {
        let changed = "*notifications/tools/list_changed\n";
        let two = format!("{OPEN}GET!\n#1 200 text/event-stream\n");
        let table = [
            (format!("{OPEN}{CALL}#0 ?s roots/list\n"), (1, 0, 0)),
            (format!("{OPEN}{CALL}#0 ?s roots/list\n#1 ?s roots/list\n"), (2, 1, 0)),
            (format!("{OPEN}{CALL}#1 {PROGRESS}#0 {PROGRESS}"), (2, 1, 0)),
            (format!("{OPEN}{CALL}#1 {PROGRESS}#1 {PROGRESS}"), (2, 0, 0)),
            (
                format!(
                    "{OPEN}{CALL}{}#1 {PROGRESS}#2 {PROGRESS}",
                    CALL.replace("?1", "?2").replace("#1", "#2")
                ),
                (0, 0, 0),
            ),
            (format!("{OPEN}{CALL}#1 {PROGRESS}#1 end\n#0 {PROGRESS}"), (1, 0, 0)),
            (format!("{two}#0 {changed}#1 {changed}"), (0, 0, 0)),
            (format!("{two}#0 @7 {changed}#1 @8 {changed}"), (2, 0, 0)),
            (format!("{two}#0 @7 {changed}#1 @7 {changed}"), (2, 1, 0)),
            // Each stream counts by itself.
            (format!("{two}#0 @1\n#1 @1 {changed}#0 @2 {changed}#1 @2 {changed}"), (0, 0, 0)),
            (
                format!(
                    "{OPEN}GET Last-Event-ID=7\n#1 200 text/event-stream\n#0 @7 {changed}#1 @7 {changed}"
                ),
                (0, 0, 0),
            ),
        ];
        for (script, seen) in &table {
            check("http-no-broadcast", &json!({}), REVISION, &[(script, *seen)]);
        }
    }
}
