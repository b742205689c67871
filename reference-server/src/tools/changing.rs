//! Tools that change something others may be watching, and a tool that comes and goes.

use std::time::Duration;

use serde_json::{Value, json};

use super::tool::{Run, Tool, text};
use crate::fixtures::WATCHED_URI;
use crate::server::Change;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_trigger_tool_change",
            "Change tools",
            "Adds or removes a tool",
            Run::Now(|context, _| {
                context.session.server.change(&Change::Tools);
                text("The list of tools has changed.")
            }),
        )
        .with_effects(),
        Tool::new(
            "test_trigger_prompt_change",
            "Change prompts",
            "Adds or removes a prompt",
            Run::Now(|context, _| {
                context.session.server.change(&Change::Prompts);
                text("The list of prompts has changed.")
            }),
        )
        .with_effects(),
        Tool::new(
            "test_trigger_resource_change",
            "Change resources",
            "Adds or removes a resource",
            Run::Now(|context, _| {
                context.session.server.change(&Change::Resources);
                text("The list of resources has changed.")
            }),
        )
        .with_effects(),
        Tool::new(
            "test_update_watched_resource",
            "Update",
            "Changes test://watched-resource",
            Run::Now(|context, _| {
                context.session.server.change(&Change::Updated(WATCHED_URI.to_owned()));
                text("The watched resource has changed.")
            }),
        )
        .with_effects(),
        Tool::new(
            "test_update_later",
            "Update later",
            "Changes test://watched-resource after the given time, unless it is cancelled before",
            Run::Later(|context, arguments| {
                Box::pin(async move {
                    let seconds = arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.01);
                    // So that a client can know that the work has begun, which the answer would tell too late.
                    context.progress(0.0, 1.0, "Waiting");
                    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
                    context.session.server.change(&Change::Updated(WATCHED_URI.to_owned()));
                    text("The watched resource has changed.")
                })
            }),
        )
        .input(json!({
            "type": "object",
            "properties": { "seconds": { "type": "number", "minimum": 0, "maximum": 60, "default": 0.01 } },
            "additionalProperties": false,
        }))
        .with_effects(),
        Tool::new(
            "test_dynamic_tool",
            "Dynamic tool",
            "Comes and goes",
            Run::Now(|_, _| text("Here for now.")),
        )
        .coming_and_going(),
    ]
}
