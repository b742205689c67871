//! The wire schemas of the revision.

use mcp_conform_cases::case::Matcher;
use mcp_conform_cases::schema::{self as wire_schema, Shape};
use serde_json::{Map, Value};

use super::methods::Methods;
use super::{Observation, breach};
use crate::judge::dialogue::{Dialogue, Said};
use crate::judge::matching;
use crate::template::Variables;
use crate::wire::{Kind, member};

/// Everything of one kind that the server says validates. `with` names the kind by `result_of`, `request`,
/// `notification` (a method, or several), or `error: true`; `within` and `except` are lists of JSON pointers, `*`
/// standing for any one step, that narrow which violations count. With `formats: false` formats are left to others.
/// A wrong value that matches `lenient` is a warning.
pub(super) fn schema(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let formats = with.get("formats") != Some(&Value::Bool(false));
    let lenient = with.get("lenient").cloned().and_then(|matcher| Matcher::from_value(matcher).ok());
    let within = pointers(with, "within");
    let except = pointers(with, "except");
    let about = About::of(with);
    for said in &dialogue.said {
        let Some((shape, instance)) = about.part(dialogue, said) else { continue };
        let Some(violations) = wire_schema::violations(dialogue.transcript.revision, shape, instance) else {
            continue;
        };
        let counted = violations.into_iter().find(|violation| {
            (within.is_empty() || within.iter().any(|pattern| covers(pattern, &violation.instance_path)))
                && (formats || violation.keyword != "format")
                && !except.iter().any(|pattern| covers(pattern, &violation.instance_path))
        });
        seen.examine(counted.map(|violation| {
            let place = if violation.instance_path.is_empty() {
                "it".to_owned()
            } else {
                format!("`{}`", violation.instance_path)
            };
            let context = dialogue.request_of(said).map(|asked| asked.entry);
            let name =
                wire_schema::definition_name(dialogue.transcript.revision, shape).unwrap_or("the schema");
            let mut broken = breach(
                dialogue,
                said.entry,
                context,
                format!("{place} is no part of a valid {name}: {}", violation.message),
            );
            broken.expected = Some(format!("a valid {name}"));
            // An annotation in the newer dialects, so it weighs less than a wrong shape.
            broken.advice = violation.keyword == "format";
            if let (Some(lenient), Some(wrong)) = (&lenient, instance.pointer(&violation.instance_path)) {
                broken.advice |= matching::matches(lenient, Some(wrong), &Variables::default()).is_ok();
            }
            broken
        }));
    }
    seen
}

/// What a rule is about, read once for all messages.
struct About<'w> {
    result_of: Option<Methods<'w>>,
    notification: Option<Methods<'w>>,
    request: Option<Methods<'w>>,
    errors: bool,
}

impl<'w> About<'w> {
    fn of(with: &'w Map<String, Value>) -> About<'w> {
        About {
            result_of: Methods::of(with, "result_of"),
            notification: Methods::of(with, "notification"),
            request: Methods::of(with, "request"),
            errors: with.get("error").and_then(Value::as_bool) == Some(true),
        }
    }

    /// The part of a message that the rule is about, with its shape.
    fn part<'d>(&self, dialogue: &'d Dialogue<'_>, said: &'d Said<'d>) -> Option<(Shape<'d>, &'d Value)> {
        let message = &said.message;
        match message.kind {
            Kind::Response => {
                if let Some(result_of) = &self.result_of {
                    let asked = dialogue.request_of(said).filter(|asked| result_of.include(&asked.method))?;
                    // A task-augmented call has another result; the tasks rules judge it.
                    let augmented = member(&asked.params, "task").is_some();
                    return if augmented {
                        None
                    } else {
                        Some((Shape::ResultOf(&asked.method), message.member("result")?))
                    };
                }
                (self.errors
                    && message.member("error").is_some()
                    && message.id().is_some_and(|id| !id.is_null()))
                .then_some((Shape::ErrorResponse, &message.value))
            }
            Kind::Notification => {
                let notification = self.notification.as_ref()?;
                let wanted = message.method().filter(|method| notification.include(method))?;
                Some((Shape::NotificationFromServer(wanted), &message.value))
            }
            Kind::Request => {
                let request = self.request.as_ref()?;
                let wanted = message.method().filter(|method| request.include(method))?;
                Some((Shape::RequestFromServer(wanted), &message.value))
            }
            Kind::Other => None,
        }
    }
}

