//! Texts on which a regular expression goes astray: time that grows out of all proportion to the length of the text, while
//! another text of the same length takes next to none.

use std::collections::BTreeMap;
use std::time::Duration;

use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::super::flight::{Flight, Landing};
use super::super::input::{Claim, Input};
use super::super::make::{Maker, SHAPES};
use super::super::oracle::Oracle;
use super::super::replay::Replayer;
use super::super::suspect::Suspect;
use super::suspect;
use crate::judge::{Breach, evidence};
use crate::template::repeated;

/// Lengths, one after the other until one takes long: the first for exponential time, the others for a power.
const LENGTHS: [usize; 10] = [18, 22, 26, 30, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
/// What takes long at first sight.
const LONG: Duration = Duration::from_millis(400);
/// On another machine a text that took long may take less.
const LONG_AGAIN: Duration = Duration::from_millis(100);
/// An answer is waited for so long here: what is slow is to be measured, not to be called silent.
const PATIENCE: Duration = Duration::from_secs(12);
/// Time grows so many times as fast as the length.
const STEEPER: f64 = 1.5;
/// Another text of the same length takes less than one part in so many.
const PROPORTION: u32 = 8;
/// So many texts in the arguments of a tool are tried.
const MOST_TEXTS: usize = 3;

/// Calls of a tool, each with one of its texts to be replaced.
#[derive(Clone, Debug)]
pub(in crate::fuzz) struct Laborious {
    tool: String,
    ladders: Vec<Vec<Rung>>,
    /// What takes less is nothing to talk about.
    long: Duration,
}

/// Calls with a text that may take long, and with another one as long.
#[derive(Clone, Debug)]
struct Rung {
    length: usize,
    call: Input,
    other: Input,
}

impl Laborious {
    /// The calls in an input that [`carry_out`] gave.
    pub(super) fn saved(input: &Input) -> Option<Laborious> {
        let [shorter, longer, other] = input.steps.as_slice() else { return None };
        let alone = |step: &_| Input { origin: input.origin, steps: vec![Clone::clone(step)] };
        let Action::Request(send) = &longer.action else { return None };
        let tool = send.params.as_ref()?.get("name")?.as_str()?.to_owned();
        let rung = |call| Some(Rung { length: length_of(call)?, call: alone(call), other: alone(other) });
        Some(Laborious { tool, ladders: vec![vec![rung(shorter)?, rung(longer)?]], long: LONG_AGAIN })
    }
}

/// The length of the longest text in a call, near enough: what a template repeats, or the text as it stands.
fn length_of(step: &super::super::input::InputStep) -> Option<usize> {
    let Action::Request(send) = &step.action else { return None };
    let mut longest = 0;
    let mut arguments = send.params.as_ref()?.get("arguments")?.clone();
    each_text(&mut arguments, &mut |text| {
        let times = text.rsplit_once("* ").and_then(|(_, rest)| rest.split('}').next()?.parse().ok());
        longest = longest.max(times.unwrap_or(text.len()));
    });
    Some(longest)
}

/// The texts of each tool, in the call with the most of them.
pub(super) fn all(calls: &[Input], maker: &Maker) -> Vec<Laborious> {
    let mut of_tools: BTreeMap<String, (usize, &Input)> = BTreeMap::new();
    for input in calls {
        let Some(Claim::Valid { tool }) = input.steps.first().map(|step| &step.claim) else { continue };
        let texts = texts_in(input);
        let better = of_tools.get(tool).is_none_or(|(most, _)| texts > *most);
        if texts > 0 && better {
            of_tools.insert(tool.clone(), (texts, input));
        }
    }
    let laborious = |(tool, (texts, call)): (String, (usize, &Input))| {
        let ladders = (0..texts.min(MOST_TEXTS))
            .flat_map(|text| SHAPES.map(|(part, end)| ladder(call, text, (part, end), maker)))
            .collect();
        Laborious { tool, ladders, long: LONG }
    };
    of_tools.into_iter().map(laborious).collect()
}

fn ladder(call: &Input, text: usize, (part, end): (&str, &str), maker: &Maker) -> Vec<Rung> {
    let with = |text_there: String| {
        let mut input = call.clone();
        let mut at = 0;
        if let Some(arguments) = arguments_of(&mut input) {
            each_text(arguments, &mut |here| {
                if at == text {
                    here.clone_from(&text_there);
                }
                at += 1;
            });
        }
        maker.reclaim(&mut input);
        input
    };
    // Neither the part nor the end of any shape; of no class of characters for long.
    let other = |bytes: usize| with(repeated("Qz7_", bytes.div_ceil(4)));
    let rung = |length: usize| Rung {
        length,
        call: with(format!("{}{end}", repeated(part, length))),
        other: other(length * part.len() + end.len()),
    };
    LENGTHS.map(rung).into()
}

fn arguments_of(input: &mut Input) -> Option<&mut Value> {
    let Action::Request(send) = &mut input.steps.first_mut()?.action else { return None };
    send.params.as_mut()?.get_mut("arguments")
}

fn texts_in(input: &Input) -> usize {
    let mut count = 0;
    if let Some(arguments) = arguments_of(&mut input.clone()) {
        each_text(arguments, &mut |_| count += 1);
    }
    count
}

fn each_text(value: &mut Value, act: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => act(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, act)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, act)),
        _ => {}
    }
}

