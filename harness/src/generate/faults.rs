//! How one place in valid arguments can be broken, by what the schema says about it.

use serde_json::{Map, Value};

use super::facts::Facts;
use super::numbers;
use super::reference::Document;
use super::types::Kind;

/// No fault makes a value larger than this.
const MAX_GROWTH: u64 = 1024;
/// A property that no schema names.
const EXTRA: &str = "mcp_conform_unexpected";
/// So many of the values that `not` rules out are tried.
const MAX_EXCLUDED: usize = 8;
/// Names that a schema for names may rule out: which of them it does is for the validator to say.
const ODD_NAMES: [&str; 5] = [
    "",
    "a",
    "mcp conform",
    "MCP",
    "mcp_conform_and_a_name_that_is_longer_than_names_of_properties_usually_are",
];

/// What is done to one place of valid arguments.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// Another value takes its place.
    Put(Value),
    /// A property goes.
    Remove(String),
    /// A property comes.
    Insert(String, Value),
}

/// A way to break arguments.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// The changed place, as a JSON Pointer.
    pub(super) at: String,
    pub(super) change: Change,
    pub(super) keyword: &'static str,
    pub(super) why: String,
    /// What is wrong then, as a JSON Pointer.
    pub(super) path: String,
    /// The first way of breaking a place comes before its second.
    pub(super) rank: usize,
    pub(super) depth: usize,
}

impl Fault {
    /// The broken arguments.
    pub(super) fn applied(&self, base: &Value) -> Option<Value> {
        let mut value = base.clone();
        let place = value.pointer_mut(&self.at)?;
        match (&self.change, place) {
            (Change::Put(new), place) => *place = new.clone(),
            (Change::Remove(name), Value::Object(map)) => {
                map.shift_remove(name);
            }
            (Change::Insert(name, new), Value::Object(map)) => {
                map.insert(name.clone(), new.clone());
            }
            _ => return None,
        }
        Some(value)
    }
}

/// One place in valid arguments, and what could be done to it.
struct Site<'b> {
    path: &'b str,
    /// What the place is called in a sentence.
    label: &'b str,
    depth: usize,
    rank: usize,
    found: Vec<Fault>,
}

/// All ways to break `here`, which is at `path` and called `label`; not those to break what is in it.
pub(super) fn of_place(
    document: &Document<'_>,
    facts: &Facts<'_>,
    here: &Value,
    path: &str,
    label: &str,
    depth: usize,
) -> Vec<Fault> {
    let mut site = Site { path, label, depth, rank: 0, found: Vec::new() };
    if let Value::Object(map) = here {
        site.object(facts, map, document);
    }
    // Arguments that are no object break the protocol, not the schema.
    let mut wrong = if path.is_empty() { Vec::new() } else { wrong_types(facts, here, label) }.into_iter();
    for (value, why) in wrong.by_ref().take(1) {
        site.put(value, "type", why);
    }
    if !path.is_empty() {
        site.not_listed(facts, here);
        site.excluded(facts);
    }
    match here {
        Value::Number(_) => site.number(facts),
        Value::String(text) => site.text(facts, text, document),
        Value::Array(items) => site.array(facts, items),
        Value::Object(_) | Value::Null | Value::Bool(_) => {}
    }
    // Further wrong types tell less than what broke the other rules.
    for (value, why) in wrong {
        site.put(value, "type", why);
    }
    site.found
}

