//! What a message is to be checked as, and which definition of a revision that is.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::assemble;
use super::model::{Definition, Form, Method};
use super::source;
use crate::revision::{Era, Revision};

/// What an instance is checked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape<'a> {
    /// The definition of that name.
    Definition(&'a str),
    /// The `result` of the answer to a request of that method.
    ResultOf(&'a str),
    /// A whole request of that method, sent by the server.
    RequestFromServer(&'a str),
    /// A whole notification of that method, sent by the server.
    NotificationFromServer(&'a str),
    /// A whole answer that carries a result; the result itself is only checked for what all results share.
    ResultResponse,
    /// A whole answer that carries an error.
    ErrorResponse,
    /// Any JSON-RPC message.
    Message,
}

/// A method and the definition that describes it.
struct Entry {
    method: &'static Method,
    definition: &'static Definition,
    /// The definitions of the results that may answer it, the complete one first.
    results: Vec<&'static str>,
}

/// The methods of one revision, by who sends them.
struct Methods {
    to_server: Vec<Entry>,
    from_server: Vec<Entry>,
    notifications: Vec<Entry>,
    /// The definitions that are not written out where they are used, by name.
    definitions: BTreeMap<&'static str, &'static Definition>,
}

fn methods(revision: Revision) -> Option<&'static Methods> {
    static METHODS: [OnceLock<Methods>; Revision::ALL.len()] =
        [const { OnceLock::new() }; Revision::ALL.len()];
    METHODS.get(revision as usize).map(|cell| {
        cell.get_or_init(|| Methods {
            to_server: members_of("ClientRequest", revision),
            from_server: members_of("ServerRequest", revision),
            notifications: members_of("ServerNotification", revision),
            definitions: definitions_of(revision),
        })
    })
}

fn definitions_of(revision: Revision) -> BTreeMap<&'static str, &'static Definition> {
    let all = source::definitions().iter().filter(|definition| definition.revisions.contains(revision));
    // The first of a name is the one that counts.
    let mut by_name: BTreeMap<&str, &Definition> =
        all.rev().map(|definition| (definition.name.as_str(), definition)).collect();
    by_name.retain(|_, definition| !definition.inline.contains(revision));
    by_name
}

/// The messages that the union of that name lists.
fn members_of(union: &str, revision: Revision) -> Vec<Entry> {
    let definitions = source::definitions();
    let Some(Form::Union(branches)) = assemble::find(definitions, union, revision).map(|found| &found.form)
    else {
        return Vec::new();
    };
    branches
        .iter()
        .filter_map(|branch| match branch.at(revision)? {
            Form::Reference(name) => {
                let definition = assemble::find(definitions, name, revision)?;
                let method = definition.method.as_ref()?;
                let results = method.results.iter().filter_map(|result| result.at(revision));
                Some(Entry { method, definition, results: results.map(String::as_str).collect() })
            }
            _ => None,
        })
        .collect()
}

fn names(entries: Option<&'static Vec<Entry>>) -> Vec<&'static str> {
    entries.into_iter().flatten().map(|entry| entry.method.name.as_str()).collect()
}

/// The methods that a client may call; [`Shape::ResultOf`] knows them.
#[must_use]
pub fn requests_to_server(revision: Revision) -> Vec<&'static str> {
    names(methods(revision).map(|methods| &methods.to_server))
}

/// The methods that a server may call; [`Shape::RequestFromServer`] knows them. None in the stateless era.
#[must_use]
pub fn requests_from_server(revision: Revision) -> Vec<&'static str> {
    names(methods(revision).map(|methods| &methods.from_server))
}

/// The notifications that a server may send; [`Shape::NotificationFromServer`] knows them.
#[must_use]
pub fn notifications_from_server(revision: Revision) -> Vec<&'static str> {
    names(methods(revision).map(|methods| &methods.notifications))
}

