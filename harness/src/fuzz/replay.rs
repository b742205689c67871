//! A suspect shows itself again on a fresh server, or is none; then its input is made as small as it goes.

use std::collections::VecDeque;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use mcp_conform_cases::case::{Action, ClientKind};
use mcp_conform_cases::{Library, Revision};
use proptest::strategy::ValueTree as _;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::case_file::Saved;
use super::endurance;
use super::flight::{Flight, Landing};
use super::ground::{FuzzSettings, Ground};
use super::input::Input;
use super::leg::Leg;
use super::make::Maker;
use super::oracle::Oracle;
use super::pace::Pace;
use super::shrink::InputTree;
use super::suspect::{self, Knowledge, Suspect};
use super::watch::Watchdog;
use crate::detect::Opener;
use crate::event::Transport;
use crate::process::confine::Limits;
use crate::profile::Profile;
use crate::run::{self, RunError, Stop};
use crate::session::{Session, headers};

/// How often a finding is shown on fresh servers before it is reported.
const REPEATS: u32 = 3;
/// How many inputs before a suspect are tried together with it, from few to many.
pub(super) const TAILS: [usize; 3] = [4, 32, 256];
/// How long a tool may work without an answer.
const WORK: Duration = Duration::from_secs(30);
/// How long an input is made smaller.
const SHRINKING: Duration = Duration::from_secs(8);

/// What it takes to try inputs on fresh servers.
pub(super) struct Replayer<'a> {
    pub(super) opener: &'a Opener,
    pub(super) revision: Revision,
    pub(super) maker: Option<&'a Maker>,
    pub(super) knowledge: &'a Knowledge,
    pub(super) timeout: Duration,
    /// How long a server may take from its start to its first answer.
    pub(super) startup: Duration,
    /// What a server may use; it is ended when it takes more.
    pub(super) limits: Option<Limits>,
    /// Where that is watched: a lane that is at work does not look.
    pub(super) runtime: &'a Handle,
    /// How fast inputs may be sent, if that is bounded.
    pub(super) pace: Option<&'a Arc<Pace>>,
    /// Nothing new is begun after this.
    pub(super) deadline: Instant,
    /// Whether a server is watched for a while after its answers, as it may end late.
    pub(super) lingers: bool,
    /// Whether several servers may run at once for it.
    pub(super) at_once: bool,
}

/// How far a look into a suspect goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    /// At what one input alone shows at once and each time: a handful of starts, beside those of making it smaller.
    Quick,
    /// Also at what takes several inputs in a row, shows now and then, or shows late: dozens of starts.
    Thorough,
}

/// A suspect that showed itself again.
#[derive(Debug)]
pub(super) struct Confirmed {
    pub(super) suspect: Suspect,
    /// What was tried, as it was found.
    pub(super) input: Input,
    /// The smallest input that shows the same.
    pub(super) minimized: Input,
    /// On how many fresh servers it showed itself in the end, and on how many it was tried.
    pub(super) reproduced: (u32, u32),
}

