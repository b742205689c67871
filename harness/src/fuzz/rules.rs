//! The rules that hold for every answer, as far as breaking them is a finding of a fuzzer.

use mcp_conform_cases::case::{Invariant, Script};
use mcp_conform_cases::{Library, Revision, Severity};

use crate::judge::dialogue::Dialogue;
use crate::judge::invariants::{self, Observation};
use crate::plan::Plan;

/// What the fuzzer has oracles of its own for.
const OWN: [&str; 2] = ["no-crash", "no-hang"];

/// What a server may have from the arguments that we made up, and only repeats.
const OF_ARGUMENTS: [&str; 1] = ["elicitation/url-valid"];

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
                if OF_ARGUMENTS.contains(&case.id.as_str()) {
                    return None;
                }
                let requirement = library.requirements.get(&case.requirement)?;
                let severity = requirement.severity(revision);
                let severity = case.severity.map_or(severity, |most| most.min(severity));
                // The envelope of JSON-RPC: where a revision leaves it to JSON-RPC alone, a breach is only a warning, but
                // an answer that no client can read is wrong all the same.
                let envelope = severity == Severity::Warn && case.requirement.starts_with("base.");
                let counts =
                    (severity == Severity::Fail || envelope) && !OWN.contains(&invariant.name.as_str());
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
