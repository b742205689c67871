//! A leg of a flight: so much of it as is judged at once. A server may see many legs in one session, since starting it
//! often costs more than a thousand inputs.

use std::borrow::Cow;

use foldhash::HashMap;
use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::flight::Landing;
use super::input::Input;
use super::watch::Excess;
use crate::transcript::{Happening, Reading, Transcript};
use crate::wire::Content;

/// An input and what came of it.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) input: Input,
    /// The entry of the first thing that was sent.
    pub(super) begins: usize,
    pub(super) asked: Vec<Asked>,
    /// Everything that was sent: which step, and the entry.
    pub(super) sent: Vec<(usize, usize)>,
}

/// A request that must be answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Which step of the input.
    pub(super) step: usize,
    pub(super) id: Value,
    /// What [`id_key`](crate::wire::id_key) makes of the id.
    pub(super) key: String,
    /// The entry of what was sent.
    pub(super) entry: usize,
    /// Whether its id was sent again before its answer was read, so that the answer may be to either.
    pub(super) contested: bool,
}

/// What was tried and what came of it. The recording begins with the handshake and what the server listed, also where
/// earlier legs came in between.
#[derive(Debug)]
pub(super) struct Leg {
    /// Whether nobody has greeted the server.
    pub(super) bare: bool,
    /// Whether the server is reached over the loopback.
    pub(super) loopback: bool,
    /// The id that the server gave the session, over HTTP.
    pub(super) session_id: Option<String>,
    pub(super) transcript: Transcript,
    pub(super) tries: Vec<Try>,
    /// Requests that had no answer although the server lives: which try, which of what it asked.
    pub(super) unanswered: Vec<(usize, usize)>,
    /// The tries whose answers have not come, oldest first.
    pub(super) under_way: Vec<usize>,
    pub(super) landing: Landing,
    /// What the server took too much of, if it was ended for that.
    pub(super) excess: Option<Excess>,
    /// What sanitizers reported for the first time since the session began.
    pub(super) reports: Vec<String>,
    /// The entry of the first response to each id.
    pub(super) responses: HashMap<String, usize>,
}

impl Leg {
    /// The entry of the response to what was asked, if it came and can be no answer to anything else.
    pub(super) fn response_to(&self, asked: &Asked) -> Option<usize> {
        self.responses.get(&asked.key).copied().filter(|_| !asked.contested)
    }

    /// The message in an entry, unless it is one of several.
    pub(super) fn message_in(&self, entry: usize) -> Option<&Value> {
        match self.transcript.entries.get(entry).map(|entry| &entry.what) {
            Some(Happening::Received { content: Content::Message(message), .. }) => Some(&message.value),
            _ => None,
        }
    }

    /// The calls of tools that were answered, in the order in which they were made.
    pub(super) fn calls(&self) -> impl Iterator<Item = Called<'_>> {
        self.tries.iter().enumerate().flat_map(move |(place, this)| {
            this.asked.iter().filter_map(move |asked| {
                let Action::Request(send) = &this.input.steps.get(asked.step)?.action else { return None };
                let params = send.params.as_ref().filter(|_| send.method == "tools/call")?;
                let entry = self.response_to(asked)?;
                let answer = self.message_in(entry)?;
                Some(Called { place, step: asked.step, params, entry, answer })
            })
        })
    }
}

/// The message that an entry sent, if it is JSON.
pub(super) fn message_sent(transcript: &Transcript, entry: usize) -> Option<Cow<'_, Value>> {
    match &transcript.entries.get(entry)?.what {
        Happening::Sent { message: Some(message), .. }
        | Happening::Sent { read: Reading::Json(message), .. } => Some(Cow::Borrowed(message)),
        Happening::Sent { read: Reading::NoJson, .. } => None,
        Happening::Sent { bytes, .. } => serde_json::from_slice(bytes).ok().map(Cow::Owned),
        _ => None,
    }
}

/// A call and what came of it.
pub(super) struct Called<'l> {
    pub(super) place: usize,
    pub(super) step: usize,
    pub(super) params: &'l Value,
    pub(super) entry: usize,
    pub(super) answer: &'l Value,
}
