//! The schema source as it was read: definitions whose parts know the revisions they hold in.

use serde_json::Value;

use crate::revision::{Revision, RevisionSet};

/// Something that holds in some revisions only.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ranged<T> {
    pub(super) revisions: RevisionSet,
    pub(super) value: T,
}

impl<T> Ranged<T> {
    /// The value, if it holds in `revision`.
    pub(super) fn at(&self, revision: Revision) -> Option<&T> {
        self.revisions.contains(revision).then_some(&self.value)
    }
}

/// A definition. One name may have several, in different revisions.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Definition {
    pub(super) name: String,
    /// Where it was written: the file and the path inside it.
    pub(super) place: String,
    pub(super) revisions: RevisionSet,
    /// The revisions in which it is written in place where it is used.
    pub(super) inline: RevisionSet,
    pub(super) form: Form,
    pub(super) method: Option<Method>,
}

/// The method that a request or notification carries, and the results that may answer it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) results: Vec<Ranged<String>>,
}

/// What a value may be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Any,
    Types(Vec<&'static str>),
    Format(&'static str),
    Number { json_type: String, minimum: Option<Value>, maximum: Option<Value> },
    Const(Value),
    Enum(Vec<Ranged<String>>),
    Array { item: Box<Form>, max_items: Option<u64> },
    Union(Vec<Ranged<Form>>),
    Reference(String),
    Object(Object),
}

/// An object: members of its own and of what it includes.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Object {
    pub(super) include: Vec<Ranged<String>>,
    pub(super) members: Vec<Member>,
    /// What all other members must be.
    pub(super) rest: Vec<Ranged<Form>>,
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) revisions: RevisionSet,
    pub(super) form: Form,
}
