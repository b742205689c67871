//! Tasks of 2025-11-25 (spec page `basic/utilities/tasks`): a tool call that is answered at once with a task, whose
//! result is fetched later. The tasks belong to their session: nobody else can see them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::now_iso8601;
use crate::context::Context;
use crate::dispatch::{Outcome, Reply, Work};
use crate::jsonrpc::{self, Object, RpcError};
use crate::outbox::{Outgoing, lock};
use crate::pagination;
use crate::session::Session;

/// Where a task stands. The last three are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// How long a task is kept when the client does not say, and at most.
const USUAL_TTL: u64 = 300_000;
const LONGEST_TTL: u64 = 3_600_000;
/// How often a client should ask, in milliseconds.
const POLL_INTERVAL: u64 = 200;
/// The metadata key that relates a message to a task.
const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// The tasks of one session, oldest first.
#[derive(Default)]
pub(crate) struct Tasks {
    entries: Mutex<Vec<Task>>,
}

struct Task {
    id: String,
    created: String,
    updated: String,
    ttl: u64,
    expires: Instant,
    status: watch::Sender<Status>,
    message: Option<String>,
    outcome: Option<Outcome>,
}

impl Task {
    fn describe(&self) -> Object {
        let mut task = jsonrpc::object(json!({
            "taskId": self.id, "status": self.status.borrow().as_str(), "createdAt": self.created,
            "lastUpdatedAt": self.updated, "ttl": self.ttl, "pollInterval": POLL_INTERVAL,
        }));
        if let Some(message) = &self.message {
            task.insert("statusMessage".into(), message.clone().into());
        }
        task
    }
}

impl Tasks {
    /// Moves a task on, unless it has reached a final status already, and tells the client.
    pub(crate) fn set_status(&self, session: &Session, id: &str, status: Status) {
        self.change(session, id, status, None, None);
    }

    fn change(
        &self,
        session: &Session,
        id: &str,
        status: Status,
        message: Option<String>,
        outcome: Option<Outcome>,
    ) {
        let described = {
            let mut entries = lock(&self.entries);
            let Some(task) = entries.iter_mut().find(|task| task.id == id) else { return };
            if task.status.borrow().is_final() {
                return;
            }
            task.updated = now_iso8601();
            task.message = message;
            task.outcome = outcome;
            task.status.send_replace(status);
            task.describe()
        };
        // Tells the whole task; its own id names it, so this one message carries no related-task metadata.
        session.outbox.send(Outgoing::other(jsonrpc::notification("notifications/tasks/status", described)));
    }

    /// Looks a task up, after dropping those whose time is over.
    fn with<T>(&self, id: &str, look: impl FnOnce(&Task) -> T) -> Result<T, RpcError> {
        let mut entries = lock(&self.entries);
        entries.retain(|task| task.expires > Instant::now());
        let task = entries.iter().find(|task| task.id == id);
        task.map(look).ok_or_else(|| RpcError::invalid_params("Unknown task"))
    }
}

/// An id that cannot be guessed.
pub(crate) fn new_id() -> Result<String, RpcError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| RpcError::internal("No randomness"))?;
    Ok(format!("task-{:032x}", u128::from_be_bytes(bytes)))
}

/// The metadata of a message that belongs to a task.
pub(crate) fn related(id: &str) -> Value {
    json!({ RELATED_TASK: { "taskId": id } })
}

