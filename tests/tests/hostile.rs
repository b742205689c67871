//! Servers that die, hang, babble, or hold on: each gets a clear message and the right exit code, and leaves nothing.

use std::process::{Command, Output, Stdio};

use mcp_conform_tests::{mcp_conform, processes_with};

const STARTUP: &str = "--startup-timeout";
const HOSTILE: &str = env!("CARGO_BIN_EXE_hostile-server");

/// Runs the tool on a hostile server. The marker in the environment is how its processes are found afterwards.
fn run(mode: &str, options: &[&str]) -> (Output, String) {
    let marker = format!("MCP_CONFORM_TEST_MARKER={}-{mode}", std::process::id());
    let (name, value) = marker.split_once('=').unwrap();
    let startup = if options.contains(&STARTUP) { &[][..] } else { &[STARTUP, "2"] };
    let output = Command::new(mcp_conform())
        .args(startup)
        .args(["--timeout", "2", "--max-time", "60", "--color", "never"])
        .args(options)
        .arg(HOSTILE)
        .arg(mode)
        .env(name, value)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output, marker)
}

#[track_caller]
fn refused(mode: &str, says: &[&str]) {
    let (output, marker) = run(mode, &[]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{mode}: {text}");
    for part in says {
        assert!(text.contains(part), "{mode}: {part:?} is not in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "{mode}: control characters reached the terminal: {text:?}");
    assert_eq!(processes_with(&marker), Vec::<String>::new(), "{mode}");
}

#[test]
fn a_server_that_exits_at_once() {
    refused(
        "exit-at-once",
        &[
            "exited with code 3 before it answered",
            "it wrote nothing to its standard error",
            "try: start the server by hand",
        ],
    );
}

#[test]
fn a_server_that_prints_a_stack_trace() {
    refused("stack-trace", &["exited with code 1", "| ModuleNotFoundError: No module named 'mcp'"]);
}

#[test]
fn a_server_that_prints_a_banner_and_ends() {
    refused("banner-then-exit", &["exited with code 0 before it answered", "Welcome to my server!"]);
}

#[test]
fn a_server_that_prints_a_banner_and_never_answers() {
    refused(
        "banner-then-mute",
        &[
            "never answered",
            "Server listening on http://localhost:3000",
            "only protocol messages may go to standard output",
        ],
    );
}

#[test]
fn a_server_that_never_answers() {
    refused("mute", &["did not answer within 2 s", "--startup-timeout"]);
}

#[test]
fn a_server_that_answers_garbage() {
    refused("garbage", &["never answered", "\\x1b[31m"]);
}

#[test]
fn a_server_that_closes_its_output_and_lives_on() {
    refused("close-stdout", &["closed its standard output before it answered, and lives on"]);
}

#[test]
fn a_server_that_floods() {
    refused("flood", &["more than a session may hold and never answered"]);
}

#[test]
fn a_server_whose_line_never_ends() {
    refused("endless-line", &["did not answer within 2 s"]);
}

#[test]
fn a_server_that_floods_its_standard_error() {
    refused("stderr-flood", &["did not answer within 2 s", "| eeee"]);
}

#[test]
fn a_server_that_never_reads() {
    refused("never-reads", &["did not answer within 2 s"]);
}

#[test]
fn a_server_that_ignores_sigterm() {
    refused("ignores-term", &["did not answer within 2 s"]);
}

#[test]
fn a_server_with_a_grandchild() {
    refused("grandchild", &["did not answer within 2 s"]);
}

#[test]
fn a_server_that_is_silent_in_one_era_and_offers_another_revision_in_the_other() {
    let patient = [STARTUP, "60", "-k", "ping/answered"];
    let (output, marker) = run("silent-to-discover", &patient);
    let text =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    // Not that nothing came in 60 seconds.
    assert!(text.contains("had no answer long after the other"), "{text}");
    assert_eq!(processes_with(&marker), Vec::<String>::new());
}

#[test]
fn wrong_command_lines_are_told_apart_from_wrong_servers() {
    let run = |words: &[&str]| {
        let output = Command::new(mcp_conform()).args(words).stdin(Stdio::null()).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for (words, code, says) in [
        (vec!["./no-such-server"], 3, "`./no-such-server` does not exist"),
        (vec!["no-such-server-on-path"], 3, "nor a program on PATH"),
        (vec!["/"], 3, "is a folder"),
        (vec!["--revision", "2025-01-01", "sh"], 2, "unknown revision `2025-01-01`"),
        (vec!["--revision", "2026-07-28..2024-11-05", "sh"], 2, "is empty"),
        (vec!["--no-such-option", "sh"], 2, "--no-such-option"),
        (vec!["--report", "xml=x", "sh"], 2, "xml"),
        (vec!["--timeout", "0", "sh"], 2, "takes seconds"),
        (vec!["--timeout", "inf", "sh"], 2, "takes seconds"),
        (vec!["-k", "tols/*", "sh"], 4, "selects no case"),
        (vec!["-k", "a b", "sh"], 2, "is no pattern"),
        (vec!["--cases", "/no/such/file.yaml", "sh"], 2, "/no/such/file.yaml"),
        (vec!["reference", "--fault", "no-such-fault"], 2, "no-such-fault"),
        (vec!["explain", "tools/no-such"], 2, "no case or requirement"),
        (vec!["schema", "2020-01-01"], 2, "unknown revision"),
    ] {
        let (got, text) = run(&words);
        assert_eq!(got, code, "{words:?}: {text}");
        assert!(text.contains(says), "{words:?}: {says:?} is not in\n{text}");
    }
}
