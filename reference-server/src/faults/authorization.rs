//! Faults of the protected mode; they show when the server is started with `--bearer`.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::{HttpArrival, HttpDeparture};
use crate::jsonrpc::{self, RpcError, code};
use crate::transport::http::Reply;

const CHALLENGE: &str = "www-authenticate";
const AUTHORIZATION: &str = "authorization";

fn on_challenge(out: &mut HttpDeparture<'_>, change: impl FnOnce(&mut HttpDeparture<'_>)) {
    if out.reply.headers.contains_key(CHALLENGE) {
        change(out);
    }
}

/// Changes the parameters of the challenge.
fn rewrite(out: &mut HttpDeparture<'_>, change: impl FnOnce(&str) -> String) {
    let challenge = out.reply.headers.get(CHALLENGE).and_then(|value| value.to_str().ok()).map(change);
    if let Some(challenge) = challenge {
        out.set_header(CHALLENGE, &challenge);
    }
}

/// The challenge without the parameter of that name.
fn without(challenge: &str, name: &str) -> String {
    let parameters = challenge.strip_prefix("Bearer ").unwrap_or_default().split(", ");
    let kept: Vec<&str> = parameters.filter(|parameter| !parameter.starts_with(name)).collect();
    format!("Bearer {}", kept.join(", ")).trim_end().to_owned()
}

fn is_wrong_token(out: &HttpDeparture<'_>) -> bool {
    out.reply.status == StatusCode::UNAUTHORIZED && out.ask.headers.contains_key(AUTHORIZATION)
}

fn is_metadata(out: &HttpDeparture<'_>) -> bool {
    out.ask.path.starts_with("/.well-known/oauth-protected-resource") && out.is_ok()
}

fn change_metadata(out: &mut HttpDeparture<'_>, pointer: &str, change: impl FnOnce(&mut Value)) {
    if is_metadata(out) {
        out.change_json(|metadata| {
            if let Some(member) = metadata.pointer_mut(pointer) {
                change(member);
            }
        });
    }
}

/// Makes the request one that shows the right token.
fn authorize(arrival: &mut HttpArrival<'_>) {
    if let Some(token) = arrival.memory.token.clone() {
        arrival.set(AUTHORIZATION, &format!("Bearer {token}"));
    }
}

fn shown(arrival: &HttpArrival<'_>) -> Option<String> {
    let value = arrival.ask.header(AUTHORIZATION)?;
    value.strip_prefix("Bearer ").map(str::to_owned)
}

