//! No readings: the system offers no `/proc`.

use std::collections::HashMap;
use std::time::Duration;

use super::Reading;

/// The processes of a group, of which nothing is known.
#[derive(Debug, Default)]
pub(super) struct Members {}

impl Members {
    pub(super) fn read(&mut self, _group: i32) -> Option<Reading> {
        None
    }

    pub(super) fn waits(&self, _group: i32) -> HashMap<i32, Duration> {
        HashMap::new()
    }

    pub(super) fn share_of_machine(&self, _group: i32) -> Option<u64> {
        None
    }

    pub(super) fn proportional_bytes(&self, _group: i32) -> Option<u64> {
        None
    }
}
