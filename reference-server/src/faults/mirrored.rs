//! Faults of the headers that repeat parts of the body (2026-07-28). Most make a wrong header right before the server
//! looks at it, as one would that does not look.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::catalog::{HTTP, faults, range};
use super::hook::Hook;
use super::network::{HttpArrival, HttpDeparture, HttpFault};
use crate::jsonrpc::{self, RpcError, code};
use crate::stateless::PROTOCOL_VERSION;
use crate::transport::http::{Reply, header, wrap};

const OPEN: &str = "=?base64?";
const CLOSE: &str = "?=";

/// The headers of `test_header_arguments`, and where their arguments are.
const PARAMS: [(&str, &str); 4] = [
    ("mcp-param-region", "/params/arguments/region"),
    ("mcp-param-count", "/params/arguments/count"),
    ("mcp-param-urgent", "/params/arguments/urgent"),
    ("mcp-param-tenant", "/params/arguments/filter/tenant"),
];

/// What a header should say: the text of the body's part, in a form that is legal whatever it is.
fn text_of(value: &Value) -> String {
    wrap(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

/// The part of the body that `Mcp-Name` repeats.
fn name_in_body(arrival: &HttpArrival<'_>) -> Option<String> {
    let pointer = match arrival.rpc_method() {
        "tools/call" | "prompts/get" => "/params/name",
        "resources/read" => "/params/uri",
        _ => return None,
    };
    arrival.body.pointer(pointer).filter(|name| name.is_string()).map(text_of)
}

/// The same as it stands there.
fn plain_name(arrival: &HttpArrival<'_>) -> String {
    let name = arrival.body.pointer("/params/name").or_else(|| arrival.body.pointer("/params/uri"));
    name.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn version_in_body(arrival: &HttpArrival<'_>) -> Option<String> {
    let meta = arrival.body.pointer("/params/_meta")?;
    meta.get(PROTOCOL_VERSION)?.as_str().map(str::to_owned)
}

/// Makes `Mcp-Method` right if its present value is like that; `None` is no header. Two of them are left alone.
fn mend_method(arrival: &mut HttpArrival<'_>, applies: impl FnOnce(Option<&str>, &str) -> bool) {
    let method = arrival.rpc_method().to_owned();
    let is_single = arrival.ask.headers.get_all(header::METHOD).iter().count() < 2;
    if arrival.is_stateless() && is_single && applies(raw(arrival, header::METHOD).as_deref(), &method) {
        arrival.set(header::METHOD, &method);
    }
}

/// Makes `Mcp-Name` right if its present value is like that.
fn mend_name(arrival: &mut HttpArrival<'_>, applies: impl FnOnce(Option<&str>) -> bool) {
    if arrival.is_stateless()
        && let Some(name) = name_in_body(arrival)
        && applies(raw(arrival, header::NAME).as_deref())
    {
        arrival.set(header::NAME, &name);
    }
}

fn require_no_name_for(arrival: &mut HttpArrival<'_>, method: &str) {
    if arrival.rpc_method() == method {
        mend_name(arrival, |value| value.is_none());
    }
}

/// Makes a header of an argument right if its present value and the argument are like that.
fn mend_params(arrival: &mut HttpArrival<'_>, applies: impl Fn(Option<&str>, &Value) -> bool) {
    for (name, pointer) in PARAMS {
        let Some(argument) = argument(arrival, pointer) else { continue };
        if applies(raw(arrival, name).as_deref(), &argument) {
            arrival.set(name, &text_of(&argument));
        }
    }
}

/// An argument of `test_header_arguments` that is there and not null.
fn argument(arrival: &HttpArrival<'_>, pointer: &str) -> Option<Value> {
    arrival.body.pointer(pointer).filter(|argument| calls_fixture(arrival) && !argument.is_null()).cloned()
}

fn calls_fixture(arrival: &HttpArrival<'_>) -> bool {
    arrival.is_stateless()
        && arrival.rpc_method() == "tools/call"
        && arrival.body.pointer("/params/name").is_some_and(|name| name == "test_header_arguments")
}

/// Calls with several arguments are left alone, so that other things can be tested with the fixture.
fn has_one_argument(arrival: &HttpArrival<'_>) -> bool {
    let arguments = arrival.body.pointer("/params/arguments").and_then(Value::as_object);
    arguments.is_some_and(|arguments| arguments.len() == 1)
}

/// The value of a header, with what is no UTF-8 replaced.
fn raw(arrival: &HttpArrival<'_>, name: &str) -> Option<String> {
    arrival.ask.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

fn encoded(value: &str) -> Option<&str> {
    value.strip_prefix(OPEN)?.strip_suffix(CLOSE)
}

fn has_illegal_characters(value: &str) -> bool {
    !value.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~'))
}

fn decodes(value: &str) -> bool {
    use base64::Engine as _;
    let decoded =
        encoded(value).and_then(|value| base64::engine::general_purpose::STANDARD.decode(value).ok());
    decoded.is_some_and(|bytes| String::from_utf8(bytes).is_ok())
}

fn refuse(arrival: &mut HttpArrival<'_>) {
    let error = RpcError::new(code::HEADER_MISMATCH, "Header mismatch");
    let message = jsonrpc::error(arrival.body.get("id"), &error);
    arrival.reply = Some(Reply::json(StatusCode::BAD_REQUEST, &message));
}

fn on_mismatch(out: &mut HttpDeparture<'_>, change: impl FnOnce(&mut HttpDeparture<'_>)) {
    if out.is_stateless() && out.code() == Some(code::HEADER_MISMATCH) {
        change(out);
    }
}

/// Overwrites the first character of a header's name, so that it is another header. `spelled` says which names are
/// known.
fn hide_unless(head: &mut [u8], spelled: fn(&[u8]) -> bool) {
    for line in head.split_mut(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let Some((name, _)) = line.split_at_mut_checked(colon) else { continue };
        let is_ours = [header::METHOD, header::NAME, header::PROTOCOL_VERSION]
            .iter()
            .any(|ours| name.eq_ignore_ascii_case(ours.as_bytes()));
        if is_ours
            && !spelled(name)
            && let Some(first) = name.first_mut()
        {
            *first = b'X';
        }
    }
}

/// Makes blanks around a value a part of it.
fn keep_blanks(head: &mut [u8]) {
    for line in head.split_mut(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let Some((name, value)) = line.split_at_mut_checked(colon) else { continue };
        if !name.eq_ignore_ascii_case(header::METHOD.as_bytes())
            && !name.eq_ignore_ascii_case(header::NAME.as_bytes())
        {
            continue;
        }
        // A colon and one blank are what everybody sends.
        if let Some(blank) = value.get_mut(2).filter(|byte| matches!(byte, b' ' | b'\t')) {
            *blank = b'_';
        }
        let end = value.iter().rposition(|byte| *byte != b'\r').unwrap_or_default();
        if let Some(blank) = value.get_mut(end).filter(|byte| matches!(byte, b' ' | b'\t')) {
            *blank = b'_';
        }
    }
}

faults! { HTTP =>
    "version-header-not-required", "http.version-header.missing-rejected", range::STATELESS, "MCP-Protocol-Version may be missing" => [
        Hook::Request(|arrival| if !arrival.has(header::PROTOCOL_VERSION) && let Some(version) = version_in_body(arrival) {
            arrival.set(header::PROTOCOL_VERSION, &version);
        })];
    "version-header-not-compared", "http.version-header.mismatch", range::STATELESS, "MCP-Protocol-Version may differ from the body" => [
        Hook::Request(|arrival| if arrival.has(header::PROTOCOL_VERSION) && let Some(version) = version_in_body(arrival) {
            arrival.set(header::PROTOCOL_VERSION, &version);
        })];
    "mcp-method-not-required", "http.header.mcp-method.missing", range::STATELESS, "Mcp-Method may be missing" => [
        Hook::Request(|arrival| mend_method(arrival, |value, _| value.is_none()))];
    "mcp-method-not-compared", "http.header.mcp-method.mismatch", range::STATELESS, "Mcp-Method may be another than the body's" => [
        Hook::Request(|arrival| mend_method(arrival, |value, method| value.is_some_and(|value| !value.eq_ignore_ascii_case(method))))];
    "mcp-method-in-any-case", "http.header.mcp-method.case-sensitive", range::STATELESS, "Mcp-Method is compared without regard to case" => [
        Hook::Request(|arrival| mend_method(arrival, |value, method| value.is_some_and(|value| value.eq_ignore_ascii_case(method))))];
    "mcp-name-not-required-for-tools", "http.header.mcp-name.missing-tools-call", range::STATELESS, "Mcp-Name may be missing from tools/call" => [
        Hook::Request(|arrival| require_no_name_for(arrival, "tools/call"))];
    "mcp-name-not-required-for-resources", "http.header.mcp-name.missing-resources-read", range::STATELESS, "Mcp-Name may be missing from resources/read" => [
        Hook::Request(|arrival| require_no_name_for(arrival, "resources/read"))];
    "mcp-name-not-required-for-prompts", "http.header.mcp-name.missing-prompts-get", range::STATELESS, "Mcp-Name may be missing from prompts/get" => [
        Hook::Request(|arrival| require_no_name_for(arrival, "prompts/get"))];
    "mcp-name-not-compared", "http.header.mcp-name.mismatch", range::STATELESS, "A plain Mcp-Name may be another than the body's" => [
        Hook::Request(|arrival| {
            let name = plain_name(arrival);
            mend_name(arrival, |value| value.is_some_and(|value| {
                !value.starts_with("=?") && !has_illegal_characters(value) && !value.eq_ignore_ascii_case(&name)
            }));
        })];
    "mcp-name-in-any-case", "http.header.mcp-name.case-sensitive", range::STATELESS, "Mcp-Name is compared without regard to case" => [
        Hook::Request(|arrival| {
            let name = plain_name(arrival);
            mend_name(arrival, |value| value.is_some_and(|value| value.eq_ignore_ascii_case(&name)));
        })];
    "mcp-name-not-decoded", "http.header.mcp-name.base64-decoded", range::STATELESS, "Mcp-Name in Base64 is taken literally" => [
        Hook::Request(|arrival| if let Some(value) = raw(arrival, header::NAME).filter(|value| decodes(value)) {
            arrival.set(header::NAME, &wrap(&value));
        })];
    "mcp-name-in-base64-not-compared", "http.header.mcp-name.base64-mismatch", range::STATELESS, "Mcp-Name in Base64 may differ from the body" => [
        Hook::Request(|arrival| mend_name(arrival, |value| value.is_some_and(decodes)))];
    "mcp-name-marker-in-any-case", "http.header.mcp-name.sentinel-case-sensitive", range::STATELESS, "The markers of Base64 are known in any case" => [
        Hook::Request(|arrival| if let Some(value) = raw(arrival, header::NAME)
            && let Some((open, rest)) = value.split_at_checked(OPEN.len()).filter(|(open, _)| open.eq_ignore_ascii_case(OPEN))
            && open != OPEN {
            arrival.set(header::NAME, &format!("{OPEN}{rest}"));
        })];
    "mcp-name-bad-base64-accepted", "http.header.mcp-name.invalid-base64", range::STATELESS, "Mcp-Name in Base64 that cannot be decoded is let through" => [
        Hook::Request(|arrival| mend_name(arrival, |value| value.is_some_and(|value| encoded(value).is_some() && !decodes(value))))];
    "header-names-case-sensitive", "http.header.name-case-insensitive", range::STATELESS, "Knows its headers only as in the specification, or all in lower case" => [
        Hook::Head(|head| hide_unless(head, |name| [
            &b"Mcp-Method"[..], b"Mcp-Name", b"MCP-Protocol-Version", b"mcp-method", b"mcp-name", b"mcp-protocol-version",
        ].contains(&name)))];
    "header-blanks-kept", "http.header.ows-trimmed", range::STATELESS, "Blanks around a header's value count as a part of it" => [
        Hook::Head(keep_blanks)];
    "header-characters-not-checked", "http.header.invalid-characters", range::STATELESS, "A Mcp-Name with characters outside of ASCII is let through" => [
        Hook::Request(|arrival| mend_name(arrival, |value| value.is_some_and(has_illegal_characters)))];
    "header-mismatch-answered-200", "http.header.failure-status-and-error", range::STATELESS, "A wrong header gets 200 with -32020" => [
        Hook::Reply(|out| on_mismatch(out, |out| out.set_status(StatusCode::OK)))];
    "header-mismatch-of-the-draft", "http.header.failure-status-and-error", range::STATELESS, "A wrong header gets -32001, as in a draft" => [
        Hook::Reply(|out| on_mismatch(out, |out| out.change_json(|error| super::hook::set(error, "/error/code", json!(-32001)))))];
    "header-mismatch-without-body", "http.header.failure-status-and-error", range::STATELESS, "A wrong header gets 400 without a body" => [
        Hook::Reply(|out| on_mismatch(out, |out| out.replace(Reply::empty(StatusCode::BAD_REQUEST))))];
    "header-mismatch-without-id", "http.header.failure-echoes-id", range::STATELESS, "The error for a wrong header has no id" => [
        Hook::Reply(|out| on_mismatch(out, |out| out.change_json(|error| super::hook::remove(error, "/id"))))];
    "header-mismatch-executed", "http.header.mismatch-not-executed", range::STATELESS, "A request with a wrong header is carried out before it is refused" => [
        Hook::Http(HttpFault::MismatchExecuted)];
    "first-of-two-headers-counts", "http.header.duplicate-headers", range::STATELESS, "Of a header that is there twice only the first is looked at" => [
        Hook::Request(|arrival| for name in [header::METHOD, header::NAME, header::PROTOCOL_VERSION] {
            if arrival.ask.headers.get_all(name).iter().count() > 1 && let Some(first) = raw(arrival, name) { arrival.set(name, &first); }
        })];
    "last-of-two-headers-counts", "http.header.duplicate-headers", range::STATELESS, "Of a header that is there twice only the last is looked at" => [
        Hook::Request(|arrival| for name in [header::METHOD, header::NAME, header::PROTOCOL_VERSION] {
            let last = arrival.ask.headers.get_all(name).iter().nth(1).and_then(|value| value.to_str().ok()).map(str::to_owned);
            if let Some(last) = last { arrival.set(name, &last); }
        })];
    "unknown-param-header-refused", "http.header.extra-headers-ignored", range::STATELESS, "A Mcp-Param header that the tool does not ask for is refused" => [
        Hook::Request(|arrival| if arrival.is_stateless() && arrival.ask.headers.keys().any(|name| {
            name.as_str().starts_with(header::PARAM_PREFIX) && !PARAMS.iter().any(|(known, _)| name == known)
        }) { refuse(arrival); })];
    "param-header-refused", "http.param.match-accepted", range::STATELESS, "A Mcp-Param-Region that is right is refused, when there is no other argument" => [
        Hook::Request(|arrival| {
            let region = argument(arrival, "/params/arguments/region");
            if let Some(region) = region && has_one_argument(arrival) && raw(arrival, "mcp-param-region").as_deref() == region.as_str() { refuse(arrival); }
        })];
    "param-header-not-compared", "http.param.mismatch-rejected", range::STATELESS, "Mcp-Param-Region may differ from its argument" => [
        Hook::Request(|arrival| if let Some(region) = argument(arrival, "/params/arguments/region")
            && raw(arrival, "mcp-param-region").is_some_and(|value| !has_illegal_characters(&value) && encoded(&value).is_none()) {
            arrival.set("mcp-param-region", &text_of(&region));
        })];
    "param-header-not-required", "http.param.missing-rejected", range::STATELESS, "Mcp-Param headers may be missing" => [
        Hook::Request(|arrival| mend_params(arrival, |value, _| value.is_none()))];
    "param-header-required-for-null", "http.param.null-not-expected", range::STATELESS, "An argument that is null needs its header" => [
        Hook::Request(|arrival| if calls_fixture(arrival) && PARAMS.iter().any(|(name, pointer)| {
            arrival.body.pointer(pointer).is_some_and(Value::is_null) && !arrival.has(name)
        }) { refuse(arrival); })];
    "param-header-required-for-absent", "http.param.absent-not-expected", range::STATELESS, "Mcp-Param-Region is required of a call without arguments" => [
        Hook::Request(|arrival| {
            let arguments = arrival.body.pointer("/params/arguments").and_then(Value::as_object);
            let are_none = arguments.is_none_or(serde_json::Map::is_empty);
            if are_none && calls_fixture(arrival) && !arrival.has("mcp-param-region") { refuse(arrival); }
        })];
    "param-header-without-argument-accepted", "http.param.header-without-argument", range::STATELESS, "A Mcp-Param header without its argument is let through" => [
        Hook::Request(|arrival| if calls_fixture(arrival) {
            for (name, pointer) in PARAMS {
                if argument(arrival, pointer).is_none() { arrival.remove(name); }
            }
        })];
    "param-header-not-decoded", "http.param.base64-decoded", range::STATELESS, "Mcp-Param headers in Base64 are taken literally" => [
        Hook::Request(|arrival| for (name, _) in PARAMS {
            if let Some(value) = raw(arrival, name).filter(|value| decodes(value)) { arrival.set(name, &wrap(&value)); }
        })];
    "param-header-characters-not-checked", "http.param.invalid-characters", range::STATELESS, "Mcp-Param headers with characters outside of ASCII are let through" => [
        Hook::Request(|arrival| mend_params(arrival, |value, _| value.is_some_and(has_illegal_characters)))];
    "param-integer-compared-as-text", "http.param.integer-numeric-compare", range::STATELESS, "An integer argument must be spelled in its header as in the body" => [
        Hook::Request(|arrival| {
            let spelled = argument(arrival, "/params/arguments/count").map(|count| count.to_string());
            if spelled.is_some() && arrival.has("mcp-param-count") && raw(arrival, "mcp-param-count") != spelled { refuse(arrival); }
        })];
    "param-boolean-capitalized", "http.param.boolean-lowercase", range::STATELESS, "A boolean that is the only argument must be True or False in its header" => [
        Hook::Request(|arrival| if has_one_argument(arrival)
            && let Some(urgent) = argument(arrival, "/params/arguments/urgent").and_then(|urgent| urgent.as_bool()) {
            let wanted = if urgent { "True" } else { "False" };
            if raw(arrival, "mcp-param-urgent").as_deref() == Some(wanted) {
                arrival.set("mcp-param-urgent", if urgent { "true" } else { "false" });
            } else { refuse(arrival); }
        })];
    "param-nested-not-found", "http.param.nested-path", range::STATELESS, "The argument of Mcp-Param-Tenant is looked for at the top, when there is no other" => [
        Hook::Request(|arrival| if calls_fixture(arrival) && has_one_argument(arrival) && arrival.has("mcp-param-tenant")
            && arrival.body.pointer("/params/arguments/tenant").is_none() { refuse(arrival); })];
}
