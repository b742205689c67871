//! A session over HTTP: which exchange carried what, the session's id, streams, and how it all ends.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::case::Headers;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Value, json};
use tokio::time::Instant;
use url::Url;

use super::handshake::HandshakeError;
use super::headers::{self, Known, Mirrored, SESSION};
use super::{Heard, Session};
use crate::event::Transport;
use crate::transcript::{Carrier, Happening, Health, Origin, Reading};
use crate::transport::Link;
use crate::transport::http::Told;
use crate::transport::http::exchange::{End, ExchangeId, Sending, Step};
use crate::transport::http::host::Lease;
use crate::wire::id_key;

/// How long the head of the answer to our GET is waited for before the session goes on without it.
const STREAM_HEAD: Duration = Duration::from_millis(500);
/// How long the answer to DELETE is waited for.
const DELETE_ANSWER: Duration = Duration::from_millis(500);
/// The longest time that a server may ask us to wait before a stream is continued.
const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// How often the rest of the answer to one request is asked for.
const MOST_CONTINUATIONS: u32 = 20;

/// What a session over HTTP has to remember.
#[derive(Debug, Default)]
pub(super) struct OverHttp {
    /// Headers for the next thing that is sent.
    pub(super) overriding: Headers,
    session: Option<String>,
    negotiated: bool,
    mirrored: Arc<BTreeMap<String, Mirrored>>,
    exchanges: HashMap<ExchangeId, Exchange>,
    /// Whether something was refused with 404 or 400 since the last sign of life.
    pub(super) refused: bool,
    /// Whether the session has taken a request since its handshake.
    served: bool,
    /// The stream of HTTP+SSE on which everything comes.
    main: Option<ExchangeId>,
}

/// What is known of an exchange.
#[derive(Debug, Default)]
struct Exchange {
    /// The key ([`id_key`]) of the id of the request that it carried.
    asks: Option<String>,
    initializes: bool,
    status: Option<u16>,
    /// The entry of its end.
    ended: Option<usize>,
    /// The last event id on its stream.
    last_event: Option<String>,
    retry: Option<u64>,
    /// Whether it was continued by another exchange.
    continued: bool,
    /// How many exchanges it continues, one after the other.
    continues: u32,
    /// Whether it was made with another host, which may well not be there.
    elsewhere: bool,
}

impl Session {
    /// Whether frames are carried by HTTP.
    #[must_use]
    pub fn is_over_http(&self) -> bool {
        matches!(self.link, Link::Http(_))
    }

    /// Does what comes before the first message: nothing, but for HTTP+SSE.
    ///
    /// # Errors
    /// When the server does not say where messages go.
    pub async fn connect(&mut self, limit: Duration) -> Result<(), HandshakeError> {
        if self.link.transport() == Transport::Sse { self.connect_stream(limit).await } else { Ok(()) }
    }

    /// Tells which arguments of tools are mirrored in headers.
    pub fn mirror(&mut self, mirrored: Arc<BTreeMap<String, Mirrored>>) {
        self.http.mirrored = mirrored;
    }

