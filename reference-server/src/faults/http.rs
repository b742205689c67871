//! Faults of Streamable HTTP that do not depend on the era: origins, statuses, media types.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::{HttpDeparture, HttpFault};
use crate::jsonrpc::code;
use crate::transport::http::Reply;

fn on_plain(out: &mut HttpDeparture<'_>, change: impl FnOnce(&mut HttpDeparture<'_>)) {
    if out.is_plain() {
        change(out);
    }
}

fn on_notification(out: &mut HttpDeparture<'_>, change: impl FnOnce(&mut HttpDeparture<'_>)) {
    if out.accepts_notification() {
        change(out);
    }
}

/// A GET that is no attempt to take up a stream again.
fn opens_stream(out: &HttpDeparture<'_>) -> bool {
    out.is_get() && out.is_ok() && out.is_endpoint() && !out.ask.headers.contains_key("last-event-id")
}

/// The input was JSON, but could not be accepted, and nobody waits for an answer.
fn refuses_notification(out: &HttpDeparture<'_>) -> bool {
    out.reply.status == StatusCode::BAD_REQUEST
        && out.body.is_object()
        && out.body.get("id").is_none()
        && out.code() == Some(code::INVALID_REQUEST)
}

faults! { HTTP =>
    "get-answered-404", "http.get-sse-or-405", range::STATEFUL_FROM_2025_03, "GET gets 404" => [
        Hook::Reply(|out| if opens_stream(out) { out.replace(Reply::empty(StatusCode::NOT_FOUND)); })];
    "get-answered-json", "http.get-sse-or-405", range::STATEFUL_FROM_2025_03, "GET gets a JSON document" => [
        Hook::Reply(|out| if opens_stream(out) {
            out.replace(Reply::json(StatusCode::OK, &json!({ "status": "ok" })));
        })];
    "origin-not-checked", "http.origin-validated", range::FROM_2025_03, "Serves pages of any origin" => [
        Hook::Request(|arrival| arrival.remove("origin"))];
    "origin-null-accepted", "http.origin-validated", range::FROM_2025_03, "Serves pages whose origin is null" => [
        Hook::Request(|arrival| if arrival.ask.header("origin") == Some("null") { arrival.remove("origin"); })];
    "origin-refused-with-400", "http.origin-403", range::FROM_2025_11, "A foreign Origin gets 400" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::FORBIDDEN && out.ask.headers.contains_key("origin") {
            out.set_status(StatusCode::BAD_REQUEST);
        })];
    "origin-required", "http.origin.absent-accepted", range::STATELESS, "completion/complete without Origin gets 403" => [
        Hook::Request(|arrival| if arrival.is_stateless() && arrival.rpc_method() == "completion/complete" && !arrival.has("origin") {
            arrival.reply = Some(Reply::refusal(StatusCode::FORBIDDEN, "Forbidden: no Origin"));
        })];
    "origin-compared-with-host", "http.origin-validated", range::FROM_2025_03, "Serves pages whose origin is the Host of the request, whatever that is" => [
        Hook::Request(|arrival| {
            let page = arrival.ask.header("origin").and_then(|origin| origin.split_once("://"));
            if page.is_some_and(|(_, authority)| Some(authority) == arrival.ask.header("host")) {
                arrival.remove("origin");
                arrival.set("host", "localhost");
            }
        })];
    "binds-all-interfaces", "http.bind-localhost", range::FROM_2025_03, "Listens on all interfaces, whatever address was given" => [
        Hook::Http(HttpFault::BindsAllInterfaces)];
    "notification-answered-200", "http.notification-202", range::FROM_2025_03, "Notifications get 200" => [
        Hook::Reply(|out| on_notification(out, |out| out.set_status(StatusCode::OK)))];
    "notification-answered-204", "http.notification-202", range::FROM_2025_03, "Notifications get 204" => [
        Hook::Reply(|out| on_notification(out, |out| out.set_status(StatusCode::NO_CONTENT)))];
    "notification-answered-with-text", "http.notification-202", range::FROM_2025_03, "Notifications get 202 with the text \"Accepted\"" => [
        Hook::Reply(|out| on_notification(out, |out| out.set_body("Accepted")))];
    "notification-answered-with-null", "http.notification-202", range::FROM_2025_03, "Notifications get 202 with the JSON document null" => [
        Hook::Reply(|out| on_notification(out, |out| {
            out.set_body("null");
            out.set_header("content-type", "application/json");
        }))];
    "notification-refused-with-200", "http.rejected-input-4xx", range::FROM_2025_03, "A notification that is no legal message gets 200 with the error" => [
        Hook::Reply(|out| if refuses_notification(out) { out.set_status(StatusCode::OK); })];
    "bad-notification-accepted", "http.rejected-input-4xx", range::FROM_2025_03, "A notification that is no legal message gets 202" => [
        Hook::Reply(|out| if refuses_notification(out) { out.replace(Reply::empty(StatusCode::ACCEPTED)); })];
    "rejected-notification-with-id", "http.rejected-input-4xx", range::FROM_2025_03, "The error for a notification that is no legal message has an id" => [
        Hook::Reply(|out| if refuses_notification(out) { out.change_json(|error| super::hook::set(error, "/id", json!("server-error"))); })];
    "reply-without-content-type", "http.request-reply-type", range::FROM_2025_03, "Answers to completion/complete have no Content-Type" => [
        Hook::Reply(|out| on_plain(out, |out| out.remove_header("content-type")))];
    "reply-as-text", "http.request-reply-type", range::FROM_2025_03, "Answers to completion/complete are text/plain" => [
        Hook::Reply(|out| on_plain(out, |out| out.set_header("content-type", "text/plain; charset=utf-8")))];
    "reply-as-html", "http.request-reply-type", range::FROM_2025_03, "Answers to completion/complete are text/html" => [
        Hook::Reply(|out| on_plain(out, |out| out.set_header("content-type", "text/html")))];
    "reply-accepted-only", "http.request-reply-type", range::FROM_2025_03, "completion/complete gets 202 and no answer" => [
        Hook::Reply(|out| on_plain(out, |out| out.replace(Reply::empty(StatusCode::ACCEPTED))))];
    "json-reply-as-array", "http.json-single-object", range::FROM_2025_03, "Answers to completion/complete are an array of one" => [
        Hook::Reply(|out| on_plain(out, |out| out.change_json(|answer| *answer = json!([answer]))))];
    "json-reply-of-two-documents", "http.json-single-object", range::FROM_2025_03, "Answers to completion/complete are followed by a notification in the same body" => [
        Hook::Reply(|out| on_plain(out, |out| {
            let log = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": { "level": "info", "data": "Answered" } });
            out.set_body(format!("{}\n{log}\n", out.json()));
        }))];
    "responses-swapped", "http.concurrent-streams", range::STATELESS, "The answer to a request for a completion is the one to the request for a completion before it" => [
        Hook::Request(|arrival| if arrival.rpc_method() == "completion/complete" {
            let id = arrival.body.get("id").cloned();
            let [_, newest] = std::mem::take(&mut arrival.memory.completed);
            arrival.memory.completed = [newest, id];
        }),
        Hook::Reply(|out| if let [Some(earlier), _] = out.memory.completed.clone() {
            on_plain(out, |out| out.change_json(|answer| super::hook::set(answer, "/id", earlier)));
        })];
    "json-reply-quoted", "http.json-single-object", range::FROM_2025_03, "Answers to completion/complete are a JSON string that holds the message" => [
        Hook::Reply(|out| on_plain(out, |out| out.change_json(|answer| *answer = Value::String(answer.to_string()))))];
}
