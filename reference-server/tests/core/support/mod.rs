//! A client in memory, and the published schemas to hold the server's messages against.

pub(crate) mod traffic;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jsonschema::Validator;
use mcp_reference_server::faults::Faults;
use mcp_reference_server::outbox::{Collected, Kind, Outbox, Outgoing};
use mcp_reference_server::revision::Revision;
use mcp_reference_server::server::{Server, Settings};
use mcp_reference_server::session::Session;
use serde_json::{Value, json};

/// Talks to a session without a transport.
pub(crate) struct Client {
    pub(crate) session: Arc<Session>,
    collected: Arc<Collected>,
    faults: Arc<Faults>,
    out: Outbox,
    /// Everything the server has sent.
    pub(crate) log: Vec<Outgoing>,
}

impl Client {
    pub(crate) fn new(faults: &[&str]) -> Self {
        let names: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let faults = Arc::new(Faults::named(&names).unwrap());
        let collected = Arc::new(Collected::default());
        let out = faults.wrap(Arc::clone(&collected) as Outbox);
        let settings = Settings { request_timeout: Duration::from_millis(500), ..Settings::default() };
        let session = Session::new(&Server::new(settings), Arc::clone(&out));
        Self { session, collected, faults, out, log: Vec::new() }
    }

    /// Sends one message and returns what comes back until nothing more is under way.
    pub(crate) async fn send(&mut self, message: Value) -> Vec<Value> {
        self.send_bytes(&serde_json::to_vec(&message).unwrap()).await
    }

    pub(crate) async fn send_bytes(&mut self, line: &[u8]) -> Vec<Value> {
        self.start(line);
        self.session.idle().await;
        // Tasks are no requests in flight; those of the tests take some milliseconds.
        tokio::task::yield_now().await;
        self.take()
    }

    /// Sends one message and does not wait.
    pub(crate) fn start(&mut self, line: &[u8]) {
        self.faults.receive(line, &self.session, &self.out);
    }

    pub(crate) fn take(&mut self) -> Vec<Value> {
        let sent = self.collected.take();
        let messages = sent.iter().map(|outgoing| outgoing.message.clone()).collect();
        self.log.extend(sent);
        messages
    }

    pub(crate) fn has_crashed(&self) -> bool {
        self.faults.has_crashed()
    }

    /// The handshake of a stateful revision.
    pub(crate) async fn initialize(&mut self, revision: Revision, capabilities: Value) -> Value {
        let params = json!({ "protocolVersion": revision.as_str(), "capabilities": capabilities,
            "clientInfo": { "name": "test", "version": "1" } });
        let answer = self.send(request(json!(0), "initialize", params)).await;
        self.send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await;
        answer.into_iter().next().unwrap_or_default()
    }
}

