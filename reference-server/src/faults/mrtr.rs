//! Faults of `input_required` results and their state.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};

const CAPABILITIES: &str = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";

fn on_interim(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.get("/result/resultType").is_some_and(|kind| kind == "input_required") {
        change(out);
    }
}

fn each_request(out: &mut Departure<'_>, change: impl Fn(&mut jsonrpc::Object)) {
    on_interim(out, |out| {
        let requests = out.get_mut("/result/inputRequests").and_then(Value::as_object_mut);
        for request in requests.into_iter().flat_map(|requests| requests.values_mut()) {
            if let Some(request) = request.as_object_mut() {
                change(request);
            }
        }
    });
}

/// Replaces a state that begins with one of ours by that one, so that the core finds it intact.
fn forgive_state(arrival: &mut Arrival<'_>) {
    let Some(state) = arrival.text("/requestState").map(str::to_owned) else { return };
    let issued = arrival.memory.notes("states");
    let nearest = issued.iter().rev().find(|issued| {
        issued.as_str().is_some_and(|issued| {
            let same = issued.bytes().zip(state.bytes()).filter(|(a, b)| a == b).count();
            same * 4 >= issued.len() * 3
        })
    });
    if let Some(nearest) = nearest.cloned() {
        arrival.set("/params/requestState", nearest);
    }
}

