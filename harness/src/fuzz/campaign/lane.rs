//! A lane: inputs tried on a server of its own, leg by leg, and what they bring looked into.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{MOST_DOUBTS, Shared, consider, endure, is_left_out, replayer};
use crate::fuzz::finding::Finding;
use crate::fuzz::flight::{Flight, Landing};
use crate::fuzz::ground::Place;
use crate::fuzz::input::Input;
use crate::fuzz::judging::{self, Judged, Judging};
use crate::fuzz::stream::Stream;
use crate::fuzz::suspect::{self, Suspect};

/// So many inputs are tried between two signs of life.
const BATCH: usize = 64;
/// So many inputs are tried in one leg, before it is judged.
const LEG: usize = 512;
/// So many legs are flown in one session where only one place is fuzzed: a start costs some servers as much as thousands
/// of inputs.
const LEGS: usize = 64;
/// And where several take turns.
const LEGS_IN_TURN: usize = 8;
/// One leg in so many is preceded by a trial of endurance.
const ENDURANCE_EVERY: usize = 4;
/// One part in so many of the time may go into looking at suspects that did not end the server; the others wait until the
/// budget is spent.
const LOOKING: u32 = 3;
/// So many suspects wait in a lane.
const MOST_PUT_OFF: usize = 64;
/// One of those that try inputs side by side.
pub(super) struct Lane {
    shared: Arc<Shared>,
    /// Which of how many.
    number: (usize, usize),
    /// The legs that were begun.
    legs: usize,
    spent: Spent,
    judging: Option<Judging>,
    found: mpsc::UnboundedSender<Finding>,
}

impl Lane {
    pub(super) fn new(
        shared: Arc<Shared>,
        number: (usize, usize),
        found: mpsc::UnboundedSender<Finding>,
    ) -> Lane {
        let spent = Spent { began: Instant::now(), looking: Duration::ZERO, put_off: Vec::new() };
        Lane { shared, number, legs: 0, spent, judging: None, found }
    }

    /// Tries inputs until there are no more, or it is over; lets go of `walking` then, and looks into what was put off.
    pub(super) async fn fly(mut self, mut streams: Vec<(usize, Stream)>, walking: watch::Receiver<()>) {
        let shared = Arc::clone(&self.shared);
        let mut turn = 0_usize;
        while !streams.is_empty() && !shared.is_over() {
            turn %= streams.len();
            let most = if streams.len() > 1 { LEGS_IN_TURN } else { LEGS };
            let Some((number, stream)) = streams.get_mut(turn) else { return };
            let Some(place) = shared.ground.places.get(*number) else { return };
            if self.one_session(place, (*number, stream), most).await {
                turn += 1;
            } else {
                streams.remove(turn);
            }
        }
        self.catch_up().await;
        // An engine may take over.
        drop(walking);
        for (number, suspect, tried) in std::mem::take(&mut self.spent.put_off) {
            let Some(place) = shared.ground.places.get(number) else { return };
            consider(&shared, place, (suspect, false), &tried, &self.found).await;
        }
    }

    /// Tries inputs in one session; says whether there are more.
    async fn one_session(
        &mut self,
        place: &Place,
        (number, stream): (usize, &mut Stream),
        most: usize,
    ) -> bool {
        self.endure(place).await;
        let Some(mut flight) = replayer(&self.shared, place).open(false).await else { return false };
        self.shared.book().stats.sessions += 1;
        let most = if flight.has_legs() { most } else { 1 };
        let mut earlier = Vec::new();
        for leg in 1..=most {
            if leg > 1 {
                self.endure(place).await;
            }
            flight.ignore_silence_of(self.silent());
            self.one_leg(&mut flight, place, stream).await;
            let landed = flight.take_leg();
            let goes_on = flight.landing == Landing::Sound && landed.unanswered.is_empty();
            let before = std::mem::take(&mut earlier);
            if leg < most {
                earlier = judging::last_of(before.clone(), &landed);
            }
            let lives = flight.landing == Landing::Sound;
            let judging = Judging::begin(number, leg > 1, before, landed, Arc::clone(&place.knowledge));
            self.catch_up().await;
            self.judging = Some(judging);
            if !goes_on {
                // What ended the server, or was waited for in vain, decides what is tried next.
                self.catch_up().await;
            }
            if !lives || !stream.has_more() || self.shared.is_over() {
                break;
            }
        }
        stream.has_more()
    }

