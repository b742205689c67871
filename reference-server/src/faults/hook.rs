//! The places at which a fault can take hold, and what it can do there.

use serde_json::{Value, json};

use super::memory::Memory;
use super::network::{HttpArrival, HttpDeparture, HttpFault};
use crate::jsonrpc::{self, Request, RpcError};
use crate::outbox::Outgoing;
use crate::revision::Revision;
use crate::stateless;
use crate::transport::http::Event;

/// A place to take hold.
pub(super) enum Hook {
    /// A line as it came, before it is parsed.
    Line(fn(&[u8]) -> Verdict),
    /// A message on its way in: JSON, though not necessarily a legal message.
    In(fn(&mut Arrival<'_>) -> Verdict),
    /// A message on its way out.
    Out(fn(&mut Departure<'_>)),
    /// A line on its way out, with its end.
    Bytes(fn(&Outgoing, Vec<u8>) -> Vec<u8>),
    /// A line at the very beginning.
    Startup(&'static [u8]),
    /// A way of ending, or not.
    Stdio(StdioFault),
    /// An HTTP request on its way in.
    Request(fn(&mut HttpArrival<'_>)),
    /// The answer to an HTTP request on its way out.
    Reply(fn(&mut HttpDeparture<'_>)),
    /// A server-sent event on its way out.
    Event(fn(&mut Event)),
    /// The same as text, with its end.
    EventText(fn(&Event, Vec<u8>) -> Vec<u8>),
    /// The bytes of HTTP as they come in, which keep their number.
    Head(fn(&mut [u8])),
    /// A way of handling streams, sessions or sockets.
    Http(HttpFault),
}

/// Faults of the process rather than of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdioFault {
    /// Lives on after stdin was closed.
    IgnoreEof,
    /// Lives on after SIGTERM.
    IgnoreSigterm,
}

/// What becomes of something on its way in.
pub(super) enum Verdict {
    /// It goes on to the core.
    Pass,
    /// It is lost.
    Swallow,
    /// It is lost, and this is sent instead.
    Answer(Value),
    /// The process dies.
    Crash,
    /// The process does nothing more.
    Hang,
}

/// `Crash` if the condition holds.
pub(super) fn crash_if(condition: bool) -> Verdict {
    if condition { Verdict::Crash } else { Verdict::Pass }
}

/// A message on its way in.
pub(super) struct Arrival<'a> {
    pub(super) message: &'a mut Value,
    pub(super) memory: &'a mut Memory,
}

impl Arrival<'_> {
    /// The method, if there is one.
    pub(super) fn method(&self) -> &str {
        self.message.get("method").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is(&self, method: &str) -> bool {
        self.method() == method
    }

    pub(super) fn id(&self) -> Option<&Value> {
        self.message.get("id")
    }

    pub(super) fn is_request(&self) -> bool {
        !self.method().is_empty() && self.id().is_some_and(jsonrpc::is_legal_id)
    }

    pub(super) fn is_notification(&self) -> bool {
        !self.method().is_empty() && self.id().is_none()
    }

    /// A member of the params, by JSON pointer.
    pub(super) fn param(&self, pointer: &str) -> Option<&Value> {
        self.message.get("params").and_then(|params| params.pointer(pointer))
    }

    pub(super) fn text(&self, pointer: &str) -> Option<&str> {
        self.param(pointer).and_then(Value::as_str)
    }

    pub(super) fn meta(&self, key: &str) -> Option<&Value> {
        self.message.pointer("/params/_meta").and_then(|meta| meta.get(key))
    }

    pub(super) fn is_stateless(&self) -> bool {
        self.is("server/discover")
            || self.is("subscriptions/listen")
            || self.meta(stateless::PROTOCOL_VERSION).is_some()
    }

    pub(super) fn set(&mut self, pointer: &str, value: Value) {
        set(self.message, pointer, value);
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        remove(self.message, pointer);
    }

    /// Sets a member of `_meta`, which is made if need be.
    pub(super) fn set_meta(&mut self, key: &str, value: Value) {
        if self.message.get("params").is_none_or(|params| !params.is_object()) {
            self.set("/params", json!({}));
        }
        if self.message.pointer("/params/_meta").is_none_or(|meta| !meta.is_object()) {
            self.set("/params/_meta", json!({}));
        }
        if let Some(meta) = self.message.pointer_mut("/params/_meta").and_then(Value::as_object_mut) {
            meta.insert(key.to_owned(), value);
        }
    }

    pub(super) fn result(&self, result: Value) -> Verdict {
        Verdict::Answer(jsonrpc::result(self.id().unwrap_or(&Value::Null), result))
    }

    pub(super) fn error(&self, code: i64, message: &str) -> Verdict {
        Verdict::Answer(jsonrpc::error(
            Some(self.id().unwrap_or(&Value::Null)),
            &RpcError::new(code, message),
        ))
    }
}

/// A message on its way out.
pub(super) struct Departure<'a> {
    pub(super) message: &'a mut Value,
    /// The request that it answers.
    pub(super) request: Option<&'a Request>,
    /// True for an error about input in which no request was found.
    pub(super) complaint: bool,
    pub(super) memory: &'a mut Memory,
    pub(super) before: Vec<Value>,
    pub(super) after: Vec<Value>,
    pub(super) withheld: bool,
    /// The process dies instead of sending this.
    pub(super) crash: bool,
}

impl Departure<'_> {
    /// True for the successful answer to this method.
    pub(super) fn answers(&self, method: &str) -> bool {
        self.replies(method) && self.message.get("result").is_some()
    }

    /// True for any answer to this method.
    pub(super) fn replies(&self, method: &str) -> bool {
        self.request.is_some_and(|request| request.method == method)
    }

    /// True for the answer to a call of this tool.
    pub(super) fn answers_tool(&self, name: &str) -> bool {
        self.answers("tools/call") && self.asked("/name") == name
    }

    /// True for an answer that nothing else depends on. Faults of the envelope show there, so that a client can
    /// still learn what the server has to offer.
    pub(super) fn plain(&self) -> bool {
        self.answers("ping") || (self.answers("prompts/list") && self.stateless())
    }

    /// The method of a request or notification of ours.
    pub(super) fn method(&self) -> &str {
        self.message.get("method").and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is(&self, method: &str) -> bool {
        self.method() == method
    }

    pub(super) fn is_notification(&self) -> bool {
        !self.method().is_empty() && self.message.get("id").is_none()
    }

    pub(super) fn is_own_request(&self) -> bool {
        !self.method().is_empty() && self.message.get("id").is_some()
    }

    pub(super) fn stateless(&self) -> bool {
        self.request.is_some_and(stateless::is_stateless)
    }

    /// A string among the params of the request, by JSON pointer; empty if there is none.
    pub(super) fn asked(&self, pointer: &str) -> &str {
        self.asked_value(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn asked_value(&self, pointer: &str) -> Option<&Value> {
        let mut names = pointer.trim_start_matches('/').splitn(2, '/');
        let member = self.request?.params.get(names.next()?)?;
        names.next().map_or(Some(member), |rest| member.pointer(&format!("/{rest}")))
    }

    /// The progress token of the request.
    pub(super) fn token(&self) -> Option<&Value> {
        self.request?.meta()?.get("progressToken")
    }

    pub(super) fn code(&self) -> Option<i64> {
        self.message.pointer("/error/code").and_then(Value::as_i64)
    }

    pub(super) fn get(&self, pointer: &str) -> Option<&Value> {
        self.message.pointer(pointer)
    }

    pub(super) fn get_mut(&mut self, pointer: &str) -> Option<&mut Value> {
        self.message.pointer_mut(pointer)
    }

    pub(super) fn set(&mut self, pointer: &str, value: Value) {
        set(self.message, pointer, value);
    }

    /// Sets a member only where there is one.
    pub(super) fn replace(&mut self, pointer: &str, value: Value) {
        if let Some(member) = self.message.pointer_mut(pointer) {
            *member = value;
        }
    }

    pub(super) fn remove(&mut self, pointer: &str) {
        remove(self.message, pointer);
    }

    pub(super) fn withhold(&mut self) {
        self.withheld = true;
    }

    /// Answers with this result instead.
    pub(super) fn succeed(&mut self, result: Value) {
        self.remove("/error");
        self.set("/result", result);
    }

    /// Answers with this result instead, dressed as its revision wants it.
    pub(super) fn succeed_properly(&mut self, mut result: Value) {
        if let Some(request) = self.request.filter(|request| stateless::is_stateless(request)) {
            stateless::complete_result(&request.method, &mut result);
        }
        self.succeed(result);
    }

    /// Answers with this error instead.
    pub(super) fn fail(&mut self, code: i64, message: &str) {
        self.remove("/result");
        self.set("/error", RpcError::new(code, message).to_value());
    }

    /// True if the connection speaks this revision or a later stateful one, or the request is stateless.
    pub(super) fn since(&self, revision: Revision) -> bool {
        self.stateless() || self.memory.revision.is_some_and(|spoken| spoken >= revision)
    }
}

/// Sets a member of an object, or replaces an element, by JSON pointer. The parent must exist.
pub(super) fn set(root: &mut Value, pointer: &str, value: Value) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    match root.pointer_mut(parent) {
        Some(Value::Object(object)) => {
            object.insert(unescape(name), value);
        }
        Some(Value::Array(array)) => {
            if let Some(element) = name.parse::<usize>().ok().and_then(|index| array.get_mut(index)) {
                *element = value;
            }
        }
        _ => {}
    }
}

pub(super) fn remove(root: &mut Value, pointer: &str) {
    let Some((parent, name)) = pointer.rsplit_once('/') else { return };
    if let Some(object) = root.pointer_mut(parent).and_then(Value::as_object_mut) {
        object.shift_remove(&unescape(name));
    }
}

/// A name as it stands in a JSON pointer, read (RFC 6901).
fn unescape(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}
