//! A finding without us: the commands of a POSIX shell that send an input to a server, where it can be said in a few lines.

use std::fmt::Write as _;

use mcp_conform_cases::case::{Action, ClientKind, Send};
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value, json};

use super::input::{Input, InputStep};
use crate::event::Transport;
use crate::repro::quote;
use crate::session::handshake::{initialize_params, request_meta};
use crate::settings::Settings;
use crate::target::Way;
use crate::template::{self, Variables};

/// So many steps are still written by hand.
const MOST_STEPS: usize = 12;
/// And so many bytes.
const MOST_BYTES: usize = 4096;
/// How long standard input stays open, in seconds, so that answers can come.
const OPEN: u32 = 5;
/// The id of the handshake.
const FIRST_ID: u64 = 1;

/// The commands; none where an input needs more than a shell has at hand, such as a value out of an earlier answer.
#[must_use]
pub fn shell(input: &Input, revision: Revision, transport: Transport, settings: &Settings) -> Option<String> {
    let greets = revision.era() == Era::Stateful && !input.is_bare();
    let way = settings.target.ways.iter().find(|way| match way {
        Way::Stdio(_) => transport == Transport::Stdio,
        Way::Http { .. } => transport == Transport::Http,
    })?;
    match way {
        Way::Stdio(command) => {
            let mut words: Vec<String> = Vec::new();
            for (name, value) in &command.environment {
                words.push(format!("{}={}", name.to_str()?, value.to_str()?));
            }
            if !words.is_empty() {
                words.insert(0, "env".to_owned());
            }
            words.push(command.program.to_str()?.to_owned());
            for argument in &command.arguments {
                words.push(argument.to_str()?.to_owned());
            }
            let words: Vec<String> = words.iter().map(|word| quote(word)).collect();
            over_stdio(input, revision, greets, &words.join(" "))
        }
        Way::Http { address, .. } => over_http(input, revision, greets, address),
    }
}

fn over_stdio(input: &Input, revision: Revision, greets: bool, server: &str) -> Option<String> {
    let mut sent = if greets { greeting(revision) } else { Vec::new() };
    let closes = input.steps.last().is_some_and(|step| step.action == Action::CloseInput);
    for bytes in lines(input, revision)? {
        sent.extend(bytes);
    }
    if sent.len() > MOST_BYTES {
        return None;
    }
    let wait = if closes { String::new() } else { format!("; sleep {OPEN}") };
    Some(format!("(printf '{}'{wait}) | {server}", printf(&sent)))
}

fn over_http(input: &Input, revision: Revision, greets: bool, address: &str) -> Option<String> {
    let sent = lines(input, revision)?;
    if sent.iter().map(Vec::len).sum::<usize>() > MOST_BYTES {
        return None;
    }
    let mut out = String::new();
    if address.contains("{port}") {
        out.push_str("PORT=3000 # where the server listens\n");
    }
    let url = format!("\"{}\"", address.replace("{port}", "$PORT"));
    let usual = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    let mut headers: Vec<(String, String)> =
        usual.map(|(name, value)| (name.to_owned(), quote(&format!("{name}: {value}")))).into();
    let written = |headers: &[(String, String)]| {
        headers.iter().map(|(_, header)| format!(" -H {header}")).collect::<String>()
    };
    if greets {
        let hello = quote(&hello(revision).to_string());
        let _ = writeln!(
            out,
            "SESSION=$(curl -s -m {OPEN} -D - -o /dev/null{} -d {hello} {url} | tr -d '\\r' | sed -n 's/^[Mm]cp-[Ss]ession-[Ii]d: //p')",
            written(&headers)
        );
        headers.push(("Mcp-Session-Id".to_owned(), "\"Mcp-Session-Id: $SESSION\"".to_owned()));
        if revision >= Revision::R2025_06_18 {
            let version = quote(&format!("MCP-Protocol-Version: {revision}"));
            headers.push(("MCP-Protocol-Version".to_owned(), version));
        }
        let _ = writeln!(out, "curl -s -m {OPEN}{} -d '{INITIALIZED}' {url}", written(&headers));
    }
    for (step, bytes) in input.steps.iter().zip(sent) {
        let mut headers = headers.clone();
        for (name, value) in &step.headers {
            headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
            let header =
                value.as_ref().map_or_else(|| format!("{name}:"), |value| format!("{name}: {value}"));
            headers.push((name.clone(), quote(&header)));
        }
        let body = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let _ = writeln!(
            out,
            "printf '{}' | curl -si -m {OPEN}{} --data-binary @- {url}",
            printf(body),
            written(&headers)
        );
    }
    Some(out.trim_end().to_owned())
}

const INITIALIZED: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}";

fn hello(revision: Revision) -> Value {
    json!({
        "jsonrpc": "2.0",
        "id": FIRST_ID,
        "method": "initialize",
        "params": initialize_params(revision, ClientKind::Usual),
    })
}

fn greeting(revision: Revision) -> Vec<u8> {
    format!("{}\n{INITIALIZED}\n", hello(revision)).into_bytes()
}

