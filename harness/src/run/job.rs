//! The jobs of a run: a shared session with its cases one after the other, or a case in a session of its own.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use mcp_conform_cases::case::{ClientKind, SessionKind};
use mcp_conform_cases::{Case, Era};
use serde_json::json;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::UnboundedSender;

use super::watching::{self, Seen};
use super::{Context, QUICK, script};
use crate::detect::{Begun, OpenError, Opener};
use crate::judge::{Judgement, attribution, steps};
use crate::plan::SessionKey;
use crate::profile::{self, Profile};
use crate::session::Session;
use crate::session::handshake::HandshakeError;
use crate::transcript::{CaseRecord, Health, Transcript};

/// How often a server that dies is started again within one shared session.
const MOST_RESTARTS: usize = 25;

/// The right to use a lane, given back while a server takes its time to end.
type Lane = Option<OwnedSemaphorePermit>;

/// A piece of work that runs beside others.
pub(super) enum Job {
    /// The cases that share a session.
    Shared(Box<Shared>),
    /// The item that needs its own.
    Own(usize),
}

/// The cases that share a session.
pub(super) struct Shared {
    pub(super) key: SessionKey,
    pub(super) begun: Option<Begun>,
    pub(super) items: Vec<usize>,
}

/// How often a case during which the server died must leave a fresh one alive before the case before it is blamed.
const DEATH_RETRIES: usize = 3;

/// What jobs tell the ledger.
pub(super) enum Done {
    /// An item was carried out and judged, in the session that comes with the same number later.
    Judged {
        /// The item.
        item: usize,
        /// What it showed.
        judgement: Judgement,
        /// The evidence, drawn while the recording was at hand.
        evidence: Vec<crate::event::Evidence>,
        /// How long it took.
        took: Duration,
    },
    /// An item could not be carried out.
    NotRun {
        /// The item.
        item: usize,
        /// Why.
        why: String,
        /// Whether the trouble is ours.
        ours: bool,
    },
    /// A session is over, with a number that orders sessions.
    Session {
        /// First by job, then by order within it.
        ordinal: (usize, usize),
        /// What the invariants saw in it.
        seen: Vec<Seen>,
    },
}

impl Job {
    /// Carries the job out. Our own panic costs the items of this job and no others.
    pub(super) async fn carry_out(
        self,
        context: &Context,
        ordinal: usize,
        lane: Lane,
        results: &UnboundedSender<Done>,
    ) {
        let items = match &self {
            Job::Shared(shared) => shared.items.clone(),
            Job::Own(item) => vec![*item],
        };
        let work = async {
            match self {
                Job::Shared(shared) => share(*shared, context, ordinal, lane, results).await,
                Job::Own(item) => alone(item, context, ordinal, lane, results).await,
            }
        };
        if AssertUnwindSafe(work).catch_unwind().await.is_err() {
            for item in items {
                failed(item, results);
            }
        }
    }
}

fn report(
    item: usize,
    case: &Case,
    (record, took): (&CaseRecord, Duration),
    transcript: &Transcript,
    results: &UnboundedSender<Done>,
) {
    report_as(steps::case(case, record, transcript), item, took, transcript, results);
}

fn report_as(
    judgement: Judgement,
    item: usize,
    took: Duration,
    transcript: &Transcript,
    results: &UnboundedSender<Done>,
) {
    let evidence = match &judgement {
        Judgement::Broken(breach) => crate::judge::evidence::of(transcript, breach),
        Judgement::Kept | Judgement::Unseen(_) => Vec::new(),
    };
    // The receiver outlives the jobs, unless the run is being cut short.
    let _ = results.send(Done::Judged { item, judgement, evidence, took });
}

/// Tells that we failed ourselves.
fn failed(item: usize, results: &UnboundedSender<Done>) {
    let why = "mcp-conform itself failed here; please report it".to_owned();
    let _ = results.send(Done::NotRun { item, why, ours: true });
}

/// Whether the server hangs whatever is done, so that the item is not tried.
fn is_given_up(context: &Context, item: usize, results: &UnboundedSender<Done>) -> bool {
    let gives_up = context.hangs_for_good();
    if gives_up {
        let why = "not tried: the server kept hanging in the cases before it".to_owned();
        let _ = results.send(Done::NotRun { item, why, ours: false });
    }
    gives_up
}

