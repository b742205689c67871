//! A recording read as HTTP exchanges: what each request carried and what came back for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use mcp_conform_cases::Era;
use serde_json::Value;

use super::dialogue::{Asked, Dialogue, Said};
use crate::event::Transport;
use crate::session::headers::SESSION;
use crate::transcript::{Carrier, Happening};
use crate::transport::http::events::Event;
use crate::transport::http::exchange::{End, ExchangeId, media_type};
use crate::wire::{Content, Frame, Kind};

/// What is refused or ends this shortly before a server or its stream is gone may be so because of that.
pub const LAST_BREATH: Duration = Duration::from_secs(1);
const EVENT_STREAM: &str = "text/event-stream";

/// What a request carried.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Carried<'d> {
    /// No body.
    Nothing,
    /// One request.
    Request {
        /// Its id.
        id: &'d Value,
        /// Its method.
        method: &'d str,
    },
    /// One notification.
    Notification(&'d str),
    /// One response.
    Response,
    /// An array.
    Batch(&'d [Value]),
    /// Anything else.
    Other,
}

impl<'d> Carried<'d> {
    fn of(bytes: &[u8], message: Option<&'d Value>) -> Carried<'d> {
        match message {
            Some(Value::Array(members)) => Carried::Batch(members),
            Some(message) => match (message.get("method").and_then(Value::as_str), message.get("id")) {
                (Some(method), Some(id)) => Carried::Request { id, method },
                (Some(method), None) => Carried::Notification(method),
                (None, Some(_)) if message.get("result").is_some() || message.get("error").is_some() => {
                    Carried::Response
                }
                (None, _) => Carried::Other,
            },
            None if bytes.is_empty() => Carried::Nothing,
            None => Carried::Other,
        }
    }
}

/// The head of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Head<'d> {
    /// Its entry.
    pub entry: usize,
    /// The status.
    pub status: u16,
    /// The header fields, names in lower case.
    pub headers: &'d [(String, String)],
}

/// A frame, or an event without a message.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'d> {
    /// Its entry.
    pub entry: usize,
    /// The bytes of a message and what was understood of them; nothing for an event without a message.
    pub frame: Option<(&'d Frame, &'d Content)>,
    /// The event, or the event around the frame (then without its data), if it was one.
    pub event: Option<&'d Event>,
}

impl<'d> Arrival<'d> {
    /// What was understood of the frame.
    #[must_use]
    pub fn content(&self) -> Option<&'d Content> {
        self.frame.map(|(_, content)| content)
    }

    /// The id of the event, unless it is empty.
    #[must_use]
    pub fn event_id(&self) -> Option<&'d str> {
        self.event?.id.as_deref().filter(|id| !id.is_empty())
    }

    /// Whether it holds data in which a message may be that was not understood.
    #[must_use]
    pub fn is_garbled(&self) -> bool {
        match (self.frame, self.event) {
            (Some((_, Content::Message(message))), _) => message.kind == Kind::Other,
            (Some((_, Content::Batch(_))), _) => false,
            (Some(_), _) => true,
            (None, Some(event)) => event.data.as_ref().is_some_and(|data| !data.is_empty()),
            (None, None) => false,
        }
    }
}

/// The end of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'d> {
    /// Its entry.
    pub entry: usize,
    /// How it ended.
    pub how: &'d End,
    /// The body, unless it was a message.
    pub body: &'d [u8],
    /// The true length of the body in bytes.
    pub length: u64,
}

/// An HTTP request and what came back for it.
#[derive(Clone, Debug)]
pub struct Exchange<'d> {
    /// Its number.
    pub id: ExchangeId,
    /// The entry of the request.
    pub sent: usize,
    /// The request.
    pub carrier: &'d Carrier,
    /// Whether a client may not send this.
    pub hostile: bool,
    /// What it carried.
    pub carried: Carried<'d>,
    /// The head of the answer, if it has come.
    pub head: Option<Head<'d>>,
    /// What the answer brought, in order.
    pub arrivals: Vec<Arrival<'d>>,
    /// The end of the answer, if it has come.
    pub end: Option<Ending<'d>>,
}

