//! A conversation with a server in one revision: ids, the handshake of its era, and our side as a client.

pub mod client;
pub mod handshake;
pub mod headers;
mod over_http;

use std::collections::BTreeMap;
use std::time::Duration;

use foldhash::{HashMap, HashSet};
use mcp_conform_cases::case::{Answer, ClientKind, Headers};
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::process::{Patience, Process};
use crate::transcript::{Entry, Exit, Happening, Origin, Reading, Rung, Transcript, Waited};
use crate::transport::{Incoming, Link};
use crate::wire::{self, Content, Kind};
use client::ScriptedClient;
use over_http::OverHttp;

/// How much of a session is kept, in bytes; past it the session is ended.
const KEPT: usize = 32 * 1024 * 1024;
/// How many entries of a session are kept.
const KEPT_ENTRIES: usize = 20_000;
/// After a later message was answered, an unanswered one that may be silent is given this long at least.
const GRACE_MIN: Duration = Duration::from_millis(20);
/// And this long at most.
const GRACE_MAX: Duration = Duration::from_millis(500);
/// The most for one whose answer is wanted.
const PATIENCE_MAX: Duration = Duration::from_secs(3);
/// Between them it is so many times the slowest answer so far: a server may work at several things at once, and then the
/// answers come in any order.
const GRACE: u32 = 5;
/// How long a server whose output has ended may take to end itself.
const LAST_BREATH: Duration = Duration::from_millis(500);
/// After this long without a response the server is sent a plain request.
const NUDGE_AFTER: Duration = Duration::from_secs(1);
/// And after this long where it has said nothing yet and may still be starting.
const NUDGE_AFTER_START: Duration = Duration::from_secs(5);

/// More requests than this are not thought to be in the way of another.
const MOST_WAITING: u32 = 20;
/// A barrier without an answer is followed by another one after this long.
const BARRIER_RETRY: Duration = Duration::from_secs(2);
/// A response that was not in the answer to its HTTP request may come elsewhere within this time.
const LAST_CHANCE: Duration = Duration::from_millis(50);
/// An answer that belongs to nothing is taken for the barrier's when no better one follows within this time.
const STRAY_GRACE: Duration = Duration::from_millis(100);

/// How a server showed that it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// By an answer to the barrier.
    Answer,
    /// By an answer to nothing.
    Stray,
}

/// What waiting for the server brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A frame, in this entry.
    Frame(usize),
    /// The connection has ended.
    Closed,
    /// Nothing until the deadline.
    TimedOut,
}

/// When something was asked, and whether it was a call of a tool.
#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Duration,
    calls: bool,
}

/// A session in progress.
#[derive(Debug)]
pub struct Session {
    link: Link,
    client: ScriptedClient,
    started: Instant,
    next_id: u64,
    /// The entry of the first response to each id, by what [`wire::id_key`] makes of the id.
    responses: HashMap<String, usize>,
    /// Every id that was sent, and when.
    sent_ids: HashMap<String, Asked>,
    /// Of parts of the recording that were handed over: hashes of the ids that were sent and are not ours. An id may be a
    /// megabyte long.
    earlier: HashSet<u64>,
    /// Ids of ours with a number below this were sent in such a part.
    earlier_below: u64,
    /// Hashes of the ids of such a part that had no answer when it was handed over, which may come yet.
    owed: HashSet<u64>,
    /// The longest time that a response has taken.
    slowest: Duration,
    /// The same without calls of tools, which take as long as they like.
    slowest_plain: Duration,
    /// When the latest request was sent that has been answered.
    answered_up_to: Duration,
    recorded: usize,
    heard: bool,
    closed: bool,
    /// Whether the handshake is under way, when nothing else may be sent.
    greeting: bool,
    /// How long the handshake took.
    greeting_took: Option<Duration>,
    /// What a session over HTTP has to remember.
    http: OverHttp,
    /// The recording.
    pub transcript: Transcript,
}

