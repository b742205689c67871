//! Requirements: what the specification, or we ourselves, ask of a server.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::revision::{Revision, RevisionSet};

/// How strongly a requirement is worded (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// MAY: no server is wrong either way.
    #[serde(rename = "MAY")]
    May,
    /// SHOULD NOT.
    #[serde(rename = "SHOULD NOT")]
    ShouldNot,
    /// SHOULD.
    #[serde(rename = "SHOULD")]
    Should,
    /// MUST NOT.
    #[serde(rename = "MUST NOT")]
    MustNot,
    /// MUST.
    #[serde(rename = "MUST")]
    Must,
}

impl Level {
    /// The words of the specification.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Level::May => "MAY",
            Level::ShouldNot => "SHOULD NOT",
            Level::Should => "SHOULD",
            Level::MustNot => "MUST NOT",
            Level::Must => "MUST",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The worst verdict that a broken requirement may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Cannot be observed from outside.
    None,
    /// Worth recording, never a finding.
    Info,
    /// A warning at most.
    Warn,
    /// A failure.
    Fail,
}

/// A value that is the same for every revision, or given by ranges of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByRevision<T>(Vec<(RevisionSet, T)>);

impl<T> ByRevision<T> {
    /// The value for `revision`.
    #[must_use]
    pub fn get(&self, revision: Revision) -> Option<&T> {
        self.0.iter().find(|(set, _)| set.contains(revision)).map(|(_, value)| value)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByRevision<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = ByRevision<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one value, or a map from revision ranges to values")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                let value = T::deserialize(serde::de::value::StrDeserializer::new(text))?;
                Ok(ByRevision(vec![(RevisionSet::ALL, value)]))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some((range, value)) = map.next_entry::<RevisionSet, T>()? {
                    if entries.iter().any(|(set, _): &(RevisionSet, T)| !set.intersection(range).is_empty()) {
                        return Err(serde::de::Error::custom(format!(
                            "the range `{range}` overlaps an earlier one"
                        )));
                    }
                    entries.push((range, value));
                }
                Ok(ByRevision(entries))
            }
        }
        deserializer.deserialize_any(Visitor(std::marker::PhantomData))
    }
}

/// One normative statement about servers, with its level in each revision.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The id, the same in all revisions, e.g. `tools.unknown-tool-error`.
    pub id: String,
    /// The statement in our own words.
    pub summary: String,
    /// The level in each revision that has the statement.
    pub levels: ByRevision<Level>,
    /// The worst verdict that breaking it may cause.
    pub severity: ByRevision<Severity>,
    /// What it rests on: `spec`, `prose`, `schema`, `jsonrpc`, `implied`, or `own`.
    pub basis: ByRevision<String>,
    /// The page and anchor of the specification, relative to its site; absent for our own requirements.
    #[serde(default)]
    pub page: Option<ByRevision<String>>,
    /// The transports where a check makes sense.
    #[serde(default)]
    pub transports: Vec<String>,
    /// `generic`, `fixture`, `config`, or `no`.
    pub observable: ByRevision<String>,
    /// The fixture or operator input that a check needs, or why there can be none.
    #[serde(default)]
    pub needs: Option<ByRevision<String>>,
    /// Where the text is unclear, and how we are lenient about it.
    #[serde(default)]
    pub note: Option<ByRevision<String>>,
    /// Who else the statement binds: `server` (default), `both`, or `auth-server`.
    #[serde(default)]
    pub actor: Option<String>,
}

impl Requirement {
    /// The level in `revision`; `None` when the revision has no such statement.
    #[must_use]
    pub fn level(&self, revision: Revision) -> Option<Level> {
        self.levels.get(revision).copied()
    }

    /// The worst verdict in `revision`: the entry's own cap, lowered to a warning where the level is a SHOULD.
    #[must_use]
    pub fn severity(&self, revision: Revision) -> Severity {
        let cap = self.severity.get(revision).copied().unwrap_or(Severity::Info);
        match self.level(revision) {
            Some(Level::Must | Level::MustNot) => cap,
            Some(Level::Should | Level::ShouldNot) => cap.min(Severity::Warn),
            Some(Level::May) | None => cap.min(Severity::Info),
        }
    }

    /// The address of the statement on the specification's site.
    #[must_use]
    pub fn url(&self, revision: Revision) -> Option<String> {
        let page = self.page.as_ref()?.get(revision)?;
        if let Some(path) = page.strip_prefix("seps/").or_else(|| page.strip_prefix("docs/")) {
            return Some(format!("https://modelcontextprotocol.io/{path}"));
        }
        Some(format!("https://modelcontextprotocol.io/specification/{page}"))
    }

    /// The area: the id up to its first dot.
    #[must_use]
    pub fn area(&self) -> &str {
        self.id.split('.').next().unwrap_or_default()
    }
}

/// All requirements by id.
pub type Catalogue = BTreeMap<String, Requirement>;
