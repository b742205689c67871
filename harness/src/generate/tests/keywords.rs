//! One keyword after the other.

use serde_json::{Value, json};

use super::super::{Generator, Hints};
use super::{broken, made, made_with, whys, xs};

/// A tool with one required property `x`.
fn one(x: Value) -> Value {
    json!({ "type": "object", "properties": { "x": x }, "required": ["x"] })
}

/// Values of a required property with this schema; there must be some.
fn values(x: Value) -> Vec<Value> {
    let found = made(&one(x.clone()));
    assert!(!found.is_empty(), "nothing for {x}");
    xs(&found).into_iter().cloned().collect()
}

fn first(x: Value) -> Value {
    values(x).remove(0)
}

/// The keywords that arguments for this property can break.
fn breakable(x: Value) -> Vec<String> {
    let mut keywords: Vec<String> = broken(&one(x)).into_iter().map(|one| one.keyword).collect();
    keywords.sort();
    keywords.dedup();
    keywords
}

#[test]
fn every_type_is_made() {
    assert_eq!(first(json!({ "type": "null" })), json!(null));
    assert_eq!(first(json!({ "type": "boolean" })), json!(false));
    assert_eq!(first(json!({ "type": "integer" })), json!(1));
    assert_eq!(first(json!({ "type": "number" })), json!(1));
    assert_eq!(first(json!({ "type": "string" })), json!("hello"));
    assert_eq!(first(json!({ "type": "array" })), json!([]));
    assert_eq!(first(json!({ "type": "object" })), json!({}));
}

#[test]
fn lists_of_types_are_all_used_and_null_comes_last() {
    let found = values(json!({ "type": ["null", "string", "integer"] }));
    assert_eq!(found[0], json!("hello"));
    assert!(found.contains(&json!(1)) && found.contains(&json!(null)));
}

#[test]
fn the_first_holds_what_is_required_and_the_second_everything() {
    let schema = json!({ "type": "object", "required": ["b"], "properties": {
        "a": { "type": "integer" }, "b": { "type": "string" }, "c": { "type": "boolean", "default": true } } });
    let found = made(&schema);
    assert_eq!(found[0], json!({ "b": "hello" }));
    assert_eq!(found[1], json!({ "a": 1, "b": "hello", "c": true }));
}

#[test]
fn defaults_constants_examples_and_enums_come_first() {
    assert_eq!(first(json!({ "type": "string", "default": "d", "examples": ["e"] })), json!("d"));
    assert_eq!(first(json!({ "type": "string", "examples": ["e"] })), json!("e"));
    assert_eq!(first(json!({ "const": 7 })), json!(7));
    assert_eq!(values(json!({ "enum": ["x", "y", "z"] })), [json!("x"), json!("y"), json!("z")]);
    assert_eq!(first(json!({ "enum": ["x", "y", "z"], "default": "y" })), json!("y"));
    assert_eq!(first(json!({ "enum": [null, "x"] })), json!("x"));
    // A default that breaks its own schema is of no use.
    assert_eq!(first(json!({ "type": "integer", "default": "d" })), json!(1));
    assert_eq!(first(json!({ "type": "integer", "minimum": 5, "default": 1 })), json!(5));
}

#[test]
fn examples_of_whole_arguments_are_used() {
    let schema = json!({ "type": "object", "properties": { "x": { "type": "string" } }, "required": ["x"],
        "examples": [{ "x": "from the example" }] });
    assert_eq!(made(&schema)[0], json!({ "x": "from the example" }));
}

