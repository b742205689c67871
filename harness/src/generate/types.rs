//! The seven types of JSON Schema.

use serde_json::{Map, Value};

use super::limits::Fuel;
use super::reference::Document;

/// A type that a schema can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

/// All types, the likeliest first where a schema does not say.
pub(super) const ALL: [Kind; 6] =
    [Kind::String, Kind::Number, Kind::Boolean, Kind::Object, Kind::Array, Kind::Null];

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if is_whole(number) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// Whether a value of type `other` is also of this type.
    pub(super) fn includes(self, other: Self) -> bool {
        self == other || (self == Self::Number && other == Self::Integer)
    }

    /// With its article, as it reads in a sentence.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64() || number.as_f64().is_some_and(|float| float.fract() == 0.0)
}

/// What the `type` keyword of one schema allows, in its order but with null last; `None` if it has none.
pub(super) fn declared_in(schema: &Map<String, Value>) -> Option<Vec<Kind>> {
    let mut kinds: Vec<Kind> = match schema.get("type")? {
        Value::String(name) => Kind::named(name).into_iter().collect(),
        Value::Array(names) => names.iter().filter_map(|name| Kind::named(name.as_str()?)).collect(),
        _ => return None,
    };
    kinds.sort_by_key(|kind| *kind == Kind::Null);
    Some(kinds)
}

/// The types that both lists allow, in the order of the first.
pub(super) fn common(first: &[Kind], second: &[Kind]) -> Vec<Kind> {
    let mut both = Vec::new();
    for kind in first {
        let narrowed = if second.iter().any(|other| other.includes(*kind)) {
            Some(*kind)
        } else {
            second.iter().find(|other| kind.includes(**other)).copied()
        };
        if let Some(found) = narrowed.filter(|found| !both.contains(found)) {
            both.push(found);
        }
    }
    both
}

/// The types that a schema can have at all, looking through references and unions; `None` for any type, and
/// where it takes too long to find out.
pub(super) fn possible<'s>(
    document: &Document<'s>,
    schema: &'s Value,
    depth: usize,
    fuel: &mut Fuel,
) -> Option<Vec<Kind>> {
    let below = depth.checked_sub(1)?;
    if !fuel.spend(1) {
        return None;
    }
    let mut kinds = schema.as_object().and_then(declared_in);
    let mut narrow = |other: Option<Vec<Kind>>| {
        if let Some(other) = other {
            kinds = Some(kinds.as_ref().map_or_else(|| other.clone(), |kinds| common(kinds, &other)));
        }
    };
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|r| document.resolve(r)) {
        narrow(possible(document, target, below, fuel));
    }
    for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten().take(16) {
        narrow(possible(document, part, below, fuel));
    }
    if let Some(value) = schema.get("const") {
        narrow(Some(vec![Kind::of(value)]));
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        narrow(Some(distinct(values.iter().map(Kind::of))));
    }
    for keyword in ["anyOf", "oneOf"] {
        if let Some(Value::Array(branches)) = schema.get(keyword) {
            let each: Option<Vec<Vec<Kind>>> =
                branches.iter().map(|branch| possible(document, branch, below, fuel)).collect();
            narrow(each.map(|each| distinct(each.into_iter().flatten())));
        }
    }
    kinds
}

fn distinct(kinds: impl Iterator<Item = Kind>) -> Vec<Kind> {
    let mut seen = Vec::new();
    for kind in kinds {
        if !seen.contains(&kind) {
            seen.push(kind);
        }
    }
    seen
}
