//! Arrays: a sensible length, items by their schemas, distinct where they must be.

use serde_json::Value;

use super::choose::Choice;
use super::facts::Facts;
use super::hints::Name;
use super::limits::MAX_BYTES;
use super::walker::Run;

/// No array has more items: each takes a comma and a character at least.
const MAX_ITEMS: usize = MAX_BYTES / 2;
/// An array at its maximum length is only tried up to this length.
const MAX_LONG: u64 = 64;
/// How often another item is tried where items must differ.
const MAX_TRIES: u64 = 8;

/// Makes an array.
pub(super) fn make<'s>(facts: &Facts<'s>, name: &Name, run: &mut Run<'_, 's, '_>) -> Option<Value> {
    let min = usize::try_from(facts.item_count.min).ok().filter(|min| *min <= MAX_ITEMS)?;
    let lengths = lengths(facts, run);
    let picked = run.recorder.pick(Choice::Length, lengths.len());
    let length = *lengths.get(picked)?;
    let slots = contains_slots(facts, length);
    let item_name = name.of_item();
    let outer = run.recorder.nudge;
    let mut items: Vec<Value> = Vec::new();
    if !run.charge(2) {
        return None;
    }
    for index in 0..length {
        let mut schemas = facts.item(index);
        schemas.extend(slots.get(index).copied().flatten());
        let position = u64::try_from(index).unwrap_or(u64::MAX);
        let item = (0..if facts.unique { MAX_TRIES } else { 1 }).find_map(|again| {
            run.recorder.nudge = outer.saturating_add(position).saturating_add(again);
            let item = run.child(&schemas, &index.to_string(), &item_name)?;
            (!facts.unique || !items.contains(&item)).then_some(item)
        });
        run.recorder.nudge = outer;
        match item {
            Some(item) if run.charge(1) => items.push(item),
            _ if items.len() >= min => break,
            _ => return None,
        }
    }
    Some(Value::Array(items))
}

/// Lengths to choose from, the sensible one first.
fn lengths(facts: &Facts<'_>, run: &Run<'_, '_, '_>) -> Vec<usize> {
    let (min, max) = (facts.item_count.min, facts.item_count.max);
    let needed = facts.contains.iter().fold(0_u64, |sum, contains| sum.saturating_add(contains.counts.min));
    let prefix = u64::try_from(facts.prefix_len()).unwrap_or(u64::MAX);
    let mut sensible = min.max(prefix).max(needed);
    if sensible == 0 && facts.describes_items() && run.depth < run.max_depth {
        sensible = 1;
    }
    let mut lengths = Vec::new();
    let longest = max.filter(|max| *max <= MAX_LONG);
    let options = [
        Some(sensible.min(max.unwrap_or(u64::MAX))),
        Some(min),
        Some(sensible.saturating_add(1)),
        Some(prefix.saturating_add(needed)),
        Some(min.saturating_add(3)),
        longest,
    ];
    for length in options.into_iter().flatten() {
        let Some(short) = usize::try_from(length).ok().filter(|short| *short <= MAX_ITEMS) else { continue };
        if facts.item_count.contains(length) && !lengths.contains(&short) {
            lengths.push(short);
        }
    }
    lengths
}

/// Which items have to match which `contains`: those after the prefix if there is room, else the first ones.
fn contains_slots<'s>(facts: &Facts<'s>, length: usize) -> Vec<Option<&'s Value>> {
    let mut slots: Vec<Option<&'s Value>> = Vec::new();
    for contains in &facts.contains {
        let room = length.saturating_sub(slots.len());
        let times = usize::try_from(contains.counts.min).unwrap_or(usize::MAX).min(room);
        slots.extend(std::iter::repeat_n(Some(contains.schema), times));
    }
    if let Some(room) = length.checked_sub(slots.len()) {
        let before = facts.prefix_len().min(room);
        slots.splice(0..0, std::iter::repeat_n(None, before));
    }
    slots
}
