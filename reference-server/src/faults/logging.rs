//! Faults of log messages.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};
use crate::logging::Level;
use crate::stateless::LOG_LEVEL;

fn on_log(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.is("notifications/message") {
        change(out);
    }
}

fn has_unknown_level(arrival: &Arrival<'_>) -> bool {
    arrival.is("logging/setLevel")
        && arrival.is_request()
        && !arrival.is_stateless()
        && arrival.text("/level").and_then(Level::parse).is_none()
}

faults! { ANY =>
    "log-level-ignored", "logging.threshold-respected", range::STATEFUL, "Sends messages of all levels whatever logging/setLevel says" => [
        Hook::In(|arrival| {
            if arrival.is("logging/setLevel") && !has_unknown_level(arrival) { arrival.set("/params/level", json!("debug")); }
            Verdict::Pass
        })];
    "log-level-unknown-accepted", "logging.invalid-level-32602", range::STATEFUL, "logging/setLevel accepts an unknown level" => [
        Hook::In(|arrival| if has_unknown_level(arrival) { arrival.result(json!({})) } else { Verdict::Pass })];
    "log-level-unknown-wrong-code", "logging.invalid-level-32602", range::STATEFUL, "logging/setLevel refuses an unknown level with -32603" => [
        Hook::Out(|out| if out.replies("logging/setLevel") && out.code() == Some(code::INVALID_PARAMS) {
            out.set("/error/code", json!(code::INTERNAL_ERROR));
        })];
    "log-level-known-refused", "logging.set-level-accepted", range::STATEFUL, "logging/setLevel refuses the level notice" => [
        Hook::Out(|out| if out.answers("logging/setLevel") && out.asked("/level") == "notice" {
            out.fail(code::INVALID_PARAMS, "Unknown level");
        })];
    "log-level-case-ignored", "logging.level-values", range::ALL, "Messages carry levels in capitals" => [
        Hook::Out(|out| on_log(out, |out| {
            let level = out.get("/params/level").and_then(Value::as_str).map(str::to_uppercase);
            if let Some(level) = level { out.set("/params/level", level.into()); }
        }))];
    "log-level-invented", "logging.level-values", range::ALL, "Messages carry the level \"warn\"" => [
        Hook::Out(|out| on_log(out, |out| out.set("/params/level", json!("warn"))))];
    "log-without-level", "schema.log-notification", range::ALL, "Messages carry no level" => [
        Hook::Out(|out| on_log(out, |out| out.remove("/params/level")))];
    "log-without-data", "schema.log-notification", range::ALL, "Messages carry no data" => [
        Hook::Out(|out| on_log(out, |out| out.remove("/params/data")))];
    "log-logger-not-string", "schema.log-notification", range::ALL, "Messages carry an object as logger" => [
        Hook::Out(|out| on_log(out, |out| out.set("/params/logger", json!({ "name": "fixtures" }))))];
    "log-secrets", "logging.no-secrets", range::ALL, "Messages hold a password" => [
        Hook::Out(|out| on_log(out, |out| out.set("/params/data", json!("connecting with password=hunter2 and token sk-live-0123456789abcdef"))))];
    "log-without-wish", "logging.no-level-no-messages", range::STATELESS, "Logs to requests that do not ask for it" => [
        Hook::Out(|out| if out.answers_tool("test_logging_tool") && out.stateless()
            && out.request.and_then(|request| request.meta()).is_some_and(|meta| !meta.contains_key(LOG_LEVEL)) {
            let params = jsonrpc::object(json!({ "level": "info", "data": "Tool execution started" }));
            out.before.push(jsonrpc::notification("notifications/message", params));
        })];
    "log-below-wish", "logging.threshold", range::STATELESS, "Logs debug messages to requests that ask for less" => [
        Hook::In(|arrival| {
            if arrival.meta(LOG_LEVEL).and_then(Value::as_str).and_then(Level::parse).is_some() {
                arrival.set_meta(LOG_LEVEL, json!("debug"));
            }
            Verdict::Pass
        })];
    "log-level-sticky", "logging.level-not-sticky", range::STATELESS, "The log level of a request holds for later ones" => [
        Hook::In(|arrival| {
            if !arrival.is_stateless() { return Verdict::Pass; }
            if let Some(level) = arrival.meta(LOG_LEVEL).cloned() {
                arrival.memory.note("log level", level);
            } else if let Some(level) = arrival.memory.last("log level").cloned() {
                arrival.set_meta(LOG_LEVEL, level);
            }
            Verdict::Pass
        })];
    "log-wish-unknown-accepted", "logging.invalid-level", range::STATELESS, "An unknown log level in a request is ignored" => [
        Hook::In(|arrival| {
            if arrival.meta(LOG_LEVEL).is_some_and(|level| level.as_str().and_then(Level::parse).is_none()) {
                arrival.remove("/params/_meta/io.modelcontextprotocol~1logLevel");
            }
            Verdict::Pass
        })];
    "log-wish-known-refused", "logging.valid-levels-accepted", range::STATELESS, "Requests with log level notice are refused" => [
        Hook::In(|arrival| if arrival.meta(LOG_LEVEL).is_some_and(|level| level == "notice") {
            arrival.error(code::INVALID_PARAMS, "Unknown log level")
        } else { Verdict::Pass })];
    "log-after-response", "logging.before-final-response", range::STATELESS, "The last log message comes after the response" => [
        Hook::Out(|out| if out.answers_tool("test_logging_tool") && out.stateless()
            && out.request.and_then(|request| request.meta()).is_some_and(|meta| meta.contains_key(LOG_LEVEL)) {
            let params = jsonrpc::object(json!({ "level": "emergency", "data": "Tool execution completed" }));
            out.after.push(jsonrpc::notification("notifications/message", params));
        })];
}
