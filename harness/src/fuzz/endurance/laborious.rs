//! Texts on which a regular expression goes astray: time that grows out of all proportion to the length of the text, while
//! another text of the same length takes next to none.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::super::flight::{Flight, Landing};
use super::super::input::{Claim, Input};
use super::super::make::{Maker, SHAPES};
use super::super::oracle::Oracle;
use super::super::replay::Replayer;
use super::super::suspect::{Suspect, is_refusal};
use super::{alone, arguments_of, gauge_of, richest, suspect, tool_of};
use crate::judge::{Breach, evidence};
use crate::template::{self, Variables, repeated};
use crate::transcript::Happening;
use crate::wire::Content;

/// Lengths, one after the other until some take long: the first for exponential time, the others for a power.
const LENGTHS: [usize; 10] = [18, 22, 26, 30, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000];
/// What takes long at first sight.
pub(super) const LONG: Duration = Duration::from_millis(400);
/// Less than this is noise.
const NOTHING: Duration = Duration::from_millis(2);
/// How much longer a text takes than one that is half-way shorter, at least.
const APART: f64 = 1.15;
/// How many texts of a ladder are looked at.
const LOOKS: usize = 2;
/// How long one tool is tried.
const LONGEST: Duration = Duration::from_secs(30);
/// An answer is waited for so long here: what is slow is to be measured, not to be called silent.
const PATIENCE: Duration = Duration::from_secs(12);
/// Time grows so many times as fast as the length.
const STEEPER: f64 = 1.25;
/// Who is at work for less than one part in so many of the time is not the one who takes it.
const AT_WORK: u32 = 8;
/// Less processor time than this is too coarse to be compared: systems count it in steps of 10 ms.
const TELLING: Duration = Duration::from_millis(100);
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
    /// Whether they showed it before: the shorter text is to be compared with then, however long it takes.
    again: bool,
}

/// Calls with a text that may take long, and with others beside it.
#[derive(Clone, Debug)]
struct Rung {
    /// Of the text, in characters.
    length: usize,
    call: Input,
    /// With a text half-way from the rung before to this one.
    between: Input,
    /// With a text of the same length that is made of something else.
    other: Input,
}

impl Laborious {
    /// The calls in an input that [`carry_out`] gave; what takes less than `long` is no proof.
    pub(super) fn saved(input: &Input, long: Duration) -> Option<Laborious> {
        let [shorter, between, longer, other] = input.steps.as_slice() else { return None };
        let tool = tool_of(longer)?;
        let alone = |step| alone(input.origin, step);
        let texts = |step| texts_of(&alone(step));
        let (short, long_one) =
            texts(shorter).into_iter().zip(texts(longer)).find(|(one, two)| one != two)?;
        let rung = |call, text: &str| {
            let filled = template::fill_text(text, &Variables::default()).ok()?;
            let length = filled.as_str()?.chars().count();
            Some(Rung { length, call: alone(call), between: alone(between), other: alone(other) })
        };
        let ladder = vec![rung(shorter, &short)?, rung(longer, &long_one)?];
        Some(Laborious { tool, ladders: vec![ladder], long, again: true })
    }
}

/// The texts of each tool, in the call with the most of them.
pub(super) fn all(calls: &[Input], maker: &Maker) -> Vec<Laborious> {
    let candidates = calls.iter().filter_map(|input| {
        let Claim::Valid { tool } = &input.steps.first()?.claim else { return None };
        let texts = texts_of(input).len();
        (texts > 0).then(|| (tool.clone(), texts, input))
    });
    let laborious = |(tool, (texts, call)): (String, (usize, &Input))| {
        let ladders = (0..texts.min(MOST_TEXTS))
            .flat_map(|text| SHAPES.map(|(part, end)| ladder(call, text, (part, end), maker)))
            .collect();
        Laborious { tool, ladders, long: LONG, again: false }
    };
    richest(candidates).into_iter().map(laborious).collect()
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
    let call = |times: usize| with(format!("{}{end}", repeated(part, times)));
    let mut before = 0;
    let rung = |times: usize| {
        let length = times * part.len() + end.len();
        let between = call(usize::midpoint(before, times));
        before = times;
        // Neither the part nor the end of any shape, and of no class of characters for long.
        let other = with(repeated("Qz7_", length.div_ceil(4)));
        Rung { length, call: call(times), between, other }
    };
    LENGTHS.map(rung).into()
}

