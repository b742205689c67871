//! Inputs sent over one session: many at once where they need not wait for each other, with a sign of life after each
//! batch.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use mcp_conform_cases::case::{Action, ClientKind};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::input::{Claim, Input};
use super::leg::{Asked, Leg, Try, message_sent};
use super::pace::Pace;
use super::signature;
use super::suspect;
use super::waits;
use super::watch::Watchdog;
use crate::event::Transport;
use crate::judge::steps;
use crate::run::script;
use crate::session::handshake::HandshakeError;
use crate::session::{Heard, Outgoing, Session};
use crate::template::Variables;
use crate::transcript::{CaseRecord, Happening, Health, StepRecord, Waited};
use crate::transport::http::exchange::ExchangeId;
use crate::wire::{hash_of, id_key, member};

/// So many requests are under way at once, and so many beside them that were put off.
const WINDOW: usize = 48;
/// When there are more, answers are waited for until so many are left: several lines are written and read at once then.
const REFILL: usize = 24;
/// After so many inputs the server gets what was sent, so that it works while others are made.
const TOGETHER: usize = 8;
/// So many bytes, both ways together, are enough for one leg: what is read of them takes several times that.
const FULL: usize = 1024 * 1024;
/// So many requests about one thing without an answer are waited for: more would only show the same again.
const MOST_SILENT: u32 = 2;
/// What is as slow as this, measured by the slowest answer so far, is suspicious; whether it is more than that is found
/// out on a fresh server with all the time there is.
const SLOW: u32 = 20;
/// Nothing faster than this is suspicious.
const QUICK: Duration = Duration::from_secs(1);
/// The same where nothing depends on it.
const HASTY: Duration = Duration::from_millis(100);
/// How long after its answers a server is watched for its end, where it is suspected of one.
const LINGER: Duration = Duration::from_secs(1);
/// How long is waited for the end of a server whose input was closed: it may crash then.
const END: Duration = Duration::from_secs(2);

const CANCELLED: &str = "notifications/cancelled";

/// The name under which a fuzzer's traffic stands in a recording.
pub(crate) const CASE: &str = "fuzz";

/// Whether a number is an integer that every JSON reader can hold exactly (RFC 8259, section 6): the specification sets
/// no limit, but who cannot read an id cannot answer under it.
pub(super) fn is_safe(id: &Value) -> bool {
    const LARGEST: u64 = (1 << 53) - 1;
    id.as_i64().is_some_and(|id| id.unsigned_abs() <= LARGEST)
}

/// How a batch ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Landing {
    /// The server lives.
    Sound,
    /// The server lives, and enough has been recorded.
    Full,
    /// The connection or the process ended.
    Dead,
    /// The server answers nothing any more.
    Hung,
    /// We closed its input.
    Closed,
}

/// What was still to come when waiting for it began.
struct Late {
    /// Which try, which of what it asked; oldest first.
    asked: Vec<(usize, usize)>,
    /// By the session's clock.
    since: Duration,
}

