//! Faults of sessions over HTTP, and of the header that names their revision.

use axum::http::StatusCode;

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::{HttpDeparture, HttpFault};
use crate::transport::http::{Reply, header};

const PREFIX: &str = "session ";

fn on_ended(out: &mut HttpDeparture<'_>, status: StatusCode) {
    if out.reply.status == StatusCode::NOT_FOUND
        && out.ask.headers.contains_key(header::SESSION_ID)
        && !out.is_stateless()
    {
        out.set_status(status);
    }
}

faults! { HTTP =>
    "response-answered-200", "http.response-202", range::STATEFUL_FROM_2025_03, "The client's responses get 200" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::ACCEPTED && out.body.is_object() && out.body.get("method").is_none() {
            out.set_status(StatusCode::OK);
        })];
    "response-answered-with-json", "http.response-202", range::STATEFUL_FROM_2025_03, "The client's responses get 202 with an empty object" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::ACCEPTED && out.body.is_object() && out.body.get("method").is_none() {
            out.set_body("{}");
            out.set_header("content-type", "application/json");
        })];
    "batch-of-notifications-answered-200", "http.batch-202", range::BATCH, "A batch of notifications gets 200" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::ACCEPTED && out.body.is_array() { out.set_status(StatusCode::OK); })];
    "session-id-with-space", "http.session-id-visible-ascii", range::STATEFUL_FROM_2025_03, "Session ids have a space in them" => [
        Hook::Request(|arrival| {
            let bare = arrival.ask.header(header::SESSION_ID).and_then(|id| id.strip_prefix(PREFIX)).map(str::to_owned);
            if let Some(bare) = bare { arrival.set(header::SESSION_ID, &bare); }
        }),
        Hook::Reply(|out| {
            let id = out.reply.headers.get(header::SESSION_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
            if let Some(id) = id { out.set_header(header::SESSION_ID, &format!("{PREFIX}{id}")); }
        })];
    "session-ids-count-up", "http.session-id-secure", range::STATEFUL_FROM_2025_03, "Session ids are 1, 2, 3" => [
        Hook::Http(HttpFault::CountingSessionIds)];
    "missing-session-answered-200", "http.missing-session-400", range::STATEFUL_FROM_2025_03, "A request without session id gets 200 with the error" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::BAD_REQUEST && !out.is_stateless()
            && !out.ask.headers.contains_key(header::SESSION_ID) && !out.body.is_null() {
            out.set_status(StatusCode::OK);
        })];
    "ended-session-answered-400", "http.terminated-session-404", range::STATEFUL_FROM_2025_03, "Requests of an ended session get 400" => [
        Hook::Reply(|out| on_ended(out, StatusCode::BAD_REQUEST))];
    "ended-session-answered-401", "http.terminated-session-404", range::STATEFUL_FROM_2025_03, "Requests of an ended session get 401" => [
        Hook::Reply(|out| on_ended(out, StatusCode::UNAUTHORIZED))];
    "ended-session-answered-200", "http.terminated-session-404", range::STATEFUL_FROM_2025_03, "Requests of an ended session get 200 with the error" => [
        Hook::Reply(|out| on_ended(out, StatusCode::OK))];
    "version-header-ignored", "http.bad-version-header-400", range::STATEFUL_FROM_2025_06, "Any MCP-Protocol-Version will do in a session" => [
        Hook::Request(|arrival| if !arrival.is_stateless() && arrival.has(header::SESSION_ID) { arrival.remove(header::PROTOCOL_VERSION); })];
    "version-header-answered-500", "http.bad-version-header-400", range::STATEFUL_FROM_2025_06, "A bad MCP-Protocol-Version gets 500" => [
        Hook::Reply(|out| if out.reply.status == StatusCode::BAD_REQUEST && out.has_message("Unsupported MCP-Protocol-Version") {
            out.replace(Reply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        })];
    "version-header-required", "http.missing-version-header", range::STATEFUL_FROM_2025_06, "Requests of a session without MCP-Protocol-Version get 400" => [
        Hook::Request(|arrival| if arrival.posts() && !arrival.is_stateless() && arrival.rpc_method() != "initialize"
            && arrival.has(header::SESSION_ID) && !arrival.has(header::PROTOCOL_VERSION) {
            arrival.reply = Some(Reply::refusal(StatusCode::BAD_REQUEST, "MCP-Protocol-Version is required"));
        })];
}