faults! { ANY =>
    "mrtr-capability-ignored", "mrtr.undeclared-capability-not-requested", range::STATELESS, "Asks what the client did not declare to answer" => [
        Hook::In(|arrival| {
            if arrival.is("tools/call") && arrival.text("/name").is_some_and(|name| name.starts_with("test_input_required")) {
                arrival.set(CAPABILITIES, json!({ "sampling": {}, "elicitation": { "form": {} }, "roots": {} }));
            }
            Verdict::Pass
        })];
    "mrtr-empty", "mrtr.at-least-one-member", range::STATELESS, "An input_required result has neither requests nor state" => [
        Hook::Out(|out| on_interim(out, |out| {
            out.remove("/result/inputRequests");
            out.remove("/result/requestState");
        }))];
    "mrtr-complete-with-requests", "mrtr.result-type", range::STATELESS, "A result with input requests says that it is complete" => [
        Hook::Out(|out| on_interim(out, |out| {
            out.set("/result/resultType", json!("complete"));
            out.set("/result/content", json!([]));
        }))];
    "mrtr-request-with-id", "mrtr.request-kinds", range::STATELESS, "Input requests have an id and a jsonrpc member, but no params" => [
        Hook::Out(|out| each_request(out, |request| {
            request.insert("jsonrpc".into(), json!("2.0"));
            request.insert("id".into(), json!(1));
            request.shift_remove("params");
        }))];
    "mrtr-request-kind-unknown", "mrtr.request-kinds", range::STATELESS, "Input requests have a method that does not exist" => [
        Hook::Out(|out| each_request(out, |request| { request.insert("method".into(), json!("user/ask")); }))];
    "mrtr-requests-as-list", "mrtr.request-kinds", range::STATELESS, "Input requests come as an array" => [
        Hook::Out(|out| on_interim(out, |out| {
            let list: Option<Vec<Value>> = out.get("/result/inputRequests").and_then(Value::as_object)
                .map(|requests| requests.values().cloned().collect());
            if let Some(list) = list { out.set("/result/inputRequests", json!(list)); }
        }))];
    "mrtr-asks-on-list", "mrtr.supported-methods-only", range::STATELESS, "prompts/list answers input_required" => [
        Hook::Out(|out| if out.answers("prompts/list") && out.stateless() {
            out.set("/result", json!({ "resultType": "input_required", "requestState": "list" }));
        })];
    "mrtr-as-server-request", "mrtr.only-mechanism", range::STATELESS, "Sends its questions as requests of its own" => [
        Hook::Out(|out| on_interim(out, |out| {
            let requests = out.get("/result/inputRequests").and_then(Value::as_object).cloned().unwrap_or_default();
            for (key, request) in requests {
                let method = request.get("method").and_then(Value::as_str).unwrap_or_default().to_owned();
                let params = request.get("params").cloned().unwrap_or_default();
                out.before.push(jsonrpc::request(json!(key), &method, jsonrpc::object(params)));
            }
            out.withhold();
        }))];
    "mrtr-state-not-verified", "mrtr.request-state.tampered-rejected", range::STATELESS, "State that was altered is taken as intact" => [
        Hook::Out(|out| if let Some(state) = out.get("/result/requestState").cloned() { out.memory.note("states", state); }),
        Hook::In(|arrival| {
            forgive_state(arrival);
            Verdict::Pass
        })];
    "mrtr-state-tied-to-process", "mrtr.retry-self-contained", range::STATELESS, "State is good only in the process that made it" => [
        Hook::Out(|out| if let Some(state) = out.get("/result/requestState").cloned() { out.memory.note("states", state); }),
        Hook::In(|arrival| {
            if arrival.param("/requestState").is_some_and(|state| !arrival.memory.notes("states").contains(state)) {
                arrival.error(code::INVALID_PARAMS, "Unknown state")
            } else { Verdict::Pass }
        })];
    "mrtr-missing-answer-refused", "mrtr.responses.missing-reprompts", range::STATELESS, "A retry without the needed answer gets -32602" => [
        Hook::Out(|out| if out.asked_value("/inputResponses").is_some() {
            on_interim(out, |out| out.fail(code::INVALID_PARAMS, "Missing input response"));
        })];
    "mrtr-unknown-answer-refused", "mrtr.responses.unexpected-ignored", range::STATELESS, "A retry with an answer nobody asked for gets -32602" => [
        Hook::In(|arrival| {
            let known = ["user_name", "capital_question", "client_roots", "confirm", "greeting", "step1", "step2", "user_context"];
            let unknown = arrival.param("/inputResponses").and_then(Value::as_object)
                .is_some_and(|given| given.keys().any(|key| !known.contains(&key.as_str())));
            if unknown && !arrival.is("tasks/update") { arrival.error(code::INVALID_PARAMS, "Unexpected input response") } else { Verdict::Pass }
        })];
    "mrtr-malformed-answer-accepted", "mrtr.responses.invalid-rejected", range::STATELESS, "An answer of the wrong type counts as given" => [
        Hook::Out(|out| if out.replies("tools/call") && out.get("/error/message").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("inputResponses.")) {
            out.succeed_properly(json!({ "content": [{ "type": "text", "text": "Hello, undefined!" }] }));
        })];
    "mrtr-answers-refused", "mrtr.retry-completes", range::STATELESS, "A retry with all answers asks again" => [
        Hook::In(|arrival| {
            if arrival.is("tools/call") && arrival.param("/inputResponses").is_some_and(Value::is_object) {
                arrival.set("/params/inputResponses", json!({}));
            }
            Verdict::Pass
        })];
    "mrtr-stateless-retry-refused", "mrtr.retry-without-state", range::STATELESS, "A retry without state is refused although none was given" => [
        Hook::In(|arrival| {
            let answered = arrival.param("/inputResponses").is_some_and(Value::is_object);
            if arrival.is("tools/call") && answered && arrival.param("/requestState").is_none() {
                arrival.error(code::INVALID_PARAMS, "requestState is required")
            } else { Verdict::Pass }
        })];
    "mrtr-initial-repeat-refused", "mrtr.repeat-initial", range::STATELESS, "Asking the same again without answers is refused" => [
        Hook::Out(|out| on_interim(out, |out| {
            let name = json!(out.asked("/name"));
            if out.asked_value("/inputResponses").is_none() && out.memory.notes("asked tools").contains(&name) {
                out.fail(code::INVALID_PARAMS, "Input is still required");
            } else {
                out.memory.note("asked tools", name);
            }
        }))];
    "mrtr-decline-unhandled", "elicitation.decline-cancel-handled", range::STATELESS, "A declined form ends in an internal error" => [
        Hook::Out(|out| if out.answers("tools/call") && out.stateless() && out.asked_value("/inputResponses").is_some_and(|given| {
            given.to_string().contains("\"decline\"") || given.to_string().contains("\"cancel\"")
        }) { out.fail(code::INTERNAL_ERROR, "Cannot read properties of undefined"); })];
    "mrtr-form-without-message", "elicitation.message", range::STATELESS, "Forms have no message" => [
        Hook::Out(|out| each_request(out, |request| if request.get("method").is_some_and(|method| method == "elicitation/create")
            && let Some(params) = request.get_mut("params").and_then(Value::as_object_mut) { params.shift_remove("message"); }))];
    "mrtr-form-nested", "elicitation.form.flat-primitive", range::STATELESS, "Forms ask for a nested object" => [
        Hook::Out(|out| each_request(out, |request| if let Some(properties) = request.get_mut("params")
            .and_then(|params| params.pointer_mut("/requestedSchema/properties")) {
            *properties = json!({ "name": { "type": "object", "properties": {} } });
        }))];
    "mrtr-sampling-without-max-tokens", "sampling.max-tokens", range::STATELESS, "Sampling requests have no maxTokens" => [
        Hook::Out(|out| each_request(out, |request| if let Some(params) = request.get_mut("params").and_then(Value::as_object_mut) {
            params.shift_remove("maxTokens");
        }))];
}
