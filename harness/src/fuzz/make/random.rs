//! Random inputs: half of them arguments, the rest everything around them.

use mcp_conform_cases::case::Action;
use serde_json::{Map, Value, json};

use super::Parts;
use super::boundary::probed;
use super::call::{alone, idle_method, json_text, request, tool_call, written_call};
use super::dice::Dice;
use super::odd::{IDS, METHODS, PARAMS, VALUES};
use super::probes;
use super::sequences::{self, cancel};
use super::text;
use super::tool::{Kind, Place, Tool, put};
use crate::fuzz::input::{Claim, Input, InputStep};
use crate::fuzz::units::{self, Unit};
use crate::generate::Seeded;
use crate::template::{escape, escape_value, repeated};

/// How many steps a random sequence has at most.
const MAX_STEPS: usize = 8;
/// How many changes are made to arguments or to a text.
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

fn arguments(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> Input {
    let step = match dice.below(10) {
        0 | 1 => valid(tool, dice),
        2..5 => return mixed(parts, tool, dice),
        5 => broken(parts, tool, dice),
        6 | 7 => worded(parts, tool, dice, false),
        8 => worded(parts, tool, dice, true),
        _ => baited(parts, tool, dice),
    };
    alone("arguments", step)
}

fn call(tool: &Tool, arguments: Value) -> InputStep {
    let claim = tool.claim(&arguments);
    tool_call(&tool.name, arguments).claiming(claim)
}

fn base(tool: &Tool, dice: &mut Dice<'_>) -> Value {
    dice.pick(&tool.pool).cloned().unwrap_or_else(|| json!({}))
}

/// Arguments that are likely valid: known ones, mixed ones, and new ones.
fn valid(tool: &Tool, dice: &mut Dice<'_>) -> InputStep {
    let mut arguments = base(tool, dice);
    if dice.one_in(8) {
        // A walk asks for many decisions, which a chooser of few bytes does not have.
        let mut seeded = Seeded::new(dice.number());
        arguments = tool.walk(&mut seeded).unwrap_or(arguments);
    } else if let (Some(Value::Object(other)), Value::Object(members)) =
        (dice.pick(&tool.pool), &mut arguments)
    {
        for (name, value) in other {
            if dice.one_in(2) {
                members.insert(name.clone(), value.clone());
            }
        }
    }
    call(tool, arguments)
}

/// Boundary values at some places.
fn mixed(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> Input {
    let Some(place) = dice.pick(&tool.places) else {
        return alone("arguments", call(tool, base(tool, dice)));
    };
    if dice.one_in(6) {
        let probes: Vec<_> = probes::of(place.kind, parts.settings.largest_text).collect();
        if let Some(probe) = dice.pick(&probes) {
            return Input { origin: "arguments", ..probed(tool, parts, place, probe) };
        }
    }
    let mut arguments = base(tool, dice);
    for _ in 0..=dice.below(MAX_CHANGES) {
        if let Some(place) = dice.pick(&tool.places) {
            put(&mut arguments, &place.path, near(place, dice));
        }
    }
    alone("arguments", call(tool, arguments))
}

/// A value near one that was known to be special.
fn near(place: &Place, dice: &mut Dice<'_>) -> Value {
    match (place.kind, dice.below(8)) {
        (_, 0) => VALUES.get(dice.below(VALUES.len().saturating_sub(1))).cloned().unwrap_or_default(),
        (Kind::Number, 1..7) => number(dice),
        (Kind::Text, 1) => {
            let length = 1_usize.checked_shl(u32::try_from(dice.below(14)).unwrap_or(0)).unwrap_or(1);
            json!(repeated("a", length.saturating_add(dice.below(3)).saturating_sub(1)))
        }
        (Kind::Text, _) => json!(escape(&text::random(dice))),
        (_, 2) => number(dice),
        (_, 3) => json!(dice.one_in(2)),
        (_, 4) => json!([]),
        (_, 5) => json!([escape(&text::random(dice)), number(dice), null_or_object(dice)]),
        (_, 6) => null_or_object(dice),
        _ => json!(escape(&text::random(dice))),
    }
}

fn null_or_object(dice: &mut Dice<'_>) -> Value {
    if dice.one_in(2) { Value::Null } else { json!({ escape(&text::random(dice)): 1 }) }
}

/// A power of two or ten and its neighbours, or anything.
fn number(dice: &mut Dice<'_>) -> Value {
    let exponent = u32::try_from(dice.below(64)).unwrap_or(0);
    match dice.below(5) {
        0 | 1 => {
            let power = 1_i128.checked_shl(exponent).unwrap_or(0);
            let sign = if dice.one_in(2) { -1 } else { 1 };
            let shift = i128::try_from(dice.below(3)).unwrap_or(0).saturating_sub(1);
            let whole = power.saturating_mul(sign).saturating_add(shift);
            i64::try_from(whole)
                .map(Value::from)
                .or_else(|_| u64::try_from(whole).map(Value::from))
                .unwrap_or_default()
        }
        2 => json!(dice.below(2001)),
        3 => json!(f64::from_bits(dice.number())),
        _ => json!(dice.number()),
    }
}

/// Several things wrong at once.
fn broken(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> InputStep {
    let mut arguments = base(tool, dice);
    for _ in 0..=dice.below(MAX_CHANGES) {
        let names: Vec<String> = arguments.as_object().into_iter().flat_map(Map::keys).cloned().collect();
        match (dice.below(3), dice.pick(&names), arguments.as_object_mut()) {
            (0, Some(name), Some(members)) => {
                members.shift_remove(name);
            }
            (1, Some(name), _) => {
                let odd = VALUES.get(dice.below(VALUES.len().saturating_sub(1))).cloned().unwrap_or_default();
                put(&mut arguments, std::slice::from_ref(name), odd);
            }
            _ => {
                let name = word(parts, dice);
                put(&mut arguments, &[name], Value::from(dice.below(3)));
            }
        }
    }
    call(tool, arguments)
}

fn word(parts: &Parts, dice: &mut Dice<'_>) -> String {
    dice.pick(&parts.words).cloned().unwrap_or_default()
}

/// A text at every place in turn that takes one: random, or of the words that mean something to the server.
fn worded(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>, is_known: bool) -> InputStep {
    let mut arguments = base(tool, dice);
    for place in tool.places.iter().filter(|place| place.kind == Kind::Text) {
        if dice.one_in(2) {
            continue;
        }
        let mut words = if is_known { word(parts, dice) } else { escape(&text::random(dice)).into_owned() };
        if is_known && dice.one_in(4) {
            words.push_str(&word(parts, dice));
        }
        put(&mut arguments, &place.path, Value::String(words));
    }
    call(tool, arguments)
}

fn baited(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> InputStep {
    let texts: Vec<&Place> = tool.places.iter().filter(|place| place.kind == Kind::Text).collect();
    let (Some(place), Some(bait)) = (dice.pick(&texts), dice.pick(&parts.baits)) else {
        return valid(tool, dice);
    };
    let mut arguments = base(tool, dice);
    put(&mut arguments, &place.path, Value::String(bait.text.clone()));
    let marker = bait.marker.clone();
    tool_call(&tool.name, arguments).claiming(Claim::Bait {
        tool: tool.name.clone(),
        door: bait.door,
        marker,
    })
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
