//! A run: greet the server, learn what it offers, plan, carry out, judge, report.

mod http;
mod items;
mod job;
mod ledger;
pub(crate) mod script;
pub(crate) mod surface;
mod watching;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use mcp_conform_cases::{Library, Revision, RevisionSet};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::detect::{self, Access, Begun, NotSpeaking, Opener};
use crate::event::{Event, Finish, Header, Introduction, Listener, Named, Transport};
use crate::guardian::Guardian;
use crate::plan::{Plan, SessionKey};
use crate::process::Patience;
use crate::profile::Profile;
use crate::session::client::ScriptedClient;
use crate::settings::Settings;
use crate::target::Way;
use crate::transcript::Health;
use crate::transport::http::exchange::Clients;
use crate::transport::http::host::Hosts;
use crate::transport::http::tls;
pub(crate) use items::hints;
use job::{Job, Shared};
use ledger::Ledger;
use surface::Surface;

/// Why a run gave no verdicts.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The server could not be started or never spoke.
    #[error(transparent)]
    NotSpeaking(#[from] NotSpeaking),
    /// The server speaks, and none of the wanted revisions is among what it speaks.
    #[error("the server speaks {spoken}, and none of the revisions asked for\n  try: --revision all")]
    NoRevision {
        /// What it speaks.
        spoken: String,
    },
    /// Nothing was left to run.
    #[error("no case is left to run: none of the selected ones covers {revisions} over {transport}")]
    NothingSelected {
        /// The revisions under test.
        revisions: String,
        /// The transport.
        transport: String,
    },
    /// The time was up before the first case.
    #[error("the server has not told what it offers within --max-time {0} s")]
    OutOfTime(f32),
    /// The certificates to trust are none.
    #[error("the certificates to trust could not be read: {0}")]
    Certificates(String),
    /// The scratch folder could not be made.
    #[error("no scratch folder could be made: {0}")]
    Scratch(std::io::Error),
    /// No engine guides.
    #[error("guided fuzzing cannot begin: {0}")]
    Guided(String),
    /// Interrupted before there was anything to report.
    #[error("interrupted before the first case")]
    Interrupted,
}

/// What cuts a run short.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// Nothing.
    #[default]
    No,
    /// The user.
    Interrupted,
    /// The clock.
    OutOfTime,
}

/// The patience with servers whose end is not under test.
const QUICK: Patience =
    Patience { after_close: Duration::from_millis(500), after_term: Duration::from_millis(500) };

/// What every job of a run shares.
pub(crate) struct Context {
    pub(crate) library: Library,
    pub(crate) settings: Settings,
    pub(crate) surfaces: Vec<Surface>,
    pub(crate) plan: Plan,
    pub(crate) scratch: String,
    /// How many cases have left the server hanging.
    hangs: AtomicUsize,
    /// How many have left it otherwise.
    others: AtomicUsize,
}

/// After so many cases that left the server hanging it is given up, if that were more than the others: each takes all the
/// time there is.
const MOST_HANGS: usize = 12;

