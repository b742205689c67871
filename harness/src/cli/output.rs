//! Writing to the terminal, where a closed pipe is a way to stop and no failure.

use std::io::{self, Write as _};

/// Prints a text to standard output.
pub(crate) fn print(text: &str) {
    // `| head` closes the pipe when it has enough.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints a complaint to standard error.
pub(crate) fn complain(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "mcp-conform: {text}");
}
