//! A run: greet the server, learn what it offers, plan, carry out, judge, report.

mod items;
mod job;
mod ledger;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Library, Revision, RevisionSet};
use serde_json::{Map, Value};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::detect::{self, Begun, NotSpeaking, Opener};
use crate::event::{Event, Finish, Header, Introduction, Listener, Named, Transport};
use crate::guardian::Guardian;
use crate::plan::{Plan, SessionKey};
use crate::process::Patience;
use crate::profile::Profile;
use crate::session::client::ScriptedClient;
use crate::settings::{Settings, WhichRevisions};
use job::{Job, Shared};
use ledger::Ledger;

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
        transport: &'static str,
    },
    /// The scratch folder could not be made.
    #[error("no scratch folder could be made: {0}")]
    Scratch(std::io::Error),
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
    pub(crate) opener: Opener,
    pub(crate) plan: Plan,
    pub(crate) profiles: BTreeMap<Revision, Profile>,
    /// The values that templates may name in every case of a revision.
    pub(crate) variables: BTreeMap<Revision, Arc<Map<String, Value>>>,
    pub(crate) scratch: String,
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
    let opener = Opener {
        command: settings.target.command.clone(),
        guardian,
        scripted: ScriptedClient { roots: roots(&settings, &scratch_path), ..ScriptedClient::default() },
        startup: settings.startup_timeout,
    };

    tell(&Event::Progress("starting the server".to_owned()));
    let deadline = started + settings.max_time;
    let learned = tokio::select! {
        learned = learn(&opener, &settings) => learned?,
        () = stopped(stop.clone()) => return Err(RunError::Interrupted),
    };
    let Learned { spoken, profiles, sessions } = learned;
    let plan = Plan::new(&library, &profiles, Transport::Stdio, &settings, is_dual(spoken));
    if plan.items.is_empty() {
        let tested: RevisionSet = profiles.keys().copied().collect();
        return Err(RunError::NothingSelected {
            revisions: tested.to_string(),
            transport: Transport::Stdio.as_str(),
        });
    }
    let header = header(&settings, &profiles, spoken, plan.items.len());
    tell(&Event::Started(Box::new(header.clone())));

    let variables = profiles
        .iter()
        .map(|(revision, profile)| (*revision, items::shared_variables(*revision, profile)))
        .collect();
    let context =
        Arc::new(Context { library, settings, opener, plan, profiles, variables, scratch: scratch_path });
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
    for result in ledger.close(why) {
        tell(&Event::Finished(Box::new(result)));
    }
    let finish = ledger.finish(started.elapsed(), why == Stop::Interrupted);
    tell(&Event::Ended(Box::new(finish.clone())));
    Ok((header, finish))
}

/// What our side answers to `roots/list`: the folders on the server's own command line, which it may use already, and
/// the scratch folder.
fn roots(settings: &Settings, scratch: &str) -> Vec<String> {
    let mut roots: Vec<String> =
        items::folders(&settings.target.command).map(|folder| format!("file://{folder}")).collect();
    roots.push(format!("file://{scratch}"));
    roots
}

async fn stopped(mut stop: watch::Receiver<Stop>) {
    if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
        // Nobody is left who could stop us.
        std::future::pending::<()>().await;
    }
}

struct Learned {
    spoken: RevisionSet,
    profiles: BTreeMap<Revision, Profile>,
    sessions: Vec<Begun>,
}