impl Replayer<'_> {
    /// A session with a fresh server; none if it does not start.
    pub(super) async fn open(&self, patient: bool) -> Option<Flight> {
        let session = self.opener.begin(self.revision, ClientKind::Usual, true).await.ok()?.session;
        let mut flight = self.flight(session, patient).await;
        self.own(&mut flight);
        Some(flight)
    }

    /// Another session beside one, on the same server; none where a server has only one.
    pub(super) async fn open_beside(&self, flight: &Flight) -> Option<Flight> {
        let session = self.opener.beside(&flight.session, ClientKind::Usual).await?;
        Some(self.flight(session, true).await)
    }

    /// A flight in a session that has begun.
    async fn flight(&self, mut session: Session, patient: bool) -> Flight {
        // Rules compare what a server says with what it listed in the same session.
        let greeting = json!({ "capabilities": session.transcript.capabilities });
        let profile = Profile::learn(&mut session, &greeting, self.timeout).await;
        session.mirror(Arc::new(headers::mirrored(&profile.tools)));
        let mut flight = Flight::new(session, self.timeout, patient);
        flight.pace = self.pace.cloned();
        flight.loopback = self.opener.is_loopback();
        flight.tools = Arc::clone(&self.knowledge.tools);
        flight
    }

    /// Makes a flight answer for its server: it is watched, and as whoever comes next wants a fresh one, it need not live
    /// on.
    fn own(&self, flight: &mut Flight) {
        flight.watchdog = self.limits.and_then(|limits| {
            flight.session.with_process(|process| Watchdog::start(process, limits, self.runtime))
        });
        flight.session.use_up();
    }

    /// What an input is tried on: a session with a fresh server, or a server that nobody has greeted.
    pub(super) async fn open_for(&self, input: &Input, patient: bool) -> Option<Flight> {
        if !input.is_bare() {
            return self.open(patient).await;
        }
        let session = self.opener.bare(self.revision, ClientKind::Usual, true).await.ok()?;
        let mut flight = Flight::new(session, self.startup, patient);
        self.own(&mut flight);
        flight.pace = self.pace.cloned();
        flight.bare = true;
        Some(flight)
    }

    /// What inputs bring about on a fresh server.
    pub(super) async fn suspects_of(
        &self,
        inputs: impl IntoIterator<Item = Input>,
        patient: bool,
    ) -> Vec<Suspect> {
        let leg = self.leg_of(inputs, patient).await;
        leg.map_or_else(Vec::new, |leg| suspect::all(&leg, self.knowledge))
    }

    /// What inputs bring about on a fresh server; nothing if there are none, or it cannot be started.
    pub(super) async fn leg_of(&self, inputs: impl IntoIterator<Item = Input>, patient: bool) -> Option<Leg> {
        let mut inputs: VecDeque<Input> = inputs.into_iter().collect();
        let mut flight = self.open_for(inputs.front()?, patient).await?;
        while !inputs.is_empty() && flight.fly(&mut inputs).await == Landing::Sound {}
        if self.lingers {
            flight.linger().await;
        }
        Some(flight.take_leg())
    }

    /// What an input that was saved brings about, in the way that it was noticed and as often as it takes.
    async fn again(&self, input: Input, oracle: Option<Oracle>) -> Vec<Suspect> {
        let Some(oracle) = oracle else { return self.suspects_of([input], true).await };
        if endurance::takes_long(oracle, &input) {
            return endurance::again(self, oracle, &input).await.into_iter().collect();
        }
        let replayer = Replayer { lingers: oracle == Oracle::Crash, ..*self };
        let mut suspects = Vec::new();
        for _ in 0..REPEATS {
            suspects = replayer.suspects_of([input.clone()], true).await;
            if !suspects.is_empty() {
                break;
            }
        }
        suspects
    }

    /// Whether an input shows a suspect on a fresh server; if so, as it was seen there.
    async fn shows(&self, input: &Input, suspect: &Suspect, patient: bool) -> Option<Suspect> {
        self.suspects_of([input.clone()], patient).await.into_iter().find(|other| is_same(other, suspect))
    }

    /// Finds the input that brings a suspect about: one of those that may have, or several in a row.
    async fn cause(&self, suspect: &Suspect, tried: &[Input], look: Look) -> Option<(Input, Suspect)> {
        if suspect.oracle == Oracle::Poisoned && suspect.tries.len() > 1 {
            // It takes all of them, and nothing else.
            let inputs: Vec<Input> =
                suspect.tries.iter().filter_map(|place| tried.get(*place)).cloned().collect();
            let joined = joined(&inputs);
            return self.shows(&joined, suspect, true).await.map(|seen| (joined, seen));
        }
        for place in &suspect.tries {
            if Instant::now() > self.deadline {
                return None;
            }
            let Some(input) = tried.get(*place) else { continue };
            // What is answered soon enough need not be given all the time there is.
            if suspect.oracle == Oracle::NoAnswer && self.shows(input, suspect, false).await.is_none() {
                continue;
            }
            if let Some(seen) = self.shows(input, suspect, true).await {
                return Some((input.clone(), seen));
            }
        }
        // A server that was not greeted has seen nothing before.
        let is_bare = |place: &usize| tried.get(*place).is_some_and(Input::is_bare);
        if look == Look::Quick || suspect.oracle == Oracle::NoAnswer || suspect.tries.iter().any(is_bare) {
            return None;
        }
        // It takes what was before.
        let last = suspect.tries.iter().copied().max()?;
        for length in TAILS {
            if Instant::now() > self.deadline {
                return None;
            }
            let first = (last + 1).saturating_sub(length);
            let joined = joined(tried.get(first..=last)?);
            if let Some(seen) = self.shows(&joined, suspect, true).await {
                return Some((joined, seen));
            }
            if first == 0 {
                break;
            }
        }
        None
    }

    /// Confirms a suspect and makes its input small; none if it did not show itself again.
    pub(super) async fn confirm(&self, suspect: &Suspect, tried: &[Input], look: Look) -> Option<Confirmed> {
        let confirmed = self.confirm_so(suspect, tried, look).await;
        if confirmed.is_some() || look == Look::Quick || suspect.oracle != Oracle::Crash {
            return confirmed;
        }
        Replayer { lingers: true, ..*self }.confirm_so(suspect, tried, look).await
    }

    async fn confirm_so(&self, suspect: &Suspect, tried: &[Input], look: Look) -> Option<Confirmed> {
        let (input, seen) = self.cause(suspect, tried, look).await?;
        // To make an input smaller that ends the server now and then takes a start for each step.
        if look == Look::Quick && matches!(seen.oracle, Oracle::Crash | Oracle::Excess) {
            self.shows(&input, &seen, true).await?;
        }
        let mut smallest = Vec::new();
        // What poisons a server is tried on another each time anyway.
        let more_care = Some(Some(Care::Much)).filter(|_| seen.oracle != Oracle::Poisoned);
        for care in [Some(Care::Little)].into_iter().chain(more_care).chain([None]) {
            let minimized = match care {
                Some(care) => self.shrink(&input, &seen, care).await,
                // What was found stands as it is.
                None => input.clone(),
            };
            if smallest.contains(&minimized) {
                continue;
            }
            if let Some((suspect, reproduced)) = self.holds(&minimized, &seen).await {
                return Some(Confirmed { suspect, input, minimized, reproduced: (reproduced, REPEATS) });
            }
            smallest.push(minimized);
            if look == Look::Quick || Instant::now() > self.deadline {
                break;
            }
        }
        None
    }

    /// Whether an input shows a suspect again often enough to be believed; if so, as it was seen, and how often.
    async fn holds(&self, input: &Input, suspect: &Suspect) -> Option<(Suspect, u32)> {
        let (reproduced, shown) = self.repeat(input, suspect).await;
        let suspect = shown?;
        // Silence now and then may be load; only silence each time is the server's.
        if suspect.oracle.is_silence() && reproduced < REPEATS {
            return None;
        }
        // A tool may take its time, whatever it was given: silence counts when it lasts much longer than any answer.
        if suspect.oracle.is_silence() && calls_a_tool(input) {
            let patient = Replayer { timeout: self.timeout.max(WORK), ..*self };
            patient.shows(input, &suspect, true).await?;
        }
        Some((suspect, reproduced))
    }

    async fn repeat(&self, input: &Input, suspect: &Suspect) -> (u32, Option<Suspect>) {
        // One that is given all the time there is is enough to know that it is not just slow.
        let again = (0..REPEATS).map(|time| self.shows(input, suspect, time == 0));
        // Silence has to be waited for, which costs no more on several servers at once.
        let side_by_side = if self.at_once && suspect.oracle.is_silence() { again.len() } else { 1 };
        let seen: Vec<Suspect> = stream::iter(again).buffered(side_by_side).filter_map(ready).collect().await;
        (u32::try_from(seen.len()).unwrap_or(REPEATS), seen.into_iter().last())
    }

    /// The smallest input that shows the suspect.
    async fn shrink(&self, input: &Input, suspect: &Suspect, care: Care) -> Input {
        let until = (Instant::now() + SHRINKING).min(self.deadline);
        let mut tree = InputTree::new(input.clone(), self.maker.cloned());
        let mut flight: Option<Flight> = None;
        let mut best = input.clone();
        // The tree ends by itself.
        let mut more = tree.simplify();
        while more && Instant::now() <= until {
            let candidate = tree.current();
            let mut open = match flight.take() {
                Some(open) => open,
                None => match self.open_for(&candidate, false).await {
                    Some(open) => open,
                    None => break,
                },
            };
            open.hasty = care == Care::Little || !suspect.oracle.is_silence();
            open.fly(&mut VecDeque::from([candidate.clone()])).await;
            if self.lingers {
                open.linger().await;
            }
            let leg = open.take_leg();
            open.forget_ids();
            // Over HTTP what was tried before stands in the same recording.
            let latest = leg.tries.len().checked_sub(1);
            let shows = suspect::all(&leg, self.knowledge)
                .iter()
                .any(|seen| seen.tries.first().copied() == latest && is_same(seen, suspect));
            let lives = open.landing == Landing::Sound;
            // What poisons a server also does so where nothing shows it.
            let is_as_new = suspect.oracle != Oracle::Poisoned && (!shows || care == Care::Little);
            flight = (lives && is_as_new && !candidate.is_bare()).then_some(open);
            more = if shows {
                best = candidate.clone();
                tree.simplify()
            } else {
                tree.complicate()
            };
        }
        best
    }
}

