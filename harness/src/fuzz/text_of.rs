//! What a message that is written out says, as far as it can be read.

use serde_json::{Value, json};

use crate::template::{self, Variables};

/// The message that the text of a template holds, with something plain for what is filled in later.
pub(super) fn message(text: &str) -> Option<Value> {
    let plain = text.replace("{{id}}", "0").replace("{{meta}}", "{}");
    if !plain.contains("{{") {
        return serde_json::from_str(&plain).ok();
    }
    let mut known = Variables::default();
    known.insert("id".to_owned(), json!(0));
    known.insert("meta".to_owned(), json!({}));
    serde_json::from_str(&template::fill_raw(text, &known).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_no_obstacle() {
        for (text, method) in [
            (r#"{"id":{{id}},"method":"a","params":{{meta}}}"#, "a"),
            (r#"{"id":"{{"i" * 2}}","method":"{{"b" * 3}}"}"#, "bbb"),
        ] {
            assert_eq!(message(text).and_then(|message| message.get("method").cloned()), Some(json!(method)));
        }
        assert_eq!(message(r#"{"id":"#), None);
        assert_eq!(message(r#"{"id":0,"method":"{{later}}"}"#), None);
    }
}
