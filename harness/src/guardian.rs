//! A small process of our own that outlives us by a moment: when we die without cleaning up, even by SIGKILL,
//! it ends the servers that are left.
//!
//! It is this binary, started with [`ARGUMENT`]. It reads the process groups to watch from its standard input,
//! which the system closes when we are gone.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// The hidden argument that turns the binary into a guardian.
pub const ARGUMENT: &str = "__guardian";

/// A running guardian.
#[derive(Debug)]
pub struct Guardian {
    input: Mutex<Option<ChildStdin>>,
    child: Mutex<Child>,
}

impl Guardian {
    /// Starts the guardian from our own executable.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(executable: &Path) -> io::Result<Guardian> {
        let mut child = Command::new(executable)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // A group of its own, so that Ctrl-C in our terminal does not reach it.
            .process_group(0)
            .spawn()?;
        let input = child.stdin.take();
        Ok(Guardian { input: Mutex::new(input), child: Mutex::new(child) })
    }

    /// Watches over a process group.
    pub fn watch(&self, group: Pid) {
        self.tell(&format!("+{group}\n"));
    }

    /// Forgets a process group that has been ended.
    pub fn forget(&self, group: Pid) {
        self.tell(&format!("-{group}\n"));
    }

    /// A guardian that is gone cannot guard: there is nothing better to do than to go on without it.
    fn tell(&self, line: &str) {
        if let Some(input) = self.input.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            let _ = input.write_all(line.as_bytes());
        }
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.input.lock().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.child.lock().unwrap_or_else(PoisonError::into_inner).wait();
    }
}

/// What the guardian process does: reads groups until its input ends, then ends those that are left.
pub fn run(input: impl Read) {
    let mut groups = BTreeSet::new();
    let mut line = Vec::new();
    for byte in BufReader::new(input).bytes() {
        let Ok(byte) = byte else { break };
        if byte != b'\n' {
            line.push(byte);
            continue;
        }
        let text = String::from_utf8_lossy(&line).into_owned();
        line.clear();
        match (text.get(..1), text.get(1..).and_then(|number| number.parse::<i32>().ok())) {
            (Some("+"), Some(group)) => groups.insert(group),
            (Some("-"), Some(group)) => groups.remove(&group),
            _ => continue,
        };
    }
    // Never the groups that the numbers 0 and 1 stand for: our own, and everything.
    for group in groups.into_iter().filter(|group| *group > 1) {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}
