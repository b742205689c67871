//! What only the stateless era asks for.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Asked, Dialogue};
use crate::judge::matching::in_short;
use crate::session::handshake::{META_CAPABILITIES, META_SERVER, META_VERSION};
use crate::wire::Kind;

/// The methods whose complete results carry cache hints.
const CACHEABLE: [&str; 6] = [
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "resources/read",
];
/// Notifications that older revisions had and this one has not.
const REMOVED: [&str; 5] = [
    "notifications/initialized",
    "notifications/roots/list_changed",
    "notifications/elicitation/complete",
    "notifications/resources/list_updated",
    "notifications/tasks/status",
];
/// Those that an official extension defines.
const OF_EXTENSIONS: [&str; 1] = ["notifications/tasks"];

/// Whether a request speaks this era's language; what else was sent is judged by no rule of the era.
pub(super) fn is_modern(asked: &Asked<'_>) -> bool {
    let meta = asked.params.get("_meta");
    [META_VERSION, META_CAPABILITIES].iter().all(|key| meta.is_some_and(|meta| meta.get(*key).is_some()))
}

/// What a request declares of its client.
pub(super) fn declared<'d>(asked: &'d Asked<'_>) -> Option<&'d Value> {
    asked.params.get("_meta")?.get(META_CAPABILITIES)
}

/// The methods that `with` names under `key`; everything when it names none.
fn names(with: &Map<String, Value>, key: &str, method: &str) -> bool {
    match with.get(key) {
        Some(Value::Array(many)) => many.iter().any(|one| one == method),
        Some(one) => one == method,
        None => true,
    }
}

/// The server sends no requests; `method` narrows it to some.
pub(super) fn no_server_requests(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let method = said.method().unwrap_or_default();
        let request = said.message.kind == Kind::Request
            && !method.starts_with("notifications/")
            && names(with, "method", method);
        seen.examine(
            request.then(|| {
                breach(dialogue, said.entry, None, format!("the server sent the request `{method}`"))
            }),
        );
    }
    seen
}

/// Every result says what kind of result it is.
pub(super) fn result_type(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let (Some(result), Some(asked)) = (said.result(), dialogue.request_of(said)) else { continue };
        // A result that is no object is the finding of another rule.
        if asked.hostile || !is_modern(asked) || !result.is_object() {
            continue;
        }
        let kind = result.get("resultType");
        seen.examine((!kind.is_some_and(Value::is_string)).then(|| {
            let what = kind.map_or_else(
                || "no `resultType`".to_owned(),
                |kind| format!("the `resultType` {}", in_short(Some(kind))),
            );
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("a result of `{}` has {what}", asked.method),
            )
        }));
    }
    seen
}

/// The kind is one that the specification or a declared extension defines.
pub(super) fn known_result_type(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let capabilities = &dialogue.transcript.capabilities;
    let extensions = capabilities.get("extensions").and_then(Value::as_object);
    let has_tasks =
        extensions.is_some_and(|extensions| extensions.contains_key("io.modelcontextprotocol/tasks"));
    let foreign = extensions
        .is_some_and(|extensions| extensions.keys().any(|name| name != "io.modelcontextprotocol/tasks"))
        || capabilities
            .get("experimental")
            .and_then(Value::as_object)
            .is_some_and(|members| !members.is_empty());
    for said in &dialogue.said {
        let (Some(result), Some(asked)) = (said.result(), dialogue.request_of(said)) else { continue };
        let Some(kind) = result.get("resultType").and_then(Value::as_str) else { continue };
        if asked.hostile || !is_modern(asked) {
            continue;
        }
        let known = matches!(kind, "complete" | "input_required") || (kind == "task" && has_tasks);
        seen.examine((!known).then(|| {
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("a result of `{}` has the `resultType` {kind:?}", asked.method),
            );
            broken.expected = Some("\"complete\" or \"input_required\"".to_owned());
            // An extension that we do not know may define it.
            broken.advice = foreign;
            broken
        }));
    }
    seen
}

