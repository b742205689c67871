//! Requests that the server sends to the client. They exist in the stateful era only: later revisions ask by
//! answering `input_required` (see [`crate::mrtr`]).

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::jsonrpc::{self, Object, Response, RpcError};
use crate::outbox::{Outbox, Outgoing, lock};

type Outcome = Result<Value, RpcError>;

/// The client, as somebody who can be asked.
#[derive(Default)]
pub(crate) struct Peer {
    last_id: AtomicU64,
    waiting: Mutex<HashMap<String, oneshot::Sender<Outcome>>>,
    closed: AtomicBool,
}

impl Peer {
    /// Sends a request and waits for its answer, but not for ever.
    pub(crate) async fn ask(&self, out: &Outbox, method: &str, params: Object, timeout: Duration) -> Outcome {
        if self.closed.load(Ordering::Relaxed) {
            return Err(RpcError::internal("The client has closed its side"));
        }
        // Strings, so that they cannot be mistaken for the numbers most clients use for their own requests.
        let id = Value::String(format!("server-{}", self.last_id.fetch_add(1, Ordering::Relaxed) + 1));
        let (sender, receiver) = oneshot::channel();
        lock(&self.waiting).insert(id.to_string(), sender);
        let waiting = Waiting { peer: self, out, id: &id };
        out.send(Outgoing::other(jsonrpc::request(id.clone(), method, params)));
        match tokio::time::timeout(timeout, receiver).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(RpcError::internal("The client has closed its side")),
            Err(_) => {
                drop(waiting);
                Err(RpcError::internal(format!("The client did not answer {method} in time")))
            }
        }
    }

    /// Hands an answer to whoever waits for it; a late or unknown one is ignored.
    pub(crate) fn answer(&self, response: Response) {
        if let Some(sender) = lock(&self.waiting).remove(&response.id.to_string()) {
            let _ = sender.send(response.outcome);
        }
    }

    /// No more answers will come.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
        lock(&self.waiting).clear();
    }
}

/// Tells the client that its answer is no longer wanted, when we give up: on a timeout, or when the request that
/// made us ask is itself cancelled.
struct Waiting<'a> {
    peer: &'a Peer,
    out: &'a Outbox,
    id: &'a Value,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if lock(&self.peer.waiting).remove(&self.id.to_string()).is_some() {
            let params = jsonrpc::object(json!({ "requestId": self.id, "reason": "No longer needed" }));
            self.out.send(Outgoing::other(jsonrpc::notification("notifications/cancelled", params)));
        }
    }
}
