//! Completion of prompt arguments and of resource template variables (spec page `server/utilities/completion`).

use serde_json::{Value, json};

use crate::context::Context;
use crate::jsonrpc::RpcError;
use crate::prompts;
use crate::revision::Revision;

/// The most values one answer may carry.
const MOST: usize = 100;

/// Answers `completion/complete`.
pub(crate) fn complete(context: &Context) -> Result<Value, RpcError> {
    let params = &context.request.params;
    let string = |path: &str| params_string(params.get("argument"), path);
    let (Some(argument), Some(typed)) = (string("name"), string("value")) else {
        return Err(RpcError::invalid_params("argument must have a name and a value, both strings"));
    };
    let reference = params.get("ref");
    match params_string(reference, "type") {
        Some("ref/prompt") => {
            let name = params_string(reference, "name")
                .ok_or_else(|| RpcError::invalid_params("ref.name must be a string"))?;
            let known = prompts::has_argument(context, name, argument)
                .ok_or_else(|| RpcError::invalid_params(format!("Unknown prompt: {name}")))?;
            if !known {
                return Err(RpcError::invalid_params(format!("Prompt {name} has no argument {argument}")));
            }
        }
        Some("ref/resource") => {
            let uri = params_string(reference, "uri")
                .ok_or_else(|| RpcError::invalid_params("ref.uri must be a string"))?;
            let variables: &[&str] = match uri {
                "test://template/{id}/data" => &["id"],
                "test://city/{country}/{city}" => &["country", "city"],
                _ => {
                    return Err(RpcError::invalid_params("Unknown resource template")
                        .with_data(json!({ "uri": uri })));
                }
            };
            if !variables.contains(&argument) {
                return Err(RpcError::invalid_params(format!("The template has no variable {argument}")));
            }
        }
        _ => return Err(RpcError::invalid_params("ref.type must be ref/prompt or ref/resource")),
    }
    let country = known_country(context)?;
    Ok(json!({ "completion": matching(&candidates(argument, country), typed) }))
}

/// The country that the user has already filled in; `context` came with 2025-06-18.
fn known_country(context: &Context) -> Result<Option<&str>, RpcError> {
    let arguments = context.request.params.get("context").and_then(|context| context.get("arguments"));
    match arguments {
        Some(arguments) if context.revision() >= Revision::V2025_06_18 => {
            let arguments = arguments
                .as_object()
                .filter(|arguments| arguments.values().all(Value::is_string))
                .ok_or_else(|| RpcError::invalid_params("context.arguments must be an object of strings"))?;
            Ok(arguments.get("country").and_then(Value::as_str))
        }
        _ => Ok(None),
    }
}

fn candidates(argument: &str, country: Option<&str>) -> Vec<String> {
    match argument {
        "country" => vec!["france".into(), "germany".into(), "italy".into()],
        "city" => match country {
            Some(country) => cities(country).iter().map(ToString::to_string).collect(),
            None => {
                ["france", "germany", "italy"].into_iter().flat_map(cities).map(ToString::to_string).collect()
            }
        },
        // More than fit into one answer, so that hasMore can be seen.
        "id" => (1..=150).map(|id| id.to_string()).collect(),
        _ => ["test", "testing", "tested", "value"].map(String::from).to_vec(),
    }
}

/// The cities of a country.
pub(crate) fn cities(country: &str) -> &'static [&'static str] {
    match country {
        "france" => &["lyon", "paris"],
        "germany" => &["berlin", "bonn"],
        "italy" => &["milan", "rome"],
        _ => &[],
    }
}

fn matching(candidates: &[String], typed: &str) -> Value {
    let found: Vec<&String> = candidates.iter().filter(|candidate| candidate.starts_with(typed)).collect();
    let shown: Vec<&String> = found.iter().take(MOST).copied().collect();
    json!({ "values": shown, "total": found.len(), "hasMore": found.len() > MOST })
}

fn params_string<'a>(value: Option<&'a Value>, member: &str) -> Option<&'a str> {
    value.and_then(|value| value.get(member)).and_then(Value::as_str)
}
