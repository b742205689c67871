//! What a tool is, and how it is listed in each revision.

use serde_json::{Value, json};

use crate::context::Context;
use crate::dispatch::{Outcome, Work};
use crate::fixtures::PNG;
use crate::jsonrpc::Object;
use crate::revision::Revision;

/// How a tool does its work.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// At once.
    Now(fn(&Context, &Object) -> Outcome),
    /// It waits for something.
    Later(fn(Context, Object) -> Work),
}

/// Whether a tool can be called as a task (2025-11-25).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    Forbidden,
    Optional,
    Required,
}

/// One tool.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    title: &'static str,
    description: &'static str,
    pub(crate) input_schema: Value,
    output_schema: Option<Value>,
    /// Has no effects; all fixtures are like that but those that exist for their effect.
    read_only: bool,
    pub(crate) task_support: TaskSupport,
    since: Revision,
    until: Revision,
    /// In the list only at times.
    pub(crate) comes_and_goes: bool,
    pub(crate) run: Run,
}

impl Tool {
    /// A harmless tool of all revisions without arguments.
    pub(crate) fn new(name: &'static str, title: &'static str, description: &'static str, run: Run) -> Self {
        Self {
            name,
            title,
            description,
            input_schema: json!({ "type": "object", "additionalProperties": false }),
            output_schema: None,
            read_only: true,
            task_support: TaskSupport::Forbidden,
            since: Revision::V2024_11_05,
            until: Revision::V2026_07_28,
            comes_and_goes: false,
            run,
        }
    }

    pub(crate) fn input(mut self, schema: Value) -> Self {
        self.input_schema = schema;
        self
    }

    pub(crate) fn output(mut self, schema: Value) -> Self {
        self.output_schema = Some(schema);
        self
    }

    pub(crate) fn since(mut self, revision: Revision) -> Self {
        self.since = revision;
        self
    }

    pub(crate) fn until(mut self, revision: Revision) -> Self {
        self.until = revision;
        self
    }

    pub(crate) fn with_effects(mut self) -> Self {
        self.read_only = false;
        self
    }

    pub(crate) fn coming_and_going(mut self) -> Self {
        self.comes_and_goes = true;
        self
    }

    pub(crate) fn callable_as_task(mut self, support: TaskSupport) -> Self {
        self.task_support = support;
        self
    }

    pub(crate) fn exists_in(&self, revision: Revision) -> bool {
        (self.since..=self.until).contains(&revision)
    }

    /// The entry in `tools/list`, with the members that the revision knows and no others.
    pub(crate) fn describe(&self, revision: Revision) -> Value {
        let mut entry = Object::new();
        entry.insert("name".into(), self.name.into());
        if revision >= Revision::V2025_06_18 {
            entry.insert("title".into(), self.title.into());
        }
        entry.insert("description".into(), self.description.into());
        entry.insert("inputSchema".into(), self.input_schema.clone());
        if revision >= Revision::V2025_06_18
            && let Some(schema) = &self.output_schema
        {
            entry.insert("outputSchema".into(), schema.clone());
        }
        if revision >= Revision::V2025_03_26 {
            let mut annotations = json!({ "readOnlyHint": self.read_only, "openWorldHint": false });
            if let (false, Some(annotations)) = (self.read_only, annotations.as_object_mut()) {
                annotations.insert("destructiveHint".into(), false.into());
            }
            entry.insert("annotations".into(), annotations);
        }
        if revision >= Revision::V2025_11_25 && self.name == "test_image_content" {
            let src = format!("data:image/png;base64,{PNG}");
            entry.insert("icons".into(), json!([{ "src": src, "mimeType": "image/png", "sizes": ["1x1"] }]));
        }
        if revision == Revision::V2025_11_25 && self.task_support != TaskSupport::Forbidden {
            let support = if self.task_support == TaskSupport::Required { "required" } else { "optional" };
            entry.insert("execution".into(), json!({ "taskSupport": support }));
        }
        Value::Object(entry)
    }
}

/// A result of one text.
pub(crate) fn text(text: &str) -> Outcome {
    Ok(json!({ "content": [{ "type": "text", "text": text }] }))
}

/// A result that reports a failure to the model, which may try again (as opposed to a protocol error).
pub(crate) fn failure(text: &str) -> Outcome {
    Ok(json!({ "content": [{ "type": "text", "text": text }], "isError": true }))
}

/// An argument that the input schema has shown to be a string.
pub(crate) fn string<'a>(arguments: &'a Object, name: &str) -> &'a str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}
