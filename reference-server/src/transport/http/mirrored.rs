//! Headers that repeat parts of the body, for those on the way who do not read bodies
//! (`basic/transports/streamable-http#request-metadata` of 2026-07-28). They must agree with it, or one server along
//! the way could be made to decide by one value and the next to act by another.

use axum::http::HeaderMap;
use serde_json::Value;

use super::message::{Ask, header};
use super::sentinel;
use crate::jsonrpc::{Request, RpcError, code};
use crate::revision::Revision;
use crate::server::Server;
use crate::stateless::{CLIENT_CAPABILITIES, PROTOCOL_VERSION};

/// Checks a request whose body has said that it is of the stateless era.
///
/// What the body itself lacks, and a revision that is not served, is for the core to complain about: those errors
/// have codes of their own.
///
/// # Errors
/// -32020.
pub(super) fn check(ask: &Ask, request: &Request, server: &Server) -> Result<(), RpcError> {
    let meta = |key| request.meta().and_then(|meta| meta.get(key));
    let (Some(version), Some(_)) =
        (meta(PROTOCOL_VERSION).and_then(Value::as_str), meta(CLIENT_CAPABILITIES))
    else {
        return Ok(());
    };
    compare(&ask.headers, header::PROTOCOL_VERSION, version)?;
    let Some(revision) = Revision::parse(version).filter(|revision| revision.is_stateless()) else {
        return Ok(());
    };
    compare(&ask.headers, header::METHOD, &request.method)?;
    if let Some(name) = name_of(request) {
        compare(&ask.headers, header::NAME, name)?;
    }
    if request.method == "tools/call" {
        let name = request.params.get("name").and_then(Value::as_str);
        let tool = server.tools_of(revision).find(|tool| Some(tool.name) == name);
        let arguments = request.params.get("arguments");
        if let Some(tool) = tool {
            check_arguments(&ask.headers, &tool.input_schema, arguments.unwrap_or(&Value::Null))?;
        }
    }
    Ok(())
}

/// The part of the body that `Mcp-Name` repeats.
fn name_of(request: &Request) -> Option<&str> {
    let member = match request.method.as_str() {
        "tools/call" | "prompts/get" => "name",
        "resources/read" => "uri",
        // The tasks extension.
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return None,
    };
    request.params.get(member).and_then(Value::as_str)
}

/// Each argument that is annotated with `x-mcp-header` has its header, and no header is without its argument.
fn check_arguments(headers: &HeaderMap, schema: &Value, arguments: &Value) -> Result<(), RpcError> {
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let argument = arguments.get(name).unwrap_or(&Value::Null);
        check_arguments(headers, property, argument)?;
        let Some(suffix) = property.get("x-mcp-header").and_then(Value::as_str) else { continue };
        let name = format!("{}{}", header::PARAM_PREFIX, suffix.to_ascii_lowercase());
        match argument {
            Value::Null if headers.contains_key(&name) => {
                return Err(mismatch(&name, "has no argument in the body"));
            }
            // What no header can say is not what the schema wants either: the core says so better than we could.
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
            _ => {}
        }
        each_value(headers, &name, |text| equals(argument, text))?;
    }
    Ok(())
}

/// Numbers compare as numbers, everything else by its text.
fn equals(argument: &Value, text: &str) -> bool {
    match argument {
        Value::String(argument) => argument == text,
        Value::Bool(argument) => text == if *argument { "true" } else { "false" },
        Value::Number(argument) => {
            argument.to_string() == text
                || argument.as_f64() == text.parse().ok().filter(|number: &f64| number.is_finite())
        }
        _ => false,
    }
}

fn compare(headers: &HeaderMap, name: &str, wanted: &str) -> Result<(), RpcError> {
    each_value(headers, name, |text| text == wanted)
}

/// A header that is there more than once must be right each time: nobody knows which one the others look at.
fn each_value(headers: &HeaderMap, name: &str, fits: impl Fn(&str) -> bool) -> Result<(), RpcError> {
    if !headers.contains_key(name) {
        return Err(mismatch(name, "is required"));
    }
    for value in headers.get_all(name) {
        let text = sentinel::read(value).ok_or_else(|| mismatch(name, "has an illegal value"))?;
        if !fits(&text) {
            return Err(mismatch(name, "differs from the body"));
        }
    }
    Ok(())
}

fn mismatch(name: &str, what: &str) -> RpcError {
    RpcError::new(code::HEADER_MISMATCH, format!("Header mismatch: {name} {what}"))
}
