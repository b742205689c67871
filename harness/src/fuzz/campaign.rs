//! A campaign: lanes that try inputs on servers of their own until the budget is spent, and what they find.

mod guided;
mod lane;
mod spent;
mod threads;
mod turns;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_conform_cases::Library;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::deaths::{self, Deaths};
use super::endurance;
use super::finding::Finding;
use super::ground::{FuzzSettings, Ground, Introduction, Place};
use super::input::Input;
use super::replay::{Look, Replayer};
use super::stream::Stream;
use super::suspect::Suspect;
use crate::run::{self, RunError, Stop};

use guided::Guide;
pub use guided::{Guided, GuidedSettings};
use lane::Lane;
use threads::Threads;

/// How often a suspect that did not show itself again is looked into.
const MOST_DOUBTS: usize = 2;
/// Where an engine guides, inputs of other kinds take one part in so many of the budget at most: the walk along the
/// boundaries, which is mostly over before that.
const WALK: u32 = 3;
/// How long findings may be confirmed and made small after the budget is spent.
const AFTERWARDS: Duration = Duration::from_secs(45);

/// So many suspects without a verdict are listed: what a server says is in their names, and may differ each time.
const MOST_PENDING: usize = 1_024;
/// What stands before a doubt about a later leg.
const LATER: &str = "later: ";

/// How long a campaign lasts: until the first of these is reached.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// So many inputs.
    pub cases: Option<u64>,
    /// So long.
    pub time: Option<Duration>,
}

/// Figures of a campaign.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Stats {
    /// Inputs that were tried.
    pub cases: u64,
    /// The steps of these inputs: nearly each of them is a message. Of those that an engine tried, one each.
    pub steps: u64,
    /// Those a second, in all lanes together, while inputs were tried.
    pub cases_per_second: f64,
    /// Sessions that were begun.
    pub sessions: u64,
    /// How long lanes did not try inputs of their own, because they looked into suspects or carried out trials of what
    /// only shows after a while; of all lanes together, in milliseconds.
    pub looking_ms: u64,
    /// Looks into suspects that did not show themselves again.
    pub unconfirmed: u64,
    /// Inputs that were left out because others like them kept ending the server, because they end a session and there was
    /// no time for that many starts, or because they call a tool that had its share of the time.
    pub left_out: u64,
    /// From start to end, in milliseconds.
    pub duration_ms: u64,
}

impl Stats {
    /// Counts inputs that were tried.
    fn count<'i>(&mut self, inputs: impl IntoIterator<Item = &'i Input>) {
        for input in inputs {
            self.cases += 1;
            self.steps += u64::try_from(input.steps.len()).unwrap_or(0);
        }
    }
}

/// What happens in a campaign.
#[derive(Clone, Debug)]
pub enum FuzzEvent {
    /// The server is known.
    Started(Box<Introduction>),
    /// Something was found.
    Found(Box<Finding>),
    /// How far it is.
    Progress(Stats),
}

/// What came of a campaign.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was known at the start.
    pub introduction: Introduction,
    /// Figures.
    pub stats: Stats,
    /// Findings, each fault once.
    pub findings: Vec<Finding>,
    /// Where an engine guided.
    pub guided: Vec<Guided>,
    /// Suspects that did not show themselves again, by signature.
    pub unconfirmed: Vec<String>,
    /// Suspects that there was no time to look into, or not enough, by signature.
    pub undecided: Vec<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// What lanes share.
struct Shared {
    ground: Ground,
    timeout: Duration,
    startup: Duration,
    /// When no more inputs are tried.
    deadline: Option<Instant>,
    /// When lanes try no more: earlier, if an engine takes over.
    lanes_until: Option<Instant>,
    stop: watch::Receiver<Stop>,
    book: Mutex<Book>,
}

