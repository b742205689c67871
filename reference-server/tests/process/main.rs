//! Tests of the server as a process.

#[cfg(test)]
mod http;
#[cfg(test)]
mod stdio;
