//! Assembles the JSON Schema document of one revision from the model.

use serde_json::{Map, Value, json};

use super::error::SchemaError;
use super::model::{Definition, Form, Object, Ranged};
use crate::revision::Revision;

/// How deep shapes may be written in place before it must be a cycle.
const MAX_DEPTH: usize = 32;

/// The dialect that the published schema of `revision` is written in.
fn dialect(revision: Revision) -> &'static str {
    if revision <= Revision::R2025_06_18 {
        "http://json-schema.org/draft-07/schema#"
    } else {
        "https://json-schema.org/draft/2020-12/schema"
    }
}

/// The member of the document that holds the definitions.
pub(super) fn container(revision: Revision) -> &'static str {
    if revision <= Revision::R2025_06_18 { "definitions" } else { "$defs" }
}

/// The document of `revision`, with the definitions in the order of the source.
pub(super) fn document(definitions: &[Definition], revision: Revision) -> Result<Value, SchemaError> {
    let assembly = Assembly { definitions, revision };
    let mut named = Map::new();
    for definition in definitions.iter().filter(|definition| definition.revisions.contains(revision)) {
        // What is written in place is assembled too, so that its mistakes show.
        let schema = assembly.form(&definition.form, &definition.place, 0)?;
        if !definition.inline.contains(revision) {
            named.insert(definition.name.clone(), schema);
        }
    }
    let mut document = Map::new();
    document.insert("$schema".to_owned(), dialect(revision).into());
    document.insert(container(revision).to_owned(), Value::Object(named));
    Ok(Value::Object(document))
}

/// The definition of that name in `revision`.
pub(super) fn find<'d>(
    definitions: &'d [Definition],
    name: &str,
    revision: Revision,
) -> Option<&'d Definition> {
    definitions.iter().find(|definition| definition.name == name && definition.revisions.contains(revision))
}

struct Assembly<'d> {
    definitions: &'d [Definition],
    revision: Revision,
}

/// Members gathered from an object and what it includes.
#[derive(Default)]
struct Gathered {
    properties: Map<String, Value>,
    required: Vec<String>,
    rest: Option<Value>,
}

impl<'d> Assembly<'d> {
    fn find(&self, name: &str, place: &str, depth: usize) -> Result<&'d Definition, SchemaError> {
        if depth > MAX_DEPTH {
            return Err(SchemaError::Cycle { place: place.to_owned(), name: name.to_owned() });
        }
        find(self.definitions, name, self.revision).ok_or_else(|| SchemaError::Undefined {
            place: place.to_owned(),
            name: name.to_owned(),
            revision: self.revision,
        })
    }

    fn form(&self, form: &Form, place: &str, depth: usize) -> Result<Value, SchemaError> {
        Ok(match form {
            Form::Any => json!({}),
            Form::Types(types) => match types.as_slice() {
                [only] => json!({ "type": only }),
                several => json!({ "type": several }),
            },
            Form::Format(format) => json!({ "type": "string", "format": format }),
            Form::Number { json_type, minimum, maximum } => {
                let mut schema = json!({ "type": json_type });
                for (keyword, bound) in [("minimum", minimum), ("maximum", maximum)] {
                    if let (Some(bound), Some(keywords)) = (bound, schema.as_object_mut()) {
                        keywords.insert(keyword.to_owned(), bound.clone());
                    }
                }
                schema
            }
            Form::Const(value) => {
                json!({ "type": if value.is_string() { "string" } else { "integer" }, "const": value })
            }
            Form::Enum(words) => json!({ "type": "string", "enum": self.holding(words).collect::<Vec<_>>() }),
            Form::Array { item, max_items } => {
                let items = self.form(item, place, depth)?;
                match max_items {
                    Some(limit) => json!({ "type": "array", "items": items, "maxItems": limit }),
                    None => json!({ "type": "array", "items": items }),
                }
            }
            Form::Union(branches) => {
                let mut schemas = self
                    .holding(branches)
                    .map(|branch| self.form(branch, place, depth))
                    .collect::<Result<Vec<_>, _>>()?;
                if schemas.len() == 1 { schemas.swap_remove(0) } else { json!({ "anyOf": schemas }) }
            }
            Form::Reference(name) => {
                let definition = self.find(name, place, depth)?;
                if definition.inline.contains(self.revision) {
                    self.form(&definition.form, place, depth + 1)?
                } else {
                    json!({ "$ref": format!("#/{}/{name}", container(self.revision)) })
                }
            }
            Form::Object(object) => {
                let mut gathered = Gathered::default();
                self.gather(object, &mut gathered, place, depth)?;
                gathered.schema()
            }
        })
    }

    fn holding<'r, T>(&self, list: &'r [Ranged<T>]) -> impl Iterator<Item = &'r T> {
        let revision = self.revision;
        list.iter().filter_map(move |entry| entry.at(revision))
    }

    /// Adds the members of `object`: what it includes first, so that its own win.
    fn gather(
        &self,
        object: &Object,
        into: &mut Gathered,
        place: &str,
        depth: usize,
    ) -> Result<(), SchemaError> {
        for name in self.holding(&object.include) {
            let included = self.find(name, place, depth)?;
            let Form::Object(members) = &included.form else {
                return Err(SchemaError::NotAnObject { place: place.to_owned(), name: name.clone() });
            };
            self.gather(members, into, place, depth + 1)?;
        }
        for member in object.members.iter().filter(|member| member.revisions.contains(self.revision)) {
            let schema = self.form(&member.form, &format!("{place}.{}", member.name), depth)?;
            into.properties.insert(member.name.clone(), schema);
            into.required.retain(|name| *name != member.name);
            if member.required {
                into.required.push(member.name.clone());
            }
        }
        if let Some(rest) = self.holding(&object.rest).next() {
            into.rest = Some(self.form(rest, place, depth)?);
        }
        Ok(())
    }
}

impl Gathered {
    fn schema(self) -> Value {
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        if !self.properties.is_empty() {
            schema.insert("properties".to_owned(), Value::Object(self.properties));
        }
        if !self.required.is_empty() {
            schema.insert("required".to_owned(), self.required.into());
        }
        if let Some(rest) = self.rest {
            schema.insert("additionalProperties".to_owned(), rest);
        }
        Value::Object(schema)
    }
}
