//! The wire schemas of the five revisions: one source, one document a revision, and validation against it.
//!
//! Everything is assembled and compiled when it is first asked for, and then kept.

mod abridge;
mod assemble;
mod error;
mod explain;
mod format;
mod model;
mod notation;
mod shape;
mod source;
mod union;
mod validate;

pub use error::SchemaError;
pub use explain::Violation;
pub use shape::{
    Shape, definition_name, notifications_from_server, requests_from_server, requests_to_server,
};
pub use source::{check, document};
pub use validate::violations;
