//! Lists that come in pages.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::matching::in_short;

/// No two entries of the list `list` have the same `key`, over all pages of one walk through the results of `result_of`.
pub(super) fn unique(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let text = |key: &str| with.get(key).and_then(Value::as_str).unwrap_or_default();
    let (method, list, key) = (text("result_of"), text("list"), text("key"));
    let mut seen = Observation::default();
    let mut walk: HashSet<String> = HashSet::new();
    let mut cursors: HashSet<String> = HashSet::new();
    let mut next: Option<&Value> = None;
    for (asked, said, result) in dialogue.results_of(method) {
        let cursor = asked.params.get("cursor");
        match cursor {
            None => {
                walk.clear();
                cursors.clear();
            }
            // A page out of turn, or one that was seen before: another rule looks at cursors.
            Some(cursor) if Some(cursor) != next || !cursors.insert(cursor.to_string()) => continue,
            Some(_) => {}
        }
        next = result.get("nextCursor");
        let entries = result.get(list).and_then(Value::as_array);
        let mut names = entries.into_iter().flatten().filter_map(|entry| entry.get(key)?.as_str());
        let twice = names.find(|name| !walk.insert((*name).to_owned())).map(|name| {
            let mut broken = breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("{} stands twice in `{list}`", in_short(Some(&Value::from(name)))),
            );
            broken.expected = Some(format!("entries that differ in `{key}`"));
            broken
        });
        seen.examine(twice);
    }
    seen
}
