//! What a worker is told to do.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use mcp_conform_cases::Revision;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Transport;
use crate::fuzz::make::{Canary, Maker, MakerSettings};
use crate::generate::Hints;
use crate::process::ServerCommand;
use crate::process::confine::Limits;
use crate::profile::Profile;

/// The longest input by default, in bytes.
const LONGEST_INPUT: usize = 4096;

/// What may guide the engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guidance {
    /// What the server reports of itself, and if it reports nothing, what its answers look like.
    #[default]
    Automatic,
    /// What answers look like.
    Shape,
    /// Nothing, to measure what guidance is worth.
    Blind,
}

/// Everything that decides what a worker does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Work {
    /// The server, spoken to over its standard streams.
    pub command: ServerCommand,
    /// The revision that is spoken.
    pub revision: Revision,
    /// Where random decisions come from.
    pub seed: u64,
    /// What guides the engine.
    pub guidance: Guidance,
    /// So many inputs at most.
    pub executions: Option<u64>,
    /// So long at most, from the greeting on.
    pub time: Option<Duration>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How long the greeting may take.
    pub startup_timeout: Duration,
    /// What the server may use; it is ended when it takes more.
    pub limits: Option<Limits>,
    /// The longest input, in bytes.
    pub longest: usize,
    /// The folder that is kept: `corpus/`, which a later run begins with, and `artifacts/`, the inputs that were found.
    /// No other worker uses it at the same time.
    pub folder: PathBuf,
    /// A folder that the server may write; nothing is left in it.
    pub scratch: PathBuf,
    /// Filled in by the supervisor: the file that is shared with the server, beneath `scratch`.
    pub(super) map: PathBuf,
    /// Filled in by the supervisor: our own executable, for a guardian.
    pub(super) executable: PathBuf,
    listing: Listing,
    making: Making,
}

/// What the server listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Listing {
    capabilities: Value,
    tools: Vec<Value>,
    resources: Vec<Value>,
    templates: Vec<Value>,
    prompts: Vec<Value>,
}

/// [`MakerSettings`] beside what is in [`Work`] already.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Making {
    callable: Vec<String>,
    seed: u64,
    largest_text: usize,
    paths: Vec<String>,
    uris: Vec<String>,
    words: BTreeMap<String, Vec<Value>>,
    canary: Option<(String, String)>,
}

impl Work {
    /// Work on a server as it was learned, with inputs by the same settings as elsewhere: a maker of these settings
    /// makes the same of the bytes that are found. `folder` is kept, and `scratch` may be written by the server.
    #[must_use]
    pub fn new(
        command: ServerCommand,
        profile: &Profile,
        maker: &MakerSettings,
        folder: PathBuf,
        scratch: PathBuf,
    ) -> Work {
        Work {
            command,
            revision: maker.revision,
            seed: maker.seed,
            guidance: Guidance::Automatic,
            executions: None,
            time: None,
            timeout: Duration::from_secs(10),
            startup_timeout: Duration::from_secs(30),
            limits: None,
            longest: LONGEST_INPUT,
            folder,
            scratch,
            map: PathBuf::new(),
            executable: PathBuf::new(),
            listing: Listing {
                capabilities: profile.capabilities.clone(),
                tools: profile.tools.clone(),
                resources: profile.resources.clone(),
                templates: profile.templates.clone(),
                prompts: profile.prompts.clone(),
            },
            making: Making {
                callable: maker.callable.clone(),
                seed: maker.seed,
                largest_text: maker.largest_text,
                paths: maker.hints.paths.clone(),
                uris: maker.hints.uris.clone(),
                words: maker.hints.words.clone(),
                canary: maker.canary.clone().map(|canary| (canary.path, canary.marker)),
            },
        }
    }

    /// What makes inputs of bytes.
    #[must_use]
    pub fn maker(&self) -> Maker {
        let Listing { capabilities, tools, resources, templates, prompts } = self.listing.clone();
        let profile = Profile { capabilities, tools, resources, templates, prompts, ..Profile::default() };
        let making = self.making.clone();
        let settings = MakerSettings {
            largest_text: making.largest_text,
            hints: Hints { paths: making.paths, uris: making.uris, words: making.words },
            canary: making.canary.map(|(path, marker)| Canary { path, marker }),
            ..MakerSettings::new(making.callable, self.revision, Transport::Stdio, making.seed)
        };
        Maker::new(&profile, settings)
    }

    /// How many tools are called.
    #[cfg(feature = "guided")]
    pub(super) fn tools(&self) -> usize {
        self.making.callable.len()
    }
}
