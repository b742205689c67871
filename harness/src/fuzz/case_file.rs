//! Findings as case files: an input written in the case format, and read from it again.
//!
//! What is written is plain YAML with everything that came from a generator in double quotes, so that any text
//! survives: control characters, braces of templates (which an [`Input`] escapes already), and bytes (as Base64).

mod yaml;

use base64::Engine as _;
use mcp_conform_cases::Revision;
use mcp_conform_cases::case::{Action, Case, HttpRequest, Outcome, Script, SessionKind};
use serde_json::{Map, Value, json};

use super::input::{BARE, Claim, Input, InputStep};
use super::oracle::Oracle;
use crate::event::Transport;

/// What stands at the head of a case file.
#[derive(Clone, Debug)]
pub struct CaseHead {
    /// `area/name` in lower-case letters, digits and hyphens.
    pub id: String,
    /// What a conformant server does, as a sentence.
    pub title: String,
    /// The id of the requirement that is broken.
    pub requirement: String,
    /// Where the case runs; everywhere if empty.
    pub revisions: Vec<Revision>,
    /// Over which transports it runs; over those of the requirement if empty and nothing in it belongs to HTTP alone.
    pub transports: Vec<Transport>,
    /// The tools that must be listed and allowed to be called.
    pub tools: Vec<String>,
    /// What a reader should know.
    pub note: Option<String>,
}

/// An input that was read from a file.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The file.
    pub name: String,
    /// The input.
    pub input: Input,
    /// What noticed it, if fuzzing saved it.
    pub oracle: Option<Oracle>,
}

impl Saved {
    /// The input in a case file; none if the case does more than send something once.
    #[must_use]
    pub fn from_case(name: String, case: &Case) -> Option<Saved> {
        Some(Saved { name, input: Input::from_case(case)?, oracle: Oracle::of_case(&case.id) })
    }
}

/// What shows the finding when the case is run.
#[derive(Clone, Debug, PartialEq)]
pub enum Expectation {
    /// The server lives and answers after all that was sent; where its input was closed, it ends.
    Alive,
    /// The response to a step, counted from 0, is of this kind.
    Outcome(usize, Outcome),
    /// The response to a step has these members: a map from paths to matchers, as in `expect`.
    Members(usize, Map<String, Value>),
}

/// Writes an input as a case. It is read back to the same actions as long as it is shorter than
/// [`mcp_conform_cases::yaml::MAX_FILE`] and nests at most 48 levels deep. An expectation of a step that is not there
/// says nothing.
#[must_use]
pub fn render(input: &Input, head: &CaseHead, expectations: &[Expectation]) -> String {
    let mut text = String::new();
    let mut line = |key: &str, value: &Value| {
        text.push_str(key);
        text.push_str(": ");
        yaml::write(value, &mut text);
        text.push('\n');
    };
    line("id", &json!(head.id));
    line("title", &json!(head.title));
    line("requirement", &json!(head.requirement));
    if !head.revisions.is_empty() {
        let names: Vec<&str> = head.revisions.iter().map(|revision| revision.as_str()).collect();
        line("revisions", &json!(names.join(",")));
    }
    let mut transports: Vec<&str> = head.transports.iter().map(|transport| transport.as_str()).collect();
    if input.steps.iter().any(|step| is_http_only(&step.action)) {
        transports.retain(|name| *name != "stdio");
        if transports.is_empty() {
            transports = vec!["http", "sse"];
        }
    }
    if !transports.is_empty() {
        line("transports", &json!(transports));
    }
    line("session", &json!(if input.is_bare() { "bare" } else { "fresh" }));
    line("hostile", &json!(true));
    if !head.tools.is_empty() {
        line("needs", &json!({ "tool": head.tools }));
    }
    if let Some(note) = &head.note {
        line("note", &json!(note));
    }
    line("catches", &json!([]));
    text.push_str("steps:\n");
    write_steps(steps(input, expectations), &mut text);
    text
}

/// What an input does, as the steps of a case and without expectations.
#[must_use]
pub fn steps_text(input: &Input) -> String {
    let mut text = String::new();
    write_steps(input.steps.iter().map(step).collect(), &mut text);
    text
}

fn write_steps(steps: Vec<Map<String, Value>>, text: &mut String) {
    for step in steps {
        text.push_str("  - ");
        yaml::write(&Value::Object(step), text);
        text.push('\n');
    }
}

/// The steps of a case: those of the input with what is expected of them, and those that wait for what is left.
fn steps(input: &Input, expectations: &[Expectation]) -> Vec<Map<String, Value>> {
    let mut steps: Vec<Map<String, Value>> = input.steps.iter().map(step).collect();
    let mut last = Vec::new();
    for expectation in expectations {
        let (at, expected) = match expectation {
            Expectation::Alive => continue,
            Expectation::Outcome(at, outcome) => (*at, json!(outcome.as_str())),
            Expectation::Members(at, members) => (*at, Value::Object(members.clone())),
        };
        let (Some(of), Some(written)) = (input.steps.get(at), steps.get_mut(at)) else { continue };
        if is_background(&of.action) {
            let name = of.name.clone().unwrap_or_else(|| free_name(input, at));
            written.insert("as".to_owned(), json!(name));
            last.push(Map::from_iter([
                ("response_to".to_owned(), json!(name)),
                ("expect".to_owned(), expected),
            ]));
        } else if !matches!(of.action, Action::Barrier | Action::Close(_)) {
            written.insert("expect".to_owned(), expected);
        }
    }
    steps.append(&mut last);
    let proves = steps.iter().any(|step| step.contains_key("expect"));
    if expectations.contains(&Expectation::Alive) || !proves {
        let sign = if input.closes() { "await_exit" } else { "barrier" };
        steps.push(Map::from_iter([(sign.to_owned(), json!(true))]));
    }
    steps
}

