use std::collections::BTreeMap;

use mcp_conform_cases::case::Action;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use super::*;
use crate::fuzz::input::{Claim, InputStep};
use crate::generate::Seeded;
use crate::template::{Variables, fill, fill_raw};

pub(in crate::fuzz) fn request(method: &str, params: Value) -> InputStep {
    call::request(method, params)
}

fn profile() -> Profile {
    Profile {
        capabilities: json!({ "tools": {}, "resources": { "subscribe": true }, "prompts": {}, "completions": {}, "logging": {} }),
        tools: vec![
            json!({ "name": "search {{x}}", "description": "Finds 'things' and `stuff`", "inputSchema": {
                "type": "object",
                "properties": {
                    "query": { "type": "string", "maxLength": 300 },
                    "limit": { "type": "integer", "minimum": 1, "maximum": 100 },
                    "exact": { "type": "boolean" },
                    "kind": { "enum": ["a", "b", "{{c}}"] },
                    "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 5 },
                },
                "required": ["query"],
                "additionalProperties": false,
            } }),
            json!({ "name": "open", "inputSchema": { "type": "object", "properties": { "x": {}, "when": { "type": "string", "format": "date" } } } }),
            json!({ "name": "nothing" }),
            json!({ "name": "left-alone", "inputSchema": { "type": "object" } }),
        ],
        resources: vec![json!({ "uri": "file:///a{{b}}", "name": "a" })],
        templates: vec![json!({ "uriTemplate": "x://{a}/{+b}", "name": "t" })],
        prompts: vec![json!({ "name": "p", "arguments": [{ "name": "q" }] })],
        ..Profile::default()
    }
}

pub(in crate::fuzz) fn maker_for(revision: Revision, transport: Transport) -> Maker {
    let callable = ["search {{x}}", "open", "nothing", "unlisted"].map(str::to_owned).into();
    let mut settings = MakerSettings::new(callable, revision, transport, 7);
    settings.canary = Some(Canary { path: "/tmp/canary".to_owned(), marker: "found-canary".to_owned() });
    Maker::new(&profile(), settings)
}

pub(in crate::fuzz) fn maker() -> Maker {
    maker_for(Revision::R2025_06_18, Transport::Stdio)
}

fn variables() -> Variables {
    let mut variables = Variables::default();
    for name in ["id", "captured", "cursor", "event"] {
        variables.insert(name.to_owned(), json!("known"));
    }
    variables.insert("meta".to_owned(), json!({}));
    variables.insert("http".to_owned(), json!({ "path": "/mcp", "headers": "" }));
    for name in ["call", "asked", "s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"] {
        variables.insert(name.to_owned(), json!({ "id": 1 }));
    }
    variables
}

fn text(text: &str, variables: &Variables) {
    fill_raw(text, variables).unwrap_or_else(|error| panic!("{error}: {text:.200}"));
}

/// Every template in an input is whole, and nothing ends the session but its last step.
fn check(input: &Input, variables: &Variables) {
    assert!(!input.steps.is_empty());
    for (at, step) in input.steps.iter().enumerate() {
        match &step.action {
            Action::Request(send) | Action::Notify(send) => {
                text(&send.method, variables);
                fill(send.params.as_ref().unwrap_or(&Value::Null), variables)
                    .unwrap_or_else(|error| panic!("{error}: {send:?}"));
                fill(&Value::Object(send.meta.clone()), variables).unwrap();
            }
            Action::Json(value) => drop(fill(value, variables).unwrap()),
            Action::Raw(raw) => text(raw, variables),
            Action::Bytes(_) => {}
            Action::Http(request) => {
                assert_ne!(request.method, "DELETE");
                text(request.body.as_deref().unwrap_or_default(), variables);
            }
            Action::HttpRaw(raw) => raw.head.iter().for_each(|line| text(line, variables)),
            Action::CloseInput => assert_eq!(at + 1, input.steps.len(), "{input:?}"),
            other => panic!("{other:?}"),
        }
        for (_, value) in &step.headers {
            text(value.as_deref().unwrap_or_default(), variables);
        }
        check_claim(step);
    }
}

/// Claims, judged by a validator that is independent of the maker.
fn check_claim(step: &InputStep) {
    let (tool, is_valid) = match &step.claim {
        Claim::None => return,
        Claim::Bait { marker, .. } => {
            let Action::Request(send) = &step.action else { panic!("a bait that is no request") };
            let params = fill(send.params.as_ref().unwrap(), &Variables::default()).unwrap();
            assert!(!marker.is_empty() && !params.to_string().contains(marker), "{marker} is sent");
            return;
        }
        Claim::Valid { tool } => (tool, true),
        Claim::Forbidden { tool, why, .. } => {
            assert!(!why.is_empty());
            (tool, false)
        }
    };
    let Action::Request(send) = &step.action else { panic!("a claim about no request") };
    let params = fill(send.params.as_ref().unwrap(), &Variables::default()).unwrap();
    assert_eq!(params["name"], json!(tool));
    let profile = profile();
    let schema = &profile.tool(tool).unwrap()["inputSchema"];
    let validator = jsonschema::options().should_validate_formats(false).build(schema).unwrap();
    assert_eq!(validator.is_valid(&params["arguments"]), is_valid, "{params:.300}");
}