/// What each step sends, with the line end if there is one; none if a step does something else than sending a message.
fn lines(input: &Input, revision: Revision) -> Option<Vec<Vec<u8>>> {
    if input.steps.len() > MOST_STEPS {
        return None;
    }
    let meta = request_meta(revision, ClientKind::Usual);
    let mut known = Variables::default();
    let mut next = FIRST_ID;
    let mut all = Vec::new();
    for (index, step) in input.steps.iter().enumerate() {
        if !step.capture.is_empty() {
            return None;
        }
        next = next.checked_add(1)?;
        known.insert("id".to_owned(), json!(next));
        known.insert("meta".to_owned(), Value::Object(meta.clone()));
        all.push(match &step.action {
            Action::Request(send) => {
                let id = send.id.clone().unwrap_or_else(|| json!(next));
                name(step, &id, &mut known);
                message(send, Some(id), revision, &meta, &known)?
            }
            Action::Notify(send) => message(send, None, revision, &Map::new(), &known)?,
            Action::Json(value) => line(template::fill(value, &known).ok()?.to_string()),
            Action::Raw(text) => line(template::fill_raw(text, &known).ok()?),
            Action::Bytes(bytes) => bytes.clone(),
            Action::CloseInput if index + 1 == input.steps.len() => Vec::new(),
            _ => return None,
        });
    }
    Some(all)
}

fn name(step: &InputStep, id: &Value, known: &mut Variables) {
    if let Some(name) = &step.name {
        known.insert(name.clone(), json!({ "id": id }));
    }
}

fn line(text: String) -> Vec<u8> {
    format!("{text}\n").into_bytes()
}

fn message(
    send: &Send,
    id: Option<Value>,
    revision: Revision,
    usual: &Map<String, Value>,
    known: &Variables,
) -> Option<Vec<u8>> {
    let mut params = send.params.as_ref().map(|params| template::fill(params, known)).transpose().ok()?;
    let mut meta = if revision.era() == Era::Stateless { usual.clone() } else { Map::new() };
    let added = template::fill(&Value::Object(send.meta.clone()), known).ok()?;
    meta.extend(added.as_object().cloned().unwrap_or_default());
    meta.retain(|name, _| !send.without_meta.iter().any(|without| without == "*" || without == name));
    if !meta.is_empty() {
        match params.get_or_insert_with(|| json!({})) {
            Value::Object(members) => members.insert("_meta".to_owned(), Value::Object(meta)),
            _ => return None,
        };
    }
    let mut members = Map::from_iter([("jsonrpc".to_owned(), json!("2.0"))]);
    members.extend(id.map(|id| ("id".to_owned(), id)));
    members.insert("method".to_owned(), template::fill(&json!(send.method), known).ok()?);
    members.extend(params.map(|params| ("params".to_owned(), params)));
    Some(line(Value::Object(members).to_string()))
}

/// Bytes as `printf` takes them, between single quotes.
fn printf(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b'%' => text.push_str("%%"),
            b'\'' => text.push_str("'\\''"),
            b' '..=b'~' => text.push(char::from(*byte)),
            // Three digits, so that no digit behind it is taken for a part of it.
            _ => {
                let _ = write!(text, "\\{byte:03o}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(input: &Input) -> Vec<u8> {
        let command = over_stdio(input, Revision::R2025_11_25, true, "cat").unwrap();
        let command = command.replace(&format!("sleep {OPEN}"), "true");
        std::process::Command::new("sh").arg("-c").arg(command).output().unwrap().stdout
    }

    #[test]
    fn a_shell_sends_the_same_bytes() {
        let odd = b"a%s\\n'\xff\x007\n".to_vec();
        let call = Action::Request(Send {
            method: "tools/call".to_owned(),
            params: Some(json!({ "name": "it's", "arguments": {} })),
            id: None,
            meta: Map::new(),
            without_meta: Vec::new(),
            background: true,
        });
        let mut first = InputStep::from(call);
        first.name = Some("call".to_owned());
        let raw = Action::Raw("{\"requestId\":{{call.id}},\"id\":{{id}}}".to_owned());
        let input = Input {
            origin: "sequence",
            steps: vec![first, raw.into(), Action::Bytes(odd.clone()).into(), Action::CloseInput.into()],
        };
        let mut expected = greeting(Revision::R2025_11_25);
        expected.extend(
            b"{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"params\":{\"name\":\"it's\",\"arguments\":{}}}\n",
        );
        expected.extend(b"{\"requestId\":2,\"id\":3}\n");
        expected.extend(odd);
        assert_eq!(String::from_utf8_lossy(&sent(&input)), String::from_utf8_lossy(&expected));
    }

    #[test]
    fn what_needs_an_answer_is_not_written_by_hand() {
        let mut step = InputStep::from(Action::Raw("{}".to_owned()));
        step.capture = vec![("x".to_owned(), "result.x".parse().unwrap())];
        let input = Input { origin: "sequence", steps: vec![step] };
        assert_eq!(over_stdio(&input, Revision::R2025_11_25, true, "cat"), None);
    }
}
