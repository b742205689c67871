//! Random inputs: half of them arguments, the rest everything around them.

mod arguments;

use mcp_conform_cases::case::Action;
use serde_json::{Value, json};

use super::Parts;
use super::call::{alone, idle_method, json_text, request, written_call};
use super::dice::Dice;
use super::odd::{IDS, METHODS, PARAMS};
use super::sequences::{self, cancel};
use super::text;
use super::tool::Tool;
use crate::fuzz::input::{Input, InputStep};
use crate::fuzz::units::{self, Unit};
use crate::template::escape_value;
use arguments::{arguments, baited, base, valid, word};

/// How many steps a random sequence has at most.
const MAX_STEPS: usize = 8;
/// One in so many inputs that close the connection is tried once more after the walk along the boundaries: they are
/// always the same, and each costs a start of the server.
const CLOSING: usize = 64;
/// How many changes are made to a text.
const MAX_CHANGES: usize = 3;

/// A random input.
pub(super) fn input(parts: &Parts, dice: &mut Dice<'_>) -> Input {
    let tool = dice.pick(&parts.tools);
    match (dice.below(100), tool) {
        (0..50, Some(tool)) => arguments(parts, tool, dice),
        (50..65, _) => envelope(parts, dice),
        (65..80, Some(tool)) => sequence(parts, tool, dice),
        (80..90, tool) => mutated(parts, tool, dice),
        (..90, None) | (90.., _) => other_method(parts, dice),
    }
}

fn envelope(parts: &Parts, dice: &mut Dice<'_>) -> Input {
    if dice.one_in(3)
        && let Some(input) = dice.pick(&parts.envelopes)
    {
        return input.clone();
    }
    let pick = |dice: &mut Dice<'_>, odd: &[String]| dice.pick(odd).cloned().unwrap_or_default();
    let mut members: Vec<String> = Vec::new();
    if !dice.one_in(8) {
        members.push("\"jsonrpc\":\"2.0\"".to_owned());
    }
    if !dice.one_in(6) {
        let id = if dice.one_in(2) { pick(dice, &IDS) } else { "{{id}}".to_owned() };
        members.push(format!("\"id\":{id}"));
    }
    if !dice.one_in(8) {
        let method = if dice.one_in(2) {
            pick(dice, &METHODS)
        } else {
            Value::from(idle_method(&parts.settings)).to_string()
        };
        members.push(format!("\"method\":{method}"));
    }
    if dice.one_in(2) {
        members.push(format!("\"params\":{}", pick(dice, &PARAMS)));
    }
    if dice.one_in(4) {
        let (name, value) = (word(parts, dice), pick(dice, &PARAMS));
        members.push(format!("{}:{value}", json_text(&Value::from(name))));
    }
    if dice.one_in(6)
        && let Some(again) = dice.pick(&members).cloned()
    {
        members.push(again);
    }
    // A space, or our brace and those of a template would be taken for each other.
    alone("envelope", Action::Raw(format!("{{ {}}}", members.join(","))))
}

fn sequence(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> Input {
    if dice.one_in(3)
        && let Some(input) = dice.pick(&parts.sequences)
    {
        return input.clone();
    }
    let mut steps: Vec<InputStep> = Vec::new();
    let mut last: Option<String> = None;
    for index in 0..dice.below(MAX_STEPS).saturating_add(2) {
        let other = dice.pick(&parts.tools).unwrap_or(tool);
        let step = match (dice.below(8), &last) {
            (0 | 1, Some(name)) => cancel(&format!("{{{{{name}.id}}}}")),
            (2, _) => request("tools/list", json!({})),
            (3, _) => request(idle_method(&parts.settings), Value::Null),
            (4, _) => valid(other, dice).with_meta(json!({ "progressToken": dice.below(3) })),
            (5, _) => valid(other, dice).with_id(json!("same")).in_background(),
            (6, _) => baited(parts, other, dice),
            _ => {
                let name = format!("s{index}");
                last = Some(name.clone());
                valid(other, dice).in_background().named(&name)
            }
        };
        steps.push(step);
    }
    steps.push(request(idle_method(&parts.settings), Value::Null));
    sequences::input(steps)
}

/// The text of a call, changed here and there.
fn mutated(parts: &Parts, tool: Option<&Tool>, dice: &mut Dice<'_>) -> Input {
    if dice.one_in(4)
        && let Some(input) = dice.pick(&parts.framing)
        && (!input.closes() || dice.one_in(CLOSING))
    {
        return input.clone();
    }
    let step = match tool {
        Some(tool) => written_call(&parts.settings, &tool.name, &json_text(&base(tool, dice))),
        None => {
            Action::Raw("{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"method\":\"tools/list\"}".to_owned()).into()
        }
    };
    let Action::Raw(text) = step.action else { return alone("text", step) };
    let mut units = units::split(&text);
    for _ in 0..=dice.below(MAX_CHANGES) {
        let at = dice.below(units.len());
        let to = at.saturating_add(dice.below(8)).saturating_add(1).min(units.len());
        match dice.below(5) {
            0 => {
                units.drain(at..to);
            }
            1 => {
                let copy = units.get(at..to).map(<[Unit]>::to_vec).unwrap_or_default();
                units.splice(at..at, copy);
            }
            2 => units.truncate(at),
            3 => {
                const TOKENS: [&str; 16] = [
                    "{", "}", "[", "]", "\"", ",", ":", "\\", "null", "-", "e9", "\\u", "\\ud800", "\0",
                    "//", "'",
                ];
                let token = dice.pick(&TOKENS).copied().unwrap_or_default();
                units.splice(at..at, token.chars().map(Unit::Character));
            }
            _ => {
                let other = text::random(dice);
                units.splice(at..to.min(at.saturating_add(1)), other.chars().map(Unit::Character));
            }
        }
    }
    alone("text", Action::Raw(units::join(&units)))
}

fn other_method(parts: &Parts, dice: &mut Dice<'_>) -> Input {
    let lists = [&parts.methods, &parts.methods, &parts.http];
    let list = dice.pick(&lists).copied().filter(|list| !list.is_empty()).unwrap_or(&parts.methods);
    match dice.pick(list) {
        Some(known) if dice.one_in(2) => known.clone(),
        Some(known) => {
            let mut input = known.clone();
            for step in &mut input.steps {
                if let Action::Request(send) | Action::Notify(send) = &mut step.action
                    && let Some(Value::Object(members)) = &mut send.params
                {
                    for value in members.values_mut() {
                        match dice.below(4) {
                            0 => *value = escape_value(json!(text::random(dice))),
                            1 => *value = json!(word(parts, dice)),
                            _ => {}
                        }
                    }
                }
            }
            input
        }
        None => envelope(parts, dice),
    }
}
