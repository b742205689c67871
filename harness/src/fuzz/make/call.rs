//! Puts messages together.

use mcp_conform_cases::case::{Action, Send};
use serde_json::{Map, Value, json};

use super::MakerSettings;
use crate::fuzz::input::{Claim, Input, InputStep};
use crate::template;

/// A request with parameters, which are a template.
pub(super) fn request(method: &str, params: Value) -> InputStep {
    Action::Request(send(method, params)).into()
}

/// A notification with parameters, which are a template.
pub(super) fn notification(method: &str, params: Value) -> InputStep {
    Action::Notify(send(method, params)).into()
}

/// What is completed by the session.
pub(super) fn send(method: &str, params: Value) -> Send {
    Send {
        method: method.to_owned(),
        params: (!params.is_null()).then_some(params),
        id: None,
        meta: Map::new(),
        without_meta: Vec::new(),
        background: false,
    }
}

/// A call of a tool. The arguments are a template, the name is none.
pub(super) fn tool_call(name: &str, arguments: Value) -> InputStep {
    request("tools/call", json!({ "name": template::escape(name), "arguments": arguments }))
}

/// A call of a tool written out, with arguments that no JSON library would write.
pub(super) fn written_call(settings: &MakerSettings, name: &str, arguments: &str) -> InputStep {
    let name = Value::from(name).to_string();
    let params = format!("\"name\":{},\"arguments\":{arguments}", template::escape(&name));
    Action::Raw(written(settings, "\"tools/call\"", &params)).into()
}

/// A request written out, with a fresh id; `params` are the members of its parameters.
pub(super) fn written(settings: &MakerSettings, method: &str, params: &str) -> String {
    let meta = match (settings.is_stateless(), params.is_empty()) {
        (false, _) => "",
        (true, true) => "\"_meta\":{{meta}}",
        (true, false) => ",\"_meta\":{{meta}}",
    };
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":{method},\"params\":{{{params}{meta}}}}}")
}

/// The JSON of a value, which is a template without names: as a template again, in which nothing is repeated.
pub(super) fn json_text(value: &Value) -> String {
    let filled = template::fill(value, &template::Variables::default());
    template::escape(&filled.unwrap_or_default().to_string()).into_owned()
}

/// A method that every server must support, and that does nothing.
pub(super) fn idle_method(settings: &MakerSettings) -> &'static str {
    if settings.is_stateless() { "server/discover" } else { "ping" }
}

/// An input of one step.
pub(super) fn alone(origin: &'static str, step: impl Into<InputStep>) -> Input {
    Input { origin, steps: vec![step.into()] }
}

impl InputStep {
    /// With a claim.
    pub(super) fn claiming(mut self, claim: Claim) -> InputStep {
        self.claim = claim;
        self
    }

    /// With a name.
    pub(super) fn named(mut self, name: &str) -> InputStep {
        self.name = Some(name.to_owned());
        self
    }

    /// Without waiting for the response.
    pub(super) fn in_background(mut self) -> InputStep {
        if let Action::Request(send) = &mut self.action {
            send.background = true;
        }
        self
    }

    /// With an id of its own.
    pub(super) fn with_id(mut self, id: Value) -> InputStep {
        if let Action::Request(send) = &mut self.action {
            send.id = Some(id);
        }
        self
    }

    /// With members of `_meta`, which are a template.
    pub(super) fn with_meta(mut self, members: Value) -> InputStep {
        if let (Action::Request(send) | Action::Notify(send), Value::Object(members)) =
            (&mut self.action, members)
        {
            send.meta = members;
        }
        self
    }

    /// With HTTP headers.
    pub(super) fn with_headers(mut self, headers: &[(&str, Option<&str>)]) -> InputStep {
        self.headers =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned))).collect();
        self
    }
}