async fn share(
    shared: Shared,
    context: &Context,
    ordinal: usize,
    lane: Lane,
    results: &UnboundedSender<Done>,
) {
    let Shared { key, begun, items } = shared;
    let mut session = begun.map(|begun| begun.session);
    let mut restarts = 0;
    for item in items {
        let Some(case) = context.plan.items.get(item).and_then(|item| context.library.cases.get(item.case))
        else {
            continue;
        };
        if is_given_up(context, item, results) {
            continue;
        }
        if session.as_ref().is_some_and(Session::is_half_full)
            && let Some(full) = session.take()
        {
            end(full, context, (ordinal, restarts), results).await;
        }
        let mut open = match session.take().filter(|open| !open.is_stale()) {
            Some(open) => open,
            None if restarts >= MOST_RESTARTS => {
                let why = format!("the server was started {restarts} times again already");
                let _ = results.send(Done::NotRun { item, why, ours: false });
                continue;
            }
            None => {
                restarts += 1;
                match open_shared(context, key).await {
                    Ok(open) => open,
                    Err(why) => {
                        let _ = results.send(Done::NotRun { item, why, ours: false });
                        continue;
                    }
                }
            }
        };
        let is_first = open.transcript.cases.iter().all(|earlier| earlier.case == profile::CASE);
        let (record, took) = timed(script::carry_out(&mut open, case, context)).await;
        context.note_health(record.health);
        if record.health == Health::Well {
            let judgement = steps::case(case, &record, &open.transcript);
            // A server may answer late what had no id, and nobody can see which message such an answer is for.
            let is_doubtful = attribution::is_doubtful(&judgement, &record, &open.transcript);
            let elsewhere = if is_doubtful { Elsewhere::carry_out(context, key, case).await } else { None };
            match elsewhere {
                Some(elsewhere) => {
                    context.note_health(elsewhere.record.health);
                    elsewhere.report(item, case, context, (ordinal, restarts), results).await;
                }
                None => {
                    let judgement = if is_doubtful { nobodys() } else { judgement };
                    report_as(judgement, item, took, &open.transcript, results);
                }
            }
            restarts += usize::from(is_doubtful);
            open.transcript.cases.push(record);
            session = Some(open);
            continue;
        }
        // Perhaps the case before it killed the server, and it only shows now; fresh servers will tell.
        let doubtful = record.health == Health::Dead && !case.hostile && !is_first;
        if doubtful
            && retry_elsewhere(context, key, case, item, results, (ordinal, restarts)).await == Some(true)
        {
            if let Some(last) = open.transcript.cases.last_mut() {
                last.health = Health::Dead;
            }
        } else {
            report(item, case, (&record, took), &open.transcript, results);
            open.transcript.cases.push(record);
        }
        restarts += usize::from(doubtful);
        end(open, context, (ordinal, restarts), results).await;
    }
    drop(lane);
    if let Some(open) = session {
        end(open, context, (ordinal, restarts + 1), results).await;
    }
}

/// What is said where a response without an id may be an answer to an earlier case, and no other session can tell.
fn nobodys() -> Judgement {
    let why = "a response without an id came, perhaps to an earlier message, and no second session began";
    Judgement::Unseen(why.to_owned())
}

/// What comes of it, and how long that took.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (work.await, began.elapsed())
}

/// A case that was carried out in a session of its own, beside the shared one.
struct Elsewhere {
    session: Session,
    record: CaseRecord,
    took: Duration,
}

impl Elsewhere {
    async fn carry_out(context: &Context, key: SessionKey, case: &Case) -> Option<Elsewhere> {
        let mut session = open_shared(context, key).await.ok()?;
        let (record, took) = timed(script::carry_out(&mut session, case, context)).await;
        Some(Elsewhere { session, record, took })
    }

    /// Reports what it showed, and ends the session.
    async fn report(
        self,
        item: usize,
        case: &Case,
        context: &Context,
        ordinal: (usize, usize),
        results: &UnboundedSender<Done>,
    ) {
        let Elsewhere { mut session, record, took } = self;
        report(item, case, (&record, took), &session.transcript, results);
        session.transcript.cases.push(record);
        end(session, context, ordinal, results).await;
    }
}

