//! Traffic that uses every feature.

use serde_json::{Value, json};

use super::{Client, all_capabilities, modern, request};

/// Walks a list to its end and returns all entries.
async fn walk(
    client: &mut Client,
    method: &str,
    list: &str,
    wrap: impl Fn(Value, Value) -> Value,
) -> Vec<Value> {
    let (mut entries, mut params, mut pages) = (Vec::new(), json!({}), 0);
    loop {
        let answer = client.send(wrap(json!(format!("{method}-{pages}")), params)).await;
        let result = &answer[0]["result"];
        entries.extend(result[list].as_array().unwrap().iter().cloned());
        pages += 1;
        match result.get("nextCursor") {
            // Some faults lead in a circle.
            Some(cursor) if pages < 20 => params = json!({ "cursor": cursor }),
            _ => break,
        }
    }
    assert!(pages >= 2 || list == "tasks", "{method} has one page only");
    entries
}

fn arguments_for(tool: &str) -> Value {
    match tool {
        "test_sampling" => json!({ "prompt": "Hello" }),
        "test_elicitation" => json!({ "message": "Who?" }),
        "test_typed_arguments" => json!({ "text": "a", "count": 1 }),
        "json_schema_2020_12_tool" => json!({ "contactMethod": "email", "email": "a@b.c" }),
        "greet" => json!({ "name": "Ann" }),
        "confirm_delete" => json!({ "filename": "a.txt" }),
        "slow_compute" => json!({ "seconds": 0.1, "label": "x" }),
        "test_slow" => json!({ "seconds": 0.1 }),
        _ => json!({}),
    }
}

/// Uses every feature of a stateful revision, after its handshake.
pub(crate) async fn stateful_traffic(client: &mut Client) {
    let tools = walk(client, "tools/list", "tools", |id, params| request(id, "tools/list", params)).await;
    walk(client, "prompts/list", "prompts", |id, params| request(id, "prompts/list", params)).await;
    walk(client, "resources/list", "resources", |id, params| request(id, "resources/list", params)).await;
    walk(client, "resources/templates/list", "resourceTemplates", |id, params| {
        request(id, "resources/templates/list", params)
    })
    .await;
    client.send(request(json!(1), "logging/setLevel", json!({ "level": "debug" }))).await;
    client.send(request(json!(2), "resources/subscribe", json!({ "uri": "test://watched-resource" }))).await;
    for (number, tool) in tools.iter().enumerate() {
        let name = tool["name"].as_str().unwrap();
        let params =
            json!({ "name": name, "arguments": arguments_for(name), "_meta": { "progressToken": number } });
        converse(client, request(json!(100 + number), "tools/call", params.clone())).await;
        if tool["execution"]["taskSupport"].is_string() {
            let mut params = params;
            params["task"] = json!({ "ttl": 60000 });
            let created = converse(client, request(json!(200 + number), "tools/call", params)).await;
            let id =
                created.iter().find_map(|message| message.pointer("/result/task/taskId")).unwrap().clone();
            for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
                converse(
                    client,
                    request(json!(format!("{method} {number}")), method, json!({ "taskId": id })),
                )
                .await;
            }
        }
    }
    if tools.iter().any(|tool| tool["name"] == "test_task_required") {
        let call = json!({ "name": "test_slow", "arguments": { "seconds": 5 }, "task": {} });
        let created = client.send(request(json!("to cancel"), "tools/call", call)).await;
        let id = created[0]["result"]["task"]["taskId"].clone();
        let cancelled = client.send(request(json!("cancel"), "tasks/cancel", json!({ "taskId": id }))).await;
        assert_eq!(cancelled.last().unwrap()["result"]["status"], "cancelled");
        walk(client, "tasks/list", "tasks", |id, params| request(id, "tasks/list", params)).await;
    }
    client
        .send(request(json!(3), "resources/unsubscribe", json!({ "uri": "test://watched-resource" })))
        .await;
    for params in prompt_calls() {
        client.send(request(json!("p"), "prompts/get", params)).await;
    }
    for params in reads() {
        client.send(request(json!("r"), "resources/read", params)).await;
    }
    for params in completions() {
        client.send(request(json!("c"), "completion/complete", params)).await;
    }
    for line in broken_lines() {
        client.send_bytes(line).await;
    }
    client.send(request(json!("ping"), "ping", json!({}))).await;
    client.send(request(json!("x"), "no/such/method", json!({}))).await;
    client.send(json!([request(json!("b"), "ping", json!({})), 5])).await;
}

