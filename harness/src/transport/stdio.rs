//! The stdio transport: one message a line, in both directions at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep_until, timeout};

use super::Incoming;
use crate::guardian::Guardian;
use crate::process::{Patience, Process, ServerCommand};
use crate::transcript::{Exit, Rung};
use crate::wire::Framer;

/// After the process has ended, its output is read for this long at most: a grandchild may hold the pipe open.
const AFTER_EXIT: Duration = Duration::from_millis(500);
/// How long a killed process may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(5);

/// A server process and the pipes to it.
#[derive(Debug)]
pub struct StdioLink {
    process: Process,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    framer: Framer,
    chunk: Vec<u8>,
    unsent: Vec<u8>,
    sent: usize,
    close_after_sending: bool,
    exited: Option<Instant>,
}

impl StdioLink {
    /// Starts the server.
    ///
    /// # Errors
    /// As [`Process::start`].
    pub fn start(command: &ServerCommand, guardian: Option<Arc<Guardian>>) -> io::Result<StdioLink> {
        let (process, pipes) = Process::start(command, guardian)?;
        Ok(StdioLink {
            process,
            stdin: Some(pipes.stdin),
            stdout: Some(pipes.stdout),
            framer: Framer::default(),
            chunk: vec![0; 64 * 1024],
            unsent: Vec::new(),
            sent: 0,
            close_after_sending: false,
            exited: None,
        })
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if self.stdin.is_some() {
            self.unsent.extend_from_slice(bytes);
        }
    }

    /// Writes what is still to be written, as far as there is room for it now.
    pub(super) fn push(&mut self) {
        let pending = self.unsent.get(self.sent..).unwrap_or_default();
        if pending.is_empty() {
            return;
        }
        // What went wrong is told by the next attempt.
        if let Some(Ok(count)) = write_some(&mut self.stdin, pending).now_or_never() {
            self.has_written(count);
        }
    }

    fn has_written(&mut self, count: usize) {
        self.sent += count;
        if self.sent == self.unsent.len() {
            self.unsent.clear();
            self.sent = 0;
            if self.close_after_sending {
                self.stdin = None;
            }
        }
    }

    pub(super) fn close_input(&mut self) {
        if self.sent == self.unsent.len() {
            self.stdin = None;
        } else {
            self.close_after_sending = true;
        }
    }

    pub(crate) async fn next(&mut self, deadline: Instant) -> Incoming {
        loop {
            if let Some(frame) = self.framer.next_frame() {
                return Incoming::Frame(frame);
            }
            let Some(stdout) = &mut self.stdout else {
                return match self.framer.last_frame() {
                    Some(frame) => Incoming::Frame(frame),
                    None => Incoming::OutputClosed,
                };
            };
            let pending = self.unsent.get(self.sent..).unwrap_or_default();
            let limit = self.exited.map_or(deadline, |at| (at + AFTER_EXIT).min(deadline));
            tokio::select! {
                biased;
                written = write_some(&mut self.stdin, pending), if !pending.is_empty() && self.stdin.is_some() => {
                    match written {
                        Ok(count) => self.has_written(count),
                        Err(_) => {
                            self.stdin = None;
                            self.unsent.clear();
                            self.sent = 0;
                            return Incoming::InputBroken;
                        }
                    }
                }
                read = stdout.read(&mut self.chunk) => match read {
                    Ok(count @ 1..) => self.framer.push(self.chunk.get(..count).unwrap_or_default()),
                    _ => self.stdout = None,
                },
                _ = self.process.ended(), if self.exited.is_none() => self.exited = Some(Instant::now()),
                () = sleep_until(limit) => {
                    if self.exited.is_none() || limit == deadline {
                        return Incoming::TimedOut;
                    }
                    self.stdout = None;
                }
            }
        }
    }

    pub(super) async fn exit_within(&mut self, limit: Duration) -> Option<Exit> {
        let flush = async {
            let pending = self.unsent.get(self.sent..).unwrap_or_default();
            if let (Some(stdin), false) = (&mut self.stdin, pending.is_empty()) {
                let _ = stdin.write_all(pending).await;
            }
        };
        let _ = timeout(limit, flush).await;
        self.unsent.clear();
        self.sent = 0;
        if self.close_after_sending {
            self.stdin = None;
        }
        self.process.ended_within(limit).await
    }

    pub(super) async fn stop(&mut self, patience: Patience) -> (Vec<Rung>, Option<Exit>) {
        let mut rungs = Vec::new();
        if let Some(exit) = self.process.exit() {
            return (rungs, Some(exit));
        }
        self.stdin = None;
        rungs.push(Rung::InputClosed);
        // A server that still writes must not be held up by a full pipe while it is asked to end.
        let mut output = self.stdout.take();
        let mut exit = ended_while_draining(&mut self.process, &mut output, patience.after_close).await;
        if exit.is_none() {
            self.process.terminate();
            rungs.push(Rung::Terminated);
            exit = ended_while_draining(&mut self.process, &mut output, patience.after_term).await;
        }
        if exit.is_none() {
            self.process.kill();
            rungs.push(Rung::Killed);
            exit = self.process.ended_within(AFTER_KILL).await;
        }
        (rungs, exit)
    }
}

async fn write_some(stdin: &mut Option<ChildStdin>, bytes: &[u8]) -> io::Result<usize> {
    match stdin {
        Some(stdin) => stdin.write(bytes).await,
        None => Ok(0),
    }
}

async fn ended_while_draining(
    process: &mut Process,
    output: &mut Option<ChildStdout>,
    limit: Duration,
) -> Option<Exit> {
    let deadline = Instant::now() + limit;
    let mut chunk = vec![0; 16 * 1024];
    loop {
        let draining = async {
            match output.as_mut() {
                Some(stdout) => matches!(stdout.read(&mut chunk).await, Ok(1..)),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            exit = process.ended() => return exit,
            more = draining => if !more { *output = None; },
            () = sleep_until(deadline) => return None,
        }
    }
}
