//! The protocol revisions, the two eras they belong to, and sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A published revision of the protocol, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05, the first.
    R2024_11_05,
    /// 2025-03-26: Streamable HTTP, batches, audio, annotations.
    R2025_03_26,
    /// 2025-06-18: structured content, elicitation, no batches.
    R2025_06_18,
    /// 2025-11-25: tasks, icons, URL elicitation.
    R2025_11_25,
    /// 2026-07-28: stateless, `server/discover`, per-request `_meta`.
    R2026_07_28,
}

/// How a revision keeps state between requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Era {
    /// A session begins with `initialize` and ends with the connection (2024-11-05 to 2025-11-25).
    Stateful,
    /// Every request stands alone and carries its version and capabilities in `_meta` (2026-07-28).
    Stateless,
}

impl Era {
    /// `stateful` or `stateless`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Era::Stateful => "stateful",
            Era::Stateless => "stateless",
        }
    }
}

impl fmt::Display for Era {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Revision {
    /// Every revision, oldest first.
    pub const ALL: [Revision; 5] = [
        Revision::R2024_11_05,
        Revision::R2025_03_26,
        Revision::R2025_06_18,
        Revision::R2025_11_25,
        Revision::R2026_07_28,
    ];

    /// The date that names the revision on the wire, e.g. `2025-11-25`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Revision::R2024_11_05 => "2024-11-05",
            Revision::R2025_03_26 => "2025-03-26",
            Revision::R2025_06_18 => "2025-06-18",
            Revision::R2025_11_25 => "2025-11-25",
            Revision::R2026_07_28 => "2026-07-28",
        }
    }

    /// The era the revision belongs to.
    #[must_use]
    pub fn era(self) -> Era {
        if self == Revision::R2026_07_28 { Era::Stateless } else { Era::Stateful }
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that should name a revision or a range of them and does not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevisionError {
    /// Not one of the published revisions.
    #[error(
        "unknown revision `{0}`; the revisions are 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, and 2026-07-28"
    )]
    Unknown(String),
    /// A range whose end lies before its start, so that it holds nothing.
    #[error("the range `{0}` is empty: its end lies before its start")]
    EmptyRange(String),
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Revision::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
            .ok_or_else(|| RevisionError::Unknown(text.to_owned()))
    }
}

impl Serialize for Revision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Revision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A set of revisions, written as a range: `2024-11-05..2025-11-25` (both ends included), `2025-06-18..`,
/// `..2025-03-26`, a single revision, or several of these separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RevisionSet(u8);

impl RevisionSet {
    /// The set of all revisions.
    pub const ALL: RevisionSet = RevisionSet(0b1_1111);
    /// The set without members.
    pub const EMPTY: RevisionSet = RevisionSet(0);

    /// Whether the set holds `revision`.
    #[must_use]
    pub fn contains(self, revision: Revision) -> bool {
        self.0 & (1 << revision as u8) != 0
    }

    /// Adds `revision`.
    pub fn insert(&mut self, revision: Revision) {
        self.0 |= 1 << revision as u8;
    }

    /// The members, oldest first.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Revision> {
        Revision::ALL.into_iter().filter(move |revision| self.contains(*revision))
    }

    /// The revisions that both sets hold.
    #[must_use]
    pub fn intersection(self, other: RevisionSet) -> RevisionSet {
        RevisionSet(self.0 & other.0)
    }

    /// Whether the set has no members.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Revision> for RevisionSet {
    fn from_iter<T: IntoIterator<Item = Revision>>(revisions: T) -> Self {
        let mut set = RevisionSet::EMPTY;
        for revision in revisions {
            set.insert(revision);
        }
        set
    }
}

impl Extend<Revision> for RevisionSet {
    fn extend<T: IntoIterator<Item = Revision>>(&mut self, revisions: T) {
        revisions.into_iter().for_each(|revision| self.insert(revision));
    }
}

impl FromStr for RevisionSet {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut set = RevisionSet::EMPTY;
        for part in text.split(',') {
            let part = part.trim();
            let (first, last) = match part.split_once("..") {
                None => {
                    let only = part.parse()?;
                    (only, only)
                }
                Some((first, last)) => (
                    if first.is_empty() { Revision::R2024_11_05 } else { first.parse()? },
                    if last.is_empty() { Revision::R2026_07_28 } else { last.parse()? },
                ),
            };
            if last < first {
                return Err(RevisionError::EmptyRange(part.to_owned()));
            }
            for revision in Revision::ALL.into_iter().filter(|r| (first..=last).contains(r)) {
                set.insert(revision);
            }
        }
        Ok(set)
    }
}

/// Runs of neighbouring revisions are written as ranges, so the text parses back to the same set.
impl fmt::Display for RevisionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(Revision, Revision)> = Vec::new();
        for revision in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last as u8 + 1 == revision as u8 => *last = revision,
                _ => runs.push((revision, revision)),
            }
        }
        for (index, (first, last)) in runs.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            if first == last { write!(f, "{first}")? } else { write!(f, "{first}..{last}")? }
        }
        Ok(())
    }
}

impl Serialize for RevisionSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RevisionSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_both_ends() {
        let set: RevisionSet = "2025-03-26..2025-06-18".parse().unwrap();
        assert_eq!(set.iter().map(Revision::as_str).collect::<Vec<_>>(), ["2025-03-26", "2025-06-18"]);
    }

    #[test]
    fn every_set_survives_its_own_text() {
        for bits in 1..32 {
            let set = RevisionSet(bits);
            assert_eq!(set.to_string().parse::<RevisionSet>().unwrap(), set, "{set}");
        }
    }

    #[test]
    fn wrong_texts_say_what_is_wrong() {
        assert!(
            "2025-01-01"
                .parse::<Revision>()
                .unwrap_err()
                .to_string()
                .contains("unknown revision `2025-01-01`")
        );
        assert!(matches!("2025-11-25..2024-11-05".parse::<RevisionSet>(), Err(RevisionError::EmptyRange(_))));
        assert!("".parse::<RevisionSet>().is_err());
    }
}
