//! The report for people: what was understood, what was found, and what it adds up to.

mod introduction;
mod overview;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::time::Duration;

use mcp_conform_cases::Revision;

pub use introduction::opening;

use super::finding;
use super::frames::Extent;
use super::group::group;
use super::layout::end_line;
use super::style::{Ink, Style};
use crate::event::{Event, Finish, Header, Listener};
use crate::text;
use crate::verdict::Verdict;

/// How much to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// `-qq`: the last line.
    Summary,
    /// `-q`: findings, and the last line.
    Findings,
    /// What was understood, an overview, findings, and the last line.
    #[default]
    Normal,
    /// `-v`: every item as well, with the reason if it has no verdict.
    Items,
    /// `-vv`: all frames, uncut.
    Frames,
}

impl Verbosity {
    /// What the counts of `-q` and `-v` ask for.
    #[must_use]
    pub fn from_counts(quiet: u8, verbose: u8) -> Self {
        match i16::from(verbose) - i16::from(quiet) {
            ..=-2 => Verbosity::Summary,
            -1 => Verbosity::Findings,
            0 => Verbosity::Normal,
            1 => Verbosity::Items,
            2.. => Verbosity::Frames,
        }
    }

    fn extent(self) -> Extent {
        if self == Verbosity::Frames { Extent::Whole } else { Extent::Short }
    }
}

/// Writes the report for people as the run goes on.
///
/// Each event is written at once and in one piece. After the first error nothing more is written, for nobody reads it;
/// a caller that wants to know of it gives a writer that remembers.
#[derive(Debug)]
pub struct Terminal<W> {
    out: Option<W>,
    style: Style,
    verbosity: Verbosity,
    header: Option<Box<Header>>,
}

impl<W: Write + Send> Terminal<W> {
    /// Reports to `out`, which is standard error in production.
    pub fn new(out: W, style: Style, verbosity: Verbosity) -> Self {
        Terminal { out: Some(out), style, verbosity, header: None }
    }

    fn write(&mut self, text: &str) {
        let Some(out) = &mut self.out else { return };
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            self.out = None;
        }
    }
}

impl<W: Write + Send> Listener for Terminal<W> {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Started(header) => {
                self.write(&opening(header, self.style, self.verbosity));
                self.header = Some(header.clone());
            }
            Event::Ended(finish) => {
                self.write(&closing(self.header.as_deref(), finish, self.style, self.verbosity));
            }
            Event::Progress(_) | Event::Finished(_) => {}
        }
    }
}

/// What is written when the run is over. Without a header the run ended before the server was known.
#[must_use]
pub fn closing(header: Option<&Header>, finish: &Finish, style: Style, verbosity: Verbosity) -> String {
    let mut out = String::new();
    let tested = tested(header, finish);
    if verbosity >= Verbosity::Items {
        overview::items(&mut out, finish, &tested, style, verbosity);
    }
    if verbosity >= Verbosity::Normal {
        overview::areas(&mut out, finish, style);
    }
    if verbosity >= Verbosity::Findings {
        if verbosity == Verbosity::Findings {
            overview::errors(&mut out, finish, style);
        }
        for verdict in [Verdict::Fail, Verdict::Warn] {
            for group in group(finish.results.iter().filter(|result| result.verdict == verdict)) {
                finding::draw(&mut out, &group, &tested, style, verbosity.extent());
                out.push('\n');
            }
        }
    }
    summary(&mut out, header, finish, style);
    out
}

/// The whole report at once, for a run that is over.
#[must_use]
pub fn render(header: &Header, finish: &Finish, style: Style, verbosity: Verbosity) -> String {
    opening(header, style, verbosity) + &closing(Some(header), finish, style, verbosity)
}

fn tested(header: Option<&Header>, finish: &Finish) -> Vec<Revision> {
    let introduced =
        header.into_iter().flat_map(|header| &header.revisions).map(|introduction| introduction.revision);
    let mut tested: Vec<_> = introduced.chain(finish.results.iter().map(|result| result.revision)).collect();
    tested.sort();
    tested.dedup();
    tested
}

/// `2 failed, 5 warnings, 54 passed, 37 not applicable, 2 untestable · 1.8 s · seed 7319`
fn summary(out: &mut String, header: Option<&Header>, finish: &Finish, style: Style) {
    let dot = style.dot();
    let mut tail = spent(finish.duration);
    if let Some(header) = header {
        tail.push_str(&format!(" {dot} seed {}", header.seed));
    }
    let plain = text::width(&counts(finish, Style { colour: false, ..style }));
    out.push_str(&counts(finish, style));
    if style.width.is_some_and(|width| plain + 3 + text::width(&tail) > width) {
        end_line(out);
        out.push_str(&style.paint(Ink::Faint, &tail));
    } else {
        out.push_str(&style.paint(Ink::Faint, &format!(" {dot} {tail}")));
    }
    end_line(out);
}

fn counts(finish: &Finish, style: Style) -> String {
    // The order of importance, not that of `Verdict::ALL`.
    let order = [
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Error,
        Verdict::Pass,
        Verdict::NotApplicable,
        Verdict::Untestable,
    ];
    let parts: Vec<String> = order
        .into_iter()
        .map(|verdict| (verdict, finish.summary.of(verdict)))
        .filter(|(_, count)| *count > 0)
        .map(|(verdict, count)| {
            let words = match verdict {
                Verdict::Fail => format!("{count} failed"),
                Verdict::Warn => text::count(count, "warning"),
                Verdict::Error => text::count(count, "error"),
                Verdict::Pass => format!("{count} passed"),
                Verdict::NotApplicable => format!("{count} not applicable"),
                Verdict::Untestable => format!("{count} untestable"),
            };
            style.paint(Ink::Of(verdict), &words)
        })
        .collect();
    let mut line = parts.join(", ");
    if finish.summary.pass + finish.summary.fail + finish.summary.warn == 0 {
        let nothing = style.paint(Ink::Of(Verdict::Warn), "nothing was tested");
        line = if parts.is_empty() { nothing } else { format!("{nothing}: {line}") };
    }
    if finish.interrupted {
        line = format!("{}: {line}", style.paint(Ink::Of(Verdict::Warn), "interrupted"));
    }
    line
}

/// `19 ms`, `0.4 s`, `12 s`, `3 min 05 s`
fn spent(duration: Duration) -> String {
    if duration < Duration::from_millis(100) {
        return format!("{} ms", duration.as_millis());
    }
    let tenths = duration.as_millis().saturating_add(50) / 100;
    let seconds = tenths / 10;
    match seconds {
        0..10 => format!("{seconds}.{} s", tenths % 10),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}
