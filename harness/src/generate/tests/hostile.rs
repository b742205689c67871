//! Schemas that mean harm, or that nobody could satisfy.

use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::super::limits::{MAX_BYTES, MAX_DEPTH, extent};
use super::super::{Hints, invalid, valid};

/// Generous, for slow machines: what ends at all ends far sooner.
const PATIENCE: Duration = Duration::from_secs(20);

fn survives(name: &str, schema: &Value) -> Vec<Value> {
    let start = Instant::now();
    let values = valid(schema, &Hints::default(), 7, 50);
    let made = start.elapsed();
    let all = invalid(schema, &Hints::default(), 7, 50);
    for value in values.iter().chain(all.iter().map(|one| &one.value)) {
        assert!(value.to_string().len() <= 2 * MAX_BYTES, "{name}: too large");
        assert!(extent(value).1 <= MAX_DEPTH + 1, "{name}: too deep");
    }
    let took = start.elapsed();
    println!("{name}: {} valid, {} invalid, {made:?}, {took:?}", values.len(), all.len());
    assert!(took < PATIENCE, "{name} took {took:?}");
    values
}

fn object_with(x: Value) -> Value {
    json!({ "type": "object", "properties": { "x": x }, "required": ["x"] })
}

#[test]
fn unreachable_counts() {
    for (name, x) in [
        ("items", json!({ "type": "array", "minItems": 1e18 })),
        (
            "many items",
            json!({ "type": "array", "minItems": 5000, "items": { "type": "object", "required": ["a"], "properties": { "a": { "type": "string", "minLength": 100 } } } }),
        ),
        ("length", json!({ "type": "string", "minLength": 1_000_000_000_000_u64 })),
        ("properties", json!({ "type": "object", "minProperties": 1e18 })),
        ("contains", json!({ "type": "array", "contains": {}, "minContains": 1e18 })),
        (
            "unique",
            json!({ "type": "array", "minItems": 3000, "uniqueItems": true, "items": { "type": "boolean" } }),
        ),
        ("huge number", json!({ "type": "integer", "minimum": 1e300 })),
        ("tiny step", json!({ "type": "number", "multipleOf": 1e-300 })),
        (
            "nested items",
            json!({ "type": "array", "minItems": 100, "items": { "type": "array", "minItems": 100, "items": { "type": "array", "minItems": 100 } } }),
        ),
    ] {
        survives(name, &object_with(x));
    }
}

#[test]
fn contradictions() {
    for (name, x) in [
        ("bounds", json!({ "type": "integer", "minimum": 5, "maximum": 4 })),
        ("types", json!({ "allOf": [{ "type": "string" }, { "type": "integer" }] })),
        ("not true", json!({ "not": {} })),
        ("enum", json!({ "type": "string", "enum": [1, 2] })),
        ("required forbidden", json!({ "type": "object", "required": ["a"], "additionalProperties": false })),
        ("lengths", json!({ "type": "string", "minLength": 5, "maxLength": 2 })),
        ("pattern", json!({ "type": "string", "pattern": "^a$", "minLength": 9 })),
        ("endless", json!({ "$ref": "#" })),
    ] {
        assert!(survives(name, &object_with(x)).is_empty(), "{name}");
    }
}

#[test]
fn references_without_end() {
    for schema in [
        json!({ "$ref": "#" }),
        json!({ "type": "object", "allOf": [{ "$ref": "#" }] }),
        json!({ "type": "object", "anyOf": [{ "$ref": "#/$defs/a" }], "$defs": { "a": { "$ref": "#/$defs/b" }, "b": { "$ref": "#/$defs/a" } } }),
        json!({ "type": "object", "not": { "$ref": "#" } }),
    ] {
        survives("cycle", &schema);
    }
    let mut defs = Map::new();
    for index in 0..40 {
        let next = format!("#/$defs/d{}", index + 1);
        defs.insert(format!("d{index}"), json!({ "allOf": [{ "$ref": next }, { "$ref": next }] }));
    }
    defs.insert("d40".to_owned(), json!({ "type": "object" }));
    assert!(survives("doubling", &json!({ "$ref": "#/$defs/d0", "$defs": defs })).is_empty());
    let doubling = |last: u32, by: fn(Value) -> Value| -> Map<String, Value> {
        let step = |index| by(json!({ "$ref": format!("#/$defs/d{}", index + 1) }));
        let mut defs: Map<String, Value> =
            (0..last).map(|index| (format!("d{index}"), step(index))).collect();
        defs.insert(format!("d{last}"), json!({ "type": "object" }));
        defs
    };
    let down = doubling(60, |next| json!({ "properties": { "a": next, "b": next }, "required": ["a", "b"] }));
    survives("doubling downward", &json!({ "$ref": "#/$defs/d0", "$defs": down }));
    let down = doubling(60, |next| json!({ "properties": { "a": next, "b": next } }));
    assert!(
        !survives("doubling downward, optional", &json!({ "$ref": "#/$defs/d0", "$defs": down })).is_empty()
    );
    let any = doubling(15, |next| json!({ "anyOf": [next, next], "unevaluatedProperties": false }));
    survives("doubling within reason", &json!({ "$ref": "#/$defs/d0", "$defs": any }));
    let mut chain = Map::new();
    for index in 0..5000 {
        chain.insert(format!("d{index}"), json!({ "$ref": format!("#/$defs/d{}", index + 1) }));
    }
    chain.insert("d5000".to_owned(), json!({ "type": "object" }));
    survives("chain", &json!({ "$ref": "#/$defs/d0", "$defs": chain }));
}

