//! The five published protocol revisions and the two eras they belong to.

use std::fmt;

/// A protocol revision. The order is the order of publication, so that "since" and "until" are comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Revision {
    /// 2024-11-05: stdio and HTTP+SSE, text and image content.
    V2024_11_05,
    /// 2025-03-26: Streamable HTTP, JSON-RPC batches, audio, tool annotations, completions capability.
    V2025_03_26,
    /// 2025-06-18: elicitation, structured output, resource links, titles; batches are gone.
    V2025_06_18,
    /// 2025-11-25: tasks, URL elicitation, icons; the last revision with a handshake.
    V2025_11_25,
    /// 2026-07-28: no handshake; every request carries its own `_meta`.
    V2026_07_28,
}

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Self; 5] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2025_11_25, Self::V2026_07_28];
    /// The revision offered to a client that asks `initialize` for one we do not know.
    pub const LATEST_STATEFUL: Self = Self::V2025_11_25;
    /// The revisions that a client may name in `_meta`.
    pub const STATELESS: [Self; 1] = [Self::V2026_07_28];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// The revision of that exact name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == name)
    }

    /// True from 2026-07-28 on: no `initialize`, no state kept between requests.
    #[must_use]
    pub fn is_stateless(self) -> bool {
        self >= Self::V2026_07_28
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
