//! What a request meets on its way, in this order: is it from a page that may talk to us, is it for a path of ours,
//! does it show the token, and which era does it speak?

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::event::Events;
use super::legacy::LegacySessions;
use super::message::{Ask, EVENT_STREAM, JSON, Reply, header};
use super::sessions::Sessions;
use super::stream::Newest;
use super::{authorization, legacy, origin, stateful, stateless};
use crate::faults::Faults;
use crate::outbox::lock;
use crate::revision::Revision;
use crate::server::Server;
use crate::session::Session;

/// How HTTP is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// The token that every request must show; `None` lets everybody in.
    pub bearer: Option<String>,
    /// How often a quiet stream gets a comment.
    pub keep_alive: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { bearer: None, keep_alive: Duration::from_secs(15) }
    }
}

/// Which transport an address speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Streamable HTTP at `/mcp`.
    Streamable,
    /// HTTP+SSE at `/sse`.
    Legacy,
}

impl Dialect {
    /// The path of the endpoint.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::Streamable => "/mcp",
            Self::Legacy => "/sse",
        }
    }
}

/// Everything behind one address.
pub(crate) struct Service {
    pub(super) server: Arc<Server>,
    /// Of the address as a whole; each session has its own part of them.
    pub(super) faults: Arc<Faults>,
    pub(super) sessions: Sessions,
    pub(super) legacy: LegacySessions,
    pub(super) own: SocketAddr,
    /// Only a fault looks at it.
    pub(super) newest: Newest,
    /// And at this.
    pub(super) running: Arc<Running>,
    options: Options,
    dialect: Dialect,
}

impl Service {
    pub(super) fn new(
        server: &Arc<Server>,
        faults: Arc<Faults>,
        own: SocketAddr,
        options: Options,
        dialect: Dialect,
    ) -> Arc<Self> {
        faults.know_token(options.bearer.as_ref());
        Arc::new(Self {
            server: Arc::clone(server),
            faults,
            sessions: Sessions::default(),
            legacy: LegacySessions::default(),
            own,
            newest: Newest::default(),
            running: Arc::default(),
            options,
            dialect,
        })
    }

    /// Answers a request.
    pub(super) async fn serve(self: &Arc<Self>, ask: Ask) -> Reply {
        let mut arrived = ask.clone();
        if let Some(reply) = self.faults.meet_request(&mut arrived) {
            return reply;
        }
        let mut reply = self.answer(&arrived).await;
        self.faults.meet_reply(&ask, &mut reply);
        reply
    }

    async fn answer(self: &Arc<Self>, ask: &Ask) -> Reply {
        if let Err(refusal) = origin::check(ask, self.own) {
            return refusal;
        }
        let endpoint = self.dialect.endpoint();
        if let Some(token) = &self.options.bearer {
            if let Some(reply) = authorization::metadata(ask, endpoint) {
                return reply;
            }
            if let Err(refusal) = authorization::check(ask, token, endpoint) {
                return refusal;
            }
        }
        match self.dialect {
            Dialect::Streamable if ask.path == endpoint => self.answer_streamable(ask).await,
            Dialect::Legacy if ask.path == endpoint => legacy::open(self, ask),
            Dialect::Legacy if ask.path == legacy::MESSAGES => legacy::post(self, ask).await,
            _ => Reply::empty(StatusCode::NOT_FOUND),
        }
    }

    async fn answer_streamable(self: &Arc<Self>, ask: &Ask) -> Reply {
        if ask.method != Method::POST {
            // Only sessions have streams to open and something to end.
            let is_stateless = !ask.headers.contains_key(header::SESSION_ID) && names_stateless_revision(ask);
            return match ask.method {
                Method::GET | Method::DELETE if is_stateless => Reply::method_not_allowed("POST"),
                Method::GET => stateful::open(self, ask),
                Method::DELETE => stateful::end(self, ask),
                _ => Reply::method_not_allowed("GET, POST, DELETE"),
            };
        }
        let body = match posted(ask) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        if !ask.accepts(JSON) || !ask.accepts(EVENT_STREAM) {
            return Reply::refusal(
                StatusCode::NOT_ACCEPTABLE,
                "Not acceptable: the client must take application/json and text/event-stream",
            );
        }
        let value: Option<Value> = serde_json::from_slice(body).ok();
        if names_stateless_revision(ask) || value.as_ref().is_some_and(is_stateless) {
            stateless::post(self, ask, body, value).await
        } else {
            stateful::post(self, ask, body, value).await
        }
    }

    /// The body of an answer that consists of events.
    pub(super) fn events(
        &self,
        receiver: tokio::sync::mpsc::Receiver<super::event::Event>,
        faults: &Arc<Faults>,
        guard: Option<Box<dyn Send + Sync>>,
    ) -> Events {
        Events {
            receiver,
            faults: Arc::clone(faults),
            keep_alive: self.options.keep_alive,
            _guard: guard,
            answered: false,
        }
    }
}

/// The body of a POST.
///
/// # Errors
/// The refusal of one that is not JSON by its own account, or too long.
pub(super) fn posted(ask: &Ask) -> Result<&[u8], Reply> {
    if !ask.is_json() {
        return Err(Reply::refusal(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "Unsupported media type: messages are application/json",
        ));
    }
    let too_long = || Reply::refusal(StatusCode::PAYLOAD_TOO_LARGE, "A message may have 4 MiB at most");
    ask.body.as_deref().ok_or_else(too_long)
}

fn names_stateless_revision(ask: &Ask) -> bool {
    ask.header(header::PROTOCOL_VERSION).and_then(Revision::parse).is_some_and(Revision::is_stateless)
}

/// Whether a body is of the stateless era, whatever the headers say.
fn is_stateless(value: &Value) -> bool {
    let method = value.get("method").and_then(Value::as_str).unwrap_or_default();
    let meta = value.pointer("/params/_meta").and_then(Value::as_object);
    crate::stateless::is_stateless_call(method, meta)
}

/// Waits for ever if a fault has crashed or wedged the server: nobody answers any more.
pub(super) async fn alive(faults: &Faults) {
    if faults.is_stalled() {
        std::future::pending::<()>().await;
    }
}

/// Cancels a request when it is dropped; one that is finished takes no notice
/// (`basic/transports/streamable-http#cancellation` of 2026-07-28).
pub(super) struct Cancel {
    pub(super) session: Arc<Session>,
    pub(super) id: Option<Value>,
    /// Those that one fault cancels too, unless the request is finished.
    pub(super) others: Option<Arc<Running>>,
}

/// The requests of the stateless era that were taken; only a fault wants to know them.
#[derive(Default)]
pub(super) struct Running(Mutex<Vec<(Arc<Session>, Value)>>);

impl Running {
    /// Notes a request.
    pub(super) fn note(&self, session: &Arc<Session>, id: &Value) {
        let mut entries = lock(&self.0);
        entries.retain(|(session, _)| session.in_flight.count() > 0);
        entries.push((Arc::clone(session), id.clone()));
    }

    fn cancel(&self) {
        std::mem::take(&mut *lock(&self.0)).iter().for_each(|(session, id)| session.cancel(id));
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        if let Some(others) = self.others.as_ref().filter(|_| self.session.in_flight.count() > 0) {
            others.cancel();
        }
        if let Some(id) = &self.id {
            self.session.cancel(id);
        }
    }
}
