//! The part of a campaign that an engine guides: it begins when the boundaries have been walked, and what it finds goes
//! the way of everything else that looks wrong.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use mcp_conform_cases::Revision;
use serde::Serialize;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{MOST_DOUBTS, Shared, calls_unserved, consider, may_just_be_slow, replayer, until};
use crate::fuzz::finding::Finding;
use crate::fuzz::ground::{Ground, Place};
use crate::fuzz::guided::{CORPUS, End, Event, Figures, Find, Run, Source, Work};
use crate::fuzz::input::Input;
use crate::fuzz::judging;
use crate::fuzz::replay::{Look, Replayer};
use crate::fuzz::suspect::{self, Suspect};
use crate::process::confine;
use crate::run::RunError;

/// So many inputs that reached something new are looked at by all oracles in one session.
const LOOKED_AT: usize = 128;
/// So many of them wait at most; there are more of them only at the beginning, when one is much like the other.
const MOST_REACHED: usize = 4096;
/// So many inputs that ended the server or silenced it wait at most.
const MOST_FINDS: usize = 256;
/// So much silence is put off until the end.
const MOST_PUT_OFF: usize = 16;
/// How long the worker may take to end of its own accord, beside what an answer may take.
const GRACE: Duration = Duration::from_secs(2);

/// That a campaign is guided.
#[derive(Clone, Debug, Default)]
pub struct GuidedSettings {
    /// The folder in which inputs are kept that reached something new, for campaigns that come after; nowhere if none.
    pub folder: Option<PathBuf>,
    /// A folder for each input, kept before or new, that reaches what none before it did in this campaign.
    pub merged: Option<PathBuf>,
}

/// What guided a server, and what came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Guided {
    /// The revision that was spoken.
    pub revision: Revision,
    /// What guided.
    pub source: Source,
    /// Figures.
    pub figures: Figures,
    /// Why it ended before its time.
    pub failed: Option<String>,
}

/// A place that is guided.
pub(super) struct Guide {
    number: usize,
    work: Work,
    executable: PathBuf,
    source: Source,
    /// Where inputs that reach something new are written, if that is wanted.
    merged: Option<PathBuf>,
    /// Removed with the value.
    _folder: Option<TempDir>,
}

