use mcp_conform_cases::case::{Case, Outcome, Script};
use serde_json::json;

use super::*;
use crate::event::Transport;
use crate::fuzz::make::tests::{maker, maker_for, request};
use crate::generate::Seeded;

fn head() -> CaseHead {
    CaseHead {
        id: "fuzz/found-1".to_owned(),
        title: "The server survives: \"this\"".to_owned(),
        requirement: "robustness.session-survives".to_owned(),
        revisions: vec![Revision::R2025_06_18],
        transports: Vec::new(),
        tools: vec!["yes".to_owned()],
        note: Some("2025-11-25\nno".to_owned()),
    }
}

/// Floats differ in more than equality tells.
fn exact(input: &Input) -> String {
    format!(
        "{:?}",
        input
            .steps
            .iter()
            .map(|step| (&step.action, &step.headers, &step.name, &step.capture))
            .collect::<Vec<_>>()
    )
}

fn round_trip(input: &Input) {
    let text = render(input, &head(), &[Expectation::Alive]);
    let case = Case::read("found.yaml", &text).unwrap_or_else(|error| panic!("{error}\n{input:?}"));
    let again = Input::from_case(&case).unwrap();
    if matches!(input.steps[0].action, Action::Json(Value::Null)) {
        return;
    }
    assert_eq!(exact(&again), exact(input), "{text}");
}

#[test]
fn every_input_survives_its_file() {
    for maker in [maker(), maker_for(Revision::R2026_07_28, Transport::Http)] {
        maker.boundary().for_each(|input| round_trip(&input));
        let mut seeded = Seeded::new(5);
        (0..2000).for_each(|_| round_trip(&maker.random(&mut seeded)));
    }
}

#[test]
fn expectations_stand_where_they_belong() {
    let mut background = request("tools/call", json!({ "name": "{{\"{{\"}}x" }));
    if let Action::Request(send) = &mut background.action {
        send.background = true;
    }
    let input = Input { origin: "arguments", steps: vec![background, request("ping", Value::Null)] };
    let expectations = [
        Expectation::Outcome(0, Outcome::Response),
        Expectation::Members(1, serde_json::from_str("{\"error.code\": -32602}").unwrap()),
        Expectation::Outcome(9, Outcome::Error),
    ];
    let text = render(&input, &head(), &expectations);
    let case = Case::read("found.yaml", &text).unwrap();
    assert!(case.hostile);
    let Script::Steps(steps) = &case.script else { panic!("steps") };
    assert_eq!(steps.len(), 3, "{text}");
    assert!(steps[1].expect.is_some());
    assert!(matches!(&steps[2].action, Action::ResponseTo(name) if Some(name) == steps[0].name.as_ref()));
    let closing = Input { origin: "framing", steps: vec![Action::CloseInput.into()] };
    assert!(render(&closing, &head(), &[Expectation::Alive]).contains("await_exit"));
}
