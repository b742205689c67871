//! The only places where our verdict may differ from the published schema, each with its reason.

use mcp_conform_cases::Revision;
use serde_json::{Value, json};

use super::official;

/// A correction to the published schema. In the source of ours the place carries `# erratum NAME`.
pub(super) struct Erratum {
    pub(super) name: &'static str,
    pub(super) reason: &'static str,
    pub(super) revisions: &'static [Revision],
    correct: fn(&mut Value),
}

pub(super) const ERRATA: &[Erratum] = &[
    Erratum {
        name: "error-id",
        reason: "JSON-RPC 2.0 answers a message whose id could not be read with an id of null. Until 2025-06-18 the \
                 schemas demand a string or an integer, from 2025-11-25 on they let the id be absent but not null.",
        revisions: &Revision::ALL,
        correct: error_id,
    },
    Erratum {
        name: "json-value",
        reason: "The TypeScript source has null and any number; the tool that made the JSON Schema from it wrote \
                 integers only and lost null.",
        revisions: &[Revision::R2026_07_28],
        correct: json_value,
    },
    Erratum {
        name: "elicited-number",
        reason: "The TypeScript source has any number, and a NumberSchema may ask for a fraction; the tool that made \
                 the JSON Schema from it wrote integers only.",
        revisions: &[Revision::R2025_06_18, Revision::R2025_11_25, Revision::R2026_07_28],
        correct: elicited_number,
    },
];

/// Applies every erratum of the revision, and shows that each is still needed.
pub(super) fn correct(revision: Revision, document: &mut Value) {
    for erratum in ERRATA {
        let before = document.clone();
        (erratum.correct)(document);
        let changed = *document != before;
        assert_eq!(
            changed,
            erratum.revisions.contains(&revision),
            "{}, {revision}: {}",
            erratum.name,
            erratum.reason
        );
    }
}

fn error_id(document: &mut Value) {
    for definition in official::definitions_mut(document).values_mut() {
        if definition.pointer("/properties/error").is_none() {
            continue;
        }
        definition["required"].as_array_mut().unwrap().retain(|name| name != "id");
        let id = definition["properties"]["id"].take();
        definition["properties"]["id"] = json!({ "anyOf": [id, { "type": "null" }] });
    }
}

fn json_value(document: &mut Value) {
    if let Some(definition) = official::definitions_mut(document).get_mut("JSONValue") {
        *types(&mut definition["anyOf"]) = json!(["string", "number", "boolean", "null"]);
    }
}

fn elicited_number(document: &mut Value) {
    if let Some(definition) = official::definitions_mut(document).get_mut("ElicitResult") {
        let answer = &mut definition["properties"]["content"]["additionalProperties"];
        let answer =
            if answer.get("anyOf").is_some() { types(&mut answer["anyOf"]) } else { &mut answer["type"] };
        *answer = json!(["string", "number", "boolean"]);
    }
}

/// The list of types among the branches of a union.
fn types(branches: &mut Value) -> &mut Value {
    branches
        .as_array_mut()
        .unwrap()
        .iter_mut()
        .find_map(|branch| branch.get_mut("type").filter(|types| types.is_array()))
        .unwrap()
}
