//! Faults of the stateless era: `_meta`, versions, result types, caching hints.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Arrival, Departure, Hook, Verdict};
use crate::jsonrpc::{self, code};
use crate::stateless::{CLIENT_CAPABILITIES, CLIENT_INFO, PROTOCOL_VERSION};

const CAPABILITIES_POINTER: &str = "/params/_meta/io.modelcontextprotocol~1clientCapabilities";
const VERSION: &str = "2026-07-28";

/// A request that the stateful era would not take either.
fn lacks_handshake(arrival: &Arrival<'_>) -> bool {
    arrival.memory.revision.is_none()
        && arrival.is_request()
        && !arrival.is("initialize")
        && !arrival.is("ping")
}

fn on_unsupported(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.code() == Some(code::UNSUPPORTED_PROTOCOL_VERSION) {
        change(out);
    }
}

fn on_missing_capability(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.code() == Some(code::MISSING_CLIENT_CAPABILITY) {
        change(out);
    }
}

fn on_cacheable(out: &mut Departure<'_>, method: &str, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers(method) && out.stateless() {
        change(out);
    }
}

/// Serves a removed method as older revisions did.
fn revive(arrival: &Arrival<'_>, method: &str) -> Verdict {
    if arrival.is(method) && arrival.is_request() && arrival.is_stateless() {
        arrival.result(json!({ "resultType": "complete" }))
    } else {
        Verdict::Pass
    }
}

fn drop_hints(out: &mut Departure<'_>, method: &str) {
    on_cacheable(out, method, |out| {
        out.remove("/result/ttlMs");
        out.remove("/result/cacheScope");
    });
}

