//! Inputs of the fuzzer, by the bytes of an engine: the same bytes give the same input, what is claimed of it is true,
//! and it survives being written as a case.

use std::sync::OnceLock;

use mcp_conform::event::Transport;
use mcp_conform::fuzz::case_file::{CaseHead, Expectation, render};
use mcp_conform::fuzz::input::{Claim, Input};
use mcp_conform::fuzz::make::{Canary, Maker, MakerSettings};
use mcp_conform::profile::Profile;
use mcp_conform::template::{Variables, fill, fill_raw};
use mcp_conform_cases::Revision;
use mcp_conform_cases::case::{Action, Case};
use mcp_conform_cases::yaml::MAX_FILE;
use serde_json::{Value, json};

use crate::bytes::Bytes;

/// Tries one input: a byte says which maker, the rest goes to it.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let maker = bytes.pick(makers());
    let rest = bytes.rest();
    let Some(input) = maker.from_bytes(rest) else { return };
    assert_eq!(
        exact(&maker.from_bytes(rest).expect("again")),
        exact(&input),
        "the same bytes, another input"
    );
    assert!(!input.steps.is_empty());
    let variables = variables();
    for step in &input.steps {
        templates(&step.action, &variables);
        claim(&step.action, &step.claim);
    }
    let mut reclaimed = input.clone();
    maker.reclaim(&mut reclaimed);
    let once = reclaimed.clone();
    maker.reclaim(&mut reclaimed);
    assert_eq!(exact(&reclaimed), exact(&once), "claims that are true stay as they are");
    for step in &reclaimed.steps {
        claim(&step.action, &step.claim);
    }
    file(&input);
}

/// Floats differ in more than equality tells.
fn exact(input: &Input) -> String {
    format!("{input:?}")
}

fn file(input: &Input) {
    let head = CaseHead {
        id: "fuzz/found-1".to_owned(),
        title: "The server survives: \"this\"".to_owned(),
        requirement: "robustness.session-survives".to_owned(),
        revisions: vec![Revision::R2025_06_18],
        transports: Vec::new(),
        tools: Vec::new(),
        note: Some("no".to_owned()),
    };
    let text = render(input, &head, &[Expectation::Alive]);
    if text.len() > MAX_FILE || input.steps.iter().any(|step| step.action == Action::Json(Value::Null)) {
        return;
    }
    let case = Case::read("found.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let again = Input::from_case(&case).expect("it does something");
    let actions = |input: &Input| {
        let steps = input.steps.iter().map(|step| (&step.action, &step.headers, &step.name, &step.capture));
        format!("{:?}", steps.collect::<Vec<_>>())
    };
    assert_eq!(actions(&again), actions(input), "{text}");
}

/// Every template is whole, and names what a session knows.
fn templates(action: &Action, variables: &Variables) {
    let raw = |text: &str| {
        fill_raw(text, variables).unwrap_or_else(|error| panic!("{error}: {text}"));
    };
    let value = |value: &Value| {
        fill(value, variables).unwrap_or_else(|error| panic!("{error}: {value}"));
    };
    match action {
        Action::Request(send) | Action::Notify(send) => {
            raw(&send.method);
            send.params.iter().chain(&send.id).for_each(value);
        }
        Action::Json(json) => value(json),
        Action::Raw(text) => raw(text),
        Action::Http(request) => request.body.iter().for_each(|body| raw(body)),
        Action::HttpRaw(request) => request.head.iter().chain(&request.body).for_each(|text| raw(text)),
        _ => {}
    }
}

/// What is claimed of arguments is what a validator of its own says of them.
fn claim(action: &Action, claim: &Claim) {
    let (tool, is_valid) = match claim {
        Claim::Valid { tool } => (tool, true),
        Claim::Forbidden { tool, why, .. } => {
            assert!(!why.is_empty());
            (tool, false)
        }
        Claim::None | Claim::Bait { .. } => return,
    };
    let Action::Request(send) = action else { return };
    let Some(arguments) = send.params.as_ref().and_then(|params| params.get("arguments")) else { return };
    let arguments = fill(arguments, &Variables::default()).expect("arguments name nothing");
    let Some((_, schema)) = tools().into_iter().find(|(name, _)| name == tool) else {
        panic!("a claim about a tool that is not there: {tool}");
    };
    let validator =
        jsonschema::options().should_validate_formats(false).build(&schema).expect("it is a schema");
    assert_eq!(validator.is_valid(&arguments), is_valid, "{claim:?} of {arguments}");
}

fn tools() -> Vec<(String, Value)> {
    let search = json!({
        "type": "object",
        "properties": {
            "query": { "type": "string", "maxLength": 300 },
            "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
            "exact": { "type": "boolean" },
            "kind": { "enum": ["a", "b", "{{c}}"] },
            "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 5 },
        },
        "required": ["query"],
        "additionalProperties": false,
    });
    let open = json!({
        "type": "object",
        "properties": { "x": {}, "path": { "type": "string", "pattern": "^/" }, "n": { "type": "number" } },
    });
    let nested = json!({
        "type": "object",
        "properties": {
            "filter": {
                "oneOf": [
                    { "type": "object", "properties": { "eq": { "type": "string" } }, "required": ["eq"] },
                    { "type": "object", "properties": { "not": { "$ref": "#/properties/filter" } }, "required": ["not"] },
                ],
            },
            "{{odd}} \"name\"": { "type": ["string", "null"] },
        },
    });
    [("search {{x}}", search), ("open", open), ("nested", nested)]
        .map(|(name, schema)| (name.to_owned(), schema))
        .into()
}

fn makers() -> &'static [Maker] {
    static MAKERS: OnceLock<Vec<Maker>> = OnceLock::new();
    MAKERS.get_or_init(|| {
        let tools = tools();
        let profile = Profile {
            capabilities: json!({ "tools": {}, "resources": { "subscribe": true }, "prompts": {}, "completions": {}, "logging": {} }),
            tools: tools.iter().map(|(name, schema)| json!({ "name": name, "inputSchema": schema })).collect(),
            resources: vec![json!({ "uri": "file:///a{{b}}", "name": "a" })],
            templates: vec![json!({ "uriTemplate": "x://{a}/{+b}", "name": "t" })],
            prompts: vec![json!({ "name": "p", "arguments": [{ "name": "q" }] })],
            ..Profile::default()
        };
        let names: Vec<String> = tools.into_iter().map(|(name, _)| name).collect();
        let kinds = [
            (Revision::R2025_06_18, Transport::Stdio),
            (Revision::R2026_07_28, Transport::Http),
            (Revision::R2024_11_05, Transport::Sse),
        ];
        let maker = |(revision, transport)| {
            let mut settings = MakerSettings::new(names.clone(), revision, transport, 7);
            // The longest texts only cost time here.
            settings.largest_text = 4096;
            settings.canary = Some(Canary { path: "/tmp/canary".to_owned(), marker: "found-canary".to_owned() });
            Maker::new(&profile, settings)
        };
        kinds.map(maker).into()
    })
}

fn variables() -> Variables {
    let mut variables = Variables::default();
    for name in ["id", "captured", "cursor"] {
        variables.insert(name.to_owned(), json!("known"));
    }
    variables.insert("meta".to_owned(), json!({}));
    variables.insert("http".to_owned(), json!({ "path": "/mcp", "headers": "" }));
    for name in ["call", "asked", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"] {
        variables.insert(name.to_owned(), json!({ "id": 1 }));
    }
    variables
}