/// A session on which inputs are tried.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) session: Session,
    pub(super) tries: Vec<Try>,
    /// Requests whose answers are still to come: which try, which of what it asked.
    in_flight: VecDeque<(usize, usize)>,
    /// Whether it goes on leg by leg: answers that take long are waited for at the end of one, while other inputs are tried,
    /// and what would be too much for one leg is left for the next.
    pub(super) by_legs: bool,
    /// The requests whose answers are waited for at the end of the leg, and until when.
    put_off: Vec<(usize, usize)>,
    put_off_until: Instant,
    /// Requests whose answers are not waited for, although they may come.
    moot: Vec<(usize, usize)>,
    /// What need not be answered any more, by [`suspect::subject_among`]: that it is not is known, or was looked into. None
    /// where everything is waited for.
    silent: Option<HashSet<String>>,
    /// How long the answers of tools were waited for, where that took long.
    waits: HashMap<String, Duration>,
    /// The tools that are known.
    pub(super) tools: Arc<[String]>,
    /// The HTTP requests with headers of their own whose answers are still to come: what they get tells something too.
    carried: Vec<ExchangeId>,
    /// How often there was no answer, by subject.
    silences: HashMap<String, u32>,
    /// Requests that had no answer although the server lives.
    unanswered: Vec<(usize, usize)>,
    pub(super) landing: Landing,
    /// Hashes of the ids of everything that was sent, to tell repeated ones. An id may be a megabyte long; two with the same
    /// hash cost a verdict, and never make a wrong one.
    ids: HashSet<u64>,
    begins: usize,
    timeout: Duration,
    patient: bool,
    /// Whether an answer that does not come soon is none, as another input can be tried instead.
    pub(super) hasty: bool,
    /// Whether there was no handshake yet.
    pub(super) bare: bool,
    /// Whether the server is reached over the loopback.
    pub(super) loopback: bool,
    /// The bytes that were sent in this leg.
    sent: usize,
    /// The bytes that had been recorded when the leg began.
    recorded_before: usize,
    /// What ends a server that takes too much, where that is ours to do.
    pub(super) watchdog: Option<Watchdog>,
    /// What sanitizers have reported so far, also before the session where the server is older.
    reports: Vec<String>,
    /// How fast inputs may be sent, if that is bounded.
    pub(super) pace: Option<Arc<Pace>>,
}

impl Flight {
    /// `patient` is whether everything is given all the time that there is.
    pub(super) fn new(session: Session, timeout: Duration, patient: bool) -> Flight {
        let recorded_before = session.recorded_bytes();
        let reports = signature::sanitizer_reports(&session.stderr_tail());
        Flight {
            begins: session.transcript.entries.len(),
            session,
            tries: Vec::new(),
            in_flight: VecDeque::new(),
            by_legs: false,
            put_off: Vec::new(),
            put_off_until: Instant::now(),
            moot: Vec::new(),
            silent: None,
            waits: HashMap::new(),
            tools: Arc::default(),
            carried: Vec::new(),
            silences: HashMap::new(),
            unanswered: Vec::new(),
            landing: Landing::Sound,
            ids: HashSet::new(),
            timeout,
            patient,
            hasty: false,
            bare: false,
            loopback: false,
            sent: 0,
            recorded_before,
            watchdog: None,
            reports,
            pace: None,
        }
    }

    /// How long is much longer than the server has taken so far.
    fn quick(&self) -> Duration {
        self.longer_than_usual(QUICK)
    }

    fn longer_than_usual(&self, least: Duration) -> Duration {
        match self.session.slowest() {
            Duration::ZERO => self.timeout,
            slowest => (slowest * SLOW).clamp(least.min(self.timeout), self.timeout),
        }
    }

    /// How long an answer is waited for. Who only suspects need not wait for all the time there is.
    fn patience(&self) -> Duration {
        if self.patient { self.timeout } else { self.quick() }
    }

    /// Tries inputs, one batch of them; leaves those that it did not come to. Of a flight by legs that lives, that is at
    /// least one.
    pub(super) async fn fly(&mut self, inputs: &mut VecDeque<Input>) -> Landing {
        let before = self.tries.len();
        while self.landing == Landing::Sound
            && (self.tries.len() == before || !self.by_legs || !self.is_full())
        {
            let Some(input) = inputs.pop_front() else { break };
            if let Some(pace) = &self.pace {
                self.session.push();
                pace.turn().await;
            }
            if must_be_alone(&input) {
                self.settle().await;
                if self.landing != Landing::Sound {
                    inputs.push_front(input);
                    break;
                }
                self.one_by_one(input).await;
            } else {
                self.all_at_once(input).await;
            }
        }
        if self.landing == Landing::Sound {
            self.settle().await;
        }
        if self.landing == Landing::Sound && self.is_full() {
            self.landing = Landing::Full;
        }
        self.landing
    }

