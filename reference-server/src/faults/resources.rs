//! Faults of reading resources and of subscriptions to them.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::fixtures::WATCHED_URI;
use crate::jsonrpc::{self, code};

fn is_not_found(out: &Departure<'_>) -> bool {
    out.replies("resources/read")
        && out.get("/error/message").is_some_and(|message| message == "Resource not found")
}

fn on_text(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("resources/read") && out.asked("/uri") == "test://static-text" {
        change(out);
    }
}

fn on_binary(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("resources/read") && out.asked("/uri") == "test://static-binary" {
        change(out);
    }
}

fn updated() -> Value {
    jsonrpc::notification("notifications/resources/updated", jsonrpc::object(json!({ "uri": WATCHED_URI })))
}

faults! { ANY =>
    "unknown-resource-wrong-code", "resources.not-found-32002", range::ALL, "An unknown resource gets -32603" => [
        Hook::Out(|out| if is_not_found(out) { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "unknown-resource-empty-contents", "resources.not-found-32002", range::ALL, "An unknown resource gives empty contents" => [
        Hook::Out(|out| if is_not_found(out) { out.succeed_properly(json!({ "contents": [] })); })];
    "unknown-resource-as-success", "resources.not-found-32002", range::ALL, "An unknown resource gives an error text as content" => [
        Hook::Out(|out| if is_not_found(out) {
            let uri = out.asked("/uri").to_owned();
            out.succeed_properly(json!({ "contents": [{ "uri": uri, "text": "Error: no such resource" }] }));
        })];
    "unknown-resource-unanswered", "resources.not-found-32002", range::ALL, "Reading an unknown resource is never answered" => [
        Hook::Out(|out| if is_not_found(out) { out.withhold(); })];
    "unknown-resource-retired-code", "base.error.retired-32002", range::STATELESS, "An unknown resource gets -32002, which is retired" => [
        Hook::Out(|out| if is_not_found(out) { out.set("/error/code", json!(code::RESOURCE_NOT_FOUND)); })];
    "unknown-resource-without-uri", "resources.read.not-found-data-uri", range::STATELESS, "The error about an unknown resource does not name it" => [
        Hook::Out(|out| if is_not_found(out) && out.stateless() { out.remove("/error/data"); })];
    "contents-without-uri", "schema.read-resource-result", range::ALL, "The contents of a resource have no uri" => [
        Hook::Out(|out| on_text(out, |out| out.remove("/result/contents/0/uri")))];
    "contents-neither-text-nor-blob", "schema.read-resource-result", range::ALL, "The contents of a resource have neither text nor blob" => [
        Hook::Out(|out| on_text(out, |out| out.remove("/result/contents/0/text")))];
    "contents-text-and-blob", "schema.read-resource-result", range::ALL, "The contents of a resource have both text and blob" => [
        Hook::Out(|out| on_text(out, |out| out.set("/result/contents/0/blob", json!("AAAA"))))];
    "contents-not-array", "schema.read-resource-result", range::ALL, "The contents of a resource are an object" => [
        Hook::Out(|out| on_text(out, |out| out.set("/result/contents", json!({ "uri": "test://static-text", "text": "one" }))))];
    "contents-missing", "schema.read-resource-result", range::ALL, "Reading a resource gives no contents" => [
        Hook::Out(|out| on_text(out, |out| out.remove("/result/contents")))];
    "contents-text-not-string", "schema.read-resource-result", range::ALL, "The text of a resource is an object" => [
        Hook::Out(|out| on_text(out, |out| out.set("/result/contents/0/text", json!({ "a": 1 }))))];
    "blob-not-base64", "resources.binary-encoded", range::ALL, "The blob of a resource is not Base64" => [
        Hook::Out(|out| on_binary(out, |out| out.set("/result/contents/0/blob", json!("\u{2}PNG\r\n"))))];
    "binary-as-text", "resources.text-only-for-text", range::ALL, "A PNG is returned as text" => [
        Hook::Out(|out| on_binary(out, |out| {
            out.remove("/result/contents/0/blob");
            out.set("/result/contents/0/text", json!("\u{fffd}PNG\r\n\u{1a}\n\u{0}\u{0}\u{0}\rIHDR"));
        }))];
    "uri-missing-accepted", "base.invalid-params", range::ALL, "resources/read without a uri reads some resource" => [
        Hook::In(|arrival| {
            if arrival.is("resources/read") && arrival.param("/uri").is_none() && arrival.is_request()
                && arrival.message.get("params").is_some_and(Value::is_object) {
                arrival.set("/params/uri", json!("test://static-text"));
            }
            Verdict::Pass
        })];
    "subscribe-refused", "resources.subscribe-works", range::STATEFUL, "resources/subscribe is an unknown method although declared" => [
        Hook::Out(|out| if out.replies("resources/subscribe") { out.fail(code::METHOD_NOT_FOUND, "Method not found"); })];
    "unsubscribe-refused", "resources.subscribe-works", range::STATEFUL, "resources/unsubscribe is an unknown method although declared" => [
        Hook::Out(|out| if out.replies("resources/unsubscribe") { out.fail(code::METHOD_NOT_FOUND, "Method not found"); })];
    "subscribe-result-null", "schema.empty-result", range::STATEFUL, "The answer to resources/subscribe has result null" => [
        Hook::Out(|out| if out.answers("resources/subscribe") { out.set("/result", Value::Null); })];
    "update-without-subscription", "resources.updated-only-subscribed", range::STATEFUL, "Updates of a resource come without a subscription" => [
        Hook::Out(|out| if out.answers_tool("test_update_watched_resource") && !out.stateless() {
            out.before.push(updated());
        })];
    "update-after-unsubscribe", "resources.updated-only-subscribed", range::STATEFUL, "Updates of a resource go on after unsubscribing" => [
        Hook::In(|arrival| if arrival.is("resources/unsubscribe") && arrival.is_request() && !arrival.is_stateless() && arrival.text("/uri").is_some() {
            arrival.result(json!({}))
        } else { Verdict::Pass })];
    "update-silent", "resources.updated-sent", range::ALL, "Updates of a subscribed resource are not notified" => [
        Hook::Out(|out| if out.is("notifications/resources/updated") { out.withhold(); })];
    "update-without-uri", "schema.every-message-validates", range::ALL, "The notification of an update does not name the resource" => [
        Hook::Out(|out| if out.is("notifications/resources/updated") { out.remove("/params/uri"); })];
    "update-wrong-uri", "resources.updated-only-subscribed", range::ALL, "The notification of an update names another resource" => [
        Hook::Out(|out| if out.is("notifications/resources/updated") { out.set("/params/uri", json!("test://static-text")); })];
}
