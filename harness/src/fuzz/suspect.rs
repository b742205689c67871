//! What the oracles see in a flight. A suspect becomes a finding once it has shown itself again on a fresh server.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use foldhash::HashMap;
use foldhash::fast::RandomState;
use mcp_conform_cases::case::Action;
use regex::Regex;
use serde_json::{Map, Value};

use super::flight::{self, Landing};
use super::input::{Claim, Input, InputStep};
use super::leg::{Asked, Called, Leg, Try};
use super::oracle::Oracle;
use super::rules::Rule;
use super::watch::Excess;
use super::{leaks, refusals, signature, text_of};
use crate::event::Evidence;
use crate::judge::dialogue::Dialogue;
use crate::judge::{Breach, evidence};
use crate::text;
use crate::transcript::{Exit, Happening, Rung, Transcript};
use crate::wire::{Content, member};

/// So many tries before the end of a server may have caused it.
const LAST_TRIES: usize = 4;
/// What the signature of a request without an answer begins with; its subject follows.
const SILENCE: &str = "no-answer: ";
/// So many frames before a death are shown.
const FRAMES: usize = 6;
/// The longest excerpt of an answer in a message, in bytes.
const EXCERPT: usize = 120;
/// What an answer breaks whose request was answered before.
const ECHO: &str = "robustness.right-peer";

/// A span of time in words, or as ISO 8601 writes it.
static SPAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let unit =
        "ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?|y|years?";
    Regex::new(&format!(r"^(PT?\d[\dTYMWDHS.,]*|\d+(\.\d+)?\s*(?i:{unit}))$")).ok()
});

/// Something that may be a finding.
#[derive(Clone, Debug)]
pub(super) struct Suspect {
    pub(super) oracle: Oracle,
    pub(super) requirement: String,
    /// One sentence.
    pub(super) message: String,
    /// The same for the same fault.
    pub(super) signature: String,
    /// The tries that may have caused it, the likeliest first.
    pub(super) tries: Vec<usize>,
    /// The step of the likeliest try whose answer is wrong.
    pub(super) step: Option<usize>,
    pub(super) evidence: Vec<Evidence>,
}

/// What the oracles know beforehand.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    pub(super) rules: Vec<Rule>,
    /// Secrets of the server's environment, by name.
    pub(super) secrets: Vec<(String, String)>,
    /// What stands in a file that no server serves.
    pub(super) canary: String,
    /// The tools that may be called.
    pub(super) tools: Arc<[String]>,
}

impl Knowledge {
    /// What a step is about: the tool that it calls, also where nothing is known of its arguments, else what the input is
    /// about.
    fn subject_of(&self, step: &InputStep, input: &Input) -> String {
        called(step, &self.tools)
            .map_or_else(|| subject_among(input, &self.tools), |name| format!("a call of `{name}`"))
    }
}

/// Which of these tools a step calls, as far as it can be read.
pub(super) fn called(step: &InputStep, tools: &[String]) -> Option<String> {
    let written;
    let params = match &step.action {
        Action::Request(send) => send.params.as_ref().filter(|_| send.method == "tools/call"),
        Action::Raw(text) if text.contains("tools/call") => {
            written = text_of::message(text)
                .filter(|message| message.get("method").is_some_and(|method| method == "tools/call"));
            written.as_ref().and_then(|message| message.get("params"))
        }
        Action::Json(message) if message.get("method").is_some_and(|method| method == "tools/call") => {
            message.get("params")
        }
        _ => None,
    };
    let name = params?.get("name")?.as_str()?;
    tools.iter().find(|tool| *tool == name).cloned()
}

