//! Answers to arrays of ours, in the one revision that has them.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::transcript::Happening;
use crate::wire::Content;

/// An array of ours that is not empty, and the answers to it in one array.
struct Exchange<'t> {
    sent: usize,
    members: Vec<Value>,
    answered: usize,
    answers: &'t [Value],
}

fn is_request(member: &Value) -> bool {
    member.get("method").is_some_and(Value::is_string) && member.get("id").is_some()
}

fn is_notification(member: &Value) -> bool {
    member.get("method").is_some_and(Value::is_string) && member.get("id").is_none()
}

/// Arrays with a request in them, and the array that answers one of these requests. Answers that come one by one are
/// left to the rules for messages.
fn exchanges<'t>(dialogue: &Dialogue<'t>) -> Vec<Exchange<'t>> {
    let mut found = Vec::new();
    for (sent, entry) in dialogue.transcript.entries.iter().enumerate() {
        let Happening::Sent { message: Some(Value::Array(members)), .. } = &entry.what else { continue };
        let ids: Vec<&Value> = members
            .iter()
            .filter(|member| is_request(member))
            .filter_map(|member| member.get("id"))
            .collect();
        let answer =
            dialogue.transcript.entries.iter().enumerate().skip(sent).find_map(|(index, entry)| match &entry
                .what
            {
                Happening::Received { content: Content::Batch(answers), .. } => answers
                    .iter()
                    .any(|answer| answer.get("id").is_some_and(|id| ids.contains(&id)))
                    .then_some((index, answers)),
                _ => None,
            });
        if let Some((answered, answers)) = answer {
            found.push(Exchange { sent, members: members.clone(), answered, answers });
        }
    }
    found
}

/// An array of valid members has one answer for each request and none for a notification.
pub(super) fn answers(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for exchange in exchanges(dialogue) {
        if !exchange.members.iter().all(|member| is_request(member) || is_notification(member)) {
            continue;
        }
        let wanted = exchange.members.iter().filter(|member| is_request(member)).count();
        let got = exchange.answers.len();
        seen.examine((got != wanted).then(|| {
            let mut broken = breach(
                dialogue,
                exchange.answered,
                Some(exchange.sent),
                format!("{wanted} requests in an array got {got} answers"),
            );
            broken.expected = Some(format!("{wanted} answers"));
            broken.got = Some(got.to_string());
            broken
        }));
    }
    seen
}

/// A member that is no object has an answer of its own.
pub(super) fn invalid_member(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for exchange in exchanges(dialogue) {
        if exchange.members.iter().all(Value::is_object) {
            continue;
        }
        let refused = exchange
            .answers
            .iter()
            .any(|answer| answer.pointer("/error/code").and_then(Value::as_i64) == Some(-32600));
        seen.examine((!refused).then(|| {
            let mut broken = breach(
                dialogue,
                exchange.answered,
                Some(exchange.sent),
                "a member of an array that is no message got no answer",
            );
            broken.expected = Some("an error with code -32600 for it".to_owned());
            broken
        }));
    }
    seen
}
