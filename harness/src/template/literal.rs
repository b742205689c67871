//! Texts in quotes within templates: `{{"{{"}}` is two braces, `{{"ab" * 3}}` is `ababab`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::TemplateError;

/// The longest text that a repetition may make, in bytes.
pub const MAX_REPEATED: usize = 16 * 1024 * 1024;

/// A part of a text with templates in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// A text without templates.
    Text(&'a str),
    /// What a template names.
    Name(&'a str),
    /// A text in quotes, so many times.
    Literal {
        /// The text, without the quotes.
        text: Cow<'a, str>,
        /// How often.
        times: usize,
    },
}

/// The parts of a text, one after the other; the first error is the last thing that comes.
pub(crate) fn pieces(text: &str) -> Pieces<'_> {
    Pieces { rest: text }
}

/// See [`pieces`].
#[derive(Clone, Debug)]
pub(crate) struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, TemplateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(inner) = self.rest.strip_prefix("{{") else {
            let end = self.rest.find("{{").unwrap_or(self.rest.len());
            let (before, after) = self.rest.split_at_checked(end)?;
            self.rest = after;
            return (!before.is_empty()).then_some(Ok(Piece::Text(before)));
        };
        let found = if inner.starts_with('"') {
            literal(inner)
        } else {
            inner
                .split_once("}}")
                .map(|(name, after)| (Piece::Name(name), after))
                .ok_or_else(|| TemplateError::Unclosed(self.rest.to_owned()))
        };
        Some(match found {
            Ok((piece, after)) => {
                self.rest = after;
                Ok(piece)
            }
            Err(error) => {
                self.rest = "";
                Err(error)
            }
        })
    }
}

/// Reads `"text"}}` or `"text" * 3}}`, and says what comes after it.
fn literal(inner: &str) -> Result<(Piece<'_>, &str), TemplateError> {
    let refuse = || TemplateError::Literal(inner.chars().take(80).collect());
    let end = closing_quote(inner).ok_or_else(refuse)?;
    let (quoted, after) = inner.split_at_checked(end).ok_or_else(refuse)?;
    let (times, after) = after.split_once("}}").ok_or_else(refuse)?;
    let text = match quoted.get(1..quoted.len().saturating_sub(1)) {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        _ => Cow::Owned(serde_json::from_str(quoted).map_err(|_| refuse())?),
    };
    let times = match times.trim() {
        "" => 1,
        more => more.strip_prefix('*').and_then(|times| times.trim().parse().ok()).ok_or_else(refuse)?,
    };
    Ok((Piece::Literal { text, times }, after))
}

/// Where the string that a text begins with ends, its closing quote included.
fn closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at.checked_add(1),
            _ => {}
        }
    }
    None
}

/// A text in which nothing is a template, as a template: filled in, it is the same again.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.contains("{{") { Cow::Owned(text.replace("{{", "{{\"{{\"}}")) } else { Cow::Borrowed(text) }
}

/// A value in which nothing is a template, as a template: filled in, it is the same again. The caller has bounded
/// its depth.
#[must_use]
pub fn escape_value(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains("{{") => Value::String(escape(&text).into_owned()),
        Value::Array(items) => Value::Array(items.into_iter().map(escape_value).collect()),
        Value::Object(members) if members.keys().any(|key| key.contains("{{")) => {
            let escaped =
                members.into_iter().map(|(key, value)| (escape(&key).into_owned(), escape_value(value)));
            Value::Object(escaped.collect::<Map<String, Value>>())
        }
        Value::Object(mut members) => {
            for member in members.values_mut() {
                *member = escape_value(member.take());
            }
            Value::Object(members)
        }
        other => other,
    }
}

/// A template for a text, so many times.
#[must_use]
pub fn repeated(text: &str, times: usize) -> String {
    let quoted = Value::from(text).to_string();
    format!("{{{{{quoted} * {times}}}}}")
}
