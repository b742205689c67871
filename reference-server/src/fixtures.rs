//! Bytes and URIs that several fixtures share.

/// A PNG of one red pixel, in Base64.
pub(crate) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
/// A WAV of one millisecond of silence, in Base64.
pub(crate) const WAV: &str = "UklGRiwAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQgAAACAgICAgICAgA==";

/// The resource that changes when `test_update_watched_resource` is called.
pub(crate) const WATCHED_URI: &str = "test://watched-resource";
