//! Tools for tasks: of 2025-11-25 (see [`crate::tasks`]) and of the extension of 2026-07-28
//! (see [`crate::tasks_extension`]).

use std::time::Duration;

use serde_json::{Value, json};

use super::tool::{Run, TaskSupport, Tool, failure, string, text};
use crate::context::Context;
use crate::dispatch::Outcome;
use crate::jsonrpc::{Object, RpcError};
use crate::mrtr::{self, Gathered, Need};
use crate::revision::Revision;
use crate::tasks_extension;

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = handshake_era();
    tools.extend(extension());
    tools
}

fn handshake_era() -> Vec<Tool> {
    let only = |tool: Tool| tool.since(Revision::V2025_11_25).until(Revision::V2025_11_25);
    vec![
        only(Tool::new(
            "test_task_required",
            "Task only",
            "Can be called as a task only",
            Run::Later(|context, _| {
                Box::pin(async move {
                    for done in [0.0, 50.0, 100.0] {
                        context.progress(done, 100.0, "The task is being worked on");
                        context.pause(1).await;
                    }
                    text("The task is done.")
                })
            }),
        ))
        .callable_as_task(TaskSupport::Required),
        only(Tool::new(
            "test_task_failing",
            "Failing task",
            "Reports an error of its own",
            Run::Now(|_, _| failure("This task intentionally fails for testing")),
        ))
        .callable_as_task(TaskSupport::Optional),
        only(Tool::new(
            "test_task_protocol_error",
            "Broken task",
            "Ends in a protocol error",
            Run::Now(|_, _| Err(RpcError::internal("This task intentionally ends in a protocol error"))),
        ))
        .callable_as_task(TaskSupport::Optional),
    ]
}

fn extension() -> Vec<Tool> {
    let tool =
        |name, title, description, run| Tool::new(name, title, description, run).since(Revision::V2026_07_28);
    vec![
        tool("greet", "Greet", "Greets at once", Run::Now(|_, arguments| {
            text(&format!("Hello, {}!", string(arguments, "name")))
        }))
        .input(json!({
            "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"],
            "additionalProperties": false,
        })),
        tool("slow_compute", "Slow computation", "Runs as a task where the client knows tasks", Run::Later(
            |context, arguments| Box::pin(slow_compute(context, arguments)),
        ))
        .input(json!({
            "type": "object",
            "properties": {
                "seconds": { "type": "number", "minimum": 0, "maximum": 60, "default": 0.01 },
                "label": { "type": "string" },
            },
            "additionalProperties": false,
        })),
        tool("failing_job", "Failing job", "A task whose result is an error of the tool", Run::Now(|context, _| {
            tasks_extension::require(context)?;
            tasks_extension::start(context, |_| async { complete(failure("This job intentionally fails for testing")) })
        })),
        tool("protocol_error_job", "Broken job", "A task that ends in a protocol error", Run::Now(|context, _| {
            let error = || RpcError::internal("This job intentionally ends in a protocol error");
            if !tasks_extension::is_declared(context) {
                return Err(error());
            }
            tasks_extension::start(context, move |_| async move { Err(error()) })
        })),
        tool("confirm_delete", "Confirmed deletion", "A task that asks before it pretends to delete", Run::Now(
            |context, arguments| {
                tasks_extension::require(context)?;
                let file = string(arguments, "filename").to_owned();
                let need = Need::form("confirm", &format!("Delete {file}?"), json!({
                    "type": "object", "properties": { "confirm": { "type": "boolean" } }, "required": ["confirm"],
                }));
                mrtr::require_capabilities(context, std::slice::from_ref(&need))?;
                tasks_extension::start(context, |mut task| async move {
                    let answers = task.ask(vec![need]).await;
                    let agreed = answers.get("confirm").and_then(|answer| answer.pointer("/content/confirm"));
                    let verb = if agreed == Some(&Value::Bool(true)) { "Deleted" } else { "Kept" };
                    complete(text(&format!("{verb} {file}.")))
                })
            },
        ))
        .input(json!({
            "type": "object", "properties": { "filename": { "type": "string" } }, "required": ["filename"],
            "additionalProperties": false,
        })),
        tool("multi_input", "Two questions", "A task with two open questions at once", Run::Now(|context, _| {
            tasks_extension::require(context)?;
            let needs = vec![name_form("first_name"), name_form("last_name")];
            mrtr::require_capabilities(context, &needs)?;
            tasks_extension::start(context, |mut task| async move {
                let answers = task.ask(needs).await;
                let name = |key| mrtr::form_value(&answers, key, "name").unwrap_or("?").to_owned();
                complete(text(&format!("Hello, {} {}!", name("first_name"), name("last_name"))))
            })
        })),
        tool("test_tool_with_task", "Question, then task", "Asks first and then becomes a task", Run::Now(|context, _| {
            tasks_extension::require(context)?;
            match mrtr::gather(context, &[name_form("user_name")], None)? {
                Gathered::Ask(result) => Ok(result),
                Gathered::Answers(answers) => {
                    let name = mrtr::form_value(&answers, "user_name", "name").unwrap_or("stranger").to_owned();
                    tasks_extension::start(context, move |_| async move { complete(text(&format!("Hello, {name}!"))) })
                }
            }
        })),
    ]
}

fn name_form(key: &'static str) -> Need {
    Need::form(
        key,
        "What is your name?",
        json!({
            "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"],
        }),
    )
}

async fn slow_compute(context: Context, arguments: Object) -> Outcome {
    let time = Duration::from_secs_f64(arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.01));
    let done = text(&format!("Computed {}.", string(&arguments, "label")));
    if tasks_extension::is_declared(&context) {
        return tasks_extension::start(&context, move |_| async move {
            tokio::time::sleep(time).await;
            complete(done)
        });
    }
    tokio::time::sleep(time).await;
    done
}

/// The result inside a task is a whole result of the call, with its own type.
fn complete(outcome: Outcome) -> Outcome {
    outcome.map(|mut result| {
        crate::stateless::complete_result("tools/call", &mut result);
        result
    })
}
