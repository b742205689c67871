//! What only shows after a while: growth with every call, and a processor that is busy with nothing to do.

mod laborious;
mod marked;

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_conform_cases::case::Action;
use serde_json::Value;
use tokio::time::Instant;

use super::flight::Flight;
use super::gauge::{self, Gauge, SPIN_TIME};
use super::growth::{Growth, Resource, Series};
use super::input::{Claim, Input, InputStep};
use super::make::Maker;
use super::oracle::Oracle;
use super::replay::{Confirmed, Replayer};
use super::suspect::Suspect;
use crate::profile::Profile;
use crate::session::Heard;
use crate::text;
use laborious::Laborious;
use marked::Marked;

/// How often one input is sent.
const TIMES: usize = 1_440;
/// How often between two readings.
const BETWEEN: usize = 24;
/// How long one input is sent at most: a slow server shows less.
const LONGEST: Duration = Duration::from_secs(5);
/// Among so many calls of each tool, the one with the most arguments gets the marks.
const CALLS_TO_MARK: usize = 6;
/// So many different calls of each tool that its schema allows: one of them may fail all the same.
const ALLOWED_CALLS: usize = 3;
/// How many inputs are tried for what they leave spinning.
const DISTURBING: usize = 200;
/// So many seconds of them, where the pace is bounded.
const DISTURBED_FOR: usize = 5;
/// It was seen on two fresh servers, of two.
const TWICE: (u32, u32) = (2, 2);
/// So many tools have trials and canaries.
const MOST_TOOLS: usize = 8;
/// How far into the walk along the boundaries calls are looked for.
const SEARCHED: usize = 4_000;

/// One thing to try for long.
#[derive(Clone, Debug)]
pub(super) enum Trial {
    /// The same input again and again.
    Repeat(Input),
    /// Many inputs that are no calls, and then nothing.
    Disturb(Vec<Input>),
    /// Calls of a tool that changes nothing, with a text of its own in each, one after the other and at once.
    Mark(Marked),
    /// Calls of a tool with texts that may take time out of all proportion to their length.
    Labour(Laborious),
}

impl Trial {
    /// Whether what is said tells, and not what the process takes.
    pub(super) fn is_of_answers(&self) -> bool {
        matches!(self, Trial::Mark(_))
    }
}

/// The first call of each tool whose arguments its schema allows.
pub(super) fn canaries(maker: &Maker) -> Vec<Input> {
    first_calls(maker, 1, allowed)
}

fn allowed(claim: &Claim) -> Option<&String> {
    match claim {
        Claim::Valid { tool } => Some(tool),
        _ => None,
    }
}

fn forbidden(claim: &Claim) -> Option<&String> {
    match claim {
        Claim::Forbidden { tool, .. } => Some(tool),
        _ => None,
    }
}

/// The first `most` calls of each tool that `wanted` names.
fn first_calls(maker: &Maker, most: usize, wanted: impl Fn(&Claim) -> Option<&String>) -> Vec<Input> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for input in maker.boundary().take(SEARCHED) {
        let [step] = input.steps.as_slice() else { continue };
        let Some(tool) = wanted(&step.claim) else { continue };
        if counts.len() >= MOST_TOOLS && !counts.contains_key(tool) {
            continue;
        }
        let count = counts.entry(tool.clone()).or_default();
        if *count < most {
            *count += 1;
            calls.push(input);
        }
    }
    calls
}

/// Of each tool the candidate with the most of what is counted.
fn richest<T>(candidates: impl Iterator<Item = (String, usize, T)>) -> BTreeMap<String, (usize, T)> {
    let mut best: BTreeMap<String, (usize, T)> = BTreeMap::new();
    for (tool, count, candidate) in candidates {
        if best.get(&tool).is_none_or(|(most, _)| count > *most) {
            best.insert(tool, (count, candidate));
        }
    }
    best
}

/// The tool that a step of a saved trial calls.
fn tool_of(step: &InputStep) -> Option<String> {
    let Action::Request(send) = &step.action else { return None };
    Some(send.params.as_ref()?.get("name")?.as_str()?.to_owned())
}

/// The arguments of the call that an input is.
fn arguments_of(input: &mut Input) -> Option<&mut Value> {
    let Action::Request(send) = &mut input.steps.first_mut()?.action else { return None };
    send.params.as_mut()?.get_mut("arguments")
}

/// One step of a saved trial.
fn alone(origin: &'static str, step: &InputStep) -> Input {
    Input { origin, steps: vec![step.clone()] }
}

