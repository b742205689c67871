//! A lane: inputs tried on a server of its own, leg by leg, and what they bring looked into.

mod looking;

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::spent::{PutOff, Spent};
use super::{MOST_DOUBTS, Shared, consider, is_left_out, replayer};
use crate::fuzz::finding::Finding;
use crate::fuzz::flight::{Flight, Landing};
use crate::fuzz::ground::Place;
use crate::fuzz::input::Input;
use crate::fuzz::judging::{self, Judging};
use crate::fuzz::stream::Stream;
use crate::fuzz::suspect;

/// So many inputs are tried between two signs of life.
const BATCH: usize = 64;
/// So many inputs are tried in one leg, before it is judged.
const LEG: usize = 512;
/// And in a session that has no legs.
const SESSION: usize = 1_000;
/// So many legs are flown in one session where only one place is fuzzed: a start costs some servers as much as thousands
/// of inputs.
const LEGS: usize = 64;
/// And where several take turns.
const LEGS_IN_TURN: usize = 8;

/// One of those that try inputs side by side.
pub(super) struct Lane {
    shared: Arc<Shared>,
    /// Which of how many.
    number: (usize, usize),
    /// The legs that were flown.
    legs: usize,
    /// The trials of endurance that were carried out.
    trials: usize,
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
        Lane { shared, number, legs: 0, trials: 0, spent: Spent::new(), judging: None, found }
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
        for PutOff { place, suspect, tried } in self.spent.rest() {
            let Some(place) = shared.ground.places.get(place) else { return };
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
        let Some(mut flight) = replayer(&self.shared, place).open(false).await else { return false };
        self.shared.book().stats.sessions += 1;
        let most = if flight.has_legs() { most } else { 1 };
        let mut earlier = Vec::new();
        for leg in 1..=most {
            flight.ignore_silence_of(self.silent());
            let apart = self.one_leg(&mut flight, place, stream).await;
            let landed = flight.take_leg();
            let lives = flight.landing == Landing::Sound;
            let is_last = leg == most || !lives || !stream.has_more() || self.shared.is_over();
            // What ended the server, or was waited for in vain, decides what is tried next.
            let decides = !lives || !landed.unanswered.is_empty();
            let before = std::mem::take(&mut earlier);
            if !is_last {
                earlier = judging::last_of(before.clone(), &landed);
            }
            let judging = Judging::begin(number, leg > 1, before, landed, Arc::clone(&place.knowledge));
            self.catch_up().await;
            self.judging = Some(judging);
            if decides {
                self.catch_up().await;
            }
            self.shared.book().stats.cases += u64::try_from(apart.len()).unwrap_or(0);
            self.one_by_one(place, number, apart).await;
            self.endure(place).await;
            if is_last {
                break;
            }
        }
        stream.has_more()
    }

    /// Tries inputs until there is enough to judge; gives those back that need a server of their own, since they come
    /// before any handshake.
    async fn one_leg(&self, flight: &mut Flight, place: &Place, stream: &mut Stream) -> VecDeque<Input> {
        let shared = &self.shared;
        let most = if flight.has_legs() { LEG } else { SESSION };
        let mut apart: VecDeque<Input> = VecDeque::new();
        flight.fly(&mut place.canaries.clone().into()).await;
        while flight.landing == Landing::Sound && flight.tries.len() < most && !shared.is_over() {
            let mut batch: VecDeque<Input> = VecDeque::new();
            // Where everything is left out there is no end to it.
            while batch.len() + apart.len() < BATCH && !shared.is_over() {
                match stream.next() {
                    Some(input) if is_left_out(shared, &input) => shared.book().stats.left_out += 1,
                    Some(input) if input.is_bare() => apart.push_back(input),
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
        if flight.landing == Landing::Sound {
            flight.fly(&mut place.canaries.clone().into()).await;
        }
        apart
    }

    /// What nobody would look into if it had no answer.
    fn silent(&self) -> Vec<String> {
        let book = self.shared.book();
        let doubtful = book.doubts.iter().filter(|(_, doubts)| **doubts >= MOST_DOUBTS).map(|(what, _)| what);
        let all = book.known.iter().chain(doubtful).chain(self.spent.waiting());
        all.filter_map(|signature| suspect::silent_subject(signature)).map(str::to_owned).collect()
    }
}
