//! What a lane spends its time on, and what it puts off until there is time for it.

use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use super::turns::Turns;
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
    pub(super) turns: Turns,
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
            turns: Turns::default(),
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

    /// The tools that have to wait for their turn, since so much of the budget went into waiting for them.
    pub(super) fn slow_tools(&self, shared: &Shared, tools: &[String]) -> Vec<String> {
        if shared.deadline.is_none() {
            return Vec::new();
        }
        self.turns.over(self.began.elapsed(), tools)
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

    /// What was put off and is looked into now, if there is time for it; silence only where a lane `is_alone`.
    pub(super) fn due(&mut self, shared: &Shared, is_alone: bool) -> Option<Waiting> {
        if self.is_too_much(shared) {
            return None;
        }
        // It may take all the time that is left, and more than there is when all of it is spent.
        let half_is_over = shared
            .deadline
            .is_none_or(|deadline| deadline.saturating_duration_since(Instant::now()) < self.began.elapsed());
        let may_be_silence = is_alone && half_is_over;
        let is_due = |waiting: &Waiting| may_be_silence || !is_unanswered(&waiting.suspect);
        let next = self.put_off.iter().position(is_due)?;
        Some(self.put_off.remove(next))
    }

    /// The next silence that was put off.
    pub(super) fn next_silent(&mut self) -> Option<Waiting> {
        let next = self.put_off.iter().position(|waiting| is_unanswered(&waiting.suspect))?;
        Some(self.put_off.remove(next))
    }
}
