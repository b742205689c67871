//! What the command line accepts.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand};
use mcp_conform::event::Transport;
use mcp_conform::report::{ColourChoice, ReportTarget};

/// Seconds that a response may take, unless told otherwise.
pub(crate) const TIMEOUT: f64 = 10.0;
/// Seconds from the start of a server to its first answer, unless told otherwise.
pub(crate) const STARTUP_TIMEOUT: f64 = 30.0;

/// Conformance test suite and fuzzer for MCP servers.
///
/// Starts the server, learns what it declares, runs every case that applies, and says what broke which requirement.
#[derive(Debug, Parser)]
#[command(
    name = "mcp-conform",
    version,
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
#[command(after_help = "\
Exit codes:
  0  conformant            1  findings                 2  wrong usage
  3  no server to talk to  4  nothing, or not all, run 5  a report not written
  70 a bug of mcp-conform  130/143  interrupted

Examples:
  mcp-conform ./my-server
  mcp-conform python3 server.py --call all
  mcp-conform -- npx -y @modelcontextprotocol/server-everything stdio
  mcp-conform https://example.com/mcp --bearer TOKEN
  mcp-conform --url http://127.0.0.1:{port}/mcp -- python3 server.py {port}
  mcp-conform fuzz ./my-server
  mcp-conform reference")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) run: RunArguments,

    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// What is tested.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The address of an HTTP server that the command starts; `{port}` in both stands for a free port.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// Set an environment variable of the server, as NAME=VALUE; `{port}` as in --url.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    pub(crate) environment: Vec<String>,

    /// The server's command line, put `--` before it when it has options of its own; or the address of one that runs.
    #[arg(value_name = "SERVER")]
    pub(crate) target: Vec<OsString>,
}

/// What else the program does.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the suite on the bundled reference server, in every revision.
    Reference(Box<ReferenceArguments>),
    /// Look for inputs that crash or hang the server, or that it answers wrongly.
    Fuzz(Box<FuzzArguments>),
    /// Try again what `fuzz` found.
    Replay(Box<ReplayArguments>),
    /// Build a server so that it reports what it executes, for `fuzz --guided`: Rust, C and C++.
    CoverageBuild(CoverageBuildArguments),
    /// List the cases, the requirements, or the faults of the reference server.
    List(ListArguments),
    /// Explain a case or a requirement.
    Explain(ExplainArguments),
    /// Print the wire schema of a revision.
    Schema(SchemaArguments),
}

/// How to run the suite.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// Run only these cases: ids of cases or requirements, or areas; `*` and `?` stand for any text.
    #[arg(short = 'k', long = "case", value_name = "PATTERN")]
    pub(crate) cases: Vec<String>,

    /// Add case files of your own: a file, or a folder of `.yaml` files.
    #[arg(long = "cases", value_name = "PATH")]
    pub(crate) case_files: Vec<PathBuf>,

    /// Seconds that the whole run may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 900.0)]
    pub(crate) max_time: f64,

    /// Write a report: `json=FILE` or `junit=FILE`; `-` is standard output.
    #[arg(long, value_name = "KIND=FILE")]
    pub(crate) report: Vec<ReportTarget>,

    #[command(flatten)]
    pub(crate) common: CommonArguments,
}

/// What every run against a server takes.
#[derive(Debug, Args)]
pub(crate) struct CommonArguments {
    /// Revisions to test: `all`, `newest` (of each era), or ranges such as `2025-06-18..` and lists of them.
    #[arg(long, value_name = "REVISIONS")]
    pub(crate) revision: Option<String>,

    /// Tools that may be called beside those annotated as read-only: a name, or `all` for those that are not annotated
    /// as destructive.
    #[arg(long, value_name = "NAME")]
    pub(crate) call: Vec<String>,

    /// Test over this transport alone: stdio, http, or sse.
    #[arg(long, value_name = "NAME")]
    pub(crate) transport: Option<Transport>,

    /// Send a header with every HTTP request; never shown in output or reports.
    #[arg(long, value_name = "NAME: VALUE")]
    pub(crate) header: Vec<String>,

    /// Authenticate to an HTTP server with this token; never shown in output or reports.
    #[arg(long, value_name = "TOKEN", env = "MCP_CONFORM_BEARER", hide_env_values = true)]
    pub(crate) bearer: Option<String>,

    /// Trust the certificates in this PEM file instead of those that the system trusts.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,

    /// Seconds that a response may take; 5 if not given for `fuzz`.
    #[arg(long, value_name = "SECONDS", default_value_t = TIMEOUT)]
    pub(crate) timeout: f64,

    /// Seconds from the start of a server to its first answer.
    #[arg(long, value_name = "SECONDS", default_value_t = STARTUP_TIMEOUT)]
    pub(crate) startup_timeout: f64,

    /// Servers that run at once; by default three for each core, at most 8, and 2 for `fuzz`.
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,

