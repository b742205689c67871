//! A reference MCP server for all five protocol revisions.
//!
//! It is meant to be read: each file is one concept of the protocol and names the page of the specification it
//! follows. The core knows no transport: a [`session::Session`] takes one message at a time and gives its own to an
//! [`outbox::Sink`]. [`transport::stdio`] carries them over stdin and stdout, [`transport::http`] over HTTP.
//!
//! With faults (see [`faults`]) the server misbehaves on purpose, in one way each, so that a test suite can prove
//! that it notices. They sit around the core, not in it.

pub mod cli;
pub mod clock;
pub mod context;
pub mod dispatch;
pub mod faults;
pub mod jsonrpc;
pub mod logging;
pub mod outbox;
pub mod revision;
pub mod schema;
pub mod server;
pub mod session;
pub mod stateless;
pub mod transport;

mod batch;
mod completion;
mod fixtures;
mod inflight;
mod lifecycle;
mod mrtr;
mod pagination;
mod peer;
mod prompts;
mod resources;
mod subscriptions;
mod tasks;
mod tasks_extension;
mod tools;
