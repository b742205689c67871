//! The list of all faults.

use super::hook::Hook;

/// One way to misbehave.
#[derive(Clone, Copy)]
pub struct Fault {
    /// What `--fault` takes.
    pub name: &'static str,
    /// What is wrong, in a sentence.
    pub summary: &'static str,
    /// The requirement that it breaks.
    pub requirement: &'static str,
    /// Where it shows: one revision, or a range such as `2024-11-05..2025-11-25`.
    pub revisions: &'static str,
    /// The transports on which it shows: `stdio`, `http` and `sse`. Those of authorization show only with `--bearer`.
    pub transports: &'static [&'static str],
    pub(super) hooks: &'static [Hook],
}

/// A name that is no fault's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no fault named {0}; --list-faults names them all")]
pub struct UnknownFault(pub String);

/// All faults, by area.
pub fn all() -> impl Iterator<Item = &'static Fault> {
    [
        super::envelope::FAULTS,
        super::stdio::FAULTS,
        super::crashes::FAULTS,
        super::lifecycle::FAULTS,
        super::lists::FAULTS,
        super::pages::FAULTS,
        super::calls::FAULTS,
        super::resources::FAULTS,
        super::prompts::FAULTS,
        super::completion::FAULTS,
        super::logging::FAULTS,
        super::progress::FAULTS,
        super::cancellation::FAULTS,
        super::client_features::FAULTS,
        super::tasks::FAULTS,
        super::stateless::FAULTS,
        super::subscriptions::FAULTS,
        super::mrtr::FAULTS,
        super::http::FAULTS,
        super::event_streams::FAULTS,
        super::http_sessions::FAULTS,
        super::http_stateless::FAULTS,
        super::mirrored::FAULTS,
        super::legacy_sse::FAULTS,
        super::authorization::FAULTS,
    ]
    .into_iter()
    .flatten()
}

/// The fault of that name.
///
/// # Errors
/// [`UnknownFault`] if there is none.
pub fn find(name: &str) -> Result<&'static Fault, UnknownFault> {
    all().find(|fault| fault.name == name).ok_or_else(|| UnknownFault(name.to_owned()))
}

/// Revision ranges in which faults show.
pub(super) mod range {
    pub(in crate::faults) const ALL: &str = "2024-11-05..2026-07-28";
    pub(in crate::faults) const STATEFUL: &str = "2024-11-05..2025-11-25";
    pub(in crate::faults) const STATELESS: &str = "2026-07-28";
    pub(in crate::faults) const BATCH: &str = "2025-03-26";
    pub(in crate::faults) const TASKS: &str = "2025-11-25";
    pub(in crate::faults) const OLDEST: &str = "2024-11-05";
    pub(in crate::faults) const FROM_2025_03: &str = "2025-03-26..2026-07-28";
    pub(in crate::faults) const FROM_2025_06: &str = "2025-06-18..2026-07-28";
    pub(in crate::faults) const FROM_2025_11: &str = "2025-11-25..2026-07-28";
    pub(in crate::faults) const STATEFUL_FROM_2025_03: &str = "2025-03-26..2025-11-25";
    pub(in crate::faults) const STATEFUL_FROM_2025_06: &str = "2025-06-18..2025-11-25";
}

/// Faults of messages.
pub(super) const ANY: &[&str] = &[];
/// Faults of bytes and processes.
pub(super) const STDIO: &[&str] = &["stdio"];
/// Faults of Streamable HTTP.
pub(super) const HTTP: &[&str] = &["http"];
/// Faults of HTTP+SSE.
pub(super) const SSE: &[&str] = &["sse"];

/// Where a fault shows. Messages go everywhere, but the stateless era does not exist over HTTP+SSE.
pub(super) const fn transports(
    given: &'static [&'static str],
    requirement: &str,
    range: &str,
) -> &'static [&'static str] {
    match (given, requirement.as_bytes(), range.as_bytes()) {
        ([], b"subs.cancel.stdio", _) => STDIO,
        ([], _, [_, _, _, b'6', ..]) => &["stdio", "http"],
        ([], _, _) => &["stdio", "http", "sse"],
        _ => given,
    }
}

/// One area's faults: name, requirement, range, summary, hooks. What comes before the arrow are the transports.
macro_rules! faults {
    ($transports:expr => $($name:literal, $requirement:literal, $range:expr, $summary:literal => [$($hook:expr),* $(,)?];)*) => {
        pub(super) static FAULTS: &[crate::faults::catalog::Fault] = &[$(
            crate::faults::catalog::Fault {
                name: $name,
                summary: $summary,
                requirement: $requirement,
                revisions: $range,
                transports: crate::faults::catalog::transports($transports, $requirement, $range),
                hooks: &[$($hook),*],
            },
        )*];
    };
}
pub(super) use faults;
