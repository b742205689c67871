//! The walk along the boundaries, in turn over tools and areas, so that a short one has touched everything.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::call::{alone, json_text, tool_call, written_call};
use super::probes::{self, Probe};
use super::tool::{Place, Tool, put};
use super::{Maker, Parts};
use crate::fuzz::input::{Claim, Input};
use crate::template::escape_value;

/// Where inputs of arguments come from.
const ORIGIN: &str = "boundary";
/// Stands for JSON that is written out, until it is put in.
const MARK: &str = "\u{1}written\u{1}";
/// However many tools there are, they have no more turns than so many for each of an area.
const TOOLS_TO_AREAS: usize = 2;
/// How many valid arguments are tried before anything else.
const FEW: usize = 6;

/// An iterator over inputs, each made when it is asked for.
pub struct Boundary {
    tools: VecDeque<Lane>,
    areas: VecDeque<Lane>,
    /// How many turns of all the areas have.
    share: (usize, usize),
    /// What has been gathered of a turn of theirs.
    due: usize,
}

/// The inputs of one tool or one area.
type Lane = Box<dyn Iterator<Item = Input> + Send>;

impl std::fmt::Debug for Boundary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Boundary")
            .field("tools", &self.tools.len())
            .field("areas", &self.areas.len())
            .finish()
    }
}

impl Iterator for Boundary {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        let (areas, all) = self.share;
        self.due = self.due.saturating_add(areas);
        let (first, second) = if self.due >= all {
            self.due = self.due.saturating_sub(all);
            (&mut self.areas, &mut self.tools)
        } else {
            (&mut self.tools, &mut self.areas)
        };
        next_of(first).or_else(|| next_of(second))
    }
}

fn next_of(lanes: &mut VecDeque<Lane>) -> Option<Input> {
    loop {
        let mut lane = lanes.pop_front()?;
        if let Some(input) = lane.next() {
            lanes.push_back(lane);
            return Some(input);
        }
    }
}

impl Boundary {
    pub(super) fn new(maker: &Maker) -> Boundary {
        let (mut tools, mut own): (VecDeque<Lane>, VecDeque<Lane>) = Default::default();
        for index in 0..maker.parts.tools.len() {
            tools.push_back(Box::new(of_tool(Arc::clone(&maker.parts), index)));
        }
        let areas: [fn(&Parts) -> &Vec<Input>; 6] = [
            |parts| &parts.methods,
            |parts| &parts.framing,
            |parts| &parts.envelopes,
            |parts| &parts.sequences,
            |parts| &parts.bare,
            |parts| &parts.http,
        ];
        for area in areas {
            let parts = Arc::clone(&maker.parts);
            let mut index = 0_usize;
            own.push_back(Box::new(std::iter::from_fn(move || {
                let input = area(&parts).get(index).cloned();
                index = index.saturating_add(1);
                input
            })));
        }
        let turns = tools.len().min(own.len().saturating_mul(TOOLS_TO_AREAS));
        Boundary { share: (own.len(), own.len().saturating_add(turns)), due: 0, tools, areas: own }
    }
}

/// The inputs for one tool: what it should take, what it must refuse, and then every probe at every place.
fn of_tool(parts: Arc<Parts>, index: usize) -> impl Iterator<Item = Input> + Send {
    // The lists are short; what they lead to is made one by one.
    let plan = parts.tools.get(index).map(|tool| plan(tool, &parts)).unwrap_or_default();
    plan.into_iter().filter_map(move |item| {
        let tool = parts.tools.get(index)?;
        Some(item.input(tool, &parts))
    })
}

