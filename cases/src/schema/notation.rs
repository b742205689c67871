//! Reads the notation of `cases/schemas/README.md` into the model.

use serde_json::{Map, Value};

use super::error::SchemaError;
use super::model::{Definition, Form, Member, Method, Object, Ranged};
use crate::revision::RevisionSet;
use crate::yaml;

const FORM_KEYS: &str =
    "`members`, `include`, `rest`, `union`, `enum`, `const`, `array`, `type`, `request`, or `notification`";

/// A place in the source and the revisions that what is around it has.
#[derive(Clone)]
struct Scope {
    place: String,
    revisions: RevisionSet,
}

impl Scope {
    fn inside(&self, name: &str, revisions: RevisionSet) -> Scope {
        Scope { place: format!("{}.{name}", self.place), revisions }
    }

    fn malformed(&self, expected: &'static str) -> SchemaError {
        SchemaError::Malformed { place: self.place.clone(), expected }
    }

    fn unknown_key(&self, key: &str, known: &'static str) -> SchemaError {
        SchemaError::UnknownKey { place: self.place.clone(), key: key.to_owned(), known }
    }

    fn range(&self, text: &str) -> Result<RevisionSet, SchemaError> {
        text.parse().map_err(|source| SchemaError::Range { place: self.place.clone(), source })
    }

    /// Splits `name RANGE`; without a range the revisions are those of the place.
    fn ranged<'t>(&self, text: &'t str) -> Result<(&'t str, RevisionSet), SchemaError> {
        let Some((name, range)) = text.split_once(' ') else { return Ok((text, self.revisions)) };
        let revisions = self.range(range)?.intersection(self.revisions);
        if revisions.is_empty() {
            return Err(SchemaError::NeverHolds { place: format!("{}.{text}", self.place) });
        }
        Ok((name, revisions))
    }

    fn duplicate(&self, name: &str, ours: RevisionSet, theirs: RevisionSet) -> Result<(), SchemaError> {
        match ours.intersection(theirs).iter().next() {
            None => Ok(()),
            Some(revision) => {
                Err(SchemaError::Duplicate { place: self.place.clone(), name: name.to_owned(), revision })
            }
        }
    }
}

/// Reads files of definitions, each given with its name.
pub(super) fn read(files: &[(&str, &str)]) -> Result<Vec<Definition>, SchemaError> {
    let mut definitions: Vec<Definition> = Vec::new();
    for (file, text) in files {
        let scope = Scope { place: (*file).to_owned(), revisions: RevisionSet::ALL };
        let entries: Map<String, Value> = yaml::read(file, text)?;
        for (key, body) in &entries {
            let definition = definition(&scope, key, body)?;
            for earlier in definitions.iter().filter(|earlier| earlier.name == definition.name) {
                scope.duplicate(&definition.name, definition.revisions, earlier.revisions)?;
            }
            definitions.push(definition);
        }
    }
    Ok(definitions)
}

fn definition(file: &Scope, key: &str, body: &Value) -> Result<Definition, SchemaError> {
    let (name, revisions) = file.ranged(key)?;
    let scope = Scope { place: format!("{}: {name}", file.place), revisions };
    if !name.starts_with(|first: char| first.is_ascii_uppercase()) {
        return Err(scope.malformed("a name that begins with a capital"));
    }
    let mut inline = RevisionSet::EMPTY;
    let mut body = body.clone();
    if let Some(range) = body.as_object_mut().and_then(|keys| keys.shift_remove("inline")) {
        inline = scope.range(range.as_str().ok_or_else(|| scope.malformed("a range"))?)?;
    }
    let (form, method) = match body.as_object() {
        Some(keys) if keys.contains_key("request") || keys.contains_key("notification") => {
            let (form, method) = message(&scope, keys)?;
            (form, Some(method))
        }
        _ => (form(&scope, &body)?, None),
    };
    Ok(Definition { name: name.to_owned(), place: scope.place, revisions, inline, form, method })
}

/// A request or notification: an object whose envelope and `method` are implied.
fn message(scope: &Scope, keys: &Map<String, Value>) -> Result<(Form, Method), SchemaError> {
    let mut envelope = ("NotificationEnvelope", scope.revisions);
    let mut name = None;
    let mut results = Vec::new();
    let mut params = Vec::new();
    for (key, value) in keys {
        let here = scope.inside(key, scope.revisions);
        let text = || value.as_str().ok_or_else(|| here.malformed("a word"));
        match key.as_str() {
            "request" => {
                name = Some(text()?);
                envelope.0 = "RequestEnvelope";
            }
            "notification" => name = Some(text()?),
            "embedded" => {
                let embedded = here.range(text()?)?;
                envelope.1 = envelope.1.iter().filter(|revision| !embedded.contains(*revision)).collect();
            }
            "result" => results = words(&here, value)?,
            _ if key.starts_with("params") => {
                member(scope, &mut params, key, value)?;
            }
            _ => {
                return Err(
                    scope.unknown_key(key, "`request`, `notification`, `params`, `result`, or `embedded`")
                );
            }
        }
    }
    let name = name.ok_or_else(|| scope.malformed("a method"))?.to_owned();
    let mut members = vec![Member {
        name: "method".to_owned(),
        required: true,
        revisions: scope.revisions,
        form: Form::Const(Value::String(name.clone())),
    }];
    members.append(&mut params);
    let include = vec![Ranged { revisions: envelope.1, value: envelope.0.to_owned() }];
    Ok((Form::Object(Object { include, members, rest: Vec::new() }), Method { name, results }))
}

