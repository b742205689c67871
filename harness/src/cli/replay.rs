//! Trying again what the fuzzer found.

use std::io::{self, Write as _};

use mcp_conform::fuzz::campaign::Budget;
use mcp_conform::fuzz::ground::FuzzSettings;
use mcp_conform::fuzz::replay::{self, Replayed};
use mcp_conform::text;
use mcp_conform_cases::Library;

use super::args::ReplayArguments;
use super::exit::Code;
use super::fuzz::{inputs_of, settings_of};
use super::interrupts::interrupts;
use super::output::complain;
use super::run::refusal;

/// Tries the inputs of case files, each on a fresh server, and says which show a fault.
pub(crate) fn main(arguments: &ReplayArguments) -> Code {
    let inputs = match inputs_of(&arguments.path) {
        Ok(inputs) if inputs.is_empty() => {
            complain(format!("{}: holds no case file", arguments.path.display()));
            return Code::NothingSelected;
        }
        Ok(inputs) => inputs,
        Err(error) => {
            complain(error);
            return Code::Usage;
        }
    };
    let settings = match settings_of(&arguments.common, &arguments.server) {
        Ok(settings) => settings,
        Err((code, message)) => {
            complain(message);
            return code;
        }
    };
    let library = match Library::builtin() {
        Ok(library) => library,
        Err(error) => {
            complain(format!("the built-in library is broken: {error}"));
            return Code::Internal;
        }
    };
    let fuzz = FuzzSettings {
        settings,
        budget: Budget { cases: None, time: None },
        shard: (0, 1),
        corpus: Vec::new(),
        confined: !arguments.no_sandbox,
        guided: None,
        rate: None,
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("no runtime could be started: {error}"));
            return Code::Internal;
        }
    };
    runtime.block_on(async {
        let interrupts = interrupts();
        let mut shows = 0_usize;
        let count = inputs.len();
        let mut tell = |replayed: &Replayed| {
            shows += usize::from(!replayed.faults.is_empty());
            let _ = io::stderr().lock().write_all(drawn(replayed).as_bytes());
        };
        match replay::all(&library, &fuzz, inputs, interrupts.stopped.clone(), &mut tell).await {
            Err(error) => {
                complain(&error);
                refusal(&error, &interrupts)
            }
            Ok(true) => interrupts.code(),
            Ok(false) => {
                let _ = writeln!(io::stderr().lock(), "{shows} of {count} show a fault");
                if shows > 0 { Code::Findings } else { Code::Conformant }
            }
        }
    })
}

fn drawn(replayed: &Replayed) -> String {
    let place = format!("{} over {}", replayed.revision, replayed.transport.as_str());
    if replayed.faults.is_empty() {
        return format!("✓ {}  {place}\n", replayed.name);
    }
    let lines = replayed.faults.iter().map(|(oracle, message)| {
        format!("✗ {}  {place}\n    {oracle}: {}\n", replayed.name, text::visible(message))
    });
    lines.collect()
}
