//! Schemas put together from decisions, so that most inputs are schemas.

use serde_json::{Map, Value, json};

use crate::bytes::Bytes;

/// How deep schemas nest.
const DEEPEST: usize = 4;
/// Most keywords of one schema.
const MOST_KEYWORDS: usize = 5;

const NAMES: [&str; 6] = ["a", "b", "path", "query", "é\"/~", ""];
const TYPES: [&str; 8] = ["string", "integer", "number", "boolean", "null", "array", "object", "any"];
const PATTERNS: [&str; 8] =
    ["^[a-c]*$", "b+", r"^\d{2}$", "^(x|y)z?", "^(?=a)a+$", r"\p{L}{3}", "[^\\x00-\\x7f]", "^$"];
const FORMATS: [&str; 6] = ["date", "date-time", "uri", "uuid", "email", "regex"];
const REFERENCES: [&str; 6] =
    ["#", "#/$defs/d", "#here", "#/$defs/none", "#/properties/a", "https://example.com/x"];
const DIALECTS: [&str; 5] = [
    "http://json-schema.org/draft-07/schema#",
    "https://json-schema.org/draft/2020-12/schema",
    "http://json-schema.org/draft-04/schema#",
    "https://json-schema.org/draft/2019-09/schema",
    "https://example.com/dialect",
];

/// The input schema of a tool.
pub(super) fn tool(bytes: &mut Bytes<'_>) -> Value {
    let mut map = Map::new();
    match bytes.below(4) {
        1 => drop(map.insert("$schema".to_owned(), json!(bytes.pick(&DIALECTS)))),
        2 => keywords(bytes, DEEPEST, &mut map),
        _ => {}
    }
    map.insert("type".to_owned(), json!("object"));
    map.insert("properties".to_owned(), named(bytes, DEEPEST));
    map.insert("required".to_owned(), names(bytes));
    map.insert(
        "$defs".to_owned(),
        json!({ "d": schema(bytes, 2), "e": { "$anchor": "here", "type": "integer" } }),
    );
    Value::Object(map)
}

fn schema(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    if depth == 0 || bytes.is_empty() {
        return json!({ "type": bytes.pick(&TYPES[..3]) });
    }
    let mut map = Map::new();
    match bytes.below(16) {
        0 => return json!(bytes.flag()),
        1 => {}
        _ => drop(map.insert("type".to_owned(), json!(bytes.pick(&TYPES)))),
    }
    keywords(bytes, depth, &mut map);
    Value::Object(map)
}

fn keywords(bytes: &mut Bytes<'_>, depth: usize, map: &mut Map<String, Value>) {
    for _ in 0..bytes.below(MOST_KEYWORDS) {
        let (key, value) = keyword(bytes, depth.saturating_sub(1));
        map.insert(key.to_owned(), value);
    }
}

fn keyword(bytes: &mut Bytes<'_>, depth: usize) -> (&'static str, Value) {
    match bytes.below(42) {
        0 => ("enum", Value::Array((0..bytes.below(4)).map(|_| scalar(bytes)).collect())),
        1 => ("const", scalar(bytes)),
        2 => ("default", scalar(bytes)),
        3 => ("minimum", number(bytes)),
        4 => ("maximum", number(bytes)),
        5 => ("exclusiveMinimum", if bytes.flag() { json!(true) } else { number(bytes) }),
        6 => ("exclusiveMaximum", number(bytes)),
        7 => ("multipleOf", number(bytes)),
        8 => ("minLength", json!(bytes.below(9))),
        9 => ("maxLength", json!(bytes.below(9))),
        10 => ("pattern", json!(bytes.pick(&PATTERNS))),
        11 => ("format", json!(bytes.pick(&FORMATS))),
        12 => ("minItems", json!(bytes.below(5))),
        13 => ("maxItems", json!(bytes.below(5))),
        14 => ("uniqueItems", json!(bytes.flag())),
        15 | 16 => ("items", schema(bytes, depth)),
        17 => ("prefixItems", schemas(bytes, depth)),
        18 => ("contains", schema(bytes, depth)),
        19 => ("minContains", json!(bytes.below(3))),
        20 => ("maxContains", json!(bytes.below(3))),
        21 | 22 => ("properties", named(bytes, depth)),
        23 => ("required", names(bytes)),
        24 => ("minProperties", json!(bytes.below(5))),
        25 => ("maxProperties", json!(bytes.below(5))),
        26 => ("additionalProperties", schema(bytes, depth)),
        27 => ("dependentRequired", json!({ *bytes.pick(&NAMES): names(bytes) })),
        28 => ("dependentSchemas", named(bytes, depth)),
        29 => ("patternProperties", json!({ *bytes.pick(&PATTERNS): schema(bytes, depth) })),
        30 => ("propertyNames", schema(bytes, depth)),
        31 => ("unevaluatedProperties", schema(bytes, depth)),
        32 => ("unevaluatedItems", schema(bytes, depth)),
        33 => ("allOf", schemas(bytes, depth)),
        34 => ("anyOf", schemas(bytes, depth)),
        35 => ("oneOf", schemas(bytes, depth)),
        36 => ("not", schema(bytes, depth)),
        37 => ("if", schema(bytes, depth)),
        38 => ("then", schema(bytes, depth)),
        39 => ("else", schema(bytes, depth)),
        40 => ("type", json!([bytes.pick(&TYPES), bytes.pick(&TYPES)])),
        _ => ("$ref", json!(bytes.pick(&REFERENCES))),
    }
}

fn schemas(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    Value::Array((0..=bytes.below(3)).map(|_| schema(bytes, depth)).collect())
}

fn named(bytes: &mut Bytes<'_>, depth: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..bytes.below(4) {
        let name = (*bytes.pick(&NAMES)).to_owned();
        map.insert(name, schema(bytes, depth.saturating_sub(1)));
    }
    Value::Object(map)
}

fn names(bytes: &mut Bytes<'_>) -> Value {
    let mut names: Vec<&str> = (0..bytes.below(3)).map(|_| *bytes.pick(&NAMES)).collect();
    names.sort_unstable();
    names.dedup();
    json!(names)
}

fn number(bytes: &mut Bytes<'_>) -> Value {
    const ODD: [f64; 6] = [0.5, -2.25, 0.1, 1e300, 5e-324, 9_007_199_254_740_993.0];
    match bytes.below(8) {
        0 => json!(bytes.pick(&ODD)),
        1 => json!(u64::MAX - u64::from(bytes.byte())),
        2 => json!(i64::MIN + i64::from(bytes.byte())),
        _ => json!(i64::from(bytes.byte()) - 100),
    }
}

fn scalar(bytes: &mut Bytes<'_>) -> Value {
    match bytes.below(6) {
        0 => Value::Null,
        1 => json!(bytes.flag()),
        2 => number(bytes),
        3 => json!([bytes.byte()]),
        4 => json!({ *bytes.pick(&NAMES): bytes.byte() }),
        _ => json!(bytes.text()),
    }
}
