//! The cases, requirements, and wire schemas of mcp-conform: data, and the code that loads it.
//!
//! This crate knows nothing of processes, transports, or verdicts. It depends on no other crate of the project.
pub mod case;
pub mod library;
pub mod pattern;
pub mod requirement;
pub mod revision;
pub mod schema;
pub mod yaml;

pub use case::Case;
pub use library::Library;
pub use requirement::{Level, Requirement, Severity};
pub use revision::{Era, Revision, RevisionSet};
