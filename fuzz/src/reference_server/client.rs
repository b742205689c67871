//! A client in memory. Each line of its input is something that it does, told by the first byte:
//!
//! - `>method params`: a request with the next id, made out of the texts as they stand; in the stateless era with `_meta`.
//! - `=result`: the answer to the oldest request of the server that has none, with this result.
//! - `~`: a second passes.
//! - anything else: the line itself is sent.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use mcp_conform::event::Transport;
use mcp_conform::transcript::{CaseRecord, Entry, Happening, Health, Reading, Transcript};
use mcp_conform::wire::{Ending, Frame, id_key, parse};
use mcp_conform_cases::Revision;
use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::schema::{Shape, violations};
use mcp_reference_server::outbox::{Collected, Outbox};
use mcp_reference_server::server::{Server, Settings};
use mcp_reference_server::session::Session;
use serde_json::{Value, json};

/// Most lines of an input.
const MOST_LINES: usize = 24;
/// A request of the server to the client waits this long.
const REQUEST_TIMEOUT: Duration = Duration::from_millis(500);
/// So long the server may work on what was sent, by its own clock.
const WORK: Duration = Duration::from_secs(3600);

/// How a client begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greeting {
    revision: Revision,
    shakes_hands: bool,
    can_do_all: bool,
}

impl Greeting {
    /// Every way to begin.
    pub(super) const ALL: [Greeting; 8] = [
        Greeting { revision: Revision::R2024_11_05, shakes_hands: true, can_do_all: true },
        Greeting { revision: Revision::R2025_03_26, shakes_hands: true, can_do_all: true },
        Greeting { revision: Revision::R2025_06_18, shakes_hands: true, can_do_all: true },
        Greeting { revision: Revision::R2025_11_25, shakes_hands: true, can_do_all: true },
        Greeting { revision: Revision::R2026_07_28, shakes_hands: false, can_do_all: true },
        Greeting { revision: Revision::R2025_11_25, shakes_hands: true, can_do_all: false },
        Greeting { revision: Revision::R2026_07_28, shakes_hands: false, can_do_all: false },
        Greeting { revision: Revision::R2025_11_25, shakes_hands: false, can_do_all: false },
    ];

    /// The revision that is spoken.
    pub(super) fn revision(self) -> Revision {
        self.revision
    }

    fn capabilities(self) -> Value {
        if !self.can_do_all {
            return json!({});
        }
        json!({ "roots": {}, "sampling": {}, "elicitation": { "form": {}, "url": {} },
            "extensions": { "io.modelcontextprotocol/tasks": {} } })
    }
}

/// What came of it.
pub(super) struct Done {
    /// Everything that the server said.
    pub(super) said: Vec<Value>,
    /// How many requests were sent with each id.
    pub(super) asked: BTreeMap<String, usize>,
    /// How many messages of any kind were sent with each id, parts of arrays included.
    pub(super) named: BTreeMap<String, usize>,
    /// Whether something may have been cancelled, or is still under way.
    pub(super) may_be_silent: bool,
    /// The same as a recording.
    pub(super) transcript: Transcript,
}

/// Sends the lines to a new server.
pub(super) fn carry_out(greeting: Greeting, lines: &[u8]) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(async {
        let mut client = Client::new(greeting);
        client.greet().await;
        for line in lines.split(|byte| *byte == b'\n').take(MOST_LINES) {
            client.act(line).await;
        }
        client.finish().await
    })
}

struct Client {
    greeting: Greeting,
    session: Arc<Session>,
    collected: Arc<Collected>,
    next_id: u64,
    /// Requests of the server that have no answer yet, oldest first.
    open: Vec<Value>,
    done: Done,
}

impl Client {
    fn new(greeting: Greeting) -> Client {
        let collected = Arc::new(Collected::default());
        let settings = Settings { request_timeout: REQUEST_TIMEOUT, ..Settings::default() };
        let session = Session::new(&Server::new(settings), Arc::clone(&collected) as Outbox);
        let transcript = Transcript {
            revision: greeting.revision,
            transport: Transport::Stdio,
            client: if greeting.can_do_all { ClientKind::Full } else { ClientKind::Plain },
            capabilities: Value::Null,
            entries: Vec::new(),
            cases: Vec::new(),
            stderr: String::new(),
        };
        let done = Done {
            said: Vec::new(),
            asked: BTreeMap::new(),
            named: BTreeMap::new(),
            may_be_silent: false,
            transcript,
        };
        Client { greeting, session, collected, next_id: 1000, open: Vec::new(), done }
    }

    async fn greet(&mut self) {
        if self.greeting.shakes_hands {
            let hello = json!({ "jsonrpc": "2.0", "id": 999, "method": "initialize", "params": {
                "protocolVersion": self.greeting.revision.as_str(), "capabilities": self.greeting.capabilities(),
                "clientInfo": { "name": "fuzz", "version": "1" } } });
            self.send(hello.to_string().as_bytes(), false);
        } else if self.greeting.revision == Revision::R2026_07_28 {
            let discover = self.request("server/discover");
            self.send(discover.as_bytes(), false);
        } else {
            return;
        }
        self.listen().await;
        let result = self.done.said.first().and_then(|answer| answer.get("result"));
        let declared = result.and_then(|result| result.get("capabilities")).expect("it answers a greeting");
        self.done.transcript.capabilities = declared.clone();
        if self.greeting.shakes_hands {
            self.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", false);
        }
    }

