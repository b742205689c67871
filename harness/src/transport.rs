//! Transports carry frames. They know no method of the protocol.

pub mod http;
pub mod stdio;

use std::time::Duration;

use crate::event::Transport;
use crate::process::Patience;
use crate::transcript::{Exit, Rung};
use crate::wire::Frame;

/// What came over a link.
#[derive(Debug)]
pub enum Incoming {
    /// A frame.
    Frame(Frame),
    /// The server closed its output; nothing more will come.
    OutputClosed,
    /// The server no longer reads; it may still have something to say.
    InputBroken,
    /// Nothing came until the deadline.
    TimedOut,
}

/// A connection to a server.
#[derive(Debug)]
pub enum Link {
    /// Over the standard streams of a process.
    Stdio(Box<stdio::StdioLink>),
    /// Over HTTP, in either of its forms.
    Http(Box<http::HttpLink>),
}

impl Link {
    /// Which transport it is.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match self {
            Link::Stdio(_) => Transport::Stdio,
            Link::Http(link) => link.transport(),
        }
    }

    /// Sends on what waits for that, without waiting; over HTTP nothing waits.
    pub fn push(&mut self) {
        if let Link::Stdio(link) = self {
            link.push();
        }
    }

    /// Closes the direction towards the server, after all that was sent has left. There is none over HTTP.
    pub fn close_input(&mut self) {
        if let Link::Stdio(link) = self {
            link.close_input();
        }
    }

    /// Asks the server's process to end, if it is ours.
    pub fn terminate(&self) {
        match self {
            Link::Stdio(link) => link.process().terminate(),
            Link::Http(link) => link.terminate(),
        }
    }

    /// How the server's process ended, if it does within `limit`.
    pub async fn exit_within(&mut self, limit: Duration) -> Option<Exit> {
        match self {
            Link::Stdio(link) => link.exit_within(limit).await,
            Link::Http(link) => link.exit_within(limit).await,
        }
    }

    /// Brings a server that serves this session alone to its end; says which rungs of the ladder were needed, and how
    /// it ended.
    pub async fn stop(&mut self, patience: Patience) -> (Vec<Rung>, Option<Exit>) {
        match self {
            Link::Stdio(link) => link.stop(patience).await,
            Link::Http(_) => (Vec::new(), None),
        }
    }

    /// The end of what the server wrote to its standard error.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        match self {
            Link::Stdio(link) => link.process().stderr_tail(),
            Link::Http(link) => link.stderr_tail(),
        }
    }
}
