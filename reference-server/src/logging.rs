//! Log messages to the client (spec page `server/utilities/logging`). [`Context::log`] sends them.

use serde_json::{Value, json};

use crate::context::Context;
use crate::jsonrpc::RpcError;
use crate::outbox::lock;

/// The eight syslog levels, least severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// debug
    Debug,
    /// info
    Info,
    /// notice
    Notice,
    /// warning
    Warning,
    /// error
    Error,
    /// critical
    Critical,
    /// alert
    Alert,
    /// emergency
    Emergency,
}

impl Level {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Debug, "debug"),
        (Self::Info, "info"),
        (Self::Notice, "notice"),
        (Self::Warning, "warning"),
        (Self::Error, "error"),
        (Self::Critical, "critical"),
        (Self::Alert, "alert"),
        (Self::Emergency, "emergency"),
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find(|(level, _)| *level == self).map_or("info", |(_, name)| name)
    }

    /// The level of that exact name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, other)| *other == name).map(|(level, _)| level)
    }
}

/// Answers `logging/setLevel`, which holds for the rest of a stateful session.
pub(crate) fn set_level(context: &Context) -> Result<Value, RpcError> {
    let level = context.request.params.get("level").and_then(Value::as_str).and_then(Level::parse);
    let level =
        level.ok_or_else(|| RpcError::invalid_params("level must be one of the eight syslog levels"))?;
    *lock(&context.session.log_level) = level;
    Ok(json!({}))
}
