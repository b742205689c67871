//! The layer between transport and core in which faults act. Without faults it is not there.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::sync::Notify;

use super::catalog::{Fault, UnknownFault, find};
use super::hook::{Arrival, Departure, Hook, StdioFault, Verdict};
use super::memory::Memory;
use super::network::{HttpArrival, HttpDeparture, HttpFault, NetworkMemory, body_of};
use crate::outbox::{Kind, Outbox, Outgoing, Sink, lock};
use crate::session::Session;
use crate::transport::http::{Ask, Event, Reply};

/// The faults of one connection.
#[derive(Default)]
pub struct Faults {
    active: Vec<&'static Fault>,
    memory: Mutex<Memory>,
    fate: Arc<Fate>,
    network: Arc<Mutex<NetworkMemory>>,
}

/// What has become of the process, which all its connections share.
#[derive(Default)]
struct Fate {
    crashed: AtomicBool,
    hanging: AtomicBool,
    has_crashed: Notify,
}

impl Fate {
    fn crash(&self) {
        self.crashed.store(true, Ordering::Relaxed);
        self.has_crashed.notify_one();
    }

    fn is_sealed(&self) -> bool {
        self.crashed.load(Ordering::Relaxed) || self.hanging.load(Ordering::Relaxed)
    }
}

impl Faults {
    /// The faults of these names; none makes a good server.
    ///
    /// # Errors
    /// The first name that is no fault's.
    pub fn named(names: &[String]) -> Result<Self, UnknownFault> {
        let active = names.iter().map(|name| find(name)).collect::<Result<_, _>>()?;
        Ok(Self { active, ..Self::default() })
    }

