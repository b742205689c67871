//! Faults of the server's own requests: sampling, elicitation, roots (stateful era).

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};

/// Makes the core believe that the client can do more than it says.
fn pretend(arrival: &mut Arrival<'_>, capability: &str, value: Value) -> Verdict {
    if arrival.is("initialize") {
        let declared = arrival.message.pointer_mut("/params/capabilities").and_then(Value::as_object_mut);
        if let Some(declared) = declared {
            declared.entry(capability).or_insert(value);
        }
    }
    Verdict::Pass
}

fn on_request(out: &mut Departure<'_>, method: &str, change: impl FnOnce(&mut Departure<'_>)) {
    if out.is(method) && out.is_own_request() {
        change(out);
    }
}

/// Gives requests of ours another id, and remembers which one the answer is for.
fn disguise(out: &mut Departure<'_>, id: Value) {
    if out.is_own_request() {
        let real = out.message.get("id").cloned().unwrap_or_default();
        out.memory.note("disguised", real);
        out.set("/id", id);
    }
}

fn unmask(arrival: &mut Arrival<'_>, id: &Value) -> Verdict {
    if arrival.method().is_empty()
        && arrival.id() == Some(id)
        && let Some(real) = arrival.memory.last("disguised").cloned()
    {
        arrival.set("/id", real);
    }
    Verdict::Pass
}

fn is_url_error(out: &Departure<'_>) -> bool {
    out.code() == Some(code::URL_ELICITATION_REQUIRED)
}

