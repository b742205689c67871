//! Inputs that the server does not survive, or that wedge it.

use serde_json::Value;

use super::catalog::{ANY, faults, range};
use super::hook::{Hook, Verdict, crash_if};

fn is_json(line: &[u8]) -> bool {
    serde_json::from_slice::<Value>(line).is_ok()
}

fn has_invalid_utf8(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_err()
}

/// Reckons by brackets alone, as a recursive parser's stack would.
fn depth(line: &[u8]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for byte in line {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

const KNOWN_NOTIFICATIONS: [&str; 4] = [
    "notifications/initialized",
    "notifications/cancelled",
    "notifications/progress",
    "notifications/roots/list_changed",
];
const KNOWN_METHODS: [&str; 21] = [
    "initialize",
    "ping",
    "server/discover",
    "subscriptions/listen",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "prompts/list",
    "prompts/get",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "tasks/cancel",
    "tasks/result",
    "tasks/update",
    "",
];

faults! { ANY =>
    "dies-on-bad-json", "robustness.no-crash", range::ALL, "Dies of a line that is not JSON" => [
        Hook::Line(|line| crash_if(!has_invalid_utf8(line) && depth(line) < 100 && !is_json(line)))];
    "hangs-on-bad-json", "robustness.no-hang", range::ALL, "Never answers again after a line that is not JSON" => [
        Hook::Line(|line| if !has_invalid_utf8(line) && depth(line) < 100 && !is_json(line) { Verdict::Hang } else { Verdict::Pass })];
    "dies-on-invalid-utf8", "robustness.no-crash", range::ALL, "Dies of a line that is not UTF-8" => [
        Hook::Line(|line| crash_if(has_invalid_utf8(line)))];
    "dies-on-deep-nesting", "robustness.no-crash", range::ALL, "Dies of JSON nested more than 100 deep" => [
        Hook::Line(|line| crash_if(depth(line) > 100))];
    "dies-on-long-line", "robustness.no-crash", range::ALL, "Dies of a line longer than 256 KiB" => [
        Hook::Line(|line| crash_if(line.len() > 256 * 1024))];
    "dies-on-nul-character", "robustness.no-crash", range::ALL, "Dies of a NUL character in a string" => [
        Hook::Line(|line| crash_if(line.windows(6).any(|window| window == b"\\u0000")))];
    "dies-on-unknown-method", "robustness.no-crash", range::ALL, "Dies of an unknown method" => [
        Hook::In(|arrival| crash_if(arrival.is_request() && !KNOWN_METHODS.contains(&arrival.method())))];
    "hangs-on-unknown-method", "robustness.no-hang", range::ALL, "Never answers again after an unknown method" => [
        Hook::In(|arrival| if arrival.is_request() && !KNOWN_METHODS.contains(&arrival.method()) { Verdict::Hang } else { Verdict::Pass })];
    "dies-on-unknown-notification", "robustness.no-crash", range::ALL, "Dies of an unknown notification" => [
        Hook::In(|arrival| crash_if(arrival.is_notification() && !KNOWN_NOTIFICATIONS.contains(&arrival.method())))];
    "dies-on-array", "robustness.no-crash", range::FROM_2025_06, "Dies of an array, where batches are no longer legal" => [
        Hook::In(|arrival| {
            let old = arrival.memory.revision.is_some_and(|revision| revision < crate::revision::Revision::V2025_06_18);
            crash_if(arrival.message.is_array() && !old)
        })];
    "dies-on-scalar", "robustness.no-crash", range::ALL, "Dies of JSON that is a number, a string or null" => [
        Hook::In(|arrival| crash_if(!arrival.message.is_object() && !arrival.message.is_array()))];
    "dies-on-null-id", "robustness.no-crash", range::ALL, "Dies of a request whose id is null" => [
        Hook::In(|arrival| crash_if(!arrival.method().is_empty() && arrival.id() == Some(&Value::Null)))];
    "dies-on-long-id", "robustness.no-crash", range::ALL, "Dies of an id longer than 1000 characters" => [
        Hook::In(|arrival| crash_if(arrival.id().and_then(Value::as_str).is_some_and(|id| id.len() > 1000)))];
    "dies-on-large-number-id", "robustness.no-crash", range::ALL, "Dies of an id beyond 32 bits" => [
        Hook::In(|arrival| crash_if(arrival.id().and_then(Value::as_i64).is_some_and(|id| i32::try_from(id).is_err())))];
    "dies-on-method-of-wrong-type", "robustness.no-crash", range::ALL, "Dies of a method that is no string" => [
        Hook::In(|arrival| crash_if(arrival.message.get("method").is_some_and(|method| !method.is_string())))];
    "dies-on-params-of-wrong-type", "robustness.no-crash", range::ALL, "Dies of params that are no object" => [
        Hook::In(|arrival| crash_if(arrival.message.get("params").is_some_and(|params| !params.is_object())))];
    "dies-on-tool-name-of-wrong-type", "robustness.no-crash", range::ALL, "Dies of a tools/call whose name is no string" => [
        Hook::In(|arrival| crash_if(arrival.is("tools/call") && arrival.text("/name").is_none()))];
    "dies-on-arguments-of-wrong-type", "robustness.no-crash", range::ALL, "Dies of a tools/call whose arguments are no object" => [
        Hook::In(|arrival| crash_if(
            arrival.is("tools/call") && arrival.param("/arguments").is_some_and(|arguments| !arguments.is_object())
        ))];
    "dies-on-uri-of-wrong-type", "robustness.no-crash", range::ALL, "Dies of a resources/read whose uri is no string" => [
        Hook::In(|arrival| crash_if(arrival.is("resources/read") && arrival.text("/uri").is_none()))];
    "dies-on-unknown-tool", "robustness.no-crash", range::ALL, "Dies of a call of an unknown tool" => [
        Hook::Out(|out| if out.replies("tools/call") && out.code() == Some(-32602)
            && out.get("/error/message").and_then(Value::as_str).is_some_and(|text| text.starts_with("Unknown tool")) {
            out.crash = true;
        })];
    "dies-on-bad-argument", "robustness.no-crash", range::ALL, "Dies of an argument that does not fit the input schema" => [
        Hook::Out(|out| if out.answers("tools/call") && out.get("/result/content/0/text").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("Invalid arguments")) { out.crash = true; })];
    "dies-on-long-argument", "robustness.no-crash", range::ALL, "Dies of a string argument longer than 500 characters" => [
        Hook::In(|arrival| {
            let arguments = arrival.param("/arguments").and_then(Value::as_object);
            crash_if(arrival.is("tools/call") && arguments.is_some_and(|arguments| {
                arguments.values().any(|value| value.as_str().is_some_and(|text| text.len() > 500))
            }))
        })];
    "dies-on-unexpected-response", "robustness.no-crash", range::ALL, "Dies of a response to a request it never sent" => [
        Hook::In(|arrival| crash_if(arrival.message.is_object() && arrival.message.get("method").is_none()
            && arrival.id().is_some_and(|id| !id.as_str().is_some_and(|id| id.starts_with("server-")))))];
    "dies-before-initialize", "robustness.no-crash", range::STATEFUL, "Dies of a request before initialize" => [
        Hook::In(|arrival| crash_if(arrival.memory.revision.is_none() && !arrival.is_stateless() && arrival.is_request()
            && !arrival.is("initialize") && !arrival.is("ping")))];
    "dies-on-second-initialize", "robustness.no-crash", range::STATEFUL, "Dies of a second initialize" => [
        Hook::In(|arrival| crash_if(arrival.is("initialize") && arrival.memory.revision.is_some()))];
}
