//! The random inputs as a strategy of proptest.

use proptest::prelude::Rng as _;
use proptest::strategy::{NewTree, Strategy};
use proptest::test_runner::TestRunner;

use super::Maker;
use crate::fuzz::input::Input;
use crate::fuzz::shrink::InputTree;
use crate::generate::Seeded;

/// See [`Maker::strategy`].
#[derive(Clone, Debug)]
pub(super) struct Inputs(pub(super) Maker);

impl Strategy for Inputs {
    type Tree = InputTree;
    type Value = Input;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        // One number is enough, and keeps the runner's own generator out of every small decision.
        let seed = runner.rng().next_u64() ^ self.0.parts.settings.seed;
        Ok(InputTree::new(self.0.random(&mut Seeded::new(seed)), Some(self.0.clone())))
    }
}
