//! Faults of the entries of lists.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook};
use crate::revision::Revision;

/// The entry of this name in the page being sent, wherever it stands.
fn with_entry(
    out: &mut Departure<'_>,
    method: &str,
    key: &str,
    value: &str,
    change: impl FnOnce(&mut Value),
) {
    if !out.answers(method) {
        return;
    }
    let list = match method {
        "tools/list" => "/result/tools",
        "prompts/list" => "/result/prompts",
        "resources/list" => "/result/resources",
        _ => "/result/resourceTemplates",
    };
    let entries = out.get_mut(list).and_then(Value::as_array_mut);
    if let Some(entry) =
        entries.and_then(|entries| entries.iter_mut().find(|entry| entry.get(key) == Some(&json!(value))))
    {
        change(entry);
    }
}

fn tool(out: &mut Departure<'_>, name: &str, change: impl FnOnce(&mut Value)) {
    with_entry(out, "tools/list", "name", name, change);
}

/// The tool in whose entry most faults show: nothing else needs it.
const VICTIM: &str = "test_error_handling";

fn prompt(out: &mut Departure<'_>, change: impl FnOnce(&mut Value)) {
    with_entry(out, "prompts/list", "name", "test_prompt_with_arguments", change);
}

fn resource(out: &mut Departure<'_>, change: impl FnOnce(&mut Value)) {
    with_entry(out, "resources/list", "uri", "test://static-binary", change);
}

fn template(out: &mut Departure<'_>, change: impl FnOnce(&mut Value)) {
    with_entry(out, "resources/templates/list", "name", "template-data", change);
}

fn set(entry: &mut Value, name: &str, value: Value) {
    if let Some(entry) = entry.as_object_mut() {
        entry.insert(name.to_owned(), value);
    }
}

fn drop_member(entry: &mut Value, name: &str) {
    if let Some(entry) = entry.as_object_mut() {
        entry.shift_remove(name);
    }
}

/// Appends a copy of the first entry to the page.
fn repeat_first(out: &mut Departure<'_>, method: &str, list: &str) {
    if out.answers(method)
        && out.asked("/cursor").is_empty()
        && let Some(entries) = out.get_mut(list).and_then(Value::as_array_mut)
    {
        let first = entries.first().cloned();
        entries.extend(first);
    }
}

