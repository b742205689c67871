//! Tools that change something others may be watching, and a tool that comes and goes.

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
            "test_dynamic_tool",
            "Dynamic tool",
            "Comes and goes",
            Run::Now(|_, _| text("Here for now.")),
        )
        .coming_and_going(),
    ]
}
