//! Limits of what a process may use, set on ourselves before we become the server.

use std::fmt::{self, Display, Formatter};

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::text::size;

use super::Refusal;

/// How much data a single process may map for each byte that its group may have resident. What is mapped is more than
/// what is used: every thread's stack and every arena of an allocator counts whole. The watchdog looks at what is used
/// and can say so; this only stops a process that outruns it.
pub const DATA_FOR_RESIDENT: u64 = 2;

/// Seconds between SIGXCPU, which tells what happened, and SIGKILL, which cannot be ignored.
const AFTER_CPU_SECONDS: u64 = 5;

/// What a server may use of the machine.
///
/// The system enforces all but `processes` for each process by itself; `memory_bytes` and `processes` are watched for
/// the whole group too, see [`crate::fuzz::watch`]. Where a limit of the caller is lower already, that one stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Resident memory of the whole group, in bytes; a single process may map [`DATA_FOR_RESIDENT`] times as much
    /// (`RLIMIT_DATA`: the address space that Node.js and Go reserve is no memory, and `RLIMIT_AS` would count it).
    pub memory_bytes: u64,
    /// Processor time of a process in its whole life, in seconds: a last resort, since what hangs is found by its
    /// deadline and what spins by its gauge.
    pub cpu_seconds: u64,
    /// The largest file that may be written, in bytes. Shared memory is a file too.
    pub file_bytes: u64,
    /// Processes of the group, at most.
    pub processes: u64,
    /// Threads that the user may have beside those that run when the server starts: the system counts neither
    /// processes nor groups. It exempts root.
    pub threads: u64,
    /// Open descriptors of a process.
    pub descriptors: u64,
}

/// Roomy for a server and small for a machine: no trivial server of a common runtime comes near.
impl Default for Limits {
    fn default() -> Limits {
        Limits {
            memory_bytes: 2 << 30,
            cpu_seconds: 3600,
            file_bytes: 64 << 20,
            processes: 64,
            threads: 2048,
            descriptors: 4096,
        }
    }
}

/// Those that a user would miss; without where the system cannot hold them.
impl Display for Limits {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if cfg!(target_os = "linux") {
            write!(f, "memory {}, ", size(self.memory_bytes))?;
        }
        write!(f, "files {}", size(self.file_bytes))?;
        if cfg!(target_os = "linux") {
            write!(f, ", {} processes", self.processes)?;
        }
        Ok(())
    }
}

impl Limits {
    /// Sets the limits on this process. They cannot be raised again.
    pub(super) fn apply(&self) -> Result<(), Refusal> {
        let data = self.memory_bytes.saturating_mul(DATA_FOR_RESIDENT);
        lower(Resource::RLIMIT_DATA, "memory", data, data)?;
        let killed = self.cpu_seconds.saturating_add(AFTER_CPU_SECONDS);
        lower(Resource::RLIMIT_CPU, "processor time", self.cpu_seconds, killed)?;
        lower(Resource::RLIMIT_FSIZE, "files", self.file_bytes, self.file_bytes)?;
        lower(Resource::RLIMIT_NOFILE, "descriptors", self.descriptors, self.descriptors)?;
        // A crash is a finding; its memory image in the current folder is litter.
        lower(Resource::RLIMIT_CORE, "core files", 0, 0)?;
        // Elsewhere nobody tells how many run, and a limit that is not relative breaks servers on a busy machine.
        #[cfg(target_os = "linux")]
        if let Some(running) = threads_of_user() {
            let threads = running.saturating_add(self.threads);
            lower(Resource::RLIMIT_NPROC, "threads", threads, threads)?;
        }
        Ok(())
    }
}

/// Sets a limit, unless there is a lower one.
fn lower(resource: Resource, what: &'static str, soft: u64, hard: u64) -> Result<(), Refusal> {
    let refused = |error: Errno| Refusal::Limit { what, error };
    let (soft_now, hard_now) = getrlimit(resource).map_err(refused)?;
    setrlimit(resource, soft.min(soft_now), hard.min(hard_now)).map_err(refused)
}

/// The user whom the system does not hold to a number of threads.
#[cfg(target_os = "linux")]
const ROOT: u32 = 0;

/// How many threads our user has now; `None` where it does not matter or cannot be told.
#[cfg(target_os = "linux")]
fn threads_of_user() -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;

    let user = std::fs::metadata("/proc/self").ok()?.uid();
    if user == ROOT {
        return None;
    }
    let mut threads = 0_u64;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        if entry.metadata().is_ok_and(|about| about.uid() == user) {
            let stat = procfs::process::Process::new(id).and_then(|process| process.stat());
            let running = stat.ok().and_then(|stat| u64::try_from(stat.num_threads).ok());
            threads = threads.saturating_add(running.unwrap_or(0));
        }
    }
    Some(threads)
}
