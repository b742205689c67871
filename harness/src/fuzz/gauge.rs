//! Gauges: what the processes of a server use of the machine.
//!
//! A reading is the sum over a process group, because `npx` and `uv` are wrappers and the server is their child.
//! A process that left the group is not seen.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::collections::HashMap;
use std::time::Duration;

#[cfg(not(target_os = "linux"))]
use elsewhere::Members;
#[cfg(target_os = "linux")]
use linux::Members;

/// How much of a core is too much for a server that has nothing to do: less than all of one, since it may have to share.
const SPINNING: f64 = 0.4;

/// How much of a core a server that got less must have wanted, to be looked at for longer than [`SPIN_TIME`].
const WANTED: f64 = 0.9;

/// The shortest time that tells spinning from work left over: collecting garbage after a load takes a runtime some
/// hundred milliseconds, and the system counts processor time in steps of ten.
pub const SPIN_TIME: Duration = Duration::from_secs(1);

/// The longest time that a server is looked at which waits for a core most of the time.
const LONGEST_SPIN: Duration = Duration::from_secs(6);

/// What a runtime that does not size its heap after the machine gives to garbage, in bytes. Node.js took up to 25 MiB
/// more than it had after its start, and gave most of it back.
const ROOM_FOR_GARBAGE: u64 = 32 << 20;

/// What a process group used at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Resident memory, in bytes. What several processes share is counted for each of them.
    pub resident_bytes: u64,
    /// Processor time in user and system mode since the start, with that of children that were waited for.
    pub cpu: Duration,
    /// Open descriptors.
    pub descriptors: u64,
    /// Threads.
    pub threads: u64,
    /// Processes, with those that ended and were not waited for.
    pub processes: u64,
}

/// Reads one group again and again.
///
/// Finding the members means looking at every process of the machine, so they are remembered, and looked for again every
/// [`Gauge::WALK_EVERY`] readings, or at once when the machine has many more threads than at the last look. Measured in a
/// development build: a reading of known members takes 7 µs for one and 16 µs for three, a look 8 µs for each process of
/// the machine, so that with a hundred processes a reading costs 0.1 ms on average.
#[derive(Debug)]
pub struct Gauge {
    group: i32,
    members: Members,
}

impl Gauge {
    /// How many readings may go by before the members are looked for again.
    pub const WALK_EVERY: u32 = 10;

    /// A gauge of a group that has not been read.
    #[must_use]
    pub fn new(group: i32) -> Gauge {
        Gauge { group, members: Members::default() }
    }

    /// What the group uses now; nothing when no process of it lives, or the system does not tell.
    pub fn read(&mut self) -> Option<Reading> {
        self.members.read(self.group)
    }

    /// How long each thread of the group that lives has waited for a core since its start, by its id. It costs a file
    /// for each thread.
    #[must_use]
    pub fn waits(&self) -> HashMap<i32, Duration> {
        self.members.waits(self.group)
    }

    /// How much memory the runtime of the group gives to garbage before it collects any, in bytes: for a JVM or .NET, by
    /// the names of their programs, a share of the machine's memory, and little for everything else.
    #[must_use]
    pub fn room_for_garbage(&self) -> u64 {
        self.members.share_of_machine(self.group).unwrap_or(ROOM_FOR_GARBAGE)
    }

    /// Resident memory in which a page that several processes share counts only once, in bytes. It costs about 0.1 ms
    /// for a small process and more for one with many mappings, so it is asked for only when
    /// [`Reading::resident_bytes`] raises a suspicion.
    #[must_use]
    pub fn proportional_bytes(&self) -> Option<u64> {
        self.members.proportional_bytes(self.group)
    }
}

/// What a group uses now, for those who ask only once: the members are looked for among all processes.
#[must_use]
pub fn read(group: i32) -> Option<Reading> {
    Gauge::new(group).read()
}

/// Whether a server that has nothing to do uses up a core, after it was looked at for the time `wall`, in which it had
/// the processor time `cpu` and one of its threads waited for a core for the time `waited`. Nothing as long as it cannot
/// be told: on a busy machine a server that never rests gets little of a core, and it takes longer to show as much.
///
/// That is a fault only where no request was in flight for the whole time.
#[must_use]
pub fn spins(cpu: Duration, waited: Duration, wall: Duration) -> Option<bool> {
    if wall < SPIN_TIME {
        return None;
    }
    if cpu >= wall.mul_f64(SPINNING) {
        return Some(true);
    }
    if cpu.saturating_add(waited) < wall.mul_f64(WANTED) {
        return Some(false);
    }
    if cpu >= SPIN_TIME.mul_f64(SPINNING) {
        return Some(true);
    }
    (wall >= LONGEST_SPIN).then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_or_wants_a_core_over_a_while_is_spinning() {
        for (cpu, waited, wall, spins) in [
            (1000, 0, 1000, Some(true)),
            (400, 0, 1000, Some(true)),
            (390, 0, 1000, Some(false)),
            (0, 0, 5000, Some(false)),
            // Two threads.
            (8000, 0, 4000, Some(true)),
            // Too short.
            (900, 0, 900, None),
            (200, 700, 900, None),
            // It has to share the core: until it had as much as tells spinning from work left over.
            (200, 800, 1000, None),
            (390, 1610, 2000, None),
            (400, 1600, 2000, Some(true)),
            (390, 5610, 6000, Some(false)),
            // Work left over that came to its end.
            (390, 800, 2000, Some(false)),
        ] {
            let milliseconds = Duration::from_millis;
            let found = super::spins(milliseconds(cpu), milliseconds(waited), milliseconds(wall));
            assert_eq!(found, spins, "{cpu} and {waited} in {wall} ms");
        }
    }

    #[test]
    fn nobody_is_in_a_group_that_never_was() {
        assert_eq!(read(i32::MAX), None);
    }
}