    /// The id that the server gave the session.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.http.session.as_deref()
    }

    /// The id of the last event on the stream of an exchange.
    #[must_use]
    pub fn last_event(&self, exchange: ExchangeId) -> Option<&str> {
        self.http.exchanges.get(&exchange)?.last_event.as_deref()
    }

    /// What templates may name of the server: `path`, `host`, `origin`, `session`, and `token`; nothing on stdio. The
    /// token is a stand-in, which the real one replaces when it is sent, so that it appears in no recording.
    #[must_use]
    pub fn http_facts(&self) -> Value {
        let Link::Http(link) = &self.link else { return Value::Null };
        let url = link.messages();
        let mut facts = json!({
            "path": path_of(url),
            "host": host_of(url),
            "origin": url.origin().ascii_serialization(),
            "session": self.http.session,
        });
        if let (Some(facts), Some(_)) = (facts.as_object_mut(), self.token()) {
            facts.insert("token".to_owned(), json!(TOKEN));
        }
        facts
    }

    /// The token of the operator, if there is one.
    fn token(&self) -> Option<String> {
        let headers = self.operator();
        let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
    }

    /// Posts what is sent; says how it was carried.
    pub(super) fn post(&mut self, bytes: &[u8], message: Option<&Value>) -> Carrier {
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes).to_vec();
        let parsed = message.cloned().or_else(|| serde_json::from_slice(&body).ok());
        let parsed = parsed.as_ref();
        let method = parsed.and_then(|message| message.get("method")).and_then(Value::as_str);
        let asks = method.and(parsed).and_then(|message| message.get("id")).map(id_key);
        let headers = self.headers_for(parsed, POST);
        let about =
            Exchange { initializes: method == Some("initialize"), asks: asks.clone(), ..Exchange::default() };
        let ordered = asks.is_none();
        self.begin_exchange(POST, Target::default(), headers, body, ordered, about)
    }

    /// Makes a request that need not carry a message; returns its entry.
    ///
    /// With `host` it goes to that host, and its not being reached says nothing of the server.
    pub fn request_http(
        &mut self,
        method: &str,
        host: Option<&str>,
        path: Option<&str>,
        body: Vec<u8>,
    ) -> usize {
        let headers = self.headers_for(None, method);
        let parsed: Option<Value> = serde_json::from_slice(&body).ok();
        let asks = parsed.as_ref().and_then(|message| message.get("id")).map(id_key);
        let about = Exchange {
            asks: asks.or_else(|| self.continued_by(&headers)),
            elsewhere: host.is_some(),
            ..Exchange::default()
        };
        let target = Target { host, path };
        let carrier = self.begin_exchange(method, target, headers, body.clone(), false, about);
        let message = parsed.filter(Value::is_object);
        self.record_carried(carrier, body, message, true)
    }

    /// The key of the id of the request whose answer a case takes up again, if these headers say so.
    fn continued_by(&mut self, headers: &[(String, String)]) -> Option<String> {
        let (_, event) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(LAST_EVENT))?;
        let before =
            self.http.exchanges.values_mut().find(|about| about.last_event.as_ref() == Some(event))?;
        before.continued = before.asks.is_some();
        before.asks.clone()
    }

    /// Sends a request that is written out; returns its entry.
    pub fn request_raw(
        &mut self,
        head: &[String],
        body: &[u8],
        tell_length: bool,
        cut_after: Option<usize>,
    ) -> usize {
        let mut lines: Vec<String> = Vec::new();
        let in_a_line = |(name, value): (String, String)| format!("{name}: {value}");
        for line in head {
            if line == "{{http.headers}}" {
                let usual = self.headers_for(serde_json::from_slice(body).ok().as_ref(), POST);
                lines.extend(usual.into_iter().map(in_a_line));
            } else {
                lines.push(line.clone());
            }
        }
        // Whatever the case is about, it is not how the operator gets in.
        let sets = |name: &str| {
            let names = |line: &String| {
                line.split_once(':').is_some_and(|(other, _)| other.eq_ignore_ascii_case(name))
            };
            head.iter().any(names)
        };
        lines.extend(self.operator().into_iter().filter(|(name, _)| !sets(name)).map(in_a_line));
        if tell_length {
            lines.push(format!("Content-Length: {}", body.len()));
        }
        let token = self.token().unwrap_or_default();
        let mut bytes = lines.join("\r\n").replace(TOKEN, &token).into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(body.get(..cut_after.unwrap_or(body.len())).unwrap_or(body));
        let mut words = head.first().map(String::as_str).unwrap_or_default().split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let Link::Http(link) = &mut self.link else { return 0 };
        let url = link.messages().clone();
        let exchange = link.begin(Sending::Raw { url, bytes, then_close: cut_after.is_some() }, false);
        self.http.exchanges.insert(exchange, Exchange::default());
        let carrier = Carrier {
            exchange,
            method,
            path,
            headers: head.iter().skip(1).filter_map(|line| split_line(line)).collect(),
            raw: true,
        };
        self.record_carried(carrier, body.to_vec(), None, true)
    }

    /// Opens the stream on which a server may speak by itself, and waits for a moment for its head.
    pub(super) async fn open_stream(&mut self) {
        let entry = self.get_stream(None);
        let Some(exchange) = self.transcript.exchange_of(entry) else { return };
        self.head_within(exchange, STREAM_HEAD).await;
    }

    /// Connects by HTTP+SSE: opens the stream and learns where messages go.
    async fn connect_stream(&mut self, limit: Duration) -> Result<(), HandshakeError> {
        let entry = self.get_stream(None);
        let Some(exchange) = self.transcript.exchange_of(entry) else { return Ok(()) };
        self.http.main = Some(exchange);
        let deadline = Instant::now() + limit;
        loop {
            if let Some(url) = self.endpoint()? {
                if let Link::Http(link) = &mut self.link {
                    link.send_messages_to(url);
                }
                return Ok(());
            }
            let about = self.http.exchanges.get(&exchange);
            if let Some(status) = about.and_then(|about| about.status).filter(|status| *status != 200) {
                return Err(HandshakeError::Http(format!("HTTP status {status} for GET")));
            }
            match self.hear(deadline).await {
                Heard::Frame(_) => {}
                Heard::Closed if self.link_is_dead() => return Err(HandshakeError::Closed),
                Heard::Closed => return Err(HandshakeError::Http("no `endpoint` event on GET".to_owned())),
                Heard::TimedOut if Instant::now() >= deadline => {
                    return Err(HandshakeError::Http("no `endpoint` event on GET".to_owned()));
                }
                Heard::TimedOut => {}
            }
        }
    }

    /// Whether there is no server any more, or never was.
    fn link_is_dead(&self) -> bool {
        let unreachable = |what: &Happening| {
            matches!(
                what,
                Happening::Exited(_) | Happening::End { end: End::Failed { unreachable: true, .. }, .. }
            )
        };
        self.transcript.entries.iter().any(|entry| unreachable(&entry.what))
    }

    /// The address that the `endpoint` event names.
    fn endpoint(&self) -> Result<Option<Url>, HandshakeError> {
        let Link::Http(link) = &self.link else { return Ok(None) };
        let event = self.transcript.entries.iter().find_map(|entry| match &entry.what {
            Happening::Event { event, .. } if event.name.as_deref() == Some("endpoint") => Some(event),
            _ => None,
        });
        let Some(event) = event else { return Ok(None) };
        let text = String::from_utf8_lossy(event.data.as_deref().unwrap_or_default()).into_owned();
        let text = text.trim().trim_matches('"');
        let url =
            link.url().join(text).map_err(|_| HandshakeError::Http(format!("`{text}` for an address")))?;
        if url.origin() != link.url().origin() {
            return Err(HandshakeError::Http(format!(
                "messages would have to go to {}, which is another server",
                url.origin().ascii_serialization()
            )));
        }
        Ok(Some(url))
    }

    fn get_stream(&mut self, after: Option<(ExchangeId, String)>) -> usize {
        let mut headers = self.headers_for(None, "GET");
        let mut about = Exchange::default();
        if let Some((exchange, event)) = after {
            headers.push((LAST_EVENT.to_owned(), event));
            if let Some(before) = self.http.exchanges.get(&exchange) {
                about.asks = before.asks.clone();
                about.continues = before.continues + 1;
            }
        }
        let carrier = self.begin_exchange("GET", Target::default(), headers, Vec::new(), false, about);
        self.record_carried(carrier, Vec::new(), None, false)
    }

    fn record_carried(
        &mut self,
        carrier: Carrier,
        bytes: Vec<u8>,
        message: Option<Value>,
        hostile: bool,
    ) -> usize {
        self.record(Happening::Sent {
            bytes,
            message,
            read: Reading::Unread,
            hostile,
            carrier: Some(Box::new(carrier)),
        })
    }

    fn operator(&self) -> Vec<(String, String)> {
        match &self.link {
            Link::Http(link) => link.operator().clone(),
            Link::Stdio(_) => Vec::new(),
        }
    }

    /// The headers of a request, without those of the operator; what the case says goes first.
    fn headers_for(&mut self, message: Option<&Value>, method: &str) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        let mut set = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
        match method {
            POST => {
                set("Content-Type", "application/json");
                set("Accept", "application/json, text/event-stream");
            }
            "GET" => set("Accept", "text/event-stream"),
            _ => {}
        }
        if self.link.transport() == Transport::Http {
            all.extend(headers::headers(
                Known {
                    revision: self.revision(),
                    negotiated: self.http.negotiated,
                    session: self.http.session.as_deref(),
                    mirrored: &self.http.mirrored,
                },
                message,
            ));
        }
        for (name, value) in &self.http.overriding {
            all.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            all.extend(value.iter().map(|value| (name.clone(), value.clone())));
        }
        all
    }

    fn begin_exchange(
        &mut self,
        method: &str,
        target: Target<'_>,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        ordered: bool,
        about: Exchange,
    ) -> Carrier {
        let token = self.token().unwrap_or_default();
        let overriding = std::mem::take(&mut self.http.overriding);
        let operator: Vec<(String, String)> = self
            .operator()
            .into_iter()
            .filter(|(name, _)| !overriding.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)))
            .collect();
        let mut carrier = Carrier {
            exchange: 0,
            method: method.to_owned(),
            path: String::new(),
            headers: headers.clone(),
            raw: false,
        };
        let Link::Http(link) = &mut self.link else { return carrier };
        let is_stream = method == "GET" && link.transport() == Transport::Sse;
        let base = if is_stream { link.url() } else { link.messages() };
        let join = |path: &str| base.join(path).ok();
        let mut url =
            target.path.and_then(|path| join(&path.replace(TOKEN, &token))).unwrap_or_else(|| base.clone());
        carrier.path = target.path.map_or_else(|| path_of(&url), str::to_owned);
        if target.host.is_some() && url.set_host(target.host).is_err() {
            return carrier;
        }
        let reveal = |(name, value): (String, String)| (name, value.replace(TOKEN, &token));
        let all = headers.into_iter().map(reveal).chain(operator).collect();
        carrier.exchange =
            link.begin(Sending::Request { method: method.to_owned(), url, headers: all, body }, ordered);
        self.http.exchanges.insert(carrier.exchange, about);
        carrier
    }

    /// Takes notice of what the link tells.
    pub(super) async fn heard_over_http(&mut self, told: Told) -> Heard {
        let (exchange, step) = match told {
            Told::TimedOut => return Heard::TimedOut,
            Told::Gone => return self.heard_the_end().await,
            Told::Step(exchange, step) => (exchange, step),
        };
        let about = self.http.exchanges.entry(exchange).or_default();
        match step {
            Step::Head { status, headers } => {
                about.status = Some(status);
                self.http.refused |= matches!(status, 404 | 400);
                let given = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(SESSION));
                let is_well = (200..300).contains(&status);
                if is_well && about.asks.is_some() {
                    // Another session begins with another handshake.
                    self.http.served = !about.initializes;
                }
                if about.initializes && is_well {
                    self.http.session = given.map(|(_, value)| value.clone());
                }
                self.recorded += headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
                let entry = self.record(Happening::Head { exchange, status, headers });
                self.stop_when_full();
                Heard::Frame(entry)
            }
            Step::Message { frame, event } => {
                if let Some(event) = &event {
                    note_event(about, event);
                }
                self.heard_frame(frame, Some(Box::new(Origin { exchange, event })))
            }
            Step::Event(event) => {
                note_event(about, &event);
                self.recorded += event.data.as_ref().map_or(0, Vec::len);
                let entry = self.record(Happening::Event { exchange, event });
                self.stop_when_full();
                Heard::Frame(entry)
            }
            Step::End { end, body, length } => {
                let end = match end {
                    End::Failed { why, .. } if about.elsewhere => End::Failed { why, unreachable: false },
                    end => end,
                };
                let unreachable = matches!(end, End::Failed { unreachable: true, .. });
                self.recorded += body.len();
                let entry = self.record(Happening::End { exchange, end, body, length });
                if let Some(about) = self.http.exchanges.get_mut(&exchange) {
                    about.ended = Some(entry);
                }
                if unreachable || self.http.main == Some(exchange) {
                    return self.heard_the_end().await;
                }
                self.continue_stream(exchange);
                Heard::Frame(entry)
            }
        }
    }

    /// Asks for the rest of a stream that was closed before the response had come, where events had ids (spec page
    /// `basic/transports#resumability-and-redelivery`).
    fn continue_stream(&mut self, exchange: ExchangeId) {
        if self.revision() != Revision::R2025_11_25 || self.link.transport() != Transport::Http {
            return;
        }
        let Some(about) = self.http.exchanges.get_mut(&exchange) else { return };
        let (Some(asks), Some(event)) = (about.asks.clone(), about.last_event.clone()) else { return };
        if self.responses.contains_key(&asks) || about.continues >= MOST_CONTINUATIONS {
            return;
        }
        about.continued = true;
        let pause = Duration::from_millis(about.retry.unwrap_or(0)).min(LONGEST_RETRY);
        if let Link::Http(link) = &mut self.link {
            link.wait_before_next(pause);
        }
        self.get_stream(Some((exchange, event)));
    }

    /// The key of the id of the request whose answer an entry belongs to, if it is the only one.
    pub(super) fn asked_by(&self, entry: usize) -> Option<String> {
        let Some(Happening::Received { origin: Some(origin), .. }) =
            self.transcript.entries.get(entry).map(|entry| &entry.what)
        else {
            return None;
        };
        if self.link.transport() == Transport::Sse {
            return None;
        }
        self.http.exchanges.get(&origin.exchange)?.asks.clone()
    }

    /// Notices that the handshake of the stateful era is over.
    pub(super) fn note_negotiation(&mut self, id: &str, message: &Value) {
        let initialized =
            self.http.exchanges.values().any(|about| about.initializes && about.asks.as_deref() == Some(id));
        self.http.negotiated |= initialized && message.get("result").is_some();
    }

    /// The entry in which the HTTP answer to a request ended without a response, if no other may still bring it.
    pub(super) fn unanswered(&self, id: &str) -> Option<usize> {
        let mut carriers =
            self.http.exchanges.values().filter(|about| about.asks.as_deref() == Some(id)).peekable();
        carriers.peek()?;
        let mut last = None;
        for about in carriers {
            let ended = about.ended?;
            // Over HTTP+SSE the answer is elsewhere, unless there was none to be.
            let refused = about.status.is_none_or(|status| status >= 400);
            if self.link.transport() == Transport::Sse && !refused {
                return None;
            }
            if !about.continued {
                last = last.max(Some(ended));
            }
        }
        last
    }

    /// Whether the HTTP answer to a request is over and says that the fault is ours. Who says so lives.
    pub(super) fn was_refused(&self, id: &Value) -> bool {
        let id = id_key(id);
        self.http.exchanges.values().any(|about| {
            about.asks.as_ref() == Some(&id)
                && about.ended.is_some()
                && about.status.is_some_and(|status| (400..500).contains(&status))
        })
    }

    /// Whether a request that every server answers was refused with 404, which says that the session is gone (spec page
    /// `basic/transports#session-management`). So does 400 without an answer to the request, where the session has been
    /// served before: some SDKs use that for a session that they do not know. Nothing more comes of it then.
    pub(crate) fn lost_the_session(&mut self, barrier: &Value) -> bool {
        if self.http.session.is_none() || self.revision().era() != Era::Stateful {
            return false;
        }
        let id = id_key(barrier);
        // Some servers send errors of JSON-RPC with 400 too, so all of it must be there.
        let is_unanswered = self.http.served && !self.responses.contains_key(&id);
        let is_lost = self.http.exchanges.values().any(|about| {
            about.asks.as_ref() == Some(&id)
                && match about.status {
                    Some(404) => true,
                    // What continues a stream may be refused for itself.
                    Some(400) => is_unanswered && about.ended.is_some() && about.continues == 0,
                    _ => false,
                }
        });
        if !is_lost {
            return false;
        }
        self.record(Happening::SessionLost);
        self.closed = true;
        true
    }

    /// Whether some answer makes it doubtful that the server still knows the session.
    #[must_use]
    pub fn may_be_lost(&self) -> bool {
        self.http.session.is_some() && self.http.refused
    }

    /// Says that no other session gets the server after this one, where each can have its own.
    pub(crate) fn use_up(&mut self) {
        if let Link::Http(link) = &mut self.link {
            link.use_up();
        }
    }

    /// A right to the same server for another session; none on stdio, where a server has one.
    pub(crate) fn share_lease(&self) -> Option<Lease> {
        match &self.link {
            Link::Http(link) => Some(link.share_lease()),
            Link::Stdio(_) => None,
        }
    }

    /// Whether an earlier session had the server process for itself; never so on stdio.
    #[must_use]
    pub fn server_was_used(&self) -> bool {
        matches!(&self.link, Link::Http(link) if link.server_was_used())
    }

    /// Says that no other session should use the server after this one. On stdio none does anyway.
    pub fn distrust(&mut self) {
        if let Link::Http(link) = &mut self.link {
            link.distrust();
        }
    }

    /// Whether the server that the session was with has been started anew or ended since.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(&self.link, Link::Http(link) if link.has_ended())
    }

    /// Waits until an HTTP answer is over or has brought a message; says whether it did in time.
    pub async fn exchange_over(
        &mut self,
        exchange: ExchangeId,
        head_is_enough: bool,
        deadline: Instant,
    ) -> bool {
        loop {
            let Some(about) = self.http.exchanges.get(&exchange) else { return true };
            if about.ended.is_some() || (head_is_enough && about.status.is_some()) {
                return true;
            }
            match self.hear(deadline).await {
                Heard::Frame(_) => {}
                Heard::Closed => return false,
                Heard::TimedOut if Instant::now() >= deadline => return false,
                Heard::TimedOut => {}
            }
        }
    }

    async fn head_within(&mut self, exchange: ExchangeId, limit: Duration) {
        self.exchange_over(exchange, true, Instant::now() + limit).await;
    }

    /// Drops the connection of an exchange.
    pub fn drop_exchange(&mut self, exchange: ExchangeId) {
        let Link::Http(link) = &mut self.link else { return };
        if link.drop_exchange(exchange) {
            let entry =
                self.record(Happening::End { exchange, end: End::Dropped, body: Vec::new(), length: 0 });
            if let Some(about) = self.http.exchanges.get_mut(&exchange) {
                about.ended = Some(entry);
            }
        }
    }

    /// Ends the session as the revision wants it, and says whether the server can be used again.
    pub(super) async fn end_over_http(&mut self) {
        if !self.is_over_http() {
            return;
        }
        let is_stateful = self.revision().era() == Era::Stateful;
        if is_stateful
            && !self.closed
            && self.link.transport() == Transport::Http
            && self.http.session.is_some()
        {
            let headers = self.headers_for(None, "DELETE");
            let carrier = self.begin_exchange(
                "DELETE",
                Target::default(),
                headers,
                Vec::new(),
                false,
                Exchange::default(),
            );
            let exchange = carrier.exchange;
            self.record_carried(carrier, Vec::new(), None, false);
            self.exchange_over(exchange, false, Instant::now() + DELETE_ANSWER).await;
        }
        let unwell = self.transcript.cases.iter().any(|case| case.health != Health::Well);
        if unwell || self.closed {
            self.distrust();
        }
    }
}

const POST: &str = "POST";

/// Names the event after which a stream is to be taken up again.
const LAST_EVENT: &str = "Last-Event-ID";
/// Stands for the token of the operator in what cases send, and in recordings.
const TOKEN: &str = "{{http.token}}";

/// Where a request goes, as far as it is not to the endpoint.
#[derive(Clone, Copy, Debug, Default)]
struct Target<'a> {
    host: Option<&'a str>,
    path: Option<&'a str>,
}

fn note_event(about: &mut Exchange, event: &crate::transport::http::events::Event) {
    if let Some(id) = event.id.as_ref().filter(|id| !id.is_empty()) {
        about.last_event = Some(id.clone());
    }
    about.retry = event.retry.or(about.retry);
}

fn split_line(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once(':')?;
    Some((name.to_owned(), value.trim().to_owned()))
}

fn path_of(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