/// Everything suspicious in a leg of a flight.
pub(super) fn all(leg: &Leg, knowledge: &Knowledge) -> Vec<Suspect> {
    let under_way = leg.under_way.clone();
    let (transcript, tries) = (&leg.transcript, leg.tries.as_slice());
    let mut found: Vec<Suspect> = match (leg.landing, leg.excess) {
        (Landing::Dead, Some(excess)) => vec![too_much(excess, transcript, tries, under_way)],
        (Landing::Dead, None) => death(transcript, tries, under_way).into_iter().collect(),
        (Landing::Hung, _) => vec![hang(transcript, tries, under_way, knowledge)],
        (Landing::Closed, _) => end(transcript, tries).into_iter().collect(),
        (Landing::Sound | Landing::Full, _) => {
            leg.reports.iter().map(|report| reported(report, leg)).collect()
        }
    };
    let unread = transcript.entries.iter().any(|entry| may_be_an_answer(&entry.what));
    // What we could not read may have been an answer.
    found.extend(
        leg.unanswered
            .iter()
            .filter(|_| !unread)
            .filter_map(|(place, asked)| no_answer(transcript, tries, (*place, *asked), knowledge)),
    );
    if leg.bare {
        // What a server that nobody has greeted says is its own affair, as long as it lives.
        return found;
    }
    let dialogue = Dialogue::of(transcript);
    found.extend(refusals::all(leg));
    found.extend(knowledge.rules.iter().flat_map(|rule| broken(rule, &dialogue, tries)));
    forget_echoes(&mut found);
    found.extend(poisoned(leg));
    for (place, this) in tries.iter().enumerate() {
        for asked in &this.asked {
            let Some(entry) = leg.response_to(asked) else { continue };
            found.extend(of_answer(transcript, this, place, asked, entry, knowledge));
        }
    }
    found
}

/// Whether something came that we could not read, or that is no message although it looks like one.
fn may_be_an_answer(what: &Happening) -> bool {
    /// A message that was torn apart still begins like one.
    const BEGINNING: &[u8] = b"\"jsonrpc\"";
    let Happening::Received { frame, content, .. } = what else { return false };
    match content {
        Content::TooLong | Content::Beyond(_) | Content::NotUtf8(_) => true,
        Content::NotJson(_) => frame.bytes.windows(BEGINNING.len()).any(|part| part == BEGINNING),
        _ => false,
    }
}

fn ended_by_us(transcript: &Transcript) -> bool {
    transcript.entries.iter().any(|entry| {
        matches!(entry.what, Happening::Overflow | Happening::Stop(Rung::Terminated | Rung::Killed))
    })
}

/// What was tried last, for a death that came without a word.
fn last(tries: &[Try], under_way: Vec<usize>) -> Vec<usize> {
    let mut candidates = under_way;
    for place in (0..tries.len()).rev().take(LAST_TRIES) {
        if !candidates.contains(&place) {
            candidates.push(place);
        }
    }
    candidates
}

/// The frames before the end.
fn final_frames(transcript: &Transcript) -> Vec<Evidence> {
    let entries = transcript.entries.len();
    let breach =
        Breach { culprits: (entries.saturating_sub(FRAMES)..entries).collect(), ..Breach::default() };
    evidence::of(transcript, &breach)
}

fn death(transcript: &Transcript, tries: &[Try], under_way: Vec<usize>) -> Option<Suspect> {
    if ended_by_us(transcript) {
        return None;
    }
    let exit = transcript.exit();
    let (how, signature) = if exit.is_none() && transcript.lost_the_session() {
        // What a server that lives on wrote to its standard error may be about anything.
        ("no longer knows the session".to_owned(), "session lost".to_owned())
    } else {
        let how = exit.map_or_else(|| "closed the connection".to_owned(), |exit| exit.to_string());
        (how, signature::of_end(exit, &transcript.stderr))
    };
    let cause = signature::cause(&transcript.stderr).map(|cause| format!(": {cause}")).unwrap_or_default();
    Some(Suspect {
        oracle: Oracle::Crash,
        requirement: Oracle::Crash.requirement().to_owned(),
        message: format!("the server {how}{cause}"),
        signature: format!("crash: {signature}"),
        tries: last(tries, under_way),
        step: None,
        evidence: final_frames(transcript),
    })
}

fn too_much(excess: Excess, transcript: &Transcript, tries: &[Try], under_way: Vec<usize>) -> Suspect {
    let what = match excess {
        Excess::Memory { .. } => "memory",
        Excess::Processes { .. } => "processes",
    };
    Suspect {
        oracle: Oracle::Excess,
        requirement: Oracle::Excess.requirement().to_owned(),
        message: format!("the server {excess} and was ended"),
        signature: format!("excess: {what}"),
        tries: last(tries, under_way),
        step: None,
        evidence: final_frames(transcript),
    }
}

/// What a sanitizer reported of a server that lives on.
fn reported(report: &str, leg: &Leg) -> Suspect {
    Suspect {
        oracle: Oracle::Sanitizer,
        requirement: Oracle::Sanitizer.requirement().to_owned(),
        message: format!("a sanitizer reports {report}"),
        signature: format!("sanitizer: {report}"),
        tries: last(&leg.tries, Vec::new()),
        step: None,
        evidence: final_frames(&leg.transcript),
    }
}

