//! A stream of messages that outlives the connections which carry it.
//!
//! Messages are kept for a while, so that a client whose connection broke can ask for what it missed
//! (`basic/transports#resumability-and-redelivery` of 2025-11-25). In the stateless era there is no such thing: there
//! a stream has no label, and what was sent is forgotten.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use super::event::{Event, Place};
use crate::jsonrpc::Request;
use crate::outbox::{Kind, Outbox, Outgoing, Sink, lock};

/// What is kept at most: messages, and bytes in them.
const MOST_KEPT: usize = 256;
const MOST_KEPT_BYTES: usize = 1024 * 1024;
/// Events that may wait for a slow client before its connection is given up.
const MOST_WAITING: usize = 1024;
/// How long a client is to wait before it takes up a stream that we interrupted.
const RETRY_MILLISECONDS: u64 = 20;

/// See the module.
pub(crate) struct Stream {
    place: Place,
    /// What its event ids begin with; without one its events have no ids and are not kept.
    label: Option<u64>,
    /// Begins with an event that has an id and no data, from which the client can resume (from 2025-11-25).
    primed: bool,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    kept: VecDeque<(u64, Event)>,
    kept_bytes: usize,
    /// The number of the newest event.
    newest: u64,
    /// The first message, if it was an answer.
    only_answer: Option<Value>,
    messages: usize,
    finished: bool,
    /// The connection is to be closed, and the stream to go on.
    interrupted: bool,
    connection: Option<mpsc::Sender<Event>>,
}

impl Stream {
    /// A stream without connection.
    pub(super) fn new(place: Place, label: Option<u64>, primed: bool) -> Arc<Self> {
        let (state, changed) = (Mutex::default(), Notify::new());
        Arc::new(Self { place, label, primed, state, changed })
    }

    /// Returns as soon as it is clear whether there will be more than one message.
    pub(super) async fn begun(&self) {
        loop {
            let changed = self.changed.notified();
            {
                let state = lock(&self.state);
                if state.messages > 0 || state.finished || state.interrupted {
                    return;
                }
            }
            changed.await;
        }
    }

    /// The answer, if nothing else was sent before or with it.
    pub(super) fn only_answer(&self) -> Option<Value> {
        let state = lock(&self.state);
        state.only_answer.clone().filter(|_| state.messages == 1)
    }

    /// True if something was sent.
    pub(super) fn has_messages(&self) -> bool {
        lock(&self.state).messages > 0
    }

    /// True if a client reads it at present.
    pub(super) fn is_connected(&self) -> bool {
        lock(&self.state).connection.as_ref().is_some_and(|connection| !connection.is_closed())
    }

    /// True once its last message was sent.
    pub(super) fn is_finished(&self) -> bool {
        lock(&self.state).finished
    }

    /// The label, if its events can be asked for again.
    pub(super) fn label(&self) -> Option<u64> {
        self.label
    }

    /// Gives the stream a connection, which replaces one that it may have. `after` is the number of the last event
    /// that the client has seen; `None` stands for a client at the beginning.
    pub(super) fn connect(&self, after: Option<u64>) -> mpsc::Receiver<Event> {
        let mut state = lock(&self.state);
        let (sender, receiver) = mpsc::channel(MOST_WAITING + MOST_KEPT);
        let interrupted = std::mem::take(&mut state.interrupted);
        if after.is_none() && self.primed {
            // Room is sure in a new channel.
            let _ = sender.try_send(self.signpost(0, interrupted));
        }
        for (_, event) in state.kept.iter().filter(|(number, _)| after.is_none_or(|after| *number > after)) {
            let _ = sender.try_send(event.clone());
        }
        if self.label.is_none() {
            state.kept.clear();
            state.kept_bytes = 0;
        }
        if !state.finished && !interrupted {
            state.connection = Some(sender);
        }
        receiver
    }

    /// Everything that is kept of it, for a connection of another stream; only a fault wants that.
    pub(super) fn kept(&self) -> Vec<Event> {
        lock(&self.state).kept.iter().map(|(_, event)| event.clone()).collect()
    }

    /// Closes the connection without a word; only a fault does that.
    pub(super) fn cut(&self) {
        lock(&self.state).connection = None;
    }

    /// Smuggles an event in behind that number; only a fault wants that.
    pub(super) fn insert(&self, number: u64, event: Event) {
        // What ended another stream does not end this one.
        let event = Event { last: false, ..event };
        lock(&self.state).kept.push_back((number + 1, event));
    }

