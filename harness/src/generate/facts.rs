//! What is known about one value: every keyword of every schema that applies to it.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::limits::Fuel;
use super::numbers::{Bound, Step};
use super::reference::Document;
use super::types::{self, Kind};

/// Lists that are compared item by item are taken no longer than this.
const MAX_COMPARED: usize = 1000;

/// A lower and an upper bound on a count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) min: u64,
    pub(super) max: Option<u64>,
}

impl Counts {
    fn at_least(&mut self, value: Option<u64>) {
        self.min = self.min.max(value.unwrap_or(0));
    }

    fn at_most(&mut self, value: Option<u64>) {
        self.max = match (self.max, value) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    pub(super) fn contains(&self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }
}

/// What one schema says about the properties of an object: its `additionalProperties` depends on its own
/// `properties` and `patternProperties`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ObjectLayer<'s> {
    pub(super) properties: Option<&'s Map<String, Value>>,
    patterns: Option<&'s Map<String, Value>>,
    additional: Option<&'s Value>,
}

/// What one schema says about the items of an array.
#[derive(Debug, Clone, Copy)]
pub(super) struct ArrayLayer<'s> {
    prefix: &'s [Value],
    rest: Option<&'s Value>,
}

/// An array must have so many items that match a schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contains<'s> {
    pub(super) schema: &'s Value,
    pub(super) counts: Counts,
}

/// Everything that is known about a value.
#[derive(Debug, Default)]
pub(super) struct Facts<'s> {
    /// Nothing satisfies these schemas.
    pub(super) impossible: bool,
    /// `None` for any type.
    pub(super) types: Option<Vec<Kind>>,
    /// From `enum` and `const`.
    pub(super) allowed: Option<Vec<&'s Value>>,
    /// Whether `const` rather than `enum` said so.
    pub(super) is_const: bool,
    /// From `default`.
    pub(super) defaults: Vec<&'s Value>,
    /// From `examples`.
    pub(super) examples: Vec<&'s Value>,
    /// From `not` with `enum` or `const`.
    pub(super) excluded: Vec<&'s Value>,
    /// From `not` with `type`.
    excluded_types: Vec<Kind>,
    pub(super) description: Option<&'s str>,
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
    pub(super) steps: Vec<Step>,
    pub(super) length: Counts,
    pub(super) patterns: Vec<&'s str>,
    pub(super) formats: Vec<&'s str>,
    pub(super) item_count: Counts,
    pub(super) unique: bool,
    pub(super) contains: Vec<Contains<'s>>,
    array_layers: Vec<ArrayLayer<'s>>,
    pub(super) property_count: Counts,
    pub(super) object_layers: Vec<ObjectLayer<'s>>,
    pub(super) required: Vec<&'s str>,
    /// From `not` with `required`.
    pub(super) forbidden: Vec<&'s str>,
    pub(super) dependent: Vec<(&'s str, Vec<&'s str>)>,
    pub(super) property_names: Vec<&'s Value>,
    /// Properties that no schema mentions are not welcome, though we cannot say where that is written.
    pub(super) closed: bool,
    /// How many different ways of choosing among unions there are; 0 if there is no choice.
    pub(super) ways: usize,
}

/// A keyword that counts something. Numbers like `3.0` count too.
fn count(map: &Map<String, Value>, keyword: &str) -> Option<u64> {
    let number = map.get(keyword)?;
    number.as_u64().or_else(|| {
        let float = number.as_f64().filter(|float| *float >= 0.0 && float.fract() == 0.0)?;
        // Beyond this, any number is as unreachable as the next.
        if float >= 1e18 { Some(1_000_000_000_000_000_000) } else { format!("{float:.0}").parse().ok() }
    })
}

fn names(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).take(MAX_COMPARED)
}

impl<'s> Facts<'s> {
    pub(super) fn annotations(&mut self, map: &'s Map<String, Value>) {
        self.defaults.extend(map.get("default"));
        match map.get("examples") {
            Some(Value::Array(list)) => self.examples.extend(list.iter().take(16)),
            other => self.examples.extend(other),
        }
        self.examples.extend(map.get("example"));
        if self.description.is_none() {
            let said = map.get("description").or_else(|| map.get("title"));
            self.description = said.and_then(Value::as_str);
        }
    }

    pub(super) fn scalars(&mut self, map: &'s Map<String, Value>) {
        if let Some(declared) = types::declared_in(map) {
            self.narrow(&declared);
        }
        if let Some(value) = map.get("const") {
            self.is_const = true;
            self.allow(&[value]);
        }
        if let Some(Value::Array(values)) = map.get("enum") {
            self.allow(&values.iter().collect::<Vec<_>>());
        }
        let exclusive = |keyword: &str| map.get(keyword) == Some(&Value::Bool(true));
        for (keyword, strict) in [("minimum", exclusive("exclusiveMinimum")), ("exclusiveMinimum", true)] {
            if let Some(Value::Number(number)) = map.get(keyword) {
                self.low = Bound::tighter(self.low, Bound::new(number, strict), true);
            }
        }
        for (keyword, strict) in [("maximum", exclusive("exclusiveMaximum")), ("exclusiveMaximum", true)] {
            if let Some(Value::Number(number)) = map.get(keyword) {
                self.high = Bound::tighter(self.high, Bound::new(number, strict), false);
            }
        }
        if let Some(Value::Number(number)) = map.get("multipleOf") {
            self.steps.extend(Step::new(number));
        }
        self.length.at_least(count(map, "minLength"));
        self.length.at_most(count(map, "maxLength"));
        self.patterns.extend(map.get("pattern").and_then(Value::as_str));
        self.formats.extend(map.get("format").and_then(Value::as_str));
    }

