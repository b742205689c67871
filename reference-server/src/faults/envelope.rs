//! Faults of the JSON-RPC envelope, of error codes, of batches and of `_meta`.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::code;

fn on_plain(departure: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if departure.plain() {
        change(departure);
    }
}

fn on_method_not_found(departure: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if departure.code() == Some(code::METHOD_NOT_FOUND) {
        change(departure);
    }
}

fn is_parse_error(departure: &Departure<'_>) -> bool {
    departure.complaint && departure.code() == Some(code::PARSE_ERROR)
}

fn is_stray_batch(message: &Value, memory: &super::memory::Memory) -> bool {
    message.is_array() && memory.revision == Some(crate::revision::Revision::V2025_03_26)
}

faults! { ANY =>
    "jsonrpc-wrong-version", "base.jsonrpc-2-0", range::ALL, "Answers carry jsonrpc \"1.0\"" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/jsonrpc", json!("1.0"))))];
    "jsonrpc-missing", "base.jsonrpc-2-0", range::ALL, "Answers have no jsonrpc member" => [
        Hook::Out(|out| on_plain(out, |out| out.remove("/jsonrpc")))];
    "jsonrpc-number", "base.jsonrpc-2-0", range::ALL, "Answers carry jsonrpc as the number 2.0" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/jsonrpc", json!(2.0))))];
    "id-number-becomes-string", "base.response-id-echo", range::ALL, "A number as id comes back as a string" => [
        Hook::Out(|out| on_plain(out, |out| {
            let id = out.get("/id").filter(|id| id.is_number()).map(ToString::to_string);
            if let Some(id) = id { out.set("/id", id.into()); }
        }))];
    "id-string-becomes-number", "base.response-id-echo", range::ALL, "A string of digits as id comes back as a number" => [
        Hook::Out(|out| on_plain(out, |out| {
            let id = out.get("/id").and_then(Value::as_str).and_then(|id| id.parse::<i64>().ok());
            if let Some(id) = id { out.set("/id", id.into()); }
        }))];
    "id-wrong", "base.response-id-echo", range::ALL, "Answers come under an id that was never used" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/id", json!("no-such-id"))))];
    "id-missing", "base.response-id-echo", range::ALL, "Answers have no id" => [
        Hook::Out(|out| on_plain(out, |out| out.remove("/id")))];
    "error-id-null", "base.error-id-echo", range::ALL, "Errors carry a null id although the request had one" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/id", Value::Null)))];
    "result-and-error", "base.response-not-both", range::ALL, "Answers have both result and error" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/error", json!({ "code": 0, "message": "no error" }))))];
    "neither-result-nor-error", "base.response-has-result-or-error", range::ALL, "Answers have neither result nor error" => [
        Hook::Out(|out| on_plain(out, |out| out.remove("/result")))];
    "result-null", "schema.empty-result", range::ALL, "Answers have result null" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/result", Value::Null)))];
    "result-array", "schema.empty-result", range::ALL, "Answers have an array as result" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/result", json!([]))))];
    "result-string", "schema.empty-result", range::ALL, "Answers have a string as result" => [
        Hook::Out(|out| on_plain(out, |out| out.set("/result", json!("pong"))))];
    "answer-twice", "base.response.exactly-one", range::ALL, "Requests are answered twice" => [
        Hook::Out(|out| on_plain(out, |out| { let copy = out.message.clone(); out.after.push(copy); }))];
    "error-without-code", "base.error-code-and-message", range::ALL, "Errors have no code" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.remove("/error/code")))];
    "error-without-message", "base.error-code-and-message", range::ALL, "Errors have no message" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.remove("/error/message")))];
    "error-message-not-string", "base.error-code-and-message", range::ALL, "The message of an error is an object" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/error/message", json!({ "text": "no" }))))];
    "error-code-string", "base.error-code-integer", range::ALL, "The code of an error is a string" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/error/code", json!("-32601"))))];
    "error-code-fraction", "base.error-code-integer", range::ALL, "The code of an error is a fraction" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/error/code", json!(-32601.5))))];
    "error-is-string", "base.error-code-and-message", range::ALL, "The error is a string instead of an object" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/error", json!("Method not found"))))];
    "notification-answered", "base.notification-no-response", range::ALL, "Unknown notifications are answered with an error" => [
        Hook::In(|arrival| {
            let known = ["notifications/initialized", "notifications/cancelled", "notifications/progress",
                "notifications/roots/list_changed"];
            if arrival.is_notification() && !known.contains(&arrival.method()) {
                arrival.error(code::METHOD_NOT_FOUND, "Method not found")
            } else { Verdict::Pass }
        })];
    "initialized-answered", "base.notification-no-response", range::STATEFUL, "notifications/initialized is answered with a result" => [
        Hook::In(|arrival| {
            if arrival.is("notifications/initialized") && arrival.is_notification() {
                arrival.memory.initialized = true;
                arrival.result(json!({}))
            } else { Verdict::Pass }
        })];
    "notification-with-id", "base.notification-no-id", range::ALL, "Notifications of changed lists carry an id" => [
        Hook::Out(|out| if out.is_notification() && out.method().ends_with("/list_changed") { out.set("/id", json!(1)); })];
    "notification-with-null-id", "base.notification-no-id", range::ALL, "Notifications of progress carry a null id" => [
        Hook::Out(|out| if out.is("notifications/progress") { out.set("/id", Value::Null); })];
    "params-positional", "base.params-by-name-only", range::ALL, "Notifications of changed lists have an array as params" => [
        Hook::Out(|out| if out.method().ends_with("/list_changed") { out.set("/params", json!([])); })];
    "method-not-found-unanswered", "base.method-not-found", range::ALL, "Unknown methods are never answered" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.withhold()))];
    "method-not-found-wrong-code", "base.method-not-found", range::ALL, "Unknown methods get -32603" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.set("/error/code", json!(code::INTERNAL_ERROR))))];
    "method-not-found-as-success", "base.method-not-found", range::ALL, "Unknown methods get an empty result" => [
        Hook::Out(|out| on_method_not_found(out, |out| out.succeed_properly(json!({}))))];
    "invalid-params-wrong-code", "base.invalid-params", range::ALL, "prompts/get without a name gets -32603" => [
        Hook::Out(|out| if out.replies("prompts/get") && out.asked("/name").is_empty() {
            out.replace("/error/code", json!(code::INTERNAL_ERROR));
        })];
    "invalid-params-unanswered", "base.invalid-params", range::ALL, "resources/read with a uri of the wrong type is never answered" => [
        Hook::Out(|out| if out.replies("resources/read") && out.asked("/uri").is_empty() { out.withhold(); })];
    "parse-error-unanswered", "base.parse-error", range::ALL, "Lines that are not JSON are ignored" => [
        Hook::Out(|out| if is_parse_error(out) { out.withhold(); })];
    "parse-error-wrong-code", "base.parse-error", range::ALL, "Lines that are not JSON get -32603" => [
        Hook::Out(|out| if is_parse_error(out) { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "parse-error-invented-id", "base.parse-error-no-id", range::ALL, "Lines that are not JSON are answered under an invented id" => [
        Hook::Out(|out| if is_parse_error(out) { out.set("/id", json!("server-error")); })];
    "invalid-request-wrong-code", "base.invalid-request", range::ALL, "What is no request gets -32000" => [
        Hook::Out(|out| if out.complaint && out.code() == Some(code::INVALID_REQUEST) {
            out.set("/error/code", json!(-32000));
        })];
    "invalid-request-unanswered", "base.invalid-request", range::ALL, "What is no request gets no answer" => [
        Hook::Out(|out| if out.complaint && out.code() == Some(code::INVALID_REQUEST) { out.withhold(); })];
    "batch-sent", "base.batch-not-sent", range::FROM_2025_06, "Answers are sent as an array of one" => [
        Hook::Out(|out| if out.plain() && out.since(crate::revision::Revision::V2025_06_18) {
            *out.message = json!([out.message]);
        })];
    "batch-refused", "base.batch-receive", range::BATCH, "Batches are refused" => [
        Hook::In(|arrival| if is_stray_batch(arrival.message, arrival.memory) {
            arrival.error(code::INVALID_REQUEST, "Batches are not supported")
        } else { Verdict::Pass })];
    "batch-unanswered", "base.batch-receive", range::BATCH, "Batches are ignored" => [
        Hook::In(|arrival| if is_stray_batch(arrival.message, arrival.memory) { Verdict::Swallow } else { Verdict::Pass })];
    "batch-answers-notifications", "base.batch-response-members", range::BATCH, "Notifications in a batch are answered too" => [
        Hook::Out(|out| if let Some(answers) = out.message.as_array_mut() {
            answers.push(json!({ "jsonrpc": "2.0", "id": null, "result": {} }));
        })];
    "batch-answer-lost", "base.batch-response-members", range::BATCH, "The first answer of a batch is lost" => [
        Hook::Out(|out| if let Some(answers) = out.message.as_array_mut().filter(|answers| answers.len() > 1) {
            answers.remove(0);
        })];
    "batch-of-notifications-answered", "base.batch-notifications-only", range::BATCH, "A batch without requests is answered with an empty array" => [
        Hook::In(|arrival| {
            let members = arrival.message.as_array();
            let silent = members.is_some_and(|members| {
                !members.is_empty() && members.iter().all(|member| member.is_object() && member.get("id").is_none())
            });
            if silent && is_stray_batch(arrival.message, arrival.memory) { Verdict::Answer(json!([])) } else { Verdict::Pass }
        })];
    "batch-empty-answered-empty", "base.batch-empty", range::BATCH, "An empty batch is answered with an empty array" => [
        Hook::In(|arrival| if *arrival.message == json!([]) && is_stray_batch(arrival.message, arrival.memory) {
            Verdict::Answer(json!([]))
        } else { Verdict::Pass })];
    "batch-invalid-member-ignored", "base.batch-invalid-member", range::BATCH, "Invalid members of a batch are not answered" => [
        Hook::Out(|out| if let Some(answers) = out.message.as_array_mut() {
            answers.retain(|answer| answer.pointer("/error/code") != Some(&json!(code::INVALID_REQUEST)));
        })];
    "meta-bad-name", "base.meta-name-format", range::FROM_2025_06, "_meta of a result has a key with a space" => [
        Hook::Out(|out| if out.answers("prompts/list") { add_meta(out, "bad name"); })];
    "meta-bad-prefix", "base.meta-prefix-format", range::FROM_2025_06, "_meta of a result has a key with an illegal prefix" => [
        Hook::Out(|out| if out.answers("prompts/list") { add_meta(out, "1st.example-/key"); })];
    "meta-reserved-prefix", "base.meta-reserved-prefix", range::FROM_2025_06, "_meta of a result has an own key under a reserved prefix" => [
        Hook::Out(|out| if out.answers("prompts/list") { add_meta(out, "io.modelcontextprotocol/ownInvention"); })];
    "meta-unknown-refused", "base.meta-tolerated", range::ALL, "Requests with a _meta key unknown to the server are refused" => [
        Hook::In(|arrival| {
            let known = |key: &str| key == "progressToken" || key.starts_with("io.modelcontextprotocol/");
            let meta = arrival.param("/_meta").and_then(Value::as_object);
            if arrival.is_request() && meta.is_some_and(|meta| meta.keys().any(|key| !known(key))) {
                arrival.error(code::INVALID_PARAMS, "Unknown _meta member")
            } else { Verdict::Pass }
        })];
}

fn add_meta(out: &mut Departure<'_>, key: &str) {
    if out.get("/result/_meta").is_none() {
        out.set("/result/_meta", json!({}));
    }
    if let Some(meta) = out.get_mut("/result/_meta").and_then(Value::as_object_mut) {
        meta.insert(key.to_owned(), json!(true));
    }
}
