//! Strings that match a regular expression, made by walking its syntax tree.

use regex::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::choose::{Choice, Recorder};

/// Longer patterns are left alone.
const MAX_PATTERN: usize = 4096;
/// A string from a pattern is never longer than this.
const MAX_MADE: usize = 4096;
/// How many characters of a class there are to choose from.
const MAX_OPTIONS: usize = 96;

/// A checker for a pattern. It may accept too much (assertions that look around are dropped), never too little.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    RegexBuilder::new(&translated(pattern)).size_limit(256 * 1024).nest_limit(64).build().ok()
}

/// A string that matches `pattern` as far as its assertions let it, of at least `min_chars` if that is possible.
pub(super) fn make(pattern: &str, min_chars: u64, recorder: &mut Recorder<'_>) -> Option<String> {
    if pattern.len() > MAX_PATTERN {
        return None;
    }
    let hir = ParserBuilder::new().nest_limit(64).build().parse(&translated(pattern)).ok()?;
    let wanted = usize::try_from(min_chars).ok().filter(|wanted| *wanted <= MAX_MADE)?;
    let mut emitter = Emitter { out: String::new(), wanted, steps: 20_000, ends: false, recorder };
    emitter.emit(&hir)?;
    let Emitter { mut out, ends, .. } = emitter;
    // A pattern that does not say where the string ends says nothing about what follows.
    let missing = wanted.saturating_sub(out.chars().count());
    if missing > 0 && !ends {
        out.extend(std::iter::repeat_n('a', missing));
    }
    Some(out)
}

struct Emitter<'r, 'c> {
    out: String,
    /// How many characters the string should have at least.
    wanted: usize,
    steps: u32,
    ends: bool,
    recorder: &'r mut Recorder<'c>,
}

impl Emitter<'_, '_> {
    fn emit(&mut self, hir: &Hir) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        if self.out.len() > MAX_MADE {
            return None;
        }
        match hir.kind() {
            HirKind::Empty => {}
            HirKind::Literal(literal) => self.out.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(class) => {
                let options = options(class);
                let picked = self.recorder.pick_nudged(Choice::Detail, options.len());
                self.out.push(*options.get(picked)?);
            }
            HirKind::Look(look) => {
                if matches!(look, Look::End | Look::EndLF | Look::EndCRLF) {
                    self.ends = true;
                }
            }
            HirKind::Repetition(repetition) => {
                // Just once where it may be left out: an empty string says little.
                let high = repetition.max.unwrap_or(u32::MAX);
                let usual = repetition.min.max(1).min(high);
                let room = high.saturating_sub(usual).min(8);
                let more = self.recorder.pick_wide(Choice::Length, u64::from(room).saturating_add(1));
                let times = usual.saturating_add(u32::try_from(more).unwrap_or(0));
                let mut done = 0_u32;
                while done < times || (done < high && self.is_short()) {
                    let before = self.out.len();
                    self.emit(&repetition.sub)?;
                    done = done.saturating_add(1);
                    if self.out.len() == before {
                        break;
                    }
                }
            }
            HirKind::Capture(capture) => self.emit(&capture.sub)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.emit(part)?;
                }
            }
            HirKind::Alternation(branches) => {
                let picked = self.recorder.pick_nudged(Choice::Branch, branches.len());
                self.emit(branches.get(picked)?)?;
            }
        }
        Some(())
    }

    /// Repetitions stretch until the string is long enough. Walking the text each time would be quadratic, so
    /// bytes are counted, which only errs for text that is not ASCII.
    fn is_short(&self) -> bool {
        self.out.len() < self.wanted
    }
}

/// Characters of a class, letters and digits first.
fn options(class: &Class) -> Vec<char> {
    let Some(ranges) = ranges(class) else { return Vec::new() };
    let holds = |c: &char| ranges.iter().any(|(start, end)| start <= c && c <= end);
    let plain = ('a'..='z').chain('0'..='9').chain('A'..='Z').chain("-_. /:@+#,".chars());
    let mut options: Vec<char> = plain.filter(holds).collect();
    if options.is_empty() {
        options.extend((' '..='~').filter(holds));
    }
    if options.is_empty() {
        options.extend(ranges.iter().flat_map(|(start, end)| *start..=*end).take(MAX_OPTIONS));
    }
    options
}

fn ranges(class: &Class) -> Option<Vec<(char, char)>> {
    match class {
        Class::Unicode(unicode) => Some(unicode.iter().map(|range| (range.start(), range.end())).collect()),
        Class::Bytes(bytes) => bytes
            .is_ascii()
            .then(|| bytes.iter().map(|r| (char::from(r.start()), char::from(r.end()))).collect()),
    }
}

/// A JavaScript pattern as the `regex` crate reads it: assertions that look around are left out, and characters
/// that mean something in our classes only are escaped.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                match rest.next() {
                    // JavaScript's classes are ASCII, ours are not (and large).
                    Some('d') => out.push_str("[0-9]"),
                    Some('D') => out.push_str("[^0-9]"),
                    Some('w') => out.push_str("[0-9A-Za-z_]"),
                    Some('W') => out.push_str("[^0-9A-Za-z_]"),
                    other => {
                        out.push(c);
                        out.extend(other);
                    }
                }
            }
            '[' if in_class => out.push_str(r"\["),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '[' => {
                in_class = true;
                out.push(c);
                if rest.peek() == Some(&'^') {
                    out.extend(rest.next());
                }
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            '(' if !in_class && looks_around(rest.clone()) => {
                skip_group(&mut rest);
                // Whatever repeats the assertion needs something to repeat.
                out.push_str("(?:)");
            }
            _ => out.push(c),
        }
    }
    out
}

fn looks_around(mut after: impl Iterator<Item = char>) -> bool {
    if after.next() != Some('?') {
        return false;
    }
    match after.next() {
        Some('=' | '!') => true,
        Some('<') => matches!(after.next(), Some('=' | '!')),
        _ => false,
    }
}

/// Skips to the end of a group whose opening parenthesis was just read.
fn skip_group(rest: &mut impl Iterator<Item = char>) {
    let (mut open, mut in_class) = (1_usize, false);
    while open > 0 {
        match rest.next() {
            None => return,
            Some('\\') => {
                rest.next();
            }
            Some('[') => in_class = true,
            Some(']') => in_class = false,
            Some('(') if !in_class => open = open.saturating_add(1),
            Some(')') if !in_class => open = open.saturating_sub(1),
            Some(_) => {}
        }
    }
}
