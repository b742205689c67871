//! Log messages of the stateless era, which a request asks for in its `_meta`.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};

/// The key under which a request asks for log messages.
const META_LOG_LEVEL: &str = "/_meta/io.modelcontextprotocol~1logLevel";
/// From the least to the gravest.
const LEVELS: [&str; 8] = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

fn messages<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = &'d Said<'d>> {
    dialogue.said.iter().filter(|said| said.method() == Some("notifications/message"))
}

fn wished<'d>(asked: &'d Asked<'_>) -> Option<&'d Value> {
    asked.params.pointer(META_LOG_LEVEL)
}

/// The requests that were open when an entry was made; the barrier's own does not count, for it cannot log.
fn open<'d>(dialogue: &'d Dialogue<'_>, entry: usize) -> impl Iterator<Item = &'d Asked<'d>> {
    dialogue.asked.iter().enumerate().filter_map(move |(index, asked)| {
        let counts = asked.entry < entry
            && asked.method != "server/discover"
            && asked.method != "subscriptions/listen";
        (counts && dialogue.answered_at(index).is_none_or(|answer| answer > entry)).then_some(asked)
    })
}

/// The requests of the case that was running when an entry was made.
fn of_case<'d>(dialogue: &'d Dialogue<'_>, entry: usize) -> impl Iterator<Item = &'d Asked<'d>> {
    let begins = dialogue.transcript.case_at(entry).map_or(0, |case| case.begins);
    dialogue.asked.iter().filter(move |asked| asked.entry < entry && asked.entry >= begins)
}

/// Log messages come only where a request asks for them: while one does, or in a case in which one did.
pub(super) fn on_request(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation { examined: dialogue.asked.len(), breaches: Vec::new() };
    for said in messages(dialogue) {
        let wanted = open(dialogue, said.entry)
            .chain(of_case(dialogue, said.entry))
            .any(|asked| wished(asked).is_some());
        if !wanted {
            let latest =
                dialogue.asked.iter().rev().find(|asked| asked.entry < said.entry).map(|asked| asked.entry);
            seen.breaches.push(breach(
                dialogue,
                said.entry,
                latest,
                "a log message came although no request asked for any",
            ));
        }
    }
    seen
}

/// They come before the response to the request that asked. With another request open it is not certain whose they are.
pub(super) fn in_time(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in messages(dialogue) {
        let asker = of_case(dialogue, said.entry).filter(|asked| wished(asked).is_some()).last();
        let Some(asker) = asker else { continue };
        let late = open(dialogue, said.entry).next().is_none();
        seen.examine(late.then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asker.entry),
                "a log message came after the response to the request that asked for it",
            )
        }));
    }
    seen
}

/// They are not below the level that was asked for.
pub(super) fn grave_enough(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let rank = |level: &Value| LEVELS.iter().position(|known| level == known);
    let mut seen = Observation::default();
    for said in messages(dialogue) {
        let Some(level) = said.message.value.pointer("/params/level") else { continue };
        let least = open(dialogue, said.entry)
            .filter_map(|asked| Some((rank(wished(asked)?)?, asked)))
            .min_by_key(|(rank, _)| *rank);
        let (Some((least, asked)), Some(level)) = (least, rank(level)) else { continue };
        seen.examine((level < least).then(|| {
            let name = |rank: usize| LEVELS.get(rank).copied().unwrap_or_default().to_owned();
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("a message of level `{}` came", name(level)),
            );
            broken.expected = Some(format!("`{}` or graver", name(least)));
            broken.got = Some(name(level));
            broken
        }));
    }
    seen
}