    pub(super) fn arrays(&mut self, map: &'s Map<String, Value>) {
        self.item_count.at_least(count(map, "minItems"));
        self.item_count.at_most(count(map, "maxItems"));
        self.unique |= map.get("uniqueItems") == Some(&Value::Bool(true));
        let layer = match (map.get("prefixItems"), map.get("items")) {
            (Some(Value::Array(prefix)), rest) => ArrayLayer { prefix, rest },
            // Before 2020-12, `items` was the list and `additionalItems` the rest.
            (_, Some(Value::Array(prefix))) => ArrayLayer { prefix, rest: map.get("additionalItems") },
            (_, rest) => ArrayLayer { prefix: &[], rest },
        };
        if !layer.prefix.is_empty() || layer.rest.is_some() {
            self.array_layers.push(layer);
        }
        if let Some(schema) = map.get("contains") {
            let min = count(map, "minContains").unwrap_or(1);
            self.contains.push(Contains { schema, counts: Counts { min, max: count(map, "maxContains") } });
        }
    }

    pub(super) fn objects(&mut self, map: &'s Map<String, Value>) {
        self.property_count.at_least(count(map, "minProperties"));
        self.property_count.at_most(count(map, "maxProperties"));
        let layer = ObjectLayer {
            properties: map.get("properties").and_then(Value::as_object),
            patterns: map.get("patternProperties").and_then(Value::as_object),
            additional: map.get("additionalProperties"),
        };
        if layer.properties.is_some() || layer.patterns.is_some() || layer.additional.is_some() {
            self.object_layers.push(layer);
        }
        self.closed |= map.get("unevaluatedProperties") == Some(&Value::Bool(false));
        for name in names(map.get("required")) {
            if !self.required.contains(&name) {
                self.required.push(name);
            }
        }
        for keyword in ["dependentRequired", "dependencies"] {
            for (name, needed) in map.get(keyword).and_then(Value::as_object).into_iter().flatten() {
                if needed.is_array() {
                    self.dependent.push((name, names(Some(needed)).collect()));
                }
            }
        }
        self.property_names.extend(map.get("propertyNames"));
    }

    /// The forms of `not` that can be met by construction; the others are left to luck and the validator.
    pub(super) fn negation(&mut self, negated: &'s Value, fuel: &mut Fuel, depth: usize) {
        let map = match negated {
            Value::Bool(true) => {
                self.impossible = true;
                return;
            }
            Value::Object(map) => map,
            _ => return,
        };
        let Some(below) = depth.checked_sub(1).filter(|_| fuel.spend(1)) else { return };
        if map.is_empty() {
            self.impossible = true;
        }
        // All of the keywords together must fail, so any one of them may be made to.
        if let Some(value) = map.get("const") {
            self.excluded.push(value);
        } else if let Some(Value::Array(values)) = map.get("enum") {
            self.excluded.extend(values);
        } else if let Some(name) = names(map.get("required")).last() {
            if map.len() == 1 || !map.contains_key("properties") {
                self.forbidden.push(name);
            }
        } else if let (Some(kinds), 1) = (types::declared_in(map), map.len()) {
            self.excluded_types.extend(kinds);
        } else if let Some(Value::Array(branches)) = map.get("anyOf") {
            for branch in branches {
                self.negation(branch, fuel, below);
            }
        }
    }

    fn narrow(&mut self, kinds: &[Kind]) {
        let narrowed = match &self.types {
            Some(known) => types::common(known, kinds),
            None => kinds.to_vec(),
        };
        self.types = Some(narrowed);
    }

