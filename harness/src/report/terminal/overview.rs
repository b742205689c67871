//! The counts of each area, the reasons for what has no verdict, and with `-v` the single items.

use std::collections::BTreeMap;

use mcp_conform_cases::Revision;

use super::Verbosity;
use crate::event::{CaseResult, Finish};
use crate::report::frames::{self, Extent};
use crate::report::group::{Group, area, group, span};
use crate::report::layout::{GLUE, end_line, hang, pad};
use crate::report::style::{Ink, Style};
use crate::text;
use crate::verdict::{Summary, Verdict};

/// Longest name of an area, in bytes.
const MAX_NAME: usize = 64;

/// How many different reasons are told for items without a verdict.
const MAX_REASONS: usize = 3;

/// `-v`: every item that is no finding; the findings follow in full.
pub(super) fn items(
    out: &mut String,
    finish: &Finish,
    tested: &[Revision],
    style: Style,
    verbosity: Verbosity,
) {
    let groups = group(finish.results.iter().filter(|result| !result.verdict.is_finding()));
    if groups.is_empty() {
        return;
    }
    let rows: Vec<(&Group<'_>, String, String)> = groups
        .iter()
        .map(|group| (group, style.short(&group.newest.case, 200), span(&group.revisions, tested, style)))
        .collect();
    let widest = |width: &dyn Fn(&(&Group<'_>, String, String)) -> usize, limit: usize| {
        rows.iter().map(width).filter(|width| *width <= limit).max().unwrap_or(0)
    };
    let sign = widest(&|(group, ..)| text::width(style.glyph(group.newest.verdict)), 8);
    let first = widest(&|(_, case, _)| text::width(case), 44);
    for (group, case, span) in &rows {
        let result = group.newest;
        let glyph = style.paint(Ink::Of(result.verdict), &pad(style.glyph(result.verdict), sign));
        let prefix = format!("  {glyph} {}  {}", pad(case, first), style.paint(Ink::Faint, span));
        let used = 2 + sign + 1 + text::width(case).max(first) + 2 + text::width(span);
        if result.message.is_empty() {
            out.push_str(&prefix);
            end_line(out);
        } else {
            let reason = style.short(result.message.trim_end_matches('.'), 600);
            if used + 2 + text::width(&reason) <= style.text_width() {
                out.push_str(&format!("{prefix}  {reason}"));
                end_line(out);
            } else {
                out.push_str(&prefix);
                end_line(out);
                let indent = 2 + sign + 3;
                hang(out, &" ".repeat(indent), indent, &reason, style.text_width());
            }
        }
        if verbosity == Verbosity::Frames {
            frames::draw(out, result, style, Extent::Whole);
        }
    }
    out.push('\n');
}

/// One line an area, then one for each kind of item without a verdict.
pub(super) fn areas(out: &mut String, finish: &Finish, style: Style) {
    const COLUMNS: [Verdict; 3] = [Verdict::Pass, Verdict::Fail, Verdict::Warn];
    let mut counts: BTreeMap<&str, Summary> = BTreeMap::new();
    for result in &finish.results {
        counts.entry(area(&result.case)).or_default().count(result.verdict);
    }
    let judged: Vec<(String, Summary)> = counts
        .into_iter()
        .filter(|(_, summary)| COLUMNS.into_iter().any(|verdict| summary.of(verdict) > 0))
        .map(|(area, summary)| (style.short(area, MAX_NAME), summary))
        .collect();
    let unjudged = Unjudged::of(finish, &[Verdict::NotApplicable, Verdict::Untestable, Verdict::Error]);
    let label = judged.iter().map(|(area, _)| text::width(area)).max().unwrap_or(0).max(unjudged.label());
    let digits = |verdict: Verdict| {
        judged
            .iter()
            .map(|(_, summary)| summary.of(verdict))
            .max()
            .filter(|most| *most > 0)
            .map(|most| most.to_string().len())
    };
    for (area, summary) in &judged {
        out.push_str(&format!("  {}", pad(area, label)));
        let mut blank = 0;
        for verdict in COLUMNS {
            let Some(digits) = digits(verdict) else { continue };
            let glyph = style.glyph(verdict);
            match summary.of(verdict) {
                0 => blank += 2 + text::width(glyph) + 1 + digits,
                count => {
                    let cell = format!("{glyph} {count:>digits$}");
                    out.push_str(&format!("{}  {}", " ".repeat(blank), style.paint(Ink::Of(verdict), &cell)));
                    blank = 0;
                }
            }
        }
        end_line(out);
    }
    unjudged.draw(out, label, style);
    if !finish.results.is_empty() {
        out.push('\n');
    }
}

/// The items of a few verdicts that are none about the server.
struct Unjudged<'a>(Vec<(Verdict, Vec<&'a CaseResult>)>);

impl<'a> Unjudged<'a> {
    fn of(finish: &'a Finish, verdicts: &[Verdict]) -> Self {
        let of = |verdict: Verdict| finish.results.iter().filter(move |result| result.verdict == verdict);
        let all = verdicts.iter().map(|verdict| (*verdict, of(*verdict).collect::<Vec<_>>()));
        Unjudged(all.filter(|(_, results)| !results.is_empty()).collect())
    }

    fn label(&self) -> usize {
        self.0.iter().map(|(verdict, _)| words(*verdict).len()).max().unwrap_or(0)
    }

    /// One line for each verdict, with the most common reasons.
    fn draw(&self, out: &mut String, label: usize, style: Style) {
        let digits = self.0.iter().map(|(_, results)| results.len().to_string().len()).max().unwrap_or(0);
        for (verdict, results) in &self.0 {
            let count = style.paint(Ink::Of(*verdict), &format!("{:>digits$}", results.len()));
            let prefix = format!("  {}  {count}  ", pad(words(*verdict), label));
            hang(out, &prefix, 2 + label + 2 + digits + 2, &reasons(results, style), style.text_width());
        }
    }
}

/// `-q` has no overview, but our own trouble must not go unexplained.
pub(super) fn errors(out: &mut String, finish: &Finish, style: Style) {
    let unjudged = Unjudged::of(finish, &[Verdict::Error]);
    unjudged.draw(out, unjudged.label(), style);
    if !unjudged.0.is_empty() {
        out.push('\n');
    }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::NotApplicable => "not applicable",
        other => other.as_str(),
    }
}

/// The most common reasons first, each with its count.
fn reasons(results: &[&CaseResult], style: Style) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results {
        let reason = result.message.trim_end_matches('.');
        let reason = if reason.is_empty() { "no reason given" } else { reason };
        let place = *places.entry(reason).or_insert(counts.len());
        match counts.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counts.push((reason, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    if let [(reason, _)] = counts.as_slice() {
        return style.short(reason, 200);
    }
    // One more costs no more room than "1 other reason".
    let shown = if counts.len() == MAX_REASONS + 1 { counts.len() } else { MAX_REASONS };
    let mut parts: Vec<String> = counts
        .iter()
        .take(shown)
        .map(|(reason, count)| format!("{}{GLUE}({count})", style.short(reason, 200)))
        .collect();
    let others = counts.get(shown..).unwrap_or_default();
    if !others.is_empty() {
        let items: usize = others.iter().map(|(_, count)| count).sum();
        parts.push(format!("{}{GLUE}({items})", text::count(others.len(), "other reason")));
    }
    parts.join(", ")
}