/// What is tried: what disturbs, calls with marks, texts that may take long, then calls again and again, those that are
/// allowed and one that is not.
pub(super) fn trials(maker: &Maker, profile: &Profile) -> Vec<Trial> {
    let is_no_call =
        |input: &Input| matches!(input.origin, "envelope" | "text" | "framing") && !input.closes();
    let disturbing: Vec<Input> =
        maker.boundary().take(SEARCHED).filter(is_no_call).take(DISTURBING).collect();
    let calls = first_calls(maker, CALLS_TO_MARK, allowed);
    let marked = marked::all(&calls, maker, profile);
    let laborious = laborious::all(&calls, maker);
    let repeats =
        first_calls(maker, ALLOWED_CALLS, allowed).into_iter().chain(first_calls(maker, 1, forbidden));
    std::iter::once(Trial::Disturb(disturbing))
        .chain(marked.into_iter().map(Trial::Mark))
        .chain(laborious.into_iter().map(Trial::Labour))
        .chain(repeats.map(Trial::Repeat))
        .collect()
}

/// The trial that shows again what an input was saved for; none if sending it once does.
fn trial_of(oracle: Oracle, input: &Input) -> Option<Trial> {
    match oracle {
        Oracle::Growth => Some(Trial::Repeat(input.clone())),
        Oracle::Spin => Some(Trial::Disturb(vec![input.clone()])),
        Oracle::CrossTalk => Marked::saved(input).map(Trial::Mark),
        // On another machine a text that took long may take less.
        Oracle::SlowRegex => Laborious::saved(input, laborious::LONG / 4).map(Trial::Labour),
        _ => None,
    }
}

/// Whether it takes more than an input sent once to show again what it was saved for: the same again and again, a while of
/// nothing after it, several at once, or a look at the time.
pub(super) fn takes_long(oracle: Oracle, input: &Input) -> bool {
    trial_of(oracle, input).is_some()
}

/// Shows again what only shows after a while.
pub(super) async fn again(replayer: &Replayer<'_>, oracle: Oracle, input: &Input) -> Option<Suspect> {
    let trial = trial_of(oracle, input)?;
    Some(carry_out(replayer, &trial, |_| false).await?.suspect)
}

/// Carries a trial out on a fresh server, and again where something shows.
pub(super) async fn carry_out(
    replayer: &Replayer<'_>,
    trial: &Trial,
    is_known: impl Fn(&str) -> bool,
) -> Option<Confirmed> {
    match trial {
        Trial::Repeat(input) => {
            let growth = grows(replayer, input).await?;
            let suspect = growth_suspect(&growth, input);
            if is_known(&suspect.signature) {
                return None;
            }
            let again = grows(replayer, input).await.filter(|again| again.resource == growth.resource)?;
            let suspect = Suspect { message: growth_suspect(&again, input).message, ..suspect };
            Some(Confirmed { suspect, input: input.clone(), minimized: input.clone(), reproduced: TWICE })
        }
        Trial::Mark(marked) => {
            let (suspect, input) = marked::carry_out(replayer, marked).await?;
            if is_known(&suspect.signature) {
                return None;
            }
            let (suspect, _) = marked::carry_out(replayer, marked).await?;
            Some(Confirmed { suspect, minimized: input.clone(), input, reproduced: TWICE })
        }
        Trial::Labour(laborious) => {
            let (suspect, input) = laborious::carry_out(replayer, laborious).await?;
            if is_known(&suspect.signature) {
                return None;
            }
            let (suspect, _) =
                laborious::carry_out(replayer, &Laborious::saved(&input, laborious::LONG / 2)?).await?;
            Some(Confirmed { suspect, minimized: input.clone(), input, reproduced: TWICE })
        }
        Trial::Disturb(inputs) => {
            let most = replayer.pace.map_or(inputs.len(), |pace| pace.rate().saturating_mul(DISTURBED_FOR));
            let inputs = inputs.get(..most.min(inputs.len())).unwrap_or(inputs);
            let suspect = spin_suspect();
            if is_known(&suspect.signature) || !spins_after(replayer, inputs).await {
                return None;
            }
            // Who is busy after nothing at all has work of its own to do.
            if spins_after(replayer, &[]).await {
                return None;
            }
            let culprit = narrowed(replayer, inputs).await;
            let again = spins_after(replayer, std::slice::from_ref(&culprit)).await;
            again.then(|| Confirmed {
                suspect,
                input: culprit.clone(),
                minimized: culprit,
                reproduced: TWICE,
            })
        }
    }
}

