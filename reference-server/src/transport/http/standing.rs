//! Where messages go that belong to no request: to exactly one of the streams that the client has opened by GET
//! (`basic/transports#listening-for-messages-from-the-server` of the stateful revisions).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use super::stream::Stream;
use crate::faults::{Faults, HttpFault};
use crate::outbox::{Outgoing, Sink, lock};

/// Streams that are remembered for the sake of their replay.
const MOST_STREAMS: usize = 16;
/// Messages that wait for the first stream.
const MOST_WAITING: usize = 64;

/// The streams of one session that were opened by GET, oldest first.
pub(crate) struct Standing {
    faults: Arc<Faults>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    streams: VecDeque<Arc<Stream>>,
    waiting: VecDeque<Outgoing>,
    /// The stream of the newest request; only a fault sends messages there.
    answering: Option<Arc<Stream>>,
}

impl Standing {
    pub(super) fn new(faults: &Arc<Faults>) -> Arc<Self> {
        Arc::new(Self { faults: Arc::clone(faults), state: Mutex::default() })
    }

    /// Adds a stream that a client reads; it gets what has been waiting.
    pub(super) fn add(&self, stream: &Arc<Stream>) {
        let mut state = lock(&self.state);
        for outgoing in std::mem::take(&mut state.waiting) {
            stream.send(outgoing);
        }
        state.streams.push_back(Arc::clone(stream));
        if state.streams.len() > MOST_STREAMS
            && let Some(oldest) = state.streams.pop_front()
        {
            oldest.finish();
        }
    }

    /// The stream of that label.
    pub(super) fn find(&self, label: u64) -> Option<Arc<Stream>> {
        lock(&self.state).streams.iter().find(|stream| stream.label() == Some(label)).cloned()
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<Arc<Stream>> {
        lock(&self.state).streams.iter().cloned().collect()
    }

    /// Notes which request is the newest.
    pub(super) fn answering(&self, stream: &Arc<Stream>) {
        lock(&self.state).answering = Some(Arc::clone(stream));
    }
}

impl Sink for Standing {
    fn send(&self, outgoing: Outgoing) {
        let mut state = lock(&self.state);
        if self.faults.http_is(HttpFault::Broadcasts) {
            state.streams.iter().for_each(|stream| stream.send(outgoing.clone()));
            return;
        }
        if self.faults.http_is(HttpFault::UnsolicitedOnAnswers)
            && let Some(stream) = state.answering.as_ref().filter(|stream| !stream.is_finished())
        {
            return stream.send(outgoing);
        }
        // One that is read now; else the newest, whose client may come back for what it missed.
        let connected = state.streams.iter().find(|stream| stream.is_connected());
        match connected.or_else(|| state.streams.back()) {
            Some(stream) => stream.send(outgoing),
            None => {
                state.waiting.push_back(outgoing);
                if state.waiting.len() > MOST_WAITING {
                    state.waiting.pop_front();
                }
            }
        }
    }
}
