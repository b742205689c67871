//! Paths into a message: `result.tools[0].name`, `result.tools[*].name`, `params._meta["a.b/c"]`.

use std::fmt;
use std::str::FromStr;

/// One step down into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An item of an array, counted from 0.
    Index(usize),
    /// Every item of an array.
    Every,
}

/// A way from a message down to the values it names; only `[*]` makes it name more than one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path(Vec<Segment>);

impl Path {
    /// The steps, outermost first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether the path holds `[*]`.
    #[must_use]
    pub fn names_many(&self) -> bool {
        self.0.contains(&Segment::Every)
    }
}

/// A text that is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no path: {why}")]
pub struct PathError {
    text: String,
    why: &'static str,
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why| PathError { text: text.to_owned(), why };
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix("[\"") {
                let (key, after) = inner.split_once("\"]").ok_or_else(|| refuse("`[\"` without `\"]`"))?;
                segments.push(Segment::Key(key.to_owned()));
                rest = after;
            } else if let Some(inner) = rest.strip_prefix('[') {
                let (index, after) = inner.split_once(']').ok_or_else(|| refuse("`[` without `]`"))?;
                segments.push(match index {
                    "*" => Segment::Every,
                    digits => Segment::Index(
                        digits.parse().map_err(|_| refuse("`[ ]` holds a number, `*`, or a quoted key"))?,
                    ),
                });
                rest = after;
            } else {
                let body = rest.strip_prefix('.').unwrap_or(rest);
                let end = body.find(['.', '[']).unwrap_or(body.len());
                let (key, after) = body.split_at_checked(end).unwrap_or((body, ""));
                if key.is_empty() {
                    return Err(refuse("a name is empty"));
                }
                segments.push(Segment::Key(key.to_owned()));
                rest = after;
            }
        }
        if segments.is_empty() { Err(refuse("it is empty")) } else { Ok(Path(segments)) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.is_empty() || key.contains(['.', '[']) => write!(f, "[\"{key}\"]")?,
                Segment::Key(key) if position == 0 => f.write_str(key)?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Every => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_their_own_text() {
        for text in [
            "result",
            "result.tools[0].name",
            "a[*].b",
            "params._meta[\"io.x/y\"].z",
            "[2]",
            "[\"\"].a[\"\"]",
        ] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        for text in ["", ".", "a..b", "a[", "a[x]", "a[\"b]"] {
            assert!(text.parse::<Path>().is_err(), "{text}");
        }
    }
}