/// Sends a message, answers whatever the server asks meanwhile, and returns all that came.
async fn converse(client: &mut Client, message: Value) -> Vec<Value> {
    client.start(&serde_json::to_vec(&message).unwrap());
    let mut all = Vec::new();
    // Time is paused, so waiting costs nothing; one second is far more than any fixture takes.
    for _ in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        for message in client.take() {
            if message.get("id").is_some() && message.get("method").is_some() {
                let result = answer_to(message["method"].as_str().unwrap(), &message["params"]);
                let answer = json!({ "jsonrpc": "2.0", "id": message["id"], "result": result });
                client.start(&serde_json::to_vec(&answer).unwrap());
            }
            all.push(message);
        }
    }
    all
}

fn answer_to(method: &str, params: &Value) -> Value {
    match method {
        "sampling/createMessage" => {
            json!({ "role": "assistant", "content": { "type": "text", "text": "Hi" }, "model": "m" })
        }
        "roots/list" => json!({ "roots": [{ "uri": "file:///tmp" }] }),
        _ => {
            let mut content = json!({});
            for (name, property) in params["requestedSchema"]["properties"].as_object().into_iter().flatten()
            {
                if let Some(default) = property.get("default") {
                    content[name] = default.clone();
                } else if property["type"] == "boolean" {
                    content[name] = json!(true);
                } else if property["type"] == "string"
                    && property.get("enum").is_none()
                    && property.get("oneOf").is_none()
                {
                    content[name] = json!("Ann");
                }
            }
            json!({ "action": "accept", "content": content })
        }
    }
}

