//! What a server says of itself: learned once for each revision, by asking it.

use std::time::Duration;

use mcp_conform_cases::Revision;
use mcp_conform_cases::case::Path;
use serde_json::{Value, json};

use crate::event::{Introduction, Named};
use crate::judge::matching;
use crate::session::handshake::META_SERVER;
use crate::session::{Outgoing, Session};
use crate::settings::Calls;
use crate::transcript::{CaseRecord, Health, Waited};

/// The name under which the profile's own traffic stands in a recording.
pub const CASE: &str = "profile";
/// How many pages of a list are read.
const MOST_PAGES: usize = 100;
/// How many items of a list are kept.
const MOST_ITEMS: usize = 2000;

/// What a server says of itself in one revision.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    /// The declared capabilities.
    pub capabilities: Value,
    /// Name and version.
    pub server: Named,
    /// The versions that `server/discover` lists.
    pub versions: Vec<String>,
    /// The tools, as listed.
    pub tools: Vec<Value>,
    /// The resources, as listed.
    pub resources: Vec<Value>,
    /// The resource templates, as listed.
    pub templates: Vec<Value>,
    /// The prompts, as listed.
    pub prompts: Vec<Value>,
    /// Whether the server gave the session an id (Streamable HTTP).
    pub has_session_id: bool,
    /// The method of the first list that has more than one page, if any has.
    pub paginated: Option<&'static str>,
}

impl Profile {
    /// Asks a server that has just been greeted for everything that it declared.
    pub async fn learn(session: &mut Session, greeting: &Value, limit: Duration) -> Profile {
        let server = greeting
            .get("serverInfo")
            .or_else(|| greeting.get("_meta").and_then(|meta| meta.get(META_SERVER)));
        let text = |key: &str| {
            server.and_then(|server| server.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let mut profile = Profile {
            capabilities: greeting.get("capabilities").cloned().unwrap_or_default(),
            server: Named { name: text("name"), version: text("version") },
            versions: strings(greeting.get("supportedVersions")),
            has_session_id: session.session_id().is_some(),
            ..Profile::default()
        };
        for (capability, method, member) in [
            ("tools", "tools/list", "tools"),
            ("resources", "resources/list", "resources"),
            ("resources", "resources/templates/list", "resourceTemplates"),
            ("prompts", "prompts/list", "prompts"),
        ] {
            if !profile.declares(capability) {
                continue;
            }
            let (items, pages) = list(session, method, member, limit).await;
            if pages > 1 {
                profile.paginated.get_or_insert(method);
            }
            match member {
                "tools" => profile.tools = items,
                "resources" => profile.resources = items,
                "resourceTemplates" => profile.templates = items,
                _ => profile.prompts = items,
            }
        }
        let ends = session.transcript.entries.len();
        let health = if session.is_closed() { Health::Dead } else { Health::Well };
        session.transcript.cases.push(CaseRecord {
            case: CASE.to_owned(),
            hostile: false,
            begins: 0,
            ends,
            passes: Vec::new(),
            health,
        });
        profile
    }

    /// Whether the server declared a capability, given as a path.
    #[must_use]
    pub fn declares(&self, path: &str) -> bool {
        let Ok(path) = path.parse::<Path>() else { return false };
        let found = matching::resolve(&path, &self.capabilities);
        found.iter().any(|(_, value)| !matches!(value, Value::Bool(false) | Value::Null))
    }

    /// The listed tool of that name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Value> {
        self.tools.iter().find(|tool| tool.get("name").and_then(Value::as_str) == Some(name))
    }

    /// The names of the tools that may be called.
    #[must_use]
    pub fn callable(&self, calls: &Calls) -> Vec<&str> {
        self.tools
            .iter()
            .filter(|tool| may_call(tool, calls))
            .filter_map(|tool| tool.get("name")?.as_str())
            .collect()
    }

    /// The names of the tools that may not be called.
    #[must_use]
    pub fn not_callable(&self, calls: &Calls) -> Vec<&str> {
        self.tools
            .iter()
            .filter(|tool| !may_call(tool, calls))
            .filter_map(|tool| tool.get("name")?.as_str())
            .collect()
    }

    /// The tools that may be called by name and are in none of these lists.
    pub(crate) fn unlisted<'c>(calls: &'c Calls, profiles: &[&Profile]) -> Vec<&'c str> {
        let is_listed = |name: &str| profiles.iter().any(|profile| profile.tool(name).is_some());
        calls.names.iter().map(String::as_str).filter(|name| *name != "all" && !is_listed(name)).collect()
    }

    /// The header's line about this revision.
    #[must_use]
    pub fn introduction(&self, revision: Revision) -> Introduction {
        let count = |capability: &str, items: &[Value]| self.declares(capability).then_some(items.len());
        Introduction {
            revision,
            capabilities: self
                .capabilities
                .as_object()
                .map(|members| members.keys().cloned().collect())
                .unwrap_or_default(),
            tools: count("tools", &self.tools),
            resources: count("resources", &self.resources),
            templates: count("resources", &self.templates),
            prompts: count("prompts", &self.prompts),
        }
    }
}

