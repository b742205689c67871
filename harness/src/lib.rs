//! The harness of mcp-conform: drives an MCP server, records what it says, and judges the recording.
#![cfg(unix)]

pub mod detect;
pub mod event;
pub mod fuzz;
pub mod generate;
pub mod guardian;
pub mod judge;
pub mod plan;
pub mod process;
pub mod profile;
pub mod redact;
pub mod report;
pub mod repro;
pub mod run;
pub mod select;
pub mod session;
pub mod settings;
pub mod target;
pub mod template;
pub mod text;
pub mod transcript;
pub mod transport;
pub mod verdict;
pub mod wire;
