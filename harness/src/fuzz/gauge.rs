//! Gauges: what the processes of a server use of the machine.
//!
//! A reading is the sum over a process group, because `npx` and `uv` are wrappers and the server is their child.
//! A process that left the group is not seen.

#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(target_os = "linux")]
mod linux;

use std::time::Duration;

#[cfg(not(target_os = "linux"))]
use elsewhere::Members;
#[cfg(target_os = "linux")]
use linux::Members;

/// How much of a core is too much for a server that has nothing to do: less than all of one, since it may have to share.
const SPINNING: f64 = 0.4;

/// The shortest time that tells spinning from work left over: collecting garbage after a load takes a runtime some
/// hundred milliseconds, and the system counts processor time in steps of ten.
pub const SPIN_TIME: Duration = Duration::from_secs(1);

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

/// Whether a server used up a core between two readings. That is a fault only of a server that has nothing to do: no
/// request may be in flight for the whole time. Less than [`SPIN_TIME`] shows nothing.
#[must_use]
pub fn spins(before: &Reading, after: &Reading, wall: Duration) -> bool {
    wall >= SPIN_TIME && after.cpu.saturating_sub(before.cpu).as_secs_f64() >= SPINNING * wall.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_busy_core_over_a_while_is_spinning() {
        let at = |milliseconds| Reading { cpu: Duration::from_millis(milliseconds), ..Reading::default() };
        for (from, to, wall, spinning) in [
            (500, 1500, 1000, true),
            (500, 900, 1000, true),
            (500, 890, 1000, false),
            (500, 500, 5000, false),
            // Two threads.
            (0, 8000, 4000, true),
            // Too short.
            (0, 900, 900, false),
            // A child that nobody waited for took its time along.
            (5000, 100, 1000, false),
        ] {
            let found = spins(&at(from), &at(to), Duration::from_millis(wall));
            assert_eq!(found, spinning, "{from} to {to} in {wall} ms");
        }
    }

    #[test]
    fn nobody_is_in_a_group_that_never_was() {
        assert_eq!(read(i32::MAX), None);
    }
}
