//! Tool arguments from a server's own input schema: valid ones, and ones broken on purpose.
//!
//! One walker ([`Generator::generate`]) turns a JSON Schema (2020-12, draft-07; draft-04 and 2019-09 as far as
//! tools use them) into a value. Whatever it could have done otherwise it asks a [`Chooser`], and choice 0 is
//! always the plainest one. [`valid`] and [`invalid`] answer those questions by systematic exploration from a
//! seed; bytes of a fuzzer or a proptest strategy can answer the same questions.
//!
//! The walker only proposes. Every value handed out has been judged by the `jsonschema` crate, which has no
//! way to fetch anything. All work is bounded by counted steps, never by a clock: same input, same output.

mod arrays;
mod breakage;
mod choose;
mod explore;
mod facts;
mod faults;
mod format;
mod gather;
mod hints;
mod limits;
mod mine;
mod numbers;
mod objects;
mod pattern;
mod reference;
mod strings;
mod types;
mod verify;
mod vocabulary;
mod walker;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use breakage::Broken;
pub use choose::{Choice, Chooser, Plain, Seeded};
pub use hints::Hints;
pub(crate) use mine::examples as examples_in;
pub(crate) use verify::names_any;
pub use walker::Generator;
pub(crate) use walker::Prepared;

/// Up to `limit` different valid arguments, the likeliest to be accepted first.
///
/// The first holds the required properties only, the second all of them; variations follow. Each satisfies the
/// schema (and, if any value can, its `format`s too) and is an object, as tool arguments are. The answer is the
/// same for the same input; it is empty if the schema is no schema, is too large, or admits no object that we
/// can find.
pub fn valid(schema: &Value, hints: &Hints, seed: u64, limit: usize) -> Vec<Value> {
    explore::valid(schema, hints, seed, limit)
}

/// At most `limit` arguments that the schema forbids, each made from valid ones by one change.
///
/// A `format` is never what is broken: it is only an annotation unless both sides agree otherwise. The arguments
/// themselves stay an object, because anything else would break the protocol rather than the schema.
pub fn invalid(schema: &Value, hints: &Hints, seed: u64, limit: usize) -> Vec<Broken> {
    breakage::invalid(schema, hints, seed, limit)
}

/// How deep a value nests; a value without others in it does not.
pub(crate) fn depth(value: &Value) -> usize {
    limits::extent(value).1
}
