//! Our own rules: what a server owes after any input.

use serde_json::{Map, Value};

use super::Observation;
use crate::event::Transport;
use crate::judge::Breach;
use crate::judge::dialogue::Dialogue;
use crate::transcript::{CaseRecord, Happening, Health, Transcript};

/// The server does not die.
pub(super) fn no_crash(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    health(dialogue.transcript, Health::Dead, |case, exit| {
        let during = if case.case == "profile" {
            "while it was asked what it offers".to_owned()
        } else {
            format!("during `{}`", case.case)
        };
        format!("the server {exit} {during}")
    })
}

/// The server does not stop answering.
pub(super) fn no_hang(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    health(dialogue.transcript, Health::Hung, |case, _| {
        format!("the server lives and no longer answers after `{}`", case.case)
    })
}

fn health(transcript: &Transcript, bad: Health, words: impl Fn(&CaseRecord, &str) -> String) -> Observation {
    let mut seen = Observation::default();
    for case in &transcript.cases {
        seen.examine((case.health == bad).then(|| {
            let exit = transcript.entries.iter().rev().find_map(|entry| match entry.what {
                Happening::Exited(exit) => Some(exit.to_string()),
                _ => None,
            });
            let last_sent = |what: &Happening| matches!(what, Happening::Sent { .. });
            let ending = |what: &Happening| {
                matches!(what, Happening::Exited(_) | Happening::OutputClosed | Happening::SessionLost)
            };
            let lost = transcript.entries.iter().any(|entry| matches!(entry.what, Happening::SessionLost));
            let without_exit = match transcript.transport {
                Transport::Stdio => "closed its output",
                Transport::Http | Transport::Sse if lost => "lost the session",
                Transport::Http | Transport::Sse => "could no longer be reached",
            };
            let entries = || transcript.entries.iter().enumerate().skip(case.begins);
            let sent: Vec<usize> =
                entries().filter(|(_, entry)| last_sent(&entry.what)).map(|(index, _)| index).collect();
            let stderr = transcript.stderr.trim();
            let tail: Vec<&str> = stderr.lines().rev().take(3).collect();
            Breach {
                message: words(case, exit.as_deref().unwrap_or(without_exit)),
                expected: Some("a server that goes on answering".to_owned()),
                got: (!tail.is_empty()).then(|| {
                    format!(
                        "on standard error at last: {}",
                        tail.into_iter().rev().collect::<Vec<_>>().join(" / ")
                    )
                }),
                culprits: entries()
                    .filter(|(_, entry)| ending(&entry.what))
                    .map(|(index, _)| index)
                    .collect(),
                context: sent.into_iter().rev().take(3).collect(),
                advice: false,
                during: Some(case.case.clone()),
            }
        }));
    }
    seen
}
