//! Faults of HTTP+SSE.

use axum::http::StatusCode;

use super::catalog::{SSE, faults, range};
use super::hook::Hook;
use super::network::{HttpArrival, HttpFault};
use crate::transport::http::{Event, Place, Reply};

fn is_endpoint(event: &Event) -> bool {
    event.place == Place::Legacy && event.name == Some("endpoint")
}

fn is_notification(event: &Event) -> bool {
    event.place == Place::Legacy && event.data.contains("\"method\":\"notifications/")
}

fn posts_message(arrival: &HttpArrival<'_>) -> bool {
    arrival.posts() && arrival.ask.path == "/messages"
}

faults! { SSE =>
    "sse-origin-not-checked", "sse-legacy.origin-validated", range::OLDEST, "Serves pages of any origin over HTTP+SSE" => [
        Hook::Request(|arrival| arrival.remove("origin"))];
    "sse-binds-all-interfaces", "sse-legacy.bind-localhost", range::OLDEST, "Listens for HTTP+SSE on all interfaces" => [
        Hook::Http(HttpFault::BindsAllInterfaces)];
    "endpoint-event-missing", "sse-legacy.endpoint-event", range::OLDEST, "The stream does not begin with an endpoint event" => [
        Hook::EventText(|event, text| if is_endpoint(event) { Vec::new() } else { text })];
    "endpoint-event-unnamed", "sse-legacy.endpoint-event", range::OLDEST, "The endpoint is announced in an event without a name" => [
        Hook::Event(|event| if is_endpoint(event) { event.name = None; })];
    "endpoint-event-quoted", "sse-legacy.endpoint-event", range::OLDEST, "The endpoint is announced as a JSON string" => [
        Hook::Event(|event| if is_endpoint(event) { event.data = format!("\"{}\"", event.data); })];
    "event-before-endpoint", "sse-legacy.endpoint-event", range::OLDEST, "Another event comes before the one that announces the endpoint" => [
        Hook::EventText(|event, text| if is_endpoint(event) { [b"event: welcome\ndata: Welcome\n\n", text.as_slice()].concat() } else { text })];
    "endpoint-event-in-json", "sse-legacy.endpoint-event", range::OLDEST, "The endpoint is announced in a JSON object" => [
        Hook::Event(|event| if is_endpoint(event) { event.data = format!("{{\"uri\":\"{}\"}}", event.data); })];
    "endpoint-of-another-origin", "sse-legacy.endpoint-same-origin", range::OLDEST, "The endpoint is announced under another name of the host" => [
        Hook::Http(HttpFault::LegacyEndpointElsewhere)];
    "endpoint-takes-no-post", "sse-legacy.two-endpoints", range::OLDEST, "The announced endpoint does not take POST" => [
        Hook::Request(|arrival| if posts_message(arrival) { arrival.reply = Some(Reply::method_not_allowed("GET")); })];
    "messages-under-another-name", "sse-legacy.message-events", range::OLDEST, "Notifications come as events named data" => [
        Hook::Event(|event| if is_notification(event) { event.name = Some("data"); })];
    "messages-spread-over-lines", "sse-legacy.message-events", range::OLDEST, "A notification is spread over lines of which only the first is a data line" => [
        Hook::EventText(|event, text| {
            let value = serde_json::from_str::<serde_json::Value>(&event.data).ok().filter(|_| is_notification(event));
            let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
            pretty.map_or(text, |pretty| format!("event: message\ndata: {pretty}\n\n").into_bytes())
        })];
    "answers-in-the-post", "sse-legacy.response-on-stream", range::OLDEST, "Answers to completion/complete come in the reply to their POST, and not on the stream" => [
        Hook::Reply(|out| if out.is_plain() && out.ask.path == "/messages" {
            let id = out.body.get("id").cloned().unwrap_or_default();
            let result = serde_json::json!({ "completion": { "values": [], "hasMore": false } });
            out.replace(Reply::json(StatusCode::OK, &crate::jsonrpc::result(&id, result)));
        }),
        Hook::EventText(|event, text| if event.place == Place::Legacy && event.data.contains("\"result\":{\"completion\"") { Vec::new() } else { text })];
    "post-taken-with-500", "sse-legacy.post-accepted", range::OLDEST, "completion/complete gets 500, although it is answered" => [
        Hook::Reply(|out| if out.is_plain() && out.ask.path == "/messages" { out.set_status(StatusCode::INTERNAL_SERVER_ERROR); })];
    "answers-on-the-newest-stream", "sse-legacy.streams-isolated", range::OLDEST, "Answers go to the newest stream, whoever asked" => [
        Hook::Http(HttpFault::LegacyStreamsMixed)];
    "unknown-session-accepted", "sse-legacy.bad-post-4xx", range::OLDEST, "A POST for a session that does not exist gets 202" => [
        Hook::Reply(|out| if out.ask.path == "/messages" && out.reply.status == StatusCode::NOT_FOUND {
            out.replace(Reply::empty(StatusCode::ACCEPTED));
        })];
    "bad-json-accepted", "sse-legacy.bad-post-4xx", range::OLDEST, "A POST that is no JSON gets 202 and nothing else" => [
        Hook::Reply(|out| if out.ask.path == "/messages" && out.body.is_null() && out.reply.status == StatusCode::BAD_REQUEST {
            out.replace(Reply::empty(StatusCode::ACCEPTED));
        })];
}
