//! HTTP: every message goes out in a request of its own, and what comes back may be a body, a stream of events, or
//! nothing. Streamable HTTP and the older HTTP+SSE are carried by the same link.

pub mod events;
pub mod exchange;
pub mod host;
mod raw;
pub mod tls;

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use url::Url;

use crate::event::Transport;
use crate::process::Process;
use crate::transcript::Exit;
use exchange::{Clients, End, ExchangeId, Listener, Sending, Step};
use host::Lease;

/// Steps of exchanges that nobody has taken notice of yet; past it servers have to wait. Each may be as large as a message.
const QUEUE: usize = 8;
/// After the process has ended, what is under way may still arrive for this long at most.
const AFTER_EXIT: Duration = Duration::from_millis(300);

/// How long a request waits for the one before it.
const MOST_PATIENT: Duration = Duration::from_secs(2);

/// Headers that the operator wants sent with every request; their values are secrets.
pub type OperatorHeaders = Vec<(String, String)>;

/// What an HTTP link says.
#[derive(Debug)]
pub enum Told {
    /// Something happened in an exchange.
    Step(ExchangeId, Step),
    /// The server's process has ended.
    Gone,
    /// Nothing until the deadline.
    TimedOut,
}

/// A session's way to an HTTP server.
#[derive(Debug)]
pub struct HttpLink {
    transport: Transport,
    clients: Clients,
    operator: OperatorHeaders,
    lease: Lease,
    /// Where messages go; for HTTP+SSE known once the server has said so.
    messages: Url,
    steps: mpsc::Receiver<(ExchangeId, Step)>,
    tell: mpsc::Sender<(ExchangeId, Step)>,
    running: HashMap<ExchangeId, AbortHandle>,
    next: ExchangeId,
    /// Becomes true once the next request may go out.
    gate: Option<watch::Receiver<bool>>,
    exited: Option<Instant>,
    pause: Duration,
}

impl HttpLink {
    /// A link to a server.
    #[must_use]
    pub fn new(transport: Transport, clients: Clients, operator: OperatorHeaders, lease: Lease) -> HttpLink {
        let (tell, steps) = mpsc::channel(QUEUE);
        HttpLink {
            transport,
            clients,
            operator,
            messages: lease.host().url().clone(),
            lease,
            steps,
            tell,
            running: HashMap::new(),
            next: 0,
            gate: None,
            exited: None,
            pause: Duration::ZERO,
        }
    }

    /// Streamable HTTP or HTTP+SSE.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// The address that was given for the server.
    #[must_use]
    pub fn url(&self) -> &Url {
        self.lease.host().url()
    }

    /// The address that messages are sent to.
    #[must_use]
    pub fn messages(&self) -> &Url {
        &self.messages
    }

    /// Sends messages elsewhere from now on.
    pub fn send_messages_to(&mut self, url: Url) {
        self.messages = url;
    }

    /// The headers of the operator, for a request that does not set them itself.
    #[must_use]
    pub fn operator(&self) -> &OperatorHeaders {
        &self.operator
    }

    /// Lets the next exchange begin only after a while, as a server may ask for before a stream is continued.
    pub fn wait_before_next(&mut self, pause: Duration) {
        self.pause = pause;
    }

    /// Begins an exchange. It is under way when this returns; [`HttpLink::next`] tells what comes of it.
    ///
    /// What is sent later waits until this has been sent; if `ordered`, until it has been answered.
    pub fn begin(&mut self, sending: Sending, ordered: bool) -> ExchangeId {
        let id = self.next;
        self.next += 1;
        let (passed, gate) = watch::channel(false);
        let before = self.gate.replace(gate);
        let listener = Listener { id, to: self.tell.clone(), passed, ordered };
        let clients = self.clients.clone();
        let pause = std::mem::take(&mut self.pause);
        let task = tokio::spawn(async move {
            sleep(pause).await;
            if let Some(mut before) = before {
                // Neither a request that was dropped nor one that is never answered holds up the others.
                let _ = timeout(MOST_PATIENT, before.wait_for(|passed| *passed)).await;
            }
            exchange::carry_out(clients, sending, listener).await;
        });
        self.running.insert(id, task.abort_handle());
        id
    }

    /// Drops the connection of an exchange; says whether it was still under way.
    pub fn drop_exchange(&mut self, id: ExchangeId) -> bool {
        self.running.remove(&id).is_some_and(|task| {
            let was_running = !task.is_finished();
            task.abort();
            was_running
        })
    }

    /// The next thing that happens, or the deadline.
    pub async fn next(&mut self, deadline: Instant) -> Told {
        let limit = self.exited.map_or(deadline, |at| (at + AFTER_EXIT).min(deadline));
        let host = std::sync::Arc::clone(self.lease.host());
        tokio::select! {
            biased;
            step = self.steps.recv() => match step {
                Some((id, step)) => {
                    if matches!(step, Step::End { .. }) {
                        self.running.remove(&id);
                    }
                    Told::Step(id, step)
                }
                None => Told::Gone,
            },
            _ = host.ended(), if self.exited.is_none() => {
                self.exited = Some(Instant::now());
                Box::pin(self.next(deadline)).await
            }
            () = sleep_until(limit) => {
                if self.exited.is_some() && limit < deadline { Told::Gone } else { Told::TimedOut }
            }
        }
    }

    /// How the server's process ended, if it is ours and does within `limit`.
    pub async fn exit_within(&self, limit: Duration) -> Option<Exit> {
        timeout(limit, self.lease.host().ended()).await.ok().flatten()
    }

    /// Whether the server's process is ours and has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.lease.host().exit().is_some()
    }

    /// Asks something of the server's process, if it is ours.
    pub fn with_process<T>(&self, ask: impl FnOnce(&Process) -> T) -> Option<T> {
        self.lease.host().with(ask)
    }

    /// Asks the server's process to end, if it is ours.
    pub fn terminate(&self) {
        self.lease.host().terminate();
    }

    /// Says that no other session gets the server after this one, where each can have its own.
    pub fn use_up(&mut self) {
        self.lease.use_up();
    }

    /// A right to the same server for another session.
    #[must_use]
    pub fn share_lease(&self) -> Lease {
        self.lease.share()
    }

    /// Whether an earlier session had the server for itself.
    #[must_use]
    pub fn server_was_used(&self) -> bool {
        self.lease.was_used()
    }

    /// Says that no other session should use the server after this one.
    pub fn distrust(&mut self) {
        self.lease.distrust();
    }

    /// The end of what the server wrote to its standard error, if its process is ours.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        self.lease.host().stderr_tail()
    }
}

impl Drop for HttpLink {
    fn drop(&mut self) {
        self.running.values().for_each(AbortHandle::abort);
    }
}

impl End {
    /// What went wrong, in words; nothing for a whole answer.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        match self {
            End::Whole => None,
            End::Cut(why) => Some(format!("the answer was cut off: {why}")),
            End::Failed { why, .. } => Some(why.clone()),
            End::Dropped => Some("we dropped the connection".to_owned()),
        }
    }
}
