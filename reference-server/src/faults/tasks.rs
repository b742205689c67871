//! Faults of tasks: of 2025-11-25, and of the extension of 2026-07-28.

use serde_json::{Value, json};

use super::catalog::{ANY, faults, range};
use super::hook::{Departure, Hook, Verdict};
use crate::jsonrpc::code;
use crate::tasks_extension::NAME;

const RELATED: &str = "io.modelcontextprotocol~1related-task";

fn is_task_method(method: &str) -> bool {
    matches!(method, "tasks/get" | "tasks/result" | "tasks/cancel")
}

fn is_unknown_task(out: &Departure<'_>) -> bool {
    out.request.is_some_and(|request| is_task_method(&request.method))
        && out.get("/error/message").is_some_and(|message| message == "Unknown task")
        && !out.stateless()
}

/// The place of the task in a message that describes one (2025-11-25).
fn task_place(out: &Departure<'_>) -> Option<&'static str> {
    if out.stateless() {
        None
    } else if out.answers("tools/call") && out.get("/result/task").is_some() {
        Some("/result/task")
    } else if out.answers("tasks/get") || out.answers("tasks/cancel") {
        Some("/result")
    } else if out.is("notifications/tasks/status") {
        Some("/params")
    } else {
        None
    }
}

fn on_task(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>, &str)) {
    if let Some(place) = task_place(out) {
        change(out, place);
    }
}

fn on_created(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.get("/result/resultType").is_some_and(|kind| kind == "task") {
        change(out);
    }
}

fn on_extension_get(out: &mut Departure<'_>, change: impl FnOnce(&mut Departure<'_>)) {
    if out.answers("tasks/get") && out.stateless() {
        change(out);
    }
}

