//! Makes claims true again after an input has changed.

use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::Parts;
use super::tool::Tool;
use crate::fuzz::input::{Claim, Door, Input, InputStep};
use crate::template::{self, Variables};

/// See [`super::Maker::reclaim`].
pub(super) fn input(parts: &Parts, input: &mut Input) {
    for step in &mut input.steps {
        step.claim = claim(parts, step);
    }
}

/// See [`super::Maker::reclaim_forbidden`].
pub(super) fn forbidden(parts: &Parts, input: &mut Input) {
    for step in &mut input.steps {
        let called = called(parts, step);
        step.claim = called.map_or(Claim::None, |(tool, arguments)| tool.claim_about_known(&arguments));
    }
}

/// The tool that a step calls, and with what.
fn called<'p>(parts: &'p Parts, step: &InputStep) -> Option<(&'p Tool, Value)> {
    let Action::Request(send) = &step.action else { return None };
    let params = send.params.as_ref().filter(|_| send.method == "tools/call")?;
    let mut params = template::fill(params, &Variables::default()).ok()?;
    let name = params.get("name").and_then(Value::as_str).unwrap_or_default();
    let tool = parts.tools.iter().find(|tool| tool.name == name)?;
    Some((tool, params.get_mut("arguments")?.take()))
}

fn claim(parts: &Parts, step: &InputStep) -> Claim {
    let Some((tool, arguments)) = called(parts, step) else { return Claim::None };
    let arguments = &arguments;
    match &step.claim {
        // Still a bait, as long as something is left of it and the marker itself is not what is sent.
        Claim::Bait { tool: baited, marker, door } if *baited == tool.name => {
            let is_harmless =
                *door == Door::Sql && !["'", "\"", "UNION"].iter().any(|part| holds(arguments, part));
            let repeats_marker = holds(arguments, marker);
            if is_harmless || repeats_marker { Claim::None } else { step.claim.clone() }
        }
        // What the schema says of something that was chosen already may be worded better than we could.
        Claim::Forbidden { keyword, tool: forbidden, .. } if *forbidden == tool.name => {
            match tool.claim_about(arguments, Some(keyword)) {
                Claim::Forbidden { keyword: now, .. } if now == *keyword => step.claim.clone(),
                other => other,
            }
        }
        _ => tool.claim_about(arguments, None),
    }
}

fn holds(value: &Value, marker: &str) -> bool {
    match value {
        Value::String(text) => text.contains(marker),
        Value::Array(items) => items.iter().any(|item| holds(item, marker)),
        Value::Object(members) => {
            members.iter().any(|(name, member)| name.contains(marker) || holds(member, marker))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
