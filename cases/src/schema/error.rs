//! What can be wrong with the schema source.

use crate::revision::{Revision, RevisionError};
use crate::yaml::YamlError;

/// Why the source of the wire schemas was refused. `place` is the file and the path inside it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The file is not YAML of the strict subset.
    #[error(transparent)]
    Yaml(#[from] YamlError),
    /// A range that does not parse.
    #[error("{place}: {source}")]
    Range {
        /// Where.
        place: String,
        /// What is wrong with it.
        source: RevisionError,
    },
    /// A range that shares no revision with what it stands in, so that it never holds.
    #[error("{place}: the range holds none of the revisions of the place around it")]
    NeverHolds {
        /// Where.
        place: String,
    },
    /// A key that the notation does not have there.
    #[error("{place}: unknown key `{key}`; here may stand {known}")]
    UnknownKey {
        /// Where.
        place: String,
        /// The key.
        key: String,
        /// What may stand there.
        known: &'static str,
    },
    /// A word that is neither a type nor the name of a definition.
    #[error("{place}: `{word}` is neither a type nor the name of a definition")]
    UnknownWord {
        /// Where.
        place: String,
        /// The word.
        word: String,
    },
    /// Something of the wrong form, such as a list where a mapping belongs.
    #[error("{place}: {expected} belongs here")]
    Malformed {
        /// Where.
        place: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// Two definitions, or two members, of one name whose revisions overlap.
    #[error("{place}: `{name}` is already defined for {revision}")]
    Duplicate {
        /// Where the second one stands.
        place: String,
        /// The name.
        name: String,
        /// The first revision that both claim.
        revision: Revision,
    },
    /// A reference to a definition that the revision does not have.
    #[error("{place}: `{name}` is not defined for {revision}")]
    Undefined {
        /// Where.
        place: String,
        /// The name.
        name: String,
        /// The revision.
        revision: Revision,
    },
    /// `include` of something without members.
    #[error("{place}: `{name}` has no members to include")]
    NotAnObject {
        /// Where.
        place: String,
        /// The name.
        name: String,
    },
    /// A definition that contains itself without being a definition of its own.
    #[error("{place}: `{name}` contains itself; only a named definition may")]
    Cycle {
        /// Where.
        place: String,
        /// The name.
        name: String,
    },
}
