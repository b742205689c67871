//! HTTP+SSE, the transport of 2024-11-05: one stream for all that the server says, and an address for what we say.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::exchanges::{Arrival, Carried, Exchange, Exchanges, LAST_BREATH};
use crate::judge::http::head_in_words;
use crate::wire::{Content, Kind};

const ENDPOINT: &str = "endpoint";

/// Our stream.
fn main_stream<'e, 'd>(exchanges: &'e Exchanges<'d>) -> Option<&'e Exchange<'d>> {
    exchanges.standing().next().filter(|stream| stream.is_stream())
}

/// Responses come on our stream, although there is another one.
pub(super) fn own_stream(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::legacy(dialogue);
    let Some(main) = main_stream(&exchanges) else { return seen };
    let others: Vec<&Exchange<'_>> = exchanges
        .all
        .iter()
        .filter(|other| other.is("GET") && other.id != main.id && other.is_stream())
        .collect();
    if others.is_empty() {
        return seen;
    }
    for said in dialogue.said.iter().filter(|said| said.message.kind == Kind::Response) {
        let Some(asked) = dialogue.request_of(said).filter(|asked| !asked.hostile) else { continue };
        let Some(bearer) = exchanges.bearer(said.entry).filter(|bearer| bearer.is("GET")) else { continue };
        let alone = !others.iter().any(|other| other.is_open_at(said.entry));
        if alone {
            continue;
        }
        seen.examine((bearer.id != main.id).then(|| {
            let message = format!("the response to `{}` came on the stream of another client", asked.method);
            let mut broken = breach(dialogue, said.entry, Some(asked.entry), message);
            broken.context.extend([main.sent, bearer.sent]);
            broken.expected = Some("it on the stream of the client that asked".to_owned());
            broken
        }));
    }
    seen
}

/// The answer to a POST is not the response.
pub(super) fn response_on_stream(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::legacy(dialogue);
    for (post, _, asked) in exchanges.requests().filter(|(post, _, _)| post.succeeded()) {
        let response = exchanges.response_on(post, &asked.id);
        if response.is_none() && post.whole().is_none() {
            continue;
        }
        seen.examine(response.map(|entry| {
            let message = format!("the answer to the POST of `{}` is the response", asked.method);
            let mut broken = breach(dialogue, entry, Some(post.sent), message);
            broken.expected = Some("the response on the stream".to_owned());
            broken
        }));
    }
    seen
}

/// Messages are taken: with `range: success` by a status of success, with `not` by none of these. Refusals that have
/// nothing to do with the message are left out, and so is what came when the stream had ended or was about to.
pub(super) fn post_status(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let not: Vec<u64> =
        with.get("not").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect();
    let mut seen = Observation::default();
    let exchanges = Exchanges::legacy(dialogue);
    let Some(main) = main_stream(&exchanges) else { return seen };
    let gone = main.end.and_then(|end| exchanges.at(end.entry)).map(|at| at.saturating_sub(LAST_BREATH));
    for post in exchanges.posts().filter(|post| !matches!(post.carried, Carried::Nothing | Carried::Other)) {
        let Some(head) = post.head.filter(|head| exchanges.is_calm_at(head.entry)) else { continue };
        let late = gone.is_some_and(|gone| exchanges.at(head.entry).is_none_or(|at| at >= gone));
        let refusal = matches!(head.status, 300..=399 | 401 | 403 | 429 | 502..=504);
        let elsewhere = not.is_empty() && matches!(head.status, 404 | 405);
        if refusal || elsewhere || (late && !post.succeeded()) {
            continue;
        }
        let wrong = if not.is_empty() { !post.succeeded() } else { not.contains(&u64::from(head.status)) };
        seen.examine(wrong.then(|| {
            let message = format!("a message was answered with status {}", head.status);
            let mut broken = breach(dialogue, head.entry, Some(post.sent), message);
            broken.expected = Some("a status of success".to_owned());
            broken.got = Some(head_in_words(head.status, head.headers));
            broken
        }));
    }
    seen
}

