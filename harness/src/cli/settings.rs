//! Arguments of the command line → settings.

use std::ffi::OsString;
use std::time::Duration;

use mcp_conform::select::Selection;
use mcp_conform::settings::{Calls, HttpSettings, Settings, WhichRevisions};
use mcp_conform::target::{Target, TargetError};
use mcp_conform_cases::RevisionSet;

use super::args::{CommonArguments, STARTUP_TIMEOUT, ServerArguments, TIMEOUT};
use super::exit::Code;

/// More servers at once than this help nobody.
const MOST_JOBS: usize = 8;
/// The longest time that anything may be told to take.
const A_DAY: Duration = Duration::from_secs(86_400);

/// What is run on.
pub(crate) enum What<'a> {
    /// A server.
    Server(&'a ServerArguments),
    /// The bundled reference server, with these faults.
    Reference(&'a [String]),
}

pub(crate) type Refused = (Code, String);

/// The settings that the arguments common to all runs make, for every case and up to a day.
pub(crate) fn settings(arguments: &CommonArguments, what: &What<'_>) -> Result<Settings, Refused> {
    let usage = |message: String| (Code::Usage, message);
    let executable = std::env::current_exe().ok();
    let mut repeat_options = Vec::new();
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
    Ok(Settings {
        target,
        http,
        revisions,
        selection: Selection::default(),
        calls,
        timeout: seconds("--timeout", arguments.timeout)?,
        startup_timeout: seconds("--startup-timeout", arguments.startup_timeout)?,
        max_time: A_DAY,
        jobs: arguments.jobs.unwrap_or(lanes).clamp(1, 64),
        seed: arguments.seed,
        repeat_options,
        executable,
    })
}

/// Seconds of the command line.
pub(crate) fn seconds(name: &str, value: f64) -> Result<Duration, Refused> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|duration| !duration.is_zero() && *duration <= A_DAY)
        .ok_or_else(|| (Code::Usage, format!("{name} {value}: takes seconds, above 0 and up to a day")))
}

fn http_settings(arguments: &CommonArguments) -> Result<HttpSettings, String> {
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