fn form(scope: &Scope, body: &Value) -> Result<Form, SchemaError> {
    match body {
        Value::String(text) => word(scope, text),
        Value::Array(items) => match items.as_slice() {
            [item] => Ok(Form::Array { item: Box::new(form(scope, item)?), max_items: None }),
            _ => Err(scope.malformed("a list of exactly one shape, which stands for an array of it")),
        },
        Value::Object(keys) => mapping(scope, keys),
        _ => Err(scope.malformed("a word, a list of one shape, or a mapping")),
    }
}

/// A shape written as a word: a type, several types, a format, or the name of a definition.
fn word(scope: &Scope, text: &str) -> Result<Form, SchemaError> {
    let unknown = || SchemaError::UnknownWord { place: scope.place.clone(), word: text.to_owned() };
    match text {
        "any" => Ok(Form::Any),
        "uri" => Ok(Form::Format("uri")),
        "uri-template" => Ok(Form::Format("uri-template")),
        "byte" => Ok(Form::Format("byte")),
        _ if text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.chars().all(|char| char.is_ascii_alphanumeric()) =>
        {
            Ok(Form::Reference(text.to_owned()))
        }
        _ => {
            let types: Option<Vec<&'static str>> = text.split('|').map(json_type).collect();
            types.map(Form::Types).ok_or_else(unknown)
        }
    }
}

fn json_type(word: &str) -> Option<&'static str> {
    ["string", "integer", "number", "boolean", "null", "object"].into_iter().find(|known| *known == word)
}

fn mapping(scope: &Scope, keys: &Map<String, Value>) -> Result<Form, SchemaError> {
    let Some((first, value)) = keys.iter().next() else { return Err(scope.malformed("a shape")) };
    let allow = |known: &'static str, allowed: &[&str]| match keys
        .keys()
        .find(|key| !allowed.contains(&key.split_once(' ').map_or(key.as_str(), |(name, _)| name)))
    {
        Some(key) => Err(scope.unknown_key(key, known)),
        None => Ok(()),
    };
    let here = || scope.inside(first, scope.revisions);
    match first.split_once(' ').map_or(first.as_str(), |(name, _)| name) {
        "const" => {
            allow("only `const`", &["const"])?;
            Ok(Form::Const(value.clone()))
        }
        "enum" => {
            allow("only `enum`", &["enum"])?;
            Ok(Form::Enum(words(&here(), value)?))
        }
        "union" => {
            allow("only `union`", &["union"])?;
            union(&here(), value)
        }
        "array" => {
            allow("`array` and `maxItems`", &["array", "maxItems"])?;
            let max_items = match keys.get("maxItems") {
                Some(limit) => Some(limit.as_u64().ok_or_else(|| scope.malformed("a whole number"))?),
                None => None,
            };
            Ok(Form::Array { item: Box::new(form(&here(), value)?), max_items })
        }
        "type" => {
            allow("`type`, `minimum`, and `maximum`", &["type", "minimum", "maximum"])?;
            let json_type = value.as_str().and_then(json_type).ok_or_else(|| scope.malformed("a type"))?;
            let bound = |key| keys.get(key).filter(|bound: &&Value| bound.is_number()).cloned();
            Ok(Form::Number {
                json_type: json_type.to_owned(),
                minimum: bound("minimum"),
                maximum: bound("maximum"),
            })
        }
        "members" | "include" | "rest" => {
            allow("`members`, `include`, and `rest`", &["members", "include", "rest"])?;
            object(scope, keys)
        }
        _ => Err(scope.unknown_key(first, FORM_KEYS)),
    }
}

fn object(scope: &Scope, keys: &Map<String, Value>) -> Result<Form, SchemaError> {
    let mut object = Object::default();
    for (key, value) in keys {
        let (name, revisions) = scope.ranged(key)?;
        let here = scope.inside(name, revisions);
        match name {
            "include" => object.include.extend(words(&here, value)?),
            "rest" => object.rest.push(Ranged { revisions, value: form(&here, value)? }),
            _ => {
                for (key, value) in value.as_object().ok_or_else(|| here.malformed("a mapping of members"))? {
                    member(&here, &mut object.members, key, value)?;
                }
            }
        }
    }
    Ok(Form::Object(object))
}

/// A member: `name`, `name?`, either with a range.
fn member(scope: &Scope, members: &mut Vec<Member>, key: &str, body: &Value) -> Result<(), SchemaError> {
    let (name, revisions) = scope.ranged(key)?;
    let (name, required) = match name.strip_suffix('?') {
        Some(name) => (name, false),
        None => (name, true),
    };
    for earlier in members.iter().filter(|earlier| earlier.name == name) {
        scope.duplicate(name, revisions, earlier.revisions)?;
    }
    let form = form(&scope.inside(name, revisions), body)?;
    members.push(Member { name: name.to_owned(), required, revisions, form });
    Ok(())
}

fn union(scope: &Scope, list: &Value) -> Result<Form, SchemaError> {
    let mut branches = Vec::new();
    for branch in list.as_array().ok_or_else(|| scope.malformed("a list of shapes"))? {
        branches.push(match branch {
            Value::String(text) => {
                let (name, revisions) = scope.ranged(text)?;
                Ranged { revisions, value: word(scope, name)? }
            }
            _ => Ranged { revisions: scope.revisions, value: form(scope, branch)? },
        });
    }
    Ok(Form::Union(branches))
}

fn words(scope: &Scope, list: &Value) -> Result<Vec<Ranged<String>>, SchemaError> {
    list.as_array()
        .ok_or_else(|| scope.malformed("a list of words"))?
        .iter()
        .map(|word| {
            let (name, revisions) = scope.ranged(word.as_str().ok_or_else(|| scope.malformed("a word"))?)?;
            Ok(Ranged { revisions, value: name.to_owned() })
        })
        .collect()
}
