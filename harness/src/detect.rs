//! Finds out which revisions a server speaks, by greeting it in both eras at once.

use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Revision, RevisionSet};
use serde_json::Value;
use tokio::time::{Instant, timeout};

use crate::event::Transport;
use crate::guardian::Guardian;
use crate::process::{Patience, ServerCommand};
use crate::session::Session;
use crate::session::client::ScriptedClient;
use crate::session::handshake::HandshakeError;
use crate::text;
use crate::transcript::{Exit, Happening, Transcript};
use crate::transport::Link;
use crate::transport::http::exchange::Clients;
use crate::transport::http::host::{HostError, Hosts};
use crate::transport::http::{HttpLink, OperatorHeaders};
use crate::transport::stdio::StdioLink;
use crate::wire::Content;

/// When one greeting was answered, the other is given this long at least.
const OTHER_ERA_MIN: Duration = Duration::from_secs(2);
/// And this many times as long as the first one took.
const OTHER_ERA_FACTOR: u32 = 3;

/// How much of a line of the server's an error message shows, in bytes.
const LONGEST_SHOWN: usize = 300;

impl OpenError {
    /// What happened, without a remedy.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            OpenError::Start(error) => format!("the server could not be started: {error}"),
            OpenError::Host(error) => error.to_string(),
            OpenError::Handshake(error, transcript) => explain_handshake(error, transcript).0,
        }
    }
}

/// How the server is reached.
#[derive(Clone, Debug)]
pub enum Access {
    /// Over the standard streams of a process for each session.
    Stdio {
        /// How to start it.
        command: ServerCommand,
        /// Who ends it if we cannot.
        guardian: Option<Arc<Guardian>>,
    },
    /// Over HTTP.
    Http {
        /// Streamable HTTP or HTTP+SSE, if that is known.
        transport: Option<Transport>,
        /// Where servers run.
        hosts: Arc<Hosts>,
        /// Who makes the requests.
        clients: Clients,
        /// What goes with each of them.
        headers: OperatorHeaders,
    },
}

/// What is needed to open sessions with the target.
#[derive(Clone, Debug)]
pub struct Opener {
    /// How the server is reached.
    pub access: Access,
    /// Our side's answers.
    pub scripted: ScriptedClient,
    /// How long a server may take from its start to its first answer.
    pub startup: Duration,
}

/// A session that has begun, and the result with which it did.
#[derive(Debug)]
pub struct Begun {
    /// The session.
    pub session: Session,
    /// The result of `initialize` or `server/discover`.
    pub greeting: Value,
}

/// Why a session could not be opened.
#[derive(Debug)]
pub enum OpenError {
    /// The process could not be started.
    Start(std::io::Error),
    /// No server listens.
    Host(HostError),
    /// It started, and the handshake failed: with the recording up to there.
    Handshake(HandshakeError, Box<Transcript>),
}

impl Opener {
    /// Over which transport sessions are opened.
    #[must_use]
    pub fn transport(&self) -> Transport {
        match &self.access {
            Access::Stdio { .. } => Transport::Stdio,
            Access::Http { transport, .. } => transport.unwrap_or(Transport::Http),
        }
    }

    /// The same server over HTTP+SSE, unless it is known to be reached otherwise.
    #[must_use]
    pub fn over_sse(&self) -> Option<Opener> {
        let mut other = self.clone();
        match &mut other.access {
            Access::Http { transport: transport @ None, .. } => *transport = Some(Transport::Sse),
            Access::Stdio { .. } | Access::Http { .. } => return None,
        }
        Some(other)
    }

    /// Whether the server's process is ours.
    #[must_use]
    pub fn owns_process(&self) -> bool {
        match &self.access {
            Access::Stdio { .. } => true,
            Access::Http { hosts, .. } => hosts.are_ours(),
        }
    }

    /// Whether every session can have a server process of its own.
    #[must_use]
    pub fn has_many_servers(&self) -> bool {
        match &self.access {
            Access::Stdio { .. } => true,
            Access::Http { hosts, .. } => hosts.are_many(),
        }
    }