    /// Where generated values come from; the same seed sends the same bytes.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Say less: once for findings and the summary, twice for the summary.
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) quiet: u8,

    /// Say more: once for every item, twice for the frames.
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,

    /// Colours: auto, always, or never.
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColourChoice,
}

/// How to fuzz a server.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes are those of a run: 0 nothing found, 1 findings.

Examples:
  mcp-conform fuzz ./my-server
  mcp-conform fuzz --call all --time 300 -- python3 server.py
  mcp-conform fuzz --corpus fuzz-corpus --report json=fuzz.json -- node server.mjs
  mcp-conform fuzz reference")]
pub(crate) struct FuzzArguments {
    /// Inputs to try; with --time, whichever comes first.
    #[arg(long = "cases", value_name = "N")]
    pub(crate) cases: Option<u64>,

    /// Seconds in which inputs are tried; 60 if --cases is not given either.
    #[arg(long, value_name = "SECONDS")]
    pub(crate) time: Option<f64>,

    /// Inputs a second at most, on all servers together.
    #[arg(long, value_name = "N", conflicts_with = "guided")]
    pub(crate) rate: Option<NonZeroU32>,

    /// A folder of case files: tried first, and what is found is added to it.
    #[arg(long, value_name = "DIR")]
    pub(crate) corpus: Option<PathBuf>,

    /// Try one part of the inputs, as I/N: each of N machines takes another I, from 1.
    #[arg(long, value_name = "I/N", default_value = "1/1")]
    pub(crate) shard: Shard,

    /// Let what the server executes decide which inputs are changed further, over stdio; see the README for what a server
    /// needs for that.
    #[arg(long)]
    pub(crate) guided: bool,

    /// With --guided, a new folder for a smaller corpus: the inputs, kept in --corpus by engines before or new, that reach
    /// what none before them did, in the revisions that are guided.
    #[arg(long, value_name = "DIR", requires = "guided")]
    pub(crate) merge: Option<PathBuf>,

    /// Do not confine the server: no limits of memory, processes and files, and it may write anywhere.
    #[arg(long)]
    pub(crate) no_sandbox: bool,

    /// Write a report: `json=FILE` or `junit=FILE`; `-` is standard output.
    #[arg(long, value_name = "KIND=FILE")]
    pub(crate) report: Vec<ReportTarget>,

    /// Print every finding and the figures of each second as a line of JSON on standard output.
    #[arg(long)]
    pub(crate) ndjson: bool,

    #[command(flatten)]
    pub(crate) common: CommonArguments,

    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// How to replay findings.
#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// A case file that `fuzz` wrote, or a folder of them.
    #[arg(value_name = "FILE|DIR")]
    pub(crate) path: PathBuf,

    /// Do not confine the server.
    #[arg(long)]
    pub(crate) no_sandbox: bool,

    #[command(flatten)]
    pub(crate) common: CommonArguments,

    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// How to build a server that reports what it executes.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  mcp-conform coverage-build -- cargo build
  mcp-conform coverage-build -- make
  mcp-conform coverage-build          (writes the parts and says how it is done by hand)

With cargo the server is in target/mcp-conform-coverage. Servers in Python need no build.
The exit code is that of the build.")]
pub(crate) struct CoverageBuildArguments {
    /// The command that builds the server, `cargo build` or one that heeds CFLAGS, CXXFLAGS and LDFLAGS.
    #[arg(value_name = "BUILD", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) build: Vec<OsString>,
}

/// One part of the inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shard {
    /// From 0.
    pub(crate) index: usize,
    pub(crate) count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let parse = |text: &str| text.parse::<usize>().ok();
        match text.split_once('/').and_then(|(index, count)| Some((parse(index)?, parse(count)?))) {
            Some((index, count)) if (1..=count).contains(&index) => Ok(Shard { index: index - 1, count }),
            _ => Err("takes I/N with I from 1 to N, such as 2/8".to_owned()),
        }
    }
}

/// How to run the suite on the reference server.
#[derive(Debug, Args)]
pub(crate) struct ReferenceArguments {
    #[command(flatten)]
    pub(crate) run: RunArguments,

    /// Make the reference server misbehave in this way; `mcp-conform list faults` names the ways.
    #[arg(long = "fault", value_name = "NAME")]
    pub(crate) faults: Vec<String>,
}

/// What to list.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// What to list.
    #[arg(value_enum, default_value_t = Listed::Cases)]
    pub(crate) what: Listed,

    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be listed.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Listed {
    /// The cases.
    Cases,
    /// The requirements, with the cases that check them.
    Requirements,
    /// The faults of the reference server, with the cases that catch them.
    Faults,
}

/// What to explain.
#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The id of a case or of a requirement.
    pub(crate) id: String,
}

/// Which schema to print.
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// The revision, e.g. 2025-11-25.
    pub(crate) revision: String,
}
