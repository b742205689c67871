//! Likely values for a property, from what is known about the server and from what the schema tells people.

use std::collections::BTreeMap;

use serde_json::Value;

use super::facts::Facts;
use super::mine;
use super::types::Kind;
use super::vocabulary::{self, Theme};

/// What the generator may draw on beside the schema: words that mean something to this server.
#[derive(Debug, Default, Clone)]
pub struct Hints {
    /// Existing directories or files that the server may know, for instance from its command line or its roots.
    pub paths: Vec<String>,
    /// Addresses that the server may know, for instance of its resources.
    pub uris: Vec<String>,
    /// Values by property name in lower case. They come before everything that the schema suggests.
    pub words: BTreeMap<String, Vec<Value>>,
}

/// What a value is called, as far as the schema says.
#[derive(Debug, Default, Clone)]
pub(super) struct Name {
    words: Vec<String>,
    whole: String,
}

impl Name {
    /// Of a property.
    pub(super) fn of_property(name: &str) -> Self {
        Self { words: vocabulary::split(name), whole: name.to_lowercase() }
    }

    /// Of an item of an array with this name: `paths` holds paths.
    pub(super) fn of_item(&self) -> Self {
        let mut item = self.clone();
        if let Some(last) = item.words.last_mut() {
            *last = vocabulary::singular(last);
        }
        item.whole = vocabulary::singular(&item.whole);
        item
    }
}

/// Likely values for a value of the given type, the likeliest first. Not all of them need to fit.
pub(super) fn likely(facts: &Facts<'_>, kind: Kind, name: &Name, hints: &Hints) -> Vec<Value> {
    let theme = vocabulary::theme(&name.words, facts.description);
    let known = match theme {
        Some(Theme::Path | Theme::File | Theme::Directory) => &hints.paths,
        Some(Theme::Uri) => &hints.uris,
        _ => &Vec::new(),
    };
    let mut likely: Vec<Value> = Vec::new();
    likely.extend(hints.words.get(&name.whole).into_iter().flatten().cloned());
    // Null says nothing, so it is left for last. What an author's default names exists, more often than not.
    likely.extend(facts.defaults.iter().filter(|value| !value.is_null()).map(|value| (*value).clone()));
    if kind == Kind::String {
        likely.extend(sorted_paths(known, theme).map(|path| Value::String(path.clone())));
    }
    likely.extend(facts.examples.iter().filter(|value| !value.is_null()).map(|value| (*value).clone()));
    match kind {
        Kind::String => {
            let described = facts.description.map(mine::examples).unwrap_or_default();
            let words = vocabulary::words(theme);
            // Every server knows UTC; of the zones that descriptions name, some do not exist.
            likely.extend(
                (theme == Some(Theme::Timezone))
                    .then_some(words)
                    .into_iter()
                    .flatten()
                    .take(1)
                    .map(|word| Value::from(*word)),
            );
            likely.extend(described.into_iter().map(Value::from));
            likely.extend(words.iter().map(|word| Value::from(*word)));
        }
        Kind::Integer | Kind::Number => {
            let described = facts.description.map(mine::examples).unwrap_or_default();
            let numbers = described.iter().filter_map(|text| text.parse::<serde_json::Number>().ok());
            likely.extend(numbers.map(Value::Number));
            likely.extend(vocabulary::number(&name.words).map(Value::from));
        }
        Kind::Null | Kind::Boolean | Kind::Array | Kind::Object => {}
    }
    likely
}

/// Paths, with those first that look like what is asked for. Nothing looks at the disk: the server may see
/// another one.
fn sorted_paths(paths: &[String], theme: Option<Theme>) -> impl Iterator<Item = &String> {
    let has_extension = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.split_once('.').is_some_and(|(stem, extension)| !stem.is_empty() && !extension.is_empty())
    };
    let mut sorted: Vec<&String> = paths.iter().collect();
    match theme {
        Some(Theme::File) => sorted.sort_by_key(|path| !has_extension(path)),
        Some(Theme::Directory) => sorted.sort_by_key(|path| has_extension(path)),
        _ => {}
    }
    sorted.into_iter()
}
