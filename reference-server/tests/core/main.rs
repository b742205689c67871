//! Tests of the protocol core, without a process or a transport.

#[cfg(test)]
mod faults;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod support;
