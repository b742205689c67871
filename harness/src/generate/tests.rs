//! Tests of the whole generator. Every helper has an independent validator look at what comes out.

mod hostile;
mod keywords;
mod random;
mod real;

use serde_json::Value;

use super::{Broken, Hints, invalid, valid};

/// Valid arguments, after checking the promises that hold for any schema.
fn made(schema: &Value) -> Vec<Value> {
    made_with(schema, &Hints::default(), 24)
}

fn made_with(schema: &Value, hints: &Hints, limit: usize) -> Vec<Value> {
    let validator = independent(schema);
    let values = valid(schema, hints, 1, limit);
    for (index, value) in values.iter().enumerate() {
        assert!(value.is_object(), "{value}");
        assert!(validator.is_valid(value), "{value} breaks {schema}");
        assert!(!values[..index].contains(value), "{value} twice");
    }
    assert!(values.len() <= limit);
    assert_eq!(values, valid(schema, hints, 1, limit));
    values
}

/// Broken arguments, after checking the promises that hold for any schema.
fn broken(schema: &Value) -> Vec<Broken> {
    let validator = independent(schema);
    let all = invalid(schema, &Hints::default(), 1, 100);
    for one in &all {
        assert!(one.value.is_object(), "{one:?}");
        assert!(!validator.is_valid(&one.value), "{one:?} satisfies {schema}");
        assert!(!one.why.is_empty() && !one.keyword.is_empty());
    }
    assert_eq!(all, invalid(schema, &Hints::default(), 1, 100));
    all
}

fn independent(schema: &Value) -> jsonschema::Validator {
    jsonschema::options().should_validate_formats(false).build(schema).unwrap()
}

/// The values that the property `x` takes.
fn xs(values: &[Value]) -> Vec<&Value> {
    values.iter().filter_map(|value| value.get("x")).collect()
}

fn whys(all: &[Broken]) -> Vec<&str> {
    all.iter().map(|one| one.why.as_str()).collect()
}