/// What has been found out so far.
#[derive(Default)]
struct Book {
    /// Suspects by signature that need not be looked into again.
    known: HashSet<String>,
    /// How often a suspect did not show itself again, by [`doubt_of`].
    doubts: HashMap<String, usize>,
    /// Suspects that are looked into or wait for that, by signature.
    pending: BTreeSet<String>,
    /// Tools of which a call succeeded, so that it is known that they can answer in time.
    served: HashSet<String>,
    deaths: Deaths,
    stats: Stats,
    guided: Vec<Guided>,
}

impl Book {
    /// A suspect is looked into, or waits for that; one that is known already does not.
    fn await_verdict(&mut self, signature: &str) {
        if !self.known.contains(signature) && self.pending.len() < MOST_PENDING {
            self.pending.insert(signature.to_owned());
        }
    }

    /// The tools that an input calls and of which no call has succeeded yet, each once.
    fn unserved(&self, place: &Place, input: &Input) -> BTreeSet<String> {
        let called = turns::all_called(input, &place.knowledge.tools);
        called.filter(|tool| !self.served.contains(tool)).collect()
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the time since then as one in which no inputs were tried, as far as there was time for inputs.
    fn looked(&self, since: Instant) {
        let spent = self.now_or_deadline().saturating_duration_since(since);
        self.book().stats.looking_ms += u64::try_from(spent.as_millis()).unwrap_or(u64::MAX);
    }

    /// Until when inputs were tried, or are.
    fn now_or_deadline(&self) -> Instant {
        self.deadline.map_or_else(Instant::now, |deadline| deadline.min(Instant::now()))
    }

    fn is_over(&self) -> bool {
        self.lanes_until.is_some_and(|until| Instant::now() >= until) || *self.stop.borrow() != Stop::No
    }
}

/// Fuzzes a server.
///
/// # Errors
/// When there is no server to fuzz.
pub async fn run(
    library: &Library,
    fuzz: &FuzzSettings,
    stop: watch::Receiver<Stop>,
    tell: &mut (dyn FnMut(&FuzzEvent) + Send),
) -> Result<Outcome, RunError> {
    let started = Instant::now();
    let mut ground = Ground::prepare(library, fuzz, &stop).await?;
    let guides = tokio::select! {
        guides = guides(&ground, fuzz) => guides?,
        () = run::stopped(stop.clone()) => return Err(RunError::Interrupted),
    };
    ground.introduction.guided = guides.first().map(Guide::source);
    let (lanes, introduction) = (ground.introduction.lanes, ground.introduction.clone());
    tell(&FuzzEvent::Started(Box::new(introduction.clone())));

    let began = Instant::now();
    let shared = Arc::new(Shared {
        timeout: fuzz.settings.timeout,
        startup: fuzz.settings.startup_timeout,
        deadline: fuzz.budget.time.map(|time| began + time),
        lanes_until: fuzz.budget.time.map(|time| began + if guides.is_empty() { time } else { time / WALK }),
        stop: stop.clone(),
        book: Mutex::new(Book::default()),
        ground,
    });
    let (found, mut findings_told) = mpsc::unbounded_channel();
    let mut running = JoinSet::new();
    let (walked, walking) = watch::channel(());
    let (going_on, over) = watch::channel(());
    let threads = Threads::of(&shared.ground.places, lanes);
    for (number, streams) in streams(&shared.ground.places, fuzz, lanes).into_iter().enumerate() {
        let lane = Lane::new(Arc::clone(&shared), (number, lanes), threads.leave_one_idle(), found.clone());
        let (walking, mut over) = (walking.clone(), over.clone());
        threads.spawn(&mut running, async move {
            tokio::select! {
                () = lane.fly(streams, walking) => {}
                // It tells nothing but that it is dropped.
                _ = over.changed() => {}
            }
        });
    }
    drop(walking);
    let walked = Arc::new(walked);
    let workers = guides.len();
    for (turn, guide) in guides.into_iter().enumerate() {
        let (shared, walked, found) = (Arc::clone(&shared), Arc::clone(&walked), found.clone());
        let cases = fuzz.budget.cases;
        running.spawn(async move {
            // Lanes may have suspects to look into long after.
            tokio::select! {
                () = walked.closed() => {}
                () = until(shared.lanes_until) => {}
            }
            let left = |cases: u64| cases.saturating_sub(shared.book().stats.cases);
            let cases = cases.map(|cases| share(left(cases), turn, workers));
            guided::carry_out(shared, guide, cases, found).await;
        });
    }
    drop(found);
    let mut findings: Vec<Finding> = Vec::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    let hard_end = shared.deadline.map(|deadline| deadline + AFTERWARDS);
    let note = |mut finding: Finding, findings: &mut Vec<Finding>, tell: &mut dyn FnMut(&FuzzEvent)| {
        finding.show_by_hand(&fuzz.settings);
        finding.redact(fuzz.settings.http.secrets().chain(shared.ground.secrets()));
        if findings.iter().all(|known| known.signature != finding.signature) {
            tell(&FuzzEvent::Found(Box::new(finding.clone())));
            findings.push(finding);
        }
    };
    loop {
        tokio::select! {
            told = findings_told.recv() => match told {
                Some(finding) => note(finding, &mut findings, tell),
                None => break,
            },
            _ = ticks.tick() => tell(&FuzzEvent::Progress(stats(&shared, began, started))),
            Some(ended) = running.join_next() => unless_it_panicked(ended),
            () = run::stopped(stop.clone()) => break,
            () = until(hard_end) => break,
        }
    }
    let stats = stats(&shared, began, started);
    let interrupted = *stop.borrow() == Stop::Interrupted;
    running.abort_all();
    drop(going_on);
    while let Some(ended) = running.join_next().await {
        unless_it_panicked(ended);
    }
    shared.ground.close().await;
    // What was found at the last moment counts.
    while let Ok(finding) = findings_told.try_recv() {
        note(finding, &mut findings, tell);
    }
    findings.sort_by(|one, other| (one.oracle, &one.signature).cmp(&(other.oracle, &other.signature)));
    let is_open = |signature: &str| findings.iter().all(|finding| finding.signature != signature);
    let mut book = shared.book();
    let guided = std::mem::take(&mut book.guided);
    let undecided: Vec<String> = book.pending.iter().filter(|one| is_open(one)).cloned().collect();
    let unconfirmed: BTreeSet<String> =
        book.doubts.keys().map(|doubt| doubt.strip_prefix(LATER).unwrap_or(doubt).to_owned()).collect();
    let unconfirmed =
        unconfirmed.into_iter().filter(|one| is_open(one) && !undecided.contains(one)).collect();
    drop(book);
    Ok(Outcome { introduction, stats, findings, guided, unconfirmed, undecided, interrupted })
}

/// A panic in a lane or beside it is ours, and stays one.
fn unless_it_panicked(ended: Result<(), JoinError>) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        std::panic::resume_unwind(panic);
    }
}

