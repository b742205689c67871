//! Any schema at all: what is promised holds.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::super::{Choice, Chooser, Generator, Hints, Plain, Seeded, invalid, valid};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        (-20_i64..20).prop_map(Value::from),
        (-4.0_f64..4.0).prop_map(|x| json!((x * 4.0).round() / 4.0)),
        "[a-c]{0,4}".prop_map(Value::from),
    ]
}

/// Any one keyword with a value that suits it.
fn keyword(schema: BoxedStrategy<Value>) -> impl Strategy<Value = (String, Value)> {
    let name = || prop_oneof![Just("a"), Just("b"), Just("c"), Just("path"), Just("query")];
    let types = prop_oneof![
        Just("string"),
        Just("integer"),
        Just("number"),
        Just("boolean"),
        Just("null"),
        Just("array"),
        Just("object")
    ];
    let named = proptest::collection::vec((name(), schema.clone()), 1..4)
        .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()));
    let schemas = proptest::collection::vec(schema.clone(), 1..3).prop_map(Value::Array);
    let count = (0_u64..5).prop_map(Value::from);
    let number = prop_oneof![(-9_i64..9).prop_map(Value::from), Just(json!(0.5)), Just(json!(-2.25))];
    let names = proptest::collection::btree_set(name(), 0..3).prop_map(|set| json!(set));
    let key = |key: &'static str| move |value: Value| (key.to_owned(), value);
    let scalars = prop_oneof![
        8 => types.clone().prop_map(|t| ("type".to_owned(), json!(t))),
        2 => proptest::collection::btree_set(types, 1..4).prop_map(|set| ("type".to_owned(), json!(set))),
        1 => proptest::collection::vec(scalar(), 1..4).prop_map(|mut list| {
            list.dedup();
            ("enum".to_owned(), Value::Array(list))
        }),
        1 => scalar().prop_map(key("const")),
        1 => scalar().prop_map(key("default")),
        1 => number.clone().prop_map(key("minimum")),
        1 => number.clone().prop_map(key("maximum")),
        1 => number.clone().prop_map(key("exclusiveMinimum")),
        1 => number.prop_map(key("exclusiveMaximum")),
        1 => prop_oneof![Just(json!(2)), Just(json!(0.25)), Just(json!(3))].prop_map(key("multipleOf")),
        1 => count.clone().prop_map(key("minLength")),
        1 => count.clone().prop_map(key("maxLength")),
        1 => prop_oneof![Just("^[a-c]*$"), Just("b+"), Just(r"^\d{2}$"), Just("^(x|y)z?")].prop_map(|p| ("pattern".to_owned(), json!(p))),
        1 => prop_oneof![Just("date"), Just("uri"), Just("uuid")].prop_map(|p| ("format".to_owned(), json!(p))),
    ];
    let arrays = prop_oneof![
        count.clone().prop_map(key("minItems")),
        count.clone().prop_map(key("maxItems")),
        any::<bool>().prop_map(|flag| ("uniqueItems".to_owned(), json!(flag))),
        schema.clone().prop_map(key("items")),
        schemas.clone().prop_map(key("prefixItems")),
        schema.clone().prop_map(key("contains")),
    ];
    let objects = prop_oneof![
        4 => named.clone().prop_map(key("properties")),
        2 => names.clone().prop_map(key("required")),
        1 => count.clone().prop_map(key("minProperties")),
        1 => count.prop_map(key("maxProperties")),
        2 => schema.clone().prop_map(key("additionalProperties")),
        1 => (name(), names).prop_map(|(name, list)| ("dependentRequired".to_owned(), json!({ name: list }))),
        1 => named.clone().prop_map(key("dependentSchemas")),
        1 => schema.clone().prop_map(|s| ("patternProperties".to_owned(), json!({ "^[a-b]$": s }))),
        1 => Just(("propertyNames".to_owned(), json!({ "maxLength": 4 }))),
        1 => any::<bool>().prop_map(|flag| ("unevaluatedProperties".to_owned(), json!(flag))),
    ];
    let combined = prop_oneof![
        schemas.clone().prop_map(key("allOf")),
        schemas.clone().prop_map(key("anyOf")),
        schemas.prop_map(key("oneOf")),
        schema.clone().prop_map(key("not")),
        schema.clone().prop_map(key("if")),
        schema.clone().prop_map(key("then")),
        schema.prop_map(key("else")),
        prop_oneof![Just("#"), Just("#/$defs/d"), Just("#here")].prop_map(|r| ("$ref".to_owned(), json!(r))),
    ];
    prop_oneof![4 => scalars, 2 => arrays, 3 => objects, 2 => combined]
}

fn schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => any::<bool>().prop_map(Value::from),
        2 => Just(json!({})),
        6 => prop_oneof![Just("string"), Just("integer"), Just("boolean")].prop_map(|t| json!({ "type": t })),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        proptest::collection::vec(keyword(inner.boxed()), 1..5)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
            .boxed()
    })
}

