//! Strings: likely words, formats, patterns, and the shortest and longest that are allowed.

use serde_json::Value;

use super::choose::Choice;
use super::facts::Facts;
use super::limits::MAX_BYTES;
use super::walker::Run;
use super::{format, pattern};

/// A string at its maximum length is only tried up to this length.
const MAX_LONG: u64 = 8192;

/// Makes a string: `likely` words first, then made-up ones and boundaries, at last any.
pub(super) fn make(facts: &Facts<'_>, likely: Vec<Value>, run: &mut Run<'_, '_, '_>) -> Option<Value> {
    let (min, max) = (facts.length.min, facts.length.max);
    if usize::try_from(min).map_or(true, |min| min > MAX_BYTES) || max.is_some_and(|max| max < min) {
        return None;
    }
    // Nothing but its length matters: so there is always one more string, and one that has a number in it.
    let free = facts.patterns.is_empty() && facts.formats.is_empty();
    let likely_words = likely.iter().filter(|value| value.is_string()).count();
    let ready = ready(facts, likely, run);
    if let Some(text) = free.then(|| nudged(facts, &ready, likely_words, run)).flatten() {
        return Some(Value::String(text));
    }
    let count =
        ready.len().saturating_add(usize::from(free || ready.is_empty() || !facts.patterns.is_empty()));
    let picked = run.recorder.pick_nudged(Choice::Value, count);
    if let Some(word) = ready.get(picked) {
        return Some(Value::String(word.clone()));
    }
    let other = match facts.patterns.first() {
        Some(pattern) => pattern::make(pattern, min, &mut run.recorder),
        None if free => any(min, max, run),
        None => None,
    };
    let fitting = other.filter(|text| facts.admits_text(run.document, text));
    fitting.or(ready.into_iter().next()).map(Value::String)
}

/// Another string for another item: the next likely word, or the first one with a number.
fn nudged(facts: &Facts<'_>, ready: &[String], likely_words: usize, run: &Run<'_, '_, '_>) -> Option<String> {
    let index = usize::try_from(run.recorder.nudge).ok().filter(|index| *index > 0)?;
    let text = match ready.get(index) {
        Some(word) if index < likely_words => word.clone(),
        _ => numbered(ready.first()?, run.recorder.nudge, facts.length.max),
    };
    facts.admits_text(run.document, &text).then_some(text)
}

/// Strings to choose from, all of which fit as far as we can tell.
fn ready(facts: &Facts<'_>, likely: Vec<Value>, run: &mut Run<'_, '_, '_>) -> Vec<String> {
    let (min, max) = (facts.length.min, facts.length.max);
    let mut ready: Vec<String> = Vec::new();
    let mut offer = |text: String| {
        if ready.len() < 64 && facts.admits_text(run.document, &text) && !ready.contains(&text) {
            ready.push(text);
        }
    };
    let formatted =
        facts.formats.iter().flat_map(|format| format::examples(format)).map(|text| (*text).to_owned());
    let words: Vec<String> = likely
        .into_iter()
        .filter_map(|value| if let Value::String(word) = value { Some(word) } else { None })
        .collect();
    let has_format = facts.formats.iter().any(|format| !format::examples(format).is_empty());
    if has_format {
        // Words come from names and prose; of those, only the ones that look like the format are any good.
        let fits = |word: &String| facts.formats.iter().all(|format| resembles(format, word));
        words.iter().filter(|word| fits(word)).cloned().for_each(&mut offer);
        formatted.for_each(&mut offer);
    } else {
        words.iter().cloned().for_each(&mut offer);
        if facts.patterns.is_empty() {
            for word in &words {
                offer(stretched(word, min, max));
            }
            offer(stretched("a", min.max(1), max));
            offer(stretched("a", min, Some(min)));
            if let Some(max) = max.filter(|max| *max <= MAX_LONG) {
                offer(stretched("a", max, Some(max)));
            }
            for odd in [" ", "ünïcödé ✓", "0", "null", "a\nb", "\"quoted\" \\ 'text'", "🙂"] {
                offer(odd.to_owned());
            }
        }
    }
    ready
}

/// Whether a word has the looks of a format. The validator has the last word.
fn resembles(format: &str, word: &str) -> bool {
    let Some(model) = format::examples(format).first() else { return true };
    match format {
        "uri" | "iri" | "url" => word.contains(':') && !word.contains(' '),
        "uri-reference" | "iri-reference" | "regex" | "hostname" | "uri-template" => !word.contains(' '),
        // The same shape, digit for digit and letter for letter.
        "date" | "ipv4" | "ipv6" | "date-time" | "time" | "uuid" => {
            word.len() >= model.len().min(3)
                && word.chars().next().is_some_and(|c| c.is_ascii_hexdigit() || c == ':')
        }
        "email" | "idn-email" => word.contains('@'),
        _ => true,
    }
}

/// A word repeated or cut so that its length is within bounds.
fn stretched(word: &str, min: u64, max: Option<u64>) -> String {
    let length = u64::try_from(word.chars().count()).unwrap_or(u64::MAX);
    let wanted = length.max(min).min(max.unwrap_or(u64::MAX));
    let wanted = usize::try_from(wanted).unwrap_or(0).min(MAX_BYTES);
    let word = if word.is_empty() { "a" } else { word };
    word.chars().cycle().take(wanted).collect()
}

/// A word with a number after it, so that it differs from other items.
fn numbered(word: &str, number: u64, max: Option<u64>) -> String {
    let suffix = number.to_string();
    let max = max.and_then(|max| usize::try_from(max).ok()).unwrap_or(usize::MAX);
    let keep = max.saturating_sub(suffix.len());
    let mut text: String = word.chars().take(keep).collect();
    text.extend(suffix.chars().take(max));
    text
}

/// A string of letters, digits and a few characters that break careless code.
fn any(min: u64, max: Option<u64>, run: &mut Run<'_, '_, '_>) -> Option<String> {
    const CHARACTERS: [char; 24] = [
        'a', 'b', 'z', 'A', 'Z', '0', '9', ' ', '-', '_', '.', '/', '\\', '"', '\'', '%', '\n', '\t', '{',
        '<', 'é', '漢', '🙂', '\u{0}',
    ];
    let room = max.unwrap_or(u64::MAX).saturating_sub(min).min(32);
    let more = run.recorder.pick_wide(Choice::Length, room.saturating_add(1));
    let length = min.saturating_add(more);
    let mut text = String::new();
    for _ in 0..length {
        if !run.fuel.spend(1) || text.len() > MAX_BYTES {
            return None;
        }
        let picked = run.recorder.pick(Choice::Detail, CHARACTERS.len());
        text.extend(CHARACTERS.get(picked));
    }
    Some(text)
}
