//! What a handler knows of the request it serves, and the ways in which it can talk to the client meanwhile.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::jsonrpc::{self, Object, Request, RpcError};
use crate::logging::Level;
use crate::outbox::{Outbox, Outgoing, lock};
use crate::revision::Revision;
use crate::session::Session;
use crate::tasks::{self, Status};

/// What a client says it can do.
#[derive(Debug, Clone, Default)]
pub struct ClientCapabilities(pub Object);

impl ClientCapabilities {
    /// True if the capability of this name is declared.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_object)
    }

    /// Form elicitation: `elicitation: {}` means just that; naming only `url` excludes it.
    #[must_use]
    pub fn has_form_elicitation(&self) -> bool {
        let modes = self.0.get("elicitation").and_then(Value::as_object);
        modes.is_some_and(|modes| modes.contains_key("form") || !modes.contains_key("url"))
    }

    /// URL elicitation, from 2025-11-25.
    #[must_use]
    pub fn has_url_elicitation(&self) -> bool {
        self.0.get("elicitation").and_then(|modes| modes.get("url")).is_some()
    }

    /// An extension, from 2026-07-28.
    #[must_use]
    pub fn has_extension(&self, name: &str) -> bool {
        self.0.get("extensions").and_then(|extensions| extensions.get(name)).is_some_and(Value::is_object)
    }
}

/// Who asks: of the connection in the stateful era, of the single request in the stateless one.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The revision in which to answer.
    pub revision: Revision,
    /// What the client can do.
    pub capabilities: ClientCapabilities,
    /// The token under which progress may be reported, if any.
    pub progress_token: Option<Value>,
    /// The least log level this request wants; stateless era only.
    pub log_level: Option<Level>,
}

/// A request being served.
#[derive(Clone)]
pub struct Context {
    /// The connection it came on.
    pub session: Arc<Session>,
    /// The request.
    pub request: Arc<Request>,
    /// Who asks.
    pub caller: Caller,
    /// Where everything goes that belongs to this request.
    pub out: Outbox,
    /// The task (2025-11-25) that the work belongs to.
    pub task: Option<String>,
}

impl Context {
    /// Waits for as long as this many steps of a fixture take.
    pub async fn pause(&self, steps: u32) {
        tokio::time::sleep(self.session.server.settings.step * steps).await;
    }

    /// The revision in which to answer.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.caller.revision
    }

    /// Reports progress, if the request has asked for it (spec page `basic/utilities/progress`).
    pub fn progress(&self, progress: f64, total: f64, message: &str) {
        let Some(token) = &self.caller.progress_token else { return };
        let mut params = Object::new();
        params.insert("progressToken".into(), token.clone());
        params.insert("progress".into(), number(progress));
        params.insert("total".into(), number(total));
        if self.revision() >= Revision::V2025_03_26 {
            params.insert("message".into(), message.into());
        }
        self.relate_to_task(&mut params);
        self.out.send(Outgoing::other(jsonrpc::notification("notifications/progress", params)));
    }

    /// Sends a log message, if the client wants this level (spec page `server/utilities/logging`).
    pub fn log(&self, level: Level, data: Value) {
        if !self.session.server.settings.declares("logging") {
            return;
        }
        let threshold = if self.revision().is_stateless() {
            self.caller.log_level
        } else {
            Some(*lock(&self.session.log_level))
        };
        if threshold.is_some_and(|threshold| level >= threshold) {
            let mut params =
                jsonrpc::object(json!({ "level": level.as_str(), "logger": "fixtures", "data": data }));
            self.relate_to_task(&mut params);
            self.out.send(Outgoing::other(jsonrpc::notification("notifications/message", params)));
        }
    }

    /// Asks the client and waits for its answer (stateful era).
    ///
    /// # Errors
    /// The client's error, or one of ours if it does not answer.
    pub async fn ask(&self, method: &str, mut params: Object) -> Result<Value, RpcError> {
        self.relate_to_task(&mut params);
        let timeout = self.session.server.settings.request_timeout;
        let asking = self.session.peer.ask(&self.out, method, params, timeout);
        let Some(task) = &self.task else { return asking.await };
        self.session.tasks.set_status(&self.session, task, Status::InputRequired);
        let outcome = asking.await;
        self.session.tasks.set_status(&self.session, task, Status::Working);
        outcome
    }

    /// Every message about a task says which one (spec page `basic/utilities/tasks#related-task-metadata`).
    fn relate_to_task(&self, params: &mut Object) {
        if let Some(task) = &self.task {
            params.insert("_meta".into(), tasks::related(task));
        }
    }
}

/// Whole numbers are written without a fraction.
fn number(value: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "guarded by the test for a whole, small number")]
    if value.fract() == 0.0 && value.abs() < 1e15 { json!(value as i64) } else { json!(value) }
}
