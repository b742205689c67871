//! Running the suite.

use std::io::{self, IsTerminal as _};

use mcp_conform::event::{Finish, Header, Listener};
use mcp_conform::report::{self, Progress, Style, Terminal, Verbosity};
use mcp_conform::run::{self, RunError};
use mcp_conform::select::Selection;
use mcp_conform::settings::Settings;
use mcp_conform_cases::Library;

use super::args::RunArguments;
use super::case_files;
use super::exit::Code;
use super::interrupts::{Interrupts, interrupts};
use super::output::complain;
use super::settings::{self, Refused, What};

/// Runs the suite.
pub(crate) fn main(arguments: &RunArguments, what: &What<'_>) -> Code {
    let mut library = match Library::builtin() {
        Ok(library) => library,
        Err(error) => {
            complain(format!("the built-in library is broken: {error}"));
            return Code::Internal;
        }
    };
    if let Err(message) = case_files::add(&mut library, &arguments.case_files) {
        complain(message);
        return Code::Usage;
    }
    let settings = match complete(arguments, what, &library) {
        Ok(settings) => settings,
        Err((code, message)) => {
            complain(message);
            return code;
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("no runtime could be started: {error}"));
            return Code::Internal;
        }
    };
    runtime.block_on(carry_out(arguments, library, settings))
}

/// The settings of this run.
fn complete(arguments: &RunArguments, what: &What<'_>, library: &Library) -> Result<Settings, Refused> {
    let mut settings = settings::settings(&arguments.common, what)?;
    let selection = Selection::new(&arguments.cases).map_err(|error| (Code::Usage, error.to_string()))?;
    selection.check(library).map_err(|error| (Code::NothingSelected, error.to_string()))?;
    settings.selection = selection;
    settings.max_time = settings::seconds("--max-time", arguments.max_time)?;
    let files = arguments.case_files.iter();
    let options = files.flat_map(|path| ["--cases".to_owned(), path.to_string_lossy().into_owned()]);
    settings.repeat_options.splice(0..0, options);
    Ok(settings)
}

async fn carry_out(arguments: &RunArguments, library: Library, settings: Settings) -> Code {
    let interrupts = interrupts();
    let mut listeners = listeners(arguments);
    let outcome = run::run(library, settings, &mut listeners, interrupts.stopped.clone()).await;
    drop(listeners);
    let (header, finish) = match outcome {
        Ok(done) => done,
        Err(error) => {
            complain(&error);
            return refusal(&error, &interrupts);
        }
    };
    let code = if finish.interrupted { interrupts.code() } else { code_for(&finish) };
    write_reports(arguments, &header, &finish, code)
}

/// How the program ends when nothing could be run.
pub(crate) fn refusal(error: &RunError, interrupts: &Interrupts) -> Code {
    match error {
        RunError::NotSpeaking(_)
        | RunError::NoRevision { .. }
        | RunError::OutOfTime(_)
        | RunError::Guided(_) => Code::NoServer,
        RunError::NothingSelected { .. } => Code::NothingSelected,
        RunError::Scratch(_) => Code::Internal,
        RunError::Certificates(_) => Code::Usage,
        RunError::Interrupted => interrupts.code(),
    }
}

fn code_for(finish: &Finish) -> Code {
    let summary = &finish.summary;
    if summary.total() != finish.results.len() || summary.error > 0 {
        Code::Internal
    } else if summary.fail > 0 {
        Code::Findings
    } else if finish.cut_short || summary.pass + summary.warn == 0 {
        Code::NothingSelected
    } else {
        Code::Conformant
    }
}

fn write_reports(arguments: &RunArguments, header: &Header, finish: &Finish, code: Code) -> Code {
    let mut code = code;
    for target in &arguments.report {
        if let Err(error) = report::write(target, header, finish, code as u8) {
            complain(error);
            code = Code::Report;
        }
    }
    code
}

fn listeners(arguments: &RunArguments) -> Vec<Box<dyn Listener>> {
    let environment = |name: &str| std::env::var(name).ok();
    let is_terminal = io::stderr().is_terminal();
    let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    let style = Style::detect(arguments.common.color, is_terminal, environment, width);
    let progress =
        Progress::new(Progress::is_wanted(is_terminal, environment) && arguments.common.quiet < 2, style);
    let terminal = Terminal::new(
        progress.around(io::stderr()),
        style,
        Verbosity::from_counts(arguments.common.quiet, arguments.common.verbose),
    );
    vec![Box::new(progress), Box::new(terminal)]
}