/// A tool is called when the user names it, when its own annotation says that it changes nothing, and when all may be
/// called unless its own annotation says that it destroys something.
fn may_call(tool: &Value, calls: &Calls) -> bool {
    let name = tool.get("name").and_then(Value::as_str).unwrap_or_default();
    let hints = |hint: &str| tool.pointer(&format!("/annotations/{hint}")) == Some(&Value::Bool(true));
    // What changes nothing destroys nothing, whatever else is said of it.
    hints("readOnlyHint")
        || (calls.all && !hints("destructiveHint"))
        || calls.names.iter().any(|allowed| allowed == name)
}

fn strings(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

/// Reads a list page by page, until it ends, repeats a cursor, or is longer than we keep; also says how many pages
/// were asked for.
async fn list(session: &mut Session, method: &str, member: &str, limit: Duration) -> (Vec<Value>, usize) {
    let mut items: Vec<Value> = Vec::new();
    let mut cursors: Vec<Value> = Vec::new();
    while cursors.len() < MOST_PAGES && items.len() < MOST_ITEMS {
        let mut outgoing = Outgoing::new(method);
        if let Some(cursor) = cursors.last() {
            outgoing = outgoing.with(json!({ "cursor": cursor }));
        }
        let Waited::Response(entry) = session.exchange(outgoing, limit).await else { break };
        let Some(result) = session.message_in(entry).and_then(|message| message.get("result")) else { break };
        items.extend(result.get(member).and_then(Value::as_array).into_iter().flatten().cloned());
        match result.get("nextCursor") {
            Some(cursor @ Value::String(_)) if !cursors.contains(cursor) => cursors.push(cursor.clone()),
            _ => break,
        }
    }
    items.truncate(MOST_ITEMS);
    (items, cursors.len() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn destructive_tools_are_called_only_by_name() {
        let tool = |name: &str, annotations: Value| json!({ "name": name, "annotations": annotations });
        let profile = Profile {
            tools: vec![
                tool("look", json!({ "readOnlyHint": true })),
                tool("look_closely", json!({ "readOnlyHint": true, "destructiveHint": true })),
                tool("add", json!({ "readOnlyHint": false, "destructiveHint": false })),
                json!({ "name": "silent" }),
                tool("delete", json!({ "readOnlyHint": false, "destructiveHint": true })),
            ],
            ..Profile::default()
        };
        let called = |all, names: &[&str]| {
            let names = names.iter().map(|name| (*name).to_owned()).collect();
            profile.callable(&Calls { all, names }).join(" ")
        };
        assert_eq!(called(false, &[]), "look look_closely");
        assert_eq!(called(true, &["all"]), "look look_closely add silent");
        assert_eq!(called(false, &["delete"]), "look look_closely delete");
        assert_eq!(called(true, &["all", "delete"]), "look look_closely add silent delete");
    }
}
