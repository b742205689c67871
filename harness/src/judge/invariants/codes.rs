//! Which error codes the stateless era leaves to be used, and for what.

use serde_json::{Map, Value};

use super::stateless::{declared, is_modern};
use super::{Observation, breach};
use crate::event::Transport;
use crate::judge::dialogue::{Asked, Dialogue, Said};
use crate::session::handshake::META_VERSION;

const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_VERSION: i64 = -32022;
/// Codes of older revisions, with rules of their own.
const RETIRED: [i64; 2] = [-32002, -32042];

/// The errors that answer requests of this era, with their codes.
fn errors<'d>(dialogue: &'d Dialogue<'_>) -> impl Iterator<Item = (&'d Asked<'d>, &'d Said<'d>, i64)> {
    dialogue.said.iter().filter_map(|said| {
        let code = said.error()?.get("code")?.as_i64()?;
        let asked = dialogue.request_of(said).filter(|asked| is_modern(asked))?;
        Some((asked, said, code))
    })
}

/// The error code `code` is no longer used.
pub(super) fn retired(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let retired = with.get("code").and_then(Value::as_i64);
    let mut seen = Observation::default();
    for (asked, said, code) in errors(dialogue) {
        let wrong = Some(code) == retired;
        seen.examine(wrong.then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                format!("the server used the retired error code {code}"),
            )
        }));
    }
    seen
}

/// No code lies in the `range` that is kept free: `undefined` for what the specification has set aside for itself,
/// `legacy` for what new implementations should no longer use.
pub(super) fn free_range(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let (range, what) = match with.get("range").and_then(Value::as_str) {
        Some("legacy") => (-32019..=-32000, "lies in a range that should no longer be used"),
        _ => (-32099..=-32020, "is reserved for the specification, which does not define it"),
    };
    let mut seen = Observation::default();
    for (asked, said, code) in errors(dialogue) {
        let defined = matches!(code, HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_VERSION)
            || RETIRED.contains(&code);
        let wrong = range.contains(&code) && !defined;
        seen.examine(wrong.then(|| {
            breach(dialogue, said.entry, Some(asked.entry), format!("the error code {code} {what}"))
        }));
    }
    seen
}

/// -32020, -32021, and -32022 are used only for what they mean.
pub(super) fn meaning(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, code) in errors(dialogue) {
        let wrong = match code {
            HEADER_MISMATCH if dialogue.transcript.transport == Transport::Stdio => {
                // Perhaps the server passes on what another said to it over HTTP.
                Some(("-32020 is about HTTP headers, and there are none here".to_owned(), true))
            }
            MISSING_CAPABILITY => {
                let required = said
                    .error()
                    .and_then(|error| error.pointer("/data/requiredCapabilities"))
                    .filter(|value| value.is_object());
                let had = required
                    .zip(declared(asked))
                    .is_some_and(|(required, declared)| covers(declared, required, 0));
                had.then(|| ("-32021 names only capabilities that the request declares".to_owned(), false))
            }
            UNSUPPORTED_VERSION => {
                let version =
                    asked.params.get("_meta").and_then(|meta| meta.get(META_VERSION)).and_then(Value::as_str);
                let spoken = version.filter(|version| *version == dialogue.transcript.revision.as_str());
                spoken.map(|version| {
                    (format!("-32022 answers a request in {version}, which the server speaks"), false)
                })
            }
            _ => None,
        };
        seen.examine(wrong.map(|(what, advice)| {
            let mut broken = breach(dialogue, said.entry, Some(asked.entry), what);
            broken.advice = advice;
            broken
        }));
    }
    seen
}

/// Whether `declared` holds everything that `required` names. An empty `elicitation` means forms.
fn covers(declared: &Value, required: &Value, depth: usize) -> bool {
    let Some(required) = required.as_object() else { return true };
    if required.is_empty() && depth == 0 {
        return false;
    }
    required.iter().all(|(name, inner)| match declared.get(name) {
        Some(had) if had.as_object().is_some_and(Map::is_empty) && name == "elicitation" => {
            inner.as_object().is_none_or(|inner| inner.keys().all(|mode| mode == "form"))
        }
        Some(had) => depth > 8 || covers(had, inner, depth + 1),
        None => false,
    })
}
