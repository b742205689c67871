//! Carries out the steps of a case in a session.

use std::time::Duration;

use mcp_conform_cases::Case;
use mcp_conform_cases::case::{Action, ClientKind, Expect, Headers, Script, Send, Step};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Context, http, items};
use crate::judge::{refusals, steps};
use crate::session::{Heard, Outgoing, Session};
use crate::template::{self, TemplateError, Variables};
use crate::transcript::{CaseRecord, Happening, Health, Pass, StepRecord, Waited};

/// How long a server may take to end once it has been told to.
const EXIT_LIMIT: Duration = Duration::from_secs(5);
/// How long a sign of life may take at least.
const BARRIER_LIMIT: Duration = Duration::from_secs(3);
/// How long the answer to a probe of the protocol may come after that to a later request.
const PROTOCOL_PATIENCE: Duration = Duration::from_secs(2);
/// And the answer to what a server may well leave alone, although it should not: there are many such probes. Servers that
/// have been slow before get more.
const PROBE_PATIENCE: Duration = Duration::from_millis(400);

/// Carries a case out and looks after the session's health.
pub(super) async fn carry_out(session: &mut Session, case: &Case, context: &Context) -> CaseRecord {
    let begins = session.transcript.entries.len();
    let mut record = CaseRecord {
        case: case.id.clone(),
        hostile: case.hostile,
        begins,
        ends: begins,
        passes: Vec::new(),
        health: Health::Well,
    };
    let Script::Steps(script) = &case.script else { return record };
    session.prescribe(case.answers.clone());
    session.align_ids();
    let mut slow: Option<String> = None;
    for round in items::of(case, session, context) {
        // A tool that once took too long is not tried with other arguments.
        if slow.is_some() && slow == round.group {
            continue;
        }
        let pass = one_pass(session, case, script, round.variables, round.name, context).await;
        if let Some(id) =
            pass.steps.iter().find(|step| step.waited == Waited::TimedOut).and_then(|step| step.id.clone())
        {
            slow = round.group;
            // What we no longer wait for need not keep the server busy.
            session.notify(Outgoing::new("notifications/cancelled").with(json!({ "requestId": id })));
        }
        let closed = session.is_closed();
        record.passes.push(pass);
        if closed {
            break;
        }
    }
    session.prescribe(std::collections::BTreeMap::new());
    record.health = health(session, &record, script, context).await;
    record.ends = session.transcript.entries.len();
    record
}

/// A server that was told to end may end. Any other is asked for a sign of life where there is a reason to doubt.
async fn health(session: &mut Session, record: &CaseRecord, script: &[Step], context: &Context) -> Health {
    let told_to_end = session.transcript.entries.iter().skip(record.begins).any(|entry| match &entry.what {
        Happening::Stop(_) => true,
        // The session was given up, so that nothing can be asked in it any more.
        Happening::Sent { carrier: Some(carrier), .. } => carrier.method == "DELETE",
        _ => false,
    });
    if told_to_end {
        return Health::Well;
    }
    let doubtful = record.hostile
        || session.may_be_lost()
        || record.passes.iter().flat_map(|pass| &pass.steps).any(|step| step.waited == Waited::TimedOut);
    // A case that came to its end with a barrier has been checked already.
    let finished = record.passes.last().filter(|pass| pass.steps.len() == script.len());
    let barrier = matches!(script.last().map(|step| &step.action), Some(Action::Barrier));
    let checked = finished.filter(|_| barrier).and_then(|pass| pass.steps.last()).map(|step| step.waited);
    let asked_from = match finished.filter(|_| barrier).and_then(|pass| pass.steps.last()) {
        Some(step) => step.begins,
        None => session.transcript.entries.len(),
    };
    let outcome = match checked {
        Some(waited) => waited,
        None if session.is_closed() => Waited::Closed,
        None if doubtful => session.wait_past(None, Duration::ZERO, barrier_deadline(session, context)).await,
        None => Waited::Passed,
    };
    match outcome {
        // Whoever says that it will not answer now does not hang.
        Waited::TimedOut if refusals::any(&session.transcript, asked_from).is_some() => Health::Well,
        Waited::TimedOut => Health::Hung,
        _ if session.is_closed() => Health::Dead,
        _ => Health::Well,
    }
}

/// How long a sign of life may take: less than a response, because nothing has to be worked out, but long enough for a
/// server that was slow to greet.
fn barrier_deadline(session: &Session, context: &Context) -> Instant {
    let limit =
        session.greeting_took().map_or(self::limit(session, context), |took| (took * 4).max(BARRIER_LIMIT));
    // A server that does one thing after the other has what is under way before it.
    Instant::now() + limit.min(self::limit(session, context)).max(session.pace())
}