#[test]
fn the_boundary_is_sound_and_the_same_each_time() {
    for (revision, transport) in [
        (Revision::R2025_06_18, Transport::Stdio),
        (Revision::R2026_07_28, Transport::Http),
        (Revision::R2024_11_05, Transport::Sse),
    ] {
        let maker = maker_for(revision, transport);
        let variables = variables();
        let mut claims: BTreeMap<&str, usize> = BTreeMap::new();
        let (mut count, mut size) = (0, 0);
        for (input, again) in maker.boundary().zip(maker_for(revision, transport).boundary()) {
            assert_eq!(input, again);
            check(&input, &variables);
            count += 1;
            size += format!("{input:?}").len();
            let name = match input.steps[0].claim {
                Claim::None => "none",
                Claim::Valid { .. } => "valid",
                Claim::Forbidden { .. } => "forbidden",
                Claim::Bait { .. } => "bait",
            };
            *claims.entry(name).or_default() += 1;
        }
        println!("{revision} {transport:?}: {count} inputs, {size} bytes as text, {claims:?}");
        assert!(count > 1000 && size < 8 * 1024 * 1024);
        assert!(claims.values().all(|count| *count > 20) && claims.len() == 4, "{claims:?}");
    }
}

#[test]
fn the_boundary_touches_everything_soon() {
    let soon: Vec<String> = maker().boundary().take(400).map(|input| format!("{input:?}")).collect();
    for name in [
        "query",
        "limit",
        "exact",
        "kind",
        "tags",
        "when",
        "resources/read",
        "prompts/get",
        "completion/complete",
    ] {
        assert!(soon.iter().filter(|text| text.contains(name)).count() > 3, "{name}");
    }
    let origins: Vec<&str> = maker().boundary().take(50).map(|input| input.origin).collect();
    for origin in ["boundary", "envelope", "sequence", "text", "framing"] {
        assert!(origins.contains(&origin), "{origin}");
    }
    let all = maker().boundary();
    assert!(!all.map(|input| format!("{input:?}")).any(|text| text.contains("left-alone")));
}

#[test]
fn no_property_is_left_out() {
    let all: Vec<Input> = maker().boundary().collect();
    for (property, odd) in [
        ("query", json!("\0")),
        ("limit", json!(i64::MAX)),
        ("exact", json!(null)),
        ("kind", json!({})),
        ("tags", json!([])),
    ] {
        let is_probed = all.iter().any(|input| match &input.steps[0].action {
            Action::Request(send) => {
                send.params.as_ref().is_some_and(|params| params["arguments"][property] == odd)
            }
            _ => false,
        });
        assert!(is_probed, "{property} is never {odd}");
    }
}

#[test]
fn random_inputs_are_sound_and_the_same_each_time() {
    for (revision, transport) in
        [(Revision::R2025_06_18, Transport::Stdio), (Revision::R2026_07_28, Transport::Http)]
    {
        let maker = maker_for(revision, transport);
        let variables = variables();
        let strategy = maker.strategy();
        let (mut one, mut other) = (TestRunner::deterministic(), TestRunner::deterministic());
        let mut origins: BTreeMap<&str, usize> = BTreeMap::new();
        for _ in 0..3000 {
            let input = strategy.new_tree(&mut one).unwrap().current();
            assert_eq!(input, strategy.new_tree(&mut other).unwrap().current());
            check(&input, &variables);
            *origins.entry(input.origin).or_default() += 1;
        }
        println!("{origins:?}");
        assert!((1300..1900).contains(&origins["arguments"]), "{origins:?}");
        assert!(origins.len() >= 5);
    }
}

#[test]
fn bytes_lead_to_known_values_and_several_properties() {
    let tool = json!({
        "name": "gated",
        "inputSchema": {
            "type": "object",
            "properties": { "text": { "type": "string" }, "kind": { "enum": ["a", "b", "c"] }, "yes": { "type": "boolean" } },
            "required": ["text", "kind", "yes"],
        },
    });
    let profile = Profile { tools: vec![tool], ..Profile::default() };
    let settings = MakerSettings::new(vec!["gated".to_owned()], Revision::R2025_11_25, Transport::Stdio, 1);
    let maker = Maker::new(&profile, settings);
    let arguments = |bytes: &[u8]| {
        let input = maker.from_bytes(bytes).unwrap();
        let Action::Request(send) = &input.steps[0].action else { panic!("{input:?}") };
        send.params.as_ref().unwrap()["arguments"].clone()
    };
    assert_eq!(
        arguments(b"\0\0xy\xff\x01\xfe\x02\xff\x02true"),
        json!({ "text": "xy", "kind": "c", "yes": true })
    );
    let others = arguments(b"\0\x01\xfe\x01\xff\0z");
    assert_eq!((&others["kind"], &others["text"]), (&json!("b"), &json!("z")));
    assert!(others["yes"].is_boolean());
    // Also where the bytes before decide on whole arguments.
    assert_eq!(arguments(b"\0\xf0abc\xff\0z")["text"], json!("z"));
}

