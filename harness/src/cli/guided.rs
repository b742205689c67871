//! The worker of guided fuzzing.

use std::process::ExitCode;

/// Does the work that comes on standard input; returns only when it cannot.
#[cfg(feature = "guided")]
pub(crate) fn main() -> ExitCode {
    mcp_conform::fuzz::guided::worker(std::io::stdin());
    ExitCode::FAILURE
}

/// Says that there is no engine.
#[cfg(not(feature = "guided"))]
pub(crate) fn main() -> ExitCode {
    super::output::complain(mcp_conform::fuzz::guided::GuidedError::Unavailable);
    ExitCode::FAILURE
}