#[test]
fn bounds_of_integers_are_kept_and_tried() {
    let found = values(json!({ "type": "integer", "minimum": 10, "maximum": 90 }));
    assert_eq!(found[0], json!(10));
    assert!(found.contains(&json!(90)) && found.contains(&json!(89)));
    assert_eq!(first(json!({ "type": "integer", "maximum": -5 })), json!(-5));
    assert_eq!(first(json!({ "type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 3 })), json!(2));
    assert_eq!(first(json!({ "type": "integer", "minimum": 0.5, "maximum": 1.5 })), json!(1));
    assert_eq!(first(json!({ "type": "integer", "minimum": u64::MAX })), json!(u64::MAX));
    assert_eq!(first(json!({ "type": "integer", "maximum": i64::MIN })), json!(i64::MIN));
    assert_eq!(
        breakable(json!({ "type": "integer", "minimum": 1, "maximum": 9 })),
        ["maximum", "minimum", "required", "type"]
    );
}

#[test]
fn exclusive_bounds_of_both_dialects_are_kept() {
    let old = json!({ "$schema": "http://json-schema.org/draft-04/schema#", "type": "object", "required": ["x"],
        "properties": { "x": { "type": "integer", "minimum": 1, "exclusiveMinimum": true, "maximum": 4,
            "exclusiveMaximum": true } } });
    assert_eq!(xs(&made(&old))[0], &json!(2));
    let why = broken(&old);
    assert!(whys(&why).contains(&"`x` is 1, not above the exclusive minimum 1"), "{why:?}");
    // One that names no dialect is read as an old one if it is not 2020-12.
    let mut unnamed = old;
    unnamed.as_object_mut().unwrap().remove("$schema");
    let found = super::valid(&unnamed, &Hints::default(), 1, 4);
    assert_eq!(xs(&found)[0], &json!(2));
}

#[test]
fn fractions_lie_between_bounds() {
    assert_eq!(first(json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 })), json!(0.5));
    assert_eq!(
        first(json!({ "type": "number", "minimum": 0.1, "maximum": 0.2 })).as_f64().map(|x| x > 0.09),
        Some(true)
    );
    assert!(values(json!({ "type": "number" })).contains(&json!(0.5)));
}

#[test]
fn multiples_are_multiples() {
    assert_eq!(first(json!({ "type": "integer", "multipleOf": 7 })), json!(7));
    assert_eq!(first(json!({ "type": "integer", "multipleOf": 7, "minimum": 8 })), json!(14));
    assert_eq!(first(json!({ "type": "integer", "multipleOf": 64, "maximum": -1 })), json!(-64));
    assert_eq!(
        first(json!({ "type": "number", "multipleOf": 0.25, "exclusiveMaximum": 1, "minimum": 0.6 })),
        json!(0.75)
    );
    assert!(!values(json!({ "type": "number", "multipleOf": 0.01 })).is_empty());
    assert_eq!(
        first(json!({ "allOf": [{ "type": "integer", "multipleOf": 2 }, { "multipleOf": 5 }] })),
        json!(10)
    );
    let why = broken(&one(json!({ "type": "integer", "multipleOf": 10 })));
    assert!(whys(&why).contains(&"`x` is 1, not a multiple of 10"), "{why:?}");
}

#[test]
fn what_is_ruled_out_is_tried() {
    let why = broken(&one(json!({ "type": "string", "not": { "enum": ["root", "admin"] } })));
    assert!(whys(&why).contains(&"`x` is \"root\", which `not` rules out"), "{why:?}");
    let why = broken(
        &json!({ "type": "object", "properties": { "x": { "type": "string" } }, "required": ["x"], "not": { "required": ["y"] } }),
    );
    assert!(whys(&why).contains(&"property `y` is there, which `not` rules out"), "{why:?}");
    let why = broken(&one(json!({ "type": "array", "contains": { "const": 7 } })));
    assert!(whys(&why).contains(&"`x` holds too few of what it must contain"), "{why:?}");
    let why = broken(&one(json!({ "type": "object", "propertyNames": { "maxLength": 8 } })));
    assert!(whys(&why).contains(&"a property has a name that propertyNames rules out in `x`"), "{why:?}");
}

#[test]
fn lengths_are_kept_and_tried() {
    let found = values(json!({ "type": "string", "minLength": 7, "maxLength": 9 }));
    let lengths: Vec<usize> = found.iter().map(|x| x.as_str().unwrap().chars().count()).collect();
    assert!(lengths.contains(&7) && lengths.contains(&9), "{lengths:?}");
    assert_eq!(first(json!({ "type": "string", "maxLength": 0 })), json!(""));
    assert_eq!(first(json!({ "type": "string", "maxLength": 3 })).as_str().map(str::len), Some(3));
    let why = broken(&one(json!({ "type": "string", "minLength": 2, "maxLength": 3 })));
    assert!(whys(&why).contains(&"`x` has 1 characters, fewer than 2"), "{why:?}");
    assert!(whys(&why).contains(&"`x` has 4 characters, more than 3"), "{why:?}");
}

#[test]
fn patterns_are_matched() {
    for pattern in [
        "^[a-z]+$",
        "^[A-Z]{2}-[0-9]{4}$",
        r"^\d{3}-\d{4}$",
        r"^(foo|bar)(,(foo|bar))*$",
        r"^[\w.-]+@[\w-]+\.[a-z]{2,}$",
        "^(?!-)[a-z-]{3,10}$",
        r"^https?:\/\/[^\s]+$",
        "^[^/]+/[^/]+$",
        "b{5}",
        r"^\S+$",
        "^$",
        "^v?[0-9]+(\\.[0-9]+){0,2}$",
        "^[[a]]$",
        "^(?:a|(?:b|(?:c|d)))x$",
        r"^\u0041+$",
        r"^[\w-]{1,64}$",
        "^#[0-9a-fA-F]{6}$",
    ] {
        let found = values(json!({ "type": "string", "pattern": pattern }));
        assert!(!found.is_empty(), "{pattern}");
    }
    let long = first(json!({ "type": "string", "pattern": "^[a-z]+$", "minLength": 20 }));
    assert!(long.as_str().unwrap().len() >= 20);
    assert!(breakable(json!({ "type": "string", "pattern": "^[a-z]+$" })).contains(&"pattern".to_owned()));
}

#[test]
fn what_depends_on_whether_formats_count_is_neither_valid_nor_broken() {
    let date = json!({ "type": "string", "format": "date" });
    for x in [json!({ "type": "string", "not": date }), json!({ "oneOf": [{ "type": "string" }, date] })] {
        assert_eq!(made(&one(x.clone())), Vec::<Value>::new());
        let (schema, hints) = (one(x), Hints::default());
        let prepared = Generator::new(&schema, &hints).unwrap().prepared();
        let broken = |x: Value| prepared.broken_keywords(&json!({ "x": x }));
        assert_eq!(broken(json!("hello")), Vec::<String>::new());
        assert_ne!(broken(json!(5)), Vec::<String>::new());
    }
}

#[test]
fn formats_are_respected_but_never_what_is_broken() {
    for format in [
        "date-time",
        "date",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "iri",
        "uuid",
        "json-pointer",
        "relative-json-pointer",
        "regex",
        "uri-template",
    ] {
        let schema = one(json!({ "type": "string", "format": format }));
        let strict = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let found = made(&schema);
        assert!(found.len() > 1, "{format}");
        for value in &found {
            assert!(strict.is_valid(value), "{value} is no {format}");
        }
        assert_eq!(breakable(json!({ "type": "string", "format": format })), ["required", "type"]);
    }
    assert_eq!(first(json!({ "type": "string", "format": "made-up" })), json!("hello"));
    // No string has both, but the schema does not really ask for it.
    assert_eq!(
        values(json!({ "type": "string", "format": "ipv4", "pattern": "^[a-z]{4}$" }))[0],
        json!("aaaa")
    );
}

#[test]
fn arrays_have_their_items() {
    assert_eq!(first(json!({ "type": "array", "items": { "type": "integer" } })), json!([1]));
    assert_eq!(
        first(json!({ "type": "array", "items": { "type": "integer" }, "minItems": 3, "maxItems": 3 }))
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(first(json!({ "type": "array", "items": false })), json!([]));
    let pair = json!({ "type": "array", "prefixItems": [{ "type": "integer" }, { "type": "boolean" }], "items": false });
    assert_eq!(first(pair), json!([1, true]));
    let why = broken(&one(
        json!({ "type": "array", "items": { "type": "integer" }, "minItems": 1, "maxItems": 2 }),
    ));
    for expected in [
        "`x` has 0 items, fewer than 1",
        "`x` has 3 items, more than 2",
        "item 0 of `x` is a string, not an integer",
    ] {
        assert!(whys(&why).contains(&expected), "{why:?}");
    }
}

#[test]
fn tuples_of_draft_07_are_understood() {
    let schema = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["x"],
        "properties": { "x": { "type": "array", "items": [{ "type": "integer" }, { "type": "string" }],
            "additionalItems": false, "minItems": 2 } } });
    assert_eq!(xs(&made(&schema))[0].as_array().unwrap().len(), 2);
}

#[test]
fn unique_items_differ() {
    for items in [
        json!({ "type": "string" }),
        json!({ "type": "integer" }),
        json!({ "type": "integer", "minimum": 1, "maximum": 5 }),
        json!({ "enum": [1, 2, 3, 4, 5] }),
        json!({ "type": "string", "pattern": "^[a-z]{3}$" }),
        json!({ "type": "object", "properties": { "n": { "type": "integer" } }, "required": ["n"] }),
    ] {
        let found = first(json!({ "type": "array", "items": items, "minItems": 5, "uniqueItems": true }));
        assert_eq!(found.as_array().unwrap().len(), 5, "{found}");
    }
    let one = json!({ "type": "array", "items": { "type": "string" }, "uniqueItems": true, "minItems": 1 });
    assert!(breakable(one).contains(&"uniqueItems".to_owned()));
}

#[test]
fn contained_items_are_there() {
    let found = first(json!({ "type": "array", "contains": { "const": "needle" } }));
    assert_eq!(found, json!(["needle"]));
    let two = json!({ "type": "array", "items": { "type": "integer" }, "contains": { "minimum": 50 }, "minContains": 2, "minItems": 3 });
    assert!(first(two).as_array().unwrap().len() >= 3);
}

#[test]
fn properties_beyond_the_described_ones() {
    let mapping = json!({ "type": "object", "additionalProperties": { "type": "integer" } });
    assert!(values(mapping).contains(&json!({ "key": 1 })));
    let three =
        json!({ "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 3 });
    assert_eq!(first(three).as_object().unwrap().len(), 3);
    let named = json!({ "type": "object", "propertyNames": { "pattern": "^[A-Z]{3}$" }, "minProperties": 2 });
    assert_eq!(first(named).as_object().unwrap().len(), 2);
    let pattern = json!({ "type": "object", "patternProperties": { "^s_[a-z]+$": { "type": "string" } },
        "additionalProperties": false, "minProperties": 1 });
    assert_eq!(first(pattern).as_object().unwrap().len(), 1);
    let few = json!({ "type": "object", "properties": { "a": {}, "b": {}, "c": {} }, "maxProperties": 2, "minProperties": 1 });
    assert!(values(few).len() > 2);
    let closed = json!({ "type": "object", "properties": { "a": { "type": "string" } }, "additionalProperties": false });
    let why = broken(&one(closed));
    assert!(
        whys(&why)
            .contains(&"extra property `mcp_conform_unexpected` though additionalProperties is false in `x`"),
        "{why:?}"
    );
}

#[test]
fn required_properties_that_nothing_describes_are_there() {
    let found = made(&json!({ "type": "object", "required": ["query"] }));
    assert_eq!(found[0], json!({ "query": "test" }));
}

#[test]
fn schemas_that_all_apply_are_brought_together() {
    let schema = json!({ "allOf": [
        { "type": "object", "properties": { "x": { "minimum": 3 } }, "required": ["x"] },
        { "properties": { "x": { "type": "integer", "maximum": 3 } } } ] });
    assert_eq!(made(&schema), [json!({ "x": 3 })]);
    let enums = json!({ "allOf": [{ "enum": ["a", "b"] }, { "enum": ["b", "c"] }] });
    assert_eq!(values(enums), [json!("b")]);
    // What one schema does not describe, its `additionalProperties` forbids also to the other.
    let closed = json!({ "type": "object", "allOf": [
        { "properties": { "x": { "type": "integer" } }, "additionalProperties": false },
        { "properties": { "x": { "minimum": 5 }, "y": { "type": "string" } } } ] });
    assert!(made(&closed).contains(&json!({ "x": 5 })));
}

#[test]
fn branches_of_unions_are_all_used() {
    let any = values(json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }, { "type": "null" }] }));
    assert_eq!(any[0], json!("hello"));
    assert!(any.contains(&json!(1)) && any.contains(&json!(null)));
    // The branch that the default is of comes first.
    let default = json!({ "anyOf": [{ "type": "string" }, { "type": "integer" }], "default": 5 });
    assert_eq!(first(default), json!(5));
    let one_of = values(
        json!({ "oneOf": [{ "type": "number", "multipleOf": 5 }, { "type": "number", "multipleOf": 3 }] }),
    );
    assert!(one_of.len() > 3);
    let impossible =
        json!({ "type": "integer", "anyOf": [{ "type": "string" }, { "type": "array" }, { "minimum": 3 }] });
    assert_eq!(first(impossible), json!(3));
    let why = broken(&one(json!({ "anyOf": [{ "type": "integer" }, { "type": "null" }] })));
    assert!(whys(&why).contains(&"`x` is a string, not an integer or null"), "{why:?}");
}