    /// As [`Self::fly`], for all of them, however much has been recorded.
    pub(super) async fn fly_all(&mut self, inputs: impl IntoIterator<Item = Input>) {
        let (landing, by_legs) = (self.landing, std::mem::replace(&mut self.by_legs, false));
        if landing == Landing::Full {
            self.landing = Landing::Sound;
        }
        self.fly(&mut inputs.into_iter().collect()).await;
        self.by_legs = by_legs;
        if matches!(self.landing, Landing::Sound | Landing::Full) {
            self.landing = landing;
        }
    }

    fn is_full(&self) -> bool {
        let recorded = self.session.recorded_bytes().saturating_sub(self.recorded_before);
        self.sent + recorded > FULL
    }

    /// Sends all steps and waits only when too much is under way.
    async fn all_at_once(&mut self, input: Input) {
        let mut known = Variables::default();
        let place = self.begin(input);
        for step in 0..self.steps_of(place) {
            self.send(place, step, &mut known);
        }
        if place.is_multiple_of(TOGETHER) {
            self.session.push();
        }
        if self.in_flight.len() <= WINDOW {
            return;
        }
        let late = self.late();
        let filled = self.drain(REFILL, Instant::now() + self.patience()).await;
        self.count_waits(late);
        if !filled && self.landing == Landing::Sound && self.by_legs {
            // So many that do not come would be in the way of each input after them.
            self.settle().await;
        }
    }

    /// Sends one step after the other, each after the answer to the one before it.
    async fn one_by_one(&mut self, input: Input) {
        let mut known = Variables::default();
        let place = self.begin(input);
        for step in 0..self.steps_of(place) {
            let Some(sent) = self.send(place, step, &mut known) else { return };
            let Some(action) = self.action(place, step) else { return };
            if matches!(action, Action::CloseInput) {
                // Who goes on without its input does no wrong: a client may have to end it by a signal.
                self.session.exit_within(END).await;
                self.landing = Landing::Closed;
                return;
            }
            let Some(id) = sent.id.clone() else { continue };
            let waited = if matches!(action, Action::Request(send) if !send.background) {
                let late = self.late();
                let waited = self.session.wait_for(&id, Instant::now() + self.patience()).await;
                self.count_waits(late);
                waited
            } else {
                Waited::NotWaited
            };
            self.remember(place, step, &sent, waited, &mut known);
            if waited == Waited::TimedOut {
                break;
            }
        }
        self.settle().await;
    }

    /// What is still to come, before it is waited for.
    fn late(&self) -> Late {
        // What is not waited for may be what others are behind, if its answer comes at all.
        let not_waited_for = self.moot.iter().chain(&self.put_off);
        let mut asked: Vec<(usize, usize)> = not_waited_for.chain(&self.in_flight).copied().collect();
        asked.sort_unstable();
        Late { asked, since: self.session.clock() }
    }

    /// Counts how long the answers of tools were waited for, where that took long.
    fn count_waits(&mut self, late: Late) {
        let now = self.session.clock();
        if now.saturating_sub(late.since) < waits::LONG {
            return;
        }
        let awaited = late.asked.into_iter().filter_map(|at| {
            let this = self.tries.get(at.0)?;
            let asked = this.asked.get(at.1)?;
            let answer = self.session.response_to(&asked.id);
            let came = answer.and_then(|entry| self.session.transcript.entries.get(entry));
            let is_moot = || self.moot.contains(&at) || self.session.is_settled_by(&asked.key);
            if came.is_none() && is_moot() {
                return None;
            }
            Some((
                suspect::called(this.input.steps.get(asked.step)?, &self.tools),
                came.map(|entry| entry.at),
            ))
        });
        for (tool, waited) in waits::by_tool(awaited.collect(), late.since, now) {
            *self.waits.entry(tool).or_default() += waited;
        }
    }

    fn begin(&mut self, input: Input) -> usize {
        let begins = self.session.transcript.entries.len();
        self.tries.push(Try { input, begins, asked: Vec::new(), sent: Vec::new() });
        self.tries.len() - 1
    }

