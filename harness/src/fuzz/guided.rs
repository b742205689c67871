//! Coverage-guided fuzzing: inputs that reach something new in the server are kept and changed further.
//!
//! The engine wants the process for itself and ends it when it is done, so it runs in a worker: our own binary, started
//! with [`ARGUMENT`]. A [`Run`] starts the worker and hears what it finds. The worker keeps one server process, sends it
//! one input after the other, and tells the engine what each reached. What ended the server or silenced it is only a
//! suspicion, which whoever called confirms on a fresh server.

#[cfg(feature = "guided")]
mod compose;
#[cfg(feature = "guided")]
mod executor;
#[cfg(feature = "guided")]
mod feedback;
pub mod instrument;
mod protocol;
#[cfg(feature = "guided")]
mod server;
#[cfg(feature = "guided")]
mod shape;
mod supervisor;
mod work;
#[cfg(feature = "guided")]
mod worker;

pub use protocol::{End, Event, Figures, Find, Source};
pub use supervisor::{GuidedError, Run};
pub use work::{Guidance, Work};
#[cfg(feature = "guided")]
pub use worker::main as worker;

/// The hidden argument that turns the binary into a worker.
pub const ARGUMENT: &str = "__guided";

/// The folder of a worker in which inputs are kept that reached something new.
pub(super) const CORPUS: &str = "corpus";

/// Whether this binary has an engine: only with the feature `guided`, which needs a C++ compiler.
pub const IS_AVAILABLE: bool = cfg!(feature = "guided");
