//! Explains why a value is none of the shapes of a union by finding the one it was meant to be.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use jsonschema::paths::Location;
use serde_json::Value;

use super::explain::{self, Violation};

/// What each branch of a union has against the value.
type Branches<'e> = &'e [Vec<ValidationError<'static>>];

/// Explains the failure of a whole union at the place of `error`.
pub(super) fn explain(error: &ValidationError<'_>, branches: Branches<'_>) -> Vec<Violation> {
    if let Some(message) = wrong_type(error, branches) {
        return vec![Violation { keyword: "type".to_owned(), ..Violation::new(error, message) }];
    }
    let member = discriminator(error, branches);
    let meant: Vec<&Vec<ValidationError<'static>>> =
        branches.iter().filter(|errors| complaint(member, errors).is_none()).collect();
    if meant.is_empty()
        && let Some(violation) = unknown_discriminator(member, branches)
    {
        return vec![violation];
    }
    let candidates = if meant.is_empty() { branches.iter().collect() } else { meant };
    missing_members(error, &candidates).unwrap_or_else(|| {
        let nearest = candidates.into_iter().min_by_key(|errors| distance(errors));
        nearest.map_or_else(Vec::new, |errors| explain::explain_all(errors))
    })
}

/// The value has none of the types that the branches ask for.
fn wrong_type(error: &ValidationError<'_>, branches: Branches<'_>) -> Option<String> {
    let mut types: Vec<String> = Vec::new();
    for errors in branches {
        let names = errors.iter().find_map(|inner| match inner.kind() {
            ValidationErrorKind::Type { kind } if inner.instance_path() == error.instance_path() => {
                Some(explain::type_names(kind))
            }
            _ => None,
        })?;
        for name in names {
            if !types.contains(&name) {
                types.push(name);
            }
        }
    }
    Some(format!("must be {}, but is {}", explain::one_of(&types), explain::describe(error.instance())))
}

/// The member that tells the branches apart: the first directly inside the value that a branch wants to be a constant.
fn discriminator<'e>(union: &ValidationError<'_>, branches: Branches<'e>) -> Option<&'e Location> {
    let inside = |path: &Location| {
        path.as_str()
            .strip_prefix(union.instance_path().as_str())
            .is_some_and(|rest| rest.matches('/').count() == 1)
    };
    branches
        .iter()
        .flatten()
        .find(|inner| {
            matches!(inner.kind(), ValidationErrorKind::Constant { .. }) && inside(inner.instance_path())
        })
        .map(|inner| inner.instance_path())
}

/// What a branch has against the member that tells the branches apart.
fn complaint<'e>(
    member: Option<&Location>,
    errors: &'e [ValidationError<'static>],
) -> Option<&'e ValidationError<'static>> {
    errors.iter().find(|inner| {
        Some(inner.instance_path()) == member
            && matches!(inner.kind(), ValidationErrorKind::Constant { .. } | ValidationErrorKind::Enum { .. })
    })
}

/// Every branch wants something else of that member: one sentence that lists it all.
fn unknown_discriminator(member: Option<&Location>, branches: Branches<'_>) -> Option<Violation> {
    let complaints: Vec<&ValidationError<'static>> =
        branches.iter().filter_map(|errors| complaint(member, errors)).collect();
    let mut expected: Vec<String> = Vec::new();
    for complaint in &complaints {
        let values = match complaint.kind() {
            ValidationErrorKind::Constant { expected_value } => vec![expected_value.as_ref()],
            ValidationErrorKind::Enum { options } => options.as_array().into_iter().flatten().collect(),
            _ => Vec::new(),
        };
        for value in values.into_iter().map(explain::describe) {
            if !expected.contains(&value) {
                expected.push(value);
            }
        }
    }
    let first = complaints.first()?;
    let actual = explain::describe(first.instance());
    Some(Violation::new(first, format!("must be {}, but is {actual}", explain::one_of(&expected))))
}

/// The branches differ in what they miss and in nothing else: either they all miss the same member, or one of several is
/// needed.
fn missing_members(
    error: &ValidationError<'_>,
    candidates: &[&Vec<ValidationError<'static>>],
) -> Option<Vec<Violation>> {
    let [first, rest @ ..] = candidates else { return None };
    if rest.is_empty() {
        return None;
    }
    let report =
        |message: String| Violation { keyword: "required".to_owned(), ..Violation::new(error, message) };
    let common = first.iter().filter_map(|inner| missing_member(error, inner)).find(|name| {
        rest.iter().all(|errors| errors.iter().any(|inner| missing_member(error, inner) == Some(*name)))
    });
    if let Some(name) = common {
        return Some(vec![report(format!("the required member \"{name}\" is missing"))]);
    }
    let mut names: Vec<String> = Vec::new();
    for errors in candidates {
        let mut missing = errors.iter().filter_map(|inner| missing_member(error, inner));
        let name = format!("\"{}\"", missing.next()?);
        if missing.next().is_some() || !same_besides(error, first, errors) {
            return None;
        }
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let besides = explain::explain_all(first)
        .into_iter()
        .filter(|violation| violation.instance_path != error.instance_path().as_str());
    Some(
        [report(format!("must have the member {}", explain::one_of(&names)))]
            .into_iter()
            .chain(besides)
            .collect(),
    )
}

/// Whether two branches have the same against the members that are there.
fn same_besides(
    union: &ValidationError<'_>,
    left: &[ValidationError<'static>],
    right: &[ValidationError<'static>],
) -> bool {
    let besides = |errors: &[ValidationError<'static>]| -> Vec<(String, String)> {
        errors
            .iter()
            .filter(|inner| missing_member(union, inner).is_none())
            .map(|inner| (inner.instance_path().to_string(), inner.kind().keyword().to_owned()))
            .collect()
    };
    besides(left) == besides(right)
}

fn missing_member<'e>(union: &ValidationError<'_>, inner: &'e ValidationError<'static>) -> Option<&'e str> {
    match inner.kind() {
        ValidationErrorKind::Required { property: Value::String(name) }
            if inner.instance_path() == union.instance_path() =>
        {
            Some(name)
        }
        _ => None,
    }
}

/// How far the value is from a branch: a missing member says more than a wrong one that the branch shares with others.
fn distance(errors: &[ValidationError<'static>]) -> usize {
    errors
        .iter()
        .map(|error| if matches!(error.kind(), ValidationErrorKind::Required { .. }) { 2 } else { 1 })
        .sum()
}