impl<'d> Exchange<'d> {
    /// Whether it was made by the method `name`.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.carrier.method == name
    }

    /// A field of the request, as far as it is known: the operator's are not.
    #[must_use]
    pub fn sent_header(&self, name: &str) -> Option<&'d str> {
        let named = |(other, _): &&(String, String)| other.eq_ignore_ascii_case(name);
        self.carrier.headers.iter().find(named).map(|(_, value)| value.as_str())
    }

    /// The values of a field of the answer; the name in lower case.
    pub fn header(&self, name: &str) -> impl Iterator<Item = &'d str> {
        let headers = self.head.map_or(&[][..], |head| head.headers);
        headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.head.map(|head| head.status)
    }

    /// Whether the status says success.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// The media type of the answer.
    #[must_use]
    pub fn media(&self) -> String {
        self.head.map(|head| media_type(head.headers)).unwrap_or_default()
    }

    /// Whether the body is in a form that we did not ask for and do not read.
    #[must_use]
    pub fn is_encoded(&self) -> bool {
        self.header("content-encoding").any(|coding| coding != "identity")
    }

    /// Whether the answer is an event stream that was granted.
    #[must_use]
    pub fn is_stream(&self) -> bool {
        self.succeeded() && self.media() == EVENT_STREAM && !self.is_encoded()
    }

    /// Whether it takes up an earlier stream.
    #[must_use]
    pub fn resumes(&self) -> bool {
        self.sent_header("last-event-id").is_some()
    }

    /// The id and method of the one request that it carried.
    #[must_use]
    pub fn request(&self) -> Option<(&'d Value, &'d str)> {
        match self.carried {
            Carried::Request { id, method } => Some((id, method)),
            _ => None,
        }
    }

    /// The end of an answer that came whole.
    #[must_use]
    pub fn whole(&self) -> Option<Ending<'d>> {
        self.end.filter(|end| *end.how == End::Whole)
    }

    /// Whether we dropped the connection.
    #[must_use]
    pub fn was_dropped(&self) -> bool {
        self.end.is_some_and(|end| *end.how == End::Dropped)
    }

    /// Whether the stream was there and had not ended when an entry was made.
    #[must_use]
    pub fn is_open_at(&self, entry: usize) -> bool {
        self.head.is_some_and(|head| head.entry < entry) && self.end.is_none_or(|end| end.entry > entry)
    }

    /// The last event id on the stream.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&'d str> {
        self.arrivals.iter().rev().find_map(Arrival::event_id)
    }
}

/// All HTTP exchanges of a recording.
#[derive(Debug)]
pub struct Exchanges<'d> {
    /// The recording.
    pub dialogue: &'d Dialogue<'d>,
    /// The exchanges, in order.
    pub all: Vec<Exchange<'d>>,
    places: HashMap<ExchangeId, usize>,
    /// From this entry on the session is coming to its end.
    over: usize,
    cancelled: HashSet<String>,
    /// The entry of the first response to each request, by its place in [`Dialogue::asked`].
    answered: HashMap<usize, usize>,
}

