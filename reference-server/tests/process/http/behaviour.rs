//! What the good server does.

use std::time::Duration;

use serde_json::json;

use super::client::{Answer, Ask, SILENCE, Server, Session, initialize, modern, notification, request};

fn code(answer: &Answer) -> (u16, i64) {
    (answer.status, answer.json()["error"]["code"].as_i64().unwrap())
}

#[test]
fn a_session_from_its_beginning_to_its_end() {
    let server = Server::start(&[]);
    for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let (session, answer) = Session::begin(server.http, revision);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
        assert_eq!(answer.json()["result"]["protocolVersion"], revision);
        assert!(session.id.len() >= 32 && session.id.bytes().all(|byte| byte.is_ascii_graphic()));

        let accepted = session.post(&notification("notifications/initialized")).send();
        assert_eq!((accepted.status, accepted.body.as_str()), (202, ""));
        let pong = session.post(&request(1, "ping", json!({}))).send();
        assert_eq!(pong.json(), json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
        assert!(pong.header("mcp-session-id").is_none());

        let logged = session.call(2, "test_tool_with_logging", json!({})).send();
        assert_eq!((logged.status, logged.header("content-type")), (200, Some("text/event-stream")));
        assert!(
            logged.ended && logged.messages().len() == 4 && logged.messages()[3]["id"] == 2,
            "{logged:?}"
        );
        // Only the newest of them begins with an event without data.
        assert_eq!(logged.ids().len(), if revision == "2025-11-25" { 5 } else { 4 });

        assert_eq!(session.delete().send().status, 204);
        assert_eq!(session.post(&request(3, "ping", json!({}))).send().status, 404);
        assert_eq!(session.get().send().status, 404);
        assert_eq!(session.delete().send().status, 404);
    }
}

#[test]
fn refusals_have_their_statuses() {
    let server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-11-25");
    let ping = session.post(&request(1, "ping", json!({})));
    assert_eq!(ping.send().status, 200);
    assert_eq!(ping.clone().without("Mcp-Session-Id").send().status, 400);
    assert_eq!(ping.clone().with("Mcp-Session-Id", "nobody").send().status, 404);
    assert_eq!(ping.clone().with("MCP-Protocol-Version", "1999-01-01").send().status, 400);
    assert_eq!(ping.clone().without("MCP-Protocol-Version").send().status, 200);
    assert_eq!(ping.clone().with("Content-Type", "text/plain").send().status, 415);
    assert_eq!(ping.clone().with("Accept", "application/json").send().status, 406);
    assert_eq!(ping.clone().with("Accept", "*/*").send().status, 200);
    assert_eq!(code(&ping.clone().body("{bad").send()), (400, -32700));
    assert_eq!(code(&ping.clone().body("[]").send()), (400, -32600));
    assert_eq!(ping.clone().body(vec![b' '; 5 * 1024 * 1024]).send().status, 413);
    assert_eq!(Ask::new(server.http, "PUT", "/mcp").send().header("allow"), Some("GET, POST, DELETE"));
    assert_eq!(Ask::new(server.http, "GET", "/").send().status, 404);
    assert_eq!(session.get().with("Accept", "application/json").send().status, 406);
    assert_eq!(session.get().with("Last-Event-ID", "no-such").send().status, 400);
    for (header, value, status) in [
        ("Origin", "http://evil.example", 403),
        ("Origin", "null", 403),
        ("Host", "evil.example", 403),
        ("Origin", "http://localhost:3000", 200),
        ("Host", "localhost:1", 200),
    ] {
        assert_eq!(ping.clone().with(header, value).send().status, status, "{header}: {value}");
    }
    let again = Ask::post(server.http, "/mcp", &initialize("2025-11-25")).with("Mcp-Session-Id", &session.id);
    assert_eq!(again.send().json()["error"]["code"], -32600);
}

