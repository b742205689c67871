//! Where an HTTP server runs: in a process of ours, started when it is needed, or somewhere already.

use std::ffi::OsString;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::time::{Instant, sleep, timeout};
use url::Url;

use crate::guardian::Guardian;
use crate::process::{Patience, Process, ServerCommand};
use crate::transcript::Exit;

/// Stands for the port in addresses and commands.
pub const PORT: &str = "{port}";
/// How often a server that starts is tried, at first and at most.
const TRY_AFTER: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// How long a server that was killed may take to be gone.
const TIME_TO_END: Duration = Duration::from_secs(5);

/// Why there is no server to talk to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The process could not be started.
    #[error("the server could not be started: {0}")]
    Start(String),
    /// It ended before it listened.
    #[error("the server {exit} before it listened at {address}")]
    Ended {
        /// How.
        exit: Exit,
        /// Where it should have listened.
        address: String,
        /// The end of its standard error.
        stderr: String,
    },
    /// It never listened.
    #[error("the server did not listen at {address} within {} s", .waited.as_secs_f32())]
    Deaf {
        /// Where it should have listened.
        address: String,
        /// How long that was waited for.
        waited: Duration,
        /// The end of its standard error.
        stderr: String,
    },
    /// Nothing can be made of the address.
    #[error("`{0}` is no address")]
    Address(String),
}

/// A server that listens.
#[derive(Debug)]
pub struct Host {
    url: Url,
    process: Option<Mutex<Process>>,
    /// Some servers end when their standard input does.
    _input: Option<ChildStdin>,
}

