//! What a side may use because the other declared it.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::session::client;
use crate::wire::Kind;

/// The notification named by `notification` comes only from a server that declared `capability` (a JSON pointer).
pub(super) fn notification(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let text = |key: &str| with.get(key).and_then(Value::as_str).unwrap_or_default();
    let (method, capability) = (text("notification"), text("capability"));
    let declared = dialogue
        .transcript
        .capabilities
        .pointer(capability)
        .is_some_and(|value| value != &Value::Bool(false));
    let mut seen = Observation::default();
    for said in dialogue.said.iter().filter(|said| said.method() == Some(method)) {
        seen.examine((!declared).then(|| {
            let name = capability.trim_start_matches('/').replace('/', ".");
            breach(
                dialogue,
                said.entry,
                None,
                format!("the server sent `{method}` without declaring `{name}`"),
            )
        }));
    }
    seen
}

/// The server asks only for client features that our side declared; `feature` picks one of them.
pub(super) fn client_feature(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let picked = with.get("feature").and_then(Value::as_str);
    let transcript = dialogue.transcript;
    let declared = client::capabilities(transcript.client, transcript.revision);
    let mut seen = Observation::default();
    // With nothing declared, silence is what the rule asks for.
    if declared.as_object().is_some_and(Map::is_empty) {
        seen.examined += dialogue.asked.iter().filter(|asked| asked.method == "tools/call").count();
    }
    for said in dialogue.said.iter().filter(|said| said.message.kind == Kind::Request) {
        let Some(method) = said.method() else { continue };
        let Some((feature, _)) = method
            .split_once('/')
            .filter(|(feature, _)| matches!(*feature, "sampling" | "elicitation" | "roots"))
        else {
            continue;
        };
        if picked.is_some_and(|picked| picked != feature) {
            continue;
        }
        seen.examine(declared.get(feature).is_none().then(|| {
            breach(
                dialogue,
                said.entry,
                None,
                format!("the server sent `{method}` although the client did not declare `{feature}`"),
            )
        }));
    }
    seen
}

/// Until `notifications/initialized` the server sends no request but `ping`.
pub(super) fn quiet_before_initialized(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let Some((initialized, _, _)) =
        dialogue.notified.iter().find(|(_, method, _)| method == "notifications/initialized")
    else {
        return seen;
    };
    seen.examined = 1;
    for said in
        dialogue.said.iter().filter(|said| said.message.kind == Kind::Request && said.entry < *initialized)
    {
        if let Some(method) = said.method().filter(|method| *method != "ping") {
            seen.breaches.push(breach(
                dialogue,
                said.entry,
                Some(*initialized),
                format!("the server sent `{method}` before `notifications/initialized`"),
            ));
        }
    }
    seen
}
