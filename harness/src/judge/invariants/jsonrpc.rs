//! The JSON-RPC envelope.

use foldhash::HashMap;
use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::{Dialogue, Said};
use crate::judge::matching::in_short;
use crate::transcript::Happening;
use crate::wire::{Content, Kind, id_key};

/// Every message says `"jsonrpc": "2.0"`.
pub(super) fn version(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        if said.message.is_none_of_ours() {
            continue;
        }
        let version = said.message.member("jsonrpc");
        let wrong = version.and_then(Value::as_str) != Some("2.0");
        seen.examine(wrong.then(|| {
            let what = version.map_or_else(
                || "has no `jsonrpc` member".to_owned(),
                |found| format!("has `jsonrpc` {}", in_short(Some(found))),
            );
            breach(dialogue, said.entry, context(dialogue, said), format!("a message {what}"))
        }));
    }
    seen
}

fn context(dialogue: &Dialogue<'_>, said: &Said<'_>) -> Option<usize> {
    dialogue.request_of(said).map(|asked| asked.entry)
}

fn responses<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = &'d Said<'d>> {
    dialogue.said.iter().filter(|said| said.message.kind == Kind::Response)
}

/// Every response has the id of a request that was sent. An error without a readable id may follow hostile input.
pub(super) fn response_id(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in responses(dialogue) {
        let id = said.message.id().filter(|id| !id.is_null());
        match id {
            Some(_) if said.answers.is_some() => seen.examine(None),
            // Whoever answers a notification, or input that has no readable id, is judged by another rule.
            None if said.message.member("result").is_none() => {}
            // Whether an error for unreadable input may have an id of its own is another rule.
            Some(_) if answers_unreadable(dialogue, said) => {}
            Some(_) if said.error().is_some() && is_refusal(dialogue, said) => {}
            Some(id) if has_lost_precision(id) && dialogue.after_hostile(said.entry) => {}
            // Whoever is asked with a null for an id may answer with one.
            None if written_in_hostile(dialogue, &Value::Null, said.entry) => {}
            Some(id) if !written_in_hostile(dialogue, id, said.entry) => {
                let open = last_request(dialogue, said.entry);
                let message = format!("a response has the id {}, which no request had", in_short(Some(id)));
                let mut broken = breach(dialogue, said.entry, open, message);
                broken.expected = open
                    .and_then(|entry| dialogue.asked.iter().find(|asked| asked.entry == entry))
                    .map(|asked| format!("the id {}", asked.id));
                broken.got = Some(format!("the id {}", in_short(Some(id))));
                seen.examine(Some(broken));
            }
            None => {
                let open = last_request(dialogue, said.entry);
                let mut broken = breach(dialogue, said.entry, open, "a response with a result has no id");
                broken.expected = Some("the id of the request".to_owned());
                seen.examine(Some(broken));
            }
            Some(_) => {}
        }
    }
    seen
}

/// Whether a message is the body of an HTTP refusal. It stands beside the status instead of answering by id: a server
/// may refuse before it has read who asks.
fn is_refusal(dialogue: &Dialogue<'_>, said: &Said<'_>) -> bool {
    let entries = &dialogue.transcript.entries;
    let Some(Happening::Received { origin: Some(origin), .. }) =
        entries.get(said.entry).map(|entry| &entry.what)
    else {
        return false;
    };
    // The head stands before the body, and not far.
    entries.iter().take(said.entry).rev().any(|entry| {
        matches!(entry.what, Happening::Head { exchange, status, .. } if exchange == origin.exchange && status >= 400)
    })
}

/// Whether it says that input of ours could not be read, which then was hostile.
fn answers_unreadable(dialogue: &Dialogue<'_>, said: &Said<'_>) -> bool {
    let code = said.error().and_then(|error| error.get("code")).and_then(Value::as_i64);
    matches!(code, Some(-32700 | -32600)) && dialogue.after_hostile(said.entry)
}

/// An error for input that could not be read has no id, or null.
pub(super) fn no_invented_id(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in
        responses(dialogue).filter(|said| said.answers.is_none() && answers_unreadable(dialogue, said))
    {
        let invented =
            said.message.id().filter(|id| !id.is_null() && !written_in_hostile(dialogue, id, said.entry));
        seen.examine(invented.map(|id| {
            let mut broken = breach(
                dialogue,
                said.entry,
                None,
                format!("an error for input that could not be read has the id {}", in_short(Some(id))),
            );
            broken.expected = Some("no id, or null".to_owned());
            broken
        }));
    }
    seen
}

/// `params`, where there are any, are an object.
pub(super) fn params_object(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let (Some(method), Some(params)) = (said.method(), said.message.member("params")) else {
            continue;
        };
        seen.examine((!params.is_object()).then(|| {
            breach(
                dialogue,
                said.entry,
                None,
                format!("the `params` of `{method}` are {}, not an object", in_short(Some(params))),
            )
        }));
    }
    seen
}