/// How long a response may take. A server that has said nothing yet may still be starting.
fn limit(session: &Session, context: &Context) -> Duration {
    let settings = &context.settings;
    if session.has_heard() { settings.timeout } else { settings.timeout.max(settings.startup_timeout) }
}

async fn one_pass(
    session: &mut Session,
    case: &Case,
    script: &[Step],
    variables: Variables,
    item: Option<String>,
    context: &Context,
) -> Pass {
    let mut known = variables.clone();
    let mut pass = Pass { item, variables, ..Pass::default() };
    for step in script {
        http::note_events(session, script, &mut known);
        match one_step(session, case, step, &mut known, context).await {
            Ok(record) => {
                let broken = steps::judge_step(step, &record, &session.transcript, &known)
                    .is_err_and(|breach| !breach.advice);
                steps::capture(&step.capture, &record, &session.transcript, &mut known);
                pass.steps.push(record);
                if broken || (session.is_closed() && pass.steps.len() < script.len()) {
                    break;
                }
            }
            Err(error) => {
                pass.stuck = Some(error.to_string());
                break;
            }
        }
    }
    pass
}

async fn one_step(
    session: &mut Session,
    case: &Case,
    step: &Step,
    known: &mut Variables,
    context: &Context,
) -> Result<StepRecord, TemplateError> {
    let begins = session.transcript.entries.len();
    let limit = limit(session, context);
    let sent = send(session, &step.action, &step.headers, case.client, case.hostile, known)?;
    let in_background = sent.in_background;
    let mut record = StepRecord {
        begins,
        ends: begins,
        sent: sent.entry,
        exchange: None,
        id: sent.id,
        waited: Waited::NotWaited,
    };
    if matches!(step.action, Action::AwaitExit) {
        let ended = session.exit_within(EXIT_LIMIT).await.is_some();
        record.waited = if ended { Waited::Closed } else { Waited::TimedOut };
    }
    record.exchange = record.sent.and_then(|sent| session.transcript.exchange_of(sent));
    steps::name_request(step.name.as_deref(), &record, known);
    let deadline = Instant::now() + limit;
    // Silence is found out soon. Where it would be a finding, there is time for an answer that others overtake.
    let wanted = || [&step.expect, &step.should].into_iter().flatten();
    let may_be_silent = case.hostile || wanted().any(Expect::admits_silence);
    let wants_answer = wanted().any(|expect| !expect.admits_silence());
    let patience = if wants_answer { PROBE_PATIENCE } else { Duration::ZERO };
    let as_it_is = matches!(step.action, Action::Json(_) | Action::Raw(_));
    if let Some(exchange) = record.exchange.filter(|_| http::is_waited_for(step)) {
        record.waited =
            http::outcome(session, step, exchange, barrier_deadline(session, context).max(deadline)).await;
    }
    record.waited = match &step.action {
        Action::Http(_) | Action::HttpRaw(_) => record.waited,
        Action::Close(_) => Waited::Passed,
        Action::Barrier => session.wait_past(None, Duration::ZERO, barrier_deadline(session, context)).await,
        Action::Await(_) => wait_until(session, step, &mut record, known, deadline).await,
        Action::AwaitExit => record.waited,
        _ if in_background => Waited::NotWaited,
        _ => match &record.id {
            Some(id) if may_be_silent => session.wait_past(Some(&id.clone()), patience, deadline).await,
            // What is sent as it is tries the protocol and calls no tool, so the answer has no reason to be slow.
            Some(id) if as_it_is => session.wait_past(Some(&id.clone()), PROTOCOL_PATIENCE, deadline).await,
            Some(id) => session.wait_for(&id.clone(), deadline).await,
            None => Waited::NotWaited,
        },
    };
    // An error for input without a readable id has none either; it counts as the answer to the step.
    if record.id.is_none() && step.expect.is_some() && record.waited == Waited::NotWaited && !in_background {
        record.waited = session.wait_past(None, Duration::ZERO, deadline).await;
    }
    if record.waited == Waited::Passed
        && matches!(step.action, Action::Json(_) | Action::Raw(_) | Action::Bytes(_))
        && let Some(entry) = record.sent.and_then(|sent| first_unaddressed(session, sent))
    {
        record.waited = Waited::Response(entry);
    }
    if !step.during.is_empty() {
        let mut watched = record.clone();
        let waited = wait_until(session, step, &mut watched, known, deadline).await;
        if waited == Waited::Closed && matches!(record.waited, Waited::NotWaited) {
            record.waited = waited;
        }
    }
    record.ends = session.transcript.entries.len();
    Ok(record)
}

