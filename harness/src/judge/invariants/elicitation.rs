//! What a server asks the user.

use mcp_conform_cases::Revision;
use regex::Regex;
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Dialogue, Said};
use crate::judge::matching::in_short;
use crate::wire::member;

/// The requests for a form, with their parameters.
fn forms<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = (&'d Said<'d>, &'d Value)> {
    dialogue.said.iter().filter(|said| said.method() == Some("elicitation/create")).filter_map(|said| {
        let params = said.message.member("params")?;
        (params.get("mode").is_none_or(|mode| mode == "form")).then_some((said, params))
    })
}

fn fields(params: &Value) -> impl Iterator<Item = (&String, &Value)> {
    params.pointer("/requestedSchema/properties").and_then(Value::as_object).into_iter().flatten()
}

/// Each field of a form is a text, a number, a yes or no, or a choice; nothing is nested. Several choices at once came
/// with 2025-11-25. Unknown keywords and formats are no finding.
pub(super) fn flat_form(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let lists = dialogue.transcript.revision >= Revision::R2025_11_25;
    for (said, params) in forms(dialogue) {
        let wrong = fields(params).find(|(_, field)| !is_flat(field, lists));
        seen.examine(wrong.map(|(name, field)| {
            let mut broken = breach(
                dialogue,
                said.entry,
                None,
                format!("a form asks for `{name}`, which is no plain field"),
            );
            broken.expected = Some("a text, a number, a boolean, or a choice".to_owned());
            broken.got = Some(in_short(Some(field)));
            broken
        }));
    }
    seen
}

fn is_flat(field: &Value, lists: bool) -> bool {
    match field.get("type").and_then(Value::as_str) {
        Some("string" | "number" | "integer" | "boolean") => true,
        Some("array") if lists => {
            let items = field.get("items");
            ["enum", "anyOf", "oneOf"]
                .iter()
                .any(|choice| items.is_some_and(|items| items.get(choice).is_some()))
        }
        _ => false,
    }
}

/// No text of a form, its fields' names included, matches the regular expression `never`.
pub(super) fn text(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let mut forms = forms(dialogue).peekable();
    if forms.peek().is_none() {
        return seen;
    }
    let Some(pattern) =
        with.get("never").and_then(Value::as_str).and_then(|pattern| Regex::new(pattern).ok())
    else {
        return seen;
    };
    for (said, params) in forms {
        let mut texts: Vec<&str> = params.get("message").and_then(Value::as_str).into_iter().collect();
        for (name, field) in fields(params) {
            texts.push(name);
            texts.extend(["title", "description"].iter().filter_map(|key| field.get(key)?.as_str()));
        }
        let hit = texts.into_iter().find(|text| pattern.is_match(text));
        seen.examine(hit.map(|text| {
            let mut broken = breach(
                dialogue,
                said.entry,
                None,
                format!("a form holds the text {}", in_short(Some(&Value::from(text)))),
            );
            broken.got = Some(in_short(Some(&Value::from(text))));
            broken
        }));
    }
    seen
}

/// Who tells that an elicitation is over names one that was begun, by a request or by an error that lists it.
pub(super) fn completed(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let mut known: Vec<&Value> = Vec::new();
    let mut nameless = false;
    for said in &dialogue.said {
        let named = || member(said.message.member("params")?, "elicitationId");
        if said.method() == Some("elicitation/create") {
            known.extend(named());
            // One that was begun without an id is a finding of another rule, and nobody can tell which one ends.
            let mode = said.message.member("params").and_then(|params| member(params, "mode"));
            nameless |= mode.is_some_and(|mode| mode == "url") && named().is_none();
        }
        let listed = said
            .message
            .member("error")
            .and_then(|error| member(member(error, "data")?, "elicitations")?.as_array());
        known.extend(listed.into_iter().flatten().filter_map(|one| one.get("elicitationId")));
        if said.method() == Some("notifications/elicitation/complete") {
            let named = named();
            let right = nameless || named.is_some_and(|id| known.contains(&id));
            seen.examine((!right).then(|| {
                let mut broken = breach(
                    dialogue,
                    said.entry,
                    None,
                    "an elicitation that nobody began was said to be complete",
                );
                broken.expected = Some("the `elicitationId` of an elicitation of this session".to_owned());
                broken.got = Some(in_short(named));
                broken
            }));
        }
    }
    seen
}
