//! The handshake of the stateful era (spec page `basic/lifecycle`) and what the server says of itself.

use serde_json::{Value, json};

use crate::context::{ClientCapabilities, Context};
use crate::fixtures::PNG;
use crate::jsonrpc::RpcError;
use crate::outbox::lock;
use crate::revision::Revision;
use crate::server::Settings;

/// What `initialize` has settled.
#[derive(Debug, Clone)]
pub(crate) struct Handshake {
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
    /// True once the client has said so; until then the server asks nothing of it.
    pub(crate) initialized: bool,
}

/// Answers `initialize`.
pub(crate) fn initialize(context: &Context) -> Result<Value, RpcError> {
    if lock(&context.session.handshake).is_some() {
        return Err(RpcError::invalid_request("This session is already initialized"));
    }
    let params = &context.request.params;
    let Some(requested) = params.get("protocolVersion").and_then(Value::as_str) else {
        return Err(RpcError::invalid_params("protocolVersion must be a string"));
    };
    let Some(capabilities) = params.get("capabilities").and_then(Value::as_object) else {
        return Err(RpcError::invalid_params("capabilities must be an object"));
    };
    let client = params.get("clientInfo");
    let has = |member| client.and_then(|client| client.get(member)).is_some_and(Value::is_string);
    if !has("name") || !has("version") {
        return Err(RpcError::invalid_params("clientInfo must have a name and a version"));
    }
    // An unknown version is no error: the client decides whether it can live with our offer.
    let revision = Revision::parse(requested)
        .filter(|revision| !revision.is_stateless())
        .unwrap_or(Revision::LATEST_STATEFUL);
    let capabilities = ClientCapabilities(capabilities.clone());
    *lock(&context.session.handshake) = Some(Handshake { revision, capabilities, initialized: false });
    Ok(json!({
        "protocolVersion": revision.as_str(),
        "capabilities": capabilities_of(revision, &context.session.server.settings),
        "serverInfo": server_info(revision),
        "instructions": INSTRUCTIONS,
    }))
}

/// How to use this server, for `initialize` and `server/discover`.
pub(crate) const INSTRUCTIONS: &str =
    "Fixtures for testing MCP clients and test suites; nothing here has lasting effects.";

/// The capabilities of a revision: exactly the features whose methods are served in it.
pub(crate) fn capabilities_of(revision: Revision, settings: &Settings) -> Value {
    let mut capabilities = json!({
        "tools": { "listChanged": true },
        "resources": { "subscribe": true, "listChanged": true },
        "prompts": { "listChanged": true },
        "logging": {},
    });
    let mut declare = |name: &str, value: Value| {
        if let Some(capabilities) = capabilities.as_object_mut() {
            capabilities.insert(name.into(), value);
        }
    };
    if revision >= Revision::V2025_03_26 {
        declare("completions", json!({}));
    }
    if revision == Revision::V2025_11_25 {
        declare("tasks", json!({ "list": {}, "cancel": {}, "requests": { "tools": { "call": {} } } }));
    }
    if revision.is_stateless() {
        declare("extensions", json!({ crate::tasks_extension::NAME: {} }));
    }
    for path in &settings.without {
        let (parent, member) = path.rsplit_once('.').unwrap_or(("", path));
        let pointer: String =
            parent.split('.').filter(|key| !key.is_empty()).map(|key| format!("/{key}")).collect();
        if let Some(members) = capabilities.pointer_mut(&pointer).and_then(Value::as_object_mut) {
            members.remove(member);
        }
    }
    capabilities
}

/// Who answers, in short: what every result of the stateless era repeats.
pub(crate) fn server_name() -> Value {
    json!({ "name": "mcp-reference-server", "version": env!("CARGO_PKG_VERSION") })
}

/// Name and version, with the other members that a revision knows.
pub(crate) fn server_info(revision: Revision) -> Value {
    let mut info = server_name();
    let mut say = |name: &str, value: Value| {
        if let Some(info) = info.as_object_mut() {
            info.insert(name.into(), value);
        }
    };
    if revision >= Revision::V2025_06_18 {
        say("title", "MCP reference server".into());
    }
    if revision >= Revision::V2025_11_25 {
        say("description", "Known good, and with --fault known bad".into());
        say("websiteUrl", "https://modelcontextprotocol.io/".into());
        say(
            "icons",
            json!([{ "src": format!("data:image/png;base64,{PNG}"), "mimeType": "image/png", "sizes": ["1x1"] }]),
        );
    }
    info
}