/// A server whose input was closed may end, but not by a signal, nor with something that a sanitizer reported.
fn end(transcript: &Transcript, tries: &[Try]) -> Option<Suspect> {
    let is_reported = || !signature::sanitizer_reports(&transcript.stderr).is_empty();
    let is_wrong = |exit: &Exit| exit.code.is_none_or(|code| code != 0 && is_reported());
    let exit = transcript.exit().filter(is_wrong)?;
    Some(Suspect {
        oracle: Oracle::Crash,
        requirement: Oracle::Crash.requirement().to_owned(),
        message: format!("the server {exit} when its input was closed"),
        signature: format!("crash at the end: {}", signature::of_end(Some(exit), &transcript.stderr)),
        tries: last(tries, Vec::new()),
        step: None,
        evidence: final_frames(transcript),
    })
}

fn hang(transcript: &Transcript, tries: &[Try], under_way: Vec<usize>, knowledge: &Knowledge) -> Suspect {
    let tries_of = last(tries, under_way);
    let subject = tries_of
        .first()
        .and_then(|place| tries.get(*place))
        .map_or_else(|| "the handshake".to_owned(), |this| subject_among(&this.input, &knowledge.tools));
    Suspect {
        oracle: Oracle::Hang,
        requirement: Oracle::Hang.requirement().to_owned(),
        message: format!("the server answers nothing any more after {subject}"),
        signature: format!("hang: {subject}"),
        tries: tries_of,
        step: None,
        evidence: final_frames(transcript),
    }
}

/// As [`subject_among`], where no tool is known.
pub(super) fn subject(input: &Input) -> String {
    subject_among(input, &[])
}

/// What an input is about, in a few words: the tool, the method, or how it came to be. A call of one of these tools is
/// about it, however it is written. Methods that there are not are one thing, whatever their names; so are requests whose
/// `_meta` no server need understand, whatever they ask for.
pub(super) fn subject_among(input: &Input, tools: &[String]) -> String {
    if input.steps.iter().any(has_odd_meta) {
        return "a request with odd `_meta`".to_owned();
    }
    let claimed = |step: &InputStep| match &step.claim {
        Claim::Valid { tool } | Claim::Forbidden { tool, .. } | Claim::Bait { tool, .. } => {
            Some(tool.clone())
        }
        Claim::None => None,
    };
    let called = input.steps.iter().find_map(|step| called(step, tools));
    let tool = called.or_else(|| input.steps.iter().find_map(claimed));
    let method = || {
        input.steps.iter().find_map(|step| match &step.action {
            Action::Request(send) | Action::Notify(send) => Some(send.method.clone()),
            Action::Raw(text) => Some(text_of::message(text)?.get("method")?.as_str()?.to_owned()),
            _ => None,
        })
    };
    match (tool, method()) {
        (Some(tool), _) => format!("a call of `{tool}`"),
        (None, Some(method)) if !refusals::is_in_known_area(&method) => "an unknown method".to_owned(),
        (None, Some(method)) => format!("`{}`", text::bounded(&text::visible(&method), EXCERPT)),
        (None, None) => format!("odd input ({})", input.origin),
    }
}

/// Whether the `_meta` of what a step sends is not what every revision says and every reader of JSON can hold: an object,
/// in which a progress token is a string or an integer.
fn has_odd_meta(step: &InputStep) -> bool {
    let is_odd_token = |meta: &Map<String, Value>| {
        meta.get("progressToken").is_some_and(|token| !token.is_string() && !flight::is_safe(token))
    };
    let of_params = |params: Option<&Value>| match params.and_then(|params| params.get("_meta")) {
        None => false,
        Some(Value::Object(meta)) => is_odd_token(meta),
        Some(_) => true,
    };
    match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            is_odd_token(&send.meta) || of_params(send.params.as_ref())
        }
        Action::Json(message) => of_params(message.get("params")),
        Action::Raw(text) if text.contains("_meta") => {
            text_of::message(text).is_some_and(|message| of_params(message.get("params")))
        }
        _ => false,
    }
}

