//! The rounds of a case: one, or one for each thing that the server listed.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use mcp_conform_cases::Case;
use mcp_conform_cases::case::ForEach;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value, json};

use super::Context;
use crate::generate::{self, Hints};
use crate::process::ServerCommand;
use crate::profile::Profile;
use crate::session::{Session, client};
use crate::settings::Settings;
use crate::template::Variables;

/// How many things a case is repeated for at most.
const MOST: usize = 60;
/// With how many different arguments a tool is called: the plainest, and all properties. Boundaries are for the fuzzer.
const ARGUMENTS: usize = 2;

/// One round of a case.
pub(super) struct Round {
    /// What it is about, by name.
    pub(super) name: Option<String>,
    /// Rounds of one group are about the same thing.
    pub(super) group: Option<String>,
    /// The values for its templates.
    pub(super) variables: Variables,
}

/// The rounds of a case with this server.
pub(super) fn of(case: &Case, session: &Session, context: &Context) -> Vec<Round> {
    let revision = session.revision();
    let default = Profile::default();
    let surface = context.surface(session.transcript.transport);
    let profile = surface.and_then(|surface| surface.profiles.get(&revision)).unwrap_or(&default);
    let shared = surface.and_then(|surface| surface.variables.get(&revision)).cloned();
    let mut base = Variables::above(shared.unwrap_or_default());
    base.insert("http".to_owned(), session.http_facts());
    base.insert("meta".to_owned(), Value::Object(session.standard_meta(case.client)));
    base.insert("capabilities".to_owned(), client::capabilities(case.client, revision));
    let Some(each) = case.for_each else {
        return vec![Round { name: None, group: None, variables: base }];
    };
    let items = match each {
        ForEach::CallableTools => tool_calls(profile, context),
        ForEach::TaskTools => {
            tool_calls(profile, context).into_iter().filter(|(_, item)| may_be_a_task(item)).collect()
        }
        ForEach::BadCalls => bad_calls(profile, context),
        ForEach::IncompletePrompts => incomplete_prompts(profile, context),
        ForEach::Completions => completions(profile),
        ForEach::Resources => named(&profile.resources, "uri"),
        ForEach::Prompts => prompts(profile, context),
        ForEach::DeclaredMethods => methods(profile, revision, true),
        ForEach::UndeclaredMethods => methods(profile, revision, false),
    };
    items
        .into_iter()
        .take(MOST)
        .map(|(name, item)| {
            let mut variables = base.clone();
            variables.insert("item".to_owned(), item);
            Round { group: Some(name.clone()), name: Some(name), variables }
        })
        .collect()
}

/// The values that every case in a revision may name.
pub(super) fn shared_variables(revision: Revision, profile: &Profile) -> Arc<Map<String, Value>> {
    let unused = |items: &[Value], key: &str, mut name: String| {
        while items.iter().any(|item| item.get(key).and_then(Value::as_str) == Some(&name)) {
            name.push('x');
        }
        name
    };
    let published: Vec<&str> = Revision::ALL.iter().map(|revision| revision.as_str()).collect();
    let stateful: Vec<&str> = Revision::ALL
        .iter()
        .filter(|revision| revision.era() == Era::Stateful)
        .map(|revision| revision.as_str())
        .collect();
    let first = |items: &[Value]| items.first().cloned().unwrap_or_default();
    let value = json!({
        "tool": { "name": "mcp-conform", "version": env!("CARGO_PKG_VERSION") },
        "revision": revision.as_str(),
        "revisions": { "published": published, "stateful": stateful, "supported": profile.versions },
        "unused": {
            "tool": unused(&profile.tools, "name", "mcp-conform-no-such-tool".to_owned()),
            "prompt": unused(&profile.prompts, "name", "mcp-conform-no-such-prompt".to_owned()),
            "resource": unused(&profile.resources, "uri", "mcp-conform://no-such-resource".to_owned()),
            "method": "mcp-conform/no-such-method",
            "cursor": "mcp-conform-no-such-cursor",
        },
        "first": { "tool": first(&profile.tools), "resource": first(&profile.resources), "prompt": first(&profile.prompts), "template": first(&profile.templates) },
        "paginated": profile.paginated,
        "big": { "text": "x".repeat(100_000), "nested": nested(100) },
    });
    Arc::new(match value {
        Value::Object(members) => members,
        _ => Map::new(),
    })
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| json!([inner]))
}

