//! Says in plain words what a validator found.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use super::{abridge, union};

/// How many violations of one instance are reported: a list with thousands of wrong items has one mistake.
const MAX_VIOLATIONS: usize = 20;
/// How many characters of a string are quoted.
const MAX_QUOTED: usize = 60;

/// One way in which an instance breaks the schema.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Violation {
    /// Where in the instance, as a JSON pointer; empty for the instance itself.
    pub instance_path: String,
    /// Where in the document of the revision, as a JSON pointer.
    pub schema_path: String,
    /// The keyword of JSON Schema that was broken. `format` is an annotation in the newer dialects and optional in the
    /// older one, so it weighs less than the others.
    pub keyword: String,
    /// What is wrong, in words and of bounded length; it does not repeat the path.
    pub message: String,
}

impl Violation {
    pub(super) fn new(error: &ValidationError<'_>, message: String) -> Self {
        Violation {
            instance_path: error.instance_path().to_string(),
            schema_path: error.schema_path().to_string(),
            keyword: error.kind().keyword().to_owned(),
            message,
        }
    }
}

/// Adds what `validator` has against `instance`, unless it is known already.
pub(super) fn collect(validator: &Validator, instance: &Value, found: &mut Vec<Violation>) {
    if validator.is_valid(instance) {
        return;
    }
    let short = abridge::abridged(instance);
    let mut violations = short.as_ref().map_or_else(Vec::new, |short| explain_instance(validator, short));
    if violations.is_empty() {
        // Nothing is long, or the mistake lies in what was cut off.
        violations = explain_instance(validator, instance);
    }
    for violation in violations {
        let known = |known: &Violation| {
            known.instance_path == violation.instance_path && known.message == violation.message
        };
        if found.len() < MAX_VIOLATIONS && !found.iter().any(known) {
            found.push(violation);
        }
    }
}

fn explain_instance(validator: &Validator, instance: &Value) -> Vec<Violation> {
    let errors: Vec<ValidationError<'_>> = validator.iter_errors(instance).take(MAX_VIOLATIONS).collect();
    explain_all(&errors)
}

/// Explains errors that hold together, without those that only repeat another one.
pub(super) fn explain_all(errors: &[ValidationError<'_>]) -> Vec<Violation> {
    errors.iter().filter(|error| !is_repeated(error, errors)).flat_map(explain).collect()
}

/// A value that is none of the listed ones is not worth a second complaint about its type.
fn is_repeated(error: &ValidationError<'_>, errors: &[ValidationError<'_>]) -> bool {
    matches!(error.kind(), ValidationErrorKind::Type { .. })
        && errors.iter().any(|other| {
            other.instance_path() == error.instance_path()
                && matches!(
                    other.kind(),
                    ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. }
                )
        })
}

fn explain(error: &ValidationError<'_>) -> Vec<Violation> {
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } =
        error.kind()
    {
        return union::explain(error, context);
    }
    vec![Violation::new(error, message(error))]
}

fn message(error: &ValidationError<'_>) -> String {
    let actual = describe(error.instance());
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            format!("the required member {} is missing", describe(property))
        }
        ValidationErrorKind::Type { kind } => {
            format!("must be {}, but is {actual}", one_of(&type_names(kind)))
        }
        ValidationErrorKind::Constant { expected_value } => {
            format!("must be {}, but is {actual}", describe(expected_value))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> =
                options.as_array().map_or(Vec::new(), |options| options.iter().map(describe).collect());
            format!("must be {}, but is {actual}", one_of(&options))
        }
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}, but is {actual}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}, but is {actual}"),
        ValidationErrorKind::MaxItems { limit } => format!("may have at most {limit} items, but is {actual}"),
        ValidationErrorKind::Format { format } => match format.as_str() {
            "byte" => format!("must be base64, but is {actual}"),
            other => format!("must be a valid {other}, but is {actual}"),
        },
        other => format!("breaks `{}`: is {actual}", other.keyword()),
    }
}

/// The types with their articles.
pub(super) fn type_names(kind: &TypeKind) -> Vec<String> {
    let named = |name: String| match name.as_str() {
        "null" => name,
        "array" | "integer" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    };
    match kind {
        TypeKind::Single(only) => vec![named(only.to_string())],
        TypeKind::Multiple(several) => several.iter().map(|each| named(each.to_string())).collect(),
    }
}

/// `a`, `a or b`, `a, b, or c`.
pub(super) fn one_of(options: &[String]) -> String {
    match options {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first, second] => format!("{first} or {second}"),
        [most @ .., last] => format!("{}, or {last}", most.join(", ")),
    }
}

