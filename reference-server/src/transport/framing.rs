//! Cuts a stream of bytes into lines (spec page `basic/transports#stdio`), without ever holding more than one
//! line of bounded length.

/// The longest line that is read; longer ones are skipped, and reported as [`Line::TooLong`].
pub const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line to read.
    Text(&'a [u8]),
    /// A line that was thrown away.
    TooLong,
}

/// Keeps the beginning of a line until its end arrives.
#[derive(Debug)]
pub struct Framer {
    longest: usize,
    pending: Vec<u8>,
    skipping: bool,
}

impl Default for Framer {
    fn default() -> Self {
        Self::new(LONGEST_LINE)
    }
}

impl Framer {
    /// A framer for lines of at most `longest` bytes.
    #[must_use]
    pub fn new(longest: usize) -> Self {
        Self { longest, pending: Vec::new(), skipping: false }
    }

    /// Takes the next bytes and hands out every line that they complete. Empty lines are no messages.
    pub fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Line<'_>)) {
        while let Some((line, rest)) = split_line(bytes) {
            bytes = rest;
            if std::mem::take(&mut self.skipping) || self.pending.len() + line.len() > self.longest {
                self.pending.clear();
                take(Line::TooLong);
            } else if self.pending.is_empty() {
                hand_out(line, &mut take);
            } else {
                self.pending.extend_from_slice(line);
                hand_out(&self.pending, &mut take);
                self.pending.clear();
            }
        }
        if self.skipping || self.pending.len() + bytes.len() > self.longest {
            self.skipping = self.skipping || !bytes.is_empty();
            self.pending = Vec::new();
        } else {
            self.pending.extend_from_slice(bytes);
        }
    }

    /// The stream has ended: hands out what came after the last line end.
    pub fn finish(self, mut take: impl FnMut(Line<'_>)) {
        if self.skipping {
            take(Line::TooLong);
        } else {
            hand_out(&self.pending, &mut take);
        }
    }
}

fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (line, rest) = bytes.split_at_checked(end)?;
    Some((line, rest.split_first().map_or(rest, |(_, rest)| rest)))
}

fn hand_out(line: &[u8], take: &mut impl FnMut(Line<'_>)) {
    if !line.trim_ascii().is_empty() {
        take(Line::Text(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(longest: usize, chunks: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut note = |line: Line<'_>| {
            found.push(match line {
                Line::Text(text) => String::from_utf8_lossy(text).into_owned(),
                Line::TooLong => "<too long>".to_owned(),
            });
        };
        let mut framer = Framer::new(longest);
        for chunk in chunks {
            framer.feed(chunk.as_bytes(), &mut note);
        }
        framer.finish(&mut note);
        found
    }

    #[test]
    fn chunks_do_not_matter() {
        assert_eq!(lines(99, &["a\nb", "c\n\n", "\n", "d"]), ["a", "bc", "d"]);
        assert_eq!(lines(99, &["a\r\nb\r\n"]), ["a\r", "b\r"]);
    }

    #[test]
    fn long_lines_are_skipped_and_reported() {
        assert_eq!(
            lines(3, &["abcd\nab\n", "ab", "cd", "ef\nabc"]),
            ["<too long>", "ab", "<too long>", "abc"]
        );
        assert_eq!(lines(3, &["abcdef"]), ["<too long>"]);
    }
}
