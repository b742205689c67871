//! Leaks: what grows with the number of cases and does not stop.
//!
//! Every runtime grows when it is first used: code is compiled, pools fill, caches warm, and a garbage collector waits
//! until there is something to collect. So the first half of the cases is warm-up, whatever happened there. The second
//! half is cut into windows, and of each window only the lowest reading counts: that is what was left after the last
//! collection. These floors must rise from each window to the next, by much the same each time, and still within the last.
//! What is kept for a time, and longer than the run, grows in the same way: that is said of a leak, not denied.
//! A plateau, a sawtooth, a cache that fills, a vector that doubles its room, and noise all miss one of these.

use super::gauge::Reading;

/// Readings that are kept. When there are more, every second is dropped, so that those kept stay evenly spread.
const KEPT: usize = 1024;

/// Windows that the second half is cut into: with six, what does not grow rises by chance in every step in fewer than
/// one of seven hundred series.
const WINDOWS: usize = 6;

/// Readings without which a window has no floor.
const READINGS_IN_WINDOW: usize = 4;

/// Cases without which the second half shows nothing: a server's first hundreds of cases are its start.
const CASES: u64 = 200;

/// How much of the mean rise each single rise must be.
const EVENNESS: f64 = 0.4;

/// What can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Resource {
    /// Processes, running or never waited for.
    Processes,
    /// Threads.
    Threads,
    /// Open descriptors: files, sockets, pipes.
    Descriptors,
    /// Resident memory, in bytes.
    Memory,
}

/// Something that grew steadily.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Growth {
    /// What grew.
    pub resource: Resource,
    /// How much of it there was at least in the first window after the warm-up.
    pub from: u64,
    /// How much of it there was at least in the last window.
    pub to: u64,
    /// Over how many cases it grew from one to the other.
    pub cases: u64,
}

/// Readings of one process group, with the cases that were done when they were taken.
#[derive(Clone, Debug)]
pub struct Series {
    /// What the runtime may give to garbage before it collects any, in bytes.
    room: u64,
    points: Vec<Point>,
    /// Of so many readings, one is kept; a power of two, stored as its exponent.
    thinned: u32,
    taken: u64,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    cases: u64,
    reading: Reading,
}

/// What makes growth a leak.
struct Rule {
    resource: Resource,
    /// The least growth over the second half.
    total: u64,
    /// Cases, and how much must grow in them at least.
    slope: (u64, u64),
    value: fn(&Reading) -> u64,
}

/// The most telling first: a leaked process has memory and descriptors of its own, and a descriptor has memory.
///
/// Pools of threads and connections have a few dozen members in the common runtimes, so that less growth than that is
/// no leak. Memory needs much: runtimes give room to garbage until they find that a collection is due. A server in
/// Python, CPython counting references, was never seen to need it; one in Node.js, with some garbage, 20 MiB.
const RULES: [Rule; 4] = [
    Rule { resource: Resource::Processes, total: 8, slope: (20, 1), value: |reading| reading.processes },
    Rule { resource: Resource::Threads, total: 32, slope: (20, 1), value: |reading| reading.threads },
    Rule { resource: Resource::Descriptors, total: 32, slope: (20, 1), value: |reading| reading.descriptors },
    Rule {
        resource: Resource::Memory,
        total: 32 << 20,
        slope: (1, 4096),
        value: |reading| reading.resident_bytes,
    },
];

impl Growth {
    /// How much grew in each case, on average.
    #[must_use]
    pub fn per_case(&self) -> f64 {
        self.to.saturating_sub(self.from) as f64 / self.cases.max(1) as f64
    }
}

impl Series {
    /// No readings yet. `room` is what the server's runtime may give to garbage before it collects any, in bytes, see
    /// [`super::gauge::Gauge::room_for_garbage`]: less growth of memory than that is no leak.
    #[must_use]
    pub fn new(room: u64) -> Series {
        Series { room, points: Vec::new(), thinned: 0, taken: 0 }
    }

    /// Adds what was read when so many cases were done. A server that was started again needs a new series.
    pub fn push(&mut self, cases: u64, reading: Reading) {
        let index = self.taken;
        self.taken = self.taken.saturating_add(1);
        if !index.is_multiple_of(1_u64 << self.thinned) {
            return;
        }
        self.points.push(Point { cases, reading });
        if self.points.len() >= KEPT {
            let mut index = 0_usize;
            self.points.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            // After 2^63 readings there is nothing more to thin.
            self.thinned = (self.thinned + 1).min(63);
        }
    }

    /// What leaks, if something does: the most telling, since a leaked process takes memory and descriptors along.
    #[must_use]
    pub fn growth(&self) -> Option<Growth> {
        let windows = self.windows()?;
        RULES.iter().find_map(|rule| rule.judge(&windows, self.room))
    }

    /// The second half of the cases, in windows of equally many; nothing when one has too few readings.
    fn windows(&self) -> Option<Vec<&[Point]>> {
        let (first, last) = (self.points.first()?.cases, self.points.last()?.cases);
        let middle = first.saturating_add(last.saturating_sub(first) / 2);
        let span = last.saturating_sub(middle);
        if span < CASES {
            return None;
        }
        let mut windows = Vec::with_capacity(WINDOWS);
        for window in 0..WINDOWS as u64 {
            let start = middle.saturating_add(share(span, window));
            let end = middle.saturating_add(share(span, window + 1));
            let from = self.points.partition_point(|point| point.cases <= start);
            let to = self.points.partition_point(|point| point.cases <= end);
            windows.push(self.points.get(from..to).filter(|points| points.len() >= READINGS_IN_WINDOW)?);
        }
        Some(windows)
    }
}

/// So many of [`WINDOWS`] parts of a number.
fn share(of: u64, parts: u64) -> u64 {
    u64::try_from(u128::from(of) * u128::from(parts) / WINDOWS as u128).unwrap_or(of)
}

impl Rule {
    fn judge(&self, windows: &[&[Point]], room: u64) -> Option<Growth> {
        let floors: Vec<(u64, u64)> = windows.iter().filter_map(|window| self.floor(window)).collect();
        let (&(first_cases, from), &(last_cases, to)) = (floors.first()?, floors.last()?);
        let total = to.checked_sub(from)?;
        let cases = last_cases.checked_sub(first_cases)?;
        let (slope_cases, slope) = self.slope;
        let steep =
            u128::from(total) * u128::from(slope_cases) >= u128::from(cases) * u128::from(slope) && cases > 0;
        let least = EVENNESS * total as f64 / floors.len().saturating_sub(1).max(1) as f64;
        let even = floors.windows(2).all(|pair| match pair {
            [(_, before), (_, after)] => after > before && (after - before) as f64 >= least,
            _ => false,
        });
        let lasts = windows.last().is_some_and(|window| {
            let (_, late) = window.split_at(window.len() / 2);
            self.floor(late).is_some_and(|(_, late)| late.saturating_sub(to) as f64 >= least / 2.0)
        });
        let enough = if self.resource == Resource::Memory { self.total.max(room) } else { self.total };
        let leaks = total >= enough && steep && even && lasts;
        leaks.then_some(Growth { resource: self.resource, from, to, cases })
    }

    /// The lowest reading of a window, and when it was.
    fn floor(&self, window: &[Point]) -> Option<(u64, u64)> {
        window.iter().map(|point| (point.cases, (self.value)(&point.reading))).min_by_key(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests;
