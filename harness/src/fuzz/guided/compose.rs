//! Writes an input out as the lines that the server reads.

use mcp_conform_cases::Revision;
use mcp_conform_cases::case::{Action, ClientKind, Send};
use serde_json::{Map, Value, json};

use crate::fuzz::input::Input;
use crate::session::handshake;
use crate::template::{self, TemplateError, Variables};

/// Longer inputs are left out, in bytes: what a pipe holds can be written before the server reads.
const MAX_MESSAGE: usize = 60 * 1024;
/// Ids begin here and wrap around: all have as many digits, so that none takes another way through the server.
const FIRST_ID: u64 = 10_000_000;
/// How many ids there are.
const IDS: u64 = 80_000_000;

/// Writes messages for one revision.
#[derive(Debug)]
pub(super) struct Composer {
    revision: Revision,
    meta: Map<String, Value>,
    next: u64,
}

impl Composer {
    pub(super) fn new(revision: Revision) -> Composer {
        let stateless = revision.era() == mcp_conform_cases::Era::Stateless;
        let meta = if stateless { handshake::request_meta(revision, ClientKind::Plain) } else { Map::new() };
        Composer { revision, meta, next: 0 }
    }

    fn fresh_id(&mut self) -> u64 {
        self.next = (self.next + 1) % IDS;
        FIRST_ID + self.next
    }

    /// The first request of a session; says the id under which it is answered.
    pub(super) fn greeting(&mut self, bytes: &mut Vec<u8>) -> u64 {
        if self.revision.era() == mcp_conform_cases::Era::Stateless {
            return self.sign_of_life(bytes);
        }
        let id = self.fresh_id();
        let params = handshake::initialize_params(self.revision, ClientKind::Plain);
        push(bytes, &json!({ "jsonrpc": "2.0", "id": id, "method": "initialize", "params": params }));
        id
    }

