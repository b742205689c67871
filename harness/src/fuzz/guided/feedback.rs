//! What an input reached, as counters that the engine understands.

use std::fs::File;
use std::io;
use std::path::Path;

use mcp_conform_engine::FEEDBACK;
use mcp_conform_engine::shared::Map;

use super::instrument::{BITMAP, MAP, MAX_REGIONS, REGIONS};
use super::protocol::Source;

/// The engine takes counts from here up to [`MANY`] for the same. We do not: how often a loop has turned may be all that
/// shows how far an input came.
const ALIKE: u8 = 4;
/// Where counts above that go, so many places on for each.
const APART: usize = 8191;
/// Counts from here on are the same to us: what a parser does with a longer text says nothing, and each length would fill
/// the corpus with inputs that lead nowhere.
const MANY: u8 = 8;

/// What a counter says. Counters that the same input does not reach alike say less or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// How often.
    Count,
    /// Whether at all.
    Presence,
    /// Nothing.
    Nothing,
}

/// A counter that was reached, and how often.
pub(super) type Hit = (usize, u8);

/// What a server reports, in memory that is shared with it.
#[derive(Debug)]
pub(super) struct Coverage {
    map: Map,
    /// Offset and length of what holds counters, in bytes.
    regions: Vec<(usize, usize)>,
}

impl Coverage {
    pub(super) fn open(path: &Path) -> io::Result<Coverage> {
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Coverage { map: Map::new(&file, MAP)?, regions: Vec::new() })
    }

    /// Prepares for a server that is about to start.
    pub(super) fn reset(&mut self) {
        self.map.clear(0, REGIONS + MAX_REGIONS * 8);
        self.map.clear(BITMAP.0, BITMAP.1);
        self.regions.clear();
    }

    /// What the server that was greeted reports.
    pub(super) fn attach(&mut self) -> Option<Source> {
        let number = |offset| usize::try_from(self.map.number(offset)).unwrap_or(0);
        match number(4) {
            1 => {
                self.regions = (0..number(8).min(MAX_REGIONS))
                    .map(|region| (number(REGIONS + region * 8), number(REGIONS + region * 8 + 4)))
                    // The file is the server's to write.
                    .filter(|(offset, length)| {
                        *offset >= BITMAP.0 + BITMAP.1 && offset.saturating_add(*length) <= MAP
                    })
                    .collect();
                let count = self.regions.iter().map(|(_, length)| *length).sum::<usize>();
                Some(Source::Counters { count: u32::try_from(count).unwrap_or(u32::MAX) })
            }
            kind @ 2..=4 => {
                self.regions = vec![BITMAP];
                Some(match kind {
                    2 => Source::Branches,
                    3 => Source::Monitoring,
                    _ => Source::Tracing,
                })
            }
            _ => None,
        }
    }

    /// Takes what was reached since the last time.
    pub(super) fn take(&self, hits: &mut Vec<Hit>) {
        let mut first = 0;
        for (offset, length) in &self.regions {
            self.map
                .drain(*offset, *length, &mut |place, times| hits.push(((first + place) % FEEDBACK, times)));
            first += length;
        }
    }
}

/// What was reached so far, and how far each counter is to be trusted.
#[derive(Debug)]
pub(super) struct Memory {
    /// For each counter the orders of magnitude that were seen, a bit each.
    seen: Vec<u8>,
    trust: Vec<Trust>,
}

impl Memory {
    pub(super) fn new() -> Memory {
        Memory { seen: vec![0; FEEDBACK], trust: vec![Trust::Count; FEEDBACK] }
    }

    /// Whether something was reached that never was before, or never so often.
    pub(super) fn is_new(&self, hits: &[Hit]) -> bool {
        hits.iter().any(|(place, times)| {
            let magnitude = self.trusted(*place, *times).map_or(0, magnitude);
            self.seen.get(*place).is_some_and(|seen| magnitude & !seen != 0)
        })
    }