fn texts_of(input: &Input) -> Vec<String> {
    let mut texts = Vec::new();
    if let Some(arguments) = arguments_of(&mut input.clone()) {
        each_text(arguments, &mut |text| texts.push(text.clone()));
    }
    texts
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
    /// From the call to its answer.
    passed: Duration,
    /// The processor time of the server meanwhile, where it is known.
    worked: Duration,
    refused: bool,
    entry: usize,
    answer: usize,
}

impl Measured {
    /// Whether the server worked rather than waited, or had others work.
    fn is_work(&self) -> bool {
        self.worked * AT_WORK >= self.passed
    }

    /// How long the call took: by the work, which does not grow when the machine is busy, where that says enough.
    fn took(&self, by_work: bool) -> Duration {
        if by_work && self.worked >= TELLING { self.worked.min(self.passed) } else { self.passed }
    }
}

/// How long a call takes on a server that has nothing else to do; nothing if it is not answered in time.
async fn measure(flight: &mut Flight, call: &Input) -> Option<Measured> {
    let mut gauge = gauge_of(flight);
    let mut used = || Some(gauge.as_mut()?.read()?.cpu);
    let before = used();
    flight.fly_all([call.clone()]).await;
    let worked = used().zip(before).map_or(Duration::ZERO, |(after, before)| after.saturating_sub(before));
    if flight.landing != Landing::Sound {
        return None;
    }
    let asked = flight.tries.last()?.asked.first()?;
    let answer = flight.session.response_to(&asked.id)?;
    let entries = &flight.session.transcript.entries;
    let came = entries.get(answer)?;
    let passed = came.at.saturating_sub(entries.get(asked.entry)?.at);
    let refused = match &came.what {
        Happening::Received { content: Content::Message(message), .. } => is_refusal(&message.value),
        _ => return None,
    };
    Some(Measured { passed, worked, refused, entry: asked.entry, answer })
}

/// How long a call takes; the better of two times if that is `long`, as it may have been slow for a reason of its own.
async fn measure_twice(flight: &mut Flight, call: &Input, long: Duration) -> Option<Measured> {
    let took = |measured: &Measured| measured.took(measured.is_work());
    let measured = measure(flight, call).await?;
    if took(&measured) < long {
        return Some(measured);
    }
    let again = measure(flight, call).await?;
    Some(if took(&again) < took(&measured) { again } else { measured })
}

/// Makes the calls; gives the first that takes long out of all proportion, and the calls that show it.
pub(super) async fn carry_out(replayer: &Replayer<'_>, laborious: &Laborious) -> Option<(Suspect, Input)> {
    let until = (Instant::now() + LONGEST).min(replayer.deadline);
    let replayer = Replayer { timeout: replayer.timeout.max(PATIENCE), ..*replayer };
    let mut flight = replayer.open(true).await?;
    for ladder in &laborious.ladders {
        let (mut shorter, mut looks): (Option<&Rung>, usize) = (None, 0);
        for rung in ladder {
            if Instant::now() > until {
                return None;
            }
            let Some(measured) = measure_twice(&mut flight, &rung.call, laborious.long).await else {
                if looks == 0 {
                    // Silence is for others to look into.
                    return None;
                }
                // A still longer text was too much; the others may show something yet.
                flight = replayer.open(true).await?;
                break;
            };
            if measured.took(measured.is_work()) < laborious.long || (laborious.again && shorter.is_none()) {
                shorter = Some(rung);
                continue;
            }
            // Where the shortest of all takes long, every text does.
            let short = shorter?;
            if let Some(suspect) = look_at(&mut flight, laborious, (short, rung), measured).await {
                let calls = [&short.call, &rung.between, &rung.call, &rung.other].into_iter();
                let steps = calls.flat_map(|one| one.steps.clone()).collect();
                return Some((suspect, Input { origin: "sequence", steps }));
            }
            // A still longer text shows more where others disturb.
            looks += 1;
            if looks == LOOKS {
                break;
            }
            shorter = Some(rung);
        }
        // Long texts are not kept longer than it takes.
        flight.forget();
    }
    None
}