fn is_background(action: &Action) -> bool {
    matches!(action, Action::Request(send) if send.background)
}

fn is_http_only(action: &Action) -> bool {
    matches!(action, Action::Http(_) | Action::HttpRaw(_) | Action::Close(_))
}

/// A name that no step has.
fn free_name(input: &Input, at: usize) -> String {
    let mut name = format!("step{at}");
    while input.steps.iter().any(|step| step.name.as_deref() == Some(&name)) {
        name.push('x');
    }
    name
}

fn step(step: &InputStep) -> Map<String, Value> {
    let mut written = Map::new();
    let mut add = |key: &str, value: Value| {
        written.insert(key.to_owned(), value);
    };
    match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            let mut members = Map::new();
            members.insert("method".to_owned(), json!(send.method));
            members.extend(send.params.clone().map(|params| ("params".to_owned(), params)));
            members.extend(send.id.clone().map(|id| ("id".to_owned(), id)));
            if !send.meta.is_empty() {
                members.insert("meta".to_owned(), Value::Object(send.meta.clone()));
            }
            if !send.without_meta.is_empty() {
                members.insert("without_meta".to_owned(), json!(send.without_meta));
            }
            if send.background {
                members.insert("background".to_owned(), json!(true));
            }
            let is_request = matches!(step.action, Action::Request(_));
            add(if is_request { "send" } else { "notify" }, Value::Object(members));
        }
        // The format cannot tell a null from nothing, but the text of one is as good.
        Action::Json(Value::Null) => add("send_raw", json!("null")),
        Action::Json(value) => add("send_json", value.clone()),
        Action::Raw(text) => add("send_raw", json!(text)),
        Action::Bytes(bytes) => {
            add("send_bytes", json!(base64::engine::general_purpose::STANDARD.encode(bytes)));
        }
        Action::Http(request) => add("http", http(request)),
        Action::HttpRaw(raw) => {
            let mut members = Map::new();
            members.insert("head".to_owned(), json!(raw.head));
            members.extend(raw.body.as_ref().map(|body| ("body".to_owned(), json!(body))));
            members.extend(raw.cut_after.map(|cut| ("cut_after".to_owned(), json!(cut))));
            add("http_raw", Value::Object(members));
        }
        Action::Close(name) => add("close", json!(name)),
        Action::CloseInput => add("close_input", json!(true)),
        Action::Terminate => add("terminate", json!(true)),
        Action::AwaitExit => add("await_exit", json!(true)),
        Action::ResponseTo(name) => add("response_to", json!(name)),
        // An input waits for nothing; whoever put it there gets a sign of life instead.
        Action::Await(_) | Action::Barrier => add("barrier", json!(true)),
    }
    if !step.headers.is_empty() {
        let headers = step.headers.iter().map(|(name, value)| (name.clone(), json!(value)));
        add("headers", Value::Object(headers.collect()));
    }
    if let Some(name) = &step.name {
        add("as", json!(name));
    }
    if !step.capture.is_empty() {
        let captured = step.capture.iter().map(|(name, path)| (name.clone(), json!(path.to_string())));
        add("capture", Value::Object(captured.collect()));
    }
    written
}

fn http(request: &HttpRequest) -> Value {
    let mut members = Map::new();
    members.insert("method".to_owned(), json!(request.method));
    members.extend(request.host.as_ref().map(|host| ("host".to_owned(), json!(host))));
    members.extend(request.path.as_ref().map(|path| ("path".to_owned(), json!(path))));
    members.extend(request.body.as_ref().map(|body| ("body".to_owned(), json!(body))));
    if request.open {
        members.insert("open".to_owned(), json!(true));
    }
    Value::Object(members)
}

impl Input {
    /// The input that a case holds: what it sends, without what it expects and waits for. None for an invariant, for a
    /// case that is repeated or ends the server's process, and where nothing is sent.
    #[must_use]
    pub fn from_case(case: &Case) -> Option<Input> {
        let Script::Steps(script) = &case.script else { return None };
        let ends_process = script.iter().any(|step| step.action == Action::Terminate);
        if case.for_each.is_some() || ends_process {
            return None;
        }
        let sends = |action: &Action| {
            !matches!(
                action,
                Action::Await(_)
                    | Action::ResponseTo(_)
                    | Action::AwaitExit
                    | Action::Barrier
                    | Action::Terminate
            )
        };
        let steps: Vec<InputStep> = script
            .iter()
            .filter(|step| sends(&step.action))
            .map(|step| InputStep {
                action: step.action.clone(),
                headers: step.headers.clone(),
                name: step.name.clone(),
                capture: step.capture.clone(),
                claim: Claim::None,
            })
            .collect();
        let origin = if case.session == SessionKind::Bare { BARE } else { "corpus" };
        (!steps.is_empty()).then_some(Input { origin, steps })
    }
}

#[cfg(test)]
mod tests;
