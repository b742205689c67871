//! The inputs of a campaign in their order, dealt to lanes and machines: which input comes when depends on the seed and
//! on nothing that happens.

use std::collections::VecDeque;
use std::iter::{Skip, StepBy};

use super::input::Input;
use super::make::{Boundary, Maker};
use crate::generate::Seeded;

/// Every `step`th input from the `first` on.
pub(super) struct Stream {
    maker: Maker,
    /// What comes first: what was saved before, and what was given back.
    waiting: VecDeque<Input>,
    boundary: StepBy<Skip<Boundary>>,
    next: u64,
    step: u64,
    seed: u64,
    /// How many more inputs there are.
    left: u64,
    /// Whether random inputs follow the walk.
    random: bool,
    /// Whether the walk is over.
    walked: bool,
}

impl Stream {
    pub(super) fn new(
        maker: Maker,
        seed: u64,
        corpus: &[Input],
        (first, step): (usize, usize),
        left: u64,
    ) -> Stream {
        let step = step.max(1);
        Stream {
            waiting: corpus.iter().skip(first).step_by(step).cloned().collect(),
            boundary: maker.boundary().skip(first).step_by(step),
            maker,
            next: u64::try_from(first).unwrap_or(u64::MAX),
            step: u64::try_from(step).unwrap_or(u64::MAX),
            seed,
            left,
            random: true,
            walked: false,
        }
    }

    /// Ends with the walk.
    pub(super) fn without_random(self) -> Stream {
        Stream { random: false, ..self }
    }
}

impl Stream {
    /// Whether there is another input.
    pub(super) fn has_more(&self) -> bool {
        self.left > 0 && (self.random || !self.walked || !self.waiting.is_empty())
    }

    /// Takes back inputs that were not tried; they come next.
    pub(super) fn give_back(&mut self, inputs: VecDeque<Input>) {
        for input in inputs.into_iter().rev() {
            self.left = self.left.saturating_add(1);
            self.waiting.push_front(input);
        }
    }
}

impl Iterator for Stream {
    type Item = Input;

    /// What was saved before, then the walk along the boundaries, then random inputs.
    fn next(&mut self) -> Option<Input> {
        self.left = self.left.checked_sub(1)?;
        if let Some(input) = self.waiting.pop_front().or_else(|| self.boundary.next()) {
            return Some(input);
        }
        self.walked = true;
        if !self.random {
            return None;
        }
        let number = self.next;
        self.next = self.next.wrapping_add(self.step);
        // Every input has a source of its own, so that it does not depend on those before it.
        Some(self.maker.random(&mut Seeded::new(self.seed.rotate_left(32) ^ number)))
    }
}
