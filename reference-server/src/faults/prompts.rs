//! Faults of prompts.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::code;

fn refused(out: &Departure<'_>, opening: &str) -> bool {
    let message = out.get("/error/message").and_then(Value::as_str);
    out.replies("prompts/get") && message.is_some_and(|message| message.starts_with(opening))
}

fn on_prompt(out: &mut Departure<'_>, name: &str, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("prompts/get") && out.asked("/name") == name {
        change(out);
    }
}

fn on_simple(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    on_prompt(out, "test_simple_prompt", change);
}

fn some_messages() -> Value {
    json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "undefined" } }] })
}

faults! { ANY =>
    "prompt-missing-argument-accepted", "prompts.missing-args-32602", range::ALL, "A prompt works without its required arguments" => [
        Hook::Out(|out| if refused(out, "Missing required") { out.succeed_properly(some_messages()); })];
    "prompt-missing-argument-wrong-code", "prompts.missing-args-32602", range::ALL, "A missing required argument gets -32603" => [
        Hook::Out(|out| if refused(out, "Missing required") { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "unknown-prompt-as-success", "prompts.unknown-name-32602", range::ALL, "An unknown prompt gives messages" => [
        Hook::Out(|out| if refused(out, "Unknown prompt") { out.succeed_properly(some_messages()); })];
    "unknown-prompt-empty", "prompts.unknown-name-32602", range::ALL, "An unknown prompt gives no messages, and no error" => [
        Hook::Out(|out| if refused(out, "Unknown prompt") { out.succeed_properly(json!({ "messages": [] })); })];
    "unknown-prompt-wrong-code", "prompts.unknown-name-32602", range::ALL, "An unknown prompt gets -32601" => [
        Hook::Out(|out| if refused(out, "Unknown prompt") { out.set("/error/code", json!(code::METHOD_NOT_FOUND)); })];
    "prompt-arguments-unchecked", "prompts.validate-args", range::ALL, "Arguments of a prompt may be of any type" => [
        Hook::In(|arrival| {
            if arrival.is("prompts/get") && let Some(arguments) = arrival.message.pointer_mut("/params/arguments").and_then(Value::as_object_mut) {
                arguments.values_mut().filter(|value| !value.is_string()).for_each(|value| *value = value.to_string().into());
            }
            Verdict::Pass
        })];
    "prompt-role-unknown", "schema.get-prompt-result", range::ALL, "A prompt's message has role system" => [
        Hook::Out(|out| on_simple(out, |out| out.set("/result/messages/0/role", json!("system"))))];
    "prompt-without-role", "schema.get-prompt-result", range::ALL, "A prompt's message has no role" => [
        Hook::Out(|out| on_simple(out, |out| out.remove("/result/messages/0/role")))];
    "prompt-content-array", "schema.get-prompt-result", range::ALL, "A prompt's message has an array as content" => [
        Hook::Out(|out| on_simple(out, |out| {
            let content = out.get("/result/messages/0/content").cloned();
            out.set("/result/messages/0/content", json!([content]));
        }))];
    "prompt-content-string", "schema.get-prompt-result", range::ALL, "A prompt's message has a string as content" => [
        Hook::Out(|out| on_simple(out, |out| out.set("/result/messages/0/content", json!("plain"))))];
    "prompt-messages-missing", "schema.get-prompt-result", range::ALL, "prompts/get gives no messages" => [
        Hook::Out(|out| on_simple(out, |out| out.remove("/result/messages")))];
    "prompt-image-not-base64", "prompts.image-base64", range::ALL, "The image of a prompt is not Base64" => [
        Hook::Out(|out| on_prompt(out, "test_prompt_with_image", |out| out.replace("/result/messages/0/content/data", json!("<<not base64>>"))))];
    "prompt-image-bad-mime-type", "prompts.image-base64", range::ALL, "The image of a prompt has mimeType \"png\"" => [
        Hook::Out(|out| on_prompt(out, "test_prompt_with_image", |out| out.replace("/result/messages/0/content/mimeType", json!("png"))))];
    "prompt-resource-without-mime-type", "prompts.embedded-resource-fields", range::ALL, "The resource embedded in a prompt has no mimeType" => [
        Hook::Out(|out| on_prompt(out, "test_prompt_with_embedded_resource", |out| out.remove("/result/messages/0/content/resource/mimeType")))];
    "prompt-resource-without-content", "prompts.embedded-resource-fields", range::ALL, "The resource embedded in a prompt has neither text nor blob" => [
        Hook::Out(|out| on_prompt(out, "test_prompt_with_embedded_resource", |out| out.remove("/result/messages/0/content/resource/text")))];
}