faults! { ANY =>
    "task-unknown-wrong-code", "tasks.unknown-id-32602", range::TASKS, "An unknown task gets -32603" => [
        Hook::Out(|out| if is_unknown_task(out) { out.set("/error/code", json!(code::INTERNAL_ERROR)); })];
    "task-unknown-as-success", "tasks.unknown-id-32602", range::TASKS, "tasks/get of an unknown task gives a cancelled one" => [
        Hook::Out(|out| if is_unknown_task(out) && out.replies("tasks/get") {
            let id = out.asked("/taskId").to_owned();
            out.succeed(json!({ "taskId": id, "status": "cancelled", "createdAt": "2025-11-25T00:00:00Z",
                "lastUpdatedAt": "2025-11-25T00:00:00Z", "ttl": null }));
        })];
    "task-without-created-at", "tasks.created-at", range::TASKS, "Tasks have no createdAt" => [
        Hook::Out(|out| on_task(out, |out, place| out.remove(&format!("{place}/createdAt"))))];
    "task-created-at-number", "tasks.created-at", range::TASKS, "Tasks have a number as createdAt" => [
        Hook::Out(|out| on_task(out, |out, place| out.set(&format!("{place}/createdAt"), json!(1_764_028_800))))];
    "task-updated-at-not-iso", "tasks.last-updated-at", range::TASKS, "Tasks have a lastUpdatedAt in words" => [
        Hook::Out(|out| on_task(out, |out, place| out.set(&format!("{place}/lastUpdatedAt"), json!("Tue Nov 25 2025"))))];
    "task-without-ttl", "tasks.ttl-present", range::TASKS, "Tasks have no ttl" => [
        Hook::Out(|out| on_task(out, |out, place| out.remove(&format!("{place}/ttl"))))];
    "task-ttl-string", "schema.task-object", range::TASKS, "Tasks have a string as ttl" => [
        Hook::Out(|out| on_task(out, |out, place| out.set(&format!("{place}/ttl"), json!("60s"))))];
    "task-status-unknown", "schema.task-object", range::TASKS, "Running tasks have status \"running\"" => [
        Hook::Out(|out| on_task(out, |out, place| {
            let status = format!("{place}/status");
            if out.get(&status).is_some_and(|status| status == "working") { out.set(&status, json!("running")); }
        }))];
    "task-id-number", "tasks.id-string", range::TASKS, "The id of a new task is a number" => [
        Hook::Out(|out| if out.answers("tools/call") && !out.stateless() { out.replace("/result/task/taskId", json!(17)); })];
    "task-starts-completed", "tasks.starts-working", range::TASKS, "A new task is completed already" => [
        Hook::Out(|out| if out.answers("tools/call") && !out.stateless() { out.replace("/result/task/status", json!("completed")); })];
    "task-wish-ignored", "tasks.create-result-returned", range::TASKS, "A call as a task is answered with its result" => [
        Hook::In(|arrival| {
            let can_do_without = arrival.text("/name") != Some("test_task_required");
            if arrival.is("tools/call") && can_do_without { arrival.remove("/params/task"); }
            Verdict::Pass
        })];
    "task-created-flat", "tasks.create-result-returned", range::TASKS, "A new task stands in the result itself" => [
        Hook::Out(|out| if out.answers("tools/call") && let Some(task) = out.get("/result/task").cloned() { out.set("/result", task); })];
    "task-cancel-ignored", "tasks.cancel-sets-cancelled", range::TASKS, "tasks/cancel answers with a task that is still working" => [
        Hook::Out(|out| if out.answers("tasks/cancel") && !out.stateless() { out.set("/result/status", json!("working")); })];
    "task-cancel-finished-accepted", "tasks.cancel-terminal-32602", range::TASKS, "A finished task can be cancelled" => [
        Hook::Out(|out| if out.replies("tasks/cancel") && out.get("/error/message").is_some_and(|text| text == "The task has already ended") {
            let id = out.asked("/taskId").to_owned();
            out.succeed(json!({ "taskId": id, "status": "cancelled", "createdAt": "2025-11-25T00:00:00Z",
                "lastUpdatedAt": "2025-11-25T00:00:00Z", "ttl": null }));
        })];
    "task-revives", "tasks.terminal-final", range::TASKS, "A finished task is working again when asked a second time" => [
        Hook::Out(|out| if out.answers("tasks/get") && !out.stateless() {
            let id = json!(out.asked("/taskId"));
            let finished = out.get("/result/status").and_then(Value::as_str).is_some_and(|status| {
                matches!(status, "completed" | "failed" | "cancelled")
            });
            if finished && out.memory.notes("seen finished").contains(&id) {
                out.set("/result/status", json!("working"));
            } else if finished {
                out.memory.note("seen finished", id);
            }
        })];
    "task-result-too-early", "tasks.result-blocks", range::TASKS, "tasks/result of a running task gives an error at once" => [
        Hook::In(|arrival| {
            let id = arrival.param("/taskId").cloned().unwrap_or_default();
            if arrival.is("tasks/result") && arrival.memory.notes("created").contains(&id) && !arrival.memory.notes("ended").contains(&id) {
                arrival.error(code::INVALID_PARAMS, "The task is not finished")
            } else { Verdict::Pass }
        }),
        Hook::Out(|out| {
            if let Some(id) = out.get("/result/task/taskId").cloned() { out.memory.note("created", id); }
            if out.is("notifications/tasks/status") && let Some(id) = out.get("/params/taskId").cloned()
                && out.get("/params/status").and_then(Value::as_str).is_some_and(|status| {
                    matches!(status, "completed" | "failed" | "cancelled")
                }) { out.memory.note("ended", id); }
        })];
    "task-result-is-task", "tasks.result-terminal", range::TASKS, "tasks/result gives the task instead of the result" => [
        Hook::Out(|out| if out.answers("tasks/result") && !out.stateless() {
            let id = out.asked("/taskId").to_owned();
            out.succeed(json!({ "task": { "taskId": id, "status": "completed" }, "_meta": { "io.modelcontextprotocol/related-task": { "taskId": id } } }));
        })];
    "task-result-error-as-result", "tasks.result-error-passthrough", range::TASKS, "tasks/result gives an empty result where the call had an error" => [
        Hook::Out(|out| if out.replies("tasks/result") && out.code() == Some(code::INTERNAL_ERROR) {
            let id = out.asked("/taskId").to_owned();
            out.succeed(json!({ "content": [], "isError": true, "_meta": { "io.modelcontextprotocol/related-task": { "taskId": id } } }));
        })];
    "task-result-without-related-meta", "tasks.related-meta-in-result", range::TASKS, "The answer to tasks/result does not name its task" => [
        Hook::Out(|out| if out.answers("tasks/result") { out.remove(&format!("/result/_meta/{RELATED}")); })];
    "task-get-with-related-meta", "tasks.no-related-meta-in-replies", range::TASKS, "The answer to tasks/get names its task in _meta too" => [
        Hook::Out(|out| if out.answers("tasks/get") && !out.stateless() {
            let id = out.asked("/taskId").to_owned();
            out.set("/result/_meta", json!({ "io.modelcontextprotocol/related-task": { "taskId": id } }));
        })];
    "task-status-with-related-meta", "tasks.status-notification-no-meta", range::TASKS, "Status notifications name their task in _meta too" => [
        Hook::Out(|out| if out.is("notifications/tasks/status") && let Some(id) = out.get("/params/taskId").cloned() {
            out.set("/params/_meta", json!({ "io.modelcontextprotocol/related-task": { "taskId": id } }));
        })];
    "task-status-partial", "tasks.status-notification-full", range::TASKS, "Status notifications hold only id and status" => [
        Hook::Out(|out| if out.is("notifications/tasks/status") {
            for member in ["createdAt", "lastUpdatedAt", "ttl"] { out.remove(&format!("/params/{member}")); }
        })];
    "task-request-without-related-meta", "tasks.input-request-related-task", range::TASKS, "Elicitations of a task do not name it" => [
        Hook::Out(|out| if out.is("elicitation/create") { out.remove("/params/_meta"); })];
    "task-progress-without-related-meta", "tasks.related-task-metadata", range::TASKS, "Progress of a task does not name it" => [
        Hook::Out(|out| if out.is("notifications/progress") { out.remove("/params/_meta"); })];
    "task-never-asks-for-input", "tasks.input-required-used", range::TASKS, "A task that waits for input stays working" => [
        Hook::Out(|out| on_task(out, |out, place| {
            let status = format!("{place}/status");
            if out.get(&status).is_some_and(|status| status == "input_required") { out.set(&status, json!("working")); }
        }))];
    "task-failed-as-completed", "tasks.failed-on-tool-error", range::TASKS, "A task whose tool reports an error ends as completed" => [
        Hook::Out(|out| on_task(out, |out, place| {
            let status = format!("{place}/status");
            let message = format!("{place}/statusMessage");
            if out.get(&status).is_some_and(|status| status == "failed")
                && out.get(&message).is_some_and(|text| text == "This task intentionally fails for testing") {
                out.set(&status, json!("completed"));
                out.remove(&message);
            }
        }))];
    "task-failed-without-message", "tasks.failed-status-message", range::TASKS, "A failed task does not say why" => [
        Hook::Out(|out| on_task(out, |out, place| if out.get(&format!("{place}/status")).is_some_and(|status| status == "failed") {
            out.remove(&format!("{place}/statusMessage"));
        }))];
    "task-list-incomplete", "tasks.list-complete", range::TASKS, "tasks/list leaves out the newest task" => [
        Hook::Out(|out| if out.answers("tasks/list") && out.get("/result/nextCursor").is_none()
            && let Some(tasks) = out.get_mut("/result/tasks").and_then(Value::as_array_mut) { tasks.pop(); })];
    "task-list-without-cursor", "tasks.list-next-cursor", range::TASKS, "tasks/list gives a first page and no cursor for the next" => [
        Hook::Out(|out| if out.answers("tasks/list") { out.remove("/result/nextCursor"); })];
    "task-bad-cursor-accepted", "tasks.bad-cursor-32602", range::TASKS, "tasks/list ignores an unknown cursor" => [
        Hook::Out(|out| if out.replies("tasks/list") && out.code() == Some(code::INVALID_PARAMS) { out.succeed(json!({ "tasks": [] })); })];
    "task-capability-undeclared", "tasks.declare-capability", range::TASKS, "Serves tasks without declaring them" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/capabilities/tasks"); })];
    "task-list-undeclared", "tasks.undeclared-list-cancel-refused", range::TASKS, "Serves tasks/list without declaring it" => [
        Hook::Out(|out| if out.answers("initialize") { out.remove("/result/capabilities/tasks/list"); })];
    "task-by-metadata", "tasks.param-wins", range::TASKS, "tasks/get takes the task from _meta rather than from taskId" => [
        Hook::In(|arrival| {
            let related = arrival.meta("io.modelcontextprotocol/related-task").and_then(|related| related.get("taskId")).cloned();
            if arrival.is("tasks/get") && let Some(id) = related { arrival.set("/params/taskId", id); }
            Verdict::Pass
        })];
    "ext-task-for-undeclared-client", "ext-tasks.no-task-for-undeclared-client", range::STATELESS, "Answers with a task although the request does not declare tasks" => [
        Hook::In(|arrival| {
            if arrival.is("tools/call") && arrival.is_stateless() && arrival.text("/name") == Some("slow_compute") {
                arrival.set("/params/_meta/io.modelcontextprotocol~1clientCapabilities", json!({ "extensions": { NAME: {} } }));
            }
            Verdict::Pass
        })];
    "ext-task-without-result-type", "ext-tasks.result-type-task", range::STATELESS, "A new task has resultType complete" => [
        Hook::Out(|out| on_created(out, |out| out.set("/result/resultType", json!("complete"))))];
    "ext-task-nested", "ext-tasks.task-shape", range::STATELESS, "A new task stands in a member of its own" => [
        Hook::Out(|out| on_created(out, |out| for member in ["taskId", "status", "createdAt", "lastUpdatedAt", "ttlMs"] {
            let value = out.get(&format!("/result/{member}")).cloned().unwrap_or_default();
            if out.get("/result/task").is_none() { out.set("/result/task", json!({})); }
            out.set(&format!("/result/task/{member}"), value);
            out.remove(&format!("/result/{member}"));
        }))];
    "ext-task-result-missing", "ext-tasks.get.completed", range::STATELESS, "A completed task has no result" => [
        Hook::Out(|out| on_extension_get(out, |out| out.remove("/result/result")))];
    "ext-task-error-missing", "ext-tasks.get.failed", range::STATELESS, "A failed task has no error" => [
        Hook::Out(|out| on_extension_get(out, |out| out.remove("/result/error")))];
    "ext-task-questions-missing", "ext-tasks.get.input-required", range::STATELESS, "A task that waits for input does not say for which" => [
        Hook::Out(|out| on_extension_get(out, |out| out.remove("/result/inputRequests")))];
    "ext-task-unknown-wrong-code", "ext-tasks.error.get-unknown", range::STATELESS, "An unknown task gets -32603" => [
        Hook::Out(|out| if out.replies("tasks/get") && out.stateless() && out.code() == Some(code::INVALID_PARAMS) {
            out.set("/error/code", json!(code::INTERNAL_ERROR));
        })];
    "ext-task-undeclared-served", "ext-tasks.error.undeclared-methods", range::STATELESS, "tasks/get serves clients that do not declare tasks" => [
        Hook::In(|arrival| {
            if arrival.is("tasks/get") && arrival.is_stateless() {
                arrival.set("/params/_meta/io.modelcontextprotocol~1clientCapabilities", json!({ "extensions": { NAME: {} } }));
            }
            Verdict::Pass
        })];
    "ext-task-update-echoes-task", "ext-tasks.update.ack-empty", range::STATELESS, "The answer to tasks/update holds the task" => [
        Hook::Out(|out| if out.answers("tasks/update") {
            let id = out.asked("/taskId").to_owned();
            out.set("/result/taskId", id.into());
            out.set("/result/status", json!("working"));
        })];
}
