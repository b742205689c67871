//! The rules that hold for every answer, as far as breaking them is a finding of a fuzzer.

use mcp_conform_cases::case::{Invariant, Script};
use mcp_conform_cases::{Level, Library, Revision, Severity};

use crate::judge::dialogue::Dialogue;
use crate::judge::invariants::{self, Observation};
use crate::plan::Plan;

/// What the fuzzer has oracles of its own for.
const OWN: [&str; 2] = ["no-crash", "no-hang"];

/// One rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// The id of the case that gives the rule its requirement.
    pub(super) case: String,
    pub(super) requirement: String,
    invariant: Invariant,
}

impl Rule {
    /// The rules that apply in a revision and whose breach is more than a warning.
    pub(super) fn all(library: &Library, plan: &Plan, revision: Revision) -> Vec<Rule> {
        let items = plan.items.iter().filter(|item| item.skip.is_none() && item.revision == revision);
        items
            .filter_map(|item| {
                let case = library.cases.get(item.case)?;
                let Script::Invariant(invariant) = &case.script else { return None };
                let requirement = library.requirements.get(&case.requirement)?;
                let severity = requirement.severity(revision);
                let severity = case.severity.map_or(severity, |most| most.min(severity));
                // What JSON-RPC demands is only a warning where the specification refers to it; its MUSTs count here all
                // the same.
                let by_reference = severity == Severity::Warn
                    && requirement.basis.get(revision).is_some_and(|basis| basis == "jsonrpc")
                    && matches!(requirement.level(revision), Some(Level::Must | Level::MustNot));
                let counts =
                    (severity == Severity::Fail || by_reference) && !OWN.contains(&invariant.name.as_str());
                counts.then(|| Rule {
                    case: case.id.clone(),
                    requirement: case.requirement.clone(),
                    invariant: invariant.clone(),
                })
            })
            .collect()
    }

    /// What the rule sees in a recording.
    pub(super) fn look(&self, dialogue: &Dialogue<'_>) -> Observation {
        invariants::rule(&self.invariant.name)
            .map(|rule| rule(dialogue, &self.invariant.with))
            .unwrap_or_default()
    }
}