#[test]
fn discriminated_unions_are_consistent() {
    let schema = json!({ "type": "object", "required": ["shape"], "properties": { "shape": { "oneOf": [
        { "type": "object", "properties": { "kind": { "const": "circle" }, "r": { "type": "number" } }, "required": ["kind", "r"] },
        { "type": "object", "properties": { "kind": { "const": "square" }, "side": { "type": "number" } }, "required": ["kind", "side"] } ] } } });
    let found = made(&schema);
    assert_eq!(found[0], json!({ "shape": { "kind": "circle", "r": 1 } }));
    assert!(found.contains(&json!({ "shape": { "kind": "square", "side": 1 } })));
}

#[test]
fn either_or_of_properties() {
    let schema = json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
        "oneOf": [{ "required": ["a"] }, { "required": ["b"] }] });
    let found = made(&schema);
    assert!(
        found.contains(&json!({ "a": "hello" })) && found.contains(&json!({ "b": "hello" })),
        "{found:?}"
    );
    let exclusive = json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
        "not": { "required": ["a", "b"] } });
    assert!(made(&exclusive).len() > 2);
}

#[test]
fn negations_are_met() {
    assert_ne!(first(json!({ "type": "integer", "not": { "const": 1 } })), json!(1));
    assert_eq!(values(json!({ "enum": ["a", "b"], "not": { "enum": ["a"] } })), [json!("b")]);
    assert!(!first(json!({ "not": { "type": "string" } })).is_string());
    assert!(!values(json!({ "type": "string", "not": { "pattern": "^hello$" } })).is_empty());
    assert!(!values(json!({ "type": "integer", "not": { "minimum": 0 } })).is_empty());
}