fn named(items: &[Value], key: &str) -> Vec<(String, Value)> {
    items.iter().filter_map(|item| Some((item.get(key)?.as_str()?.to_owned(), item.clone()))).collect()
}

/// Every callable tool with arguments that its own schema allows.
fn tool_calls(profile: &Profile, context: &Context) -> Vec<(String, Value)> {
    let hints = hints(profile, &context.scratch, &context.settings);
    let mut calls = Vec::new();
    for name in profile.callable(&context.settings.calls) {
        let Some(tool) = profile.tool(name) else { continue };
        let schema = tool.get("inputSchema").cloned().unwrap_or_default();
        for arguments in generate::valid(&schema, &hints, context.settings.seed, ARGUMENTS) {
            calls.push((name.to_owned(), json!({ "name": name, "arguments": arguments, "tool": tool })));
        }
    }
    calls
}

fn may_be_a_task(item: &Value) -> bool {
    let support = item.pointer("/tool/execution/taskSupport").and_then(Value::as_str);
    matches!(support, Some("optional" | "required"))
}

/// Calls of callable tools with a required member left out, or with an object or array where a scalar belongs: what no
/// coercion can save.
fn bad_calls(profile: &Profile, context: &Context) -> Vec<(String, Value)> {
    let hints = hints(profile, &context.scratch, &context.settings);
    let mut calls = Vec::new();
    for name in profile.callable(&context.settings.calls) {
        let Some(schema) = profile.tool(name).and_then(|tool| tool.get("inputSchema")) else { continue };
        let broken = generate::invalid(schema, &hints, context.settings.seed, 40);
        let plain = |wanted: &str| {
            broken.iter().find(|candidate| {
                let at_top = candidate.path.matches('/').count() <= 1;
                let hopeless = candidate
                    .value
                    .pointer(&candidate.path)
                    .is_some_and(|value| value.is_object() || value.is_array());
                candidate.keyword == wanted
                    && at_top
                    && (wanted == "required" || (hopeless && !candidate.path.is_empty()))
            })
        };
        for candidate in [plain("required"), plain("type")].into_iter().flatten() {
            calls.push((
                name.to_owned(),
                json!({ "name": name, "arguments": candidate.value, "what": candidate.why }),
            ));
        }
    }
    calls
}

/// Every prompt with a required argument, that argument left out.
fn incomplete_prompts(profile: &Profile, context: &Context) -> Vec<(String, Value)> {
    let mut incomplete = prompts(profile, context);
    incomplete.retain_mut(|(_, item)| {
        let arguments =
            item.pointer("/prompt/arguments").and_then(Value::as_array).cloned().unwrap_or_default();
        let required = arguments.iter().find(|argument| argument.get("required") == Some(&Value::Bool(true)));
        let name = required.and_then(|argument| argument.get("name")).and_then(Value::as_str);
        let given = item.get_mut("arguments").and_then(Value::as_object_mut);
        match (name, given) {
            (Some(name), Some(given)) => given.shift_remove(name).is_some(),
            _ => false,
        }
    });
    incomplete
}

