//! The walker over JSON Schemas: it ends on every schema, what it calls valid is accepted, what it calls invalid is
//! refused, and the same bytes lead to the same values.

mod grammar;

use jsonschema::{PatternOptions, Validator};
use mcp_conform::generate::{Choice, Chooser, Generator, Hints, Plain, Seeded, invalid, valid};
use serde_json::Value;

use crate::bytes::Bytes;

/// The longest schema, in bytes; longer ones only cost time.
const MAX_SCHEMA: usize = 2048;
/// How many values are asked for.
const WANTED: usize = 6;
/// The longest value that may be made, in bytes of JSON. Twice what the walker allows itself, for escapes.
const MAX_VALUE: usize = 128 * 1024;

/// Tries one input: an even byte and a schema as JSON, or an odd one and decisions from which a schema is put together.
/// The seed is the second byte.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (is_put_together, seed) = (bytes.flag(), u64::from(bytes.byte()));
    let schema = if is_put_together {
        grammar::tool(&mut bytes)
    } else {
        let text = bytes.clone().rest();
        let Some(schema) = serde_json::from_slice(text).ok().filter(|_| text.len() <= MAX_SCHEMA) else {
            return;
        };
        schema
    };
    let hints = Hints { paths: vec!["/tmp".to_owned()], ..Hints::default() };
    let values = valid(&schema, &hints, seed, WANTED);
    let broken = invalid(&schema, &hints, seed, WANTED);
    assert_eq!(values, valid(&schema, &hints, seed, WANTED));
    assert_eq!(broken, invalid(&schema, &hints, seed, WANTED));
    assert!(values.len() <= WANTED && broken.len() <= WANTED);
    for value in &values {
        assert!(value.is_object() && value.to_string().len() <= MAX_VALUE);
        assert!(
            values.iter().filter(|other| *other == value).count() == 1,
            "{value} is there twice, for {schema}"
        );
    }
    for one in &broken {
        assert!(one.value.is_object() && !one.why.is_empty() && !one.keyword.is_empty());
        let parent = one.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        assert!(one.value.pointer(parent).is_some(), "{one:?} points nowhere");
    }
    let Some(generator) = Generator::new(&schema, &hints) else {
        assert!(values.is_empty() && broken.is_empty());
        return;
    };
    judge(&schema, &values, broken.iter().map(|one| &one.value));
    assert_eq!(generator.generate(&mut Seeded::new(seed)), generator.generate(&mut Seeded::new(seed)));
    assert_eq!(generator.generate(&mut Plain), generator.generate(&mut Plain));
    let by_bytes = |bytes| generator.generate(&mut Decisions(bytes));
    assert_eq!(by_bytes(bytes.clone()), by_bytes(bytes));
}

fn judge<'v>(schema: &Value, values: &[Value], broken: impl Iterator<Item = &'v Value>) {
    // A schema that no published dialect allows may still be read as an older one; then this validator has no say.
    let Some(validator) = validator(schema) else { return };
    for value in values {
        assert!(validator.is_valid(value), "{value} does not satisfy {schema}");
    }
    for value in broken {
        assert!(!validator.is_valid(value), "{value} satisfies {schema}");
    }
}

fn validator(schema: &Value) -> Option<Validator> {
    let patterns = PatternOptions::fancy_regex().size_limit(1024 * 1024).backtrack_limit(20_000);
    jsonschema::options()
        .should_validate_formats(false)
        .with_pattern_options(patterns)
        .offline()
        .build(schema)
        .ok()
}

struct Decisions<'a>(Bytes<'a>);

impl Chooser for Decisions<'_> {
    fn choose(&mut self, _what: Choice, _count: u64) -> u64 {
        // One that is too large must be borne as well.
        if self.0.flag() { u64::MAX } else { u64::from(self.0.byte()) }
    }
}
