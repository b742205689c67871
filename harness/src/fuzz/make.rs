//! Makes inputs from what a server listed: a walk along the boundaries first, then random ones without end.
//!
//! Nothing here talks to a server, and the same settings give the same inputs. Every decision is asked of a
//! [`Chooser`], so that a seed, a proptest runner and the bytes of a coverage-guided engine
//! lead through the same space.

mod bait;
mod bare;
mod boundary;
pub(super) mod bytes;
mod call;
mod dice;
mod envelopes;
mod framing;
mod http;
mod methods;
mod odd;
mod probes;
mod random;
mod reclaim;
mod sequences;
mod strategy;
mod text;
mod tool;
mod weight;
mod words;

#[cfg(test)]
pub(in crate::fuzz) mod tests;

use std::sync::Arc;

use mcp_conform_cases::{Era, Revision};
use proptest::strategy::{BoxedStrategy, Strategy as _};

use super::input::Input;
use crate::event::Transport;
use crate::generate::{Chooser, Hints};
use crate::profile::Profile;
pub(super) use bait::SHAPES;
use tool::Tool;

pub use boundary::Boundary;

/// How many tools are fuzzed at most: those that are listed first.
pub const MAX_TOOLS: usize = 500;
/// The longest text by default, in bytes.
pub const LARGEST_TEXT: usize = 1024 * 1024;

/// One in so many long inputs stays in what is made at random: one of them takes the time of dozens of others, and the walk
/// along the boundaries has tried each long value.
const LONG_ONE_IN: usize = 16;

/// A file that a server should not serve, and how to know that it did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The absolute path of the file.
    pub path: String,
    /// What is written in it and stands nowhere else.
    pub marker: String,
}

/// What decides which inputs are made, beside what the server listed.
#[derive(Clone, Debug)]
pub struct MakerSettings {
    /// The tools that may be called, by name.
    pub callable: Vec<String>,
    /// The revision that is spoken.
    pub revision: Revision,
    /// How messages are carried.
    pub transport: Transport,
    /// Where random decisions come from.
    pub seed: u64,
    /// The longest text that is sent, in bytes.
    pub largest_text: usize,
    /// Words that mean something to this server.
    pub hints: Hints,
    /// A file for inputs that try to read what they should not; without it they try nothing on files.
    pub canary: Option<Canary>,
}

impl MakerSettings {
    /// Settings for a session, with texts of up to [`LARGEST_TEXT`], and without hints or a canary.
    #[must_use]
    pub fn new(callable: Vec<String>, revision: Revision, transport: Transport, seed: u64) -> MakerSettings {
        MakerSettings {
            callable,
            revision,
            transport,
            seed,
            largest_text: LARGEST_TEXT,
            hints: Hints::default(),
            canary: None,
        }
    }

    fn is_stateless(&self) -> bool {
        self.revision.era() == Era::Stateless
    }
}

/// Makes inputs for one server in one revision over one transport. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Maker {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    settings: MakerSettings,
    tools: Vec<Tool>,
    /// The tools that take long arguments only.
    lengthy: Vec<String>,
    /// Words from the server's own listings and some of our own, as templates.
    words: Vec<String>,
    baits: Vec<bait::Bait>,
    /// What tries other methods than `tools/call`.
    methods: Vec<Input>,
    /// What comes before any handshake.
    bare: Vec<Input>,
    envelopes: Vec<Input>,
    framing: Vec<Input>,
    http: Vec<Input>,
    sequences: Vec<Input>,
}

impl Maker {
    /// Prepares everything that does not change from input to input.
    #[must_use]
    pub fn new(profile: &Profile, settings: MakerSettings) -> Maker {
        let tools: Vec<Tool> = settings
            .callable
            .iter()
            .take(MAX_TOOLS)
            .filter_map(|name| Tool::of(profile.tool(name)?, &settings))
            .collect();
        let lengthy: Vec<String> =
            tools.iter().filter(|tool| weight::is_lengthy(tool)).map(|tool| tool.name.clone()).collect();
        let words = words::of(profile);
        let baits = bait::all(&settings);
        let methods = methods::all(profile, &settings);
        let bare = bare::all(profile, &settings);
        let envelopes = envelopes::all(&settings);
        let framing = framing::all(&settings);
        let http = http::all(&tools, &settings);
        let sequences = sequences::all(&tools, profile, &settings);
        let parts = Parts {
            settings,
            tools,
            lengthy,
            words,
            baits,
            methods,
            bare,
            envelopes,
            framing,
            http,
            sequences,
        };
        Maker { parts: Arc::new(parts) }
    }

    /// What decides which inputs are made.
    pub(in crate::fuzz) fn settings(&self) -> &MakerSettings {
        &self.parts.settings
    }

    /// The deterministic walk along the boundaries, most telling inputs first, in turn over all tools and areas. Every
    /// input is made when it is asked for.
    #[must_use]
    pub fn boundary(&self) -> Boundary {
        Boundary::new(self)
    }

    /// Random inputs that shrink by their structure, with claims that stay truthful.
    pub fn strategy(&self) -> BoxedStrategy<Input> {
        strategy::Inputs(self.clone()).boxed()
    }

    /// An input by decisions that are made elsewhere. Long ones are rarer than they are in what it is put together from,
    /// except calls of tools that take nothing else.
    pub fn random(&self, chooser: &mut dyn Chooser) -> Input {
        let mut dice = dice::Dice::new(chooser);
        let input = random::input(&self.parts, &mut dice);
        let is_rare = weight::is_long(&input) && !weight::calls(&input, &self.parts.lengthy);
        if is_rare && !dice.one_in(LONG_ONE_IN) { random::input(&self.parts, &mut dice) } else { input }
    }

    /// An input by the bytes of a coverage-guided engine. The first byte says what kind of input or which tool, the
    /// second which property, or that what follows decides on whole arguments. What follows becomes the text of that
    /// property as it stands, with replacement characters for what is no UTF-8. 0xff ends it, and another property and its
    /// text follow; 0xfe and a byte stand for a value that the property is known to take. None where the bytes are too few,
    /// or more than 32 KiB.
    #[must_use]
    pub fn from_bytes(&self, bytes: &[u8]) -> Option<Input> {
        bytes::input(&self.parts, bytes)
    }

    /// Whether bytes lead to a call of a tool whose arguments they are, and not to a message like those by a seed.
    #[must_use]
    pub fn is_call(&self, bytes: &[u8]) -> bool {
        bytes.first().is_some_and(|kind| *kind < bytes::OTHER_KINDS) && !self.parts.tools.is_empty()
    }

    /// Makes the claims of an input true again after its arguments have changed, those of calls of tools that may be
    /// called. Claims about other steps, and about arguments that nobody can know beforehand, become none.
    pub fn reclaim(&self, input: &mut Input) {
        reclaim::input(&self.parts, input);
    }

    /// As [`Self::reclaim`], for an input that was found since a call succeeded whose arguments the schema forbids.
    pub fn reclaim_forbidden(&self, input: &mut Input) {
        reclaim::forbidden(&self.parts, input);
    }
}
