//! A tool that may be called, and what is known beforehand about its arguments.

use serde_json::{Map, Value};

use super::MakerSettings;
use crate::fuzz::input::Claim;
use crate::generate::{self, Broken, Generator, Hints, Prepared, names_any};
use crate::template;

/// How many valid arguments are kept for each tool.
const POOL: usize = 48;
/// How many places of a tool's arguments are tried.
pub(super) const MAX_PLACES: usize = 64;
/// Places deeper in the arguments are left to the random inputs.
const DEEPEST_PLACE: usize = 3;
/// How many arguments with one change are made that the schema forbids.
const MAX_FORBIDDEN: usize = 100;
/// Integers beyond this size are not the same for every JSON library.
const SAFE: f64 = 9_007_199_254_740_991.0;
/// A longer text, in bytes, may be refused although the schema allows it.
const MODEST_TEXT: usize = 64 * 1024;

/// How many values a place is known to take.
const MAX_KNOWN: usize = 64;

/// Keywords whose breaking leaves no doubt. `format` is an annotation, and dialects of `pattern` differ.
const CERTAIN: [&str; 17] = [
    "required",
    "type",
    "enum",
    "const",
    "additionalProperties",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "dependentRequired",
];

/// Keywords whose breaking leaves no doubt where they hold nothing doubtful themselves.
const CERTAIN_AT_TIMES: [&str; 6] = ["anyOf", "oneOf", "multipleOf", "not", "contains", "propertyNames"];
/// Keywords that arguments are made to break beyond doubt: patterns by texts on which no dialects differ, and multiples by
/// numbers that are far from any.
const BROKEN_ON_PURPOSE: [&str; 2] = ["pattern", "multipleOf"];
/// Keywords on which validators differ: annotations, dialects, what is far away, what is reckoned in floating point, and
/// what draft-07 does not know.
const DOUBTFUL: [&str; 14] = [
    "format",
    "pattern",
    "patternProperties",
    "$ref",
    "$dynamicRef",
    "$recursiveRef",
    "multipleOf",
    "prefixItems",
    "dependentRequired",
    "dependentSchemas",
    "unevaluatedProperties",
    "unevaluatedItems",
    "minContains",
    "maxContains",
];
/// Keywords that lead to another schema.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords that a number may break by not being a multiple.
const MULTIPLES: [&str; 3] = ["multipleOf", "anyOf", "oneOf"];
/// Beyond this size validators call numbers multiples that nearly are.
const SMALL: u64 = 100_000_000;
/// A member that is no plain one in JavaScript: some validators do not see it.
const PROTO: &str = "__proto__";

/// What a place of the arguments usually holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Other,
}

/// A place in a tool's arguments: the names and indices on the way down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
}

/// A tool that may be called.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) schema: Value,
    hints: Hints,
    /// Nothing where the schema is none, or too large: then nothing is known of any arguments.
    prepared: Option<Prepared>,
    /// Those of [`CERTAIN_AT_TIMES`] whose breaking leaves no doubt in this schema.
    also_certain: Vec<&'static str>,
    /// Whether the schema says `multipleOf` anywhere.
    names_multiples: bool,
    /// Valid arguments as templates, never empty: the plainest first, the fullest second. Without a schema, `{}`.
    pub(super) pool: Vec<Value>,
    pub(super) places: Vec<Place>,
    seed: u64,
}

impl Tool {
    /// A tool as it was listed.
    pub(super) fn of(listed: &Value, settings: &MakerSettings) -> Option<Tool> {
        let name = listed.get("name")?.as_str()?.to_owned();
        let schema = listed.get("inputSchema").cloned().unwrap_or(Value::Null);
        let hints = settings.hints.clone();
        let prepared = Generator::new(&schema, &hints).map(|generator| generator.prepared());
        let mut pool: Vec<Value> = generate::valid(&schema, &hints, settings.seed, POOL)
            .into_iter()
            .map(template::escape_value)
            .collect();
        if pool.is_empty() {
            pool.push(Value::Object(Map::new()));
        }
        let places = places(&schema, &pool);
        let also_certain =
            CERTAIN_AT_TIMES.into_iter().filter(|keyword| is_plain_everywhere(&schema, keyword)).collect();
        let names_multiples = names_any(&schema, &["multipleOf"]);
        let seed = settings.seed;
        Some(Tool { name, schema, hints, prepared, also_certain, names_multiples, pool, places, seed })
    }

