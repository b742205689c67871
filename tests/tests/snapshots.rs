//! What the program writes: the terminal at every volume, the JSON report, the JUnit report. On a few cases that seldom
//! change, so that a new case leaves the snapshots alone. `INSTA_UPDATE=always` writes them anew.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a helper of a test that fails should panic"
)]

use std::process::{Command, Output, Stdio};

use insta::{assert_json_snapshot, assert_snapshot, with_settings};
use mcp_conform::report::json::SCHEMA;
use mcp_conform_tests::mcp_conform;
use serde_json::{Value, json};

/// One case for each verdict that the good server gives occasion to, and those that the faults break.
const CASES: [&str; 6] = [
    "base/unknown-method",
    "elicitation/message-present",
    "ping/empty-result",
    "resources/subscribe-undeclared",
    "robustness/no-crash",
    "tools/unknown-tool",
];

/// A failure, a warning, and a crash.
const FAULTS: [&str; 3] = ["unknown-tool-as-success", "ping-with-content", "dies-on-unknown-method"];

fn reference(faults: &[&str], options: &[&str]) -> Output {
    Command::new(mcp_conform())
        .args(["reference", "--transport", "stdio"])
        .args(CASES.iter().flat_map(|case| ["-k", case]))
        .args(faults.iter().flat_map(|fault| ["--fault", fault]))
        .args(options)
        // Whatever a terminal or a CI would say of itself.
        .env_clear()
        .env("LANG", "C.UTF-8")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What differs from run to run, or from version to version.
fn filters() -> Vec<(&'static str, &'static str)> {
    vec![
        (r"\b(mcp-conform|mcp-reference-server) \d+\.\d+\.\d+\S*", "$1 [version]"),
        (
            r#"(version\\?(?:&quot;|")?:\\?(?:&quot;|")?|version" value=")\d+\.\d+\.\d+[^"&\\]*"#,
            "${1}[version]",
        ),
        (r"(?m)^ {20,}(\d{4}-\d\d-\d\d  )", "                              $1"),
        (r"\b\d+\.\d{3}s\b", "0.000s"),
        (r"· (\d+ ms|\d+(\.\d)? s|\d+ min \d\d s) ·", "· [time] ·"),
        (r#" time="[\d.]+""#, r#" time="[time]""#),
        (r" \(\+\d+ bytes\)", " (+[n] bytes)"),
    ]
}

fn terminal(faults: &[&str], options: &[&str], code: i32) -> String {
    let output = reference(faults, options);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(output.stdout.is_empty(), "standard output is for reports");
    said
}

/// A report and its exit code.
fn report(kind: &str, faults: &[&str], options: &[&str]) -> (String, i32) {
    let target = format!("{kind}=-");
    let output = reference(faults, &[&["--report", &target, "-qq"], options].concat());
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

fn json_report(faults: &[&str], options: &[&str]) -> Value {
    let (text, code) = report("json", faults, options);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["exit_code"], json!(code));
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    value
}

/// A report without what no two runs have in common.
fn without_times(mut report: Value) -> Value {
    report["duration_ms"] = json!("[ms]");
    for result in report["results"].as_array_mut().unwrap() {
        if let Some(duration) = result.get_mut("duration_ms") {
            *duration = json!("[ms]");
        }
        for frame in result["evidence"].as_array_mut().unwrap() {
            frame["at_us"] = json!("[us]");
        }
    }
    report
}

#[test]
fn the_terminal_on_a_good_server() {
    with_settings!({ filters => filters() }, {
        assert_snapshot!("good", terminal(&[], &[], 0));
        assert_snapshot!("good-q", terminal(&[], &["-q"], 0));
        assert_snapshot!("good-qq", terminal(&[], &["-qq"], 0));
        assert_snapshot!("good-v", terminal(&[], &["-v"], 0));
    });
}

#[test]
fn the_terminal_on_a_bad_server() {
    with_settings!({ filters => filters() }, {
        assert_snapshot!("bad", terminal(&FAULTS, &[], 1));
        assert_snapshot!("bad-q", terminal(&FAULTS, &["-q"], 1));
        assert_snapshot!("bad-qq", terminal(&FAULTS, &["-qq"], 1));
        assert_snapshot!("bad-v", terminal(&FAULTS, &["-v"], 1));
    });
}

/// Uncut frames, for one case in one revision.
#[test]
fn the_terminal_with_all_frames() {
    with_settings!({ filters => filters() }, {
        assert_snapshot!("bad-vv", terminal(&["ping-with-content"], &["-vv", "--revision", "2025-11-25", "-k", "ping/empty-result"], 0));
    });
}

#[test]
fn the_terminal_in_colour_says_the_same() {
    let strip = |text: &str| {
        let mut plain = String::new();
        for (index, part) in text.split('\u{1b}').enumerate() {
            plain.push_str(if index == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        plain
    };
    // Times differ, and the last line may tell its own in another unit.
    let timeless = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.contains(" · seed "));
        lines.map(|line| line.replace(|c: char| c.is_ascii_digit(), "0")).collect()
    };
    let colour = terminal(&FAULTS, &["--color", "always"], 1);
    assert!(colour.contains('\u{1b}'));
    assert_eq!(timeless(&strip(&colour)), timeless(&terminal(&FAULTS, &[], 1)));
}

#[test]
fn the_json_report() {
    for (name, faults, options) in
        [("json-good", &[][..], &[][..]), ("json-bad", &FAULTS[..], &["--revision", "2025-11-25.."][..])]
    {
        let report = without_times(json_report(faults, options));
        with_settings!({ filters => filters() }, {
            assert_json_snapshot!(name, report, { ".tool.version" => "[version]", ".target.server.version" => "[version]" });
        });
    }
}

#[test]
fn the_junit_report() {
    with_settings!({ filters => filters() }, {
        assert_snapshot!("junit-good", report("junit", &[], &["--revision", "2025-11-25"]).0);
        assert_snapshot!("junit-bad", report("junit", &FAULTS, &["--revision", "2025-11-25.."]).0);
    });
}

/// Same seed, same plan, same answers, same report, however many servers run at once.
#[test]
fn two_runs_with_the_same_seed_give_the_same_report() {
    let options = [
        "-k",
        "tools/*",
        "-k",
        "prompts/*",
        "-k",
        "resources/*",
        "-k",
        "pagination/*",
        "-k",
        "completion/*",
        "--seed",
        "7",
    ];
    let faults = ["tool-name-with-space", "dies-on-bad-cursor", "content-missing"];
    let alone = without_times(json_report(&faults, &[&options[..], &["-j", "1"]].concat()));
    assert!(alone["results"].as_array().unwrap().len() > 100);
    assert!(
        alone["summary"]["fail"].as_u64().unwrap() > 0 && alone["summary"]["warn"].as_u64().unwrap() > 0,
        "{}",
        alone["summary"]
    );
    for jobs in ["1", "2", "4"] {
        let again = without_times(json_report(&faults, &[&options[..], &["-j", jobs]].concat()));
        for (left, right) in
            alone["results"].as_array().unwrap().iter().zip(again["results"].as_array().unwrap())
        {
            assert_eq!(left, right, "-j {jobs}");
        }
        assert_eq!(alone, again, "-j {jobs}");
    }
}

/// What every server that a run started was sent, in no particular order: detection greets two at once. The scratch
/// folder that we name as our root is new in each run, and the one thing that is.
fn bytes_sent(seed: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let sent = folder.path().join("sent");
    std::fs::create_dir(&sent).unwrap();
    let script = folder.path().join("server.sh");
    let reference = env!("CARGO_BIN_EXE_reference-server");
    let log = sent.display();
    std::fs::write(&script, format!("tee '{log}'/$$ | '{reference}' --fixture-delay 2\n")).unwrap();
    let areas = ["base", "tools", "prompts", "resources", "pagination", "completion"];
    let output = Command::new(mcp_conform())
        .args(["-qq", "--call", "all", "--revision", "all", "-j", "1", "--seed", seed])
        .args(areas.iter().flat_map(|area| ["-k", area]))
        .arg("sh")
        .arg(&script)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let files = std::fs::read_dir(&sent)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let mut all: Vec<String> = files.map(|text| without_scratch(&text)).collect();
    all.sort();
    all
}

/// A text without the six characters by which scratch folders differ.
fn without_scratch(text: &str) -> String {
    let mut parts = text.split("/mcp-conform-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + "/mcp-conform-" + &part.chars().skip(6).collect::<String>())
}

#[test]
fn two_runs_with_the_same_seed_send_the_same_bytes() {
    let first = bytes_sent("7");
    let again = bytes_sent("7");
    assert!(first.iter().map(|bytes| bytes.lines().count()).sum::<usize>() > 500);
    assert_eq!(first.len(), again.len(), "another number of servers was started");
    for (left, right) in first.iter().zip(&again) {
        let differs = left.lines().zip(right.lines()).find(|(left, right)| left != right);
        assert!(left == right, "{differs:?}");
    }
}
