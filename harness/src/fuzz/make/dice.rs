//! Decisions in a form that is handy here.

use crate::generate::{Choice, Chooser};

/// A source of decisions.
pub(super) struct Dice<'c> {
    chooser: &'c mut dyn Chooser,
}

impl<'c> Dice<'c> {
    pub(super) fn new(chooser: &'c mut dyn Chooser) -> Self {
        Self { chooser }
    }

    /// A number below `count`, or 0 where there is no choice.
    pub(super) fn below(&mut self, count: usize) -> usize {
        if count < 2 {
            return 0;
        }
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        let chosen = self.chooser.choose(Choice::Detail, count).checked_rem(count).unwrap_or(0);
        usize::try_from(chosen).unwrap_or(0)
    }

    /// Any number.
    pub(super) fn number(&mut self) -> u64 {
        self.chooser.choose(Choice::Detail, u64::MAX)
    }

    pub(super) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len()))
    }
}
