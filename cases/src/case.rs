//! Cases: one file, one behaviour that a server must show. Data only; `cases/README.md` describes the format.

mod expect;
mod http;
mod matcher;
mod path;
mod step;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

pub use expect::{Expect, Outcome};
pub use http::{Headers, HttpRaw, HttpRequest};
pub use matcher::{JsonType, Matcher};
pub use path::{Path, Segment};
pub use step::{Action, Send, Step, Watch};

use crate::requirement::Severity;
use crate::revision::RevisionSet;
use crate::yaml::{self, YamlError};

/// Which session a case runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// After the handshake, in a session that other cases use too.
    #[default]
    Shared,
    /// After the handshake, in a session of its own.
    Fresh,
    /// Before any handshake, in a session of its own: the case performs the handshake itself.
    Bare,
}

/// What the client side of a session declares and answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientKind {
    /// `full` in the stateful era, `plain` in the stateless one, where every request declares anew.
    #[default]
    Usual,
    /// Declares sampling, elicitation, and roots, and answers them.
    Full,
    /// Declares nothing.
    Plain,
}

/// What the server must have declared or listed for a case to say anything about it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Needs {
    /// Declared server capabilities, as paths (`resources.subscribe`), with `|` between alternatives; absent means not
    /// applicable.
    #[serde(deserialize_with = "one_or_many")]
    pub capability: Vec<String>,
    /// Capabilities that must not be declared; declared means not applicable.
    #[serde(deserialize_with = "one_or_many")]
    pub undeclared: Vec<String>,
    /// Lists that must hold something: `tools`, `resources`, `templates`, `prompts`; empty means untestable.
    #[serde(deserialize_with = "one_or_many")]
    pub listed: Vec<String>,
    /// Tools that must be listed and allowed to be called; else untestable.
    #[serde(deserialize_with = "one_or_many")]
    pub tool: Vec<String>,
    /// Prompts that must be listed; else untestable.
    #[serde(deserialize_with = "one_or_many")]
    pub prompt: Vec<String>,
    /// Resource addresses that must be listed; else untestable.
    #[serde(deserialize_with = "one_or_many")]
    pub resource: Vec<String>,
    /// Resource templates that must be listed; else untestable.
    #[serde(deserialize_with = "one_or_many")]
    pub template: Vec<String>,
    /// Whether one of the server's lists must have more than one page; else untestable.
    pub paginated: bool,
    /// Whether the server's process must be ours, so that it can be ended; else untestable.
    pub own_process: bool,
    /// Whether the server must have given the session an id (Streamable HTTP); else not applicable.
    pub session_id: bool,
    /// Whether the address must be one of the loopback; else not applicable.
    pub loopback: bool,
    /// Whether a token must be at hand because the server is protected; else not applicable.
    pub protected: bool,
    /// Whether the server must speak the other era too; else not applicable.
    pub dual_era: bool,
}

/// What a case is repeated for, within its one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForEach {
    /// Every listed tool that may be called and for which arguments could be made.
    CallableTools,
    /// Calls of those tools with arguments that their own input schemas plainly forbid.
    BadCalls,
    /// Those of them that may be called as tasks (2025-11-25).
    TaskTools,
    /// Every listed resource.
    Resources,
    /// Every listed prompt.
    Prompts,
    /// Every listed prompt with a required argument, that argument left out.
    IncompletePrompts,
    /// Every argument of a listed prompt and every variable of a listed resource template.
    Completions,
    /// Every method of a declared capability that can be sent without further knowledge.
    DeclaredMethods,
    /// Every method of the capabilities that were not declared.
    UndeclaredMethods,
}

/// A rule in Rust that looks at every recorded session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invariant {
    /// The name under which the rule is registered.
    pub name: String,
    /// What the rule is applied to, e.g. the name of a wire-schema definition.
    pub with: Map<String, Value>,
}

/// How a case is carried out.
#[derive(Clone, Debug)]
pub enum Script {
    /// Send, expect, capture.
    Steps(Vec<Step>),
    /// A rule over everything that is recorded anyway.
    Invariant(Invariant),
}

/// How our side answers a request of the server.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// With this result.
    Result(Value),
    /// With this error.
    Error(Value),
    /// Not at all.
    None,
}

