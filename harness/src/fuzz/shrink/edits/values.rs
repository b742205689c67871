//! Smaller JSON values.

use std::ops::Range;

use serde_json::{Map, Number, Value, json};

use super::{Edit, parts, texts};
use crate::fuzz::shrink::place::{Key, Slot, TextPlace};

/// Values deeper than this are left as they are.
const DEEPEST: usize = 64;
/// So many things in an object or array are looked into.
const MAX_CHILDREN: usize = 64;
/// So many of them are tried in its place.
const MAX_HOISTED: usize = 4;

/// A change of one value.
#[derive(Clone, Debug)]
pub(in crate::fuzz::shrink) enum Change {
    /// Another one in its place.
    Set(Value),
    /// Some members or items less.
    Cut(Range<usize>),
    /// A plainer name for a member, which `true` cuts to its first half.
    Rename(String, bool),
}

/// The changes of a value and of everything in it.
pub(super) fn of(at: usize, slot: Slot, value: &Value, path: &mut Vec<Key>, edits: &mut Vec<Edit>) {
    if path.len() > DEEPEST {
        return;
    }
    let mut add = |change: Change| edits.push(Edit::Value(at, slot, path.clone(), change));
    match value {
        Value::Null => {}
        Value::Bool(flag) => {
            if *flag {
                add(Change::Set(json!(false)));
            }
        }
        Value::Number(number) => smaller_numbers(number).into_iter().map(Change::Set).for_each(add),
        Value::String(text) => {
            let place = TextPlace::Value(slot, path.clone());
            edits.extend(texts::of(text).into_iter().map(|change| Edit::Text(at, place.clone(), change)));
        }
        Value::Array(items) => {
            parts(items.len()).map(Change::Cut).for_each(&mut add);
            hoisted(items.iter(), value).into_iter().map(Change::Set).for_each(&mut add);
            for (index, item) in items.iter().enumerate().take(MAX_CHILDREN) {
                path.push(Key::Index(index));
                of(at, slot, item, path, edits);
                path.pop();
            }
        }
        Value::Object(members) => {
            parts(members.len()).map(Change::Cut).for_each(&mut add);
            hoisted(members.values(), value).into_iter().map(Change::Set).for_each(&mut add);
            for name in members.keys().take(MAX_CHILDREN) {
                if name.chars().count() > 1 {
                    add(Change::Rename(name.clone(), true));
                }
                add(Change::Rename(name.clone(), false));
            }
            for (name, member) in members.iter().take(MAX_CHILDREN) {
                path.push(Key::Name(name.clone()));
                of(at, slot, member, path, edits);
                path.pop();
            }
        }
    }
}

/// What is in an object or array and is one itself, to take its place.
fn hoisted<'v>(children: impl Iterator<Item = &'v Value>, value: &Value) -> Vec<Value> {
    let is_alike =
        |child: &&Value| child.is_object() && value.is_object() || child.is_array() && value.is_array();
    children.filter(is_alike).take(MAX_HOISTED).cloned().collect()
}

/// Plainer numbers, the plainest first; none is farther from zero.
fn smaller_numbers(number: &Number) -> Vec<Value> {
    let mut smaller: Vec<Value> = Vec::new();
    if let Some(whole) = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)) {
        let mut offer = |other: i128| {
            let value =
                i64::try_from(other).map(Value::from).or_else(|_| u64::try_from(other).map(Value::from));
            if let Ok(value) = value
                && (other.unsigned_abs() < whole.unsigned_abs() || (whole < 0 && other == -whole))
                && !smaller.contains(&value)
            {
                smaller.push(value);
            }
        };
        offer(0);
        offer(1);
        offer(-whole);
        if let Some(power) = whole.unsigned_abs().checked_ilog2().and_then(|log| 1_i128.checked_shl(log)) {
            offer(power.saturating_mul(whole.signum()));
        }
        offer(whole / 2);
        offer(whole.saturating_sub(whole.signum()));
    } else if let Some(float) = number.as_f64() {
        smaller.push(json!(0));
        if float.abs() >= 1.0 && float.abs() < 9e15 && float.fract() != 0.0 {
            // A cut to a whole number of this size is exact.
            smaller.push(json!(float.trunc() as i64));
        }
        if float < 0.0 {
            smaller.push(json!(-float));
        }
    }
    smaller
}

/// Changes a value.
pub(super) fn apply(change: &Change, value: &mut Value) {
    match change {
        Change::Set(other) => *value = other.clone(),
        Change::Cut(range) => match value {
            Value::Array(items) => {
                items.drain(range.start.min(items.len())..range.end.min(items.len()));
            }
            Value::Object(members) => {
                let kept = std::mem::take(members).into_iter().enumerate();
                *members =
                    kept.filter(|(index, _)| !range.contains(index)).map(|(_, member)| member).collect();
            }
            _ => {}
        },
        Change::Rename(name, is_cut) => {
            if let Value::Object(members) = value
                && let Some(shorter) = shorter_name(name, *is_cut)
                && !members.contains_key(&shorter)
            {
                let renamed = std::mem::take(members).into_iter();
                *members = renamed
                    .map(|(old, member)| (if old == *name { shorter.clone() } else { old }, member))
                    .collect::<Map<String, Value>>();
            }
        }
    }
}

fn shorter_name(name: &str, is_cut: bool) -> Option<String> {
    if is_cut {
        let units = crate::fuzz::units::split(name);
        return units.get(..units.len() / 2).map(crate::fuzz::units::join);
    }
    // One character is as plain as a name can be, unless it is that already.
    (name.chars().count() > 1 || (name != "a" && !name.is_empty())).then(|| "a".to_owned())
}
