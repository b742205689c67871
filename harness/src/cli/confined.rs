//! A server that was confined before it became what it is.

use std::ffi::OsString;
use std::process::ExitCode;

use mcp_conform::process::confine::{Refusal, enter};

use super::output::complain;

/// What a shell ends with when a program does not exist.
const NOT_FOUND: u8 = 127;

/// What a shell ends with when a program cannot be executed.
const NOT_EXECUTED: u8 = 126;

/// Confines this process and becomes the server; returns only when that failed, and then as a shell would.
pub(crate) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    let refusal = enter(words);
    complain(&refusal);
    ExitCode::from(match refusal {
        Refusal::Missing(_) => NOT_FOUND,
        _ => NOT_EXECUTED,
    })
}
