//! Tests of the server as a process.

#[cfg(test)]
mod stdio;
