//! Messages from a schema: valid ones, and mutations that mostly are not. Same seed, same messages.

use serde_json::{Map, Value, json};

/// Below this depth only what is required is generated.
const DEEP: usize = 7;

/// A small generator of pseudo-random numbers (xorshift64*).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }
}

/// Generates from one schema document.
pub(super) struct Generator<'d> {
    document: &'d Value,
    /// The constants and enum members of the document: what a mutation swaps for another one.
    words: Vec<Value>,
}

impl<'d> Generator<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        let mut words = Vec::new();
        collect_words(document, &mut words);
        Generator { document, words }
    }

    /// An instance of `schema`, valid but for formats and unions whose branches overlap.
    pub(super) fn instance(&self, schema: &Value, random: &mut Random, depth: usize) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = self.document.pointer(reference.trim_start_matches('#')).unwrap();
            return self.instance(target, random, depth);
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            return random.pick(words).clone();
        }
        if let Some(branches) = schema.get("anyOf").and_then(Value::as_array) {
            let flat: Vec<Value> = branches
                .iter()
                .filter(|branch| depth > DEEP && branch.get("type").is_some())
                .cloned()
                .collect();
            return self.instance(
                random.pick(if flat.is_empty() { branches } else { &flat }),
                random,
                depth + 1,
            );
        }
        if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
            let mut whole = Map::new();
            for part in parts {
                whole.extend(self.instance(part, random, depth).as_object().unwrap().clone());
            }
            return Value::Object(whole);
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => random.pick(kinds).as_str().unwrap(),
            Some(kind) => kind.as_str().unwrap(),
            None => return self.anything(random, depth),
        };
        match kind {
            "object" => self.object(schema, random, depth),
            "array" => {
                let limit = if depth > DEEP { 1 } else { 3 };
                let items = schema.get("items").cloned().unwrap_or_else(|| json!({}));
                (0..random.below(limit + 1)).map(|_| self.instance(&items, random, depth + 1)).collect()
            }
            "string" => match schema.get("format").and_then(Value::as_str) {
                Some("uri") => {
                    json!(random.pick(&["file:///a/b.txt", "https://example.com/?q=1", "urn:x:y"]))
                }
                Some("uri-template") => {
                    json!(random.pick(&["file:///{path}", "db://{table}{?id,sort}", "a:b"]))
                }
                Some("byte") => json!(random.pick(&["", "AAAA", "aGk=", "Zg=="])),
                _ => json!(random.pick(&["", "a", "2025-11-25", "complete", "\u{e9}\u{1f980}"])),
            },
            "integer" => json!(bounded(schema, random)),
            "number" if random.chance(50) => json!(bounded(schema, random)),
            "number" => json!(0.5),
            "boolean" => json!(random.chance(50)),
            "null" => Value::Null,
            other => panic!("a type that the generator does not know: {other}"),
        }
    }

    fn object(&self, schema: &Value, random: &mut Random, depth: usize) -> Value {
        let mut object = Map::new();
        let required: Vec<&str> = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (name, member) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            if required.contains(&name.as_str()) || random.chance(if depth > DEEP { 0 } else { 50 }) {
                object.insert(name.clone(), self.instance(member, random, depth + 1));
            }
        }
        if depth <= DEEP && random.chance(30) {
            let rest = match schema.get("additionalProperties") {
                Some(rest @ Value::Object(_)) => rest.clone(),
                _ => json!({}),
            };
            object.insert("extra".to_owned(), self.instance(&rest, random, depth + 1));
        }
        Value::Object(object)
    }

    /// Any JSON, small.
    fn anything(&self, random: &mut Random, depth: usize) -> Value {
        match random.below(if depth > DEEP { 6 } else { 9 }) {
            0 => Value::Null,
            1 => json!(random.chance(50)),
            2 => json!(random.pick(&[0, 1, -1, 101, i64::MAX])),
            3 => json!(random.pick(&[0.5, -0.5, 1.5, 2.0, 1e300])),
            4 => json!(random.pick(&["", "x", "1", "://", "%", "\u{0}"])),
            5 if !self.words.is_empty() => random.pick(&self.words).clone(),
            6 => json!([]),
            7 => json!([self.anything(random, depth + 1)]),
            _ => json!({ "x": self.anything(random, depth + 1) }),
        }
    }

    /// Changes one place of `instance`: drops or adds a member, or puts something else there.
    pub(super) fn mutate(&self, instance: &mut Value, random: &mut Random) {
        let mut paths = Vec::new();
        collect_paths(instance, &mut String::new(), &mut paths);
        // Most places lie deep; the shallow ones say more about the definition itself.
        let shallow = random.chance(40);
        paths.retain(|path| !shallow || path.matches('/').count() <= 1);
        let path = random.pick(&paths);
        let Some(place) = instance.pointer_mut(path) else { return };
        match random.below(6) {
            0 | 1 => {
                if let Some(object) = place.as_object_mut()
                    && !object.is_empty()
                {
                    let name = object.keys().nth(random.below(object.len())).unwrap().clone();
                    object.remove(&name);
                    return;
                }
                *place = self.anything(random, 0);
            }
            2 => match place {
                Value::Object(object) => {
                    let name =
                        *random.pick(&["extra", "content", "task", "type", "_meta", "id", "result", "error"]);
                    object.insert(name.to_owned(), self.anything(random, 0));
                }
                Value::Array(items) => {
                    items.extend(vec![self.anything(random, 0); 1 + 100 * random.below(2)])
                }
                Value::Number(number) => *place = json!(-number.as_f64().unwrap() - 1.0),
                _ => *place = json!([place.take()]),
            },
            3 => *place = Value::Null,
            4 if !self.words.is_empty() => *place = random.pick(&self.words).clone(),
            _ => *place = self.anything(random, 0),
        }
    }
}

fn bounded(schema: &Value, random: &mut Random) -> i64 {
    let bound = |keyword| schema.get(keyword).and_then(Value::as_i64);
    *random.pick(&[bound("minimum").unwrap_or(-3), bound("maximum").unwrap_or(7), 1])
}

fn collect_words(schema: &Value, words: &mut Vec<Value>) {
    match schema {
        Value::Object(keywords) => {
            let listed = keywords.get("enum").and_then(Value::as_array).into_iter().flatten();
            for word in listed.chain(keywords.get("const")).filter(|word| !word.is_object()) {
                if !words.contains(word) {
                    words.push(word.clone());
                }
            }
            keywords.values().for_each(|inner| collect_words(inner, words));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect_words(inner, words)),
        _ => {}
    }
}

fn collect_paths(value: &Value, path: &mut String, paths: &mut Vec<String>) {
    paths.push(path.clone());
    let mut descend = |name: &str, inner: &Value| {
        let length = path.len();
        path.push('/');
        path.push_str(&name.replace('~', "~0").replace('/', "~1"));
        collect_paths(inner, path, paths);
        path.truncate(length);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(name, inner)| descend(name, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| descend(&index.to_string(), inner));
        }
        _ => {}
    }
}
