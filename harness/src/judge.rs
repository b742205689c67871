//! Judges recordings. Pure: no clock, no input or output, no randomness; the same recording gives the same judgement.

pub mod attribution;
pub mod checks;
pub mod dialogue;
pub mod evidence;
pub mod exchanges;
pub mod http;
pub mod invariants;
pub mod matching;
pub mod refusals;
pub mod steps;
pub mod text_checks;

use mcp_conform_cases::Severity;

use crate::verdict::Verdict;

/// What a recording shows about one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The server did what it must.
    Kept,
    /// It did not.
    Broken(Box<Breach>),
    /// Nothing could be seen: why.
    Unseen(String),
}

/// How a requirement was broken, and what proves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breach {
    /// One sentence.
    pub message: String,
    /// What should have come.
    pub expected: Option<String>,
    /// What came.
    pub got: Option<String>,
    /// The entries that are wrong.
    pub culprits: Vec<usize>,
    /// Other entries that belong to the proof.
    pub context: Vec<usize>,
    /// Only a recommendation is broken: a warning at most.
    pub advice: bool,
    /// The case during which it happened.
    pub during: Option<String>,
}

/// The verdict for a breach of a requirement that may cause `severity` at most.
#[must_use]
pub fn verdict_for(severity: Severity, advice: bool) -> Verdict {
    match (severity, advice) {
        (Severity::Fail, false) => Verdict::Fail,
        (Severity::Fail, true) | (Severity::Warn, _) => Verdict::Warn,
        // Worth a remark, never a finding: the remark stands in the message.
        (Severity::Info | Severity::None, _) => Verdict::Pass,
    }
}