#[test]
fn batches_exist_in_one_revision() {
    let server = Server::start(&[]);
    let batch = json!([request(1, "ping", json!({})), notification("x"), request(2, "ping", json!({}))]);
    let (old, _) = Session::begin(server.http, "2025-03-26");
    assert_eq!(old.post(&batch).send().json().as_array().unwrap().len(), 2);
    assert_eq!(old.post(&json!([notification("x")])).send().status, 202);
    let (new, _) = Session::begin(server.http, "2025-06-18");
    assert_eq!(code(&new.post(&batch).send()), (400, -32600));
}

#[test]
fn a_message_goes_to_one_stream_and_can_be_had_again() {
    let server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-11-25");
    let (mut one, mut other) = (session.get().open(), session.get().open());
    one.expect("text/event-stream");
    other.expect("text/event-stream");
    let trigger = session.call(1, "test_trigger_tool_change", json!({}));
    assert_eq!(trigger.send().header("content-type"), Some("application/json"));
    one.expect("tools/list_changed");
    assert!(!other.read_until(SILENCE, |text| text.contains("list_changed")));
    // What came while nobody listened is replayed, and nothing of other streams.
    let id = one.finish(Duration::ZERO).ids()[0].clone();
    trigger.send();
    other.expect("list_changed");
    let mut again = session.get().with("Last-Event-ID", &id).open();
    trigger.send();
    again.expect("list_changed");
}

#[test]
fn an_interrupted_answer_is_fetched_later() {
    let server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-11-25");
    let first = session.call(7, "test_reconnection", json!({})).send();
    assert!(first.ended && first.data().is_empty() && first.body.contains("retry: "), "{first:?}");
    let rest = session.get().with("Last-Event-ID", &first.ids()[0]).send();
    assert_eq!((rest.messages()[0]["id"].as_u64(), rest.ended), (Some(7), true));
}

#[test]
fn the_server_asks_on_the_stream_of_the_request() {
    let server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-06-18");
    let mut call = session.call(1, "test_sampling", json!({ "prompt": "Hello" })).open();
    call.expect("sampling/createMessage");
    let result = json!({ "role": "assistant", "content": { "type": "text", "text": "Hi" }, "model": "m" });
    let answer = session.post(&json!({ "jsonrpc": "2.0", "id": "server-1", "result": result })).send();
    assert_eq!((answer.status, answer.body.as_str()), (202, ""));
    call.expect("LLM response: Hi");
}

#[test]
fn a_broken_connection_cancels_in_one_era_only() {
    let server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-11-25");
    session.post(&request(1, "resources/subscribe", json!({ "uri": "test://watched-resource" }))).send();
    let mut standing = session.get().open();
    standing.expect("text/event-stream");
    // It is known to be at work before its connection breaks; a request that never arrived says nothing.
    let later = json!({ "name": "test_update_later", "arguments": { "seconds": 0.2 }, "_meta": { "progressToken": "later" } });
    let mut call = session.post(&request(2, "tools/call", later.clone())).open();
    call.expect("notifications/progress");
    drop(call);
    standing.expect("resources/updated");

    let filter = json!({ "notifications": { "resourceSubscriptions": ["test://watched-resource"] } });
    let mut listen = modern(server.http, 1, "subscriptions/listen", filter).open();
    listen.expect("subscriptions/acknowledged");
    let mut call = modern(server.http, 2, "tools/call", later).open();
    call.expect("notifications/progress");
    drop(call);
    assert!(!listen.read_until(3 * SILENCE, |text| text.contains("updated")));
}

