//! What the reference server says, frame by frame, in each revision: a fixed script, driven through the harness's own
//! session. A change of the session or of the server shows here first. `INSTA_UPDATE=always` writes the snapshots anew.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test that fails should panic"
)]

use std::fmt::Write as _;
use std::time::Duration;

use insta::{assert_snapshot, with_settings};
use mcp_conform::detect::{Access, Opener};
use mcp_conform::process::{Patience, ServerCommand};
use mcp_conform::session::client::ScriptedClient;
use mcp_conform::session::{Outgoing, Session};
use mcp_conform::transcript::{Happening, Transcript, Waited};
use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value, json};

const LIMIT: Duration = Duration::from_secs(30);

/// What differs from run to run, or from version to version.
const FILTERS: [(&str, &str); 4] = [
    (r#""version":"\d+\.\d+\.\d+[^"]*""#, r#""version":"[version]""#),
    (r#""(createdAt|lastUpdatedAt)":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z""#, r#""$1":"[time]""#),
    (r#""requestState":"[^"]*""#, r#""requestState":"[state]""#),
    (r"\btask-[0-9a-f]{32}\b", "[task]"),
];

/// Sends a request and waits for its response.
async fn ask(session: &mut Session, method: &str, params: Value) -> Value {
    ask_with(session, method, params, Map::new()).await
}

async fn ask_with(session: &mut Session, method: &str, params: Value, meta: Map<String, Value>) -> Value {
    let params = params.as_object().is_some_and(|members| !members.is_empty()).then_some(params);
    let outgoing = Outgoing {
        method: method.to_owned(),
        params,
        meta,
        client: session.transcript.client,
        ..Outgoing::default()
    };
    match session.exchange(outgoing, LIMIT).await {
        Waited::Response(entry) => session.message_in(entry).cloned().unwrap(),
        other => panic!("{method}: {other:?}"),
    }
}

/// A list, page by page.
async fn walk(session: &mut Session, method: &str) {
    let mut params = json!({});
    for _ in 0..20 {
        let page = ask(session, method, params).await;
        match page["result"].get("nextCursor") {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return,
        }
    }
    panic!("{method} does not end");
}

async fn call(session: &mut Session, name: &str, arguments: Value) -> Value {
    ask(session, "tools/call", json!({ "name": name, "arguments": arguments })).await
}

/// Everything that the revisions have in common, and what one of them has alone.
async fn script(session: &mut Session) {
    let revision = session.revision();
    let stateful = revision.era() == Era::Stateful;
    for list in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
        walk(session, list).await;
    }

    // One call of each kind of content; a revision that lacks the kind has no such tool.
    for tool in [
        "test_simple_text",
        "test_image_content",
        "test_audio_content",
        "test_embedded_resource",
        "test_resource_link",
        "test_multiple_content_types",
        "test_structured_content",
        "test_error_handling",
    ] {
        call(session, tool, json!({})).await;
    }
    let token = Map::from_iter([("progressToken".to_owned(), json!("transcript"))]);
    ask_with(session, "tools/call", json!({ "name": "test_tool_with_progress", "arguments": {} }), token)
        .await;

    // Logs.
    if stateful {
        ask(session, "logging/setLevel", json!({ "level": "info" })).await;
        call(session, "test_tool_with_logging", json!({})).await;
        ask(session, "logging/setLevel", json!({ "level": "emergency" })).await;
    } else {
        let level = Map::from_iter([("io.modelcontextprotocol/logLevel".to_owned(), json!("info"))]);
        ask_with(session, "tools/call", json!({ "name": "test_tool_with_logging", "arguments": {} }), level)
            .await;
    }

    // The server asks its client.
    if stateful {
        call(session, "test_sampling", json!({ "prompt": "Who are you?" })).await;
        call(session, "test_elicitation", json!({ "message": "Who are you?" })).await;
        call(session, "test_roots", json!({})).await;
    } else {
        asked_back(session).await;
    }

    for uri in ["test://static-text", "test://static-binary", "test://template/7/data"] {
        ask(session, "resources/read", json!({ "uri": uri })).await;
    }
    for (name, arguments) in [
        ("test_simple_prompt", json!({})),
        ("test_prompt_with_arguments", json!({ "arg1": "one", "arg2": "two" })),
        ("test_prompt_with_embedded_resource", json!({ "resourceUri": "test://static-text" })),
        ("test_prompt_with_image", json!({})),
    ] {
        ask(session, "prompts/get", json!({ "name": name, "arguments": arguments })).await;
    }
    let prompt = json!({ "type": "ref/prompt", "name": "test_prompt_with_city" });
    ask(
        session,
        "completion/complete",
        json!({ "ref": prompt, "argument": { "name": "country", "value": "" } }),
    )
    .await;
    let template = json!({ "type": "ref/resource", "uri": "test://city/{country}/{city}" });
    ask(
        session,
        "completion/complete",
        json!({ "ref": template, "argument": { "name": "city", "value": "" } }),
    )
    .await;

    // Errors of each kind.
    ask(session, "transcripts/no-such-method", json!({})).await;
    ask(session, "tools/call", json!({})).await;
    call(session, "no_such_tool", json!({})).await;
    call(session, "test_typed_arguments", json!({ "count": "many" })).await;
    ask(session, "tools/list", json!({ "cursor": "no-such-cursor" })).await;
    ask(session, "resources/read", json!({ "uri": "test://no-such-resource" })).await;
    ask(session, "prompts/get", json!({ "name": "no_such_prompt" })).await;
    ask(session, "prompts/get", json!({ "name": "test_prompt_with_arguments", "arguments": {} })).await;
    for bytes in ["{\"jsonrpc\":\"2.0\",\n", "[]\n", "{\"jsonrpc\":\"2.0\",\"id\":1}\n"] {
        session.send_bytes(bytes.as_bytes().to_vec());
        let barrier = session.barrier_method();
        ask(session, barrier, json!({})).await;
    }

    match revision {
        Revision::R2025_11_25 => task(session).await,
        Revision::R2026_07_28 => {
            ask_with(
                session,
                "server/discover",
                json!({}),
                Map::from_iter([("io.modelcontextprotocol/protocolVersion".to_owned(), json!("1999-01-01"))]),
            )
            .await;
            ask(session, "ping", json!({})).await;
        }
        _ => {}
    }
}

/// The stateless era: the server asks by an interim result, and is asked again with the answers.
async fn asked_back(session: &mut Session) {
    let meta = session.standard_meta(ClientKind::Full);
    let call = json!({ "name": "test_input_required_result_elicitation", "arguments": {} });
    let interim = ask_with(session, "tools/call", call.clone(), meta.clone()).await;
    assert_eq!(interim["result"]["resultType"], "input_required", "{interim}");
    let client = ScriptedClient::default();
    let answers: Map<String, Value> = interim["result"]["inputRequests"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, asked)| {
            (key.clone(), client.result(asked["method"].as_str().unwrap(), &asked["params"]).unwrap())
        })
        .collect();
    let mut again = call;
    again["inputResponses"] = Value::Object(answers);
    if let Some(state) = interim["result"].get("requestState") {
        again["requestState"] = state.clone();
    }
    let result = ask_with(session, "tools/call", again, meta).await;
    assert_eq!(result["result"]["resultType"], "complete", "{result}");
}

/// A call that runs as a task. Its result is waited for first: whether it is done already when its status is asked for
/// would be left to chance.
async fn task(session: &mut Session) {
    let created = ask(
        session,
        "tools/call",
        json!({ "name": "test_task_required", "arguments": {}, "task": { "ttl": 60000 } }),
    )
    .await;
    let id = &created["result"]["task"]["taskId"];
    for method in ["tasks/result", "tasks/get", "tasks/cancel"] {
        ask(session, method, json!({ "taskId": id })).await;
    }
    ask(session, "tasks/list", json!({})).await;
    ask(session, "tasks/get", json!({ "taskId": "no-such-task" })).await;
}

/// Carries the script out and brings the server to its end.
fn recorded(revision: Revision) -> Transcript {
    let command = ServerCommand {
        program: env!("CARGO_BIN_EXE_reference-server").into(),
        arguments: ["--fixture-delay", "2"].map(Into::into).to_vec(),
        environment: Vec::new(),
        directory: None,
    };
    let scripted = ScriptedClient { roots: vec!["file:///scratch".to_owned()], ..ScriptedClient::default() };
    let opener = Opener { access: Access::Stdio { command, guardian: None }, scripted, startup: LIMIT };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut begun = opener
            .begin(revision, ClientKind::Usual, false)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        script(&mut begun.session).await;
        begun.session.finish(Patience { after_close: LIMIT, after_term: LIMIT }).await
    })
}

