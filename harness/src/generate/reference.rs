//! Local references: `#`, JSON Pointers, `$anchor`s, and the document's own `$id` before them.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use super::pattern;

/// A schema document and what is looked up in it again and again.
pub(super) struct Document<'s> {
    root: &'s Value,
    id: Option<&'s str>,
    anchors: HashMap<&'s str, &'s Value>,
    regexes: RefCell<HashMap<String, Option<Regex>>>,
    /// Up to draft-07 nothing counts beside a `$ref`.
    pub(super) ref_stands_alone: bool,
}

impl<'s> Document<'s> {
    /// Indexes a schema. The caller has bounded its size.
    pub(super) fn new(root: &'s Value) -> Self {
        let mut anchors = HashMap::new();
        let mut stack = vec![root];
        while let Some(value) = stack.pop() {
            match value {
                Value::Array(items) => stack.extend(items),
                Value::Object(map) => {
                    for keyword in ["$anchor", "$dynamicAnchor"] {
                        if let Some(Value::String(name)) = map.get(keyword) {
                            anchors.entry(name.as_str()).or_insert(value);
                        }
                    }
                    // In draft-07 an anchor is an `$id` that is only a fragment.
                    let fragment = map.get("$id").and_then(Value::as_str).and_then(|id| id.strip_prefix('#'));
                    if let Some(name) = fragment {
                        anchors.entry(name).or_insert(value);
                    }
                    let data = ["const", "enum", "default", "examples"];
                    stack.extend(map.iter().filter(|(k, _)| !data.contains(&k.as_str())).map(|(_, v)| v));
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
        let id = root.get("$id").and_then(Value::as_str).map(|id| id.trim_end_matches('#'));
        Self { root, id, anchors, regexes: RefCell::new(HashMap::new()), ref_stands_alone: false }
    }

    pub(super) fn root(&self) -> &'s Value {
        self.root
    }

    /// The schema that `reference` names, if it is in this document.
    pub(super) fn resolve(&self, reference: &str) -> Option<&'s Value> {
        let fragment = match reference.split_once('#') {
            Some(("", fragment)) => fragment,
            Some((document, fragment)) if Some(document) == self.id => fragment,
            None if Some(reference) == self.id => "",
            _ => return None,
        };
        let fragment = percent_decoded(fragment)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            self.root.pointer(&fragment)
        } else {
            self.anchors.get(fragment.as_ref()).copied()
        }
    }

    /// Whether `text` matches `pattern`; `None` if we cannot tell.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> Option<bool> {
        let mut known = self.regexes.borrow_mut();
        if !known.contains_key(pattern) {
            known.insert(pattern.to_owned(), pattern::compile(pattern));
        }
        known.get(pattern)?.as_ref().map(|regex| regex.is_match(text))
    }
}

/// Undoes `%20` and the like, which pointers in a fragment may contain.
fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}