/// Turns a tool call into a task. `work` is given the context in which it runs.
pub(crate) fn start(context: &Context, wish: &Value, work: impl FnOnce(Context) -> Work) -> Outcome {
    let Some(wish) = wish.as_object() else { return Err(RpcError::invalid_params("task must be an object")) };
    let ttl = match wish.get("ttl") {
        None => USUAL_TTL,
        Some(ttl) => {
            ttl.as_u64().ok_or_else(|| RpcError::invalid_params("task.ttl must be a whole number"))?
        }
    }
    .min(LONGEST_TTL);
    let (id, created) = (new_id()?, now_iso8601());
    let (status, mut watched) = watch::channel(Status::Working);
    let expires = Instant::now() + Duration::from_millis(ttl);
    let task = Task {
        id: id.clone(),
        updated: created.clone(),
        created,
        ttl,
        expires,
        status,
        message: None,
        outcome: None,
    };
    let described = task.describe();
    lock(&context.session.tasks.entries).push(task);
    let session = Arc::clone(&context.session);
    // The session outlives the request: what the task sends does not go to the request's own stream.
    let context = Context { task: Some(id.clone()), out: Arc::clone(&session.outbox), ..context.clone() };
    let work = work(context);
    tokio::spawn(async move {
        let outcome = tokio::select! {
            outcome = work => outcome,
            _ = watched.wait_for(|status| *status == Status::Cancelled) => return,
        };
        let (status, message) = verdict(&outcome);
        session.tasks.change(&session, &id, status, message, Some(outcome));
    });
    Ok(json!({ "task": described }))
}

/// A tool error makes the task fail, although it is a result.
fn verdict(outcome: &Outcome) -> (Status, Option<String>) {
    match outcome {
        Err(error) => (Status::Failed, Some(error.message.clone())),
        Ok(result) if result.get("isError") == Some(&Value::Bool(true)) => {
            let text = result
                .pointer("/content/0/text")
                .and_then(Value::as_str)
                .unwrap_or("The tool reported an error");
            (Status::Failed, Some(text.to_owned()))
        }
        Ok(_) => (Status::Completed, None),
    }
}

fn id_of(context: &Context) -> Result<&str, RpcError> {
    let id = context.request.params.get("taskId").and_then(Value::as_str);
    id.ok_or_else(|| RpcError::invalid_params("taskId must be a string"))
}

/// Answers `tasks/get`.
pub(crate) fn get(context: &Context) -> Outcome {
    context.session.tasks.with(id_of(context)?, |task| Value::Object(task.describe()))
}

/// Answers `tasks/list`.
pub(crate) fn list(context: &Context) -> Outcome {
    let entries = {
        let mut entries = lock(&context.session.tasks.entries);
        entries.retain(|task| task.expires > Instant::now());
        entries.iter().map(|task| Value::Object(task.describe())).collect()
    };
    pagination::page(context, "tasks", 2, entries)
}

/// Answers `tasks/cancel`: the task is cancelled before the answer goes out.
pub(crate) fn cancel(context: &Context) -> Outcome {
    let (id, tasks) = (id_of(context)?, &context.session.tasks);
    if tasks.with(id, |task| task.status.borrow().is_final())? {
        return Err(RpcError::invalid_params("The task has already ended"));
    }
    tasks.change(&context.session, id, Status::Cancelled, Some("Cancelled by the client".into()), None);
    tasks.with(id, |task| Value::Object(task.describe()))
}

/// Answers `tasks/result`: what the call would have answered, once it is there.
pub(crate) fn result(context: Context) -> Reply {
    let found = id_of(&context)
        .and_then(|id| context.session.tasks.with(id, |task| (id.to_owned(), task.status.subscribe())));
    let (id, mut status) = match found {
        Ok(found) => found,
        Err(error) => return Reply::Now(Err(error)),
    };
    Reply::Later(Box::pin(async move {
        // The sender goes away only with the task; the lookup below tells the client so.
        let _ = status.wait_for(|status| status.is_final()).await;
        let outcome = context.session.tasks.with(&id, |task| task.outcome.clone())?;
        let mut result = outcome.unwrap_or_else(|| Err(RpcError::internal("The task was cancelled")))?;
        if let Some(result) = result.as_object_mut() {
            let meta = result.entry("_meta").or_insert_with(|| json!({}));
            if let Some(meta) = meta.as_object_mut() {
                meta.insert(RELATED_TASK.into(), json!({ "taskId": id }));
            }
        }
        Ok(result)
    }))
}