/// One line a frame, as it went over the wire.
fn in_lines(transcript: &Transcript) -> String {
    let mut lines = String::new();
    for entry in &transcript.entries {
        let (sign, text) = match &entry.what {
            Happening::Sent { bytes, .. } => {
                ("→", String::from_utf8_lossy(bytes).trim_end_matches('\n').to_owned())
            }
            Happening::Received { frame, .. } => ("←", String::from_utf8_lossy(&frame.bytes).into_owned()),
            Happening::Exited(exit) => ("·", exit.to_string()),
            other => ("·", format!("{other:?}")),
        };
        let _ = writeln!(lines, "{sign} {text}");
    }
    lines
}

fn check(name: &str, revision: Revision) {
    let transcript = recorded(revision);
    assert_eq!(transcript.stderr, "", "the server complained");
    with_settings!({ filters => FILTERS.to_vec() }, {
        assert_snapshot!(name, in_lines(&transcript));
    });
}

#[test]
fn the_revision_of_2024_11_05() {
    check("2024-11-05", Revision::R2024_11_05);
}

#[test]
fn the_revision_of_2025_03_26() {
    check("2025-03-26", Revision::R2025_03_26);
}

#[test]
fn the_revision_of_2025_06_18() {
    check("2025-06-18", Revision::R2025_06_18);
}

#[test]
fn the_revision_of_2025_11_25() {
    check("2025-11-25", Revision::R2025_11_25);
}

#[test]
fn the_revision_of_2026_07_28() {
    check("2026-07-28", Revision::R2026_07_28);
}
