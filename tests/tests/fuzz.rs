//! The fuzzer against servers with one planted bug each, and against their correct twins.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use mcp_conform::fuzz::report::SCHEMA;
use mcp_conform_tests::{eventually, mcp_conform, processes_with};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const REFERENCE: &str = env!("CARGO_BIN_EXE_reference-server");

/// One of each class that shows itself soon also on a busy machine.
const PLANTED: [&str; 10] = [
    "py-empty-word",
    "py-invalid-utf8",
    "rs-character-boundary",
    "js-falsy-id",
    "js-two-answers",
    "js-minimum-ignored",
    "rs-poisoned",
    "rs-thread-leak",
    "py-stack-trace",
    "py-path-traversal",
];

struct Planted {
    id: String,
    command: Vec<String>,
    argument: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("planted")
}

/// The server of that name, built if it has to be.
fn planted(id: &str) -> Planted {
    let all: Value =
        serde_json::from_str(&fs::read_to_string(folder().join("planted.json")).unwrap()).unwrap();
    let entry = all.as_array().unwrap().iter().find(|entry| entry["id"] == id).expect("an entry").clone();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("planted");
    fs::create_dir_all(&out).unwrap();
    let words = |key: &str| -> Vec<String> {
        let items = entry[key].as_array().into_iter().flatten();
        let text = |item: &Value| {
            let text = item.as_str().unwrap().replace("{DIR}", folder().to_str().unwrap());
            text.replace("{OUT}", out.to_str().unwrap())
        };
        items.map(text).collect()
    };
    if let Some((program, arguments)) = words("build").split_first() {
        assert!(
            Command::new(program).args(arguments).current_dir(folder()).status().unwrap().success(),
            "{id}"
        );
    }
    Planted { id: id.to_owned(), command: words("start"), argument: words("planted").concat() }
}

/// Fuzzes a server; the report, and where the case files are.
fn fuzz(server: &[String], options: &[&str], desk: &Path) -> Value {
    let report = desk.join("report.json");
    let output = Command::new(mcp_conform())
        .args(["fuzz", "--call", "all", "--revision", "2025-11-25", "--color", "never", "--report"])
        .arg(format!("json={}", report.display()))
        .args(options)
        .arg("--")
        .args(server)
        .current_dir(desk)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{server:?}\n{said}");
    let report: Value = serde_json::from_str(&fs::read_to_string(&report).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(SCHEMA).unwrap()).unwrap();
    let errors: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    report
}

#[test]
fn planted_bugs_are_found_and_their_twins_are_clean() {
    for server in PLANTED.map(planted) {
        let desk = tempfile::tempdir().unwrap();
        let mut bad = server.command.clone();
        bad.push(server.argument.clone());
        let report = fuzz(&bad, &["--time", "6"], desk.path());
        let findings = report["findings"].as_array().unwrap();
        assert!(!findings.is_empty(), "{}: nothing was found", server.id);
        assert_eq!(report["format"], "mcp-conform-fuzz/1");
        for finding in findings {
            let smallest = finding["minimized"].as_str().unwrap();
            assert!(smallest.lines().count() <= 12, "{}: nobody reads so much:\n{smallest}", server.id);
            // The same file shows it again on the server with the bug, and nothing on its twin.
            let file = finding["case_file"].as_str().unwrap();
            for (command, code) in [(&bad, 1), (&server.command, 0)] {
                let replayed = Command::new(mcp_conform())
                    .args(["replay", file, "--call", "all", "--revision", "2025-11-25", "--"])
                    .args(command)
                    .current_dir(desk.path())
                    .stdin(Stdio::null())
                    .output()
                    .unwrap();
                let said = String::from_utf8_lossy(&replayed.stderr);
                assert_eq!(replayed.status.code(), Some(code), "{}: {file}\n{said}", server.id);
            }
        }
        let desk = tempfile::tempdir().unwrap();
        let report = fuzz(&server.command, &["--cases", "1000"], desk.path());
        assert_eq!(report["findings"], serde_json::json!([]), "{}", server.id);
        assert!(report["stats"]["cases"].as_u64().unwrap() >= 1000, "{}", server.id);
    }
}

