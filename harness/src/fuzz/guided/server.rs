//! The server that a worker keeps: blocking pipes with deadlines, since one input is under way at a time. `process` has
//! servers that are spoken to by many at once, from a runtime that a worker does not have.

use std::collections::VecDeque;
use std::io::{self, Read, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::fuzz::gauge::Gauge;
use crate::fuzz::watch::{INTERVAL, exceeds};
use crate::guardian::Guardian;
use crate::process::confine::Limits;
use crate::process::{STDERR_KEPT, ServerCommand};
use crate::transcript::Exit;
use crate::wire::{Frame, Framer};

/// The longest line that is kept whole, in bytes.
const MAX_LINE: usize = 4 * 1024 * 1024;
/// How long a process may take to be gone once it has closed its output, and its standard error to end after it.
const END: Duration = Duration::from_secs(1);

/// What came of waiting for a line.
#[derive(Debug)]
pub(super) enum Heard {
    Line(Frame),
    Closed,
    TimedOut,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    group: Pid,
    stdin: ChildStdin,
    stdout: ChildStdout,
    framer: Framer,
    chunk: Vec<u8>,
    exit: Receiver<Exit>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    stderr_end: Receiver<()>,
    guardian: Arc<Guardian>,
    /// Whether it was ended because it took more than its limits.
    excessive: Arc<AtomicBool>,
    /// The watch over what it takes ends with this.
    _watched: Sender<()>,
}

impl Server {
    /// Starts a server, which is ended when it takes more than `limits`: that it died is looked into elsewhere.
    pub(super) fn start(
        command: &ServerCommand,
        limits: Option<Limits>,
        guardian: &Arc<Guardian>,
    ) -> io::Result<Server> {
        let mut child = command.piped().spawn()?;
        let lost = || io::Error::other("the pipes of the new process are missing");
        let group = Pid::from_raw(i32::try_from(child.id()).map_err(|_| lost())?);
        guardian.watch(group);
        let stdin = child.stdin.take().ok_or_else(lost)?;
        let stdout = child.stdout.take().ok_or_else(lost)?;
        let errors = child.stderr.take().ok_or_else(lost)?;
        for pipe in [stdin.as_fd(), stdout.as_fd()] {
            fcntl(pipe, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        }
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        let (ended, stderr_end) = channel();
        let ring = Arc::clone(&stderr);
        thread::spawn(move || {
            drain(errors, &ring);
            // Nobody listens when the server was ended by us.
            let _ = ended.send(());
        });
        let (gone, exit) = channel();
        thread::spawn(move || {
            let exit = child.wait().map_or(Exit { code: None, signal: None }, |status| Exit {
                code: status.code(),
                signal: status.signal(),
            });
            let _ = gone.send(exit);
        });
        let (watched, unwatched) = channel();
        let excessive = Arc::new(AtomicBool::new(false));
        if let Some(limits) = limits {
            let excessive = Arc::clone(&excessive);
            thread::spawn(move || watch_over(group, &limits, &unwatched, &excessive));
        }
        Ok(Server {
            group,
            stdin,
            stdout,
            framer: Framer::with_limit(MAX_LINE),
            chunk: vec![0; 64 * 1024],
            exit,
            stderr,
            stderr_end,
            guardian: Arc::clone(guardian),
            excessive,
            _watched: watched,
        })
    }

    /// Sends bytes; says whether the server took them in time.
    pub(super) fn send(&mut self, mut bytes: &[u8], deadline: Instant) -> bool {
        while !bytes.is_empty() {
            match self.stdin.write(bytes) {
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !is_ready(&self.stdin, PollFlags::POLLOUT, deadline) {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
        true
    }

    /// The next line.
    pub(super) fn hear(&mut self, deadline: Instant) -> Heard {
        loop {
            if let Some(frame) = self.framer.next_frame() {
                return Heard::Line(frame);
            }
            if !is_ready(&self.stdout, PollFlags::POLLIN, deadline) {
                return Heard::TimedOut;
            }
            match self.stdout.read(&mut self.chunk) {
                Ok(0) => return Heard::Closed,
                Ok(count) => self.framer.push(self.chunk.get(..count).unwrap_or_default()),
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
                Err(_) => return Heard::Closed,
            }
        }
    }

    /// Whether it was ended because it took more than its limits.
    pub(super) fn was_excessive(&self) -> bool {
        self.excessive.load(Ordering::Relaxed)
    }

    /// How it ended, and the end of its standard error, once its output is closed.
    pub(super) fn end(self) -> (Option<Exit>, String) {
        let exit = self.exit.recv_timeout(END).ok();
        // Children of the server may hold its standard error open.
        let _ = killpg(self.group, Signal::SIGKILL);
        let _ = self.stderr_end.recv_timeout(END);
        let bytes: Vec<u8> =
            self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        (exit, String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// Nothing of the server's group outlives this value.
impl Drop for Server {
    fn drop(&mut self) {
        let _ = killpg(self.group, Signal::SIGKILL);
        self.guardian.forget(self.group);
    }
}

/// Waits until a pipe can be read or written, or its other end is closed.
fn is_ready(pipe: &impl AsFd, wanted: PollFlags, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        // Rounded up: a poll of 0 ms would spin until the deadline.
        let left = u16::try_from(left.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        match poll(&mut [PollFd::new(pipe.as_fd(), wanted)], PollTimeout::from(left)) {
            Ok(0) if left == 0 || Instant::now() >= deadline => return false,
            Ok(0) | Err(nix::errno::Errno::EINTR) => {}
            Ok(_) => return true,
            Err(_) => return false,
        }
    }
}

/// Ends a group that takes too much, until it is gone or nobody keeps it any more.
fn watch_over(group: Pid, limits: &Limits, unwatched: &Receiver<()>, excessive: &AtomicBool) {
    let mut gauge = Gauge::new(group.as_raw());
    while unwatched.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
        let Some(reading) = gauge.read() else { return };
        if exceeds(&reading, limits, || gauge.proportional_bytes()).is_some() {
            excessive.store(true, Ordering::Relaxed);
            let _ = killpg(group, Signal::SIGKILL);
            return;
        }
    }
}

fn drain(mut from: ChildStderr, ring: &Mutex<VecDeque<u8>>) {
    let mut chunk = vec![0; 4096];
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.extend(chunk.iter().take(count));
        let excess = ring.len().saturating_sub(STDERR_KEPT);
        ring.drain(..excess);
    }
}
