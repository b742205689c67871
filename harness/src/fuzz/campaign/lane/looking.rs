//! What a lane does beside trying inputs: it looks into what was suspicious, and carries out trials of endurance.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tokio::time::Instant;

use super::super::spent::{PutOff, cost};
use super::super::{consider, endure, is_left_out, replayer};
use super::Lane;
use crate::fuzz::flight::{Flight, Landing};
use crate::fuzz::ground::Place;
use crate::fuzz::input::Input;
use crate::fuzz::judging::Judged;
use crate::fuzz::suspect::{self, Suspect};

/// One leg in so many is followed by a trial of endurance.
const ENDURANCE_EVERY: usize = 2;

impl Lane {
    /// Looks into the suspects of the leg that was judged meanwhile, and into what was put off if there is time for it.
    pub(super) async fn catch_up(&mut self) {
        let shared = Arc::clone(&self.shared);
        if let Some(judging) = self.judging.take() {
            let Judged { place: number, later, mut suspects, tried } = judging.end().await;
            let Some(place) = shared.ground.places.get(number) else { return };
            self.tell_apart(place, number, &mut suspects, &tried).await;
            self.look_into(place, number, (suspects, later), &tried).await;
        }
        while let Some(PutOff { place, suspect, tried }) = self.spent.due(&shared) {
            let Some(place) = shared.ground.places.get(place) else { return };
            self.consider(place, (suspect, false), &tried).await;
        }
    }

    /// Which of several inputs ended the server shows when they are tried one by one; those after it, which nobody has
    /// looked at, get their turn by the same.
    async fn tell_apart(
        &mut self,
        place: &Place,
        number: usize,
        suspects: &mut Vec<Suspect>,
        tried: &[Input],
    ) {
        let ends = |suspect: &Suspect| suspect.oracle.ends_server();
        let last: Vec<usize> =
            suspects.iter().filter(|suspect| ends(suspect)).flat_map(|one| one.tries.clone()).collect();
        let (Some(first), Some(last)) = (last.iter().min(), last.iter().max()) else { return };
        let Some(doubtful) = tried.get(*first..=*last).filter(|_| first < last) else { return };
        let seen = self.one_by_one(place, number, doubtful.to_vec().into()).await;
        for suspect in suspects.iter_mut().filter(|suspect| ends(suspect)) {
            // What none of them did alone takes several in a row.
            suspect.tries = vec![*last];
        }
        suspects.retain(|suspect| !ends(suspect) || !seen.contains(&suspect.signature));
    }

    /// Tries inputs one after the other, each with a sign of life after it, on as many servers as it takes; gives the
    /// signatures of what ended them.
    pub(super) async fn one_by_one(
        &mut self,
        place: &Place,
        number: usize,
        mut inputs: VecDeque<Input>,
    ) -> HashSet<String> {
        let shared = Arc::clone(&self.shared);
        let replayer = replayer(&shared, place);
        let mut seen = HashSet::new();
        while !inputs.is_empty() && !shared.is_over() {
            let mut open: Option<Flight> = None;
            while let Some(input) = inputs.pop_front() {
                if is_left_out(&shared, &input) {
                    shared.book().stats.left_out += 1;
                    continue;
                }
                let is_bare = input.is_bare();
                if is_bare && open.is_some() {
                    inputs.push_front(input);
                    break;
                }
                let mut flight = match open.take() {
                    Some(flight) => flight,
                    None => match replayer.open_for(&input, false).await {
                        Some(flight) => flight,
                        None => return seen,
                    },
                };
                let landing = flight.fly(&mut VecDeque::from([input])).await;
                open = Some(flight);
                if is_bare || landing != Landing::Sound {
                    break;
                }
            }
            let Some(mut flight) = open else { break };
            shared.book().stats.sessions += 1;
            let leg = flight.take_leg();
            drop(flight);
            let mut suspects = suspect::all(&leg, &place.knowledge);
            let tried: Vec<Input> = leg.tries.into_iter().map(|this| this.input).collect();
            for suspect in suspects.iter_mut().filter(|suspect| suspect.oracle.ends_server()) {
                suspect.tries = tried.len().checked_sub(1).into_iter().collect();
                seen.insert(suspect.signature.clone());
            }
            self.look_into(place, number, (suspects, false), &tried).await;
        }
        seen
    }

    /// Looks into suspects, the gravest first, as there may not be time for all.
    async fn look_into(
        &mut self,
        place: &Place,
        number: usize,
        (mut suspects, later): (Vec<Suspect>, bool),
        tried: &[Input],
    ) {
        suspects.sort_by_key(cost);
        for suspect in suspects {
            if !suspect.oracle.ends_server() && self.spent.is_too_much(&self.shared) {
                self.spent.put_off(number, suspect, tried);
            } else {
                self.consider(place, (suspect, later), tried).await;
            }
        }
    }

    async fn consider(&mut self, place: &Place, suspect: (Suspect, bool), tried: &[Input]) {
        let began = Instant::now();
        consider(&self.shared, place, suspect, tried, &self.found).await;
        self.spent.looking += began.elapsed();
        self.shared.looked(began);
    }

    /// One in so many legs is followed by a trial of what only shows after a while. What dies at once shows nothing after
    /// a while: inputs come first.
    pub(super) async fn endure(&mut self, place: &Place) {
        let is_due = self.legs.is_multiple_of(ENDURANCE_EVERY);
        self.legs += 1;
        if !is_due || self.spent.endured_enough(&self.shared) || self.shared.is_over() {
            return;
        }
        let (lane, lanes) = self.number;
        let began = Instant::now();
        endure(&self.shared, place, lane + self.trials * lanes, &self.found).await;
        self.trials += 1;
        self.spent.enduring += began.elapsed();
        self.shared.looked(began);
    }
}
