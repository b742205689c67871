//! Judges the steps of a case by what its recording shows.

use mcp_conform_cases::Case;
use mcp_conform_cases::case::{Action, Expect, Outcome, Path, Script, Step, Watch};
use serde_json::Value;

use super::matching::{self, Mismatch, in_short};
use super::{Breach, Judgement, http, refusals};
use crate::event::Transport;
use crate::template::Variables;
use crate::transcript::{CaseRecord, Happening, Health, Pass, StepRecord, Transcript, Waited};
use crate::wire::{Content, Kind, Message};

/// What a whole case shows.
#[must_use]
pub fn case(case: &Case, record: &CaseRecord, transcript: &Transcript) -> Judgement {
    let Script::Steps(steps) = &case.script else {
        return Judgement::Unseen("the case is an invariant".to_owned());
    };
    let mut advice = None;
    let mut stuck = None;
    let mut kept = false;
    for pass in &record.passes {
        match one_pass(case, steps, pass, record, transcript) {
            Judgement::Kept => kept = true,
            Judgement::Broken(breach) if breach.advice => advice = advice.or(Some(breach)),
            Judgement::Broken(breach) => return Judgement::Broken(breach),
            Judgement::Unseen(why) => stuck = stuck.or(Some(why)),
        }
    }
    match (advice, kept, stuck) {
        (Some(breach), _, _) => Judgement::Broken(breach),
        (None, true, _) => Judgement::Kept,
        (None, false, Some(why)) => Judgement::Unseen(why),
        (None, false, None) => Judgement::Unseen("there was nothing to try it on".to_owned()),
    }
}

fn one_pass(
    case: &Case,
    steps: &[Step],
    pass: &Pass,
    record: &CaseRecord,
    transcript: &Transcript,
) -> Judgement {
    let mut advice = None;
    let mut evidence = false;
    let mut variables = pass.variables.clone();
    for (step, done) in steps.iter().zip(&pass.steps) {
        name_request(step.name.as_deref(), done, &mut variables);
        let named = |breach: Breach| Box::new(name_item(breach, pass));
        if done.waited == Waited::TimedOut && has_unread(done, transcript) {
            return Judgement::Unseen("the server sent a message longer or deeper than we read".to_owned());
        }
        if done.waited == Waited::TimedOut && calls_a_tool(step) {
            // A tool may take as long as it likes; only a server that answers nothing any more is at fault.
            let name = pass.item.as_ref().map_or_else(|| "the tool".to_owned(), |item| format!("`{item}`"));
            return Judgement::Unseen(format!("{name} did not answer in time; --timeout gives it longer"));
        }
        if done.waited == Waited::Closed && we_stopped(done, transcript) {
            return Judgement::Unseen("the server sent more than we keep of a session".to_owned());
        }
        match judge_step(step, done, transcript, &variables) {
            Ok(()) => evidence |= step.gives_evidence(),
            Err(breach) if step.setup => {
                return Judgement::Unseen(format!("the preparation failed: {}", breach.message));
            }
            Err(breach) => {
                if let Some(why) = refusals::of_step(step, done, transcript) {
                    return Judgement::Unseen(why);
                }
                if !breach.advice {
                    return Judgement::Broken(named(breach));
                }
                advice = advice.or(Some(named(breach)));
            }
        }
        capture(&step.capture, done, transcript, &mut variables);
    }
    for watch in &case.never {
        if let Some((entry, message)) =
            seen(watch, record.begins, record.ends, transcript, &variables).into_iter().next()
        {
            return Judgement::Broken(Box::new(Breach {
                message: format!("the server sent `{}`, which it must not send here", watch.method),
                expected: Some(format!("no `{}`", watch.method)),
                got: Some(in_short(Some(&message.value))),
                culprits: vec![entry],
                context: sent_in(pass),
                ..Breach::default()
            }));
        }
    }
    if let Some(why) = &pass.stuck {
        return Judgement::Unseen(why.clone());
    }
    if record.health == Health::Dead
        && steps.iter().skip(pass.steps.len()).any(|step| step.action == Action::Barrier)
    {
        let done = StepRecord {
            begins: record.begins,
            ends: record.ends,
            sent: None,
            exchange: None,
            id: None,
            waited: Waited::Closed,
        };
        return Judgement::Broken(Box::new(name_item(no_longer_answers(&done, transcript), pass)));
    }
    match advice {
        Some(breach) => Judgement::Broken(breach),
        None if evidence && pass.steps.len() == steps.len() => Judgement::Kept,
        None => Judgement::Unseen("the case did not come to its end".to_owned()),
    }
}

