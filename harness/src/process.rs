//! Server processes: started in a group of their own, watched, stopped politely and then less so, always reaped.

pub mod confine;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::AsyncReadExt as _;
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::guardian::Guardian;
use crate::transcript::Exit;

/// What is kept of a server's standard error, in bytes.
pub(crate) const STDERR_KEPT: usize = 16 * 1024;

/// How to start a server.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ServerCommand {
    /// The program, as found or as given.
    pub program: OsString,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Variables set beside the inherited environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The working directory; ours if `None`.
    pub directory: Option<PathBuf>,
}

impl ServerCommand {
    /// What starts it in a group of its own, with pipes to all of its standard streams.
    pub(crate) fn piped(&self) -> std::process::Command {
        let mut builder = std::process::Command::new(&self.program);
        builder
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some(directory) = &self.directory {
            builder.current_dir(directory);
        }
        builder
    }
}

/// How long each rung of the stop ladder is given.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After standard input was closed.
    pub after_close: Duration,
    /// After SIGTERM.
    pub after_term: Duration,
}

/// A running server.
#[derive(Debug)]
pub struct Process {
    group: Pid,
    exit: watch::Receiver<Option<Exit>>,
    stderr: Arc<Mutex<VecDeque<u8>>>,
    guardian: Option<Arc<Guardian>>,
}

/// The ends of the pipes to a server.
#[derive(Debug)]
pub struct Pipes {
    /// What the server reads.
    pub stdin: ChildStdin,
    /// What the server writes.
    pub stdout: ChildStdout,
}

impl Process {
    /// Starts a server.
    ///
    /// # Errors
    /// What the system says: the program is missing, not executable, or the machine is out of processes.
    pub fn start(command: &ServerCommand, guardian: Option<Arc<Guardian>>) -> io::Result<(Process, Pipes)> {
        let mut child = Command::from(command.piped()).spawn()?;
        let lost = || io::Error::other("the pipes of the new process are missing");
        let id = child.id().and_then(|id| i32::try_from(id).ok()).ok_or_else(lost)?;
        let group = Pid::from_raw(id);
        if let Some(guardian) = &guardian {
            guardian.watch(group);
        }
        let stdin = child.stdin.take().ok_or_else(lost)?;
        let stdout = child.stdout.take().ok_or_else(lost)?;
        let errors = child.stderr.take().ok_or_else(lost)?;
        let stderr = Arc::new(Mutex::new(VecDeque::new()));
        tokio::spawn(drain(errors, Arc::clone(&stderr)));
        let (ended, exit) = watch::channel(None);
        tokio::spawn(async move {
            let exit = match child.wait().await {
                Ok(status) => Exit { code: status.code(), signal: status.signal() },
                Err(_) => Exit { code: None, signal: None },
            };
            let _ = ended.send(Some(exit));
        });
        Ok((Process { group, exit, stderr, guardian }, Pipes { stdin, stdout }))
    }

    /// The number of the group, which is that of the process that leads it.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.group.as_raw()
    }

    /// How the process ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Tells how the process ended, once it has.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Option<Exit>> {
        self.exit.clone()
    }

    /// Waits until the process ends.
    pub async fn ended(&mut self) -> Option<Exit> {
        self.exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit)
    }

    /// Waits until the process ends, at most for `limit`.
    pub async fn ended_within(&mut self, limit: Duration) -> Option<Exit> {
        timeout(limit, self.ended()).await.ok().flatten()
    }

    /// Asks the whole group to end.
    pub fn terminate(&self) {
        let _ = killpg(self.group, Signal::SIGTERM);
    }

    /// Ends the whole group at once.
    pub fn kill(&self) {
        let _ = killpg(self.group, Signal::SIGKILL);
    }

    /// The end of what the server wrote to its standard error.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        let bytes: Vec<u8> =
            self.stderr.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Whatever way a server was stopped, nothing of its group outlives this value.
impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(guardian) = &self.guardian {
            guardian.forget(self.group);
        }
    }
}

async fn drain(mut from: ChildStderr, ring: Arc<Mutex<VecDeque<u8>>>) {
    let mut chunk = vec![0; 4096];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        let mut ring = ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.extend(chunk.iter().take(count));
        let excess = ring.len().saturating_sub(STDERR_KEPT);
        ring.drain(..excess);
    }
}
