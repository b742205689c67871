//! The engine of coverage-guided fuzzing: chooses inputs by what the ones before them reached.
//!
//! An `Engine` knows bytes and feedback and nothing else, so that another one can take its place.
//! `libfuzzer::LibFuzzer` is the one that there is. `shared::Map` is memory that a fuzzed process writes its
//! feedback into.
#![cfg(feature = "libfuzzer")]
#![cfg(unix)]

mod foreign;
pub mod libfuzzer;
mod mutate;
pub mod shared;

/// How many feedback counters there are, one byte each.
pub const FEEDBACK: usize = 64 * 1024;

/// What comes of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on, and keep the input if its feedback is new.
    Keep,
    /// Go on without it, whatever its feedback.
    Reject,
    /// No more inputs.
    Stop,
}

/// What is fuzzed.
pub trait Target: Send {
    /// Tries an input. `feedback` has [`FEEDBACK`] counters, all 0; how often a place was reached is counted in the one
    /// that stands for the place.
    fn execute(&mut self, input: &[u8], feedback: &mut [u8]) -> Flow;
}

/// Runs a target over inputs of its own making.
pub trait Engine {
    /// Runs until the target says [`Flow::Stop`].
    ///
    /// An engine may end the process then, so what must be finished is finished before that is said.
    ///
    /// # Errors
    /// When the engine cannot begin, or ends of its own accord.
    fn run(&self, target: Box<dyn Target>) -> Result<(), EngineError>;
}

/// Why an engine did not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// A path of the corpus holds a zero byte.
    Path,
    /// The engine has been started in this process before.
    Busy,
    /// The engine returned with this code.
    Ended(i32),
}

impl std::error::Error for EngineError {}

impl std::fmt::Display for EngineError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            EngineError::Path => formatter.write_str("the folder of the corpus has a zero byte in its name"),
            EngineError::Busy => formatter.write_str("the engine runs in this process already"),
            EngineError::Ended(code) => write!(formatter, "the engine ended with code {code}"),
        }
    }
}