impl Host {
    /// The address of the endpoint.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// How its process ended, if it is ours and has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.with(Process::exit).flatten()
    }

    /// Whether its process is ours.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.process.is_some()
    }

    /// The end of what it wrote to its standard error.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        self.with(Process::stderr_tail).unwrap_or_default()
    }

    /// Asks its process to end.
    pub fn terminate(&self) {
        self.with(Process::terminate);
    }

    /// Waits for the end of its process; for ever if it is not ours.
    pub async fn ended(&self) -> Option<Exit> {
        match self.with(Process::watch) {
            Some(mut exit) => exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit),
            None => std::future::pending().await,
        }
    }

    /// Asks something of its process, if it is ours.
    pub fn with<T>(&self, act: impl FnOnce(&Process) -> T) -> Option<T> {
        self.process.as_ref().map(|process| act(&process.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Gives sessions a server to talk to.
#[derive(Debug)]
pub struct Hosts {
    command: Option<ServerCommand>,
    address: String,
    guardian: Option<Arc<Guardian>>,
    startup: Duration,
    /// Servers that no session uses; with a fixed port the one there is, in use or not.
    idle: Mutex<Vec<Arc<Host>>>,
    /// Only one server at a time is started on a fixed port.
    starting: tokio::sync::Mutex<()>,
    /// Servers on a fixed port that were told to end, and perhaps have not yet.
    ending: Mutex<Vec<Arc<Host>>>,
    /// Whether a server is good for one session only, as was seen.
    good_for_one: AtomicBool,
}

impl Hosts {
    /// Servers at `address`, in which `{port}` stands for a free port, started by `command` or running already.
    #[must_use]
    pub fn new(
        command: Option<ServerCommand>,
        address: String,
        guardian: Option<Arc<Guardian>>,
        startup: Duration,
    ) -> Hosts {
        Hosts {
            command,
            address,
            guardian,
            startup,
            idle: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            ending: Mutex::default(),
            good_for_one: AtomicBool::new(false),
        }
    }

    /// Whether every session can have a server process of its own.
    #[must_use]
    pub fn are_many(&self) -> bool {
        self.command.is_some() && self.address.contains(PORT)
    }

    /// Whether the server's process is ours.
    #[must_use]
    pub fn are_ours(&self) -> bool {
        self.command.is_some()
    }

    /// Whether the address is one of the loopback.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let url = Url::parse(&self.address.replace(PORT, "1")).ok();
        url.as_ref().and_then(Url::host_str).is_some_and(|host| {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
            host == "localhost" || address.is_ok_and(|address| address.is_loopback())
        })
    }

    /// A server that no other session uses, and with `fresh` none has used before, where that is possible; else the
    /// one there is.
    ///
    /// # Errors
    /// When none listens.
    pub async fn take(self: &Arc<Self>, fresh: bool) -> Result<Lease, HostError> {
        let _one_at_a_time = if self.are_many() { None } else { Some(self.starting.lock().await) };
        let fresh = self.are_many() && (fresh || self.good_for_one.load(Ordering::Relaxed));
        let used = if fresh { None } else { self.reuse() };
        let was_used = self.are_many() && used.is_some();
        let host = match used {
            Some(host) => host,
            None => {
                // Only then is its port free again, and whoever connects there is not connected to it.
                let ending = std::mem::take(&mut *locked(&self.ending));
                for ending in ending {
                    let _ = timeout(TIME_TO_END, ending.ended()).await;
                }
                let host = Arc::new(self.start().await?);
                if !self.are_many() {
                    self.idle().push(Arc::clone(&host));
                }
                host
            }
        };
        Ok(Lease { hosts: Arc::clone(self), host, sound: true, was_used, shared: false })
    }

    /// Gives every session a server of its own from now on, where that is possible.
    pub fn use_each_once(&self) {
        self.good_for_one.store(true, Ordering::Relaxed);
    }

    /// Ends the one server on a fixed port, so that the next session finds another one; says whether it is ours.
    pub fn discard(&self) -> bool {
        if self.are_many() || !self.are_ours() {
            return false;
        }
        let hosts = std::mem::take(&mut *self.idle());
        hosts.iter().for_each(|host| self.kill(host));
        true
    }

    fn kill(&self, host: &Arc<Host>) {
        host.with(Process::kill);
        locked(&self.ending).push(Arc::clone(host));
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Host>>> {
        locked(&self.idle)
    }

    fn reuse(&self) -> Option<Arc<Host>> {
        let mut idle = self.idle();
        idle.retain(|host| host.exit().is_none());
        if self.are_many() { idle.pop() } else { idle.first().cloned() }
    }

    async fn start(&self) -> Result<Host, HostError> {
        let port = if self.address.contains(PORT) { free_port().await.map_err(start_error)? } else { 0 };
        let address = self.address.replace(PORT, &port.to_string());
        let url: Url = address.parse().map_err(|_| HostError::Address(address.clone()))?;
        let Some(command) = &self.command else { return Ok(Host { url, process: None, _input: None }) };
        let (process, pipes) =
            Process::start(&with_port(command, port), self.guardian.clone()).map_err(start_error)?;
        tokio::spawn(discard(pipes.stdout));
        let host = Host { url, process: Some(Mutex::new(process)), _input: Some(pipes.stdin) };
        self.listening(host).await
    }

    /// Waits until the server takes connections. Nothing tells when it does, so it is tried.
    async fn listening(&self, host: Host) -> Result<Host, HostError> {
        let name = host.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = host.url.port_or_known_default().unwrap_or(80);
        let deadline = Instant::now() + self.startup;
        let mut pause = TRY_AFTER.0;
        loop {
            let connected = timeout(self.startup, TcpStream::connect((name.as_str(), port))).await;
            if let Some(exit) = host.exit() {
                let address = format!("{name}:{port}");
                return Err(HostError::Ended { exit, address, stderr: host.stderr_tail() });
            }
            if matches!(connected, Ok(Ok(_))) {
                return Ok(host);
            }
            if Instant::now() >= deadline {
                let address = format!("{name}:{port}");
                return Err(HostError::Deaf { address, waited: self.startup, stderr: host.stderr_tail() });
            }
            sleep(pause).await;
            pause = (pause * 2).min(TRY_AFTER.1);
        }
    }

    /// Brings all servers that nobody uses to their end.
    pub async fn close(&self, patience: Patience) {
        let hosts = std::mem::take(&mut *self.idle());
        // One that runs without us does not end.
        let ours: Vec<_> = hosts.into_iter().filter(|host| host.process.is_some()).collect();
        ours.iter().for_each(|host| host.terminate());
        for host in ours {
            // Whoever has not ended by then is killed when the last owner lets go.
            let _ = timeout(patience.after_term, host.ended()).await;
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_error(error: io::Error) -> HostError {
    HostError::Start(error.to_string())
}

async fn free_port() -> io::Result<u16> {
    // Between closing and the server's listening another program may take it; then the server says so and is started
    // again by the next session.
    Ok(TcpListener::bind(("127.0.0.1", 0)).await?.local_addr()?.port())
}

fn with_port(command: &ServerCommand, port: u16) -> ServerCommand {
    let fill = |word: &OsString| match word.to_str() {
        Some(text) if port != 0 => OsString::from(text.replace(PORT, &port.to_string())),
        _ => word.clone(),
    };
    ServerCommand {
        program: command.program.clone(),
        arguments: command.arguments.iter().map(fill).collect(),
        environment: command.environment.iter().map(|(name, value)| (name.clone(), fill(value))).collect(),
        directory: command.directory.clone(),
    }
}

async fn discard(mut from: ChildStdout) {
    let mut chunk = vec![0; 4096];
    while let Ok(1..) = from.read(&mut chunk).await {}
}

/// A session's right to a server.
#[derive(Debug)]
pub struct Lease {
    hosts: Arc<Hosts>,
    host: Arc<Host>,
    sound: bool,
    was_used: bool,
    /// Whether another session has the server, which is its to give back.
    shared: bool,
}

impl Lease {
    /// The right of another session to the same server, at the same time.
    #[must_use]
    pub fn share(&self) -> Lease {
        Lease {
            hosts: Arc::clone(&self.hosts),
            host: Arc::clone(&self.host),
            sound: true,
            was_used: true,
            shared: true,
        }
    }

    /// The server.
    #[must_use]
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Whether an earlier session had the server for itself.
    #[must_use]
    pub fn was_used(&self) -> bool {
        self.was_used
    }

    /// Says that no other session gets the server after this one, where each can have its own.
    pub fn use_up(&mut self) {
        if self.hosts.are_many() {
            self.sound = false;
        }
    }

    /// Says that the server is not to be used again.
    pub fn distrust(&mut self) {
        self.sound = false;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.shared {
            return;
        }
        let is_ours = self.host.is_ours();
        let sound = self.sound && self.host.exit().is_none();
        if self.hosts.are_many() {
            if sound {
                self.hosts.idle().push(Arc::clone(&self.host));
            }
        } else if !sound && is_ours {
            // Other sessions may still hold on to it, and its port must become free.
            self.hosts.kill(&self.host);
            self.hosts.idle().retain(|other| !Arc::ptr_eq(other, &self.host));
        }
    }
}
