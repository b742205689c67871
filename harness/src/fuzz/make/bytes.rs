//! Inputs whose decisions are bytes, for a coverage-guided engine.

use serde_json::{Value, json};

use super::Parts;
use super::call::{alone, tool_call};
use super::dice::Dice;
use super::random;
use super::tool::{Kind, Tool, put};
use crate::fuzz::input::Input;
use crate::generate::{self, Choice, Chooser};
use crate::template::{escape, escape_value};

/// More bytes than this are refused.
const MAX_INPUT: usize = 32 * 1024;
/// How deep a value may nest that is written out in bytes.
const DEEPEST: usize = 32;
/// First bytes from here on lead to the same inputs as a seed does; those below name a tool.
pub(super) const OTHER_KINDS: u8 = 224;
/// Second bytes from here on let those behind them decide on whole arguments; those below name a property of the fullest
/// ones.
const WALKS: u8 = 224;
/// Ends one text; the byte behind it names the property of the next. No byte of UTF-8.
pub(in crate::fuzz) const NEXT_TEXT: u8 = 0xff;
/// Begins a text that is none: the byte behind it names a value that the property is known to take, such as one of an
/// enumeration, which nobody guesses byte by byte. No byte of UTF-8.
pub(in crate::fuzz) const KNOWN: u8 = 0xfe;

/// See [`super::Maker::from_bytes`].
pub(super) fn input(parts: &Parts, bytes: &[u8]) -> Option<Input> {
    let (kind, rest) = bytes.split_first().filter(|_| bytes.len() <= MAX_INPUT)?;
    let tool = if *kind < OTHER_KINDS {
        usize::from(*kind).checked_rem(parts.tools.len()).and_then(|index| parts.tools.get(index))
    } else {
        None
    };
    let Some(tool) = tool else {
        return Some(random::input(parts, &mut Dice::new(&mut Bytes { rest })));
    };
    let (property, rest) = rest.split_first()?;
    let mut parts = rest.split(|byte| *byte == NEXT_TEXT);
    let first = parts.next().unwrap_or_default();
    let mut arguments = if *property >= WALKS {
        tool.walk(&mut Bytes { rest: first })?
    } else {
        let mut arguments = tool.fullest().clone();
        put_text(&mut arguments, tool, *property, first);
        arguments
    };
    for (property, text) in parts.filter_map(<[u8]>::split_first) {
        put_text(&mut arguments, tool, *property, text);
    }
    let claim = tool.claim(&arguments);
    Some(alone("arguments", tool_call(&tool.name, arguments).claiming(claim)))
}

/// Puts bytes in the place of a property, as its text or as a value that it is known to take.
fn put_text(arguments: &mut Value, tool: &Tool, property: u8, bytes: &[u8]) {
    // Texts first, so that the same byte means one of them whatever else the tool takes.
    let texts = tool.places.iter().filter(|place| place.kind == Kind::Text);
    let others = tool.places.iter().filter(|place| place.kind != Kind::Text);
    let Some(place) =
        usize::from(property).checked_rem(tool.places.len()).and_then(|index| texts.chain(others).nth(index))
    else {
        return;
    };
    let value = match bytes {
        [KNOWN, which, ..] => {
            let known = tool.known(place);
            let index = usize::from(*which).checked_rem(known.len());
            index.and_then(|index| known.into_iter().nth(index))
        }
        _ => Some(value(place.kind, bytes)),
    };
    if let Some(value) = value {
        put(arguments, &place.path, value);
    }
}

fn value(kind: Kind, bytes: &[u8]) -> Value {
    let text = || json!(escape(&String::from_utf8_lossy(bytes)));
    match kind {
        Kind::Text => text(),
        Kind::Number => match bytes.try_into() {
            Ok(eight) => json!(f64::from_le_bytes(eight)),
            Err(_) => {
                let mut whole = [0_u8; 8];
                whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
                json!(i64::from_le_bytes(whole))
            }
        },
        // What is JSON is meant as such; what nests too deep for a case file stays a text.
        Kind::Other => serde_json::from_slice(bytes)
            .ok()
            .filter(|value| generate::depth(value) <= DEEPEST)
            .map_or_else(text, escape_value),
    }
}

/// Decisions by bytes: one for a small choice, up to eight for a large one, and 0 when none are left.
struct Bytes<'b> {
    rest: &'b [u8],
}

impl Chooser for Bytes<'_> {
    fn choose(&mut self, _what: Choice, count: u64) -> u64 {
        let wanted = match count {
            0..=0x100 => 1,
            0x101..=0x1_0000 => 2,
            0x1_0001..=0x1_0000_0000 => 4,
            _ => 8,
        };
        let (taken, rest) = self.rest.split_at_checked(wanted).unwrap_or((self.rest, &[]));
        self.rest = rest;
        let number = taken.iter().rev().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        number.checked_rem(count).unwrap_or(0)
    }
}
