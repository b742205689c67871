//! Progress notifications.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::judge::matching::in_short;

fn reports<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = (&'d Said<'d>, &'d Value)> {
    dialogue.said.iter().filter_map(|said| {
        (said.method() == Some("notifications/progress")).then_some(())?;
        Some((said, said.message.member("params")?.get("progressToken")?))
    })
}

/// The requests that gave a token, with their place in [`Dialogue::asked`].
fn owners<'d>(dialogue: &'d Dialogue<'_>, token: &'d Value) -> impl Iterator<Item = (usize, &'d Asked<'d>)> {
    dialogue
        .asked
        .iter()
        .enumerate()
        .filter(move |(_, asked)| asked.params.pointer("/_meta/progressToken") == Some(token))
}

/// Whether several requests gave the same token, as only hostile input does: nobody can say whose progress it is then.
fn is_shared(dialogue: &Dialogue<'_>, token: &Value) -> bool {
    owners(dialogue, token).nth(1).is_some()
}

/// The value grows from one report to the next of the same token. One that stays is advice only: the schema asks for
/// growth whenever progress was made.
pub(super) fn increases(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let mut last: HashMap<String, (f64, usize)> = HashMap::new();
    for (said, token) in reports(dialogue).filter(|(_, token)| !is_shared(dialogue, token)) {
        let Some(progress) = said.message.value.pointer("/params/progress").and_then(Value::as_f64) else {
            continue;
        };
        if let Some((before, entry)) = last.insert(token.to_string(), (progress, said.entry)) {
            seen.examine((progress <= before).then(|| {
                let mut broken = breach(
                    dialogue,
                    said.entry,
                    Some(entry),
                    format!("progress went from {before} to {progress}"),
                );
                broken.expected = Some(format!("a value above {before}"));
                broken.got = Some(progress.to_string());
                broken.advice = progress >= before;
                broken
            }));
        }
    }
    seen
}

/// The token is one that an earlier request gave.
pub(super) fn known_token(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (said, token) in reports(dialogue) {
        let known = owners(dialogue, token).any(|(_, asked)| asked.entry < said.entry);
        seen.examine((!known).then(|| {
            breach(
                dialogue,
                said.entry,
                None,
                format!("no request gave the progress token {}", in_short(Some(token))),
            )
        }));
    }
    seen
}

/// Reports come before the response. A task goes on after it, so a call that became one is left alone.
pub(super) fn in_time(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (said, token) in reports(dialogue).filter(|(_, token)| !is_shared(dialogue, token)) {
        let Some((index, asked)) =
            owners(dialogue, token).filter(|(_, asked)| asked.entry < said.entry).last()
        else {
            continue;
        };
        if asked.params.get("task").is_some() {
            continue;
        }
        let answered = dialogue.answered_at(index).filter(|entry| *entry < said.entry);
        seen.examine(answered.map(|entry| {
            breach(dialogue, said.entry, Some(entry), "progress was reported after the response")
        }));
    }
    seen
}