/// Gives the id that a step sent to the templates of this step and of later ones.
pub fn name_request(name: Option<&str>, done: &StepRecord, variables: &mut Variables) {
    if let Some(id) = &done.id {
        variables.insert("id".to_owned(), id.clone());
    }
    if let (Some(name), true) = (name, done.id.is_some() || done.exchange.is_some()) {
        variables.insert(name.to_owned(), serde_json::json!({ "id": done.id, "exchange": done.exchange }));
    }
}

/// Remembers what a step captures from its response.
pub fn capture(
    wanted: &[(String, Path)],
    done: &StepRecord,
    transcript: &Transcript,
    variables: &mut Variables,
) {
    if wanted.is_empty() {
        return;
    }
    let answer = response(done, transcript).map(|(_, message)| message);
    let view = http::view(done, transcript, answer).map(|view| view.value);
    let Some(message) = view.as_ref().or(answer) else { return };
    for (name, path) in wanted {
        if let Some((_, value)) = matching::resolve(path, message).into_iter().next() {
            variables.insert(name.clone(), value.clone());
        }
    }
}

/// Whether a frame came that we could not read: it may have been the response.
fn has_unread(done: &StepRecord, transcript: &Transcript) -> bool {
    let entries = transcript.entries.iter().take(done.ends).skip(done.begins);
    entries.map(|entry| &entry.what).any(|what| {
        matches!(what, Happening::Received { content: Content::TooLong | Content::Beyond(_), .. })
    })
}

fn calls_a_tool(step: &Step) -> bool {
    matches!(&step.action, Action::Request(send) if send.method == "tools/call")
}

fn name_item(mut breach: Breach, pass: &Pass) -> Breach {
    if let Some(item) = &pass.item {
        breach.message = format!("`{item}`: {}", breach.message);
    }
    if breach.context.is_empty() {
        breach.context = sent_in(pass);
    }
    breach
}

fn sent_in(pass: &Pass) -> Vec<usize> {
    pass.steps.iter().filter_map(|step| step.sent).collect()
}

/// Judges one step.
///
/// # Errors
/// How it was broken.
pub fn judge_step(
    step: &Step,
    done: &StepRecord,
    transcript: &Transcript,
    variables: &Variables,
) -> Result<(), Breach> {
    let context: Vec<usize> = done.sent.into_iter().collect();
    if let Some(expect) = &step.expect {
        met(expect, done, transcript, variables)
            .map_err(|breach| Breach { context: context.clone(), ..breach })?;
    }
    match &step.action {
        Action::Await(watch) => enough(watch, done.begins, done.ends, transcript, variables)?,
        Action::AwaitExit if done.waited != Waited::Closed => {
            return Err(Breach {
                message: "the server did not end".to_owned(),
                expected: Some("the end of the process".to_owned()),
                got: Some("a process that lives on".to_owned()),
                context: ending_requests(done, transcript),
                culprits: ending_requests(done, transcript),
                ..Breach::default()
            });
        }
        Action::Barrier if done.waited != Waited::Passed => {
            return Err(Breach { context, ..no_longer_answers(done, transcript) });
        }
        _ => {}
    }
    for watch in &step.during {
        enough(watch, done.begins, done.ends, transcript, variables)
            .map_err(|breach| Breach { context: context.clone(), ..breach })?;
    }
    if let Some(should) = &step.should {
        met(should, done, transcript, variables).map_err(|breach| Breach {
            advice: true,
            context,
            ..breach
        })?;
    }
    Ok(())
}

/// Whether the session ended because it had become too long for us.
fn we_stopped(done: &StepRecord, transcript: &Transcript) -> bool {
    let mut entries = transcript.entries.iter().take(done.ends).skip(done.begins);
    entries.any(|entry| matches!(entry.what, Happening::Overflow))
}

fn no_longer_answers(done: &StepRecord, transcript: &Transcript) -> Breach {
    Breach {
        message: format!("the server no longer answers: {}", after(done, transcript)),
        expected: Some("an answer to a plain request".to_owned()),
        got: Some(after(done, transcript)),
        culprits: ending_entries(done, transcript),
        ..Breach::default()
    }
}