#[test]
fn conditions_are_followed() {
    let schema = json!({ "type": "object", "required": ["mode"],
        "properties": { "mode": { "enum": ["fast", "slow"] }, "delay": { "type": "integer" } },
        "if": { "properties": { "mode": { "const": "slow" } } }, "then": { "required": ["delay"] } });
    let found = made(&schema);
    assert!(found.contains(&json!({ "mode": "fast" })), "{found:?}");
    assert!(found.contains(&json!({ "mode": "slow", "delay": 1 })), "{found:?}");
    let other = json!({ "type": "object", "properties": { "a": { "type": "string" }, "b": { "type": "string" } },
        "if": { "required": ["a"] }, "then": { "properties": { "a": { "minLength": 6 } } }, "else": { "required": ["b"] } });
    assert!(made(&other).len() > 4);
}

#[test]
fn properties_that_bring_others_along() {
    let schema = json!({ "type": "object", "properties": { "card": { "type": "string" }, "address": { "type": "string" } },
        "dependentRequired": { "card": ["address"] } });
    let found = made(&schema);
    assert_eq!(found[0], json!({}));
    assert_eq!(found[1].as_object().unwrap().len(), 2);
    let why = broken(&schema);
    assert!(whys(&why).contains(&"property `address` is missing though `card` is there"), "{why:?}");
    let old = json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["card"],
        "properties": { "card": { "type": "string" } }, "dependencies": { "card": ["address"] } });
    assert!(made(&old)[0].get("address").is_some());
    let schemas = json!({ "type": "object", "properties": { "card": { "type": "string" } },
        "dependentSchemas": { "card": { "properties": { "pin": { "type": "integer" } }, "required": ["pin"] } } });
    assert!(made(&schemas).contains(&json!({ "card": "hello", "pin": 1 })));
}

