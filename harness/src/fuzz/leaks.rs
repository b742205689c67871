//! What should stay inside of a server and shows in its answers: its stack, and the secrets of its environment.

use std::path::Path;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

/// Values shorter than this are found in any text by chance.
const SHORTEST_SECRET: usize = 8;

/// How the runtimes that servers are written in show where they were.
const STACKS: [&str; 7] = [
    r"Traceback \(most recent call last\)",
    // Without a function it is what Python says of the syntax of a text that it was given.
    r#"File \\?"[^"\\]+\.py\\?", line \d+, in "#,
    r"at [^\s(]+ \((?:file://|node:|/)[^)\s]+:\d+:\d+\)",
    r"panicked at [^\s]+\.rs:\d+:\d+",
    r"goroutine \d+ \[[a-z ]+\]:",
    r"at [\w.$]+\([\w]+\.(?:java|kt):\d+\)",
    r"\.cs:line \d+",
];

/// All of them at once: nearly every text has none.
static ANY: LazyLock<Option<RegexSet>> = LazyLock::new(|| RegexSet::new(STACKS).ok());

static EACH: LazyLock<Vec<Regex>> =
    LazyLock::new(|| STACKS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

/// The part of a text that shows the stack of a program, if it does.
#[must_use]
pub fn stack(text: &str) -> Option<&str> {
    if ANY.as_ref().is_some_and(|any| !any.is_match(text)) {
        return None;
    }
    EACH.iter().find_map(|pattern| pattern.find(text)).map(|found| found.as_str())
}

/// Whether the name of a variable says that its value is a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "TOKEN", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL"]
        .iter()
        .any(|word| name.contains(word))
}

/// The variables of an environment that hold secrets, by name and value.
#[must_use]
pub fn secrets(environment: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = environment
        .into_iter()
        // Where a secret is kept is none.
        .filter(|(name, value)| {
            is_secret(name) && value.len() >= SHORTEST_SECRET && !Path::new(value).exists()
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_recognised() {
        let python = r#"{"text":"Traceback (most recent call last):\n  File \"/srv/a.py\", line 3, in f"}"#;
        assert!(stack(python).is_some());
        assert!(stack(r#"boom File \"/srv/a.py\", line 3, in f"#).is_some());
        assert!(stack("Error: x\\n    at f (file:///srv/a.mjs:10:5)\\n").is_some());
        assert!(stack("thread 'main' panicked at src/main.rs:3:5:").is_some());
        assert!(stack(r#"File \"input.py\", line 1: SyntaxError"#).is_none());
        assert!(stack("meet me at noon (room 3), line 5 of the file").is_none());
    }

    #[test]
    fn secrets_are_told_by_their_names() {
        let environment = [
            ("PATH", "/usr/bin:/bin"),
            ("API_TOKEN", "abcdefgh1"),
            ("MY_SECRET", "short"),
            ("SECRET_DIR", env!("CARGO_MANIFEST_DIR")),
        ];
        let found = secrets(environment.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(found, [("API_TOKEN".to_owned(), "abcdefgh1".to_owned())]);
    }
}
