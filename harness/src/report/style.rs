//! What a terminal can show: colour, characters, and columns. Decided once, by the caller, from its surroundings.

use std::borrow::Cow;
use std::str::FromStr;

use anstyle::AnsiColor;

use crate::event::Direction;
use crate::text;
use crate::verdict::Verdict;

/// The answer to `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourChoice {
    /// Colour where a terminal reads along and nobody objects.
    #[default]
    Auto,
    /// Colour, also into files.
    Always,
    /// No colour.
    Never,
}

impl FromStr for ColourChoice {
    type Err = UnknownColourChoice;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(ColourChoice::Auto),
            "always" => Ok(ColourChoice::Always),
            "never" => Ok(ColourChoice::Never),
            other => Err(UnknownColourChoice(text::visible(&text::bounded(other, 64)).into_owned())),
        }
    }
}

/// `--color` was given another word.
#[derive(Debug, thiserror::Error)]
#[error("unknown colour choice `{0}`; write auto, always, or never")]
pub struct UnknownColourChoice(String);

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to write ANSI colours.
    pub colour: bool,
    /// Whether characters outside ASCII can be shown.
    pub unicode: bool,
    /// The number of columns; `None` where lines may have any length, as in a file.
    pub width: Option<usize>,
}

impl Style {
    /// No colour, any length: for files and pipes.
    pub const PLAIN: Style = Style { colour: false, unicode: true, width: None };

    /// Decides from the surroundings.
    ///
    /// `choice` wins over `NO_COLOR`, that over `CLICOLOR_FORCE`, and that over `CLICOLOR=0`, `TERM=dumb`, and
    /// whether a terminal reads along. The locale is that of `LC_ALL`, `LC_CTYPE`, or `LANG`, the first that is set;
    /// where none is (containers, Windows), UTF-8 is assumed. `width` is what the terminal says of
    /// itself; one that says nothing has 80 columns.
    pub fn detect(
        choice: ColourChoice,
        is_terminal: bool,
        env: impl Fn(&str) -> Option<String>,
        width: Option<usize>,
    ) -> Style {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        let colour = match choice {
            ColourChoice::Always => true,
            ColourChoice::Never => false,
            ColourChoice::Auto if set("NO_COLOR").is_some() => false,
            ColourChoice::Auto if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColourChoice::Auto => {
                is_terminal
                    && set("CLICOLOR").is_none_or(|value| value != "0")
                    && set("TERM").is_none_or(|value| value != "dumb")
            }
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        let unicode = locale.is_none_or(|locale| {
            let locale = locale.to_ascii_lowercase();
            locale.contains("utf-8") || locale.contains("utf8")
        });
        let width = is_terminal.then(|| width.filter(|width| *width > 0).unwrap_or(80));
        Style { colour, unicode, width }
    }

    /// The columns that running text may take: long lines are hard to read however wide the terminal is.
    pub(crate) fn text_width(self) -> usize {
        self.width.map_or(usize::MAX, |width| width.clamp(40, 120))
    }

    /// The columns that a frame may take.
    pub(crate) fn frame_width(self) -> usize {
        self.width.unwrap_or(160).max(40)
    }

    /// Makes a text of the server, or of anyone, safe for this terminal.
    pub(crate) fn safe<'a>(self, text: &'a str) -> Cow<'a, str> {
        if self.unicode { text::visible(text) } else { text::visible_ascii(text) }
    }

    /// Safe, and of bounded length.
    pub(crate) fn short(self, text: &str, max: usize) -> String {
        let kept = text::head(text, max);
        let mut out = self.safe(kept).into_owned();
        if kept.len() < text.len() {
            out.push_str(&self.missing(text.len() - kept.len()));
        }
        out
    }

    /// The mark for `bytes` that were left out.
    pub(crate) fn missing(self, bytes: usize) -> String {
        let mark = text::missing(bytes);
        if self.unicode { mark } else { mark.replace('…', "...") }
    }

    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.trim().is_empty() {
            return text.to_owned();
        }
        let style = ink.style();
        format!("{style}{text}{style:#}")
    }

    pub(crate) fn dot(self) -> &'static str {
        if self.unicode { "·" } else { "-" }
    }

    pub(crate) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// The sign of a verdict; words where the locale has no glyphs.
    pub(crate) fn glyph(self, verdict: Verdict) -> &'static str {
        match (verdict, self.unicode) {
            (Verdict::Pass, true) => "✔",
            (Verdict::Fail, true) => "✘",
            (Verdict::Warn, true) => "⚠",
            (Verdict::NotApplicable, true) => "–",
            (Verdict::Untestable, true) => "?",
            (Verdict::Error, true) => "!",
            (Verdict::Pass, false) => "ok",
            (Verdict::Fail, false) => "FAIL",
            (Verdict::Warn, false) => "WARN",
            (Verdict::NotApplicable, false) => "n/a",
            (Verdict::Untestable, false) => "?",
            (Verdict::Error, false) => "ERROR",
        }
    }

    /// The sign of a direction.
    #[must_use]
    pub fn arrow(self, direction: Direction) -> &'static str {
        match (direction, self.unicode) {
            (Direction::Sent, true) => "→",
            (Direction::Received, true) => "←",
            (Direction::Event, true) => "·",
            (Direction::Sent, false) => "->",
            (Direction::Received, false) => "<-",
            (Direction::Event, false) => "* ",
        }
    }

    /// Points at the frame that is wrong.
    pub(crate) fn pointer(self) -> &'static str {
        if self.unicode { "▸" } else { ">" }
    }
}

