//! POST, GET and DELETE of the stateful revisions (`basic/transports#streamable-http` of 2025-03-26 to 2025-11-25).

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::event::Place;
use super::message::{Ask, EVENT_STREAM, Reply, header};
use super::service::{Cancel, Service, alive};
use super::sessions::HttpSession;
use super::stream::Stream;
use crate::faults::HttpFault;
use crate::jsonrpc::{Message, Request};
use crate::outbox::{Outbox, Outgoing, Sink};
use crate::revision::Revision;

/// Takes a message, or in 2025-03-26 a batch of them.
pub(super) async fn post(service: &Arc<Service>, ask: &Ask, body: &[u8], value: Option<Value>) -> Reply {
    let is_initialize =
        value.as_ref().is_some_and(|value| value.get("method").is_some_and(|name| name == "initialize"));
    let session = if ask.headers.contains_key(header::SESSION_ID) {
        match session_of(service, ask) {
            Ok(session) => session,
            Err(refusal) => return refusal,
        }
    } else if is_initialize || value.is_none() {
        // What is no JSON is refused as such; the session is never entered.
        HttpSession::new(&service.server, &service.faults)
    } else {
        return missing_session();
    };
    if !is_initialize && let Err(refusal) = check_version(ask, &session) {
        return refusal;
    }
    let asks_for_reply = value.as_ref().is_none_or(asks_for_reply);
    let stream = if asks_for_reply {
        let Some(stream) = session.answer_stream() else {
            return Reply::refusal(StatusCode::TOO_MANY_REQUESTS, "Too many requests are unanswered");
        };
        stream
    } else {
        Stream::new(Place::Answer, None, false)
    };
    let was_initialized = session.core.revision().is_some();
    let outbox: Outbox = Astray::of(&session, &stream).unwrap_or_else(|| Arc::clone(&stream) as Outbox);
    session.faults.receive(body, &session.core, &session.faults.wrap(outbox));
    alive(&session.faults).await;
    if !asks_for_reply && !stream.has_messages() {
        return Reply::empty(StatusCode::ACCEPTED);
    }
    let tool = value.as_ref().and_then(|value| value.pointer("/params/name"));
    // A connection that breaks cancels nothing: what is being done goes on, and its messages are kept.
    let breaks = tool.is_none_or(|tool| tool != "test_reconnection");
    let guard = (breaks && session.faults.http_is(HttpFault::DisconnectCancels)).then(|| {
        let id = value.as_ref().and_then(|value| value.get("id")).cloned();
        Box::new(Cancel { session: Arc::clone(&session.core), id, others: None }) as Box<dyn Send + Sync>
    });
    stream.begun().await;
    let reply = match stream.only_answer() {
        Some(answer) => Reply::json(status_of(&answer), &answer),
        None => Reply::events(service.events(stream.connect(None), &session.faults, guard)),
    };
    if session.faults.http_is(HttpFault::ClosesEarly)
        && tool.is_some_and(|tool| tool == "test_tool_with_logging")
    {
        stream.cut();
    }
    if session.faults.http_is(HttpFault::AnswersOnStanding) {
        also_answer_on_standing(&session, value.as_ref(), &stream);
    }
    if was_initialized || session.core.revision().is_none() {
        return reply;
    }
    match service.sessions.enter(&session) {
        Ok(id) => reply.with_header(header::SESSION_ID, &id),
        Err(_) => Reply::refusal(StatusCode::INTERNAL_SERVER_ERROR, "No randomness"),
    }
}