#[test]
fn references_are_followed() {
    for (reference, extra) in [
        ("#/$defs/city", json!({ "$defs": { "city": { "const": "Rome" } } })),
        ("#/definitions/city", json!({ "definitions": { "city": { "const": "Rome" } } })),
        ("#town", json!({ "$defs": { "city": { "$anchor": "town", "const": "Rome" } } })),
        ("#/$defs/a~1b%20c", json!({ "$defs": { "a/b c": { "const": "Rome" } } })),
        (
            "https://example.com/tool#/$defs/c",
            json!({ "$id": "https://example.com/tool", "$defs": { "c": { "const": "Rome" } } }),
        ),
    ] {
        let mut schema = one(json!({ "$ref": reference }));
        schema.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        assert_eq!(made(&schema), [json!({ "x": "Rome" })], "{reference}");
    }
}

#[test]
fn what_stands_beside_a_reference_counts_since_2019() {
    let schema = |dialect: &str| {
        json!({ "$schema": dialect, "type": "object", "required": ["x"], "definitions": { "n": { "type": "integer" } },
            "properties": { "x": { "$ref": "#/definitions/n", "minimum": 50 } } })
    };
    assert_eq!(made(&schema("https://json-schema.org/draft/2020-12/schema"))[0], json!({ "x": 50 }));
    assert_eq!(made(&schema("http://json-schema.org/draft-07/schema#"))[0], json!({ "x": 1 }));
}

