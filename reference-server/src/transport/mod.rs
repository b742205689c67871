//! How messages reach the protocol core and leave it.

pub mod framing;
pub mod stdio;
