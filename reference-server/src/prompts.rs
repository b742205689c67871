//! Prompts (spec page `server/prompts`).

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::context::Context;
use crate::fixtures::PNG;
use crate::jsonrpc::{Object, RpcError};
use crate::mrtr::{self, Gathered, Need};
use crate::pagination;
use crate::revision::Revision;

struct Prompt {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Name, description, required.
    arguments: &'static [(&'static str, &'static str, bool)],
    since: Revision,
}

const ALWAYS: Revision = Revision::V2024_11_05;

const PROMPTS: &[Prompt] = &[
    Prompt {
        name: "test_simple_prompt",
        title: "Simple prompt",
        description: "One user message",
        arguments: &[],
        since: ALWAYS,
    },
    Prompt {
        name: "test_prompt_with_arguments",
        title: "Prompt with arguments",
        description: "Puts two required arguments into its text",
        arguments: &[("arg1", "First argument", true), ("arg2", "Second argument", true)],
        since: ALWAYS,
    },
    Prompt {
        name: "test_prompt_with_embedded_resource",
        title: "Prompt with an embedded resource",
        description: "Embeds a text resource under the URI given",
        arguments: &[("resourceUri", "URI of the embedded resource", true)],
        since: ALWAYS,
    },
    Prompt {
        name: "test_prompt_with_image",
        title: "Prompt with an image",
        description: "An image and a question about it",
        arguments: &[],
        since: ALWAYS,
    },
    Prompt {
        name: "test_prompt_with_city",
        title: "Prompt with completion",
        description: "Arguments of which the second completes in the light of the first",
        arguments: &[("country", "A country", true), ("city", "A city of that country", false)],
        since: ALWAYS,
    },
    Prompt {
        name: "test_input_required_result_prompt",
        title: "Prompt that asks back",
        description: "Needs to ask the user before it can answer",
        arguments: &[],
        since: Revision::V2026_07_28,
    },
];

const DYNAMIC: Prompt = Prompt {
    name: "test_dynamic_prompt",
    title: "Dynamic prompt",
    description: "Comes and goes",
    arguments: &[],
    since: ALWAYS,
};

fn prompts_of(context: &Context) -> impl Iterator<Item = &'static Prompt> {
    let revision = context.revision();
    let extra = context.session.server.extra_prompt.load(Ordering::Relaxed);
    PROMPTS.iter().chain(extra.then_some(&DYNAMIC)).filter(move |prompt| prompt.since <= revision)
}

/// Answers `prompts/list`.
pub(crate) fn list(context: &Context) -> Result<Value, RpcError> {
    let titled = context.revision() >= Revision::V2025_06_18;
    let entries = prompts_of(context).map(|prompt| describe(prompt, titled)).collect();
    pagination::page(context, "prompts", 4, entries)
}

fn describe(prompt: &Prompt, titled: bool) -> Value {
    let arguments: Vec<Value> = prompt
        .arguments
        .iter()
        .map(|(name, description, required)| json!({ "name": name, "description": description, "required": required }))
        .collect();
    let mut entry = json!({ "name": prompt.name, "description": prompt.description });
    if let Some(entry) = entry.as_object_mut() {
        if titled {
            entry.insert("title".into(), prompt.title.into());
        }
        if !arguments.is_empty() {
            entry.insert("arguments".into(), Value::Array(arguments));
        }
    }
    entry
}

/// True if the prompt exists and has the argument (for completion).
pub(crate) fn has_argument(context: &Context, name: &str, argument: &str) -> Option<bool> {
    let prompt = prompts_of(context).find(|prompt| prompt.name == name)?;
    Some(prompt.arguments.iter().any(|(other, ..)| *other == argument))
}

/// Answers `prompts/get`.
pub(crate) fn get(context: &Context) -> Result<Value, RpcError> {
    let params = &context.request.params;
    let name = params.get("name").and_then(Value::as_str);
    let name = name.ok_or_else(|| RpcError::invalid_params("name must be a string"))?;
    let none = Object::new();
    let arguments = match params.get("arguments") {
        None => &none,
        Some(Value::Object(arguments)) if arguments.values().all(Value::is_string) => arguments,
        Some(_) => return Err(RpcError::invalid_params("arguments must be an object of strings")),
    };
    let prompt = prompts_of(context).find(|prompt| prompt.name == name);
    let prompt = prompt.ok_or_else(|| RpcError::invalid_params(format!("Unknown prompt: {name}")))?;
    for (argument, _, required) in prompt.arguments {
        if *required && !arguments.contains_key(*argument) {
            return Err(RpcError::invalid_params(format!("Missing required argument: {argument}")));
        }
    }
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let messages = match prompt.name {
        "test_prompt_with_arguments" => {
            vec![user_text(&format!(
                "Prompt with arguments: arg1='{}', arg2='{}'",
                text("arg1"),
                text("arg2")
            ))]
        }
        "test_prompt_with_embedded_resource" => vec![
            user(json!({ "type": "resource", "resource": {
                "uri": text("resourceUri"), "mimeType": "text/plain", "text": "Embedded resource content for testing.",
            }})),
            user_text("Please process the embedded resource above."),
        ],
        "test_prompt_with_image" => vec![
            user(json!({ "type": "image", "data": PNG, "mimeType": "image/png" })),
            user_text("Please analyze the image above."),
        ],
        "test_prompt_with_city" => {
            vec![user_text(&format!("Tell me about {} in {}.", text("city"), text("country")))]
        }
        "test_dynamic_prompt" => vec![user_text("This prompt comes and goes.")],
        "test_input_required_result_prompt" => return ask_for_context(context),
        _ => vec![user_text("This is a simple prompt for testing.")],
    };
    Ok(json!({ "description": prompt.description, "messages": messages }))
}

fn ask_for_context(context: &Context) -> Result<Value, RpcError> {
    let need = Need::form(
        "user_context",
        "What is the context?",
        json!({
            "type": "object", "properties": { "context": { "type": "string" } }, "required": ["context"],
        }),
    );
    match mrtr::gather(context, &[need], None)? {
        Gathered::Ask(result) => Ok(result),
        Gathered::Answers(answers) => {
            let text = mrtr::form_value(&answers, "user_context", "context").unwrap_or("(not given)");
            Ok(json!({ "messages": [user_text(&format!("Use this context: {text}"))] }))
        }
    }
}

fn user(content: Value) -> Value {
    json!({ "role": "user", "content": content })
}

fn user_text(text: &str) -> Value {
    user(json!({ "type": "text", "text": text }))
}
