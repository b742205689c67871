//! An HTTP request and its answer, free of sockets.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::Value;

use super::event::Events;
use crate::jsonrpc::{self, RpcError, code};

/// The headers that MCP has of its own. HTTP compares header names without regard to case.
pub(crate) mod header {
    /// The session, in the stateful revisions.
    pub(crate) const SESSION_ID: &str = "mcp-session-id";
    /// The revision, from 2025-06-18.
    pub(crate) const PROTOCOL_VERSION: &str = "mcp-protocol-version";
    /// The method in the body, from 2026-07-28.
    pub(crate) const METHOD: &str = "mcp-method";
    /// The name or URI in the body, from 2026-07-28.
    pub(crate) const NAME: &str = "mcp-name";
    /// What the name of a header begins with that mirrors an argument, from 2026-07-28.
    pub(crate) const PARAM_PREFIX: &str = "mcp-param-";
    /// The last event of a stream that is to be taken up again.
    pub(crate) const LAST_EVENT_ID: &str = "last-event-id";
}

/// JSON, as a media type.
pub(super) const JSON: &str = "application/json";
/// A stream of server-sent events, as a media type.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The longest body that is read.
pub(super) const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    pub(crate) path: String,
    /// What follows the question mark; empty if nothing does.
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    /// `None` if it was longer than [`LONGEST_BODY`].
    pub(crate) body: Option<Vec<u8>>,
}

impl Ask {
    /// The value of a header that is there once, and is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether the client takes this media type. A request without `Accept` takes anything (RFC 9110).
    pub(super) fn accepts(&self, wanted: &str) -> bool {
        if !self.headers.contains_key("accept") {
            return true;
        }
        let group = wanted.split('/').next().unwrap_or_default();
        self.headers
            .get_all("accept")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|range| range.split(';').next())
            .map(str::trim)
            .any(|range| {
                range == "*/*"
                    || range.eq_ignore_ascii_case(wanted)
                    || range.strip_suffix("/*").is_some_and(|range| range.eq_ignore_ascii_case(group))
            })
    }

    /// Whether the body is said to be JSON.
    pub(super) fn is_json(&self) -> bool {
        let media_type = self.header("content-type").and_then(|value| value.split(';').next());
        media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(JSON))
    }

    /// The value of a parameter in the query. Ours need no decoding.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|pair| pair.1)
    }
}

/// The answer to a request.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) content: Content,
}

/// The body of an answer.
pub(crate) enum Content {
    /// Bytes; maybe none.
    Whole(Vec<u8>),
    /// Server-sent events, as they occur.
    Events(Box<Events>),
}

impl Reply {
    /// A status and no body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), content: Content::Whole(Vec::new()) }
    }

    /// A JSON document.
    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        let mut reply = Self::empty(status);
        reply.content = Content::Whole(value.to_string().into_bytes());
        reply.with_header("content-type", JSON)
    }

    /// A stream of events, which no proxy shall hold back.
    pub(super) fn events(events: Events) -> Self {
        let mut reply = Self::empty(StatusCode::OK);
        reply.content = Content::Events(Box::new(events));
        reply
            .with_header("content-type", EVENT_STREAM)
            .with_header("cache-control", "no-cache, no-transform")
            .with_header("x-accel-buffering", "no")
    }

    /// A refusal by the transport: a JSON-RPC error without an id, for no request was looked at.
    pub(crate) fn refusal(status: StatusCode, message: &str) -> Self {
        let error = RpcError::new(code::INVALID_REQUEST, message);
        Self::json(status, &jsonrpc::error(None, &error))
    }

    /// 405 with the methods that are allowed.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        Self::empty(StatusCode::METHOD_NOT_ALLOWED).with_header("allow", allowed)
    }

    /// The same with a header, which replaces one of the same name. Values that cannot be one are left out.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}