/// How careful inputs are made smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    /// On one server as long as it lives, unless that is to be poisoned, and what is not answered soon counts as not
    /// answered.
    Little,
    /// On another server after each input that showed something, with time for answers.
    Much,
}

/// Whether two suspects are the same fault. What a server hangs on or does not answer is named by its input, which may
/// have become smaller meanwhile.
fn is_same(one: &Suspect, other: &Suspect) -> bool {
    one.oracle == other.oracle && (one.signature == other.signature || one.oracle.is_silence())
}

/// Whether an input calls a tool, as far as one can tell.
fn calls_a_tool(input: &Input) -> bool {
    const CALL: &str = "tools/call";
    input.steps.iter().any(|step| match &step.action {
        Action::Request(send) => send.method == CALL,
        Action::Raw(text) => text.contains(CALL),
        Action::Json(value) => value.get("method").is_some_and(|method| method == CALL),
        _ => false,
    })
}

/// One input that does what several do. Where they use the same name, the latest step that has it is meant, which is the
/// one of the same input.
fn joined(inputs: &[Input]) -> Input {
    Input { origin: "sequence", steps: inputs.iter().flat_map(|input| input.steps.clone()).collect() }
}

/// What came of an input that was tried again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The file that it is from.
    pub name: String,
    /// Where it was tried.
    pub revision: Revision,
    /// Over which transport.
    pub transport: Transport,
    /// What was noticed, and by which oracle.
    pub faults: Vec<(Oracle, String)>,
}

