//! Expectations: what must come back for a message that was sent.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::matcher::Matcher;
use super::path::Path;
use crate::yaml::nearest;

/// What became of a message, told in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A response with a result.
    Result,
    /// A response with an error.
    Error,
    /// A response of either kind.
    Response,
    /// No response, while the server still answers others.
    Silence,
}

impl Outcome {
    /// The word as case files spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Result => "result",
            Outcome::Error => "error",
            Outcome::Response => "response",
            Outcome::Silence => "silence",
        }
    }
}

/// What must come back.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// A response of a kind, or none.
    Outcome(Outcome),
    /// A response in which every path matches.
    Members(Vec<(Path, Matcher)>),
    /// At least one of these.
    AnyOf(Vec<Expect>),
}

impl Expect {
    /// Whether no response at all is acceptable too.
    #[must_use]
    pub fn admits_silence(&self) -> bool {
        match self {
            Expect::Outcome(outcome) => *outcome == Outcome::Silence,
            Expect::Members(_) => false,
            Expect::AnyOf(alternatives) => alternatives.iter().any(Expect::admits_silence),
        }
    }

    /// Every matcher in it.
    #[must_use]
    pub fn matchers(&self) -> Vec<&Matcher> {
        match self {
            Expect::Outcome(_) => Vec::new(),
            Expect::Members(members) => members.iter().map(|(_, matcher)| matcher).collect(),
            Expect::AnyOf(alternatives) => alternatives.iter().flat_map(Expect::matchers).collect(),
        }
    }

    fn from_value(value: Value) -> Result<Expect, String> {
        match value {
            Value::String(word) => {
                let words = [Outcome::Result, Outcome::Error, Outcome::Response, Outcome::Silence];
                words.into_iter().find(|outcome| outcome.as_str() == word).map(Expect::Outcome).ok_or_else(
                    || {
                        let hint = nearest(&word, words.iter().map(|outcome| outcome.as_str()))
                            .map_or_else(String::new, |best| format!(", did you mean `{best}`?"));
                        format!("`{word}` is no outcome: result, error, response, silence{hint}")
                    },
                )
            }
            Value::Object(mut members) if members.contains_key("any_of") => match members.remove("any_of") {
                Some(Value::Array(alternatives)) if members.is_empty() && !alternatives.is_empty() => Ok(
                    Expect::AnyOf(alternatives.into_iter().map(Self::from_value).collect::<Result<_, _>>()?),
                ),
                _ => Err("`any_of` stands alone and takes a list of expectations".to_owned()),
            },
            Value::Object(members) if !members.is_empty() => {
                Ok(Expect::Members(path_matchers(members).map_err(|why| why.to_string())?))
            }
            _ => Err("expected an outcome, a map from paths to matchers, or `any_of`".to_owned()),
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Reads a map from paths to matchers.
pub(super) fn path_matchers(members: serde_json::Map<String, Value>) -> Result<Vec<(Path, Matcher)>, String> {
    members
        .into_iter()
        .map(|(path, matcher)| {
            let parsed = path.parse().map_err(|error: super::path::PathError| error.to_string())?;
            Ok((parsed, Matcher::from_value(matcher).map_err(|why| format!("at `{path}`: {why}"))?))
        })
        .collect()
}
