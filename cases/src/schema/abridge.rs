//! Shortens what is too long to be copied for an explanation.

use serde_json::Value;

use super::format::is_base64;

/// Longest string that is kept, in bytes.
const MAX_KEPT: usize = 4096;

/// A copy of `value` with its long strings cut; `None` when it has none. A validator copies a value once for each branch
/// of a union that it fails, so a large text next to a small mistake would cost many times its size.
pub(super) fn abridged(value: &Value) -> Option<Value> {
    has_long(value).then(|| copy(value))
}

fn has_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() > MAX_KEPT,
        Value::Array(items) => items.iter().any(has_long),
        Value::Object(members) => members.values().any(has_long),
        _ => false,
    }
}

fn copy(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::from(cut(text)),
        Value::Array(items) => items.iter().map(copy).collect(),
        Value::Object(members) => members.iter().map(|(name, inner)| (name.clone(), copy(inner))).collect(),
        other => other.clone(),
    }
}

/// The beginning of a long text. What is base64 stays so, and what is not does not become it by the cut.
fn cut(text: &str) -> &str {
    if text.len() <= MAX_KEPT {
        return text;
    }
    let kind = is_base64(text);
    (0..=MAX_KEPT)
        .rev()
        .filter_map(|end| text.get(..end))
        .find(|beginning| is_base64(beginning) == kind)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn short_values_are_not_copied() {
        assert_eq!(abridged(&json!({ "a": ["b", 1, null] })), None);
    }

    #[test]
    fn long_strings_are_cut_and_keep_their_kind() {
        for (unit, base64) in [("AAAA", true), ("A-A_", false), ("\u{1f980}", false)] {
            let long = unit.repeat(10_000);
            let short = abridged(&json!({ "a": [long] })).unwrap();
            let text = short["a"][0].as_str().unwrap();
            assert!(text.len() <= MAX_KEPT && text.len() > MAX_KEPT - 8);
            assert!(long.starts_with(text));
            assert_eq!(is_base64(text), base64, "{unit}");
        }
    }
}
