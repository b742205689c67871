//! What a lane spends its time on, and what it puts off until there is time for it.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use crate::fuzz::input::Input;
use crate::fuzz::oracle::Oracle;
use crate::fuzz::suspect::Suspect;

/// One part in so many of the time may go into trials of endurance.
const ENDURING: u32 = 3;
/// One part in so many of the time may go into looking at suspects that did not end the server; the others wait until the
/// budget is spent.
const LOOKING: u32 = 3;
/// So many suspects wait in a lane, and so many of silence beside them.
const MOST_PUT_OFF: usize = 64;
/// One part in so many of the time may go into waiting for the answers of a tool that takes long.
const WAITING: u32 = 8;
/// One part in so many of the time may go into starts of the server for no other reason than that an input ended a session.
const CLOSING: u32 = 6;

/// What is looked into first: what ended the server, then what shows at once; silence, which has to be waited for, last.
pub(super) fn cost(suspect: &Suspect) -> (bool, Oracle) {
    (is_unanswered(suspect), suspect.oracle)
}

/// Whether looking into it is mostly waiting, which can be done beside other things.
pub(super) fn is_unanswered(suspect: &Suspect) -> bool {
    suspect.oracle == Oracle::NoAnswer
}

/// A suspect that nobody has looked into yet.
pub(super) struct Waiting {
    /// The place where it was seen, by number.
    pub(super) place: usize,
    pub(super) suspect: Suspect,
    /// Whether other legs were flown in the same session before.
    pub(super) later: bool,
    /// The inputs that may have caused it.
    pub(super) tried: Vec<Input>,
}

/// What a lane spends on looking into suspects, and what it has put off.
pub(super) struct Spent {
    pub(super) began: Instant,
    pub(super) looking: Duration,
    pub(super) enduring: Duration,
    pub(super) closing: Duration,
    /// How long the answers of tools that take long were waited for.
    waiting: HashMap<String, Duration>,
    pub(super) put_off: Vec<Waiting>,
}

impl Spent {
    /// Nothing yet.
    pub(super) fn new() -> Spent {
        Spent {
            began: Instant::now(),
            looking: Duration::ZERO,
            enduring: Duration::ZERO,
            closing: Duration::ZERO,
            waiting: HashMap::new(),
            put_off: Vec::new(),
        }
    }

    /// Whether so much of the budget went into suspects that inputs come first now.
    pub(super) fn is_too_much(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.looking > self.began.elapsed() / LOOKING
    }

    /// Whether so much of the budget went into trials of endurance that inputs come first now.
    pub(super) fn endured_enough(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.enduring > self.began.elapsed() / ENDURING
    }

    /// Whether so much of the budget went into starts after inputs that end a session that other inputs come first now.
    pub(super) fn closed_enough(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.closing > self.began.elapsed() / CLOSING
    }

    /// Counts how long the answers of tools were waited for.
    pub(super) fn waited_for(&mut self, tools: HashMap<String, Duration>) {
        for (tool, waited) in tools {
            *self.waiting.entry(tool).or_default() += waited;
        }
    }

    /// The tools that are called and not waited for, because so much of the budget went into waiting for them already;
    /// none where it is most of these tools that take long, since to wait for them is the work then.
    pub(super) fn hurried(&self, shared: &Shared, tools: &[String]) -> HashSet<String> {
        if shared.deadline.is_none() {
            return HashSet::new();
        }
        too_slow(&self.waiting, self.began.elapsed() / WAITING, tools)
    }

    pub(super) fn put_off(&mut self, place: usize, (mut suspect, later): (Suspect, bool), tried: &[Input]) {
        let known = self.put_off.iter().any(|other| other.suspect.signature == suspect.signature);
        let like_it = |other: &&Waiting| is_unanswered(&other.suspect) == is_unanswered(&suspect);
        let like_it = self.put_off.iter().filter(like_it).count();
        if known || like_it >= MOST_PUT_OFF {
            return;
        }
        let tried: Vec<Input> = suspect.tries.iter().filter_map(|place| tried.get(*place)).cloned().collect();
        suspect.tries = (0..tried.len()).collect();
        self.put_off.push(Waiting { place, suspect, later, tried });
        self.put_off.sort_by_key(|waiting| cost(&waiting.suspect));
    }

    /// What was put off and is looked into now, if there is time for it.
    pub(super) fn due(&mut self, shared: &Shared) -> Option<Waiting> {
        if self.is_too_much(shared) {
            return None;
        }
        let next = self.put_off.iter().position(|waiting| !is_unanswered(&waiting.suspect))?;
        Some(self.put_off.remove(next))
    }

    /// The next silence that was put off.
    pub(super) fn next_silent(&mut self) -> Option<Waiting> {
        let next = self.put_off.iter().position(|waiting| is_unanswered(&waiting.suspect))?;
        Some(self.put_off.remove(next))
    }
}

/// The tools that were waited for longer than `most`; none where it is most of these tools.
fn too_slow(waiting: &HashMap<String, Duration>, most: Duration, tools: &[String]) -> HashSet<String> {
    let slow: HashSet<String> =
        waiting.iter().filter(|(_, waited)| **waited > most).map(|(tool, _)| tool.clone()).collect();
    if slow.len() * 2 > tools.len() { HashSet::new() } else { slow }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_tool_is_one_among_others() {
        let waiting = |tools: &[(&str, u64)]| -> HashMap<String, Duration> {
            tools.iter().map(|(tool, seconds)| ((*tool).to_owned(), Duration::from_secs(*seconds))).collect()
        };
        for (waited, tools, hurried) in [
            (waiting(&[("sleep", 9), ("add", 1)]), &["add", "sleep"][..], &["sleep"][..]),
            (waiting(&[("sleep", 8)]), &["add", "sleep"], &[]),
            // To wait is the work then.
            (waiting(&[("sleep", 9), ("fetch", 9)]), &["add", "sleep", "fetch"], &[]),
            (waiting(&[("sleep", 9)]), &["sleep"], &[]),
            (waiting(&[]), &[], &[]),
        ] {
            let tools: Vec<String> = tools.iter().map(|tool| (*tool).to_owned()).collect();
            let found = too_slow(&waited, Duration::from_secs(8), &tools);
            assert_eq!(found, hurried.iter().map(|tool| (*tool).to_owned()).collect(), "{waited:?}");
        }
    }
}
