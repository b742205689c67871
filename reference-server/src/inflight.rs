//! Requests being worked on, and their cancellation (spec page `basic/utilities/cancellation`).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::{Notify, oneshot};

use crate::jsonrpc::Request;
use crate::outbox::{Outbox, lock};

/// The requests in flight on one connection, by id. `5` and `"5"` are different ids.
#[derive(Default)]
pub(crate) struct InFlight {
    entries: Mutex<HashMap<String, Entry>>,
    changed: Notify,
}

struct Entry {
    request: Arc<Request>,
    out: Outbox,
    cancel: oneshot::Sender<()>,
}

/// Held by the worker of a request.
pub(crate) struct Ticket {
    table: Arc<InFlight>,
    request: Arc<Request>,
}

impl InFlight {
    /// Enters a request; the receiver fires when it is cancelled.
    pub(crate) fn begin(
        table: &Arc<Self>,
        request: &Arc<Request>,
        out: &Outbox,
    ) -> (Ticket, oneshot::Receiver<()>) {
        let (cancel, cancelled) = oneshot::channel();
        let entry = Entry { request: Arc::clone(request), out: Arc::clone(out), cancel };
        lock(&table.entries).insert(request.id.to_string(), entry);
        (Ticket { table: Arc::clone(table), request: Arc::clone(request) }, cancelled)
    }

    /// Cancels a request; one that is unknown or finished is left alone.
    pub(crate) fn cancel(&self, id: &Value) {
        if let Some(entry) = lock(&self.entries).remove(&id.to_string()) {
            // The worker may have just finished: then nobody listens, and its answer has gone out.
            let _ = entry.cancel.send(());
            entry.out.abandon(&entry.request);
            self.changed.notify_waiters();
        }
    }

    /// How many requests are being worked on.
    pub(crate) fn count(&self) -> usize {
        lock(&self.entries).len()
    }

    /// Returns when the table is empty.
    pub(crate) async fn idle(&self) {
        loop {
            let changed = self.changed.notified();
            if lock(&self.entries).is_empty() {
                return;
            }
            changed.await;
        }
    }
}

impl Ticket {
    /// Takes the request out of the table. False if it was cancelled meanwhile, so that no answer may be sent.
    pub(crate) fn finish(&self) -> bool {
        let finished = lock(&self.table.entries).remove(&self.request.id.to_string()).is_some();
        self.table.changed.notify_waiters();
        finished
    }
}