    fn steps_of(&self, place: usize) -> usize {
        self.tries.get(place).map_or(0, |this| this.input.steps.len())
    }

    fn action(&self, place: usize, step: usize) -> Option<&Action> {
        self.tries.get(place)?.input.steps.get(step).map(|step| &step.action)
    }

    /// Sends one step; nothing if a template names what never came.
    fn send(&mut self, place: usize, number: usize, known: &mut Variables) -> Option<script::Sent> {
        let step = self.tries.get(place)?.input.steps.get(number)?;
        // What the schema allows is no hostility, and its answer is judged like any other.
        let hostile = !matches!(step.claim, Claim::Valid { .. } | Claim::Bait { .. });
        let sent =
            script::send(&mut self.session, &step.action, &step.headers, ClientKind::Usual, hostile, known)
                .ok()?;
        if let Some(Happening::Sent { bytes, .. }) =
            sent.entry.and_then(|entry| self.session.transcript.entries.get(entry)).map(|entry| &entry.what)
        {
            self.sent += bytes.len();
        }
        let is_dressed = !step.headers.is_empty();
        let exchange = sent.entry.and_then(|entry| self.session.transcript.exchange_of(entry));
        self.carried.extend(exchange.filter(|_| is_dressed));
        self.remember(place, number, &sent, Waited::NotWaited, known);
        if let (Some(entry), Some(this)) = (sent.entry, self.tries.get_mut(place)) {
            this.sent.push((number, entry));
        }
        if let Some(entry) = sent.entry.filter(|_| !self.bare) {
            self.expect_answer(place, number, entry);
        }
        Some(sent)
    }

    /// Waits for the answer to what was sent, if there must be one and nobody can take another for it.
    fn expect_answer(&mut self, place: usize, step: usize, entry: usize) {
        let Some(message) = message_sent(&self.session.transcript, entry) else { return };
        let asks = self.must_be_answered(place, step, entry, &message);
        let ids = ids_in(&message);
        let calls = member(&message, "method").is_some_and(|method| method == "tools/call");
        // Who uses an id again cannot tell whose answer comes, whatever the other message was.
        let is_first = !ids.iter().any(|id| self.ids.contains(&hash_of(id)));
        if !is_first {
            self.contest(&ids);
        }
        for id in ids {
            self.ids.insert(hash_of(&id));
            self.session.expect(id, calls);
        }
        let Some(id) = asks.filter(|_| is_first) else { return };
        let Some(this) = self.tries.get_mut(place) else { return };
        let key = id_key(&id);
        this.asked.push(Asked { step, key, id, entry, contested: false });
        let asked = (place, this.asked.len() - 1);
        let is_moot = self.silent.as_ref().is_some_and(|silent| {
            !silent.is_empty() && silent.contains(&suspect::subject_among(&this.input, &self.tools))
        });
        if is_moot {
            self.moot.push(asked);
        } else {
            self.in_flight.push_back(asked);
        }
    }

    /// Takes it that answers which have not come under these ids, also where they are no longer waited for, may belong to
    /// what is sent now.
    fn contest(&mut self, ids: &[String]) {
        for asked in self.tries.iter_mut().flat_map(|this| &mut this.asked) {
            if ids.contains(&asked.key) {
                asked.contested |= !self.session.is_answered_by(&asked.key);
            }
        }
    }