faults! { ANY =>
    "tool-without-input-schema", "schema.tool-object", range::ALL, "A tool has no inputSchema" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| drop_member(tool, "inputSchema")))];
    "tool-input-schema-null", "schema.tool-object", range::ALL, "A tool's inputSchema is null" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "inputSchema", Value::Null)))];
    "tool-input-schema-not-object-type", "schema.tool-object", range::ALL, "A tool's inputSchema has type array at its root" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "inputSchema", json!({ "type": "array" }))))];
    "tool-input-schema-without-type", "schema.tool-object", range::ALL, "A tool's inputSchema has no type at its root" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "inputSchema", json!({ "properties": {} }))))];
    "tool-input-schema-invalid", "schema.valid-under-dialect", range::FROM_2025_11, "A tool's inputSchema uses a type that JSON Schema has not" => [
        Hook::Out(|out| if out.since(Revision::V2025_11_25) {
            tool(out, VICTIM, |tool| set(tool, "inputSchema", json!({ "type": "object", "properties": { "a": { "type": "text" } } })));
        })];
    "tool-input-schema-required-boolean", "schema.tool-object", range::ALL, "A tool's inputSchema has required true instead of a list" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "inputSchema", json!({ "type": "object", "properties": {}, "required": true }))))];
    "tool-property-not-schema", "schema.properties-object-subschemas", range::STATEFUL, "A property of an inputSchema is a string" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "inputSchema", json!({ "type": "object", "properties": { "a": "string" } }))))];
    "tool-output-schema-not-object", "schema.output-schema-object", range::STATEFUL_FROM_2025_06, "An outputSchema has type array at its root" => [
        Hook::Out(|out| if !out.stateless() {
            tool(out, "test_structured_content", |tool| {
                if tool.get("outputSchema").is_some() { set(tool, "outputSchema", json!({ "type": "array" })); }
            });
        })];
    "tool-without-name", "schema.tool-object", range::ALL, "A tool has no name" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| drop_member(tool, "name")))];
    "tool-description-null", "schema.every-message-validates", range::ALL, "A tool's description is null" => [
        Hook::Out(|out| tool(out, VICTIM, |tool| set(tool, "description", Value::Null)))];
    "tool-annotation-not-boolean", "schema.tool-annotations", range::FROM_2025_03, "A tool's destructiveHint is a string" => [
        Hook::Out(|out| if out.since(Revision::V2025_03_26) {
            tool(out, VICTIM, |tool| if let Some(annotations) = tool.get_mut("annotations") { set(annotations, "destructiveHint", json!("false")); });
        })];
    "tool-task-support-unknown", "schema.tool-execution", range::TASKS, "A tool's execution.taskSupport is \"sometimes\"" => [
        Hook::Out(|out| if !out.stateless() && out.since(Revision::V2025_11_25) {
            tool(out, VICTIM, |tool| set(tool, "execution", json!({ "taskSupport": "sometimes" })));
        })];
    "tool-name-duplicate", "tools.name-unique", range::FROM_2025_11, "Two tools have the same name" => [
        Hook::Out(|out| if out.since(Revision::V2025_11_25) { repeat_first(out, "tools/list", "/result/tools"); })];
    "tool-name-with-space", "tools.name-charset", range::FROM_2025_11, "A tool's name has a space" => [
        Hook::Out(|out| if out.since(Revision::V2025_11_25) { tool(out, VICTIM, |tool| set(tool, "name", json!("test error handling"))); })];
    "tool-name-too-long", "tools.name-length", range::FROM_2025_11, "A tool's name has 200 characters" => [
        Hook::Out(|out| if out.since(Revision::V2025_11_25) { tool(out, VICTIM, |tool| set(tool, "name", json!("n".repeat(200)))); })];
    "tools-not-array", "schema.list-tools-result", range::ALL, "The list of tools is an object keyed by name" => [
        Hook::Out(|out| if out.answers("tools/list") { out.set("/result/tools", json!({ "test_simple_text": {} })); })];
    "tools-missing", "schema.list-tools-result", range::ALL, "The answer to tools/list has no tools" => [
        Hook::Out(|out| if out.answers("tools/list") { out.remove("/result/tools"); })];
    "tools-unstable-order", "tools.list.deterministic-order", range::STATELESS, "Tools change places from call to call" => [
        Hook::Out(|out| if out.answers("tools/list") && out.stateless() {
            let round = out.memory.count("tools lists");
            if let Some(tools) = out.get_mut("/result/tools").and_then(Value::as_array_mut).filter(|tools| tools.len() > 1) {
                let shift = round % tools.len();
                tools.rotate_left(shift);
            }
        })];
    "header-annotation-empty", "tools.x-mcp-header.non-empty", range::STATELESS, "An x-mcp-header annotation is empty" => [
        Hook::Out(|out| tool(out, "test_header_arguments", |tool| {
            set(tool, "inputSchema", json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "" } } }));
        }))];
    "header-annotation-not-token", "tools.x-mcp-header.token", range::STATELESS, "An x-mcp-header annotation has a space" => [
        Hook::Out(|out| tool(out, "test_header_arguments", |tool| {
            set(tool, "inputSchema", json!({ "type": "object", "properties": { "region": { "type": "string", "x-mcp-header": "My Region" } } }));
        }))];
    "header-annotation-on-number", "tools.x-mcp-header.primitive", range::STATELESS, "An x-mcp-header annotation is on a number" => [
        Hook::Out(|out| tool(out, "test_header_arguments", |tool| {
            set(tool, "inputSchema", json!({ "type": "object", "properties": { "region": { "type": "number", "x-mcp-header": "Region" } } }));
        }))];
    "header-annotation-twice", "tools.x-mcp-header.unique", range::STATELESS, "Two x-mcp-header annotations differ only in case" => [
        Hook::Out(|out| tool(out, "test_header_arguments", |tool| {
            set(tool, "inputSchema", json!({ "type": "object", "properties": {
                "region": { "type": "string", "x-mcp-header": "Region" }, "other": { "type": "string", "x-mcp-header": "region" } } }));
        }))];
    "resource-without-uri", "schema.list-resources-result", range::ALL, "A resource has no uri" => [
        Hook::Out(|out| resource(out, |entry| drop_member(entry, "uri")))];
    "resource-without-name", "schema.list-resources-result", range::ALL, "A resource has no name" => [
        Hook::Out(|out| resource(out, |entry| drop_member(entry, "name")))];
    "resource-size-string", "schema.list-resources-result", range::ALL, "A resource's size is a string" => [
        Hook::Out(|out| resource(out, |entry| set(entry, "size", json!("67 bytes"))))];
    "resource-uri-invalid", "resources.uri-valid", range::FROM_2025_06, "A resource's uri has spaces and no scheme" => [
        Hook::Out(|out| if out.since(Revision::V2025_06_18) { resource(out, |entry| set(entry, "uri", json!("static binary.png"))); })];
    "resource-uri-duplicate", "resources.uri-unique", range::ALL, "Two resources have the same uri" => [
        Hook::Out(|out| repeat_first(out, "resources/list", "/result/resources"))];
    "resource-priority-too-high", "schema.annotations", range::ALL, "A resource has priority 5" => [
        Hook::Out(|out| resource(out, |entry| set(entry, "annotations", json!({ "priority": 5 }))))];
    "resource-audience-unknown", "schema.annotations", range::ALL, "A resource's audience is \"everyone\"" => [
        Hook::Out(|out| resource(out, |entry| set(entry, "annotations", json!({ "audience": ["everyone"] }))))];
    "resource-last-modified-not-iso", "resources.last-modified-iso", range::FROM_2025_06, "A resource's lastModified is no ISO 8601 timestamp" => [
        Hook::Out(|out| if out.since(Revision::V2025_06_18) {
            resource(out, |entry| set(entry, "annotations", json!({ "lastModified": "yesterday" })));
        })];
    "template-without-uri-template", "schema.list-templates-result", range::ALL, "A resource template has no uriTemplate" => [
        Hook::Out(|out| template(out, |entry| drop_member(entry, "uriTemplate")))];
    "template-without-name", "schema.list-templates-result", range::ALL, "A resource template has no name" => [
        Hook::Out(|out| template(out, |entry| drop_member(entry, "name")))];
    "template-uri-invalid", "resources.template-uri-valid", range::ALL, "A uriTemplate has an unclosed brace" => [
        Hook::Out(|out| template(out, |entry| set(entry, "uriTemplate", json!("test://template/{id/data"))))];
    "prompt-without-name", "schema.list-prompts-result", range::ALL, "A prompt has no name" => [
        Hook::Out(|out| prompt(out, |entry| drop_member(entry, "name")))];
    "prompt-argument-without-name", "schema.list-prompts-result", range::ALL, "A prompt's argument has no name" => [
        Hook::Out(|out| prompt(out, |entry| set(entry, "arguments", json!([{ "description": "nameless" }]))))];
    "prompt-argument-required-string", "schema.list-prompts-result", range::ALL, "A prompt argument's required is a string" => [
        Hook::Out(|out| prompt(out, |entry| set(entry, "arguments", json!([{ "name": "arg1", "required": "true" }]))))];
    "prompt-name-duplicate", "prompts.name-unique", range::ALL, "Two prompts have the same name" => [
        Hook::Out(|out| repeat_first(out, "prompts/list", "/result/prompts"))];
    "prompts-missing", "schema.list-prompts-result", range::ALL, "The answer to prompts/list has no prompts" => [
        Hook::Out(|out| if out.answers("prompts/list") { out.remove("/result/prompts"); })];
    "resources-missing", "schema.list-resources-result", range::ALL, "The answer to resources/list has no resources" => [
        Hook::Out(|out| if out.answers("resources/list") { out.remove("/result/resources"); })];
    "tool-list-change-silent", "tools.list-changed-notified", range::ALL, "Changes of the list of tools are not notified" => [
        Hook::Out(|out| if out.is("notifications/tools/list_changed") { out.withhold(); })];
    "prompt-list-change-silent", "prompts.list-changed-notified", range::ALL, "Changes of the list of prompts are not notified" => [
        Hook::Out(|out| if out.is("notifications/prompts/list_changed") { out.withhold(); })];
    "resource-list-change-silent", "resources.list-changed-notified", range::ALL, "Changes of the list of resources are not notified" => [
        Hook::Out(|out| if out.is("notifications/resources/list_changed") { out.withhold(); })];
}