/// The tool answers a little later than what is refused at once, so that the first answer under the id is to the second
/// request.
#[test]
fn an_answer_that_may_be_to_either_of_two_requests_tells_nothing_of_the_first() {
    let desk = tempfile::tempdir().unwrap();
    let file = desk.path().join("twice.yaml");
    let call =
        r##""method": "tools/call", "params": {"name": "parse_colour", "arguments": {"colour": "#336699"}}"##;
    let case = [
        "id: fuzz/twice",
        "title: an id is used twice",
        "requirement: robustness.session-survives",
        "revisions: \"2025-11-25\"",
        "transports: [stdio]",
        "session: fresh",
        "hostile: true",
        "catches: []",
        "steps:",
        &format!("  - {{\"send\": {{{call}}}}}"),
        &format!("  - {{\"send\": {{{call}, \"id\": \"same\"}}}}"),
        "  - {\"send\": {\"method\": \"\", \"id\": \"same\"}}",
        "  - {\"barrier\": true}",
    ];
    fs::write(&file, case.join("\n")).unwrap();
    let replayed = Command::new(mcp_conform())
        .args(["replay", file.to_str().unwrap(), "--call", "all", "--revision", "2025-11-25", "--"])
        .args(planted("js-two-answers").command)
        .current_dir(desk.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(replayed.status.code(), Some(0), "{}", String::from_utf8_lossy(&replayed.stdout));
}

#[test]
fn a_right_server_is_clean_over_http_too() {
    for (transport, path) in [("http", "mcp"), ("sse", "sse")] {
        let server = [REFERENCE, &format!("--{transport}"), "127.0.0.1:{port}"].map(str::to_owned);
        let url = format!("http://127.0.0.1:{{port}}/{path}");
        let options = ["--cases", "400", "--url", &url, "--transport", transport];
        let desk = tempfile::tempdir().unwrap();
        let report = fuzz(&server, &options, desk.path());
        assert_eq!(report["findings"], serde_json::json!([]), "{transport}");
        assert!(report["stats"]["cases"].as_u64().unwrap() >= 400, "{transport}");
    }
}

#[test]
fn a_tool_that_always_takes_minutes_is_no_hang() {
    let desk = tempfile::tempdir().unwrap();
    let server = ["python3".to_owned(), folder().join("ponder.py").to_string_lossy().into_owned()];
    let report = fuzz(&server, &["--time", "10"], desk.path());
    assert_eq!(report["findings"], serde_json::json!([]));
    let undecided = report["undecided"].as_array().unwrap();
    assert!(undecided.contains(&serde_json::json!("hang: a call of `ponder`")), "{undecided:?}");
    // It answers everything else.
    assert_ne!(report["stats"]["cases"], 0);
}

#[test]
fn a_campaign_without_a_limit_of_time_ends_where_no_input_can_be_tried() {
    /// Greets, lists no tools, and answers nothing else.
    const MUTE: &str = r#"
import json, sys
RESULTS = {
    "initialize": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "mute", "version": "1"},
    },
    "tools/list": {"tools": []},
}
for line in sys.stdin:
    message = json.loads(line)
    if message.get("method") in RESULTS:
        answer = {"jsonrpc": "2.0", "id": message["id"], "result": RESULTS[message["method"]]}
        print(json.dumps(answer), flush=True)
"#;
    let output = Command::new(mcp_conform())
        .args(["fuzz", "--cases", "100", "--timeout", "0.3", "--revision", "2025-11-25", "--"])
        .args(["python3", "-c", MUTE])
        .current_dir(tempfile::tempdir().unwrap().path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("0 findings · 0 inputs") && said.contains("no input was tried"), "{said}");
}

