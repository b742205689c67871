//! Where messages leave the protocol core. A transport (or a wrapper around one) implements [`Sink`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::jsonrpc::Request;

/// What a message on its way out is, for a sink that treats kinds differently.
#[derive(Debug, Clone)]
pub enum Kind {
    /// The response to this request.
    Answer(Arc<Request>),
    /// An error for input in which no request could be recognised.
    Complaint,
    /// A notification or a request of the server's own.
    Other,
}

/// One message on its way to the client.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The message: an object, or in 2025-03-26 an array of responses.
    pub message: Value,
    /// What it is.
    pub kind: Kind,
}

impl Outgoing {
    /// A notification or request.
    #[must_use]
    pub fn other(message: Value) -> Self {
        Self { message, kind: Kind::Other }
    }
}

/// Takes messages in the order in which the client shall see them. Must not block.
pub trait Sink: Send + Sync {
    /// Hands over one message.
    fn send(&self, outgoing: Outgoing);

    /// The request was cancelled: its answer will never come.
    fn abandon(&self, _request: &Request) {}

    /// The client shall fetch what is still to come by a new connection; where connections are not resumed this does
    /// nothing.
    fn interrupt(&self) {}
}

/// A sink shared by everything that answers on it.
pub type Outbox = Arc<dyn Sink>;

/// A lock that goes on after a panic elsewhere: one broken handler must not take the server down.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Collects messages in memory, for tests and for callers without a transport.
#[derive(Debug, Default)]
pub struct Collected {
    messages: Mutex<Vec<Outgoing>>,
}

impl Collected {
    /// Everything sent since the last call.
    pub fn take(&self) -> Vec<Outgoing> {
        std::mem::take(&mut *lock(&self.messages))
    }
}

impl Sink for Collected {
    fn send(&self, outgoing: Outgoing) {
        lock(&self.messages).push(outgoing);
    }
}
