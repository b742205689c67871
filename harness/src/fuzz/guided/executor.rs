//! Tries the engine's inputs on a server and says what they reached.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcp_conform_engine::{FEEDBACK, Flow, Target};
use memchr::memmem;
use serde_json::{Value, json};

use super::compose::Composer;
use super::feedback::{Coverage, Hit, Memory};
use super::protocol::{End, Event, Figures, Find, Source};
use super::server::{Heard, Server};
use super::shape;
use super::work::{Guidance, Work};
use crate::fuzz::input::Input;
use crate::fuzz::make::Maker;
use crate::fuzz::{signature, suspect};
use crate::guardian::Guardian;
use crate::wire::Frame;

/// So many inputs that ended the server in the same way are told.
const TOLD: u64 = 3;
/// So many different ends are told apart; what comes after them is told as it comes.
const MOST_ENDS: usize = 1000;
/// After so many ends by calls of the same tool, or by the same kind of message, no more of them are tried: each costs a
/// start of the server.
const MOST_DEATHS: u64 = 64;
/// After waiting so long for answers that did not come to calls of the same tool, or to the same kind of message, no more
/// of them are tried: one slow tool would take all the time there is.
const MOST_SILENCE: Duration = Duration::from_secs(10);
/// What is as slow as this, measured by the slowest answer so far, is not waited for any longer.
const SLOW: u32 = 20;
/// Nothing faster than this is too slow.
const QUICK: Duration = Duration::from_secs(1);
/// So many inputs are sent to one process before a fresh one takes its place: servers grow.
const SESSION: u64 = 100_000;
/// So many inputs before one that is told are told with it, in number and in bytes.
const LEAD: (usize, usize) = (64, 64 * 1024);
/// How often signs of life are given.
const PROGRESS: Duration = Duration::from_secs(1);

/// How an input was answered.
enum Answer {
    Line(Frame),
    Closed,
    TimedOut,
}

/// The target of the engine.
pub(super) struct Executor {
    work: Work,
    maker: Maker,
    composer: Composer,
    guardian: Arc<Guardian>,
    coverage: Coverage,
    source: Source,
    memory: Memory,
    /// How many inputs the engine tries before it makes some of its own.
    to_load: u64,
    server: Option<Server>,
    /// Inputs sent to this server.
    sent: u64,
    /// The last of them, oldest first, and their size.
    lead: (VecDeque<Vec<u8>>, usize),
    deadline: Option<Instant>,
    slowest: Duration,
    figures: Figures,
    told: BTreeMap<String, u64>,
    deaths: BTreeMap<String, u64>,
    silence: BTreeMap<String, Duration>,
    progress: Instant,
    message: Vec<u8>,
    hits: Vec<Hit>,
    artifacts: PathBuf,
}

impl Executor {
    /// Starts the server and learns what it reports. `to_load` is how many inputs the engine begins with.
    ///
    /// # Errors
    /// Why there is no server to fuzz, as a part of a sentence.
    pub(super) fn new(work: Work, to_load: u64, guardian: Arc<Guardian>) -> Result<Executor, String> {
        let coverage = Coverage::open(&work.map).map_err(|error| format!("no shared memory: {error}"))?;
        let mut executor = Executor {
            maker: work.maker(),
            composer: Composer::new(work.revision),
            guardian,
            coverage,
            source: Source::Nothing,
            memory: Memory::new(),
            to_load,
            server: None,
            sent: 0,
            lead: (VecDeque::new(), 0),
            deadline: None,
            slowest: Duration::ZERO,
            figures: Figures::default(),
            told: BTreeMap::new(),
            deaths: BTreeMap::new(),
            silence: BTreeMap::new(),
            progress: Instant::now(),
            message: Vec::new(),
            hits: Vec::new(),
            artifacts: work.folder.join("artifacts"),
            work,
        };
        executor.start()?;
        executor.deadline = executor.work.time.map(|time| Instant::now() + time);
        tell(&Event::Began { source: executor.source });
        Ok(executor)
    }

    /// Starts a server and greets it.
    fn start(&mut self) -> Result<(), String> {
        self.server = None;
        self.coverage.reset();
        self.figures.starts += 1;
        let server = Server::start(&self.work.command, self.work.limits, &self.guardian)
            .map_err(|error| format!("the server does not start: {error}"))?;
        self.server = Some(server);
        self.message.clear();
        let id = self.composer.greeting(&mut self.message);
        let answer = self.ask(id, self.work.startup_timeout.max(self.work.timeout));
        let Answer::Line(frame) = answer else {
            return Err("the server does not answer its greeting".into());
        };
        let message: Value = serde_json::from_slice(&frame.bytes).unwrap_or_default();
        if message.get("result").is_none() {
            return Err("the server refuses its greeting".into());
        }
        self.message.clear();
        self.composer.greeted(&mut self.message);
        // Lost if the server is gone, which the first input shows.
        self.write(Instant::now() + self.work.timeout);
        self.source = match self.work.guidance {
            Guidance::Automatic => self.coverage.attach().unwrap_or(Source::Shape),
            Guidance::Shape => Source::Shape,
            Guidance::Blind => Source::Nothing,
        };
        self.sent = 0;
        self.lead = (VecDeque::new(), 0);
        Ok(())
    }

