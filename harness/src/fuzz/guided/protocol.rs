//! What a worker tells: one JSON value on a line of its standard output.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::transcript::Exit;

/// Something that a worker tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The server has been greeted.
    Began {
        /// What guides the engine.
        source: Source,
    },
    /// All inputs that were kept before have been tried.
    Loaded,
    /// An input ended the server or silenced it.
    Found(Find),
    /// An input was answered and reached something that none had reached before it.
    Reached {
        /// What [`Maker::from_bytes`](crate::fuzz::make::Maker::from_bytes) makes the input of.
        bytes: Vec<u8>,
    },
    /// A sign of life, about once a second.
    Progress(Figures),
    /// The budget is spent; nothing comes after it.
    Done(Figures),
    /// It cannot go on; nothing comes after it.
    Failed {
        /// Why, as a part of a sentence.
        why: String,
    },
}

/// What guides the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Counters that the compiler put into the server.
    Counters {
        /// How many.
        count: u32,
    },
    /// Branches of a program compiled by gcc, by a hash of their place.
    Branches,
    /// Lines and branches of Python 3.12 or newer, by a hash of their place.
    Monitoring,
    /// Lines of an older Python, by a hash of their place.
    Tracing,
    /// What answers look like.
    Shape,
    /// Nothing.
    Nothing,
}

impl Source {
    /// Whether the server says itself what it executes.
    #[must_use]
    pub fn is_coverage(self) -> bool {
        !matches!(self, Source::Shape | Source::Nothing)
    }
}

/// What guides the engine, as a part of a sentence.
impl fmt::Display for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Counters { count } => {
                write!(formatter, "{count} counters that its compiler put into the server (sancov)")
            }
            Source::Branches => formatter.write_str("the branches that the server takes (sancov, gcc)"),
            Source::Monitoring => {
                formatter.write_str("the lines and branches that Python executes (sys.monitoring)")
            }
            Source::Tracing => formatter.write_str("the lines that Python executes (sys.settrace)"),
            Source::Shape => formatter.write_str("what answers look like (response shape)"),
            Source::Nothing => formatter.write_str("nothing"),
        }
    }
}

/// Counts since a run began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// Inputs sent, those repeated to see whether their coverage is stable included.
    pub executions: u64,
    /// Inputs of the engine that cannot be sent, or whose like ended the server too often.
    pub left_out: u64,
    /// Starts of the server.
    pub starts: u64,
    /// Ends of the server that nobody asked for.
    pub deaths: u64,
    /// Inputs that were not answered in time.
    pub unanswered: u64,
    /// Counters that were ever reached.
    pub reached: u64,
    /// Counters that are ignored because the same input did not reach them twice.
    pub unstable: u64,
}

impl Figures {
    /// These counts behind those of a worker before. What was reached was mostly reached before, since the corpus is the
    /// same.
    #[must_use]
    pub fn after(self, before: Figures) -> Figures {
        Figures {
            executions: before.executions + self.executions,
            left_out: before.left_out + self.left_out,
            starts: before.starts + self.starts,
            deaths: before.deaths + self.deaths,
            unanswered: before.unanswered + self.unanswered,
            reached: before.reached.max(self.reached),
            unstable: before.unstable.max(self.unstable),
        }
    }
}

/// An input and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// What [`Maker::from_bytes`](crate::fuzz::make::Maker::from_bytes) makes the input of.
    pub bytes: Vec<u8>,
    /// What came of it.
    pub end: End,
    /// How many inputs the server had been sent before this one: if it was the first, nothing else can be the cause.
    pub before: u64,
    /// The last of those, oldest first.
    pub lead: Vec<Vec<u8>>,
    /// How many inputs had been sent in all, this one included.
    pub executions: u64,
}

/// How a server behaved that did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// It ended.
    Died {
        /// How; none if it only closed its output.
        exit: Option<Exit>,
        /// The same for the same fault.
        signature: String,
    },
    /// It answers nothing any more.
    Hung,
    /// It answers other requests.
    Silent,
}
