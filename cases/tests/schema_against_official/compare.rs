//! Runs two judges over the same generated messages.

use serde_json::Value;

use super::generate::{Generator, Random};

/// How often each verdict was reached, and the first message on which the judges disagree.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) accepted: usize,
    pub(super) rejected: usize,
    pub(super) difference: Option<Value>,
}

/// Judges `rounds` messages generated from `schema`, each with three mutations piled on each other.
pub(super) fn judge(
    outcome: &mut Outcome,
    generator: &Generator<'_>,
    schema: &Value,
    (seed, rounds): (u64, usize),
    prepare: impl Fn(&mut Value),
    ours: impl Fn(&Value) -> bool,
    theirs: impl Fn(&Value) -> bool,
) {
    let mut random = Random::new(seed);
    for _ in 0..rounds {
        let mut instance = generator.instance(schema, &mut random, 0);
        for mutation in 0..4 {
            if mutation > 0 {
                generator.mutate(&mut instance, &mut random);
            }
            prepare(&mut instance);
            let accepted = ours(&instance);
            if accepted {
                outcome.accepted += 1
            } else {
                outcome.rejected += 1
            }
            if accepted != theirs(&instance) {
                outcome.difference = Some(instance);
                return;
            }
        }
    }
}
