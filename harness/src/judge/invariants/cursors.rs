//! Cursors that a server hands out.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::matching::in_short;

/// A cursor that the server handed out is good for the same method, and leads on: it does not hand out the same again.
/// The latter is advice, for no sentence says that a walk ends.
pub(super) fn own_accepted(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (index, asked) in dialogue.asked.iter().enumerate() {
        let Some(cursor) = asked.params.get("cursor").filter(|_| !asked.hostile) else { continue };
        let handed_out = dialogue
            .results_of(&asked.method)
            .any(|(_, said, result)| said.entry < asked.entry && result.get("nextCursor") == Some(cursor));
        // Whether it is good for a second use is another rule.
        let first_use = !dialogue
            .asked
            .iter()
            .take(index)
            .any(|other| other.method == asked.method && other.params.get("cursor") == Some(cursor));
        let answer =
            dialogue.said.iter().find(|said| said.answers == Some(index)).filter(|_| handed_out && first_use);
        let Some(said) = answer else { continue };
        let again = said.result().and_then(|result| result.get("nextCursor")) == Some(cursor);
        let refused = said.error().filter(|_| said.result().is_none());
        seen.examine(match (refused, again) {
            (Some(error), _) => {
                let message = format!(
                    "`{}` refused the cursor {} that the server had handed out",
                    asked.method,
                    in_short(Some(cursor))
                );
                let mut broken = breach(dialogue, said.entry, Some(asked.entry), message);
                broken.expected = Some("the page that the cursor leads to".to_owned());
                broken.got = Some(in_short(Some(error)));
                Some(broken)
            }
            (None, true) => {
                let message = format!(
                    "the page of `{}` after the cursor {} has the same cursor again",
                    asked.method,
                    in_short(Some(cursor))
                );
                let mut broken = breach(dialogue, said.entry, Some(asked.entry), message);
                broken.advice = true;
                Some(broken)
            }
            (None, false) => None,
        });
    }
    seen
}
