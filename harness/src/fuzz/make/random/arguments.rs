//! Random arguments: valid, near a boundary, broken, of known words, and baits.

use serde_json::{Map, Value, json};

use crate::fuzz::input::{Claim, Input, InputStep};
use crate::fuzz::make::Parts;
use crate::fuzz::make::boundary::probed;
use crate::fuzz::make::call::{alone, tool_call};
use crate::fuzz::make::dice::Dice;
use crate::fuzz::make::odd::VALUES;
use crate::fuzz::make::tool::{Kind, Place, Tool, put};
use crate::fuzz::make::{probes, text};
use crate::generate::Seeded;
use crate::template::{escape, repeated};

/// How many changes are made to arguments.
const MAX_CHANGES: usize = 3;

/// Random arguments for a tool.
pub(super) fn arguments(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> Input {
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

pub(super) fn base(tool: &Tool, dice: &mut Dice<'_>) -> Value {
    dice.pick(&tool.pool).cloned().unwrap_or_else(|| json!({}))
}

/// Arguments that are likely valid: known ones, mixed ones, and new ones.
pub(super) fn valid(tool: &Tool, dice: &mut Dice<'_>) -> InputStep {
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

pub(super) fn word(parts: &Parts, dice: &mut Dice<'_>) -> String {
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

pub(super) fn baited(parts: &Parts, tool: &Tool, dice: &mut Dice<'_>) -> InputStep {
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
