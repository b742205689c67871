//! How a session begins: `initialize` in the stateful era, `server/discover` in the stateless one.

use std::time::Duration;

use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::{Outgoing, Session, client};
use crate::event::Transport;
use crate::judge::http;
use crate::transcript::Waited;

/// The key under which a request of the stateless era names its revision.
pub const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// The key under which it declares the client's capabilities.
pub const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The key under which it names the client.
pub const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
/// The key under which a server names itself in a result.
pub const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// Why a session did not begin.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HandshakeError {
    /// The server answered with an error.
    #[error("the server refused with error {0}")]
    Refused(Value),
    /// No answer came in time.
    #[error("the server did not answer in time")]
    Silent,
    /// The connection ended.
    #[error("the connection ended before the answer")]
    Closed,
    /// The server chose another revision than the one under test.
    #[error("the server answered with revision {0}")]
    OtherRevision(String),
    /// HTTP got in the way before there was a message.
    #[error("the server answered with {0}")]
    Http(String),
    /// The answer is none.
    #[error("the answer names no revision")]
    Unusable,
}

/// Name and version of our side.
#[must_use]
pub fn client_info() -> Value {
    json!({ "name": "mcp-conform", "version": env!("CARGO_PKG_VERSION") })
}

/// `params._meta` as every request of the stateless era carries it.
#[must_use]
pub fn request_meta(revision: Revision, kind: ClientKind) -> Map<String, Value> {
    let mut meta = Map::new();
    meta.insert(META_VERSION.to_owned(), json!(revision.as_str()));
    meta.insert(META_CAPABILITIES.to_owned(), client::capabilities(kind, revision));
    meta.insert(META_CLIENT.to_owned(), client_info());
    meta
}

/// The parameters of `initialize`.
#[must_use]
pub fn initialize_params(revision: Revision, kind: ClientKind) -> Value {
    json!({
        "protocolVersion": revision.as_str(),
        "capabilities": client::capabilities(kind, revision),
        "clientInfo": client_info(),
    })
}

impl Session {
    /// The first exchange; returns its result, from which the profile begins.
    ///
    /// # Errors
    /// When the server does not answer with a usable result in the session's revision.
    pub async fn begin(&mut self, limit: Duration) -> Result<Value, HandshakeError> {
        let revision = self.revision();
        let outgoing = match revision.era() {
            Era::Stateful => {
                Outgoing::new("initialize").with(initialize_params(revision, self.transcript.client))
            }
            Era::Stateless => Outgoing { client: self.transcript.client, ..Outgoing::new("server/discover") },
        };
        self.greeting = true;
        let begun = Instant::now();
        let waited = self.exchange(outgoing, limit).await;
        self.greeting = false;
        self.greeting_took = Some(begun.elapsed());
        let message = match waited {
            Waited::Response(entry) => self.message_in(entry).cloned().unwrap_or_default(),
            Waited::Closed => return Err(HandshakeError::Closed),
            Waited::Unanswered(end) => {
                return Err(HandshakeError::Http(http::in_words(&self.transcript, end)));
            }
            Waited::Passed | Waited::TimedOut | Waited::NotWaited => return Err(HandshakeError::Silent),
        };
        let Some(result) = message.get("result").cloned() else {
            return Err(HandshakeError::Refused(message.get("error").cloned().unwrap_or_default()));
        };
        match revision.era() {
            Era::Stateful => {
                let chosen =
                    result.get("protocolVersion").and_then(Value::as_str).ok_or(HandshakeError::Unusable)?;
                if chosen != revision.as_str() {
                    return Err(HandshakeError::OtherRevision(chosen.to_owned()));
                }
                self.notify(Outgoing::new("notifications/initialized"));
                if self.transcript.transport == Transport::Http {
                    self.open_stream().await;
                }
            }
            Era::Stateless => {
                let versions = result
                    .get("supportedVersions")
                    .and_then(Value::as_array)
                    .ok_or(HandshakeError::Unusable)?;
                if !versions.iter().any(|version| version.as_str() == Some(revision.as_str())) {
                    return Err(HandshakeError::OtherRevision(Value::Array(versions.clone()).to_string()));
                }
            }
        }
        self.transcript.capabilities = result.get("capabilities").cloned().unwrap_or_default();
        Ok(result)
    }
}
