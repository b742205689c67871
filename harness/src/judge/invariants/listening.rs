//! Subscriptions of the stateless era: `subscriptions/listen` and what comes of it.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Dialogue, Said};
use crate::judge::matching::in_short;
use crate::transcript::{Happening, Rung};
use crate::wire::Kind;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const SUBSCRIPTION: &str = "/params/_meta/io.modelcontextprotocol~1subscriptionId";

/// What the members of a filter stand for: the notification, and the capability that says so.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("toolsListChanged", "notifications/tools/list_changed", "tools", "listChanged"),
    ("promptsListChanged", "notifications/prompts/list_changed", "prompts", "listChanged"),
    ("resourcesListChanged", "notifications/resources/list_changed", "resources", "listChanged"),
    ("resourceSubscriptions", "notifications/resources/updated", "resources", "subscribe"),
];

/// A request for notifications.
struct Listen<'d> {
    entry: usize,
    id: &'d Value,
    filter: Option<&'d Value>,
    /// Whether a client may not ask in this way.
    hostile: bool,
    /// The entry from which on it is over for certain: cancelled, and a later request answered; or answered.
    over: Option<usize>,
}

fn listens<'d>(dialogue: &'d Dialogue<'_>) -> Vec<Listen<'d>> {
    let mut found = Vec::new();
    for (index, asked) in dialogue.asked.iter().enumerate() {
        if asked.method != "subscriptions/listen" {
            continue;
        }
        let cancelled = dialogue.notified.iter().find(|(entry, method, params)| {
            *entry > asked.entry
                && method == "notifications/cancelled"
                && params.get("requestId") == Some(&asked.id)
        });
        let settled = cancelled.and_then(|(cancel, _, _)| {
            let later = |said: &&Said| dialogue.request_of(said).is_some_and(|other| other.entry > *cancel);
            dialogue.said.iter().find(later).map(|said| said.entry)
        });
        let over = dialogue.answered_at(index).into_iter().chain(settled).min();
        found.push(Listen {
            entry: asked.entry,
            id: &asked.id,
            filter: asked.params.get("notifications"),
            hostile: asked.hostile,
            over,
        });
    }
    found
}

/// The same id: of the same type, numbers by value.
fn same(one: &Value, other: &Value) -> bool {
    one == other || matches!((one.as_f64(), other.as_f64()), (Some(one), Some(other)) if one == other)
}

fn tag<'d>(said: &'d Said<'_>) -> Option<&'d Value> {
    said.message.value.pointer(SUBSCRIPTION)
}

/// The notifications of the server that name a subscription, with the one they name.
fn tagged<'d>(
    dialogue: &'d Dialogue<'_>,
    listens: &'d [Listen<'d>],
) -> impl Iterator<Item = (&'d Said<'d>, &'d Value, Option<&'d Listen<'d>>)> {
    dialogue.said.iter().filter(|said| said.message.kind != Kind::Response).filter_map(move |said| {
        let id = tag(said)?;
        Some((said, id, listens.iter().rev().find(|listen| listen.entry < said.entry && same(listen.id, id))))
    })
}

fn is_change(said: &Said<'_>) -> bool {
    said.method().is_some_and(|method| KINDS.iter().any(|(_, notification, _, _)| *notification == method))
}

/// Whether anyone may be listening when an entry is made.
fn is_open(listens: &[Listen<'_>], entry: usize) -> bool {
    listens.iter().any(|listen| listen.entry < entry && listen.over.is_none_or(|over| entry < over))
}

/// The id of a subscription is that of its request, with its type.
pub(super) fn known_id(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let listens = listens(dialogue);
    let mut seen = Observation::default();
    for (said, id, owner) in tagged(dialogue, &listens) {
        seen.examine(owner.is_none().then(|| {
            let latest = listens.iter().rev().find(|listen| listen.entry < said.entry);
            let mut broken = breach(
                dialogue,
                said.entry,
                latest.map(|listen| listen.entry),
                "the `subscriptionId` is the id of no `subscriptions/listen` request",
            );
            broken.expected = latest.map(|listen| in_short(Some(listen.id)));
            broken.got = Some(in_short(Some(id)));
            broken
        }));
    }
    seen
}

/// Nothing of a subscription comes before its acknowledgement.
pub(super) fn ack_first(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let listens = listens(dialogue);
    let mut seen = Observation::default();
    for listen in listens.iter().filter(|listen| !listen.hostile) {
        let first = tagged(dialogue, &listens)
            .find(|(_, _, owner)| owner.is_some_and(|owner| owner.entry == listen.entry));
        let Some((said, _, _)) = first else { continue };
        let method = said.method().unwrap_or_default();
        // One that does not name its subscription has another fault, which is told elsewhere.
        let anonymous = |other: &&Said| {
            other.method() == Some(ACKNOWLEDGED)
                && tag(other).is_none()
                && (listen.entry..said.entry).contains(&other.entry)
        };
        let wrong = method != ACKNOWLEDGED && !dialogue.said.iter().any(|other| anonymous(&other));
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                Some(listen.entry),
                format!("`{method}` came before the acknowledgement of its subscription"),
            )
        }));
    }
    seen
}

