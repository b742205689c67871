//! Answers to a JSON-RPC batch, gathered into one array (2025-03-26 only, spec page `basic/index#batching`).

use std::sync::Mutex;

use serde_json::Value;

use crate::jsonrpc::Request;
use crate::outbox::{Kind, Outbox, Outgoing, Sink, lock};

/// Holds back responses until the last one of the batch is there; anything else passes.
pub(crate) struct Batch {
    out: Outbox,
    state: Mutex<State>,
}

struct State {
    awaited: usize,
    responses: Vec<Value>,
}

impl Batch {
    pub(crate) fn new(out: Outbox, awaited: usize) -> Self {
        Self { out, state: Mutex::new(State { awaited, responses: Vec::new() }) }
    }

    fn settle(&self, response: Option<Value>) {
        let mut state = lock(&self.state);
        state.responses.extend(response);
        state.awaited = state.awaited.saturating_sub(1);
        // Nothing to answer means no message, not an empty array.
        if state.awaited == 0 && !state.responses.is_empty() {
            let responses = std::mem::take(&mut state.responses);
            self.out.send(Outgoing { message: Value::Array(responses), kind: Kind::Complaint });
        }
    }
}

impl Sink for Batch {
    fn send(&self, outgoing: Outgoing) {
        match outgoing.kind {
            Kind::Other => self.out.send(outgoing),
            Kind::Answer(_) | Kind::Complaint => self.settle(Some(outgoing.message)),
        }
    }

    fn abandon(&self, _request: &Request) {
        self.settle(None);
    }

    fn interrupt(&self) {
        self.out.interrupt();
    }
}
