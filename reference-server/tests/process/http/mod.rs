//! The server over HTTP, with raw requests over loopback.

mod behaviour;
mod client;
mod faults;
mod traffic;