    async fn act(&mut self, line: &[u8]) {
        match line.split_first() {
            Some((b'>', rest)) => {
                let text = self.request(&String::from_utf8_lossy(rest));
                let hostile = !self.may_be_sent(&text);
                self.send(text.as_bytes(), hostile);
            }
            Some((b'=', result)) => {
                if self.open.is_empty() {
                    return;
                }
                let id = self.open.remove(0);
                let result = String::from_utf8_lossy(result);
                self.send(
                    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}").as_bytes(),
                    true,
                );
            }
            Some((b'~', _)) => tokio::time::sleep(Duration::from_secs(1)).await,
            Some(_) => self.send(line, true),
            None => {}
        }
        self.listen().await;
    }

    fn request(&mut self, text: &str) -> String {
        let (method, params) = text.split_once(' ').unwrap_or((text, "{}"));
        let method = Value::from(method);
        let id = self.next_id;
        self.next_id += 1;
        let mut params = params.to_owned();
        if self.greeting.revision == Revision::R2026_07_28
            && let Some(rest) = params.strip_prefix('{')
        {
            let capabilities = self.greeting.capabilities();
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            params = format!(
                "{{\"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
                 \"io.modelcontextprotocol/clientCapabilities\":{capabilities}}}{comma}{rest}"
            );
        }
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":{method},\"params\":{params}}}")
    }

    /// Whether a client may send this: what the schema of the revision allows, in a session that has begun.
    fn may_be_sent(&self, text: &str) -> bool {
        let revision = self.greeting.revision;
        let is_greeted = self.greeting.shakes_hands || revision == Revision::R2026_07_28;
        let Ok(message) = serde_json::from_str(text) else { return false };
        is_greeted
            && violations(revision, Shape::Definition("ClientRequest"), &message)
                .is_some_and(|all| all.is_empty())
    }

    fn send(&mut self, line: &[u8], hostile: bool) {
        let message: Option<Value> = serde_json::from_slice(line).ok();
        self.count(message.as_ref());
        // What was cancelled has no answer; the word may be written with escapes.
        let holds = |word: &[u8]| line.windows(word.len()).any(|part| part == word);
        self.done.may_be_silent |= holds(b"cancel") || holds(b"\\u");
        self.note(Happening::Sent {
            bytes: line.to_vec(),
            message,
            read: Reading::Unread,
            hostile,
            carrier: None,
        });
        self.session.receive(line, &(Arc::clone(&self.collected) as Outbox));
    }

    /// Remembers the ids of requests, which must be answered, and of all else, which may be complained about.
    fn count(&mut self, message: Option<&Value>) {
        let members = match message {
            Some(Value::Array(members)) => members.as_slice(),
            one => one.map_or(&[][..], std::slice::from_ref),
        };
        for id in members.iter().filter_map(|member| member.get("id")) {
            *self.done.named.entry(id_key(id)).or_default() += 1;
        }
        let Some(Value::Object(members)) = message else { return };
        let is_request = members.get("jsonrpc").and_then(Value::as_str) == Some("2.0")
            && members.get("method").is_some_and(Value::is_string);
        if let Some(id) =
            members.get("id").filter(|id| is_request && (id.is_i64() || id.is_u64() || id.is_string()))
        {
            *self.done.asked.entry(id_key(id)).or_default() += 1;
        }
    }

    fn note(&mut self, what: Happening) {
        let at = Duration::from_millis(self.done.transcript.entries.len() as u64);
        self.done.transcript.entries.push(Entry { at, what });
    }

    /// Takes in what the server says at once; what needs time may come later.
    async fn listen(&mut self) {
        for _ in 0..4 {
            tokio::task::yield_now().await;
        }
        for outgoing in self.collected.take() {
            let message = outgoing.message;
            let bytes = message.to_string().into_bytes();
            let frame = Frame { length: bytes.len() as u64, bytes, ending: Ending::Lf };
            let content = parse(&frame);
            self.note(Happening::Received { frame, content, origin: None });
            if let (Some(id), true) = (message.get("id"), message.get("method").is_some()) {
                self.open.push(id.clone());
            }
            self.done.said.push(message);
        }
    }

    async fn finish(mut self) -> Done {
        self.listen().await;
        self.session.input_closed();
        // The clock stands still but for us: an hour costs nothing.
        let came_to_rest = tokio::time::timeout(WORK, self.session.idle()).await.is_ok();
        tokio::time::sleep(REQUEST_TIMEOUT).await;
        self.listen().await;
        self.done.may_be_silent |= !came_to_rest;
        let ends = self.done.transcript.entries.len();
        self.done.transcript.cases.push(CaseRecord {
            case: "fuzz/input".to_owned(),
            hostile: true,
            begins: 0,
            ends,
            passes: Vec::new(),
            health: Health::Well,
        });
        self.done
    }
}