#[test]
fn recursion_that_branches() {
    let mut properties = Map::new();
    for index in 0..10 {
        properties.insert(format!("p{index}"), json!({ "$ref": "#" }));
    }
    assert!(!survives("tree", &json!({ "type": "object", "properties": properties })).is_empty());
    let names: Vec<&String> = properties.keys().collect();
    survives("endless tree", &json!({ "type": "object", "properties": properties, "required": names }));
    let branches: Vec<Value> =
        (0..10).map(|index| json!({ "required": [format!("p{index}")], "properties": { format!("p{index}"): { "$ref": "#" } } })).collect();
    survives("union", &json!({ "type": "object", "anyOf": branches }));
    survives(
        "all of all",
        &json!({ "type": "object", "properties": { "a": { "allOf": [{ "$ref": "#" }, { "$ref": "#" }, { "$ref": "#" }] } } }),
    );
}

#[test]
fn great_size() {
    let mut properties = Map::new();
    for index in 0..4000 {
        properties.insert(format!("p{index}"), json!({ "type": "string" }));
    }
    let names: Vec<&String> = properties.keys().collect();
    survives("wide", &json!({ "type": "object", "properties": properties }));
    survives("wide and required", &json!({ "type": "object", "properties": properties, "required": names }));
    let members: Vec<Value> = (0..15_000).map(|index| json!(index)).collect();
    survives("long enum", &object_with(json!({ "allOf": [{ "enum": members }, { "minimum": 14_000 }] })));
    let branches: Vec<Value> = (0..3000).map(|index| json!({ "const": index })).collect();
    survives("long union", &object_with(json!({ "oneOf": branches })));
    let unions: Vec<Value> =
        (0..30).map(|_| json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }] })).collect();
    survives("many unions", &object_with(json!({ "allOf": unions })));
    let text = "a".repeat(500_000);
    survives("long default", &object_with(json!({ "type": "string", "default": text })));
    survives("long description", &object_with(json!({ "type": "string", "description": text })));
    let mut deep = json!({ "type": "object" });
    for _ in 0..60 {
        deep = object_with(deep);
    }
    assert!(survives("deep", &deep).is_empty());
    for _ in 0..400 {
        deep = object_with(deep);
    }
    assert!(survives("too deep", &deep).is_empty());
}

#[test]
fn wild_patterns() {
    for pattern in [
        "((a{1000}){1000}){1000}",
        "^(a+)+$",
        "^(?=(a+)+b)(a+)+$",
        "^(([a-zé]{1,99}x){1,99}){1,9}$",
        "(((((((((((((((((((((((((((((((((((((((((a)))))))))))))))))))))))))))))))))))))))))",
        r"^\p{L}{500}$",
        r"^(.)\1$",
        "^(a|b|c|d)(?<!d)$",
        "^[^\\x00-\\x{10FFFF}]$",
        "^(?!)$",
    ] {
        survives(pattern, &object_with(json!({ "type": "string", "pattern": pattern })));
    }
    let mut properties = Map::new();
    for index in 0..400 {
        properties.insert(
            format!("p{index}"),
            json!({ "type": "string", "pattern": format!("^([a-zé]{{1,99}}x){{1,{index}}}$") }),
        );
    }
    let names: Vec<&String> = properties.keys().collect();
    survives("many patterns", &json!({ "type": "object", "properties": properties, "required": names }));
    let mut named = Map::new();
    for index in 0..400 {
        named.insert(format!("^([a-zé]{{1,99}}x){{1,{index}}}$"), json!({ "type": "string" }));
    }
    survives("many names", &json!({ "type": "object", "patternProperties": named, "minProperties": 3 }));
}

#[test]
fn keywords_of_the_wrong_type() {
    // None of these is a schema; what matters is that they are told apart without harm.
    for schema in [
        json!({ "type": "object", "properties": { "x": 5 } }),
        json!({ "type": "object", "required": "x" }),
        json!({ "type": "object", "required": [1] }),
        json!({ "type": "object", "properties": { "x": { "enum": "a" } } }),
        json!({ "type": "object", "properties": { "x": { "minimum": "1" } } }),
        json!({ "type": "object", "allOf": {} }),
        json!({ "type": "object", "$ref": 5 }),
        json!({ "type": "object", "$defs": [] }),
        json!({ "type": "object", "minProperties": -1 }),
        json!({ "type": "object", "multipleOf": 0 }),
        json!({ "type": "object", "$schema": 5 }),
        json!({ "type": "object", "$schema": "https://example.com/my-dialect" }),
        json!({ "type": "object", "$id": "not a uri \u{0}" }),
        json!({ "type": ["object", "object"] }),
        json!({ "type": [] }),
        json!({ "type": "any" }),
    ] {
        survives("wrong", &schema);
    }
}