pub(crate) fn request(id: Value, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

pub(crate) fn modern(id: Value, method: &str, mut params: Value, capabilities: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = capabilities;
    request(id, method, params)
}

/// Everything a client can declare.
pub(crate) fn all_capabilities() -> Value {
    json!({ "roots": {}, "sampling": {}, "elicitation": { "form": {}, "url": {} },
        "extensions": { "io.modelcontextprotocol/tasks": {} } })
}

/// The published schema of a revision, by definition.
pub(crate) struct Schemas {
    schema: Value,
    definitions: &'static str,
    compiled: HashMap<String, Validator>,
}

impl Schemas {
    /// None where the folder with the schemas is not at hand.
    pub(crate) fn load(revision: Revision) -> Option<Self> {
        let folder = std::env::var_os("MCP_SPEC_DIR").map_or_else(
            || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec"),
            PathBuf::from,
        );
        let text = std::fs::read(folder.join(revision.as_str()).join("schema.json")).ok()?;
        let schema: Value = serde_json::from_slice(&text).unwrap();
        let definitions = if schema.get("$defs").is_some() { "$defs" } else { "definitions" };
        Some(Self { schema, definitions, compiled: HashMap::new() })
    }

    fn has(&self, name: &str) -> bool {
        self.schema[self.definitions].get(name).is_some()
    }

    pub(crate) fn check(&mut self, name: &str, value: &Value) {
        assert!(self.has(name), "no definition {name}");
        let validator = self.compiled.entry(name.to_owned()).or_insert_with(|| {
            let mut root = self.schema.clone();
            root["$ref"] = json!(format!("#/{}/{name}", self.definitions));
            jsonschema::options().build(&root).unwrap()
        });
        let problems: Vec<String> =
            validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(problems.is_empty(), "{name}: {problems:#?}\nin {value:#}");
    }

    /// Checks a message against the definition that its kind and method call for.
    pub(crate) fn check_message(&mut self, outgoing: &Outgoing) {
        let message = &outgoing.message;
        if let Some(answers) = message.as_array() {
            assert!(self.has("JSONRPCBatchResponse"), "a batch in a revision without");
            for answer in answers {
                self.check_envelope(answer);
            }
            return;
        }
        self.check_envelope(message);
        if let Kind::Answer(request) = &outgoing.kind {
            if let Some(result) = message.get("result") {
                let name = result_definition(&request.method, result);
                self.check(name, result);
            } else {
                self.check_error(message);
            }
        } else if let Some(method) = message.get("method").and_then(Value::as_str) {
            let name = message_definition(method);
            if self.has(name) {
                self.check(name, message);
            } else {
                assert_eq!(method, "notifications/tasks", "a method that the revision does not know");
            }
        }
    }

    fn check_envelope(&mut self, message: &Value) {
        // The schemas up to 2025-06-18 have no form at all for an error whose request could not be read.
        if message.get("error").is_some() && message.get("id").is_none_or(Value::is_null) {
            assert!(self.definitions == "definitions" || message.get("id").is_none(), "{message}");
            return;
        }
        self.check("JSONRPCMessage", message);
    }

    fn check_error(&mut self, message: &Value) {
        let name = match message["error"]["code"].as_i64() {
            Some(-32021) => "MissingRequiredClientCapabilityError",
            Some(-32022) => "UnsupportedProtocolVersionError",
            Some(-32042) => "URLElicitationRequiredError",
            _ => return,
        };
        self.check(name, message);
    }
}

fn result_definition(method: &str, result: &Value) -> &'static str {
    if result["resultType"] == "input_required" {
        return "InputRequiredResult";
    }
    match method {
        "initialize" => "InitializeResult",
        "server/discover" => "DiscoverResult",
        "subscriptions/listen" => "SubscriptionsListenResult",
        "tools/list" => "ListToolsResult",
        "tools/call" if result.get("task").is_some() => "CreateTaskResult",
        "tools/call" if result["resultType"] == "task" => "Result",
        "tools/call" => "CallToolResult",
        "resources/list" => "ListResourcesResult",
        "resources/templates/list" => "ListResourceTemplatesResult",
        "resources/read" => "ReadResourceResult",
        "prompts/list" => "ListPromptsResult",
        "prompts/get" => "GetPromptResult",
        "completion/complete" => "CompleteResult",
        "tasks/get" if result.get("resultType").is_none() => "GetTaskResult",
        "tasks/cancel" if result.get("resultType").is_none() => "CancelTaskResult",
        "tasks/list" => "ListTasksResult",
        "tasks/result" => "CallToolResult",
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => "EmptyResult",
        _ => "Result",
    }
}

fn message_definition(method: &str) -> &'static str {
    match method {
        "notifications/message" => "LoggingMessageNotification",
        "notifications/progress" => "ProgressNotification",
        "notifications/cancelled" => "CancelledNotification",
        "notifications/tools/list_changed" => "ToolListChangedNotification",
        "notifications/prompts/list_changed" => "PromptListChangedNotification",
        "notifications/resources/list_changed" => "ResourceListChangedNotification",
        "notifications/resources/updated" => "ResourceUpdatedNotification",
        "notifications/tasks/status" => "TaskStatusNotification",
        "notifications/elicitation/complete" => "ElicitationCompleteNotification",
        "notifications/subscriptions/acknowledged" => "SubscriptionsAcknowledgedNotification",
        "sampling/createMessage" => "CreateMessageRequest",
        "elicitation/create" => "ElicitRequest",
        "roots/list" => "ListRootsRequest",
        _ => "(none)",
    }
}
