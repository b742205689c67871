//! Whatever ends the tool in mid-run, no server is left behind.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use mcp_conform_tests::{eventually, mcp_conform, processes_with};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server that has begun a session and then takes for ever, so that the run is in its middle for as long as we like.
/// It ignores SIGTERM and the end of its input, and has a child.
const STUBBORN: &str = r#"
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL)
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") == "initialize":
        version = message["params"]["protocolVersion"]
        result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "stubborn", "version": "1"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), flush=True)
    elif message.get("method") == "tools/list":
        print("in the middle", file=open(os.environ["MIDDLE"], "w"), flush=True)
        while True:
            time.sleep(1000)
while True:
    time.sleep(1000)
"#;

fn start(marker: (&str, &str), folder: &std::path::Path) -> Child {
    let script = folder.join("server.py");
    std::fs::write(&script, STUBBORN).unwrap();
    Command::new(mcp_conform())
        .args(["--timeout", "60", "python3"])
        .arg(script)
        .env(marker.0, marker.1)
        .env("MIDDLE", folder.join("middle"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn killed_by(signal: Signal, code: Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let value = format!("{}-{signal}", std::process::id());
    let mut tool = start(("MCP_CONFORM_KILL_MARKER", &value), folder.path());
    let middle = folder.path().join("middle");
    eventually("the middle of the run", || middle.exists());
    let marker = format!("MCP_CONFORM_KILL_MARKER={value}");
    assert!(processes_with(&marker).len() >= 3, "the tool, its guardian, and a server should run");
    kill(Pid::from_raw(i32::try_from(tool.id()).unwrap()), signal).unwrap();
    let status = tool.wait().unwrap();
    assert_eq!(status.code(), code, "{signal}");
    eventually("the end of all servers", || processes_with(&marker).is_empty());
    let said = BufReader::new(tool.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .collect::<Vec<_>>()
        .join("\n");
    if code.is_some() {
        assert!(said.contains("nterrupted"), "{said}");
    }
}

#[test]
fn sigint_leaves_no_server() {
    killed_by(Signal::SIGINT, Some(130));
}

#[test]
fn sigterm_leaves_no_server() {
    killed_by(Signal::SIGTERM, Some(143));
}

#[test]
fn sigkill_leaves_no_server() {
    killed_by(Signal::SIGKILL, None);
}
