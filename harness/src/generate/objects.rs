//! Objects: what is required, what is chosen beside it, and names for properties that have none.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::choose::Choice;
use super::facts::Facts;
use super::hints::Name;
use super::limits::MAX_BYTES;
use super::walker::Run;

/// Deeper than this, optional properties are left out, or recursive schemas would grow without end.
const OPTIONAL_DEPTH: usize = 3;

/// Makes an object.
pub(super) fn make<'s>(facts: &Facts<'s>, run: &mut Run<'_, 's, '_>) -> Option<Value> {
    let (min, max) = (facts.property_count.min, facts.property_count.max.unwrap_or(u64::MAX));
    let min = usize::try_from(min).ok().filter(|min| *min <= MAX_BYTES / 6)?;
    let max = usize::try_from(max).unwrap_or(usize::MAX);
    let described = facts.described();
    let mut chosen = closure(facts, &facts.required);
    let required: HashSet<&str> = chosen.iter().copied().collect();
    if run.depth < OPTIONAL_DEPTH {
        choose_optional(facts, &described, &mut chosen, max, run);
    }
    let wanted: HashSet<&str> = chosen.iter().copied().collect();
    // The schema's order reads best; what it requires but does not describe comes last.
    let ordered = described.iter().copied().filter(|name| wanted.contains(name));
    let undescribed = {
        let described: HashSet<&str> = described.iter().copied().collect();
        chosen.iter().copied().filter(move |name| !described.contains(name)).collect::<Vec<_>>()
    };
    let mut object = Map::new();
    for name in ordered.chain(undescribed) {
        let value = property(facts, name, run);
        if value.is_none() && required.contains(name) {
            return None;
        }
        object.extend(value.map(|value| (name.to_owned(), value)));
    }
    for name in described {
        if object.len() >= min {
            break;
        }
        if !wanted.contains(name) && !facts.forbidden.contains(&name) {
            let value = property(facts, name, run);
            object.extend(value.map(|value| (name.to_owned(), value)));
        }
    }
    let may_invent = facts.is_mapping() && object.is_empty() && max > 0 && run.depth < OPTIONAL_DEPTH;
    let extra = usize::from(may_invent && run.recorder.pick(Choice::Property, 2) == 1);
    invent(facts, min.max(extra), &mut object, run);
    (object.len() >= min && object.len() <= max).then_some(Value::Object(object))
}

/// Asks for every optional property whether it should be there.
fn choose_optional<'s>(
    facts: &Facts<'s>,
    described: &[&'s str],
    chosen: &mut Vec<&'s str>,
    max: usize,
    run: &mut Run<'_, 's, '_>,
) {
    let mut known: HashSet<&str> = chosen.iter().copied().collect();
    for name in described {
        if chosen.len() >= max || !run.fuel.spend(1) {
            return;
        }
        if known.contains(name)
            || facts.forbidden.contains(name)
            || facts.property(run.document, name).contains(&&Value::Bool(false))
        {
            continue;
        }
        if run.recorder.pick(Choice::Property, 2) == 1 {
            let brings = closure(facts, &[*name]);
            if brings.iter().any(|name| facts.forbidden.contains(name)) {
                continue;
            }
            for name in brings {
                if known.insert(name) {
                    chosen.push(name);
                }
            }
        }
    }
}

/// `names` and all properties that they bring along.
fn closure<'s>(facts: &Facts<'s>, names: &[&'s str]) -> Vec<&'s str> {
    let mut all: Vec<&'s str> = names.to_vec();
    let mut known: HashSet<&str> = all.iter().copied().collect();
    let mut next = 0_usize;
    while let Some(name) = all.get(next).copied() {
        next = next.saturating_add(1);
        if facts.dependent.is_empty() {
            break;
        }
        for (_, needed) in facts.dependent.iter().filter(|(trigger, _)| *trigger == name) {
            all.extend(needed.iter().filter(|needed| known.insert(**needed)));
        }
    }
    all
}

fn property<'s>(facts: &Facts<'s>, name: &str, run: &mut Run<'_, 's, '_>) -> Option<Value> {
    let schemas = facts.property(run.document, name);
    let value = run.child(&schemas, name, &Name::of_property(name))?;
    run.charge(name.len().saturating_add(4)).then_some(value)
}

/// Adds properties that no schema names until there are `count`, as far as that is allowed.
fn invent<'s>(facts: &Facts<'s>, count: usize, object: &mut Map<String, Value>, run: &mut Run<'_, 's, '_>) {
    let outer = run.recorder.nudge;
    let mut failures = 0_u32;
    let mut index = 0_u64;
    while object.len() < count && failures < 8 && run.fuel.left() > 0 {
        run.recorder.nudge = index;
        let name = invented_name(facts, index, run);
        run.recorder.nudge = outer;
        index = index.saturating_add(1);
        let fresh =
            name.filter(|name| !object.contains_key(name) && !facts.forbidden.contains(&name.as_str()));
        let added = fresh.and_then(|name| property(facts, &name, run).map(|value| (name, value)));
        match added {
            Some((name, value)) => {
                object.insert(name, value);
            }
            None => failures = failures.saturating_add(1),
        }
    }
}

fn invented_name<'s>(facts: &Facts<'s>, index: u64, run: &mut Run<'_, 's, '_>) -> Option<String> {
    if !facts.property_names.is_empty() {
        return match run.child(&facts.property_names, "", &Name::of_property("name"))? {
            Value::String(name) => Some(name),
            _ => None,
        };
    }
    if let Some(pattern) = facts.name_patterns().next()
        && facts.forbids_more_properties()
    {
        return super::pattern::make(pattern, 0, &mut run.recorder);
    }
    Some(if index == 0 { "key".to_owned() } else { format!("key{index}") })
}