/// Every argument of a prompt and every variable of a resource template.
fn completions(profile: &Profile) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, prompt) in named(&profile.prompts, "name") {
        for argument in prompt
            .get("arguments")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|argument| argument.get("name")?.as_str())
        {
            found.push((
                format!("{name}({argument})"),
                json!({ "ref": { "type": "ref/prompt", "name": name }, "argument": argument }),
            ));
        }
    }
    for (uri, _) in named(&profile.templates, "uriTemplate") {
        for variable in uri.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            // Operators and modifiers of RFC 6570 are no part of a name.
            let variable = variable.trim_start_matches(['+', '#', '.', '/', ';', '?', '&']);
            for name in variable
                .split(',')
                .map(|name| name.split([':', '*']).next().unwrap_or_default())
                .filter(|name| !name.is_empty())
            {
                found.push((
                    format!("{uri}({name})"),
                    json!({ "ref": { "type": "ref/resource", "uri": uri }, "argument": name }),
                ));
            }
        }
    }
    found
}

/// Every prompt with a text for each of its arguments.
fn prompts(profile: &Profile, context: &Context) -> Vec<(String, Value)> {
    let hints = hints(profile, &context.scratch, &context.settings);
    named(&profile.prompts, "name")
        .into_iter()
        .map(|(name, prompt)| {
            let mut properties = Map::new();
            for argument in prompt.get("arguments").and_then(Value::as_array).into_iter().flatten() {
                if let Some(name) = argument.get("name").and_then(Value::as_str) {
                    let description = argument.get("description").cloned().unwrap_or_else(|| json!(""));
                    properties.insert(
                        name.to_owned(),
                        json!({ "type": "string", "minLength": 1, "description": description }),
                    );
                }
            }
            let required: Vec<String> = properties.keys().cloned().collect();
            let schema = json!({ "type": "object", "properties": properties, "required": required });
            let arguments =
                generate::valid(&schema, &hints, context.settings.seed, 1).pop().unwrap_or_else(|| json!({}));
            (name.clone(), json!({ "name": name, "arguments": arguments, "prompt": prompt }))
        })
        .collect()
}

/// What means something to this server: the scratch folder that we answer as its root, the folders and files on its
/// own command line, and the addresses that it listed.
pub(crate) fn hints(profile: &Profile, scratch: &str, settings: &Settings) -> Hints {
    let mut paths = vec![scratch.to_owned(), format!("{scratch}/hello.txt")];
    // A server that was given folders works in them.
    paths.splice(0..0, settings.target.commands().flat_map(folders));
    let uris =
        profile.resources.iter().filter_map(|item| item.get("uri")?.as_str()).map(str::to_owned).collect();
    Hints { paths, uris, ..Hints::default() }
}

/// The folders that a command line names.
pub(super) fn folders(command: &ServerCommand) -> impl Iterator<Item = String> {
    let is_folder = |path: &&OsString| Path::new(path).is_absolute() && Path::new(path).is_dir();
    command.arguments.iter().filter(is_folder).map(|path| path.to_string_lossy().into_owned())
}

/// The methods that belong to a capability and need no knowledge of the server.
fn methods(profile: &Profile, revision: Revision, declared: bool) -> Vec<(String, Value)> {
    let mut table: Vec<(&str, &str, Value)> = vec![
        ("tools", "tools/list", json!({})),
        ("resources", "resources/list", json!({})),
        ("resources", "resources/templates/list", json!({})),
        ("prompts", "prompts/list", json!({})),
    ];
    if revision.era() == Era::Stateful {
        table.push(("logging", "logging/setLevel", json!({ "level": "info" })));
    }
    if revision == Revision::R2025_11_25 {
        table.push(("tasks.list", "tasks/list", json!({})));
    }
    if !declared {
        let reference = json!({ "ref": { "type": "ref/prompt", "name": "mcp-conform-no-such-prompt" }, "argument": { "name": "a", "value": "b" } });
        table.push(("completions", "completion/complete", reference));
    }
    // The first revision has no capability for completion.
    table.retain(|(capability, _, _)| !(*capability == "completions" && revision == Revision::R2024_11_05));
    table
        .into_iter()
        .filter(|(capability, _, _)| profile.declares(capability) == declared)
        .map(|(_, method, params)| (method.to_owned(), json!({ "method": method, "params": params })))
        .collect()
}
