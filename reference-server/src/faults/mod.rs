//! Misbehaviour on purpose.
//!
//! A fault changes one behaviour, as a real bug would. It sits around the protocol core: it sees each line and each
//! message on its way in, and each message on its way out together with the request it answers. The core has no
//! idea of it. Over HTTP it also sees each request and each answer; only what streams, sessions and sockets do wrong
//! has to be asked for where they are.

mod catalog;
mod hook;
mod layer;
mod memory;
mod network;

mod authorization;
mod calls;
mod cancellation;
mod client_features;
mod completion;
mod crashes;
mod envelope;
mod event_streams;
mod http;
mod http_sessions;
mod http_stateless;
mod legacy_sse;
mod lifecycle;
mod lists;
mod logging;
mod mirrored;
mod mrtr;
mod pages;
mod progress;
mod prompts;
mod resources;
mod stateless;
mod stdio;
mod subscriptions;
mod tasks;

pub use catalog::{Fault, UnknownFault, all, find};
pub use hook::StdioFault;
pub use layer::Faults;
pub(crate) use network::HttpFault;
