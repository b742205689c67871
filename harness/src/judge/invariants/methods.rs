//! The methods that a rule names.

use serde_json::{Map, Value};

/// One method or several, under one key of what a rule is given.
#[derive(Debug)]
pub(super) struct Methods<'w>(&'w [Value]);

impl<'w> Methods<'w> {
    /// Those under a key; nothing if the key is not there.
    pub(super) fn of(with: &'w Map<String, Value>, key: &str) -> Option<Methods<'w>> {
        with.get(key).map(|named| match named {
            Value::Array(many) => Methods(many),
            one => Methods(std::slice::from_ref(one)),
        })
    }

    pub(super) fn include(&self, method: &str) -> bool {
        self.0.iter().any(|one| one.as_str() == Some(method))
    }
}
