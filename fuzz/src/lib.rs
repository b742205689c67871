//! libFuzzer targets over the parsers of mcp-conform, its judge, its generators, and its reference server.
//!
//! Each module is one target: its `run` takes the bytes of an input and panics if a promise does not hold.
#![forbid(unsafe_code)]

pub mod bytes;
pub mod case_files;
pub mod events;
pub mod frames;
pub mod inputs;
pub mod judge;
pub mod reference_server;
pub mod reports;
pub mod schemas;
pub mod templates;