/// Uses every feature of the stateless era.
pub(crate) async fn stateless_traffic(client: &mut Client) {
    let all = all_capabilities;
    client.send(modern(json!(1), "server/discover", json!({}), json!({}))).await;
    let filter = json!({ "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
        "resourceSubscriptions": ["test://watched-resource", "test://no-such"] });
    client
        .send(modern(json!(2), "subscriptions/listen", json!({ "notifications": filter }), json!({})))
        .await;
    let tools =
        walk(client, "tools/list", "tools", |id, params| modern(id, "tools/list", params, json!({}))).await;
    walk(client, "prompts/list", "prompts", |id, params| modern(id, "prompts/list", params, json!({}))).await;
    walk(client, "resources/list", "resources", |id, params| modern(id, "resources/list", params, json!({})))
        .await;
    walk(client, "resources/templates/list", "resourceTemplates", |id, params| {
        modern(id, "resources/templates/list", params, json!({}))
    })
    .await;
    for (number, tool) in tools.iter().enumerate() {
        let name = tool["name"].as_str().unwrap();
        let mut params = json!({ "name": name, "arguments": arguments_for(name), "_meta": {
            "progressToken": number, "io.modelcontextprotocol/logLevel": "debug" } });
        converse(client, modern(json!(1000 + number), "tools/call", params.clone(), json!({}))).await;
        let mut result = Value::Null;
        for round in 0..5 {
            let id = json!(format!("{name} {round}"));
            let answers = converse(client, modern(id.clone(), "tools/call", params.clone(), all())).await;
            result = answers.into_iter().find(|answer| answer["id"] == id).unwrap()["result"].take();
            if result["resultType"] != "input_required" {
                break;
            }
            answer_inputs(&result, &mut params);
        }
        assert_ne!(result["resultType"], "input_required", "{name} never ends");
        if result["resultType"] == "task" {
            follow_task(client, &result["taskId"]).await;
        }
    }
    for params in prompt_calls() {
        client.send(modern(json!("p"), "prompts/get", params, all())).await;
    }
    for params in reads() {
        client.send(modern(json!("r"), "resources/read", params, json!({}))).await;
    }
    for params in completions() {
        client.send(modern(json!("c"), "completion/complete", params, json!({}))).await;
    }
    for line in broken_lines() {
        client.send_bytes(line).await;
    }
    client.send(modern(json!("x"), "no/such/method", json!({}), json!({}))).await;
    let mut wrong = modern(json!("v"), "tools/list", json!({}), json!({}));
    wrong["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("1999-01-01");
    client.send(wrong).await;
    client.session.input_closed();
    client.take();
}

fn answer_inputs(result: &Value, params: &mut Value) {
    let mut responses = json!({});
    for (key, request) in result["inputRequests"].as_object().into_iter().flatten() {
        responses[key] = answer_to(request["method"].as_str().unwrap(), &request["params"]);
    }
    params["inputResponses"] = responses;
    if let Some(state) = result.get("requestState") {
        params["requestState"] = state.clone();
    }
}

async fn follow_task(client: &mut Client, id: &Value) {
    for round in 0..5 {
        let got = converse(
            client,
            modern(
                json!(format!("get {id} {round}")),
                "tasks/get",
                json!({ "taskId": id }),
                all_capabilities(),
            ),
        )
        .await;
        let task = &got[0]["result"];
        match task["status"].as_str().unwrap() {
            "completed" => return assert!(task["result"]["content"].is_array()),
            "failed" => return assert!(task["error"]["code"].is_i64()),
            "input_required" => {
                let mut params = json!({ "taskId": id });
                answer_inputs(task, &mut params);
                converse(
                    client,
                    modern(json!(format!("update {id} {round}")), "tasks/update", params, all_capabilities()),
                )
                .await;
            }
            _ => {}
        }
    }
    panic!("task {id} never ends");
}

fn prompt_calls() -> Vec<Value> {
    vec![
        json!({ "name": "test_simple_prompt" }),
        json!({ "name": "test_prompt_with_arguments", "arguments": { "arg1": "a", "arg2": "b" } }),
        json!({ "name": "test_prompt_with_arguments" }),
        json!({ "name": "test_prompt_with_embedded_resource", "arguments": { "resourceUri": "test://a" } }),
        json!({ "name": "test_prompt_with_image" }),
        json!({ "name": "test_input_required_result_prompt" }),
        json!({ "name": "no_such_prompt" }),
        json!({}),
    ]
}

fn reads() -> Vec<Value> {
    [
        "test://static-text",
        "test://static-binary",
        "test://watched-resource",
        "test://template/123/data",
        "test://none",
    ]
    .map(|uri| json!({ "uri": uri }))
    .to_vec()
}

fn completions() -> Vec<Value> {
    vec![
        json!({ "ref": { "type": "ref/prompt", "name": "test_prompt_with_arguments" }, "argument": { "name": "arg1", "value": "test" } }),
        json!({ "ref": { "type": "ref/resource", "uri": "test://template/{id}/data" }, "argument": { "name": "id", "value": "" } }),
        json!({ "ref": { "type": "ref/prompt", "name": "test_prompt_with_city" }, "argument": { "name": "city", "value": "" },
            "context": { "arguments": { "country": "france" } } }),
        json!({ "ref": { "type": "ref/prompt", "name": "none" }, "argument": { "name": "a", "value": "" } }),
        json!({}),
    ]
}

fn broken_lines() -> [&'static [u8]; 6] {
    [
        b"{",
        b"\xff",
        b"5",
        b"{\"jsonrpc\":\"2.0\",\"method\":1,\"id\":5}",
        b"[]",
        b"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
    ]
}

/// What no client should send, and what only some do: cancels, odd ids, odd types, unknown members.
pub(crate) async fn abuse(revision: mcp_reference_server::revision::Revision, client: &mut Client) {
    let stateless = revision.is_stateless();
    let wrap = |id: Value, method: &str, params: Value| {
        if stateless { modern(id, method, params, all_capabilities()) } else { request(id, method, params) }
    };
    let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
    let note = |method: &str, params: Value| json!({ "jsonrpc": "2.0", "method": method, "params": params });

    for id in [json!("7"), json!(-1), json!(3_000_000_000_i64), json!("i".repeat(1500))] {
        client.send(wrap(id.clone(), "ping", json!({}))).await;
        client.send(wrap(id, "prompts/list", json!({}))).await;
    }
    client.send(note("notifications/unknown", json!({}))).await;
    client.send(note("notifications/roots/list_changed", json!({}))).await;
    client.send(json!({ "jsonrpc": "2.0", "id": 77, "result": {} })).await;
    client.send(json!({ "jsonrpc": "2.0", "id": 78, "method": "prompts/list", "params": 5 })).await;
    client.send_bytes(&[b"[".repeat(200), b"]".repeat(200)].concat()).await;
    client.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":80,\"method\":\"a\\u0000b\"}").await;
    let long = "x".repeat(300 * 1024);
    client
        .send(wrap(
            json!("long"),
            "tools/call",
            call("test_typed_arguments", json!({ "text": long, "count": 1 })),
        ))
        .await;

    // Calls.
    for (number, params) in [
        call("no_such_tool", json!({})),
        json!({ "name": 5 }),
        json!({ "name": "test_simple_text", "arguments": "x" }),
        json!({ "name": "test_simple_text" }),
        call("test_typed_arguments", json!({ "count": "many" })),
    ]
    .into_iter()
    .enumerate()
    {
        client.send(wrap(json!(format!("call {number}")), "tools/call", params)).await;
    }
    let mut with_meta = wrap(json!("meta"), "tools/list", json!({}));
    with_meta["params"]["_meta"]["com.example/own"] = json!(1);
    client.send(with_meta).await;
    client.send(wrap(json!("uri"), "resources/read", json!({ "uri": 5 }))).await;
    client.send(wrap(json!("no uri"), "resources/read", json!({}))).await;
    client
        .send(wrap(
            json!("types"),
            "prompts/get",
            json!({ "name": "test_prompt_with_arguments",
        "arguments": { "arg1": 1, "arg2": "b" } }),
        ))
        .await;

    // Cursors: unknown ones, and one used twice.
    for method in ["tools/list", "prompts/list", "resources/list"] {
        client.send(wrap(json!(format!("cursor {method}")), method, json!({ "cursor": "bogus" }))).await;
    }
    let first = client.send(wrap(json!("page"), "prompts/list", json!({}))).await;
    if let Some(cursor) = first.first().and_then(|page| page.pointer("/result/nextCursor")).cloned() {
        for again in 0..2 {
            client
                .send(wrap(json!(format!("page {again}")), "prompts/list", json!({ "cursor": cursor })))
                .await;
        }
    }
    let reference = json!({ "type": "ref/prompt", "name": "test_prompt_with_arguments" });
    client.send(wrap(json!("no argument"), "completion/complete", json!({ "ref": reference }))).await;
    client
        .send(wrap(
            json!("no ref"),
            "completion/complete",
            json!({ "argument": { "name": "a", "value": "" } }),
        ))
        .await;
    client
        .send(wrap(
            json!("no type"),
            "completion/complete",
            json!({ "ref": {}, "argument": { "name": "a", "value": "" } }),
        ))
        .await;

    // Subscriptions of the stateful era, progress with a token that is a number, and without any.
    client.send(wrap(json!("update"), "tools/call", call("test_update_watched_resource", json!({})))).await;
    client
        .send(wrap(json!("subscribe"), "resources/subscribe", json!({ "uri": "test://watched-resource" })))
        .await;
    client.send(wrap(json!("update 2"), "tools/call", call("test_update_watched_resource", json!({})))).await;
    client
        .send(wrap(
            json!("unsubscribe"),
            "resources/unsubscribe",
            json!({ "uri": "test://watched-resource" }),
        ))
        .await;
    client.send(wrap(json!("update 3"), "tools/call", call("test_update_watched_resource", json!({})))).await;
    converse(client, wrap(json!("no token"), "tools/call", call("test_tool_with_progress", json!({})))).await;

    // Log levels.
    for level in ["notice", "error", "loud"] {
        client
            .send(wrap(json!(format!("level {level}")), "logging/setLevel", json!({ "level": level })))
            .await;
        client
            .send(wrap(json!(format!("log {level}")), "tools/call", call("test_logging_levels", json!({}))))
            .await;
    }

    // Cancels.
    let slow = wrap(
        json!(500),
        "tools/call",
        json!({ "name": "test_slow", "arguments": { "seconds": 0.5 }, "_meta": { "progressToken": 9 } }),
    );
    client.start(&serde_json::to_vec(&slow).unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    client
        .start(&serde_json::to_vec(&note("notifications/cancelled", json!({ "requestId": "500" }))).unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(120)).await;
    client.start(&serde_json::to_vec(&note("notifications/cancelled", json!({ "requestId": 500 }))).unwrap());
    tokio::time::sleep(std::time::Duration::from_millis(900)).await;
    client.take();
    client.send(note("notifications/cancelled", json!({ "requestId": "never-was" }))).await;
    client.send(note("notifications/cancelled", json!({}))).await;
    client.send(note("notifications/cancelled", json!({ "requestId": "page" }))).await;

    if stateless {
        stateless_abuse(client).await;
    } else {
        stateful_abuse(revision, client).await;
    }
}

async fn stateful_abuse(revision: mcp_reference_server::revision::Revision, client: &mut Client) {
    client.send(request(json!("again"), "initialize", json!({}))).await;
    for batch in [
        json!([]),
        json!([{ "jsonrpc": "2.0", "method": "notifications/unknown" }]),
        json!([request(json!("b1"), "ping", json!({})), 5, { "jsonrpc": "2.0", "method": "notifications/unknown" }]),
    ] {
        client.send(batch).await;
    }
    // Answers that are late, of the wrong shape, or refusals.
    for (tool, arguments) in [
        ("test_sampling", json!({ "prompt": "?" })),
        ("test_elicitation", json!({ "message": "?" })),
        ("test_roots", json!({})),
    ] {
        for answer in [
            Some(json!({ "action": "accept", "content": { "username": 5 } })),
            Some(json!({ "action": "decline" })),
            None,
        ] {
            let call = request(
                json!(format!("{tool} {answer:?}")),
                "tools/call",
                json!({ "name": tool, "arguments": arguments }),
            );
            client.start(&serde_json::to_vec(&call).unwrap());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            for asked in client.take() {
                if asked.get("method").is_some()
                    && let (Some(id), Some(result)) = (asked.get("id"), &answer)
                {
                    let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result });
                    client.start(&serde_json::to_vec(&answer).unwrap());
                }
            }
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            client.take();
        }
    }
    if revision == mcp_reference_server::revision::Revision::V2025_11_25 {
        tasks_abuse(client).await;
    }
}

