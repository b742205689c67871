//! Calls that each hold a text of their own: an answer that holds the text of another call has crossed with it.

use serde_json::Value;

use super::super::flight::Landing;
use super::super::input::{Claim, Input};
use super::super::leg::Leg;
use super::super::make::Maker;
use super::super::oracle::Oracle;
use super::super::replay::Replayer;
use super::super::suspect::Suspect;
use super::{alone, arguments_of, richest, suspect, tool_of};
use crate::event::Transport;
use crate::judge::{Breach, evidence};
use crate::profile::Profile;
use crate::transcript::Happening;

/// Two texts that turn up nowhere by chance and that most schemas allow.
const MARKS: [&str; 2] = ["alphamark", "omegamark"];
/// What numbers are in the first call and in the second: where one says how long a call takes, the second is done first.
const NUMBERS: [u64; 2] = [60, 1];

/// Two calls of a tool.
#[derive(Clone, Debug)]
pub(in crate::fuzz) struct Marked {
    tool: String,
    calls: [Input; 2],
}

impl Marked {
    /// The calls in an input that [`carry_out`] gave.
    pub(super) fn saved(input: &Input) -> Option<Marked> {
        let [first, second] = input.steps.as_slice() else { return None };
        let calls = [first, second].map(|step| alone(input.origin, step));
        Some(Marked { tool: tool_of(first)?, calls })
    }
}

/// Two calls with marks of each tool that says that it changes nothing: others may rightly remember what they were told.
pub(super) fn all(calls: &[Input], maker: &Maker, profile: &Profile) -> Vec<Marked> {
    let candidates = calls.iter().filter_map(|input| {
        let marked = of(input, maker, profile)?;
        let arguments = arguments_of(&mut input.clone())?.as_object().map_or(0, serde_json::Map::len);
        Some((marked.tool.clone(), arguments, marked))
    });
    richest(candidates).into_values().map(|(_, marked)| marked).collect()
}

fn of(input: &Input, maker: &Maker, profile: &Profile) -> Option<Marked> {
    let Claim::Valid { tool } = &input.steps.first()?.claim else { return None };
    let listed = profile.tool(tool)?;
    if listed.pointer("/annotations/readOnlyHint") != Some(&Value::Bool(true)) {
        return None;
    }
    let first = with_mark(input, maker, MARKS[0], NUMBERS[0])?;
    let second = with_mark(input, maker, MARKS[1], NUMBERS[1])?;
    Some(Marked { tool: tool.clone(), calls: [first, second] })
}

fn with_mark(input: &Input, maker: &Maker, mark: &str, number: u64) -> Option<Input> {
    let put = |number: Option<u64>| {
        let mut input = input.clone();
        let arguments = arguments_of(&mut input)?;
        if let (Some(number), Some(members)) = (number, arguments.as_object_mut()) {
            members.values_mut().filter(|value| value.is_number()).for_each(|value| *value = number.into());
        }
        mark_first_text(arguments, mark).then_some(())?;
        maker.reclaim(&mut input);
        let is_valid = input.steps.iter().all(|step| matches!(step.claim, Claim::Valid { .. }));
        is_valid.then_some(input)
    };
    put(Some(number)).or_else(|| put(None))
}

/// Puts a mark in the place of the first text; an empty list gets it as its only item.
fn mark_first_text(value: &mut Value, mark: &str) -> bool {
    match value {
        Value::String(text) => {
            mark.clone_into(text);
            true
        }
        Value::Array(items) if items.is_empty() => {
            items.push(mark.into());
            true
        }
        Value::Array(items) => items.iter_mut().any(|item| mark_first_text(item, mark)),
        Value::Object(members) => members.values_mut().any(|member| mark_first_text(member, mark)),
        _ => false,
    }
}

/// How the two calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    OneByOne,
    AtOnce,
    /// At once, each in a session of its own.
    InTwoSessions,
}

/// What is made at once is made so often: on a busy machine one call may be over before the other comes.
const ROUNDS: usize = 3;

/// Makes the calls one after the other, then at once, then in two sessions; what crossed, and the calls with which it did.
pub(super) async fn carry_out(replayer: &Replayer<'_>, marked: &Marked) -> Option<(Suspect, Input)> {
    let [first, second] = &marked.calls;
    for manner in [Manner::OneByOne, Manner::AtOnce, Manner::InTwoSessions] {
        if manner == Manner::InTwoSessions && replayer.opener.transport() == Transport::Stdio {
            // A server has one session there, and need not be started for nothing.
            break;
        }
        let mut flight = replayer.open(true).await?;
        let mut other = None;
        match manner {
            Manner::OneByOne => {
                flight.fly_all([first.clone()]).await;
                if flight.landing == Landing::Sound {
                    flight.fly_all([second.clone()]).await;
                }
            }
            Manner::AtOnce => {
                flight.fly_all([first, second].into_iter().cycle().take(2 * ROUNDS).cloned()).await
            }
            Manner::InTwoSessions => {
                let mut beside = replayer.open_beside(&flight).await?;
                let rounds = |call: &Input| std::iter::repeat_n(call.clone(), ROUNDS);
                tokio::join!(flight.fly_all(rounds(first)), beside.fly_all(rounds(second)));
                other = Some(beside);
            }
        }
        for mut flight in [Some(flight), other].into_iter().flatten() {
            if flight.landing != Landing::Sound {
                return None;
            }
            if let Some(suspect) = crossed(&flight.take_leg(), marked, manner) {
                let steps = [first, second].into_iter().flat_map(|input| input.steps.clone());
                return Some((suspect, Input { origin: "sequence", steps: steps.collect() }));
            }
        }
    }
    None
}

/// What is suspicious where the answer to one call holds the mark of the other.
fn crossed(leg: &Leg, marked: &Marked, manner: Manner) -> Option<Suspect> {
    let (asked, entry, mark) = leg.tries.iter().find_map(|this| {
        let asked = this.asked.first()?;
        let entry = leg.response_to(asked)?;
        let Happening::Received { frame, .. } = &leg.transcript.entries.get(entry)?.what else { return None };
        let mark = if this.input == marked.calls[0] { MARKS[1] } else { MARKS[0] };
        let answer = String::from_utf8_lossy(&frame.bytes);
        answer.contains(mark).then_some((asked.entry, entry, mark))
    })?;
    let breach = Breach { culprits: vec![entry], context: vec![asked], ..Breach::default() };
    let of_another = if manner == Manner::InTwoSessions { " in another session" } else { "" };
    let mut suspect = suspect(
        Oracle::CrossTalk,
        format!(
            "the answer to a call of `{}` holds `{mark}`, which another call{of_another} was given",
            marked.tool
        ),
        format!("cross-talk: {}", marked.tool),
    );
    suspect.evidence = evidence::of(&leg.transcript, &breach);
    Some(suspect)
}
