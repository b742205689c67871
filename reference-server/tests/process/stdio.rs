//! The server as a process.

use std::io::{BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

fn spawn(arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_mcp-reference-server"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Writes lines, closes stdin, and returns stdout and the exit code.
fn run(arguments: &[&str], lines: &[&[u8]]) -> (String, Option<i32>) {
    let mut child = spawn(arguments);
    let mut stdin = child.stdin.take().unwrap();
    for line in lines {
        // A server that dies early breaks the pipe.
        let _ = stdin.write_all(line).and_then(|()| stdin.write_all(b"\n"));
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code())
}

const INITIALIZE: &[u8] = br#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}"#;
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
const TEXT: &[u8] = br#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"test_simple_text"}}"#;
const LIST: &[u8] = br#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#;

#[test]
fn answers_everything_and_exits_at_the_end_of_stdin() {
    let slow = br#"{"jsonrpc":"2.0","id":"slow","method":"tools/call","params":{"name":"test_slow","arguments":{"seconds":0.2}}}"#;
    let (out, code) = run(&[], &[INITIALIZE, slow, b"{bad", b"\xff\xfe", PING]);
    assert_eq!(code, Some(0));
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 5, "{out}");
    assert_eq!(lines.iter().filter(|line| line["error"]["code"] == -32700).count(), 2);
    assert!(lines.iter().any(|line| line["id"] == 1 && line["result"] == json!({})));
    assert_eq!(lines.last().unwrap()["id"], "slow");
}

#[test]
fn a_line_without_end_and_a_line_without_bound() {
    let mut child = spawn(&[]);
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        stdin.write_all(&vec![b'x'; 17 * 1024 * 1024]).unwrap();
        stdin.write_all(b"\n").unwrap();
        // No line end after the last message.
        stdin.write_all(PING).unwrap();
    });
    let mut out = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_to_string(&mut out).unwrap();
    writer.join().unwrap();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines[0]["error"]["code"].as_i64(), lines[1]["result"].is_object()), (Some(-32600), true));
    assert!(child.wait().unwrap().success());
}

#[test]
fn faults_of_bytes_show() {
    let lines = [INITIALIZE, PING, TEXT, LIST];
    let (good, _) = run(&[], &lines);
    for fault in [
        "banner-on-stdout",
        "log-line-on-stdout",
        "json-log-line-on-stdout",
        "pretty-printed-json",
        "crlf-line-ends",
        "content-length-header",
        "byte-order-mark",
        "truncated-json",
        "invalid-utf8-output",
    ] {
        let (bad, code) = run(&["--fault", fault], &lines);
        assert_ne!(good, bad, "{fault}");
        assert_eq!(code, Some(0), "{fault}");
    }
}

#[test]
fn a_crash_has_an_exit_code_and_a_hang_has_none() {
    assert_eq!(run(&["--fault", "dies-on-bad-json"], &[b"{bad", PING]).1, Some(101));
    let (out, code) = run(&["--fault", "hangs-on-bad-json"], &[b"{bad", PING]);
    assert_eq!((out.as_str(), code), ("", Some(0)));
    assert_eq!(run(&["--fault", "no-such-fault"], &[]).1, Some(2));
}

/// Whether the process ends within the time.
fn ends(child: &mut Child, time: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < time {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

fn terminate(child: &Child) {
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn ends_on_sigterm_unless_a_fault_forbids() {
    let ready = |child: &mut Child| {
        child.stdin.as_mut().unwrap().write_all(&[PING, b"\n"].concat()).unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 10]).unwrap();
    };
    let mut child = spawn(&[]);
    ready(&mut child);
    terminate(&child);
    assert!(ends(&mut child, Duration::from_secs(5)));

    let mut child = spawn(&["--fault", "ignores-sigterm"]);
    ready(&mut child);
    terminate(&child);
    drop(child.stdin.take());
    assert!(!ends(&mut child, Duration::from_millis(300)));
    child.kill().unwrap();
    child.wait().unwrap();

    let mut child = spawn(&["--fault", "does-not-exit-on-eof"]);
    drop(child.stdin.take());
    assert!(!ends(&mut child, Duration::from_millis(300)));
    terminate(&child);
    assert!(ends(&mut child, Duration::from_secs(5)));
}

#[test]
fn faults_are_listed_for_people_and_for_programs() {
    let (text, _) = run(&["--list-faults"], &[]);
    let (json, _) = run(&["--list-faults", "--json"], &[]);
    let list: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(text.lines().count(), list.len());
    for member in ["name", "summary", "requirement", "revisions"] {
        assert!(list.iter().all(|fault| fault[member].is_string()));
    }
    let transports = [json!("stdio"), json!("http"), json!("sse")];
    for fault in &list {
        let shows = fault["transports"].as_array().unwrap();
        assert!(!shows.is_empty() && shows.iter().all(|name| transports.contains(name)), "{fault}");
    }
}
