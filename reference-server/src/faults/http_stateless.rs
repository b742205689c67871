//! Faults of Streamable HTTP in the stateless era, but for those of its mirrored headers.

use axum::http::StatusCode;
use serde_json::json;

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::{HttpDeparture, HttpFault};
use crate::jsonrpc::{self, RpcError, code};
use crate::transport::http::{Event, Place, Reply, header};

fn on_code(out: &mut HttpDeparture<'_>, wanted: i64, change: impl FnOnce(&mut HttpDeparture<'_>)) {
    if out.is_stateless() && out.is_post() && out.code() == Some(wanted) {
        change(out);
    }
}

/// Methods that existed before.
fn was_removed(out: &HttpDeparture<'_>) -> bool {
    ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"].contains(&out.rpc_method())
}

fn is_subscription(event: &Event) -> bool {
    event.place == Place::Stateless && event.data.contains(crate::stateless::SUBSCRIPTION_ID)
}

faults! { HTTP =>
    "method-not-found-answered-200", "http.method-not-found.404", range::STATELESS, "An unknown method gets 200 with -32601" => [
        Hook::Reply(|out| on_code(out, code::METHOD_NOT_FOUND, |out| if !was_removed(out) { out.set_status(StatusCode::OK); }))];
    "method-not-found-answered-400", "http.method-not-found.404", range::STATELESS, "An unknown method gets 400 with -32601" => [
        Hook::Reply(|out| on_code(out, code::METHOD_NOT_FOUND, |out| if !was_removed(out) { out.set_status(StatusCode::BAD_REQUEST); }))];
    "method-not-found-without-body", "http.method-not-found.404", range::STATELESS, "An unknown method gets 404 without a body" => [
        Hook::Reply(|out| on_code(out, code::METHOD_NOT_FOUND, |out| if !was_removed(out) { out.replace(Reply::empty(StatusCode::NOT_FOUND)); }))];
    "removed-method-answered-200", "http.method-not-found.capability-gated-404", range::STATELESS, "Methods of earlier revisions get 200 with -32601" => [
        Hook::Reply(|out| on_code(out, code::METHOD_NOT_FOUND, |out| if was_removed(out) { out.set_status(StatusCode::OK); }))];
    "unsupported-version-answered-200", "http.bad-version-header-400", range::STATELESS, "An unsupported revision gets 200 with -32022" => [
        Hook::Reply(|out| on_code(out, code::UNSUPPORTED_PROTOCOL_VERSION, |out| out.set_status(StatusCode::OK)))];
    "missing-meta-answered-200", "base.meta.missing-field-http-400", range::STATELESS, "A request without its _meta gets 200 with -32602" => [
        Hook::Reply(|out| on_code(out, code::INVALID_PARAMS, |out| out.set_status(StatusCode::OK)))];
    "missing-capability-answered-200", "base.meta.missing-capability-http-400", range::STATELESS, "A missing client capability gets 200 with -32021" => [
        Hook::Reply(|out| on_code(out, code::MISSING_CLIENT_CAPABILITY, |out| out.set_status(StatusCode::OK)))];
    "methods-on-paths-of-their-own", "http.endpoint.single-post", range::STATELESS, "prompts/list is not served at the endpoint" => [
        Hook::Request(|arrival| if arrival.is_stateless() && arrival.rpc_method() == "prompts/list" {
            arrival.reply = Some(Reply::empty(StatusCode::NOT_FOUND));
        })];
    "last-event-id-refused", "http.legacy.last-event-id-ignored", range::STATELESS, "A request with Last-Event-ID gets 400" => [
        Hook::Request(|arrival| if arrival.is_stateless() && arrival.has(header::LAST_EVENT_ID) {
            arrival.reply = Some(Reply::refusal(StatusCode::BAD_REQUEST, "Unknown Last-Event-ID"));
        })];
    "session-id-looked-up", "http.legacy.session-id-ignored", range::STATELESS, "A request with a session id gets 404" => [
        Hook::Request(|arrival| if arrival.is_stateless() && arrival.has(header::SESSION_ID) {
            arrival.reply = Some(Reply::refusal(StatusCode::NOT_FOUND, "Session not found"));
        })];
    "session-id-in-stateless-answer", "http.legacy.session-id-not-minted", range::STATELESS, "Answers carry a session id" => [
        Hook::Reply(|out| if out.is_stateless() && out.is_post() && out.is_ok() {
            out.set_header(header::SESSION_ID, "8f14e45fceea167a5a36dedd4bea2543");
        })];
    "session-id-echoed", "http.legacy.session-id-not-minted", range::STATELESS, "Answers repeat the session id of the request" => [
        Hook::Reply(|out| if out.is_stateless() && let Some(id) = out.ask.header(header::SESSION_ID).map(str::to_owned) {
            out.set_header(header::SESSION_ID, &id);
        })];
    "streams-mixed", "http.concurrent-streams", range::STATELESS, "Progress goes to the stream of the newest request" => [
        Hook::Http(HttpFault::StreamsMixed)];
    "closed-stream-goes-on", "cancel.http.disconnect-is-cancel", range::STATELESS, "Closing the stream of a request does not cancel it" => [
        Hook::Http(HttpFault::CloseIgnored)];
    "closed-request-speaks-elsewhere", "cancel.http.no-further-messages", range::STATELESS, "A request whose stream was closed reports its progress on the stream of the newest one" => [
        Hook::Http(HttpFault::CloseIgnored), Hook::Http(HttpFault::ClosedSpeaksElsewhere)];
    "close-cancels-all", "cancel.http.disconnect-isolated", range::STATELESS, "Closing the stream of a request cancels all others too" => [
        Hook::Http(HttpFault::CloseCancelsAll)];
    "subscription-not-made-again", "subs.cancel.http-close", range::STATELESS, "What was subscribed to once cannot be subscribed to again" => [
        Hook::Request(|arrival| if arrival.rpc_method() == "subscriptions/listen" {
            let wanted = arrival.body.pointer("/params/notifications").cloned().unwrap_or_default();
            if arrival.memory.subscribed.contains(&wanted) {
                let error = RpcError::new(code::INTERNAL_ERROR, "There is a subscription already");
                arrival.reply = Some(Reply::json(StatusCode::OK, &jsonrpc::error(arrival.body.get("id"), &error)));
            } else {
                arrival.memory.subscribed.push(wanted);
            }
        })];
    "listen-answered-as-json", "subs.listen.sse-on-http", range::STATELESS, "subscriptions/listen is answered with JSON documents, one a line" => [
        Hook::Reply(|out| if out.is_stateless() && out.rpc_method() == "subscriptions/listen" && out.is_ok() {
            out.set_header("content-type", "application/json");
        }),
        Hook::EventText(|event, text| if is_subscription(event) { format!("{}\n", event.data).into_bytes() } else { text })];
    "listen-answered-at-once-as-json", "subs.listen.sse-on-http", range::STATELESS, "subscriptions/listen gets an empty result and no stream" => [
        Hook::Reply(|out| if out.is_stateless() && out.rpc_method() == "subscriptions/listen" && out.is_ok() {
            let id = out.body.get("id").cloned().unwrap_or_default();
            let result = json!({ "resultType": "complete", "_meta": { crate::stateless::SUBSCRIPTION_ID: id } });
            out.replace(Reply::json(StatusCode::OK, &crate::jsonrpc::result(&id, result)));
        })];
}
