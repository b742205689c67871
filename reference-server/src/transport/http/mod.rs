//! Streamable HTTP (spec pages `basic/transports` of the stateful revisions and `basic/transports/streamable-http` of
//! 2026-07-28), and the HTTP+SSE transport of 2024-11-05 before it.
//!
//! One URL serves all revisions: [`service`] decides for each request who is asked, `stateful` and `stateless`
//! answer it, and [`listener`] is the only file that knows of sockets. A request is an `Ask` and its answer
//! a `Reply`, so that everything in between is plain code over plain values.

pub mod listener;
pub mod service;

mod authorization;
mod connection;
mod event;
mod legacy;
mod message;
mod mirrored;
mod origin;
mod sentinel;
mod sessions;
mod standing;
mod stateful;
mod stateless;
mod stream;

pub(crate) use event::{Event, Place};
pub(crate) use message::{Ask, Content, Reply, header};
pub(crate) use sentinel::wrap;
