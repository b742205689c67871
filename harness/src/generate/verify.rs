//! The judge of what the walker proposes: the `jsonschema` crate, without any way to fetch something.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

/// So many errors are counted; more are as bad.
const MAX_ERRORS: usize = 20;

/// How a value fails.
#[derive(Debug, Clone)]
pub(super) struct Complaint {
    /// How many errors there are.
    pub(super) errors: usize,
    /// Where in the value each of them is, as JSON Pointers.
    pub(super) places: Vec<String>,
    /// The keyword that each of them breaks.
    pub(super) keywords: Vec<String>,
    /// The validator gave up rather than finding a fault, or a reading of the schema finds none.
    pub(super) doubtful: bool,
}

/// A compiled schema.
pub(super) struct Verifier {
    /// What the schema says for certain.
    lenient: Validator,
    /// The same, and strings have the `format` that it names; nothing if it names none. The specification leaves open
    /// which of the two is meant.
    strict: Option<Validator>,
    /// Up to draft-07 nothing counts beside a `$ref`.
    pub(super) ref_stands_alone: bool,
}

impl Verifier {
    /// Compiles a schema, or nothing if it is none. One that names no dialect is read as 2020-12, and if it is no
    /// schema there, as an older one: many servers still write those.
    pub(super) fn compile(schema: &Value) -> Option<Self> {
        if let Some(named) = schema.get("$schema").and_then(Value::as_str)
            && let Some(compiled) = Self::with(schema, None, is_old(named))
        {
            return Some(compiled);
        }
        let mut unnamed = schema.clone();
        if let Value::Object(map) = &mut unnamed {
            // Order decides nothing here, so the quick way of removing will do.
            map.swap_remove("$schema");
        }
        let drafts = [(Draft::Draft202012, false), (Draft::Draft7, true), (Draft::Draft4, true)];
        let named_one =
            schema.get("$schema").and_then(Value::as_str).is_some_and(super::limits::is_meta_schema);
        if named_one {
            // It is a dialect that the validator knows, and the schema breaks its rules.
            return None;
        }
        drafts.into_iter().find_map(|(draft, old)| Self::with(&unnamed, Some(draft), old))
    }

    fn with(schema: &Value, draft: Option<Draft>, ref_stands_alone: bool) -> Option<Self> {
        let build = |formats: bool| {
            let patterns = PatternOptions::fancy_regex().size_limit(1024 * 1024).backtrack_limit(20_000);
            let options = jsonschema::options()
                .should_validate_formats(formats)
                .with_pattern_options(patterns)
                .offline();
            let options = match draft {
                Some(draft) => options.with_draft(draft),
                None => options,
            };
            options.build(schema).ok()
        };
        let strict = if names_any(schema, &["format"]) { Some(build(true)?) } else { None };
        Some(Self { lenient: build(false)?, strict, ref_stands_alone })
    }

    /// Whether the schema is satisfied beyond doubt.
    pub(super) fn accepts(&self, value: &Value) -> bool {
        self.lenient.is_valid(value)
    }

    /// Whether the schema is satisfied whether or not formats count. Under `not` and in `oneOf` a value may satisfy it
    /// only because a string lacks its format.
    pub(super) fn accepts_strictly(&self, value: &Value) -> bool {
        self.strict.as_ref().is_none_or(|strict| strict.is_valid(value)) && self.accepts(value)
    }

    /// What is wrong with a value, formats included.
    pub(super) fn complaint(&self, value: &Value) -> Complaint {
        complaint(self.strict.as_ref().unwrap_or(&self.lenient), value)
    }

    /// What is wrong with a value, formats aside; doubtful if nothing is where formats count.
    pub(super) fn certain_complaint(&self, value: &Value) -> Complaint {
        let mut found = complaint(&self.lenient, value);
        found.doubtful |= self.strict.as_ref().is_some_and(|strict| strict.is_valid(value));
        found
    }
}

/// Whether an object anywhere in a value has a member of one of these names.
pub(crate) fn names_any(value: &Value, names: &[&str]) -> bool {
    match value {
        Value::Object(map) => {
            map.iter().any(|(name, member)| names.contains(&name.as_str()) || names_any(member, names))
        }
        Value::Array(items) => items.iter().any(|item| names_any(item, names)),
        _ => false,
    }
}

fn complaint(validator: &Validator, value: &Value) -> Complaint {
    let mut found = Complaint { errors: 0, places: Vec::new(), keywords: Vec::new(), doubtful: false };
    for error in validator.iter_errors(value).take(MAX_ERRORS) {
        found.errors = found.errors.saturating_add(1);
        found.places.push(error.instance_path().as_str().to_owned());
        found.keywords.push(error.kind().keyword().to_owned());
        found.doubtful |= matches!(
            error.kind(),
            ValidationErrorKind::BacktrackLimitExceeded { .. }
                | ValidationErrorKind::RegexEngineFailure { .. }
        );
    }
    found
}

fn is_old(dialect: &str) -> bool {
    ["draft-03", "draft-04", "draft-06", "draft-07"].iter().any(|old| dialect.contains(old))
}
