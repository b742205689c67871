//! What the invariants see in the recording of a session.

use mcp_conform_cases::case::{Invariant, Script};

use super::Context;
use crate::event::Evidence;
use crate::judge::dialogue::Dialogue;
use crate::judge::{Breach, evidence, invariants};
use crate::transcript::Transcript;

/// What one invariant saw.
pub(super) struct Seen {
    /// The item of the plan.
    pub(super) item: usize,
    /// How many things it applied to.
    pub(super) examined: usize,
    /// How many of them broke it.
    pub(super) broken: usize,
    /// The breach to show, with its evidence: the first real one, or else the first advice.
    pub(super) shown: Option<(Breach, Vec<Evidence>)>,
}

/// The invariants in the plan that a recording is judged by, with their items.
pub(super) fn watched<'c>(
    context: &'c Context,
    transcript: &Transcript,
) -> impl Iterator<Item = (usize, &'c Invariant)> {
    let (revision, transport) = (transcript.revision, transcript.transport);
    context.plan.items.iter().enumerate().filter_map(move |(item, planned)| {
        let concerned =
            planned.skip.is_none() && planned.revision == revision && planned.transport == transport;
        match &context.library.cases.get(planned.case)?.script {
            Script::Invariant(invariant) if concerned => Some((item, invariant)),
            _ => None,
        }
    })
}

/// Judges a recording by them.
pub(super) fn watch(context: &Context, transcript: &Transcript) -> Vec<Seen> {
    let dialogue = Dialogue::of(transcript);
    let mut all = Vec::new();
    for (item, invariant) in watched(context, transcript) {
        let Some(rule) = invariants::rule(&invariant.name) else { continue };
        let observation = rule(&dialogue, &invariant.with);
        if observation.examined == 0 && observation.breaches.is_empty() {
            continue;
        }
        let broken = observation.breaches.len();
        let first = observation.breaches.into_iter().min_by_key(|breach| breach.advice);
        let shown = first.map(|breach| {
            let evidence = evidence::of(transcript, &breach);
            (breach, evidence)
        });
        all.push(Seen { item, examined: observation.examined, broken, shown });
    }
    all
}
