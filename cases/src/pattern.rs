//! Regular expressions that are compiled when they are first used: a run uses few of those in the library.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::Regex;

/// A sound regular expression.
#[derive(Clone)]
pub struct Pattern {
    text: String,
    compiled: Arc<OnceLock<Option<Regex>>>,
}

impl Pattern {
    /// # Errors
    /// What is wrong with the expression, in words.
    pub fn new(text: &str) -> Result<Pattern, String> {
        regex_syntax::parse(text).map_err(|error| error.to_string())?;
        Ok(Pattern { text: text.to_owned(), compiled: Arc::default() })
    }

    /// Whether it is found in a text. One that is too large to be compiled is found nowhere.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&self.text).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text
    }
}
