//! The published schemas, compiled.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use jsonschema::{Draft, Registry, Validator};
use mcp_conform_cases::Revision;
use serde_json::{Map, Value, json};

const BASE: &str = "urn:official";

/// The folder of the published schemas; `None`, said on stderr, when it is absent.
pub(super) fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/spec");
    if folder.is_dir() {
        return Some(folder);
    }
    // Not `eprintln!`: the test harness would swallow it, and a comparison that did not run must not look like one.
    let _ = writeln!(std::io::stderr(), "not run: the published schemas are not at ../shared/spec");
    None
}

/// The published schema of a revision as it is.
pub(super) fn document(revision: Revision) -> Option<Value> {
    let path = folder()?.join(revision.as_str()).join("schema.json");
    Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
}

/// The name of the member that holds the definitions.
pub(super) fn container(document: &Value) -> &'static str {
    if document.get("$defs").is_some() { "$defs" } else { "definitions" }
}

pub(super) fn definitions(document: &Value) -> &Map<String, Value> {
    document[container(document)].as_object().unwrap()
}

pub(super) fn definitions_mut(document: &mut Value) -> &mut Map<String, Value> {
    let container = container(document);
    document[container].as_object_mut().unwrap()
}

/// A validator for each definition of a document.
pub(super) struct Compiled(BTreeMap<String, Validator>);

impl Compiled {
    /// Compiles the definitions whose names `wanted` accepts. Formats count, as they do in ours.
    pub(super) fn new(document: &Value, wanted: impl Fn(&str) -> bool) -> Self {
        let draft = if container(document) == "definitions" { Draft::Draft7 } else { Draft::Draft202012 };
        let registry =
            Registry::new().add(BASE, draft.create_resource_ref(document)).unwrap().prepare().unwrap();
        let compile = |name: &str| {
            jsonschema::options()
                .with_draft(draft)
                .with_registry(&registry)
                .should_validate_formats(true)
                .with_format("byte", is_base64)
                .build(&json!({ "$ref": format!("{BASE}#/{}/{name}", container(document)) }))
                .unwrap()
        };
        let names = definitions(document).keys().filter(|name| wanted(name));
        Compiled(names.map(|name| (name.clone(), compile(name))).collect())
    }

    pub(super) fn accepts(&self, name: &str, instance: &Value) -> bool {
        self.0[name].is_valid(instance)
    }
}

/// Another implementation than ours, on purpose.
fn is_base64(text: &str) -> bool {
    let config = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    GeneralPurpose::new(&alphabet::STANDARD, config).decode(text).is_ok()
}
