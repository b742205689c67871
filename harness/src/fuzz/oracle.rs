//! Oracles: what tells a fault from an answer.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::input::Door;

/// A way to notice that something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oracle {
    /// The process or the connection ended.
    Crash,
    /// The server lives and answers nothing any more.
    Hang,
    /// The server took more than it may and was ended for it.
    Excess,
    /// One request has no answer while others have.
    NoAnswer,
    /// A sanitizer reported a fault, and the server went on.
    Sanitizer,
    /// An answer breaks a rule that holds for every answer.
    WrongAnswer,
    /// A call succeeded although the tool's own schema forbids its arguments.
    AcceptedInvalid,
    /// Something that worked no longer does, after calls that failed.
    Poisoned,
    /// An answer holds what another call was given.
    CrossTalk,
    /// An answer shows the stack of the program.
    StackTrace,
    /// An error shows a secret of the server's environment.
    Secret,
    /// A file was read that the server does not serve.
    PathTraversal,
    /// Arguments were run as a command.
    CommandInjection,
    /// Arguments were run as a query.
    SqlInjection,
    /// A text takes time out of all proportion to its length, as regular expressions do that go astray.
    SlowRegex,
    /// Memory, descriptors, threads or processes grow with every call.
    Growth,
    /// The server keeps a processor busy with nothing to do.
    Spin,
}

impl Oracle {
    /// Whether no input can be tried after it on the same server.
    pub(super) fn ends_server(self) -> bool {
        matches!(self, Oracle::Crash | Oracle::Hang | Oracle::Excess)
    }

    /// Whether it tells that something is not answered, which has to be waited for.
    pub(super) fn is_silence(self) -> bool {
        matches!(self, Oracle::Hang | Oracle::NoAnswer)
    }

    /// The oracle whose finding a case is, by the id that fuzzing gave the case; none where it has another.
    #[must_use]
    pub fn of_case(id: &str) -> Option<Oracle> {
        let (name, _) = id.strip_prefix("fuzz/")?.rsplit_once('-')?;
        serde_json::from_value(Value::from(name)).ok()
    }

    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Oracle::Crash => "crash",
            Oracle::Hang => "hang",
            Oracle::NoAnswer => "no-answer",
            Oracle::Sanitizer => "sanitizer",
            Oracle::WrongAnswer => "wrong-answer",
            Oracle::AcceptedInvalid => "accepted-invalid",
            Oracle::Poisoned => "poisoned",
            Oracle::CrossTalk => "cross-talk",
            Oracle::StackTrace => "stack-trace",
            Oracle::Secret => "secret",
            Oracle::PathTraversal => "path-traversal",
            Oracle::CommandInjection => "command-injection",
            Oracle::SqlInjection => "sql-injection",
            Oracle::SlowRegex => "slow-regex",
            Oracle::Growth => "growth",
            Oracle::Spin => "spin",
            Oracle::Excess => "excess",
        }
    }

    /// The requirement that is broken, unless a rule names another.
    #[must_use]
    pub fn requirement(self) -> &'static str {
        match self {
            Oracle::Crash | Oracle::Sanitizer => "robustness.no-crash",
            Oracle::Hang | Oracle::SlowRegex | Oracle::Spin => "robustness.no-hang",
            Oracle::NoAnswer | Oracle::Poisoned => "robustness.session-survives",
            Oracle::WrongAnswer => "robustness.right-peer",
            Oracle::AcceptedInvalid => "tools.validate-inputs",
            Oracle::CrossTalk
            | Oracle::StackTrace
            | Oracle::Secret
            | Oracle::PathTraversal
            | Oracle::CommandInjection
            | Oracle::SqlInjection => "robustness.isolation",
            Oracle::Growth | Oracle::Excess => "robustness.no-leftovers",
        }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Door> for Oracle {
    fn from(door: Door) -> Oracle {
        match door {
            Door::PathTraversal => Oracle::PathTraversal,
            Door::Command => Oracle::CommandInjection,
            Door::Sql => Oracle::SqlInjection,
            Door::Regex => Oracle::SlowRegex,
        }
    }
}
