//! Whether every step still finds what it refers to.

use mcp_conform_cases::case::{Action, Path, Segment};
use serde_json::Value;

use crate::fuzz::input::{Input, InputStep};
use crate::fuzz::shrink::place;
use crate::template::{Piece, pieces};

/// Names that every case knows. See `cases/README.md`.
const KNOWN: [&str; 11] = [
    "id",
    "revision",
    "revisions",
    "meta",
    "capabilities",
    "tool",
    "unused",
    "first",
    "big",
    "http",
    "paginated",
];

/// Whether all names in templates are known where they are used.
pub(super) fn is(input: &Input) -> bool {
    let mut known: Vec<&str> = KNOWN.to_vec();
    for step in &input.steps {
        let is_known = |name: &str| {
            name.trim().parse::<Path>().is_ok_and(|path| {
                matches!(path.segments().first(), Some(Segment::Key(first)) if known.contains(&first.as_str()))
            })
        };
        if !names(step).into_iter().all(|name| name.is_some_and(is_known)) {
            return false;
        }
        if let Action::Close(name) | Action::ResponseTo(name) = &step.action
            && !known.contains(&name.as_str())
        {
            return false;
        }
        known.extend(step.name.as_deref());
        known.extend(step.capture.iter().map(|(name, _)| name.as_str()));
    }
    true
}

/// The names in the templates of a step; nothing for a template that is broken.
fn names(step: &InputStep) -> Vec<Option<&str>> {
    let mut names = Vec::new();
    for (_, text) in place::texts(step) {
        of_text(text, &mut names);
    }
    for (_, value) in place::slots(step) {
        of_value(value, &mut names);
    }
    if let Action::Request(send) | Action::Notify(send) = &step.action {
        for (name, value) in &send.meta {
            of_text(name, &mut names);
            of_value(value, &mut names);
        }
    }
    names
}

fn of_text<'t>(text: &'t str, names: &mut Vec<Option<&'t str>>) {
    for piece in pieces(text) {
        match piece {
            Ok(Piece::Name("http.headers")) | Ok(Piece::Text(_) | Piece::Literal { .. }) => {}
            Ok(Piece::Name(name)) => names.push(Some(name)),
            Err(_) => names.push(None),
        }
    }
}

fn of_value<'v>(value: &'v Value, names: &mut Vec<Option<&'v str>>) {
    match value {
        Value::String(text) => of_text(text, names),
        Value::Array(items) => items.iter().for_each(|item| of_value(item, names)),
        Value::Object(members) => {
            for (name, member) in members {
                of_text(name, names);
                of_value(member, names);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