impl Site<'_> {
    /// Proposes to put `new` here.
    fn put(&mut self, new: Value, keyword: &'static str, why: String) {
        self.propose(Change::Put(new), keyword, why, self.path.to_owned(), self.depth);
    }

    /// Proposes a change here that makes something wrong at `path`.
    fn propose(&mut self, change: Change, keyword: &'static str, why: String, path: String, depth: usize) {
        let at = self.path.to_owned();
        self.found.push(Fault { at, change, keyword, why, path, rank: self.rank, depth });
        self.rank = self.rank.saturating_add(1);
    }

    fn object(&mut self, facts: &Facts<'_>, map: &Map<String, Value>, document: &Document<'_>) {
        let inner = self.depth.saturating_add(1);
        for name in facts.required.iter().filter(|name| map.contains_key(**name)) {
            let path = format!("{}/{}", self.path, escaped(name));
            let why = format!("required property `{name}` is missing{}", self.within());
            // Each is the first breakage of its own place.
            self.rank = 0;
            self.propose(Change::Remove((*name).to_owned()), "required", why, path, inner);
        }
        for (trigger, needed) in &facts.dependent {
            if !map.contains_key(*trigger) {
                continue;
            }
            for name in
                needed.iter().filter(|name| map.contains_key(**name) && !facts.required.contains(name))
            {
                let path = format!("{}/{}", self.path, escaped(name));
                let why =
                    format!("property `{name}` is missing though `{trigger}` is there{}", self.within());
                self.propose(Change::Remove((*name).to_owned()), "dependentRequired", why, path, inner);
            }
        }
        if facts.forbids_unknown(document, EXTRA) {
            let keyword = if facts.forbids_more_properties() {
                "additionalProperties"
            } else {
                "unevaluatedProperties"
            };
            let why = format!("extra property `{EXTRA}` though {keyword} is false{}", self.within());
            let path = format!("{}/{EXTRA}", self.path);
            self.rank = 1;
            let change = Change::Insert(EXTRA.to_owned(), Value::from("unexpected"));
            self.propose(change, keyword, why, path, inner);
        }
        self.rank = 0;
        for name in facts.forbidden.iter().filter(|name| !map.contains_key(**name)) {
            let path = format!("{}/{}", self.path, escaped(name));
            let why = format!("property `{name}` is there, which `not` rules out{}", self.within());
            self.rank = 0;
            for value in plain_values() {
                self.propose(
                    Change::Insert((*name).to_owned(), value),
                    "not",
                    why.clone(),
                    path.clone(),
                    inner,
                );
            }
        }
        self.rank = 0;
        if !facts.property_names.is_empty() {
            let value = map.values().next_back().cloned().unwrap_or_else(|| Value::from("unexpected"));
            for name in ODD_NAMES.iter().filter(|name| !map.contains_key(**name)) {
                let why = format!("a property has a name that propertyNames rules out{}", self.within());
                let change = Change::Insert((*name).to_owned(), value.clone());
                self.propose(change, "propertyNames", why, self.path.to_owned(), self.depth);
            }
            self.rank = 0;
        }
        if let Some(max) = facts
            .property_count
            .max
            .filter(|max| *max < MAX_GROWTH && !facts.forbids_unknown(document, EXTRA))
        {
            // Like those that are there already, if there are any: only their number should be wrong.
            let more = map.values().next_back().cloned().unwrap_or_else(|| Value::from("unexpected"));
            let mut larger = map.clone();
            let mut index = 0_u64;
            while u64::try_from(larger.len()).is_ok_and(|len| len <= max) {
                larger.insert(format!("{EXTRA}_{index}"), more.clone());
                index = index.saturating_add(1);
            }
            let why = format!("{} has {} properties, more than {max}", self.label, larger.len());
            self.put(Value::Object(larger), "maxProperties", why);
        }
        let min = usize::try_from(facts.property_count.min).unwrap_or(usize::MAX);
        if min > 0 && map.len() >= min {
            let mut smaller = map.clone();
            let spare: Vec<&String> =
                map.keys().filter(|key| !facts.required.contains(&key.as_str())).collect();
            for key in spare {
                if smaller.len() >= min {
                    smaller.shift_remove(key);
                }
            }
            let why = format!("{} has {} properties, fewer than {min}", self.label, smaller.len());
            self.put(Value::Object(smaller), "minProperties", why);
        }
    }

    fn within(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!(" in {}", self.label) }
    }

    /// A value that is of the right type but not one of those listed.
    fn not_listed(&mut self, facts: &Facts<'_>, here: &Value) {
        let Some(allowed) = &facts.allowed else { return };
        let other = match here {
            Value::String(_) => Value::from("mcp-conform-no-such-value"),
            Value::Number(_) => Value::from(987_654_321),
            Value::Bool(flag) => Value::Bool(!flag),
            _ => return,
        };
        if !allowed.contains(&&other) {
            let (keyword, what) = if facts.is_const && allowed.len() == 1 {
                ("const", "the one value")
            } else {
                ("enum", "one of the values")
            };
            let why = format!("{} is {other}, not {what} that the schema allows", self.label);
            self.put(other, keyword, why);
        }
    }

    /// A value that is of the right type and that `not` rules out.
    fn excluded(&mut self, facts: &Facts<'_>) {
        let fits = |value: &&Value| {
            facts.types.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind.includes(Kind::of(value))))
                && facts.allowed.as_ref().is_none_or(|allowed| allowed.contains(value))
        };
        for &value in facts.excluded.iter().filter(|value| fits(value)).take(MAX_EXCLUDED) {
            let why = format!("{} is {value}, which `not` rules out", self.label);
            self.put(value.clone(), "not", why);
        }
    }

    fn number(&mut self, facts: &Facts<'_>) {
        let whole_only = facts.types.as_ref().is_some_and(|kinds| !kinds.contains(&Kind::Number));
        let ends = [(facts.low, -1_i128, "below"), (facts.high, 1, "above")];
        for (bound, outward, side) in ends {
            let Some(bound) = bound else { continue };
            // Keep to multiples, or two rules would be broken.
            let stride = facts.steps.iter().fold(1_i128, |stride, step| stride.saturating_mul(step.stride()));
            let away = outward.saturating_mul(stride);
            let outside = match bound.whole_edge() {
                Some(edge) if bound.is_exclusive() => numbers::to_number(edge),
                Some(edge) => numbers::to_number(edge.saturating_add(away)),
                None => numbers::to_number(bound.beyond(outward > 0)),
            };
            let Some(outside) = outside else { continue };
            let end = if side == "below" { "minimum" } else { "maximum" };
            let keyword = match (bound.is_exclusive(), side) {
                (false, _) => end,
                (true, "below") => "exclusiveMinimum",
                (true, _) => "exclusiveMaximum",
            };
            let relation = if bound.is_exclusive() {
                format!("not {} the exclusive {end}", opposite(side))
            } else {
                format!("{side} the {end}")
            };
            let why = format!("{} is {outside}, {relation} {}", self.label, bound.edge());
            self.put(Value::Number(outside), keyword, why);
        }
        for step in &facts.steps {
            let odd =
                [1.5_f64, 0.5, 1.0, 2.0, 3.0, 0.001].into_iter().chain(facts.low.map(|low| low.edge() + 1.0));
            let odd = odd.filter_map(|float| {
                if float.fract() == 0.0 {
                    numbers::to_number(float as i128)
                } else {
                    serde_json::Number::from_f64(float)
                }
            });
            let within = |number: &serde_json::Number| {
                !step.divides(number)
                    && facts.low.is_none_or(|bound| bound.admits(number, true))
                    && facts.high.is_none_or(|bound| bound.admits(number, false))
                    && (!whole_only || numbers::whole(number).is_some())
            };
            if let Some(number) = odd.into_iter().find(within) {
                let why = format!("{} is {number}, not a multiple of {}", self.label, step.size());
                self.put(Value::Number(number), "multipleOf", why);
            }
        }
    }

    fn text(&mut self, facts: &Facts<'_>, text: &str, document: &Document<'_>) {
        let length = text.chars().count();
        let min = usize::try_from(facts.length.min).unwrap_or(usize::MAX);
        if let Some(shorter) = min.checked_sub(1) {
            let cut: String = text.chars().take(shorter).collect();
            let why = format!("{} has {shorter} characters, fewer than {min}", self.label);
            self.put(Value::String(cut), "minLength", why);
        }
        if let Some(max) = facts.length.max.filter(|max| *max < MAX_GROWTH.saturating_mul(16)) {
            let longer = usize::try_from(max).unwrap_or(usize::MAX).saturating_add(1);
            // The last character again and again: it fits most patterns.
            let filler = text.chars().last().unwrap_or('a');
            let long: String =
                text.chars().chain(std::iter::repeat_n(filler, longer.saturating_sub(length))).collect();
            let why = format!("{} has {longer} characters, more than {max}", self.label);
            self.put(Value::String(long), "maxLength", why);
        }
        for pattern in &facts.patterns {
            let size = length.max(1);
            let others = ["~", "\u{1}", " ", "é", "0", "a", ""];
            let other = others.iter().map(|unit| unit.repeat(size)).find(|other| {
                let count = u64::try_from(other.chars().count()).unwrap_or(u64::MAX);
                facts.length.contains(count) && document.matches(pattern, other) == Some(false)
            });
            if let Some(other) = other {
                let shown = Value::String(other.clone());
                let why = format!("{} is {shown}, which does not match the pattern {pattern}", self.label);
                self.put(Value::String(other), "pattern", why);
            }
        }
    }

    fn array(&mut self, facts: &Facts<'_>, items: &[Value]) {
        let min = usize::try_from(facts.item_count.min).unwrap_or(usize::MAX);
        if let Some(fewer) = min.checked_sub(1).filter(|fewer| *fewer < items.len()) {
            let why = format!("{} has {fewer} items, fewer than {min}", self.label);
            self.put(Value::Array(items.iter().take(fewer).cloned().collect()), "minItems", why);
        }
        if let (Some(max), Some(last)) = (facts.item_count.max.filter(|max| *max < MAX_GROWTH), items.last())
        {
            let max = usize::try_from(max).unwrap_or(usize::MAX);
            let more = max.saturating_add(1).saturating_sub(items.len());
            if !facts.unique {
                let many = items.iter().chain(std::iter::repeat_n(last, more)).cloned().collect();
                let why = format!("{} has {} items, more than {max}", self.label, max.saturating_add(1));
                self.put(Value::Array(many), "maxItems", why);
            }
        }
        if facts.contains.iter().any(|contains| contains.counts.min > 0) {
            let why = format!("{} holds too few of what it must contain", self.label);
            self.put(Value::Array(Vec::new()), "contains", why.clone());
            for other in plain_values() {
                self.put(Value::Array(vec![other; items.len()]), "contains", why.clone());
            }
        }
        if facts.unique
            && let Some(first) = items.first()
        {
            let room =
                facts.item_count.max.is_none_or(|max| u64::try_from(items.len()).is_ok_and(|len| len < max));
            let mut twice = items.to_vec();
            if !room && twice.len() > 1 {
                twice.pop();
            }
            twice.push(first.clone());
            let why = format!("{} holds the same item twice though uniqueItems is true", self.label);
            self.put(Value::Array(twice), "uniqueItems", why);
        }
    }
}

