//! The reference server as a binary of this package, so that tests know where it is.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_reference_server::cli::main(std::env::args_os())
}
