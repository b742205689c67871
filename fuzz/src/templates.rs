//! Templates and paths: what is written is read back, and what is escaped comes out as it was.

use mcp_conform::template::{MAX_REPEATED, Variables, escape, escape_value, fill, fill_raw, repeated};
use mcp_conform_cases::RevisionSet;
use mcp_conform_cases::case::Path;
use serde_json::{Value, json};

/// The longest input; longer ones only cost time, in bytes.
const MAX_INPUT: usize = 16 * 1024;
/// How often a text is repeated.
const TIMES: usize = 3;

/// Tries one input.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > MAX_INPUT {
        return;
    }
    let mut variables = Variables::default();
    for name in ["id", "a", "item"] {
        variables.insert(name.to_owned(), json!({ "b": [1, "x", { "c.d": null }], "text": text }));
    }
    let filled = fill_raw(text, &variables);
    assert_eq!(filled, fill_raw(text, &variables));
    assert!(
        filled.is_err() || text.contains("{{") || filled.as_deref() == Ok(text),
        "what is no template stays"
    );
    if text.matches("{{").count() < 100 {
        let template = json!({ text: [text, 1] });
        assert_eq!(fill(&template, &variables), fill(&template, &variables));
    }

    let none = Variables::default();
    assert_eq!(fill_raw(&escape(text), &none).as_deref(), Ok(text));
    let value = json!({ text: [text, { "x": text }], "n": 0.5 });
    assert_eq!(fill(&escape_value(value.clone()), &none), Ok(value));
    if text.len() <= MAX_REPEATED / TIMES {
        assert_eq!(fill_raw(&repeated(text, TIMES), &none), Ok(text.repeat(TIMES)));
    }
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        assert_eq!(fill(&escape_value(json.clone()), &none), Ok(json));
    }

    if let Ok(path) = text.parse::<Path>() {
        let again = path.to_string().parse::<Path>();
        assert_eq!(again.as_ref(), Ok(&path), "`{path}` is read back as something else");
    }
    if let Ok(set) = text.parse::<RevisionSet>() {
        assert!(set.is_empty() || set.to_string().parse::<RevisionSet>() == Ok(set), "{set}");
    }
}