/// The message that answers a step, with its entry.
#[must_use]
pub fn response<'a>(done: &StepRecord, transcript: &'a Transcript) -> Option<(usize, &'a Value)> {
    let Waited::Response(entry) = done.waited else { return None };
    match &transcript.entries.get(entry)?.what {
        Happening::Received { content: Content::Message(message), .. } => Some((entry, &message.value)),
        Happening::Received { content: Content::Batch(items), .. } => {
            items.iter().find(|item| item.get("id") == done.id.as_ref()).map(|item| (entry, item))
        }
        _ => None,
    }
}

fn met(
    expect: &Expect,
    done: &StepRecord,
    transcript: &Transcript,
    variables: &Variables,
) -> Result<(), Breach> {
    let answer = response(done, transcript);
    let breach = |message: String, expected: String, culprits: Vec<usize>| {
        Err(Breach {
            message,
            expected: Some(expected),
            got: Some(
                answer.map_or_else(|| after(done, transcript), |(_, message)| in_short(Some(body(message)))),
            ),
            culprits,
            ..Breach::default()
        })
    };
    match (expect, answer) {
        (Expect::AnyOf(alternatives), _) => {
            let mut refused = Vec::new();
            for alternative in alternatives {
                match met(alternative, done, transcript, variables) {
                    Ok(()) => return Ok(()),
                    Err(breach) => refused.push(breach),
                }
            }
            let expected =
                refused.iter().filter_map(|breach| breach.expected.clone()).collect::<Vec<_>>().join(", or ");
            let first = refused.into_iter().next().unwrap_or_default();
            Err(Breach { expected: Some(expected), ..first })
        }
        (Expect::Outcome(Outcome::Silence), None)
            if matches!(done.waited, Waited::Passed | Waited::Unanswered(_)) =>
        {
            Ok(())
        }
        (Expect::Members(members), _) if http::is_asked_for(members) => {
            let Some(view) = http::view(done, transcript, answer.map(|(_, message)| message)) else {
                return breach(
                    after(done, transcript),
                    members_in_words(members),
                    ending_entries(done, transcript),
                );
            };
            matching::all(members, &view.value, variables).map_err(|mismatch| {
                let of_message = answer.filter(|_| !mismatch.path.starts_with("http"));
                mismatched(mismatch, of_message.map_or(view.entry, |(entry, _)| entry))
            })
        }
        (Expect::Outcome(Outcome::Silence), Some((entry, _))) => breach(
            "the server answered what must not be answered".to_owned(),
            "no response".to_owned(),
            vec![entry],
        ),
        (_, None) => breach(
            after(done, transcript),
            match expect {
                Expect::Outcome(Outcome::Result) => "a result".to_owned(),
                Expect::Outcome(Outcome::Error) => "an error response".to_owned(),
                Expect::Outcome(Outcome::Silence) => "no response, from a server that lives".to_owned(),
                Expect::Members(members) => members_in_words(members),
                _ => "a response".to_owned(),
            },
            ending_entries(done, transcript),
        ),
        (Expect::Outcome(Outcome::Response), Some(_)) => Ok(()),
        (Expect::Outcome(Outcome::Result), Some((entry, message))) => {
            if message.get("result").is_some() {
                return Ok(());
            }
            breach("the server answered with an error".to_owned(), "a result".to_owned(), vec![entry])
        }
        (Expect::Outcome(Outcome::Error), Some((entry, message))) => {
            if message.get("error").is_some() {
                return Ok(());
            }
            breach(
                "the server answered with a result".to_owned(),
                "an error response".to_owned(),
                vec![entry],
            )
        }
        (Expect::Members(members), Some((entry, message))) => matching::all(members, message, variables)
            .map_err(|mismatch| {
                let missing = mismatch.got == matching::NOTHING;
                let mut broken = mismatched(mismatch, entry);
                // Where there is no narrow value to point at, the reader sees what came in its place.
                if missing {
                    broken.got = Some(in_short(Some(body(message))));
                }
                broken
            }),
    }
}

/// How one member of an answer is not what it should be.
fn mismatched(mismatch: Mismatch, entry: usize) -> Breach {
    let Mismatch { path, expected, got } = mismatch;
    let message =
        if got == matching::NOTHING { format!("`{path}` is missing") } else { format!("`{path}` is {got}") };
    Breach {
        message,
        expected: Some(format!("`{path}` is {expected}")),
        got: Some(got),
        culprits: vec![entry],
        ..Breach::default()
    }
}