    /// Whether the server is reached over the loopback.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        matches!(&self.access, Access::Http { hosts, .. } if hosts.is_loopback())
    }

    /// Opens a connection and leaves the greeting to the caller. With `fresh` no other session has used the server's
    /// process before, if it is ours.
    ///
    /// # Errors
    /// When there is no server to talk to.
    pub async fn bare(
        &self,
        revision: Revision,
        client: ClientKind,
        fresh: bool,
    ) -> Result<Session, OpenError> {
        match &self.access {
            Access::Stdio { command, guardian } => {
                let link = StdioLink::start(command, guardian.clone()).map_err(OpenError::Start)?;
                Ok(Session::new(Link::Stdio(Box::new(link)), revision, client, self.scripted.clone()))
            }
            Access::Http { hosts, clients, headers, .. } => {
                let lease = hosts.take(fresh).await.map_err(OpenError::Host)?;
                let link = HttpLink::new(self.transport(), clients.clone(), headers.clone(), lease);
                let mut session = self.session_over(link, revision, client);
                match session.connect(self.startup).await {
                    Ok(()) => Ok(session),
                    Err(error) => {
                        // Another session may have left it unwell.
                        if session.server_was_used() {
                            session.distrust();
                        }
                        Err(failed(error, session))
                    }
                }
            }
        }
    }

    fn session_over(&self, link: HttpLink, revision: Revision, client: ClientKind) -> Session {
        Session::new(Link::Http(Box::new(link)), revision, client, self.scripted.clone())
    }

    /// Opens another session on the server that a session has, and greets it; none on stdio, where a server has one, or
    /// where none begins.
    pub async fn beside(&self, session: &Session, client: ClientKind) -> Option<Session> {
        let Access::Http { clients, headers, .. } = &self.access else { return None };
        let link = HttpLink::new(self.transport(), clients.clone(), headers.clone(), session.share_lease()?);
        let mut other = self.session_over(link, session.transcript.revision, client);
        other.connect(self.startup).await.ok()?;
        other.begin(self.startup).await.ok()?;
        Some(other)
    }

    /// Opens a connection and greets the server. With `fresh` as for [`Opener::bare`]; a server process that serves no
    /// further session is left for a new one.
    ///
    /// # Errors
    /// When there is none to talk to, or it does not answer as it must.
    pub async fn begin(
        &self,
        revision: Revision,
        client: ClientKind,
        fresh: bool,
    ) -> Result<Begun, OpenError> {
        let mut session = self.bare(revision, client, fresh).await?;
        let error = match session.begin(self.startup).await {
            Ok(greeting) => return Ok(Begun { session, greeting }),
            Err(error) => error,
        };
        let Access::Http { hosts, .. } = &self.access else { return Err(failed(error, session)) };
        if matches!(error, HandshakeError::OtherRevision(_)) || !session.server_was_used() {
            return Err(failed(error, session));
        }
        session.distrust();
        let mut other = self.bare(revision, client, true).await?;
        match other.begin(self.startup).await {
            Ok(greeting) => {
                if matches!(error, HandshakeError::Refused(_) | HandshakeError::Http(_)) {
                    hosts.use_each_once();
                }
                Ok(Begun { session: other, greeting })
            }
            Err(error) => Err(failed(error, other)),
        }
    }

    /// Makes room for a new process where there is one of ours for all sessions; says whether there is.
    #[must_use]
    pub fn discard_server(&self) -> bool {
        matches!(&self.access, Access::Http { hosts, .. } if hosts.discard())
    }

    /// Ends the servers that serve several sessions, once no session is left.
    pub async fn close(&self, patience: Patience) {
        if let Access::Http { hosts, .. } = &self.access {
            hosts.close(patience).await;
        }
    }
}

fn failed(error: HandshakeError, session: Session) -> OpenError {
    OpenError::Handshake(error, Box::new(session.abandon()))
}

/// What was found out.
#[derive(Debug)]
pub struct Detected {
    /// How further sessions are opened.
    pub opener: Opener,
    /// The revisions that the server speaks, as far as it was asked.
    pub spoken: RevisionSet,
    /// Sessions that have begun on the way, ready for use.
    pub begun: Vec<Begun>,
    /// What the reader should know of revisions that are not tested, one sentence each.
    pub notes: Vec<String>,
}

