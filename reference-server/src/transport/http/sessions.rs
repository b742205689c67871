//! Sessions over HTTP (`basic/transports#session-management` of the stateful revisions): an id that the server gives
//! with the answer to `initialize`, and that the client shows with every later request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::event::Place;
use super::standing::Standing;
use super::stream::Stream;
use crate::faults::{Faults, HttpFault};
use crate::outbox::{Outbox, lock};
use crate::revision::Revision;
use crate::server::Server;
use crate::session::Session;

/// Sessions at a time; a new one ends the one that has been idle for longest.
const MOST_SESSIONS: usize = 1000;
/// Requests of one session whose streams are remembered; with more of them unanswered no further one is taken.
const MOST_STREAMS: usize = 256;

/// A session and its streams.
pub(crate) struct HttpSession {
    pub(super) core: Arc<Session>,
    pub(super) faults: Arc<Faults>,
    pub(super) standing: Arc<Standing>,
    answers: Mutex<VecDeque<Arc<Stream>>>,
    last_label: AtomicU64,
}

impl HttpSession {
    /// A session that has yet to be initialized.
    pub(super) fn new(server: &Arc<Server>, faults: &Faults) -> Arc<Self> {
        let faults = Arc::new(faults.for_connection());
        let standing = Standing::new(&faults);
        let outbox: Outbox = Arc::clone(&standing) as Outbox;
        Arc::new(Self {
            core: Session::new(server, faults.wrap(outbox)),
            faults,
            standing,
            answers: Mutex::default(),
            last_label: AtomicU64::new(0),
        })
    }

    fn next_label(&self) -> u64 {
        self.last_label.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A stream for the answer to a POST; `None` if too many are unfinished.
    pub(super) fn answer_stream(&self) -> Option<Arc<Stream>> {
        let primed = self.core.revision() == Some(Revision::V2025_11_25);
        let stream = Stream::new(Place::Answer, Some(self.next_label()), primed);
        let mut answers = lock(&self.answers);
        if answers.len() >= MOST_STREAMS {
            let finished = answers.iter().position(|stream| stream.is_finished())?;
            answers.remove(finished);
        }
        answers.push_back(Arc::clone(&stream));
        self.standing.answering(&stream);
        Some(stream)
    }

    /// A stream for a GET.
    pub(super) fn standing_stream(&self) -> Arc<Stream> {
        Stream::new(Place::Standing, Some(self.next_label()), false)
    }

    /// The stream of that label, however it began.
    pub(super) fn find_stream(&self, label: u64) -> Option<Arc<Stream>> {
        let answer = lock(&self.answers).iter().find(|stream| stream.label() == Some(label)).cloned();
        answer.or_else(|| self.standing.find(label))
    }

    /// All streams of the session.
    pub(super) fn streams(&self) -> Vec<Arc<Stream>> {
        let mut streams: Vec<_> = lock(&self.answers).iter().cloned().collect();
        streams.extend(self.standing.all());
        streams
    }

    /// Ends everything that belongs to it.
    fn end(&self) {
        self.core.input_closed();
        self.streams().iter().for_each(|stream| stream.finish());
    }
}

/// The sessions of a server, by id; the one used last is the last.
#[derive(Default)]
pub(crate) struct Sessions {
    entries: Mutex<Vec<(String, Arc<HttpSession>)>>,
    counted: AtomicU64,
}

impl Sessions {
    /// Enters a session and gives it an id.
    ///
    /// # Errors
    /// When the system has no randomness to offer.
    pub(super) fn enter(&self, session: &Arc<HttpSession>) -> Result<String, getrandom::Error> {
        let id = if session.faults.http_is(HttpFault::CountingSessionIds) {
            (self.counted.fetch_add(1, Ordering::Relaxed) + 1).to_string()
        } else {
            new_id()?
        };
        let mut entries = lock(&self.entries);
        if entries.len() >= MOST_SESSIONS {
            entries.remove(0).1.end();
        }
        entries.push((id.clone(), Arc::clone(session)));
        Ok(id)
    }

    /// The session of that id.
    pub(super) fn find(&self, id: &str) -> Option<Arc<HttpSession>> {
        let mut entries = lock(&self.entries);
        let place = entries.iter().position(|(other, _)| other == id)?;
        let entry = entries.remove(place);
        let session = Arc::clone(&entry.1);
        entries.push(entry);
        Some(session)
    }

    /// Ends a session. False if there is none of that id.
    pub(super) fn end(&self, id: &str) -> bool {
        let mut entries = lock(&self.entries);
        let Some(place) = entries.iter().position(|(other, _)| other == id) else { return false };
        let (_, session) = entries.remove(place);
        drop(entries);
        session.end();
        true
    }
}

/// An id that cannot be guessed, in visible ASCII: 128 bits of the system's randomness.
pub(super) fn new_id() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