/// A request or notification to be completed by the session.
#[derive(Clone, Debug, Default)]
pub struct Outgoing {
    /// The method.
    pub method: String,
    /// The parameters without `_meta`.
    pub params: Option<Value>,
    /// The id instead of the next free one.
    pub id: Option<Value>,
    /// Members for `params._meta`.
    pub meta: Map<String, Value>,
    /// Members of `params._meta` to leave out; `*` for all of it.
    pub without_meta: Vec<String>,
    /// What our side declares, where each request says so.
    pub client: ClientKind,
    /// Whether a client may not send this.
    pub hostile: bool,
}

impl Outgoing {
    /// A request or notification without parameters.
    #[must_use]
    pub fn new(method: &str) -> Outgoing {
        Outgoing { method: method.to_owned(), ..Outgoing::default() }
    }

    /// With parameters.
    #[must_use]
    pub fn with(mut self, params: Value) -> Outgoing {
        self.params = Some(params);
        self
    }
}

impl Session {
    /// A session over a fresh link, before any handshake.
    #[must_use]
    pub fn new(link: Link, revision: Revision, client: ClientKind, scripted: ScriptedClient) -> Session {
        let transport = link.transport();
        Session {
            link,
            client: scripted,
            started: Instant::now(),
            next_id: 1,
            responses: HashMap::default(),
            sent_ids: HashMap::default(),
            earlier: HashSet::default(),
            earlier_below: 0,
            owed: HashSet::default(),
            slowest: Duration::ZERO,
            slowest_plain: Duration::ZERO,
            answered_up_to: Duration::ZERO,
            recorded: 0,
            heard: false,
            closed: false,
            greeting: false,
            greeting_took: None,
            http: OverHttp::default(),
            transcript: Transcript {
                revision,
                transport,
                client,
                capabilities: Value::Null,
                entries: Vec::new(),
                cases: Vec::new(),
                stderr: String::new(),
            },
        }
    }

