//! Verdicts: what is known about one case in one revision over one transport.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The answer to "does the server do what the requirement asks?".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was seen to do so.
    Pass,
    /// A MUST is broken.
    Fail,
    /// A SHOULD is broken, or a rule that the specification only implies.
    Warn,
    /// The server never declared the feature, or the revision or transport does not have it.
    NotApplicable,
    /// The server declares the feature, but it could not be exercised.
    Untestable,
    /// Our own trouble; says nothing about the server.
    Error,
}

impl Verdict {
    /// Every verdict, in the order of reports.
    pub const ALL: [Verdict; 6] = [
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Warn,
        Verdict::NotApplicable,
        Verdict::Untestable,
        Verdict::Error,
    ];

    /// The word used in every report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Warn => "warn",
            Verdict::NotApplicable => "not-applicable",
            Verdict::Untestable => "untestable",
            Verdict::Error => "error",
        }
    }

    /// Whether the verdict is a finding about the server.
    #[must_use]
    pub fn is_finding(self) -> bool {
        matches!(self, Verdict::Fail | Verdict::Warn)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Summary {
    /// Number of `pass`.
    pub pass: usize,
    /// Number of `fail`.
    pub fail: usize,
    /// Number of `warn`.
    pub warn: usize,
    /// Number of `not-applicable`.
    pub not_applicable: usize,
    /// Number of `untestable`.
    pub untestable: usize,
    /// Number of `error`.
    pub error: usize,
}

impl Summary {
    /// Counts one verdict.
    pub fn count(&mut self, verdict: Verdict) {
        *match verdict {
            Verdict::Pass => &mut self.pass,
            Verdict::Fail => &mut self.fail,
            Verdict::Warn => &mut self.warn,
            Verdict::NotApplicable => &mut self.not_applicable,
            Verdict::Untestable => &mut self.untestable,
            Verdict::Error => &mut self.error,
        } += 1;
    }

    /// The count of one verdict.
    #[must_use]
    pub fn of(&self, verdict: Verdict) -> usize {
        match verdict {
            Verdict::Pass => self.pass,
            Verdict::Fail => self.fail,
            Verdict::Warn => self.warn,
            Verdict::NotApplicable => self.not_applicable,
            Verdict::Untestable => self.untestable,
            Verdict::Error => self.error,
        }
    }

    /// The sum of all counts.
    #[must_use]
    pub fn total(&self) -> usize {
        Verdict::ALL.into_iter().map(|verdict| self.of(verdict)).sum()
    }
}
