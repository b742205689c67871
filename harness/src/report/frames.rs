//! The frames that prove a finding, drawn so that the wrong place is seen.

use std::ops::Range;

use unicode_width::UnicodeWidthStr;

use super::layout::end_line;
use super::style::{Ink, Style};
use crate::event::{CaseResult, Evidence};
use crate::text::{self, Escaper};
use crate::verdict::Verdict;

/// How many frames of one finding are drawn before some are left out.
const MAX_FRAMES: usize = 6;

/// How many wrong frames are drawn if some are left out.
const MAX_CULPRITS: usize = 3;

/// How many lines a wrong frame may take when it is not known where it is wrong.
const MAX_LINES: usize = 3;

/// How much of the frames to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// The frames that matter, shortened.
    Short,
    /// All of all frames.
    Whole,
}

/// Draws the evidence of a result.
pub(crate) fn draw(out: &mut String, result: &CaseResult, style: Style, extent: Extent) {
    let evidence = &result.evidence;
    let shown = chosen(evidence, extent);
    let times: Vec<String> = evidence.iter().map(|frame| seconds(frame.at_us)).collect();
    let clock = shown.iter().filter_map(|place| times.get(*place)).map(String::len).max().unwrap_or(0);
    let mut next = 0;
    let mut hinted = false;
    for place in shown.iter().copied().chain([evidence.len()]) {
        if place > next {
            let left_out = text::count(place - next, "frame");
            let hint = if hinted { "" } else { "; -vv shows all" };
            hinted = true;
            let note = format!("{} {left_out} left out{hint}", style.ellipsis());
            out.push_str(&format!("    {}", style.paint(Ink::Faint, &note)));
            end_line(out);
        }
        next = place + 1;
        let (Some(frame), Some(time)) = (evidence.get(place), times.get(place)) else { continue };
        let found = if frame.culprit { locate(frame, result.got.as_deref()) } else { None };
        let pointer = if frame.culprit { style.pointer() } else { " " };
        let arrow = style.arrow(frame.direction);
        let head = format!(
            "  {} {} {arrow} ",
            style.paint(Ink::Of(result.verdict), pointer),
            style.paint(Ink::Faint, &format!("{time:>clock$}"))
        );
        let indent = 4 + clock + 1 + arrow.width() + 1;
        Drawing { frame, found, style, extent, indent, verdict: result.verdict }.draw(out, &head);
    }
}

/// Which frames to draw: the wrong ones with their neighbours, and the last; if none is wrong, the last few.
fn chosen(evidence: &[Evidence], extent: Extent) -> Vec<usize> {
    let all = 0..evidence.len();
    if extent == Extent::Whole || evidence.len() <= MAX_FRAMES {
        return all.collect();
    }
    let culprits: Vec<usize> = all
        .clone()
        .filter(|place| evidence.get(*place).is_some_and(|frame| frame.culprit))
        .take(MAX_CULPRITS)
        .collect();
    if culprits.is_empty() {
        return all.skip(evidence.len() - MAX_FRAMES).collect();
    }
    let matters = |place: &usize| {
        place + 1 == evidence.len()
            || culprits
                .iter()
                .any(|culprit| (place..=&(place + 2)).contains(&culprit) || *place == culprit + 1)
    };
    all.filter(matters).collect()
}

/// `0.012s`
fn seconds(microseconds: u64) -> String {
    format!("{}.{:03}s", microseconds / 1_000_000, microseconds / 1000 % 1000)
}

/// Where in a frame the wrong value stands, if it stands there once and is not all of it.
fn locate(frame: &Evidence, got: Option<&str>) -> Option<Range<usize>> {
    let got = got.filter(|got| got.len() > 1 && got.len() < frame.text.len())?;
    let start = frame.text.find(got)?;
    (frame.text.rfind(got) == Some(start)).then(|| start..start + got.len())
}

/// A character of a frame as it is shown.
struct Cell {
    shown: String,
    columns: usize,
    bytes: usize,
    wrong: bool,
}

struct Drawing<'a> {
    frame: &'a Evidence,
    found: Option<Range<usize>>,
    style: Style,
    extent: Extent,
    indent: usize,
    verdict: Verdict,
}

