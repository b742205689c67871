//! One connection: takes messages in, decides which era they belong to, and sees that each request is answered once.
//!
//! On stdio a connection is the process's life. A stateless request uses nothing of the session but its table of
//! requests in flight; everything else in here belongs to the stateful era.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::batch::Batch;
use crate::context::{Caller, ClientCapabilities, Context};
use crate::dispatch::{self, Reply};
use crate::inflight::InFlight;
use crate::jsonrpc::{self, Malformed, Message, Notification, Object, Request, RpcError, code};
use crate::lifecycle::Handshake;
use crate::logging::Level;
use crate::outbox::{Kind, Outbox, Outgoing, lock};
use crate::peer::Peer;
use crate::revision::Revision;
use crate::server::{Change, Server};
use crate::stateless;
use crate::subscriptions::Listens;
use crate::tasks::Tasks;

/// One client's connection.
pub struct Session {
    pub(crate) server: Arc<Server>,
    /// Where messages go that belong to no request.
    pub(crate) outbox: Outbox,
    pub(crate) handshake: Mutex<Option<Handshake>>,
    pub(crate) log_level: Mutex<Level>,
    pub(crate) subscribed: Mutex<BTreeSet<String>>,
    pub(crate) in_flight: Arc<InFlight>,
    pub(crate) peer: Peer,
    pub(crate) listens: Listens,
    pub(crate) tasks: Tasks,
    spoke_stateless: AtomicBool,
}

impl Session {
    /// A connection of the stateless era, which lasts for one request.
    #[must_use]
    pub fn stateless(server: &Arc<Server>, outbox: Outbox) -> Arc<Self> {
        let session = Self::new(server, outbox);
        session.spoke_stateless.store(true, Ordering::Relaxed);
        session
    }

    /// A connection whose unsolicited messages go to `outbox`.
    #[must_use]
    pub fn new(server: &Arc<Server>, outbox: Outbox) -> Arc<Self> {
        let session = Arc::new(Self {
            server: Arc::clone(server),
            outbox,
            handshake: Mutex::new(None),
            log_level: Mutex::new(Level::Info),
            subscribed: Mutex::new(BTreeSet::new()),
            in_flight: Arc::new(InFlight::default()),
            peer: Peer::default(),
            listens: Listens::default(),
            tasks: Tasks::default(),
            spoke_stateless: AtomicBool::new(false),
        });
        server.register(&session);
        session
    }

    /// Takes one message as bytes. Answers go to `out`.
    pub fn receive(self: &Arc<Self>, bytes: &[u8], out: &Outbox) {
        match serde_json::from_slice(bytes) {
            Ok(value) => self.receive_value(value, out),
            Err(_) => {
                self.complain(None, &RpcError::new(code::PARSE_ERROR, "Parse error: not JSON in UTF-8"), out)
            }
        }
    }

    /// Takes one message that is already parsed.
    pub fn receive_value(self: &Arc<Self>, value: Value, out: &Outbox) {
        match value {
            Value::Array(members)
                if self.revision() == Some(Revision::V2025_03_26) && !members.is_empty() =>
            {
                self.receive_batch(members, out);
            }
            Value::Array(_) => {
                self.complain(None, &RpcError::invalid_request("A batch is not accepted here"), out);
            }
            value => self.receive_single(value, out),
        }
    }

    /// Batches exist in 2025-03-26 only (spec page `basic/index#batching` of that revision).
    fn receive_batch(self: &Arc<Self>, members: Vec<Value>, out: &Outbox) {
        // Every member that will be answered must be counted before the first answer can come.
        let awaited = members
            .iter()
            .filter(|member| {
                !matches!(
                    Message::classify((*member).clone()),
                    Ok(Message::Notification(_) | Message::Response(_))
                )
            })
            .count();
        let batch: Outbox = Arc::new(Batch::new(Arc::clone(out), awaited));
        for member in members {
            if member.get("method").and_then(Value::as_str) == Some("initialize") {
                let id = member.get("id").filter(|id| jsonrpc::is_legal_id(id)).cloned();
                self.complain(
                    id,
                    &RpcError::invalid_request("initialize must not be part of a batch"),
                    &batch,
                );
            } else {
                self.receive_single(member, &batch);
            }
        }
    }

    fn receive_single(self: &Arc<Self>, value: Value, out: &Outbox) {
        match Message::classify(value) {
            Ok(Message::Request(request)) => self.receive_request(request, out),
            Ok(Message::Notification(notification)) => self.receive_notification(&notification),
            Ok(Message::Response(response)) => self.peer.answer(response),
            Err(Malformed { id, error }) => self.complain(id, &error, out),
        }
    }