fn no_answer(
    transcript: &Transcript,
    tries: &[Try],
    (place, asked): (usize, usize),
    knowledge: &Knowledge,
) -> Option<Suspect> {
    let this = tries.get(place)?;
    let asked = this.asked.get(asked)?;
    let step = this.input.steps.get(asked.step)?;
    if matches!(&step.action, Action::Request(send) if send.params.as_ref().is_some_and(may_say_how_long)) {
        return None;
    }
    let subject = subject_among(&this.input, &knowledge.tools);
    let breach = Breach { culprits: vec![asked.entry], ..Breach::default() };
    Some(Suspect {
        oracle: Oracle::NoAnswer,
        requirement: Oracle::NoAnswer.requirement().to_owned(),
        message: format!("{subject} has no answer, though the server answers later requests"),
        signature: format!("{SILENCE}{subject}"),
        tries: vec![place],
        step: Some(asked.step),
        evidence: evidence::of(transcript, &breach),
    })
}

/// The subject in the signature of a request without an answer.
pub(super) fn silent_subject(signature: &str) -> Option<&str> {
    signature.strip_prefix(SILENCE)
}

/// Whether arguments hold a number that may say how long a call is to take, in whatever unit: who is told to wait for an
/// hour does no wrong.
fn may_say_how_long(value: &Value) -> bool {
    /// Less than this is soon over, in seconds as in anything smaller.
    const SOON: f64 = 2.0;
    match value {
        Value::Number(number) => number.as_f64().is_none_or(|number| number >= SOON),
        Value::String(text) => SPAN.as_ref().is_some_and(|span| span.is_match(text)),
        Value::Array(items) => items.iter().any(may_say_how_long),
        Value::Object(members) => members.values().any(may_say_how_long),
        _ => false,
    }
}

/// An answer with the id of another request is that, and not also a malformed answer to the other one.
fn forget_echoes(found: &mut Vec<Suspect>) {
    let strays: Vec<String> = found
        .iter()
        .filter(|suspect| suspect.requirement == ECHO)
        .filter_map(|suspect| suspect.evidence.last().map(|frame| frame.text.clone()))
        .collect();
    found.retain(|suspect| {
        let about_it = suspect.evidence.iter().any(|frame| strays.contains(&frame.text));
        !(about_it && suspect.requirement.starts_with("schema."))
    });
}

/// The breaches of a rule, each with the input that brought it about.
fn broken(rule: &Rule, dialogue: &Dialogue<'_>, tries: &[Try]) -> Vec<Suspect> {
    let mut found: Vec<Suspect> = Vec::new();
    for breach in rule.look(dialogue).breaches.into_iter().filter(|breach| !breach.advice) {
        let Some((place, step)) = origin(&breach, dialogue, tries) else { continue };
        // What follows a colon is how it showed itself this time.
        let what = breach.message.split(": ").next().unwrap_or_default();
        let signature = format!("{}: {}", rule.case, signature::normal(what));
        if found.iter().any(|other| other.signature == signature) {
            continue;
        }
        found.push(Suspect {
            oracle: Oracle::WrongAnswer,
            requirement: rule.requirement.clone(),
            message: breach.message.clone(),
            signature,
            tries: vec![place],
            step,
            evidence: evidence::of(dialogue.transcript, &breach),
        });
    }
    found
}

/// The input that a breach belongs to: the one whose request was answered wrongly, else the last one before it.
fn origin(breach: &Breach, dialogue: &Dialogue<'_>, tries: &[Try]) -> Option<(usize, Option<usize>)> {
    let entries = || breach.culprits.iter().chain(&breach.context).copied();
    let sent = entries().find_map(|entry| place_of(entry, tries).filter(|(_, step)| step.is_some()));
    let answered = || {
        entries().find_map(|entry| {
            let said = dialogue.said.iter().find(|said| said.entry == entry)?;
            place_of(dialogue.request_of(said)?.entry, tries)
        })
    };
    let before = || {
        let entry = entries().next()?;
        let place = tries.iter().rposition(|this| this.begins <= entry)?;
        Some((place, None))
    };
    sent.or_else(answered).or_else(before)
}

/// The try that sent an entry, and the step if it asked something.
fn place_of(entry: usize, tries: &[Try]) -> Option<(usize, Option<usize>)> {
    let place = tries.iter().rposition(|this| this.begins <= entry)?;
    let step = tries.get(place)?.asked.iter().find(|asked| asked.entry == entry).map(|asked| asked.step);
    Some((place, step))
}