/// Why nothing can be tested.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}{}", .stderr.as_deref().map(tail_in_words).unwrap_or_default(), hint_in_words(.hint))]
pub struct NotSpeaking {
    /// What happened.
    pub what: String,
    /// The end of what the server wrote to its standard error; `None` if it runs without us.
    pub stderr: Option<String>,
    /// What to try.
    pub hint: Option<String>,
    /// Whether something answered, but not as an endpoint of Streamable HTTP would.
    pub is_http: bool,
}

fn tail_in_words(stderr: &str) -> String {
    let lines: Vec<&str> = stderr.trim_end().lines().collect();
    if lines.is_empty() {
        return "\n  it wrote nothing to its standard error".to_owned();
    }
    let shown = lines.iter().skip(lines.len().saturating_sub(12));
    let body: String =
        shown.map(|line| format!("\n  | {}", text::bounded(&text::visible(line), LONGEST_SHOWN))).collect();
    format!("\n  on its standard error at last:{body}")
}

fn hint_in_words(hint: &Option<String>) -> String {
    hint.as_ref().map_or_else(String::new, |hint| format!("\n  try: {hint}"))
}

/// Finds out over which transport a server is reached, and which revisions it speaks there.
///
/// # Errors
/// When it answers to nothing that we know.
pub async fn detect(opener: Opener, wanted: RevisionSet) -> Result<Detected, NotSpeaking> {
    let wanted = defined(&opener, wanted)?;
    let refusal = match greet(&opener, wanted).await {
        Ok(detected) => return Ok(detected),
        Err(refusal) => refusal,
    };
    // What is no endpoint of Streamable HTTP may be one of the transport before it.
    let Some(older) = opener.over_sse().filter(|_| refusal.is_http) else { return Err(refusal) };
    let Ok(wanted) = defined(&older, wanted) else { return Err(refusal) };
    greet(&older, wanted).await.map_err(|other| if other.is_http { refusal } else { other })
}

/// Whether any of these revisions can be spoken over the opener's transport.
#[must_use]
pub fn carries_any(opener: &Opener, wanted: RevisionSet) -> bool {
    defined(opener, wanted).is_ok()
}

/// The revisions that can be spoken over a transport. HTTP+SSE is that of 2024-11-05, and many servers speak the later
/// stateful revisions over it. The stateless era has no such transport any more: no text says what its requests, which
/// stand for themselves, would mean in a session that lasts as long as a stream.
fn defined(opener: &Opener, wanted: RevisionSet) -> Result<RevisionSet, NotSpeaking> {
    let is_sse = opener.transport() == Transport::Sse;
    let defined: RevisionSet =
        wanted.iter().filter(|revision| !is_sse || revision.era() == Era::Stateful).collect();
    if !defined.is_empty() || wanted.is_empty() {
        return Ok(defined);
    }
    Err(NotSpeaking {
        what: format!("HTTP+SSE is not a transport of {wanted}"),
        stderr: None,
        hint: Some("--revision ..2025-11-25".to_owned()),
        is_http: false,
    })
}

