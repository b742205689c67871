//! `x-mcp-header` annotations in the input schemas of tools.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::matching::in_short;

const ANNOTATION: &str = "x-mcp-header";
/// How deep a schema is looked into.
const DEEPEST: usize = 32;

/// An annotated schema.
struct Annotated<'d> {
    value: &'d Value,
    schema: &'d Map<String, Value>,
    /// Whether only `properties` lead to it.
    reachable: bool,
}

/// Annotations obey the rule `rule`: `non-empty`, `token`, `unique`, `primitive`, or `reachable`.
pub(super) fn annotations(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let rule = with.get("rule").and_then(Value::as_str).unwrap_or_default();
    let mut seen = Observation::default();
    for (asked, said, result) in dialogue.results_of("tools/list") {
        for tool in result.get("tools").and_then(Value::as_array).into_iter().flatten() {
            let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut found = Vec::new();
            if let Some(schema) = tool.get("inputSchema") {
                collect(schema, true, 0, &mut found);
            }
            if found.is_empty() {
                continue;
            }
            let wrong = match rule {
                "unique" => twice(&found),
                _ => found.iter().find_map(|one| broken(rule, one)),
            };
            seen.examine(wrong.map(|(what, advice)| {
                let mut breach =
                    breach(dialogue, said.entry, Some(asked.entry), format!("the tool `{name}`: {what}"));
                breach.advice = advice;
                breach
            }));
        }
    }
    seen
}

fn collect<'d>(schema: &'d Value, reachable: bool, depth: usize, found: &mut Vec<Annotated<'d>>) {
    let Some(members) = schema.as_object() else { return };
    if depth > DEEPEST || found.len() > 1000 {
        return;
    }
    if let Some(value) = members.get(ANNOTATION) {
        found.push(Annotated { value, schema: members, reachable: reachable && depth > 0 });
    }
    for (key, inner) in members {
        match key.as_str() {
            "properties" => inner
                .as_object()
                .into_iter()
                .flatten()
                .for_each(|(_, property)| collect(property, reachable, depth + 1, found)),
            "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                inner
                    .as_object()
                    .into_iter()
                    .flatten()
                    .for_each(|(_, schema)| collect(schema, false, depth + 1, found));
            }
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => {
                inner
                    .as_array()
                    .into_iter()
                    .flatten()
                    .for_each(|schema| collect(schema, false, depth + 1, found));
            }
            "items"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "additionalProperties"
            | "propertyNames"
            | "unevaluatedProperties"
            | "unevaluatedItems" => collect(inner, false, depth + 1, found),
            // What is no schema may hold anything: defaults, examples, enumerations.
            _ => {}
        }
    }
}

/// What is wrong with an annotation, and whether it only deserves a warning.
fn broken(rule: &str, one: &Annotated<'_>) -> Option<(String, bool)> {
    let shown = in_short(Some(one.value));
    match rule {
        "non-empty" => (one.value == "").then(|| (format!("an `{ANNOTATION}` is empty"), false)),
        "token" => {
            let token =
                |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c));
            (!one.value.as_str().is_some_and(token))
                .then(|| (format!("the `{ANNOTATION}` {shown} is no HTTP token"), false))
        }
        "primitive" => match one.schema.get("type") {
            Some(Value::String(kind)) if matches!(kind.as_str(), "integer" | "string" | "boolean") => None,
            Some(Value::String(kind)) => {
                Some((format!("the `{ANNOTATION}` {shown} is on a parameter of type {kind}"), false))
            }
            // A list of types, or none: nothing says what then.
            _ => Some((format!("the `{ANNOTATION}` {shown} is on a parameter without a single type"), true)),
        },
        _ => (!one.reachable).then(|| {
            (format!("the `{ANNOTATION}` {shown} is not reached through `properties` alone"), false)
        }),
    }
}

fn twice(found: &[Annotated<'_>]) -> Option<(String, bool)> {
    let mut used: Vec<String> = Vec::new();
    for one in found {
        let Some(name) = one.value.as_str().map(str::to_ascii_lowercase) else { continue };
        if used.contains(&name) {
            return Some((
                format!("two parameters have the `{ANNOTATION}` {name:?}, apart from case"),
                false,
            ));
        }
        used.push(name);
    }
    None
}
