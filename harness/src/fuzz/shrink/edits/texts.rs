//! Shorter and plainer texts and bytes.

use std::ops::Range;

use super::parts;
use crate::fuzz::units::{Unit, join, split};

/// So many characters of one text are replaced by a plain one.
const MAX_PLAIN: usize = 64;

/// A change of one text, counted in its units.
#[derive(Clone, Debug)]
pub(in crate::fuzz::shrink) enum Change {
    /// Without these.
    Cut(Range<usize>),
    /// The letter `a` in the place of this one.
    Plain(usize),
    /// The letter `a` in the place of all that are odd.
    AllPlain,
    /// A repetition only so often.
    Times(usize, usize),
    /// All repetitions half as often, for those that belong together.
    HalfTimes,
}

/// The changes of a text.
pub(super) fn of(text: &str) -> Vec<Change> {
    let units = split(text);
    let mut changes: Vec<Change> = parts(units.len()).map(Change::Cut).collect();
    let repetitions: Vec<(usize, usize)> = units
        .iter()
        .enumerate()
        .filter_map(|(at, unit)| match unit {
            Unit::Repeated(_, times) => Some((at, *times)),
            _ => None,
        })
        .collect();
    if repetitions.len() > 1 {
        changes.push(Change::HalfTimes);
    }
    for (at, times) in repetitions {
        // Almost nothing, then half, then nearly all, so that a limit is found by halving.
        let steps = std::iter::successors(Some(times / 2), |step| (*step > 1).then_some(step / 2));
        changes.push(Change::Times(at, 1));
        changes.extend(steps.map(|step| Change::Times(at, times.saturating_sub(step))));
    }
    if units.iter().filter(|unit| is_odd_character(unit)).count() > 1 {
        changes.push(Change::AllPlain);
    }
    let odd_units = units.iter().enumerate().filter(|(_, unit)| **unit != Unit::Character('a'));
    changes.extend(odd_units.take(MAX_PLAIN).map(|(at, _)| Change::Plain(at)));
    changes
}

fn is_odd_character(unit: &Unit) -> bool {
    matches!(unit, Unit::Character(character) if !character.is_ascii_alphanumeric())
}

/// The text with a change.
pub(super) fn apply(change: &Change, text: &str) -> Option<String> {
    let mut units = split(text);
    match change {
        Change::Cut(range) => {
            units.drain(range.start.min(units.len())..range.end.min(units.len()));
        }
        Change::Plain(at) => *units.get_mut(*at)? = Unit::Character('a'),
        Change::AllPlain => {
            units
                .iter_mut()
                .filter(|unit| is_odd_character(unit))
                .for_each(|unit| *unit = Unit::Character('a'));
        }
        Change::Times(at, less) => match units.get_mut(*at)? {
            Unit::Repeated(_, times) if *less < *times => *times = *less,
            _ => return None,
        },
        Change::HalfTimes => {
            for unit in &mut units {
                if let Unit::Repeated(_, times) = unit {
                    *times /= 2;
                }
            }
        }
    }
    Some(join(&units))
}

/// The changes of bytes.
pub(super) fn of_bytes(bytes: &[u8]) -> Vec<Change> {
    let odd = bytes.iter().enumerate().filter(|(_, byte)| !matches!(byte, b'a' | b'\n')).take(MAX_PLAIN);
    parts(bytes.len()).map(Change::Cut).chain(odd.map(|(at, _)| Change::Plain(at))).collect()
}

/// Changes bytes.
pub(super) fn apply_to_bytes(change: &Change, bytes: &mut Vec<u8>) -> Option<()> {
    match change {
        Change::Cut(range) => {
            bytes.drain(range.start.min(bytes.len())..range.end.min(bytes.len()));
        }
        Change::Plain(at) => *bytes.get_mut(*at)? = b'a',
        Change::AllPlain | Change::Times(..) | Change::HalfTimes => return None,
    }
    Some(())
}
