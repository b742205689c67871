//! Arguments that the schema forbids, each broken in one way, and in no other where that can be.

use std::collections::HashSet;

use serde_json::Value;

use super::explore::{explore, is_within};
use super::faults::{self, Fault};
use super::gather::gather;
use super::hints::Hints;
use super::limits::{Fuel, MAX_DEPTH, MAX_TOTAL_STEPS, extent};
use super::walker::Generator;

/// So many valid arguments are looked at for something to break.
const BASES: usize = 6;
/// So many ways to break them are considered.
const MAX_FAULTS: usize = 2000;

/// Arguments that are broken on purpose.
#[derive(Debug, Clone, PartialEq)]
pub struct Broken {
    /// The arguments.
    pub value: Value,
    /// What is wrong with them, in words.
    pub why: String,
    /// The keyword of the schema that forbids them.
    pub keyword: String,
    /// The place that is wrong, as a JSON Pointer into the arguments. For something missing, where it should be.
    pub path: String,
}

/// See [`super::invalid`].
pub(super) fn invalid(schema: &Value, hints: &Hints, seed: u64, limit: usize) -> Vec<Broken> {
    let Some(generator) = Generator::new(schema, hints) else { return Vec::new() };
    // From the smallest valid arguments first; from fuller ones what those do not have.
    let bases = explore(&generator, seed, BASES);
    let mut finder = Finder { generator: &generator, fuel: Fuel::new(MAX_TOTAL_STEPS), found: Vec::new() };
    for base in &bases {
        finder.place(base, &[generator.document.root()], base, "", "the arguments");
    }
    select(&generator, finder.found, finder.fuel, limit)
}

/// Goes through valid arguments for places to break.
struct Finder<'g, 's, 'b> {
    generator: &'g Generator<'s>,
    fuel: Fuel,
    found: Vec<(&'b Value, Fault)>,
}

impl<'s, 'b> Finder<'_, 's, 'b> {
    /// Finds ways to break `here`, the part of `base` at `path`, and what is in it.
    fn place(&mut self, base: &'b Value, schemas: &[&'s Value], here: &Value, path: &str, label: &str) {
        let depth = path.matches('/').count();
        if depth > MAX_DEPTH || self.found.len() >= MAX_FAULTS || !self.fuel.spend(1) {
            return;
        }
        let document = &self.generator.document;
        // Only what holds whichever branch of a union the value takes.
        let facts = gather(document, schemas, None, &mut self.fuel, 0);
        if facts.impossible {
            return;
        }
        let faults = faults::of_place(document, &facts, here, path, label, depth);
        self.found.extend(faults.into_iter().map(|fault| (base, fault)));
        match here {
            Value::Object(map) => {
                for (name, value) in map {
                    let inner = format!("{path}/{}", faults::escaped(name));
                    let schemas = facts.property(document, name);
                    self.place(base, &schemas, value, &inner, &format!("`{name}`"));
                }
            }
            Value::Array(items) => {
                for (index, value) in items.iter().enumerate().take(facts.prefix_len().clamp(1, 8)) {
                    let label = format!("item {index} of {label}");
                    self.place(base, &facts.item(index), value, &format!("{path}/{index}"), &label);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Those that break the arguments indeed, for the reason that they give, and nowhere else.
fn select(
    generator: &Generator<'_>,
    mut faults: Vec<(&Value, Fault)>,
    mut fuel: Fuel,
    limit: usize,
) -> Vec<Broken> {
    faults.sort_by_key(|(_, fault)| fault.depth.saturating_add(fault.rank));
    let mut chosen: Vec<Broken> = Vec::new();
    let mut told: HashSet<(String, String)> = HashSet::new();
    // Those that break another rule too, which a server may refuse for that alone.
    let mut spare: Vec<Broken> = Vec::new();
    for (base, fault) in faults {
        if chosen.len() >= limit || !fuel.spend(extent(base).0.saturating_div(8).saturating_add(1)) {
            break;
        }
        if told.contains(&(fault.path.clone(), fault.why.clone())) {
            continue;
        }
        let Some(value) = fault.applied(base).filter(|value| generator.cost.allows(value)) else { continue };
        let complaint = generator.verifier.certain_complaint(&value);
        let only_here = complaint
            .places
            .iter()
            .all(|place| is_within(place, &fault.path) || is_within(&fault.path, place));
        // Within unions the validator only says that no branch fits.
        let reasons = [reported_as(fault.keyword), "anyOf", "oneOf"];
        let is_reason = |keyword: &String| reasons.contains(&keyword.as_str());
        let as_said = complaint.keywords.iter().any(is_reason);
        if as_said && only_here && !complaint.doubtful && !chosen.iter().any(|known| known.value == value) {
            let is_all = complaint.keywords.iter().all(is_reason);
            let broken =
                Broken { value, why: fault.why, keyword: fault.keyword.to_owned(), path: fault.path };
            if is_all {
                told.insert((broken.path.clone(), broken.why.clone()));
                chosen.push(broken);
            } else {
                spare.push(broken);
            }
        }
    }
    for broken in spare {
        let is_new = !chosen.iter().any(|known| known.value == broken.value);
        if is_new && chosen.len() < limit && told.insert((broken.path.clone(), broken.why.clone())) {
            chosen.push(broken);
        }
    }
    chosen
}

/// The keyword that the validator names when this one is broken.
fn reported_as(keyword: &str) -> &str {
    if keyword == "dependentRequired" { "required" } else { keyword }
}
