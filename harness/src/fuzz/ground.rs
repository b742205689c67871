//! What a campaign needs before its first input: confined servers, what they offer, and baits that only a fault swallows.

use std::io::Write as _;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::{Library, Revision};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::campaign::{Budget, GuidedSettings};
use super::endurance::{self, Trial};
use super::guided::{Source, Work};
use super::input::Input;
use super::leaks;
use super::make::{Canary, Maker, MakerSettings};
use super::pace::Pace;
use super::rules::Rule;
use super::suspect::Knowledge;
use crate::detect::{Access, Opener};
use crate::event::{Named, Transport};
use crate::guardian::Guardian;
use crate::plan::Plan;
use crate::process::Patience;
use crate::process::confine::{self, Confinement, Limits};
use crate::profile::Profile;
use crate::run::surface::Surface;
use crate::run::{self, RunError, Stop};
use crate::session::client::ScriptedClient;
use crate::settings::Settings;
use crate::target::Way;

/// The variable in the environment of the server that no answer may show.
const SECRET: &str = "MCP_CONFORM_SECRET";

/// What stands in the file that nobody should read, and nowhere else.
const CANARY: &str = "canary-6d6370636f6e6672";
/// The value of the variable that no answer may show.
const SECRET_VALUE: &str = "secret-6d6370636f6e6672";
/// The patience with servers at the end.
const AT_ONCE: Patience =
    Patience { after_close: Duration::from_millis(200), after_term: Duration::from_millis(200) };

/// What decides how a campaign goes.
#[derive(Clone, Debug)]
pub struct FuzzSettings {
    /// What is fuzzed, and what is common to all runs.
    pub settings: Settings,
    /// How long.
    pub budget: Budget,
    /// Which of how many machines this is, from 0.
    pub shard: (usize, usize),
    /// Inputs to try first.
    pub corpus: Vec<Input>,
    /// Whether servers are confined.
    pub confined: bool,
    /// Whether an engine guides over stdio, and where it keeps its inputs.
    pub guided: Option<GuidedSettings>,
    /// How many inputs a second at most.
    pub rate: Option<NonZeroU32>,
}

/// What is known when the first input is sent.
#[derive(Clone, Debug)]
pub struct Introduction {
    /// Name and version that the server gave.
    pub server: Named,
    /// Where it is fuzzed.
    pub places: Vec<(Transport, Revision)>,
    /// The tools that are called.
    pub called: Vec<String>,
    /// The tools that may not be called.
    pub not_called: Vec<String>,
    /// Tools that were allowed by name and are not listed.
    pub unlisted: Vec<String>,
    /// What confines the servers, as part of a sentence; none if nothing does.
    pub confinement: Option<String>,
    /// How many servers run at once.
    pub lanes: usize,
    /// What guides an engine, if one does.
    pub guided: Option<Source>,
}

/// A transport and a revision in which the server is fuzzed.
pub(super) struct Place {
    pub(super) opener: Opener,
    pub(super) revision: Revision,
    pub(super) maker: Maker,
    profile: Profile,
    pub(super) knowledge: Arc<Knowledge>,
    /// Calls that are made at the beginning of every session and again at its end.
    pub(super) canaries: Vec<Input>,
    pub(super) trials: Vec<Trial>,
}

/// Everything that is ready before the first input.
pub(super) struct Ground {
    pub(super) places: Vec<Place>,
    pub(super) introduction: Introduction,
    /// What servers may use, if they are confined.
    pub(super) limits: Option<Limits>,
    /// On which they were prepared; lanes may have runtimes of their own.
    pub(super) runtime: Handle,
    /// How fast inputs may be sent, if that is bounded.
    pub(super) pace: Option<Arc<Pace>>,
    surfaces: Vec<Surface>,
    /// Removed with the value.
    folders: [TempDir; 2],
}

impl Ground {
    /// Starts the server, learns what it offers, and lays out the baits.
    pub(super) async fn prepare(
        library: &Library,
        fuzz: &FuzzSettings,
        stop: &watch::Receiver<Stop>,
    ) -> Result<Ground, RunError> {
        let scratch = confine::scratch().map_err(RunError::Scratch)?;
        let outside = confine::scratch().map_err(RunError::Scratch)?;
        std::fs::write(scratch.path().join("hello.txt"), "hello\n").map_err(RunError::Scratch)?;
        let canary = lay_canary(outside.path()).map_err(RunError::Scratch)?;
        let scratch_path = scratch.path().to_string_lossy().into_owned();
        let mut settings = fuzz.settings.clone();
        let secret = (SECRET.to_owned(), SECRET_VALUE.to_owned());
        let confinement = confined(&mut settings, fuzz.confined, scratch.path().to_owned(), &secret);
        let guardian =
            settings.executable.as_deref().and_then(|path| Guardian::start(path).ok()).map(Arc::new);
        let scripted =
            ScriptedClient { roots: run::roots(&fuzz.settings, &scratch_path), ..ScriptedClient::default() };
        let openers = run::openers(&settings, guardian.as_ref(), &scripted)?;

        let mut surfaces = Vec::new();
        for opener in openers {
            let (surface, sessions) = tokio::select! {
                learned = Surface::learn(opener, &settings) => learned?,
                () = run::stopped(stop.clone()) => return Err(RunError::Interrupted),
            };
            drop(sessions);
            surfaces.push(surface);
        }
        // What is no text is no secret that an answer could hold, and `vars` would panic at it.
        let texts = std::env::vars_os()
            .filter_map(|(name, value)| name.into_string().ok().zip(value.into_string().ok()));
        let secrets = leaks::secrets(texts.chain([secret]));
        let places = places(library, fuzz, &surfaces, &scratch_path, &canary, &secrets);
        let introduction = introduction(fuzz, &surfaces, confinement.as_ref());
        Ok(Ground {
            places,
            introduction,
            limits: confinement.map(|confinement| confinement.limits),
            runtime: Handle::current(),
            pace: fuzz.rate.map(|rate| Arc::new(Pace::new(rate))),
            surfaces,
            folders: [scratch, outside],
        })
    }

