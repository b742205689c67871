//! Which kinds of input keep ending the server. Each death costs a start, so a kind that has ended it often is tried more
//! and more rarely, but never no more: what hides behind a fault that is known already still has its chance.

use std::collections::{HashMap, HashSet};

use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::input::{Claim, Input};
use super::text_of;

/// So many deaths by a kind of input cost nothing yet.
const FREE: u32 = 4;
/// The rarest that a kind is tried: once in two to the power of this.
const RAREST: u32 = 12;
/// So many deaths beside a kind of input say something about it.
const COMPARABLE: u32 = 3;

/// So many kinds are told apart: names in random inputs make more of them without end.
const MOST_KINDS: usize = 4_096;

/// The deaths so far.
#[derive(Debug, Default)]
pub(super) struct Deaths {
    kinds: HashMap<String, Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    tried: u32,
    deaths: u32,
    /// How often one was under way when the server ended and none of those under way did that alone.
    near: u32,
    /// How many were left out since the last one that was tried.
    left_out: u32,
}

impl Deaths {
    /// An input of this kind ended the server.
    pub(super) fn count(&mut self, kind: String) {
        let kind = self.kinds.entry(kind).or_default();
        kind.deaths = kind.deaths.saturating_add(1);
    }

    /// The server ended while inputs of these kinds were under way, and none of them ends it alone. The kind that was
    /// there most often, measured by how often it was tried, is taken for the cause, once there is something to compare.
    pub(super) fn blame(&mut self, under_way: &HashSet<String>) {
        for name in under_way {
            if self.kinds.len() < MOST_KINDS || self.kinds.contains_key(name) {
                let kind = self.kinds.entry(name.clone()).or_default();
                kind.near = kind.near.saturating_add(1);
            }
        }
        let share = |kind: &Kind| f64::from(kind.near) / f64::from(kind.tried.max(1));
        let worst = self
            .kinds
            .iter_mut()
            .filter(|(name, kind)| kind.near >= COMPARABLE && under_way.contains(*name))
            .max_by(|(_, one), (_, other)| {
                share(one).total_cmp(&share(other)).then(one.near.cmp(&other.near))
            });
        if let Some((_, kind)) = worst {
            kind.deaths = kind.deaths.saturating_add(1);
        }
    }

    /// Whether nothing has ended the server: kinds need not be told apart then.
    pub(super) fn are_none(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Whether the next input of this kind is left out.
    pub(super) fn leave_out(&mut self, kind: String) -> bool {
        if self.kinds.len() >= MOST_KINDS && !self.kinds.contains_key(&kind) {
            return false;
        }
        let kind = self.kinds.entry(kind).or_default();
        if let Some(over) = kind.deaths.checked_sub(FREE) {
            let wanted = 1_u32 << (over + 1).min(RAREST);
            kind.left_out += 1;
            if kind.left_out < wanted {
                return true;
            }
            kind.left_out = 0;
        }
        kind.tried = kind.tried.saturating_add(1);
        false
    }
}

/// Under which name it is counted that a call of a tool of which none succeeded ended in a hang, whatever its arguments.
pub(super) fn kind_of_hang(tool: &str) -> String {
    format!("hang in {tool}")
}

/// What an input has in common with others that end a server for the same reason, as far as one can tell from outside.
pub(super) fn kind(input: &Input) -> String {
    let [step] = input.steps.as_slice() else {
        // What crosses an answer matters more than whose answer it is.
        let notified = input.steps.iter().find_map(|step| match &step.action {
            Action::Notify(send) => Some(send.method.clone()),
            _ => None,
        });
        let about = notified.unwrap_or_else(|| super::suspect::subject(input));
        return format!("{}, {about}", input.origin);
    };
    let what = match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            let claim = match &step.claim {
                Claim::None => "",
                Claim::Valid { .. } => "valid",
                Claim::Forbidden { keyword, .. } => keyword,
                Claim::Bait { .. } => "bait",
            };
            let tool = send.params.as_ref().and_then(|params| params.get("name")).and_then(Value::as_str);
            format!("{} {} {claim}", send.method, tool.unwrap_or_default())
        }
        Action::Json(value) => of_message(value),
        Action::Raw(text) => of_text(text.as_bytes()),
        Action::Bytes(bytes) => of_text(bytes),
        Action::CloseInput => "close".to_owned(),
        _ => input.origin.to_owned(),
    };
    if input.is_bare() { format!("bare {what}") } else { what }
}

fn of_text(bytes: &[u8]) -> String {
    let Ok(text) = std::str::from_utf8(bytes) else { return "no UTF-8".to_owned() };
    match text_of::message(text) {
        Some(message) => of_message(&message),
        None if text.trim().is_empty() => "blank".to_owned(),
        None if text.contains("{{id}}") => "written out".to_owned(),
        None => "no JSON".to_owned(),
    }
}

fn of_message(message: &Value) -> String {
    let members = match message {
        Value::Object(members) => members,
        Value::Array(_) => return "batch".to_owned(),
        _ => return "no object".to_owned(),
    };
    let sort = |name: &str| match members.get(name) {
        None => "none",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(number)) if number.is_f64() => "fraction",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "text",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    };
    format!("id {}, method {}, params {}", sort("id"), sort("method"), sort("params"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_that_keeps_ending_the_server_is_tried_more_and_more_rarely() {
        let mut deaths = Deaths::default();
        let tried =
            |deaths: &mut Deaths, of: usize| (0..of).filter(|_| !deaths.leave_out("a".to_owned())).count();
        assert_eq!(tried(&mut deaths, 100), 100);
        (0..FREE).for_each(|_| deaths.count("a".to_owned()));
        assert_eq!(tried(&mut deaths, 100), 50);
        (0..4).for_each(|_| deaths.count("a".to_owned()));
        assert_eq!(tried(&mut deaths, 320), 10);
        (0..100).for_each(|_| deaths.count("a".to_owned()));
        assert_eq!(tried(&mut deaths, 1 << RAREST), 1);
        assert!(!deaths.leave_out("b".to_owned()));
    }

    #[test]
    fn what_is_always_there_is_blamed_and_not_what_is_tried_often() {
        let mut deaths = Deaths::default();
        for _ in 0..20 {
            for _ in 0..50 {
                assert!(!deaths.leave_out("innocent".to_owned()));
            }
            if !deaths.leave_out("race".to_owned()) {
                deaths.blame(&["innocent", "race"].map(str::to_owned).into());
            }
        }
        assert!((0..100).all(|_| !deaths.leave_out("innocent".to_owned())));
        assert!((0..4).all(|_| deaths.leave_out("race".to_owned())));
    }
}