/// Greets the server in both eras at once, each in a process of its own. A server that is silent in one era costs a
/// few moments more than it took to answer in the other.
///
/// # Errors
/// When it answers in neither.
async fn greet(opener: &Opener, wanted: RevisionSet) -> Result<Detected, NotSpeaking> {
    let newest = |era: Era| wanted.iter().rfind(|revision| revision.era() == era);
    let begun = Instant::now();
    let modern = attempt(opener, newest(Era::Stateless));
    let legacy = attempt(opener, newest(Era::Stateful));
    tokio::pin!(modern, legacy);
    let (modern, legacy) = tokio::select! {
        first = &mut modern => {
            let patience = patience(&first, wanted, begun, opener.startup);
            (first, timeout(patience, legacy).await.unwrap_or(Attempt::Silent))
        }
        first = &mut legacy => {
            let patience = patience(&first, wanted, begun, opener.startup);
            (timeout(patience, modern).await.unwrap_or(Attempt::Silent), first)
        }
    };
    let mut found =
        Detected { opener: opener.clone(), spoken: RevisionSet::EMPTY, begun: Vec::new(), notes: Vec::new() };
    let mut failures = Vec::new();
    for attempt in [modern, legacy] {
        match attempt {
            Attempt::Begun(session) => {
                found.spoken.insert(session.session.revision());
                found.begun.push(*session);
            }
            Attempt::Failed(OpenError::Handshake(HandshakeError::OtherRevision(offered), _))
                if known(&offered, wanted).is_some() =>
            {
                let Some(offered) = known(&offered, wanted) else { continue };
                match opener.begin(offered, ClientKind::Usual, false).await {
                    Ok(session) => {
                        found.spoken.insert(offered);
                        found.begun.push(session);
                    }
                    Err(error) => failures.push(error),
                }
            }
            Attempt::Failed(error) => failures.push(error),
            Attempt::Silent => found.notes.push(
                "one of the two greetings (`initialize` and `server/discover`) had no answer long after the other, so its revisions are not tested"
                    .to_owned(),
            ),
            Attempt::NotTried => {}
        }
    }
    if found.spoken.is_empty() { Err(explain(failures, opener)) } else { Ok(found) }
}

/// The revision that a server offered instead, if it is one of those that we were asked to test.
fn known(offered: &str, wanted: RevisionSet) -> Option<Revision> {
    offered.parse().ok().filter(|revision| wanted.contains(*revision))
}

enum Attempt {
    Begun(Box<Begun>),
    Failed(OpenError),
    Silent,
    NotTried,
}

async fn attempt(opener: &Opener, revision: Option<Revision>) -> Attempt {
    let Some(revision) = revision else { return Attempt::NotTried };
    match opener.begin(revision, ClientKind::Usual, false).await {
        Ok(session) => Attempt::Begun(Box::new(session)),
        Err(error) => Attempt::Failed(error),
    }
}

/// How long the slower greeting is waited for: briefly once the server has shown that it answers the other.
fn patience(first: &Attempt, wanted: RevisionSet, begun: Instant, startup: Duration) -> Duration {
    let is_answered = match first {
        Attempt::Begun(_) => true,
        Attempt::Failed(OpenError::Handshake(HandshakeError::OtherRevision(offered), _)) => {
            known(offered, wanted).is_some()
        }
        Attempt::Failed(_) | Attempt::Silent | Attempt::NotTried => false,
    };
    if is_answered {
        (begun.elapsed() * OTHER_ERA_FACTOR).max(OTHER_ERA_MIN).min(startup)
    } else {
        startup * 2
    }
}

/// The clearest explanation of why no session began.
fn explain(failures: Vec<OpenError>, opener: &Opener) -> NotSpeaking {
    let mut best = NotSpeaking {
        what: format!("the server did not answer within {} s", opener.startup.as_secs_f32()),
        stderr: opener.owns_process().then(String::new),
        is_http: false,
        hint: Some(match opener.transport() {
            Transport::Stdio => "--startup-timeout SECONDS for a server that starts slowly; --url URL for one that serves HTTP",
            Transport::Http | Transport::Sse => "--startup-timeout SECONDS for a server that answers slowly",
        }.to_owned()),
    };
    // The stateful greeting comes last and is the one that most servers understand.
    for failure in failures {
        let mut is_http = best.is_http;
        let (what, stderr, hint) = match failure {
            OpenError::Start(error) => {
                (format!("the server could not be started: {error}"), String::new(), None)
            }
            OpenError::Host(error) => {
                let stderr = match &error {
                    HostError::Ended { stderr, .. } | HostError::Deaf { stderr, .. } => stderr.clone(),
                    HostError::Start(_) | HostError::Address(_) => String::new(),
                };
                let hint = matches!(error, HostError::Deaf { .. })
                    .then(|| "check that the address of --url is where the command listens".to_owned());
                (error.to_string(), stderr, hint)
            }
            OpenError::Handshake(error, transcript) => {
                // What refuses every message may still be the stream of the older transport, with an error beside 405.
                is_http |= matches!(error, HandshakeError::Http(_) | HandshakeError::Refused(_));
                let (what, hint) = explain_handshake(&error, &transcript);
                if matches!(error, HandshakeError::Silent) && hint.is_none() {
                    best.stderr = opener.owns_process().then_some(transcript.stderr);
                    continue;
                }
                (what, transcript.stderr, hint)
            }
        };
        best = NotSpeaking { what, stderr: opener.owns_process().then_some(stderr), hint, is_http };
    }
    best
}