/// Who guides, if that is wanted.
async fn guides(ground: &Ground, fuzz: &FuzzSettings) -> Result<Vec<Guide>, RunError> {
    let Some(settings) = &fuzz.guided else { return Ok(Vec::new()) };
    // Another machine's engine goes another way.
    let seed = fuzz.settings.seed.wrapping_add(u64::try_from(fuzz.shard.0).unwrap_or(0) << 32);
    let executable = fuzz.settings.executable.as_ref();
    guided::guides(ground, settings, (seed, fuzz.settings.startup_timeout), executable).await
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => tokio::time::sleep_until(end).await,
        None => std::future::pending().await,
    }
}

fn stats(shared: &Shared, began: Instant, started: Instant) -> Stats {
    let mut stats = shared.book().stats;
    let seconds = shared.now_or_deadline().saturating_duration_since(began).as_secs_f64();
    // A count of cases is far below what a float holds exactly.
    stats.cases_per_second = if seconds > 0.0 { (stats.cases as f64 / seconds).round() } else { 0.0 };
    stats.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    stats
}

/// Deals the inputs of all places to lanes.
fn streams(places: &[Place], fuzz: &FuzzSettings, lanes: usize) -> Vec<Vec<(usize, Stream)>> {
    let (shard, shards) = fuzz.shard;
    // Every lane works on every place, so that none is idle where places differ in speed.
    let parts = lanes * shards.max(1);
    let all = lanes * places.len().max(1);
    let mut dealt = Vec::new();
    for lane in 0..lanes {
        let mut own = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let seed = fuzz.settings.seed.wrapping_add(u64::try_from(number).unwrap_or(0) << 48);
            let turn = lane * places.len() + number;
            let is_guided = fuzz.guided.is_some();
            let cases =
                fuzz.budget.cases.map(|cases| if is_guided { cases / u64::from(WALK) } else { cases });
            let left = cases.map_or(u64::MAX, |cases| share(cases, turn, all));
            let part = (shard * lanes + lane, parts);
            let stream = Stream::new(place.maker.clone(), seed, &fuzz.corpus, part, left);
            own.push((number, if is_guided { stream.without_random() } else { stream }));
        }
        dealt.push(own);
    }
    dealt
}

