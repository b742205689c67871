//! Running the suite.

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

use mcp_conform::event::{Finish, Header, Listener};
use mcp_conform::report::{self, Progress, Style, Terminal, Verbosity};
use mcp_conform::run::{self, RunError, Stop};
use mcp_conform::select::Selection;
use mcp_conform::settings::{Calls, HttpSettings, Settings, WhichRevisions};
use mcp_conform::target::{Target, TargetError};
use mcp_conform_cases::{Library, RevisionSet};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::args::{RunArguments, STARTUP_TIMEOUT, ServerArguments, TIMEOUT};
use super::case_files;
use super::exit::Code;
use super::output::complain;

/// More servers at once than this help nobody.
const MOST_JOBS: usize = 8;

/// What the suite is run on.
pub(crate) enum What<'a> {
    /// A server.
    Server(&'a ServerArguments),
    /// The bundled reference server, with these faults.
    Reference(&'a [String]),
}

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
    let settings = match settings(arguments, what, &library) {
        Ok(settings) => settings,
        Err((code, message)) => {
            complain(message);
            return code;
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format!("no runtime could be started: {error}"));
            return Code::Internal;
        }
    };
    runtime.block_on(carry_out(arguments, library, settings))
}

async fn carry_out(arguments: &RunArguments, library: Library, settings: Settings) -> Code {
    let (stop, stopped) = watch::channel(Stop::No);
    let (terminated, was_terminated) = watch::channel(false);
    tokio::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => { let _ = terminated.send(true); }
        }
        let _ = stop.send(Stop::Interrupted);
        // Keeps the channel open until the run has seen it.
        std::future::pending::<()>().await;
    });
    let mut listeners = listeners(arguments);
    let interrupted_code = || if *was_terminated.borrow() { Code::Terminated } else { Code::Interrupted };
    let outcome = run::run(library, settings, &mut listeners, stopped).await;
    drop(listeners);
    let (header, finish) = match outcome {
        Ok(done) => done,
        Err(error) => {
            complain(&error);
            return match error {
                RunError::NotSpeaking(_) | RunError::NoRevision { .. } | RunError::OutOfTime(_) => {
                    Code::NoServer
                }
                RunError::NothingSelected { .. } => Code::NothingSelected,
                RunError::Scratch(_) => Code::Internal,
                RunError::Certificates(_) => Code::Usage,
                RunError::Interrupted => interrupted_code(),
            };
        }
    };
    let code = if finish.interrupted { interrupted_code() } else { code_for(&finish) };
    write_reports(arguments, &header, &finish, code)
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
    let style = Style::detect(arguments.color, is_terminal, environment, width);
    let progress = Progress::new(Progress::is_wanted(is_terminal, environment) && arguments.quiet < 2, style);
    let terminal = Terminal::new(
        progress.around(io::stderr()),
        style,
        Verbosity::from_counts(arguments.quiet, arguments.verbose),
    );
    vec![Box::new(progress), Box::new(terminal)]
}

type Refused = (Code, String);

