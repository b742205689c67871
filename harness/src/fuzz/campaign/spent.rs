//! What a lane spends its time on, and what it puts off until there is time for it.

use std::time::Duration;

use tokio::time::Instant;

use super::turns::Turns;
use super::{MOST_DOUBTS, Shared, may_just_be_slow};
use crate::fuzz::input::Input;
use crate::fuzz::oracle::Oracle;
use crate::fuzz::replay::{Look, TAILS};
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

/// What is looked into first: what is quick, and silence, which has to be waited for, last; of two alike what ended the
/// server, and then what shows at once.
pub(super) fn cost(suspect: &Suspect, look: Look) -> (bool, Look, Oracle) {
    (is_unanswered(suspect), look, suspect.oracle)
}

/// How far the first look into a suspect goes. Where time is limited, what is quick comes before what takes long; but
/// where a thorough look would just do the same again, it is thorough at once.
pub(super) fn first_look(shared: &Shared, suspect: &Suspect, tried: &[Input]) -> Look {
    let is_bare = |place: &usize| tried.get(*place).is_some_and(Input::is_bare);
    let is_all_there_is = suspect.oracle.is_silence()
        || matches!(suspect.oracle, Oracle::Poisoned | Oracle::Sanitizer)
        || suspect.tries.iter().any(is_bare);
    if shared.deadline.is_none() || is_all_there_is { Look::Thorough } else { Look::Quick }
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
    /// A suspect of `tried`, of which it keeps what the look needs, and of a quick one more, for another one.
    pub(super) fn new(
        place: usize,
        (mut suspect, later): (Suspect, bool),
        tried: &[Input],
        look: Look,
    ) -> Waiting {
        let [_, some, many] = TAILS;
        let tail = if look == Look::Quick { some } else { many };
        let tried = if is_unanswered(&suspect) || suspect.oracle == Oracle::Poisoned {
            // It takes these and nothing else.
            let tried: Vec<Input> =
                suspect.tries.iter().filter_map(|try_| tried.get(*try_)).cloned().collect();
            suspect.tries = (0..tried.len()).collect();
            tried
        } else {
            let last = suspect.tries.iter().copied().max().unwrap_or(0);
            let first = (last + 1).saturating_sub(tail);
            suspect.tries = suspect.tries.iter().filter_map(|place| place.checked_sub(first)).collect();
            tried.get(first..=last).unwrap_or_default().to_vec()
        };
        Waiting { place, suspect, later, tried, look }
    }

    fn may_just_be_slow(&self, shared: &Shared) -> bool {
        let place = shared.ground.places.get(self.place);
        place.is_some_and(|place| may_just_be_slow(shared, place, &self.suspect, &self.tried))
    }

    /// What has room of its own.
    fn kind(&self) -> (bool, Look) {
        (is_unanswered(&self.suspect), self.look)
    }

    fn is_of(&self, signature: &str, later: bool) -> bool {
        self.suspect.signature == signature && self.later == later
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

    /// Puts a look off, unless as many wait as would be carried out. Where there is no room, the last of its kind goes.
    pub(super) fn put_off(&mut self, waiting: Waiting) {
        let kind = waiting.kind();
        let (same, most) = match kind {
            (true, _) | (_, Look::Quick) => (1, MOST_PUT_OFF),
            // One input may show it where others do not.
            (false, Look::Thorough) => (MOST_DOUBTS, MOST_THOROUGH),
        };
        let is_same =
            |other: &&Waiting| other.kind() == kind && other.is_of(&waiting.suspect.signature, waiting.later);
        if self.put_off.iter().filter(is_same).count() >= same {
            return;
        }
        self.put_off.push(waiting);
        self.put_off.sort_by_key(|waiting| cost(&waiting.suspect, waiting.look));
        if self.put_off.iter().filter(|other| other.kind() == kind).count() > most
            && let Some(last) = self.put_off.iter().rposition(|other| other.kind() == kind)
        {
            self.put_off.remove(last);
        }
    }

    /// Whether as many thorough looks into a suspect wait as would be carried out.
    pub(super) fn has_enough_of(&self, signature: &str, later: bool) -> bool {
        let same = |waiting: &&Waiting| waiting.look == Look::Thorough && waiting.is_of(signature, later);
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
            assert!(!spent.has_enough_of("crash: 1", false));
            spent.put_off(waiting(Oracle::Crash, "crash: 1", Look::Quick));
        }
        assert_eq!(spent.put_off.len(), 1);
        for _ in 0..=MOST_DOUBTS {
            spent.put_off(waiting(Oracle::Crash, "crash: 1", Look::Thorough));
        }
        assert_eq!(spent.put_off.len(), 1 + MOST_DOUBTS);
        assert!(spent.has_enough_of("crash: 1", false));
        assert!(!spent.has_enough_of("crash: 1", true));
    }

    #[test]
    fn the_gravest_has_room() {
        let mut spent = Spent::new();
        for number in 0..MOST_THOROUGH {
            spent.put_off(waiting(Oracle::AcceptedInvalid, &number.to_string(), Look::Thorough));
        }
        spent.put_off(waiting(Oracle::Crash, "crash: 1", Look::Thorough));
        assert_eq!(spent.put_off.len(), MOST_THOROUGH);
        assert_eq!(spent.next().map(|next| next.suspect.oracle), Some(Oracle::Crash));
    }

    #[test]
    fn what_is_looked_into_thoroughly_keeps_what_came_before_it() {
        let tried = vec![Input { origin: "walk", steps: Vec::new() }; 300];
        let mut suspect = waiting(Oracle::Crash, "crash: 1", Look::Quick).suspect;
        suspect.tries = vec![280];
        for (look, kept) in [(Look::Quick, 32), (Look::Thorough, 256)] {
            let waiting = Waiting::new(0, (suspect.clone(), false), &tried, look);
            assert_eq!((waiting.tried.len(), waiting.suspect.tries), (kept, vec![kept - 1]));
        }
    }
}