/// What one of `parts` gets of a total.
fn share(total: u64, part: usize, parts: usize) -> u64 {
    let (part, parts) = (u64::try_from(part).unwrap_or(0), u64::try_from(parts).unwrap_or(1).max(1));
    total / parts + u64::from(part < total % parts)
}

fn replayer<'a>(shared: &'a Shared, place: &'a Place) -> Replayer<'a> {
    Replayer {
        opener: &place.opener,
        revision: place.revision,
        maker: Some(&place.maker),
        knowledge: &place.knowledge,
        timeout: shared.timeout,
        startup: shared.startup,
        limits: shared.ground.limits,
        runtime: &shared.ground.runtime,
        pace: shared.ground.pace.as_ref(),
        deadline: shared.deadline.map_or_else(far_away, |deadline| deadline + AFTERWARDS),
        lingers: false,
        at_once: shared.ground.introduction.lanes > 1 && place.opener.has_many_servers(),
    }
}

/// Looks for what only shows after a while, once for each trial there is.
async fn endure(shared: &Shared, place: &Place, trial: usize, found: &mpsc::UnboundedSender<Finding>) {
    let replayer = replayer(shared, place);
    let Some(trial) = place.trials.get(trial) else { return };
    // Where there is one server for all, it is as busy as other lanes make it.
    let are_others = shared.ground.introduction.lanes > 1;
    if are_others && !place.opener.has_many_servers() && !trial.is_of_answers() {
        return;
    }
    let known = |signature: &str| shared.book().known.contains(signature);
    let Some(confirmed) = endurance::carry_out(&replayer, trial, known).await else { return };
    let finding = Finding::new(confirmed, place.revision, place.opener.transport());
    shared.book().known.insert(finding.signature.clone());
    // The receiver is gone only when the campaign is over.
    let _ = found.send(finding);
}

fn far_away() -> Instant {
    Instant::now() + Duration::from_secs(365 * 24 * 3600)
}

/// Why an input is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeftOut {
    /// Its kind keeps ending the server.
    Ends,
    /// It calls a tool of which no call has succeeded yet, and calls of that keep hanging the server.
    Hangs,
}

/// Whether an input is left out this time, and why.
fn left_out(shared: &Shared, place: &Place, input: &Input) -> Option<LeftOut> {
    if shared.book().deaths.are_none() {
        return None;
    }
    let kind = deaths::kind(input);
    let mut book = shared.book();
    if book.deaths.leave_out(kind) {
        return Some(LeftOut::Ends);
    }
    let mut unserved = book.unserved(place, input).into_iter();
    unserved.any(|tool| book.deaths.leave_out(deaths::kind_of_hang(&tool))).then_some(LeftOut::Hangs)
}

