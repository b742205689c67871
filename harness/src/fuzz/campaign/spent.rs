//! What a lane spends on anything but inputs, and what it puts off so that inputs have their share.

use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use crate::fuzz::input::Input;
use crate::fuzz::oracle::Oracle;
use crate::fuzz::suspect::Suspect;

/// One part in so many of the time may go into looking at suspects that did not end the server; the others wait until the
/// budget is spent.
const LOOKING: u32 = 3;
/// One part in so many of the time may go into trials of endurance.
const ENDURING: u32 = 3;
/// So many suspects wait in a lane.
const MOST_PUT_OFF: usize = 64;

/// A suspect that waits: the place, and the inputs that may have caused it.
pub(super) struct PutOff {
    pub(super) place: usize,
    pub(super) suspect: Suspect,
    pub(super) tried: Vec<Input>,
}

/// What a lane has spent, and what it has put off.
pub(super) struct Spent {
    began: Instant,
    pub(super) looking: Duration,
    pub(super) enduring: Duration,
    put_off: Vec<PutOff>,
}

impl Spent {
    pub(super) fn new() -> Spent {
        let (looking, enduring) = (Duration::ZERO, Duration::ZERO);
        Spent { began: Instant::now(), looking, enduring, put_off: Vec::new() }
    }

    /// Whether so much of the budget went into suspects that inputs come first now.
    pub(super) fn is_too_much(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.looking > self.began.elapsed() / LOOKING
    }

    /// Whether so much of the budget went into trials of endurance that inputs come first now.
    pub(super) fn endured_enough(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.enduring > self.began.elapsed() / ENDURING
    }

    pub(super) fn put_off(&mut self, place: usize, mut suspect: Suspect, tried: &[Input]) {
        let known = self.put_off.iter().any(|other| other.suspect.signature == suspect.signature);
        if known || self.put_off.len() >= MOST_PUT_OFF {
            return;
        }
        let tried: Vec<Input> = suspect.tries.iter().filter_map(|place| tried.get(*place)).cloned().collect();
        suspect.tries = (0..tried.len()).collect();
        self.put_off.push(PutOff { place, suspect, tried });
        self.put_off.sort_by_key(|other| cost(&other.suspect));
    }

    /// The signatures of what was put off.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &String> {
        self.put_off.iter().map(|other| &other.suspect.signature)
    }

    /// What was put off and is looked into now, if there is time for it.
    pub(super) fn due(&mut self, shared: &Shared) -> Option<PutOff> {
        (!self.put_off.is_empty() && !self.is_too_much(shared)).then(|| self.put_off.remove(0))
    }

    /// Everything that was put off.
    pub(super) fn rest(&mut self) -> Vec<PutOff> {
        std::mem::take(&mut self.put_off)
    }
}

/// What is looked into first: what ended the server, then what shows at once; silence, which has to be waited for, last.
pub(super) fn cost(suspect: &Suspect) -> (bool, Oracle) {
    (suspect.oracle == Oracle::NoAnswer, suspect.oracle)
}