fn members_in_words(members: &[(mcp_conform_cases::case::Path, mcp_conform_cases::case::Matcher)]) -> String {
    let parts: Vec<String> = members.iter().map(|(path, matcher)| format!("`{path}` is {matcher}")).collect();
    parts.join(" and ")
}

/// The part of a response that matters to a reader.
fn body(message: &Value) -> &Value {
    message.get("result").or_else(|| message.get("error")).unwrap_or(message)
}

/// What happened in place of a response.
fn after(done: &StepRecord, transcript: &Transcript) -> String {
    match done.waited {
        Waited::Closed => match transcript.exit() {
            Some(exit) => format!("the server {exit}"),
            None if transcript.lost_the_session() => "the server no longer knows the session".to_owned(),
            None if transcript.transport != Transport::Stdio => "the server is no longer reached".to_owned(),
            None => "the server closed its output".to_owned(),
        },
        Waited::TimedOut => "no response came in time".to_owned(),
        Waited::Passed => "no response came, while later requests were answered".to_owned(),
        Waited::Unanswered(end) => format!("{} came in place of a message", http::in_words(transcript, end)),
        Waited::NotWaited | Waited::Response(_) => "no response was seen".to_owned(),
    }
}

/// The entries that tell how the connection ended, if it did.
fn ending_entries(done: &StepRecord, transcript: &Transcript) -> Vec<usize> {
    let ending = |what: &Happening| {
        matches!(
            what,
            Happening::OutputClosed | Happening::SessionLost | Happening::Exited(_) | Happening::Overflow
        )
    };
    let from = done.sent.unwrap_or(done.begins);
    if let Waited::Unanswered(end) = done.waited {
        return http::head(transcript, end).into_iter().chain([end]).collect();
    }
    transcript
        .entries
        .iter()
        .enumerate()
        .skip(from)
        .filter(|(_, entry)| ending(&entry.what))
        .map(|(index, _)| index)
        .collect()
}

/// The entries that told the server to end.
fn ending_requests(done: &StepRecord, transcript: &Transcript) -> Vec<usize> {
    let told = |what: &Happening| matches!(what, Happening::Stop(_));
    transcript
        .entries
        .iter()
        .enumerate()
        .take(done.ends)
        .filter(|(_, entry)| told(&entry.what))
        .map(|(index, _)| index)
        .collect()
}

/// The messages between two entries that a watch is about.
#[must_use]
pub fn seen(
    watch: &Watch,
    from: usize,
    to: usize,
    transcript: &Transcript,
    variables: &Variables,
) -> Vec<(usize, Message)> {
    let mut found = Vec::new();
    for (index, entry) in transcript.entries.iter().enumerate().take(to).skip(from) {
        let Happening::Received { content, origin, .. } = &entry.what else { continue };
        if let Some(name) = &watch.on
            && !http::came_on(name, origin.as_deref(), variables)
        {
            continue;
        }
        for message in content.messages() {
            let concerned = message.kind != Kind::Response
                && message.method() == Some(watch.method.as_str())
                && matching::all(&watch.when, &message.value, variables).is_ok();
            if concerned {
                found.push((index, message.into_owned()));
            }
        }
    }
    found
}

fn enough(
    watch: &Watch,
    from: usize,
    to: usize,
    transcript: &Transcript,
    variables: &Variables,
) -> Result<(), Breach> {
    let found = seen(watch, from, to, transcript, variables);
    let wanted = if watch.min == 1 {
        format!("`{}`", watch.method)
    } else {
        format!("{} × `{}`", watch.min, watch.method)
    };
    let condition = if watch.when.is_empty() {
        String::new()
    } else {
        format!(" where {}", members_in_words(&watch.when))
    };
    if found.len() < watch.min {
        return Err(Breach {
            message: format!("{} of {wanted} came{condition}", found.len()),
            expected: Some(format!("{wanted}{condition}")),
            got: Some(format!("{} of them", found.len())),
            culprits: found.iter().map(|(entry, _)| *entry).collect(),
            ..Breach::default()
        });
    }
    if let Some(max) = watch.max
        && found.len() > max
    {
        return Err(Breach {
            message: format!("{} × `{}` came{condition}", found.len(), watch.method),
            expected: Some(format!("at most {max}")),
            got: Some(found.len().to_string()),
            culprits: found.iter().map(|(entry, _)| *entry).collect(),
            ..Breach::default()
        });
    }
    Ok(())
}