/// Why there was no HTTP answer at all, and what to try.
fn unreachable(transcript: &Transcript) -> (String, Option<String>) {
    let why = transcript.entries.iter().find_map(|entry| match &entry.what {
        Happening::End { end, .. } => end.failure(),
        _ => None,
    });
    let Some(why) = why else { return ("the server could not be reached".to_owned(), None) };
    let hint = why.contains("certificate").then(|| {
        "--ca FILE with the certificate of whoever issued the server's, if the system does not know them"
            .to_owned()
    });
    (format!("the server could not be reached: {why}"), hint)
}

/// What to try after an HTTP answer that is none of the protocol's.
fn hint_for_status(transcript: &Transcript) -> &'static str {
    let status = transcript.entries.iter().rev().find_map(|entry| match entry.what {
        Happening::Head { status, .. } => Some(status),
        _ => None,
    });
    match status {
        Some(401 | 403) => "--bearer TOKEN, or --header 'NAME: VALUE', for a server that is protected",
        Some(300..=399) => "the address that the server points to; redirections are not followed",
        Some(500..) => "a look at the server's own log",
        _ => "the address of the endpoint itself, often one that ends in /mcp",
    }
}

fn explain_handshake(error: &HandshakeError, transcript: &Transcript) -> (String, Option<String>) {
    let exit = transcript.exit();
    let garbage = transcript.entries.iter().find_map(|entry| match &entry.what {
        Happening::Received { frame, content, .. }
            if !matches!(content, Content::Message(_) | Content::Empty) =>
        {
            Some(text::visible(&text::frame(&frame.bytes, LONGEST_SHOWN)).into_owned())
        }
        _ => None,
    });
    let wrote = garbage.map(|line| format!("; on its standard output it wrote: {line}")).unwrap_or_default();
    let overflow = transcript.entries.iter().any(|entry| matches!(entry.what, Happening::Overflow));
    match error {
        HandshakeError::Closed if overflow => (
            "the server wrote more than a session may hold and never answered".to_owned(),
            Some("only answers and notifications belong on standard output".to_owned()),
        ),
        HandshakeError::Closed => match exit {
            Some(Exit { code: Some(127), .. }) => (
                format!("the server exited with code 127: a program that it needs was not found{wrote}"),
                None,
            ),
            Some(exit) => {
                // So says AddressSanitizer of a limit of memory.
                let remedy = if transcript.stderr.contains("using ulimit -v") {
                    "its sanitizer needs more addresses than the limit of memory allows: --no-sandbox"
                } else {
                    "start the server by hand to see whether it needs arguments or environment variables"
                };
                (format!("the server {exit} before it answered{wrote}"), Some(remedy.to_owned()))
            }
            None if transcript.transport != Transport::Stdio => unreachable(transcript),
            None => (
                format!("the server closed its standard output before it answered, and lives on{wrote}"),
                Some("a stdio server must keep its standard output open for messages".to_owned()),
            ),
        },
        HandshakeError::Silent if !wrote.is_empty() => (
            format!("the server started and never answered{wrote}"),
            Some("only protocol messages may go to standard output; write logs to standard error".to_owned()),
        ),
        HandshakeError::Silent => (error.to_string(), None),
        HandshakeError::Refused(refusal) => {
            (format!("the server refused to begin a session: {refusal}"), None)
        }
        HandshakeError::OtherRevision(offered) => (
            format!("the server offers the protocol version {offered}, which is none of those under test"),
            Some("--revision all".to_owned()),
        ),
        HandshakeError::Http(_) => (error.to_string(), Some(hint_for_status(transcript).to_owned())),
        HandshakeError::Unusable => ("the server's first answer names no protocol version".to_owned(), None),
    }
}