/// Tries inputs again, each on a fresh server in every revision under test; says whether it was interrupted.
///
/// # Errors
/// When there is no server to try them on.
pub async fn all(
    library: &Library,
    fuzz: &FuzzSettings,
    saved: Vec<Saved>,
    stop: watch::Receiver<Stop>,
    tell: &mut dyn FnMut(&Replayed),
) -> Result<bool, RunError> {
    let ground = Ground::prepare(library, fuzz, &stop).await?;
    let mut interrupted = false;
    'inputs: for Saved { name, input, oracle } in saved {
        for place in &ground.places {
            let replayer = Replayer {
                opener: &place.opener,
                revision: place.revision,
                maker: Some(&place.maker),
                knowledge: &place.knowledge,
                timeout: fuzz.settings.timeout,
                startup: fuzz.settings.startup_timeout,
                limits: ground.limits,
                runtime: &ground.runtime,
                pace: ground.pace.as_ref(),
                deadline: Instant::now() + fuzz.settings.max_time,
                lingers: false,
                at_once: ground.introduction.lanes > 1 && place.opener.has_many_servers(),
            };
            // A case file does not tell what is known of the answers.
            let mut input = input.clone();
            if oracle == Some(Oracle::AcceptedInvalid) {
                place.maker.reclaim_forbidden(&mut input);
            } else {
                place.maker.reclaim(&mut input);
            }
            let suspects = tokio::select! {
                suspects = replayer.again(input, oracle) => suspects,
                () = run::stopped(stop.clone()) => {
                    interrupted = true;
                    break 'inputs;
                }
            };
            let faults = suspects.into_iter().map(|suspect| (suspect.oracle, suspect.message)).collect();
            let (revision, transport) = (place.revision, place.opener.transport());
            tell(&Replayed { name: name.clone(), revision, transport, faults });
        }
    }
    ground.close().await;
    Ok(interrupted)
}