/// The few colours there are, by what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Strong,
    Faint,
    Of(Verdict),
}

impl Ink {
    fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        match self {
            Ink::Strong => plain.bold(),
            Ink::Faint | Ink::Of(Verdict::NotApplicable) => plain.dimmed(),
            Ink::Of(Verdict::Pass) => AnsiColor::Green.on_default(),
            Ink::Of(Verdict::Fail) => AnsiColor::Red.on_default().bold(),
            Ink::Of(Verdict::Warn) => AnsiColor::Yellow.on_default().bold(),
            Ink::Of(Verdict::Untestable) => AnsiColor::Cyan.on_default(),
            Ink::Of(Verdict::Error) => AnsiColor::Magenta.on_default().bold(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Env = &'static [(&'static str, &'static str)];

    fn detect(choice: ColourChoice, is_terminal: bool, env: Env) -> Style {
        let lookup =
            |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Style::detect(choice, is_terminal, lookup, Some(80))
    }

    #[test]
    fn colour_follows_choice_then_environment_then_terminal() {
        use ColourChoice::{Always, Auto, Never};
        let cases: [(ColourChoice, bool, Env, bool); 13] = [
            (Auto, true, &[], true),
            (Auto, false, &[], false),
            (Always, false, &[], true),
            (Always, false, &[("NO_COLOR", "1")], true),
            (Never, true, &[("CLICOLOR_FORCE", "1")], false),
            (Auto, true, &[("NO_COLOR", "1")], false),
            (Auto, true, &[("NO_COLOR", "")], true),
            (Auto, true, &[("NO_COLOR", "0")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1")], true),
            (Auto, false, &[("CLICOLOR_FORCE", "0")], false),
            (Auto, false, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
            (Auto, true, &[("CLICOLOR", "0")], false),
            (Auto, true, &[("TERM", "dumb")], false),
        ];
        for (choice, is_terminal, env, expected) in cases {
            assert_eq!(detect(choice, is_terminal, env).colour, expected, "{choice:?} {is_terminal} {env:?}");
        }
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        let cases: [(Env, bool); 6] = [
            (&[], true),
            (&[("LANG", "de_CH.UTF-8")], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "C")], false),
            (&[("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "en_US.UTF-8"), ("LANG", "C")], true),
        ];
        for (env, expected) in cases {
            assert_eq!(detect(ColourChoice::Auto, true, env).unicode, expected, "{env:?}");
        }
    }

    #[test]
    fn only_a_terminal_has_columns() {
        assert_eq!(detect(ColourChoice::Auto, true, &[]).width, Some(80));
        assert_eq!(detect(ColourChoice::Auto, false, &[]).width, None);
        assert_eq!(Style::detect(ColourChoice::Auto, true, |_| None, None).width, Some(80));
        assert_eq!(Style::detect(ColourChoice::Auto, true, |_| None, Some(0)).width, Some(80));
    }

    #[test]
    fn choices_are_words() {
        assert_eq!("always".parse::<ColourChoice>().unwrap(), ColourChoice::Always);
        let error = "bl\x1bue".parse::<ColourChoice>().unwrap_err().to_string();
        assert_eq!(error, r"unknown colour choice `bl\x1bue`; write auto, always, or never");
    }
}