#[test]
fn recursive_schemas_end() {
    let tree = json!({ "type": "object", "required": ["root"], "properties": { "root": { "$ref": "#/$defs/node" } },
        "$defs": { "node": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string" }, "children": { "type": "array", "items": { "$ref": "#/$defs/node" } } } } } });
    assert_eq!(made(&tree)[0], json!({ "root": { "name": "example" } }));
    assert!(made(&tree).iter().any(|value| value.pointer("/root/children/0").is_some()));
    let union = json!({ "type": "object", "required": ["e"], "properties": { "e": { "$ref": "#/$defs/expr" } },
        "$defs": { "expr": { "anyOf": [
            { "type": "object", "properties": { "left": { "$ref": "#/$defs/expr" } }, "required": ["left"], "additionalProperties": false },
            { "type": "integer" } ] } } });
    assert!(!made(&union).is_empty());
}

#[test]
fn boolean_schemas() {
    assert_eq!(super::valid(&json!(true), &Hints::default(), 1, 3)[0], json!({}));
    assert!(super::valid(&json!(false), &Hints::default(), 1, 3).is_empty());
    assert!(
        made(&json!({ "type": "object", "properties": { "a": true, "b": false } }))
            .iter()
            .all(|value| value.get("b").is_none())
    );
    assert!(made(&json!({ "type": "object", "properties": { "a": true } })).len() > 1);
}

#[test]
fn schemas_that_forget_the_type_still_give_objects() {
    assert_eq!(made(&json!({}))[0], json!({}));
    assert_eq!(
        made(&json!({ "properties": { "x": { "minimum": 4 } }, "required": ["x"] }))[0],
        json!({ "x": 5 })
    );
}

#[test]
fn invalid_schemas_give_nothing() {
    for schema in [
        json!({ "type": 12 }),
        json!({ "type": "object", "properties": [] }),
        json!({ "type": "array" }),
        json!([]),
        json!("object"),
        json!(null),
        json!({ "type": "object", "required": ["x"], "properties": { "x": false } }),
        json!({ "type": "object", "properties": { "x": { "$ref": "#/$defs/nowhere" } } }),
        json!({ "type": "object", "properties": { "x": { "$ref": "https://example.com/schema.json" } } }),
        json!({ "type": "object", "properties": { "x": { "pattern": "(" } } }),
    ] {
        assert!(super::valid(&schema, &Hints::default(), 1, 5).is_empty(), "{schema}");
        assert!(super::invalid(&schema, &Hints::default(), 1, 5).is_empty(), "{schema}");
    }
}

#[test]
fn hints_come_before_guesses() {
    let hints = Hints {
        paths: vec!["/srv/a".to_owned(), "/srv/b.txt".to_owned()],
        uris: vec!["demo://one".to_owned()],
        words: [("branch".to_owned(), vec![json!("develop")])].into(),
    };
    let schema = json!({ "type": "object", "required": ["path", "fileName", "output_dir", "uri", "branch", "paths"],
        "properties": { "path": { "type": "string" }, "fileName": { "type": "string" }, "output_dir": { "type": "string" },
            "uri": { "type": "string", "format": "uri" }, "branch": { "type": "string", "default": "main" },
            "paths": { "type": "array", "items": { "type": "string" } } } });
    let found = made_with(&schema, &hints, 10);
    assert_eq!(
        found[0],
        json!({ "path": "/srv/a", "fileName": "/srv/b.txt", "output_dir": "/srv/a", "uri": "demo://one",
            "branch": "develop", "paths": ["/srv/a"] })
    );
    assert!(found.iter().any(|value| value.get("path") == Some(&json!("/srv/b.txt"))));
}

#[test]
fn descriptions_name_examples() {
    let described = |text: &str| first(json!({ "type": "string", "description": text }));
    assert_eq!(described("The code, e.g. 'XK-12'."), json!("XK-12"));
    assert_eq!(described("An airport (for example: LHR, JFK)"), json!("LHR"));
    assert_eq!(described("The server's mode, such as \"turbo\"."), json!("turbo"));
    assert_eq!(described("One of `alpha` or `beta`"), json!("alpha"));
    assert_eq!(described("It's what it's"), json!("hello"));
    assert_eq!(described("An IANA zone"), json!("UTC"));
    let number = json!({ "type": "integer", "description": "How many (e.g. 12)" });
    assert_eq!(first(number), json!(12));
}

#[test]
fn limits_are_kept_and_seeds_matter_late_only() {
    let schema = json!({ "type": "object", "required": ["a"], "properties": { "a": { "type": "string" }, "b": { "type": "integer" } } });
    assert!(super::valid(&schema, &Hints::default(), 1, 0).is_empty());
    assert_eq!(super::valid(&schema, &Hints::default(), 1, 1).len(), 1);
    assert_eq!(super::invalid(&schema, &Hints::default(), 1, 2).len(), 2);
    let (one, two) =
        (super::valid(&schema, &Hints::default(), 1, 200), super::valid(&schema, &Hints::default(), 2, 200));
    assert_eq!(one[..2], two[..2]);
    assert_eq!(one.len(), 200);
    assert_ne!(one, two);
}
