//! A lane: inputs tried on a server of its own, leg by leg, and what they bring looked into.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::spent::{Spent, Waiting, cost, first_look, is_unanswered};
use super::turns;
use super::{
    LATER, LeftOut, MOST_DOUBTS, Shared, calls_unserved, consider, endure, is_doubtful, left_out,
    may_just_be_slow, replayer, unless_it_panicked,
};
use crate::fuzz::deaths;
use crate::fuzz::finding::Finding;
use crate::fuzz::flight::{Flight, Landing};
use crate::fuzz::ground::Place;
use crate::fuzz::input::Input;
use crate::fuzz::judging::{self, Judged, Judging};
use crate::fuzz::oracle::Oracle;
use crate::fuzz::replay::Look;
use crate::fuzz::stream::Stream;
use crate::fuzz::suspect::{self, Suspect};

/// So many inputs are tried between two signs of life.
const BATCH: usize = 64;
/// So many inputs are tried in one leg, before it is judged.
const LEG: usize = 256;
/// So many legs are flown in one session where only one place is fuzzed: a start costs some servers as much as thousands
/// of inputs.
const LEGS: usize = 128;
/// And where several take turns.
const LEGS_IN_TURN: usize = 16;
/// One leg in so many is followed by a trial of endurance.
const ENDURANCE_EVERY: usize = 8;
/// For a batch, so many inputs that have to wait for the turn of their tool are looked at for others.
const MOST_PASSED_OVER: usize = 4_096;
/// So many inputs that end a session wait in a lane whose time is limited; others come to all of them.
const MOST_CLOSING: usize = 64;
/// So much silence is looked into at once when there is nothing else to do.
const MOST_ASIDE: usize = 2;
/// After so many legs in a row that ended before the first input there is no more in a campaign without an end in time.
const MOST_BARREN: usize = 16;

/// One of those that try inputs side by side.
pub(super) struct Lane {
    shared: Arc<Shared>,
    /// Which of how many.
    number: (usize, usize),
    /// The legs that are over.
    legs: usize,
    /// How many of the last ones ended before the first input.
    barren: usize,
    /// The trials of endurance that were carried out.
    trials: usize,
    spent: Spent,
    /// Whether the server hung before the inputs of a leg.
    canaries_hang: bool,
    /// Inputs that end a session, by place, for when one may end.
    closing: VecDeque<(usize, Input)>,
    judging: Option<Judging>,
    /// Whether there is a processor for judging, beside those of the lanes.
    judges_beside: bool,
    /// Silence that is looked into beside everything else.
    aside: JoinSet<()>,
    /// The last inputs of the legs that were judged, for the next one in the same session.
    earlier: Vec<Input>,
    found: mpsc::UnboundedSender<Finding>,
}

impl Lane {
    pub(super) fn new(
        shared: Arc<Shared>,
        number: (usize, usize),
        judges_beside: bool,
        found: mpsc::UnboundedSender<Finding>,
    ) -> Lane {
        Lane {
            shared,
            number,
            legs: 0,
            barren: 0,
            trials: 0,
            spent: Spent::new(),
            canaries_hang: false,
            closing: VecDeque::new(),
            judging: None,
            judges_beside,
            aside: JoinSet::new(),
            earlier: Vec::new(),
            found,
        }
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
        shared.book().stats.left_out += u64::try_from(self.spent.turns.len()).unwrap_or(0);
        while let Some((number, input)) = self.closing.pop_front().filter(|_| !shared.is_over()) {
            let Some(place) = shared.ground.places.get(number) else { return };
            shared.book().stats.count([&input]);
            self.one_by_one(place, number, VecDeque::from([input])).await;
        }
        // An engine may take over.
        drop(walking);
        while !self.is_alone()
            && let Some(waiting) = self.spent.next_silent(&shared)
        {
            if self.aside.len() >= MOST_ASIDE
                && let Some(task) = self.aside.join_next().await
            {
                unless_it_panicked(task);
            }
            self.put_aside(waiting);
        }
        while let Some(waiting) = self.spent.next() {
            if let Some(again) = look_into(&shared, waiting, &self.found).await {
                self.spent.put_off(again);
            }
        }
        self.empty_aside().await;
    }

