//! Exit codes: a contract, documented in the README.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    /// Nothing was found, or the program did what it was asked.
    Conformant = 0,
    /// The server breaks a requirement.
    Findings = 1,
    /// The command line or a file was wrong.
    Usage = 2,
    /// The server could not be started or never spoke.
    NoServer = 3,
    /// Nothing was selected.
    NothingSelected = 4,
    /// A report could not be written.
    Report = 5,
    /// Our own failure.
    Internal = 70,
    /// Ctrl-C.
    Interrupted = 130,
    /// SIGTERM.
    Terminated = 143,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> ExitCode {
        ExitCode::from(code as u8)
    }
}