    /// Ends the stream, with or without an answer.
    pub(super) fn finish(&self) {
        let mut state = lock(&self.state);
        state.finished = true;
        state.connection = None;
        drop(state);
        self.changed.notify_waiters();
    }

    /// An event with an id and no data: from there the client can go on.
    fn signpost(&self, number: u64, with_retry: bool) -> Event {
        let retry = with_retry.then_some(RETRY_MILLISECONDS);
        Event { retry, ..self.event(number, String::new()) }
    }

    fn event(&self, number: u64, data: String) -> Event {
        let id = self.label.map(|label| format!("{label}-{number}"));
        // HTTP+SSE calls them so by name; elsewhere that is the default.
        let name = (self.place == Place::Legacy).then_some("message");
        Event { place: self.place, id, name, retry: None, data, last: false }
    }

    /// Sends an event that is no message.
    pub(super) fn announce(&self, name: &'static str, data: String) {
        let mut state = lock(&self.state);
        let event = Event { name: Some(name), ..self.event(0, data) };
        self.pass_on(&mut state, event);
    }

    fn pass_on(&self, state: &mut State, event: Event) {
        let connected =
            state.connection.as_ref().is_some_and(|sender| sender.try_send(event.clone()).is_ok());
        if !connected {
            // The client is gone, or too slow; it can come back.
            state.connection = None;
        }
        if self.label.is_some() || !connected {
            state.kept_bytes += event.data.len();
            let number = state.newest;
            state.kept.push_back((number, event));
            while state.kept.len() > MOST_KEPT || (state.kept_bytes > MOST_KEPT_BYTES && state.kept.len() > 1)
            {
                let Some((_, oldest)) = state.kept.pop_front() else { break };
                state.kept_bytes -= oldest.data.len();
            }
        }
    }

    /// Whether the stream ends with this message. A stream that belongs to no request has no last one.
    fn ends_with(&self, outgoing: &Outgoing) -> bool {
        matches!(self.place, Place::Answer | Place::Stateless)
            && match outgoing.kind {
                Kind::Answer(_) | Kind::Complaint => true,
                Kind::Other => outgoing.message.get("method").is_none(),
            }
    }
}

impl Sink for Stream {
    fn send(&self, outgoing: Outgoing) {
        let last = self.ends_with(&outgoing);
        let mut state = lock(&self.state);
        state.newest += 1;
        state.messages += 1;
        let event = Event { last, ..self.event(state.newest, outgoing.message.to_string()) };
        if last && state.messages == 1 {
            state.only_answer = Some(outgoing.message);
        }
        state.finished = state.finished || last;
        self.pass_on(&mut state, event);
        drop(state);
        self.changed.notify_waiters();
    }

    fn abandon(&self, _request: &Request) {
        // Over HTTP+SSE the stream is the session, and carries the answers to all its requests.
        if self.place != Place::Legacy {
            self.finish();
        }
    }

    fn interrupt(&self) {
        let Some(_) = self.label else { return };
        let mut state = lock(&self.state);
        if state.connection.is_some() {
            state.newest += 1;
            let signpost = self.signpost(state.newest, true);
            self.pass_on(&mut state, signpost);
            state.connection = None;
        } else {
            state.interrupted = true;
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

/// A fault: remembers the stream of the newest request, to which others then send their notifications.
#[derive(Clone, Default)]
pub(super) struct Newest(Arc<Mutex<Option<Arc<Stream>>>>);

impl Newest {
    /// A way to the stream that leads astray as soon as there is a newer one.
    pub(super) fn misdirect(&self, stream: &Arc<Stream>, closed_only: bool) -> Outbox {
        *lock(&self.0) = Some(Arc::clone(stream));
        Arc::new(Misdirected { own: Arc::clone(stream), newest: self.clone(), closed_only })
    }
}

struct Misdirected {
    own: Arc<Stream>,
    newest: Newest,
    /// Only once the client has closed the right one.
    closed_only: bool,
}

impl Sink for Misdirected {
    fn send(&self, outgoing: Outgoing) {
        let newest = lock(&self.newest.0).clone().filter(|stream| !stream.is_finished());
        let newest =
            newest.filter(|_| !self.closed_only || self.own.has_messages() && !self.own.is_connected());
        match (&outgoing.kind, newest) {
            (Kind::Other, Some(newest)) => newest.send(outgoing),
            _ => self.own.send(outgoing),
        }
    }

    fn abandon(&self, request: &Request) {
        self.own.abandon(request);
    }
}
