//! The walk from a schema to a value.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::choose::{Choice, Chooser, Made, Recorder, Replay, Source};
use super::facts::Facts;
use super::gather::gather;
use super::hints::{self, Hints, Name};
use super::limits::{Cost, Fuel, MAX_BYTES, MAX_DEPTH, MAX_STEPS, is_reasonable};
use super::reference::Document;
use super::types::{self, Kind};
use super::verify::Verifier;
use super::{arrays, numbers, objects, strings};

/// So many combinations of union branches are tried at one place.
const MAX_TURNS: usize = 32;
/// So many values of an `enum` are considered.
const MAX_MEMBERS: usize = 256;
/// Deepening search: a recursive schema gets the shallowest value that works.
const DEPTHS: [usize; 3] = [4, 8, MAX_DEPTH];

/// Tool arguments are an object, also where the schema forgets to say so.
static ARGUMENTS: LazyLock<Value> = LazyLock::new(|| json!({ "type": "object" }));

/// A schema, ready to generate from.
pub struct Generator<'s> {
    pub(super) document: Document<'s>,
    pub(super) verifier: Arc<Verifier>,
    pub(super) cost: Arc<Cost>,
    hints: &'s Hints,
}

/// What is dear to find out about a schema and borrows nothing from it, so that it can be kept.
#[derive(Clone)]
pub(crate) struct Prepared {
    verifier: Arc<Verifier>,
    cost: Arc<Cost>,
}

impl Prepared {
    /// As [`Generator::accepts`].
    pub(crate) fn accepts(&self, arguments: &Value) -> bool {
        self.cost.allows(arguments) && self.verifier.accepts(arguments)
    }