/// The signatures of what is found in a Python server of that name, given what is planted in it; nothing is planted where
/// that is empty.
fn found_in(name: &str, arguments: &[&str], planted: &[&str], options: &[&str]) -> Vec<String> {
    let script = folder().join(name).to_string_lossy().into_owned();
    let command = [&["python3", script.as_str()], arguments, planted].concat();
    let server: Vec<String> = command.into_iter().map(str::to_owned).collect();
    let desk = tempfile::tempdir().unwrap();
    let report = fuzz(&server, options, desk.path());
    let findings = report["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["signature"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sessions_over_http_are_told_apart_and_missed() {
    let options =
        ["--cases", "300", "--jobs", "2", "--url", "http://127.0.0.1:{port}/mcp", "--transport", "http"];
    let found = |planted: &[&str]| found_in("shout_over_http.py", &["{port}"], planted, &options);
    assert_eq!(found(&["--planted"]), ["cross-talk: shout"]);
    assert_eq!(found(&["--planted-amnesia"]), ["crash: session lost"]);
    assert_eq!(found(&[]), [""; 0]);
}

#[test]
fn an_answer_that_comes_late_is_judged_when_it_comes() {
    let found = |planted: &[&str]| found_in("nap.py", &[], planted, &["--time", "6"]);
    assert_eq!(found(&["--planted"]), ["tools/structured-conforms: the * of * breaks its * at *"]);
    assert_eq!(found(&[]), [""; 0]);
}

#[test]
fn an_interrupted_campaign_reports_what_it_found_and_leaves_no_server() {
    let server = planted("py-stack-trace");
    let desk = tempfile::tempdir().unwrap();
    let marker = ("MCP_CONFORM_FUZZ_MARKER", std::process::id().to_string());
    let mut campaign = Command::new(mcp_conform())
        .args(["fuzz", "--call", "all", "--time", "600", "--jobs", "2", "--ndjson", "--report"])
        .args(["json=report.json", "--"])
        .args(&server.command)
        .arg(&server.argument)
        .current_dir(desk.path())
        .env(marker.0, &marker.1)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(campaign.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with(r#"{"finding":"#)), "it ended too soon");
    kill(Pid::from_raw(i32::try_from(campaign.id()).unwrap()), Signal::SIGINT).unwrap();
    // It may have more to say.
    lines.for_each(drop);
    assert_eq!(campaign.wait().unwrap().code(), Some(130));
    let report: Value =
        serde_json::from_str(&fs::read_to_string(desk.path().join("report.json")).unwrap()).unwrap();
    assert!(!report["findings"].as_array().unwrap().is_empty(), "{report}");
    let variable = format!("{}={}", marker.0, marker.1);
    eventually("the end of all servers", || processes_with(&variable).is_empty());
}

/// The name of the scratch folder is another each time.
fn without_scratch(mut bytes: Vec<u8>) -> Vec<u8> {
    const NAME: &[u8] = b"/mcp-conform-";
    let places: Vec<usize> =
        bytes.windows(NAME.len()).enumerate().filter(|(_, part)| *part == NAME).map(|(at, _)| at).collect();
    for at in places {
        bytes.iter_mut().skip(at + NAME.len()).take(6).for_each(|byte| *byte = b'x');
    }
    bytes
}

/// The number of a request depends on how many went before it in the same session: a server that is slow for once is
/// looked at again in another session, which changes what is sent when but not what is sent.
fn without_numbers(bytes: &[u8]) -> Vec<u8> {
    let numbers = regex::bytes::Regex::new(r#""(id|requestId)":(?:\d+|"c-\d+")"#).unwrap();
    numbers.replace_all(bytes, &br#""$1":0"#[..]).into_owned()
}

#[test]
fn the_same_seed_sends_the_same_bytes() {
    let sent = || {
        let desk = tempfile::tempdir().unwrap();
        let log = desk.path().join("sent");
        fs::create_dir(&log).unwrap();
        let script = desk.path().join("server.sh");
        // Each process has a file of its own: some run side by side.
        let line = format!("tee '{}'/$$ | '{REFERENCE}' --fixture-delay 2\n", log.display());
        fs::write(&script, line).unwrap();
        let server = ["sh".to_owned(), script.to_string_lossy().into_owned()];
        let options = ["--cases", "400", "--jobs", "1", "--seed", "7", "--no-sandbox", "--corpus", "none"];
        let report = fuzz(&server, &options, desk.path());
        assert_eq!(report["findings"], serde_json::json!([]));
        let mut lines = BTreeSet::new();
        for file in fs::read_dir(&log).unwrap() {
            let bytes = without_scratch(fs::read(file.unwrap().path()).unwrap());
            lines.extend(without_numbers(&bytes).split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        }
        lines
    };
    let (one, other) = (sent(), sent());
    let bytes: usize = one.iter().map(Vec::len).sum();
    assert!(bytes > 10_000, "only {bytes} bytes were sent");
    let shown = |lines: &BTreeSet<Vec<u8>>, others: &BTreeSet<Vec<u8>>| -> String {
        let alone = lines.difference(others);
        alone.map(|line| String::from_utf8_lossy(line).into_owned() + "\n").collect()
    };
    assert!(
        one == other,
        "the first time alone:\n{}the second time alone:\n{}",
        shown(&one, &other),
        shown(&other, &one)
    );
}