/// One behaviour, the requirement it belongs to, and how to see it.
#[derive(Clone, Debug)]
pub struct Case {
    /// `area/name`, the same as the file's path in the library.
    pub id: String,
    /// What a conformant server does, as a sentence.
    pub title: String,
    /// The id of the requirement.
    pub requirement: String,
    /// The revisions it runs in; narrowed to those that have the requirement.
    pub revisions: RevisionSet,
    /// The transports it runs over; empty means those of the requirement.
    pub transports: Vec<String>,
    /// The session it runs in.
    pub session: SessionKind,
    /// What our side declares.
    pub client: ClientKind,
    /// Once an era is enough, because the revision makes no difference.
    pub once: bool,
    /// Whether it sends what a client may not send: a sanity exchange follows, and error answers are not judged.
    pub hostile: bool,
    /// What must have been declared or listed.
    pub needs: Needs,
    /// Repetition over what the server listed.
    pub for_each: Option<ForEach>,
    /// Lowers the requirement's severity.
    pub severity: Option<Severity>,
    /// Messages that must not be seen while the case runs.
    pub never: Vec<Watch>,
    /// How our side answers requests of the server while the case runs, by method; else as usual.
    pub answers: BTreeMap<String, Answer>,
    /// The faults of the reference server that the case must catch.
    pub catches: Vec<String>,
    /// Where we are lenient, and why.
    pub note: Option<String>,
    /// What to do.
    pub script: Script,
}

impl Case {
    /// Reads a case file.
    ///
    /// # Errors
    /// When the file leaves the strict subset of YAML or the format; the error shows the place.
    pub fn read(file: &str, text: &str) -> Result<Case, YamlError> {
        Case::checked(file, yaml::read(file, text)?)
    }

