//! What must be refused in one way only, whatever else a server does: an unknown method, parameters without what the
//! method is about, a page of another origin, a session that is none. It is told from what was sent, so that it holds for
//! inputs of any origin, also when they have become smaller or were read from a file.

use std::sync::LazyLock;

use mcp_conform_cases::Era;
use mcp_conform_cases::case::{Action, Headers};
use regex::Regex;
use serde_json::Value;

use super::leg::{Leg, message_sent};
use super::oracle::Oracle;
use super::suspect::Suspect;
use crate::judge::{Breach, evidence};
use crate::transcript::Happening;
use crate::wire::member;

/// Names that no server can take for something else than a method.
static NAME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[a-z][a-z0-9_]*(/[a-z0-9_]+)*$").ok());
/// What might be the id of a session.
static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("^[A-Za-z0-9-]{8,64}$").ok());
/// The areas of MCP's methods, in any revision: what is unknown there may be an extension's.
const AREAS: [&str; 13] = [
    "initialize",
    "ping",
    "server",
    "tools",
    "resources",
    "prompts",
    "completion",
    "logging",
    "notifications",
    "sampling",
    "roots",
    "tasks",
    "subscriptions",
];
/// What a method is about, as pointers into its parameters: where they lead nowhere, the parameters are wrong.
const NEEDS: [(&str, &str); 4] = [
    ("tools/call", "/name"),
    ("prompts/get", "/name"),
    ("resources/read", "/uri"),
    ("completion/complete", "/ref"),
];
const METHOD_NOT_FOUND: i64 = -32601;
const INTERNAL: i64 = -32603;

/// Everything that was refused in a wrong way, or not at all.
pub(super) fn all(leg: &Leg) -> Vec<Suspect> {
    let transcript = &leg.transcript;
    let mut found: Vec<Suspect> = Vec::new();
    for (place, this) in leg.tries.iter().enumerate() {
        let asked = this.asked.iter().filter_map(|asked| {
            let entry = leg.response_to(asked)?;
            let step = this.input.steps.get(asked.step)?;
            let code = member(member(leg.message_in(entry)?, "error")?, "code")?.as_i64()?;
            let sent = message_sent(transcript, asked.entry)?;
            let (requirement, message, signature) =
                of_code(transcript.revision.era(), &step.action, &sent, code)?;
            Some((requirement, message, signature, asked.step, vec![asked.entry, entry]))
        });
        let carried = this.sent.iter().filter_map(|(number, entry)| {
            let step = this.input.steps.get(*number)?;
            let (requirement, message, signature, head) = of_headers(leg, &step.headers, *entry)?;
            Some((requirement, message, signature, *number, vec![*entry, head]))
        });
        for (requirement, message, signature, step, entries) in asked.chain(carried) {
            if found.iter().any(|other| other.signature == signature) {
                continue;
            }
            let breach = Breach { culprits: entries, ..Breach::default() };
            found.push(Suspect {
                oracle: Oracle::WrongAnswer,
                requirement: requirement.to_owned(),
                message,
                signature,
                tries: vec![place],
                step: Some(step),
                evidence: evidence::of(transcript, &breach),
            });
        }
    }
    found
}