    async fn one_leg(&mut self, flight: &mut Flight, place: &Place, stream: &mut Stream) {
        let shared = &self.shared;
        flight.fly(&mut place.canaries.clone().into()).await;
        while flight.landing == Landing::Sound && flight.tries.len() < LEG && !shared.is_over() {
            let mut batch: VecDeque<Input> = VecDeque::new();
            // Where everything is left out there is no end to it.
            while batch.len() < BATCH && !shared.is_over() {
                match stream.next() {
                    Some(input) if is_left_out(shared, &input) => shared.book().stats.left_out += 1,
                    Some(input) => batch.push_back(input),
                    None => break,
                }
            }
            if batch.is_empty() {
                break;
            }
            let before = flight.tries.len();
            flight.fly(&mut batch).await;
            shared.book().stats.cases += u64::try_from(flight.tries.len() - before).unwrap_or(0);
            // What was not come to is tried by the next leg.
            stream.give_back(batch);
        }
        if matches!(flight.landing, Landing::Sound) {
            flight.fly(&mut place.canaries.clone().into()).await;
        }
    }

    /// Looks into the suspects of the leg that was judged meanwhile.
    async fn catch_up(&mut self) {
        let Some(judging) = self.judging.take() else { return };
        let Judged { place: number, later, suspects, tried } = judging.end().await;
        let shared = Arc::clone(&self.shared);
        let Some(place) = shared.ground.places.get(number) else { return };
        for suspect in suspects {
            if !suspect.oracle.ends_server() && self.spent.is_too_much(&shared) {
                self.spent.put_off(number, suspect, &tried);
            } else {
                let began = Instant::now();
                consider(&shared, place, (suspect, later), &tried, &self.found).await;
                self.spent.looking += began.elapsed();
                shared.looked(began);
            }
        }
    }

    /// One in so many legs is preceded by a trial of what only shows after a while.
    async fn endure(&mut self, place: &Place) {
        if self.legs.is_multiple_of(ENDURANCE_EVERY) {
            let (lane, lanes) = self.number;
            let began = Instant::now();
            endure(&self.shared, place, lane + self.legs / ENDURANCE_EVERY * lanes, &self.found).await;
            self.shared.looked(began);
        }
        self.legs += 1;
    }

    /// What nobody would look into if it had no answer.
    fn silent(&self) -> Vec<String> {
        let book = self.shared.book();
        let doubtful = book.doubts.iter().filter(|(_, doubts)| **doubts >= MOST_DOUBTS).map(|(what, _)| what);
        let put_off = self.spent.put_off.iter().map(|(_, suspect, _)| &suspect.signature);
        let all = book.known.iter().chain(doubtful).chain(put_off);
        all.filter_map(|signature| suspect::silent_subject(signature)).map(str::to_owned).collect()
    }
}

/// What a lane spends on looking into suspects, and what it has put off.
struct Spent {
    began: Instant,
    looking: Duration,
    /// The place, a suspect, and the inputs that may have caused it.
    put_off: Vec<(usize, Suspect, Vec<Input>)>,
}

impl Spent {
    /// Whether so much of the budget went into suspects that inputs come first now.
    fn is_too_much(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.looking > self.began.elapsed() / LOOKING
    }

    fn put_off(&mut self, place: usize, mut suspect: Suspect, tried: &[Input]) {
        let known = self.put_off.iter().any(|(_, other, _)| other.signature == suspect.signature);
        if known || self.put_off.len() >= MOST_PUT_OFF {
            return;
        }
        let causes: Vec<Input> =
            suspect.tries.iter().filter_map(|place| tried.get(*place)).cloned().collect();
        suspect.tries = (0..causes.len()).collect();
        self.put_off.push((place, suspect, causes));
    }
}
