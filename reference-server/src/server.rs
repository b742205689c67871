//! What all connections of one process share: settings, catalogs, and who wants to hear of changes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::jsonrpc::Object;
use crate::outbox::lock;
use crate::revision::Revision;
use crate::session::Session;
use crate::tools::Tool;

/// How the server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Entries a page; `None` keeps each list's own small size, which makes every list have more than one page.
    pub page_size: Option<usize>,
    /// How long to wait for the client's answer to a request of ours (spec page `basic/lifecycle#timeouts`).
    pub request_timeout: Duration,
    /// The pause between two steps of the tools that report as they work; 50 ms as the official fixtures want it.
    pub step: Duration,
    /// Features that are neither declared nor served: capabilities, or members of them (`tools.listChanged`).
    pub without: Vec<String>,
}

impl Settings {
    /// Whether a capability, or a member of one given as a dotted path, is declared and served.
    #[must_use]
    pub fn declares(&self, path: &str) -> bool {
        let covers = |left_out: &String| {
            path.strip_prefix(left_out.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        !self.without.iter().any(covers)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            page_size: None,
            request_timeout: Duration::from_secs(30),
            step: Duration::from_millis(50),
            without: Vec::new(),
        }
    }
}

/// Something that clients may want to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The list of tools changed.
    Tools,
    /// The list of prompts changed.
    Prompts,
    /// The list of resources changed.
    Resources,
    /// The resource of this URI has new content.
    Updated(String),
}

/// The process-wide part of the server.
pub struct Server {
    /// How the server is run.
    pub settings: Settings,
    pub(crate) tools: Vec<Tool>,
    /// Whether the entry that comes and goes is in the list at present, for tools, prompts, resources.
    pub(crate) extra_tool: AtomicBool,
    pub(crate) extra_prompt: AtomicBool,
    pub(crate) extra_resource: AtomicBool,
    /// How often the watched resource has changed.
    pub(crate) watched_version: AtomicU64,
    sessions: Mutex<Vec<Weak<Session>>>,
}

impl Server {
    /// A server with all its fixtures.
    #[must_use]
    pub fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self {
            settings,
            tools: crate::tools::catalog(),
            extra_tool: AtomicBool::new(false),
            extra_prompt: AtomicBool::new(false),
            extra_resource: AtomicBool::new(false),
            watched_version: AtomicU64::new(0),
            sessions: Mutex::new(Vec::new()),
        })
    }

    pub(crate) fn register(&self, session: &Arc<Session>) {
        let mut sessions = lock(&self.sessions);
        sessions.retain(|other| other.strong_count() > 0);
        sessions.push(Arc::downgrade(session));
    }

    /// Makes a change happen and tells everyone who asked to be told.
    pub(crate) fn change(&self, change: &Change) {
        match change {
            Change::Tools => flip(&self.extra_tool),
            Change::Prompts => flip(&self.extra_prompt),
            Change::Resources => flip(&self.extra_resource),
            Change::Updated(_) => {
                self.watched_version.fetch_add(1, Ordering::Relaxed);
            }
        }
        let declared = match change {
            Change::Tools => "tools.listChanged",
            Change::Prompts => "prompts.listChanged",
            Change::Resources => "resources.listChanged",
            Change::Updated(_) => "resources.subscribe",
        };
        if !self.settings.declares(declared) {
            return;
        }
        let sessions: Vec<_> = lock(&self.sessions).iter().filter_map(Weak::upgrade).collect();
        for session in sessions {
            session.announce(change);
        }
    }

    /// Tells the subscriptions that follow a task of its new state, on whichever connection they are.
    pub(crate) fn announce_task(&self, id: &str, task: &Object) {
        let sessions: Vec<_> = lock(&self.sessions).iter().filter_map(Weak::upgrade).collect();
        for session in sessions {
            session.listens.announce_task(id, task);
        }
    }

    /// The tools of a revision, in the order of the list.
    pub(crate) fn tools_of(&self, revision: Revision) -> impl Iterator<Item = &Tool> {
        let extra = self.extra_tool.load(Ordering::Relaxed);
        self.tools.iter().filter(move |tool| tool.exists_in(revision) && (extra || !tool.comes_and_goes))
    }
}

fn flip(flag: &AtomicBool) {
    flag.fetch_xor(true, Ordering::Relaxed);
}