/// Whether hostile bytes before the entry hold the id as an id: the server may have read more out of them than we can.
fn written_in_hostile(dialogue: &Dialogue<'_>, id: &Value, before: usize) -> bool {
    // What stood there could not be written back, half of a surrogate pair for instance.
    if id.as_str().is_some_and(|id| id.contains(char::REPLACEMENT_CHARACTER)) {
        return dialogue.after_hostile(before);
    }
    let wanted = id.to_string();
    let names_it = |text: &str| {
        text.match_indices("\"id\"").any(|(place, name)| {
            let value = text.get(place + name.len()..).unwrap_or_default().trim_start();
            let value = value.strip_prefix(':').unwrap_or_default().trim_start();
            let rest = value.strip_prefix(wanted.as_str());
            rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '.'))
                || (id.is_number() && leading_number(value) == id.as_f64())
        })
    };
    dialogue.transcript.entries.iter().take(before).any(|entry| match &entry.what {
        Happening::Sent { bytes, hostile: true, .. } => {
            // Some readers take UTF-16 for what it is; without the zeros the ASCII in it is legible.
            let legible: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
            names_it(&String::from_utf8_lossy(&legible))
        }
        _ => false,
    })
}

/// The number at the beginning of a text, in whatever way it is written: `1e2` is 100.
fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !"+-.eE".contains(c)).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

/// Whether the id is a number that programs without integers of that size cannot keep apart from its neighbours.
fn has_lost_precision(id: &Value) -> bool {
    const EXACT: f64 = 9_007_199_254_740_991.0;
    id.as_f64().is_some_and(|number| number.abs() > EXACT)
}

/// The entry of the latest request without an answer before `entry`.
fn last_request(dialogue: &Dialogue<'_>, entry: usize) -> Option<usize> {
    dialogue.asked.iter().rev().find(|asked| asked.entry < entry).map(|asked| asked.entry)
}

/// No request is answered twice.
pub(super) fn one_response(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    // What hostile input asks is another matter when it uses an id again, and when it is not read as we read it.
    let mut allowed: HashMap<SameId<'_>, usize> =
        HashMap::with_capacity_and_hasher(dialogue.asked.len(), RandomState::default());
    for asked in &dialogue.asked {
        *allowed.entry(SameId::of(&asked.id)).or_default() += 1;
    }
    let mut answers: HashMap<SameId<'_>, usize> =
        HashMap::with_capacity_and_hasher(dialogue.said.len(), RandomState::default());
    for said in responses(dialogue) {
        let Some(asked) = said.answers.and_then(|asked| dialogue.asked.get(asked)) else { continue };
        // An error with the id null may answer anything that could not be read.
        if asked.id.is_null() {
            continue;
        }
        let key = SameId::of(&asked.id);
        let allowed = allowed.get(&key).copied().unwrap_or_default();
        let count = answers.entry(key).or_default();
        *count += 1;
        let again = *count > allowed;
        let readable = !asked.hostile || dialogue.was_message(asked.entry);
        seen.examine((again && readable).then(|| {
            breach(dialogue, said.entry, context(dialogue, said), "a request was answered a second time")
        }));
    }
    seen
}

/// The same for ids that are equal as numbers, such as 0 and -0, which a server may take for one.
#[derive(PartialEq, Eq, Hash)]
enum SameId<'v> {
    /// The bits of the floating-point number.
    Number(u64),
    Text(&'v str),
    Other(String),
}

impl SameId<'_> {
    fn of(id: &Value) -> SameId<'_> {
        match (id.as_f64(), id) {
            // The sum of -0 and 0 is 0.
            (Some(number), _) => SameId::Number((number + 0.0).to_bits()),
            (None, Value::String(text)) => SameId::Text(text),
            (None, other) => SameId::Other(id_key(other)),
        }
    }
}

/// A message with an id and without a method has a result or an error.
pub(super) fn result_or_error(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        match said.message.kind {
            Kind::Response => seen.examine(None),
            // A log line that happens to be JSON is judged with other lines that are no messages.
            Kind::Other if said.message.is_none_of_ours() => {}
            Kind::Other => seen.examine(Some(breach(
                dialogue,
                said.entry,
                context(dialogue, said),
                "a message has neither `method` nor `result` nor `error`",
            ))),
            Kind::Request | Kind::Notification => {}
        }
    }
    seen
}

/// No response has both. Some writers put a null beside the other member, which is advice only.
pub(super) fn result_xor_error(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in responses(dialogue) {
        let (Some(result), Some(error)) = (said.message.member("result"), said.message.member("error"))
        else {
            seen.examine(None);
            continue;
        };
        let mut broken =
            breach(dialogue, said.entry, context(dialogue, said), "a response has both `result` and `error`");
        broken.advice = result.is_null() || error.is_null();
        seen.examine(Some(broken));
    }
    seen
}

