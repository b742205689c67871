//! Which cases are wanted: patterns over ids.

use mcp_conform_cases::{Case, Library};
use regex::Regex;

/// A selection of cases; an empty one wants them all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    patterns: Vec<Pattern>,
}

#[derive(Clone, Debug)]
struct Pattern {
    text: String,
    regex: Regex,
}

/// A pattern that selects nothing, or is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// No case or requirement has such an id.
    #[error("`-k {pattern}` selects no case{hint}\n  mcp-conform list shows them all")]
    Nothing {
        /// As it was given.
        pattern: String,
        /// The nearest id.
        hint: String,
    },
    /// Not a pattern.
    #[error("`-k {0}` is no pattern: it holds letters, digits, `-`, `.`, `/`, `*`, and `?`")]
    Malformed(String),
}

impl Selection {
    /// Reads patterns: the id of a case or of a requirement, an area, or a part of them with `*` and `?`.
    ///
    /// # Errors
    /// When one of them is malformed.
    pub fn new(patterns: &[String]) -> Result<Selection, SelectError> {
        let compile = |text: &String| {
            let malformed = || SelectError::Malformed(text.clone());
            if text.is_empty() || !text.chars().all(|c| c.is_ascii_alphanumeric() || "-./*?_".contains(c)) {
                return Err(malformed());
            }
            let body = regex::escape(text).replace("\\*", ".*").replace("\\?", ".");
            let regex = Regex::new(&format!("^{body}$")).map_err(|_| malformed())?;
            Ok(Pattern { text: text.clone(), regex })
        };
        Ok(Selection { patterns: patterns.iter().map(compile).collect::<Result<_, _>>()? })
    }

    /// Whether a case is wanted.
    #[must_use]
    pub fn wants(&self, case: &Case) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| selects(pattern, case))
    }

    /// Makes sure that every pattern selects something.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, library: &Library) -> Result<(), SelectError> {
        for pattern in &self.patterns {
            if !library.cases.iter().any(|case| selects(pattern, case)) {
                let ids = library.cases.iter().flat_map(|case| [case.id.as_str(), case.requirement.as_str()]);
                let hint = mcp_conform_cases::yaml::nearest(&pattern.text, ids)
                    .map_or_else(String::new, |best| format!("; did you mean `{best}`?"));
                return Err(SelectError::Nothing { pattern: pattern.text.clone(), hint });
            }
        }
        Ok(())
    }
}

fn selects(pattern: &Pattern, case: &Case) -> bool {
    [case.id.as_str(), case.requirement.as_str(), case.area()]
        .into_iter()
        .any(|name| pattern.regex.is_match(name))
}