/// The definition of `revision` that describes `shape`, e.g. `CallToolResult` for the result of `tools/call`; for a
/// result with several forms the complete one. `None` when the revision has no such thing.
#[must_use]
pub fn definition_name(revision: Revision, shape: Shape<'_>) -> Option<&'static str> {
    let split = revision >= Revision::R2025_11_25;
    match shape {
        Shape::Definition(name) => named(name, revision),
        Shape::ResultOf(method) => results(revision, method).first().copied(),
        Shape::RequestFromServer(method) => sent(&methods(revision)?.from_server, method),
        Shape::NotificationFromServer(method) => sent(&methods(revision)?.notifications, method),
        Shape::ResultResponse => {
            named(if split { "JSONRPCResultResponse" } else { "JSONRPCResponse" }, revision)
        }
        Shape::ErrorResponse => named(if split { "JSONRPCErrorResponse" } else { "JSONRPCError" }, revision),
        Shape::Message => named("JSONRPCMessage", revision),
    }
}

/// The definitions that `instance` must satisfy as `shape`; none when the revision has no such thing.
pub(super) fn definitions_for(revision: Revision, shape: Shape<'_>, instance: &Value) -> Vec<&'static str> {
    let main = match shape {
        Shape::ResultOf(method) => result_form(revision, method, instance),
        _ => definition_name(revision, shape),
    };
    let Some(main) = main else { return Vec::new() };
    // The older definitions of requests and notifications leave the envelope to a definition of its own.
    let envelope = match shape {
        Shape::RequestFromServer(_) => named("JSONRPCRequest", revision),
        Shape::NotificationFromServer(_) => named("JSONRPCNotification", revision),
        _ => None,
    };
    envelope.into_iter().chain([main]).collect()
}

fn named(name: &str, revision: Revision) -> Option<&'static str> {
    methods(revision)?.definitions.get(name).map(|definition| definition.name.as_str())
}

fn sent(entries: &'static [Entry], method: &str) -> Option<&'static str> {
    entries.iter().find(|entry| entry.method.name == method).map(|entry| entry.definition.name.as_str())
}

/// The definitions of the results that may answer `method`, the complete one first.
fn results(revision: Revision, method: &str) -> &'static [&'static str] {
    methods(revision)
        .and_then(|methods| methods.to_server.iter().find(|entry| entry.method.name == method))
        .map_or(&[], |entry| entry.results.as_slice())
}

/// Which of the results that may answer `method` the instance means to be.
fn result_form(revision: Revision, method: &str, instance: &Value) -> Option<&'static str> {
    let candidates = results(revision, method);
    let candidate = |name: &str| candidates.iter().copied().find(|candidate| *candidate == name);
    let meant = if revision.era() == Era::Stateless {
        match instance.get("resultType").and_then(Value::as_str) {
            Some("input_required") => candidate("InputRequiredResult"),
            Some("complete") | None => None,
            // An extension may define further results; the core can only ask for what all results share.
            Some(_) => named("Result", revision),
        }
    } else {
        candidate("CreateTaskResult")
            .filter(|_| instance.get("task").is_some() && instance.get("content").is_none())
    };
    meant.or_else(|| candidates.first().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_are_found_by_method() {
        let name = |revision, method| definition_name(revision, Shape::ResultOf(method));
        for revision in Revision::ALL {
            assert_eq!(name(revision, "tools/call"), Some("CallToolResult"));
            assert_eq!(name(revision, "tools/burn"), None);
            let stateful = revision.era() == Era::Stateful;
            for method in ["ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"] {
                assert_eq!(name(revision, method), stateful.then_some("EmptyResult"), "{revision} {method}");
            }
            assert_eq!(name(revision, "initialize").is_some(), stateful);
            assert_eq!(name(revision, "server/discover").is_some(), !stateful);
        }
        assert_eq!(name(Revision::R2025_11_25, "tasks/list"), Some("ListTasksResult"));
        assert_eq!(name(Revision::R2026_07_28, "tasks/list"), None);
    }

    #[test]
    fn every_method_of_a_revision_has_a_result() {
        for revision in Revision::ALL {
            for method in requests_to_server(revision) {
                assert!(definition_name(revision, Shape::ResultOf(method)).is_some(), "{revision} {method}");
            }
        }
        assert_eq!(requests_to_server(Revision::R2024_11_05).len(), 13);
        assert_eq!(
            requests_from_server(Revision::R2024_11_05),
            ["ping", "sampling/createMessage", "roots/list"]
        );
        assert_eq!(requests_from_server(Revision::R2026_07_28), [""; 0]);
        assert!(notifications_from_server(Revision::R2025_11_25).contains(&"notifications/tasks/status"));
    }

    #[test]
    fn the_form_of_a_result_is_chosen_by_what_it_says_it_is() {
        let form = |revision, method, instance| result_form(revision, method, &instance).unwrap();
        let latest = Revision::R2026_07_28;
        assert_eq!(
            form(latest, "tools/call", json!({ "resultType": "input_required" })),
            "InputRequiredResult"
        );
        assert_eq!(form(latest, "tools/call", json!({ "resultType": "complete" })), "CallToolResult");
        assert_eq!(form(latest, "tools/call", json!({})), "CallToolResult");
        assert_eq!(form(latest, "tools/call", json!({ "resultType": "task" })), "Result");
        assert_eq!(form(latest, "tools/list", json!({ "resultType": "input_required" })), "ListToolsResult");
        let tasks = Revision::R2025_11_25;
        assert_eq!(form(tasks, "tools/call", json!({ "task": {} })), "CreateTaskResult");
        assert_eq!(form(tasks, "tools/call", json!({ "task": {}, "content": [] })), "CallToolResult");
        assert_eq!(form(Revision::R2025_06_18, "tools/call", json!({ "task": {} })), "CallToolResult");
    }
}
