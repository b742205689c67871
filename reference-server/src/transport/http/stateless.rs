//! POST in the stateless era (`basic/transports/streamable-http` of 2026-07-28): every request stands for itself, and
//! its answer, be it one document or a stream, for nothing else. When the client goes, the request is cancelled.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::event::Place;
use super::message::{Ask, Reply};
use super::mirrored;
use super::service::{Cancel, Service, alive};
use super::stream::Stream;
use crate::faults::HttpFault;
use crate::jsonrpc::{self, Message, Request, code};
use crate::outbox::Outbox;
use crate::session::Session;

/// Answers a message.
pub(super) async fn post(service: &Arc<Service>, ask: &Ask, body: &[u8], value: Option<Value>) -> Reply {
    let message = value.map(Message::classify);
    // Notifications have no rules for their headers, and what is no message has nothing to compare.
    let is_notification = matches!(message, Some(Ok(Message::Notification(_))));
    let request = match message {
        Some(Ok(Message::Request(request))) => Some(request),
        Some(Ok(Message::Response(_))) => {
            return Reply::refusal(
                StatusCode::BAD_REQUEST,
                "Nothing was asked, so there is nothing to answer",
            );
        }
        _ => None,
    };
    if let Some(request) = &request
        && let Err(error) = mirrored::check(ask, request, &service.server)
    {
        if service.faults.http_is(HttpFault::MismatchExecuted) {
            let (session, _, out) = session_for(service);
            service.faults.receive(body, &session, &out);
        }
        return Reply::json(StatusCode::BAD_REQUEST, &jsonrpc::error(Some(&request.id), &error));
    }
    let (session, stream, out) = session_for(service);
    let others = service.faults.http_is(HttpFault::CloseCancelsAll).then(|| Arc::clone(&service.running));
    service.faults.receive(body, &session, &out);
    if let (Some(others), Some(request)) = (&others, &request) {
        others.note(&session, &request.id);
    }
    alive(&service.faults).await;
    if is_notification && !stream.has_messages() {
        return Reply::empty(StatusCode::ACCEPTED);
    }
    let id = request.as_ref().map(|request| request.id.clone());
    let id = id.filter(|_| !service.faults.http_is(HttpFault::CloseIgnored));
    let cancel = Cancel { session, id, others };
    stream.begun().await;
    if let Some(answer) = stream.only_answer() {
        return Reply::json(status_of(&answer, request.as_ref()), &answer);
    }
    let receiver = stream.connect(None);
    Reply::events(service.events(receiver, &service.faults, Some(Box::new(cancel))))
}

fn session_for(service: &Service) -> (Arc<Session>, Arc<Stream>, Outbox) {
    let stream = Stream::new(Place::Stateless, None, false);
    let closed_only = service.faults.http_is(HttpFault::ClosedSpeaksElsewhere);
    let outbox: Outbox = if closed_only || service.faults.http_is(HttpFault::StreamsMixed) {
        service.newest.misdirect(&stream, closed_only)
    } else {
        Arc::clone(&stream) as Outbox
    };
    let out = service.faults.wrap(outbox);
    (Session::stateless(&service.server, Arc::clone(&out)), stream, out)
}

/// The status that goes with an answer: some errors have one of their own, all other answers are 200.
fn status_of(answer: &Value, request: Option<&Request>) -> StatusCode {
    match answer.pointer("/error/code").and_then(Value::as_i64) {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(
            code::PARSE_ERROR
            | code::INVALID_REQUEST
            | code::HEADER_MISMATCH
            | code::MISSING_CLIENT_CAPABILITY
            | code::UNSUPPORTED_PROTOCOL_VERSION,
        ) => StatusCode::BAD_REQUEST,
        // Without a usable `_meta` it is no request of this era at all.
        Some(code::INVALID_PARAMS)
            if request.is_none_or(|request| crate::stateless::caller(request).is_err()) =>
        {
            StatusCode::BAD_REQUEST
        }
        _ => StatusCode::OK,
    }
}