    pub(super) fn narrow_to(&mut self, document: &Document<'s>, branches: &'s [Value], fuel: &mut Fuel) {
        let each: Option<Vec<Vec<Kind>>> =
            branches.iter().map(|branch| types::possible(document, branch, 4, fuel)).collect();
        if let Some(each) = each {
            let mut kinds: Vec<Kind> = Vec::new();
            for kind in each.into_iter().flatten() {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            self.narrow(&kinds);
        }
    }

    fn allow(&mut self, values: &[&'s Value]) {
        let allowed = match &self.allowed {
            Some(known) => {
                known.iter().take(MAX_COMPARED).filter(|value| values.contains(value)).copied().collect()
            }
            None => values.to_vec(),
        };
        self.allowed = Some(allowed);
    }

    pub(super) fn finish(&mut self) {
        if let Some(kinds) = &mut self.types {
            kinds.retain(|kind| !self.excluded_types.iter().any(|excluded| excluded.includes(*kind)));
        }
        if self.required.iter().any(|name| self.forbidden.contains(name)) {
            // A forbidden property that is required may still be fine: `not` may fail for another reason.
            let required = &self.required;
            self.forbidden.retain(|name| !required.contains(name));
        }
        self.impossible |= self.types.as_ref().is_some_and(Vec::is_empty);
        self.impossible |= self.allowed.as_ref().is_some_and(Vec::is_empty);
    }

    /// Whether nothing that is known speaks against `value`, its content aside.
    pub(super) fn admits(&self, document: &Document<'_>, value: &Value) -> bool {
        self.allowed.as_ref().is_none_or(|allowed| allowed.contains(&value))
            && self.admits_member(document, value)
    }

    /// Like [`Self::admits`], for a value that is known to be among those that `enum` allows.
    pub(super) fn admits_member(&self, document: &Document<'_>, value: &Value) -> bool {
        let kind = Kind::of(value);
        if self.types.as_ref().is_some_and(|kinds| !kinds.iter().any(|known| known.includes(kind)))
            || self.excluded.contains(&value)
        {
            return false;
        }
        match value {
            Value::Number(number) => self.admits_number(number),
            Value::String(text) => self.admits_text(document, text),
            Value::Array(items) => self.item_count.contains(u64::try_from(items.len()).unwrap_or(u64::MAX)),
            Value::Object(map) => {
                self.property_count.contains(u64::try_from(map.len()).unwrap_or(u64::MAX))
                    && self.required.iter().all(|name| map.contains_key(*name))
                    && !self.forbidden.iter().any(|name| map.contains_key(*name))
            }
            Value::Null | Value::Bool(_) => true,
        }
    }

    /// Whether a number is within all bounds, as far as arithmetic on floats can tell.
    pub(super) fn admits_number(&self, number: &serde_json::Number) -> bool {
        self.low.is_none_or(|bound| bound.admits(number, true))
            && self.high.is_none_or(|bound| bound.admits(number, false))
            && self.steps.iter().all(|step| step.divides(number))
    }

    /// Whether a string has the right length and matches all patterns that we understand.
    pub(super) fn admits_text(&self, document: &Document<'_>, text: &str) -> bool {
        self.length.contains(u64::try_from(text.chars().count()).unwrap_or(u64::MAX))
            && self.patterns.iter().all(|pattern| document.matches(pattern, text) != Some(false))
    }

    /// All schemas that apply to the property `name`.
    pub(super) fn property(&self, document: &Document<'_>, name: &str) -> Vec<&'s Value> {
        let mut schemas = Vec::new();
        for layer in &self.object_layers {
            let own = layer.properties.and_then(|properties| properties.get(name));
            let before = schemas.len();
            schemas.extend(own);
            for (pattern, schema) in layer.patterns.into_iter().flatten() {
                if document.matches(pattern, name) == Some(true) {
                    schemas.push(schema);
                }
            }
            if schemas.len() == before {
                schemas.extend(layer.additional);
            }
        }
        schemas
    }

    /// The names of the properties that the schemas describe, in their order.
    pub(super) fn described(&self) -> Vec<&'s str> {
        let mut seen = HashSet::new();
        let maps = self.object_layers.iter().filter_map(|layer| layer.properties);
        maps.flat_map(Map::keys).map(String::as_str).filter(|name| seen.insert(*name)).collect()
    }

    /// The patterns of `patternProperties`.
    pub(super) fn name_patterns(&self) -> impl Iterator<Item = &'s str> {
        self.object_layers.iter().filter_map(|layer| layer.patterns).flat_map(Map::keys).map(String::as_str)
    }

    /// Whether properties that nothing describes are forbidden.
    pub(super) fn forbids_more_properties(&self) -> bool {
        self.object_layers.iter().any(|layer| layer.additional == Some(&Value::Bool(false)))
    }

    /// Whether a property of this name, which nothing describes, is forbidden.
    pub(super) fn forbids_unknown(&self, document: &Document<'_>, name: &str) -> bool {
        let matched = self.name_patterns().any(|pattern| document.matches(pattern, name) != Some(false));
        (self.forbids_more_properties() || self.closed) && !matched
    }

    /// Whether the schemas describe properties by a common rule rather than by name.
    pub(super) fn is_mapping(&self) -> bool {
        let patterned = self.name_patterns().next().is_some();
        let additional =
            self.object_layers.iter().any(|layer| layer.additional.is_some_and(Value::is_object));
        patterned || (additional && !self.forbids_more_properties() && !self.closed)
    }

    /// All schemas that apply to the item at `index`.
    pub(super) fn item(&self, index: usize) -> Vec<&'s Value> {
        self.array_layers.iter().filter_map(|layer| layer.prefix.get(index).or(layer.rest)).collect()
    }

    /// How many items have a schema of their own.
    pub(super) fn prefix_len(&self) -> usize {
        self.array_layers.iter().map(|layer| layer.prefix.len()).max().unwrap_or(0)
    }

    /// Whether anything is said about items beyond the prefix.
    pub(super) fn describes_items(&self) -> bool {
        self.array_layers.iter().any(|layer| layer.rest.is_some())
    }
}