fn gauge_of(flight: &Flight) -> Option<Gauge> {
    flight.session.with_process(|process| Gauge::new(process.group()))
}

/// What grows when an input is sent again and again.
async fn grows(replayer: &Replayer<'_>, input: &Input) -> Option<Growth> {
    let mut flight = replayer.open(false).await?;
    let mut gauge = gauge_of(&flight)?;
    let mut series = Series::new(gauge.room_for_garbage());
    let until = Instant::now() + LONGEST;
    let mut done = 0;
    while done < TIMES && Instant::now() < until {
        if !flight.pass(std::iter::repeat_n(input.clone(), BETWEEN)).await {
            break;
        }
        done += BETWEEN;
        series.push(u64::try_from(done).unwrap_or(u64::MAX), gauge.read()?);
    }
    series.growth()
}

fn growth_suspect(growth: &Growth, input: &Input) -> Suspect {
    let subject = super::suspect::subject(input);
    let what = match growth.resource {
        Resource::Processes => "processes",
        Resource::Threads => "threads",
        Resource::Descriptors => "open descriptors",
        Resource::Memory => "memory",
    };
    let grows = if growth.resource == Resource::Memory { "grows" } else { "grow" };
    let amount = |value: u64| match growth.resource {
        Resource::Memory => text::size(value),
        _ => value.to_string(),
    };
    suspect(
        Oracle::Growth,
        format!(
            "{what} {grows} with {subject}, sent again and again: from {} to {} in {} calls",
            amount(growth.from),
            amount(growth.to),
            growth.cases
        ),
        format!("growth: {what}: {subject}"),
    )
}

fn spin_suspect() -> Suspect {
    suspect(
        Oracle::Spin,
        "the server keeps a processor busy although nothing is asked of it".to_owned(),
        "spin".to_owned(),
    )
}

fn suspect(oracle: Oracle, message: String, signature: String) -> Suspect {
    Suspect {
        oracle,
        requirement: oracle.requirement().to_owned(),
        message,
        signature,
        tries: vec![0],
        step: None,
        evidence: Vec::new(),
    }
}

/// Whether the server is busy after inputs have been sent and answered.
async fn spins_after(replayer: &Replayer<'_>, inputs: &[Input]) -> bool {
    let Some(mut flight) = replayer.open(false).await else { return false };
    if !flight.pass(inputs.to_vec()).await {
        return false;
    }
    let Some(mut gauge) = gauge_of(&flight) else { return false };
    let Some(before) = gauge.read() else { return false };
    let begun = Instant::now();
    let (mut waited, mut waits) = (Duration::ZERO, gauge.waits());
    let mut until = begun + SPIN_TIME;
    loop {
        // More than is asked for, since processor time is counted in steps.
        until += SPIN_TIME / 10;
        // Nothing is asked; what comes all the same is only taken away.
        loop {
            match flight.session.hear(until).await {
                Heard::Frame(_) => {}
                Heard::TimedOut => break,
                Heard::Closed => return false,
            }
        }
        let wall = begun.elapsed();
        let Some(after) = gauge.read() else { return false };
        // A child that went and was not waited for took its time along.
        let cpu = after.cpu.saturating_sub(before.cpu);
        // Many threads that wait for a moment each are no server that wants a core all the time: the longest counts.
        let now = gauge.waits();
        let grown = |(thread, waited): (&i32, &Duration)| {
            waited.saturating_sub(waits.get(thread).copied().unwrap_or_default())
        };
        waited += now.iter().map(grown).max().unwrap_or_default();
        waits = now;
        if let Some(spins) = gauge::spins(cpu, waited, wall) {
            return spins;
        }
    }
}

/// The one input of many after which the server spins, by halves; all of them as one where it takes several.
async fn narrowed(replayer: &Replayer<'_>, inputs: &[Input]) -> Input {
    let mut suspects = inputs.to_vec();
    while suspects.len() > 1 && Instant::now() < replayer.deadline {
        let second = suspects.split_off(suspects.len() / 2);
        if spins_after(replayer, &suspects).await {
            continue;
        }
        if !spins_after(replayer, &second).await {
            suspects.extend(second);
            break;
        }
        suspects = second;
    }
    let steps = suspects.into_iter().flat_map(|input| input.steps).collect();
    Input { origin: "sequence", steps }
}
