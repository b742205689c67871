//! Everything that decides how a run goes, in one value.

use std::path::PathBuf;
use std::time::Duration;

use mcp_conform_cases::{Revision, RevisionSet};

use crate::select::Selection;
use crate::target::Target;

/// Which revisions are tested, of those that the server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhichRevisions {
    /// The newest of each era.
    NewestOfEachEra,
    /// All of these.
    These(RevisionSet),
}

impl WhichRevisions {
    /// Those that a server is asked for.
    #[must_use]
    pub fn asked_for(self) -> RevisionSet {
        match self {
            WhichRevisions::NewestOfEachEra => RevisionSet::ALL,
            WhichRevisions::These(set) => set,
        }
    }

    /// Whether a revision is wanted, given all that the server speaks.
    #[must_use]
    pub fn wants(self, revision: Revision, spoken: RevisionSet) -> bool {
        match self {
            WhichRevisions::These(set) => set.contains(revision),
            WhichRevisions::NewestOfEachEra => {
                !spoken.iter().any(|other| other.era() == revision.era() && other > revision)
            }
        }
    }
}

/// Which of the server's tools may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// All but those that are annotated as destructive and not as read-only.
    pub all: bool,
    /// These, beside those that are annotated as read-only, whatever is said of them.
    pub names: Vec<String>,
}

/// What belongs to HTTP.
#[derive(Clone, Debug, Default)]
pub struct HttpSettings {
    /// Headers that go with every request. Their values are secrets: no report shows them.
    pub headers: Vec<(String, String)>,
    /// Certificates, in PEM, of those who may vouch for the server, instead of those that the system trusts.
    pub authorities: Option<Vec<u8>>,
}

impl HttpSettings {
    /// What no report may show.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .map(|(_, value)| value.strip_prefix("Bearer ").unwrap_or(value))
            .filter(|text| !text.is_empty())
    }

    /// Whether the operator gave something to authenticate with.
    #[must_use]
    pub fn has_token(&self) -> bool {
        self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization"))
    }
}

/// Everything that decides how a run goes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is tested.
    pub target: Target,
    /// What belongs to HTTP.
    pub http: HttpSettings,
    /// In which revisions.
    pub revisions: WhichRevisions,
    /// Which cases.
    pub selection: Selection,
    /// Which tools may be called.
    pub calls: Calls,
    /// How long a response may take.
    pub timeout: Duration,
    /// How long a server may take from its start to its first answer.
    pub startup_timeout: Duration,
    /// How long the whole run may take.
    pub max_time: Duration,
    /// How many servers run at once.
    pub jobs: usize,
    /// Where generated values come from.
    pub seed: u64,
    /// The options that a command which repeats a finding must carry, as the user wrote them.
    pub repeat_options: Vec<String>,
    /// Our own executable, from which the guardian is started; no guardian if `None`.
    pub executable: Option<PathBuf>,
}
