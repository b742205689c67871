//! Fuzzing: inputs that no script foresaw, and the oracles that tell a fault from an answer.
//!
//! An [`input::Input`] is a few steps of the case format, so that everything that drives, records and judges cases
//! serves here too, and a finding can be written as a case file.

pub mod by_hand;
pub mod campaign;
pub mod case_file;
mod deaths;
mod endurance;
pub mod finding;
mod flight;
pub mod gauge;
pub mod ground;
pub mod growth;
pub mod guided;
pub mod input;
mod judging;
pub mod leaks;
mod leg;
pub mod make;
pub mod oracle;
mod pace;
mod refusals;
pub mod replay;
pub mod report;
mod rules;
pub mod shrink;
pub mod signature;
mod stream;
mod suspect;
mod text_of;
mod units;
mod waits;
pub mod watch;