    /// The id under which what was sent must be answered; none where a server may be unable to read it, and where the
    /// answer may be a long time coming or is no longer wanted.
    fn must_be_answered(&self, place: usize, number: usize, entry: usize, message: &Value) -> Option<Value> {
        let step = self.tries.get(place)?.input.steps.get(number)?;
        // What goes out with other headers, or written out, may be refused by HTTP alone.
        if !step.headers.is_empty() || matches!(step.action, Action::Http(_) | Action::HttpRaw(_)) {
            return None;
        }
        let Happening::Sent { bytes, .. } = &self.session.transcript.entries.get(entry)?.what else {
            return None;
        };
        // A line end in the middle makes two lines of it.
        if bytes.strip_suffix(b"\n").unwrap_or(bytes).contains(&b'\n') || self.is_given_up(place, number) {
            return None;
        }
        let is_plain = message
            .as_object()?
            .keys()
            .all(|key| matches!(key.as_str(), "jsonrpc" | "id" | "method" | "params"))
            && member(message, "jsonrpc").is_some_and(|version| version == "2.0")
            && member(message, "params").is_none_or(Value::is_object);
        let method = member(message, "method")?.as_str()?;
        let stays_open = matches!(method, "" | "subscriptions/listen" | "tasks/result");
        let id = member(message, "id")?;
        (is_plain && !stays_open && (id.is_string() || is_safe(id))).then(|| id.clone())
    }

    /// Whether the input itself says that an answer is not wanted: it cancels the request or drops its connection.
    fn is_given_up(&self, place: usize, number: usize) -> bool {
        let Some(input) = self.tries.get(place).map(|this| &this.input) else { return false };
        let Some(step) = input.steps.get(number) else { return false };
        let name = step.name.as_deref();
        let id = match &step.action {
            Action::Request(send) => send.id.as_ref(),
            _ => None,
        };
        let names_it = |text: &str| {
            name.is_some_and(|name| text.contains(&format!("{{{{{name}.id}}}}")))
                || id.is_some_and(|id| text.contains(&id.to_string()))
        };
        input.steps.iter().any(|other| match &other.action {
            Action::Close(closed) => name == Some(closed.as_str()),
            Action::Notify(send) if send.method == CANCELLED => {
                send.params.as_ref().is_some_and(|params| names_it(&params.to_string()))
            }
            Action::Json(message) if member(message, "method").is_some_and(|method| method == CANCELLED) => {
                names_it(&message.to_string())
            }
            Action::Raw(text) if text.contains(CANCELLED) => names_it(text),
            _ => false,
        })
    }

    /// Gives names to what later steps refer to.
    fn remember(
        &self,
        place: usize,
        number: usize,
        sent: &script::Sent,
        waited: Waited,
        known: &mut Variables,
    ) {
        let step = self.tries.get(place).and_then(|this| this.input.steps.get(number));
        let Some(step) = step.filter(|step| step.name.is_some() || !step.capture.is_empty()) else { return };
        let ends = self.session.transcript.entries.len();
        let record = StepRecord {
            begins: sent.entry.unwrap_or(ends),
            ends,
            sent: sent.entry,
            exchange: sent.entry.and_then(|entry| self.session.transcript.exchange_of(entry)),
            id: sent.id.clone(),
            waited,
        };
        steps::name_request(step.name.as_deref(), &record, known);
        steps::capture(&step.capture, &record, &self.session.transcript, known);
    }

    /// What has been answered is no longer under way.
    fn let_go_of_answered(&mut self) {
        let (session, tries) = (&self.session, &self.tries);
        let is_open = |(place, asked): &(usize, usize)| {
            let asked = tries.get(*place).and_then(|this| this.asked.get(*asked));
            asked.is_some_and(|asked| !session.is_settled_by(&asked.key))
        };
        self.in_flight.retain(is_open);
        self.put_off.retain(is_open);
    }

    /// Waits until at most so many requests are under way; says whether that came about.
    async fn drain(&mut self, most: usize, deadline: Instant) -> bool {
        loop {
            self.let_go_of_answered();
            if self.in_flight.len() <= most {
                return true;
            }
            // Over stdio each of them needs an answer of its own, so that there is no need to look after each frame.
            let missing = if self.has_legs() { self.in_flight.len() - most } else { 0 };
            let wanted = self.session.answered() + missing;
            let mut heard = self.session.hear(deadline).await;
            while matches!(heard, Heard::Frame(_)) && self.session.answered() < wanted {
                heard = self.session.hear(deadline).await;
            }
            if matches!(heard, Heard::Frame(_)) {
                continue;
            }
            self.let_go_of_answered();
            if matches!(heard, Heard::Closed) {
                self.landing = Landing::Dead;
            }
            return false;
        }
    }