async fn tasks_abuse(client: &mut Client) {
    for method in ["tasks/get", "tasks/result", "tasks/cancel"] {
        client.send(request(json!(format!("unknown {method}")), method, json!({ "taskId": "none" }))).await;
    }
    client.send(request(json!("bad cursor"), "tasks/list", json!({ "cursor": "bogus" }))).await;
    let call = json!({ "name": "test_slow", "arguments": { "seconds": 0.3 }, "task": {} });
    let created = client.send(request(json!("task"), "tools/call", call)).await;
    let Some(id) = created.first().and_then(|answer| answer.pointer("/result/task/taskId")).cloned() else {
        return;
    };
    let related =
        json!({ "taskId": id, "_meta": { "io.modelcontextprotocol/related-task": { "taskId": "other" } } });
    client.send(request(json!("related"), "tasks/get", related)).await;
    client.start(
        &serde_json::to_vec(&request(json!("early result"), "tasks/result", json!({ "taskId": id })))
            .unwrap(),
    );
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    client.take();
    for round in 0..2 {
        client.send(request(json!(format!("finished {round}")), "tasks/get", json!({ "taskId": id }))).await;
    }
}

async fn stateless_abuse(client: &mut Client) {
    let all = all_capabilities;
    let call = |name: &str| json!({ "name": name });
    client.send(request(json!("bare"), "tools/list", json!({}))).await;
    for missing in ["protocolVersion", "clientCapabilities"] {
        let mut message = modern(json!(missing), "tools/list", json!({}), json!({}));
        message["params"]["_meta"]
            .as_object_mut()
            .unwrap()
            .shift_remove(&format!("io.modelcontextprotocol/{missing}"));
        client.send(message).await;
    }
    client.send(modern(json!("mistyped"), "tools/list", json!({}), json!(5))).await;
    let mut wrong = modern(json!("v"), "tools/list", json!({}), json!({}));
    wrong["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("1999-01-01");
    client.send(wrong).await;
    for method in ["ping", "logging/setLevel", "resources/subscribe", "initialize"] {
        client.send(modern(json!(format!("removed {method}")), method, json!({}), json!({}))).await;
    }
    for level in ["error", "notice", "loud"] {
        let mut message =
            modern(json!(format!("wish {level}")), "tools/call", call("test_logging_tool"), json!({}));
        message["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = json!(level);
        client.send(message).await;
        client
            .send(modern(json!(format!("after {level}")), "tools/call", call("test_logging_tool"), json!({})))
            .await;
    }
    // Capabilities count for their own request only.
    client.send(modern(json!("able"), "tools/call", call("test_missing_capability"), all())).await;
    client.send(modern(json!("unable"), "tools/call", call("test_missing_capability"), json!({}))).await;
    subscriptions_abuse(client).await;
    mrtr_abuse(client).await;
    for method in ["tasks/get", "tasks/cancel"] {
        client
            .send(modern(json!(format!("unknown {method}")), method, json!({ "taskId": "none" }), all()))
            .await;
        client
            .send(modern(
                json!(format!("undeclared {method}")),
                method,
                json!({ "taskId": "none" }),
                json!({}),
            ))
            .await;
    }
}

async fn subscriptions_abuse(client: &mut Client) {
    let listen = |id: Value, filter: Value| {
        modern(id, "subscriptions/listen", json!({ "notifications": filter }), json!({}))
    };
    let call = |id: &str, name: &str| modern(json!(id), "tools/call", json!({ "name": name }), json!({}));
    client.send(modern(json!("no filter"), "subscriptions/listen", json!({}), json!({}))).await;
    client.send(call("change unheard", "test_trigger_tool_change")).await;
    client.send(listen(json!(900), json!({ "promptsListChanged": true }))).await;
    client
        .send(listen(
            json!("901"),
            json!({ "toolsListChanged": true, "resourceSubscriptions": ["test://none"] }),
        ))
        .await;
    client.send(listen(json!(902), json!({ "resourceSubscriptions": ["test://none"] }))).await;
    client.send(listen(json!(903), json!({ "resourceSubscriptions": ["test://watched-resource"] }))).await;
    for (number, name) in [
        "test_trigger_tool_change",
        "test_trigger_prompt_change",
        "test_trigger_resource_change",
        "test_update_watched_resource",
    ]
    .into_iter()
    .enumerate()
    {
        client.send(call(&format!("change {number}"), name)).await;
    }
    let with_token = modern(
        json!("token"),
        "tools/call",
        json!({ "name": "test_tool_with_progress", "_meta": { "progressToken": 3 } }),
        json!({}),
    );
    client.send(with_token).await;
    client
        .send(
            json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 900 } }),
        )
        .await;
    client.send(call("change after cancel", "test_trigger_prompt_change")).await;
    client.session.input_closed();
    client.take();
}