    /// Tries inputs in one session; says whether there are more.
    async fn one_session(
        &mut self,
        place: &Place,
        (number, stream): (usize, &mut Stream),
        most: usize,
    ) -> bool {
        let began = Instant::now();
        let mut opened = replayer(&self.shared, place).open(false).await;
        if opened.is_none() && !self.aside.is_empty() {
            // Perhaps there is no room for another one.
            self.empty_aside().await;
            opened = replayer(&self.shared, place).open(false).await;
        }
        let Some(mut flight) = opened else { return false };
        flight.by_legs = true;
        let start = began.elapsed();
        self.shared.book().stats.sessions += 1;
        let most = if flight.has_legs() { most } else { 1 };
        for leg in 1..=most {
            flight.ignore_silence_of(self.silent(leg > 1));
            let apart = self.one_leg(&mut flight, place, (number, stream)).await;
            self.close(&mut flight, number, start).await;
            let landed = flight.take_leg();
            self.spent.turns.count(flight.take_waits());
            let lives = flight.landing == Landing::Sound;
            let goes_on = lives && landed.unanswered.is_empty();
            let is_last = leg == most || !lives || !self.has_more(number, stream) || self.shared.is_over();
            let knowledge = Arc::clone(&place.knowledge);
            let judging = Judging::begin((number, leg > 1), landed, knowledge, self.judges_beside);
            self.catch_up().await;
            self.judging = Some(judging);
            if is_last {
                // There may be room for one server only.
                drop(flight);
                self.between_legs(place, number, goes_on, apart).await;
                break;
            }
            self.between_legs(place, number, goes_on, apart).await;
        }
        let is_barren = self.shared.deadline.is_none() && self.barren >= MOST_BARREN;
        self.has_more(number, stream) && !is_barren
    }

    /// Whether there is something to be tried in a place.
    fn has_more(&self, number: usize, stream: &Stream) -> bool {
        stream.has_more() || self.spent.turns.has(number)
    }

    /// What is done before the next leg begins.
    async fn between_legs(&mut self, place: &Place, number: usize, goes_on: bool, apart: VecDeque<Input>) {
        if !goes_on {
            // What ended the server, or was waited for in vain, decides what is tried next.
            self.catch_up().await;
        }
        self.shared.book().stats.count(&apart);
        self.before_handshakes(place, number, apart).await;
        // What dies at once shows nothing after a while: inputs come first.
        self.endure(place).await;
        self.look_into_what_is_due().await;
    }

    /// Ends a session by the next input that does so, if there is one and time for another start.
    async fn close(&mut self, flight: &mut Flight, number: usize, start: Duration) {
        if flight.landing != Landing::Sound || self.spent.closed_enough(&self.shared) {
            return;
        }
        let next = self.closing.iter().position(|(place, _)| *place == number);
        let Some((_, input)) = next.and_then(|next| self.closing.remove(next)) else { return };
        self.shared.book().stats.count([&input]);
        flight.fly_all([input]).await;
        self.spent.closing += start;
    }

    /// Tries inputs until they are judged; gives those that come before any handshake, which need a server of their own.
    async fn one_leg(
        &mut self,
        flight: &mut Flight,
        place: &Place,
        (number, stream): (usize, &mut Stream),
    ) -> VecDeque<Input> {
        let shared = Arc::clone(&self.shared);
        let mut apart: VecDeque<Input> = VecDeque::new();
        let slow = self.spent.slow_tools(&shared, &flight.tools);
        let canaries = self.canaries(place, &slow);
        flight.fly_all(canaries.clone()).await;
        self.barren += 1;
        self.canaries_hang |= flight.landing == Landing::Hung;
        while flight.landing == Landing::Sound && flight.tries.len() < LEG && !shared.is_over() {
            let mut batch = self.next_batch(&flight.tools, (number, stream), &mut apart);
            if batch.is_empty() {
                self.barren = 0;
                break;
            }
            let before = flight.tries.len();
            flight.fly(&mut batch).await;
            self.spent.turns.count(flight.take_waits());
            if flight.tries.len() > before {
                self.barren = 0;
            }
            shared.book().stats.count(flight.tries.iter().skip(before).map(|this| &this.input));
            // What was not come to is tried by the next leg.
            stream.give_back(batch);
        }
        // What is still under way may get in their way, or spoil something yet.
        flight.land().await;
        flight.fly_all(canaries).await;
        apart
    }

