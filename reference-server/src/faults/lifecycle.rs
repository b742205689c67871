//! Faults of the handshake, of capabilities and of ping.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};
use crate::revision::Revision;

/// Answers requests whose method starts so as if it did not exist.
fn hide(out: &mut Departure<'_>, prefix: &str) {
    if out.request.is_some_and(|request| request.method.starts_with(prefix)) {
        out.fail(code::METHOD_NOT_FOUND, "Method not found");
    }
}

/// Takes a capability out of what the server declares.
fn undeclare(out: &mut Departure<'_>, name: &str) {
    if out.answers("initialize") || out.answers("server/discover") {
        out.remove(&format!("/result/capabilities/{name}"));
    }
}

fn on_introduction(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("initialize") || out.answers("server/discover") {
        change(out);
    }
}

faults! { ANY =>
    "echo-any-version", "lifecycle.version-counter-offer", range::STATEFUL, "Agrees to any version it is asked for" => [
        Hook::Out(|out| if out.answers("initialize") && Revision::parse(out.asked("/protocolVersion")).is_none() {
            let asked = out.asked("/protocolVersion").to_owned();
            out.set("/result/protocolVersion", asked.into());
        })];
    "error-on-unknown-version", "lifecycle.version-counter-offer", range::STATEFUL, "Refuses initialize with an unknown version" => [
        Hook::In(|arrival| {
            let unknown = arrival.text("/protocolVersion").is_some_and(|version| Revision::parse(version).is_none());
            if arrival.is("initialize") && unknown { arrival.error(code::INVALID_PARAMS, "Unsupported protocol version") } else { Verdict::Pass }
        })];
    "ignore-requested-version", "lifecycle.version-echo", "2024-11-05..2025-06-18", "Always answers with its latest version" => [
        Hook::Out(|out| if out.answers("initialize") {
            out.set("/result/protocolVersion", Revision::LATEST_STATEFUL.as_str().into());
        })];
    "counter-offer-oldest", "lifecycle.version-counter-offer-latest", range::STATEFUL, "Offers its oldest version in place of an unknown one" => [
        Hook::In(|arrival| {
            if arrival.is("initialize") && arrival.text("/protocolVersion").is_some_and(|version| Revision::parse(version).is_none()) {
                arrival.set("/params/protocolVersion", Revision::V2024_11_05.as_str().into());
            }
            Verdict::Pass
        })];
    "initialize-without-version", "schema.initialize-result", range::STATEFUL, "The answer to initialize has no protocolVersion" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/protocolVersion"); })];
    "initialize-without-capabilities", "schema.initialize-result", range::STATEFUL, "The answer to initialize has no capabilities" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/capabilities"); })];
    "initialize-without-server-info", "schema.initialize-result", range::STATEFUL, "The answer to initialize has no serverInfo" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/serverInfo"); })];
    "initialize-unanswered", "lifecycle.initialize-response", range::STATEFUL, "initialize is never answered" => [
        Hook::Out(|out| if out.replies("initialize") { out.withhold(); })];
    "server-info-without-version", "schema.server-info", range::STATEFUL, "serverInfo has no version" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/serverInfo/version"); })];
    "server-info-without-name", "schema.server-info", range::STATEFUL, "serverInfo has no name" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/serverInfo/name"); })];
    "server-info-version-number", "schema.server-info", range::STATEFUL, "serverInfo.version is a number" => [
        Hook::Out(|out| if out.answers("initialize") { out.set("/result/serverInfo/version", json!(1.0)); })];
    "instructions-not-string", "schema.initialize-result", range::ALL, "instructions is an array" => [
        Hook::Out(|out| on_introduction(out, |out| out.set("/result/instructions", json!(["Be kind"]))))];
    "capability-not-object", "schema.capabilities-objects", range::ALL, "The logging capability is true instead of an object" => [
        Hook::Out(|out| on_introduction(out, |out| out.set("/result/capabilities/logging", json!(true))))];
    "list-changed-not-boolean", "schema.capabilities-objects", range::ALL, "listChanged of prompts is a string" => [
        Hook::Out(|out| on_introduction(out, |out| out.set("/result/capabilities/prompts/listChanged", json!("yes"))))];
    "icon-without-src", "base.icons-src-uri", range::FROM_2025_11, "The server's icon has no src" => [
        Hook::Out(|out| on_introduction(out, |out| {
            out.remove("/result/serverInfo/icons/0/src");
            out.remove("/result/_meta/io.modelcontextprotocol~1serverInfo/icons/0/src");
        }))];
    "icon-sizes-string", "base.icons-fields", range::FROM_2025_11, "The sizes of the server's icon are a string" => [
        Hook::Out(|out| on_introduction(out, |out| {
            out.replace("/result/serverInfo/icons/0/sizes", json!("1x1"));
            out.replace("/result/_meta/io.modelcontextprotocol~1serverInfo/icons/0/sizes", json!("1x1"));
        }))];
    "asks-before-initialized", "lifecycle.server-quiet-before-initialized", range::STATEFUL, "Asks for roots right after answering initialize" => [
        Hook::Out(|out| if out.answers("initialize") && out.asked_value("/capabilities/roots").is_some() {
            out.after.push(jsonrpc::request(json!("server-early"), "roots/list", jsonrpc::Object::new()));
        })];
    "ping-refused-before-initialized", "lifecycle.ping-before-initialized", range::STATEFUL, "Refuses ping before notifications/initialized" => [
        Hook::In(|arrival| if arrival.is("ping") && !arrival.memory.initialized && !arrival.is_stateless() {
            arrival.error(code::INVALID_REQUEST, "Not initialized")
        } else { Verdict::Pass })];
    "ping-with-content", "ping.empty-result", range::STATEFUL, "The answer to ping is not empty" => [
        Hook::Out(|out| if out.answers("ping") { out.set("/result", json!({ "status": "ok" })); })];
    "ping-unknown", "ping.respond", range::STATEFUL, "ping is an unknown method" => [
        Hook::Out(|out| if !out.stateless() { hide(out, "ping"); })];
    "ping-unanswered", "ping.respond", range::STATEFUL, "ping is never answered" => [
        Hook::Out(|out| if out.replies("ping") && !out.stateless() { out.withhold(); })];
    "declared-tools-missing", "lifecycle.declared-capability-works", range::ALL, "Declares tools but has no methods for them" => [
        Hook::Out(|out| hide(out, "tools/"))];
    "declared-resources-missing", "lifecycle.declared-capability-works", range::ALL, "Declares resources but has no methods for them" => [
        Hook::Out(|out| hide(out, "resources/"))];
    "declared-prompts-missing", "lifecycle.declared-capability-works", range::ALL, "Declares prompts but has no methods for them" => [
        Hook::Out(|out| hide(out, "prompts/"))];
    "declared-completions-missing", "lifecycle.declared-capability-works", range::FROM_2025_03, "Declares completions but has no method for them" => [
        Hook::Out(|out| if out.since(Revision::V2025_03_26) { hide(out, "completion/"); })];
    "declared-logging-missing", "lifecycle.declared-capability-works", range::STATEFUL, "Declares logging but has no logging/setLevel" => [
        Hook::Out(|out| hide(out, "logging/"))];
    "undeclared-tools", "tools.declare-capability", range::ALL, "Serves tools without declaring them" => [
        Hook::Out(|out| undeclare(out, "tools"))];
    "undeclared-resources", "resources.declare-capability", range::ALL, "Serves resources without declaring them" => [
        Hook::Out(|out| undeclare(out, "resources"))];
    "undeclared-prompts", "prompts.declare-capability", range::ALL, "Serves prompts without declaring them" => [
        Hook::Out(|out| undeclare(out, "prompts"))];
    "undeclared-completions", "completion.declare-capability", range::FROM_2025_03, "Serves completions without declaring them" => [
        Hook::Out(|out| undeclare(out, "completions"))];
    "undeclared-logging", "logging.declare-capability", range::ALL, "Logs without declaring it" => [
        Hook::Out(|out| undeclare(out, "logging"))];
    "undeclared-tools-list-changed", "tools.list-changed-only-declared", range::STATEFUL, "Notifies changes of tools without declaring listChanged" => [
        Hook::Out(|out| undeclare(out, "tools/listChanged"))];
    "undeclared-resources-list-changed", "resources.list-changed-only-declared", range::STATEFUL, "Notifies changes of resources without declaring listChanged" => [
        Hook::Out(|out| undeclare(out, "resources/listChanged"))];
    "undeclared-prompts-list-changed", "prompts.list-changed-only-declared", range::STATEFUL, "Notifies changes of prompts without declaring listChanged" => [
        Hook::Out(|out| undeclare(out, "prompts/listChanged"))];
    "undeclared-subscribe", "resources.subscribe-undeclared-refused", range::STATEFUL, "Serves resources/subscribe without declaring it" => [
        Hook::Out(|out| undeclare(out, "resources/subscribe"))];
    "newer-content-in-old-revision", "lifecycle.respect-version", range::OLDEST, "Returns audio in a revision that has none" => [
        Hook::Out(|out| if out.answers_tool("test_image_content") && out.memory.revision == Some(Revision::V2024_11_05) {
            out.replace("/result/content/0/type", json!("audio"));
        })];
    "newer-method-in-old-revision", "lifecycle.respect-version", range::OLDEST, "Sends an elicitation in a revision that has none" => [
        Hook::Out(|out| if out.answers_tool("test_simple_text") && out.memory.revision == Some(Revision::V2024_11_05) {
            let params = json!({ "message": "?", "requestedSchema": { "type": "object", "properties": {} } });
            out.before.push(jsonrpc::request(json!("server-newer"), "elicitation/create", jsonrpc::object(params)));
        })];
    "initialize-fails", "lifecycle.initialize-response", range::STATEFUL, "The answer to initialize is an error" => [
        Hook::Out(|out| if out.answers("initialize") { out.fail(code::INTERNAL_ERROR, "Not today"); })];
    "version-not-string", "schema.initialize-result", range::STATEFUL, "protocolVersion is a number" => [
        Hook::Out(|out| if out.answers("initialize") && out.get("/result/protocolVersion").is_some_and(Value::is_string) {
            out.set("/result/protocolVersion", json!(20_250_326));
        })];
}
