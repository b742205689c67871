//! Validators, compiled for a definition when it is first needed and then kept.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::{Draft, Registry, Validator};
use serde_json::{Value, json};

use super::explain::{self, Violation};
use super::shape::{self, Shape};
use super::{assemble, format, source};
use crate::revision::Revision;

/// The validators of one revision. The document is registered once, so that each of them only holds what its
/// definition reaches.
struct Validators {
    registry: Registry<'static>,
    compiled: BTreeMap<&'static str, OnceLock<Option<Validator>>>,
}

fn base(revision: Revision) -> String {
    format!("urn:mcp-conform:schema:{revision}")
}

fn draft(revision: Revision) -> Draft {
    if revision <= Revision::R2025_06_18 { Draft::Draft7 } else { Draft::Draft202012 }
}

fn validators(revision: Revision) -> Option<&'static Validators> {
    static VALIDATORS: [OnceLock<Option<Validators>>; Revision::ALL.len()] =
        [const { OnceLock::new() }; Revision::ALL.len()];
    VALIDATORS.get(revision as usize)?.get_or_init(|| Validators::new(revision)).as_ref()
}

impl Validators {
    fn new(revision: Revision) -> Option<Self> {
        let document = source::document(revision);
        let resource = draft(revision).create_resource_ref(document);
        let registry = Registry::new().add(base(revision), resource).ok()?.prepare().ok()?;
        let names = document.get(assemble::container(revision))?.as_object()?;
        Some(Validators {
            registry,
            compiled: names.keys().map(|name| (name.as_str(), OnceLock::new())).collect(),
        })
    }

    fn get(&'static self, revision: Revision, name: &str) -> Option<&'static Validator> {
        let compile = || {
            let pointer = format!("{}#/{}/{name}", base(revision), assemble::container(revision));
            jsonschema::options()
                .with_draft(draft(revision))
                .with_registry(&self.registry)
                .should_validate_formats(true)
                .with_format("byte", format::is_base64)
                .build(&json!({ "$ref": pointer }))
                .ok()
        };
        self.compiled.get(name)?.get_or_init(compile).as_ref()
    }
}

/// What `instance` breaks of the schema of `revision`, taken as `shape`: nothing when it is valid. `None` when the
/// revision has no such shape, so that nothing can be said.
#[must_use]
pub fn violations(revision: Revision, shape: Shape<'_>, instance: &Value) -> Option<Vec<Violation>> {
    let names = shape::definitions_for(revision, shape, instance);
    if names.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    for name in names {
        explain::collect(validators(revision)?.get(revision, name)?, instance, &mut found);
    }
    Some(found)
}