    /// What is tried before and after everything else in a leg, to tell whether that changed anything. Where the server
    /// hangs in it, there would never be anything else: from then on only tools that can answer in time are called.
    fn canaries(&self, place: &Place, slow: &[String]) -> Vec<Input> {
        let is_fit = |canary: &&Input| {
            turns::called(canary, slow).is_none()
                && !(self.canaries_hang && calls_unserved(&self.shared, place, canary))
                && left_out(&self.shared, place, canary).is_none()
        };
        place.canaries.iter().filter(is_fit).cloned().collect()
    }

    /// The inputs that are tried next; those that come before any handshake go `apart`.
    fn next_batch(
        &mut self,
        tools: &[String],
        (number, stream): (usize, &mut Stream),
        apart: &mut VecDeque<Input>,
    ) -> VecDeque<Input> {
        let shared = Arc::clone(&self.shared);
        let place = shared.ground.places.get(number);
        let slow = self.spent.slow_tools(&shared, tools);
        let mut batch = self.spent.turns.take(number, &slow);
        // Nothing is looked at while a batch is sent, which takes its time where the pace is bounded.
        let most = shared.ground.pace.as_ref().map_or(BATCH, |pace| pace.rate().clamp(1, BATCH));
        let mut passed_over = 0;
        // Where everything is left out there is no end to it.
        while batch.len() + apart.len() < most && passed_over < MOST_PASSED_OVER && !shared.is_over() {
            let Some(input) = stream.next() else { break };
            let mut is_dropped = false;
            if place.is_some_and(|place| left_out(&shared, place, &input).is_some()) {
                is_dropped = true;
            } else if input.is_bare() {
                apart.push_back(input);
            } else if input.closes() {
                is_dropped = shared.deadline.is_some() && self.closing.len() >= MOST_CLOSING;
                if !is_dropped {
                    self.closing.push_back((number, input));
                }
            } else if let Some(tool) = turns::called(&input, &slow) {
                passed_over += 1;
                is_dropped = !self.spent.turns.keep(number, tool, input);
            } else {
                batch.push_back(input);
            }
            if is_dropped {
                shared.book().stats.left_out += 1;
            }
        }
        if batch.is_empty() && (!stream.has_more() || passed_over >= MOST_PASSED_OVER) {
            // There is nothing else to do.
            batch = self.spent.turns.take(number, &[]);
        }
        batch
    }

    /// Looks into the suspects of the leg that was judged meanwhile.
    async fn catch_up(&mut self) {
        let Some(judging) = self.judging.take() else { return };
        let Judged { place: number, later, mut suspects, tried, served } =
            judging.end(std::mem::take(&mut self.earlier)).await;
        let shared = Arc::clone(&self.shared);
        shared.book().served.extend(served);
        let Some(place) = shared.ground.places.get(number) else { return };
        // Which of several inputs ended the server shows when they are tried one by one; those after it, which nobody has
        // looked at, get their turn by the same.
        let ends = |suspect: &Suspect| suspect.oracle.ends_server();
        let last: Vec<usize> =
            suspects.iter().filter(|suspect| ends(suspect)).flat_map(|one| one.tries.clone()).collect();
        match (last.iter().min(), last.iter().max()) {
            (Some(first), Some(last)) if first < last => {
                let doubtful = tried.get(*first..=*last).unwrap_or_default();
                let ended = self.one_by_one(place, number, doubtful.to_vec().into()).await;
                for suspect in suspects.iter_mut().filter(|suspect| ends(suspect)) {
                    // What none of them did alone takes several in a row.
                    suspect.tries = vec![*last];
                }
                // One hang is as good as another: whatever was sent after it had no answer.
                let is_explained = |suspect: &Suspect| {
                    ended.signatures.contains(&suspect.signature)
                        || (ended.hung && suspect.oracle == Oracle::Hang)
                };
                suspects.retain(|suspect| !ends(suspect) || !is_explained(suspect));
                if suspects.iter().any(ends) {
                    shared.book().deaths.blame(&doubtful.iter().map(deaths::kind).collect());
                }
            }
            (Some(only), _) => {
                tried.get(*only).into_iter().for_each(|input| count_death(&shared, place, input, &suspects));
            }
            _ => {}
        }
        self.look_into(place, number, later, suspects, &tried).await;
        self.earlier = judging::last_of(tried);
    }

