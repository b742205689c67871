//! What comes before any handshake, each on a server that nobody has greeted.

use mcp_conform_cases::case::Action;
use serde_json::{Value, json};

use super::MakerSettings;
use super::call::{notification, request};
use super::methods::in_turn;
use crate::fuzz::input::{BARE, Input, InputStep};
use crate::profile::Profile;

/// All of them, most telling first; none in the stateless era, which has no handshake.
pub(super) fn all(profile: &Profile, settings: &MakerSettings) -> Vec<Input> {
    if settings.is_stateless() {
        return Vec::new();
    }
    let alone = |step: InputStep| Input { origin: BARE, steps: vec![step] };
    let raw = |text: &str| alone(Action::Raw(text.to_owned()).into());
    let list = ["tools", "resources", "prompts"]
        .into_iter()
        .find(|capability| profile.declares(capability))
        .map_or("tools/list".to_owned(), |capability| format!("{capability}/list"));
    let requests = vec![
        alone(request(&list, Value::Null)),
        alone(request("ping", Value::Null)),
        alone(request("no/such/method", Value::Null)),
        alone(request("tools/call", json!({ "name": "no-such-tool", "arguments": {} }))),
        alone(request("logging/setLevel", json!({ "level": "info" }))),
    ];
    let others = vec![
        raw("garbage"),
        alone(notification("notifications/initialized", Value::Null)),
        raw("{}"),
        alone(notification("notifications/cancelled", json!({ "requestId": 1 }))),
        raw("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"),
        alone(notification("notifications/no-such-thing", Value::Null)),
        raw("[]"),
    ];
    let greeting = |params: Value| request("initialize", params);
    let with = |member: &str, value: Value| {
        let mut params = json!({
            "protocolVersion": settings.revision.as_str(),
            "capabilities": {},
            "clientInfo": { "name": "mcp-conform", "version": "0" },
        });
        if let Some(members) = params.as_object_mut() {
            members.insert(member.to_owned(), value);
        }
        params
    };
    let greetings = vec![
        alone(greeting(Value::Null)),
        alone(greeting(with("protocolVersion", json!(1)))),
        alone(greeting(with("capabilities", Value::Null))),
        alone(greeting(with("clientInfo", json!({})))),
        alone(greeting(with("protocolVersion", json!("")))),
        alone(greeting(with("capabilities", json!({ "roots": null, "sampling": [] })))),
        alone(greeting(with("_meta", json!({ "progressToken": 1 })))),
        // Its own handshake follows: that is the second one then.
        Input { origin: BARE, steps: vec![greeting(with("_meta", json!({}))), request(&list, Value::Null)] },
    ];
    in_turn(vec![requests, others, greetings])
}
