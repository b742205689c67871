//! The command line of the reference server, also for programs that carry the server in themselves.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use crate::faults::{self, Fault, Faults};
use crate::server::Settings;
use crate::transport::http::listener::{self, Addresses};
use crate::transport::http::service::Options;
use crate::transport::stdio::{self, Ended};
use clap::{ArgGroup, Parser};
use serde_json::json;

/// A reference MCP server: known good, and with --fault known bad. Serves stdin and stdout, or HTTP.
#[derive(Parser)]
#[command(name = "mcp-reference-server", version, about)]
#[command(group(ArgGroup::new("network").args(["http", "sse"]).multiple(true)))]
struct Arguments {
    /// Serve Streamable HTTP here, at /mcp, instead of stdin and stdout; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// Serve HTTP+SSE here, at /sse, instead of stdin and stdout; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    sse: Option<SocketAddr>,
    /// With --http or --sse: serve only who shows this token.
    #[arg(long, value_name = "TOKEN", requires = "network")]
    bearer: Option<String>,
    /// With --http or --sse: how often a quiet stream gets a sign of life.
    #[arg(long, value_name = "SECONDS", default_value_t = 15.0, requires = "network")]
    keep_alive: f64,
    /// With --http or --sse: also end when stdin is closed.
    #[arg(long, requires = "network")]
    exit_with_stdin: bool,
    /// Misbehave in this way; may be repeated.
    #[arg(long = "fault", value_name = "NAME")]
    faults: Vec<String>,
    /// Print all faults and exit.
    #[arg(long)]
    list_faults: bool,
    /// With --list-faults: as a JSON array.
    #[arg(long, requires = "list_faults")]
    json: bool,
    /// Entries a page of every list; by default each list has a small size of its own.
    #[arg(long, value_name = "ENTRIES")]
    page_size: Option<usize>,
    /// How long to wait for the client's answer to a request of the server.
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0)]
    request_timeout: f64,
    /// The pause between two steps of the tools that report as they work.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 50)]
    fixture_delay: u64,
    /// Neither declare nor serve this capability, or member of one, e.g. `prompts` or `tools.listChanged`; repeatable.
    #[arg(long, value_name = "CAPABILITY")]
    without: Vec<String>,
}

/// Serves as the words of a command line say, program first.
pub fn main(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Nothing is left to do if the terminal is gone.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match run(&arguments) {
        Ok(Ended::Regularly) => ExitCode::SUCCESS,
        // What a Rust program gives when it panics, which this fault plays.
        Ok(Ended::Crashed) => ExitCode::from(101),
        Err(error) => {
            // Nothing is left to do if even stderr is closed.
            let _ = writeln!(io::stderr(), "mcp-reference-server: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<Ended, Box<dyn std::error::Error>> {
    if arguments.list_faults {
        list_faults(arguments.json)?;
        return Ok(Ended::Regularly);
    }
    let faults = Faults::named(&arguments.faults)?;
    let request_timeout = Duration::try_from_secs_f64(arguments.request_timeout)?;
    let settings = Settings {
        page_size: arguments.page_size,
        request_timeout,
        step: Duration::from_millis(arguments.fixture_delay),
        without: arguments.without.clone(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = if arguments.http.is_some() || arguments.sse.is_some() {
        let addresses = Addresses {
            http: arguments.http,
            sse: arguments.sse,
            exit_with_stdin: arguments.exit_with_stdin,
        };
        let keep_alive = Duration::try_from_secs_f64(arguments.keep_alive)?;
        let options = Options { bearer: arguments.bearer.clone(), keep_alive };
        runtime.block_on(listener::serve(settings, faults, addresses, options))?
    } else {
        runtime.block_on(stdio::serve(settings, faults))?
    };
    // The thread that reads stdin may still be waiting; it ends with the process.
    runtime.shutdown_background();
    Ok(ended)
}

fn list_faults(as_json: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    if as_json {
        let list: Vec<_> = faults::all().map(describe).collect();
        serde_json::to_writer_pretty(&mut stdout, &list)?;
        return writeln!(stdout);
    }
    for fault in faults::all() {
        writeln!(
            stdout,
            "{:<40} {} [{}; {}]",
            fault.name, fault.summary, fault.requirement, fault.revisions
        )?;
    }
    Ok(())
}

fn describe(fault: &Fault) -> serde_json::Value {
    json!({
        "name": fault.name,
        "summary": fault.summary,
        "requirement": fault.requirement,
        "revisions": fault.revisions,
        "transports": fault.transports,
    })
}
