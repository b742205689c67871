//! Hostile bytes stay data: every text that a server had a hand in passes through here on its way to people.
//!
//! A server can put escape sequences into its name, move the cursor with a carriage return, or turn a line around
//! with a bidi control. [`visible`] writes every such character as an escape that can be read (`\x1b`, `\u{202e}`)
//! and changes nothing else. The escapes are for the eye: a literal `\x1b` in a frame looks the same, and the
//! machine-readable reports keep the true text.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// How many marks may be stacked on one letter before the rest is written as escapes; no language needs more.
const MAX_STACKED: usize = 3;

/// Room for the longest mark of [`frame`], `… (+18446744073709551615 bytes)`.
const MARK_ROOM: usize = 34;

/// Writes every character that a terminal would act on, or not show, as a visible escape.
///
/// The result is one line, and every character of it is printable.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escape(text, false)
}

/// Like [`visible`], for terminals whose encoding is not UTF-8: the result is printable ASCII.
#[must_use]
pub fn visible_ascii(text: &str) -> Cow<'_, str> {
    escape(text, true)
}

fn escape(text: &str, ascii: bool) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut escaper = Escaper::new(ascii);
    for character in text.chars() {
        escaper.push(character, &mut out);
    }
    Cow::Owned(out)
}

/// Escapes one character after the other; knows how many marks are stacked on the last letter.
#[derive(Debug)]
pub(crate) struct Escaper {
    ascii: bool,
    stacked: usize,
}

impl Escaper {
    pub(crate) fn new(ascii: bool) -> Self {
        Escaper { ascii, stacked: 0 }
    }

    /// Adds the character to `out` in the form in which it can be shown.
    pub(crate) fn push(&mut self, character: char, out: &mut String) {
        self.stacked = if character.width() == Some(0) { self.stacked + 1 } else { 0 };
        if !is_unsafe(character) && self.stacked <= MAX_STACKED && (!self.ascii || character.is_ascii()) {
            return out.push(character);
        }
        // Writing to a string cannot fail.
        let _ = match character {
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            '\0'..='\x7f' => write!(out, "\\x{:02x}", u32::from(character)),
            _ => write!(out, "\\u{{{:x}}}", u32::from(character)),
        };
    }
}

/// Whether a terminal acts on the character instead of showing it, or shows nothing (or a plain blank) in its place.
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    match character {
        ' '..='~' => false,
        // C0, DEL, and C1, whose U+009B begins a control sequence just as ESC [ does.
        '\0'..='\x1f' | '\x7f'..='\u{9f}' => true,
        // Blanks that look like a space and are none.
        '\u{a0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{ffa0}' => true,
        // Bidi controls, zero-width characters, line and paragraph separators, fillers, and other formats.
        '\u{ad}'
        | '\u{34f}'
        | '\u{600}'..='\u{605}'
        | '\u{61c}'
        | '\u{6dd}'
        | '\u{70f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0d}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // Tags and further selectors: whole sentences can hide in them.
        | '\u{e0000}'..='\u{e0fff}' => true,
        // Never characters at all.
        '\u{fdd0}'..='\u{fdef}' => true,
        other => u32::from(other) & 0xfffe == 0xfffe,
    }
}

/// Keeps at most `max` bytes of `text`, never half a character, and says how much is missing: `… (+N bytes)`.
#[must_use]
pub fn bounded(text: &str, max: usize) -> Cow<'_, str> {
    if text.len() <= max {
        return Cow::Borrowed(text);
    }
    let kept = head(text, max);
    Cow::Owned(format!("{kept}{}", missing(text.len() - kept.len())))
}

/// The longest beginning of `text` with at most `max` bytes that does not end within a character.
#[must_use]
pub fn head(text: &str, max: usize) -> &str {
    let mut end = max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The mark for `bytes` that were left out.
#[must_use]
pub fn missing(bytes: usize) -> String {
    format!("… (+{})", count(bytes, "byte"))
}

/// Turns the bytes of a frame into text: what is no UTF-8 is written `\xNN`, all else stays as it is.
///
/// The text has at most `max` bytes; where that is less than all, it ends in the mark of [`missing`], which counts
/// bytes of the frame. Control characters are kept: this text is the record, and [`visible`] is for showing it.
#[must_use]
pub fn frame(bytes: &[u8], max: usize) -> String {
    let room = max.saturating_sub(MARK_ROOM);
    let mut out = String::with_capacity(bytes.len().min(max));
    // Where to cut if the whole turns out to be too long: length of the text, and bytes of the frame it stands for.
    let mut cut = (0, 0);
    let mut taken = 0;
    let whole = bytes.utf8_chunks().all(|chunk| {
        let valid = chunk.valid().chars().map(|character| (Piece::Char(character), character.len_utf8()));
        let invalid = chunk.invalid().iter().map(|byte| (Piece::Byte(*byte), 1));
        valid.chain(invalid).all(|(piece, length)| {
            match piece {
                Piece::Char(character) => out.push(character),
                // Writing to a string cannot fail.
                Piece::Byte(byte) => drop(write!(out, "\\x{byte:02x}")),
            }
            taken += length;
            if out.len() <= room {
                cut = (out.len(), taken);
            }
            out.len() <= max
        })
    });
    if !whole {
        out.truncate(cut.0);
        out.push_str(&missing(bytes.len() - cut.1));
    }
    out
}

enum Piece {
    Char(char),
    Byte(u8),
}

/// How many columns a text takes on a terminal. Expects text that [`visible`] made.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().map(|character| character.width().unwrap_or(0)).sum()
}

