//! Texts that have told something about programs before, and random ones.

use super::dice::Dice;

/// Texts on which programs have stumbled, as they are.
pub(super) const TELLING: &[&str] = &[
    "",
    "a",
    " ",
    "\n",
    "\r\n",
    "\t",
    "\0",
    "a\0b",
    "\u{1}\u{7}\u{8}\u{b}\u{c}\u{1b}[31m\u{1f}\u{7f}",
    "\u{80}\u{85}\u{9b}",
    "🙂",
    "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "𝕳𝖊𝖑𝖑𝖔",
    "\u{202e}gpj.exe",
    "مرحبا \u{200f}abc",
    "e\u{301}",
    "\u{e9}",
    "ﬁ",
    "\u{212b}",
    "Z\u{335}\u{321}\u{322}\u{328}\u{34f}\u{34f}\u{35c}a\u{489}",
    "İıſK",
    "ß",
    "\u{feff}x",
    "\u{2028}\u{2029}",
    "\u{fffe}\u{ffff}\u{10ffff}",
    "\u{200b}",
    "%s%n%x%p",
    "%d%99999999s",
    "{{7*7}}",
    "${7*7}",
    "<%= 7*7 %>",
    "#{7*7}",
    "{0}",
    "{}",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "hasOwnProperty",
    "__class__",
    "__init__",
    "null",
    "undefined",
    "None",
    "NaN",
    "Infinity",
    "true",
    "0",
    "-1",
    "1e400",
    "0x10",
    "9007199254740993",
    "18446744073709551616",
    "9999-12-31",
    "9999-12-31T23:59:60Z",
    "2024-02-30",
    "0000-00-00",
    "-0001-01-01T00:00:00Z",
    "2024-01-01T00:00:00+99:99",
    "'",
    "\"",
    "\\",
    "`",
    "' OR '1'='1",
    "--",
    "<script>alert(1)</script>",
    "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///dev/null\">]><a>&b;</a>",
    "*",
    "?",
    "[",
    "(",
    "(a+)+$",
    "\\p{Foo}",
    ".",
    "..",
    "/",
    "//",
    "~",
    "C:\\",
    "\\\\?\\",
    "CON",
    "/dev/null",
    "file:///",
    "http://",
    "http://[::1",
    "http://a:99999/",
    "http://\u{0}/",
    "data:,",
    "javascript:0",
    "urn:",
    "-h",
    "--help",
    "-",
    "@/dev/null",
    "a=b&c=d;e",
    "a,b\n\"c",
    "=1+1",
    "!!int 1",
    "- a: &b [*b]",
    "\u{1f600}\u{fe0f}\u{20e3}",
];

/// Characters of which random texts consist beside plain letters.
const ODD_CHARACTERS: &[char] = &[
    '\0',
    '\u{1}',
    '\t',
    '\n',
    '\r',
    '\u{1b}',
    ' ',
    '!',
    '"',
    '#',
    '$',
    '%',
    '&',
    '\'',
    '(',
    ')',
    '*',
    '+',
    ',',
    '-',
    '.',
    '/',
    ':',
    ';',
    '<',
    '=',
    '>',
    '?',
    '@',
    '[',
    '\\',
    ']',
    '^',
    '_',
    '`',
    '{',
    '|',
    '}',
    '~',
    '\u{7f}',
    '\u{80}',
    'ß',
    'é',
    'İ',
    '\u{301}',
    '\u{202e}',
    '\u{200d}',
    '\u{2028}',
    '\u{feff}',
    '\u{fffd}',
    '漢',
    '🙂',
    '\u{10ffff}',
];
/// The longest text that is put together at random, in characters.
const MAX_RANDOM: usize = 200;

/// A random text, as it is.
pub(super) fn random(dice: &mut Dice<'_>) -> String {
    match dice.below(4) {
        0 => dice.pick(TELLING).copied().unwrap_or_default().to_owned(),
        1 => {
            let count = dice.below(4).saturating_add(1);
            (0..count).filter_map(|_| dice.pick(TELLING).copied()).collect()
        }
        2 => {
            let bytes: Vec<u8> =
                (0..length(dice)).map(|_| u8::try_from(dice.below(256)).unwrap_or(0)).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        }
        _ => (0..length(dice)).map(|_| character(dice)).collect(),
    }
}

/// Short ones more often than long ones.
fn length(dice: &mut Dice<'_>) -> usize {
    let limit = if dice.one_in(8) { MAX_RANDOM } else { 16 };
    dice.below(limit)
}

fn character(dice: &mut Dice<'_>) -> char {
    match dice.below(4) {
        0 => dice.pick(ODD_CHARACTERS).copied().unwrap_or('a'),
        1 => u32::try_from(dice.below(0x11_0000)).ok().and_then(char::from_u32).unwrap_or('\u{fffd}'),
        _ => u8::try_from(dice.below(95).saturating_add(32)).map_or('a', char::from),
    }
}
