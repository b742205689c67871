//! Decisions read from the bytes of an input, so that a mutation of the bytes is a mutation of what they stand for.

/// What is left of an input. Where the bytes have run out every decision is 0, so that reading always comes to an end.
#[derive(Clone, Debug)]
pub struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// All of an input.
    #[must_use]
    pub fn new(data: &'a [u8]) -> Bytes<'a> {
        Bytes { rest: data }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    /// A number below `count`, by one byte; 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()).checked_rem(count).unwrap_or(0)
    }

    /// A yes or no.
    pub fn flag(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// One of some choices.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'c, T>(&mut self, choices: &'c [T]) -> &'c T {
        &choices[self.below(choices.len())]
    }

    /// Up to `length` bytes.
    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        taken
    }

    /// A short text: a byte says how many bytes of it follow.
    pub fn text(&mut self) -> String {
        let length = usize::from(self.byte());
        String::from_utf8_lossy(self.take(length)).into_owned()
    }

    /// Everything that is left.
    #[must_use]
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Most lengths of pieces that an input may name.
const MAX_CUTS: usize = 16;

/// A stream, and the pieces in which it arrives: a byte says how many lengths follow, which are used in turn; the rest
/// is the stream. A length may be 0, as a read may be. Without lengths the stream comes whole.
#[must_use]
pub fn pieces(mut bytes: Bytes<'_>) -> (&[u8], Vec<&[u8]>) {
    let count = bytes.below(MAX_CUTS);
    let lengths: Vec<usize> = bytes.take(count).iter().map(|length| usize::from(*length)).collect();
    let stream = bytes.rest();
    if lengths.iter().all(|length| *length == 0) {
        return (stream, vec![stream]);
    }
    let (mut pieces, mut rest) = (Vec::new(), stream);
    for length in lengths.into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    (stream, pieces)
}
