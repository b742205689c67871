//! What a lane spends its time on, and what it puts off until there is time for it.

use std::time::Duration;

use tokio::time::Instant;

use super::turns::Turns;
use super::{MOST_DOUBTS, Shared, may_just_be_slow};
use crate::fuzz::input::Input;
use crate::fuzz::oracle::Oracle;
use crate::fuzz::replay::{LONGEST_TAIL, Look};
use crate::fuzz::suspect::Suspect;

/// One part in so many of the time may go into trials of endurance.
const ENDURING: u32 = 3;
/// One part in so many of the time may go into looking at suspects that did not end the server; the others wait until the
/// budget is spent.
const LOOKING: u32 = 3;
/// So many suspects wait in a lane, and so many of silence beside them.
const MOST_PUT_OFF: usize = 64;
/// So many suspects wait in a lane for a thorough look, with what was tried before them.
const MOST_THOROUGH: usize = 8;
/// One part in so many of the time may go into starts of the server for no other reason than that an input ended a session.
const CLOSING: u32 = 6;

/// What is looked into first: what ended the server, then what shows at once; silence, which has to be waited for, last.
pub(super) fn cost(suspect: &Suspect) -> (bool, Oracle) {
    (is_unanswered(suspect), suspect.oracle)
}

/// How far the first look into a suspect goes. Where time is limited, what is quick comes before what takes long.
pub(super) fn first_look(shared: &Shared, suspect: &Suspect) -> Look {
    if shared.deadline.is_some() && !is_unanswered(suspect) { Look::Quick } else { Look::Thorough }
}

/// Whether looking into it is mostly waiting, which can be done beside other things.
pub(super) fn is_unanswered(suspect: &Suspect) -> bool {
    suspect.oracle == Oracle::NoAnswer
}

/// A suspect that is looked into later.
pub(super) struct Waiting {
    /// The place where it was seen, by number.
    pub(super) place: usize,
    pub(super) suspect: Suspect,
    /// Whether other legs were flown in the same session before.
    pub(super) later: bool,
    /// The inputs that may have caused it, and what else the look needs.
    pub(super) tried: Vec<Input>,
    pub(super) look: Look,
}

impl Waiting {
    /// A suspect that nobody has looked into yet, with those of the inputs that may have caused it alone.
    pub(super) fn new(
        shared: &Shared,
        place: usize,
        (mut suspect, later): (Suspect, bool),
        tried: &[Input],
    ) -> Waiting {
        let look = first_look(shared, &suspect);
        let tried: Vec<Input> = suspect.tries.iter().filter_map(|place| tried.get(*place)).cloned().collect();
        suspect.tries = (0..tried.len()).collect();
        Waiting { place, suspect, later, tried, look }
    }

    /// A suspect of which a quick look told nothing, with the inputs before it.
    pub(super) fn again(place: usize, (mut suspect, later): (Suspect, bool), tried: &[Input]) -> Waiting {
        let last = suspect.tries.iter().copied().max().unwrap_or(0);
        let first = (last + 1).saturating_sub(LONGEST_TAIL);
        suspect.tries = suspect.tries.iter().filter_map(|place| place.checked_sub(first)).collect();
        let tried = tried.get(first..=last).unwrap_or_default().to_vec();
        Waiting { place, suspect, later, tried, look: Look::Thorough }
    }

    fn may_just_be_slow(&self, shared: &Shared) -> bool {
        let place = shared.ground.places.get(self.place);
        place.is_some_and(|place| may_just_be_slow(shared, place, &self.suspect, &self.tried))
    }

    /// What is looked into first: what is quick, and silence, which has to be waited for, last.
    fn kind(&self) -> (bool, Look) {
        (is_unanswered(&self.suspect), self.look)
    }
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

    /// Puts a look off, unless there is no room for it, or as many wait as would be carried out.
    pub(super) fn put_off(&mut self, waiting: Waiting) {
        let kind = waiting.kind();
        let (same, most) = match kind {
            (true, _) | (_, Look::Quick) => (1, MOST_PUT_OFF),
            // One input may show it where others do not.
            (false, Look::Thorough) => (MOST_DOUBTS, MOST_THOROUGH),
        };
        let like_it = || self.put_off.iter().filter(|other| other.kind() == kind);
        let known = like_it().filter(|other| other.suspect.signature == waiting.suspect.signature).count();
        if known >= same || like_it().count() >= most {
            return;
        }
        self.put_off.push(waiting);
        self.put_off.sort_by_key(|waiting| (waiting.kind(), waiting.suspect.oracle));
    }

