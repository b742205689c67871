//! Cases × revisions × what the server declared → the items of a run, each with the reason if it will not run.

use std::collections::BTreeMap;

use mcp_conform_cases::case::{Needs, Script, SessionKind};
use mcp_conform_cases::{Case, Era, Library, Revision};

use crate::event::Transport;
use crate::profile::Profile;
use crate::session::client;
use crate::settings::{Calls, Settings};
use crate::verdict::Verdict;

/// One case in one revision over one transport.
#[derive(Clone, Debug)]
pub struct Item {
    /// The case, as an index into the library.
    pub case: usize,
    /// The revision.
    pub revision: Revision,
    /// The transport.
    pub transport: Transport,
    /// Why it will not run, if it will not.
    pub skip: Option<(Verdict, String)>,
}

/// Every item of a run, in the order of reports.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The items.
    pub items: Vec<Item>,
}

/// Sessions that can be shared have the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionKey {
    /// The transport.
    pub transport: Transport,
    /// The revision.
    pub revision: Revision,
    /// Whether our side declares anything; in the stateless era each request says so for itself.
    pub declares: bool,
}

impl SessionKey {
    /// The session in which a shared case runs.
    #[must_use]
    pub fn of(case: &Case, transport: Transport, revision: Revision) -> SessionKey {
        let declares = revision.era() == Era::Stateless || client::declares(case.client, revision);
        SessionKey { transport, revision, declares }
    }
}

/// What is known of a server beyond what it declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that cases may need")]
pub struct Reach {
    /// Whether it speaks both eras.
    pub dual_era: bool,
    /// Whether its process is ours.
    pub own_process: bool,
    /// Whether it is reached over the loopback.
    pub loopback: bool,
    /// Whether it is protected by a token that we have.
    pub protected: bool,
}

impl Plan {
    /// Adds what there is to do over one transport, for what was learned of the server there.
    pub fn add(
        &mut self,
        library: &Library,
        profiles: &BTreeMap<Revision, Profile>,
        transport: Transport,
        settings: &Settings,
        reach: Reach,
    ) {
        for (index, case) in
            library.cases.iter().enumerate().filter(|(_, case)| settings.selection.wants(case))
        {
            if !case.transports.iter().any(|name| name == transport.as_str()) {
                continue;
            }
            for (revision, profile) in
                profiles.iter().filter(|(revision, _)| case.revisions.contains(**revision))
            {
                let newer = |other: &&Revision| {
                    **other > *revision && other.era() == revision.era() && case.revisions.contains(**other)
                };
                if case.once && profiles.keys().any(|other| newer(&other)) {
                    continue;
                }
                let skip = unmet(case, profile, &settings.calls, reach);
                self.items.push(Item { case: index, revision: *revision, transport, skip });
            }
        }
    }

    /// The items that run in a session of that kind.
    pub fn of_kind<'a>(
        &'a self,
        library: &'a Library,
        shared: bool,
    ) -> impl Iterator<Item = (usize, &'a Item, &'a Case)> {
        self.items.iter().enumerate().filter(|(_, item)| item.skip.is_none()).filter_map(
            move |(index, item)| {
                let case = library.cases.get(item.case)?;
                let has_steps = matches!(case.script, Script::Steps(_));
                (has_steps && (case.session == SessionKind::Shared) == shared).then_some((index, item, case))
            },
        )
    }
}

/// Why the server gives no occasion for a case.
fn unmet(case: &Case, profile: &Profile, calls: &Calls, reach: Reach) -> Option<(Verdict, String)> {
    let Needs {
        capability,
        undeclared,
        listed,
        tool,
        prompt,
        resource,
        template,
        paginated,
        own_process,
        session_id,
        loopback,
        protected,
        dual_era,
    } = &case.needs;
    let not_applicable = |why: String| Some((Verdict::NotApplicable, why));
    let untestable = |why: String| Some((Verdict::Untestable, why));
    if *dual_era && !reach.dual_era {
        return not_applicable("the server speaks one era only".to_owned());
    }
    if *session_id && !profile.has_session_id {
        return not_applicable("the server gave the session no id".to_owned());
    }
    if *loopback && !reach.loopback {
        return not_applicable("the server is not reached over the loopback".to_owned());
    }
    if *protected && !reach.protected {
        return not_applicable("no token was given (`--bearer`)".to_owned());
    }
    if *own_process && !reach.own_process {
        return untestable("the server runs without us".to_owned());
    }
    if let Some(name) =
        capability.iter().find(|names| !names.split('|').any(|name| profile.declares(name.trim())))
    {
        return not_applicable(format!("`{name}` is not declared"));
    }
    if let Some(name) = undeclared.iter().find(|name| profile.declares(name)) {
        return not_applicable(format!("`{name}` is declared"));
    }
    for list in listed {
        let empty = match list.as_str() {
            "tools" => profile.tools.is_empty(),
            "resources" => profile.resources.is_empty(),
            "templates" => profile.templates.is_empty(),
            _ => profile.prompts.is_empty(),
        };
        if empty {
            return untestable(format!("the server lists no {list}"));
        }
    }
    if *paginated && profile.paginated.is_none() {
        return untestable("every list fits on one page".to_owned());
    }
    for name in tool {
        if profile.tool(name).is_none() {
            return untestable(format!("no tool is named `{name}`"));
        }
        if !profile.callable(calls).contains(&name.as_str()) {
            return untestable(format!("the tool `{name}` is not called; `--call {name}` allows it"));
        }
    }
    let has = |items: &[serde_json::Value], key: &str, wanted: &String| {
        items.iter().any(|item| item.get(key).and_then(serde_json::Value::as_str) == Some(wanted))
    };
    if let Some(name) = prompt.iter().find(|name| !has(&profile.prompts, "name", name)) {
        return untestable(format!("no prompt is named `{name}`"));
    }
    if let Some(uri) = resource.iter().find(|uri| !has(&profile.resources, "uri", uri)) {
        return untestable(format!("no resource is listed as `{uri}`"));
    }
    if let Some(uri) = template.iter().find(|uri| !has(&profile.templates, "uriTemplate", uri)) {
        return untestable(format!("no resource template is listed as `{uri}`"));
    }
    None
}
