//! Updates of resources, and who asked for them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;

/// An update comes only while some resource is subscribed to. Which one does not matter: the update may name a part of
/// what was subscribed to, under an address of its own.
pub(super) fn updates(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let mut changes: Vec<(usize, bool, String)> = Vec::new();
    for (index, asked) in dialogue.asked.iter().enumerate() {
        let uri = asked.params.get("uri").map(Value::to_string).unwrap_or_default();
        match asked.method.as_ref() {
            // It counts from the moment it was sent.
            "resources/subscribe" => changes.push((asked.entry, true, uri)),
            // Until the answer an update may still be on its way.
            "resources/unsubscribe" => {
                changes.extend(dialogue.answered_at(index).map(|entry| (entry, false, uri)))
            }
            _ => {}
        }
    }
    changes.sort_by_key(|(entry, _, _)| *entry);
    seen.examined = changes.len();
    for said in dialogue.said.iter().filter(|said| said.method() == Some("notifications/resources/updated")) {
        let mut live: HashSet<&str> = HashSet::new();
        for (_, begins, uri) in changes.iter().filter(|(entry, _, _)| *entry < said.entry) {
            if *begins {
                live.insert(uri);
            } else {
                live.remove(uri.as_str());
            }
        }
        let wrong = live.is_empty();
        seen.examine(wrong.then(|| {
            let why = if changes.iter().any(|(entry, _, _)| *entry < said.entry) {
                "after the last subscription had ended"
            } else {
                "although nothing was subscribed to"
            };
            breach(
                dialogue,
                said.entry,
                None,
                format!("the server sent `notifications/resources/updated` {why}"),
            )
        }));
    }
    seen
}
