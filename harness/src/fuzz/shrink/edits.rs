//! Single changes that make an input smaller.

mod consistent;
mod texts;
mod values;

use std::ops::Range;

use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::place::{self, Slot, TextPlace};
use crate::fuzz::input::{Claim, Input, InputStep};

/// How many parts of one size are cut out of one thing.
const MAX_PARTS: usize = 64;

/// A change that makes something smaller or plainer, never larger.
#[derive(Clone, Debug)]
pub(super) enum Edit {
    DropSteps(Range<usize>),
    DropHeader(usize, usize),
    DropCapture(usize, usize),
    DropName(usize),
    /// Without an id of its own, members of `_meta`, or haste.
    DropId(usize),
    DropMeta(usize),
    Wait(usize),
    DropParams(usize),
    DropBody(usize),
    DropHeadLine(usize, usize),
    Value(usize, Slot, Vec<place::Key>, values::Change),
    Text(usize, TextPlace, texts::Change),
    Bytes(usize, texts::Change),
}

/// All changes of an input, those that make it much smaller first.
pub(super) fn of(input: &Input) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    if input.steps.len() > 1 {
        edits.extend(parts(input.steps.len()).map(Edit::DropSteps));
    }
    for (at, step) in input.steps.iter().enumerate() {
        of_frame(at, step, &mut edits);
    }
    for (at, step) in input.steps.iter().enumerate() {
        for (slot, value) in place::slots(step) {
            values::of(at, slot, value, &mut Vec::new(), &mut edits);
        }
        for (place, text) in place::texts(step) {
            edits.extend(texts::of(text).into_iter().map(|change| Edit::Text(at, place.clone(), change)));
        }
        if let Action::Bytes(bytes) = &step.action {
            edits.extend(texts::of_bytes(bytes).into_iter().map(|change| Edit::Bytes(at, change)));
        }
    }
    edits
}

/// What stands around a step's own content.
fn of_frame(at: usize, step: &InputStep, edits: &mut Vec<Edit>) {
    edits.extend((0..step.headers.len()).map(|header| Edit::DropHeader(at, header)));
    edits.extend((0..step.capture.len()).map(|capture| Edit::DropCapture(at, capture)));
    if step.name.is_some() {
        edits.push(Edit::DropName(at));
    }
    match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            if send.id.is_some() {
                edits.push(Edit::DropId(at));
            }
            if !send.meta.is_empty() || !send.without_meta.is_empty() {
                edits.push(Edit::DropMeta(at));
            }
            if send.background {
                edits.push(Edit::Wait(at));
            }
            if send.params.is_some() {
                edits.push(Edit::DropParams(at));
            }
        }
        Action::Http(request) if request.body.is_some() => edits.push(Edit::DropBody(at)),
        Action::HttpRaw(raw) => {
            edits.extend((0..raw.head.len()).map(|line| Edit::DropHeadLine(at, line)));
            if raw.body.is_some() {
                edits.push(Edit::DropBody(at));
            }
        }
        _ => {}
    }
}

/// Ranges to cut out of something of a length: all of it, its halves, and smaller and smaller parts.
pub(super) fn parts(length: usize) -> impl Iterator<Item = Range<usize>> {
    let sizes = std::iter::successors(Some(length), |size| (*size > 1).then_some(size.div_ceil(2)));
    sizes.flat_map(move |size| {
        let starts = (0..length).step_by(size.max(1)).take(MAX_PARTS);
        starts.map(move |start| start..start.saturating_add(size).min(length))
    })
}

/// The input with a change; nothing where it changes nothing, leaves nothing, or breaks what later steps refer to.
pub(super) fn applied(edit: &Edit, input: &Input) -> Option<Input> {
    let mut smaller = input.clone();
    change(edit, &mut smaller)?;
    let is_fine = !smaller.steps.is_empty() && smaller != *input && consistent::is(&smaller);
    is_fine.then_some(smaller)
}

fn change(edit: &Edit, input: &mut Input) -> Option<()> {
    match edit {
        Edit::DropSteps(range) => {
            let range = range.start.min(input.steps.len())..range.end.min(input.steps.len());
            input.steps.drain(range);
        }
        Edit::DropHeader(at, header) => {
            let headers = &mut input.steps.get_mut(*at)?.headers;
            (*header < headers.len()).then(|| headers.remove(*header))?;
        }
        Edit::DropCapture(at, capture) => {
            let captures = &mut input.steps.get_mut(*at)?.capture;
            (*capture < captures.len()).then(|| captures.remove(*capture))?;
        }
        Edit::DropName(at) => input.steps.get_mut(*at)?.name = None,
        Edit::DropBody(at) => match &mut input.steps.get_mut(*at)?.action {
            Action::Http(request) => request.body = None,
            Action::HttpRaw(raw) => raw.body = None,
            _ => return None,
        },
        Edit::DropHeadLine(at, line) => match &mut input.steps.get_mut(*at)?.action {
            Action::HttpRaw(raw) if *line < raw.head.len() => drop(raw.head.remove(*line)),
            _ => return None,
        },
        Edit::DropId(at) | Edit::DropMeta(at) | Edit::Wait(at) | Edit::DropParams(at) => {
            let (Action::Request(send) | Action::Notify(send)) = &mut input.steps.get_mut(*at)?.action else {
                return None;
            };
            match edit {
                Edit::DropId(_) => send.id = None,
                Edit::DropMeta(_) => {
                    send.meta.clear();
                    send.without_meta.clear();
                }
                Edit::Wait(_) => send.background = false,
                _ => send.params = None,
            }
        }
        Edit::Value(at, slot, path, change) => {
            let value = place::value_mut(place::slot_mut(input.steps.get_mut(*at)?, *slot)?, path)?;
            values::apply(change, value);
        }
        Edit::Text(at, place, change) => {
            let text = place::text_mut(input.steps.get_mut(*at)?, place)?;
            *text = texts::apply(change, text)?;
        }
        Edit::Bytes(at, change) => match &mut input.steps.get_mut(*at)?.action {
            Action::Bytes(bytes) => texts::apply_to_bytes(change, bytes)?,
            _ => return None,
        },
    }
    Some(())
}

/// Gives up what was claimed of arguments that have changed.
pub(super) fn drop_claims(candidate: &mut Input, before: &Input) {
    for step in &mut candidate.steps {
        let params = |step: &InputStep| match &step.action {
            Action::Request(send) => send.params.clone(),
            _ => None,
        };
        let of_step: Option<Value> = params(step);
        let is_old = before.steps.iter().any(|old| old.claim == step.claim && params(old) == of_step);
        if !is_old {
            step.claim = Claim::None;
        }
    }
}