/// Arguments of a tool: an object whose parts are any schemas.
fn tool() -> impl Strategy<Value = Value> {
    let dialects = prop_oneof![
        4 => Just(None),
        1 => Just(Some("http://json-schema.org/draft-07/schema#")),
        1 => Just(Some("https://json-schema.org/draft/2020-12/schema")),
    ];
    (schema(), schema(), schema(), any::<u8>(), dialects).prop_map(|(a, b, extra, bits, dialect)| {
        let mut map = Map::new();
        if let Some(dialect) = dialect {
            map.insert("$schema".to_owned(), json!(dialect));
        }
        map.insert("type".to_owned(), json!("object"));
        map.insert("$defs".to_owned(), json!({ "d": b, "e": { "$anchor": "here", "type": "integer" } }));
        if bits & 1 == 0 {
            map.extend(
                extra.as_object().cloned().unwrap_or_default().into_iter().filter(|(k, _)| k != "type"),
            );
        }
        if bits & 2 == 0 {
            map.insert("properties".to_owned(), json!({ "a": a, "query": { "type": "string" } }));
        }
        if bits & 4 == 0 {
            map.insert("required".to_owned(), json!(["a"]));
        }
        Value::Object(map)
    })
}

/// A source of decisions that answers as a back end of bytes would, too large numbers included.
struct Bytes(Vec<u8>);

impl Chooser for Bytes {
    fn choose(&mut self, _what: Choice, _count: u64) -> u64 {
        self.0.pop().map_or(u64::MAX, u64::from)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_valid_validates_and_what_is_invalid_does_not(schema in tool(), seed: u64) {
        let hints = Hints { paths: vec!["/tmp".to_owned()], ..Hints::default() };
        let values = valid(&schema, &hints, seed, 12);
        let all = invalid(&schema, &hints, seed, 12);
        prop_assert_eq!(&values, &valid(&schema, &hints, seed, 12));
        prop_assert_eq!(&all, &invalid(&schema, &hints, seed, 12));
        prop_assert!(values.len() <= 12 && all.len() <= 12);
        let validator = |formats| jsonschema::options().should_validate_formats(formats).build(&schema).ok();
        if let Some(validator) = validator(false) {
            for value in &values {
                prop_assert!(value.is_object() && validator.is_valid(value), "{} is wrong", value);
            }
        }
        // Whether formats count is left open, so what is called invalid must be so either way.
        for validator in [false, true].into_iter().filter_map(validator) {
            for one in &all {
                prop_assert!(one.value.is_object() && !validator.is_valid(&one.value), "{:?} is right", one);
                let place = one.path.rsplit_once('/').map_or("", |(parent, _)| parent);
                prop_assert!(one.value.pointer(place).is_some(), "{:?} points nowhere", one);
            }
        }
    }

    #[test]
    fn any_value_at_all_is_survived(schema in any_json()) {
        let _ = valid(&schema, &Hints::default(), 1, 4);
        let _ = invalid(&schema, &Hints::default(), 1, 4);
    }

    #[test]
    fn any_decisions_are_survived(schema in tool(), bytes: Vec<u8>) {
        let hints = Hints::default();
        if let Some(generator) = Generator::new(&schema, &hints) {
            let _ = generator.generate(&mut Bytes(bytes));
            prop_assert_eq!(generator.generate(&mut Seeded::new(3)), generator.generate(&mut Seeded::new(3)));
            prop_assert_eq!(generator.generate(&mut Plain), generator.generate(&mut Plain));
        }
    }
}

/// Keywords with values of any type.
fn any_json() -> impl Strategy<Value = Value> {
    let words = prop_oneof![
        Just("type"),
        Just("object"),
        Just("string"),
        Just("properties"),
        Just("required"),
        Just("items"),
        Just("enum"),
        Just("$ref"),
        Just("#"),
        Just("allOf"),
        Just("anyOf"),
        Just("not"),
        Just("pattern"),
        Just("minLength"),
        Just("minItems"),
        Just("minimum"),
        Just("multipleOf"),
        Just("$schema"),
        Just("$id"),
        Just("if"),
        Just("then"),
    ];
    let leaf =
        prop_oneof![scalar(), words.clone().prop_map(Value::from), any::<f64>().prop_map(|x| json!(x))];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((words.clone(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    })
}

/// Not a promise, but the point of it all: most schemas that can be satisfied are.
#[test]
fn few_satisfiable_schemas_are_given_up() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]));
    let (mut compiled, mut satisfied) = (0_u32, 0_u32);
    for _ in 0..400 {
        let schema = tool().new_tree(&mut runner).unwrap().current();
        if Generator::new(&schema, &Hints::default()).is_some() {
            compiled += 1;
            satisfied += u32::from(!valid(&schema, &Hints::default(), 1, 1).is_empty());
        }
    }
    println!("{satisfied} of {compiled} schemas satisfied");
    // The rest is mostly contradictory: random schemas ask for `false` and for disjoint types.
    assert!(compiled > 200 && satisfied * 10 > compiled * 6, "{satisfied} of {compiled}");
}