impl Context {
    /// Takes note of how a case left the server.
    pub(crate) fn note_health(&self, health: Health) {
        let count = if health == Health::Hung { &self.hangs } else { &self.others };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the server hangs, whatever is done.
    pub(crate) fn hangs_for_good(&self) -> bool {
        let hangs = self.hangs.load(Ordering::Relaxed);
        hangs >= MOST_HANGS && hangs > self.others.load(Ordering::Relaxed)
    }

    /// What was learned of the server over a transport.
    pub(crate) fn surface(&self, transport: Transport) -> Option<&Surface> {
        self.surfaces.iter().find(|surface| surface.transport == transport)
    }
}

/// Runs the suite. `stop` ends it early, with a verdict for every item all the same.
///
/// # Errors
/// When no item could be run.
pub async fn run(
    library: Library,
    settings: Settings,
    listeners: &mut [Box<dyn Listener>],
    stop: watch::Receiver<Stop>,
) -> Result<(Header, Finish), RunError> {
    let started = Instant::now();
    let mut tell = |event: &Event| listeners.iter_mut().for_each(|listener| listener.on(event));
    let scratch = tempfile::Builder::new().prefix("mcp-conform-").tempdir().map_err(RunError::Scratch)?;
    // A server that lists its roots finds something there.
    std::fs::write(scratch.path().join("hello.txt"), "hello\n").map_err(RunError::Scratch)?;
    let scratch_path = scratch.path().to_string_lossy().into_owned();
    let guardian = settings.executable.as_deref().and_then(|path| Guardian::start(path).ok()).map(Arc::new);
    let scripted = ScriptedClient { roots: roots(&settings, &scratch_path), ..ScriptedClient::default() };
    let openers = openers(&settings, guardian.as_ref(), &scripted)?;

    tell(&Event::Progress("starting the server".to_owned()));
    let deadline = started + settings.max_time;
    let learned = tokio::select! {
        learned = try_join_all(openers.into_iter().map(|opener| Surface::learn(opener, &settings))) => learned?,
        () = stopped(stop.clone()) => return Err(RunError::Interrupted),
        () = sleep_until(deadline) => return Err(RunError::OutOfTime(settings.max_time.as_secs_f32())),
    };
    let (surfaces, sessions): (Vec<Surface>, Vec<Vec<Begun>>) = learned.into_iter().unzip();
    let mut plan = Plan::default();
    for surface in &surfaces {
        let reach = surface.reach(&settings);
        plan.add(&library, &surface.profiles, surface.transport, &settings, reach);
    }
    if plan.items.is_empty() {
        let tested: RevisionSet =
            surfaces.iter().flat_map(|surface| surface.profiles.keys().copied()).collect();
        let transports: Vec<&str> = surfaces.iter().map(|surface| surface.transport.as_str()).collect();
        return Err(RunError::NothingSelected {
            revisions: tested.to_string(),
            transport: transports.join(" and "),
        });
    }
    let header = header(&settings, &surfaces, plan.items.len());
    tell(&Event::Started(Box::new(header.clone())));

    let sessions: Vec<Begun> = sessions.into_iter().flatten().collect();
    let context = Arc::new(Context {
        library,
        settings,
        surfaces,
        plan,
        scratch: scratch_path,
        hangs: AtomicUsize::new(0),
        others: AtomicUsize::new(0),
    });
    let mut ledger = Ledger::new(Arc::clone(&context));
    for result in ledger.skipped() {
        tell(&Event::Finished(Box::new(result)));
    }
    let (results, mut incoming) = mpsc::unbounded_channel();
    let lanes = Arc::new(Semaphore::new(context.settings.jobs.max(1)));
    let mut running = JoinSet::new();
    for (ordinal, job) in jobs(&context, sessions).into_iter().enumerate() {
        let (context, lanes, results) = (Arc::clone(&context), Arc::clone(&lanes), results.clone());
        running.spawn(async move {
            // The semaphore is never closed, so there is always a permit to come.
            let lane = lanes.acquire_owned().await.ok();
            job.carry_out(&context, ordinal, lane, &results).await;
        });
    }
    drop(results);
    let mut why = Stop::No;
    loop {
        tokio::select! {
            done = incoming.recv() => match done {
                Some(done) => {
                    for result in ledger.take(done) {
                        tell(&Event::Finished(Box::new(result)));
                    }
                }
                None => break,
            },
            () = stopped(stop.clone()) => { why = Stop::Interrupted; break }
            () = sleep_until(deadline) => { why = Stop::OutOfTime; break }
        }
    }
    // Dropping the jobs ends their servers.
    running.abort_all();
    while running.join_next().await.is_some() {}
    join_all(context.surfaces.iter().map(|surface| surface.opener.close(QUICK))).await;
    for result in ledger.close(why) {
        tell(&Event::Finished(Box::new(result)));
    }
    let finish = ledger.finish(started.elapsed(), why);
    tell(&Event::Ended(Box::new(finish.clone())));
    Ok((header, finish))
}

/// What our side answers to `roots/list`: the folders on the server's own command line, which it may use already, and
/// the scratch folder.
pub(crate) fn roots(settings: &Settings, scratch: &str) -> Vec<String> {
    let mut roots: Vec<String> = settings
        .target
        .commands()
        .flat_map(items::folders)
        .map(|folder| format!("file://{folder}"))
        .collect();
    roots.dedup();
    roots.push(format!("file://{scratch}"));
    roots
}

pub(crate) async fn stopped(mut stop: watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
        // Nobody is left who could stop us.
        std::future::pending::<()>().await;
    }
}

