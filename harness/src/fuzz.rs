//! Fuzzing: inputs that no script foresaw, and the oracles that tell a fault from an answer.
//!
//! An [`input::Input`] is a few steps of the case format, so that everything that drives, records and judges cases
//! serves here too, and a finding can be written as a case file.

pub mod gauge;
pub mod growth;
pub mod input;
pub mod watch;
