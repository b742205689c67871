//! Every fault shows, in every revision in which it says it does; and nowhere else do we claim one.

use crate::support::traffic::{abuse, stateful_traffic, stateless_traffic};
use crate::support::{Client, all_capabilities, modern};
use mcp_reference_server::faults::{self, Fault};
use mcp_reference_server::revision::Revision;
use serde_json::{Value, json};

/// Faults of bytes and of the process, which need a process to show: see `tests/stdio.rs`.
const NEED_A_PROCESS: &[&str] = &[
    "banner-on-stdout",
    "log-line-on-stdout",
    "json-log-line-on-stdout",
    "pretty-printed-json",
    "crlf-line-ends",
    "content-length-header",
    "byte-order-mark",
    "truncated-json",
    "invalid-utf8-output",
    "does-not-exit-on-eof",
    "ignores-sigterm",
];

fn range(fault: &Fault) -> Vec<Revision> {
    let (first, last) = fault.revisions.split_once("..").unwrap_or((fault.revisions, fault.revisions));
    let (first, last) = (Revision::parse(first).unwrap(), Revision::parse(last).unwrap());
    Revision::ALL.into_iter().filter(|revision| (first..=last).contains(revision)).collect()
}

/// What the server sends in all the traffic we know, with what differs from run to run taken out.
async fn transcript(revision: Revision, faults: &[&str]) -> Vec<String> {
    let mut client = Client::new(faults);
    if revision.is_stateless() {
        stateless_traffic(&mut client).await;
    } else {
        client.send(json!({ "jsonrpc": "2.0", "id": "early ping", "method": "ping" })).await;
        client.send(json!({ "jsonrpc": "2.0", "id": "too early", "method": "tools/list" })).await;
        client.initialize(revision, all_capabilities()).await;
        stateful_traffic(&mut client).await;
    }
    abuse(revision, &mut client).await;
    let mut lines: Vec<String> = client.log.iter().map(|outgoing| steady(&outgoing.message)).collect();
    if client.has_crashed() {
        lines.push("crashed".to_owned());
    }
    // A second client that can do nothing, asks for an unknown version, and sends bad things first.
    let mut client = Client::new(faults);
    if !revision.is_stateless() {
        let mut hello = json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "1999-01-01", "capabilities": { "elicitation": {} },
            "clientInfo": { "name": "test", "version": "1" } } });
        client.send(hello.clone()).await;
        if client.log.iter().all(|outgoing| outgoing.message.get("result").is_none()) {
            hello["params"]["protocolVersion"] = json!(revision.as_str());
            client.send(hello.clone()).await;
        }
        client.send(hello).await;
        for capabilities in [json!({ "elicitation": {} }), json!({})] {
            let mut client = Client::new(faults);
            client.initialize(revision, capabilities).await;
            stateful_traffic(&mut client).await;
            lines.extend(client.log.iter().map(|outgoing| steady(&outgoing.message)));
        }
    } else {
        client.send(modern(json!("first"), "prompts/list", json!({}), json!({}))).await;
    }
    lines.extend(client.log.iter().map(|outgoing| steady(&outgoing.message)));
    if client.has_crashed() {
        lines.push("crashed".to_owned());
    }
    lines
}

fn steady(message: &Value) -> String {
    let mut message = message.clone();
    blank(&mut message);
    message.to_string()
}

fn blank(value: &mut Value) {
    match value {
        Value::String(text) if text.contains("task-") || text.contains("elicitation-") => {
            "*".clone_into(text)
        }
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => "time".clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(members) => members.values_mut().for_each(blank),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_shows_where_it_says() {
    let mut silent = Vec::new();
    for revision in Revision::ALL {
        let good = transcript(revision, &[]).await;
        let again = transcript(revision, &[]).await;
        let differs = good.iter().zip(&again).find(|(one, other)| one != other);
        assert!(differs.is_none() && good.len() == again.len(), "{revision}: runs differ: {differs:#?}");
        let in_memory =
            |fault: &&Fault| fault.transports.contains(&"stdio") && !NEED_A_PROCESS.contains(&fault.name);
        for fault in faults::all().filter(in_memory) {
            if !range(fault).contains(&revision) {
                continue;
            }
            // Where the client stumbles over an answer, the fault has shown.
            let bad = tokio::spawn(async move { transcript(revision, &[fault.name]).await }).await;
            if bad.is_ok_and(|bad| bad == good) {
                silent.push(format!("{} in {revision}", fault.name));
            }
        }
    }
    assert!(silent.is_empty(), "{} faults do not show: {silent:#?}", silent.len());
}

#[test]
fn names_are_unique_and_tidy() {
    let mut names: Vec<&str> = faults::all().map(|fault| fault.name).collect();
    let count = names.len();
    assert!(count >= 110, "only {count} faults");
    assert!(
        names
            .iter()
            .all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for fault in faults::all() {
        assert!(
            !range(fault).is_empty() && fault.requirement.contains('.') && !fault.summary.ends_with('.'),
            "{}",
            fault.name
        );
    }
}