    fn receive_request(self: &Arc<Self>, request: Request, out: &Outbox) {
        let request = Arc::new(request);
        let caller = match self.caller_of(&request) {
            Ok(caller) => caller,
            Err(error) => return self.answer(&request, None, Err(error), out),
        };
        let revision = caller.revision;
        let context = Context {
            session: Arc::clone(self),
            request: Arc::clone(&request),
            caller,
            out: Arc::clone(out),
            task: None,
        };
        match dispatch::dispatch(context) {
            Reply::Now(outcome) => self.answer(&request, Some(revision), outcome, out),
            Reply::Held => {}
            Reply::Later(work) => {
                let (ticket, cancelled) = InFlight::begin(&self.in_flight, &request, out);
                let (session, out) = (Arc::clone(self), Arc::clone(out));
                tokio::spawn(async move {
                    let outcome = tokio::select! {
                        // In this order, so that work whose time has come as well says no more.
                        biased;
                        // Dropping the work stops it; a cancelled request gets no answer.
                        _ = cancelled => return,
                        outcome = work => outcome,
                    };
                    if ticket.finish() {
                        session.answer(&request, Some(revision), outcome, &out);
                    }
                });
            }
        }
    }

    fn receive_notification(self: &Arc<Self>, notification: &Notification) {
        match notification.method.as_str() {
            "notifications/initialized" => {
                if let Some(handshake) = lock(&self.handshake).as_mut() {
                    handshake.initialized = true;
                }
            }
            // A cancel that names nothing we know is ignored: it may have crossed our answer on the wire.
            "notifications/cancelled" => {
                if let Some(id) = notification.params.get("requestId") {
                    self.cancel(id);
                }
            }
            _ => {}
        }
    }

    /// Stops work on a request, which gets no answer any more. One that is unknown or finished is left alone.
    pub fn cancel(&self, id: &Value) {
        self.in_flight.cancel(id);
        self.listens.cancel(id);
    }

    /// In which revision, and with which capabilities, a request is to be served.
    fn caller_of(&self, request: &Request) -> Result<Caller, RpcError> {
        if stateless::is_stateless(request) {
            self.spoke_stateless.store(true, Ordering::Relaxed);
            return stateless::caller(request);
        }
        let progress_token =
            request.meta().and_then(|meta| meta.get("progressToken")).filter(|t| jsonrpc::is_legal_id(t));
        let stateful = |revision, capabilities| Caller {
            revision,
            capabilities,
            progress_token: progress_token.cloned(),
            log_level: None,
        };
        if let Some(handshake) = lock(&self.handshake).as_ref() {
            return Ok(stateful(handshake.revision, handshake.capabilities.clone()));
        }
        match request.method.as_str() {
            "initialize" | "ping" => Ok(stateful(Revision::LATEST_STATEFUL, ClientCapabilities::default())),
            _ => Err(RpcError::invalid_params(format!(
                "Send initialize first, or _meta with {} and {}",
                stateless::PROTOCOL_VERSION,
                stateless::CLIENT_CAPABILITIES
            ))),
        }
    }

    fn answer(
        &self,
        request: &Arc<Request>,
        revision: Option<Revision>,
        outcome: Result<Value, RpcError>,
        out: &Outbox,
    ) {
        let message = match outcome {
            Ok(mut result) => {
                if revision.is_some_and(Revision::is_stateless) {
                    stateless::complete_result(&request.method, &mut result);
                }
                jsonrpc::result(&request.id, result)
            }
            Err(error) => jsonrpc::error(Some(&request.id), &error),
        };
        out.send(Outgoing { message, kind: Kind::Answer(Arc::clone(request)) });
    }

    /// Answers input in which no usable request was found.
    pub fn complain(&self, id: Option<Value>, error: &RpcError, out: &Outbox) {
        // JSON-RPC wants a null id here; the schemas of the newest two revisions want it left out.
        let null_is_legal = match self.revision() {
            Some(revision) => revision < Revision::V2025_11_25,
            None => !self.spoke_stateless.load(Ordering::Relaxed),
        };
        let id = id.or(null_is_legal.then_some(Value::Null));
        out.send(Outgoing { message: jsonrpc::error(id.as_ref(), error), kind: Kind::Complaint });
    }

    /// The revision agreed on by `initialize`, if there was one.
    pub(crate) fn revision(&self) -> Option<Revision> {
        lock(&self.handshake).as_ref().map(|handshake| handshake.revision)
    }

    fn is_initialized(&self) -> bool {
        lock(&self.handshake).as_ref().is_some_and(|handshake| handshake.initialized)
    }

    /// Passes a change on, in each era by its own rules.
    pub(crate) fn announce(&self, change: &Change) {
        if self.is_initialized() {
            let (method, params) = notification_of(change);
            let wanted = match change {
                Change::Updated(uri) => lock(&self.subscribed).contains(uri),
                _ => true,
            };
            if wanted {
                self.outbox.send(Outgoing::other(jsonrpc::notification(method, params)));
            }
        }
        self.listens.announce(change);
    }

    /// The client will send nothing more: requests that wait for it fail, subscriptions end.
    pub fn input_closed(&self) {
        self.peer.close();
        self.listens.close();
    }

    /// Returns when no request is in flight any more.
    pub async fn idle(&self) {
        self.in_flight.idle().await;
    }
}

/// Method and params of the notification that tells of a change.
pub(crate) fn notification_of(change: &Change) -> (&'static str, Object) {
    match change {
        Change::Tools => ("notifications/tools/list_changed", Object::new()),
        Change::Prompts => ("notifications/prompts/list_changed", Object::new()),
        Change::Resources => ("notifications/resources/list_changed", Object::new()),
        Change::Updated(uri) => ("notifications/resources/updated", jsonrpc::object(json!({ "uri": uri }))),
    }
}
