//! The reference server as a program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_reference_server::cli::main(std::env::args_os())
}