/// The server sends no notification that nobody defines. Those of older revisions break the rule; an unknown one may
/// belong to an extension.
pub(super) fn known_notification(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    // That none was unknown says something only about a server that spoke.
    let mut seen = Observation { examined: usize::from(!dialogue.said.is_empty()), breaches: Vec::new() };
    let defined = mcp_conform_cases::schema::notifications_from_server(dialogue.transcript.revision);
    for said in &dialogue.said {
        let Some(method) = said
            .method()
            .filter(|method| said.message.kind == Kind::Notification || method.starts_with("notifications/"))
        else {
            continue;
        };
        let known = defined.contains(&method) || OF_EXTENSIONS.contains(&method);
        seen.examine((!known).then(|| {
            let removed = REMOVED.contains(&method);
            let what = if removed {
                "which this revision no longer has"
            } else {
                "which the specification does not define"
            };
            let mut broken =
                breach(dialogue, said.entry, None, format!("the server sent `{method}`, {what}"));
            broken.advice = !removed;
            broken
        }));
    }
    seen
}

/// Results that may be cached say for how long (`ttlMs`) and by whom (`cacheScope`). With `of` both must be there in the
/// results of that method; with `rule` what is there must be right: `negative`, `integer`, or `scope`.
pub(super) fn cache_hints(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let of = with.get("of").and_then(Value::as_str);
    let rule = with.get("rule").and_then(Value::as_str).unwrap_or_default();
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let (Some(result), Some(asked)) = (said.result(), dialogue.request_of(said)) else { continue };
        let complete = result.get("resultType").is_none_or(|kind| kind == "complete");
        let method = asked.method.as_ref();
        if asked.hostile
            || !is_modern(asked)
            || !result.is_object()
            || !complete
            || !CACHEABLE.contains(&method)
            || of.is_some_and(|of| of != method)
        {
            continue;
        }
        let (ttl, scope) = (result.get("ttlMs"), result.get("cacheScope"));
        let (member, value, expected, right) = match rule {
            "negative" => {
                ("ttlMs", ttl, "at least 0", ttl.and_then(Value::as_f64).is_none_or(|ttl| ttl >= 0.0))
            }
            "integer" => (
                "ttlMs",
                ttl,
                "an integer",
                ttl.is_none_or(|ttl| ttl.as_f64().is_some_and(|ttl| ttl.fract() == 0.0)),
            ),
            "scope" => (
                "cacheScope",
                scope,
                "\"public\" or \"private\"",
                scope.is_none_or(|scope| scope == "public" || scope == "private"),
            ),
            _ if ttl.is_none() => {
                ("ttlMs", ttl, "the number of milliseconds for which the result may be kept", false)
            }
            _ => ("cacheScope", scope, "\"public\" or \"private\"", scope.is_some()),
        };
        seen.examine((!right).then(|| {
            let what = value.map_or_else(
                || format!("no `{member}`"),
                |value| format!("the `{member}` {}", in_short(Some(value))),
            );
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("the result of `{method}` has {what}"),
            );
            broken.expected = Some(expected.to_owned());
            broken.got = Some(in_short(value));
            broken
        }));
    }
    seen
}

/// All pages of a list have the same `cacheScope`.
pub(super) fn one_scope(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let pages: Vec<_> = CACHEABLE.iter().flat_map(|method| dialogue.results_of(method)).collect();
    for (asked, said, page) in &pages {
        let Some(cursor) = asked.params.get("cursor") else { continue };
        let before = pages.iter().rev().find(|(other, answer, page)| {
            other.method == asked.method
                && answer.entry < said.entry
                && page.get("nextCursor") == Some(cursor)
        });
        let Some((_, answer, former)) = before else { continue };
        let (Some(scope), Some(earlier)) = (page.get("cacheScope"), former.get("cacheScope")) else {
            continue;
        };
        seen.examine((scope != earlier).then(|| {
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(answer.entry),
                format!("a page of `{}` has another `cacheScope` than the one before", asked.method),
            );
            broken.expected = Some(in_short(Some(earlier)));
            broken.got = Some(in_short(Some(scope)));
            broken
        }));
    }
    seen
}