    /// Whether as many thorough looks into the same wait as would be carried out, so that quick ones would tell nothing more.
    pub(super) fn has_enough_of(&self, signature: &str) -> bool {
        let same =
            |waiting: &&Waiting| waiting.look == Look::Thorough && waiting.suspect.signature == signature;
        self.put_off.iter().filter(same).count() >= MOST_DOUBTS
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
        let is_due = |waiting: &Waiting| {
            (may_be_silence || !is_unanswered(&waiting.suspect)) && !waiting.may_just_be_slow(shared)
        };
        let next = self.put_off.iter().position(is_due)?;
        Some(self.put_off.remove(next))
    }

    /// The next that was put off.
    pub(super) fn next(&mut self) -> Option<Waiting> {
        (!self.put_off.is_empty()).then(|| self.put_off.remove(0))
    }

    /// The next silence that was put off and may be a fault.
    pub(super) fn next_silent(&mut self, shared: &Shared) -> Option<Waiting> {
        let is_next =
            |waiting: &Waiting| is_unanswered(&waiting.suspect) && !waiting.may_just_be_slow(shared);
        let next = self.put_off.iter().position(is_next)?;
        Some(self.put_off.remove(next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(oracle: Oracle, signature: &str, look: Look) -> Waiting {
        let suspect = Suspect {
            oracle,
            requirement: String::new(),
            message: String::new(),
            signature: signature.to_owned(),
            tries: Vec::new(),
            step: None,
            evidence: Vec::new(),
        };
        Waiting { place: 0, suspect, later: false, tried: Vec::new(), look }
    }

    #[test]
    fn what_is_quick_comes_first_and_silence_last() {
        let mut spent = Spent::new();
        for (oracle, look) in [
            (Oracle::NoAnswer, Look::Thorough),
            (Oracle::Crash, Look::Thorough),
            (Oracle::WrongAnswer, Look::Quick),
            (Oracle::Crash, Look::Quick),
        ] {
            spent.put_off(waiting(oracle, oracle.as_str(), look));
        }
        let order: Vec<(Oracle, Look)> =
            std::iter::from_fn(|| spent.next()).map(|next| (next.suspect.oracle, next.look)).collect();
        assert_eq!(
            order,
            [
                (Oracle::Crash, Look::Quick),
                (Oracle::WrongAnswer, Look::Quick),
                (Oracle::Crash, Look::Thorough),
                (Oracle::NoAnswer, Look::Thorough),
            ]
        );
    }

    #[test]
    fn the_same_waits_as_often_as_it_is_looked_into() {
        let mut spent = Spent::new();
        for _ in 0..=MOST_DOUBTS {
            assert!(!spent.has_enough_of("crash: 1"));
            spent.put_off(waiting(Oracle::Crash, "crash: 1", Look::Quick));
        }
        assert_eq!(spent.put_off.len(), 1);
        for _ in 0..=MOST_DOUBTS {
            spent.put_off(waiting(Oracle::Crash, "crash: 1", Look::Thorough));
        }
        assert_eq!(spent.put_off.len(), 1 + MOST_DOUBTS);
        assert!(spent.has_enough_of("crash: 1"));
        assert!(!spent.has_enough_of("crash: 2"));
    }

    #[test]
    fn what_is_looked_into_thoroughly_keeps_what_came_before_it() {
        let tried = vec![Input { origin: "walk", steps: Vec::new() }; 300];
        let mut suspect = waiting(Oracle::Crash, "crash: 1", Look::Quick).suspect;
        suspect.tries = vec![280];
        let again = Waiting::again(0, (suspect, false), &tried);
        assert_eq!((again.tried.len(), again.suspect.tries), (LONGEST_TAIL, vec![LONGEST_TAIL - 1]));
    }
}
