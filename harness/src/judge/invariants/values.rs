//! Values inside messages: what every one of them must be like.

use mcp_conform_cases::case::{Expect, Matcher, Path};
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::judge::matching;
use crate::template::Variables;
use crate::wire::Kind;

/// Paths and what is expected there.
type Members = Vec<(Path, Matcher)>;

/// Every value at the path `each` matches `must`, and better `should` too; only values that match `when` count.
///
/// The messages are named as for `schema`: `result_of` (a method or several; below `result`), `request`, or
/// `notification` (a method; below `params`), or `error_of` (below `error`). Without `each` it is all of it. Of
/// results, `task: true` takes those of calls that were sent as a task, else such results do not count; answers to
/// hostile input and interim answers never do. Where the same holds at several places, `places` lists them, each with
/// what is particular to it.
pub(super) fn values(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let Some(places) = with.get("places").and_then(Value::as_array) else {
        return at_one_place(dialogue, with);
    };
    let mut seen = Observation::default();
    for place in places.iter().filter_map(Value::as_object) {
        let mut own = with.clone();
        own.extend(place.clone());
        let Observation { examined, breaches } = at_one_place(dialogue, &own);
        seen.examined += examined;
        seen.breaches.extend(breaches);
    }
    seen
}

fn at_one_place(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let concerned: Vec<_> = dialogue
        .said
        .iter()
        .filter_map(|said| concerned(dialogue, said, with).map(|(asked, body)| (said, asked, body)))
        .collect();
    if concerned.is_empty() {
        // Reading the matchers would take longer than all the rest.
        return seen;
    }
    let (when, must, should) = (members(with, "when"), members(with, "must"), members(with, "should"));
    let each: Option<Path> = with.get("each").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let variables = Variables::default();
    for (said, asked, body) in concerned {
        let found =
            each.as_ref().map_or_else(|| vec![(String::new(), body)], |path| matching::resolve(path, body));
        for (place, value) in found {
            if matching::all(&when, value, &variables).is_err() {
                continue;
            }
            let wrong = |members: &Members, advice: bool| {
                let mismatch = matching::all(members, value, &variables).err()?;
                let dot = if place.is_empty() { "" } else { "." };
                let place = format!("{place}{dot}{}", mismatch.path);
                let mut broken = breach(
                    dialogue,
                    said.entry,
                    asked.map(|asked| asked.entry),
                    format!("`{place}` is {}", mismatch.got),
                );
                broken.expected = Some(format!("`{place}` is {}", mismatch.expected));
                broken.got = Some(mismatch.got);
                broken.advice = advice;
                Some(broken)
            };
            seen.examine(wrong(&must, false).or_else(|| wrong(&should, true)));
        }
    }
    seen
}

fn members(with: &Map<String, Value>, key: &str) -> Members {
    match with.get(key).cloned().map(serde_json::from_value) {
        Some(Ok(Expect::Members(members))) => members,
        _ => Members::new(),
    }
}

fn concerned<'d>(
    dialogue: &'d Dialogue<'_>,
    said: &'d Said<'d>,
    with: &Map<String, Value>,
) -> Option<(Option<&'d Asked<'d>>, &'d Value)> {
    let named = |key: &str, method: Option<&str>| match with.get(key) {
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == method),
        Some(one) => one.as_str() == method,
        None => false,
    };
    match said.message.kind {
        Kind::Response => {
            let asked = dialogue.request_of(said).filter(|asked| !asked.hostile)?;
            if named("error_of", Some(&asked.method))
                || with.get("error_of").is_some_and(|method| method == "*")
            {
                return Some((Some(asked), said.error()?));
            }
            let result = said.result().filter(|_| named("result_of", Some(&asked.method)))?;
            let as_task = asked.params.get("task").is_some();
            let wanted = with.get("task").and_then(Value::as_bool).unwrap_or(false);
            let interim = result.get("resultType").is_some_and(|kind| kind != "complete");
            (as_task == wanted && !interim).then_some((Some(asked), result))
        }
        Kind::Request => named("request", said.method())
            .then(|| said.message.member("params"))
            .flatten()
            .map(|params| (None, params)),
        Kind::Notification => named("notification", said.method())
            .then(|| said.message.member("params"))
            .flatten()
            .map(|params| (None, params)),
        Kind::Other => None,
    }
}