    /// The revision that is spoken.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.transcript.revision
    }

    /// How long the handshake took, if there was one.
    #[must_use]
    pub fn greeting_took(&self) -> Option<Duration> {
        self.greeting_took
    }

    /// Whether the server has said anything.
    #[must_use]
    pub fn has_heard(&self) -> bool {
        self.heard
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Asks something of the server's process, if it is ours.
    pub fn with_process<T>(&self, ask: impl FnOnce(&Process) -> T) -> Option<T> {
        match &self.link {
            Link::Stdio(link) => Some(ask(link.process())),
            Link::Http(link) => link.with_process(ask),
        }
    }

    /// The end of what the server wrote to its standard error.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        self.link.stderr_tail()
    }

    /// Makes an id that was not used before: integers and strings in turn, so that both kinds are seen echoed.
    pub fn fresh_id(&mut self) -> Value {
        let number = self.next_id;
        self.next_id += 1;
        if number.is_multiple_of(2) { json!(format!("c-{number}")) } else { json!(number) }
    }

    /// Makes the next fresh id an integer, so that the ids of a case do not depend on the cases before it.
    pub fn align_ids(&mut self) {
        self.next_id |= 1;
    }

    /// `params._meta` as every request of the stateless era carries it; empty in the stateful era.
    #[must_use]
    pub fn standard_meta(&self, client: ClientKind) -> Map<String, Value> {
        match self.revision().era() {
            Era::Stateful => Map::new(),
            Era::Stateless => handshake::request_meta(self.revision(), client),
        }
    }

    /// Sends a request; returns its id and the entry of what was sent.
    pub fn request(&mut self, outgoing: Outgoing) -> (Value, usize) {
        let id = outgoing.id.clone().unwrap_or_else(|| self.fresh_id());
        let entry = self.send_message(outgoing, Some(id.clone()));
        (id, entry)
    }

    /// Sends a notification; returns the entry of what was sent.
    pub fn notify(&mut self, outgoing: Outgoing) -> usize {
        self.send_message(outgoing, None)
    }

    fn send_message(&mut self, outgoing: Outgoing, id: Option<Value>) -> usize {
        let mut message = Map::with_capacity(4);
        message.insert("jsonrpc".to_owned(), json!("2.0"));
        let is_request = id.is_some();
        if let Some(id) = id {
            let calls = outgoing.method == "tools/call";
            self.sent_ids.insert(wire::id_key(&id), Asked { at: self.started.elapsed(), calls });
            message.insert("id".to_owned(), id);
        }
        message.insert("method".to_owned(), Value::String(outgoing.method));
        let mut meta = if is_request { self.standard_meta(outgoing.client) } else { Map::new() };
        let without = |key: &str| outgoing.without_meta.iter().any(|name| name == key || name == "*");
        meta.extend(outgoing.meta);
        meta.retain(|key, _| !without(key));
        let mut params = outgoing.params;
        let must_have_meta = !meta.is_empty() || (!outgoing.without_meta.is_empty() && !without("*"));
        if must_have_meta && matches!(params, None | Some(Value::Object(_))) {
            let members = params.get_or_insert_with(|| json!({}));
            if let Some(members) = members.as_object_mut() {
                members.insert("_meta".to_owned(), Value::Object(meta));
            }
        }
        if let Some(params) = params {
            message.insert("params".to_owned(), params);
        }
        let message = Value::Object(message);
        self.send_value(message, outgoing.hostile)
    }

    /// Takes an answer under this id, by what [`wire::id_key`] makes of it, for one to what was just sent, also where that
    /// was mere bytes or an earlier part of the recording used the same id.
    pub(crate) fn expect(&mut self, id: String, calls: bool) {
        self.sent_ids.entry(id).or_insert(Asked { at: self.started.elapsed(), calls });
    }

    /// Sends a JSON value as one message; returns the entry.
    pub fn send_value(&mut self, message: Value, hostile: bool) -> usize {
        // Writing a `Value` to memory cannot fail.
        let mut bytes = serde_json::to_vec(&message).unwrap_or_default();
        bytes.push(b'\n');
        self.send(bytes, Some(message), hostile)
    }

    /// Sends bytes as they are; returns the entry.
    pub fn send_bytes(&mut self, bytes: Vec<u8>) -> usize {
        self.send(bytes, None, true)
    }

    fn send(&mut self, bytes: Vec<u8>, message: Option<Value>, hostile: bool) -> usize {
        let carrier = match &mut self.link {
            Link::Stdio(link) => {
                link.send(&bytes);
                None
            }
            Link::Http(_) => Some(Box::new(self.post(&bytes, message.as_ref()))),
        };
        let read = if message.is_none() { wire::read_line(&bytes) } else { Reading::Unread };
        self.record(Happening::Sent { bytes, message, read, hostile, carrier })
    }

    /// Sets HTTP headers of the next thing that is sent, in the place of those that the session would send.
    pub fn set_headers(&mut self, headers: Headers) {
        self.http.overriding = headers;
    }

    /// Prescribes how our side answers requests of the server from now on; what is not prescribed is as usual.
    pub fn prescribe(&mut self, answers: BTreeMap<String, Answer>) {
        self.client.prescribed = answers;
    }

    /// Lets the server have what was sent, before anything is waited for.
    pub(crate) fn push(&mut self) {
        self.link.push();
    }

    /// Closes the direction towards the server.
    pub fn close_input(&mut self) -> usize {
        self.link.close_input();
        self.record(Happening::Stop(Rung::InputClosed))
    }

    /// Asks the server's process to end.
    pub fn terminate(&mut self) -> usize {
        self.link.terminate();
        self.record(Happening::Stop(Rung::Terminated))
    }

    /// Waits for the server's process to end; records how it did.
    pub async fn exit_within(&mut self, limit: Duration) -> Option<Exit> {
        let exit = self.link.exit_within(limit).await?;
        self.record(Happening::Exited(exit));
        self.closed = true;
        Some(exit)
    }

    /// Waits for the next frame and does what a client has to do about it.
    pub async fn hear(&mut self, deadline: Instant) -> Heard {
        if self.closed {
            return Heard::Closed;
        }
        let incoming = match &mut self.link {
            Link::Stdio(link) => link.next(deadline).await,
            Link::Http(link) => {
                let told = link.next(deadline).await;
                return self.heard_over_http(told).await;
            }
        };
        match incoming {
            Incoming::Frame(frame) => self.heard_frame(frame, None),
            Incoming::InputBroken => {
                self.record(Happening::InputBroken);
                Heard::TimedOut
            }
            Incoming::TimedOut => Heard::TimedOut,
            Incoming::OutputClosed => self.heard_the_end().await,
        }
    }

    fn heard_frame(&mut self, frame: wire::Frame, origin: Option<Box<Origin>>) -> Heard {
        self.heard = true;
        let content = wire::parse(&frame);
        self.recorded += frame.bytes.len();
        if self.is_late(&content) {
            let entry = self.record(Happening::Late { frame });
            self.stop_when_full();
            return Heard::Frame(entry);
        }
        let entry = self.record(Happening::Received { frame, content, origin });
        self.react(entry);
        self.stop_when_full();
        Heard::Frame(entry)
    }

    /// Whether so much was recorded that what comes next should have a session of its own.
    #[must_use]
    pub fn is_half_full(&self) -> bool {
        self.recorded > KEPT / 2 || self.transcript.entries.len() > KEPT_ENTRIES / 2
    }

    fn stop_when_full(&mut self) {
        if self.recorded > KEPT || self.transcript.entries.len() > KEPT_ENTRIES {
            self.record(Happening::Overflow);
            self.closed = true;
        }
    }

    async fn heard_the_end(&mut self) -> Heard {
        self.record(Happening::OutputClosed);
        self.closed = true;
        if let Some(exit) = self.link.exit_within(LAST_BREATH).await {
            self.record(Happening::Exited(exit));
        }
        Heard::Closed
    }

    /// Remembers responses and answers requests of the server.
    fn react(&mut self, entry: usize) {
        // Taken out while it is looked at: answers of ours are recorded meanwhile.
        let content = match self.transcript.entries.get_mut(entry).map(|entry| &mut entry.what) {
            Some(Happening::Received { content, .. }) => std::mem::replace(content, Content::Empty),
            _ => return,
        };
        for message in content.messages() {
            match message.kind {
                Kind::Response => {
                    if let Some(id) = message.id().filter(|id| !id.is_null()) {
                        let id = wire::id_key(id);
                        self.note_negotiation(&id, &message.value);
                        self.note_pace(&id);
                        self.responses.entry(id).or_insert(entry);
                    } else if let Some(id) = self.asked_by(entry) {
                        // What stands in the answer to one request alone needs no id to be told from others.
                        self.responses.entry(id).or_insert(entry);
                    }
                }
                Kind::Request => {
                    let method = message.method().unwrap_or_default();
                    let params = message.value.get("params").unwrap_or(&Value::Null);
                    let answer = self.client.answer(self.transcript.client, self.revision(), method, params);
                    if let Some((key, body)) = answer {
                        self.send_value(json!({ "jsonrpc": "2.0", "id": message.id(), key: body }), false);
                    }
                }
                Kind::Notification | Kind::Other => {}
            }
        }
        if let Some(Happening::Received { content: place, .. }) =
            self.transcript.entries.get_mut(entry).map(|entry| &mut entry.what)
        {
            *place = content;
        }
    }

    /// Remembers how long the server takes.
    fn note_pace(&mut self, id: &str) {
        // Starting up is no measure of what comes after it.
        if self.greeting {
            return;
        }
        if let Some(asked) = self.sent_ids.get(id).filter(|_| !self.responses.contains_key(id)) {
            let took = self.started.elapsed().saturating_sub(asked.at);
            self.slowest = self.slowest.max(took);
            if !asked.calls {
                self.slowest_plain = self.slowest_plain.max(took);
            }
            self.answered_up_to = self.answered_up_to.max(asked.at);
        }
    }

    /// The time since the session began, by which entries of its recording are dated.
    #[must_use]
    pub fn clock(&self) -> Duration {
        self.started.elapsed()
    }

    /// The longest time that a response has taken since the handshake.
    #[must_use]
    pub fn slowest(&self) -> Duration {
        self.slowest
    }

    /// How long a server that works off one request after the other may need for one more, going by the slowest so far.
    #[must_use]
    pub fn pace(&self) -> Duration {
        // Such a server has passed over what it was sent before the last request that it answered.
        let waiting = self.sent_ids.values().filter(|sent| sent.at > self.answered_up_to).count();
        self.slowest * 2 * u32::try_from(waiting + 1).unwrap_or(u32::MAX).min(MOST_WAITING)
    }

    /// How many ids have had a response.
    pub(crate) fn answered(&self) -> usize {
        self.responses.len()
    }

    /// The entry of the response to `id`, if it has come.
    #[must_use]
    pub fn response_to(&self, id: &Value) -> Option<usize> {
        self.responses.get(&wire::id_key(id)).copied()
    }

    /// Whether nothing more has to be waited for: the response to `id` has come, or its HTTP answer is over without it.
    #[must_use]
    pub fn is_settled(&self, id: &Value) -> bool {
        self.is_settled_by(&wire::id_key(id))
    }

    /// Whether the response has come to the id of which [`wire::id_key`] makes this.
    pub(crate) fn is_answered_by(&self, id: &str) -> bool {
        self.responses.contains_key(id)
    }

    /// As [`Self::is_settled`], for what [`wire::id_key`] makes of the id.
    pub(crate) fn is_settled_by(&self, id: &str) -> bool {
        self.is_answered_by(id) || self.unanswered(id).is_some()
    }

    /// Forgets what was recorded and asked, for a session that nobody will judge. What is still to come is not known
    /// any more when it comes.
    pub fn forget(&mut self) {
        self.transcript.entries.clear();
        self.responses.clear();
        self.sent_ids.clear();
        self.recorded = 0;
    }

    /// What was recorded so far, and the entry of the first response to each id.
    pub(crate) fn recording(&self) -> (Transcript, HashMap<String, usize>) {
        (Transcript { stderr: self.stderr_tail(), ..self.transcript.clone() }, self.responses.clone())
    }

    /// Hands out what was recorded, and the entry of the first response to each id. The session goes on with the first
    /// `kept` entries alone, as if nothing had been asked after them; what is still answered then is kept as
    /// [`Happening::Late`].
    pub(crate) fn hand_over(&mut self, kept: usize) -> (Transcript, HashMap<String, usize>) {
        let remaining = self.transcript.entries.get(..kept).unwrap_or_default().to_vec();
        let transcript = Transcript {
            revision: self.transcript.revision,
            transport: self.transcript.transport,
            client: self.transcript.client,
            capabilities: self.transcript.capabilities.clone(),
            entries: std::mem::replace(&mut self.transcript.entries, remaining),
            cases: std::mem::take(&mut self.transcript.cases),
            stderr: self.stderr_tail(),
        };
        let known = self.responses.iter().filter(|(_, entry)| **entry < kept);
        let known = known.map(|(id, entry)| (id.clone(), *entry)).collect();
        let responses = std::mem::replace(&mut self.responses, known);
        for (id, sent) in std::mem::take(&mut self.sent_ids) {
            if !responses.contains_key(&id) {
                self.owed.insert(wire::hash_of(&id));
            }
            if self.responses.contains_key(&id) {
                self.sent_ids.insert(id, sent);
            } else if number_of(&id).is_none_or(|number| number >= self.next_id) {
                self.earlier.insert(wire::hash_of(&id));
            }
        }
        self.earlier_below = self.next_id;
        self.recorded = 0;
        (transcript, responses)
    }

    /// Whether a frame answers what was asked in a part of the recording that was handed over; nothing is owed for that
    /// then.
    fn is_late(&mut self, content: &Content) -> bool {
        let Content::Message(message) = content else { return false };
        if self.earlier_below == 0 || message.kind != Kind::Response {
            return false;
        }
        let Some(id) = message.id().map(wire::id_key) else { return false };
        let hash = wire::hash_of(&id);
        let is_late = if self.sent_ids.contains_key(&id) {
            // The id was used again, and one more answer than that came.
            self.responses.contains_key(&id) && self.owed.contains(&hash)
        } else {
            number_of(&id).is_some_and(|number| number < self.earlier_below) || self.earlier.contains(&hash)
        };
        if is_late {
            self.owed.remove(&hash);
        }
        is_late
    }

    /// How many bytes of the server have been recorded.
    #[must_use]
    pub fn recorded_bytes(&self) -> usize {
        self.recorded
    }

    /// Waits for the response to `id`. When it does not come soon, the server gets something else to read: some only
    /// notice then that their reader has died.
    pub async fn wait_for(&mut self, id: &Value, deadline: Instant) -> Waited {
        let nudge_after = if self.has_heard() { NUDGE_AFTER } else { NUDGE_AFTER_START };
        let nudge_at = if self.greeting { deadline } else { (Instant::now() + nudge_after).min(deadline) };
        let mut nudged = None;
        loop {
            if let Some(entry) = self.response_to(id) {
                return Waited::Response(entry);
            }
            if let Some(end) = self.unanswered(&wire::id_key(id)) {
                // It may still be on its way on another stream.
                let until = (Instant::now() + LAST_CHANCE).min(deadline);
                return self.response_until(id, until, Waited::Unanswered(end)).await;
            }
            match self.hear(if nudged.is_some() { deadline } else { nudge_at }).await {
                Heard::Frame(_) => {}
                Heard::Closed => return Waited::Closed,
                Heard::TimedOut if Instant::now() >= deadline => return Waited::TimedOut,
                Heard::TimedOut if nudged.is_none() => {
                    let method = self.barrier_method();
                    nudged = Some(self.request(Outgoing::new(method)));
                }
                Heard::TimedOut => {}
            }
        }
    }

    /// Waits for a response that may rightly never come: until it is there, or a later exchange is over and a
    /// moment has passed. Without `id`, just makes sure that all that was sent has been read.
    ///
    /// `patience` is how long the response is waited for after the later exchange, at least; zero where it makes no
    /// difference whether it comes.
    pub async fn wait_past(&mut self, id: Option<&Value>, patience: Duration, deadline: Instant) -> Waited {
        let passed = self.pass_barrier(deadline).await;
        if let Some(entry) = id.and_then(|id| self.response_to(id)) {
            return Waited::Response(entry);
        }
        let (Waited::Passed, Some(id)) = (passed, id) else { return passed };
        let (least, most) = if patience.is_zero() {
            (GRACE_MIN, GRACE_MAX)
        } else {
            (patience.min(PATIENCE_MAX), PATIENCE_MAX)
        };
        let grace = (self.slowest_plain * GRACE).clamp(least, most);
        let until = (Instant::now() + grace).min(deadline);
        self.response_until(id, until, Waited::Passed).await
    }

    /// Waits for the response to `id` without asking anything; `otherwise` when it has not come until then.
    async fn response_until(&mut self, id: &Value, until: Instant, otherwise: Waited) -> Waited {
        loop {
            if let Some(entry) = self.response_to(id) {
                return Waited::Response(entry);
            }
            match self.hear(until).await {
                Heard::Frame(_) => {}
                Heard::Closed => return Waited::Closed,
                Heard::TimedOut => return otherwise,
            }
        }
    }

    /// An exchange that shows that the server has read all that was sent. It proves life and nothing else, so an
    /// answer in a wrong envelope will do, and so will the answer to another request when this one has none.
    async fn pass_barrier(&mut self, deadline: Instant) -> Waited {
        let (mut barrier, mut sent) = self.request(Outgoing::new(self.barrier_method()));
        let mut next_try = Some(Instant::now() + BARRIER_RETRY);
        let mut stray_since: Option<Instant> = None;
        loop {
            if self.lost_the_session(&barrier) {
                return Waited::Closed;
            }
            match self.sign_of_life(&barrier, sent) {
                Some(Sign::Answer) => {
                    self.http.refused = false;
                    return Waited::Passed;
                }
                Some(Sign::Stray) => {
                    let since = *stray_since.get_or_insert_with(Instant::now);
                    if since.elapsed() >= STRAY_GRACE {
                        return Waited::Passed;
                    }
                }
                None => {}
            }
            let until = [Some(deadline), next_try, stray_since.map(|since| since + STRAY_GRACE)]
                .into_iter()
                .flatten()
                .min();
            match self.hear(until.unwrap_or(deadline)).await {
                Heard::Frame(_) => {}
                Heard::Closed => return Waited::Closed,
                Heard::TimedOut if Instant::now() >= deadline => return Waited::TimedOut,
                Heard::TimedOut if next_try.is_some_and(|at| Instant::now() >= at) => {
                    next_try = None;
                    let method = self.other_barrier_method();
                    (barrier, sent) = self.request(Outgoing::new(method));
                }
                Heard::TimedOut => {}
            }
        }
    }

    /// Whether the server has answered a barrier: under its id, if need be of another JSON type, in the answer to the
    /// HTTP request that carried it, or else under an id that belongs to nothing.
    fn sign_of_life(&self, barrier: &Value, sent: usize) -> Option<Sign> {
        if self.response_to(barrier).is_some() || self.was_refused(barrier) {
            return Some(Sign::Answer);
        }
        let bare = |id: &Value| id.as_str().map_or_else(|| id.to_string(), str::to_owned);
        let mut stray = None;
        for entry in self.transcript.entries.iter().skip(sent) {
            let Happening::Received { content, .. } = &entry.what else { continue };
            for message in
                content.messages().filter(|message| matches!(message.kind, Kind::Response | Kind::Other))
            {
                match message.id() {
                    Some(id) if bare(id) == bare(barrier) => return Some(Sign::Answer),
                    Some(id) if self.sent_ids.contains_key(&wire::id_key(id)) => {}
                    _ => stray = Some(Sign::Stray),
                }
            }
        }
        stray
    }

    /// What is asked when the usual barrier stays unanswered: a list that the server declared.
    fn other_barrier_method(&self) -> &'static str {
        let declared = |name: &str| self.transcript.capabilities.get(name).is_some();
        match () {
            () if declared("tools") => "tools/list",
            () if declared("prompts") => "prompts/list",
            () if declared("resources") => "resources/list",
            () => "mcp-conform/no-such-method",
        }
    }

    /// A request that every server of the era must answer.
    #[must_use]
    pub fn barrier_method(&self) -> &'static str {
        match self.revision().era() {
            Era::Stateful => "ping",
            Era::Stateless => "server/discover",
        }
    }

    /// Sends a request and waits for its response.
    pub async fn exchange(&mut self, outgoing: Outgoing, limit: Duration) -> Waited {
        let (id, _) = self.request(outgoing);
        self.wait_for(&id, Instant::now() + limit).await
    }

    /// The message in an entry: of a batch, the one that answers `id`.
    #[must_use]
    pub fn message_in(&self, entry: usize) -> Option<&Value> {
        match self.transcript.entries.get(entry).map(|entry| &entry.what) {
            Some(Happening::Received { content: wire::Content::Message(message), .. }) => {
                Some(&message.value)
            }
            _ => None,
        }
    }

    /// Ends the server at once and hands out the recording.
    #[must_use]
    pub fn abandon(mut self) -> Transcript {
        self.transcript.stderr = self.link.stderr_tail();
        self.transcript
    }

    /// Brings the server to its end and hands out the recording.
    pub async fn finish(mut self, patience: Patience) -> Transcript {
        self.end_over_http().await;
        let (rungs, exit) = self.link.stop(patience).await;
        for rung in rungs {
            self.record(Happening::Stop(rung));
        }
        let told = self.transcript.entries.iter().any(|entry| matches!(entry.what, Happening::Exited(_)));
        if let (Some(exit), false) = (exit, told) {
            self.record(Happening::Exited(exit));
        }
        self.transcript.stderr = self.link.stderr_tail();
        self.transcript
    }

    fn record(&mut self, what: Happening) -> usize {
        self.transcript.entries.push(Entry { at: self.started.elapsed(), what });
        self.transcript.entries.len() - 1
    }
}

/// The number in an id that [`Session::fresh_id`] made, by what [`wire::id_key`] makes of it.
fn number_of(id: &str) -> Option<u64> {
    id.strip_prefix("\"c-").unwrap_or(id).parse().ok()
}
