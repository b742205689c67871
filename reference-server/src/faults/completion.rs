//! Faults of completion.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::code;

fn on_completion(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("completion/complete") {
        change(out);
    }
}

fn refused(out: &Departure<'_>, opening: &str) -> bool {
    let message = out.get("/error/message").and_then(Value::as_str);
    out.replies("completion/complete") && message.is_some_and(|message| message.starts_with(opening))
}

fn nothing() -> Value {
    json!({ "completion": { "values": [], "total": 0, "hasMore": false } })
}

faults! { ANY =>
    "completion-too-many-values", "completion.max-100", range::ALL, "Returns 150 values at once" => [
        Hook::Out(|out| on_completion(out, |out| {
            let values: Vec<String> = (0..150).map(|number| number.to_string()).collect();
            out.set("/result/completion/values", json!(values));
        }))];
    "completion-values-not-strings", "schema.complete-result", range::ALL, "The values are objects" => [
        Hook::Out(|out| on_completion(out, |out| out.set("/result/completion/values", json!([{ "value": "test" }]))))];
    "completion-has-more-string", "schema.complete-result", range::ALL, "hasMore is a string" => [
        Hook::Out(|out| on_completion(out, |out| out.set("/result/completion/hasMore", json!("false"))))];
    "completion-total-fraction", "schema.complete-result", range::ALL, "total is a fraction" => [
        Hook::Out(|out| on_completion(out, |out| out.set("/result/completion/total", json!(1.5))))];
    "completion-flat", "schema.complete-result", range::ALL, "The values stand in the result itself" => [
        Hook::Out(|out| on_completion(out, |out| {
            out.remove("/result/completion");
            out.set("/result/values", json!([]));
        }))];
    "completion-unknown-prompt-accepted", "completion.unknown-prompt-32602", range::FROM_2025_03, "An unknown prompt gives no values, and no error" => [
        Hook::Out(|out| if refused(out, "Unknown prompt") { out.succeed_properly(nothing()); })];
    "completion-unknown-prompt-wrong-code", "completion.unknown-prompt-32602", range::FROM_2025_03, "An unknown prompt gets -32603" => [
        Hook::Out(|out| if refused(out, "Unknown prompt") { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "completion-missing-argument-accepted", "completion.missing-args-32602", range::FROM_2025_03, "A request without argument gives no values, and no error" => [
        Hook::Out(|out| if refused(out, "argument must") { out.succeed_properly(nothing()); })];
    "completion-missing-ref-accepted", "completion.missing-args-32602", range::FROM_2025_03, "A request without ref gives no values, and no error" => [
        Hook::Out(|out| if refused(out, "ref.") { out.succeed_properly(nothing()); })];
    "completion-context-refused", "completion.context-accepted", range::FROM_2025_06, "Requests with context are refused" => [
        Hook::In(|arrival| if arrival.is("completion/complete") && arrival.param("/context").is_some() {
            arrival.error(code::INVALID_PARAMS, "Unrecognized member: context")
        } else { Verdict::Pass })];
}
