//! Readings from `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use procfs::process::{Process, Stat, all_processes};
use procfs::{Current as _, LoadAverage, Meminfo, ProcResult};

use super::{Gauge, Reading};

/// How many threads the machine may gain before we look at once who has them: fewer are a matter of a second, and
/// hardly more than what comes and goes on a busy machine.
const SUDDEN_THREADS: u32 = 32;

/// Programs whose heap is sized after the machine.
const ROOMY: [&str; 2] = ["java", "dotnet"];

/// Which part of the machine's memory they may fill before their first collection. A JVM starts with a heap of a 64th,
/// most of which is for new objects, and may let it grow once.
const SHARE: u64 = 32;

/// The processes of a group as they were last found.
#[derive(Debug, Default)]
pub(super) struct Members {
    ids: Vec<i32>,
    /// Readings until they are looked for again.
    remaining: u32,
    /// Threads of the machine when they were looked for.
    machine: u32,
}

impl Members {
    pub(super) fn read(&mut self, group: i32) -> Option<Reading> {
        let machine = LoadAverage::current().map_or(0, |load| load.max);
        let look = self.remaining == 0 || machine > self.machine.saturating_add(SUDDEN_THREADS);
        let mut found = Found::default();
        if look {
            self.remaining = Gauge::WALK_EVERY;
            self.machine = machine;
            self.ids.clear();
            for process in all_processes().ok()?.flatten() {
                if let Some(stat) = member(&process, group) {
                    self.ids.push(process.pid());
                    found.add(&process, &stat);
                }
            }
        } else {
            self.remaining -= 1;
            self.ids.retain(|id| {
                let Ok(process) = Process::new(*id) else { return false };
                let Some(stat) = member(&process, group) else { return false };
                found.add(&process, &stat);
                true
            });
            if !found.lives {
                // Those we knew are gone. A child that we did not know may live.
                self.remaining = 0;
                return self.read(group);
            }
        }
        found.lives.then_some(found.reading)
    }

    pub(super) fn waits(&self, group: i32) -> HashMap<i32, Duration> {
        let members = self.ids.iter().filter_map(|id| {
            let process = Process::new(*id).ok()?;
            member(&process, group)?;
            process.tasks().ok()
        });
        let waits = members.flatten().filter_map(|task| {
            let task = task.ok()?;
            Some((task.tid, Duration::from_nanos(task.schedstat().ok()?.run_delay)))
        });
        waits.collect()
    }

    /// The room for garbage of a runtime that sizes its heap after the machine, if one is in the group.
    pub(super) fn share_of_machine(&self, group: i32) -> Option<u64> {
        let mut programs = self.ids.iter().filter_map(|id| member(&Process::new(*id).ok()?, group));
        programs.find(|stat| ROOMY.contains(&stat.comm.as_str()))?;
        Meminfo::current().ok()?.mem_total.checked_div(SHARE)
    }

    pub(super) fn proportional_bytes(&self, group: i32) -> Option<u64> {
        let shares = self.ids.iter().filter_map(|id| {
            let process = Process::new(*id).ok()?;
            member(&process, group)?;
            proportional(&process).ok()
        });
        shares.reduce(u64::saturating_add)
    }
}

/// What was read so far.
#[derive(Default)]
struct Found {
    reading: Reading,
    lives: bool,
}

impl Found {
    fn add(&mut self, process: &Process, stat: &Stat) {
        let reading = &mut self.reading;
        let ticks = stat.utime.saturating_add(stat.stime);
        let waited_for = stat.cutime.saturating_add(stat.cstime);
        let ticks = ticks.saturating_add(u64::try_from(waited_for).unwrap_or(0));
        reading.cpu = reading.cpu.saturating_add(duration(ticks));
        reading.processes = reading.processes.saturating_add(1);
        if matches!(stat.state, 'Z' | 'X') {
            return;
        }
        self.lives = true;
        reading.resident_bytes =
            reading.resident_bytes.saturating_add(stat.rss.saturating_mul(procfs::page_size()));
        reading.threads = reading.threads.saturating_add(u64::try_from(stat.num_threads).unwrap_or(0));
        // A process that changed its user hides them.
        let descriptors = process.fd_count().map_or(0, |count| count as u64);
        reading.descriptors = reading.descriptors.saturating_add(descriptors);
    }
}

/// What there is to know of a process, if it is one of the group: numbers are used again.
fn member(process: &Process, group: i32) -> Option<Stat> {
    process.stat().ok().filter(|stat| stat.pgrp == group)
}

fn duration(ticks: u64) -> Duration {
    let milliseconds = ticks.saturating_mul(1000).checked_div(procfs::ticks_per_second());
    Duration::from_millis(milliseconds.unwrap_or(0))
}

fn proportional(process: &Process) -> ProcResult<u64> {
    let maps = process.smaps_rollup()?.memory_map_rollup;
    Ok(maps.into_iter().filter_map(|map| map.extension.map.get("Pss").copied()).sum())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command, Stdio};
    use std::time::Instant;

    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;

    use super::*;

    /// A shell script in a group of its own that has said `up`.
    fn started(script: &str) -> (Child, i32) {
        let mut child =
            Command::new("sh").args(["-c", script]).stdout(Stdio::piped()).process_group(0).spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 3]).unwrap();
        let group = i32::try_from(child.id()).unwrap();
        (child, group)
    }

    fn end(mut child: Child, group: i32) {
        killpg(Pid::from_raw(group), Signal::SIGKILL).unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_group_is_read_with_its_children() {
        let (child, group) = started("sleep 1000 & sleep 1000 & echo up; wait");
        let mut gauge = Gauge::new(group);
        let reading = gauge.read().unwrap();
        assert_eq!((reading.processes, reading.threads), (3, 3));
        assert!(reading.descriptors >= 6 && reading.resident_bytes > 64 * 1024, "{reading:?}");
        // Remembered members give the same.
        assert_eq!(gauge.read().unwrap().processes, 3);
        let shared_once = gauge.proportional_bytes().unwrap();
        assert!(shared_once > 0 && shared_once < reading.resident_bytes, "{shared_once} {reading:?}");
        end(child, group);
        // The children die by themselves, and not all before their leader.
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Some(reading) = gauge.read() {
            assert!(Instant::now() < deadline, "{reading:?}");
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    #[test]
    fn children_whose_leader_is_gone_are_still_read() {
        let (mut child, group) = started("sleep 1000 & echo up");
        let mut gauge = Gauge::new(group);
        // Only the leader was known.
        gauge.members = Members { ids: vec![group], remaining: 5, machine: u32::MAX };
        child.wait().unwrap();
        assert_eq!(gauge.read().unwrap().processes, 1);
        killpg(Pid::from_raw(group), Signal::SIGKILL).unwrap();
    }
}
