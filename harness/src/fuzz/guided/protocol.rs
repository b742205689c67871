//! What a worker tells: one JSON value on a line of its standard output.

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
    /// An input ended the server or silenced it.
    Found(Find),
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
    /// Branches or lines, by a hash of their place: Python, or a program compiled by gcc.
    Places,
    /// What answers look like.
    Shape,
    /// Nothing.
    Nothing,
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

/// An input and what it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Find {
    /// What [`Maker::from_bytes`](crate::fuzz::make::Maker::from_bytes) makes the input of.
    pub bytes: Vec<u8>,
    /// What came of it.
    pub end: End,
    /// How many inputs the server had been sent before this one: if it was the first, nothing else can be the cause.
    pub before: u64,
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
