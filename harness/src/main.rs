//! The command line of mcp-conform.

mod cli;

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A campaign makes and drops some hundred small things for each input, and the allocator of the system is slow at that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
