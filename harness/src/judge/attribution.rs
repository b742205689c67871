//! Whether what a case showed may be due to an earlier case of the same session.

use super::Judgement;
use crate::transcript::{CaseRecord, Happening, Transcript};

/// Whether a case is blamed for a response without an id in a session in which earlier cases sent what may be answered
/// so. Servers that answer in any order may answer it late, and nobody can see for which message such a response is.
#[must_use]
pub fn is_doubtful(judgement: &Judgement, record: &CaseRecord, transcript: &Transcript) -> bool {
    let Judgement::Broken(breach) = judgement else { return false };
    let blames_unaddressed = || {
        breach.culprits.iter().filter_map(|culprit| transcript.entries.get(*culprit)).any(
            |entry| matches!(&entry.what, Happening::Received { content, .. } if content.is_unaddressed()),
        )
    };
    let was_provoked = || {
        transcript
            .entries
            .iter()
            .take(record.begins)
            .any(|entry| matches!(entry.what, Happening::Sent { hostile: true, .. }))
    };
    blames_unaddressed() && was_provoked()
}
