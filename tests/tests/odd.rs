//! Servers that speak the protocol right, in ways that a careless judge takes for wrong: not one finding.

use std::process::{Command, Stdio};

use mcp_conform_tests::mcp_conform;

#[track_caller]
fn is_clean(oddities: &[&str]) {
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/odd/server.py");
    finds_nothing(&["--revision", "all"], server, oddities);
}

#[track_caller]
fn finds_nothing(options: &[&str], server: &str, oddities: &[&str]) {
    let output = Command::new(mcp_conform())
        .args(["--call", "all", "--color", "never"])
        .args(options)
        .args(["--", "python3", server])
        .args(oddities)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{oddities:?}\n{text}{complaints}");
    // The terminal's report stands beside what a report on standard output would be.
    assert!(complaints.contains(" passed") && !complaints.contains('⚠'), "{oddities:?}\n{complaints}");
}

#[test]
fn plain() {
    is_clean(&[]);
}

#[test]
fn messages_written_in_other_ways() {
    is_clean(&["blanks", "members-reversed", "dribbles", "ascii"]);
}

#[test]
fn members_that_nobody_defined_and_pages() {
    is_clean(&["extras", "pages", "empty-content"]);
}

#[test]
fn one_old_revision() {
    is_clean(&["only-oldest"]);
    is_clean(&["only-middle"]);
}

#[test]
fn hardly_anything_to_offer() {
    is_clean(&["no-tools"]);
    is_clean(&["nothing-listed"]);
}

#[test]
fn much_said_meanwhile() {
    is_clean(&["pings", "noisy", "out-of-order"]);
}

#[test]
fn errors_without_an_id_that_come_late() {
    is_clean(&["late-errors"]);
}

#[test]
fn signs_of_life_that_overtake_all_else() {
    is_clean(&["quick-pings"]);
}

#[test]
fn small_writes_on_connections_that_stay_open() {
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/odd/http_server.py");
    finds_nothing(&["--url", "http://127.0.0.1:{port}/mcp"], server, &["{port}"]);
}