    fn write(&mut self, deadline: Instant) -> bool {
        self.server.as_mut().is_some_and(|server| server.send(&self.message, deadline))
    }

    /// Sends the message and waits for the answer to its last request.
    fn ask(&mut self, id: u64, limit: Duration) -> Answer {
        let deadline = Instant::now() + limit;
        // What was not taken is shown by what comes next: the end of the output, or nothing.
        self.write(deadline);
        let Some(server) = &mut self.server else { return Answer::Closed };
        let digits = id.to_string();
        loop {
            match server.hear(deadline) {
                Heard::Closed => return Answer::Closed,
                Heard::TimedOut => return Answer::TimedOut,
                Heard::Line(frame) => {
                    let has = |text: &str| memmem::find(&frame.bytes, text.as_bytes()).is_some();
                    if has(&digits) && (has("\"result\"") || has("\"error\"")) {
                        return Answer::Line(frame);
                    }
                    if has("\"method\"")
                        && let Some(answer) = refusal(&frame.bytes)
                    {
                        server.send(&answer, deadline);
                    }
                }
            }
        }
    }

    fn patience(&self) -> Duration {
        (self.slowest * SLOW).clamp(QUICK.min(self.work.timeout), self.work.timeout)
    }

    /// Sends an input; says whether it was answered, and then `hits` are what it reached.
    fn try_once(&mut self, bytes: &[u8], input: &Input, id: u64) -> bool {
        let mut leftovers = std::mem::take(&mut self.hits);
        // What the server did after its last answer is not this input's doing.
        leftovers.clear();
        self.coverage.take(&mut leftovers);
        leftovers.clear();
        self.hits = leftovers;
        self.figures.executions += 1;
        self.sent += 1;
        let limit = if self.sent <= 2 { self.work.timeout } else { self.patience() };
        let asked = Instant::now();
        match self.ask(id, limit) {
            Answer::Line(frame) => {
                self.slowest = self.slowest.max(asked.elapsed());
                match self.source {
                    Source::Counters { .. } | Source::Branches | Source::Monitoring | Source::Tracing => {
                        self.coverage.take(&mut self.hits);
                    }
                    Source::Shape => {
                        let size = u64::try_from(FEEDBACK).unwrap_or(1);
                        let places = shape::traits(&frame.bytes).into_iter().map(|of| of % size);
                        self.hits.extend(places.filter_map(|place| Some((usize::try_from(place).ok()?, 1))));
                    }
                    // One counter, always the same: so that the engine keeps its first input.
                    Source::Nothing => self.hits.push((0, 1)),
                }
                return true;
            }
            Answer::Closed => self.died(bytes, input),
            Answer::TimedOut => {
                self.fell_silent(bytes, input);
                *self.silence.entry(suspect::subject(input)).or_default() += asked.elapsed();
            }
        }
        false
    }

    fn died(&mut self, bytes: &[u8], input: &Input) {
        let Some(server) = self.server.take() else { return };
        let was_excessive = server.was_excessive();
        let (exit, stderr) = server.end();
        self.figures.deaths += 1;
        let signature = signature::of_end(exit, &stderr);
        // The end is ours then, and says nothing of what it was for.
        let signature = if was_excessive { format!("excess {}", suspect::subject(input)) } else { signature };
        self.blame(bytes, input, &signature, End::Died { exit, signature: signature.clone() });
    }

    fn fell_silent(&mut self, bytes: &[u8], input: &Input) {
        self.figures.unanswered += 1;
        self.message.clear();
        let id = self.composer.sign_of_life(&mut self.message);
        match self.ask(id, self.patience()) {
            Answer::Closed => self.died(bytes, input),
            Answer::Line(_) => self.blame(bytes, input, &suspect::subject(input), End::Silent),
            Answer::TimedOut => {
                self.server = None;
                self.blame(bytes, input, &format!("hung {}", suspect::subject(input)), End::Hung);
            }
        }
    }