    /// The same faults for another connection of the process.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        let (fate, network) = (Arc::clone(&self.fate), Arc::clone(&self.network));
        Self { active: self.active.clone(), memory: Mutex::default(), fate, network }
    }

    fn hooks(&self) -> impl Iterator<Item = &'static Hook> + '_ {
        self.active.iter().flat_map(|fault| fault.hooks)
    }

    /// True once a fault wants the process to die.
    pub fn has_crashed(&self) -> bool {
        self.fate.crashed.load(Ordering::Relaxed)
    }

    /// True once nothing will be answered any more.
    pub(crate) fn is_stalled(&self) -> bool {
        self.fate.is_sealed()
    }

    /// Returns when a fault wants the process to die.
    pub(crate) async fn crashed(&self) {
        self.fate.has_crashed.notified().await;
    }

    /// True if this fault of the network side is active.
    pub(crate) fn http_is(&self, wanted: HttpFault) -> bool {
        self.hooks().any(|hook| matches!(hook, Hook::Http(fault) if *fault == wanted))
    }

    /// Tells the faults of authorization what the right token is.
    pub(crate) fn know_token(&self, token: Option<&String>) {
        lock(&self.network).token = token.cloned();
    }

    /// True if a fault looks at the bytes that come in.
    pub(crate) fn look_at_bytes(&self) -> bool {
        self.hooks().any(|hook| matches!(hook, Hook::Head(_)))
    }

    /// Changes bytes of HTTP as they come in.
    pub(crate) fn distort_head(&self, bytes: &mut [u8]) {
        for hook in self.hooks() {
            if let Hook::Head(distort) = hook {
                distort(bytes);
            }
        }
    }

    /// Changes an HTTP request on its way in, or answers it at once.
    pub(crate) fn meet_request(&self, ask: &mut Ask) -> Option<Reply> {
        if self.active.is_empty() {
            return None;
        }
        let mut arrival =
            HttpArrival { body: body_of(ask), ask, memory: &mut lock(&self.network), reply: None };
        for hook in self.hooks() {
            if let Hook::Request(change) = hook {
                change(&mut arrival);
            }
        }
        arrival.reply
    }

    /// Changes the answer to an HTTP request on its way out.
    pub(crate) fn meet_reply(&self, ask: &Ask, reply: &mut Reply) {
        if self.active.is_empty() {
            return;
        }
        let mut departure =
            HttpDeparture { body: body_of(ask), ask, reply, memory: &mut lock(&self.network) };
        for hook in self.hooks() {
            if let Hook::Reply(change) = hook {
                change(&mut departure);
            }
        }
    }

    /// The text of a server-sent event.
    pub(crate) fn encode_event(&self, mut event: Event) -> Vec<u8> {
        for hook in self.hooks() {
            if let Hook::Event(change) = hook {
                change(&mut event);
            }
        }
        let text = event.encode();
        self.hooks().fold(text, |text, hook| {
            if let Hook::EventText(distort) = hook { distort(&event, text) } else { text }
        })
    }

    /// True if this fault of the process is active.
    pub fn stdio(&self, wanted: StdioFault) -> bool {
        self.hooks().any(|hook| matches!(hook, Hook::Stdio(fault) if *fault == wanted))
    }

    /// Lines to write before anything else.
    pub fn startup_lines(&self) -> Vec<Vec<u8>> {
        self.hooks()
            .filter_map(|hook| if let Hook::Startup(line) = hook { Some(line.to_vec()) } else { None })
            .collect()
    }

    /// Changes a line on its way out.
    pub fn distort_line(&self, outgoing: &Outgoing, line: Vec<u8>) -> Vec<u8> {
        self.hooks().fold(
            line,
            |line, hook| if let Hook::Bytes(distort) = hook { distort(outgoing, line) } else { line },
        )
    }

    /// A sink in front of `out` in which outgoing faults act.
    pub fn wrap(self: &Arc<Self>, out: Outbox) -> Outbox {
        if self.active.is_empty() { out } else { Arc::new(FaultySink { faults: Arc::clone(self), out }) }
    }

    /// Takes a line in. `out` is what [`Self::wrap`] gave.
    pub fn receive(&self, line: &[u8], session: &Arc<Session>, out: &Outbox) {
        if self.active.is_empty() {
            return session.receive(line, out);
        }
        if self.fate.is_sealed() {
            return;
        }
        for hook in self.hooks() {
            if let Hook::Line(look) = hook
                && !self.goes_on(look(line), out)
            {
                return;
            }
        }
        match serde_json::from_slice(line) {
            Ok(value) => self.receive_value(value, session, out),
            Err(_) => session.receive(line, out),
        }
    }

    fn receive_value(&self, mut message: Value, session: &Arc<Session>, out: &Outbox) {
        for hook in self.hooks() {
            let Hook::In(look) = hook else { continue };
            let verdict = look(&mut Arrival { message: &mut message, memory: &mut lock(&self.memory) });
            if !self.goes_on(verdict, out) {
                return;
            }
        }
        lock(&self.memory).see_incoming(&message);
        session.receive_value(message, out);
    }

    fn goes_on(&self, verdict: Verdict, out: &Outbox) -> bool {
        match verdict {
            Verdict::Pass => return true,
            Verdict::Swallow => {}
            Verdict::Answer(message) => out.send(Outgoing { message, kind: Kind::Other }),
            Verdict::Crash => self.fate.crash(),
            Verdict::Hang => self.fate.hanging.store(true, Ordering::Relaxed),
        }
        false
    }
}

struct FaultySink {
    faults: Arc<Faults>,
    out: Outbox,
}

impl Sink for FaultySink {
    fn send(&self, mut outgoing: Outgoing) {
        if self.faults.fate.is_sealed() {
            return;
        }
        let request =
            if let Kind::Answer(request) = &outgoing.kind { Some(Arc::clone(request)) } else { None };
        let (before, after, withheld) = {
            let mut memory = lock(&self.faults.memory);
            memory.see_outgoing(&outgoing.message, request.as_deref());
            let mut departure = Departure {
                message: &mut outgoing.message,
                request: request.as_deref(),
                complaint: matches!(outgoing.kind, Kind::Complaint),
                memory: &mut memory,
                before: Vec::new(),
                after: Vec::new(),
                withheld: false,
                crash: false,
            };
            for hook in self.faults.hooks() {
                if let Hook::Out(change) = hook {
                    change(&mut departure);
                }
            }
            if departure.crash {
                self.faults.fate.crash();
                return;
            }
            (departure.before, departure.after, departure.withheld)
        };
        before.into_iter().for_each(|message| self.out.send(Outgoing::other(message)));
        if !withheld {
            self.out.send(outgoing);
        }
        after.into_iter().for_each(|message| self.out.send(Outgoing::other(message)));
    }

    fn abandon(&self, request: &crate::jsonrpc::Request) {
        self.out.abandon(request);
    }

    fn interrupt(&self) {
        self.out.interrupt();
    }
}
