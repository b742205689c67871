//! Case files and the YAML that they are written in: every text is read or refused, and JSON means in YAML what it means
//! in JSON.

use mcp_conform_cases::Case;
use mcp_conform_cases::case::{Path, Script};
use mcp_conform_cases::yaml;
use mcp_conform_cases::yaml::MAX_FILE;
use serde_json::Value;

use mcp_conform::fuzz::case_file::{CaseHead, Expectation, render};
use mcp_conform::fuzz::input::Input;

/// Tries one input.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Case::read("fuzzed.yaml", text) {
        Ok(case) => understood(&case),
        Err(error) => {
            let again = Case::read("fuzzed.yaml", text).map(|case| case.id);
            assert_eq!(again.as_ref(), Err(&error), "refused once, read the next time");
            assert_eq!(error.file, "fuzzed.yaml");
            assert!(!error.detail.is_empty());
        }
    }
    json(text);
}

/// What the format promises of every case.
fn understood(case: &Case) {
    assert_eq!(case.id.split('/').count(), 2, "{}", case.id);
    assert_eq!(case.id.split('/').next(), Some(case.area()));
    assert!(case.checks().count() <= MAX_FILE);
    let Script::Steps(steps) = &case.script else { return };
    assert!(steps.iter().any(mcp_conform_cases::case::Step::gives_evidence));
    assert!(!steps.iter().any(mcp_conform_cases::case::Step::is_http_only) || !case.transports.is_empty());
    for (_, path) in steps.iter().flat_map(|step| &step.capture) {
        assert_eq!(path.to_string().parse::<Path>().as_ref(), Ok(path));
    }
    written_again(case);
}

/// What a case sends can be written as a case, and is then the same.
fn written_again(case: &Case) {
    let Some(input) = Input::from_case(case) else { return };
    let head = CaseHead {
        id: "fuzz/again".to_owned(),
        title: "Again".to_owned(),
        requirement: case.requirement.clone(),
        revisions: Vec::new(),
        transports: Vec::new(),
        tools: Vec::new(),
        note: case.note.clone(),
    };
    let text = render(&input, &head, &[Expectation::Alive]);
    if text.len() > MAX_FILE {
        return;
    }
    // A step may close a stream that was named by one that only waits, which an input leaves out.
    let Ok(again) = Case::read("again.yaml", &text) else { return };
    let again = Input::from_case(&again).expect("it does something");
    assert_eq!(format!("{:?}", again.steps), format!("{:?}", input.steps), "{text}");
}

/// JSON is YAML: what is not refused has the same value.
fn json(text: &str) {
    let Ok(value) = serde_json::from_str::<Value>(text) else { return };
    if let Ok(read) = yaml::read::<Value>("fuzzed.yaml", text) {
        assert!(is_same(&read, &value), "JSON is read as something else: {read} for {value}");
    }
}

/// Whether two values are the same; numbers are by what they amount to.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| other.get(name).is_some_and(|other| is_same(one, other)))
        }
        _ => one == other,
    }
}
