//! What the faults of one connection remember of the traffic.

use std::collections::HashMap;

use serde_json::Value;

use crate::jsonrpc::Request;
use crate::revision::Revision;
use crate::stateless;

/// Kept up to date for all faults, with room for notes of single ones.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The revision that `initialize` settled.
    pub(super) revision: Option<Revision>,
    /// True after `notifications/initialized`.
    pub(super) initialized: bool,
    notes: HashMap<&'static str, Vec<Value>>,
}

impl Memory {
    pub(super) fn note(&mut self, key: &'static str, value: Value) {
        self.notes.entry(key).or_default().push(value);
    }

    pub(super) fn notes(&self, key: &'static str) -> &[Value] {
        self.notes.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn last(&self, key: &'static str) -> Option<&Value> {
        self.notes(key).last()
    }

    pub(super) fn forget(&mut self, key: &'static str) -> Vec<Value> {
        self.notes.remove(key).unwrap_or_default()
    }

    /// Counts how often it is called with this key, beginning with 1.
    pub(super) fn count(&mut self, key: &'static str) -> usize {
        self.note(key, Value::Null);
        self.notes(key).len()
    }

    pub(super) fn see_incoming(&mut self, message: &Value) {
        if message.get("method").is_some_and(|method| method == "notifications/initialized") {
            self.initialized = true;
        }
    }

    pub(super) fn see_outgoing(&mut self, message: &Value, request: Option<&Request>) {
        if request.is_some_and(|request| request.method == "initialize" && !stateless::is_stateless(request))
        {
            let version = message.pointer("/result/protocolVersion").and_then(Value::as_str);
            self.revision = version.and_then(Revision::parse).or(self.revision);
        }
    }
}
