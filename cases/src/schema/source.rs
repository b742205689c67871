//! The embedded source, read once, and the documents assembled from it.

use std::sync::OnceLock;

use serde_json::Value;

use super::error::SchemaError;
use super::model::Definition;
use super::{assemble, notation};
use crate::revision::Revision;

/// The files of the source in the order in which a document shows them.
const FILES: &[(&str, &str)] = &[
    ("base.yaml", include_str!("../../schemas/base.yaml")),
    ("utilities.yaml", include_str!("../../schemas/utilities.yaml")),
    ("lifecycle.yaml", include_str!("../../schemas/lifecycle.yaml")),
    ("content.yaml", include_str!("../../schemas/content.yaml")),
    ("tools.yaml", include_str!("../../schemas/tools.yaml")),
    ("resources.yaml", include_str!("../../schemas/resources.yaml")),
    ("prompts.yaml", include_str!("../../schemas/prompts.yaml")),
    ("completion.yaml", include_str!("../../schemas/completion.yaml")),
    ("logging.yaml", include_str!("../../schemas/logging.yaml")),
    ("sampling.yaml", include_str!("../../schemas/sampling.yaml")),
    ("elicitation.yaml", include_str!("../../schemas/elicitation.yaml")),
    ("roots.yaml", include_str!("../../schemas/roots.yaml")),
    ("input.yaml", include_str!("../../schemas/input.yaml")),
    ("subscriptions.yaml", include_str!("../../schemas/subscriptions.yaml")),
    ("tasks.yaml", include_str!("../../schemas/tasks.yaml")),
    ("messages.yaml", include_str!("../../schemas/messages.yaml")),
];

static DEFINITIONS: OnceLock<Result<Vec<Definition>, SchemaError>> = OnceLock::new();

/// One cell for each revision, in the order of [`Revision::ALL`].
static DOCUMENTS: [OnceLock<Result<Value, SchemaError>>; Revision::ALL.len()] =
    [const { OnceLock::new() }; Revision::ALL.len()];

/// Every definition of the source; none when it does not load, which [`check`] reports.
pub(super) fn definitions() -> &'static [Definition] {
    load().map_or(&[], Vec::as_slice)
}

fn load() -> Result<&'static Vec<Definition>, &'static SchemaError> {
    DEFINITIONS.get_or_init(|| notation::read(FILES)).as_ref()
}

fn assembled(revision: Revision) -> Result<&'static Value, &'static SchemaError> {
    let definitions = load()?;
    match DOCUMENTS.get(revision as usize) {
        Some(cell) => cell.get_or_init(|| assemble::document(definitions, revision)).as_ref(),
        None => Ok(&Value::Null),
    }
}

/// The JSON Schema document of `revision`: its definitions under the names, in the container, and in the dialect that
/// the published one has. `null` when the embedded source is broken, which [`check`] reports and a test rules out.
#[must_use]
pub fn document(revision: Revision) -> &'static Value {
    assembled(revision).unwrap_or(&Value::Null)
}

/// Whether the embedded source loads and assembles in every revision.
///
/// # Errors
/// What is wrong with it first.
pub fn check() -> Result<(), &'static SchemaError> {
    Revision::ALL.into_iter().try_for_each(|revision| assembled(revision).map(|_| ()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_source_loads_in_every_revision() {
        check().unwrap();
        for revision in Revision::ALL {
            let names = document(revision)[assemble::container(revision)].as_object().unwrap().len();
            assert!(names > 70, "{revision}: {names}");
        }
    }

    #[test]
    fn every_file_of_the_folder_is_embedded() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
        let mut found: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".yaml"))
            .collect();
        found.sort();
        let mut embedded: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        embedded.sort_unstable();
        assert_eq!(found, embedded);
    }

    fn refused(text: &str) -> SchemaError {
        notation::read(&[("test.yaml", text)])
            .and_then(|definitions| {
                Revision::ALL
                    .into_iter()
                    .try_for_each(|revision| assemble::document(&definitions, revision).map(|_| ()))
            })
            .expect_err("the source should be refused")
    }

    #[test]
    fn wrong_ranges_are_refused() {
        assert!(matches!(refused("A 2025-01-01..: string"), SchemaError::Range { .. }));
        assert!(matches!(refused("A 2025-11-25..2025-06-18: string"), SchemaError::Range { .. }));
        let never = refused("A ..2025-06-18:\n  members:\n    b 2025-11-25..: string");
        assert!(matches!(never, SchemaError::NeverHolds { .. }));
        assert_eq!(
            never.to_string(),
            "test.yaml: A.members.b 2025-11-25..: the range holds none of the revisions of the place around it"
        );
    }

    #[test]
    fn unknown_keys_and_words_are_refused() {
        let key = refused("A:\n  member:\n    b: string");
        assert!(
            key.to_string().starts_with("test.yaml: A: unknown key `member`; here may stand `members`"),
            "{key}"
        );
        assert!(matches!(refused("A:\n  members: {}\n  union: [B]"), SchemaError::UnknownKey { .. }));
        assert!(matches!(refused("A:\n  request: a/b\n  reply: [B]"), SchemaError::UnknownKey { .. }));
        assert!(matches!(refused("A: text"), SchemaError::UnknownWord { .. }));
        assert!(matches!(refused("A: [string, number]"), SchemaError::Malformed { .. }));
        assert!(matches!(refused("A: 5"), SchemaError::Malformed { .. }));
        assert!(matches!(refused("a: string"), SchemaError::Malformed { .. }));
    }

    #[test]
    fn duplicates_are_refused_where_their_revisions_overlap() {
        let duplicate = refused("A ..2025-06-18: string\nA 2025-06-18..: integer");
        assert_eq!(duplicate.to_string(), "test.yaml: `A` is already defined for 2025-06-18");
        let member = refused("A:\n  members:\n    b: string\n    b? 2025-11-25..: integer");
        assert!(matches!(member, SchemaError::Duplicate { revision: Revision::R2025_11_25, .. }));
        assert!(matches!(refused("A: string\nA: string"), SchemaError::Yaml(_)));
    }

    #[test]
    fn references_must_exist_in_the_revision_and_end() {
        let undefined = refused("A: B\nB 2025-06-18..: string");
        assert!(matches!(undefined, SchemaError::Undefined { revision: Revision::R2024_11_05, .. }));
        assert!(matches!(refused("A:\n  include: [B]\nB: string"), SchemaError::NotAnObject { .. }));
        assert!(matches!(
            refused("A:\n  inline: 2024-11-05..\n  members: { b: A }"),
            SchemaError::Cycle { .. }
        ));
        assert!(matches!(refused("A:\n  include: [A]"), SchemaError::Cycle { .. }));
    }
}
