//! Server-sent events: their text form, and the body of an answer that consists of them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::mpsc;

use crate::faults::{Faults, HttpFault};

/// On what kind of stream an event travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The answer to a POST in a session.
    Answer,
    /// The stream of a GET, for messages that belong to no request.
    Standing,
    /// The answer to a POST of the stateless era.
    Stateless,
    /// The one stream of HTTP+SSE.
    Legacy,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) place: Place,
    /// A cursor within its stream, unique in the session.
    pub(crate) id: Option<String>,
    /// `None` leaves it at the default, which is `message`.
    pub(crate) name: Option<&'static str>,
    /// After how many milliseconds to connect again.
    pub(crate) retry: Option<u64>,
    pub(crate) data: String,
    /// The stream ends with it.
    pub(crate) last: bool,
}

impl Event {
    /// The event as the HTML standard wants it on the wire: one field a line, and a blank line at the end.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut text = String::with_capacity(self.data.len() + 64);
        if let Some(id) = &self.id {
            let _ = writeln!(text, "id: {id}");
        }
        if let Some(name) = self.name {
            let _ = writeln!(text, "event: {name}");
        }
        if let Some(retry) = self.retry {
            let _ = writeln!(text, "retry: {retry}");
        }
        // JSON of ours has no line ends, but whoever reads this shall see the rule.
        for line in self.data.split('\n') {
            let _ = writeln!(text, "data: {line}");
        }
        text.push('\n');
        text.into_bytes()
    }
}

/// The events of one connection, in order; the stream they come from may live on without it.
pub(crate) struct Events {
    pub(super) receiver: mpsc::Receiver<Event>,
    pub(super) faults: Arc<Faults>,
    /// How often a comment is sent while nothing happens, so that nobody takes the connection for dead.
    pub(super) keep_alive: Duration,
    /// Dropped when the client goes, or the stream is over.
    pub(super) _guard: Option<Box<dyn Send + Sync>>,
    /// True once the last event has gone out.
    pub(super) answered: bool,
}

impl Events {
    /// The next bytes to send; `None` at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        let mut text = Vec::new();
        // Faults may leave nothing of an event.
        while text.is_empty() {
            let Ok(event) = tokio::time::timeout(self.keep_alive, self.receiver.recv()).await else {
                return Some(Bytes::from_static(b":\n\n"));
            };
            let Some(event) = event else {
                if self.answered && self.faults.http_is(HttpFault::StreamStaysOpen) {
                    std::future::pending::<()>().await;
                }
                return None;
            };
            if event.last {
                self.answered = true;
                // What was sent in the same breath still goes out.
                self.receiver.close();
            }
            text.extend(self.faults.encode_event(event));
        }
        Some(Bytes::from(text))
    }
}