fn settings(arguments: &RunArguments, what: &What<'_>, library: &Library) -> Result<Settings, Refused> {
    let usage = |message: String| (Code::Usage, message);
    let executable = std::env::current_exe().ok();
    let selection = Selection::new(&arguments.cases).map_err(|error| usage(error.to_string()))?;
    selection.check(library).map_err(|error| (Code::NothingSelected, error.to_string()))?;
    let mut repeat_options = Vec::new();
    for path in &arguments.case_files {
        repeat_options.extend(["--cases".to_owned(), path.to_string_lossy().into_owned()]);
    }
    let http = http_settings(arguments).map_err(usage)?;
    let (mut target, calls, default_revisions) = match what {
        What::Reference(faults) => {
            let target = Target::reference(faults, arguments.bearer.as_deref())
                .map_err(|error| (Code::Internal, error.to_string()))?;
            mcp_reference_server::faults::Faults::named(faults)
                .map_err(|error| usage(format!("{error}\n  try: mcp-conform list faults")))?;
            (target, Calls { all: true, names: Vec::new() }, WhichRevisions::These(RevisionSet::ALL))
        }
        What::Server(server) => {
            let search = std::env::var_os("PATH");
            let environment =
                server.environment.iter().map(|pair| variable(pair)).collect::<Result<Vec<_>, _>>();
            let environment = environment.map_err(usage)?;
            let url = server.url.as_deref();
            let target =
                Target::named(&server.target, url, &environment, search.as_deref()).map_err(|error| {
                    let code = match error {
                        TargetError::Missing | TargetError::Address(_) | TargetError::NoCommand(_) => {
                            Code::Usage
                        }
                        _ => Code::NoServer,
                    };
                    (code, error.to_string())
                })?;
            for url in url.into_iter().filter(|_| !server.target.is_empty()) {
                repeat_options.extend(["--url".to_owned(), url.to_owned()]);
            }
            for pair in &server.environment {
                repeat_options.extend(["--env".to_owned(), pair.clone()]);
            }
            let all = arguments.call.iter().any(|name| name == "all");
            for name in &arguments.call {
                repeat_options.extend(["--call".to_owned(), name.clone()]);
            }
            (target, Calls { all, names: arguments.call.clone() }, WhichRevisions::NewestOfEachEra)
        }
    };
    if let Some(transport) = arguments.transport {
        target.restrict(transport).map_err(|error| usage(error.to_string()))?;
        repeat_options.extend(["--transport".to_owned(), transport.as_str().to_owned()]);
    }
    let revisions = match arguments.revision.as_deref() {
        None => default_revisions,
        Some("newest") => WhichRevisions::NewestOfEachEra,
        Some("all") => WhichRevisions::These(RevisionSet::ALL),
        Some(text) => {
            WhichRevisions::These(text.parse().map_err(|error| usage(format!("--revision {text}: {error}")))?)
        }
    };
    for (name, value, usual) in [
        ("--timeout", arguments.timeout, TIMEOUT),
        ("--startup-timeout", arguments.startup_timeout, STARTUP_TIMEOUT),
    ] {
        if value != usual {
            repeat_options.extend([name.to_owned(), value.to_string()]);
        }
    }
    if arguments.seed != 1 {
        repeat_options.extend(["--seed".to_owned(), arguments.seed.to_string()]);
    }
    // A lane that waits for a silent server needs no core. The reference server waits more than it computes.
    let lanes = if matches!(what, What::Reference(_)) {
        MOST_JOBS
    } else if target.commands().next().is_none() || target.has_fixed_port() {
        // One process serves all, so that cases which run beside each other could be blamed for each other.
        1
    } else {
        (3 * std::thread::available_parallelism().map_or(2, usize::from)).min(MOST_JOBS)
    };
    let seconds = |name: &str, value: f64| {
        Duration::try_from_secs_f64(value)
            .ok()
            .filter(|duration| !duration.is_zero() && *duration <= Duration::from_secs(86_400))
            .ok_or_else(|| usage(format!("{name} {value}: takes seconds, above 0 and up to a day")))
    };
    Ok(Settings {
        target,
        http,
        revisions,
        selection,
        calls,
        timeout: seconds("--timeout", arguments.timeout)?,
        startup_timeout: seconds("--startup-timeout", arguments.startup_timeout)?,
        max_time: seconds("--max-time", arguments.max_time)?,
        jobs: arguments.jobs.unwrap_or(lanes).clamp(1, 64),
        seed: arguments.seed,
        repeat_options,
        executable,
    })
}

fn http_settings(arguments: &RunArguments) -> Result<HttpSettings, String> {
    let mut headers = Vec::new();
    for header in &arguments.header {
        let (name, value) =
            header.split_once(':').ok_or_else(|| "--header takes NAME: VALUE, with a colon".to_owned())?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    if let Some(token) = &arguments.bearer {
        headers.push(("Authorization".to_owned(), format!("Bearer {token}")));
    }
    let read = |path: &std::path::PathBuf| {
        std::fs::read(path).map_err(|error| format!("--ca {}: {error}", path.display()))
    };
    Ok(HttpSettings { headers, authorities: arguments.ca.as_ref().map(read).transpose()? })
}

fn variable(pair: &str) -> Result<(OsString, OsString), String> {
    let (name, value) = pair
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("--env {pair}: takes NAME=VALUE"))?;
    Ok((name.into(), value.into()))
}
