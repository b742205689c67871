//! A recording read as a dialogue: which message answers which, what was asked for, what was declared.

use std::borrow::Cow;
use std::collections::HashSet;

use foldhash::HashMap;
use serde_json::Value;

use crate::event::Transport;
use crate::transcript::{Carrier, Happening, Origin, Reading, Transcript};
use crate::transport::http::exchange::ExchangeId;
use crate::wire::{Content, Kind, Message, id_key, member};

/// A request that we sent.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The entry.
    pub entry: usize,
    /// The id.
    pub id: Cow<'a, Value>,
    /// The method.
    pub method: Cow<'a, str>,
    /// The parameters.
    pub params: Cow<'a, Value>,
    /// Whether a client may not send this, or not with an id that it used before.
    pub hostile: bool,
}

/// A message of the server.
#[derive(Clone, Debug)]
pub struct Said<'a> {
    /// The entry.
    pub entry: usize,
    /// The message.
    pub message: Cow<'a, Message>,
    /// Whether it came as a member of an array.
    pub in_batch: bool,
    /// The request that it answers, as an index into [`Dialogue::asked`].
    pub answers: Option<usize>,
}

impl Said<'_> {
    /// The result, if it is a response with one.
    #[must_use]
    pub fn result(&self) -> Option<&Value> {
        self.member("result", "error")
    }

    /// The error, if it is a response with one.
    #[must_use]
    pub fn error(&self) -> Option<&Value> {
        self.member("error", "result")
    }

    /// A member of a response. Some writers put a null beside the one that counts.
    fn member(&self, name: &str, other: &str) -> Option<&Value> {
        let member = self.message.member(name).filter(|_| self.message.kind == Kind::Response)?;
        (!member.is_null() || self.message.member(other).is_none_or(Value::is_null)).then_some(member)
    }

    /// The method, if it is a request or notification of the server.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.message.method()
    }
}

/// What a server repeats on demand, when a stream is taken up again. It was said when it was said first.
#[derive(Debug, Default)]
struct Replays {
    asked_for: HashSet<ExchangeId>,
    events: HashSet<String>,
}

impl Replays {
    fn take_sent(&mut self, carrier: Option<&Carrier>) {
        let wants = |carrier: &&Carrier| {
            carrier.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("last-event-id"))
        };
        self.asked_for.extend(carrier.filter(wants).map(|carrier| carrier.exchange));
    }

    /// Whether a frame is a repetition; remembers its event otherwise.
    fn repeats(&mut self, origin: Option<&Origin>) -> bool {
        let Some(origin) = origin else { return false };
        let Some(id) = origin.event.as_ref().and_then(|event| event.id.clone()) else { return false };
        !self.events.insert(id) && self.asked_for.contains(&origin.exchange)
    }
}

/// Lines that were not sent each on its own: in pieces, or several at once.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// The messages in the lines that end with these bytes.
    fn take(&mut self, bytes: &[u8]) -> Vec<Value> {
        self.begun.extend_from_slice(bytes);
        let Some(end) = self.begun.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.begun.split_off(end + 1);
        let whole = std::mem::replace(&mut self.begun, rest);
        whole.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

/// A recording read as a dialogue.
#[derive(Debug)]
pub struct Dialogue<'a> {
    /// The recording.
    pub transcript: &'a Transcript,
    /// Our requests, in order.
    pub asked: Vec<Asked<'a>>,
    /// Our notifications: entry, method, parameters.
    pub notified: Vec<(usize, Cow<'a, str>, Cow<'a, Value>)>,
    /// What the server said, in order.
    pub said: Vec<Said<'a>>,
    /// The first entry in which we sent what a client may not send.
    pub first_hostile: Option<usize>,
}