/// Carries a case out in fresh sessions; says whether the server survived it, and reports the case if so.
async fn retry_elsewhere(
    context: &Context,
    key: SessionKey,
    case: &Case,
    item: usize,
    results: &UnboundedSender<Done>,
    ordinal: (usize, usize),
) -> Option<bool> {
    // A race may kill the server now and then only, so one survival proves little.
    for retry in 1..=DEATH_RETRIES {
        let mut tried = Elsewhere::carry_out(context, key, case).await?;
        if tried.record.health != Health::Well {
            tried.session.distrust();
            return Some(false);
        }
        if retry == DEATH_RETRIES {
            tried.report(item, case, context, ordinal, results).await;
        }
    }
    Some(true)
}

/// Ends a session and judges what was recorded. The cases of it have their verdicts already, so that a panic of ours must
/// be told of the invariants.
async fn end(session: Session, context: &Context, ordinal: (usize, usize), results: &UnboundedSender<Done>) {
    let transcript = session.finish(QUICK).await;
    let watch = || watching::watch(context, &transcript);
    match std::panic::catch_unwind(AssertUnwindSafe(watch)) {
        Ok(seen) => {
            let _ = results.send(Done::Session { ordinal, seen });
        }
        Err(_) => watching::watched(context, &transcript).for_each(|(item, _)| failed(item, results)),
    }
}

fn client_of(key: SessionKey) -> ClientKind {
    match (key.revision.era(), key.declares) {
        (Era::Stateless, _) => ClientKind::Usual,
        (Era::Stateful, true) => ClientKind::Full,
        (Era::Stateful, false) => ClientKind::Plain,
    }
}

/// Another session for the cases that share one. What the server lists is asked again, because rules compare what it
/// says later in a session with what it listed there.
async fn open_shared(context: &Context, key: SessionKey) -> Result<Session, String> {
    let mut session = begin(context, key, SessionKind::Shared, false).await?;
    let greeting = json!({ "capabilities": session.transcript.capabilities });
    Profile::learn(&mut session, &greeting, context.settings.timeout).await;
    Ok(session)
}

/// Opens a session; with `alone` no other one has used the server's process, or will, where that is possible.
async fn begin(
    context: &Context,
    key: SessionKey,
    kind: SessionKind,
    alone: bool,
) -> Result<Session, String> {
    let surface = context.surface(key.transport).ok_or("nothing is known of this transport")?;
    let mut opened = open(&surface.opener, key, kind, alone).await;
    // A server on a fixed port that was hung up by the case before is one for all.
    if matches!(opened, Err(OpenError::Handshake(HandshakeError::Silent | HandshakeError::Closed, _)))
        && surface.opener.discard_server()
    {
        opened = open(&surface.opener, key, kind, alone).await;
    }
    let mut session = opened.map_err(|error| match error {
        OpenError::Start(error) => format!("the server could not be started again: {error}"),
        OpenError::Host(error) => format!("the server is no longer there: {error}"),
        OpenError::Handshake(error, _) => format!("a new session could not begin: {error}"),
    })?;
    session.mirror(surface.mirrored(key.revision));
    if alone {
        session.distrust();
    }
    Ok(session)
}

async fn open(
    opener: &Opener,
    key: SessionKey,
    kind: SessionKind,
    fresh: bool,
) -> Result<Session, OpenError> {
    let client = client_of(key);
    match kind {
        SessionKind::Bare => opener.bare(key.revision, client, fresh).await,
        SessionKind::Fresh | SessionKind::Shared => {
            opener.begin(key.revision, client, fresh).await.map(|begun| begun.session)
        }
    }
}

async fn alone(item: usize, context: &Context, ordinal: usize, lane: Lane, results: &UnboundedSender<Done>) {
    let Some(planned) = context.plan.items.get(item) else { return };
    let Some(case) = context.library.cases.get(planned.case) else { return };
    if is_given_up(context, item, results) {
        return;
    }
    let key = SessionKey::of(case, planned.transport, planned.revision);
    let opened = begin(context, key, case.session, case.needs.own_process).await;
    let mut session = match opened {
        Ok(session) => session,
        Err(why) => {
            let _ = results.send(Done::NotRun { item, why, ours: false });
            return;
        }
    };
    let (record, took) = timed(script::carry_out(&mut session, case, context)).await;
    context.note_health(record.health);
    report(item, case, (&record, took), &session.transcript, results);
    session.transcript.cases.push(record);
    drop(lane);
    end(session, context, (ordinal, 0), results).await;
}
