//! `mcp-conform explain ID`

use std::fmt::Write as _;

use mcp_conform_cases::{Case, Library, Requirement, Revision, yaml};

use super::args::ExplainArguments;
use super::exit::Code;
use super::output::{complain, print};

pub(crate) fn main(arguments: &ExplainArguments) -> Code {
    let library = match Library::builtin() {
        Ok(library) => library,
        Err(error) => {
            complain(format!("the built-in library is broken: {error}"));
            return Code::Internal;
        }
    };
    if let Some(case) = library.cases.iter().find(|case| case.id == arguments.id) {
        print(&explain_case(case, &library));
        return Code::Conformant;
    }
    if let Some(requirement) = library.requirements.get(&arguments.id) {
        print(&explain_requirement(requirement, &library));
        return Code::Conformant;
    }
    let ids = library
        .cases
        .iter()
        .map(|case| case.id.as_str())
        .chain(library.requirements.keys().map(String::as_str));
    let hint = yaml::nearest(&arguments.id, ids)
        .map_or_else(String::new, |best| format!("; did you mean `{best}`?"));
    complain(format!(
        "no case or requirement is called `{}`{hint}\n  mcp-conform list cases, mcp-conform list requirements",
        arguments.id
    ));
    Code::Usage
}

fn explain_case(case: &Case, library: &Library) -> String {
    let mut text = format!("{}\n  {}\n\n", case.id, case.title);
    let _ = writeln!(text, "  revisions   {}", case.revisions);
    let _ = writeln!(text, "  transports  {}", case.transports.join(", "));
    if let Some(note) = &case.note {
        let _ = writeln!(text, "  note        {}", note.trim());
    }
    let _ = writeln!(text, "  catches     {}", case.catches.join(", "));
    if let Some(source) = library.source(&case.id) {
        let _ = write!(text, "\n{}\n", indent(source));
    }
    if let Some(requirement) = library.requirements.get(&case.requirement) {
        text.push('\n');
        text.push_str(&explain_requirement(requirement, library));
    }
    text
}

fn indent(source: &str) -> String {
    source.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}

fn explain_requirement(requirement: &Requirement, library: &Library) -> String {
    let mut text = format!("{}\n  {}\n\n", requirement.id, requirement.summary);
    for revision in Revision::ALL {
        let Some(level) = requirement.level(revision) else { continue };
        let _ = write!(text, "  {revision}  {level}");
        if let Some(url) = requirement.url(revision) {
            let _ = write!(text, "  {url}");
        }
        text.push('\n');
    }
    let mut notes: Vec<&String> =
        Revision::ALL.iter().filter_map(|revision| requirement.note.as_ref()?.get(*revision)).collect();
    notes.dedup();
    for note in notes {
        let _ = write!(text, "\n  where the text is unclear: {}\n", note.trim());
    }
    let cases: Vec<&str> = library
        .cases
        .iter()
        .filter(|case| case.requirement == requirement.id)
        .map(|case| case.id.as_str())
        .collect();
    let _ = write!(
        text,
        "\n  cases  {}\n",
        if cases.is_empty() { "none yet".to_owned() } else { cases.join(", ") }
    );
    text
}