#[test]
fn the_stateless_era_has_its_statuses() {
    let server = Server::start(&[]);
    let list = modern(server.http, 1, "prompts/list", json!({}));
    let answer = list.send();
    assert_eq!((answer.status, answer.header("mcp-session-id")), (200, None));
    assert_eq!(list.clone().with("Mcp-Session-Id", "x").with("Last-Event-ID", "y").send().status, 200);
    assert_eq!(code(&modern(server.http, 1, "no/such", json!({})).send()), (404, -32601));
    assert_eq!(code(&modern(server.http, 1, "ping", json!({})).send()), (404, -32601));
    assert_eq!(code(&list.clone().without("MCP-Protocol-Version").send()), (400, -32020));
    assert_eq!(code(&list.clone().with("MCP-Protocol-Version", "2025-11-25").send()), (400, -32020));
    assert_eq!(code(&list.clone().without("Mcp-Method").send()), (400, -32020));
    assert_eq!(code(&list.clone().with("Mcp-Method", "Prompts/list").send()), (400, -32020));
    assert_eq!(
        code(&list.clone().body(request(1, "prompts/list", json!({})).to_string()).send()),
        (400, -32602)
    );
    let ancient = json!({ "_meta": { "io.modelcontextprotocol/protocolVersion": "v999",
        "io.modelcontextprotocol/clientCapabilities": {} } });
    let ancient = list.clone().body(request(5, "prompts/list", ancient).to_string());
    assert_eq!(code(&ancient.send()), (400, -32020));
    assert_eq!(code(&ancient.with("MCP-Protocol-Version", "v999").send()), (400, -32022));
    let missing = json!({ "name": "test_missing_capability" });
    assert_eq!(code(&modern(server.http, 1, "tools/call", missing).send()), (400, -32021));
    let unknown = modern(server.http, 1, "tools/call", json!({ "name": "no-such-tool" })).send();
    assert_eq!(code(&unknown), (200, -32602));
    assert_eq!(list.clone().body(notification("notifications/x").to_string()).send().status, 202);
    assert_eq!(list.body(json!({ "jsonrpc": "2.0", "id": 1, "result": {} }).to_string()).send().status, 400);
    let get = Ask::new(server.http, "GET", "/mcp").with("MCP-Protocol-Version", "2026-07-28");
    assert_eq!(get.send().header("allow"), Some("POST"));
}

#[test]
fn headers_agree_with_the_body() {
    let server = Server::start(&[]);
    let arguments =
        json!({ "region": "Gr\u{fc}n", "count": 42, "urgent": true, "filter": { "tenant": "a" } });
    let call = modern(
        server.http,
        1,
        "tools/call",
        json!({ "name": "test_header_arguments", "arguments": arguments }),
    )
    .with("mcp-param-region", "=?base64?R3LDvG4=?=")
    .with("Mcp-Param-Count", "42.0")
    .with("MCP-PARAM-URGENT", "true")
    .with("Mcp-Param-Tenant", "a")
    .with("Mcp-Param-Unknown", "x");
    assert_eq!(call.send().status, 200, "{:?}", call.send());
    for (header, value) in [
        ("Mcp-Param-Region", "Gr"),
        ("Mcp-Param-Region", "=?base64?R3LDvG4?="),
        ("Mcp-Param-Count", "41"),
        ("Mcp-Param-Urgent", "True"),
        ("Mcp-Param-Tenant", "A"),
        ("Mcp-Name", "test_Header_arguments"),
        ("Mcp-Name", "=?BASE64?dGVzdF9oZWFkZXJfYXJndW1lbnRz?="),
    ] {
        assert_eq!(code(&call.clone().with(header, value).send()), (400, -32020), "{header}: {value}");
        assert_eq!(code(&call.clone().without(header).send()), (400, -32020), "without {header}");
    }
    assert_eq!(call.clone().with("Mcp-Name", "=?base64?dGVzdF9oZWFkZXJfYXJndW1lbnRz?=").send().status, 200);
    assert_eq!(call.clone().with("Mcp-Name", "  test_header_arguments \t").send().status, 200);
    assert_eq!(code(&call.and("Mcp-Name", b"other").send()), (400, -32020));
    let bare =
        modern(server.http, 1, "tools/call", json!({ "name": "test_header_arguments", "arguments": {} }));
    assert_eq!(bare.send().status, 200);
    assert_eq!(code(&bare.with("Mcp-Param-Region", "x").send()), (400, -32020));
}