    /// Waits for all answers and a sign of life; by legs for the latter, and for answers only where too much waits already.
    async fn settle(&mut self) {
        let late = self.late();
        if self.by_legs {
            self.settle_for_now().await;
        } else {
            self.settle_all().await;
        }
        self.count_waits(late);
    }

    /// Waits for a sign of life, and puts off what has not been answered by then: a server that works off one request after
    /// the other has answered everything, and any other takes its time while the next inputs are tried.
    async fn settle_for_now(&mut self) {
        let begun = Instant::now();
        let soon = begun + self.quick();
        if self.landing != Landing::Sound || !self.gets_through(soon).await {
            return;
        }
        self.wait_for_carried(soon).await;
        if self.session.is_closed() {
            self.landing = Landing::Dead;
            return;
        }
        let room = WINDOW.saturating_sub(self.put_off.len());
        let has_room = self.drain(room, soon).await;
        if self.landing != Landing::Sound {
            return;
        }
        if !has_room {
            self.give_up();
        } else if !self.in_flight.is_empty() {
            self.put_off_until = Instant::now() + self.quick();
            self.put_off.extend(self.in_flight.drain(..));
        }
    }

    /// Whether the server answers something plain that is sent after everything else. It has until `soon`, but no longer than
    /// usual once everything else has been answered; then it is asked again, by [`Self::shows_life`].
    async fn gets_through(&mut self, soon: Instant) -> bool {
        let (barrier, _) = self.session.request(Outgoing::new(self.session.barrier_method()));
        let key = id_key(&barrier);
        self.let_go_of_answered();
        let with_all_others = self.session.answered() + self.in_flight.len();
        let mut deadline = soon;
        let mut is_next = false;
        while !self.session.is_settled_by(&key) {
            if !is_next && self.session.answered() >= with_all_others {
                is_next = true;
                deadline = soon.min(Instant::now() + self.longer_than_usual(HASTY));
            }
            match self.session.hear(deadline).await {
                Heard::Frame(_) => {}
                Heard::TimedOut => break,
                Heard::Closed => {
                    self.landing = Landing::Dead;
                    return false;
                }
            }
        }
        if self.session.lost_the_session(&barrier) {
            self.landing = Landing::Dead;
            return false;
        }
        self.session.is_answered_by(&key) || self.shows_life(soon).await
    }

    async fn settle_all(&mut self) {
        let begun = Instant::now();
        let soon = begun + if self.hasty { self.longer_than_usual(HASTY) } else { self.quick() };
        self.drain(0, soon).await;
        self.wait_for_carried(soon).await;
        if self.landing != Landing::Sound {
            return;
        }
        if self.bare {
            self.greet().await;
            return;
        }
        if !self.shows_life(Instant::now()).await {
            return;
        }
        // What takes long may just be slow.
        if !self.hasty {
            self.drain(0, begun + self.patience()).await;
        }
        self.give_up();
    }

    /// Waits for what requests with headers of their own get.
    async fn wait_for_carried(&mut self, until: Instant) {
        for exchange in std::mem::take(&mut self.carried) {
            self.session.exchange_over(exchange, true, until).await;
        }
    }

    /// Whether the server answers something plain, for which it has as long after `since` as anything may take.
    async fn shows_life(&mut self, since: Instant) -> bool {
        let limit = self.patience().max(self.session.pace());
        match self.session.wait_past(None, Duration::ZERO, since + limit).await {
            Waited::Closed => self.landing = Landing::Dead,
            Waited::TimedOut => self.landing = Landing::Hung,
            _ => return true,
        }
        false
    }

