//! Tools that ask the client by answering `input_required` (stateless era, see [`crate::mrtr`]).

use serde_json::{Value, json};

use super::tool::{Run, Tool, text};
use crate::context::Context;
use crate::dispatch::Outcome;
use crate::jsonrpc::Object;
use crate::mrtr::{self, Gathered, Need};
use crate::revision::Revision;
use crate::stateless;

pub(super) fn tools() -> Vec<Tool> {
    let tool = |name, title, description, run| {
        Tool::new(name, title, description, Run::Now(run)).since(Revision::V2026_07_28)
    };
    vec![
        tool(
            "test_missing_capability",
            "Needs sampling",
            "Refuses clients without sampling",
            |context, _| {
                if context.caller.capabilities.has("sampling") {
                    return text("The client declares sampling.");
                }
                Err(stateless::missing_capability(&json!({ "sampling": {} })))
            },
        ),
        tool("test_streaming_elicitation", "No requests", "Never asks on the stream", |_, _| {
            text("Questions come as results in this revision, never as requests.")
        }),
        tool(
            "test_input_required_result_elicitation",
            "Asks a name",
            "Asks the user's name",
            |context, _| match mrtr::gather(context, &[ask_name("user_name", "What is your name?")], None)? {
                Gathered::Ask(result) => Ok(result),
                Gathered::Answers(answers) => greet(&answers, "user_name"),
            },
        ),
        tool(
            "test_input_required_result_sampling",
            "Asks the model",
            "Asks the client's model",
            |context, _| match mrtr::gather(
                context,
                &[Need::sampling("capital_question", "What is the capital of France?", 100)],
                None,
            )? {
                Gathered::Ask(result) => Ok(result),
                Gathered::Answers(answers) => {
                    text(&format!("The model said: {}", said(&answers, "capital_question")))
                }
            },
        ),
        tool(
            "test_input_required_result_list_roots",
            "Asks for roots",
            "Asks for the client's roots",
            |context, _| match mrtr::gather(context, &[Need::roots("client_roots")], None)? {
                Gathered::Ask(result) => Ok(result),
                Gathered::Answers(answers) => text(&format!("Roots: {}", root_uris(&answers))),
            },
        ),
        tool("test_input_required_result_request_state", "Keeps state", "Asks, with state", |context, _| {
            confirm(context, "Please confirm", "state-ok")
        }),
        tool(
            "test_input_required_result_multiple_inputs",
            "Asks three things",
            "Asks user, model and client",
            |context, _| {
                let needs = [
                    ask_name("user_name", "What is your name?"),
                    Need::sampling("greeting", "Write a short greeting.", 50),
                    Need::roots("client_roots"),
                ];
                match mrtr::gather(context, &needs, Some(Object::new()))? {
                    Gathered::Ask(result) => Ok(result),
                    Gathered::Answers(answers) => {
                        let name = mrtr::form_value(&answers, "user_name", "name").unwrap_or("stranger");
                        text(&format!("{name}: {} ({})", said(&answers, "greeting"), root_uris(&answers)))
                    }
                }
            },
        ),
        tool(
            "test_input_required_result_multi_round",
            "Asks twice",
            "Asks one thing after the other",
            two_rounds,
        ),
        tool(
            "test_input_required_result_tampered_state",
            "Signed state",
            "Refuses state that was altered",
            |context, _| confirm(context, "Please confirm", "The state is intact"),
        ),
        tool(
            "test_input_required_result_capabilities",
            "Asks what it may",
            "Asks only what the client declares",
            |context, _| {
                let client = &context.caller.capabilities;
                let mut needs = Vec::new();
                if client.has("sampling") {
                    needs.push(Need::sampling("greeting", "Write a short greeting.", 50));
                }
                if client.has_form_elicitation() {
                    needs.push(ask_name("user_name", "What is your name?"));
                }
                match mrtr::gather(context, &needs, None)? {
                    Gathered::Ask(result) => Ok(result),
                    Gathered::Answers(answers) => text(&format!("Answers received: {}", answers.len())),
                }
            },
        ),
    ]
}

fn ask_name(key: &'static str, message: &str) -> Need {
    Need::form(
        key,
        message,
        json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] }),
    )
}

/// Declining is an answer too.
fn greet(answers: &Object, key: &str) -> Outcome {
    match mrtr::form_value(answers, key, "name") {
        Some(name) => text(&format!("Hello, {name}!")),
        None => text("Hello, whoever you are!"),
    }
}

fn said<'a>(answers: &'a Object, key: &str) -> &'a str {
    let content = answers.get(key).and_then(|answer| answer.get("content"));
    let text = content.and_then(|content| content.get("text").or_else(|| content.pointer("/0/text")));
    text.and_then(Value::as_str).unwrap_or("(no text)")
}

fn root_uris(answers: &Object) -> String {
    let roots = answers.get("client_roots").and_then(|answer| answer.get("roots")).and_then(Value::as_array);
    let uris: Vec<&str> = roots.into_iter().flatten().filter_map(|root| root.get("uri")?.as_str()).collect();
    uris.join(", ")
}

/// Answers count only together with the state that came with the question.
fn confirm(context: &Context, message: &str, confirmed: &str) -> Outcome {
    let need = Need::form(
        "confirm",
        message,
        json!({
            "type": "object", "properties": { "ok": { "type": "boolean" } }, "required": ["ok"],
        }),
    );
    if mrtr::read_state(context)?.is_none() {
        return mrtr::ask_afresh(context, &need, mrtr::state(json!({ "step": 1 })));
    }
    match mrtr::gather(context, &[need], Some(mrtr::state(json!({ "step": 1 }))))? {
        Gathered::Ask(result) => Ok(result),
        Gathered::Answers(_) => text(confirmed),
    }
}

fn two_rounds(context: &Context, _: &Object) -> Outcome {
    let name = ask_name("step1", "Step 1: What is your name?");
    let color = Need::form(
        "step2",
        "Step 2: What is your favorite color?",
        json!({
            "type": "object", "properties": { "color": { "type": "string" } }, "required": ["color"],
        }),
    );
    let state = mrtr::read_state(context)?;
    let step = state.as_ref().and_then(|state| state.get("step")).and_then(Value::as_u64);
    match step {
        None => mrtr::ask_afresh(context, &name, mrtr::state(json!({ "step": 1 }))),
        Some(1) => match mrtr::gather(context, &[name], Some(mrtr::state(json!({ "step": 1 }))))? {
            Gathered::Ask(result) => Ok(result),
            Gathered::Answers(answers) => {
                let name = mrtr::form_value(&answers, "step1", "name").unwrap_or("stranger");
                mrtr::ask_afresh(context, &color, mrtr::state(json!({ "step": 2, "name": name })))
            }
        },
        Some(_) => {
            let name = state
                .as_ref()
                .and_then(|state| state.get("name"))
                .and_then(Value::as_str)
                .unwrap_or_default();
            match mrtr::gather(context, &[color], Some(mrtr::state(json!({ "step": 2, "name": name }))))? {
                Gathered::Ask(result) => Ok(result),
                Gathered::Answers(answers) => {
                    let color = mrtr::form_value(&answers, "step2", "color").unwrap_or("none");
                    text(&format!("{name} likes {color}."))
                }
            }
        }
    }
}