async fn mrtr_abuse(client: &mut Client) {
    let name = "test_input_required_result_elicitation";
    let stateful = "test_input_required_result_tampered_state";
    let call = |id: &str, params: Value| modern(json!(id), "tools/call", params, all_capabilities());
    for (id, responses) in [
        ("wrong key", json!({ "other": { "action": "accept" } })),
        (
            "extra key",
            json!({ "user_name": { "action": "accept", "content": { "name": "A" } }, "other": {} }),
        ),
        ("decline", json!({ "user_name": { "action": "decline" } })),
        ("number", json!({ "user_name": 12345 })),
        ("null", Value::Null),
    ] {
        client.send(call(id, json!({ "name": name, "inputResponses": responses }))).await;
    }
    client.send(call("repeat", json!({ "name": name }))).await;
    let asked = client.send(call("state", json!({ "name": stateful }))).await;
    let state =
        asked.first().and_then(|answer| answer.pointer("/result/requestState")).and_then(Value::as_str);
    let state = state.unwrap_or_default().to_owned();
    let answer = json!({ "confirm": { "action": "accept", "content": { "ok": true } } });
    for (id, state) in
        [("tampered", format!("{state}-TAMPERED")), ("foreign", "eyJzdGVwIjoxfQ.AAAA".to_owned())]
    {
        client
            .send(call(id, json!({ "name": stateful, "inputResponses": answer, "requestState": state })))
            .await;
    }
}
