//! The tasks extension of the stateless era (`io.modelcontextprotocol/tasks`, SEP-2663): a tool call that the server
//! chooses to answer with a task, which the client polls with `tasks/get` and feeds with `tasks/update`.
//!
//! Unlike the tasks of 2025-11-25 these belong to the process: whoever knows the id may ask, on any connection.

use std::future::Future;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use crate::clock::now_iso8601;
use crate::context::Context;
use crate::dispatch::Outcome;
use crate::jsonrpc::{Object, RpcError, object};
use crate::mrtr::Need;
use crate::outbox::lock;
use crate::stateless;
use crate::tasks::{Status, new_id};

/// The extension's identifier.
pub(crate) const NAME: &str = "io.modelcontextprotocol/tasks";

/// Finished tasks are forgotten when this many newer ones exist.
const MOST_KEPT: usize = 1000;

static TASKS: Mutex<Vec<Task>> = Mutex::new(Vec::new());

struct Task {
    id: String,
    created: String,
    updated: String,
    status: Status,
    message: Option<String>,
    /// What the client is being asked, and what it has answered.
    asked: Vec<Need>,
    answers: Object,
    outcome: Option<Outcome>,
    /// Counts the answers given; closed when the task is cancelled.
    progress: Option<watch::Sender<usize>>,
}

impl Task {
    /// The members that `CreateTaskResult` and `tasks/get` have in common.
    fn summary(&self) -> Object {
        let mut task = object(json!({
            "taskId": self.id, "status": self.status.as_str(), "createdAt": self.created,
            "lastUpdatedAt": self.updated, "ttlMs": null, "pollIntervalMs": 200,
        }));
        if let Some(message) = &self.message {
            task.insert("statusMessage".into(), message.clone().into());
        }
        task
    }

    /// With what belongs to its status: questions, result, or error.
    fn details(&self) -> Object {
        let mut task = self.summary();
        match (self.status, &self.outcome) {
            (Status::InputRequired, _) => {
                let open: Object = self.open().map(|need| (need.key().into(), need.request())).collect();
                task.insert("inputRequests".into(), Value::Object(open));
            }
            (_, Some(Ok(result))) => {
                task.insert("result".into(), result.clone());
            }
            (_, Some(Err(error))) => {
                task.insert("error".into(), error.to_value());
            }
            _ => {}
        }
        task
    }

    fn open(&self) -> impl Iterator<Item = &Need> {
        self.asked.iter().filter(|need| !self.answers.contains_key(need.key()))
    }

    fn move_to(&mut self, status: Status) {
        self.status = status;
        self.updated = now_iso8601();
    }
}

/// Runs a change on one task and tells the subscriptions that follow it.
fn change<T>(context: &Context, id: &str, change: impl FnOnce(&mut Task) -> T) -> Option<T> {
    let (value, details) = {
        let mut tasks = TASKS.lock().unwrap_or_else(PoisonError::into_inner);
        let task = tasks.iter_mut().find(|task| task.id == id)?;
        let value = change(task);
        (value, task.details())
    };
    context.session.server.announce_task(id, &details);
    Some(value)
}

/// The running side of a task.
pub(crate) struct Running {
    context: Context,
    id: String,
    answered: watch::Receiver<usize>,
}

impl Running {
    /// Puts questions to the client and waits until all are answered. Keys must be new in the task's life.
    pub(crate) async fn ask(&mut self, needs: Vec<Need>) -> Object {
        let wanted = needs.len() + *self.answered.borrow();
        let _ = change(&self.context, &self.id, |task| {
            task.asked.extend(needs);
            task.move_to(Status::InputRequired);
        });
        // The sender lives as long as the work does.
        let _ = self.answered.wait_for(|answered| *answered >= wanted).await;
        change(&self.context, &self.id, |task| {
            task.move_to(Status::Working);
            task.answers.clone()
        })
        .unwrap_or_default()
    }
}

/// True if this request may be answered with a task.
pub(crate) fn is_declared(context: &Context) -> bool {
    context.caller.capabilities.has_extension(NAME)
}

