//! Reads the strict subset of YAML in which cases and requirements are written, with errors that show the place.
//!
//! The subset has no anchors, aliases, tags, merge keys, or duplicate keys, and no bare word that another
//! YAML reader could take for something else (`yes`, `no`, `on`, `off`, dates).

mod strict;

use std::sync::OnceLock;

use regex::Regex;
use serde::de::DeserializeOwned;

/// Longest file that is read, in bytes.
pub const MAX_FILE: usize = 256 * 1024;

/// Why a YAML file was refused: the file, the place in it, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {detail}")]
pub struct YamlError {
    /// The name of the file as it was given.
    pub file: String,
    /// What is wrong, with the line and a caret where the place is known.
    pub detail: String,
}

/// Reads one YAML document into `T`.
///
/// # Errors
/// Anything outside the strict subset, and anything that `T` does not accept.
pub fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, YamlError> {
    let refuse = |detail: String| YamlError { file: file.to_owned(), detail };
    if text.len() > MAX_FILE {
        return Err(refuse(format!("is {} bytes long; the limit is {MAX_FILE}", text.len())));
    }
    if let Some(detail) = ambiguous_word(text) {
        return Err(refuse(detail));
    }
    serde_saphyr::from_str_with_options(text, strict::options())
        .map_err(|error| refuse(with_suggestion(&error.to_string())))
}

/// A bare word that YAML 1.1 readers take for a boolean or a date, shown with its place.
fn ambiguous_word(text: &str) -> Option<String> {
    static PATTERN: OnceLock<Option<Regex>> = OnceLock::new();
    let pattern = PATTERN.get_or_init(|| {
        Regex::new(r"(?i)^[^#'\x22]*?[:\-\[,]\s+(yes|no|on|off|\d{4}-\d\d-\d\d)\s*(?:[,\]}#].*)?$").ok()
    });
    for (index, line) in text.lines().enumerate() {
        if let Some(word) = pattern.as_ref()?.captures(line).and_then(|found| found.get(1)) {
            let indent = " ".repeat(line.chars().count().min(word.start()));
            let carets = "^".repeat(word.len());
            let number = index + 1;
            return Some(format!(
                "line {number}: `{}` means different things to different YAML readers; put it in quotes\n  {number} | {line}\n  {} | {indent}{carets}",
                word.as_str(),
                " ".repeat(number.to_string().len()),
            ));
        }
    }
    None
}

/// Adds "did you mean" to a complaint about an unknown word that lists the known ones.
fn with_suggestion(message: &str) -> String {
    let suggestion = || {
        let first_line = message.lines().next()?;
        let (_, after) = first_line.split_once("unknown ")?;
        let (unknown, known) = after.split_once('`')?.1.split_once('`')?;
        let (_, known) = known.split_once("expected ")?;
        let known =
            known.trim_start_matches("one of ").split([',', ' ', '`']).filter(|word| !word.is_empty());
        nearest(unknown, known)
    };
    suggestion().map_or_else(|| message.to_owned(), |best| format!("{message}\n  did you mean `{best}`?"))
}

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, candidate)| candidate)
}
