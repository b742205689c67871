//! HTTP+SSE (`basic/transports#http-with-sse` of 2024-11-05): one stream of events for everything the server says, and
//! an address, named in the first event, to which the client posts everything it says. A session lasts as long as its
//! stream. Later stateful revisions can be spoken over it too, as many servers do. 2026-07-28 has no such transport any
//! more; the core would answer its requests here as well, but no text says what they mean, and the suite does not ask.

use std::sync::{Arc, Mutex};

use axum::http::{Method, StatusCode};

use super::event::Place;
use super::message::{Ask, EVENT_STREAM, Reply};
use super::service::{Service, alive, posted};
use super::sessions::new_id;
use super::stream::Stream;
use crate::faults::{Faults, HttpFault};
use crate::outbox::{Collected, Outbox, lock};
use crate::session::Session;

/// Where messages are posted to.
pub(super) const MESSAGES: &str = "/messages";
/// The parameter that says which session they belong to.
const SESSION: &str = "sessionId";
/// Sessions at a time.
const MOST_SESSIONS: usize = 1000;
/// Requests of one session that are being worked on.
const MOST_REQUESTS: usize = 256;

/// One client's session.
struct LegacySession {
    id: String,
    core: Arc<Session>,
    faults: Arc<Faults>,
    stream: Arc<Stream>,
    out: Outbox,
}

/// The sessions of a server.
#[derive(Default)]
pub(super) struct LegacySessions {
    entries: Mutex<Vec<Arc<LegacySession>>>,
}

impl LegacySessions {
    fn find(&self, id: &str) -> Option<Arc<LegacySession>> {
        lock(&self.entries).iter().find(|session| session.id == id).cloned()
    }

    fn newest(&self) -> Option<Arc<LegacySession>> {
        lock(&self.entries).last().cloned()
    }
}

/// Answers GET on the endpoint: a new session, whose stream begins with the address for its messages.
pub(super) fn open(service: &Arc<Service>, ask: &Ask) -> Reply {
    if ask.method != Method::GET {
        return Reply::method_not_allowed("GET");
    }
    if !ask.accepts(EVENT_STREAM) {
        return Reply::refusal(
            StatusCode::NOT_ACCEPTABLE,
            "Not acceptable: the client must take text/event-stream",
        );
    }
    let Ok(id) = new_id() else {
        return Reply::refusal(StatusCode::INTERNAL_SERVER_ERROR, "No randomness");
    };
    let stream = Stream::new(Place::Legacy, None, false);
    let receiver = stream.connect(None);
    let elsewhere = service.faults.http_is(HttpFault::LegacyEndpointElsewhere);
    let origin = if elsewhere { format!("http://localhost:{}", service.own.port()) } else { String::new() };
    stream.announce("endpoint", format!("{origin}{MESSAGES}?{SESSION}={id}"));
    let faults = Arc::new(service.faults.for_connection());
    let outbox: Outbox = Arc::clone(&stream) as Outbox;
    let out = faults.wrap(outbox);
    let core = Session::new(&service.server, Arc::clone(&out));
    let session = Arc::new(LegacySession { id, core, faults: Arc::clone(&faults), stream, out });
    {
        let mut entries = lock(&service.legacy.entries);
        if entries.len() >= MOST_SESSIONS {
            return Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, "Too many sessions");
        }
        entries.push(Arc::clone(&session));
    }
    let guard = Closing { service: Arc::clone(service), session };
    Reply::events(service.events(receiver, &faults, Some(Box::new(guard))))
}

/// Takes a message. Whatever it gives rise to comes on the stream.
pub(super) async fn post(service: &Arc<Service>, ask: &Ask) -> Reply {
    if ask.method != Method::POST {
        return Reply::method_not_allowed("POST");
    }
    let Some(session) = ask.parameter(SESSION).and_then(|id| service.legacy.find(id)) else {
        return Reply::refusal(StatusCode::NOT_FOUND, "Session not found");
    };
    let body = match posted(ask) {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    if serde_json::from_slice::<serde_json::Value>(body).is_err() {
        return refuse(&session, body).await;
    }
    if session.core.in_flight.count() >= MOST_REQUESTS {
        return Reply::refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests are unanswered");
    }
    let mut out = Arc::clone(&session.out);
    if service.faults.http_is(HttpFault::LegacyStreamsMixed)
        && let Some(newest) = service.legacy.newest()
    {
        out = Arc::clone(&newest.out);
    }
    session.faults.receive(body, &session.core, &out);
    alive(&session.faults).await;
    Reply::empty(StatusCode::ACCEPTED)
}

/// What is no JSON gets its error at once, where the client that sent it looks.
async fn refuse(session: &LegacySession, body: &[u8]) -> Reply {
    let collected = Arc::new(Collected::default());
    let outbox: Outbox = Arc::clone(&collected) as Outbox;
    session.faults.receive(body, &session.core, &session.faults.wrap(outbox));
    alive(&session.faults).await;
    match collected.take().first() {
        Some(complaint) => Reply::json(StatusCode::BAD_REQUEST, &complaint.message),
        None => Reply::empty(StatusCode::BAD_REQUEST),
    }
}

/// Ends the session when its stream is closed.
struct Closing {
    service: Arc<Service>,
    session: Arc<LegacySession>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        lock(&self.service.legacy.entries).retain(|session| session.id != self.session.id);
        self.session.core.input_closed();
        self.session.stream.finish();
    }
}