/// A call that was measured.
struct Measured {
    took: Duration,
    entry: usize,
    answer: usize,
}

/// How long a call takes on a server that has nothing else to do; nothing if it is not answered in time.
async fn measure(flight: &mut Flight, call: &Input) -> Option<Measured> {
    flight.fly_all([call.clone()]).await;
    if flight.landing != Landing::Sound {
        return None;
    }
    let asked = flight.tries.last()?.asked.first()?;
    let answer = flight.session.response_to(&asked.id)?;
    let entries = &flight.session.transcript.entries;
    let took = entries.get(answer)?.at.saturating_sub(entries.get(asked.entry)?.at);
    Some(Measured { took, entry: asked.entry, answer })
}

/// Makes the calls; gives the first that takes long, and the calls that show it.
pub(super) async fn carry_out(replayer: &Replayer<'_>, laborious: &Laborious) -> Option<(Suspect, Input)> {
    let replayer = Replayer { timeout: replayer.timeout.max(PATIENCE), ..*replayer };
    let mut flight = replayer.open(true).await?;
    for ladder in &laborious.ladders {
        let mut before: Option<(&Rung, Duration)> = None;
        for rung in ladder {
            if tokio::time::Instant::now() > replayer.deadline {
                return None;
            }
            // Silence is for others to look into.
            let measured = measure(&mut flight, &rung.call).await?;
            // The first one of all has nothing before it to be compared with.
            let Some((shorter, shorter_took)) = before.filter(|_| measured.took >= laborious.long) else {
                before = Some((rung, measured.took));
                continue;
            };
            let other = measure(&mut flight, &rung.other).await?;
            // Again, since the first may have been slow for a reason of its own.
            let again = measure(&mut flight, &rung.call).await?;
            let took = measured.took.min(again.took);
            let is_long = took >= laborious.long;
            if !is_long
                || !is_out_of_proportion((shorter.length, shorter_took), (rung.length, took), other.took)
            {
                break;
            }
            let steps = [&shorter.call, &rung.call, &rung.other].into_iter();
            let input =
                Input { origin: "sequence", steps: steps.flat_map(|one| one.steps.clone()).collect() };
            let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
            let mut suspect = suspect(
                Oracle::SlowRegex,
                format!(
                    "a call of `{}` takes {} where a text has the length {}, {} where it has {}, and {} with another \
                     text as long",
                    laborious.tool,
                    seconds(took),
                    rung.length,
                    seconds(shorter_took),
                    shorter.length,
                    seconds(other.took)
                ),
                format!("slow-regex: {}", laborious.tool),
            );
            let breach =
                Breach { culprits: vec![again.answer], context: vec![again.entry], ..Breach::default() };
            suspect.evidence = evidence::of(&flight.session.transcript, &breach);
            return Some((suspect, input));
        }
        // Long texts are not kept longer than it takes.
        flight.forget();
    }
    None
}

/// Whether time grows much faster than the length of a text, and it is this text that takes it.
fn is_out_of_proportion(shorter: (usize, Duration), longer: (usize, Duration), other: Duration) -> bool {
    let ((from, before), (to, after)) = (shorter, longer);
    let growth = after.as_secs_f64() / before.as_secs_f64().max(0.001);
    let length = to as f64 / from.max(1) as f64;
    growth >= STEEPER * length && other < after / PROPORTION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_that_grows_with_this_text_alone_is_out_of_proportion() {
        let milliseconds = Duration::from_millis;
        for (shorter, longer, other, expected) in [
            // Exponential.
            ((26, 60), (30, 960), 1, true),
            // To the square.
            ((20_000, 400), (50_000, 2_500), 3, true),
            // In proportion.
            ((20_000, 400), (50_000, 1_000), 3, false),
            // Every text takes as long.
            ((26, 60), (30, 960), 900, false),
            // It was too quick to be measured.
            ((20_000, 0), (50_000, 1_000), 0, true),
        ] {
            let found = is_out_of_proportion(
                (shorter.0, milliseconds(shorter.1)),
                (longer.0, milliseconds(longer.1)),
                milliseconds(other),
            );
            assert_eq!(found, expected, "{shorter:?} {longer:?} {other}");
        }
    }
}