faults! { ANY =>
    "sampling-undeclared", "sampling.only-declared", range::STATEFUL, "Asks for sampling although the client did not declare it" => [
        Hook::In(|arrival| pretend(arrival, "sampling", json!({})))];
    "elicitation-undeclared", "elicitation.only-declared", range::STATEFUL_FROM_2025_06, "Asks for elicitation although the client did not declare it" => [
        Hook::In(|arrival| pretend(arrival, "elicitation", json!({})))];
    "roots-undeclared", "roots.check-capability", range::STATEFUL, "Asks for roots although the client did not declare them" => [
        Hook::In(|arrival| pretend(arrival, "roots", json!({})))];
    "url-elicitation-undeclared", "elicitation.mode-declared", range::TASKS, "Asks for a visit to a URL although the client declared forms only" => [
        Hook::In(|arrival| {
            if arrival.is("initialize") && arrival.param("/capabilities/elicitation").is_some_and(Value::is_object) {
                arrival.set("/params/capabilities/elicitation/url", json!({}));
                arrival.set("/params/capabilities/elicitation/form", json!({}));
            }
            Verdict::Pass
        })];
    "request-id-reused", "base.request-id-unique", range::STATEFUL, "All requests of the server have the same id" => [
        Hook::Out(|out| disguise(out, json!("server-same"))),
        Hook::In(|arrival| unmask(arrival, &json!("server-same")))];
    "request-id-null", "base.request-id-not-null", range::STATEFUL, "Requests of the server have a null id" => [
        Hook::Out(|out| disguise(out, Value::Null)),
        Hook::In(|arrival| unmask(arrival, &Value::Null))];
    "request-id-fraction", "base.request-id-type", range::STATEFUL, "Requests of the server have a fraction as id" => [
        Hook::Out(|out| disguise(out, json!(1.5))),
        Hook::In(|arrival| unmask(arrival, &json!(1.5)))];
    "own-request-never-ends", "lifecycle.request-timeouts", range::STATEFUL, "Gives up on no request of its own, and tells nobody" => [
        Hook::Out(|out| {
            let ours = out.get("/params/requestId").and_then(Value::as_str).is_some_and(|id| id.starts_with("server-"));
            if out.is("notifications/cancelled") && ours { out.withhold(); }
            if out.answers("tools/call") && out.get("/result/content/0/text").and_then(Value::as_str)
                .is_some_and(|text| text.contains("did not answer")) { out.withhold(); }
        })];
    "timeout-without-cancel", "lifecycle.timeout-sends-cancel", range::STATEFUL_FROM_2025_03, "Gives up on its own requests without telling the client" => [
        Hook::Out(|out| {
            let ours = out.get("/params/requestId").and_then(Value::as_str).is_some_and(|id| id.starts_with("server-"));
            if out.is("notifications/cancelled") && ours { out.withhold(); }
        })];
    "sampling-without-max-tokens", "sampling.request-shape", range::STATEFUL, "Sampling requests have no maxTokens" => [
        Hook::Out(|out| on_request(out, "sampling/createMessage", |out| out.remove("/params/maxTokens")))];
    "sampling-without-messages", "sampling.request-shape", range::STATEFUL, "Sampling requests have a prompt instead of messages" => [
        Hook::Out(|out| on_request(out, "sampling/createMessage", |out| {
            out.remove("/params/messages");
            out.set("/params/prompt", json!("?"));
        }))];
    "sampling-priority-too-high", "sampling.request-shape", range::STATEFUL, "Sampling requests have a cost priority of 10" => [
        Hook::Out(|out| on_request(out, "sampling/createMessage", |out| out.set("/params/modelPreferences", json!({ "costPriority": 10 }))))];
    "sampling-tools-undeclared", "sampling.tools-need-capability", range::TASKS, "Sampling requests offer tools although the client did not declare it" => [
        Hook::Out(|out| on_request(out, "sampling/createMessage", |out| {
            out.set("/params/tools", json!([{ "name": "clock", "inputSchema": { "type": "object" } }]));
        }))];
    "sampling-include-context", "sampling.include-context-undeclared", range::TASKS, "Sampling requests want the context of all servers" => [
        Hook::Out(|out| on_request(out, "sampling/createMessage", |out| out.set("/params/includeContext", json!("allServers"))))];
    "elicitation-without-message", "elicitation.message-present", range::STATEFUL_FROM_2025_06, "Elicitations have no message" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.remove("/params/message")))];
    "elicitation-without-schema", "elicitation.form-fields", range::STATEFUL_FROM_2025_06, "Form elicitations have no requestedSchema" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.remove("/params/requestedSchema")))];
    "elicitation-nested-schema", "elicitation.schema-flat-primitive", range::STATEFUL_FROM_2025_06, "Form elicitations ask for a nested object" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.replace("/params/requestedSchema/properties", json!({
            "person": { "type": "object", "properties": { "name": { "type": "string" } } } }))))];
    "elicitation-asks-password", "elicitation.no-sensitive-form", range::STATEFUL_FROM_2025_06, "Form elicitations ask for a password" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.replace("/params/requestedSchema/properties", json!({
            "password": { "type": "string", "title": "Password" } }))))];
    "elicitation-answer-unchecked", "elicitation.validate-response", range::STATEFUL_FROM_2025_06, "Answers that do not fit the form are taken" => [
        Hook::Out(|out| if out.answers("tools/call") && out.get("/result/content/0/text").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("The answer does not fit")) {
            out.succeed(json!({ "content": [{ "type": "text", "text": "User response: action=accept, content={}" }] }));
        })];
    "elicitation-decline-unhandled", "elicitation.handles-actions", range::STATEFUL_FROM_2025_06, "A declined elicitation ends in an internal error" => [
        Hook::Out(|out| if out.answers("tools/call") && out.get("/result/content/0/text").and_then(Value::as_str)
            .is_some_and(|text| text.contains("action=decline") || text.contains("action=cancel")) {
            out.fail(code::INTERNAL_ERROR, "Cannot read properties of undefined");
        })];
    "url-elicitation-without-id", "elicitation.url-fields", range::TASKS, "URL elicitations have no elicitationId" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.remove("/params/elicitationId")))];
    "url-elicitation-bad-url", "elicitation.url-valid", range::TASKS, "URL elicitations have a url that is none" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.replace("/params/url", json!("not a url"))))];
    "url-elicitation-plain-http", "elicitation.url-https", range::TASKS, "URL elicitations have an http URL" => [
        Hook::Out(|out| on_request(out, "elicitation/create", |out| out.replace("/params/url", json!("http://example.com/visit"))))];
    "elicitation-complete-wrong-id", "elicitation.complete-has-id", range::TASKS, "The completion of an elicitation names another one" => [
        Hook::Out(|out| if out.is("notifications/elicitation/complete") { out.set("/params/elicitationId", json!("another")); })];
    "elicitation-complete-without-id", "elicitation.complete-has-id", range::TASKS, "The completion of an elicitation names none" => [
        Hook::Out(|out| if out.is("notifications/elicitation/complete") { out.set("/params", json!({})); })];
    "url-required-without-list", "elicitation.error-32042-list", range::TASKS, "Error -32042 does not list the elicitations" => [
        Hook::Out(|out| if is_url_error(out) { out.remove("/error/data"); })];
    "url-required-form-mode", "elicitation.error-32042-url-mode", range::TASKS, "Error -32042 lists a form elicitation" => [
        Hook::Out(|out| if is_url_error(out) {
            out.set("/error/data/elicitations/0", json!({ "mode": "form", "message": "?",
                "requestedSchema": { "type": "object", "properties": {} } }));
        })];
    "url-required-wrong-code", "elicitation.error-32042-used", range::TASKS, "A call that needs a visit to a URL gets -32603" => [
        Hook::Out(|out| if is_url_error(out) { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "url-required-for-no-reason", "elicitation.error-32042-only-url", range::TASKS, "An unknown tool gets -32042" => [
        Hook::Out(|out| if out.replies("tools/call") && !out.stateless() && out.get("/error/message").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("Unknown tool")) { out.set("/error/code", json!(code::URL_ELICITATION_REQUIRED)); })];
    "roots-failure-unhandled", "roots.handle-unavailable", range::STATEFUL, "A call that gets no roots is never answered" => [
        Hook::Out(|out| if out.answers_tool("test_roots") && out.get("/result/isError").is_some() { out.withhold(); })];
    "dies-on-roots-change", "roots.handle-list-changed", range::STATEFUL, "Dies of notifications/roots/list_changed" => [
        Hook::In(|arrival| super::hook::crash_if(arrival.is("notifications/roots/list_changed")))];
    "unknown-request-sent", "schema.every-message-validates", range::STATEFUL, "Sends a request that no client knows" => [
        Hook::Out(|out| if out.answers_tool("test_simple_text") && !out.stateless() {
            out.before.push(jsonrpc::request(json!("server-odd"), "client/info", jsonrpc::Object::new()));
        })];
}