#[test]
fn a_subscription_is_a_stream() {
    let server = Server::start(&["--keep-alive", "0.05"]);
    let filter = json!({ "notifications": { "toolsListChanged": true } });
    let mut listen = modern(server.http, "me", "subscriptions/listen", filter).open();
    listen.expect("subscriptions/acknowledged");
    listen.expect(":\n\n");
    // Over any transport and in any era.
    let (session, _) = Session::begin(server.http, "2025-11-25");
    session.call(1, "test_trigger_tool_change", json!({})).send();
    listen.expect("tools/list_changed");
    let answer = listen.finish(Duration::ZERO);
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert!(answer.ids().is_empty());
    assert_eq!(answer.messages()[1]["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "me");
}

#[test]
fn the_old_transport() {
    let server = Server::start(&[]);
    let open = Ask::new(server.sse, "GET", "/sse").with("Accept", "text/event-stream");
    assert_eq!(open.clone().with("Origin", "http://evil.example").send().status, 403);
    let mut streams = [open.open(), open.open()];
    let paths = streams.each_mut().map(|stream| {
        stream.expect("\n\n");
        stream.expect("endpoint");
        let text = stream.text();
        let path = text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        path.to_owned()
    });
    for (path, stream) in paths.iter().zip(&mut streams) {
        let hello = Ask::post(server.sse, path, &initialize("2024-11-05"));
        assert_eq!((hello.send().status, hello.send().body.as_str()), (202, ""));
        stream.expect("event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":0,\"result\"");
    }
    let ping = |path: &str| Ask::post(server.sse, path, &request(77, "ping", json!({})));
    assert_eq!(ping(&paths[0]).send().status, 202);
    streams[0].expect("\"id\":77");
    assert!(!streams[1].read_until(SILENCE, |text| text.contains("\"id\":77")));
    assert_eq!(code(&ping(&paths[0]).body("{bad").send()), (400, -32700));
    assert_eq!(ping("/messages?sessionId=nobody").send().status, 404);
    assert_eq!(ping("/messages").send().status, 404);
    assert_eq!(Ask::new(server.sse, "POST", "/sse").send().header("allow"), Some("GET"));
    let [first, second] = streams;
    drop(second);
    // The server notices soon, but not at once.
    while ping(&paths[1]).send().status != 404 {}
    drop(first);
}

#[test]
fn the_protected_mode() {
    let server = Server::start(&["--bearer", "secret"]);
    let hello = Ask::post(server.http, "/mcp", &initialize("2025-11-25"));
    let status = |value: &str| hello.clone().with("Authorization", value).send().status;
    for (value, expected) in [
        ("Bearer secret", 200),
        ("bearer secret", 200),
        ("Bearer other", 401),
        ("Bearer secret2", 401),
        ("Basic c2VjcmV0", 401),
        ("Bearer ", 400),
        ("Bearer", 400),
        ("secret", 400),
    ] {
        assert_eq!(status(value), expected, "{value}");
    }
    let refused = hello.send();
    let address = server.http;
    let challenge = format!(
        "Bearer resource_metadata=\"http://{address}/.well-known/oauth-protected-resource/mcp\", scope=\"mcp\""
    );
    assert_eq!((refused.status, refused.header("www-authenticate")), (401, Some(challenge.as_str())));
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let metadata = Ask::new(address, "GET", path).send().json();
        assert_eq!(metadata["resource"], format!("http://{address}/mcp"));
        assert!(!metadata["authorization_servers"].as_array().unwrap().is_empty());
    }
    let query = Ask::post(address, "/mcp?access_token=secret", &initialize("2025-11-25"));
    assert_eq!(query.send().status, 401);
}

#[test]
fn ends_with_stdin() {
    let mut server = Server::start(&[]);
    let (session, _) = Session::begin(server.http, "2025-11-25");
    let mut stream = session.get().open();
    stream.expect("text/event-stream");
    drop(server.child.stdin.take());
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_crash_ends_the_process_and_a_hang_does_not() {
    let mut server = Server::start(&["--fault", "dies-on-bad-json"]);
    let bad = Ask::post(server.http, "/mcp", &json!({})).body("{bad");
    assert_eq!(bad.send().status, 0);
    assert_eq!(server.child.wait().unwrap().code(), Some(101));
    let server = Server::start(&["--fault", "hangs-on-bad-json"]);
    let mut answer = Ask::post(server.http, "/mcp", &json!({})).body("{bad").open();
    assert!(!answer.read_until(SILENCE, |text| !text.is_empty()));
}