/// What comes through a subscription names it.
pub(super) fn named(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let listens = listens(dialogue);
    let mut seen = Observation::default();
    for said in dialogue.said.iter().filter(|said| is_change(said) && is_open(&listens, said.entry)) {
        // Without members there is no place for the id; that is the finding of another rule.
        let placeless = said.message.member("params").is_some_and(|params| !params.is_object());
        let wrong = tag(said).is_none() && !placeless;
        let latest = listens.iter().rev().find(|listen| listen.entry < said.entry).map(|listen| listen.entry);
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                latest,
                format!("`{}` does not name its subscription", said.method().unwrap_or_default()),
            )
        }));
    }
    seen
}

/// Without a subscription nothing is said of changes.
pub(super) fn solicited(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let listens = listens(dialogue);
    let mut seen = Observation { examined: dialogue.asked.len(), breaches: Vec::new() };
    for said in dialogue
        .said
        .iter()
        .filter(|said| is_change(said) && tag(said).is_none() && !is_open(&listens, said.entry))
    {
        let latest =
            dialogue.asked.iter().rev().find(|asked| asked.entry < said.entry).map(|asked| asked.entry);
        let method = said.method().unwrap_or_default();
        seen.breaches.push(breach(
            dialogue,
            said.entry,
            latest,
            format!("the server sent `{method}` although nobody subscribed to anything"),
        ));
    }
    seen
}

/// A subscription brings only what was asked for: `of: types` the kinds of notification, `of: uris` the resources.
pub(super) fn requested(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let of_uris = with.get("of").and_then(Value::as_str) == Some("uris");
    let listens = listens(dialogue);
    let mut seen = Observation::default();
    for (said, _, owner) in tagged(dialogue, &listens) {
        let (Some(listen), Some(method)) = (owner.filter(|owner| !owner.hostile), said.method()) else {
            continue;
        };
        let Some((member, _, _, _)) = KINDS.iter().find(|(_, notification, _, _)| *notification == method)
        else {
            continue;
        };
        let asked = listen.filter.and_then(|filter| filter.get(*member));
        let wrong = match (asked.and_then(Value::as_array), of_uris) {
            (Some(uris), true) => {
                let Some(uri) = said.message.value.pointer("/params/uri").and_then(Value::as_str) else {
                    continue;
                };
                // An update may be about a part of what was subscribed to, so that only the scheme is certain to agree.
                let related = |wanted: &str| {
                    uri == wanted || uri.starts_with(wanted.trim_end_matches('/')) || wanted.starts_with(uri)
                };
                !uris.iter().filter_map(Value::as_str).any(related)
            }
            (None, true) if *member == "resourceSubscriptions" => true,
            (None, false) if *member != "resourceSubscriptions" => asked != Some(&Value::Bool(true)),
            _ => continue,
        };
        seen.examine(wrong.then(|| {
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(listen.entry),
                format!("a subscription brought `{method}`, which it did not ask for"),
            );
            broken.expected = listen.filter.map(|filter| format!("what {} asks for", in_short(Some(filter))));
            broken
        }));
    }
    seen
}

/// Acknowledgements: `rule: subset` grant nothing that was not asked for, `rule: supported` nothing that the server
/// does not declare.
pub(super) fn granted(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let supported = with.get("rule").and_then(Value::as_str) == Some("supported");
    let listens = listens(dialogue);
    let mut seen = Observation::default();
    for (said, _, owner) in
        tagged(dialogue, &listens).filter(|(said, _, _)| said.method() == Some(ACKNOWLEDGED))
    {
        let Some(listen) = owner.filter(|owner| !owner.hostile) else { continue };
        let Some(filter) = said.message.value.pointer("/params/notifications").and_then(Value::as_object)
        else {
            continue;
        };
        let mut wrong = None;
        for (member, value) in filter {
            let asked = listen.filter.and_then(|asked| asked.get(member));
            let complaint = if supported {
                undeclared(&dialogue.transcript.capabilities, member, value)
            } else {
                beyond(member, value, asked)
            };
            wrong = wrong.or(complaint);
        }
        seen.examine(wrong.map(|(what, advice)| {
            let mut broken = breach(dialogue, said.entry, Some(listen.entry), what);
            broken.advice = advice;
            broken
        }));
    }
    seen
}

