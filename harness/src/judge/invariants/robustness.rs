//! Our own rules: what a server owes after any input.

use serde_json::{Map, Value};

use super::Observation;
use crate::event::Transport;
use crate::judge::Breach;
use crate::judge::dialogue::Dialogue;
use crate::transcript::{CaseRecord, Happening, Health, Rung, Transcript};

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
    // What we ended ourselves has not crashed.
    let ours = |what: &Happening| {
        matches!(what, Happening::Overflow | Happening::Stop(Rung::Terminated | Rung::Killed))
    };
    for case in &transcript.cases {
        let ended = transcript.entries.iter().skip(case.begins).find(|entry| {
            ours(&entry.what)
                || matches!(
                    entry.what,
                    Happening::Exited(_) | Happening::OutputClosed | Happening::SessionLost
                )
        });
        let by_us = bad == Health::Dead && ended.is_some_and(|entry| ours(&entry.what));
        seen.examine((case.health == bad && !by_us).then(|| {
            // How it ended by itself; a server that only closed its output was ended by us afterwards.
            let exit = transcript
                .entries
                .iter()
                .take_while(|entry| !ours(&entry.what))
                .filter_map(|entry| match entry.what {
                    Happening::Exited(exit) => Some(exit),
                    _ => None,
                })
                .last();
            let in_good_order = exit.is_some_and(|exit| exit.code == Some(0));
            let exit = exit.map(|exit| exit.to_string());
            let last_sent = |what: &Happening| matches!(what, Happening::Sent { .. });
            let ending = |what: &Happening| {
                matches!(what, Happening::Exited(_) | Happening::OutputClosed | Happening::SessionLost)
            };
            let without_exit = match transcript.transport {
                Transport::Stdio => "closed its output",
                Transport::Http | Transport::Sse if transcript.lost_the_session() => "lost the session",
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
                // Ending a session in good order is an affair of robustness.session-survives.
                advice: in_good_order,
                during: Some(case.case.clone()),
            }
        }));
    }
    seen
}
