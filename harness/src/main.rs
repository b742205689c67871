//! The command line of mcp-conform.

mod cli;

use std::process::ExitCode;

/// Messages are many small values: an allocator that is good at those saves a tenth of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
