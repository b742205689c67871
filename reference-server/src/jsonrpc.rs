//! JSON-RPC 2.0 as MCP uses it (spec page `basic/index#messages`).
//!
//! MCP is stricter than plain JSON-RPC in three points: params are named (an object), a request id is a string or an
//! integer, and it is never null.

use serde_json::{Map, Value, json};

/// A JSON object.
pub type Object = Map<String, Value>;

/// Error codes, from JSON-RPC, from MCP, and the MCP codes of single revisions.
pub mod code {
    /// The input is not JSON.
    pub const PARSE_ERROR: i64 = -32700;
    /// JSON, but no request, notification or response.
    pub const INVALID_REQUEST: i64 = -32600;
    /// No such method, or its capability is not declared.
    pub const METHOD_NOT_FOUND: i64 = -32601;
    /// The params do not fit the method; also unknown tools, prompts, cursors and tasks.
    pub const INVALID_PARAMS: i64 = -32602;
    /// Our own trouble.
    pub const INTERNAL_ERROR: i64 = -32603;
    /// Resource not found; stateful era only.
    pub const RESOURCE_NOT_FOUND: i64 = -32002;
    /// A URL must be visited first; 2025-11-25 only.
    pub const URL_ELICITATION_REQUIRED: i64 = -32042;
    /// A header is missing or differs from the body; stateless era over HTTP.
    pub const HEADER_MISMATCH: i64 = -32020;
    /// The request needs a client capability that it does not declare; stateless era.
    pub const MISSING_CLIENT_CAPABILITY: i64 = -32021;
    /// The revision named in `_meta` is not served; stateless era.
    pub const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;
}

/// An error object of a response.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct RpcError {
    /// One of [`code`], or an application's own.
    pub code: i64,
    /// One concise sentence.
    pub message: String,
    /// Whatever helps the receiver to go on.
    pub data: Option<Value>,
}

impl RpcError {
    /// An error without data.
    pub fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    /// The same error with data.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Some(data);
        self
    }

    /// -32602.
    pub fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_PARAMS, message)
    }

    /// -32600.
    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(code::INVALID_REQUEST, message)
    }

    /// -32601.
    #[must_use]
    pub fn method_not_found(method: &str) -> Self {
        Self::new(code::METHOD_NOT_FOUND, format!("Method not found: {method}"))
    }

    /// -32603.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(code::INTERNAL_ERROR, message)
    }

    /// The error member of a response.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let (Some(error), Some(data)) = (error.as_object_mut(), &self.data) {
            error.insert("data".into(), data.clone());
        }
        error
    }

    fn from_value(error: &Value) -> Self {
        Self {
            code: error.get("code").and_then(Value::as_i64).unwrap_or(code::INTERNAL_ERROR),
            message: error.get("message").and_then(Value::as_str).unwrap_or("no message").to_owned(),
            data: error.get("data").cloned(),
        }
    }
}

/// A request: it will be answered once, under its id.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// A string or an integer, given back as it came.
    pub id: Value,
    /// The method.
    pub method: String,
    /// Empty when the message had none.
    pub params: Object,
}

impl Request {
    /// The `_meta` member of the params.
    #[must_use]
    pub fn meta(&self) -> Option<&Object> {
        self.params.get("_meta").and_then(Value::as_object)
    }
}

/// A notification: it is never answered, not even when it makes no sense.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// The method.
    pub method: String,
    /// Empty when the message had none (or had something that is no object).
    pub params: Object,
}

/// The peer's answer to a request of ours.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The id we gave.
    pub id: Value,
    /// What came back.
    pub outcome: Result<Value, RpcError>,
}

/// One incoming message.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// Has method and id.
    Request(Request),
    /// Has method and no id.
    Notification(Notification),
    /// Has id and result or error.
    Response(Response),
}

/// A JSON value that is no message, with the id to answer under if one could be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Malformed {
    /// The id of the broken request, if it is a legal one.
    pub id: Option<Value>,
    /// What to answer; boxed, for a message is hardly ever malformed.
    pub error: Box<RpcError>,
}

/// True for the two id types that MCP allows.
#[must_use]
pub fn is_legal_id(id: &Value) -> bool {
    id.is_string() || id.is_i64() || id.is_u64()
}

