//! Which valid arguments to make, and in which order.

use std::collections::HashSet;

use serde_json::Value;

use super::choose::{Choice, Made, Seeded, Source};
use super::hints::Hints;
use super::limits::{Fuel, MAX_TOTAL_STEPS};
use super::walker::{Generator, Walked};

/// How many changes of single decisions are tried to turn an invalid value into a valid one.
const MAX_REPAIRS: usize = 60;
/// So many alternatives to a single decision are tried.
const MAX_ALTERNATIVES: u64 = 24;
/// No caller needs more.
const MAX_LIMIT: usize = 4096;

/// See [`super::valid`].
pub(super) fn valid(schema: &Value, hints: &Hints, seed: u64, limit: usize) -> Vec<Value> {
    let Some(generator) = Generator::new(schema, hints) else { return Vec::new() };
    explore(&generator, seed, limit)
}

/// Like [`valid`], with a generator at hand.
pub(super) fn explore(generator: &Generator<'_>, seed: u64, limit: usize) -> Vec<Value> {
    let mut explorer = Explorer {
        generator,
        seed,
        limit: limit.min(MAX_LIMIT),
        fuel: Fuel::new(MAX_TOTAL_STEPS),
        validations: 2_000_usize.saturating_add(limit.min(MAX_LIMIT).saturating_mul(4)),
        seen: HashSet::new(),
        found: Vec::new(),
        doubtful: Vec::new(),
    };
    explorer.run();
    if explorer.found.is_empty() {
        // No value has all its formats, so be content with the schema.
        explorer.found = explorer.doubtful;
        explorer.found.truncate(explorer.limit);
    }
    explorer.found
}

struct Explorer<'g, 's> {
    generator: &'g Generator<'s>,
    seed: u64,
    limit: usize,
    fuel: Fuel,
    /// How many values may still be validated.
    validations: usize,
    seen: HashSet<String>,
    found: Vec<Value>,
    /// Valid, but for formats.
    doubtful: Vec<Value>,
}