fn of_answer(
    transcript: &Transcript,
    this: &Try,
    place: usize,
    asked: &Asked,
    entry: usize,
    knowledge: &Knowledge,
) -> Vec<Suspect> {
    let Some(Happening::Received { frame, content, .. }) =
        transcript.entries.get(entry).map(|entry| &entry.what)
    else {
        return Vec::new();
    };
    let mut messages = content.messages();
    let Some(message) = messages.find(|message| message.id() == Some(&asked.id)) else {
        return Vec::new();
    };
    let Some(step) = this.input.steps.get(asked.step) else { return Vec::new() };
    let breach = Breach { culprits: vec![entry], context: vec![asked.entry], ..Breach::default() };
    let suspect = |oracle: Oracle, message: String, signature: String| Suspect {
        oracle,
        requirement: oracle.requirement().to_owned(),
        message,
        signature,
        tries: vec![place],
        step: Some(asked.step),
        evidence: evidence::of(transcript, &breach),
    };
    let mut found = Vec::new();
    let refused = is_refusal(&message.value);
    if let Claim::Forbidden { tool, why, keyword } = &step.claim
        && !refused
    {
        found.push(suspect(
            Oracle::AcceptedInvalid,
            format!("`{tool}` accepts arguments that its own schema forbids: {why}"),
            format!("accepted-invalid: {tool}: {keyword}"),
        ));
    }
    let answer = as_text(&frame.bytes);
    let was_sent = |part: &str| sent_text(transcript, asked.entry).contains(part);
    let bait = match &step.claim {
        Claim::Bait { door, marker, .. } => Some((Oracle::from(*door), marker)),
        // A case file does not tell that a path is a bait; what the file holds tells it.
        _ => Some((Oracle::PathTraversal, &knowledge.canary)).filter(|(_, canary)| !canary.is_empty()),
    };
    if let Some((oracle, marker)) = bait
        && answer.contains(marker.as_str())
        && !was_sent(marker)
    {
        let subject = knowledge.subject_of(step, &this.input);
        found.push(suspect(
            oracle,
            format!("{subject} does more with its arguments than it should: the answer holds `{marker}`"),
            format!("{oracle}: {subject}"),
        ));
    }
    if let Some(stack) = leaks::stack(&answer).filter(|stack| !was_sent(stack)) {
        let shown = text::bounded(&text::visible(stack), EXCERPT).into_owned();
        let subject = knowledge.subject_of(step, &this.input);
        found.push(suspect(
            Oracle::StackTrace,
            format!("the answer to {subject} shows the stack of the program: {shown}"),
            format!("stack-trace: {subject}"),
        ));
    }
    if refused
        && let Some((name, _)) =
            knowledge.secrets.iter().find(|(_, value)| answer.contains(value.as_str()) && !was_sent(value))
    {
        let subject = knowledge.subject_of(step, &this.input);
        found.push(suspect(
            Oracle::Secret,
            format!("the error for {subject} holds the value of the environment variable `{name}`"),
            format!("secret: {subject}"),
        ));
    }
    found
}

