//! Whether what a case showed may be due to an earlier case of the same session.

use super::Judgement;
use crate::transcript::{CaseRecord, Entry, Happening, Transcript};

/// Whether a case is blamed for a response without an id in a session in which earlier cases sent what may be answered
/// so. Servers that answer in any order may answer it late, and nobody can see for which message such a response is,
/// unless it stands in the HTTP response to a POST of the case.
#[must_use]
pub fn is_doubtful(judgement: &Judgement, record: &CaseRecord, transcript: &Transcript) -> bool {
    let Judgement::Broken(breach) = judgement else { return false };
    let (before, during) = transcript.entries.split_at(record.begins.min(transcript.entries.len()));
    let posted = |wanted| {
        during.iter().any(|entry| {
            matches!(&entry.what, Happening::Sent { carrier: Some(carrier), .. }
                if carrier.exchange == wanted && carrier.method == "POST")
        })
    };
    let is_anybodys = |entry: &Entry| match &entry.what {
        Happening::Received { content, origin, .. } => {
            content.is_unaddressed() && !origin.as_ref().is_some_and(|origin| posted(origin.exchange))
        }
        _ => false,
    };
    breach.culprits.iter().filter_map(|culprit| transcript.entries.get(*culprit)).any(is_anybodys)
        && before.iter().any(|entry| matches!(entry.what, Happening::Sent { hostile: true, .. }))
}
