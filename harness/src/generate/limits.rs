//! What keeps hostile schemas harmless: bounds on the schema, on a value, and on the work for it.

use std::collections::HashMap;

use serde_json::Value;

use super::reference::Document;

/// How deep a generated value may nest.
pub(super) const MAX_DEPTH: usize = 16;
/// About how many bytes a generated value may have when it is written out.
pub(super) const MAX_BYTES: usize = 64 * 1024;
/// How many steps one walk may take.
pub(super) const MAX_STEPS: u64 = 20_000;
/// How many steps one call of `valid` or `invalid` may take over all its walks.
pub(super) const MAX_TOTAL_STEPS: u64 = 400_000;

/// How many values a schema may consist of.
const MAX_SCHEMA_NODES: usize = 20_000;
/// How deep a schema may nest.
const MAX_SCHEMA_DEPTH: usize = 128;
/// How many bytes of text a schema may hold.
const MAX_SCHEMA_TEXT: usize = 1024 * 1024;
/// How many regular expressions a schema may hold: each costs the validator time and memory.
const MAX_PATTERNS: usize = 500;
/// How many steps validation of one place in a value may take, and of a whole value.
const MAX_PLACE_COST: u64 = 100_000;
const MAX_VALUE_COST: u64 = 5_000_000;
/// How many schemas may refer to each other in one chain.
const MAX_CHAIN: usize = 256;

/// Steps that are left. Whoever loops spends from it and stops when it is empty.
#[derive(Debug)]
pub(super) struct Fuel {
    left: u64,
}

impl Fuel {
    pub(super) fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Takes `steps`; false if there are not enough.
    pub(super) fn spend(&mut self, steps: u64) -> bool {
        match self.left.checked_sub(steps) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.left = 0;
                false
            }
        }
    }

    pub(super) fn left(&self) -> u64 {
        self.left
    }
}