    /// Waits for the answers that were put off.
    pub(super) async fn land(&mut self) {
        if self.put_off.is_empty() || !matches!(self.landing, Landing::Sound | Landing::Full) {
            return;
        }
        let landing = self.landing;
        self.landing = Landing::Sound;
        self.in_flight.extend(std::mem::take(&mut self.put_off));
        let late = self.late();
        if !self.drain(0, self.put_off_until).await
            && self.landing == Landing::Sound
            && self.shows_life(Instant::now()).await
        {
            self.drain(0, Instant::now()).await;
            self.give_up();
        }
        self.count_waits(late);
        if self.landing == Landing::Sound {
            self.landing = landing;
        }
    }

    /// The sign of life of a server that was not greeted yet: an answer to the handshake, whatever it says, or to a
    /// request that may come before it.
    async fn greet(&mut self) {
        match self.session.begin(self.timeout).await {
            Err(HandshakeError::Closed) => self.landing = Landing::Dead,
            Err(HandshakeError::Silent) if self.session.is_closed() => self.landing = Landing::Dead,
            Err(HandshakeError::Silent) => {
                let until = Instant::now() + self.timeout;
                match self.session.wait_past(None, Duration::ZERO, until).await {
                    Waited::Closed => self.landing = Landing::Dead,
                    Waited::TimedOut => self.landing = Landing::Hung,
                    _ => {}
                }
            }
            // Whoever has ended since is not heard of until it is asked.
            _ => {
                let until = Instant::now() + QUICK;
                if self.session.wait_past(None, Duration::ZERO, until).await == Waited::Closed {
                    self.landing = Landing::Dead;
                }
            }
        }
    }

    /// Waits no longer for answers that have not come.
    fn give_up(&mut self) {
        for (place, asked) in std::mem::take(&mut self.in_flight) {
            self.cancel(place, asked);
            self.unanswered.push((place, asked));
            let (Some(silent), Some(this)) = (&mut self.silent, self.tries.get(place)) else { continue };
            let subject = suspect::subject_among(&this.input, &self.tools);
            let count = self.silences.entry(subject.clone()).or_default();
            *count += 1;
            if *count >= MOST_SILENT {
                silent.insert(subject);
            }
        }
    }

    /// What is no longer waited for need not keep the server busy.
    fn cancel(&mut self, place: usize, asked: usize) {
        if let Some(asked) = self.tries.get(place).and_then(|this| this.asked.get(asked)) {
            let cancelled = Outgoing::new(CANCELLED);
            self.session.notify(cancelled.with(json!({ "requestId": asked.id })));
        }
    }

    /// What need not be answered from now on, by [`suspect::subject_among`], beside what stays unanswered again and again.
    pub(super) fn ignore_silence_of(&mut self, subjects: impl IntoIterator<Item = String>) {
        self.silent.get_or_insert_default().extend(subjects);
    }

    /// How long the answers of tools that take long were waited for since this was asked last.
    pub(super) fn take_waits(&mut self) -> HashMap<String, Duration> {
        std::mem::take(&mut self.waits)
    }

    /// Forgets what was tried, for a flight that is not judged; the session goes on.
    pub(super) fn forget(&mut self) {
        self.tries.clear();
        self.in_flight.clear();
        self.put_off.clear();
        self.moot.clear();
        self.unanswered.clear();
        self.session.forget();
        self.begin_leg();
    }

    /// Nothing is recorded of the leg that begins, and enough no longer.
    fn begin_leg(&mut self) {
        self.sent = 0;
        self.recorded_before = self.session.recorded_bytes();
        if self.landing == Landing::Full {
            self.landing = Landing::Sound;
        }
    }

    /// Takes ids that were sent before for new ones, where nothing is still to come for them.
    pub(super) fn forget_ids(&mut self) {
        self.ids.clear();
    }

    /// Tries inputs that nobody will judge; says whether the server lives after all of them.
    pub(super) async fn pass(&mut self, inputs: impl IntoIterator<Item = Input>) -> bool {
        self.fly_all(inputs).await;
        // The recording of what nobody will judge only takes memory.
        self.forget();
        self.landing == Landing::Sound
    }

