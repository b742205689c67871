//! Values inside messages: what every one of them must be like.

use mcp_conform_cases::case::{Expect, Matcher, Path};
use serde_json::{Map, Value};

use super::methods::Methods;
use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::judge::matching;
use crate::template::Variables;
use crate::wire::{Kind, member};

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
    let about = About::of(with);
    let concerned: Vec<_> = dialogue
        .said
        .iter()
        .filter_map(|said| about.part(dialogue, said).map(|(asked, body)| (said, asked, body)))
        .collect();
    if concerned.is_empty() {
        // Reading the matchers would take longer than all the rest.
        return seen;
    }
    let (when, must, should) = (members(with, "when"), members(with, "must"), members(with, "should"));
    let each: Option<Path> = with.get("each").and_then(Value::as_str).and_then(|text| text.parse().ok());
    let variables = Variables::default();
    for (said, asked, body) in concerned {
        let found = match &each {
            None => vec![(None, body)],
            Some(path) => {
                let found = matching::resolve(path, body).into_iter();
                found.map(|(place, value)| (Some(place), value)).collect()
            }
        };
        for (place, value) in found {
            if !matching::hold(&when, value, &variables) {
                continue;
            }
            let wrong = |members: &Members, advice: bool| {
                let mismatch = matching::all(members, value, &variables).err()?;
                let place = match &place {
                    None => mismatch.path,
                    Some(place) => format!("{place}.{}", mismatch.path),
                };
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

/// What a rule is about, read once for all messages.
struct About<'w> {
    result_of: Option<Methods<'w>>,
    error_of: Option<Methods<'w>>,
    request: Option<Methods<'w>>,
    notification: Option<Methods<'w>>,
    task: bool,
}

impl<'w> About<'w> {
    fn of(with: &'w Map<String, Value>) -> About<'w> {
        About {
            result_of: Methods::of(with, "result_of"),
            error_of: Methods::of(with, "error_of"),
            request: Methods::of(with, "request"),
            notification: Methods::of(with, "notification"),
            task: with.get("task").and_then(Value::as_bool).unwrap_or(false),
        }
    }

    /// The part of a message that the rule is about, with the request that it answers.
    fn part<'d>(
        &self,
        dialogue: &'d Dialogue<'_>,
        said: &'d Said<'d>,
    ) -> Option<(Option<&'d Asked<'d>>, &'d Value)> {
        let of_server = |methods: &Option<Methods<'_>>| {
            methods.as_ref().zip(said.method()).filter(|(methods, method)| methods.include(method))?;
            said.message.member("params").map(|params| (None, params))
        };
        match said.message.kind {
            Kind::Response => {
                let asked = dialogue.request_of(said).filter(|asked| !asked.hostile)?;
                let includes = |methods: &Methods<'_>| methods.include(&asked.method);
                if self.error_of.as_ref().is_some_and(|methods| includes(methods) || methods.include("*")) {
                    return Some((Some(asked), said.error()?));
                }
                self.result_of.as_ref().filter(|methods| includes(methods))?;
                let result = said.result()?;
                let as_task = member(&asked.params, "task").is_some();
                let interim = member(result, "resultType").is_some_and(|kind| kind != "complete");
                (as_task == self.task && !interim).then_some((Some(asked), result))
            }
            Kind::Request => of_server(&self.request),
            Kind::Notification => of_server(&self.notification),
            Kind::Other => None,
        }
    }
}