    /// New arguments by a walk through the schema, as a template; not always valid.
    pub(super) fn walk(&self, chooser: &mut dyn generate::Chooser) -> Option<Value> {
        let prepared = self.prepared.as_ref()?;
        Generator::resume(&self.schema, &self.hints, prepared).generate(chooser).map(template::escape_value)
    }

    /// Arguments that the schema forbids, each with one change.
    pub(super) fn forbidden(&self) -> Vec<Broken> {
        generate::invalid(&self.schema, &self.hints, self.seed, MAX_FORBIDDEN)
    }

    /// The fullest arguments, as a template.
    pub(super) fn fullest(&self) -> &Value {
        static EMPTY: Value = Value::Null;
        self.pool.get(1).or_else(|| self.pool.first()).unwrap_or(&EMPTY)
    }

    /// Values that a place is known to take, as templates: those of its enumeration, and what valid arguments hold there.
    pub(super) fn known(&self, place: &Place) -> Vec<Value> {
        let described = match place.path.as_slice() {
            [name] => self.schema.get("properties").and_then(|all| all.get(name)),
            _ => None,
        };
        let listed = described.and_then(|property| property.get("enum")).and_then(Value::as_array);
        let mut known: Vec<Value> =
            listed.into_iter().flatten().take(MAX_KNOWN).cloned().map(template::escape_value).collect();
        for arguments in &self.pool {
            if known.len() >= MAX_KNOWN {
                break;
            }
            if let Some(value) = at(arguments, &place.path).filter(|value| !known.contains(value)) {
                known.push(value.clone());
            }
        }
        known
    }

    /// What is known of arguments, which are a template.
    pub(super) fn claim(&self, arguments: &Value) -> Claim {
        if !has_template(arguments) {
            return self.claim_about(arguments, None);
        }
        template::fill(arguments, &template::Variables::default())
            .map_or(Claim::None, |arguments| self.claim_about(&arguments, None))
    }

    /// As [`Self::claim_about`], for arguments of which somebody knew that the schema forbids them.
    pub(super) fn claim_about_known(&self, arguments: &Value) -> Claim {
        let known = BROKEN_ON_PURPOSE.into_iter().map(Some);
        let claims = std::iter::once(None).chain(known).map(|known| self.claim_about(arguments, known));
        claims.into_iter().find(|claim| matches!(claim, Claim::Forbidden { .. })).unwrap_or(Claim::None)
    }

    /// What is known of arguments; `known` is the keyword that they were known to break before a change.
    pub(super) fn claim_about(&self, arguments: &Value, known: Option<&'static str>) -> Claim {
        let (Some(prepared), Value::Object(members)) = (&self.prepared, arguments) else {
            return Claim::None;
        };
        if prepared.accepts(arguments) {
            let described = self.schema.get("properties").and_then(Value::as_object);
            let is_plain = is_modest(arguments)
                && members.keys().all(|name| described.is_some_and(|known| known.contains_key(name)));
            return if is_plain { Claim::Valid { tool: self.name.clone() } } else { Claim::None };
        }
        if names_any(arguments, &[PROTO]) {
            return Claim::None;
        }
        let broken = prepared.broken_keywords(arguments);
        let is_broken = |keyword: &&str| broken.iter().any(|found| found == keyword);
        let is_doubtful = self.names_multiples && !has_small_numbers(arguments);
        let also_certain =
            self.also_certain.iter().copied().filter(|keyword| !is_doubtful || !MULTIPLES.contains(keyword));
        match known
            .filter(|known| is_broken(known))
            .or_else(|| CERTAIN.into_iter().chain(also_certain).find(|one| is_broken(one)))
        {
            Some(keyword) => Claim::Forbidden {
                tool: self.name.clone(),
                why: format!("the arguments break `{keyword}`"),
                keyword,
            },
            None => Claim::None,
        }
    }

    /// The claim that goes with what [`Self::forbidden`] made.
    pub(super) fn claim_of(&self, broken: &Broken) -> Claim {
        let keyword = CERTAIN
            .into_iter()
            .chain(BROKEN_ON_PURPOSE)
            .chain(self.also_certain.iter().copied())
            .find(|known| *known == broken.keyword);
        match keyword {
            Some(keyword) => Claim::Forbidden { tool: self.name.clone(), why: broken.why.clone(), keyword },
            None => Claim::None,
        }
    }
}

