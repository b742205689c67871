//! One finding in full: what is wrong, what proves it, what the specification says, and how to see it again.

use mcp_conform_cases::Revision;

use super::frames::{self, Extent};
use super::group::{Group, span};
use super::layout::{end_line, hang, pad};
use super::style::{Ink, Style};
use crate::event::CaseResult;
use crate::text;

/// Longest message, summary, or value in the terminal, in bytes. The machine-readable reports have all of it.
const MAX_TEXT: usize = 600;

/// Longest value, in bytes.
const MAX_VALUE: usize = 300;

/// The columns of the labels `expected`, `got`, `spec`, and `again`, with the blanks around them.
const LABEL: usize = 12;

/// Draws a finding, from its title to the command that repeats it.
pub(crate) fn draw(out: &mut String, group: &Group<'_>, tested: &[Revision], style: Style, extent: Extent) {
    title(out, group, tested, style);
    details(out, group.newest, style, extent);
}

fn title(out: &mut String, group: &Group<'_>, tested: &[Revision], style: Style) {
    let result = group.newest;
    let verdict = Ink::Of(result.verdict);
    let glyph = style.glyph(result.verdict);
    let case = style.short(&result.case, 200);
    let level = result.level.as_str();
    let place =
        format!("{} {} {}", span(&group.revisions, tested, style), style.dot(), result.transport.as_str());
    let columns = text::width(glyph) + 1 + text::width(&case) + 2 + level.len();
    out.push_str(&format!(
        "{} {}  {}",
        style.paint(verdict, glyph),
        style.paint(Ink::Strong, &case),
        style.paint(verdict, level)
    ));
    if columns + 2 + text::width(&place) > style.text_width() {
        end_line(out);
    }
    out.push_str("  ");
    out.push_str(&style.paint(Ink::Faint, &place));
    end_line(out);
}

/// Draws all of a finding but its title.
pub(crate) fn details(out: &mut String, result: &CaseResult, style: Style, extent: Extent) {
    let width = style.text_width();
    if !result.message.is_empty() {
        hang(out, "  ", 2, &style.short(&result.message, MAX_TEXT), width);
    }
    frames::draw(out, result, style, extent);
    let label = |name: &str| format!("  {}", style.paint(Ink::Faint, &pad(name, LABEL - 2)));
    for (name, value) in [("expected", &result.expected), ("got", &result.got)] {
        if let Some(value) = value {
            hang(out, &label(name), LABEL, &style.short(value, MAX_VALUE), width);
        }
    }
    let summary = match result.summary.as_str() {
        "" => style.short(&result.requirement, MAX_TEXT),
        summary => format!("{}: {}", style.short(&result.requirement, 200), style.short(summary, MAX_TEXT)),
    };
    hang(out, &label("spec"), LABEL, &summary, width);
    // Addresses and commands are to be copied: never broken, never cut.
    if let Some(address) = &result.spec {
        out.push_str(&format!("{}{}", " ".repeat(LABEL), style.paint(Ink::Faint, &style.safe(address))));
        end_line(out);
    }
    if !result.reproduce.is_empty() {
        out.push_str(&format!("{}{}", label("again"), style.safe(&result.reproduce)));
        end_line(out);
    }
}
