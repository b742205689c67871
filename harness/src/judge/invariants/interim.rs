//! Interim results: `input_required`, by which a stateless server asks its client.

use mcp_conform_cases::schema::{self as wire_schema, Shape};
use serde_json::{Map, Value};

use super::stateless::{declared, is_modern};
use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::judge::matching::in_short;

/// The methods that may be answered so.
const MAY_ASK: [&str; 3] = ["tools/call", "prompts/get", "resources/read"];

/// The results of requests of this era, with their types.
fn results<'d>(
    dialogue: &'d Dialogue<'_>,
) -> impl Iterator<Item = (&'d Asked<'d>, &'d Said<'d>, &'d Value, &'d str)> {
    dialogue.said.iter().filter_map(|said| {
        let result = said.result()?;
        let asked = dialogue.request_of(said).filter(|asked| !asked.hostile && is_modern(asked))?;
        Some((asked, said, result, result.get("resultType").and_then(Value::as_str)?))
    })
}

fn interim<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = (&'d Asked<'d>, &'d Said<'d>, &'d Value)> {
    results(dialogue)
        .filter(|(_, _, _, kind)| *kind == "input_required")
        .map(|(asked, said, result, _)| (asked, said, result))
}

/// Only the methods that may ask do.
pub(super) fn where_allowed(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, _, kind) in
        results(dialogue).filter(|(asked, _, _, _)| !MAY_ASK.contains(&asked.method.as_ref()))
    {
        let wrong = kind == "input_required";
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("`{}` was answered with `input_required`", asked.method),
            )
        }));
    }
    seen
}

/// What has the members of an interim result is marked as one.
pub(super) fn marked(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, result, kind) in
        results(dialogue).filter(|(asked, _, _, _)| MAY_ASK.contains(&asked.method.as_ref()))
    {
        let member =
            ["inputRequests", "requestState"].into_iter().find(|member| result.get(*member).is_some());
        let wrong = member.filter(|_| kind != "input_required" && kind != "task");
        seen.examine(wrong.map(|member| {
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("a result with `{member}` has the `resultType` {kind:?}"),
            );
            broken.expected = Some("\"input_required\"".to_owned());
            broken
        }));
    }
    seen
}

/// It has requests, or state, or both.
pub(super) fn has_members(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, result) in interim(dialogue) {
        let state = result.get("requestState");
        let wrong = match (result.get("inputRequests"), state) {
            (None, None) => {
                Some("an `input_required` result has neither `inputRequests` nor `requestState`".to_owned())
            }
            (_, Some(state)) if !state.is_string() => {
                Some(format!("the `requestState` is {}, not a string", in_short(Some(state))))
            }
            _ => None,
        };
        seen.examine(wrong.map(|what| breach(dialogue, said.entry, Some(asked.entry), what)));
    }
    seen
}

/// It says nothing about being kept.
pub(super) fn without_hints(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, result) in interim(dialogue) {
        let member = ["ttlMs", "cacheScope"].into_iter().find(|member| result.get(*member).is_some());
        seen.examine(member.map(|member| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("an `input_required` result has `{member}`"),
            )
        }));
    }
    seen
}

/// The requests inside interim results, with their keys.
fn requests<'d>(
    dialogue: &'d Dialogue<'_>,
) -> impl Iterator<Item = (&'d Asked<'d>, &'d Said<'d>, &'d str, &'d Value)> {
    interim(dialogue).flat_map(|(asked, said, result)| {
        let requests = result.get("inputRequests").and_then(Value::as_object);
        requests.into_iter().flatten().map(move |(key, request)| (asked, said, key.as_str(), request))
    })
}

/// `inputRequests` maps keys to requests of the three kinds there are.
pub(super) fn request_kinds(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, result) in interim(dialogue) {
        let Some(requests) = result.get("inputRequests").filter(|requests| !requests.is_object()) else {
            continue;
        };
        let what = format!("`inputRequests` is {}, not an object", in_short(Some(requests)));
        seen.examine(Some(breach(dialogue, said.entry, Some(asked.entry), what)));
    }
    for (asked, said, key, request) in requests(dialogue) {
        let method = request.get("method").and_then(Value::as_str);
        let params = request.get("params");
        let wrong = match method {
            Some("elicitation/create" | "sampling/createMessage")
                if !params.is_some_and(Value::is_object) =>
            {
                Some(format!("the input request `{key}` has no `params`"))
            }
            Some("elicitation/create" | "sampling/createMessage" | "roots/list") => None,
            Some(other) => Some(format!("the input request `{key}` has the method `{other}`")),
            None => Some(format!("the input request `{key}` has no `method`")),
        };
        seen.examine(wrong.map(|what| {
            let mut broken = breach(dialogue, said.entry, Some(asked.entry), what);
            broken.expected =
                Some("an `elicitation/create`, `sampling/createMessage`, or `roots/list` request".to_owned());
            broken
        }));
    }
    seen
}