/// A value in a few words: what is small is quoted, what may be large is only measured.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::String(text) => match text.char_indices().nth(MAX_QUOTED) {
            None => value.to_string(),
            Some((end, _)) => {
                let head = text.get(..end).unwrap_or_default();
                format!("{} and so on", Value::from(head))
            }
        },
        Value::Array(items) => format!("an array of {}", counted(items.len(), "item")),
        Value::Object(members) => format!("an object of {}", counted(members.len(), "member")),
        other => other.to_string(),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{Shape, violations};
    use super::MAX_VIOLATIONS;
    use crate::revision::Revision;

    /// The violations as `path: message`.
    fn found(revision: Revision, shape: Shape<'_>, instance: &Value) -> Vec<String> {
        violations(revision, shape, instance)
            .unwrap()
            .into_iter()
            .map(|violation| format!("{}: {}", violation.instance_path, violation.message))
            .collect()
    }

    fn content(block: &Value) -> Vec<String> {
        found(Revision::R2025_06_18, Shape::ResultOf("tools/call"), &json!({ "content": [block] }))
    }

    #[test]
    fn the_branch_of_a_union_is_chosen_by_its_type() {
        assert_eq!(
            content(&json!({ "type": "text", "text": 5 })),
            ["/content/0/text: must be a string, but is 5"]
        );
        assert_eq!(
            content(&json!({ "type": "txt", "text": "a" })),
            [
                r#"/content/0/type: must be "text", "image", "audio", "resource_link", or "resource", but is "txt""#
            ]
        );
        assert_eq!(
            content(&json!({ "text": "a" })),
            [r#"/content/0: the required member "type" is missing"#]
        );
        assert_eq!(content(&json!("a")), [r#"/content/0: must be an object, but is "a""#]);
    }

    #[test]
    fn without_a_type_the_nearest_branch_explains_itself() {
        let resource = |contents: Value| content(&json!({ "type": "resource", "resource": contents }));
        assert_eq!(
            resource(json!({ "uri": "a:b" })),
            [r#"/content/0/resource: must have the member "text" or "blob""#]
        );
        assert_eq!(
            resource(json!({ "uri": 1 })),
            [
                r#"/content/0/resource: must have the member "text" or "blob""#,
                "/content/0/resource/uri: must be a string, but is 1"
            ]
        );
        assert_eq!(
            resource(json!({ "uri": "a:b", "blob": 1 })),
            ["/content/0/resource/blob: must be a string, but is 1"]
        );
    }

    #[test]
    fn other_members_with_listed_values_do_not_choose_a_branch() {
        let fields = json!({ "a": { "type": "string", "format": "colour" }, "b": { "type": "null" } });
        let request = json!({
            "jsonrpc": "2.0", "id": 1, "method": "elicitation/create",
            "params": { "message": "", "requestedSchema": { "type": "object", "properties": fields } },
        });
        let shape = Shape::RequestFromServer("elicitation/create");
        assert_eq!(
            found(Revision::R2025_06_18, shape, &request),
            [
                r#"/params/requestedSchema/properties/a/format: must be "email", "uri", "date", or "date-time", but is "colour""#,
                r#"/params/requestedSchema/properties/b/type: must be "string", "number", "integer", or "boolean", but is "null""#,
            ]
        );
    }

    #[test]
    fn envelopes_are_checked_with_the_messages_of_the_older_revisions() {
        let shape = Shape::NotificationFromServer("notifications/progress");
        let notification = json!({ "method": "notifications/progress", "params": { "progress": 1 } });
        for revision in Revision::ALL {
            assert_eq!(
                found(revision, shape, &notification),
                [
                    r#": the required member "jsonrpc" is missing"#,
                    r#"/params: the required member "progressToken" is missing"#
                ],
                "{revision}"
            );
        }
    }

    #[test]
    fn a_message_is_told_what_would_make_it_one() {
        let message = json!({ "jsonrpc": "2.0", "id": 1 });
        assert_eq!(
            found(Revision::R2025_06_18, Shape::Message, &message),
            [r#": must have the member "method", "result", or "error""#]
        );
    }

    #[test]
    fn large_instances_are_neither_quoted_nor_counted_out() {
        let long = "\u{1f980}".repeat(10_000);
        let blocks: Vec<Value> = (0..1000).map(|_| json!({ "type": "text", "text": [long] })).collect();
        let result = json!({ "content": blocks, "isError": long });
        let found = violations(Revision::R2025_06_18, Shape::ResultOf("tools/call"), &result).unwrap();
        assert_eq!(found.len(), MAX_VIOLATIONS);
        assert!(found.iter().all(|violation| violation.message.len() < 500));
    }

    #[test]
    fn what_a_revision_does_not_have_is_not_judged() {
        assert_eq!(violations(Revision::R2026_07_28, Shape::ResultOf("ping"), &json!({})), None);
        assert_eq!(violations(Revision::R2024_11_05, Shape::Definition("Icon"), &json!({})), None);
        // Written in place in that revision.
        assert_eq!(violations(Revision::R2024_11_05, Shape::Definition("ContentBlock"), &json!({})), None);
    }
}