impl Drawing<'_> {
    fn draw(&self, out: &mut String, head: &str) {
        let cells = self.cells();
        let columns = self.columns();
        let (range, mark) = self.window(&cells, columns);
        let mut prefix = head.to_owned();
        let mut line = String::new();
        let mut carets = String::new();
        let mut used = 0;
        if range.start > 0 {
            line.push_str(self.style.ellipsis());
            used = self.style.ellipsis().width();
            carets.push_str(&" ".repeat(used));
        }
        for cell in cells.get(range).unwrap_or_default() {
            if used + cell.columns > columns {
                self.line(out, &prefix, &line, &carets);
                prefix = " ".repeat(self.indent);
                line.clear();
                carets.clear();
                used = 0;
            }
            line.push_str(&cell.shown);
            carets.push_str(&(if cell.wrong { "^" } else { " " }).repeat(cell.columns));
            used += cell.columns;
        }
        if !mark.is_empty() {
            // Cells do not always fill their lines, so that there may be less room than was reckoned with.
            if used + text::width(&mark) > columns {
                self.line(out, &prefix, &line, &carets);
                prefix = " ".repeat(self.indent);
                line.clear();
                carets.clear();
            }
            line.push_str(&self.style.paint(Ink::Faint, &mark));
        }
        self.line(out, &prefix, &line, &carets);
    }

    fn line(&self, out: &mut String, prefix: &str, line: &str, carets: &str) {
        out.push_str(prefix);
        out.push_str(line);
        end_line(out);
        let carets = carets.trim_end();
        if !carets.is_empty() {
            let blank = carets.len() - carets.trim_start().len();
            out.push_str(&" ".repeat(self.indent + blank));
            out.push_str(&self.style.paint(Ink::Of(self.verdict), carets.trim_start()));
            end_line(out);
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let mut escaper = Escaper::new(!self.style.unicode);
        let cell = |(place, character): (usize, char)| {
            let mut shown = String::new();
            escaper.push(character, &mut shown);
            let columns = text::width(&shown);
            let wrong = self.found.as_ref().is_some_and(|found| found.contains(&place));
            Cell { shown, columns, bytes: character.len_utf8(), wrong }
        };
        self.frame.text.char_indices().map(cell).collect()
    }

    fn columns(&self) -> usize {
        match (self.extent, self.style.width) {
            (Extent::Whole, None) => usize::MAX,
            _ => self.style.frame_width().saturating_sub(self.indent).max(20),
        }
    }

    /// The cells to show, and the mark for what is missing behind them.
    fn window(&self, cells: &[Cell], columns: usize) -> (Range<usize>, String) {
        // The frame may have been cut when it was recorded. Text that says so itself needs no second mark, and the end
        // of a line, which counts but is not part of the text, is not missed.
        let marked = self.frame.text.ends_with(')') && self.frame.text.contains("… (+");
        let recorded = self.frame.text.len();
        let cut = usize::try_from(self.frame.bytes).unwrap_or(usize::MAX).saturating_sub(recorded);
        let cut = if marked || cut <= "\r\n".len() { 0 } else { cut };
        let mark = |end: usize| {
            let hidden: usize = cells.get(end..).unwrap_or_default().iter().map(|cell| cell.bytes).sum();
            if hidden + cut == 0 { String::new() } else { self.style.missing(hidden.saturating_add(cut)) }
        };
        let lines = match (self.extent, self.frame.culprit, &self.found) {
            (Extent::Whole, ..) => return (0..cells.len(), mark(cells.len())),
            (Extent::Short, true, None) => MAX_LINES,
            (Extent::Short, ..) => 1,
        };
        let room = columns.saturating_mul(lines);
        let total: usize = cells.iter().map(|cell| cell.columns).sum();
        if total + text::width(&mark(cells.len())) <= room {
            return (0..cells.len(), mark(cells.len()));
        }
        // Every mark of this frame is at most as long as the one that hides all of it.
        let room = room.saturating_sub(text::width(&mark(0)));
        let start = self.start(cells, room);
        let room = if start > 0 { room.saturating_sub(self.style.ellipsis().width()) } else { room };
        let mut used = 0;
        let fits = |cell: &&Cell| {
            used += cell.columns;
            used <= room
        };
        let end = start + cells.get(start..).unwrap_or_default().iter().take_while(fits).count();
        (start..end, mark(end))
    }

    /// Where to begin so that the wrong value is seen, with a third of the room for what stands before it.
    fn start(&self, cells: &[Cell], room: usize) -> usize {
        let width = |range: Range<usize>| -> usize {
            cells.get(range).unwrap_or_default().iter().map(|cell| cell.columns).sum()
        };
        let Some(first) = cells.iter().position(|cell| cell.wrong) else { return 0 };
        let last = cells.iter().rposition(|cell| cell.wrong).unwrap_or(first);
        if width(0..last.saturating_add(1)) <= room {
            return 0;
        }
        let before = room / 3;
        let mut start = first;
        while start > 0 && width(start - 1..first) <= before {
            start -= 1;
        }
        start
    }
}
