//! What a fuzzer sends: a few steps on one session, and what is known beforehand about the answer.

use mcp_conform_cases::case::{Action, Headers, Path};

/// One thing to try on a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// How it came to be: `boundary`, `arguments`, `envelope`, `text`, `framing`, `sequence`, `http`, `corpus`, or
    /// [`BARE`].
    pub origin: &'static str,
    /// What is done, one after the other; never empty.
    pub steps: Vec<InputStep>,
}

/// One step of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct InputStep {
    /// What is sent. Only the actions that send something or close something are used: `Request`, `Notify`, `Json`,
    /// `Raw`, `Bytes`, `Http`, `HttpRaw`, `Close` and `CloseInput`. Templates are filled in as in a case, so that
    /// `{{s1.id}}` is the id that the step called `s1` was sent with.
    pub action: Action,
    /// HTTP headers in the place of those that the session sends; without effect on stdio.
    pub headers: Headers,
    /// A name for later steps.
    pub name: Option<String>,
    /// Values of the response that later steps use as `{{name}}`.
    pub capture: Vec<(String, Path)>,
    /// What is known of the answer.
    pub claim: Claim,
}

/// What is known of the answer to a step before it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// Nothing.
    #[default]
    None,
    /// The arguments satisfy the tool's own schema.
    Valid {
        /// The tool's name.
        tool: String,
    },
    /// The tool's own schema forbids the arguments.
    Forbidden {
        /// The tool's name.
        tool: String,
        /// How, in words.
        why: String,
        /// The keyword of JSON Schema that is broken.
        keyword: &'static str,
    },
    /// Something in the arguments shows, by a marker in an answer or in the file system, that it was executed, opened or
    /// interpreted rather than stored.
    Bait {
        /// The tool's name.
        tool: String,
        /// Which door is tried.
        door: Door,
        /// What must not turn up.
        marker: String,
    },
}

/// A way by which arguments may do what they should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// A file outside of what the server serves.
    PathTraversal,
    /// A shell.
    Command,
    /// A database.
    Sql,
    /// A regular expression whose time grows without bound.
    Regex,
}

/// The origin of inputs that come before any handshake, on a server of their own.
pub const BARE: &str = "bare";

impl Input {
    /// Whether it is sent before any handshake.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.origin == BARE
    }

    /// Whether the session is over after it.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::CloseInput))
    }

    /// Whether it holds a handshake of its own.
    #[must_use]
    pub fn greets(&self) -> bool {
        self.steps
            .iter()
            .any(|step| matches!(&step.action, Action::Request(send) if send.method == "initialize"))
    }
}

impl From<Action> for InputStep {
    fn from(action: Action) -> InputStep {
        InputStep { action, headers: Headers::new(), name: None, capture: Vec::new(), claim: Claim::None }
    }
}
