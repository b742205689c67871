//! Signatures: the same fault found twice is counted once.

use std::sync::LazyLock;

use regex::Regex;

use crate::text;
use crate::transcript::Exit;

/// The longest signature, in characters.
const LONGEST: usize = 160;

/// What differs from one occurrence of a fault to the next.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"["'`][^"'`]*… \(\d+ bytes in all\)|0x[0-9a-fA-F]+|"[^"]*"|'[^']*'|`[^`]*`|\b\d+\b"#).ok()
});

/// A text without what differs from one occurrence to the next.
#[must_use]
pub fn normal(text: &str) -> String {
    let plain = match VARIABLE.as_ref() {
        Some(variable) => variable.replace_all(text, "*").into_owned(),
        None => text.to_owned(),
    };
    text::bounded(&text::visible(plain.trim()), LONGEST).into_owned()
}

/// What a server's standard error says of why it ended: the place in the program, as it stands, and the error.
#[must_use]
pub fn cause(stderr: &str) -> Option<String> {
    // Python draws groups of exceptions with bars before and between them.
    let bare = |line| str::trim(line).trim_start_matches(['|', '+', '-', ' ']);
    let lines = || stderr.lines().map(bare).filter(|line| !line.is_empty());
    if let Some(panic) = lines().rfind(|line| line.contains("panicked at")) {
        let place = panic.split_once("panicked at").map_or(panic, |(_, place)| place);
        return Some(format!("panicked at {}", text::bounded(place.trim().trim_end_matches(':'), LONGEST)));
    }
    let is_error = |line: &&str| {
        let name = line.split([':', '(', ' ']).next().unwrap_or_default();
        name.ends_with("Error") || name.ends_with("Exception") || line.starts_with("fatal")
    };
    let error = lines().rfind(is_error).or_else(|| lines().next_back())?;
    // The innermost frame: last in Python, first in JavaScript.
    let python = lines().rfind(|line| line.starts_with("File \""));
    let place = python.or_else(|| lines().find(|line| line.starts_with("at ")));
    Some(match place {
        // The place tells more than the words of the error, which quote what was sent.
        Some(place) => {
            let name = error.split([':', '(']).next().unwrap_or_default();
            format!("{} {}", normal(name), text::bounded(place, LONGEST))
        }
        None => normal(error),
    })
}

/// How a server ended, without what differs from one end to the next.
#[must_use]
pub fn of_end(exit: Option<Exit>, stderr: &str) -> String {
    let how = exit.map_or_else(|| "closed its output".to_owned(), |exit| exit.to_string());
    match cause(stderr) {
        Some(cause) => format!("{how}: {cause}"),
        None => how,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fault_has_the_same_signature() {
        let exit = Some(Exit { code: Some(101), signal: None });
        let one = of_end(
            exit,
            "thread 'main' panicked at src/main.rs:12:5:\nindex 5 out of range 3\nnote: run with",
        );
        let other =
            of_end(exit, "thread 'x' panicked at src/main.rs:12:5:\nindex 9 out of range 4\nnote: run with");
        let elsewhere = of_end(exit, "thread 'x' panicked at src/main.rs:40:1:\nindex 9 out of range 4");
        assert_eq!(one, other);
        assert_ne!(one, elsewhere);
    }

    #[test]
    fn the_cause_is_found_in_a_traceback() {
        let stderr =
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nKeyError: 'x'\n";
        assert_eq!(cause(stderr).unwrap(), "KeyError File \"a.py\", line 3, in <module>");
        assert_eq!(cause("\n\n"), None);
    }
}
