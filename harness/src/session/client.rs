//! Our side as a client: what it declares, and how it answers the server's requests.

use std::collections::BTreeMap;

use mcp_conform_cases::case::{Answer, ClientKind};
use mcp_conform_cases::{Era, Revision};
use serde_json::{Value, json};

use crate::generate::{self, Hints};

/// Answers the requests of a server from a fixed script.
#[derive(Clone, Debug, Default)]
pub struct ScriptedClient {
    /// Answers that a case prescribes, by method.
    pub prescribed: BTreeMap<String, Answer>,
    /// The addresses that `roots/list` answers.
    pub roots: Vec<String>,
}

/// Whether our side declares anything, in this revision.
#[must_use]
pub fn declares(client: ClientKind, revision: Revision) -> bool {
    match client {
        ClientKind::Full => true,
        ClientKind::Plain => false,
        ClientKind::Usual => revision.era() == Era::Stateful,
    }
}

/// The capabilities that our side declares.
#[must_use]
pub fn capabilities(client: ClientKind, revision: Revision) -> Value {
    if !declares(client, revision) {
        return json!({});
    }
    match revision {
        Revision::R2024_11_05 | Revision::R2025_03_26 => {
            json!({ "sampling": {}, "roots": { "listChanged": true } })
        }
        Revision::R2025_06_18 => {
            json!({ "sampling": {}, "elicitation": {}, "roots": { "listChanged": true } })
        }
        Revision::R2025_11_25 => json!({
            "sampling": {},
            "elicitation": { "form": {}, "url": {} },
            "roots": { "listChanged": true },
        }),
        Revision::R2026_07_28 => {
            json!({ "sampling": {}, "elicitation": { "form": {}, "url": {} }, "roots": {} })
        }
    }
}

/// A number that never takes part in elicited content by chance.
const SEED: u64 = 1;

impl ScriptedClient {
    /// The answer to a request: `result` or `error`, and its value; `None` for no answer at all.
    #[must_use]
    pub fn answer(
        &self,
        client: ClientKind,
        revision: Revision,
        method: &str,
        params: &Value,
    ) -> Option<(&'static str, Value)> {
        match self.prescribed.get(method) {
            Some(Answer::Result(result)) => Some(("result", result.clone())),
            Some(Answer::Error(error)) => Some(("error", error.clone())),
            Some(Answer::None) => None,
            None => Some(self.usual_answer(client, revision, method, params)),
        }
    }

    fn usual_answer(
        &self,
        client: ClientKind,
        revision: Revision,
        method: &str,
        params: &Value,
    ) -> (&'static str, Value) {
        if method == "ping" && revision.era() == Era::Stateful {
            return ("result", json!({}));
        }
        if declares(client, revision)
            && revision.era() == Era::Stateful
            && let Some(result) = self.result(method, params)
        {
            return ("result", result);
        }
        ("error", json!({ "code": -32601, "message": "this client does not offer that method" }))
    }

    /// The result for a feature that was declared; also what an `input_required` answer is met with.
    #[must_use]
    pub fn result(&self, method: &str, params: &Value) -> Option<Value> {
        Some(match method {
            "sampling/createMessage" => json!({
                "role": "assistant",
                "content": { "type": "text", "text": "A scripted answer." },
                "model": "mcp-conform",
                "stopReason": "endTurn",
            }),
            "elicitation/create" if params.get("mode").and_then(Value::as_str) == Some("url") => {
                json!({ "action": "accept" })
            }
            "elicitation/create" => {
                let schema =
                    params.get("requestedSchema").cloned().unwrap_or_else(|| json!({ "type": "object" }));
                match generate::valid(&schema, &Hints::default(), SEED, 2).pop() {
                    Some(content) => json!({ "action": "accept", "content": content }),
                    None => json!({ "action": "decline" }),
                }
            }
            "roots/list" => {
                let roots: Vec<Value> =
                    self.roots.iter().map(|uri| json!({ "uri": uri, "name": "scratch" })).collect();
                json!({ "roots": roots })
            }
            _ => return None,
        })
    }
}
