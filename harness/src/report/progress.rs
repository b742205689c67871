//! What goes on, while it goes on: one line on a terminal that is gone when the report comes.

use std::io::{self, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

use super::style::{Ink, Style};
use crate::event::{Event, Listener};
use crate::verdict::{Summary, Verdict};

/// The live progress line.
///
/// What else is written to the same terminal goes through [`Progress::around`], which takes the line away for the moment.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    style: Style,
    seen: Summary,
}

impl Progress {
    /// Shows progress on standard error, or nothing at all if not `enabled`.
    #[must_use]
    pub fn new(enabled: bool, style: Style) -> Self {
        let target = if enabled { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Progress::on_target(target, style)
    }

    /// Whether progress is of use: a terminal shows it, and no CI keeps each of its frames in a log.
    #[must_use]
    pub fn is_wanted(is_terminal: bool, env: impl Fn(&str) -> Option<String>) -> bool {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let in_ci = set("CI").is_some_and(|value| value != "false" && value != "0");
        is_terminal && !in_ci && set("TERM").is_none_or(|value| value != "dumb")
    }

    fn on_target(target: ProgressDrawTarget, style: Style) -> Self {
        // Nothing is left of it either when the run ends before it began.
        let bar = ProgressBar::with_draw_target(None, target).with_finish(ProgressFinish::AndClear);
        // A template that does not parse would be a mistake of ours; the plain bar will do then.
        if let Ok(spinner) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
            let ticks: &[&str] = if style.unicode {
                &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]
            } else {
                &["|", "/", "-", "\\", " "]
            };
            bar.set_style(spinner.tick_strings(ticks));
        }
        if !bar.is_hidden() {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress { bar, style, seen: Summary::default() }
    }

    /// A writer to the same terminal that does not get in the way of the progress line, nor it in the writer's.
    pub fn around<W: Write>(&self, inner: W) -> Around<W> {
        Around { bar: self.bar.clone(), inner }
    }

    fn begin(&mut self, planned: usize) {
        self.bar.set_length(u64::try_from(planned).unwrap_or(u64::MAX));
        self.bar.set_position(0);
        if let Ok(counting) = ProgressStyle::with_template("  {bar:24} {pos}/{len}{prefix}  {wide_msg}") {
            self.bar.set_style(counting.progress_chars(if self.style.unicode { "━╸ " } else { "=> " }));
        }
        self.bar.set_message("");
    }

    fn counts(&self) -> String {
        let mut counts = String::new();
        for verdict in [Verdict::Fail, Verdict::Warn, Verdict::Error] {
            let count = self.seen.of(verdict);
            if count > 0 {
                let count = format!("{} {count}", self.style.glyph(verdict));
                counts.push_str(&format!("  {}", self.style.paint(Ink::Of(verdict), &count)));
            }
        }
        counts
    }
}

impl Listener for Progress {
    fn on(&mut self, event: &Event) {
        match event {
            Event::Progress(what) => self.bar.set_message(self.style.short(what, 200)),
            Event::Started(header) => self.begin(header.planned),
            Event::Finished(result) => {
                self.seen.count(result.verdict);
                self.bar.set_prefix(self.counts());
                self.bar.set_message(self.style.short(&result.case, 200));
                self.bar.inc(1);
            }
            Event::Ended(_) => self.bar.finish_and_clear(),
        }
    }
}

/// A writer that makes room for itself; see [`Progress::around`].
#[derive(Debug)]
pub struct Around<W> {
    bar: ProgressBar,
    inner: W,
}

impl<W: Write> Write for Around<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Around { bar, inner } = self;
        bar.suspend(|| inner.write(bytes))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Around { bar, inner } = self;
        bar.suspend(|| inner.write_all(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;

    use super::*;
    use crate::report::samples;

    /// A terminal that keeps what is written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn add(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn take(&self) -> String {
            std::mem::take(&mut *self.0.lock().unwrap())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            60
        }

        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.add(text)?;
            self.add("\n")
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.add(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.add("<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn on(paper: &Paper) -> Progress {
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(paper.clone()), 255);
        Progress::on_target(target, Style { width: Some(60), ..Style::PLAIN })
    }

    #[test]
    fn counts_and_goes_away() {
        let paper = Paper::default();
        let mut progress = on(&paper);
        let (header, finish) = samples::broken();
        progress.on(&Event::Progress("starting \u{1b}[31m./my-server".to_owned()));
        progress.bar.force_draw();
        assert!(paper.take().contains(r"starting \x1b[31m./my-server"));
        progress.on(&Event::Started(Box::new(header)));
        for result in finish.results.iter().take(4) {
            progress.on(&Event::Finished(Box::new(result.clone())));
        }
        progress.bar.force_draw();
        let drawn = paper.take();
        assert!(drawn.contains("4/32  ✘ 1  ⚠ 1  tools/name-format"), "{drawn}");
        progress.on(&Event::Ended(Box::new(finish)));
        assert!(paper.take().ends_with("<clear>"));
    }

    #[test]
    fn others_write_where_the_line_was() {
        let paper = Paper::default();
        let mut progress = on(&paper);
        progress.on(&Event::Progress("starting".to_owned()));
        progress.bar.force_draw();
        paper.take();
        struct Other(Paper);
        impl Write for Other {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.add(std::str::from_utf8(bytes).unwrap())?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        progress.around(Other(paper.clone())).write_all(b"report\n").unwrap();
        let drawn = paper.take();
        assert!(drawn.contains("<clear>report\n"), "{drawn:?}");
        assert!(drawn.ends_with("starting") || drawn.trim_end().ends_with("starting"), "{drawn:?}");
    }

    #[test]
    fn nothing_is_left_of_a_run_that_fails_to_start() {
        let paper = Paper::default();
        let mut progress = on(&paper);
        progress.on(&Event::Progress("starting".to_owned()));
        progress.bar.force_draw();
        drop(progress);
        assert!(paper.take().ends_with("<clear>"));
    }

    #[test]
    fn only_for_people() {
        let wanted = |is_terminal, env: &[(&str, &str)]| {
            let find =
                |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            Progress::is_wanted(is_terminal, find)
        };
        assert!(wanted(true, &[]));
        assert!(wanted(true, &[("CI", "false")]));
        assert!(!wanted(false, &[]));
        assert!(!wanted(true, &[("CI", "true")]));
        assert!(!wanted(true, &[("TERM", "dumb")]));
    }

    #[test]
    fn disabled_is_silent() {
        let mut progress = Progress::new(false, Style::PLAIN);
        let (header, finish) = samples::clean();
        progress.on(&Event::Started(Box::new(header)));
        progress.on(&Event::Ended(Box::new(finish)));
        assert!(progress.bar.is_hidden());
    }
}