    /// The keywords that forbid `arguments` beyond doubt; none if they are allowed, or if nobody can tell.
    pub(crate) fn broken_keywords(&self, arguments: &Value) -> Vec<String> {
        if !self.cost.allows(arguments) {
            return Vec::new();
        }
        let complaint = self.verifier.certain_complaint(arguments);
        if complaint.doubtful { Vec::new() } else { complaint.keywords }
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

impl<'s> Generator<'s> {
    /// Prepares a schema of tool arguments; nothing if it is no schema or too large to be handled safely.
    pub fn new(schema: &'s Value, hints: &'s Hints) -> Option<Self> {
        if !matches!(schema, Value::Object(_) | Value::Bool(true)) || !is_reasonable(schema) {
            return None;
        }
        let mut document = Document::new(schema);
        let cost = Cost::of(&document)?;
        let verifier = Verifier::compile(schema)?;
        document.ref_stands_alone = verifier.ref_stands_alone;
        Some(Self { document, verifier: Arc::new(verifier), cost: Arc::new(cost), hints })
    }

    /// What can be kept of the work that [`Self::new`] was.
    pub(crate) fn prepared(&self) -> Prepared {
        Prepared { verifier: Arc::clone(&self.verifier), cost: Arc::clone(&self.cost) }
    }

    /// Takes up what was kept. It must have been made for the same schema.
    pub(crate) fn resume(schema: &'s Value, hints: &'s Hints, prepared: &Prepared) -> Self {
        let mut document = Document::new(schema);
        document.ref_stands_alone = prepared.verifier.ref_stands_alone;
        let Prepared { verifier, cost } = prepared.clone();
        Self { document, verifier, cost, hints }
    }

    /// Walks the schema with decisions from `chooser`. The value is likely valid, but that is for
    /// [`Self::accepts`] to say.
    pub fn generate(&self, chooser: &mut dyn Chooser) -> Option<Value> {
        let mut fuel = Fuel::new(MAX_STEPS);
        DEPTHS.iter().find_map(|depth| self.walk(chooser, *depth, &mut fuel)).map(|walked| walked.value)
    }

    /// Whether `arguments` satisfy the schema, without regard to `format`. A value whose validation would take
    /// too long does not.
    pub fn accepts(&self, arguments: &Value) -> bool {
        self.cost.allows(arguments) && self.verifier.accepts(arguments)
    }

    /// Walks with the decisions of `script` and then those of `source`, deeper and deeper until a value comes out.
    pub(super) fn attempt(&self, script: &[u64], source: Source, total: &mut Fuel) -> Option<Walked> {
        let mut found = None;
        for depth in DEPTHS {
            let steps = MAX_STEPS.min(total.left());
            let mut fuel = Fuel::new(steps);
            found = self.walk(&mut Replay::new(script, source), depth, &mut fuel);
            total.spend(steps.saturating_sub(fuel.left()).saturating_add(10));
            if found.is_some() || total.left() == 0 {
                break;
            }
        }
        found.filter(|walked| self.cost.allows(&walked.value))
    }

    fn walk(&self, chooser: &mut dyn Chooser, max_depth: usize, fuel: &mut Fuel) -> Option<Walked> {
        let mut run = Run {
            document: &self.document,
            hints: self.hints,
            recorder: Recorder::new(chooser),
            fuel,
            bytes: MAX_BYTES,
            depth: 0,
            max_depth: max_depth.min(self.cost.depth()),
        };
        let value = run.value(&[self.document.root(), &ARGUMENTS], &Name::default())?;
        Some(Walked { value, made: run.recorder.made })
    }
}

/// A proposed value and the decisions that led to it.
pub(super) struct Walked {
    pub(super) value: Value,
    pub(super) made: Vec<Made>,
}

/// The state of one walk.
pub(super) struct Run<'g, 's, 'c> {
    pub(super) document: &'g Document<'s>,
    pub(super) hints: &'g Hints,
    pub(super) recorder: Recorder<'c>,
    pub(super) fuel: &'g mut Fuel,
    /// How many bytes the value may still grow.
    pub(super) bytes: usize,
    pub(super) depth: usize,
    pub(super) max_depth: usize,
}

impl<'s> Run<'_, 's, '_> {
    /// A value that satisfies all of `schemas`, or nothing if none was found with the decisions made.
    pub(super) fn value(&mut self, schemas: &[&'s Value], name: &Name) -> Option<Value> {
        let bytes = self.bytes;
        let mut turn = 0_usize;
        loop {
            let facts = gather(self.document, schemas, Some(&mut self.recorder), self.fuel, turn);
            let ways = facts.ways.min(MAX_TURNS);
            if !facts.impossible
                && let Some(value) = self.of_facts(&facts, name)
            {
                return Some(value);
            }
            self.bytes = bytes;
            turn = turn.saturating_add(1);
            if turn >= ways || self.fuel.left() == 0 {
                return None;
            }
        }
    }

    /// A value one level further down, at `step` of the current one.
    pub(super) fn child(&mut self, schemas: &[&'s Value], step: &str, name: &Name) -> Option<Value> {
        if self.depth >= self.max_depth || !self.fuel.spend(1) {
            return None;
        }
        let length = self.recorder.path.len();
        self.recorder.path.push('/');
        self.recorder.path.push_str(&step.replace('~', "~0").replace('/', "~1"));
        self.depth = self.depth.saturating_add(1);
        let value = self.value(schemas, name);
        self.depth = self.depth.saturating_sub(1);
        self.recorder.path.truncate(length);
        value
    }

    fn of_facts(&mut self, facts: &Facts<'s>, name: &Name) -> Option<Value> {
        if let Some(allowed) = &facts.allowed {
            return self.member(facts, allowed, name);
        }
        let kinds = facts.types.clone().unwrap_or_else(|| inferred(facts));
        let first = self.recorder.pick(Choice::Branch, kinds.len());
        (0..kinds.len()).find_map(|turn| {
            let kind = kinds.get(first.wrapping_add(turn).checked_rem(kinds.len())?)?;
            self.of_kind(facts, *kind, name)
        })
    }

    /// One of the values that `enum` or `const` lists: those that hints or the default name first, null last.
    fn member(&mut self, facts: &Facts<'s>, allowed: &[&Value], name: &Name) -> Option<Value> {
        let preferred = hints::likely(facts, Kind::Null, name, self.hints);
        let mut members: Vec<&Value> = Vec::new();
        let fitting = preferred.iter().filter(|value| allowed.contains(value)).chain(allowed.iter().copied());
        for value in fitting.filter(|value| facts.admits_member(self.document, value)).take(MAX_MEMBERS) {
            if !members.contains(&value) {
                members.push(value);
            }
        }
        members.sort_by_key(|value| value.is_null());
        let picked = self.recorder.pick_nudged(Choice::Value, members.len());
        let value = (*members.get(picked)?).clone();
        self.charge(value.to_string().len()).then_some(value)
    }

    fn of_kind(&mut self, facts: &Facts<'s>, kind: Kind, name: &Name) -> Option<Value> {
        if !self.fuel.spend(1) {
            return None;
        }
        let mut likely = hints::likely(facts, kind, name, self.hints);
        likely.retain(|value| kind.includes(Kind::of(value)));
        match kind {
            Kind::Null => self.charge(4).then_some(Value::Null),
            Kind::Boolean => {
                let default = likely.first().and_then(Value::as_bool).unwrap_or(false);
                let options: Vec<Value> = [Value::Bool(default), Value::Bool(!default)]
                    .into_iter()
                    .filter(|value| facts.admits(self.document, value))
                    .collect();
                let picked = self.recorder.pick_nudged(Choice::Value, options.len());
                self.charge(5).then_some(options.get(picked)?.clone())
            }
            Kind::Integer | Kind::Number => {
                let value = numbers::make(facts, kind == Kind::Integer, &likely, &mut self.recorder)?;
                (!facts.excluded.contains(&&value) && self.charge(8)).then_some(value)
            }
            Kind::String => {
                let value = strings::make(facts, likely, self)?;
                let size = value.as_str().map_or(2, str::len).saturating_add(2);
                (!facts.excluded.contains(&&value) && self.charge(size)).then_some(value)
            }
            Kind::Array | Kind::Object => {
                likely.retain(|value| facts.admits(self.document, value));
                likely.truncate(16);
                let picked = self.recorder.pick(Choice::Example, likely.len().saturating_add(1));
                if let Some(value) = likely.get(picked) {
                    return self.charge(value.to_string().len()).then(|| value.clone());
                }
                if kind == Kind::Array { arrays::make(facts, name, self) } else { objects::make(facts, self) }
            }
        }
    }

    /// Takes bytes from what the value may still grow; false if it has become too large.
    pub(super) fn charge(&mut self, bytes: usize) -> bool {
        match self.bytes.checked_sub(bytes) {
            Some(left) => {
                self.bytes = left;
                true
            }
            None => false,
        }
    }
}

/// The types to try where a schema names none: those that its other keywords are about.
fn inferred(facts: &Facts<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    let mut when = |condition: bool, kind: Kind| {
        if condition && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    };
    let counted = |counts: super::facts::Counts| counts.min > 0 || counts.max.is_some();
    when(!facts.object_layers.is_empty() || !facts.required.is_empty(), Kind::Object);
    when(counted(facts.property_count), Kind::Object);
    when(facts.describes_items() || facts.prefix_len() > 0 || !facts.contains.is_empty(), Kind::Array);
    when(counted(facts.item_count) || facts.unique, Kind::Array);
    when(!facts.patterns.is_empty() || !facts.formats.is_empty() || counted(facts.length), Kind::String);
    when(facts.low.is_some() || facts.high.is_some() || !facts.steps.is_empty(), Kind::Number);
    for value in facts.defaults.iter().chain(&facts.examples) {
        when(!value.is_null(), Kind::of(value));
    }
    if kinds.is_empty() {
        kinds.extend(types::ALL);
    }
    kinds
}