faults! { ANY =>
    "result-type-missing", "base.result.result-type-present", range::STATELESS, "Results of prompts/list have no resultType" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.remove("/result/resultType")))];
    "result-type-missing-completion", "base.result.result-type-present", range::STATELESS, "Results of completion/complete have no resultType" => [
        Hook::Out(|out| on_cacheable(out, "completion/complete", |out| out.remove("/result/resultType")))];
    "result-type-unknown", "base.result.result-type-known", range::STATELESS, "Results of prompts/list have resultType \"success\"" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.set("/result/resultType", json!("success"))))];
    "meta-missing-accepted", "base.meta.missing-meta", range::STATELESS, "Requests without _meta are served" => [
        Hook::In(|arrival| {
            if lacks_handshake(arrival) && arrival.param("/_meta").is_none() {
                arrival.set_meta(PROTOCOL_VERSION, json!(VERSION));
                arrival.set_meta(CLIENT_CAPABILITIES, json!({}));
            }
            Verdict::Pass
        })];
    "meta-missing-version-accepted", "base.meta.missing-protocol-version", range::STATELESS, "Requests without a protocol version are served" => [
        Hook::In(|arrival| {
            if arrival.is_request() && arrival.meta(CLIENT_CAPABILITIES).is_some() && arrival.meta(PROTOCOL_VERSION).is_none() {
                arrival.set_meta(PROTOCOL_VERSION, json!(VERSION));
            }
            Verdict::Pass
        })];
    "meta-missing-capabilities-accepted", "base.meta.missing-client-capabilities", range::STATELESS, "Requests without client capabilities are served" => [
        Hook::In(|arrival| {
            if arrival.is_request() && arrival.meta(PROTOCOL_VERSION).is_some() && arrival.meta(CLIENT_CAPABILITIES).is_none() {
                arrival.set_meta(CLIENT_CAPABILITIES, json!({}));
            }
            Verdict::Pass
        })];
    "meta-missing-wrong-code", "base.meta.missing-meta", range::STATELESS, "Requests without _meta get -32600" => [
        Hook::Out(|out| if out.code() == Some(code::INVALID_PARAMS) && out.get("/error/message").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("Send initialize") || text.starts_with("params._meta")) {
            out.set("/error/code", json!(code::INVALID_REQUEST));
        })];
    "meta-wrong-type-accepted", "base.meta.wrong-type-fields", range::STATELESS, "Client capabilities may be of any type" => [
        Hook::In(|arrival| {
            if arrival.meta(CLIENT_CAPABILITIES).is_some_and(|value| !value.is_object()) {
                arrival.set_meta(CLIENT_CAPABILITIES, json!({}));
            }
            Verdict::Pass
        })];
    "client-info-required", "base.meta.client-info-optional", range::STATELESS, "Requests without client info are refused" => [
        Hook::In(|arrival| if arrival.is_request() && arrival.is_stateless() && arrival.meta(CLIENT_INFO).is_none() {
            arrival.error(code::INVALID_PARAMS, "clientInfo is required")
        } else { Verdict::Pass })];
    "capabilities-inherited", "base.stateless.capabilities-not-inherited", range::STATELESS, "Capabilities of a request hold for later ones" => [
        Hook::In(|arrival| {
            if !arrival.is_stateless() { return Verdict::Pass; }
            let mut known = arrival.memory.last("capabilities").cloned().unwrap_or_else(|| json!({}));
            let declared = arrival.meta(CLIENT_CAPABILITIES).and_then(Value::as_object).cloned();
            if let (Some(known), Some(declared)) = (known.as_object_mut(), declared) {
                known.extend(declared);
                arrival.set(CAPABILITIES_POINTER, Value::Object(known.clone()));
            }
            arrival.memory.note("capabilities", known);
            Verdict::Pass
        })];
    "meta-inherited", "base.stateless.meta-not-inherited", range::STATELESS, "What a request lacks in _meta is taken from an earlier one" => [
        Hook::In(|arrival| {
            if arrival.is_stateless() && arrival.meta(CLIENT_CAPABILITIES).is_some() {
                let meta = arrival.param("/_meta").cloned().unwrap_or_default();
                arrival.memory.note("meta", meta);
            } else if arrival.is_request() && let Some(meta) = arrival.memory.last("meta").cloned() {
                for key in [PROTOCOL_VERSION, CLIENT_CAPABILITIES] {
                    if arrival.meta(key).is_none() && let Some(value) = meta.get(key) { arrival.set_meta(key, value.clone()); }
                }
            }
            Verdict::Pass
        })];
    "discover-required-first", "base.stateless.no-prior-request-needed", range::STATELESS, "Nothing works before server/discover" => [
        Hook::In(|arrival| {
            if arrival.is("server/discover") { arrival.memory.note("discovered", Value::Null); }
            if arrival.is_request() && arrival.is_stateless() && arrival.memory.notes("discovered").is_empty() {
                arrival.error(code::INVALID_REQUEST, "Server not initialized")
            } else { Verdict::Pass }
        })];
    "initialize-required-first", "discover.first-message", range::STATELESS, "server/discover does not work as the first request" => [
        Hook::In(|arrival| {
            let first = arrival.memory.count("messages") == 1;
            if arrival.is("server/discover") && first { arrival.error(code::INVALID_REQUEST, "Server not initialized") } else { Verdict::Pass }
        })];
    "discover-missing", "discover.implemented", range::STATELESS, "server/discover is an unknown method" => [
        Hook::Out(|out| if out.answers("server/discover") { out.fail(code::METHOD_NOT_FOUND, "Method not found"); })];
    "discover-without-versions", "discover.supported-versions", range::STATELESS, "The answer to server/discover has no supportedVersions" => [
        Hook::Out(|out| if out.answers("server/discover") { out.remove("/result/supportedVersions"); })];
    "discover-versions-empty", "discover.supported-versions", range::STATELESS, "supportedVersions is empty" => [
        Hook::Out(|out| if out.answers("server/discover") { out.set("/result/supportedVersions", json!([])); })];
    "discover-versions-string", "discover.supported-versions", range::STATELESS, "supportedVersions is a string" => [
        Hook::Out(|out| if out.answers("server/discover") { out.set("/result/supportedVersions", json!(VERSION)); })];
    "discover-without-capabilities", "discover.capabilities-shape", range::STATELESS, "The answer to server/discover has no capabilities" => [
        Hook::Out(|out| if out.answers("server/discover") { out.remove("/result/capabilities"); })];
    "server-info-missing", "discover.server-info", range::STATELESS, "The answer to server/discover does not say who answers" => [
        Hook::Out(|out| if out.answers("server/discover") { out.remove("/result/_meta/io.modelcontextprotocol~1serverInfo"); })];
    "server-info-top-level", "base.meta.server-info-not-top-level", range::STATELESS, "serverInfo stands in the result of server/discover itself" => [
        Hook::Out(|out| if out.answers("server/discover") && let Some(info) = out.get("/result/_meta/io.modelcontextprotocol~1serverInfo").cloned() {
            out.set("/result/serverInfo", info);
            out.remove("/result/_meta/io.modelcontextprotocol~1serverInfo");
        })];
    "server-info-missing-on-lists", "base.meta.server-info", range::STATELESS, "Results of prompts/list do not say who answers" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.remove("/result/_meta/io.modelcontextprotocol~1serverInfo")))];
    "server-info-bad-shape", "base.meta.server-info-shape", range::STATELESS, "serverInfo in _meta is a string" => [
        Hook::Out(|out| if out.answers("prompts/list") && out.stateless() {
            out.replace("/result/_meta/io.modelcontextprotocol~1serverInfo", json!("mcp-reference-server/0.1.0"));
        })];
    "unsupported-version-accepted", "version.unsupported-error", range::STATELESS, "Requests of any version are served" => [
        Hook::In(|arrival| {
            if arrival.meta(PROTOCOL_VERSION).is_some_and(Value::is_string) { arrival.set_meta(PROTOCOL_VERSION, json!(VERSION)); }
            Verdict::Pass
        })];
    "unsupported-version-accepted-on-lists", "version.unsupported-error-any-method", range::STATELESS, "Lists are served in any version" => [
        Hook::In(|arrival| {
            if arrival.method().ends_with("/list") && arrival.meta(PROTOCOL_VERSION).is_some_and(Value::is_string) {
                arrival.set_meta(PROTOCOL_VERSION, json!(VERSION));
            }
            Verdict::Pass
        })];
    "unsupported-version-wrong-code", "version.unsupported-error", range::STATELESS, "An unsupported version gets -32602" => [
        Hook::Out(|out| on_unsupported(out, |out| out.set("/error/code", json!(code::INVALID_PARAMS))))];
    "unsupported-version-old-code", "version.unsupported-error", range::STATELESS, "An unsupported version gets -32004, the code of a draft" => [
        Hook::Out(|out| on_unsupported(out, |out| out.set("/error/code", json!(-32004))))];
    "unsupported-version-without-data", "version.unsupported-error-data", range::STATELESS, "The error for an unsupported version has no data" => [
        Hook::Out(|out| on_unsupported(out, |out| out.remove("/error/data")))];
    "unsupported-version-without-requested", "version.unsupported-error-data", range::STATELESS, "The error for an unsupported version does not repeat it" => [
        Hook::Out(|out| on_unsupported(out, |out| out.remove("/error/data/requested")))];
    "unsupported-version-wrong-list", "version.supported-list-consistent", range::STATELESS, "The error for an unsupported version names versions that are not served" => [
        Hook::Out(|out| on_unsupported(out, |out| out.set("/error/data/supported", json!(["2027-01-01"]))))];
    "bad-version-sticks", "base.stateless.version-per-request", range::STATELESS, "After an unsupported version nothing works any more" => [
        Hook::In(|arrival| {
            if arrival.meta(PROTOCOL_VERSION).is_some_and(|version| version != VERSION) { arrival.memory.note("bad version", Value::Null); return Verdict::Pass; }
            if arrival.is_request() && arrival.is_stateless() && !arrival.memory.notes("bad version").is_empty() {
                arrival.error(code::INVALID_REQUEST, "Version mismatch")
            } else { Verdict::Pass }
        })];
    "removed-ping-served", "base.error.removed-methods", range::STATELESS, "ping is still served" => [
        Hook::In(|arrival| revive(arrival, "ping"))];
    "removed-set-level-served", "logging.set-level-removed", range::STATELESS, "logging/setLevel is still served" => [
        Hook::In(|arrival| revive(arrival, "logging/setLevel"))];
    "removed-subscribe-served", "base.error.removed-methods", range::STATELESS, "resources/subscribe is still served" => [
        Hook::In(|arrival| revive(arrival, "resources/subscribe"))];
    "removed-methods-wrong-code", "base.error.removed-methods", range::STATELESS, "Removed methods get -32600" => [
        Hook::Out(|out| if out.stateless() && out.code() == Some(code::METHOD_NOT_FOUND)
            && (out.replies("ping") || out.replies("logging/setLevel") || out.replies("resources/subscribe")) {
            out.set("/error/code", json!(code::INVALID_REQUEST));
        })];
    "server-request-sent", "base.no-server-initiated-requests", range::STATELESS, "Asks for roots by a request of its own" => [
        Hook::Out(|out| if out.answers_tool("test_streaming_elicitation") && out.stateless() {
            out.before.push(jsonrpc::request(json!("server-1"), "roots/list", jsonrpc::Object::new()));
        })];
    "server-pings", "base.no-server-initiated-requests", range::STATELESS, "Pings the client" => [
        Hook::Out(|out| if out.answers("prompts/list") && out.stateless() {
            out.before.push(jsonrpc::request(json!("server-ping"), "ping", jsonrpc::Object::new()));
        })];
    "unknown-notification-sent", "base.notification.known-methods", range::STATELESS, "Sends a notification that no client knows" => [
        Hook::Out(|out| if out.answers("prompts/list") && out.stateless() {
            out.before.push(jsonrpc::notification("notifications/heartbeat", jsonrpc::Object::new()));
        })];
    "hints-missing-discover", "caching.hints.discover", range::STATELESS, "The answer to server/discover has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "server/discover"))];
    "hints-missing-tools", "caching.hints.tools-list", range::STATELESS, "The answer to tools/list has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "tools/list"))];
    "hints-missing-prompts", "caching.hints.prompts-list", range::STATELESS, "The answer to prompts/list has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "prompts/list"))];
    "hints-missing-resources", "caching.hints.resources-list", range::STATELESS, "The answer to resources/list has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "resources/list"))];
    "hints-missing-templates", "caching.hints.templates-list", range::STATELESS, "The answer to resources/templates/list has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "resources/templates/list"))];
    "hints-missing-read", "caching.hints.resources-read", range::STATELESS, "The answer to resources/read has no caching hints" => [
        Hook::Out(|out| drop_hints(out, "resources/read"))];
    "ttl-negative", "caching.ttl-non-negative", range::STATELESS, "ttlMs of prompts/list is -1" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.set("/result/ttlMs", json!(-1))))];
    "ttl-fraction", "caching.ttl-integer", range::STATELESS, "ttlMs of prompts/list is a fraction" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.set("/result/ttlMs", json!(0.5))))];
    "ttl-string", "caching.ttl-integer", range::STATELESS, "ttlMs of prompts/list is a string" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.set("/result/ttlMs", json!("1000"))))];
    "cache-scope-unknown", "caching.scope-enum", range::STATELESS, "cacheScope of prompts/list is \"shared\"" => [
        Hook::Out(|out| on_cacheable(out, "prompts/list", |out| out.set("/result/cacheScope", json!("shared"))))];
    "cache-scope-varies", "caching.scope-consistent-pages", range::STATELESS, "Later pages of a list have another cacheScope" => [
        Hook::Out(|out| if out.asked_value("/cursor").is_some() { out.replace("/result/cacheScope", json!("private")); })];
    "hints-on-interim-result", "caching.no-hints-on-interim", range::STATELESS, "An input_required result has caching hints" => [
        Hook::Out(|out| if out.get("/result/resultType").is_some_and(|kind| kind == "input_required") {
            out.set("/result/ttlMs", json!(1000));
            out.set("/result/cacheScope", json!("public"));
        })];
    "missing-capability-wrong-code", "base.meta.missing-capability-error", range::STATELESS, "A missing client capability gets -32602" => [
        Hook::Out(|out| on_missing_capability(out, |out| out.set("/error/code", json!(code::INVALID_PARAMS))))];
    "missing-capability-without-data", "base.meta.missing-capability-data", range::STATELESS, "The error for a missing client capability does not name it" => [
        Hook::Out(|out| on_missing_capability(out, |out| out.remove("/error/data")))];
    "missing-capability-list", "base.meta.missing-capability-data", range::STATELESS, "The error for a missing client capability names it in a list" => [
        Hook::Out(|out| on_missing_capability(out, |out| out.set("/error/data/requiredCapabilities", json!(["sampling"]))))];
    "missing-capability-undefined-code", "base.error.reserved-range-undefined", range::STATELESS, "A missing client capability gets -32050, which is reserved" => [
        Hook::Out(|out| on_missing_capability(out, |out| out.set("/error/code", json!(-32050))))];
    "reserved-code-misused", "base.error.reserved-codes-meaning", range::STATELESS, "An unknown tool gets -32020" => [
        Hook::Out(|out| if out.replies("tools/call") && out.stateless() && out.get("/error/message").and_then(Value::as_str)
            .is_some_and(|text| text.starts_with("Unknown tool")) { out.set("/error/code", json!(-32020)); })];
    "retired-url-code", "base.error.retired-32042", range::STATELESS, "A missing client capability gets -32042, which is retired" => [
        Hook::Out(|out| on_missing_capability(out, |out| out.set("/error/code", json!(code::URL_ELICITATION_REQUIRED))))];
    "extension-not-object", "version.extension-settings-object", range::STATELESS, "The settings of an extension are true" => [
        Hook::Out(|out| if out.answers("server/discover") {
            out.set("/result/capabilities/extensions/io.modelcontextprotocol~1tasks", json!(true));
        })];
    "extension-without-prefix", "version.extension-identifier-format", range::STATELESS, "An extension's identifier has no prefix" => [
        Hook::Out(|out| if out.answers("server/discover") { out.set("/result/capabilities/extensions/tasks", json!({})); })];
}
