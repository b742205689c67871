//! The recording of a session: what was sent and received, and what happened to the connection and the process.

use std::fmt;
use std::time::Duration;

use mcp_conform_cases::Revision;
use mcp_conform_cases::case::ClientKind;
use serde_json::Value;

use crate::event::Transport;
use crate::template::Variables;
use crate::transport::http::events::Event;
use crate::transport::http::exchange::{End, ExchangeId};
use crate::wire::{Content, Frame};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Exit {
    /// The exit code, if it exited by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exited with code {code}"),
            (None, Some(signal)) => write!(f, "was ended by signal {signal}{}", signal_name(signal)),
            (None, None) => f.write_str("ended"),
        }
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// A rung of the ladder by which a server is brought to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// Standard input was closed.
    InputClosed,
    /// SIGTERM was sent to the group.
    Terminated,
    /// SIGKILL was sent to the group.
    Killed,
}

/// The HTTP request that carried what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its number.
    pub exchange: ExchangeId,
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers; values that the operator gave are left out.
    pub headers: Vec<(String, String)>,
    /// Whether it was written out byte by byte.
    pub raw: bool,
}

/// Where on HTTP a frame came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The exchange in whose answer it stood.
    pub exchange: ExchangeId,
    /// The event around it, without its data, if it was one.
    pub event: Option<Event>,
}

/// What a line says that was sent as mere bytes: many look at it, and reading it takes long.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// Nobody has looked: it was sent as a message, or is more than a line, or less.
    Unread,
    /// Nothing that we can read as JSON.
    NoJson,
    /// It is this.
    Json(Value),
}

/// One thing that happened in a session.
#[derive(Clone, Debug)]
pub enum Happening {
    /// Bytes that we sent.
    Sent {
        /// As they went out, with the line end if there was one.
        bytes: Vec<u8>,
        /// The message, where the bytes are one that a client may send.
        message: Option<Value>,
        /// What a line says that was sent as mere bytes.
        read: Reading,
        /// Whether a client may not send this.
        hostile: bool,
        /// The HTTP request that carried it, on such transports.
        carrier: Option<Box<Carrier>>,
    },
    /// A frame that the server sent.
    Received {
        /// The bytes.
        frame: Frame,
        /// What was understood of them.
        content: Content,
        /// Where it came from, on HTTP.
        origin: Option<Box<Origin>>,
    },
    /// A response to what was asked before the recording begins, where it is a part of a longer one. It is kept, and no
    /// rule looks at it, since what it answers is not there.
    Late {
        /// The bytes.
        frame: Frame,
    },
    /// The head of an HTTP answer.
    Head {
        /// Whose.
        exchange: ExchangeId,
        /// The status.
        status: u16,
        /// The header fields, names in lower case.
        headers: Vec<(String, String)>,
    },
    /// An event of a stream that holds no message.
    Event {
        /// In whose answer.
        exchange: ExchangeId,
        /// The event.
        event: Event,
    },
    /// The end of an HTTP answer.
    End {
        /// Whose.
        exchange: ExchangeId,
        /// How.
        end: End,
        /// The body, unless it was a message; not all of a long one.
        body: Vec<u8>,
        /// Its true length in bytes.
        length: u64,
    },
    /// A rung of the stop ladder.
    Stop(Rung),
    /// The server closed its output.
    OutputClosed,
    /// The server no longer knows the session (status 404 for its id).
    SessionLost,
    /// We could not write any more: the server closed its input.
    InputBroken,
    /// The process ended.
    Exited(Exit),
    /// More was recorded than we keep; the session was ended.
    Overflow,
}

/// Something that happened, and when.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Since the session began.
    pub at: Duration,
    /// What.
    pub what: Happening,
}

/// Why the wait for a response ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// It came: the entry that holds it.
    Response(usize),
    /// Later messages were answered and it was not.
    Passed,
    /// The HTTP answer came to its end without it: the entry of that end.
    Unanswered(usize),
    /// The time was up.
    TimedOut,
    /// The connection ended.
    Closed,
    /// Nothing was waited for.
    NotWaited,
}

/// What a step of a case did.
#[derive(Clone, Debug)]
pub struct StepRecord {
    /// Entries before this one belong to earlier steps.
    pub begins: usize,
    /// Entries from this one on belong to later steps.
    pub ends: usize,
    /// The entry of what was sent.
    pub sent: Option<usize>,
    /// The HTTP exchange that carried it, on such transports.
    pub exchange: Option<ExchangeId>,
    /// The id that was sent, where a response was to be expected.
    pub id: Option<Value>,
    /// How the wait ended.
    pub waited: Waited,
}

/// One run through the steps of a case: one for each item of a `for_each`, else just one.
#[derive(Clone, Debug, Default)]
pub struct Pass {
    /// The item of the `for_each`, by name.
    pub item: Option<String>,
    /// The steps, as far as they were carried out.
    pub steps: Vec<StepRecord>,
    /// The values of templates when the pass began; what steps add follows from the recording.
    pub variables: Variables,
    /// Why it could not be carried out further, if it could not for reasons of our own.
    pub stuck: Option<String>,
}

/// What became of the session at the end of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It still answers, or nothing says otherwise.
    Well,
    /// The connection ended although nobody asked for it.
    Dead,
    /// The process lives and does not answer.
    Hung,
}

/// One case as it was carried out in a session.
#[derive(Clone, Debug)]
pub struct CaseRecord {
    /// The id of the case; `profile` while the server is being asked about itself.
    pub case: String,
    /// Whether it sends what a client may not send.
    pub hostile: bool,
    /// The first entry.
    pub begins: usize,
    /// The entry after the last one.
    pub ends: usize,
    /// What was done.
    pub passes: Vec<Pass>,
    /// How the session was afterwards.
    pub health: Health,
}

/// A whole session, recorded.
#[derive(Clone, Debug)]
pub struct Transcript {
    /// The revision that is spoken.
    pub revision: Revision,
    /// How it is carried.
    pub transport: Transport,
    /// What our side declared.
    pub client: ClientKind,
    /// The capabilities that the server declared, once known.
    pub capabilities: Value,
    /// Everything that happened, in order.
    pub entries: Vec<Entry>,
    /// The cases that ran in it, in order.
    pub cases: Vec<CaseRecord>,
    /// The end of what the server wrote to its standard error.
    pub stderr: String,
}

impl Transcript {
    /// The case that was running when the entry was made.
    #[must_use]
    pub fn case_at(&self, entry: usize) -> Option<&CaseRecord> {
        self.cases.iter().rev().find(|case| case.begins <= entry)
    }

    /// The HTTP exchange that carried what was sent in an entry.
    #[must_use]
    pub fn exchange_of(&self, entry: usize) -> Option<ExchangeId> {
        match &self.entries.get(entry)?.what {
            Happening::Sent { carrier, .. } => carrier.as_ref().map(|carrier| carrier.exchange),
            _ => None,
        }
    }

    /// How the process of the server ended, if it did.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.entries.iter().rev().find_map(|entry| match entry.what {
            Happening::Exited(exit) => Some(exit),
            _ => None,
        })
    }

    /// Whether the server no longer knew the session.
    #[must_use]
    pub fn lost_the_session(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.what, Happening::SessionLost))
    }
}