impl<'d> Exchanges<'d> {
    /// The exchanges of a recording over Streamable HTTP; none of any other.
    #[must_use]
    pub fn streamable(dialogue: &'d Dialogue<'_>) -> Exchanges<'d> {
        Exchanges::of(dialogue, Transport::Http)
    }

    /// The exchanges of a recording over HTTP+SSE; none of any other.
    #[must_use]
    pub fn legacy(dialogue: &'d Dialogue<'_>) -> Exchanges<'d> {
        Exchanges::of(dialogue, Transport::Sse)
    }

    fn of(dialogue: &'d Dialogue<'_>, wanted: Transport) -> Exchanges<'d> {
        let mut found = Exchanges {
            dialogue,
            all: Vec::new(),
            places: HashMap::new(),
            over: usize::MAX,
            cancelled: HashSet::new(),
            answered: HashMap::new(),
        };
        if dialogue.transcript.transport != wanted {
            return found;
        }
        for (entry, happened) in dialogue.transcript.entries.iter().enumerate() {
            found.take(entry, &happened.what);
        }
        found.over = found.end_of_session();
        for (_, _, params) in
            dialogue.notified.iter().filter(|(_, method, _)| method == "notifications/cancelled")
        {
            found.cancelled.extend(params.get("requestId").map(Value::to_string));
        }
        for said in dialogue.said.iter().filter(|said| said.message.kind == Kind::Response) {
            if let Some(asked) = said.answers {
                found.answered.entry(asked).or_insert(said.entry);
            }
        }
        found
    }

    fn take(&mut self, entry: usize, what: &'d Happening) {
        match what {
            Happening::Sent { bytes, message, hostile, carrier: Some(carrier), .. } => {
                self.places.insert(carrier.exchange, self.all.len());
                self.all.push(Exchange {
                    id: carrier.exchange,
                    sent: entry,
                    carrier,
                    hostile: *hostile || carrier.raw,
                    carried: Carried::of(bytes, message.as_ref()),
                    head: None,
                    arrivals: Vec::new(),
                    end: None,
                });
            }
            Happening::Head { exchange, status, headers } => {
                if let Some(known) = self.get_mut(*exchange) {
                    known.head = Some(Head { entry, status: *status, headers });
                }
            }
            Happening::Received { frame, content, origin: Some(origin) } => {
                if let Some(known) = self.get_mut(origin.exchange) {
                    let event = origin.event.as_ref();
                    known.arrivals.push(Arrival { entry, frame: Some((frame, content)), event });
                }
            }
            Happening::Event { exchange, event } => {
                if let Some(known) = self.get_mut(*exchange) {
                    known.arrivals.push(Arrival { entry, frame: None, event: Some(event) });
                }
            }
            Happening::End { exchange, end, body, length } => {
                // What was under way when we dropped a connection may still be told; it stays dropped.
                if let Some(known) = self.get_mut(*exchange).filter(|known| known.end.is_none()) {
                    known.end = Some(Ending { entry, how: end, body, length: *length });
                }
            }
            _ => {}
        }
    }

    fn get_mut(&mut self, id: ExchangeId) -> Option<&mut Exchange<'d>> {
        self.places.get(&id).and_then(|place| self.all.get_mut(*place))
    }

    /// The exchange of that number.
    #[must_use]
    pub fn get(&self, id: ExchangeId) -> Option<&Exchange<'d>> {
        self.places.get(&id).and_then(|place| self.all.get(*place))
    }

    /// From where on answers may end because the session does: it was ended, or the server died or forgot it.
    fn end_of_session(&self) -> usize {
        let entries = &self.dialogue.transcript.entries;
        let ended = entries.iter().position(|entry| match &entry.what {
            Happening::Sent { carrier: Some(carrier), .. } => carrier.method == "DELETE",
            what => !is_traffic(what),
        });
        let ours = |what: &Happening| matches!(what, Happening::Stop(_) | Happening::Overflow);
        let died = entries.iter().position(|entry| !is_traffic(&entry.what) && !ours(&entry.what));
        let dying = died.and_then(|death| entries.get(death)).map(|death| {
            let doubtful = death.at.saturating_sub(LAST_BREATH);
            entries.partition_point(|entry| entry.at < doubtful)
        });
        [ended, dying, self.expired()].into_iter().flatten().min().unwrap_or(usize::MAX)
    }

    /// Where every message of the session is refused with 404 in the end, as when the server has forgotten it, the
    /// place after the last one that was not.
    fn expired(&self) -> Option<usize> {
        if self.dialogue.transcript.revision.era() == Era::Stateless {
            return None;
        }
        let in_session = self.posts().filter(|post| post.sent_header(SESSION).is_some());
        let mut heads: Vec<Head<'_>> = in_session.filter_map(|post| post.head).collect();
        let refused = |head: &Head<'_>| head.status == 404;
        heads.last().filter(|head| refused(head))?;
        while heads.pop_if(|head| refused(head)).is_some() {}
        Some(heads.last().map_or(0, |head| head.entry + 1))
    }

    /// Whether nothing but the server itself had a part in what ended in an entry.
    #[must_use]
    pub fn is_calm_at(&self, entry: usize) -> bool {
        entry < self.over
    }

    /// The exchanges in which we posted something that a client may send.
    pub fn posts(&self) -> impl DoubleEndedIterator<Item = &Exchange<'d>> {
        self.all.iter().filter(|exchange| exchange.is("POST") && !exchange.hostile)
    }

    /// Those that carried one request, with that.
    pub fn requests(&self) -> impl Iterator<Item = (&Exchange<'d>, usize, &'d Asked<'d>)> {
        self.posts().filter_map(|post| {
            post.request()?;
            let place = self.asked_in(post.sent)?;
            Some((post, place, self.dialogue.asked.get(place)?))
        })
    }

    /// The streams on which a server may speak by itself, as we open them: those of GETs that take up no other.
    pub fn standing(&self) -> impl Iterator<Item = &Exchange<'d>> {
        self.all.iter().filter(|exchange| exchange.is("GET") && !exchange.hostile && !exchange.resumes())
    }

    /// The place in [`Dialogue::asked`] of the first request that was sent in an entry.
    #[must_use]
    pub fn asked_in(&self, entry: usize) -> Option<usize> {
        let place = self.dialogue.asked.partition_point(|asked| asked.entry < entry);
        self.dialogue.asked.get(place).filter(|asked| asked.entry == entry).map(|_| place)
    }

    /// The messages in an entry.
    #[must_use]
    pub fn said_in(&self, entry: usize) -> &'d [Said<'d>] {
        let said = &self.dialogue.said;
        let from = said.partition_point(|said| said.entry < entry);
        let to = said.partition_point(|said| said.entry <= entry);
        said.get(from..to).unwrap_or_default()
    }

    /// The messages that an exchange brought.
    pub fn said_on(&self, exchange: &Exchange<'d>) -> impl Iterator<Item = &'d Said<'d>> {
        exchange.arrivals.iter().flat_map(move |arrival| self.said_in(arrival.entry))
    }

    /// The entry of the response with the id `id` that an exchange brought. One without an id is taken for it too.
    #[must_use]
    pub fn response_on(&self, exchange: &Exchange<'d>, id: &Value) -> Option<usize> {
        let ours = |said: &&Said| {
            said.message.kind == Kind::Response
                && said.message.id().is_none_or(|other| other.is_null() || other == id)
        };
        self.said_on(exchange).find(ours).map(|said| said.entry)
    }

    /// The entry of the response with just this id that an exchange brought.
    #[must_use]
    pub fn response_named(&self, exchange: &Exchange<'d>, id: &Value) -> Option<usize> {
        let ours = |said: &&Said| said.message.kind == Kind::Response && said.message.id() == Some(id);
        self.said_on(exchange).find(ours).map(|said| said.entry)
    }

    /// The exchange that brought what is in an entry.
    #[must_use]
    pub fn bearer(&self, entry: usize) -> Option<&Exchange<'d>> {
        match &self.dialogue.transcript.entries.get(entry)?.what {
            Happening::Received { origin: Some(origin), .. } => self.get(origin.exchange),
            _ => None,
        }
    }

    /// The exchange that carried what was sent in an entry.
    #[must_use]
    pub fn carrier_of(&self, entry: usize) -> Option<&Exchange<'d>> {
        self.get(self.dialogue.transcript.exchange_of(entry)?)
    }

    /// The entry of the first response to a request, by its place in [`Dialogue::asked`].
    #[must_use]
    pub fn answered_at(&self, asked: usize) -> Option<usize> {
        self.answered.get(&asked).copied()
    }

    /// Whether we said that we no longer want the response to a request.
    #[must_use]
    pub fn was_cancelled(&self, id: &Value) -> bool {
        !self.cancelled.is_empty() && self.cancelled.contains(&id.to_string())
    }

    /// When an entry was made.
    #[must_use]
    pub fn at(&self, entry: usize) -> Option<Duration> {
        self.dialogue.transcript.entries.get(entry).map(|entry| entry.at)
    }
}

fn is_traffic(what: &Happening) -> bool {
    matches!(
        what,
        Happening::Sent { .. }
            | Happening::Head { .. }
            | Happening::Received { .. }
            | Happening::Event { .. }
            | Happening::End { .. }
    )
}
