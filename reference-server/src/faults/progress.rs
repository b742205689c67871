//! Faults of progress.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook};
use crate::jsonrpc;

fn on_progress(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.is("notifications/progress") {
        change(out);
    }
}

fn progress(token: &Value) -> Value {
    let params = json!({ "progressToken": token, "progress": 1000, "total": 1000 });
    jsonrpc::notification("notifications/progress", jsonrpc::object(params))
}

faults! { ANY =>
    "progress-constant", "progress.increases", range::ALL, "progress stays the same" => [
        Hook::Out(|out| on_progress(out, |out| out.set("/params/progress", json!(1))))];
    "progress-decreasing", "progress.increases", range::ALL, "progress counts down" => [
        Hook::Out(|out| on_progress(out, |out| {
            let left = out.get("/params/progress").and_then(Value::as_f64).map(|done| 1000.0 - done);
            out.set("/params/progress", json!(left));
        }))];
    "progress-wrong-token", "progress.only-known-token", range::ALL, "Progress carries a token that nobody gave" => [
        Hook::Out(|out| on_progress(out, |out| out.set("/params/progressToken", json!("no-such-token"))))];
    "progress-token-type-changed", "progress.token-type-preserved", range::ALL, "A number as token comes back as a string" => [
        Hook::Out(|out| on_progress(out, |out| {
            let token = out.get("/params/progressToken").filter(|token| token.is_number()).map(ToString::to_string);
            if let Some(token) = token { out.set("/params/progressToken", token.into()); }
        }))];
    "progress-without-wish", "progress.only-known-token", range::ALL, "Progress is reported to requests without a token" => [
        Hook::Out(|out| if out.answers_tool("test_tool_with_progress") && out.token().is_none() {
            out.before.push(progress(&json!(0)));
        })];
    "progress-after-response", "progress.stops-after-completion", range::ALL, "The last progress comes after the response" => [
        Hook::Out(|out| if out.answers("tools/call") && let Some(token) = out.token().cloned() {
            out.after.push(progress(&token));
        })];
    "progress-without-token", "schema.progress-notification", range::ALL, "Progress carries no token" => [
        Hook::Out(|out| on_progress(out, |out| out.remove("/params/progressToken")))];
    "progress-not-number", "schema.progress-notification", range::ALL, "progress is a string with a percent sign" => [
        Hook::Out(|out| on_progress(out, |out| out.set("/params/progress", json!("50%"))))];
    "progress-missing", "schema.progress-notification", range::ALL, "Progress carries only a total" => [
        Hook::Out(|out| on_progress(out, |out| out.remove("/params/progress")))];
    "progress-total-string", "schema.progress-notification", range::ALL, "total is a string" => [
        Hook::Out(|out| on_progress(out, |out| out.set("/params/total", json!("100"))))];
    "progress-message-not-string", "schema.progress-notification", range::FROM_2025_03, "message is an object" => [
        Hook::Out(|out| on_progress(out, |out| out.replace("/params/message", json!({ "text": "half" }))))];
}
