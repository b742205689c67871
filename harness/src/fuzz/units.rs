//! Texts with templates in them as rows of characters, so that changing one never breaks a template.

use crate::template::{Piece, escape, pieces, repeated};

/// A part of a text that is changed as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// A character that is sent as it stands.
    Character(char),
    /// A template that names something.
    Name(String),
    /// A text that is repeated.
    Repeated(String, usize),
}

/// The parts of a text, up to the first template that is broken.
pub(super) fn split(text: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    for piece in pieces(text).map_while(Result::ok) {
        match piece {
            Piece::Text(text) => units.extend(text.chars().map(Unit::Character)),
            Piece::Name(name) => units.push(Unit::Name(name.to_owned())),
            Piece::Literal { text, times: 1 } => units.extend(text.chars().map(Unit::Character)),
            Piece::Literal { text, times } => units.push(Unit::Repeated(text.into_owned(), times)),
        }
    }
    units
}

/// The text again. Characters side by side make no template, whatever they are.
pub(super) fn join<'u>(units: impl IntoIterator<Item = &'u Unit>) -> String {
    let mut text = String::new();
    let mut plain = String::new();
    for unit in units {
        let template = match unit {
            Unit::Character(character) => {
                plain.push(*character);
                continue;
            }
            Unit::Name(name) => format!("{{{{{name}}}}}"),
            Unit::Repeated(part, times) => repeated(part, *times),
        };
        let escaped = escape(&plain);
        // A brace right before a template would be taken for a part of it.
        match escaped.strip_suffix('{') {
            Some(before) => {
                text.push_str(before);
                text.push_str("{{\"{\"}}");
            }
            None => text.push_str(&escaped),
        }
        text.push_str(&template);
        plain.clear();
    }
    text.push_str(&escape(&plain));
    text
}
