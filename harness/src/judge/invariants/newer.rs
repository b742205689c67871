//! What a server may not use because a later revision brought it.

use mcp_conform_cases::Revision;
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::wire::Kind;

/// Messages that a server sends by itself, with the revision that brought them. What an earlier revision has is left
/// out, and so are methods that no revision knows: vendors may add their own.
const METHODS: [(&str, Revision); 6] = [
    ("elicitation/create", Revision::R2025_06_18),
    ("notifications/elicitation/complete", Revision::R2025_11_25),
    ("notifications/tasks/status", Revision::R2025_11_25),
    ("tasks/get", Revision::R2025_11_25),
    ("tasks/result", Revision::R2025_11_25),
    ("tasks/cancel", Revision::R2025_11_25),
];

/// Types of content, with the revision that brought them.
const CONTENT: [(&str, Revision); 2] =
    [("audio", Revision::R2025_03_26), ("resource_link", Revision::R2025_06_18)];

/// The server uses no method and no type of content that the revision does not have yet.
pub(super) fn than_revision(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let later = |table: &[(&str, Revision)], name: &str| {
        table
            .iter()
            .find(|(known, since)| *known == name && dialogue.transcript.revision < *since)
            .map(|(_, since)| *since)
    };
    for said in &dialogue.said {
        match said.message.kind {
            Kind::Request | Kind::Notification => {
                let Some(method) = said.method() else { continue };
                seen.examine(later(&METHODS, method).map(|since| {
                    breach(
                        dialogue,
                        said.entry,
                        None,
                        format!("the server sent `{method}`, which exists from {since} on"),
                    )
                }));
            }
            Kind::Response => {
                let Some(result) = said.result() else { continue };
                let context = dialogue.request_of(said).map(|asked| asked.entry);
                for content in contents(result) {
                    let Some(kind) = content.get("type").and_then(Value::as_str) else { continue };
                    seen.examine(later(&CONTENT, kind).map(|since| {
                        breach(
                            dialogue,
                            said.entry,
                            context,
                            format!("the server sent content of type `{kind}`, which exists from {since} on"),
                        )
                    }));
                }
            }
            Kind::Other => {}
        }
    }
    seen
}

/// The content of a tool's result and of a prompt's messages.
fn contents(result: &Value) -> impl Iterator<Item = &Value> {
    let tool = result.get("content").and_then(Value::as_array).into_iter().flatten();
    let messages = result.get("messages").and_then(Value::as_array).into_iter().flatten();
    tool.chain(messages.filter_map(|message| message.get("content")))
}