faults! { HTTP =>
    "auth-not-required", "auth.401-when-needed", range::FROM_2025_03, "Serves who shows no token" => [
        Hook::Request(|arrival| if !arrival.has(AUTHORIZATION) { authorize(arrival); })];
    "auth-refused-with-403", "auth.401-when-needed", range::FROM_2025_03, "Who shows no token gets 403" => [
        Hook::Reply(|out| on_challenge(out, |out| if !out.ask.headers.contains_key(AUTHORIZATION) { out.set_status(StatusCode::FORBIDDEN); }))];
    "auth-refused-with-200", "auth.401-when-needed", range::FROM_2025_03, "Who shows no token gets 200 with a JSON-RPC error" => [
        Hook::Reply(|out| on_challenge(out, |out| if !out.ask.headers.contains_key(AUTHORIZATION) {
            let error = RpcError::new(code::INVALID_REQUEST, "Unauthorized");
            out.replace(Reply::json(StatusCode::OK, &jsonrpc::error(out.body.get("id"), &error)));
        }))];
    "auth-any-token", "auth.invalid-token-401", range::FROM_2025_03, "Any token will do" => [
        Hook::Request(|arrival| if shown(arrival).is_some_and(|token| !token.is_empty() && !token.contains(' ')) { authorize(arrival); })];
    "auth-invalid-token-403", "auth.invalid-token-401", range::FROM_2025_03, "A wrong token gets 403" => [
        Hook::Reply(|out| on_challenge(out, |out| if is_wrong_token(out) { out.set_status(StatusCode::FORBIDDEN); }))];
    "auth-invalid-token-500", "auth.invalid-token-401", range::FROM_2025_03, "A wrong token gets 500" => [
        Hook::Reply(|out| on_challenge(out, |out| if is_wrong_token(out) {
            out.replace(Reply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        }))];
    "auth-token-half-compared", "auth.validates-tokens", range::FROM_2025_03, "Only the first half of a token is compared" => [
        Hook::Request(|arrival| if let (Some(shown), Some(token)) = (shown(arrival), arrival.memory.token.clone()) {
            let half = token.split_at_checked(token.len() / 2).map_or("", |(half, _)| half);
            if !half.is_empty() && shown.starts_with(half) { authorize(arrival); }
        })];
    "auth-malformed-answered-500", "auth.400-malformed", range::FROM_2025_03, "A malformed Authorization gets 500" => [
        Hook::Reply(|out| on_challenge(out, |out| if out.reply.status == StatusCode::BAD_REQUEST {
            out.replace(Reply::empty(StatusCode::INTERNAL_SERVER_ERROR));
        }))];
    "auth-without-challenge", "auth.error-per-oauth", range::FROM_2025_03, "401 comes without WWW-Authenticate" => [
        Hook::Reply(|out| out.remove_header(CHALLENGE))];
    "auth-challenge-basic", "auth.error-per-oauth", range::FROM_2025_03, "401 asks for a password" => [
        Hook::Reply(|out| on_challenge(out, |out| out.set_header(CHALLENGE, "Basic realm=\"mcp\"")))];
    "auth-challenge-without-metadata", "auth.resource-metadata-in-401", range::STATEFUL_FROM_2025_06, "401 does not say where the metadata is" => [
        Hook::Reply(|out| rewrite(out, |challenge| without(challenge, "resource_metadata")))];
    "auth-challenge-without-scope", "auth.scope-in-challenge", range::FROM_2025_11, "401 does not name a scope" => [
        Hook::Reply(|out| rewrite(out, |challenge| without(challenge, "scope")))];
    "auth-metadata-undiscoverable", "auth.metadata-discoverable", range::FROM_2025_11, "There is metadata, but neither the challenge nor a well-known address leads to it" => [
        Hook::Reply(|out| {
            rewrite(out, |challenge| without(challenge, "resource_metadata"));
            if is_metadata(out) { out.replace(Reply::empty(StatusCode::NOT_FOUND)); }
        })];
    "auth-metadata-missing", "auth.resource-metadata", range::FROM_2025_06, "The metadata is not where the challenge says" => [
        Hook::Reply(|out| if is_metadata(out) { out.replace(Reply::empty(StatusCode::NOT_FOUND)); })];
    "auth-metadata-not-json", "auth.resource-metadata", range::FROM_2025_06, "The metadata is a web page" => [
        Hook::Reply(|out| if is_metadata(out) {
            out.set_body("<!doctype html><title>Not here</title>");
            out.set_header("content-type", "text/html");
        })];
    "auth-metadata-without-servers", "auth.resource-metadata-servers", range::FROM_2025_06, "The metadata names no authorization server" => [
        Hook::Reply(|out| change_metadata(out, "/authorization_servers", |servers| *servers = json!([])))];
    "auth-metadata-of-other-resource", "auth.resource-matches", range::FROM_2025_06, "The metadata is for another resource" => [
        Hook::Reply(|out| change_metadata(out, "/resource", |resource| *resource = json!("https://mcp.example/mcp")))];
    "auth-metadata-with-slash", "auth.no-trailing-slash", range::FROM_2025_06, "The resource in the metadata ends with a slash" => [
        Hook::Reply(|out| change_metadata(out, "/resource", |resource| {
            *resource = format!("{}/", resource.as_str().unwrap_or_default()).into();
        }))];
    "auth-metadata-needs-token", "auth.prm-no-auth-needed", range::STATELESS, "The metadata is for those only who have a token already" => [
        Hook::Reply(|out| if is_metadata(out) && !out.ask.headers.contains_key(AUTHORIZATION) {
            out.replace(Reply::empty(StatusCode::UNAUTHORIZED).with_header(CHALLENGE, "Bearer"));
        })];
    "auth-offline-access", "auth.no-offline-access", range::STATELESS, "Challenge and metadata ask for offline_access" => [
        Hook::Reply(|out| {
            rewrite(out, |challenge| challenge.replace("scope=\"mcp\"", "scope=\"mcp offline_access\""));
            change_metadata(out, "/scopes_supported", |scopes| *scopes = json!(["mcp", "offline_access"]));
        })];
    "auth-token-in-query", "auth.query-token-refused", range::FROM_2025_03, "A token in the query counts" => [
        Hook::Request(|arrival| {
            let token = arrival.ask.query.split('&').find_map(|pair| pair.strip_prefix("access_token=")).map(str::to_owned);
            if let Some(token) = token.filter(|_| !arrival.has(AUTHORIZATION)) { arrival.set(AUTHORIZATION, &format!("Bearer {token}")); }
        })];
    "auth-only-once", "auth.every-request-checked", range::FROM_2025_03, "Asks for no token any more once it has seen the right one" => [
        Hook::Request(|arrival| {
            if arrival.memory.token.is_some() && shown(arrival) == arrival.memory.token { arrival.memory.was_authorized = true; }
            if arrival.memory.was_authorized && !arrival.has(AUTHORIZATION) { authorize(arrival); }
        })];
    "auth-session-is-enough", "auth.every-request-checked", range::STATEFUL_FROM_2025_03, "A session id counts as a token" => [
        Hook::Request(|arrival| if arrival.has("mcp-session-id") && !arrival.has(AUTHORIZATION) { authorize(arrival); })];
    "auth-answer-in-refusal", "auth.validated-before-processing", range::FROM_2025_06, "Who shows no token gets 401, and the answer with it" => [
        Hook::Request(|arrival| if !arrival.has(AUTHORIZATION) && arrival.is_endpoint() { authorize(arrival); }),
        Hook::Reply(|out| if !out.ask.headers.contains_key(AUTHORIZATION) && out.is_endpoint() {
            out.set_status(StatusCode::UNAUTHORIZED);
            let host = out.ask.header("host").unwrap_or("localhost").to_owned();
            let metadata = format!("http://{host}/.well-known/oauth-protected-resource{}", out.ask.path);
            out.set_header(CHALLENGE, &format!("Bearer resource_metadata=\"{metadata}\", scope=\"mcp\""));
        })];
}