/// Whether a keyword holds nothing doubtful wherever a schema has it; what only looks like the keyword, as a property of
/// that name does, may make it doubtful.
fn is_plain_everywhere(schema: &Value, keyword: &str) -> bool {
    match keyword {
        "multipleOf" => all_of_name(schema, keyword, &Value::is_u64),
        "anyOf" | "oneOf" => {
            // Nearly every optional member is an alternative with a reference in it: where that leads must be plain.
            let whole = has_plain_alternatives(schema);
            all_of_name(schema, keyword, &|value| {
                if names_any(value, &REFERENCES) { whole } else { has_plain_alternatives(value) }
            })
        }
        _ => {
            let is_bounded = keyword == "contains" && names_any(schema, &["minContains", "maxContains"]);
            !is_bounded && all_of_name(schema, keyword, &|value| !names_any(value, &DOUBTFUL))
        }
    }
}

fn has_plain_alternatives(value: &Value) -> bool {
    !names_any(value, &["pattern", "patternProperties"]) && is_plain_everywhere(value, "multipleOf")
}

/// Whether all members of a name, anywhere in a value, are as they should be.
fn all_of_name(value: &Value, name: &str, is: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Object(members) => members
            .iter()
            .all(|(other, member)| (other != name || is(member)) && all_of_name(member, name, is)),
        Value::Array(items) => items.iter().all(|item| all_of_name(item, name, is)),
        _ => true,
    }
}

/// Whether all numbers in a value are integers of moderate size.
fn has_small_numbers(value: &Value) -> bool {
    all_scalars(value, &|scalar| match scalar {
        Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= SMALL),
        _ => true,
    })
}

/// Whether something in a value would be filled in.
pub(super) fn has_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{"),
        Value::Array(items) => items.iter().any(has_template),
        Value::Object(members) => {
            members.iter().any(|(name, member)| name.contains("{{") || has_template(member))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether no program in any language need have trouble with a value.
fn is_modest(value: &Value) -> bool {
    all_scalars(value, &|scalar| match scalar {
        Value::String(text) => text.len() <= MODEST_TEXT && !text.contains('\0'),
        Value::Number(number) => {
            let float = number.as_f64().unwrap_or(f64::NAN);
            // Whether 1.0 is an integer is for JSON Schema to say, but not for every language.
            float.abs() <= SAFE && (!number.is_f64() || (float.fract() != 0.0 && float.is_normal()))
        }
        _ => true,
    })
}

/// Whether all that is neither array nor object in a value is as it should be.
fn all_scalars(value: &Value, is: &impl Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| all_scalars(item, is)),
        Value::Object(members) => members.values().all(|member| all_scalars(member, is)),
        scalar => is(scalar),
    }
}

/// Places to try values at: the described properties first, then what valid arguments hold further down.
fn places(schema: &Value, pool: &[Value]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let example = pool.iter().find_map(|arguments| arguments.get(name));
        let kind = example.map_or_else(|| kind_by_schema(property), kind_of);
        places.push(Place { path: vec![template::escape(name).into_owned()], kind });
    }
    for arguments in pool.iter().skip(1).take(4).chain(pool.first()) {
        collect(arguments, &mut Vec::new(), &mut places);
    }
    places.truncate(MAX_PLACES);
    places
}

fn collect(value: &Value, path: &mut Vec<String>, places: &mut Vec<Place>) {
    if places.len() >= MAX_PLACES || path.len() > DEEPEST_PLACE {
        return;
    }
    if !path.is_empty() && !places.iter().any(|place| place.path == *path) {
        places.push(Place { path: path.clone(), kind: kind_of(value) });
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, member)| (name.clone(), member)).collect(),
        Value::Array(items) => items.iter().take(1).map(|item| ("0".to_owned(), item)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        path.push(name);
        collect(child, path, places);
        path.pop();
    }
}

fn kind_of(value: &Value) -> Kind {
    match value {
        Value::String(_) => Kind::Text,
        Value::Number(_) => Kind::Number,
        _ => Kind::Other,
    }
}

fn kind_by_schema(schema: &Value) -> Kind {
    match schema.get("type").and_then(Value::as_str) {
        Some("string") => Kind::Text,
        Some("integer" | "number") => Kind::Number,
        _ => Kind::Other,
    }
}

/// The value at a place.
fn at<'v>(arguments: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(arguments, |here, step| match here {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => here.get(step),
    })
}

