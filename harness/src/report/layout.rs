//! Breaking text into lines that fit.

use unicode_width::UnicodeWidthChar;

use crate::text;

/// Keeps two words of our own on one line. Text of others cannot hold it: it counts as unsafe and is escaped.
pub(crate) const GLUE: char = '\u{a0}';

/// Breaks a text at its spaces into lines of at most `width` columns; a longer word is broken where it must be.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for (number, word) in text.split(' ').enumerate() {
        let length = text::width(word);
        if number > 0 {
            if used + 1 + length <= width {
                line.push(' ');
                used += 1;
            } else {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
        }
        if used + length <= width {
            line.extend(word.chars().map(unglue));
            used += length;
            continue;
        }
        for character in word.chars() {
            let columns = character.width().unwrap_or(0);
            if used + columns > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(unglue(character));
            used += columns;
        }
    }
    lines.push(line);
    lines
}

fn unglue(character: char) -> char {
    if character == GLUE { ' ' } else { character }
}

/// Adds a text behind a prefix that takes `indent` columns; further lines start below the first.
pub(crate) fn hang(out: &mut String, prefix: &str, indent: usize, text: &str, width: usize) {
    for (number, line) in wrap(text, width.saturating_sub(indent)).iter().enumerate() {
        if number == 0 {
            out.push_str(prefix);
        } else {
            out.push_str(&" ".repeat(indent));
        }
        out.push_str(line);
        end_line(out);
    }
}

/// Ends a line, without blanks before its end.
pub(crate) fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// Fills a text with blanks on the right, up to `width` columns.
pub(crate) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text::width(text))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wraps_at_spaces_and_breaks_what_is_too_long() {
        assert_eq!(wrap("one two three", 9), ["one two", "three"]);
        assert_eq!(wrap("a bcdefghijkl", 8), ["a", "bcdefghi", "jkl"]);
        assert_eq!(wrap("日本語日本語", 8), ["日本語日", "本語"]);
        assert_eq!(wrap("", 8), [""]);
        assert_eq!(wrap("one two\u{a0}three", 10), ["one", "two three"]);
    }

    proptest! {
        #[test]
        fn loses_nothing_but_spaces(text in "[a-z ]{0,60}", width in 8usize..30) {
            let lines = wrap(&text, width);
            prop_assert!(lines.iter().all(|line| text::width(line) <= width));
            prop_assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        }
    }
}