/// A value of each type, where only the validator can say which is fine.
fn plain_values() -> [Value; 5] {
    ["a".into(), 1.into(), true.into(), Value::Array(Vec::new()), Value::Object(Map::new())]
}

/// Values of types that are not allowed here, and why; such that no server mistakes them for the right one, as it
/// might the string "5" for a number.
fn wrong_types(facts: &Facts<'_>, here: &Value, label: &str) -> Vec<(Value, String)> {
    let Some(kinds) = &facts.types else { return Vec::new() };
    let expected = described(kinds);
    let (object, array) = (Value::Object(Map::new()), Value::Array(Vec::new()));
    let wrong: [Value; 6] = if here.is_string() {
        [12345.into(), array, object, true.into(), 1.5.into(), Value::Null]
    } else {
        ["not what was asked for".into(), 1.5.into(), object, array, true.into(), Value::Null]
    };
    let numeric = kinds.iter().any(|kind| Kind::Number.includes(*kind));
    // To many a language true is a kind of 1.
    let fits =
        |kind: Kind| kinds.iter().any(|known| known.includes(kind)) || (numeric && kind == Kind::Boolean);
    let wrong = wrong.into_iter().filter(|value| !fits(Kind::of(value)));
    wrong
        .map(|value| {
            let kind = match Kind::of(&value) {
                Kind::Number if kinds.contains(&Kind::Integer) => "a number with a fraction",
                kind => kind.described(),
            };
            (value, format!("{label} is {kind}, not {expected}"))
        })
        .collect()
}

fn opposite(side: &str) -> &'static str {
    if side == "below" { "above" } else { "below" }
}

/// "an integer or null", "a string, a number or a boolean".
fn described(kinds: &[Kind]) -> String {
    let mut text = String::new();
    for (index, kind) in kinds.iter().enumerate() {
        if index > 0 {
            text.push_str(if index.saturating_add(1) == kinds.len() { " or " } else { ", " });
        }
        text.push_str(kind.described());
    }
    text
}

/// A property name as a part of a JSON Pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
