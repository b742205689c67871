//! Faults of tool calls and their results.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::code;

fn is_unknown_tool(out: &Departure<'_>) -> bool {
    out.replies("tools/call") && message(out).starts_with("Unknown tool")
}

fn is_malformed_call(out: &Departure<'_>) -> bool {
    out.replies("tools/call")
        && (message(out).starts_with("name must") || message(out).starts_with("arguments must"))
}

fn message<'a>(out: &'a Departure<'_>) -> &'a str {
    out.get("/error/message").and_then(Value::as_str).unwrap_or_default()
}

fn has_bad_arguments(out: &Departure<'_>) -> bool {
    let text = out.get("/result/content/0/text").and_then(Value::as_str);
    out.answers("tools/call") && text.is_some_and(|text| text.starts_with("Invalid arguments"))
}

fn on_tool(out: &mut Departure<'_>, name: &str, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers_tool(name) {
        change(out);
    }
}

fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

fn error_text(message: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": message }], "isError": true })
}

faults! { ANY =>
    "unknown-tool-as-error-result", "tools.unknown-tool-error", range::ALL, "A call of an unknown tool gives a result with isError" => [
        Hook::Out(|out| if is_unknown_tool(out) { out.succeed_properly(error_text("Unknown tool")); })];
    "unknown-tool-as-success", "tools.unknown-tool-error", range::ALL, "A call of an unknown tool gives an ordinary result" => [
        Hook::Out(|out| if is_unknown_tool(out) { out.succeed_properly(text("Done.")); })];
    "unknown-tool-unanswered", "tools.unknown-tool-error", range::ALL, "A call of an unknown tool is never answered" => [
        Hook::Out(|out| if is_unknown_tool(out) { out.withhold(); })];
    "unknown-tool-wrong-code", "tools.unknown-tool-error", range::ALL, "A call of an unknown tool gets -32603" => [
        Hook::Out(|out| if is_unknown_tool(out) { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "malformed-call-as-error-result", "tools.malformed-call-error", range::ALL, "A malformed tools/call gives a result with isError" => [
        Hook::Out(|out| if is_malformed_call(out) { out.succeed_properly(error_text("Bad call")); })];
    "malformed-call-accepted", "tools.malformed-call-error", range::ALL, "Arguments that are no object are taken as none" => [
        Hook::In(|arrival| {
            if arrival.is("tools/call") && arrival.param("/arguments").is_some_and(|arguments| !arguments.is_object()) {
                arrival.remove("/params/arguments");
            }
            Verdict::Pass
        })];
    "bad-arguments-as-protocol-error", "tools.call.validation-as-tool-error", range::FROM_2025_11, "Arguments that do not fit the schema get -32602" => [
        Hook::Out(|out| if has_bad_arguments(out) { out.fail(code::INVALID_PARAMS, "Invalid arguments"); })];
    "bad-arguments-accepted", "tools.call.validation-as-tool-error", range::ALL, "Arguments that do not fit the schema are not noticed" => [
        Hook::Out(|out| if has_bad_arguments(out) { out.succeed_properly(text("Done.")); })];
    "bad-arguments-internal-error", "tools.execution-error-in-result", range::ALL, "Arguments that do not fit the schema get -32603" => [
        Hook::Out(|out| if has_bad_arguments(out) { out.fail(code::INTERNAL_ERROR, "TypeError: undefined is not a function"); })];
    "missing-arguments-refused", "tools.execution-error-in-result", range::ALL, "A call without arguments is refused" => [
        Hook::In(|arrival| if arrival.is("tools/call") && arrival.text("/name").is_some() && arrival.param("/arguments").is_none() {
            arrival.error(code::INVALID_PARAMS, "arguments is required")
        } else { Verdict::Pass })];
    "tool-error-as-protocol-error", "tools.execution-error-in-result", range::ALL, "A tool's own failure becomes a protocol error" => [
        Hook::Out(|out| on_tool(out, "test_error_handling", |out| out.fail(code::INTERNAL_ERROR, "The tool failed")))];
    "tool-error-as-success", "tools.execution-error-in-result", range::ALL, "A tool's own failure has no isError" => [
        Hook::Out(|out| on_tool(out, "test_error_handling", |out| out.remove("/result/isError")))];
    "is-error-not-boolean", "schema.call-tool-result", range::ALL, "isError is a string" => [
        Hook::Out(|out| on_tool(out, "test_error_handling", |out| out.set("/result/isError", json!("true"))))];
    "content-missing", "schema.call-tool-result", range::ALL, "A tool's result has no content" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.remove("/result/content")))];
    "content-not-array", "schema.call-tool-result", range::ALL, "The content of a tool's result is an object" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.set("/result/content", json!({ "type": "text", "text": "one" }))))];
    "content-string", "schema.call-tool-result", range::ALL, "The content of a tool's result is a string" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.set("/result/content", json!("plain"))))];
    "content-type-unknown", "schema.content-block-types", range::ALL, "A tool's result has content of type \"markdown\"" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.set("/result/content/0/type", json!("markdown"))))];
    "content-without-type", "schema.content-block-types", range::ALL, "A tool's result has content without type" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.remove("/result/content/0/type")))];
    "text-missing", "schema.call-tool-result", range::ALL, "A text content has no text" => [
        Hook::Out(|out| on_tool(out, "test_simple_text", |out| out.remove("/result/content/0/text")))];
    "image-not-base64", "tools.call.image-audio-base64", range::ALL, "The data of an image is not Base64" => [
        Hook::Out(|out| on_tool(out, "test_image_content", |out| out.replace("/result/content/0/data", json!("<<not base64>>"))))];
    "image-data-url", "tools.call.image-audio-base64", range::ALL, "The data of an image is a data URL" => [
        Hook::Out(|out| on_tool(out, "test_image_content", |out| out.replace("/result/content/0/data", json!("data:image/png;base64,AAAA"))))];
    "image-without-mime-type", "schema.call-tool-result", range::ALL, "An image has no mimeType" => [
        Hook::Out(|out| on_tool(out, "test_image_content", |out| out.remove("/result/content/0/mimeType")))];
    "audio-not-base64", "tools.call.image-audio-base64", range::FROM_2025_03, "The data of a sound is not Base64" => [
        Hook::Out(|out| on_tool(out, "test_audio_content", |out| out.replace("/result/content/0/data", json!("<<not base64>>"))))];
    "audio-without-mime-type", "schema.call-tool-result", range::FROM_2025_03, "A sound has no mimeType" => [
        Hook::Out(|out| on_tool(out, "test_audio_content", |out| out.remove("/result/content/0/mimeType")))];
    "embedded-resource-without-uri", "schema.call-tool-result", range::ALL, "An embedded resource has no uri" => [
        Hook::Out(|out| on_tool(out, "test_embedded_resource", |out| out.remove("/result/content/0/resource/uri")))];
    "embedded-resource-without-content", "schema.call-tool-result", range::ALL, "An embedded resource has neither text nor blob" => [
        Hook::Out(|out| on_tool(out, "test_embedded_resource", |out| out.remove("/result/content/0/resource/text")))];
    "embedded-resource-flat", "schema.call-tool-result", range::ALL, "An embedded resource's members stand in the content itself" => [
        Hook::Out(|out| on_tool(out, "test_embedded_resource", |out| {
            out.set("/result/content/0", json!({ "type": "resource", "uri": "test://embedded-resource", "text": "flat" }));
        }))];
    "resource-link-without-name", "schema.call-tool-result", range::FROM_2025_06, "A resource link has no name" => [
        Hook::Out(|out| on_tool(out, "test_resource_link", |out| out.remove("/result/content/0/name")))];
    "resource-link-without-uri", "schema.call-tool-result", range::FROM_2025_06, "A resource link has no uri" => [
        Hook::Out(|out| on_tool(out, "test_resource_link", |out| out.remove("/result/content/0/uri")))];
    "structured-content-missing", "tools.structured-conforms", range::FROM_2025_06, "A tool with outputSchema returns no structuredContent" => [
        Hook::Out(|out| on_tool(out, "test_structured_content", |out| out.remove("/result/structuredContent")))];
    "structured-content-not-conforming", "tools.structured-conforms", range::FROM_2025_06, "structuredContent does not fit the outputSchema" => [
        Hook::Out(|out| on_tool(out, "test_structured_content", |out| out.set("/result/structuredContent", json!({ "temperature": "warm" }))))];
    "structured-content-validation-text", "tools.structured-conforms", range::FROM_2025_06, "In place of structuredContent there is an error text of the SDK" => [
        Hook::Out(|out| on_tool(out, "test_structured_content", |out| {
            out.succeed_properly(error_text("Output validation error: Tool test_structured_content has an output schema but did not return structured content"));
        }))];
    "structured-content-string", "schema.call-tool-result", range::STATEFUL_FROM_2025_06, "structuredContent is JSON in a string" => [
        Hook::Out(|out| if !out.stateless() {
            on_tool(out, "test_structured_content", |out| out.set("/result/structuredContent", json!("{\"temperature\":22.5}")));
        })];
    "structured-content-text-missing", "tools.structured-text-mirror", range::FROM_2025_06, "There is no text beside structuredContent" => [
        Hook::Out(|out| on_tool(out, "test_structured_content", |out| out.set("/result/content", json!([]))))];
    "structured-content-without-content", "schema.call-tool-result", range::FROM_2025_06, "There is no content beside structuredContent" => [
        Hook::Out(|out| on_tool(out, "test_structured_content", |out| out.remove("/result/content")))];
}