/// What a step has sent.
pub(crate) struct Sent {
    /// Its entry, if it sent anything.
    pub(crate) entry: Option<usize>,
    /// The id that a response would have.
    pub(crate) id: Option<Value>,
    /// Whether the response is not waited for.
    pub(crate) in_background: bool,
}

/// Does what a step is about, without waiting for anything.
pub(crate) fn send(
    session: &mut Session,
    action: &Action,
    headers: &Headers,
    client: ClientKind,
    hostile: bool,
    known: &mut Variables,
) -> Result<Sent, TemplateError> {
    let fresh = session.fresh_id();
    known.insert("id".to_owned(), fresh.clone());
    known.insert("http".to_owned(), session.http_facts());
    session.set_headers(http::headers(headers, known)?);
    let mut sent = Sent { entry: None, id: None, in_background: false };
    match action {
        Action::Request(send) => {
            let mut outgoing = complete(send, client, hostile, known)?;
            let id = outgoing.id.take().unwrap_or(fresh);
            let (id, entry) = session.request(Outgoing { id: Some(id), ..outgoing });
            sent = Sent { entry: Some(entry), id: Some(id), in_background: send.background };
        }
        Action::Notify(send) => {
            sent.entry = Some(session.notify(complete(send, client, hostile, known)?));
        }
        Action::Json(value) => {
            sent.entry = Some(session.send_value(template::fill(value, known)?, hostile));
            sent.id = mentions_id(&value.to_string()).then_some(fresh);
        }
        Action::Raw(text) => {
            let mut bytes = template::fill_raw(text, known)?.into_bytes();
            bytes.push(b'\n');
            sent.entry = Some(session.send_bytes(bytes));
            sent.id = mentions_id(text).then_some(fresh);
        }
        Action::Bytes(bytes) => sent.entry = Some(session.send_bytes(bytes.clone())),
        Action::Http(request) => sent.entry = Some(http::request(session, request, known)?),
        Action::HttpRaw(raw) => sent.entry = Some(http::written_out(session, raw, known)?),
        Action::Close(name) => http::close(session, name, known),
        Action::ResponseTo(name) => sent.id = known.get(name).and_then(|named| named.get("id")).cloned(),
        Action::CloseInput => sent.entry = Some(session.close_input()),
        Action::Terminate => sent.entry = Some(session.terminate()),
        Action::AwaitExit | Action::Await(_) | Action::Barrier => {}
    }
    session.set_headers(Headers::new());
    Ok(sent)
}

fn mentions_id(text: &str) -> bool {
    text.contains("{{id}}")
}

/// The first response without an id after an entry.
fn first_unaddressed(session: &Session, after: usize) -> Option<usize> {
    let mut later = session.transcript.entries.iter().enumerate().skip(after);
    later
        .find(|(_, entry)| matches!(&entry.what, Happening::Received { content, .. } if content.is_unaddressed()))
        .map(|(index, _)| index)
}

/// Waits until the messages that a step is about have come.
async fn wait_until(
    session: &mut Session,
    step: &Step,
    record: &mut StepRecord,
    variables: &Variables,
    deadline: Instant,
) -> Waited {
    let watches: Vec<_> = match &step.action {
        Action::Await(watch) => vec![watch],
        _ => step.during.iter().collect(),
    };
    // What came with an earlier step counts too: the server may be quicker than the case.
    if matches!(step.action, Action::Await(_)) {
        record.begins = session.transcript.cases.last().map_or(0, |case| case.ends);
    }
    loop {
        let to = session.transcript.entries.len();
        let enough = watches.iter().all(|watch| {
            steps::seen(watch, record.begins, to, &session.transcript, variables).len() >= watch.min
        });
        if enough {
            return Waited::Passed;
        }
        match session.hear(deadline).await {
            Heard::Frame(_) => {}
            Heard::Closed => return Waited::Closed,
            Heard::TimedOut if Instant::now() >= deadline => return Waited::TimedOut,
            Heard::TimedOut => {}
        }
    }
}

fn complete(
    send: &Send,
    client: ClientKind,
    hostile: bool,
    variables: &Variables,
) -> Result<Outgoing, TemplateError> {
    let filled =
        |value: &Option<Value>| value.as_ref().map(|value| template::fill(value, variables)).transpose();
    let mut meta = serde_json::Map::new();
    if !send.meta.is_empty()
        && let Value::Object(filled) = template::fill(&Value::Object(send.meta.clone()), variables)?
    {
        meta = filled;
    }
    let method = match template::fill_text(&send.method, variables)? {
        Value::String(method) => method,
        other => other.to_string(),
    };
    Ok(Outgoing {
        method,
        params: filled(&send.params)?,
        id: filled(&send.id)?,
        meta,
        without_meta: send.without_meta.clone(),
        client,
        hostile,
    })
}