    /// What follows the answer to the greeting.
    pub(super) fn greeted(&self, bytes: &mut Vec<u8>) {
        if self.revision.era() == mcp_conform_cases::Era::Stateful {
            push(bytes, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        }
    }

    /// A request that every server answers; says its id.
    pub(super) fn sign_of_life(&mut self, bytes: &mut Vec<u8>) -> u64 {
        let id = self.fresh_id();
        let stateless = self.revision.era() == mcp_conform_cases::Era::Stateless;
        let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": if stateless { "server/discover" } else { "ping" } });
        if let (true, Some(members)) = (stateless, message.as_object_mut()) {
            members.insert("params".to_owned(), json!({ "_meta": self.meta }));
        }
        push(bytes, &message);
        id
    }

    /// Writes an input, and behind what need not be answered a request that must be. Says the id of the last answer;
    /// nothing for inputs that cannot be sent at once: those whose later steps need earlier answers, and large ones.
    pub(super) fn input(&mut self, input: &Input, bytes: &mut Vec<u8>) -> Option<u64> {
        let mut answered = None;
        for step in &input.steps {
            if !step.capture.is_empty() {
                return None;
            }
            let id = self.fresh_id();
            let mut known = Variables::default();
            known.insert("id".to_owned(), json!(id));
            known.insert("meta".to_owned(), Value::Object(self.meta.clone()));
            answered = None;
            match &step.action {
                Action::Request(send) => {
                    let plain = send.id.is_none() && !send.background && send.without_meta.is_empty();
                    push(bytes, &self.completed(send, Some(json!(id)), &known).ok()?);
                    answered = plain.then_some(id);
                }
                Action::Notify(send) => push(bytes, &self.completed(send, None, &known).ok()?),
                Action::Json(value) => push(bytes, &template::fill(value, &known).ok()?),
                Action::Raw(text) => {
                    bytes.extend(template::fill_raw(text, &known).ok()?.into_bytes());
                    bytes.push(b'\n');
                }
                Action::Bytes(raw) => bytes.extend(raw),
                _ => return None,
            }
            if bytes.len() > MAX_MESSAGE {
                return None;
            }
        }
        if answered.is_some() {
            return answered;
        }
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        Some(self.sign_of_life(bytes))
    }

    /// A message as its era demands it.
    fn completed(&self, send: &Send, id: Option<Value>, known: &Variables) -> Result<Value, TemplateError> {
        let mut message = Map::new();
        message.insert("jsonrpc".to_owned(), json!("2.0"));
        if let Some(fresh) = id {
            let own = send.id.as_ref().map(|id| template::fill(id, known)).transpose()?;
            message.insert("id".to_owned(), own.unwrap_or(fresh));
        }
        let is_request = message.contains_key("id");
        message.insert("method".to_owned(), template::fill(&json!(send.method), known)?);
        let mut params = send.params.as_ref().map(|params| template::fill(params, known)).transpose()?;
        let mut meta = if is_request { self.meta.clone() } else { Map::new() };
        if let Value::Object(members) = template::fill(&Value::Object(send.meta.clone()), known)? {
            meta.extend(members);
        }
        meta.retain(|key, _| !send.without_meta.iter().any(|name| name == key || name == "*"));
        if !meta.is_empty()
            && let Some(members) = params.get_or_insert_with(|| json!({})).as_object_mut()
        {
            members.insert("_meta".to_owned(), Value::Object(meta));
        }
        message.extend(params.map(|params| ("params".to_owned(), params)));
        Ok(Value::Object(message))
    }
}

/// Writes a message and a line end.
fn push(bytes: &mut Vec<u8>, message: &Value) {
    bytes.extend(message.to_string().into_bytes());
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fuzz::input::InputStep;

    fn composed(revision: Revision, actions: Vec<Action>) -> (Option<u64>, String) {
        let mut composer = Composer::new(revision);
        let input = Input { origin: "text", steps: actions.into_iter().map(InputStep::from).collect() };
        let mut bytes = Vec::new();
        let id = composer.input(&input, &mut bytes);
        (id, String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_need_not_be_answered_is_followed_by_what_must_be() {
        let (id, text) = composed(Revision::R2025_11_25, vec![Action::Bytes(b"{".to_vec())]);
        assert_eq!(id, Some(10_000_002));
        assert_eq!(text, "{\n{\"jsonrpc\":\"2.0\",\"id\":10000002,\"method\":\"ping\"}\n");
        let (id, text) = composed(Revision::R2026_07_28, vec![Action::Raw("[{{id}},{{meta}}]".to_owned())]);
        assert_eq!((id, text.lines().count()), (Some(10_000_002), 2));
        assert!(text.starts_with("[10000001,{") && text.contains("server/discover"), "{text}");
    }

    #[test]
    fn a_request_is_completed_as_its_era_demands_and_waited_for() {
        let send = Send {
            method: "tools/call".to_owned(),
            params: Some(json!({ "name": "a" })),
            id: None,
            meta: Map::new(),
            without_meta: Vec::new(),
            background: false,
        };
        let (id, text) = composed(Revision::R2026_07_28, vec![Action::Request(send.clone())]);
        assert_eq!(id, Some(10_000_001));
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(message["params"]["_meta"][handshake::META_VERSION], "2026-07-28");
        let (_, text) = composed(Revision::R2025_11_25, vec![Action::Request(send)]);
        assert!(!text.contains("_meta"), "{text}");
    }

    #[test]
    fn what_cannot_be_sent_at_once_is_left_out() {
        let large = Action::Raw("{{\"a\" * 100000}}".to_owned());
        assert_eq!(composed(Revision::R2025_11_25, vec![large]).0, None);
        assert_eq!(composed(Revision::R2025_11_25, vec![Action::Raw("{{first.id}}".to_owned())]).0, None);
        assert_eq!(composed(Revision::R2025_11_25, vec![Action::CloseInput]).0, None);
    }
}