/// The params of input requests of `method` have the shape of the definition `shape`; `within` and `except` are the
/// members that count, or do not.
pub(super) fn request_shape(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let text = |key: &str| with.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut seen = Observation::default();
    for (asked, said, key, request) in requests(dialogue) {
        // Without params it is no such request at all, which is the finding of another rule.
        if request.get("method").and_then(Value::as_str) != Some(text("method"))
            || !request.get("params").is_some_and(Value::is_object)
        {
            continue;
        }
        let shape = Shape::Definition(text("shape"));
        let Some(violations) = wire_schema::violations(dialogue.transcript.revision, shape, request) else {
            continue;
        };
        seen.examine(violations.into_iter().next().map(|violation| {
            let what = format!(
                "the input request `{key}` is no valid {} at `{}`: {}",
                text("shape"),
                violation.instance_path,
                violation.message
            );
            breach(dialogue, said.entry, Some(asked.entry), what)
        }));
    }
    seen
}

/// Elicitations say what they are about.
pub(super) fn form_message(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, key, params) in elicitations(dialogue) {
        let wrong = !params.get("message").is_some_and(Value::is_string);
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("the elicitation `{key}` has no `message`"),
            )
        }));
    }
    seen
}

/// Forms are flat: every field is of a primitive type, or a choice of several texts.
pub(super) fn flat_form(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, key, params) in elicitations(dialogue) {
        let Some(fields) = params.pointer("/requestedSchema/properties").and_then(Value::as_object) else {
            continue;
        };
        let nested = fields.iter().find(|(_, field)| match field.get("type").and_then(Value::as_str) {
            Some("string" | "number" | "integer" | "boolean") => false,
            // A choice of several: its items are an enumeration.
            Some("array") => !field
                .get("items")
                .is_some_and(|items| items.get("enum").is_some() || items.get("anyOf").is_some()),
            Some(_) => true,
            None => field.get("properties").is_some() || field.get("items").is_some(),
        });
        seen.examine(nested.map(|(name, _)| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("the form `{key}` has the field `{name}`, which is no primitive"),
            )
        }));
    }
    seen
}

fn elicitations<'d>(
    dialogue: &'d Dialogue<'_>,
) -> impl Iterator<Item = (&'d Asked<'d>, &'d Said<'d>, &'d str, &'d Value)> {
    requests(dialogue).filter_map(|(asked, said, key, request)| {
        let elicits = request.get("method").is_some_and(|method| method == "elicitation/create");
        Some((asked, said, key, request.get("params").filter(|params| elicits && params.is_object())?))
    })
}

/// The server asks only for what the very request declares.
pub(super) fn only_declared(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, key, request) in requests(dialogue) {
        let method = request.get("method").and_then(Value::as_str).unwrap_or_default();
        let Some((feature, _)) = method
            .split_once('/')
            .filter(|(feature, _)| matches!(*feature, "sampling" | "elicitation" | "roots"))
        else {
            continue;
        };
        let had = declared(asked).and_then(|declared| declared.get(feature));
        let url = request.pointer("/params/mode").is_some_and(|mode| mode == "url");
        let allowed = match had {
            // Bare `elicitation` means forms.
            Some(modes) if feature == "elicitation" && url => modes.get("url").is_some(),
            Some(modes) if feature == "elicitation" => {
                modes.get("form").is_some() || modes.get("url").is_none()
            }
            Some(_) => true,
            None => false,
        };
        seen.examine((!allowed).then(|| {
            let feature = if url { "elicitation.url" } else { feature };
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("the input request `{key}` needs `{feature}`, which the request does not declare"),
            )
        }));
    }
    seen
}