fn grants(value: &Value) -> bool {
    value == &Value::Bool(true) || value.as_array().is_some_and(|items| !items.is_empty())
}

fn beyond(member: &str, value: &Value, asked: Option<&Value>) -> Option<(String, bool)> {
    match (value.as_array(), asked.and_then(Value::as_array)) {
        (Some(granted), Some(asked)) => {
            let extra = granted.iter().find(|uri| !asked.contains(uri))?;
            // Perhaps the same address, written in another way.
            Some((
                format!(
                    "the acknowledgement grants {} of `{member}`, which was not asked for",
                    in_short(Some(extra))
                ),
                true,
            ))
        }
        _ if grants(value) && !asked.is_some_and(grants) => {
            Some((format!("the acknowledgement grants `{member}`, which was not asked for"), false))
        }
        _ => None,
    }
}

fn undeclared(capabilities: &Value, member: &str, value: &Value) -> Option<(String, bool)> {
    if !grants(value) {
        return None;
    }
    match KINDS.iter().find(|(name, _, _, _)| *name == member) {
        Some((_, _, feature, _)) if capabilities.get(*feature).is_none() => {
            Some((format!("the acknowledgement grants `{member}`, and `{feature}` is not declared"), false))
        }
        Some((_, _, feature, flag))
            if matches!(
                capabilities.pointer(&format!("/{feature}/{flag}")),
                None | Some(Value::Null | Value::Bool(false))
            ) =>
        {
            Some((
                format!("the acknowledgement grants `{member}`, and `{feature}.{flag}` is not declared"),
                true,
            ))
        }
        Some(_) => None,
        // What extensions add is theirs to judge; this name is ours, and nobody can support it.
        None if member.starts_with("mcpConform") => {
            Some((format!("the acknowledgement grants `{member}`, which does not exist"), true))
        }
        None => None,
    }
}

/// Notifications of `notification` belong to a request and name no subscription.
pub(super) fn unnamed(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let method = with.get("notification").and_then(Value::as_str);
    let mut seen = Observation::default();
    for said in dialogue.said.iter().filter(|said| said.method() == method) {
        let wrong = tag(said).is_some();
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                None,
                format!("`{}` names a subscription", method.unwrap_or_default()),
            )
        }));
    }
    seen
}

/// The server cancels nothing but subscriptions.
pub(super) fn cancels_only_listens(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation { examined: dialogue.asked.len(), breaches: Vec::new() };
    for said in dialogue.said.iter().filter(|said| said.method() == Some("notifications/cancelled")) {
        let id = said.message.value.pointer("/params/requestId");
        let request = dialogue
            .asked
            .iter()
            .rev()
            .find(|asked| asked.entry < said.entry && id.is_some_and(|id| same(&asked.id, id)));
        if request.is_none_or(|asked| asked.method != "subscriptions/listen") {
            let what = format!("the server cancelled {}, which is no subscription", in_short(id));
            seen.breaches.push(breach(dialogue, said.entry, request.map(|asked| asked.entry), what));
        }
    }
    seen
}

/// A server that is told to end, and does so in good order, answers its open subscriptions before.
pub(super) fn graceful_end(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let entries = &dialogue.transcript.entries;
    let place = |wanted: &dyn Fn(&Happening) -> bool| entries.iter().position(|entry| wanted(&entry.what));
    let signal = place(&|what| matches!(what, Happening::Stop(Rung::Terminated)));
    let closed = place(&|what| matches!(what, Happening::Stop(Rung::InputClosed)));
    let exited = place(&|what| matches!(what, Happening::Exited(exit) if exit.code == Some(0)));
    // After its input was closed the server owes nobody an answer.
    let (Some(signal), Some(exited)) =
        (signal.filter(|signal| closed.is_none_or(|closed| closed > *signal)), exited)
    else {
        return seen;
    };
    for listen in listens(dialogue)
        .iter()
        .filter(|listen| listen.entry < signal && listen.over.is_none_or(|over| over > signal))
    {
        let acknowledged = dialogue
            .said
            .iter()
            .any(|said| said.method() == Some(ACKNOWLEDGED) && (listen.entry..signal).contains(&said.entry));
        if !acknowledged {
            continue;
        }
        let answered = dialogue
            .said
            .iter()
            .any(|said| dialogue.request_of(said).is_some_and(|asked| asked.entry == listen.entry));
        seen.examine((!answered).then(|| {
            let mut broken = breach(
                dialogue,
                exited,
                Some(listen.entry),
                "the server ended in good order and did not answer its open subscription",
            );
            broken.context.push(signal);
            broken
        }));
    }
    seen
}