impl Explorer<'_, '_> {
    fn run(&mut self) {
        let plain = self.first(&[], Source::Plain);
        let generous = self.first(&[], Source::Generous);
        let plain = plain.unwrap_or_default();
        let generous = generous.unwrap_or_default();
        self.deviate(&[(plain, Source::Plain), (generous, Source::Generous)]);
        let mut fruitless = 0_usize;
        let mut turn = 0_u64;
        while !self.is_done() && fruitless < 40 {
            let before = self.found.len();
            let seed = self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d).wrapping_add(turn);
            self.first(&[], Source::Seeded(seed));
            turn = turn.saturating_add(1);
            fruitless = if self.found.len() > before { 0 } else { fruitless.saturating_add(1) };
        }
    }

    fn is_done(&self) -> bool {
        self.found.len() >= self.limit || self.fuel.left() == 0 || self.validations == 0
    }

    /// Walks once, and repairs what comes out if need be. Answers with the decisions that led to the value.
    fn first(&mut self, script: &[u64], source: Source) -> Option<Vec<Made>> {
        if self.is_done() {
            return None;
        }
        let walked = self.walk(script, source);
        match walked {
            Some(walked) if self.is_good(&walked.value) => {
                self.keep(walked.value);
                Some(walked.made)
            }
            Some(walked) => self.repair(walked, source),
            None => self.restart(source),
        }
    }

    fn walk(&mut self, script: &[u64], source: Source) -> Option<Walked> {
        self.generator.attempt(script, source, &mut self.fuel)
    }

    fn is_good(&mut self, value: &Value) -> bool {
        self.validations = self.validations.saturating_sub(1);
        if self.generator.verifier.accepts_strictly(value) {
            return true;
        }
        if self.doubtful.len() < self.limit
            && self.generator.verifier.accepts(value)
            && !self.doubtful.contains(value)
        {
            self.doubtful.push(value.clone());
        }
        false
    }

    fn keep(&mut self, value: Value) {
        // The order of members makes no difference.
        let mut ordered = value.clone();
        ordered.sort_all_objects();
        if self.found.len() < self.limit && self.seen.insert(ordered.to_string()) {
            self.found.push(value);
        }
    }

    /// The decisions led nowhere at all; random ones may do better.
    fn restart(&mut self, source: Source) -> Option<Vec<Made>> {
        for turn in 0..8 {
            let seed = self.seed.wrapping_add(turn);
            let walked = self.walk(&[], Source::Seeded(seed));
            match walked {
                Some(walked) if self.is_good(&walked.value) => {
                    self.keep(walked.value);
                    return Some(walked.made);
                }
                Some(walked) => return self.repair(walked, source),
                None if self.is_done() => return None,
                None => {}
            }
        }
        None
    }

    /// Changes one decision at a time, at the places that the validator complains about, and keeps each change
    /// that does not make things worse.
    fn repair(&mut self, walked: Walked, source: Source) -> Option<Vec<Made>> {
        let mut random = Seeded::new(self.seed ^ 0x5eed);
        let mut complaint = self.generator.verifier.complaint(&walked.value);
        let mut made = walked.made;
        for _ in 0..MAX_REPAIRS {
            if self.is_done() {
                return None;
            }
            let script = changed(&made, &complaint.places, &mut random)?;
            let Some(walked) = self.walk(&script, source) else { continue };
            if self.is_good(&walked.value) {
                self.keep(walked.value);
                return Some(walked.made);
            }
            let now = self.generator.verifier.complaint(&walked.value);
            if now.errors <= complaint.errors {
                complaint = now;
                made = walked.made;
            }
        }
        None
    }

    /// Every decision of each run changed once, then once more, and so on: likely alternatives come first.
    fn deviate(&mut self, runs: &[(Vec<Made>, Source)]) {
        const VALUES: &[Choice] = &[Choice::Value, Choice::Example, Choice::Branch];
        const SHAPES: &[Choice] = &[Choice::Property, Choice::Length];
        for alternative in 1..=MAX_ALTERNATIVES {
            for (made, source) in runs {
                self.alternatives(made, *source, VALUES, alternative);
                self.alternatives(made, *source, SHAPES, alternative);
            }
        }
    }

    /// Every decision of some kinds changed to its next alternative but so many.
    fn alternatives(&mut self, made: &[Made], source: Source, kinds: &[Choice], alternative: u64) {
        for (index, decision) in made.iter().enumerate() {
            if self.is_done() {
                return;
            }
            if !kinds.contains(&decision.what) || alternative >= decision.count {
                continue;
            }
            let mut script: Vec<u64> = made.iter().take(index).map(|made| made.picked).collect();
            script.push(decision.picked.wrapping_add(alternative).checked_rem(decision.count).unwrap_or(0));
            if let Some(walked) = self.walk(&script, source)
                && self.is_good(&walked.value)
            {
                self.keep(walked.value);
            }
        }
    }
}

/// The decisions again with one changed: one at or around a place that is wrong, if there is any.
fn changed(made: &[Made], places: &[String], random: &mut Seeded) -> Option<Vec<u64>> {
    let touches = |decision: &Made| {
        places.iter().any(|place| is_within(place, &decision.path) || is_within(&decision.path, place))
    };
    let mut near: Vec<usize> =
        made.iter().enumerate().filter(|(_, made)| touches(made)).map(|(i, _)| i).collect();
    if near.is_empty() {
        near = (0..made.len()).collect();
    }
    let picked = random.below(u64::try_from(near.len()).ok()?);
    let index = *near.get(usize::try_from(picked).ok()?)?;
    let decision = made.get(index)?;
    let shift = random.below(decision.count.saturating_sub(1)).saturating_add(1);
    let mut script: Vec<u64> = made.iter().map(|made| made.picked).collect();
    *script.get_mut(index)? = decision.picked.wrapping_add(shift).checked_rem(decision.count)?;
    Some(script)
}

/// Whether the JSON Pointer `inner` is `outer` or something in it.
pub(super) fn is_within(inner: &str, outer: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
