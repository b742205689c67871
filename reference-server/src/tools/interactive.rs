//! Tools that ask the client while they run (stateful era): sampling, elicitation and roots (spec pages
//! `client/sampling`, `client/elicitation`, `client/roots`). Nothing is asked of a client that did not declare it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::tool::{Run, TaskSupport, Tool, failure, string, text};
use crate::context::Context;
use crate::dispatch::Outcome;
use crate::jsonrpc::{self, Object, RpcError, code};
use crate::outbox::Outgoing;
use crate::revision::Revision;
use crate::schema;

const LAST: Revision = Revision::LATEST_STATEFUL;

pub(super) fn official_tools() -> Vec<Tool> {
    vec![
        Tool::new("test_sampling", "Sampling", "Has the client's model answer a prompt", Run::Later(|context, arguments| {
            Box::pin(async move { sample(&context, string(&arguments, "prompt")).await })
        }))
        .input(one_string("prompt"))
        .until(LAST),
        Tool::new("test_elicitation", "Elicitation", "Asks the user for name and address", Run::Later(|context, arguments| {
            Box::pin(async move {
                let schema = json!({
                    "type": "object",
                    "properties": { "username": { "type": "string" }, "email": { "type": "string" } },
                    "required": ["username", "email"],
                });
                elicit(&context, string(&arguments, "message"), schema, "User response").await
            })
        }))
        .input(one_string("message"))
        .since(Revision::V2025_06_18)
        .until(LAST)
        .callable_as_task(TaskSupport::Optional),
        Tool::new("test_elicitation_sep1034_defaults", "Defaults", "Asks with defaults of all types", Run::Later(|context, _| {
            Box::pin(async move {
                let schema = json!({
                    "type": "object",
                    "properties": {
                        "name": { "type": "string", "default": "John Doe" },
                        "age": { "type": "integer", "default": 30 },
                        "score": { "type": "number", "default": 95.5 },
                        "status": { "type": "string", "enum": ["active", "inactive", "pending"], "default": "active" },
                        "verified": { "type": "boolean", "default": true },
                    },
                    "required": [],
                });
                elicit(&context, "Please check these defaults", schema, "Elicitation completed").await
            })
        }))
        .since(Revision::V2025_11_25)
        .until(LAST),
        Tool::new("test_elicitation_sep1330_enums", "Choices", "Asks with all forms of choices", Run::Later(|context, _| {
            Box::pin(async move { elicit(&context, "Please choose", choices(), "Elicitation completed").await })
        }))
        .since(Revision::V2025_11_25)
        .until(LAST),
    ]
}

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_roots",
            "Roots",
            "Asks the client for its roots",
            Run::Later(|context, _| {
                Box::pin(async move {
                    if !context.caller.capabilities.has("roots") {
                        return undeclared("roots");
                    }
                    match context.ask("roots/list", Object::new()).await {
                        Ok(answer) => {
                            text(&format!("Roots: {}", answer.get("roots").unwrap_or(&Value::Null)))
                        }
                        Err(error) => failure(&format!("No roots: {error}")),
                    }
                })
            }),
        )
        .until(LAST),
        Tool::new(
            "test_elicitation_url",
            "URL elicitation",
            "Asks the user to visit a URL",
            Run::Later(|context, _| {
                Box::pin(async move {
                    if !context.caller.capabilities.has_url_elicitation() {
                        return undeclared("elicitation.url");
                    }
                    let asked = url_elicitation();
                    let id = asked.get("elicitationId").cloned().unwrap_or_default();
                    let answer = match context.ask("elicitation/create", jsonrpc::object(asked)).await {
                        Ok(answer) => answer,
                        Err(error) => return failure(&format!("No answer: {error}")),
                    };
                    let action = answer.get("action").and_then(Value::as_str).unwrap_or("none");
                    if action == "accept" {
                        // There is no page to wait for, so the visit is over as soon as it is agreed to.
                        let params = jsonrpc::object(json!({ "elicitationId": id }));
                        context.out.send(Outgoing::other(jsonrpc::notification(
                            "notifications/elicitation/complete",
                            params,
                        )));
                    }
                    text(&format!("The user's answer: {action}"))
                })
            }),
        )
        .since(Revision::V2025_11_25)
        .until(LAST),
        Tool::new(
            "test_url_elicitation_required",
            "URL required",
            "Refuses to work until a URL was visited",
            Run::Now(|context, _| {
                if !context.caller.capabilities.has_url_elicitation() {
                    return undeclared("elicitation.url");
                }
                Err(RpcError::new(code::URL_ELICITATION_REQUIRED, "A URL must be visited first")
                    .with_data(json!({ "elicitations": [url_elicitation()] })))
            }),
        )
        .since(Revision::V2025_11_25)
        .until(LAST),
    ]
}