/// An error is an object with a code and a message.
pub(super) fn error_object(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let Some(error) = said.error() else { continue };
        let wrong = match error {
            Value::Object(members) if !members.contains_key("code") => Some("an error has no `code`"),
            Value::Object(members) if !members.get("message").is_some_and(Value::is_string) => {
                Some("an error has no `message` text")
            }
            Value::Object(_) => None,
            _ => Some("an error is no object"),
        };
        seen.examine(wrong.map(|what| breach(dialogue, said.entry, context(dialogue, said), what)));
    }
    seen
}

/// Error codes are integers.
pub(super) fn error_code_integer(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let Some(code) = said.error().and_then(|error| error.get("code")) else { continue };
        // As JSON Schema has it, -32601.0 is an integer.
        let integer = code.as_f64().is_some_and(|code| code.fract() == 0.0);
        seen.examine((!integer).then(|| {
            breach(
                dialogue,
                said.entry,
                context(dialogue, said),
                format!("an error code is {}, not an integer", in_short(Some(code))),
            )
        }));
    }
    seen
}

/// No notification is answered. An answer to one has no id to go by, so any response without an id counts, unless
/// hostile input came before it, a request is left without its own answer, or the notification stood in an array, which
/// may be refused as a whole.
pub(super) fn notification_unanswered(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation { examined: dialogue.notified.len(), breaches: Vec::new() };
    for said in responses(dialogue) {
        let without_id = said.message.id().is_none_or(Value::is_null);
        if !without_id
            || said.in_batch
            || dialogue.after_hostile(said.entry)
            || leaves_a_request_open(dialogue, said.entry)
        {
            continue;
        }
        let notification = dialogue.notified.iter().rev().find(|(entry, _, _)| *entry < said.entry);
        if let Some((entry, method, _)) = notification.filter(|(entry, _, _)| !is_array(dialogue, *entry)) {
            let message = format!("the notification `{method}` was answered");
            seen.breaches.push(breach(dialogue, said.entry, Some(*entry), message));
        }
    }
    seen
}

/// Whether a request from before the entry never got an answer of its own.
fn leaves_a_request_open(dialogue: &Dialogue<'_>, entry: usize) -> bool {
    dialogue
        .asked
        .iter()
        .enumerate()
        .any(|(index, asked)| asked.entry < entry && dialogue.answered_at(index).is_none())
}

fn is_array(dialogue: &Dialogue<'_>, entry: usize) -> bool {
    let entry = dialogue.transcript.entries.get(entry).map(|entry| &entry.what);
    matches!(entry, Some(Happening::Sent { message: Some(Value::Array(_)), .. }))
}

/// What is named as a notification has no id.
pub(super) fn notification_without_id(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for said in &dialogue.said {
        let Some(method) = said.method().filter(|method| method.starts_with("notifications/")) else {
            continue;
        };
        let wrong = said.message.member("id").is_some();
        seen.examine(
            wrong.then(|| {
                breach(dialogue, said.entry, None, format!("the notification `{method}` has an `id`"))
            }),
        );
    }
    seen
}

fn requests<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = (&'d Said<'d>, &'d Value)> {
    dialogue.said.iter().filter_map(|said| {
        let notification = said.method().is_some_and(|method| method.starts_with("notifications/"));
        if said.message.kind == Kind::Request && !notification {
            Some((said, said.message.id()?))
        } else {
            None
        }
    })
}

/// The id of a request of the server is a string or an integer.
pub(super) fn request_id_type(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (said, id) in requests(dialogue).filter(|(_, id)| !id.is_null()) {
        let right = id.is_string() || id.is_i64() || id.is_u64();
        seen.examine((!right).then(|| {
            breach(
                dialogue,
                said.entry,
                None,
                format!("a request of the server has the id {}", in_short(Some(id))),
            )
        }));
    }
    seen
}

/// It is not null.
pub(super) fn request_id_not_null(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (said, id) in requests(dialogue) {
        seen.examine(
            id.is_null()
                .then(|| breach(dialogue, said.entry, None, "a request of the server has the id null")),
        );
    }
    seen
}

/// It was not used before in the session.
pub(super) fn request_id_unique(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let mut used: Vec<(&Value, usize)> = Vec::new();
    for (said, id) in requests(dialogue).filter(|(_, id)| !id.is_null()) {
        let earlier = used.iter().find(|(other, _)| *other == id).map(|(_, entry)| *entry);
        seen.examine(earlier.map(|entry| {
            breach(
                dialogue,
                said.entry,
                Some(entry),
                format!("the server used the request id {} again", in_short(Some(id))),
            )
        }));
        used.push((id, said.entry));
    }
    seen
}

/// The server sends no arrays; one that answers an array of ours is the reaction to hostile input and left alone.
pub(super) fn no_batch(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (index, entry) in dialogue.transcript.entries.iter().enumerate() {
        let Happening::Received { content, .. } = &entry.what else { continue };
        match content {
            Content::Message(_) => seen.examine(None),
            Content::Batch(_) if !dialogue.after_hostile(index) => {
                seen.examine(Some(breach(
                    dialogue,
                    index,
                    last_request(dialogue, index),
                    "the server sent an array",
                )));
            }
            _ => {}
        }
    }
    seen
}
