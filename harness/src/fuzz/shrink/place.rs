//! Where in an input something can be made smaller.

use mcp_conform_cases::case::Action;
use serde_json::Value;

use crate::fuzz::input::InputStep;

/// A step down into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name(String),
    Index(usize),
}

/// A value of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Params,
    Id,
    Json,
}

/// A text of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TextPlace {
    /// Within a value.
    Value(Slot, Vec<Key>),
    Method,
    Raw,
    Header(usize),
    HttpMethod,
    HttpPath,
    HttpBody,
    HeadLine(usize),
}

/// The values of a step, and where they are.
pub(super) fn slots(step: &InputStep) -> Vec<(Slot, &Value)> {
    match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            let params = send.params.as_ref().map(|params| (Slot::Params, params));
            params.into_iter().chain(send.id.as_ref().map(|id| (Slot::Id, id))).collect()
        }
        Action::Json(value) => vec![(Slot::Json, value)],
        _ => Vec::new(),
    }
}

pub(super) fn slot_mut(step: &mut InputStep, slot: Slot) -> Option<&mut Value> {
    match (&mut step.action, slot) {
        (Action::Request(send) | Action::Notify(send), Slot::Params) => send.params.as_mut(),
        (Action::Request(send) | Action::Notify(send), Slot::Id) => send.id.as_mut(),
        (Action::Json(value), Slot::Json) => Some(value),
        _ => None,
    }
}

pub(super) fn value_mut<'v>(value: &'v mut Value, path: &[Key]) -> Option<&'v mut Value> {
    let mut here = value;
    for key in path {
        here = match key {
            Key::Name(name) => here.get_mut(name)?,
            Key::Index(index) => here.get_mut(index)?,
        };
    }
    Some(here)
}

/// The texts of a step beside those in its values.
pub(super) fn texts(step: &InputStep) -> Vec<(TextPlace, &str)> {
    let mut all: Vec<(TextPlace, &str)> = Vec::new();
    match &step.action {
        Action::Request(send) | Action::Notify(send) => all.push((TextPlace::Method, &send.method)),
        Action::Raw(text) => all.push((TextPlace::Raw, text)),
        Action::Http(request) => {
            all.push((TextPlace::HttpMethod, &request.method));
            all.extend(request.path.as_deref().map(|path| (TextPlace::HttpPath, path)));
            all.extend(request.body.as_deref().map(|body| (TextPlace::HttpBody, body)));
        }
        Action::HttpRaw(raw) => {
            all.extend(
                raw.head.iter().enumerate().map(|(at, line)| (TextPlace::HeadLine(at), line.as_str())),
            );
            all.extend(raw.body.as_deref().map(|body| (TextPlace::HttpBody, body)));
        }
        _ => {}
    }
    let headers = step.headers.iter().enumerate();
    all.extend(headers.filter_map(|(at, (_, value))| Some((TextPlace::Header(at), value.as_deref()?))));
    all
}

pub(super) fn text_mut<'s>(step: &'s mut InputStep, place: &TextPlace) -> Option<&'s mut String> {
    match place {
        TextPlace::Value(slot, path) => match value_mut(slot_mut(step, *slot)?, path)? {
            Value::String(text) => Some(text),
            _ => None,
        },
        TextPlace::Header(at) => step.headers.get_mut(*at)?.1.as_mut(),
        _ => match (&mut step.action, place) {
            (Action::Request(send) | Action::Notify(send), TextPlace::Method) => Some(&mut send.method),
            (Action::Raw(text), TextPlace::Raw) => Some(text),
            (Action::Http(request), TextPlace::HttpMethod) => Some(&mut request.method),
            (Action::Http(request), TextPlace::HttpPath) => request.path.as_mut(),
            (Action::Http(request), TextPlace::HttpBody) => request.body.as_mut(),
            (Action::HttpRaw(raw), TextPlace::HeadLine(at)) => raw.head.get_mut(*at),
            (Action::HttpRaw(raw), TextPlace::HttpBody) => raw.body.as_mut(),
            _ => None,
        },
    }
}