/// # Errors
/// -32021 if the request does not declare the extension.
pub(crate) fn require(context: &Context) -> Result<(), RpcError> {
    if is_declared(context) {
        return Ok(());
    }
    Err(stateless::missing_capability(&json!({ "extensions": { NAME: {} } })))
}

/// Answers a tool call with a task.
pub(crate) fn start<F, W>(context: &Context, work: W) -> Outcome
where
    F: Future<Output = Outcome> + Send + 'static,
    W: FnOnce(Running) -> F,
{
    let (id, created) = (new_id()?, now_iso8601());
    let (progress, answered) = watch::channel(0);
    let mut cancelled = progress.subscribe();
    let task = Task {
        id: id.clone(),
        updated: created.clone(),
        created,
        status: Status::Working,
        message: None,
        asked: Vec::new(),
        answers: Object::new(),
        outcome: None,
        progress: Some(progress),
    };
    let mut result = task.summary();
    result.insert("resultType".into(), "task".into());
    {
        let mut tasks = lock(&TASKS);
        if tasks.len() >= MOST_KEPT
            && let Some(oldest) = tasks.iter().position(|task| task.status.is_final())
        {
            tasks.remove(oldest);
        }
        tasks.push(task);
    }
    let context = context.clone();
    let work = work(Running { context: context.clone(), id: id.clone(), answered });
    tokio::spawn(async move {
        let outcome = tokio::select! {
            outcome = work => outcome,
            // Fails only when the sender is gone, and only cancelling takes it away.
            _ = cancelled.wait_for(|_| false) => return,
        };
        let _ = change(&context, &id, |task| {
            if let Err(error) = &outcome {
                task.message = Some(error.message.clone());
            }
            task.move_to(if outcome.is_ok() { Status::Completed } else { Status::Failed });
            task.outcome = Some(outcome);
        });
    });
    Ok(Value::Object(result))
}

fn named(context: &Context) -> Result<&str, RpcError> {
    require(context)?;
    let id = context.request.params.get("taskId").and_then(Value::as_str);
    id.ok_or_else(|| RpcError::invalid_params("taskId must be a string"))
}

fn unknown() -> RpcError {
    RpcError::invalid_params("Unknown task")
}

/// Answers `tasks/get`.
pub(crate) fn get(context: &Context) -> Outcome {
    let id = named(context)?;
    lock(&TASKS)
        .iter()
        .find(|task| task.id == id)
        .map(|task| Value::Object(task.details()))
        .ok_or_else(unknown)
}

/// Answers `tasks/update`: takes answers to open questions, ignores any others.
pub(crate) fn update(context: &Context) -> Outcome {
    let id = named(context)?;
    let responses = context.request.params.get("inputResponses").and_then(Value::as_object);
    let responses = responses.ok_or_else(|| RpcError::invalid_params("inputResponses must be an object"))?;
    let settled = change(context, id, |task| -> Result<(), RpcError> {
        let mut settled = Object::new();
        for need in task.open() {
            if let Some(answer) = responses.get(need.key())
                && need.settled_by(answer)?
            {
                settled.insert(need.key().into(), answer.clone());
            }
        }
        task.answers.extend(settled);
        if let Some(progress) = &task.progress {
            progress.send_replace(task.answers.len());
        }
        Ok(())
    });
    settled.ok_or_else(unknown)??;
    Ok(json!({}))
}

/// Answers `tasks/cancel`; cancelling what has ended changes nothing.
pub(crate) fn cancel(context: &Context) -> Outcome {
    let id = named(context)?;
    let cancelled = change(context, id, |task| {
        if !task.status.is_final() {
            task.move_to(Status::Cancelled);
            task.progress = None;
        }
    });
    cancelled.ok_or_else(unknown)?;
    Ok(json!({}))
}

/// The part of a subscription's `taskIds` that exists.
pub(crate) fn known_ids(context: &Context, ids: &Value) -> Outcome {
    require(context)?;
    let ids = ids.as_array().ok_or_else(|| RpcError::invalid_params("taskIds must be an array"))?;
    let tasks = lock(&TASKS);
    let known: Vec<&Value> = ids.iter().filter(|id| tasks.iter().any(|task| *id == &task.id)).collect();
    Ok(json!(known))
}