/// Opens a stream for messages that belong to no request, or takes up one whose connection broke.
pub(super) fn open(service: &Arc<Service>, ask: &Ask) -> Reply {
    if !ask.accepts(EVENT_STREAM) {
        return Reply::refusal(
            StatusCode::NOT_ACCEPTABLE,
            "Not acceptable: the client must take text/event-stream",
        );
    }
    let session = match session_of(service, ask) {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    if let Err(refusal) = check_version(ask, &session) {
        return refusal;
    }
    let receiver = if ask.headers.contains_key(header::LAST_EVENT_ID) {
        let Some((stream, number)) = last_event(&session, ask) else {
            return Reply::refusal(StatusCode::BAD_REQUEST, "Unknown Last-Event-ID");
        };
        if session.faults.http_is(HttpFault::ReplaysOtherStreams) {
            for other in session.streams().iter().filter(|other| other.label() != stream.label()) {
                other.kept().into_iter().for_each(|event| stream.insert(number, event));
            }
        }
        stream.connect(Some(number))
    } else {
        let stream = session.standing_stream();
        let receiver = stream.connect(None);
        session.standing.add(&stream);
        receiver
    };
    Reply::events(service.events(receiver, &session.faults, None))
}

/// Ends a session at the client's wish.
pub(super) fn end(service: &Service, ask: &Ask) -> Reply {
    let session = match session_of(service, ask) {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    if let Err(refusal) = check_version(ask, &session) {
        return refusal;
    }
    service.sessions.end(ask.header(header::SESSION_ID).unwrap_or_default());
    Reply::empty(StatusCode::NO_CONTENT)
}

/// # Errors
/// 400 without a session id, 404 with one that is unknown, which all ended ones are.
fn session_of(service: &Service, ask: &Ask) -> Result<Arc<HttpSession>, Reply> {
    if !ask.headers.contains_key(header::SESSION_ID) {
        return Err(missing_session());
    }
    let session = ask.header(header::SESSION_ID).and_then(|id| service.sessions.find(id));
    session.ok_or_else(|| Reply::refusal(StatusCode::NOT_FOUND, "Session not found"))
}

fn missing_session() -> Reply {
    Reply::refusal(StatusCode::BAD_REQUEST, "Mcp-Session-Id is required; initialize gives one")
}

/// From 2025-06-18 on requests name their revision. One that does not is taken to be of the session's.
///
/// # Errors
/// 400 for a revision that no session can have.
fn check_version(ask: &Ask, session: &HttpSession) -> Result<(), Reply> {
    let knows_header = session.core.revision() >= Some(Revision::V2025_06_18);
    if !knows_header || !ask.headers.contains_key(header::PROTOCOL_VERSION) {
        return Ok(());
    }
    let named = ask.header(header::PROTOCOL_VERSION).and_then(Revision::parse);
    if named.is_some_and(|revision| !revision.is_stateless()) {
        Ok(())
    } else {
        Err(Reply::refusal(StatusCode::BAD_REQUEST, "Unsupported MCP-Protocol-Version"))
    }
}

/// Whether something is to be answered: a request, or what is no message at all.
fn asks_for_reply(value: &Value) -> bool {
    let is_silent = |value: &Value| {
        matches!(Message::classify(value.clone()), Ok(Message::Notification(_) | Message::Response(_)))
    };
    match value {
        Value::Array(members) => members.is_empty() || !members.iter().all(is_silent),
        value => !is_silent(value),
    }
}

/// 400 for input in which no request was found; an error in answer to a request is an answer like any other.
fn status_of(answer: &Value) -> StatusCode {
    let without_id = answer.get("id").is_none_or(Value::is_null);
    if answer.get("error").is_some() && without_id { StatusCode::BAD_REQUEST } else { StatusCode::OK }
}

/// The stream, and the number in it, of the last event that the client has seen.
fn last_event(session: &HttpSession, ask: &Ask) -> Option<(Arc<Stream>, u64)> {
    let (label, number) = ask.header(header::LAST_EVENT_ID)?.split_once('-')?;
    Some((session.find_stream(label.parse().ok()?)?, number.parse().ok()?))
}

/// A fault: the answer to a ping also goes where no answer belongs.
fn also_answer_on_standing(session: &HttpSession, value: Option<&Value>, stream: &Stream) {
    let is_ping = value.and_then(|value| value.get("method")).is_some_and(|method| method == "ping");
    if let (true, Some(message), Some(standing)) =
        (is_ping, stream.only_answer(), session.standing.all().last())
    {
        standing.send(Outgoing::other(message));
    }
}

/// Faults: some messages of a request go to the stream of a GET, in the place of its own or as well.
struct Astray {
    session: Arc<HttpSession>,
    own: Arc<Stream>,
}

impl Astray {
    fn of(session: &Arc<HttpSession>, own: &Arc<Stream>) -> Option<Outbox> {
        let is = |fault| session.faults.http_is(fault);
        let wanted = is(HttpFault::ProgressOnStanding) || is(HttpFault::RequestsTwice);
        wanted.then(|| Arc::new(Self { session: Arc::clone(session), own: Arc::clone(own) }) as Outbox)
    }
}

impl Sink for Astray {
    fn send(&self, outgoing: Outgoing) {
        let method = outgoing.message.get("method").and_then(Value::as_str);
        let is_progress = method == Some("notifications/progress");
        let is_request = method.is_some() && outgoing.message.get("id").is_some();
        let standing = self.session.standing.all().pop();
        let is = |fault| self.session.faults.http_is(fault);
        match standing {
            // With the first message the answer has become a stream.
            Some(standing) if is_progress && self.own.has_messages() && is(HttpFault::ProgressOnStanding) => {
                standing.send(outgoing);
            }
            Some(standing) if is_request && is(HttpFault::RequestsTwice) => {
                self.own.send(outgoing.clone());
                standing.send(outgoing);
            }
            _ => self.own.send(outgoing),
        }
    }

    fn abandon(&self, request: &Request) {
        self.own.abandon(request);
    }

    fn interrupt(&self) {
        self.own.interrupt();
    }
}
