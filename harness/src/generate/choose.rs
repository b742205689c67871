//! Where the walker's decisions come from, so that one walker serves several back ends.

/// What a decision is about. A back end may treat the kinds differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Which branch of `anyOf`, `oneOf`, `if`, or which of several types.
    Branch,
    /// Whether an optional property is present (0 = absent).
    Property,
    /// Which of several ready values: from likely and plain to boundary values, the last one free.
    Value,
    /// A ready object or array from the schema (0 = the first one), or one that is put together (the last).
    Example,
    /// How many items or repetitions.
    Length,
    /// A digit or a character of a freely made value.
    Detail,
}

/// A source of decisions. Choosing 0 everywhere gives the plainest value, so smaller answers are simpler values.
pub trait Chooser {
    /// One of `count` possibilities, `count` being at least 2. An answer that is too large wraps around.
    fn choose(&mut self, what: Choice, count: u64) -> u64;
}

/// Always the plainest possibility: required properties only, first branches, likeliest values.
#[derive(Debug, Default, Clone, Copy)]
pub struct Plain;

impl Chooser for Plain {
    fn choose(&mut self, _what: Choice, _count: u64) -> u64 {
        0
    }
}

/// As plain as [`Plain`], but every optional property is there.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Generous;

impl Chooser for Generous {
    fn choose(&mut self, what: Choice, count: u64) -> u64 {
        match what {
            Choice::Property | Choice::Example => count.saturating_sub(1),
            Choice::Branch | Choice::Value | Choice::Length | Choice::Detail => 0,
        }
    }
}

/// Pseudo-random decisions (SplitMix64): the same seed gives the same decisions on every platform.
#[derive(Debug, Clone)]
pub struct Seeded {
    state: u64,
}

impl Seeded {
    /// A source that is fully determined by `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A number below `bound`, or 0 if there is none.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).checked_rem(bound).unwrap_or(0)
    }
}

impl Chooser for Seeded {
    fn choose(&mut self, _what: Choice, count: u64) -> u64 {
        self.below(count)
    }
}

/// A chooser that can be started again, from the same beginning.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Plain,
    Generous,
    Seeded(u64),
}

impl Source {
    pub(super) fn start(self) -> Box<dyn Chooser> {
        match self {
            Self::Plain => Box::new(Plain),
            Self::Generous => Box::new(Generous),
            Self::Seeded(seed) => Box::new(Seeded::new(seed)),
        }
    }
}

/// Repeats recorded decisions, then leaves the rest to another source.
pub(super) struct Replay<'a> {
    script: &'a [u64],
    next: usize,
    rest: Box<dyn Chooser>,
}

impl<'a> Replay<'a> {
    pub(super) fn new(script: &'a [u64], rest: Source) -> Self {
        Self { script, next: 0, rest: rest.start() }
    }
}

impl Chooser for Replay<'_> {
    fn choose(&mut self, what: Choice, count: u64) -> u64 {
        let scripted = self.script.get(self.next).copied();
        self.next = self.next.saturating_add(1);
        scripted.unwrap_or_else(|| self.rest.choose(what, count))
    }
}

/// A decision that was made, and the place in the value (a JSON Pointer) that it was made for.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub(super) what: Choice,
    pub(super) count: u64,
    pub(super) picked: u64,
    pub(super) path: String,
}

/// Asks a chooser and keeps a record, so that a run can be repeated with one decision changed.
pub(super) struct Recorder<'c> {
    chooser: &'c mut dyn Chooser,
    pub(super) made: Vec<Made>,
    /// The place in the value that is being made.
    pub(super) path: String,
    /// Shifts the choice among ready values, so that the items of an array differ from each other.
    pub(super) nudge: u64,
}

impl<'c> Recorder<'c> {
    pub(super) fn new(chooser: &'c mut dyn Chooser) -> Self {
        Self { chooser, made: Vec::new(), path: String::new(), nudge: 0 }
    }

    /// One of `count` possibilities; nothing is asked where there is no choice.
    pub(super) fn pick(&mut self, what: Choice, count: usize) -> usize {
        let picked = self.pick_wide(what, u64::try_from(count).unwrap_or(u64::MAX));
        usize::try_from(picked).unwrap_or(0)
    }

    /// Like [`Self::pick`], for ranges of numbers.
    pub(super) fn pick_wide(&mut self, what: Choice, count: u64) -> u64 {
        if count < 2 {
            return 0;
        }
        let picked = self.chooser.choose(what, count).checked_rem(count).unwrap_or(0);
        self.made.push(Made { what, count, picked, path: self.path.clone() });
        picked
    }

    /// Like [`Self::pick`] among ready values, shifted by the nudge.
    pub(super) fn pick_nudged(&mut self, what: Choice, count: usize) -> usize {
        let picked = self.pick(what, count);
        let nudge = usize::try_from(self.nudge).unwrap_or(usize::MAX);
        picked.wrapping_add(nudge).checked_rem(count).unwrap_or(0)
    }
}