    /// What an engine does in a place, on a server that is confined as all are; none where it is not spoken to over stdio.
    pub(super) fn work(&self, place: &Place, folder: PathBuf) -> Option<Work> {
        let Access::Stdio { command, .. } = &place.opener.access else { return None };
        let [scratch, _] = &self.folders;
        let scratch = scratch.path().to_owned();
        let mut work = Work::new(command.clone(), &place.profile, place.maker.settings(), folder, scratch);
        work.limits = self.limits;
        Some(work)
    }

    /// The secrets of the server's environment.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        let places = self.places.first().into_iter();
        places.flat_map(|place| place.knowledge.secrets.iter().map(|(_, value)| value.as_str()))
    }

    /// Ends the servers that serve several sessions.
    pub(super) async fn close(&self) {
        for surface in &self.surfaces {
            surface.opener.close(AT_ONCE).await;
        }
    }
}

/// A file that no server serves. Its place is the same from run to run, so that a case file that was found with it shows
/// the same again, and it stays there; where something else is in that place, it is in the given folder.
fn lay_canary(otherwise: &Path) -> std::io::Result<Canary> {
    let usual = std::env::temp_dir().join("mcp-conform-canary.txt");
    let written = std::fs::OpenOptions::new().write(true).create_new(true).open(&usual);
    let is_ours = match written {
        Ok(mut file) => file.write_all(CANARY.as_bytes()).is_ok(),
        Err(_) => std::fs::read(&usual).is_ok_and(|there| there == CANARY.as_bytes()),
    };
    let path = if is_ours {
        usual
    } else {
        let path = otherwise.join("canary.txt");
        std::fs::write(&path, CANARY)?;
        path
    };
    Ok(Canary { path: path.to_string_lossy().into_owned(), marker: CANARY.to_owned() })
}

/// Has the servers confined that we start ourselves, and gives each the secret.
fn confined(
    settings: &mut Settings,
    wanted: bool,
    scratch: PathBuf,
    secret: &(String, String),
) -> Option<Confinement> {
    let own = settings.executable.clone().filter(|_| wanted);
    let confinement = own.as_ref().map(|_| Confinement::new(scratch));
    for way in &mut settings.target.ways {
        let command = match way {
            Way::Stdio(command) | Way::Http { command: Some(command), .. } => command,
            Way::Http { command: None, .. } => continue,
        };
        command.environment.push((secret.0.clone().into(), secret.1.clone().into()));
        if let (Some(confinement), Some(own)) = (&confinement, &own) {
            *command = confinement.wrap(command, own);
        }
    }
    confinement.filter(|_| settings.target.commands().next().is_some())
}

fn places(
    library: &Library,
    fuzz: &FuzzSettings,
    surfaces: &[Surface],
    scratch: &str,
    canary: &Canary,
    secrets: &[(String, String)],
) -> Vec<Place> {
    let mut places = Vec::new();
    for surface in surfaces {
        let mut plan = Plan::default();
        let reach = surface.reach(&fuzz.settings);
        plan.add(library, &surface.profiles, surface.transport, &fuzz.settings, reach);
        for (revision, profile) in &surface.profiles {
            let callable: Vec<String> =
                profile.callable(&fuzz.settings.calls).into_iter().map(str::to_owned).collect();
            let mut maker =
                MakerSettings::new(callable.clone(), *revision, surface.transport, fuzz.settings.seed);
            maker.hints = run::hints(profile, scratch, &fuzz.settings);
            maker.canary = Some(canary.clone());
            let maker = Maker::new(profile, maker);
            places.push(Place {
                canaries: endurance::canaries(&maker),
                trials: endurance::trials(&maker, profile),
                opener: surface.opener.clone(),
                revision: *revision,
                maker,
                profile: profile.clone(),
                knowledge: Arc::new(Knowledge {
                    rules: Rule::all(library, &plan, *revision),
                    secrets: secrets.to_vec(),
                    canary: canary.marker.clone(),
                    tools: callable.into(),
                }),
            });
        }
    }
    places
}

fn introduction(
    fuzz: &FuzzSettings,
    surfaces: &[Surface],
    confinement: Option<&Confinement>,
) -> Introduction {
    let profiles = || surfaces.iter().flat_map(|surface| surface.profiles.values());
    let names = |of: &dyn Fn(&Profile) -> Vec<String>| {
        let mut names: Vec<String> = profiles().flat_map(of).collect();
        names.sort();
        names.dedup();
        names
    };
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    let calls = &fuzz.settings.calls;
    Introduction {
        server: profiles().last().map(|profile| profile.server.clone()).unwrap_or_default(),
        places: surfaces
            .iter()
            .flat_map(|surface| surface.profiles.keys().map(|revision| (surface.transport, *revision)))
            .collect(),
        called: names(&|profile| owned(profile.callable(calls))),
        not_called: names(&|profile| owned(profile.not_callable(calls))),
        unlisted: owned(Profile::unlisted(calls, &profiles().collect::<Vec<_>>())),
        confinement: confinement.map(Confinement::describe),
        lanes: fuzz.settings.jobs.max(1),
        guided: None,
    }
}
