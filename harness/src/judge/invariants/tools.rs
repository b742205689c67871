//! Tools that promise the shape of their output.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;

/// How SDKs complain of the output of their own tools.
static OWN_COMPLAINT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)output validation error|invalid structured content|structured content does not match")
        .ok()
});

/// The output schema that each tool was last listed with.
fn output_schemas<'d>(dialogue: &'d Dialogue<'_>) -> HashMap<&'d str, &'d Value> {
    dialogue
        .results_of("tools/list")
        .filter_map(|(_, _, result)| result.get("tools")?.as_array())
        .flatten()
        .filter_map(|tool| Some((tool.get("name")?.as_str()?, tool.get("outputSchema")?)))
        .collect()
}

/// A tool with an output schema answers with structured content that conforms to it.
///
/// A server that checks its own output answers with an error result in place of what does not conform. The error is
/// well-formed, yet the tool cannot keep its promise; the words of the SDKs' own checks give it away.
pub(super) fn structured_output(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let schemas = output_schemas(dialogue);
    for (asked, said, result) in dialogue.results_of("tools/call") {
        let name = asked.params.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(schema) = schemas.get(name) else { continue };
        // An interim answer, or a task, has no output yet.
        let interim =
            result.get("resultType").is_some_and(|kind| kind != "complete") || result.get("task").is_some();
        if interim {
            continue;
        }
        let failed = result.get("isError") == Some(&Value::Bool(true));
        let text = result.pointer("/content/0/text").and_then(Value::as_str).unwrap_or_default();
        let structured = result.get("structuredContent");
        let wrong = match structured {
            _ if failed => {
                let complains = OWN_COMPLAINT.as_ref().is_some_and(|pattern| pattern.is_match(text));
                complains.then(|| {
                    format!("the output of `{name}` breaks its own `outputSchema`, as the server itself says")
                })
            }
            None => {
                Some(format!("`{name}` has an `outputSchema`, and its result has no `structuredContent`"))
            }
            Some(structured) => match jsonschema::validator_for(schema) {
                // A schema that cannot be compiled is a finding of another rule.
                Err(_) => None,
                Ok(validator) => validator.validate(structured).err().map(|error| {
                    format!(
                        "the `structuredContent` of `{name}` breaks its `outputSchema` at `{}`: {error}",
                        error.instance_path()
                    )
                }),
            },
        };
        if failed && wrong.is_none() {
            continue;
        }
        seen.examine(wrong.map(|what| {
            let mut broken = breach(dialogue, said.entry, Some(asked.entry), what);
            broken.expected =
                Some("structured content that conforms to the tool's `outputSchema`".to_owned());
            broken
        }));
    }
    seen
}

/// Structured content also stands in a text block, for clients that do not know it.
pub(super) fn text_copy(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (asked, said, result) in dialogue.results_of("tools/call") {
        let Some(structured) = result.get("structuredContent").filter(|structured| !structured.is_null())
        else {
            continue;
        };
        let blocks = result.get("content").and_then(Value::as_array);
        let has_text = blocks.is_some_and(|blocks| {
            blocks.iter().any(|block| block.get("type").is_some_and(|kind| kind == "text"))
        });
        // The specification's own example has prose in the text block, so any text will do.
        seen.examine((!has_text && !structured.is_null()).then(|| {
            breach(
                dialogue,
                said.entry,
                Some(asked.entry),
                "structured content comes without a text block for older clients",
            )
        }));
    }
    seen
}
