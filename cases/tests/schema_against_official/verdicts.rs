//! The comparisons.

use std::collections::BTreeSet;

use mcp_conform_cases::schema::{self, Shape};
use mcp_conform_cases::{Era, Revision};
use serde_json::{Value, json};

use super::compare::{Outcome, judge};
use super::generate::Generator;
use super::official::{self, Compiled};
use super::{errata, errata::ERRATA};

/// Messages per definition and source schema; each is judged in four states.
const ROUNDS: usize = 500;

fn ours(revision: Revision, shape: Shape<'_>, instance: &Value) -> bool {
    schema::violations(revision, shape, instance).unwrap().is_empty()
}

/// The published document with the errata applied.
fn corrected(revision: Revision) -> Option<Value> {
    let mut document = official::document(revision)?;
    errata::correct(revision, &mut document);
    Some(document)
}

/// Runs `test` for all revisions at once.
fn in_every_revision(test: impl Fn(Revision) + Sync) {
    let test = &test;
    std::thread::scope(|scope| {
        for revision in Revision::ALL {
            scope.spawn(move || test(revision));
        }
    });
}

#[test]
fn the_definitions_have_the_same_names() {
    for revision in Revision::ALL {
        let Some(theirs) = official::document(revision) else { return };
        let ours = schema::document(revision);
        assert_eq!(ours["$schema"], theirs["$schema"]);
        assert_eq!(official::container(ours), official::container(&theirs));
        let names = |document| official::definitions(document).keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(ours), names(&theirs), "{revision}");
    }
}

#[test]
fn every_definition_gives_the_same_verdict() {
    in_every_revision(|revision| {
        let Some(document) = corrected(revision) else { return };
        let compiled = Compiled::new(&document, |_| true);
        let own = schema::document(revision);
        let (from_theirs, from_ours) = (Generator::new(&document), Generator::new(own));
        for (seed, (name, definition)) in (1..).zip(official::definitions(&document)) {
            let mut outcome = Outcome::default();
            let sources = [(&from_theirs, definition), (&from_ours, &official::definitions(own)[name])];
            for (generator, definition) in sources {
                judge(
                    &mut outcome,
                    generator,
                    definition,
                    (seed, ROUNDS),
                    |_| {},
                    |instance| ours(revision, Shape::Definition(name), instance),
                    |instance| compiled.accepts(name, instance),
                );
            }
            if let Some(instance) = outcome.difference {
                panic!(
                    "{revision} {name}: ours says {:?}, theirs {}, of {instance}",
                    schema::violations(revision, Shape::Definition(name), &instance).unwrap(),
                    compiled.accepts(name, &instance),
                );
            }
            assert!(outcome.accepted > 0, "{revision} {name}: nothing was accepted");
            // With its erratum, any JSON is a JSONValue.
            assert!(outcome.rejected > 0 || name == "JSONValue", "{revision} {name}: nothing was rejected");
        }
    });
}

