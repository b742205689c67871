//! The command line of mcp-conform.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
