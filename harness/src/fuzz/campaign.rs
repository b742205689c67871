//! A campaign: lanes that try inputs on servers of their own until the budget is spent, and what they find.

mod guided;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_conform_cases::Library;
use serde::Serialize;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::deaths::{self, Deaths};
use super::endurance;
use super::finding::Finding;
use super::flight::{Flight, Landing};
use super::ground::{FuzzSettings, Ground, Introduction, Place};
use super::input::Input;
use super::oracle::Oracle;
use super::replay::Replayer;
use super::stream::Stream;
use super::suspect::{self, Suspect};
use crate::run::{self, RunError, Stop};

use guided::Guide;
pub use guided::{Guided, GuidedSettings};

/// So many inputs are tried between two signs of life.
const BATCH: usize = 64;
/// So many inputs are tried in one session before it is judged and another one begun.
const SESSION: usize = 1_000;
/// One session in so many is followed by a trial of endurance.
const ENDURANCE_EVERY: usize = 2;
/// One part in so many of the time may go into such trials.
const ENDURING: u32 = 3;
/// How often a suspect that did not show itself again is looked into.
const MOST_DOUBTS: u32 = 2;
/// One part in so many of the time may go into looking at suspects that did not end the server; the others wait until the
/// budget is spent.
const LOOKING: u32 = 3;
/// So many suspects wait in a lane.
const MOST_PUT_OFF: usize = 64;
/// Where an engine guides, inputs of other kinds take one part in so many of the budget at most: the walk along the
/// boundaries, which is mostly over before that.
const WALK: u32 = 3;
/// How long findings may be confirmed and made small after the budget is spent.
const AFTERWARDS: Duration = Duration::from_secs(45);

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
    /// Those a second, in all lanes together, while inputs were tried.
    pub cases_per_second: f64,
    /// Sessions that were begun.
    pub sessions: u64,
    /// Suspects that did not show themselves again and are not reported.
    pub unconfirmed: u64,
    /// Inputs that were left out because others like them kept ending the server.
    pub left_out: u64,
    /// From start to end, in milliseconds.
    pub duration_ms: u64,
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
    doubts: HashMap<String, u32>,
    deaths: Deaths,
    stats: Stats,
    guided: Vec<Guided>,
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
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
    for (number, streams) in streams(&shared.ground.places, fuzz, lanes).into_iter().enumerate() {
        running.spawn(lane(Arc::clone(&shared), (number, lanes), streams, walking.clone(), found.clone()));
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
    loop {
        tokio::select! {
            told = findings_told.recv() => match told {
                Some(finding) => {
                    let mut finding: Finding = finding;
                    finding.show_by_hand(&fuzz.settings);
                    finding.redact(fuzz.settings.http.secrets().chain(shared.ground.secrets()));
                    if findings.iter().any(|known| known.signature == finding.signature) {
                        continue;
                    }
                    tell(&FuzzEvent::Found(Box::new(finding.clone())));
                    findings.push(finding);
                }
                None => break,
            },
            _ = ticks.tick() => tell(&FuzzEvent::Progress(stats(&shared, began, started))),
            () = run::stopped(stop.clone()) => break,
            () = until(hard_end) => break,
        }
    }
    let stats = stats(&shared, began, started);
    let interrupted = *stop.borrow() == Stop::Interrupted;
    running.abort_all();
    while running.join_next().await.is_some() {}
    shared.ground.close().await;
    let guided = std::mem::take(&mut shared.book().guided);
    findings.sort_by(|one, other| (one.oracle, &one.signature).cmp(&(other.oracle, &other.signature)));
    Ok(Outcome { introduction, stats, findings, guided, interrupted })
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
    let trying = shared.deadline.map_or_else(Instant::now, |deadline| deadline.min(Instant::now()));
    let seconds = trying.saturating_duration_since(began).as_secs_f64();
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

async fn lane(
    shared: Arc<Shared>,
    (lane, lanes): (usize, usize),
    mut streams: Vec<(usize, Stream)>,
    walking: watch::Receiver<()>,
    found: mpsc::UnboundedSender<Finding>,
) {
    let mut turn = 0_usize;
    let (mut sessions, mut trials) = (0_usize, 0_usize);
    let began = Instant::now();
    let mut spent = Spent { began, looking: Duration::ZERO, enduring: Duration::ZERO, put_off: Vec::new() };
    while !streams.is_empty() && !shared.is_over() {
        turn %= streams.len();
        let Some((number, stream)) = streams.get_mut(turn) else { return };
        let Some(place) = shared.ground.places.get(*number) else { return };
        // What dies at once shows nothing after a while: inputs come first.
        let more = one_session(&shared, place, (*number, stream), &mut spent, &found).await;
        if sessions.is_multiple_of(ENDURANCE_EVERY) && !spent.endured_enough(&shared) && !shared.is_over() {
            let begun = Instant::now();
            endure(&shared, place, lane + trials * lanes, &found).await;
            trials += 1;
            spent.enduring += begun.elapsed();
        }
        while let Some((number, suspect, tried)) = spent.due(&shared) {
            let Some(place) = shared.ground.places.get(number) else { break };
            let begun = Instant::now();
            consider(&shared, place, &replayer(&shared, place), suspect, &tried, &found).await;
            spent.looking += begun.elapsed();
        }
        sessions += 1;
        if more {
            turn += 1;
        } else {
            streams.remove(turn);
        }
    }
    // An engine may take over.
    drop(walking);
    for (number, suspect, tried) in spent.put_off {
        let Some(place) = shared.ground.places.get(number) else { return };
        consider(&shared, place, &replayer(&shared, place), suspect, &tried, &found).await;
    }
}

/// Tries inputs in one session; says whether there are more.
async fn one_session(
    shared: &Shared,
    place: &Place,
    (number, stream): (usize, &mut Stream),
    spent: &mut Spent,
    found: &mpsc::UnboundedSender<Finding>,
) -> bool {
    let replayer = replayer(shared, place);
    let Some(mut flight) = replayer.open(false).await else { return false };
    shared.book().stats.sessions += 1;
    flight.fly(&mut place.canaries.clone().into()).await;
    // What comes before any handshake has a server of its own.
    let mut apart: VecDeque<Input> = VecDeque::new();
    while flight.landing == Landing::Sound && flight.tries.len() < SESSION && !shared.is_over() {
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
        // What was not come to is tried by the next session.
        stream.give_back(batch);
    }
    if flight.landing == Landing::Sound {
        flight.fly(&mut place.canaries.clone().into()).await;
    }
    let mut suspects = suspect::all(&mut flight, &place.knowledge);
    let tried: Vec<Input> = flight.tries.drain(..).map(|this| this.input).collect();
    drop(flight);
    // Which of several inputs ended the server shows when they are tried one by one; those after it, which nobody has
    // looked at, get their turn by the same.
    let ends = |suspect: &Suspect| suspect.oracle.ends_server();
    let last: Vec<usize> =
        suspects.iter().filter(|suspect| ends(suspect)).flat_map(|one| one.tries.clone()).collect();
    if let (Some(first), Some(last)) = (last.iter().min(), last.iter().max())
        && first < last
        && let Some(doubtful) = tried.get(*first..=*last)
    {
        let seen = one_by_one(shared, place, number, doubtful.to_vec().into(), spent, found).await;
        for suspect in suspects.iter_mut().filter(|suspect| ends(suspect)) {
            // What none of them did alone takes several in a row.
            suspect.tries = vec![*last];
        }
        suspects.retain(|suspect| !ends(suspect) || !seen.contains(&suspect.signature));
    }
    look_into(shared, place, number, suspects, &tried, spent, found).await;
    shared.book().stats.cases += u64::try_from(apart.len()).unwrap_or(0);
    one_by_one(shared, place, number, apart, spent, found).await;
    stream.has_more()
}

/// Tries inputs one after the other, each with a sign of life after it, on as many servers as it takes; gives the
/// signatures of what ended them.
async fn one_by_one(
    shared: &Shared,
    place: &Place,
    number: usize,
    mut inputs: VecDeque<Input>,
    spent: &mut Spent,
    found: &mpsc::UnboundedSender<Finding>,
) -> HashSet<String> {
    let replayer = replayer(shared, place);
    let mut seen = HashSet::new();
    while !inputs.is_empty() && !shared.is_over() {
        let mut open: Option<Flight> = None;
        while let Some(input) = inputs.pop_front() {
            if is_left_out(shared, &input) {
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
        let mut suspects = suspect::all(&mut flight, &place.knowledge);
        let tried: Vec<Input> = flight.tries.drain(..).map(|this| this.input).collect();
        drop(flight);
        for suspect in suspects.iter_mut().filter(|suspect| suspect.oracle.ends_server()) {
            suspect.tries = tried.len().checked_sub(1).into_iter().collect();
            seen.insert(suspect.signature.clone());
        }
        look_into(shared, place, number, suspects, &tried, spent, found).await;
    }
    seen
}

/// Looks into suspects, the gravest first, as there may not be time for all.
async fn look_into(
    shared: &Shared,
    place: &Place,
    number: usize,
    mut suspects: Vec<Suspect>,
    tried: &[Input],
    spent: &mut Spent,
    found: &mpsc::UnboundedSender<Finding>,
) {
    let replayer = replayer(shared, place);
    suspects.sort_by_key(cost);
    for suspect in suspects {
        let began = Instant::now();
        if !suspect.oracle.ends_server() && spent.is_too_much(shared) {
            spent.put_off(number, suspect, tried);
        } else {
            consider(shared, place, &replayer, suspect, tried, found).await;
            spent.looking += began.elapsed();
        }
    }
}

/// What is looked into first: what ended the server, then what shows at once; silence, which has to be waited for, last.
fn cost(suspect: &Suspect) -> (bool, Oracle) {
    (suspect.oracle == Oracle::NoAnswer, suspect.oracle)
}

/// What a lane spends on looking into suspects, and what it has put off.
struct Spent {
    began: Instant,
    looking: Duration,
    enduring: Duration,
    /// The place, a suspect, and the inputs that may have caused it.
    put_off: Vec<(usize, Suspect, Vec<Input>)>,
}

impl Spent {
    /// Whether so much of the budget went into suspects that inputs come first now.
    fn is_too_much(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.looking > self.began.elapsed() / LOOKING
    }

    /// Whether so much of the budget went into trials of endurance that inputs come first now.
    fn endured_enough(&self, shared: &Shared) -> bool {
        shared.deadline.is_some() && self.enduring > self.began.elapsed() / ENDURING
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
        self.put_off.sort_by_key(|(_, suspect, _)| cost(suspect));
    }

    /// What was put off and is looked into now, if there is time for it.
    fn due(&mut self, shared: &Shared) -> Option<(usize, Suspect, Vec<Input>)> {
        (!self.put_off.is_empty() && !self.is_too_much(shared)).then(|| self.put_off.remove(0))
    }
}

fn replayer<'a>(shared: &Shared, place: &'a Place) -> Replayer<'a> {
    Replayer {
        opener: &place.opener,
        revision: place.revision,
        maker: Some(&place.maker),
        knowledge: &place.knowledge,
        timeout: shared.timeout,
        startup: shared.startup,
        limits: shared.ground.limits,
        deadline: shared.deadline.map_or_else(far_away, |deadline| deadline + AFTERWARDS),
    }
}

/// Looks for what only shows after a while, once for each trial there is.
async fn endure(shared: &Shared, place: &Place, trial: usize, found: &mpsc::UnboundedSender<Finding>) {
    let replayer = replayer(shared, place);
    let Some(trial) = place.trials.get(trial) else { return };
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

fn is_left_out(shared: &Shared, input: &Input) -> bool {
    shared.book().deaths.leave_out(&deaths::kind(input))
}

async fn consider(
    shared: &Shared,
    place: &Place,
    replayer: &Replayer<'_>,
    suspect: Suspect,
    tried: &[Input],
    found: &mpsc::UnboundedSender<Finding>,
) {
    let first = suspect.tries.first().and_then(|place| tried.get(*place));
    if let Some(input) = first.filter(|_| suspect.oracle.ends_server()) {
        shared.book().deaths.count(deaths::kind(input));
    }
    {
        let mut book = shared.book();
        if book.doubts.get(&suspect.signature).is_some_and(|doubts| *doubts >= MOST_DOUBTS) {
            return;
        }
        // Other lanes leave it alone meanwhile.
        if !book.known.insert(suspect.signature.clone()) {
            return;
        }
    }
    match replayer.confirm(&suspect, tried).await {
        Some(confirmed) => {
            let finding = Finding::new(confirmed, place.revision, place.opener.transport());
            shared.book().known.insert(finding.signature.clone());
            // The receiver is gone only when the campaign is over.
            let _ = found.send(finding);
        }
        None => {
            let mut book = shared.book();
            book.known.remove(&suspect.signature);
            *book.doubts.entry(suspect.signature).or_default() += 1;
            book.stats.unconfirmed += 1;
        }
    }
}