    /// Tries what comes before any handshake: together first, as a start costs some servers seconds, and one by one if the
    /// server did not survive that. Greetings have a server of their own: after one that succeeds nothing comes before it.
    async fn before_handshakes(&mut self, place: &Place, number: usize, inputs: VecDeque<Input>) {
        let (greetings, others): (VecDeque<Input>, VecDeque<Input>) =
            inputs.into_iter().partition(Input::greets);
        for together in [others, greetings] {
            let shared = Arc::clone(&self.shared);
            let Some(first) = together.front().filter(|_| !shared.is_over()) else { continue };
            let Some(mut flight) = replayer(&shared, place).open_for(first, false).await else { return };
            shared.book().stats.sessions += 1;
            flight.fly(&mut together.clone()).await;
            let suspects = suspect::all(&flight.take_leg(), &place.knowledge);
            drop(flight);
            if !suspects.is_empty() {
                self.one_by_one(place, number, together).await;
            }
        }
    }

    /// Tries inputs one after the other, each with a sign of life after it, on as many servers as it takes; tells
    /// what ended them.
    async fn one_by_one(&mut self, place: &Place, number: usize, mut inputs: VecDeque<Input>) -> Ended {
        let shared = Arc::clone(&self.shared);
        let mut ended = Ended::default();
        while !inputs.is_empty() && !shared.is_over() {
            let mut open: Option<Flight> = None;
            while let Some(input) = inputs.pop_front() {
                if let Some(why) = left_out(&shared, place, &input) {
                    shared.book().stats.left_out += 1;
                    // Which of several steps hangs nobody knows, so that it is not told apart from a crash.
                    ended.hung |= why == LeftOut::Hangs
                        || (input.steps.len() > 1 && calls_unserved(&shared, place, &input));
                    continue;
                }
                let is_bare = input.is_bare();
                if is_bare && open.is_some() {
                    inputs.push_front(input);
                    break;
                }
                let mut flight = match open.take() {
                    Some(flight) => flight,
                    None => {
                        let opened = replayer(&shared, place).open_for(&input, false).await;
                        let Some(mut fresh) = opened else { return ended };
                        fresh.ignore_silence_of(self.silent(false));
                        fresh
                    }
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
            shared.book().served.extend(judging::served(&leg, &place.knowledge.tools));
            let tried: Vec<Input> = leg.tries.into_iter().map(|this| this.input).collect();
            for suspect in suspects.iter_mut().filter(|suspect| suspect.oracle.ends_server()) {
                suspect.tries = tried.len().checked_sub(1).into_iter().collect();
                ended.hung |= suspect.oracle == Oracle::Hang;
                ended.signatures.insert(suspect.signature.clone());
            }
            if let Some(input) = tried.last() {
                count_death(&shared, place, input, &suspects);
            }
            self.look_into(place, number, false, suspects, &tried).await;
        }
        ended
    }

    /// Looks into suspects, the gravest first, as there may not be time for all.
    async fn look_into(
        &mut self,
        place: &Place,
        number: usize,
        later: bool,
        mut suspects: Vec<Suspect>,
        tried: &[Input],
    ) {
        let shared = Arc::clone(&self.shared);
        suspects.sort_by_key(|suspect| cost(suspect, first_look(&shared, suspect, tried)));
        for suspect in suspects {
            let is_too_much = self.spent.is_too_much(&shared);
            if is_doubtful(&shared, &suspect, later)
                || (is_too_much && self.spent.has_enough_of(&suspect.signature, later))
            {
                continue;
            }
            let look = first_look(&shared, &suspect, tried);
            // Where nothing can be looked into beside the lane, waiting would take the time of everything else: that has
            // the first half of it.
            let can_wait = !self.is_alone() || shared.deadline.is_some();
            if may_just_be_slow(&shared, place, &suspect, tried)
                || (is_unanswered(&suspect) && can_wait)
                || (!comes_at_once(&suspect) && is_too_much)
            {
                shared.book().await_verdict(&suspect.signature);
                self.spent.put_off(Waiting::new(number, (suspect, later), tried, look));
            } else {
                let began = Instant::now();
                if consider(&shared, place, (&suspect, later), (tried, look), &self.found).await {
                    self.spent.put_off(Waiting::new(number, (suspect, later), tried, Look::Thorough));
                }
                self.looked(began);
            }
        }
        self.look_aside();
    }

    /// Whether there may be one server only, so that nothing is looked into beside it.
    fn is_alone(&self) -> bool {
        self.number.1 == 1
    }

    /// Looks into the next silence, unless another is looked into.
    fn look_aside(&mut self) {
        while let Some(task) = self.aside.try_join_next() {
            unless_it_panicked(task);
        }
        if !self.is_alone()
            && self.aside.is_empty()
            && let Some(waiting) = self.spent.next_silent(&self.shared)
        {
            self.put_aside(waiting);
        }
    }

    /// Waits until nothing is looked into beside the lane.
    async fn empty_aside(&mut self) {
        while let Some(task) = self.aside.join_next().await {
            unless_it_panicked(task);
        }
    }

    fn put_aside(&mut self, waiting: Waiting) {
        let (shared, found) = (Arc::clone(&self.shared), self.found.clone());
        // Silence has one look only.
        self.aside.spawn(async move { drop(look_into(&shared, waiting, &found).await) });
    }

    /// Counts the time since then as spent on suspects.
    fn looked(&mut self, began: Instant) {
        self.spent.looking += began.elapsed();
        self.shared.looked(began);
    }

    /// Looks into what was put off, as far as there is time for it.
    async fn look_into_what_is_due(&mut self) {
        let shared = Arc::clone(&self.shared);
        self.look_aside();
        while let Some(waiting) = self.spent.due(&shared, self.is_alone()) {
            let began = Instant::now();
            if let Some(again) = look_into(&shared, waiting, &self.found).await {
                self.spent.put_off(again);
            }
            self.looked(began);
        }
    }

    /// One in so many legs is followed by a trial of what only shows after a while.
    async fn endure(&mut self, place: &Place) {
        let is_turn = self.legs.is_multiple_of(ENDURANCE_EVERY);
        self.legs += 1;
        if !is_turn || self.spent.endured_enough(&self.shared) || self.shared.is_over() {
            return;
        }
        let (lane, lanes) = self.number;
        let began = Instant::now();
        endure(&self.shared, place, lane + self.trials * lanes, &self.found).await;
        self.trials += 1;
        self.spent.enduring += began.elapsed();
        self.shared.looked(began);
    }

    /// What nobody would look into if it had no answer, in the first leg of a session or a later one.
    fn silent(&self, later: bool) -> Vec<String> {
        let book = self.shared.book();
        let doubtful = book.doubts.iter().filter(|(_, doubts)| **doubts >= MOST_DOUBTS);
        let doubtful = doubtful.filter_map(|(what, _)| match what.strip_prefix(LATER) {
            Some(what) => later.then_some(what),
            None => Some(what.as_str()),
        });
        let put_off = self.spent.put_off.iter().map(|waiting| waiting.suspect.signature.as_str());
        let all = book.known.iter().map(String::as_str).chain(doubtful).chain(put_off);
        all.filter_map(suspect::silent_subject).map(str::to_owned).collect()
    }
}

/// What ended the servers on which inputs were tried one after the other.
#[derive(Default)]
struct Ended {
    signatures: HashSet<String>,
    /// Whether one hung, or would have: calls that kept hanging it are left out.
    hung: bool,
}

/// Whether a suspect is looked into at once: what ended the server stands in the way of everything else, and a report of a
/// sanitizer may be about any of the many inputs before it.
fn comes_at_once(suspect: &Suspect) -> bool {
    suspect.oracle.ends_server() || suspect.oracle == Oracle::Sanitizer
}

/// Counts that an input ended the server, if one of its suspects says so.
fn count_death(shared: &Shared, place: &Place, input: &Input, suspects: &[Suspect]) {
    let Some(suspect) = suspects.iter().find(|suspect| suspect.oracle.ends_server()) else { return };
    let mut book = shared.book();
    // Which step of several hangs, nobody knows.
    let unserved = book.unserved(place, input).into_iter().next();
    let kind = match unserved.filter(|_| suspect.oracle == Oracle::Hang && input.steps.len() == 1) {
        Some(tool) => deaths::kind_of_hang(&tool),
        None => deaths::kind(input),
    };
    book.deaths.count(kind);
}

/// Looks into what was put off; gives it back for another look if only that would tell.
async fn look_into(
    shared: &Shared,
    mut waiting: Waiting,
    found: &mpsc::UnboundedSender<Finding>,
) -> Option<Waiting> {
    let place = shared.ground.places.get(waiting.place)?;
    let suspect = (&waiting.suspect, waiting.later);
    let is_open = consider(shared, place, suspect, (&waiting.tried, waiting.look), found).await;
    waiting.look = Look::Thorough;
    is_open.then_some(waiting)
}