fn one_string(name: &str) -> Value {
    json!({ "type": "object", "properties": { name: { "type": "string" } }, "required": [name], "additionalProperties": false })
}

fn undeclared(capability: &str) -> Outcome {
    failure(&format!("The client did not declare {capability}"))
}

async fn sample(context: &Context, prompt: &str) -> Outcome {
    if !context.caller.capabilities.has("sampling") {
        return undeclared("sampling");
    }
    let params = jsonrpc::object(json!({
        "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
        "maxTokens": 100,
    }));
    let answer = match context.ask("sampling/createMessage", params).await {
        Ok(answer) => answer,
        Err(error) => return failure(&format!("No answer from the client's model: {error}")),
    };
    // One block, or from 2025-11-25 possibly several.
    let first = answer.pointer("/content/text").or_else(|| answer.pointer("/content/0/text"));
    match first.and_then(Value::as_str) {
        Some(answer) => text(&format!("LLM response: {answer}")),
        None => failure("The client's model answered without text"),
    }
}

async fn elicit(context: &Context, message: &str, schema: Value, opening: &str) -> Outcome {
    if !context.caller.capabilities.has_form_elicitation() {
        return undeclared("elicitation");
    }
    let mut params = jsonrpc::object(json!({ "message": message, "requestedSchema": schema }));
    if context.revision() >= Revision::V2025_11_25 {
        params.insert("mode".into(), "form".into());
    }
    let answer = match context.ask("elicitation/create", params).await {
        Ok(answer) => answer,
        Err(error) => return failure(&format!("No answer from the user: {error}")),
    };
    let action = answer.get("action").and_then(Value::as_str);
    let content = answer.get("content").cloned().unwrap_or_else(|| json!({}));
    match action {
        Some("accept") => match schema::first_problem(&schema, &content) {
            Some(problem) => failure(&format!("The answer does not fit the form: {problem}")),
            None => text(&format!("{opening}: action=accept, content={content}")),
        },
        Some(action @ ("decline" | "cancel")) => text(&format!("{opening}: action={action}, content={{}}")),
        _ => failure("The client's answer has no known action"),
    }
}

fn url_elicitation() -> Value {
    static LAST_ID: AtomicU64 = AtomicU64::new(0);
    let id = format!("elicitation-{}-{}", std::process::id(), LAST_ID.fetch_add(1, Ordering::Relaxed));
    json!({ "mode": "url", "elicitationId": id, "url": format!("https://example.com/visit/{id}"),
        "message": "Please visit this page." })
}

fn choices() -> Value {
    let titled = |titles: [&str; 3]| -> Vec<Value> {
        let values = ["value1", "value2", "value3"];
        values.iter().zip(titles).map(|(value, title)| json!({ "const": value, "title": title })).collect()
    };
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": ["option1", "option2", "option3"] },
            "titledSingle": { "type": "string", "oneOf": titled(["First", "Second", "Third"]) },
            "legacyEnum": { "type": "string", "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"] },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": ["option1", "option2", "option3"] } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled(["First", "Second", "Third"]) } },
        },
        "required": [],
    })
}
