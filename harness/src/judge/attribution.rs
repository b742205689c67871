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

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;

    use super::super::Breach;
    use super::super::invariants::http_recordings::recording;
    use super::*;
    use crate::event::Transport;
    use crate::transcript::Health;

    #[test]
    fn an_error_without_an_id_is_of_the_case_whose_post_it_answers() {
        let earlier = "POST! []\n#0 200 text/event-stream";
        let harmless = "POST *notifications/initialized\n#0 202 -";
        for (before, during, doubtful) in [
            (earlier, "POST! {\n#1 400 application/json\n#1 ~null -32700", false),
            (earlier, "POST! {\n#1 200 text/event-stream\n#1 ~null -32700", false),
            // It may answer what came earlier.
            (earlier, "POST! {\n#0 ~null -32700", true),
            (earlier, "GET\n#1 200 text/event-stream\n#1 ~null -32700", true),
            (harmless, "GET\n#1 200 text/event-stream\n#1 ~null -32700", false),
            // It says what it answers.
            (earlier, "POST ?1 ping\n#0 ~1 -32603", false),
        ] {
            let transcript =
                recording(Transport::Http, Revision::R2025_06_18, &format!("{before}\n{during}"));
            let record = CaseRecord {
                case: "one".to_owned(),
                hostile: true,
                begins: before.lines().count(),
                ends: transcript.entries.len(),
                passes: Vec::new(),
                health: Health::Well,
            };
            let breach = Breach { culprits: vec![transcript.entries.len() - 1], ..Breach::default() };
            let found = is_doubtful(&Judgement::Broken(Box::new(breach)), &record, &transcript);
            assert_eq!(found, doubtful, "{before}\n{during}");
        }
    }
}