/// A number of bytes for people: `640 bytes`, `64 MiB`, `2.1 GiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    let mut unit = "bytes";
    // In tenths of the unit, cut off and not rounded: what is just under a limit must not look like more than it.
    let mut tenths = u128::from(bytes) * 10;
    for larger in ["KiB", "MiB", "GiB", "TiB"] {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = larger;
    }
    match (tenths / 10, tenths % 10) {
        (whole, 0) => format!("{whole} {unit}"),
        (whole, tenth) => format!("{whole}.{tenth} {unit}"),
    }
}

/// A number with its noun: `1 tool`, `3 tools`, `2 entries`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{number} {}", plural(number, noun))
}

/// The noun in the form that `number` asks for. Only regular nouns, and those that end in `y` after a consonant.
#[must_use]
pub fn plural(number: usize, noun: &str) -> Cow<'_, str> {
    if number == 1 {
        return Cow::Borrowed(noun);
    }
    match noun.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => Cow::Owned(format!("{stem}ies")),
        _ => Cow::Owned(format!("{noun}s")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_text_is_left_alone() {
        for text in ["", "tools/list", r#"{"a":"b\u001b"}"#, "größer, 日本語, 👍🏽, e\u{301}"] {
            assert_eq!(visible(text), text);
        }
    }

    #[test]
    fn what_a_terminal_acts_on_is_escaped() {
        assert_eq!(visible("\x1b[31mred\x1b]8;;http://x\x07"), r"\x1b[31mred\x1b]8;;http://x\x07");
        assert_eq!(visible("a\r\nb\tc\0\x7f"), r"a\r\nb\tc\x00\x7f");
        assert_eq!(visible("\u{9b}2J"), r"\u{9b}2J");
        assert_eq!(visible("abc\u{202e}fed\u{2066}"), r"abc\u{202e}fed\u{2066}");
        assert_eq!(visible("pass\u{200b}word\u{feff}\u{ad}"), r"pass\u{200b}word\u{feff}\u{ad}");
        assert_eq!(visible("\u{e0041}\u{2028}\u{ffff}\u{a0}"), r"\u{e0041}\u{2028}\u{ffff}\u{a0}");
    }

    #[test]
    fn sizes_are_cut_off_and_not_rounded() {
        for (bytes, said) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (64 << 20, "64 MiB"),
            ((2 << 30) - 1, "1.9 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(size(bytes), said);
        }
    }

    #[test]
    fn stacked_marks_are_bounded() {
        let zalgo = format!("e{}", "\u{301}".repeat(6));
        assert_eq!(visible(&zalgo), "e\u{301}\u{301}\u{301}\\u{301}\\u{301}\\u{301}");
    }

    #[test]
    fn ascii_for_other_encodings() {
        assert_eq!(visible_ascii("größe\x1b"), r"gr\u{f6}\u{df}e\x1b");
    }

    #[test]
    fn cuts_keep_characters_whole_and_say_what_is_missing() {
        assert_eq!(bounded("abc", 3), "abc");
        assert_eq!(bounded("abcd", 3), "abc… (+1 byte)");
        assert_eq!(bounded("aéé", 2), "a… (+4 bytes)");
    }

    #[test]
    fn frames_become_text() {
        assert_eq!(frame(b"{\"a\":1}", 100), "{\"a\":1}");
        assert_eq!(frame(b"a\xff\xc3(\x1b", 100), "a\\xff\\xc3(\x1b");
        assert_eq!(frame(&[0xff; 40], 40), r"\xff… (+39 bytes)");
        assert_eq!(frame(&[b'x'; 100], 40), "xxxxxx… (+94 bytes)");
        assert_eq!(frame(&[b'x'; 40], 40), "x".repeat(40));
    }

    #[test]
    fn plurals() {
        assert_eq!(count(1, "tool"), "1 tool");
        assert_eq!(count(0, "tool"), "0 tools");
        assert_eq!(count(2, "entry"), "2 entries");
        assert_eq!(count(2, "day"), "2 days");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in any::<String>()) {
            prop_assert!(!visible(&text).chars().any(is_unsafe));
            prop_assert!(visible_ascii(&text).bytes().all(|byte| matches!(byte, b' '..=b'~')));
        }

        #[test]
        fn a_frame_fits(bytes in proptest::collection::vec(any::<u8>(), 0..300), max in 40usize..200) {
            prop_assert!(frame(&bytes, max).len() <= max);
        }

        #[test]
        fn valid_frames_stay_as_they_are(text in any::<String>()) {
            prop_assert_eq!(frame(text.as_bytes(), usize::MAX), text);
        }
    }
}
