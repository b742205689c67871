//! Words that mean something to a server: those from its own listings.

use serde_json::Value;

use super::text::TELLING;
use crate::generate;
use crate::profile::Profile;
use crate::template;

/// How many words are kept.
const MAX_WORDS: usize = 2000;
/// Longer ones are prose, in bytes.
const MAX_WORD: usize = 200;
/// How deep a listing is searched.
const DEEPEST: usize = 12;

/// The words, as templates, in the order in which they stand in the listings; each once.
pub(super) fn of(profile: &Profile) -> Vec<String> {
    let mut words = Vec::new();
    let listings = [&profile.tools, &profile.prompts, &profile.resources, &profile.templates];
    for item in listings.into_iter().flatten() {
        collect(item, 0, &mut words);
    }
    words.extend(TELLING.iter().map(|text| (*text).to_owned()));
    let mut known = std::collections::BTreeSet::new();
    words.retain(|word| word.len() <= MAX_WORD && known.insert(word.clone()));
    words.truncate(MAX_WORDS);
    words.into_iter().map(|word| template::escape(&word).into_owned()).collect()
}

fn collect(value: &Value, depth: usize, words: &mut Vec<String>) {
    if depth > DEEPEST || words.len() > MAX_WORDS {
        return;
    }
    let below = depth.saturating_add(1);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("description" | "title", Value::String(prose)) => {
                        words.extend(generate::examples_in(prose));
                    }
                    ("type" | "$schema" | "$ref" | "format", Value::String(_)) => {}
                    ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                        words.extend(named.keys().cloned());
                        collect(member, below, words);
                    }
                    _ => collect(member, below, words),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, below, words)),
        Value::String(word) => words.push(word.clone()),
        Value::Number(number) => words.push(number.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}