fn pointers(with: &Map<String, Value>, key: &str) -> Vec<String> {
    match with.get(key) {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    }
}

/// Whether a pointer lies at or below a pattern in which `*` stands for any one step. A pattern that ends in `$`
/// covers only the very place.
fn covers(pattern: &str, pointer: &str) -> bool {
    let (pattern, exact) = pattern.strip_suffix('$').map_or((pattern, false), |rest| (rest, true));
    let mut steps = pointer.split('/').skip(1);
    let below = pattern
        .split('/')
        .skip(1)
        .all(|wanted| steps.next().is_some_and(|step| wanted == "*" || wanted == step));
    below && (!exact || steps.next().is_none())
}

/// Keys under reserved prefixes that a revision or an official extension defines.
const DEFINED: [&str; 9] = [
    "related-task",
    "model-immediate-response",
    "protocolVersion",
    "clientInfo",
    "clientCapabilities",
    "logLevel",
    "serverInfo",
    "subscriptionId",
    "ui",
];

/// Every key of every `_meta` has the form that the revision prescribes; `part` says which of it: `prefix`, `name`, or
/// `reserved`, that prefixes of the specification's own are left to it.
pub(super) fn meta_keys(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let part = with.get("part").and_then(Value::as_str).unwrap_or_default();
    for said in &dialogue.said {
        let mut keys = Vec::new();
        collect_meta_keys(&said.message.value, 0, &mut keys);
        // A result without such keys keeps the rule as well.
        seen.examined += usize::from(keys.is_empty() && said.result().is_some());
        for key in keys {
            let (prefix, name) =
                key.rsplit_once('/').map_or((None, key), |(prefix, name)| (Some(prefix), name));
            let wrong = match part {
                "prefix" => prefix.is_some_and(|prefix| !prefix.split('.').all(is_label)),
                "reserved" => prefix.is_some_and(is_reserved) && !DEFINED.contains(&name),
                _ => !is_name(name),
            };
            seen.examine(wrong.then(|| {
                let how = if part == "reserved" {
                    "a prefix that is reserved".to_owned()
                } else {
                    format!("a {part} of the wrong form")
                };
                let mut broken =
                    breach(dialogue, said.entry, None, format!("the `_meta` key `{key}` has {how}"));
                // No sentence says what a second slash means.
                broken.advice = prefix.is_some_and(|prefix| prefix.contains('/'));
                broken
            }));
        }
    }
    seen
}

fn collect_meta_keys<'v>(value: &'v Value, depth: usize, keys: &mut Vec<&'v str>) {
    if depth > 64 || keys.len() > 10_000 {
        return;
    }
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if let ("_meta", Value::Object(meta)) = (key.as_str(), member) {
                    keys.extend(meta.keys().map(String::as_str));
                }
                // Schemas, structured content, the data of logs and errors, and the settings of extensions are the
                // server's own, where `_meta` means nothing.
                let is_own = || {
                    matches!(
                        key.as_str(),
                        "inputSchema"
                            | "outputSchema"
                            | "structuredContent"
                            | "requestedSchema"
                            | "data"
                            | "experimental"
                            | "extensions"
                            | "_meta"
                    )
                };
                if (member.is_object() || member.is_array()) && !is_own() {
                    collect_meta_keys(member, depth + 1, keys);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_meta_keys(item, depth + 1, keys)),
        _ => {}
    }
}

/// What both wordings of the rule reserve: `io.modelcontextprotocol` and its like, in either order of the labels.
fn is_reserved(prefix: &str) -> bool {
    let labels: Vec<&str> = prefix.split('.').collect();
    labels.len() == 2 && labels.get(1).is_some_and(|label| matches!(*label, "modelcontextprotocol" | "mcp"))
}

fn is_label(label: &str) -> bool {
    label.starts_with(|c: char| c.is_ascii_alphabetic())
        && label.ends_with(|c: char| c.is_ascii_alphanumeric())
        && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn is_name(name: &str) -> bool {
    name.is_empty()
        || (name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn patterns_cover_what_lies_below_them() {
        assert!(covers("/tools/*/annotations", "/tools/3/annotations/title"));
        assert!(covers("/tools/*/annotations", "/tools/3/annotations"));
        assert!(!covers("/tools/*/annotations", "/tools/3"));
        assert!(covers("/tools$", "/tools"));
        assert!(!covers("/tools$", "/tools/0"));
        assert!(covers("", "/anything"));
    }
}