/// How sessions with the target are opened, for each way to reach it.
pub(crate) fn openers(
    settings: &Settings,
    guardian: Option<&Arc<Guardian>>,
    scripted: &ScriptedClient,
) -> Result<Vec<Opener>, RunError> {
    let startup = settings.startup_timeout;
    let opener = |way: &Way| -> Result<Opener, RunError> {
        let access = match way {
            Way::Stdio(command) => Access::Stdio { command: command.clone(), guardian: guardian.cloned() },
            Way::Http { command, address, transport } => {
                let authorities = settings.http.authorities.as_deref();
                let tls = tls::trusting(authorities, address.starts_with("https:"))
                    .map_err(RunError::Certificates)?;
                let hosts = Hosts::new(command.clone(), address.clone(), guardian.cloned(), startup);
                Access::Http {
                    transport: *transport,
                    hosts: Arc::new(hosts),
                    clients: Clients::new(tls),
                    headers: settings.http.headers.clone(),
                }
            }
        };
        Ok(Opener { access, scripted: scripted.clone(), startup })
    };
    let wanted = settings.revisions.asked_for();
    let openers: Vec<Opener> = settings.target.ways.iter().map(opener).collect::<Result<_, _>>()?;
    // Of several ways those that carry none of the revisions are left out; the only one says so itself.
    let (carrying, others): (Vec<_>, Vec<_>) =
        openers.into_iter().partition(|opener| detect::carries_any(opener, wanted));
    Ok(if carrying.is_empty() { others } else { carrying })
}

fn header(settings: &Settings, surfaces: &[Surface], planned: usize) -> Header {
    // Over every transport a server should be the same; where it is not, the first one speaks for it.
    let mut profiles: BTreeMap<Revision, &Profile> = BTreeMap::new();
    let mut spoken = RevisionSet::EMPTY;
    for surface in surfaces {
        spoken.extend(surface.spoken.iter());
        for (revision, profile) in &surface.profiles {
            profiles.entry(*revision).or_insert(profile);
        }
    }
    let newest = profiles.values().next_back();
    let mut not_called: Vec<String> = Vec::new();
    for name in profiles.values().flat_map(|profile| profile.not_callable(&settings.calls)) {
        if !not_called.iter().any(|known| known == name) {
            not_called.push(name.to_owned());
        }
    }
    let all: Vec<&Profile> = profiles.values().copied().collect();
    let unlisted = Profile::unlisted(&settings.calls, &all);
    let mut notes: Vec<String> = surfaces.iter().flat_map(|surface| surface.notes.clone()).collect();
    notes.dedup();
    if !unlisted.is_empty() {
        notes.push(format!("`--call` names tools that the server does not list: {}", unlisted.join(", ")));
    }
    Header {
        tool: Named { name: "mcp-conform".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        target: settings.target.words.join(" "),
        server: newest.map(|profile| profile.server.clone()).unwrap_or_default(),
        transports: surfaces.iter().map(|surface| surface.transport).collect(),
        revisions: profiles
            .iter()
            .map(|(revision, profile)| -> Introduction { profile.introduction(*revision) })
            .collect(),
        also_speaks: spoken.iter().filter(|revision| !profiles.contains_key(revision)).collect(),
        not_called,
        notes,
        seed: settings.seed,
        planned,
    }
}

/// So many cases share a session over HTTP, where another session costs no process. The number must not depend on the
/// lanes, or the same seed would not send the same.
const SHARED_OVER_HTTP: usize = 30;

/// The jobs of a run: one for each shared session, one for each case that needs a session of its own. Those that
/// take longest come first, so that no lane is left alone with them at the end.
fn jobs(context: &Arc<Context>, sessions: Vec<Begun>) -> Vec<Job> {
    let mut items: BTreeMap<SessionKey, Vec<usize>> = BTreeMap::new();
    let mut begun: BTreeMap<SessionKey, Begun> = BTreeMap::new();
    for session in sessions {
        let key = SessionKey {
            transport: session.session.transcript.transport,
            revision: session.session.revision(),
            declares: true,
        };
        items.insert(key, Vec::new());
        begun.insert(key, session);
    }
    for (index, item, case) in context.plan.of_kind(&context.library, true) {
        items.entry(SessionKey::of(case, item.transport, item.revision)).or_default().push(index);
    }
    let mut jobs = Vec::new();
    for (key, items) in items {
        let most = if key.transport == Transport::Stdio { usize::MAX } else { SHARED_OVER_HTTP };
        let mut parts = items.chunks(most).map(<[usize]>::to_vec);
        // Also a session without cases has been recorded, and is judged.
        let first = Shared { key, begun: begun.remove(&key), items: parts.next().unwrap_or_default() };
        let others = parts.map(|items| Shared { key, begun: None, items });
        jobs.extend(std::iter::once(first).chain(others).map(Box::new).map(Job::Shared));
    }
    jobs.extend(context.plan.of_kind(&context.library, false).map(|(index, _, _)| Job::Own(index)));
    jobs
}
