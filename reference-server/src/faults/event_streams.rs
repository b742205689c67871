//! Faults of the streams of server-sent events.

use serde_json::{Value, json};

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::HttpFault;
use crate::transport::http::{Event, Place};

/// The answers of the tools that log, on which little else depends.
fn is_sample(event: &Event) -> bool {
    event.last
        && ["Three messages were logged", "Messages were logged at four levels"]
            .iter()
            .any(|text| event.data.contains(text))
}

fn is_signpost(event: &Event) -> bool {
    event.place == Place::Answer && event.data.is_empty()
}

fn on_sample(event: &Event, text: Vec<u8>, distort: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vec<u8> {
    if is_sample(event) { distort(text) } else { text }
}

faults! { HTTP =>
    "sse-done-marker", "http.sse-data-is-message", range::FROM_2025_03, "The answer is followed by an event with the data [DONE], as other protocols have it" => [
        Hook::EventText(|event, text| on_sample(event, text, |text| [text.as_slice(), b"data: [DONE]\n\n"].concat()))];
    "sse-data-over-several-lines", "http.sse-data-is-message", range::FROM_2025_03, "JSON is spread over lines of which only the first is a data line" => [
        Hook::EventText(|event, text| on_sample(event, text, |text| {
            let pretty = serde_json::from_str::<Value>(&event.data).ok().and_then(|value| serde_json::to_string_pretty(&value).ok());
            pretty.map_or(text, |pretty| format!("data: {pretty}\n\n").into_bytes())
        }))];
    "sse-data-in-two-events", "http.sse-data-is-message", range::FROM_2025_03, "A message is split between two events" => [
        Hook::EventText(|event, text| on_sample(event, text, |text| {
            let (first, second) = event.data.split_at_checked(20).unwrap_or_default();
            if first.is_empty() { text } else { format!("data: {first}\n\ndata: {second}\n\n").into_bytes() }
        }))];
    "sse-without-blank-line", "http.sse-data-is-message", range::FROM_2025_03, "No blank line parts an event from the one before" => [
        Hook::EventText(|event, text| {
            if event.data.contains("\"notifications/message\"") && text.ends_with(b"\n\n") {
                text.split_last().map_or_else(Vec::new, |(_, text)| text.to_vec())
            } else { text }
        })];
    "sse-event-of-another-name", "http.sse-data-is-message", range::FROM_2025_03, "The answer is an event named mcp" => [
        Hook::Event(|event| if is_sample(event) { event.name = Some("mcp"); })];
    "sse-without-signpost", "http.sse-priming-event", range::TASKS, "Streams begin without an event of id and empty data" => [
        Hook::EventText(|event, text| if is_signpost(event) && event.retry.is_none() { Vec::new() } else { text })];
    "sse-signpost-without-id", "http.sse-priming-event", range::TASKS, "Streams begin with an empty event that has no id" => [
        Hook::Event(|event| if is_signpost(event) && event.retry.is_none() { event.id = None; })];
    "sse-closed-without-retry", "http.sse-retry-before-close", range::TASKS, "Closes a connection before the answer without saying when to come back" => [
        Hook::Event(|event| if is_signpost(event) { event.retry = None; })];
    "sse-answer-lost", "http.sse-response-delivered", range::FROM_2025_03, "A stream ends without its answer" => [
        Hook::EventText(|event, text| on_sample(event, text, |_| Vec::new()))];
    "sse-closed-early", "http.sse-not-closed-early", "2025-03-26..2025-06-18", "A stream is closed before its answer, which only resuming brings" => [
        Hook::Http(HttpFault::ClosesEarly)];
    "batch-reply-cut-short", "http.batch-responses-delivered", range::BATCH, "The last answer of a batch is not delivered" => [
        Hook::Reply(|out| if out.body.is_array() {
            out.change_json(|answers| if let Some(answers) = answers.as_array_mut().filter(|answers| answers.len() > 1) { answers.pop(); });
        }),
        Hook::Event(|event| if let Ok(Value::Array(mut answers)) = serde_json::from_str(&event.data) {
            answers.pop();
            event.data = Value::Array(answers).to_string();
        })];
    "sse-carries-unrelated", "http.sse-messages-related", range::STATEFUL_FROM_2025_03, "Messages that belong to no request go to the stream of the newest one" => [
        Hook::Http(HttpFault::UnsolicitedOnAnswers)];
    "sse-carries-foreign-progress", "http.sse-messages-related", range::STATELESS, "A stream reports the progress of a request that is not its own" => [
        Hook::EventText(|event, text| if event.place == Place::Stateless && is_sample(event) {
            let foreign = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": { "progressToken": "of-another-request", "progress": 1 } });
            [format!("data: {foreign}\n\n").into_bytes(), text].concat()
        } else { text })];
    "sse-carries-request", "http.sse.no-requests", range::STATELESS, "A stream carries a request of the server" => [
        Hook::EventText(|event, text| if event.place == Place::Stateless && is_sample(event) {
            let ping = json!({ "jsonrpc": "2.0", "id": "server-1", "method": "ping" });
            [format!("data: {ping}\n\n").into_bytes(), text].concat()
        } else { text })];
    "sse-not-closed", "http.sse-closed-after-response", range::FROM_2025_03, "A stream stays open after its answer" => [
        Hook::Http(HttpFault::StreamStaysOpen)];
    "sse-without-accel-header", "http.sse.x-accel-buffering", range::STATELESS, "Streams do not ask proxies to pass them on at once" => [
        Hook::Reply(|out| out.remove_header("x-accel-buffering"))];
    "disconnect-cancels", "http.disconnect-not-cancel", range::STATEFUL_FROM_2025_03, "A connection that breaks cancels the request" => [
        Hook::Http(HttpFault::DisconnectCancels)];
    "get-stream-silent", "http.get-unrelated-messages", range::STATEFUL_FROM_2025_03, "Nothing is ever sent on the stream of a GET" => [
        Hook::EventText(|event, text| if event.place == Place::Standing { Vec::new() } else { text })];
    "get-stream-carries-answer", "http.get-no-response", range::STATEFUL_FROM_2025_03, "Answers to ping also go to the stream of a GET" => [
        Hook::Http(HttpFault::AnswersOnStanding)];
    "progress-on-get-stream", "http.get-unrelated-messages", range::STATEFUL_FROM_2025_03, "All progress but the first goes to the stream of a GET" => [
        Hook::Http(HttpFault::ProgressOnStanding)];
    "message-on-two-streams", "http.no-broadcast", range::STATEFUL_FROM_2025_03, "Requests of the server also go to the stream of a GET" => [
        Hook::Http(HttpFault::RequestsTwice)];
    "broadcast-to-all-streams", "http.no-broadcast", range::STATEFUL_FROM_2025_03, "A message that belongs to no request goes to all streams of GETs" => [
        Hook::Http(HttpFault::Broadcasts)];
    "event-ids-repeat", "http.event-id-unique", range::STATEFUL_FROM_2025_03, "Each stream counts its messages from the beginning, and their ids are just that" => [
        Hook::Event(|event| if !event.data.is_empty() {
            event.id = event.id.as_deref().and_then(|id| id.split_once('-')).map(|(_, number)| number.to_owned());
        })];
    "resume-refused", "http.resume-any-origin", range::STATEFUL_FROM_2025_03, "Events have ids, but a GET with Last-Event-ID gets 405" => [
        Hook::Request(|arrival| if arrival.ask.method == "GET" && arrival.has("last-event-id") {
            arrival.reply = Some(crate::transport::http::Reply::method_not_allowed("POST, DELETE"));
        })];
    "resume-replays-other-streams", "http.no-cross-stream-replay", range::STATEFUL_FROM_2025_03, "Resuming a stream replays the events of all others too" => [
        Hook::Http(HttpFault::ReplaysOtherStreams)];
}
