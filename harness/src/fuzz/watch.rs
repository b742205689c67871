//! A watchdog that ends a server before it takes the machine with it, and remembers why.
//!
//! The system's own limits are not enough: they count for one process and not for a group, they leave root its
//! processes, and they cannot tell afterwards what they did.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::process::Process;
use crate::process::confine::Limits;
use crate::text::size;

use super::gauge::{Gauge, Reading};

/// How often the group is read. A poll, because the system offers no event for any of it. Memory can be filled with some
/// gigabytes a second, so a server may go over its limit by a few hundred megabytes before it is seen; a reading costs
/// about a thousandth of the interval.
pub const INTERVAL: Duration = Duration::from_millis(100);

/// What a server took too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Resident memory of its group, in bytes.
    Memory {
        /// What it had.
        bytes: u64,
        /// What it may have.
        limit: u64,
    },
    /// Processes of its group.
    Processes {
        /// How many it had.
        count: u64,
        /// How many it may have.
        limit: u64,
    },
}

impl Display for Excess {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Excess::Memory { bytes, limit } => {
                write!(f, "took {} of memory, more than the {} it may have", size(*bytes), size(*limit))
            }
            Excess::Processes { count, limit } => {
                write!(f, "had {count} processes, more than the {limit} it may have")
            }
        }
    }
}

/// A watchdog over one process group. It ends with the group, or when it is dropped.
#[derive(Debug)]
pub struct Watchdog {
    task: JoinHandle<()>,
    excess: watch::Receiver<Option<Excess>>,
}

impl Watchdog {
    /// Watches over a server, on a runtime that nobody keeps busy for long. Where the system gives no readings, it sees
    /// nothing.
    #[must_use]
    pub fn start(process: &Process, limits: Limits, runtime: &Handle) -> Watchdog {
        let (report, excess) = watch::channel(None);
        let group = process.group();
        let exit = process.watch();
        let task = runtime.spawn(async move {
            let mut gauge = Gauge::new(group);
            let mut ticks = interval(INTERVAL);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                match gauge.read() {
                    Some(reading) => {
                        if let Some(excess) = exceeds(&reading, &limits, || gauge.proportional_bytes()) {
                            // Told before it is done: whoever sees the death must find the reason.
                            report.send_replace(Some(excess));
                            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
                            return;
                        }
                    }
                    // The number of a group that is gone may be given to another.
                    None if exit.borrow().is_some() => return,
                    None => {}
                }
            }
        });
        Watchdog { task, excess }
    }

    /// Why the server was ended, if it was.
    #[must_use]
    pub fn excess(&self) -> Option<Excess> {
        *self.excess.borrow()
    }

    /// Waits until the server takes too much. Nothing when the watchdog ended without that: the server did before.
    pub async fn exceeded(&mut self) -> Option<Excess> {
        self.excess.wait_for(Option::is_some).await.ok().and_then(|excess| *excess)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a reading shows too much of. Memory that several processes share is counted for each of them in a reading, so a
/// suspicion is checked against the proportional count where there is one.
pub(super) fn exceeds(
    reading: &Reading,
    limits: &Limits,
    proportional: impl FnOnce() -> Option<u64>,
) -> Option<Excess> {
    if reading.processes > limits.processes {
        return Some(Excess::Processes { count: reading.processes, limit: limits.processes });
    }
    if reading.resident_bytes <= limits.memory_bytes {
        return None;
    }
    let shared = reading.processes > 1;
    let bytes =
        if shared { proportional().unwrap_or(reading.resident_bytes) } else { reading.resident_bytes };
    (bytes > limits.memory_bytes).then_some(Excess::Memory { bytes, limit: limits.memory_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_the_limit_is_too_much() {
        let limits = Limits { memory_bytes: 100 << 20, processes: 4, ..Limits::default() };
        let mebibytes = |bytes: u64| bytes << 20;
        for (memory, processes, shared_once, excess) in [
            (50, 1, None, None),
            (100, 4, None, None),
            (101, 1, None, Some("took 101 MiB of memory, more than the 100 MiB it may have")),
            (400, 4, Some(90), None),
            (400, 4, Some(120), Some("took 120 MiB of memory, more than the 100 MiB it may have")),
            (400, 4, None, Some("took 400 MiB of memory, more than the 100 MiB it may have")),
            (400, 5, Some(120), Some("had 5 processes, more than the 4 it may have")),
        ] {
            let reading = Reading { resident_bytes: mebibytes(memory), processes, ..Reading::default() };
            let found =
                exceeds(&reading, &limits, || shared_once.map(mebibytes)).map(|found| found.to_string());
            assert_eq!(found.as_deref(), excess, "{memory} MiB in {processes} processes");
        }
    }
}