/// Results name the server; `of` and `except` narrow it to the results of some methods.
pub(super) fn server_info(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let (Some(result), Some(asked)) = (said.result(), dialogue.request_of(said)) else { continue };
        let concerned = names(with, "of", &asked.method)
            && !(with.contains_key("except") && names(with, "except", &asked.method));
        if asked.hostile || !is_modern(asked) || !result.is_object() || !concerned {
            continue;
        }
        let named = result.get("_meta").and_then(|meta| meta.get(META_SERVER)).is_some();
        seen.examine((!named).then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("a result of `{}` has no `{META_SERVER}` in `_meta`", asked.method),
            )
        }));
    }
    seen
}

/// A list keeps its order as long as it has the same entries. Only first pages are compared, and of them only names.
pub(super) fn stable_order(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let text = |key: &str| with.get(key).and_then(Value::as_str).unwrap_or_default();
    let mut seen = Observation::default();
    let mut last: Option<(Vec<&str>, usize)> = None;
    for (asked, said, result) in
        dialogue.results_of(text("result_of")).filter(|(asked, _, _)| asked.params.get("cursor").is_none())
    {
        let entries = result.get(text("list")).and_then(Value::as_array);
        let order: Vec<&str> =
            entries.into_iter().flatten().filter_map(|entry| entry.get(text("key"))?.as_str()).collect();
        if let Some((before, entry)) = last.replace((order.clone(), said.entry)) {
            let sorted = |names: &[&str]| {
                let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
                names.sort_unstable();
                names
            };
            // Without any name to tell, or with other entries, there is nothing to compare.
            if order.len() > 1 && sorted(&order) == sorted(&before) {
                seen.examine((order != before).then(|| {
                    let place =
                        order.iter().zip(&before).position(|(now, then)| now != then).unwrap_or_default();
                    let at = |names: &[&str]| {
                        names
                            .get(place)
                            .map_or_else(String::new, |name| format!("`{name}` in place {}", place + 1))
                    };
                    let mut broken = breach(
                        dialogue,
                        said.entry,
                        Some(entry),
                        format!("`{}` gave the same entries in another order", asked.method),
                    );
                    broken.expected = Some(at(&before));
                    broken.got = Some(at(&order));
                    broken
                }));
            }
        }
    }
    seen
}

/// Declared extensions: `rule: identifiers` have a prefix and the form of `_meta` keys, `rule: settings` are objects.
pub(super) fn extensions(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let identifiers = with.get("rule").and_then(Value::as_str) == Some("identifiers");
    let mut seen = Observation::default();
    for (asked, said, result) in dialogue.results_of("server/discover") {
        for (name, settings) in
            result.pointer("/capabilities/extensions").and_then(Value::as_object).into_iter().flatten()
        {
            let wrong = if identifiers {
                (!is_identifier(name))
                    .then(|| format!("the extension `{name}` has no identifier of the form `prefix/name`"))
            } else {
                (!settings.is_object()).then(|| {
                    format!("the settings of the extension `{name}` are {}", in_short(Some(settings)))
                })
            };
            seen.examine(wrong.map(|what| breach(dialogue, said.entry, Some(asked.entry), what)));
        }
    }
    seen
}

fn is_identifier(text: &str) -> bool {
    let word = |text: &str, inner: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.ends_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || inner.contains(c))
    };
    text.rsplit_once('/').is_some_and(|(prefix, name)| {
        let labels = prefix
            .split('.')
            .all(|label| word(label, "-") && label.starts_with(|c: char| c.is_ascii_alphabetic()));
        labels && (name.is_empty() || word(name, "-_."))
    })
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::super::http_recordings::check;

    #[test]
    fn a_server_that_has_said_nothing_has_not_kept_to_known_notifications() {
        let json = "#0 200 application/json";
        check(
            "known-notification",
            &json!({}),
            Revision::R2026_07_28,
            &[
                ("", (0, 0, 0)),
                ("POST ?1 tools/list\n#0 cut", (0, 0, 0)),
                (&format!("POST ?1 tools/list\n{json}\n#0 =1\n#0 end"), (1, 0, 0)),
                (&format!("POST ?1 tools/list\n{json}\n#0 *notifications/made-up\n#0 end"), (2, 0, 1)),
            ],
        );
    }
}
