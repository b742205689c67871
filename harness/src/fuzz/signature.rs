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
    if let Some(report) = sanitizer_reports(stderr).pop() {
        return Some(report);
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

/// What sanitizers reported on a server's standard error, each fault once: its place in the program and its kind.
#[must_use]
pub fn sanitizer_reports(stderr: &str) -> Vec<String> {
    const AT_RUNTIME: &str = ": runtime error: ";
    let report = |line: &str| {
        let line = line.trim();
        if let Some(summary) = line.strip_prefix("SUMMARY: ").filter(|rest| rest.contains("Sanitizer: ")) {
            // The same fault stands in a line of its own, with what was wrong.
            let is_repeated = summary.starts_with("UndefinedBehaviorSanitizer");
            // How much was leaked differs from run to run.
            let leak = summary.contains(" leaked in ").then(|| normal(summary));
            let summary =
                leak.unwrap_or_else(|| text::bounded(&text::visible(summary), LONGEST).into_owned());
            return (!is_repeated).then_some(summary);
        }
        // File, line and column: Go and others have errors of that name without them, perhaps after the time of day.
        let (place, error) = line.split_once(AT_RUNTIME)?;
        let is_number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
        let mut parts = place.rsplit(':');
        let is_file = |part: &str| part.contains(['.', '/']) && !is_number(Some(part));
        if !is_number(parts.next()) || !is_number(parts.next()) || !parts.next().is_some_and(is_file) {
            return None;
        }
        Some(format!("{}{AT_RUNTIME}{}", text::bounded(&text::visible(place), LONGEST), normal(error)))
    };
    let mut reports: Vec<String> = Vec::new();
    for report in stderr.lines().filter_map(report) {
        if !reports.contains(&report) {
            reports.push(report);
        }
    }
    reports
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
    fn sanitizers_say_where_it_was() {
        let address = "==7==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602000000011\n    #0 0x4f1 in \
                       shorten a.c:12:3\nSUMMARY: AddressSanitizer: heap-buffer-overflow a.c:12:3 in shorten\n\
                       ==7==ABORTING\n";
        let found = "AddressSanitizer: heap-buffer-overflow a.c:12:3 in shorten";
        assert_eq!(cause(address).unwrap(), found);
        let undefined = "a.c:3:5: runtime error: signed integer overflow: 2147483647 + 1 cannot be\n\
                         a.c:3:5: runtime error: signed integer overflow: 2147483600 + 99 cannot be\n\
                         SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior a.c:3:5\n\
                         b.c:9:1: runtime error: shift exponent 64 is too large\n";
        assert_eq!(
            sanitizer_reports(undefined),
            [
                "a.c:3:5: runtime error: signed integer overflow: * + * cannot be",
                "b.c:9:1: runtime error: shift exponent * is too large"
            ]
        );
        for other in [
            "listening",
            "KeyError: 'x'",
            "panic: runtime error: index out of range [5]",
            "12:30:45: runtime error: no",
        ] {
            assert_eq!(sanitizer_reports(other), [""; 0], "{other}");
        }
        let leak = "SUMMARY: AddressSanitizer: 48 byte(s) leaked in 2 allocation(s).";
        assert_eq!(sanitizer_reports(leak), ["AddressSanitizer: * byte(s) leaked in * allocation(s)."]);
    }

    #[test]
    fn the_cause_is_found_in_a_traceback() {
        let stderr =
            "Traceback (most recent call last):\n  File \"a.py\", line 3, in <module>\nKeyError: 'x'\n";
        assert_eq!(cause(stderr).unwrap(), "KeyError File \"a.py\", line 3, in <module>");
        assert_eq!(cause("\n\n"), None);
    }
}