/// Messages come as events of the type `message`, one in each. An event of another type may be whatever it likes, but
/// no message.
pub(super) fn message_events(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::legacy(dialogue);
    let Some(main) = main_stream(&exchanges) else { return seen };
    for arrival in &main.arrivals {
        let wrong = match (arrival.frame, arrival.event) {
            (Some((_, content)), _) => match content {
                Content::Empty | Content::TooLong | Content::Beyond(_) => continue,
                // One array may answer another, which a client may not send.
                Content::Batch(_) if dialogue.after_hostile(arrival.entry) => continue,
                Content::Message(message) if !message.is_none_of_ours() => None,
                Content::Batch(_) => Some("an event holds an array".to_owned()),
                Content::Message(_) => {
                    Some("an event holds an object that is no JSON-RPC message".to_owned())
                }
                Content::NotAMessage => Some("an event holds JSON that is no message".to_owned()),
                Content::NotJson(why) => Some(format!("the data of an event is no JSON: {why}")),
                Content::NotUtf8(at) => Some(format!("the data of an event is no UTF-8 from byte {at} on")),
            },
            (None, Some(event)) => match (&event.name, &event.data) {
                (Some(name), Some(data)) if name != ENDPOINT && is_message(data) => {
                    Some(format!("a message came in an event of the type {name:?}"))
                }
                _ => continue,
            },
            (None, None) => continue,
        };
        seen.examine(wrong.map(|what| {
            let mut broken = breach(dialogue, arrival.entry, None, what);
            broken.expected = Some("an event of the type `message` with one JSON-RPC message".to_owned());
            broken
        }));
    }
    seen
}

fn is_message(data: &[u8]) -> bool {
    serde_json::from_slice::<Map<String, Value>>(data).is_ok_and(|members| members.contains_key("jsonrpc"))
}

fn is_endpoint(arrival: &Arrival<'_>) -> bool {
    arrival.event.is_some_and(|event| event.name.as_deref() == Some(ENDPOINT))
}