/// Finds out what the server speaks and asks it, in every revision under test, what it offers.
async fn learn(opener: &Opener, settings: &Settings) -> Result<Learned, RunError> {
    let all = match settings.revisions {
        WhichRevisions::NewestOfEachEra => RevisionSet::ALL,
        WhichRevisions::These(set) => set,
    };
    let detected = detect::detect(opener, all).await?;
    let mut spoken = detected.spoken;
    let mut sessions = detected.begun;
    // The detection asked for the newest of each era; whoever wants more asks for each.
    if let WhichRevisions::These(set) = settings.revisions {
        let mut asking = JoinSet::new();
        let lanes = Arc::new(Semaphore::new(settings.jobs.max(1)));
        for revision in
            set.iter().filter(|revision| !spoken.contains(*revision) && revision.era() == Era::Stateful)
        {
            let (opener, lanes) = (opener.clone(), Arc::clone(&lanes));
            asking.spawn(async move {
                let _permit = lanes.acquire_owned().await;
                opener.begin(revision, ClientKind::Usual).await
            });
        }
        while let Some(done) = asking.join_next().await {
            if let Ok(Ok(begun)) = done {
                spoken.insert(begun.session.revision());
                sessions.push(begun);
            }
        }
    }
    sessions.retain(|begun| settings.revisions.wants(begun.session.revision(), spoken));
    if sessions.is_empty() {
        return Err(RunError::NoRevision { spoken: spoken.to_string() });
    }
    let limit = settings.timeout;
    let mut profiles = BTreeMap::new();
    let mut asking = JoinSet::new();
    for mut begun in sessions {
        asking.spawn(async move {
            let profile = Profile::learn(&mut begun.session, &begun.greeting, limit).await;
            (begun, profile)
        });
    }
    let mut sessions = Vec::new();
    while let Some(done) = asking.join_next().await {
        if let Ok((begun, profile)) = done {
            profiles.insert(begun.session.revision(), profile);
            sessions.push(begun);
        }
    }
    sessions.sort_by_key(|begun| begun.session.revision());
    Ok(Learned { spoken, profiles, sessions })
}

fn is_dual(spoken: RevisionSet) -> bool {
    [Era::Stateful, Era::Stateless].into_iter().all(|era| spoken.iter().any(|revision| revision.era() == era))
}

fn header(
    settings: &Settings,
    profiles: &BTreeMap<Revision, Profile>,
    spoken: RevisionSet,
    planned: usize,
) -> Header {
    let newest = profiles.values().next_back();
    let mut not_called: Vec<String> = Vec::new();
    for name in profiles.values().flat_map(|profile| profile.not_callable(&settings.calls)) {
        if !not_called.iter().any(|known| known == name) {
            not_called.push(name.to_owned());
        }
    }
    let listed = |name: &&str| profiles.values().any(|profile| profile.tool(name).is_some());
    let unknown: Vec<&str> = settings
        .calls
        .names
        .iter()
        .map(String::as_str)
        .filter(|name| *name != "all" && !listed(name))
        .collect();
    let mut notes = Vec::new();
    if !unknown.is_empty() {
        notes.push(format!("`--call` names tools that the server does not list: {}", unknown.join(", ")));
    }
    Header {
        tool: Named { name: "mcp-conform".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        target: settings.target.words.join(" "),
        server: newest.map(|profile| profile.server.clone()).unwrap_or_default(),
        transport: Transport::Stdio,
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

/// The jobs of a run: one for each shared session, one for each case that needs a session of its own. Those that
/// take longest come first, so that no lane is left alone with them at the end.
fn jobs(context: &Arc<Context>, sessions: Vec<Begun>) -> Vec<Job> {
    let mut shared: BTreeMap<SessionKey, Shared> = BTreeMap::new();
    for begun in sessions {
        let key = SessionKey { revision: begun.session.revision(), declares: true };
        shared.insert(key, Shared { key, begun: Some(begun), items: Vec::new() });
    }
    for (index, item, case) in context.plan.of_kind(&context.library, true) {
        let key = SessionKey::of(case, item.revision);
        shared.entry(key).or_insert_with(|| Shared { key, begun: None, items: Vec::new() }).items.push(index);
    }
    let own = context.plan.of_kind(&context.library, false).map(|(index, _, _)| Job::Own(index));
    shared.into_values().map(Box::new).map(Job::Shared).chain(own).collect()
}
