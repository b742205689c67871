//! Cancellations by the server.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::matching::in_short;
use crate::wire::Kind;

/// The server cancels only what it asked for itself. Ids of both sides may coincide, so only an id that no request of
/// the server ever had proves anything.
pub(super) fn own_requests(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    // A call that brought no cancellation keeps the rule as well.
    let mut seen = Observation { examined: dialogue.results_of("tools/call").count(), breaches: Vec::new() };
    for said in dialogue.said.iter().filter(|said| said.method() == Some("notifications/cancelled")) {
        let id = said.message.value.pointer("/params/requestId");
        let own = dialogue.said.iter().any(|other| {
            other.message.kind == Kind::Request && other.entry < said.entry && other.message.id() == id
        });
        seen.examine((!own).then(|| {
            let asked =
                dialogue.asked.iter().find(|asked| Some(asked.id.as_ref()) == id).map(|asked| asked.entry);
            breach(
                dialogue,
                said.entry,
                asked,
                format!("the server cancelled {}, which is no request of its own", in_short(id)),
            )
        }));
    }
    seen
}
