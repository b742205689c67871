//! Inputs whose decisions are bytes, for a coverage-guided engine.

use serde_json::{Value, json};

use super::Parts;
use super::call::{alone, tool_call};
use super::dice::Dice;
use super::random;
use super::tool::{Kind, Place, Tool, put};
use crate::fuzz::input::Input;
use crate::generate::{self, Choice, Chooser};
use crate::template::{escape, escape_value};

/// More bytes than this are refused.
const MAX_INPUT: usize = 32 * 1024;
/// How deep a value may nest that is written out in bytes.
const DEEPEST: usize = 32;
/// First bytes from here on lead to the same inputs as a seed does; those below name a tool.
pub(super) const OTHER_KINDS: u8 = 224;
/// Second bytes from here on let the rest decide on whole arguments; those below name a property.
const WALKS: u8 = 224;
/// Ends one text and begins that of the next property: no byte of UTF-8.
const NEXT_TEXT: u8 = 0xff;

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
    let arguments = if *property >= WALKS { walked(tool, rest)? } else { with_texts(tool, *property, rest) };
    let claim = tool.claim(&arguments);
    Some(alone("arguments", tool_call(&tool.name, arguments).claiming(claim)))
}

fn walked(tool: &Tool, rest: &[u8]) -> Option<Value> {
    tool.walk(&mut Bytes { rest })
}

/// The fullest arguments, with the bytes as the text of one property, and of those after it.
fn with_texts(tool: &Tool, property: u8, rest: &[u8]) -> Value {
    let mut arguments = tool.fullest().clone();
    // Texts first, so that the same byte means one of them whatever else the tool takes.
    let texts = tool.places.iter().filter(|place| place.kind == Kind::Text);
    let places: Vec<&Place> =
        texts.chain(tool.places.iter().filter(|place| place.kind != Kind::Text)).collect();
    let Some(first) = usize::from(property).checked_rem(places.len()) else { return arguments };
    for (part, place) in rest.split(|byte| *byte == NEXT_TEXT).zip(places.into_iter().skip(first)) {
        put(&mut arguments, &place.path, value(place.kind, part));
    }
    arguments
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
