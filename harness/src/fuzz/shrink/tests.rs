use mcp_conform_cases::case::Action;
use serde_json::{Value, json};

use super::*;
use crate::fuzz::input::{Claim, InputStep};
use crate::fuzz::make::tests::{maker, request};
use crate::template::{Variables, fill, fill_raw};

fn holds(input: &Input, wanted: &dyn Fn(&str) -> bool) -> bool {
    input.steps.iter().any(|step| match &step.action {
        Action::Request(send) => {
            let params = send.params.clone().unwrap_or_default();
            fill(&params, &Variables::default()).is_ok_and(|params| wanted(&params.to_string()))
        }
        Action::Raw(text) => {
            fill_raw(&text.replace("{{id}}", "1"), &Variables::default()).is_ok_and(|text| wanted(&text))
        }
        _ => false,
    })
}

#[test]
fn a_finding_becomes_as_small_as_it_can_be() {
    let noisy = Input {
        origin: "arguments",
        steps: vec![
            request("ping", json!({ "a": 1 })),
            request(
                "tools/call",
                json!({ "name": "x", "arguments": { "m": "äöü!{{\"a\" * 5000}}☃ZZ", "n": [1, 2, { "q": 99 }] } }),
            ),
            request("ping", Value::Null),
        ],
    };
    let small = shrink(noisy, None, MAX_CANDIDATES, |input| holds(input, &|text| text.contains('☃')));
    assert_eq!(small.steps.len(), 1);
    let Action::Request(send) = &small.steps[0].action else { panic!("request") };
    assert_eq!(send.method, "");
    let text = send.params.as_ref().unwrap().to_string();
    assert!(text.chars().count() <= 22, "{text}");
}

#[test]
fn a_limit_is_found_exactly() {
    let long = Input {
        origin: "boundary",
        steps: vec![request("m", json!({ "a": crate::template::repeated("a", 1 << 20) }))],
    };
    let length = |input: &Input| -> usize {
        let Action::Request(send) = &input.steps[0].action else { return 0 };
        let filled = fill(send.params.as_ref().unwrap_or(&Value::Null), &Variables::default()).unwrap();
        filled["a"].as_str().map_or(0, str::len)
    };
    let small = shrink(long, None, MAX_CANDIDATES, |input| length(input) > 5000);
    assert_eq!(length(&small), 5001);
    let number = Input { origin: "arguments", steps: vec![request("m", json!({ "n": 987_654_321 }))] };
    let small = shrink(number, None, MAX_CANDIDATES, |input| {
        let Action::Request(send) = &input.steps[0].action else { return false };
        send.params.as_ref().and_then(|params| params["n"].as_i64()).is_some_and(|n| n >= 1 << 16)
    });
    let Action::Request(send) = &small.steps[0].action else { panic!("request") };
    assert_eq!(send.params, Some(json!({ "n": 65_536 })));
}

#[test]
fn what_later_steps_refer_to_stays() {
    let steps = vec![
        InputStep { name: Some("call".to_owned()), ..request("tools/call", json!({})) },
        request("ping", Value::Null),
        request("notifications/cancelled", json!({ "requestId": "{{call.id}}" })),
    ];
    let small = shrink(Input { origin: "sequence", steps }, None, MAX_CANDIDATES, |input| {
        input.steps.iter().any(|step| {
            matches!(&step.action, Action::Request(send)
            if send.params.as_ref().is_some_and(|params| params.to_string().contains("call.id")))
        })
    });
    assert_eq!(small.steps.len(), 2);
    assert_eq!(small.steps[0].name.as_deref(), Some("call"));
}

#[test]
fn raw_texts_and_bytes_become_short() {
    let raw = Input {
        origin: "text",
        steps: vec![Action::Raw("{\"id\":{{id}},\"x\":{{\"[\" * 512}}".to_owned()).into()],
    };
    let small =
        shrink(raw, None, MAX_CANDIDATES, |input| holds(input, &|text| text.matches('[').count() >= 100));
    assert_eq!(small.steps[0].action, Action::Raw("{{\"[\" * 100}}".to_owned()));
    let bytes = Input { origin: "framing", steps: vec![Action::Bytes(b"abc\xffdef\n".to_vec()).into()] };
    let small = shrink(
        bytes,
        None,
        MAX_CANDIDATES,
        |input| matches!(&input.steps[0].action, Action::Bytes(bytes) if bytes.contains(&0xff)),
    );
    assert_eq!(small.steps[0].action, Action::Bytes(vec![0xff]));
}

#[test]
fn shrinking_ends_whatever_is_answered() {
    for input in maker().boundary().step_by(97) {
        let mut tree = InputTree::new(input, Some(maker()));
        let mut count = 0;
        let mut more = tree.simplify();
        while more {
            count += 1;
            more = if count % 3 == 0 { tree.simplify() } else { tree.complicate() };
        }
        assert!(count <= MAX_CANDIDATES);
        assert!(!tree.current().steps.is_empty());
    }
}

#[test]
fn claims_stay_truthful() {
    let maker = maker();
    for input in
        maker.boundary().filter(|input| matches!(input.steps[0].claim, Claim::Forbidden { .. })).take(40)
    {
        let mut tree = InputTree::new(input, Some(maker.clone()));
        let mut more = tree.simplify();
        let mut count = 0;
        while more && count < 200 {
            let now = tree.current();
            let mut again = now.clone();
            maker.reclaim(&mut again);
            assert_eq!(now, again);
            count += 1;
            more = if matches!(now.steps[0].claim, Claim::Forbidden { .. }) {
                tree.simplify()
            } else {
                tree.complicate()
            };
        }
    }
}
