//! The command line: one file a subcommand. Only here are exit codes known.

mod args;
mod case_files;
mod confined;
mod coverage_build;
mod exit;
mod explain;
mod fuzz;
mod guided;
mod interrupts;
mod list;
mod output;
mod reference_server;
mod replay;
mod run;
mod schema;
mod settings;

use std::ffi::OsStr;
use std::io;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use mcp_conform::guardian;
use mcp_conform::process::confine;
use mcp_conform::target::REFERENCE_ARGUMENT;

use args::{Arguments, Command};
use exit::Code;
use settings::What;

/// Does what the arguments say.
pub(crate) fn main() -> ExitCode {
    // The roles that the binary plays for itself come before everything else: they must start at once.
    let mut words = std::env::args_os().skip(1);
    match words.next().as_deref().and_then(OsStr::to_str) {
        Some(guardian::ARGUMENT) => {
            guardian::run(io::stdin());
            return ExitCode::SUCCESS;
        }
        Some(confine::ARGUMENT) => return confined::main(words),
        Some(mcp_conform::fuzz::guided::ARGUMENT) => return guided::main(),
        Some(REFERENCE_ARGUMENT) => return reference_server::main(words),
        _ => {}
    }
    match Arguments::try_parse() {
        Ok(arguments) => dispatch(arguments),
        Err(error) => {
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // A closed terminal is no reason to fail.
            let _ = error.print();
            let code = if asked_for { Code::Conformant } else { Code::Usage };
            code.into()
        }
    }
}

fn dispatch(arguments: Arguments) -> ExitCode {
    let code = match arguments.command {
        None => run::main(&arguments.run, &What::Server(&arguments.server)),
        Some(Command::Reference(reference)) => run::main(&reference.run, &What::Reference(&reference.faults)),
        Some(Command::Fuzz(fuzz)) => fuzz::main(&fuzz),
        Some(Command::Replay(replay)) => replay::main(&replay),
        Some(Command::CoverageBuild(build)) => return coverage_build::main(&build.build),
        Some(Command::List(list)) => list::main(&list),
        Some(Command::Explain(explain)) => explain::main(&explain),
        Some(Command::Schema(schema)) => schema::main(&schema),
    };
    code.into()
}
