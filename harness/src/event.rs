//! The one stream of events that a run produces. Reports listen to it and cannot influence the run.

use std::time::Duration;

use mcp_conform_cases::{Level, Revision};
use serde::{Deserialize, Serialize};

use crate::verdict::{Summary, Verdict};

/// How frames are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// One message a line over standard input and output.
    Stdio,
    /// Streamable HTTP.
    Http,
    /// The HTTP+SSE transport of 2024-11-05.
    Sse,
}

impl Transport {
    /// `stdio`, `http`, or `sse`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Stdio => "stdio",
            Transport::Http => "http",
            Transport::Sse => "sse",
        }
    }
}

/// A word that names no transport.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no transport: stdio, http, or sse")]
pub struct NoTransport(String);

impl std::str::FromStr for Transport {
    type Err = NoTransport;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Transport::Stdio, Transport::Http, Transport::Sse];
        all.into_iter().find(|one| one.as_str() == text).ok_or_else(|| NoTransport(text.to_owned()))
    }
}

/// Which way a piece of evidence went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From us to the server.
    Sent,
    /// From the server to us.
    Received,
    /// Something that happened to the connection or the process.
    Event,
}

/// A frame, or an event of the connection, that proves a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Microseconds since the session began.
    pub at_us: u64,
    /// Which way it went.
    pub direction: Direction,
    /// The frame as text, at most [`Evidence::MAX_TEXT`] bytes of it; bytes that are no UTF-8 are written `\xNN`.
    pub text: String,
    /// The true length of the frame in bytes.
    pub bytes: u64,
    /// Whether this frame is the one that is wrong.
    pub culprit: bool,
}

impl Evidence {
    /// Longest text that is kept of a frame, in bytes.
    pub const MAX_TEXT: usize = 4096;
}

/// What is known about one planned item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResult {
    /// The id of the requirement.
    pub requirement: String,
    /// The id of the case.
    pub case: String,
    /// The level of the requirement in this revision.
    pub level: Level,
    /// The revision.
    pub revision: Revision,
    /// The transport.
    pub transport: Transport,
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence: what is wrong, or why there is no pass; empty for a plain pass.
    pub message: String,
    /// What should have come, for findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What came instead, for findings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub got: Option<String>,
    /// How long the case took, in milliseconds, without the start of a session; absent where nothing was sent for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// The frames that prove a finding, in the order of time.
    pub evidence: Vec<Evidence>,
    /// The command that repeats the finding; empty where nothing ran.
    pub reproduce: String,
    /// The requirement in words.
    pub summary: String,
    /// The address of the requirement in the specification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<String>,
}

/// What the server said of itself, for one revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introduction {
    /// The revision.
    pub revision: Revision,
    /// The capabilities it declared, by name.
    pub capabilities: Vec<String>,
    /// The number of tools, if it declared any.
    pub tools: Option<usize>,
    /// The number of resources, if declared.
    pub resources: Option<usize>,
    /// The number of resource templates, if declared.
    pub templates: Option<usize>,
    /// The number of prompts, if declared.
    pub prompts: Option<usize>,
}

/// What was understood of the target before the first case runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Name and version of this tool.
    pub tool: Named,
    /// The target as a command line, without secrets.
    pub target: String,
    /// Name and version that the server gave.
    pub server: Named,
    /// The transports under test.
    pub transports: Vec<Transport>,
    /// The revisions under test, oldest first, with what the server declared in each.
    pub revisions: Vec<Introduction>,
    /// Other revisions that the server is known to speak and that were not selected.
    pub also_speaks: Vec<Revision>,
    /// Tools that no case may call, and why they are left alone is in the documentation of `--call`.
    pub not_called: Vec<String>,
    /// Things worth knowing before reading the results, one sentence each.
    pub notes: Vec<String>,
    /// The seed from which generated values come.
    pub seed: u64,
    /// The number of planned items.
    pub planned: usize,
}

/// A name and a version, as the tool or the server gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The name; empty if none was given.
    pub name: String,
    /// The version; empty if none was given.
    pub version: String,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finish {
    /// All results, in the order of the plan.
    pub results: Vec<CaseResult>,
    /// How often each verdict was given.
    pub summary: Summary,
    /// From start to end.
    pub duration: Duration,
    /// Whether the run was cut short by an interrupt; items that did not run are `untestable` and say so.
    pub interrupted: bool,
    /// Whether it was cut short by its own limit of time.
    pub cut_short: bool,
}

/// One event of a run, in the order in which they happen.
#[derive(Clone, Debug)]
pub enum Event {
    /// A server is being started or a handshake made: what, in a few words.
    Progress(String),
    /// The server is known and the plan is made.
    Started(Box<Header>),
    /// One item has its verdict.
    Finished(Box<CaseResult>),
    /// The run is over.
    Ended(Box<Finish>),
}

/// Something that listens to a run.
pub trait Listener: Send {
    /// Takes notice of an event.
    fn on(&mut self, event: &Event);
}