/// Under which name doubts about a suspect are counted. What is seen in a later leg may be the work of inputs that are no
/// longer in the recording; that it does not show itself again says nothing about first legs.
fn doubt_of(signature: &str, later: bool) -> String {
    if later { format!("{LATER}{signature}") } else { signature.to_owned() }
}

/// Whether a suspect did not show itself again so often that nobody looks into it any more.
fn is_doubtful(shared: &Shared, suspect: &Suspect, later: bool) -> bool {
    let doubts = shared.book().doubts.get(&doubt_of(&suspect.signature, later)).copied();
    doubts.is_some_and(|doubts| doubts >= MOST_DOUBTS)
}

/// Whether silence follows a call of a tool of which no call has succeeded yet: nothing tells how long it takes when it is
/// well, and some take minutes.
fn may_just_be_slow(shared: &Shared, place: &Place, suspect: &Suspect, tried: &[Input]) -> bool {
    let input = suspect.tries.first().and_then(|place| tried.get(*place));
    suspect.oracle.is_silence() && input.is_some_and(|input| calls_unserved(shared, place, input))
}

/// Whether an input calls a tool of which no call has succeeded yet.
fn calls_unserved(shared: &Shared, place: &Place, input: &Input) -> bool {
    !shared.book().unserved(place, input).is_empty()
}

/// A suspect of silence without the inputs that may just be slow: the server would be silent after them in any case. None
/// where there are no such inputs.
fn without_slow(
    shared: &Shared,
    place: &Place,
    suspect: &Suspect,
    tried: &[Input],
) -> Option<(Suspect, Vec<Input>)> {
    if !suspect.oracle.is_silence() {
        return None;
    }
    let inputs = tried.iter().enumerate().filter(|(_, input)| !calls_unserved(shared, place, input));
    let (places, kept): (Vec<usize>, Vec<&Input>) = inputs.unzip();
    if kept.len() == tried.len() {
        return None;
    }
    let tries =
        (0..places.len()).filter(|new| places.get(*new).is_some_and(|old| suspect.tries.contains(old)));
    let suspect = Suspect { tries: tries.collect(), ..suspect.clone() };
    Some((suspect, kept.into_iter().cloned().collect()))
}

/// Looks into a suspect, unless that has been done; says whether only another look would tell.
async fn consider(
    shared: &Shared,
    place: &Place,
    (suspect, later): (&Suspect, bool),
    (tried, look): (&[Input], Look),
    found: &mpsc::UnboundedSender<Finding>,
) -> bool {
    if may_just_be_slow(shared, place, suspect, tried) {
        shared.book().await_verdict(&suspect.signature);
        return false;
    }
    if is_doubtful(shared, suspect, later) {
        shared.book().pending.remove(&suspect.signature);
        return false;
    }
    {
        let mut book = shared.book();
        book.await_verdict(&suspect.signature);
        // Other lanes leave it alone meanwhile.
        if !book.known.insert(suspect.signature.clone()) {
            return false;
        }
    }
    let without_slow = without_slow(shared, place, suspect, tried);
    let (looked_into, tried) =
        without_slow.as_ref().map_or((suspect, tried), |(suspect, tried)| (suspect, tried.as_slice()));
    let confirmed = replayer(shared, place).confirm(looked_into, tried, look).await;
    let mut book = shared.book();
    match confirmed {
        Some(confirmed) => {
            let finding = Finding::new(confirmed, place.revision, place.opener.transport());
            book.known.insert(finding.signature.clone());
            // The receiver is gone only when the campaign is over.
            let _ = found.send(finding);
        }
        None if look == Look::Quick => {
            book.known.remove(&suspect.signature);
            return true;
        }
        None => {
            book.known.remove(&suspect.signature);
            *book.doubts.entry(doubt_of(&suspect.signature, later)).or_default() += 1;
            book.stats.unconfirmed += 1;
        }
    }
    book.pending.remove(&suspect.signature);
    false
}