/// Who guides where: a worker for each revision over stdio, as many as there may be servers at once, the newest first.
/// Each has shown that it can begin.
pub(super) async fn guides(
    ground: &Ground,
    settings: &GuidedSettings,
    (seed, startup): (u64, Duration),
    executable: Option<&PathBuf>,
) -> Result<Vec<Guide>, RunError> {
    let refused = |why: String| RunError::Guided(why);
    let executable = executable.ok_or_else(|| refused("our own executable is unknown".to_owned()))?;
    let mut guides = Vec::new();
    for (number, place) in ground.places.iter().enumerate().rev() {
        let (folder, temporary) = match &settings.folder {
            Some(folder) => (folder.join(place.revision.as_str()), None),
            None => {
                let temporary = confine::scratch().map_err(RunError::Scratch)?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        if guides.len() >= ground.introduction.lanes {
            break;
        }
        let Some(mut work) = ground.work(place, folder) else { continue };
        let merged = settings.merged.as_ref().map(|folder| folder.join(place.revision.as_str()).join(CORPUS));
        work.seed = seed;
        work.startup_timeout = startup;
        let guide = Guide {
            number,
            work,
            executable: executable.clone(),
            source: Source::Nothing,
            merged,
            _folder: temporary,
        };
        guides.push(guide);
    }
    for guide in &mut guides {
        guide.source = probe(guide).await.map_err(refused)?;
        if let Some(merged) = &guide.merged {
            fs::create_dir_all(merged).map_err(|error| refused(format!("{}: {error}", merged.display())))?;
        }
    }
    Ok(guides)
}

impl Guide {
    /// What guides.
    pub(super) fn source(&self) -> Source {
        self.source
    }
}

/// Starts the server once, to learn what it reports.
async fn probe(guide: &Guide) -> Result<Source, String> {
    let mut work = guide.work.clone();
    work.executions = Some(0);
    let mut run = Run::start(work, &guide.executable, None).await.map_err(|error| error.to_string())?;
    let mut source = None;
    while let Some(event) = run.next().await {
        match event {
            Event::Began { source: told } => source = Some(told),
            Event::Failed { why } => return Err(why),
            _ => {}
        }
    }
    source.ok_or_else(|| "the engine does not begin".to_owned())
}

/// Has an engine drive the server until the budget is spent, and looks into what it finds.
pub(super) async fn carry_out(
    shared: Arc<Shared>,
    mut guide: Guide,
    cases: Option<u64>,
    found: mpsc::UnboundedSender<Finding>,
) {
    let Some(place) = shared.ground.places.get(guide.number) else { return };
    guide.work.executions = cases;
    guide.work.time = shared.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    guide.work.timeout = shared.timeout;
    let (finds, told_finds) = mpsc::channel(MOST_FINDS);
    let (reached, told_reached) = mpsc::channel(MOST_REACHED);
    let driven = async {
        let guided = drive(&shared, &guide, finds, reached).await;
        shared.book().guided.push(guided);
    };
    tokio::join!(driven, examine(&shared, place, told_finds, told_reached, &found));
}

/// Hears the worker until it is done.
async fn drive(
    shared: &Shared,
    guide: &Guide,
    finds: mpsc::Sender<Find>,
    reached: mpsc::Sender<Vec<u8>>,
) -> Guided {
    let mut guided = Guided {
        revision: guide.work.revision,
        source: guide.source,
        figures: Figures::default(),
        failed: None,
    };
    if guide.work.executions == Some(0) || guide.work.time.is_some_and(|time| time.is_zero()) {
        guided.failed = Some("the budget was spent before it could begin".to_owned());
        return guided;
    }
    let mut run = match Run::start(guide.work.clone(), &guide.executable, None).await {
        Ok(run) => run,
        Err(error) => {
            guided.failed = Some(error.to_string());
            return guided;
        }
    };
    let end = shared.deadline.map(|deadline| deadline + guide.work.timeout + GRACE);
    let mut is_loaded = false;
    loop {
        let event = tokio::select! {
            event = run.next() => event,
            // The worker waits for an answer that does not come.
            () = until(end) => None,
        };
        match event {
            None => {
                if guide.merged.is_some() && !is_loaded {
                    let why = "the budget was too small to try all of the corpus, and what was merged lacks something";
                    guided.failed.get_or_insert(why.to_owned());
                }
                return guided;
            }
            Some(Event::Began { source }) => guided.source = source,
            Some(Event::Loaded) => is_loaded = true,
            // What does not fit waits for nobody: the engine must not stand still meanwhile.
            Some(Event::Found(find)) => drop(finds.try_send(find)),
            Some(Event::Reached { bytes }) => {
                if let Some(folder) = &guide.merged
                    && let Err(error) = write(folder, &bytes)
                {
                    guided.failed = Some(format!("{}: {error}", folder.display()));
                    return guided;
                }
                drop(reached.try_send(bytes));
            }
            Some(Event::Progress(figures) | Event::Done(figures)) => {
                let before = guided.figures.executions;
                let more = figures.executions.saturating_sub(before);
                let mut book = shared.book();
                book.stats.cases += more;
                book.stats.steps += more;
                guided.figures = figures;
            }
            Some(Event::Failed { why }) => guided.failed = Some(why),
        }
    }
}

/// Adds an input to a folder, under a name that depends on it alone.
fn write(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    fs::write(folder.join(format!("{:016x}", hasher.finish())), bytes)
}

/// Looks into what a worker tells until it tells nothing more. What ended the server comes first.
async fn examine(
    shared: &Shared,
    place: &Place,
    mut finds: mpsc::Receiver<Find>,
    mut reached: mpsc::Receiver<Vec<u8>>,
    found: &mpsc::UnboundedSender<Finding>,
) {
    let mut examiner =
        Examiner { shared, place, replayer: replayer(shared, place), found, put_off: Vec::new() };
    let mut waiting: VecDeque<Input> = VecDeque::new();
    loop {
        tokio::select! {
            biased;
            Some(find) = finds.recv() => examiner.look_into(&find).await,
            Some(bytes) = reached.recv() => {
                waiting.extend(place.maker.from_bytes(&bytes));
                if waiting.len() >= LOOKED_AT {
                    examiner.look_at(&mut waiting).await;
                }
            }
            else => break,
        }
    }
    examiner.look_at(&mut waiting).await;
    for (suspect, tried) in std::mem::take(&mut examiner.put_off) {
        examiner.consider(&suspect, &tried).await;
    }
}

/// Looks into what a worker tells about a place.
struct Examiner<'a> {
    shared: &'a Shared,
    place: &'a Place,
    replayer: Replayer<'a>,
    found: &'a mpsc::UnboundedSender<Finding>,
    /// Silence after tools of which no call had succeeded by then, with what was tried.
    put_off: Vec<(Suspect, Vec<Input>)>,
}

impl Examiner<'_> {
    /// Tries an input that ended the server or silenced it: alone, and then behind those that came before it.
    async fn look_into(&mut self, find: &Find) {
        if let End::Died { signature, .. } = &find.end {
            let signature = format!("crash: {signature}");
            let book = self.shared.book();
            let doubted = book.doubts.get(&signature).is_some_and(|doubts| *doubts >= MOST_DOUBTS);
            if doubted || book.known.contains(&signature) {
                return;
            }
        }
        let Some(input) = self.place.maker.from_bytes(&find.bytes) else { return };
        let mut tried = vec![input];
        let mut suspects = self.suspects_of(&tried).await;
        if suspects.is_empty() && find.before > 0 {
            let lead = find.lead.iter().filter_map(|bytes| self.place.maker.from_bytes(bytes));
            tried = lead.chain(tried).collect();
            suspects = self.suspects_of(&tried).await;
        }
        if suspects.is_empty() {
            self.shared.book().stats.unconfirmed += 1;
        }
        self.weigh(suspects, &tried).await;
    }

    /// Has all oracles look at inputs that reached something new.
    async fn look_at(&mut self, waiting: &mut VecDeque<Input>) {
        if waiting.is_empty() {
            return;
        }
        // Behind a tool that may take minutes nothing else would be seen.
        let is_fit = |canary: &&Input| !calls_unserved(self.shared, self.place, canary);
        let canaries: Vec<Input> = self.place.canaries.iter().filter(is_fit).cloned().collect();
        let mut tried = canaries.clone();
        tried.extend(waiting.drain(..));
        tried.extend(canaries);
        self.shared.book().stats.sessions += 1;
        let suspects = self.suspects_of(&tried).await;
        self.weigh(suspects, &tried).await;
    }

    /// What is suspicious on a fresh server.
    async fn suspects_of(&self, tried: &[Input]) -> Vec<Suspect> {
        let Some(leg) = self.replayer.leg_of(tried.to_vec(), false).await else { return Vec::new() };
        let knowledge = &self.place.knowledge;
        self.shared.book().served.extend(judging::served(&leg, &knowledge.tools));
        suspect::all(&leg, knowledge)
    }

    async fn weigh(&mut self, mut suspects: Vec<Suspect>, tried: &[Input]) {
        suspects.sort_by_key(|suspect| suspect.oracle);
        for suspect in suspects {
            let is_put_off = |(other, _): &(Suspect, Vec<Input>)| other.signature == suspect.signature;
            if may_just_be_slow(self.shared, self.place, &suspect, tried)
                && self.put_off.len() < MOST_PUT_OFF
                && !self.put_off.iter().any(is_put_off)
            {
                self.shared.book().await_verdict(&suspect.signature);
                self.put_off.push((suspect, tried.to_vec()));
            } else {
                self.consider(&suspect, tried).await;
            }
        }
    }

    async fn consider(&self, suspect: &Suspect, tried: &[Input]) {
        consider(self.shared, self.place, (suspect, false), (tried, Look::Thorough), self.found).await;
    }
}