    /// As [`Case::read`], from JSON that says the same.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn from_json(file: &str, json: &str) -> Result<Case, YamlError> {
        let raw = serde_json::from_str(json)
            .map_err(|error| YamlError { file: file.to_owned(), detail: error.to_string() })?;
        Case::checked(file, raw)
    }

    fn checked(file: &str, raw: RawCase) -> Result<Case, YamlError> {
        let refuse = |detail: &str| YamlError { file: file.to_owned(), detail: detail.to_owned() };
        let script = match (raw.steps, raw.invariant) {
            (Some(steps), None) if steps.is_empty() => {
                return Err(refuse("`steps` is empty: a case must do something"));
            }
            (Some(steps), None) => Script::Steps(steps),
            (None, Some(name)) => Script::Invariant(Invariant { name, with: raw.with.unwrap_or_default() }),
            _ => return Err(refuse("a case has either `steps` or an `invariant`")),
        };
        if let Script::Steps(steps) = &script
            && !steps.iter().any(Step::gives_evidence)
        {
            return Err(refuse("no step expects anything: such a case would pass without evidence"));
        }
        if let Script::Steps(steps) = &script {
            let mut named: Vec<&str> = Vec::new();
            for step in steps {
                if let Action::ResponseTo(name) | Action::Close(name) = &step.action
                    && !named.contains(&name.as_str())
                {
                    return Err(refuse(&format!("no earlier step is named `{name}` with `as`")));
                }
                named.extend(step.name.as_deref());
            }
        }
        if let Script::Steps(steps) = &script
            && steps.iter().any(Step::is_http_only)
            && (raw.transports.is_empty() || raw.transports.iter().any(|name| name == "stdio"))
        {
            return Err(refuse(
                "`http`, `http_raw`, and `close` need `transports: [http]`, `[sse]`, or both",
            ));
        }
        if raw.id.split('/').count() != 2
            || raw.id.contains(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || "-/".contains(c)))
        {
            return Err(refuse("`id` is `area/name` in lower-case letters, digits, and hyphens"));
        }
        Ok(Case {
            id: raw.id,
            title: raw.title,
            requirement: raw.requirement,
            revisions: raw.revisions.unwrap_or(RevisionSet::ALL),
            transports: raw.transports,
            session: raw.session,
            client: raw.client,
            once: raw.once,
            hostile: raw.hostile,
            needs: raw.needs,
            for_each: raw.for_each,
            severity: raw.severity,
            never: raw.never,
            answers: raw.answers,
            catches: raw.catches,
            note: raw.note,
            script,
        })
    }

    /// The named checks that the case refers to.
    pub fn checks(&self) -> impl Iterator<Item = &str> {
        let steps = match &self.script {
            Script::Steps(steps) => steps.as_slice(),
            Script::Invariant(_) => &[],
        };
        let expects =
            steps.iter().flat_map(|step| step.expect.iter().chain(&step.should)).flat_map(Expect::matchers);
        let watched = steps
            .iter()
            .flat_map(|step| &step.during)
            .chain(&self.never)
            .flat_map(|watch| watch.when.iter().map(|(_, matcher)| matcher));
        expects.chain(watched).flat_map(Matcher::checks)
    }

    /// The area: the id up to the slash.
    #[must_use]
    pub fn area(&self) -> &str {
        self.id.split('/').next().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCase {
    id: String,
    title: String,
    requirement: String,
    #[serde(default)]
    revisions: Option<RevisionSet>,
    #[serde(default)]
    transports: Vec<String>,
    #[serde(default)]
    session: SessionKind,
    #[serde(default)]
    client: ClientKind,
    #[serde(default)]
    once: bool,
    #[serde(default)]
    hostile: bool,
    #[serde(default)]
    needs: Needs,
    #[serde(default)]
    for_each: Option<ForEach>,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    never: Vec<Watch>,
    #[serde(default)]
    answers: BTreeMap<String, Answer>,
    #[serde(default)]
    catches: Vec<String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    steps: Option<Vec<Step>>,
    #[serde(default)]
    invariant: Option<String>,
    #[serde(default)]
    with: Option<Map<String, Value>>,
}

fn one_or_many<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(one) => Ok(vec![one]),
        Value::Array(many) => many
            .into_iter()
            .map(|item| match item {
                Value::String(text) => Ok(text),
                other => Err(serde::de::Error::custom(format!("expected a name, found {other}"))),
            })
            .collect(),
        other => Err(serde::de::Error::custom(format!("expected a name or a list of names, found {other}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
id: tools/unknown-tool
title: A call of an unknown tool is refused
requirement: tools.unknown-tool-error
revisions: "2024-11-05..2025-11-25"
needs: { capability: tools }
catches: [unknown-tool-accepted]
steps:
  - send: { method: tools/call, params: { name: "{{unused.tool}}", arguments: {} } }
    expect: { any_of: [ { error.code: -32602 }, { result.isError: true } ] }
    should: { error.code: -32602 }
"#;

    #[test]
    fn a_case_is_read() {
        let case = Case::read("tools/unknown-tool.yaml", GOOD).unwrap();
        assert_eq!(case.area(), "tools");
        assert_eq!(case.needs.capability, ["tools"]);
        let Script::Steps(steps) = case.script else { panic!("steps") };
        assert!(matches!(steps[0].expect, Some(Expect::AnyOf(_))));
    }

    fn error(text: &str) -> String {
        Case::read("x.yaml", text).unwrap_err().to_string()
    }

    #[test]
    fn errors_show_the_place_and_a_remedy() {
        let unknown = error(&GOOD.replace("catches:", "catchs:"));
        assert!(unknown.contains("did you mean `catches`?"), "{unknown}");
        assert!(unknown.contains("catchs: [unknown"), "{unknown}");
        let duplicate = error(&GOOD.replace("title:", "id: a/b\ntitle:"));
        assert!(duplicate.contains("duplicate"), "{duplicate}");
        let date = error(&GOOD.replace("\"2024-11-05..2025-11-25\"", "2025-11-25"));
        assert!(
            date.contains("line 5") && date.contains("put it in quotes") && date.contains("^^^^^^^^^^"),
            "{date}"
        );
        let matcher = error(&GOOD.replace("{ error.code: -32602 }\n", "{ error.code: { onof: [1] } }\n"));
        assert!(matcher.contains("did you mean `one_of`?"), "{matcher}");
        let anchor = error(&GOOD.replace("catches: [", "catches: &a ["));
        assert!(anchor.to_lowercase().contains("anchor"), "{anchor}");
        let empty =
            error(&GOOD.replace("    expect:", "    #expect:").replace("    should:", "    #should:"));
        assert!(empty.contains("pass without evidence"), "{empty}");
        let word = error(&GOOD.replace("needs:", "once: yes\nneeds:"));
        assert!(word.contains("`yes` means different things"), "{word}");
        let path = error(&GOOD.replace("error.code: -32602 }\n", "error..code: -32602 }\n"));
        assert!(path.contains("path"), "{path}");
    }

    #[test]
    fn nothing_that_a_file_holds_is_a_panic() {
        for end in 0..GOOD.len() {
            if let Some(part) = GOOD.get(..end) {
                let _ = Case::read("x.yaml", part);
            }
        }
        for text in ["", "[]", "- 1", "id: 3", "\u{0}", "{{{{", "id: !!binary x", &"[".repeat(100_000)] {
            assert!(Case::read("x.yaml", text).is_err());
        }
    }
}
