//! The stateless era (2026-07-28): every request says in `_meta` what the handshake used to settle
//! (spec page `basic/index#_meta`), and every result says what kind it is.

use serde_json::{Value, json};

use crate::context::{Caller, ClientCapabilities, Context};
use crate::jsonrpc::{Object, Request, RpcError, code, is_legal_id};
use crate::lifecycle;
use crate::logging::Level;
use crate::revision::Revision;

/// `_meta` key: the revision of the request.
pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// `_meta` key: what the client can do.
pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// `_meta` key: who the client is; optional.
pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
/// `_meta` key: the least level of log messages wanted; without it there are none.
pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
/// `_meta` key of results: who answers.
pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// `_meta` key of a subscription's messages: the id of its listen request.
pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";

/// Whether a request speaks the stateless dialect, rightly or wrongly.
#[must_use]
pub fn is_stateless(request: &Request) -> bool {
    is_stateless_call(&request.method, request.meta())
}

/// The same for a request of which only method and `_meta` are known.
pub(crate) fn is_stateless_call(method: &str, meta: Option<&Object>) -> bool {
    matches!(method, "server/discover" | "subscriptions/listen")
        || meta.is_some_and(|meta| {
            [PROTOCOL_VERSION, CLIENT_CAPABILITIES, CLIENT_INFO].iter().any(|key| meta.contains_key(*key))
        })
}

/// Reads `_meta`. Nothing of an earlier request fills in for what is missing here.
///
/// # Errors
/// -32602 for missing or mistyped members, -32022 for a revision that is not served.
pub fn caller(request: &Request) -> Result<Caller, RpcError> {
    let Some(meta) = request.meta() else {
        return Err(RpcError::invalid_params("params._meta is required"));
    };
    let Some(version) = meta.get(PROTOCOL_VERSION).and_then(Value::as_str) else {
        return Err(RpcError::invalid_params(format!("_meta must have {PROTOCOL_VERSION}, a string")));
    };
    let Some(capabilities) = meta.get(CLIENT_CAPABILITIES).and_then(Value::as_object) else {
        return Err(RpcError::invalid_params(format!("_meta must have {CLIENT_CAPABILITIES}, an object")));
    };
    let Some(revision) = Revision::parse(version).filter(|revision| Revision::STATELESS.contains(revision))
    else {
        let supported = Revision::STATELESS.map(Revision::as_str);
        return Err(RpcError::new(code::UNSUPPORTED_PROTOCOL_VERSION, "Unsupported protocol version")
            .with_data(json!({ "supported": supported, "requested": version })));
    };
    let log_level = match meta.get(LOG_LEVEL) {
        None => None,
        Some(level) => Some(
            level
                .as_str()
                .and_then(Level::parse)
                .ok_or_else(|| RpcError::invalid_params("Unknown log level"))?,
        ),
    };
    Ok(Caller {
        revision,
        capabilities: ClientCapabilities(capabilities.clone()),
        progress_token: meta.get("progressToken").filter(|token| is_legal_id(token)).cloned(),
        log_level,
    })
}

/// Answers `server/discover` (spec page `server/discover`).
pub(crate) fn discover(context: &Context) -> Value {
    let revision = context.revision();
    json!({
        "supportedVersions": Revision::STATELESS.map(Revision::as_str),
        "capabilities": lifecycle::capabilities_of(revision, &context.session.server.settings),
        "instructions": lifecycle::INSTRUCTIONS,
        "_meta": { SERVER_INFO: lifecycle::server_info(revision) },
    })
}

/// The methods whose results a client may keep (spec page `server/utilities/caching`).
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];

/// Adds what every result of the era has: its type, who answers, and how long it may be kept.
pub(crate) fn complete_result(method: &str, result: &mut Value) {
    let Some(result) = result.as_object_mut() else { return };
    let complete = result.entry("resultType").or_insert_with(|| "complete".into()) == "complete";
    // Interim results are for this one request: nothing to keep.
    if complete && CACHEABLE.contains(&method) {
        // Lists change when the trigger tools are called, so they are kept for a short time only.
        result.insert("ttlMs".into(), json!(1000));
        result.insert("cacheScope".into(), "public".into());
    }
    let meta = result.entry("_meta").or_insert_with(|| json!({}));
    if let Some(meta) = meta.as_object_mut() {
        meta.entry(SERVER_INFO).or_insert_with(lifecycle::server_name);
    }
}

/// -32021: the request needs a capability that it does not declare.
pub(crate) fn missing_capability(required: &Value) -> RpcError {
    RpcError::new(
        code::MISSING_CLIENT_CAPABILITY,
        "The request does not declare a required client capability",
    )
    .with_data(json!({ "requiredCapabilities": required }))
}
