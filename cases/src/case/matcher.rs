//! Matchers: what a value in a message must be like.

use std::fmt;

use serde_json::Value;

use crate::pattern::Pattern;
use crate::yaml::nearest;

/// The types of JSON values, with `integer` as JSON Schema has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number without fraction.
    Integer,
    /// Any number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl JsonType {
    /// The name as JSON Schema spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            JsonType::Null => "null",
            JsonType::Boolean => "boolean",
            JsonType::Integer => "integer",
            JsonType::Number => "number",
            JsonType::String => "string",
            JsonType::Array => "array",
            JsonType::Object => "object",
        }
    }

    fn parse(text: &str) -> Option<JsonType> {
        use JsonType::{Array, Boolean, Integer, Null, Number, Object, String};
        [Null, Boolean, Integer, Number, String, Array, Object].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a value must be like. Values may hold `{{templates}}`, filled in when the case has run.
#[derive(Clone, Debug, PartialEq)]
pub enum Matcher {
    /// Equal as JSON.
    Equals(Value),
    /// Equal to one of the items of an array.
    OneOf(Value),
    /// Of one of these types.
    Type(Vec<JsonType>),
    /// There at all, or not there.
    Exists(bool),
    /// A string in which the regular expression is found.
    Matches(Pattern),
    /// A string or an array that holds the value.
    Contains(Value),
    /// The number of items, members, or characters lies in the range.
    Length(Option<u64>, Option<u64>),
    /// Every item of an array matches.
    Each(Box<Matcher>),
    /// Some item of an array matches.
    Any(Box<Matcher>),
    /// A number not below the bound.
    AtLeast(f64),
    /// A number not above the bound.
    AtMost(f64),
    /// The inner matcher does not match.
    Not(Box<Matcher>),
    /// A named check in Rust accepts the value.
    Check(String),
    /// All of them match.
    All(Vec<Matcher>),
}

const OPERATORS: [&str; 14] = [
    "equals", "one_of", "type", "exists", "matches", "contains", "length", "each", "any", "at_least",
    "at_most", "not", "check", "all",
];

impl Matcher {
    /// Reads a matcher: a plain value means "equal to it", an object holds operators.
    ///
    /// # Errors
    /// In words, when an operator is unknown or its operand is of the wrong kind.
    pub fn from_value(value: Value) -> Result<Matcher, String> {
        let Value::Object(members) = value else { return Ok(Matcher::Equals(value)) };
        let mut all = Vec::new();
        for (operator, operand) in members {
            all.push(Self::operator(&operator, operand)?);
        }
        match all.len() {
            0 => Err("an empty matcher would accept anything; to compare with `{}` write { equals: {} }"
                .to_owned()),
            1 => all.pop().ok_or_else(String::new),
            _ => Ok(Matcher::All(all)),
        }
    }

    /// The named checks in it.
    #[must_use]
    pub fn checks(&self) -> Vec<&str> {
        match self {
            Matcher::Check(name) => vec![name],
            Matcher::Each(inner) | Matcher::Any(inner) | Matcher::Not(inner) => inner.checks(),
            Matcher::All(all) => all.iter().flat_map(Matcher::checks).collect(),
            _ => Vec::new(),
        }
    }

    fn operator(operator: &str, operand: Value) -> Result<Matcher, String> {
        let wrong = |wanted: &str| format!("`{operator}` takes {wanted}");
        Ok(match operator {
            "equals" => Matcher::Equals(operand),
            "one_of" => match operand {
                Value::Array(_) | Value::String(_) => Matcher::OneOf(operand),
                _ => return Err(wrong("a list")),
            },
            "type" => {
                let names = match &operand {
                    Value::String(one) => vec![one.as_str()],
                    Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
                    _ => Vec::new(),
                };
                let kinds: Option<Vec<_>> = names.iter().map(|name| JsonType::parse(name)).collect();
                match kinds {
                    Some(kinds) if !kinds.is_empty() => Matcher::Type(kinds),
                    _ => {
                        return Err(wrong(
                            "null, boolean, integer, number, string, array, object, or a list of these",
                        ));
                    }
                }
            }
            "exists" => Matcher::Exists(operand.as_bool().ok_or_else(|| wrong("true or false"))?),
            "matches" => {
                let pattern = operand.as_str().ok_or_else(|| wrong("a regular expression"))?;
                let compiled = Pattern::new(pattern)
                    .map_err(|error| format!("`{pattern}` is no regular expression: {error}"))?;
                Matcher::Matches(compiled)
            }
            "contains" => Matcher::Contains(operand),
            "length" => match &operand {
                Value::Number(number) => Matcher::Length(number.as_u64(), number.as_u64()),
                Value::Object(range) if range.keys().all(|key| key == "min" || key == "max") => {
                    let bound = |key| range.get(key).and_then(Value::as_u64);
                    Matcher::Length(bound("min"), bound("max"))
                }
                _ => return Err(wrong("a number or { min: …, max: … }")),
            },
            "each" => Matcher::Each(Box::new(Self::from_value(operand)?)),
            "any" => Matcher::Any(Box::new(Self::from_value(operand)?)),
            "at_least" => Matcher::AtLeast(operand.as_f64().ok_or_else(|| wrong("a number"))?),
            "at_most" => Matcher::AtMost(operand.as_f64().ok_or_else(|| wrong("a number"))?),
            "not" => Matcher::Not(Box::new(Self::from_value(operand)?)),
            "check" => {
                Matcher::Check(operand.as_str().ok_or_else(|| wrong("the name of a check"))?.to_owned())
            }
            "all" => match operand {
                Value::Array(items) => {
                    Matcher::All(items.into_iter().map(Self::from_value).collect::<Result<_, _>>()?)
                }
                _ => return Err(wrong("a list of matchers")),
            },
            unknown => {
                let hint = nearest(unknown, OPERATORS.into_iter()).map_or_else(
                    || "to compare with an object write { equals: … }".to_owned(),
                    |best| format!("did you mean `{best}`?"),
                );
                return Err(format!("unknown operator `{unknown}`: {hint}"));
            }
        })
    }
}

/// In words that follow "expected", e.g. `-32602`, `one of [1,2]`, `a string`.
impl fmt::Display for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Matcher::Equals(value) => write!(f, "{value}"),
            Matcher::OneOf(values) => write!(f, "one of {values}"),
            Matcher::Type(kinds) => {
                for (position, kind) in kinds.iter().enumerate() {
                    if position > 0 {
                        f.write_str(" or ")?;
                    }
                    let article = if matches!(kind, JsonType::Array | JsonType::Object | JsonType::Integer) {
                        "an "
                    } else {
                        "a "
                    };
                    write!(f, "{}{}", if *kind == JsonType::Null { "" } else { article }, kind.as_str())?;
                }
                Ok(())
            }
            Matcher::Exists(true) => f.write_str("any value"),
            Matcher::Exists(false) => f.write_str("no such member"),
            Matcher::Matches(pattern) => write!(f, "text matching /{pattern}/"),
            Matcher::Contains(value) => write!(f, "something that holds {value}"),
            Matcher::Length(min, max) => match (min, max) {
                (Some(min), Some(max)) if min == max => write!(f, "a length of {min}"),
                (Some(min), Some(max)) => write!(f, "a length from {min} to {max}"),
                (Some(min), None) => write!(f, "a length of at least {min}"),
                (None, Some(max)) => write!(f, "a length of at most {max}"),
                (None, None) => f.write_str("any length"),
            },
            Matcher::Each(inner) => write!(f, "only items that are {inner}"),
            Matcher::Any(inner) => write!(f, "an item that is {inner}"),
            Matcher::AtLeast(bound) => write!(f, "a number of at least {bound}"),
            Matcher::AtMost(bound) => write!(f, "a number of at most {bound}"),
            Matcher::Not(inner) => write!(f, "not {inner}"),
            Matcher::Check(name) => write!(f, "a value that passes the check `{name}`"),
            Matcher::All(all) => {
                for (position, matcher) in all.iter().enumerate() {
                    if position > 0 {
                        f.write_str(" and ")?;
                    }
                    write!(f, "{matcher}")?;
                }
                Ok(())
            }
        }
    }
}
