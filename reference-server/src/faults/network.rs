//! The places at which a fault of the network side can take hold. Most change a request before the server sees it, as
//! if it had been right, or an answer when the server is done with it.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use crate::transport::http::{Ask, Content, Reply, header};

/// Faults in handling streams, sessions and sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpFault {
    /// Listens on all interfaces.
    BindsAllInterfaces,
    /// Session ids are 1, 2, 3.
    CountingSessionIds,
    /// A connection is closed before the answer.
    ClosesEarly,
    /// An unsolicited message goes to all streams.
    Broadcasts,
    /// An unsolicited message goes to the stream of an unrelated request.
    UnsolicitedOnAnswers,
    /// Answers go to the stream of a GET as well.
    AnswersOnStanding,
    /// A broken connection cancels the request.
    DisconnectCancels,
    /// A replay holds the events of other streams.
    ReplaysOtherStreams,
    /// A stream stays open after the answer.
    StreamStaysOpen,
    /// A request whose headers do not match is carried out before it is refused.
    MismatchExecuted,
    /// Closing the stream of a request does not cancel it.
    CloseIgnored,
    /// And what it still has to say goes to the stream of the newest request.
    ClosedSpeaksElsewhere,
    /// Closing the stream of a request cancels all others too.
    CloseCancelsAll,
    /// Progress goes to the stream of a GET.
    ProgressOnStanding,
    /// Requests of the server go to the stream of a GET as well.
    RequestsTwice,
    /// Notifications of a request go to the stream of the newest one.
    StreamsMixed,
    /// The address for messages has another name than the stream's.
    LegacyEndpointElsewhere,
    /// Answers go to the newest HTTP+SSE stream, whoever asked.
    LegacyStreamsMixed,
}

/// What the faults of a process remember of its HTTP traffic.
#[derive(Debug, Default)]
pub(super) struct NetworkMemory {
    /// The token that requests must show.
    pub(super) token: Option<String>,
    /// True once a request has shown it.
    pub(super) was_authorized: bool,
    /// The ids of the request for a completion before the newest one, and of that.
    pub(super) completed: [Option<Value>; 2],
    /// What was subscribed to.
    pub(super) subscribed: Vec<Value>,
}

/// The body of a request as JSON.
pub(super) fn body_of(ask: &Ask) -> Value {
    ask.body.as_deref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default()
}

/// An HTTP request on its way in.
pub(super) struct HttpArrival<'a> {
    pub(super) ask: &'a mut Ask,
    /// Its body as JSON; null if it is none.
    pub(super) body: Value,
    pub(super) memory: &'a mut NetworkMemory,
    /// Set to answer at once.
    pub(super) reply: Option<Reply>,
}

/// The answer to an HTTP request on its way out.
pub(super) struct HttpDeparture<'a> {
    pub(super) ask: &'a Ask,
    pub(super) body: Value,
    pub(super) reply: &'a mut Reply,
    pub(super) memory: &'a mut NetworkMemory,
}

impl HttpArrival<'_> {
    pub(super) fn posts(&self) -> bool {
        self.ask.method == "POST"
    }

    /// Whether it is for messages, and not for the metadata.
    pub(super) fn is_endpoint(&self) -> bool {
        !self.ask.path.starts_with("/.well-known/")
    }

    /// The method in the body.
    pub(super) fn rpc_method(&self) -> &str {
        self.body.get("method").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.ask.headers.contains_key(name)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.ask.headers.remove(name);
    }

    /// Gives a header this one value. Text that cannot be a value is left out.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::from_str(value)) {
            self.ask.headers.insert(name, value);
        }
    }

    /// Whether it is of the stateless era.
    pub(super) fn is_stateless(&self) -> bool {
        is_stateless(self.ask, &self.body)
    }
}

impl HttpDeparture<'_> {
    pub(super) fn is_get(&self) -> bool {
        self.ask.method == "GET"
    }

    pub(super) fn is_post(&self) -> bool {
        self.ask.method == "POST"
    }

    /// Whether the request was for messages, and not for the metadata.
    pub(super) fn is_endpoint(&self) -> bool {
        !self.ask.path.starts_with("/.well-known/")
    }

    /// Whether the answer is the error of that text.
    pub(super) fn has_message(&self, text: &str) -> bool {
        self.json().pointer("/error/message").is_some_and(|message| message == text)
    }

    pub(super) fn is_ok(&self) -> bool {
        self.reply.status.is_success()
    }

    /// The method in the body of the request.
    pub(super) fn rpc_method(&self) -> &str {
        self.body.get("method").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the request was of the stateless era.
    pub(super) fn is_stateless(&self) -> bool {
        is_stateless(self.ask, &self.body)
    }

    /// True for an accepted notification.
    pub(super) fn accepts_notification(&self) -> bool {
        self.reply.status == StatusCode::ACCEPTED && self.body.get("method").is_some()
    }

    /// True for an answer on which hardly anything else depends. Others, a ping above all, are what clients wait for.
    pub(super) fn is_plain(&self) -> bool {
        self.rpc_method() == "completion/complete" && self.is_ok()
    }

    /// The body of the answer as JSON.
    pub(super) fn json(&self) -> Value {
        match &self.reply.content {
            Content::Whole(bytes) => serde_json::from_slice(bytes).unwrap_or_default(),
            Content::Events(_) => Value::Null,
        }
    }

    /// The error code in the body of the answer.
    pub(super) fn code(&self) -> Option<i64> {
        self.json().pointer("/error/code").and_then(Value::as_i64)
    }

    pub(super) fn set_status(&mut self, status: StatusCode) {
        self.reply.status = status;
    }

    pub(super) fn set_header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.reply.headers.insert(HeaderName::from_static(name), value);
        }
    }

    pub(super) fn remove_header(&mut self, name: &str) {
        self.reply.headers.remove(name);
    }

    pub(super) fn set_body(&mut self, body: impl Into<Vec<u8>>) {
        self.reply.content = Content::Whole(body.into());
    }

    /// Changes the body of the answer, if it is JSON.
    pub(super) fn change_json(&mut self, change: impl FnOnce(&mut Value)) {
        let mut value = self.json();
        if !value.is_null() {
            change(&mut value);
            self.set_body(value.to_string());
        }
    }

    /// Answers with this instead.
    pub(super) fn replace(&mut self, reply: Reply) {
        *self.reply = reply;
    }
}

fn is_stateless(ask: &Ask, body: &Value) -> bool {
    let meta = body.pointer("/params/_meta").and_then(Value::as_object);
    let method = body.get("method").and_then(Value::as_str).unwrap_or_default();
    ask.header(header::PROTOCOL_VERSION) == Some("2026-07-28")
        || crate::stateless::is_stateless_call(method, meta)
}