/// Whether a schema is small enough to be looked at at all. Does not recurse, so depth cannot hurt it.
pub(super) fn is_reasonable(schema: &Value) -> bool {
    let mut stack = vec![(schema, 0_usize)];
    let (mut nodes, mut text, mut patterns) = (0_usize, 0_usize, 0_usize);
    while let Some((value, depth)) = stack.pop() {
        nodes = nodes.saturating_add(1);
        if nodes > MAX_SCHEMA_NODES || depth > MAX_SCHEMA_DEPTH || text > MAX_SCHEMA_TEXT {
            return false;
        }
        let below = depth.saturating_add(1);
        match value {
            Value::String(content) => text = text.saturating_add(content.len()),
            Value::Array(items) => stack.extend(items.iter().map(|item| (item, below))),
            Value::Object(map) => {
                if map.contains_key("pattern") {
                    patterns = patterns.saturating_add(1);
                }
                if let Some(Value::Object(named)) = map.get("patternProperties") {
                    patterns = patterns.saturating_add(named.len());
                }
                text = map.keys().fold(text, |sum, key| sum.saturating_add(key.len()));
                stack.extend(map.values().map(|item| (item, below)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    patterns <= MAX_PATTERNS && text <= MAX_SCHEMA_TEXT
}

/// The number of values in `value` and how deep they nest.
pub(super) fn extent(value: &Value) -> (u64, usize) {
    let mut stack = vec![(value, 0_usize)];
    let (mut nodes, mut deepest) = (0_u64, 0_usize);
    while let Some((value, depth)) = stack.pop() {
        nodes = nodes.saturating_add(1);
        deepest = deepest.max(depth);
        let below = depth.saturating_add(1);
        match value {
            Value::Array(items) => stack.extend(items.iter().map(|item| (item, below))),
            Value::Object(map) => stack.extend(map.values().map(|item| (item, below))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    (nodes, deepest)
}

/// How often one place in a value is looked at while it is validated, by the depth of the value.
///
/// Validation time of `allOf: [{$ref: b}, {$ref: b}]` doubles with every such step, and a validator cannot be
/// interrupted: so it is estimated beforehand, and what would take too long is never validated.
#[derive(Debug)]
pub(super) struct Cost {
    by_depth: Vec<u64>,
}

impl Cost {
    /// The costs that are bearable, or nothing if not even a flat value's is, or if a reference leads nowhere.
    pub(super) fn of(document: &Document<'_>) -> Option<Self> {
        let mut estimate = Estimate { document, known: HashMap::new(), refused: false };
        let mut by_depth = Vec::new();
        for depth in 0..=MAX_DEPTH {
            let cost = estimate.place(document.root(), depth, 0);
            if estimate.refused {
                return None;
            }
            if cost > MAX_PLACE_COST {
                break;
            }
            by_depth.push(cost);
        }
        (!by_depth.is_empty()).then_some(Self { by_depth })
    }

    /// The deepest value that may be validated.
    pub(super) fn depth(&self) -> usize {
        self.by_depth.len().saturating_sub(1)
    }

    /// Whether `value` may be validated.
    pub(super) fn allows(&self, value: &Value) -> bool {
        let (nodes, depth) = extent(value);
        self.by_depth.get(depth).is_some_and(|cost| cost.saturating_mul(nodes) <= MAX_VALUE_COST)
    }
}

struct Estimate<'d, 's> {
    document: &'d Document<'s>,
    /// By the schema's address and the depth below it; `None` while it is being worked out.
    known: HashMap<(usize, usize), Option<u64>>,
    refused: bool,
}

impl<'s> Estimate<'_, 's> {
    fn place(&mut self, schema: &'s Value, depth: usize, chain: usize) -> u64 {
        let Value::Object(map) = schema else { return 1 };
        let key = (std::ptr::from_ref(schema).addr(), depth);
        match self.known.get(&key) {
            Some(Some(cost)) => return *cost,
            Some(None) => {
                // The schema refers to itself at the same place of the value: it has no meaning.
                self.refused = true;
                return u64::MAX;
            }
            None => {}
        }
        // A nested `$id` changes what references below it mean; nobody needs it in a tool, so it is not followed.
        let renamed = chain > 0 && (map.contains_key("$id") || map.contains_key("$recursiveRef"));
        if chain > MAX_CHAIN || renamed || self.refused {
            self.refused = true;
            return u64::MAX;
        }
        self.known.insert(key, None);
        let next = chain.saturating_add(1);
        let mut cost = 1_u64;
        for keyword in ["$ref", "$dynamicRef"] {
            let Some(target) = map.get(keyword).and_then(Value::as_str) else { continue };
            let more = match self.document.resolve(target) {
                Some(found) => self.place(found, depth, next),
                None if is_meta_schema(target) => 1000,
                None => {
                    self.refused = true;
                    u64::MAX
                }
            };
            cost = cost.saturating_add(more);
        }
        for (keyword, value) in map {
            let more = match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(branches)) => {
                    self.sum(branches.iter(), depth, next)
                }
                ("not" | "if" | "then" | "else", _) => self.place(value, depth, next),
                ("dependentSchemas" | "dependencies", Value::Object(named)) => {
                    self.sum(named.values(), depth, next)
                }
                _ => 0,
            };
            cost = cost.saturating_add(more);
        }
        if let Some(below) = depth.checked_sub(1) {
            for (keyword, value) in map {
                let more = match (keyword.as_str(), value) {
                    // A place has one name, so only one of the properties looks at it.
                    ("properties", Value::Object(named)) => self.most(named.values(), below, next),
                    ("prefixItems" | "items", Value::Array(list)) => self.most(list.iter(), below, next),
                    ("patternProperties", Value::Object(named)) => self.sum(named.values(), below, next),
                    (
                        "items"
                        | "additionalItems"
                        | "unevaluatedItems"
                        | "contains"
                        | "additionalProperties"
                        | "unevaluatedProperties"
                        | "propertyNames",
                        Value::Object(_),
                    ) => self.place(value, below, next),
                    _ => 0,
                };
                cost = cost.saturating_add(more);
            }
        }
        self.known.insert(key, Some(cost));
        cost
    }

    fn sum(&mut self, schemas: impl Iterator<Item = &'s Value>, depth: usize, chain: usize) -> u64 {
        schemas.fold(0, |sum, schema| sum.saturating_add(self.place(schema, depth, chain)))
    }

    fn most(&mut self, schemas: impl Iterator<Item = &'s Value>, depth: usize, chain: usize) -> u64 {
        schemas.fold(0, |most, schema| most.max(self.place(schema, depth, chain)))
    }
}

/// The validator knows the published meta-schemas by heart.
pub(super) fn is_meta_schema(reference: &str) -> bool {
    reference.starts_with("https://json-schema.org/") || reference.starts_with("http://json-schema.org/")
}