/// What is tried on one tool.
enum Item {
    Valid(usize),
    Forbidden(Box<(Value, Claim)>),
    Probe(usize, &'static Probe),
    Bait(usize, usize),
    /// Whole arguments, as JSON.
    Whole(&'static str),
    /// A property that nobody asked for.
    Extra(&'static str),
}

/// Arguments that are no object, or an odd one.
const WHOLE: [&str; 9] = ["null", "[]", "\"\"", "0", "true", "{}", "[{}]", "{\"\":null}", "{\"\\ud800\":1}"];
/// Names of properties that nobody asked for.
const EXTRA: [&str; 8] =
    ["no_such_property", "", "__proto__", "constructor", "toString", "a.b", "\0", "{{\"{{\"}}x}}"];

/// Lanes again: so that each property has had its first probe before any has its second.
fn plan(tool: &Tool, parts: &Parts) -> Vec<Item> {
    let mut lanes: Vec<VecDeque<Item>> = Vec::new();
    lanes.push((0..tool.pool.len().min(FEW)).map(Item::Valid).collect());
    let forbidden = tool.forbidden().into_iter().map(|broken| {
        let claim = tool.claim_of(&broken);
        Item::Forbidden(Box::new((escape_value(broken.value), claim)))
    });
    lanes.push(forbidden.collect());
    lanes.push(
        WHOLE
            .iter()
            .map(|text| Item::Whole(text))
            .chain(EXTRA.iter().map(|name| Item::Extra(name)))
            .collect(),
    );
    for (index, place) in tool.places.iter().enumerate() {
        let probes = probes::of(place.kind, parts.settings.largest_text);
        lanes.push(probes.map(|probe| Item::Probe(index, probe)).collect());
        if place.kind == super::tool::Kind::Text {
            lanes.push((0..parts.baits.len()).map(|bait| Item::Bait(index, bait)).collect());
        }
    }
    let mut items = Vec::new();
    while !lanes.is_empty() {
        items.extend(lanes.iter_mut().filter_map(VecDeque::pop_front));
        lanes.retain(|lane| !lane.is_empty());
    }
    items
}

impl Item {
    fn input(self, tool: &Tool, parts: &Parts) -> Input {
        let called =
            |arguments: Value, claim: Claim| alone(ORIGIN, tool_call(&tool.name, arguments).claiming(claim));
        match self {
            Item::Valid(index) => {
                let arguments = tool.pool.get(index).cloned().unwrap_or_default();
                let claim = tool.claim(&arguments);
                called(arguments, claim)
            }
            Item::Forbidden(broken) => called(broken.0, broken.1),
            Item::Probe(place, probe) => match tool.places.get(place) {
                Some(place) => probed(tool, parts, place, probe),
                None => called(tool.fullest().clone(), Claim::None),
            },
            Item::Bait(place, bait) => {
                let mut arguments = tool.fullest().clone();
                let mut claim = Claim::None;
                if let (Some(place), Some(bait)) = (tool.places.get(place), parts.baits.get(bait)) {
                    put(&mut arguments, &place.path, Value::String(bait.text.clone()));
                    claim =
                        Claim::Bait { tool: tool.name.clone(), door: bait.door, marker: bait.marker.clone() };
                }
                called(arguments, claim)
            }
            Item::Whole(text) => alone(ORIGIN, written_call(&parts.settings, &tool.name, text)),
            Item::Extra(name) => {
                let mut arguments = tool.fullest().clone();
                put(&mut arguments, &[name.to_owned()], Value::from(1));
                let claim = tool.claim(&arguments);
                called(arguments, claim)
            }
        }
    }
}

/// Otherwise valid arguments with a probe at one place.
pub(super) fn probed(tool: &Tool, parts: &Parts, place: &Place, probe: &Probe) -> Input {
    let mut arguments = tool.fullest().clone();
    match probe {
        Probe::Value(value) => {
            put(&mut arguments, &place.path, value.clone());
            let claim = tool.claim(&arguments);
            alone(ORIGIN, tool_call(&tool.name, arguments).claiming(claim))
        }
        Probe::Written(text) => {
            put(&mut arguments, &place.path, Value::from(MARK));
            let mark = Value::from(MARK).to_string();
            let written = json_text(&arguments).replace(&mark, text);
            alone(ORIGIN, written_call(&parts.settings, &tool.name, &written))
        }
    }
}