type Refusal = (&'static str, String, String);

/// Whether a method might exist, in a newer revision or in an extension.
pub(super) fn is_in_known_area(method: &str) -> bool {
    AREAS.contains(&method.split('/').next().unwrap_or_default())
}

/// The wrong code of an error.
fn of_code(era: Era, action: &Action, message: &Value, code: i64) -> Option<Refusal> {
    // An odd envelope, an odd id, or odd `_meta` may be what is refused.
    let id = message.get("id")?;
    let is_plain_id = id.is_string() || id.as_i64().is_some_and(|id| (0..1 << 31).contains(&id));
    let is_plain_envelope = message.get("jsonrpc").is_some_and(|version| version == "2.0")
        && message.get("params").is_none_or(Value::is_object);
    let is_plain_meta = match action {
        Action::Request(send) => send.meta.is_empty() && send.without_meta.is_empty(),
        _ => era == Era::Stateful && message.pointer("/params/_meta").is_none(),
    };
    if !is_plain_id || !is_plain_envelope || !is_plain_meta {
        return None;
    }
    let method = message.get("method")?.as_str()?;
    let is_name = NAME.as_ref().is_some_and(|name| name.is_match(method));
    if code != METHOD_NOT_FOUND && is_name && !is_in_known_area(method) {
        return Some((
            "base.method-not-found",
            format!("the unknown method `{method}` is answered with error {code}, not {METHOD_NOT_FOUND}"),
            format!("unknown-method: {code}"),
        ));
    }
    let (_, needed) = NEEDS.iter().find(|(name, _)| *name == method)?;
    let params = message.get("params");
    let has_it = params
        .and_then(|params| params.pointer(needed))
        .is_some_and(|value| value.is_string() || *needed == "/ref");
    (code == INTERNAL && !has_it).then(|| {
        let name = needed.trim_start_matches('/');
        (
            "base.invalid-params",
            format!("`{method}` without a usable `{name}` is answered with error {INTERNAL}, as if the server had failed"),
            format!("invalid-params: {method}: {code}"),
        )
    })
}

/// What HTTP should have refused, or in another way.
fn of_headers(leg: &Leg, headers: &Headers, entry: usize) -> Option<(&'static str, String, String, usize)> {
    let [(name, Some(value))] = headers.as_slice() else { return None };
    let transcript = &leg.transcript;
    let wanted = transcript.exchange_of(entry)?;
    let (head, status) =
        transcript.entries.iter().enumerate().find_map(|(index, entry)| match &entry.what {
            Happening::Head { exchange, status, .. } if *exchange == wanted => Some((index, *status)),
            _ => None,
        })?;
    if name.eq_ignore_ascii_case("origin") {
        let is_foreign = value.starts_with("http://") && value.ends_with(".example");
        return (leg.loopback && is_foreign && (200..300).contains(&status)).then(|| {
            (
                "http.origin-validated",
                format!(
                    "a request from a page of `{value}` gets status {status} from a server on the loopback"
                ),
                "origin-not-checked".to_owned(),
                head,
            )
        });
    }
    if name.eq_ignore_ascii_case("mcp-session-id") {
        let is_token = TOKEN.as_ref().is_some_and(|token| token.is_match(value));
        let is_other = leg.session_id.as_deref().is_some_and(|own| own != value);
        return (is_token && is_other && status == 400).then(|| {
            (
                "http.terminated-session-404",
                "a session that the server does not know is answered with status 400, not 404".to_owned(),
                "unknown-session: 400".to_owned(),
                head,
            )
        });
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_code_that_is_surely_wrong_is_found() {
        for (params, method, code, requirement) in [
            (json!({}), "no/such/method", -32601, None),
            (json!({}), "no/such/method", -32602, Some("base.method-not-found")),
            (json!({}), "a", 0, Some("base.method-not-found")),
            // What is known in another revision, of an extension, or hardly a name.
            (json!({}), "tasks/list", -32602, None),
            (json!({}), "TOOLS/LIST", -32602, None),
            (json!({}), "", -32600, None),
            (json!({ "_meta": [] }), "no/such/method", -32602, None),
            (json!({ "arguments": {} }), "tools/call", -32603, Some("base.invalid-params")),
            (json!({ "name": 5 }), "tools/call", -32603, Some("base.invalid-params")),
            (json!({ "arguments": {} }), "tools/call", -32602, None),
            (json!({ "arguments": {} }), "tools/call", -32600, None),
            // The tool itself may fail.
            (json!({ "name": "x" }), "tools/call", -32603, None),
            (json!({ "ref": {} }), "completion/complete", -32603, None),
        ] {
            let sent = json!({ "jsonrpc": "2.0", "id": 3, "method": method, "params": params });
            let found = of_code(Era::Stateful, &Action::Raw(sent.to_string()), &sent, code);
            assert_eq!(found.map(|found| found.0), requirement, "{sent} {code}");
            // What is no request of JSON-RPC may be refused as such.
            for (member, odd) in [("jsonrpc", json!("1.0")), ("id", json!(1.5)), ("params", json!([]))] {
                let mut sent = sent.clone();
                sent[member] = odd;
                assert_eq!(of_code(Era::Stateful, &Action::Raw(sent.to_string()), &sent, code), None);
            }
            // Without the members that a stateless request must have, those may be what is missed.
            assert_eq!(of_code(Era::Stateless, &Action::Raw(sent.to_string()), &sent, code), None);
        }
    }
}