#[test]
fn bytes_become_the_argument_itself() {
    let maker = maker();
    let mut found = Vec::new();
    for property in 0..3_u8 {
        let mut bytes = vec![0, property];
        bytes.extend_from_slice(b"Qz7#{{x}}\x80");
        let input = maker.from_bytes(&bytes).unwrap();
        let Action::Request(send) = &input.steps[0].action else { panic!("request") };
        let params = fill(send.params.as_ref().unwrap(), &Variables::default()).unwrap();
        found.push(params["arguments"].to_string());
    }
    assert!(found[0].contains("\"query\":\"Qz7#{{x}}\u{fffd}\""), "{found:?}");
    assert_eq!(maker.from_bytes(&[]), None);
    assert_eq!(maker.from_bytes(&vec![0; 100_000]), None);
    let mut seeded = Seeded::new(1);
    let variables = variables();
    for _ in 0..3000 {
        let length = seeded.choose(crate::generate::Choice::Detail, 60);
        let bytes: Vec<u8> = (0..length)
            .map(|_| u8::try_from(seeded.choose(crate::generate::Choice::Detail, 256)).unwrap())
            .collect();
        if let Some(input) = maker.from_bytes(&bytes) {
            assert_eq!(Some(&input), maker.from_bytes(&bytes).as_ref());
            check(&input, &variables);
        }
    }
}

#[test]
fn a_server_without_anything_is_fuzzed_too() {
    let settings = MakerSettings::new(Vec::new(), Revision::R2025_11_25, Transport::Stdio, 1);
    let maker = Maker::new(&Profile::default(), settings);
    assert!(maker.boundary().count() > 100);
    let variables = variables();
    let mut seeded = Seeded::new(3);
    (0..500).for_each(|_| check(&maker.random(&mut seeded), &variables));
    assert!(maker.from_bytes(&[0, 0]).is_some());
}

/// `cargo test --release -p mcp-conform --lib fuzz::make -- --ignored --nocapture`
#[test]
#[ignore = "prints how fast inputs are made"]
fn speed() {
    let maker = maker();
    let strategy = maker.strategy();
    let mut runner = TestRunner::deterministic();
    let count = 100_000_u32;
    let begun = std::time::Instant::now();
    for _ in 0..count {
        std::hint::black_box(strategy.new_tree(&mut runner).unwrap());
    }
    println!("strategy: {:.0} inputs/s", f64::from(count) / begun.elapsed().as_secs_f64());
    let begun = std::time::Instant::now();
    for number in 0..count {
        let mut bytes = vec![0, 0];
        bytes.extend_from_slice(&number.to_le_bytes());
        std::hint::black_box(maker.from_bytes(&bytes));
    }
    println!("bytes: {:.0} inputs/s", f64::from(count) / begun.elapsed().as_secs_f64());
    let begun = std::time::Instant::now();
    let walked = maker.boundary().count();
    println!("boundary: {walked} inputs in {:?}", begun.elapsed());
}

#[test]
fn the_walk_has_long_inputs_and_chance_only_a_few() {
    let maker = maker();
    let walked = maker.boundary().filter(weight::is_long).count();
    assert!(walked > 50, "{walked}");
    let long = |maker: &Maker, what: &str| {
        let drawn = (0..5000).map(|seed| maker.random(&mut Seeded::new(seed)));
        drawn.filter(|input| weight::is_long(input) && format!("{input:?}").contains(what)).count()
    };
    let drawn = long(&maker, "");
    assert!((1..50).contains(&drawn), "{drawn} of 5000");

    // A tool that takes long texts alone is called as often as any other.
    let mut profile = profile();
    profile.tools = vec![json!({ "name": "lengthy", "inputSchema": {
        "type": "object",
        "properties": { "text": { "type": "string", "minLength": 5000 } },
        "required": ["text"],
    } })];
    let settings = MakerSettings::new(vec!["lengthy".to_owned()], Revision::R2025_06_18, Transport::Stdio, 7);
    let drawn = long(&Maker::new(&profile, settings), "lengthy");
    assert!(drawn > 500, "{drawn} of 5000");
}