impl Message {
    /// Sorts a JSON value (no array) into the three kinds of messages.
    ///
    /// # Errors
    /// [`Malformed`] when it is none of them.
    pub fn classify(value: Value) -> Result<Self, Malformed> {
        let Value::Object(mut object) = value else {
            return Err(Malformed {
                id: None,
                error: Box::new(RpcError::invalid_request("A message is a JSON object")),
            });
        };
        let id = object.remove("id");
        let legal_id = id.clone().filter(is_legal_id);
        let refuse = |error| Err(Malformed { id: legal_id.clone(), error: Box::new(error) });
        if object.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
            return refuse(RpcError::invalid_request("jsonrpc must be \"2.0\""));
        }
        if object.contains_key("method") {
            let Some(Value::String(method)) = object.remove("method") else {
                return refuse(RpcError::invalid_request("method must be a string"));
            };
            let params = object.remove("params");
            let Some(id) = id else {
                // Nothing may be said about a bad notification, so its unreadable params count as none.
                let params = if let Some(Value::Object(params)) = params { params } else { Object::new() };
                return Ok(Self::Notification(Notification { method, params }));
            };
            if legal_id.is_none() {
                return refuse(RpcError::invalid_request("id must be a string or an integer"));
            }
            let params = match params {
                None => Object::new(),
                Some(Value::Object(params)) => params,
                Some(_) => return refuse(RpcError::invalid_params("params must be an object")),
            };
            return Ok(Self::Request(Request { id, method, params }));
        }
        let outcome = match (object.remove("result"), object.remove("error")) {
            (Some(result), None) => Ok(result),
            (None, Some(error)) => Err(RpcError::from_value(&error)),
            _ => return refuse(RpcError::invalid_request("neither a request nor a response")),
        };
        // An answer without a usable id cannot be matched, and answering an answer would be worse.
        Ok(Self::Response(Response { id: id.unwrap_or(Value::Null), outcome }))
    }
}

/// A response with a result.
#[must_use]
pub fn result(id: &Value, result: Value) -> Value {
    let mut message = envelope();
    message.insert("id".into(), id.clone());
    message.insert("result".into(), result);
    Value::Object(message)
}

/// A response with an error; without an id when the request's could not be read.
#[must_use]
pub fn error(id: Option<&Value>, error: &RpcError) -> Value {
    let mut message = envelope();
    if let Some(id) = id {
        message.insert("id".into(), id.clone());
    }
    message.insert("error".into(), error.to_value());
    Value::Object(message)
}

/// A notification.
#[must_use]
pub fn notification(method: &str, params: Object) -> Value {
    let mut message = envelope();
    message.insert("method".into(), method.into());
    if !params.is_empty() {
        message.insert("params".into(), Value::Object(params));
    }
    Value::Object(message)
}

/// A request of our own.
#[must_use]
pub fn request(id: Value, method: &str, params: Object) -> Value {
    let mut message = envelope();
    message.insert("id".into(), id);
    message.insert("method".into(), method.into());
    if !params.is_empty() {
        message.insert("params".into(), Value::Object(params));
    }
    Value::Object(message)
}

/// The object behind a `json!({...})` literal.
#[must_use]
pub fn object(value: Value) -> Object {
    if let Value::Object(object) = value { object } else { Object::new() }
}

fn envelope() -> Object {
    let mut message = Object::new();
    message.insert("jsonrpc".into(), "2.0".into());
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_messages_by_their_members() {
        let request = Message::classify(json!({"jsonrpc":"2.0","id":"a","method":"ping"})).unwrap();
        assert!(matches!(request, Message::Request(Request { ref id, .. }) if id == "a"));
        let note = Message::classify(json!({"jsonrpc":"2.0","method":"x","params":[1]})).unwrap();
        assert!(matches!(note, Message::Notification(Notification { ref params, .. }) if params.is_empty()));
        let answer = Message::classify(json!({"jsonrpc":"2.0","id":1,"result":{}})).unwrap();
        assert!(matches!(answer, Message::Response(_)));
    }

    #[test]
    fn an_unusable_id_is_not_echoed() {
        for id in [json!(null), json!(1.5), json!([1]), json!(true)] {
            let malformed = Message::classify(json!({"jsonrpc":"2.0","id":id,"method":"ping"})).unwrap_err();
            assert_eq!((malformed.id, malformed.error.code), (None, code::INVALID_REQUEST));
        }
        let malformed = Message::classify(json!({"jsonrpc":"1.0","id":5,"method":"ping"})).unwrap_err();
        assert_eq!(malformed.id, Some(json!(5)));
    }
}