    /// Trusts counters less that differ although the input was the same.
    pub(super) fn compare(&mut self, one: &[Hit], other: &[Hit]) {
        for (these, those) in [(one, other), (other, one)] {
            let mut expected = std::collections::BTreeMap::new();
            expected.extend(those.iter().copied());
            for (place, times) in these {
                let less = match expected.get(place) {
                    None => Trust::Nothing,
                    Some(others) if magnitude(*others) != magnitude(*times) => Trust::Presence,
                    Some(_) => continue,
                };
                if let Some(trust) = self.trust.get_mut(*place).filter(|trust| **trust != Trust::Nothing) {
                    *trust = less;
                }
            }
        }
    }

    /// Keeps what was reached in mind and writes down what of it can be trusted.
    pub(super) fn write(&mut self, hits: &[Hit], feedback: &mut [u8]) {
        for (place, times) in hits {
            let Some(times) = self.trusted(*place, *times) else { continue };
            if let Some(seen) = self.seen.get_mut(*place) {
                *seen |= magnitude(times);
            }
            let (place, times) = match times {
                ALIKE..MANY => ((place + usize::from(times) * APART) % FEEDBACK, 1),
                _ => (*place, times),
            };
            if let Some(counter) = feedback.get_mut(place) {
                *counter = times.max(*counter);
            }
        }
    }

    /// How many counters were reached, and how many say nothing.
    pub(super) fn figures(&self) -> (u64, u64) {
        let reached = self.seen.iter().filter(|seen| **seen != 0).count();
        let unstable = self.trust.iter().filter(|trust| **trust == Trust::Nothing).count();
        (u64::try_from(reached).unwrap_or(u64::MAX), u64::try_from(unstable).unwrap_or(u64::MAX))
    }

    fn trusted(&self, place: usize, times: u8) -> Option<u8> {
        match self.trust.get(place)? {
            Trust::Count => Some(times.min(MANY)),
            Trust::Presence => Some(1),
            Trust::Nothing => None,
        }
    }
}

/// A count as a bit.
fn magnitude(times: u8) -> u8 {
    match times.min(MANY) {
        0 => 0,
        times => 1 << (times - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_that_differs_for_the_same_input_is_trusted_less() {
        let mut memory = Memory::new();
        assert!(memory.is_new(&[(1, 1)]));
        memory.compare(&[(1, 1), (2, 1), (3, 9)], &[(2, 200), (3, 10)]);
        let mut feedback = vec![0; 8];
        memory.write(&[(1, 1), (2, 7), (3, 9)], &mut feedback);
        assert_eq!(feedback, [0, 0, 1, 8, 0, 0, 0, 0]);
        assert!(!memory.is_new(&[(1, 3), (2, 200), (3, 8)]));
        assert!(memory.is_new(&[(3, 1)]));
        assert_eq!(memory.figures(), (2, 1));
        // Once it says nothing it never says more again.
        memory.compare(&[(1, 1)], &[(1, 9)]);
        assert!(!memory.is_new(&[(1, 1)]));
    }

    #[test]
    fn regions_that_a_server_invents_are_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = vec![0_u8; MAP];
        for (offset, number) in
            [(4, 1_u32), (8, 900), (16, 7), (20, 9), (24, 140_000), (28, 2), (32, 140_000)]
        {
            bytes[offset..offset + 4].copy_from_slice(&number.to_ne_bytes());
        }
        bytes[36..40].copy_from_slice(&u32::MAX.to_ne_bytes());
        bytes[140_001] = 5;
        std::fs::write(file.path(), bytes).unwrap();
        let mut coverage = Coverage::open(file.path()).unwrap();
        assert_eq!(coverage.attach(), Some(Source::Counters { count: 2 }));
        let mut hits = Vec::new();
        coverage.take(&mut hits);
        coverage.take(&mut hits);
        assert_eq!(hits, [(1, 5)]);
        coverage.reset();
        assert_eq!(coverage.attach(), None);
    }
}
