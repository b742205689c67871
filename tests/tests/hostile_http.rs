//! What an HTTP server can do to us before and instead of speaking the protocol: each gets a clear message, exit code 3,
//! and an end in time and memory, and nothing is left running.

use std::process::{Command, Output, Stdio};

use mcp_conform_tests::{mcp_conform, processes_with};

/// Answers every request in the way that its second argument names.
const SERVER: &str = r#"
import socket, sys, threading, time
port, mode = int(sys.argv[1]), sys.argv[2]
if mode == "dies":
    sys.exit("no such module")
if mode == "deaf":
    time.sleep(1000)

def head(status, *fields):
    return ("HTTP/1.1 %s\r\n" % status + "".join(field + "\r\n" for field in fields) + "\r\n").encode()

def answer(connection):
    if mode == "status-500":
        connection.sendall(head("500 Oops", "Content-Length: 4") + b"oops")
    elif mode == "redirect":
        connection.sendall(head("302 Found", "Location: http://elsewhere.example/mcp", "Content-Length: 0"))
    elif mode == "protected":
        connection.sendall(head("401 Unauthorized", "WWW-Authenticate: Bearer", "Content-Length: 0"))
    elif mode == "html":
        connection.sendall(head("200 OK", "Content-Type: text/html", "Content-Length: 13") + b"<html></html>")
    elif mode == "gzip":
        body = b"\x1f\x8b\x08\x00" + b"\x00" * 60
        connection.sendall(head("200 OK", "Content-Type: application/json", "Content-Encoding: gzip", "Content-Length: 64") + body)
    elif mode == "cut":
        connection.sendall(head("200 OK", "Content-Type: text/event-stream") + b'data: {"jsonrpc":')
    elif mode == "endless-head":
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"X-Filler: " + b"x" * 1000 + b"\r\n")
    elif mode == "endless-event":
        connection.sendall(head("200 OK", "Content-Type: text/event-stream") + b"data: ")
        while True:
            connection.sendall(b"x" * 65536)
    elif mode == "endless-body":
        connection.sendall(head("200 OK", "Content-Type: application/json", "Content-Length: 1000000000000"))
        while True:
            connection.sendall(b" " * 65536)
    elif mode == "stalled-body":
        connection.sendall(head("200 OK", "Content-Type: application/json", "Content-Length: 100") + b"{")
        time.sleep(1000)
    elif mode == "garbage":
        connection.sendall(b"\x00\x01\x02 this is no HTTP\r\n\r\n")

def serve(connection):
    try:
        connection.recv(65536)
        answer(connection)
        connection.shutdown(socket.SHUT_WR)
        connection.recv(65536)
    except OSError:
        pass
    connection.close()

listener = socket.create_server(("127.0.0.1", port))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

fn run(options: &[&str], mode: &str) -> (Output, String) {
    let marker = format!("MCP_CONFORM_TEST_MARKER={}-{mode}", std::process::id());
    let (name, value) = marker.split_once('=').unwrap();
    let output = Command::new(mcp_conform())
        .args(["--startup-timeout", "3", "--timeout", "2", "--max-time", "60", "--color", "never"])
        .args(options)
        .env(name, value)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output, marker)
}

#[track_caller]
fn refused(mode: &str, says: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("server.py");
    std::fs::write(&script, SERVER).unwrap();
    let script = script.to_str().unwrap();
    let url = "http://127.0.0.1:{port}/mcp";
    let (output, marker) = run(&["--url", url, "--", "python3", script, "{port}", mode], mode);
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{mode}: {text}");
    for part in says {
        assert!(text.contains(part), "{mode}: {part:?} is not in\n{text}");
    }
    assert_eq!(processes_with(&marker), Vec::<String>::new(), "{mode}");
}

#[test]
fn a_server_that_answers_with_an_error_page() {
    refused("status-500", &["HTTP status 500", "oops", "the server's own log"]);
    refused("html", &["HTTP status 200", "<html>", "the address of the endpoint itself"]);
}

#[test]
fn a_server_that_points_elsewhere() {
    refused("redirect", &["HTTP status 302", "redirections are not followed"]);
}

#[test]
fn a_server_that_wants_a_token() {
    refused("protected", &["HTTP status 401", "--bearer TOKEN"]);
}

#[test]
fn a_server_that_packs_its_answers() {
    refused("gzip", &["HTTP status 200"]);
}

#[test]
fn a_server_that_breaks_off() {
    refused("cut", &["HTTP status 200"]);
    refused("garbage", &["the server answered with"]);
}

#[test]
fn a_server_that_never_comes_to_an_end() {
    refused("endless-head", &["the server answered with"]);
    refused("endless-event", &["did not answer within 3 s"]);
    refused("endless-body", &["did not answer within 3 s"]);
    refused("stalled-body", &["did not answer within 3 s"]);
}

#[test]
fn a_server_that_does_not_listen() {
    refused("dies", &["exited with code 1 before it listened", "| no such module"]);
    refused("deaf", &["did not listen at 127.0.0.1:", "check that the address of --url"]);
}

#[test]
fn addresses_where_nobody_is() {
    let (output, _) = run(&["http://127.0.0.1:1/mcp"], "nobody");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.to_lowercase().contains("connection refused"), "{text}");
    let (output, _) = run(&["ftp://127.0.0.1/mcp", "--url", "nonsense"], "nonsense");
    assert_eq!(output.status.code(), Some(2));
}
