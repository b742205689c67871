//! What was understood of the target before the first case runs.

use mcp_conform_cases::Revision;

use super::Verbosity;
use crate::event::{Header, Introduction};
use crate::report::group::span;
use crate::report::layout::{GLUE, end_line, hang, pad};
use crate::report::style::{Ink, Style};
use crate::text;

/// Longest name of a server, tool, or capability, in bytes.
const MAX_NAME: usize = 64;

/// Longest version, in bytes.
const MAX_VERSION: usize = 32;

/// How many names of a list are written out.
const MAX_NAMES: usize = 10;

/// What is written before the first case runs.
#[must_use]
pub fn opening(header: &Header, style: Style, verbosity: Verbosity) -> String {
    let mut out = String::new();
    if verbosity < Verbosity::Normal {
        return out;
    }
    let tool = format!(
        "{} {}",
        style.short(&header.tool.name, MAX_NAME),
        style.short(&header.tool.version, MAX_NAME)
    );
    let transports: Vec<&str> = header.transports.iter().map(|transport| transport.as_str()).collect();
    let target = format!("{} over {}", style.short(&header.target, 400), transports.join(", "));
    hang(
        &mut out,
        &format!("{}  ", style.paint(Ink::Strong, &tool)),
        text::width(&tool) + 2,
        &target,
        style.text_width(),
    );

    let server = match (header.server.name.as_str(), header.server.version.as_str()) {
        ("", "") => "unnamed server".to_owned(),
        (name, "") => style.short(name, MAX_NAME),
        ("", version) => format!("unnamed server {}", style.short(version, MAX_VERSION)),
        (name, version) => format!("{} {}", style.short(name, MAX_NAME), style.short(version, MAX_VERSION)),
    };
    let declared = declarations(&header.revisions, style);
    let column = declared.iter().map(|(revisions, _)| text::width(revisions)).max().unwrap_or(0);
    let mut rows: Vec<(String, String, usize)> = declared
        .into_iter()
        .enumerate()
        .map(|(number, (revisions, declared))| {
            let label = if number == 0 { server.clone() } else { String::new() };
            (label, format!("{}   {declared}", pad(&revisions, column)), column + 3)
        })
        .collect();
    if rows.is_empty() {
        rows.push((server, String::new(), 0));
    }
    if !header.also_speaks.is_empty() {
        let tested: Vec<_> = header.revisions.iter().map(|introduction| introduction.revision).collect();
        let mut others = header.also_speaks.clone();
        others.sort();
        let all: Vec<_> = Revision::ALL.into_iter().filter(|revision| !tested.contains(revision)).collect();
        rows.push(("also speaks".to_owned(), span(&others, &all, style), 0));
    }
    if !header.not_called.is_empty() {
        let names = list(&header.not_called, style);
        rows.push((
            "not called".to_owned(),
            format!("{names} (to allow it: --call{GLUE}NAME, or --call{GLUE}all unless destructive)"),
            0,
        ));
    }
    for note in &header.notes {
        rows.push(("note".to_owned(), style.short(note, 600), 0));
    }

    // A very long name of the server stands alone rather than pushing all else to the right.
    let widest =
        rows.iter().map(|(label, ..)| text::width(label)).filter(|width| *width <= 28).max().unwrap_or(0);
    for (number, (label, value, inner)) in rows.iter().enumerate() {
        let ink = if number == 0 { Ink::Strong } else { Ink::Faint };
        let mut prefix = format!("  {}  ", style.paint(ink, &pad(label, widest)));
        if text::width(label) > widest {
            out.push_str(&format!("  {}", style.paint(ink, label)));
            end_line(&mut out);
            prefix = " ".repeat(widest + 4);
        }
        // The revisions are a column of their own: what wraps, wraps right of it.
        let indent = widest + 4;
        let (first, rest) = split_at_width(value, *inner);
        hang(&mut out, &format!("{prefix}{first}"), indent + inner, rest, style.text_width());
    }
    out.push('\n');
    out
}

fn split_at_width(text: &str, columns: usize) -> (&str, &str) {
    let place = text
        .char_indices()
        .map(|(place, _)| place)
        .find(|place| text.get(..*place).is_some_and(|head| text::width(head) >= columns));
    place.and_then(|place| text.split_at_checked(place)).unwrap_or((text, ""))
}

/// What was declared in which revisions; neighbours that declare the same share a line.
fn declarations(revisions: &[Introduction], style: Style) -> Vec<(String, String)> {
    let tested: Vec<_> = revisions.iter().map(|introduction| introduction.revision).collect();
    let mut lines: Vec<(Vec<Revision>, String)> = Vec::new();
    for introduction in revisions.iter().rev() {
        let declared = declared(introduction, style);
        match lines.last_mut() {
            Some((same, text)) if *text == declared => same.insert(0, introduction.revision),
            _ => lines.push((vec![introduction.revision], declared)),
        }
    }
    lines.into_iter().map(|(revisions, text)| (span(&revisions, &tested, style), text)).collect()
}

/// `tools 3, resources 1, logging; no prompts, no completions`
fn declared(introduction: &Introduction, style: Style) -> String {
    let counts = [
        ("tools", introduction.tools),
        ("resources", introduction.resources),
        ("templates", introduction.templates.filter(|count| *count > 0)),
        ("prompts", introduction.prompts),
    ];
    let names: Vec<&str> = introduction.capabilities.iter().map(String::as_str).collect();
    let mut present: Vec<String> = Vec::new();
    for (name, count) in counts {
        match count {
            Some(count) => present.push(format!("{name}{GLUE}{count}")),
            None if names.contains(&name) => present.push(name.to_owned()),
            None => {}
        }
    }
    let others = names.iter().filter(|name| !counts.iter().any(|(counted, _)| counted == *name));
    let others: Vec<String> = others.map(|name| (*name).to_owned()).collect();
    if !others.is_empty() {
        present.push(list(&others, style));
    }
    let missing = |name: &str| {
        !names.contains(&name) && !counts.iter().any(|(counted, count)| *counted == name && count.is_some())
    };
    // Completions are a capability since 2025-03-26.
    let known = if introduction.revision > Revision::R2024_11_05 { 5 } else { 4 };
    let absent: Vec<String> = ["tools", "resources", "prompts", "logging", "completions"]
        .into_iter()
        .take(known)
        .filter(|name| missing(name))
        .map(|name| format!("no{GLUE}{name}"))
        .collect();
    match (present.is_empty(), absent.is_empty()) {
        (true, _) => "nothing declared".to_owned(),
        (false, true) => present.join(", "),
        (false, false) => format!("{}; {}", present.join(", "), absent.join(", ")),
    }
}

/// Names that are safe to show, and not too many of them.
fn list(names: &[String], style: Style) -> String {
    let mut shown: Vec<String> =
        names.iter().take(MAX_NAMES).map(|name| style.short(name, MAX_NAME)).collect();
    if names.len() > MAX_NAMES {
        shown.push(format!("{} more", names.len() - MAX_NAMES));
    }
    shown.join(", ")
}
