//! Brings together what all schemas say that apply to one value.
//!
//! Nothing is merged into a new schema: a value is described by a list of schemas, and references, `allOf` and
//! the chosen branches of unions only make that list longer.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::choose::{Choice, Recorder};
use super::facts::Facts;
use super::limits::Fuel;
use super::reference::Document;
use super::types::{self, Kind};

/// Brings together what `schemas` say, all of which apply.
///
/// With a recorder, one branch of every union is chosen, shifted by `turn` so that a caller can try them all.
/// Without one, unions only narrow the types: what remains is certain whichever branch a value takes.
pub(super) fn gather<'s>(
    document: &Document<'s>,
    schemas: &[&'s Value],
    mut recorder: Option<&mut Recorder<'_>>,
    fuel: &mut Fuel,
    turn: usize,
) -> Facts<'s> {
    let mut facts = Facts::default();
    let mut queue: VecDeque<&'s Value> = schemas.iter().copied().collect();
    let mut seen: Vec<*const Value> = Vec::new();
    let mut postponed: Vec<(&'s str, &'s Value)> = Vec::new();
    loop {
        let Some(schema) = queue.pop_front() else {
            // What a property brings along is decided when it is known which properties are required.
            let Some((trigger, schema)) = postponed.pop() else { break };
            match recorder.as_deref_mut() {
                Some(_) if facts.required.contains(&trigger) => queue.push_back(schema),
                Some(recorder) if !facts.forbidden.contains(&trigger) => {
                    if recorder.pick(Choice::Property, 2) == 1 {
                        facts.required.push(trigger);
                        queue.push_back(schema);
                    } else {
                        facts.forbidden.push(trigger);
                    }
                }
                _ => {}
            }
            continue;
        };
        if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        if !fuel.spend(effort(schema, seen.len())) {
            facts.impossible = true;
            break;
        }
        seen.push(std::ptr::from_ref(schema));
        let map = match schema {
            Value::Bool(true) => continue,
            Value::Object(map) => map,
            _ => {
                facts.impossible = true;
                break;
            }
        };
        facts.annotations(map);
        let mut refers = false;
        for keyword in ["$ref", "$dynamicRef"] {
            if let Some(target) = map.get(keyword).and_then(Value::as_str) {
                refers = true;
                queue.extend(document.resolve(target));
            }
        }
        if refers && document.ref_stands_alone {
            continue;
        }
        facts.scalars(map);
        facts.arrays(map);
        facts.objects(map);
        if let Some(Value::Array(parts)) = map.get("allOf") {
            queue.extend(parts);
        }
        if let Some(negated) = map.get("not") {
            facts.negation(negated, fuel, 4);
        }
        for keyword in ["anyOf", "oneOf"] {
            let Some(Value::Array(branches)) = map.get(keyword) else { continue };
            match recorder.as_deref_mut() {
                Some(recorder) => {
                    let branches = ordered(document, branches, &facts.defaults, fuel);
                    let picked = choose_way(recorder, &mut facts.ways, branches.len(), turn);
                    queue.extend(branches.get(picked));
                }
                None => facts.narrow_to(document, branches, fuel),
            }
        }
        if let Some(recorder) = recorder.as_deref_mut() {
            conditional(map, recorder, &mut facts, &mut queue, fuel, turn);
            for keyword in ["dependentSchemas", "dependencies"] {
                if let Some(Value::Object(named)) = map.get(keyword) {
                    let schemas = named.iter().filter(|(_, schema)| !schema.is_array());
                    postponed.extend(schemas.map(|(name, schema)| (name.as_str(), schema)));
                }
            }
        }
    }
    facts.finish();
    facts
}

/// What it costs to look at one schema, beside those that were looked at before.
fn effort(schema: &Value, before: usize) -> u64 {
    let sizes = ["properties", "required", "enum", "anyOf", "oneOf", "allOf"].iter().map(|keyword| {
        match schema.get(keyword) {
            Some(Value::Object(map)) => map.len(),
            Some(Value::Array(list)) => list.len(),
            _ => 0,
        }
    });
    let size = sizes.fold(before, usize::saturating_add);
    u64::try_from(size).unwrap_or(u64::MAX).saturating_div(16).saturating_add(1)
}

/// Picks one of `count` ways, and lets `turn` run through all combinations of ways.
fn choose_way(recorder: &mut Recorder<'_>, ways: &mut usize, count: usize, turn: usize) -> usize {
    let picked = recorder.pick(Choice::Branch, count);
    let before = (*ways).max(1);
    let shift = turn.checked_div(before).unwrap_or(0);
    *ways = before.saturating_mul(count.max(1));
    picked.wrapping_add(shift).checked_rem(count).unwrap_or(0)
}

/// The branches of a union: those that the default fits first, null last.
fn ordered<'s>(
    document: &Document<'s>,
    branches: &'s [Value],
    defaults: &[&'s Value],
    fuel: &mut Fuel,
) -> Vec<&'s Value> {
    let default = defaults.iter().find(|value| !value.is_null()).map(|value| Kind::of(value));
    let mut ranked: Vec<(u8, &'s Value)> = Vec::with_capacity(branches.len());
    for branch in branches {
        let kinds = types::possible(document, branch, 4, fuel);
        let rank = match (&kinds, default) {
            (Some(kinds), _) if kinds.iter().all(|kind| *kind == Kind::Null) => 2,
            (Some(kinds), Some(default)) if !kinds.iter().any(|kind| kind.includes(default)) => 1,
            _ => 0,
        };
        ranked.push((rank, branch));
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, branch)| branch).collect()
}

/// `if` with `then` or `else`: either the condition and `then` hold, or not the condition but `else`.
fn conditional<'s>(
    map: &'s Map<String, Value>,
    recorder: &mut Recorder<'_>,
    facts: &mut Facts<'s>,
    queue: &mut VecDeque<&'s Value>,
    fuel: &mut Fuel,
    turn: usize,
) {
    let Some(condition) = map.get("if") else { return };
    let (then, otherwise) = (map.get("then"), map.get("else"));
    if then.is_none() && otherwise.is_none() {
        return;
    }
    let way = choose_way(recorder, &mut facts.ways, 2, turn);
    // Without `else` the plain way is not to meet the condition: it asks for nothing more.
    if (way == 0) == otherwise.is_some() {
        queue.push_back(condition);
        queue.extend(then);
    } else {
        facts.negation(condition, fuel, 4);
        queue.extend(otherwise);
    }
}