    /// The tries whose answers have not come, oldest first.
    fn under_way(&self) -> Vec<usize> {
        let mut places: Vec<usize> =
            self.put_off.iter().chain(&self.in_flight).map(|(place, _)| *place).collect();
        places.dedup();
        places
    }

    /// Whether the recording begins anew after a leg has been taken. Over HTTP it does not: what an answer belongs to is
    /// a matter of the whole recording there.
    pub(super) fn has_legs(&self) -> bool {
        self.session.transcript.transport == Transport::Stdio
    }

    /// What was tried, to be judged: since the last leg, or where there are none all of it. The flight may go on if the
    /// server lives.
    pub(super) fn take_leg(&mut self) -> Leg {
        let landing = self.landing;
        if matches!(landing, Landing::Sound | Landing::Full) {
            self.call_off();
        }
        let record = CaseRecord {
            case: CASE.to_owned(),
            hostile: true,
            begins: self.begins,
            ends: self.session.transcript.entries.len(),
            passes: Vec::new(),
            health: match landing {
                Landing::Sound | Landing::Full | Landing::Closed => Health::Well,
                Landing::Dead => Health::Dead,
                Landing::Hung => Health::Hung,
            },
        };
        self.let_go_of_answered();
        let under_way = self.under_way();
        self.in_flight.clear();
        self.put_off.clear();
        let (mut transcript, responses, tries, unanswered);
        if self.has_legs() {
            (transcript, responses) = self.session.hand_over(self.begins);
            (tries, unanswered) = (std::mem::take(&mut self.tries), std::mem::take(&mut self.unanswered));
            self.begin_leg();
        } else {
            (transcript, responses) = self.session.recording();
            (tries, unanswered) = (self.tries.clone(), self.unanswered.clone());
        }
        transcript.cases.push(record);
        let mut reports = signature::sanitizer_reports(&transcript.stderr);
        reports.retain(|report| !self.reports.contains(report));
        self.reports.extend(reports.iter().cloned());
        Leg {
            reports,
            transcript,
            tries,
            unanswered,
            under_way,
            landing,
            excess: self.watchdog.as_ref().and_then(Watchdog::excess),
            responses,
            bare: self.bare,
            loopback: self.loopback,
            session_id: self.session.session_id().map(str::to_owned),
        }
    }

    /// Waits whether the server ends although all was answered.
    pub(super) async fn linger(&mut self) {
        let until = Instant::now() + LINGER;
        while self.landing == Landing::Sound {
            match self.session.hear(until).await {
                Heard::Frame(_) => {}
                Heard::Closed => self.landing = Landing::Dead,
                Heard::TimedOut => return,
            }
        }
    }

    /// What is not waited for need not keep the server busy either.
    fn call_off(&mut self) {
        for (place, asked) in std::mem::take(&mut self.moot) {
            let this = self.tries.get(place).and_then(|this| this.asked.get(asked));
            if this.is_some_and(|asked| !self.session.is_settled_by(&asked.key)) {
                self.cancel(place, asked);
            }
        }
    }
}

/// The ids in a message, or in those of a batch, by what [`id_key`] makes of them.
fn ids_in(message: &Value) -> Vec<String> {
    let messages = message.as_array().map_or(std::slice::from_ref(message), Vec::as_slice);
    messages.iter().filter_map(|message| member(message, "id")).map(id_key).collect()
}

/// Whether an input has a session to itself while it is tried: one step needs what another brought.
fn must_be_alone(input: &Input) -> bool {
    input.closes() || input.steps.iter().any(|step| !step.capture.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_every_reader_can_hold_must_be_answered() {
        for (id, safe) in [
            (json!(0), true),
            (json!(-9_007_199_254_740_991_i64), true),
            (json!(9_007_199_254_740_993_u64), false),
            (json!(u64::MAX), false),
            (json!(1.5), false),
        ] {
            assert_eq!(is_safe(&id), safe, "{id}");
        }
    }
}
