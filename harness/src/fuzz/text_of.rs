//! What a message that is written out says, as far as it can be read.

use serde_json::Value;

/// The message that the text of a template holds, with something plain for what is filled in later.
pub(super) fn message(text: &str) -> Option<Value> {
    let plain = text.replace("{{id}}", "0").replace("{{meta}}", "{}");
    serde_json::from_str(&plain).ok()
}