    /// Tells of an input, unless its like was told often enough.
    fn blame(&mut self, bytes: &[u8], input: &Input, same: &str, end: End) {
        *self.deaths.entry(suspect::subject(input)).or_default() += 1;
        if self.told.len() < MOST_ENDS || self.told.contains_key(same) {
            let told = self.told.entry(same.to_owned()).or_default();
            *told += 1;
            if *told > TOLD {
                return;
            }
        }
        let name = format!("{:06}", self.told.values().sum::<u64>());
        // It is told in any case; the file is for later.
        let _ = std::fs::write(self.artifacts.join(name), bytes);
        tell(&Event::Found(Find {
            bytes: bytes.to_vec(),
            end,
            before: self.sent.saturating_sub(1),
            lead: self.lead.0.iter().cloned().collect(),
            executions: self.figures.executions,
        }));
    }

    /// Keeps in mind what was sent.
    fn remember(&mut self, bytes: &[u8]) {
        let (lead, size) = &mut self.lead;
        lead.push_back(bytes.to_vec());
        *size += bytes.len();
        while lead.len() > LEAD.0 || *size > LEAD.1 {
            let Some(oldest) = lead.pop_front() else { return };
            *size -= oldest.len();
        }
    }

    fn is_over(&self) -> bool {
        self.work.executions.is_some_and(|most| self.figures.executions >= most)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Makes sure that there is a server; says what is in the way.
    fn ready(&mut self) -> Result<(), String> {
        if self.server.is_some() && self.sent < SESSION { Ok(()) } else { self.start() }
    }

    fn figures(&self) -> Figures {
        let (reached, unstable) = self.memory.figures();
        Figures { reached, unstable, ..self.figures }
    }

    fn finish(&mut self, event: &Event) -> Flow {
        self.server = None;
        tell(event);
        Flow::Stop
    }

    fn leave_out(&mut self) -> Flow {
        self.figures.left_out += 1;
        Flow::Reject
    }
}

impl Target for Executor {
    fn execute(&mut self, bytes: &[u8], feedback: &mut [u8]) -> Flow {
        if self.is_over() {
            return self.finish(&Event::Done(self.figures()));
        }
        match self.to_load.checked_sub(1) {
            Some(0) => {
                self.to_load = 0;
                tell(&Event::Loaded);
            }
            Some(left) => self.to_load = left,
            None => {}
        }
        if self.progress.elapsed() >= PROGRESS {
            self.progress = Instant::now();
            tell(&Event::Progress(self.figures()));
        }
        let Some(input) = self.maker.from_bytes(bytes) else { return self.leave_out() };
        let subject = suspect::subject(&input);
        if self.deaths.get(&subject).is_some_and(|deaths| *deaths >= MOST_DEATHS)
            || self.silence.get(&subject).is_some_and(|silence| *silence >= MOST_SILENCE)
        {
            return self.leave_out();
        }
        if let Err(why) = self.ready() {
            return self.finish(&Event::Failed { why });
        }
        self.message.clear();
        let Some(id) = self.composer.input(&input, &mut self.message) else { return self.leave_out() };
        if !self.try_once(bytes, &input, id) {
            return Flow::Reject;
        }
        self.remember(bytes);
        // Random messages are tried and not kept: they reach so many corners of a parser that a corpus would hold little
        // else, and calls of tools, in which servers differ, would hardly be changed any more.
        if !self.maker.is_call(bytes) && self.work.tools() > 0 {
            return Flow::Reject;
        }
        if self.source != Source::Nothing && self.memory.is_new(&self.hits) {
            // What is new must show itself again, or it is noise: another thread, a cache that was cold.
            let first = std::mem::take(&mut self.hits);
            self.message.clear();
            let again = self.composer.input(&input, &mut self.message);
            if !again.is_some_and(|id| self.try_once(bytes, &input, id)) {
                return Flow::Reject;
            }
            self.memory.compare(&first, &self.hits);
            if self.memory.is_new(&self.hits) {
                tell(&Event::Reached { bytes: bytes.to_vec() });
            }
        }
        self.memory.write(&self.hits, feedback);
        Flow::Keep
    }
}

/// The answer to a request of the server, which was promised nothing; none to what is no request.
fn refusal(line: &[u8]) -> Option<Vec<u8>> {
    let message: Value = serde_json::from_slice(line).ok()?;
    let (id, method) = (message.get("id")?, message.get("method")?.as_str()?);
    let answer = if method == "ping" {
        json!({ "jsonrpc": "2.0", "id": id, "result": {} })
    } else {
        let error = json!({ "code": -32601, "message": "Method not found" });
        json!({ "jsonrpc": "2.0", "id": id, "error": error })
    };
    Some(format!("{answer}\n").into_bytes())
}

/// Tells the supervisor. If it is gone, so are we, by the end of our standard input.
pub(super) fn tell(event: &Event) {
    let Ok(mut line) = serde_json::to_vec(event) else { return };
    line.push(b'\n');
    let mut out = io::stdout().lock();
    let _ = out.write_all(&line).and_then(|()| out.flush());
}
