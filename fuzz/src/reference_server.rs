//! The dispatcher of the reference server, in memory and with a clock of its own: it bears every line, answers every
//! request once, and breaks no rule of the suite, whatever a client sends.

mod client;

use std::collections::BTreeMap;

use mcp_conform::judge::dialogue::Dialogue;
use mcp_conform::judge::evidence;
use mcp_conform::judge::invariants::rule;
use mcp_conform::transcript::Transcript;
use mcp_conform::wire::id_key;
use mcp_conform_cases::case::Script;
use mcp_conform_cases::{Revision, Severity};
use serde_json::Value;

use crate::bytes::Bytes;
use crate::judge::library;

/// The longest input, in bytes; longer ones only cost time.
const MAX_INPUT: usize = 8 * 1024;

/// Tries one input: a byte says how the client begins, and the lines after it are what it does (see [`client`]).
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    if data.len() > MAX_INPUT {
        return;
    }
    let mut bytes = Bytes::new(data);
    let greeting = client::Greeting::ALL[bytes.below(client::Greeting::ALL.len())];
    let done = client::carry_out(greeting, bytes.rest());
    done.said.iter().for_each(|message| well_formed(message, greeting.revision()));
    answered(&done);
    no_rule_is_broken(&done.transcript);
}

/// What JSON-RPC says of every message, by the simplest means.
fn well_formed(message: &Value, revision: Revision) {
    match message {
        Value::Array(answers) => {
            assert_eq!(revision, Revision::R2025_03_26, "a batch in a revision without: {message}");
            assert!(!answers.is_empty(), "an empty batch");
            answers.iter().for_each(|answer| {
                assert!(answer.is_object(), "{message}");
                well_formed(answer, revision);
            });
        }
        Value::Object(members) => {
            assert_eq!(members.get("jsonrpc").and_then(Value::as_str), Some("2.0"), "{message}");
            let has = |name: &str| members.contains_key(name);
            let kinds = usize::from(has("method")) + usize::from(has("result")) + usize::from(has("error"));
            assert_eq!(kinds, 1, "{message}");
            if let Some(error) = members.get("error") {
                assert!(error.get("code").is_some_and(Value::is_i64), "{message}");
                assert!(error.get("message").is_some_and(Value::is_string), "{message}");
            }
            if let Some(id) = members.get("id") {
                assert!(
                    id.is_string()
                        || id.is_i64()
                        || id.is_u64()
                        || (has("error") && id.is_null())
                        || id.is_f64(),
                    "{message}"
                );
            }
            assert!(!has("result") || has("id"), "{message}");
        }
        _ => panic!("this is no message: {message}"),
    }
}

/// Every request whose id was used once has one answer; where something was cancelled it may have none.
fn answered(done: &client::Done) {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    let single = done.said.iter().flat_map(|message| match message {
        Value::Array(members) => members.as_slice(),
        one => std::slice::from_ref(one),
    });
    for message in single.filter(|message| message.get("method").is_none()) {
        if let Some(id) = message.get("id") {
            *answers.entry(id_key(id)).or_default() += 1;
        }
    }
    for (id, count) in &answers {
        let most = done.named.get(id).copied().unwrap_or_default();
        assert!(
            *count <= most || id == "null",
            "{count} answers to {most} messages with the id {id}: {:?}",
            done.said
        );
    }
    for (id, asked) in done.asked.iter().filter(|_| !done.may_be_silent) {
        let count = answers.get(id).copied().unwrap_or_default();
        assert!(count >= *asked, "{count} answers to {asked} requests with the id {id}: {:?}", done.said);
    }
}

/// The suite finds no fault with its own known-good server.
fn no_rule_is_broken(transcript: &Transcript) {
    let library = library();
    let dialogue = Dialogue::of(transcript);
    for case in &library.cases {
        let Script::Invariant(invariant) = &case.script else { continue };
        let severity = library.requirements[&case.requirement].severity(transcript.revision);
        if severity != Severity::Fail
            || !case.revisions.contains(transcript.revision)
            || !case.transports.iter().any(|transport| transport == "stdio")
        {
            continue;
        }
        let rule = rule(&invariant.name).expect("the library names rules that exist");
        if let Some(breach) =
            rule(&dialogue, &invariant.with).breaches.into_iter().find(|breach| !breach.advice)
        {
            panic!("{} is broken: {breach:#?}\n{:#?}", case.id, evidence::of(transcript, &breach));
        }
    }
}