impl<'a> Dialogue<'a> {
    /// Reads a recording.
    #[must_use]
    pub fn of(transcript: &'a Transcript) -> Dialogue<'a> {
        let mut dialogue = Dialogue {
            transcript,
            asked: Vec::new(),
            notified: Vec::new(),
            said: Vec::new(),
            first_hostile: None,
        };
        let mut by_id: HashMap<String, usize> = HashMap::default();
        let mut replays = Replays::default();
        let mut lines = Lines::default();
        for (entry, happened) in transcript.entries.iter().enumerate() {
            match &happened.what {
                Happening::Sent { bytes, message, read, hostile, carrier } => {
                    replays.take_sent(carrier.as_deref());
                    if *hostile && dialogue.first_hostile.is_none() {
                        dialogue.first_hostile = Some(entry);
                    }
                    let mut take = |message: Cow<'a, Value>| match message {
                        Cow::Borrowed(Value::Array(items)) => items.iter().for_each(|item| {
                            dialogue.take_sent(entry, Cow::Borrowed(item), *hostile, &mut by_id)
                        }),
                        Cow::Owned(Value::Array(items)) => items.into_iter().for_each(|item| {
                            dialogue.take_sent(entry, Cow::Owned(item), *hostile, &mut by_id)
                        }),
                        one => dialogue.take_sent(entry, one, *hostile, &mut by_id),
                    };
                    // A line is only what it says where none had begun before it.
                    let read = if lines.begun.is_empty() { read } else { &Reading::Unread };
                    match (message, read, transcript.transport) {
                        (Some(message), ..) | (None, Reading::Json(message), _) => {
                            take(Cow::Borrowed(message))
                        }
                        (None, Reading::NoJson, _) => {}
                        (None, Reading::Unread, Transport::Stdio) => {
                            lines.take(bytes).into_iter().map(Cow::Owned).for_each(take)
                        }
                        (None, Reading::Unread, _) => {
                            serde_json::from_slice(bytes).into_iter().map(Cow::Owned).for_each(take)
                        }
                    }
                }
                Happening::Received { origin, .. } if replays.repeats(origin.as_deref()) => {}
                Happening::Received { content, .. } => {
                    let in_batch = matches!(content, Content::Batch(_));
                    for message in content.messages() {
                        let answers = match message.kind {
                            Kind::Response | Kind::Other => {
                                message.id().and_then(|id| by_id.get(&id_key(id)).copied())
                            }
                            Kind::Request | Kind::Notification => None,
                        };
                        dialogue.said.push(Said { entry, message, in_batch, answers });
                    }
                }
                _ => {}
            }
        }
        dialogue
    }

    fn take_sent(
        &mut self,
        entry: usize,
        message: Cow<'a, Value>,
        hostile: bool,
        by_id: &mut HashMap<String, usize>,
    ) {
        let has = |name| member(&message, name).is_some();
        let is_answer = !has("method") && (has("result") || has("error"));
        let [method, params, id] = members(message, ["method", "params", "id"]);
        let method = match method {
            Some(Cow::Borrowed(method)) => method.as_str().map(Cow::Borrowed),
            Some(Cow::Owned(Value::String(method))) => Some(Cow::Owned(method)),
            _ => None,
        };
        let (method, params) = (method.unwrap_or_default(), params.unwrap_or_default());
        match id {
            // An answer of ours to a request of the server.
            Some(_) if is_answer => {}
            Some(id) => {
                // Where an id is used twice, nobody can say which of the two an answer is for.
                let before = by_id.insert(id_key(&id), self.asked.len());
                let twin = before.and_then(|before| self.asked.get_mut(before));
                let hostile = hostile || twin.is_some();
                if let Some(twin) = twin {
                    twin.hostile = true;
                }
                self.asked.push(Asked { entry, id, method, params, hostile });
            }
            None if !hostile => self.notified.push((entry, method, params)),
            None => {}
        }
    }

    /// Whether what was sent in an entry was a message and not mere bytes.
    #[must_use]
    pub fn was_message(&self, entry: usize) -> bool {
        let what = self.transcript.entries.get(entry).map(|entry| &entry.what);
        matches!(what, Some(Happening::Sent { message: Some(_), .. }))
    }

    /// The request that a message answers.
    #[must_use]
    pub fn request_of(&self, said: &Said<'_>) -> Option<&Asked<'a>> {
        self.asked.get(said.answers?)
    }

    /// The responses with a result to requests of `method`, with the request, leaving out what hostile input brought.
    pub fn results_of(&self, method: &str) -> impl Iterator<Item = (&Asked<'a>, &Said<'a>, &Value)> {
        self.said.iter().filter_map(move |said| {
            let asked = self.request_of(said)?;
            (asked.method == method && !asked.hostile).then_some(())?;
            Some((asked, said, said.result()?))
        })
    }

    /// Whether hostile input came before this entry, so that an answer without an id may belong to it.
    #[must_use]
    pub fn after_hostile(&self, entry: usize) -> bool {
        self.first_hostile.is_some_and(|first| first < entry)
    }

    /// The entry in which the response to a request came.
    #[must_use]
    pub fn answered_at(&self, asked: usize) -> Option<usize> {
        self.said
            .iter()
            .find(|said| said.answers == Some(asked) && said.message.kind == Kind::Response)
            .map(|said| said.entry)
    }
}

/// Members of a message, borrowed where the message is.
fn members<'a, const N: usize>(message: Cow<'a, Value>, names: [&str; N]) -> [Option<Cow<'a, Value>>; N] {
    match message {
        Cow::Borrowed(message) => names.map(|name| member(message, name).map(Cow::Borrowed)),
        Cow::Owned(mut message) => {
            names.map(|name| message.get_mut(name).map(|member| Cow::Owned(std::mem::take(member))))
        }
    }
}