/// Whether a text that took long did so out of all proportion: looked at in turns, as a server may be slow now and then for
/// reasons of its own.
async fn look_at(
    flight: &mut Flight,
    laborious: &Laborious,
    (shorter, longer): (&Rung, &Rung),
    first: Measured,
) -> Option<Suspect> {
    let other = measure(flight, &longer.other).await?;
    let short = measure(flight, &shorter.call).await?;
    let again = measure(flight, &longer.call).await?;
    let other_again = measure(flight, &longer.other).await?;
    let short_again = measure(flight, &shorter.call).await?;
    let between = measure(flight, &longer.between).await?;
    // All are measured alike, or one that waits a little more would seem to take long.
    let by_work = first.is_work() && again.is_work();
    let took = |measured: &Measured| measured.took(by_work);
    // The best of several times is the least disturbed one, of a short text as of a long one.
    let times = Times {
        shorter: (shorter.length, took(&short).min(took(&short_again))),
        between: took(&between),
        longer: (longer.length, took(&first).min(took(&again))),
        other: took(&other).max(took(&other_again)),
    };
    // A text that is refused at once says nothing about one that is not.
    let is_alike = [&short, &again, &between].iter().all(|one| one.refused == first.refused);
    let is_comparable = first.refused || !other.refused;
    if times.longer.1 < laborious.long || !is_alike || !is_comparable || !times.are_out_of_proportion() {
        return None;
    }
    let seconds = |time: Duration| format!("{:.3} s", time.as_secs_f64());
    let message = format!(
        "a call of `{}` takes {} where a text has {} characters, {} where it has {}, and {} with another text as long",
        laborious.tool,
        seconds(times.longer.1),
        longer.length,
        seconds(times.shorter.1),
        shorter.length,
        seconds(times.other)
    );
    let mut suspect = suspect(Oracle::SlowRegex, message, format!("slow-regex: {}", laborious.tool));
    let breach = Breach { culprits: vec![again.answer], context: vec![again.entry], ..Breach::default() };
    suspect.evidence = evidence::of(&flight.session.transcript, &breach);
    Some(suspect)
}

/// What calls with a text and with a longer one take, by their lengths, and with others beside them.
struct Times {
    shorter: (usize, Duration),
    /// The text half-way from one to the other.
    between: Duration,
    longer: (usize, Duration),
    /// Another text as long as the longer one.
    other: Duration,
}

impl Times {
    /// Whether time grows much faster than the length of the text, step by step, and it is this text that takes it.
    fn are_out_of_proportion(&self) -> bool {
        let ((from, before), (to, after)) = (self.shorter, self.longer);
        let before = before.max(NOTHING);
        let growth = after.as_secs_f64() / before.as_secs_f64();
        let length = to as f64 / from.max(1) as f64;
        // What takes as long from a certain length on does something else with it.
        let is_step = self.between < before.mul_f64(APART) || self.between.mul_f64(APART) > after;
        growth >= STEEPER * length && !is_step && self.other < after / PROPORTION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_time_that_grows_with_this_text_alone_is_out_of_proportion() {
        let milliseconds = Duration::from_millis;
        for (shorter, between, longer, other, expected) in [
            // Exponential.
            ((26, 60), 240, (30, 960), 1, true),
            // To the square.
            ((20_000, 400), 1_200, (50_000, 2_500), 3, true),
            ((10_000, 195), 440, (20_000, 780), 3, true),
            // In proportion.
            ((20_000, 400), 700, (50_000, 1_000), 3, false),
            // Every text takes as long.
            ((26, 60), 240, (30, 960), 900, false),
            // Longer texts are looked up elsewhere.
            ((18, 1), 500, (22, 500), 1, false),
            ((18, 1), 1, (22, 500), 1, false),
            ((18, 1), 2, (22, 500), 1, false),
            // It was too quick to be measured.
            ((20_000, 0), 100, (50_000, 1_000), 0, true),
        ] {
            let times = Times {
                shorter: (shorter.0, milliseconds(shorter.1)),
                between: milliseconds(between),
                longer: (longer.0, milliseconds(longer.1)),
                other: milliseconds(other),
            };
            assert_eq!(times.are_out_of_proportion(), expected, "{shorter:?} {between} {longer:?} {other}");
        }
    }
}