/// A call that succeeded and is refused later. Within one input only refused calls may stand between the two, since a
/// call that succeeds may rightly change what others bring; across inputs it is a suspicion, and those that were
/// refused are tried together. Where the session was lost, calls are refused for that.
fn poisoned(leg: &Leg) -> Option<Suspect> {
    let transcript = &leg.transcript;
    if transcript.lost_the_session() {
        return None;
    }
    let calls = leg.calls().map(|call| {
        let refused = is_refusal(call.answer);
        (call, refused)
    });
    let calls: Vec<(Called<'_>, bool)> = calls.collect();
    // The first call with the same parameters.
    let mut firsts: HashMap<&Value, usize> =
        HashMap::with_capacity_and_hasher(calls.len(), RandomState::default());
    let mut found = None;
    for (at, (call, refused)) in calls.iter().enumerate() {
        let first = *firsts.entry(call.params).or_insert(at);
        if *refused && calls.get(first).is_some_and(|(_, refused)| !refused) {
            found = Some((first, at));
        }
    }
    let (first, last) = found?;
    let between = calls.get(first + 1..last)?;
    let ((one, _), (other, _)) = (calls.get(first)?, calls.get(last)?);
    let within_one = one.place == other.place;
    let only_refused = between.iter().all(|(call, refused)| *refused || call.params == one.params);
    if within_one && !only_refused {
        return None;
    }
    let mut tries = vec![one.place];
    tries.extend(between.iter().filter(|(_, refused)| *refused).map(|(call, _)| call.place));
    tries.push(other.place);
    tries.dedup();
    let tool = one.params.get("name").and_then(Value::as_str).unwrap_or_default();
    let tool = text::visible(tool);
    let breach = Breach { culprits: vec![other.entry], context: vec![one.entry], ..Breach::default() };
    Some(Suspect {
        oracle: Oracle::Poisoned,
        requirement: Oracle::Poisoned.requirement().to_owned(),
        message: format!("a call of `{tool}` that succeeded is refused later, after calls that failed"),
        signature: format!("poisoned: {tool}"),
        tries,
        step: Some(other.step),
        evidence: evidence::of(transcript, &breach),
    })
}

/// Whether a response refuses, or asks for more.
pub(super) fn is_refusal(message: &Value) -> bool {
    let result = member(message, "result");
    member(message, "error").is_some_and(|error| !error.is_null())
        || result.and_then(|result| member(result, "isError")) == Some(&Value::Bool(true))
        || result.and_then(|result| member(result, "resultType")).is_some_and(|kind| kind == "input_required")
}

fn sent_text(transcript: &Transcript, entry: usize) -> Cow<'_, str> {
    match transcript.entries.get(entry).map(|entry| &entry.what) {
        Some(Happening::Sent { bytes, .. }) => as_text(bytes),
        _ => Cow::Borrowed(""),
    }
}

/// As [`String::from_utf8_lossy`], but faster where nothing is lost, which is nearly always.
fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Direction;

    #[test]
    fn only_what_may_say_how_long_excuses_silence() {
        for (text, may) in [
            ("1h", true),
            ("2.5 Minutes", true),
            ("P1DT2H", true),
            ("PT5M", true),
            ("Paris", false),
            ("9lives", false),
        ] {
            assert_eq!(may_say_how_long(&serde_json::json!({ "after": [text] })), may, "{text}");
        }
    }

    #[test]
    fn one_fault_has_one_subject_however_it_is_written() {
        let subject = |text: &str| {
            let step = InputStep::from(Action::Raw(text.to_owned()));
            subject_among(&Input { origin: "text", steps: vec![step] }, &["t".to_owned()])
        };
        let call = |rest: &str| format!(r#"{{"id":{{{{id}}}},"method":"tools/call","params":{{{rest}}}}}"#);
        for (text, wanted) in [
            (call(r#""name":"t""#), "a call of `t`"),
            (call(r#""name":"other""#), "`tools/call`"),
            (call(r#""name":"t","_meta":{"progressToken":2}"#), "a call of `t`"),
            (call(r#""name":"t","_meta":{"progressToken":1.5}"#), "a request with odd `_meta`"),
            (
                call(r#""name":"t","_meta":{"progressToken":18446744073709551615}"#),
                "a request with odd `_meta`",
            ),
            (call(r#""name":"t","_meta":[]"#), "a request with odd `_meta`"),
            (
                r#"{"id":{{id}},"method":"{{"x" * 3}}","params":{"_meta":null}}"#.to_owned(),
                "a request with odd `_meta`",
            ),
            (r#"{"id":{{id}},"method":"{{"x" * 3}}"}"#.to_owned(), "an unknown method"),
        ] {
            assert_eq!(subject(&text), wanted, "{text}");
        }
    }

    #[test]
    fn an_answer_to_another_request_is_found_once() {
        let suspect = |requirement: &str, text: &str| Suspect {
            oracle: Oracle::WrongAnswer,
            requirement: requirement.to_owned(),
            message: String::new(),
            signature: requirement.to_owned(),
            tries: vec![0],
            step: None,
            evidence: vec![Evidence {
                at_us: 0,
                direction: Direction::Received,
                text: text.to_owned(),
                bytes: 0,
                culprit: true,
            }],
        };
        let mut found =
            vec![suspect("schema.initialize-result", "a"), suspect(ECHO, "a"), suspect("schema.tool", "b")];
        forget_echoes(&mut found);
        let left: Vec<&str> = found.iter().map(|suspect| suspect.signature.as_str()).collect();
        assert_eq!(left, [ECHO, "schema.tool"]);
    }
}
