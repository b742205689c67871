//! Faults of cancellation.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict, crash_if};
use crate::jsonrpc::{self, code};

fn is_cancel(arrival: &Arrival<'_>) -> bool {
    arrival.is("notifications/cancelled")
}

/// A request enters on its way in, and leaves with its answer.
fn names_open_request(arrival: &Arrival<'_>) -> bool {
    let id = arrival.param("/requestId");
    id.is_some_and(|id| {
        arrival.memory.notes("opened").contains(id) && !arrival.memory.notes("answered").contains(id)
    })
}

fn note_request(arrival: &mut Arrival<'_>) {
    if arrival.is_request()
        && let Some(id) = arrival.id().cloned()
    {
        arrival.memory.note("opened", id);
    }
}

fn note_answer(out: &mut Departure<'_>) {
    if let Some(request) = out.request {
        out.memory.note("answered", request.id.clone());
    }
}

/// Whether the request is one whose cancellation the fault is about; subscriptions have faults of their own.
fn is_listen(arrival: &Arrival<'_>) -> bool {
    arrival.param("/requestId").is_some_and(|id| arrival.memory.notes("listens").contains(id))
}

fn note_listen(arrival: &mut Arrival<'_>) {
    if arrival.is("subscriptions/listen")
        && let Some(id) = arrival.id().cloned()
    {
        arrival.memory.note("listens", id);
    }
}

faults! { ANY =>
    "cancel-ignored", "cancel.no-response-after", range::ALL, "A cancelled request is worked on and answered" => [
        Hook::In(|arrival| {
            note_listen(arrival);
            if is_cancel(arrival) && !is_listen(arrival) { Verdict::Swallow } else { Verdict::Pass }
        })];
    "cancel-answered-with-error", "cancel.no-response-after", range::ALL, "A cancelled request is answered with an error" => [
        Hook::In(|arrival| {
            note_request(arrival);
            note_listen(arrival);
            if is_cancel(arrival) && names_open_request(arrival) && !is_listen(arrival) {
                let id = arrival.param("/requestId").cloned().unwrap_or_default();
                let error = jsonrpc::RpcError::new(0, "Request cancelled");
                arrival.memory.note("answered", id.clone());
                return Verdict::Answer(jsonrpc::error(Some(&id), &error));
            }
            Verdict::Pass
        }),
        Hook::Out(|out| {
            // The core goes on, for it never saw the cancel; its answer would be a second one.
            if out.request.is_some_and(|request| out.memory.notes("answered").contains(&request.id)) { out.withhold(); }
            note_answer(out);
        })];
    "cancel-progress-goes-on", "cancel.stops-processing", range::ALL, "A cancelled request still reports progress, though no response" => [
        Hook::In(|arrival| {
            note_listen(arrival);
            if is_cancel(arrival) && !is_listen(arrival) {
                let id = arrival.param("/requestId").cloned().unwrap_or_default();
                arrival.memory.note("cancelled", id);
                return Verdict::Swallow;
            }
            Verdict::Pass
        }),
        Hook::Out(|out| if out.request.is_some_and(|request| out.memory.notes("cancelled").contains(&request.id)) { out.withhold(); })];
    "cancel-ignores-id-type", "cancel.id-type-sensitive", range::ALL, "Cancelling \"5\" cancels request 5" => [
        Hook::In(|arrival| {
            note_request(arrival);
            if is_cancel(arrival) && !names_open_request(arrival) {
                let number = arrival.text("/requestId").and_then(|id| id.parse::<i64>().ok());
                if let Some(number) = number { arrival.set("/params/requestId", json!(number)); }
            }
            Verdict::Pass
        }),
        Hook::Out(note_answer)];
    "dies-on-unknown-cancel", "cancel.ignores-unknown", range::ALL, "Dies of a cancel for a request that never was" => [
        Hook::In(|arrival| {
            note_request(arrival);
            let id = arrival.param("/requestId");
            crash_if(is_cancel(arrival) && id.is_some_and(|id| jsonrpc::is_legal_id(id) && !arrival.memory.notes("opened").contains(id)))
        })];
    "dies-on-late-cancel", "cancel.ignores-completed", range::ALL, "Dies of a cancel for a request that was answered" => [
        Hook::In(|arrival| crash_if(is_cancel(arrival)
            && arrival.param("/requestId").is_some_and(|id| arrival.memory.notes("answered").contains(id)))),
        Hook::Out(note_answer)];
    "dies-on-malformed-cancel", "cancel.ignores-malformed", range::ALL, "Dies of a cancel without a request id" => [
        Hook::In(|arrival| crash_if(is_cancel(arrival) && !arrival.param("/requestId").is_some_and(jsonrpc::is_legal_id)))];
    "unknown-cancel-answered", "cancel.ignores-unknown", range::ALL, "A cancel for a request that never was is answered with an error" => [
        Hook::In(|arrival| {
            note_request(arrival);
            let unknown = arrival.param("/requestId").is_some_and(|id| !arrival.memory.notes("opened").contains(id));
            if is_cancel(arrival) && unknown { arrival.error(code::INVALID_PARAMS, "Unknown request") } else { Verdict::Pass }
        })];
    "cancels-clients-request", "cancel.only-own-inflight", range::ALL, "Sends a cancel for the client's own request" => [
        Hook::Out(|out| if out.answers_tool("test_simple_text") {
            let id = out.message.get("id").cloned().unwrap_or(Value::Null);
            let params = jsonrpc::object(json!({ "requestId": id, "reason": "changed my mind" }));
            out.before.push(jsonrpc::notification("notifications/cancelled", params));
        })];
}
