//! Asking the client in the stateless era (spec page `basic/mrtr`): the server answers `input_required` with its
//! questions, forgets the request, and the client sends it again with the answers.
//!
//! What the server must remember travels through the client as `requestState`. The client may do with it what it
//! likes, so it is signed, and bound to the request for which it was made.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::context::Context;
use crate::jsonrpc::{Object, RpcError};
use crate::{schema, stateless};

/// One question to the client, under a key of its own.
pub(crate) struct Need {
    key: &'static str,
    method: &'static str,
    params: Value,
}

impl Need {
    /// A form for the user.
    pub(crate) fn form(key: &'static str, message: &str, requested_schema: Value) -> Self {
        let params = json!({ "mode": "form", "message": message, "requestedSchema": requested_schema });
        Self { key, method: "elicitation/create", params }
    }

    /// A question for the client's model.
    pub(crate) fn sampling(key: &'static str, text: &str, max_tokens: u32) -> Self {
        let messages = json!([{ "role": "user", "content": { "type": "text", "text": text } }]);
        Self {
            key,
            method: "sampling/createMessage",
            params: json!({ "messages": messages, "maxTokens": max_tokens }),
        }
    }

    /// The client's roots.
    pub(crate) fn roots(key: &'static str) -> Self {
        Self { key, method: "roots/list", params: json!({}) }
    }

    /// The request as it stands in `inputRequests`: without an id, for it is not sent on its own.
    pub(crate) fn request(&self) -> Value {
        json!({ "method": self.method, "params": self.params })
    }

    pub(crate) fn key(&self) -> &'static str {
        self.key
    }

    /// The capability that the client must declare on this very request.
    fn missing_capability(&self, context: &Context) -> Option<(&'static str, Value)> {
        let client = &context.caller.capabilities;
        match self.method {
            "elicitation/create" if !client.has_form_elicitation() => {
                Some(("elicitation", json!({ "form": {} })))
            }
            "sampling/createMessage" if !client.has("sampling") => Some(("sampling", json!({}))),
            "roots/list" if !client.has("roots") => Some(("roots", json!({}))),
            _ => None,
        }
    }

    /// Whether an answer settles the question.
    ///
    /// # Errors
    /// -32602 for what is no answer to this kind of request at all.
    pub(crate) fn settled_by(&self, answer: &Value) -> Result<bool, RpcError> {
        let malformed = || {
            RpcError::invalid_params(format!("inputResponses.{} does not answer {}", self.key, self.method))
        };
        let string = |member| answer.get(member).and_then(Value::as_str);
        match self.method {
            "elicitation/create" => match string("action").ok_or_else(malformed)? {
                "accept" => {
                    let wanted = self.params.get("requestedSchema").unwrap_or(&Value::Null);
                    let content = answer.get("content").unwrap_or(&Value::Null);
                    Ok(schema::first_problem(wanted, content).is_none())
                }
                "decline" | "cancel" => Ok(true),
                _ => Err(malformed()),
            },
            "sampling/createMessage" => {
                let readable =
                    string("role").is_some() && string("model").is_some() && answer.get("content").is_some();
                if readable { Ok(true) } else { Err(malformed()) }
            }
            _ => {
                let roots = answer.get("roots").and_then(Value::as_array).ok_or_else(malformed)?;
                let legal = roots.iter().all(|root| root.get("uri").is_some_and(Value::is_string));
                if legal { Ok(true) } else { Err(malformed()) }
            }
        }
    }
}

/// Either all the answers, or the result that asks for them.
pub(crate) enum Gathered {
    Answers(Object),
    Ask(Value),
}

