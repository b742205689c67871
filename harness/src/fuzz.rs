//! Fuzzing: inputs that no script foresaw, and the oracles that tell a fault from an answer.
//!
//! An [`input::Input`] is a few steps of the case format, so that everything that drives, records and judges cases
//! serves here too, and a finding can be written as a case file. [`make::Maker`] makes inputs, [`shrink`] makes them
//! smaller, and [`case_file`] writes them down and reads them again.

pub mod case_file;
pub mod input;
pub mod make;
pub mod shrink;
mod units;