/// The address for messages: `rule: first` nothing comes on the stream before it, `rule: plain` it is no JSON.
pub(super) fn endpoint(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let plain = with.get("rule").and_then(Value::as_str) == Some("plain");
    let mut seen = Observation::default();
    let exchanges = Exchanges::legacy(dialogue);
    let Some(main) = main_stream(&exchanges) else { return seen };
    // What has no data is no event for a reader.
    let filled = |arrival: &&Arrival<'_>| {
        arrival.frame.is_some() || arrival.event.is_some_and(|event| event.data.is_some())
    };
    if plain {
        let Some(arrival) = main.arrivals.iter().find(|arrival| is_endpoint(arrival)) else { return seen };
        let data = arrival.event.and_then(|event| event.data.as_deref()).unwrap_or_default();
        let address = String::from_utf8_lossy(data);
        let wrong = address.trim_start().starts_with(['"', '\'', '{', '[']);
        seen.examine(wrong.then(|| {
            let mut broken = breach(
                dialogue,
                arrival.entry,
                Some(main.sent),
                "the address for messages is written as JSON",
            );
            broken.expected = Some("a plain address".to_owned());
            broken.got = Some(crate::text::frame(data, 200));
            broken
        }));
    } else if let Some(first) = main.arrivals.iter().find(filled) {
        seen.examine((!is_endpoint(first)).then(|| {
            let mut broken = breach(
                dialogue,
                first.entry,
                Some(main.sent),
                "the stream does not begin with the address for messages",
            );
            broken.expected = Some("an event of the type `endpoint`".to_owned());
            broken
        }));
    }
    seen
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::{Value, json};

    use super::super::http_recordings::{Seen, check_over};
    use crate::event::Transport;

    const OPEN: &str = "GET\n#0 200 text/event-stream\n#0 type=endpoint /messages\n";

    fn check(name: &str, with: &Value, table: &[(&str, Seen)]) {
        for (script, seen) in table {
            let script = format!("{OPEN}{script}");
            check_over(Transport::Sse, name, with, Revision::R2024_11_05, &[(&script, *seen)]);
            check_over(Transport::Http, name, with, Revision::R2024_11_05, &[(&script, (0, 0, 0))]);
        }
    }

    #[test]
    fn responses_come_on_our_stream() {
        let table = [
            ("POST ?1 ping\n#0 =1", (0, 0, 0)),
            ("GET!\n#1 200 text/event-stream\nPOST ?1 ping\n#0 =1", (1, 0, 0)),
            ("GET!\n#1 200 text/event-stream\nPOST ?1 ping\n#1 =1", (1, 1, 0)),
            ("GET!\n#1 200 text/event-stream\nPOST! ?1 ping\n#1 =1", (0, 0, 0)),
            ("GET!\n#1 200 text/event-stream\n#1 end\nPOST ?1 ping\n#0 =1", (0, 0, 0)),
        ];
        check("sse-own-stream", &json!({}), &table);
    }

    #[test]
    fn posts_are_not_answered_with_the_response() {
        let table = [
            ("POST ?1 ping\n#1 202 -\n#1 end\n#0 =1", (1, 0, 0)),
            ("POST ?1 ping\n#1 200 application/json\n#1 =1\n#1 end 9", (1, 1, 0)),
            ("POST ?1 ping\n#1 200 application/json\n#1 {\"status\":\"ok\"}\n#1 end 9", (1, 0, 0)),
            ("POST ?1 ping\n#1 400 application/json\n#1 ~1 -32600\n#1 end 9", (0, 0, 0)),
            ("POST ?1 ping\n#1 202 -", (0, 0, 0)),
        ];
        check("sse-response-on-stream", &json!({}), &table);
    }

    #[test]
    fn messages_are_taken() {
        // What `range: success` sees, and `not: [404, 405]`.
        let table = [
            ("POST ?1 ping\n#1 202 -", (1, 0, 0), (1, 0, 0)),
            ("POST *notifications/initialized\n#1 500 -", (1, 1, 0), (1, 0, 0)),
            ("POST ?1 ping\n#1 400 -", (1, 1, 0), (1, 0, 0)),
            ("POST ?1 ping\n#1 405 -", (0, 0, 0), (1, 1, 0)),
            ("POST ?1 ping\n#1 404 -", (0, 0, 0), (1, 1, 0)),
            ("POST ?1 ping\n#1 429 -", (0, 0, 0), (0, 0, 0)),
            ("POST! ?1 ping\n#1 400 -", (0, 0, 0), (0, 0, 0)),
            ("POST ?1 ping\n#1 404 -\n#0 end", (0, 0, 0), (0, 0, 0)),
        ];
        for (script, success, not) in table {
            check("sse-post-status", &json!({ "range": "success" }), &[(script, success)]);
            check("sse-post-status", &json!({ "not": [404, 405] }), &[(script, not)]);
        }
    }

    #[test]
    fn messages_are_events_of_their_type() {
        let table = [
            ("#0 type=message =1\n#0 =2", (2, 0, 0)),
            ("#0 type=data =1", (1, 1, 0)),
            ("#0 type=ping now\n#0 retry=5", (0, 0, 0)),
            ("#0 {", (1, 1, 0)),
            ("#0 [{\"id\":1,\"result\":{}}]", (1, 1, 0)),
            ("POST! [1]\n#0 [{\"id\":1,\"result\":{}}]", (0, 0, 0)),
        ];
        check("sse-message-events", &json!({}), &table);
    }

    #[test]
    fn the_address_comes_first_and_is_plain() {
        let begin = "GET\n#0 200 text/event-stream\n";
        // What `first` sees, and `plain`.
        let table = [
            ("#0 type=endpoint /messages?s=1", (1, 0, 0), (1, 0, 0)),
            ("#0 retry=5\n#0 type=endpoint https://host/messages", (1, 0, 0), (1, 0, 0)),
            ("#0 type=ping now\n#0 type=endpoint \"/messages\"", (1, 1, 0), (1, 1, 0)),
            ("#0 /messages", (1, 1, 0), (0, 0, 0)),
            ("", (0, 0, 0), (0, 0, 0)),
        ];
        for (events, first, plain) in table {
            let script = format!("{begin}{events}");
            for (rule, seen) in [("first", first), ("plain", plain)] {
                let with = json!({ "rule": rule });
                check_over(Transport::Sse, "sse-endpoint", &with, Revision::R2024_11_05, &[(&script, seen)]);
            }
        }
    }
}