/// Takes the answers from the request, or makes the `input_required` result. With `state`, what is known so far is
/// given to the client to bring back.
///
/// # Errors
/// -32021 if the client cannot be asked, -32602 for malformed answers or a state that is not ours.
pub(crate) fn gather(context: &Context, needs: &[Need], state: Option<Object>) -> Result<Gathered, RpcError> {
    require_capabilities(context, needs)?;
    let remembered = read_state(context)?.unwrap_or_default();
    let given = input_responses(context)?;
    let mut answers = remembered.get("answers").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut open = Object::new();
    for need in needs {
        match given.get(need.key) {
            Some(answer) if need.settled_by(answer)? => {
                answers.insert(need.key.into(), answer.clone());
            }
            _ if answers.contains_key(need.key) => {}
            _ => {
                open.insert(need.key.into(), need.request());
            }
        }
    }
    if open.is_empty() {
        return Ok(Gathered::Answers(answers));
    }
    let mut result = json!({ "resultType": "input_required", "inputRequests": open });
    if let (Some(mut state), Some(result)) = (state, result.as_object_mut()) {
        state.insert("answers".into(), Value::Object(answers));
        result.insert("requestState".into(), seal(context, state).into());
    }
    Ok(Gathered::Ask(result))
}

/// # Errors
/// -32021 naming everything that is missing.
pub(crate) fn require_capabilities(context: &Context, needs: &[Need]) -> Result<(), RpcError> {
    let missing: Object = needs
        .iter()
        .filter_map(|need| need.missing_capability(context))
        .map(|(name, value)| (name.into(), value))
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(stateless::missing_capability(&Value::Object(missing))) }
}

/// The value that an accepted form has for a field.
pub(crate) fn form_value<'a>(answers: &'a Object, key: &str, field: &str) -> Option<&'a str> {
    answers.get(key)?.get("content")?.get(field)?.as_str()
}

fn input_responses(context: &Context) -> Result<Object, RpcError> {
    match context.request.params.get("inputResponses") {
        None => Ok(Object::new()),
        Some(Value::Object(responses)) => Ok(responses.clone()),
        Some(_) => Err(RpcError::invalid_params("inputResponses must be an object")),
    }
}

/// The state that the client brought back, if it is ours and made for this request.
///
/// # Errors
/// -32602 for any other.
pub(crate) fn read_state(context: &Context) -> Result<Option<Object>, RpcError> {
    let refused = || RpcError::invalid_params("requestState was not issued for this request, or was altered");
    match context.request.params.get("requestState") {
        None => Ok(None),
        Some(state) => state.as_str().and_then(|state| unseal(context, state)).map(Some).ok_or_else(refused),
    }
}

/// A real server takes its key from its configuration. This one is fixed, so that a retry can be served by another
/// process, which the protocol promises: nothing here is worth protecting.
const KEY: &[u8] = b"mcp-reference-server fixture key";

fn signature(context: &Context, payload: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).ok()?;
    let target = context.request.params.get("name").and_then(Value::as_str).unwrap_or_default();
    mac.update(json!([context.request.method, target, payload]).to_string().as_bytes());
    Some(mac)
}

fn seal(context: &Context, state: Object) -> String {
    let payload = URL_SAFE_NO_PAD.encode(Value::Object(state).to_string());
    let tag = signature(context, &payload).map(|mac| URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()));
    format!("{payload}.{}", tag.unwrap_or_default())
}

fn unseal(context: &Context, state: &str) -> Option<Object> {
    let (payload, tag) = state.split_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    // Compares in constant time: the tag must not be guessable byte by byte.
    signature(context, payload)?.verify_slice(&tag).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

/// The `input_required` result for one question, whatever the request may hold already.
///
/// # Errors
/// -32021 if the client cannot be asked.
pub(crate) fn ask_afresh(context: &Context, need: &Need, state: Object) -> Result<Value, RpcError> {
    require_capabilities(context, std::slice::from_ref(need))?;
    Ok(json!({
        "resultType": "input_required",
        "inputRequests": { need.key: need.request() },
        "requestState": seal(context, state),
    }))
}

/// The members of a state.
pub(crate) fn state(members: Value) -> Object {
    crate::jsonrpc::object(members)
}
