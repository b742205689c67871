//! How messages reach the protocol core and leave it.

pub mod framing;
pub mod http;
pub mod stdio;
mod termination;