/// Puts a value at a place; objects on the way are made where they are missing.
pub(super) fn put(arguments: &mut Value, path: &[String], value: Value) {
    let mut here = arguments;
    for step in path {
        if let Value::Array(items) = here {
            let index = step.parse().unwrap_or(0_usize).min(items.len());
            if index == items.len() {
                items.push(Value::Null);
            }
            let Some(item) = items.get_mut(index) else { return };
            here = item;
        } else {
            if !here.is_object() {
                *here = Value::Object(Map::new());
            }
            let Some(members) = here.as_object_mut() else { return };
            here = members.entry(step.clone()).or_insert(Value::Null);
        }
    }
    *here = value;
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::*;
    use crate::event::Transport;

    /// A tool whose `x` is such, or a price where it refers to that.
    fn tool(schema: Value) -> Tool {
        let price = json!({ "price": { "multipleOf": 0.01 } });
        let definitions = if names_any(&schema, &["$ref"]) { price } else { json!({}) };
        let input = json!({ "type": "object", "properties": { "x": schema }, "$defs": definitions });
        let listed = json!({ "name": "t", "inputSchema": input });
        let settings = MakerSettings::new(vec!["t".to_owned()], Revision::R2025_11_25, Transport::Stdio, 1);
        Tool::of(&listed, &settings).unwrap()
    }

    /// The keyword that arguments with this `x` are known to break.
    fn broken(schema: Value, x: Value) -> Option<&'static str> {
        match tool(schema).claim_about(&json!({ "x": x }), None) {
            Claim::Forbidden { keyword, .. } => Some(keyword),
            _ => None,
        }
    }

    #[test]
    fn what_validators_agree_on_is_forbidden() {
        assert_eq!(broken(json!({ "multipleOf": 5 }), json!(7)), Some("multipleOf"));
        assert_eq!(broken(json!({ "not": { "const": "root" } }), json!("root")), Some("not"));
        assert_eq!(broken(json!({ "contains": { "const": 7 } }), json!([1, 2])), Some("contains"));
        assert_eq!(
            broken(json!({ "propertyNames": { "maxLength": 2 } }), json!({ "long": 1 })),
            Some("propertyNames")
        );
        let either = json!([{ "type": "string" }, { "type": "null" }]);
        assert_eq!(broken(json!({ "anyOf": either }), json!(7)), Some("anyOf"));
        assert_eq!(broken(json!({ "oneOf": either }), json!(7)), Some("oneOf"));
    }

    #[test]
    fn what_was_broken_on_purpose_is_known_again() {
        for (schema, x) in
            [(json!({ "pattern": "^a$" }), json!("b")), (json!({ "multipleOf": 0.5 }), json!(0.75))]
        {
            let (tool, arguments) = (tool(schema), json!({ "x": x }));
            assert!(matches!(tool.claim_about(&arguments, None), Claim::None), "{arguments}");
            assert!(matches!(tool.claim_about_known(&arguments), Claim::Forbidden { .. }), "{arguments}");
        }
        assert!(matches!(
            tool(json!({ "multipleOf": 0.5 })).claim_about_known(&json!({ "x": 1.5 })),
            Claim::None
        ));
    }

    #[test]
    fn what_they_may_differ_on_is_not() {
        assert_eq!(broken(json!({ "multipleOf": 0.1 }), json!(0.7500001)), None);
        assert_eq!(broken(json!({ "multipleOf": 5 }), json!(9_007_199_254_740_991_u64)), None);
        assert_eq!(broken(json!({ "multipleOf": 5 }), json!(5.000_000_000_000_001)), None);
        assert_eq!(broken(json!({ "contains": { "const": 7 }, "minContains": 2 }), json!([7])), None);
        assert_eq!(broken(json!({ "propertyNames": { "minLength": 12 } }), json!({ "__proto__": 1 })), None);
        assert_eq!(broken(json!({ "not": { "pattern": "^\\p{L}+$" } }), json!("é")), None);
        assert_eq!(broken(json!({ "contains": { "format": "date" } }), json!(["x"])), None);
        assert_eq!(broken(json!({ "not": { "multipleOf": 0.1 } }), json!(0.2)), None);
        // Where an alternative is what they differ on, so is that there is none.
        for alternative in [
            json!({ "multipleOf": 0.01 }),
            json!({ "pattern": "^\\p{L}+$" }),
            json!({ "$ref": "#/$defs/price" }),
        ] {
            let schema = json!({ "anyOf": [alternative, { "type": "null" }] });
            assert_eq!(broken(schema.clone(), json!(24_484_978.162_170_92)), None, "{schema}");
            assert_eq!(broken(schema.clone(), json!("é1")), None, "{schema}");
        }
    }
}
