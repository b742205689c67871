//! One finding in several revisions is one finding: brings results of the same kind together.

use std::collections::HashMap;

use mcp_conform_cases::{Level, Revision};

use super::style::Style;
use crate::event::{CaseResult, Transport};
use crate::verdict::Verdict;

/// Results that differ in nothing but the revision.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The result in the newest revision, which speaks for all.
    pub(crate) newest: &'a CaseResult,
    /// The revisions, oldest first.
    pub(crate) revisions: Vec<Revision>,
}

#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    verdict: Verdict,
    case: &'a str,
    requirement: &'a str,
    level: Level,
    transport: Transport,
    shape: String,
}

/// Groups results, in the order in which each group is first seen.
pub(crate) fn group<'a>(results: impl IntoIterator<Item = &'a CaseResult>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: HashMap<Key<'a>, usize> = HashMap::new();
    for result in results {
        let key = Key {
            verdict: result.verdict,
            case: &result.case,
            requirement: &result.requirement,
            level: result.level,
            transport: result.transport,
            shape: shape(&result.message),
        };
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => {
                if result.revision > group.newest.revision {
                    group.newest = result;
                }
                if !group.revisions.contains(&result.revision) {
                    group.revisions.push(result.revision);
                    group.revisions.sort();
                }
            }
            None => groups.push(Group { newest: result, revisions: vec![result.revision] }),
        }
    }
    groups
}

/// The part of a case's id before the first slash.
pub(crate) fn area(case: &str) -> &str {
    case.split_once('/').map_or(case, |(area, _)| area)
}

/// The message without its numbers: ids, dates, and times differ between runs of the same thing.
fn shape(message: &str) -> String {
    let mut shape = String::with_capacity(message.len());
    for character in message.chars() {
        if !character.is_ascii_digit() {
            shape.push(character);
        } else if !shape.ends_with('0') {
            shape.push('0');
        }
    }
    shape
}

/// `2024-11-05 … 2025-11-25` where no tested revision between the ends is missing, else all of them.
pub(crate) fn span(revisions: &[Revision], tested: &[Revision], style: Style) -> String {
    if let [first, _, .., last] = revisions {
        let between = tested.iter().filter(|revision| (first..=last).contains(revision)).count();
        if between == revisions.len() {
            return format!("{first} {} {last}", style.ellipsis());
        }
    }
    let names: Vec<_> = revisions.iter().map(|revision| revision.as_str()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_do_not_part_messages() {
        assert_eq!(shape("id 17 of 2025-11-25"), shape("id 3 of 2024-11-05"));
        assert_ne!(shape("id a"), shape("id b"));
    }

    #[test]
    fn a_span_hides_no_gap() {
        use Revision::*;
        let span = |revisions: &[Revision]| {
            span(revisions, &[R2024_11_05, R2025_03_26, R2025_06_18, R2025_11_25], Style::PLAIN)
        };
        assert_eq!(span(&[R2025_11_25]), "2025-11-25");
        assert_eq!(span(&[R2025_06_18, R2025_11_25]), "2025-06-18, 2025-11-25");
        assert_eq!(span(&[R2024_11_05, R2025_03_26, R2025_06_18]), "2024-11-05 … 2025-06-18");
        assert_eq!(span(&[R2024_11_05, R2025_03_26, R2025_11_25]), "2024-11-05, 2025-03-26, 2025-11-25");
    }
}