/// A shape of ours, the published definitions that together say the same, and the `resultType` that leads there.
type Expectation = (Shape<'static>, Vec<&'static str>, Option<&'static str>);

/// What a server of `revision` can send.
fn expectations(revision: Revision) -> Vec<Expectation> {
    let definition = |shape| schema::definition_name(revision, shape).unwrap();
    let stateless = revision.era() == Era::Stateless;
    let mut expectations: Vec<Expectation> = Vec::new();
    for method in schema::requests_to_server(revision) {
        let shape = Shape::ResultOf(method);
        expectations.push((shape, vec![definition(shape)], stateless.then_some("complete")));
        if stateless && ["tools/call", "prompts/get", "resources/read"].contains(&method) {
            expectations.push((shape, vec!["InputRequiredResult"], Some("input_required")));
        }
    }
    for method in schema::requests_from_server(revision) {
        let shape = Shape::RequestFromServer(method);
        expectations.push((shape, vec![definition(shape), "JSONRPCRequest"], None));
    }
    for method in schema::notifications_from_server(revision) {
        let shape = Shape::NotificationFromServer(method);
        expectations.push((shape, vec![definition(shape), "JSONRPCNotification"], None));
    }
    for shape in [Shape::ErrorResponse, Shape::ResultResponse, Shape::Message] {
        expectations.push((shape, vec![definition(shape)], None));
    }
    expectations
}

/// Adds to a generated message what its definition leaves open and its shape does not.
fn complete(revision: Revision, shape: Shape<'_>, result_type: Option<&str>, instance: &mut Value) {
    // Half of the messages stay as they are, so that a missing envelope is seen too.
    let whole = instance.to_string().len().is_multiple_of(2);
    let Some(object) = instance.as_object_mut() else { return };
    match shape {
        // Where one of several results is meant, the message has to say which.
        Shape::ResultOf(method) => {
            if let Some(result_type) = result_type {
                object.insert("resultType".to_owned(), result_type.into());
            }
            if revision == Revision::R2025_11_25 && method == "tools/call" {
                object.remove("task");
            }
        }
        // The older requests and notifications have no envelope of their own.
        Shape::RequestFromServer(_) | Shape::NotificationFromServer(_) if whole => {
            object.entry("jsonrpc").or_insert_with(|| "2.0".into());
            object.entry("id").or_insert_with(|| 1.into());
        }
        _ => {}
    }
}

#[test]
fn every_message_of_a_server_gives_the_same_verdict() {
    in_every_revision(|revision| {
        let Some(document) = corrected(revision) else { return };
        let compiled = Compiled::new(&document, |_| true);
        let generator = Generator::new(&document);
        for (seed, (shape, names, result_type)) in (1000..).zip(expectations(revision)) {
            let mut outcome = Outcome::default();
            let prepare = |instance: &mut Value| complete(revision, shape, result_type, instance);
            judge(
                &mut outcome,
                &generator,
                &official::definitions(&document)[names[0]],
                (seed, 2 * ROUNDS),
                prepare,
                |instance| ours(revision, shape, instance),
                |instance| names.iter().all(|name| compiled.accepts(name, instance)),
            );
            assert_eq!(outcome.difference, None, "{revision} {shape:?}");
            assert!(outcome.accepted > 0, "{revision} {shape:?}: nothing was accepted");
            assert!(outcome.rejected > 0, "{revision} {shape:?}: nothing was rejected");
        }
    });
}

/// Each way to loosen one definition a little: without one of its required entries, or with a member of any kind.
fn loosened(definition: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for index in 0..definition.get("required").and_then(Value::as_array).map_or(0, Vec::len) {
        let mut changed = definition.clone();
        let entry = changed["required"].as_array_mut().unwrap().remove(index);
        found.push((format!("without a required {entry}"), changed));
    }
    for (name, member) in definition.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let kinds = ["type", "$ref", "anyOf", "const", "enum"];
        if kinds.iter().any(|keyword| member.get(keyword).is_some()) {
            let mut changed = definition.clone();
            changed["properties"][name] = json!({});
            found.push((format!("with any {name}"), changed));
        }
    }
    found
}

/// The comparison is worth something only if it notices a difference.
#[test]
fn a_loosened_definition_is_noticed() {
    let revision = Revision::R2025_11_25;
    let Some(document) = corrected(revision) else { return };
    let generator = Generator::new(&document);
    for (seed, (name, definition)) in (5000..).zip(official::definitions(&document)) {
        for (change, changed) in loosened(definition) {
            let mut other = document.clone();
            official::definitions_mut(&mut other)[name] = changed;
            let compiled = Compiled::new(&other, |wanted| wanted == name);
            let mut outcome = Outcome::default();
            judge(
                &mut outcome,
                &generator,
                definition,
                (seed, ROUNDS),
                |_| {},
                |instance| ours(revision, Shape::Definition(name), instance),
                |instance| compiled.accepts(name, instance),
            );
            assert!(outcome.difference.is_some(), "{name} {change} went unnoticed");
        }
    }
}

#[test]
fn the_published_examples_are_accepted() {
    let revision = Revision::R2026_07_28;
    let Some(folder) = official::folder() else { return };
    let mut seen = 0;
    for definition in std::fs::read_dir(folder.join(revision.as_str()).join("examples")).unwrap() {
        let definition = definition.unwrap();
        let name = definition.file_name().into_string().unwrap();
        for example in std::fs::read_dir(definition.path()).unwrap() {
            let path = example.unwrap().path();
            let instance: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let violations = schema::violations(revision, Shape::Definition(&name), &instance);
            assert_eq!(violations, Some(Vec::new()), "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 80, "{seen}");
}

#[test]
fn the_errata_of_the_source_are_the_listed_ones() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut marked = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
        if file.extension().is_some_and(|extension| extension == "yaml") {
            let text = std::fs::read_to_string(file).unwrap();
            let marks =
                text.lines().filter_map(|line| line.trim().strip_prefix("# erratum ")?.split_once(':'));
            marked.extend(marks.map(|(name, _)| name.to_owned()));
        }
    }
    assert_eq!(marked, ERRATA.iter().map(|erratum| erratum.name.to_owned()).collect());
}
