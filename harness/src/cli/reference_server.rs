//! The reference server that is part of this binary.

use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the reference server with the rest of the command line.
pub(crate) fn main(words: impl Iterator<Item = OsString>) -> ExitCode {
    mcp_reference_server::cli::main(std::iter::once(OsString::from("mcp-reference-server")).chain(words))
}
