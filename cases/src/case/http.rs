//! What a case says of HTTP: headers beside a message, requests that carry none, and requests written out byte by byte.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// Header fields that are set in the place of those that the session sends; without a value: left out.
pub type Headers = Vec<(String, Option<String>)>;

/// An HTTP request that is made as it is described, with the headers of the session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRequest {
    /// The HTTP method.
    pub method: String,
    /// The path and query instead of those of the endpoint.
    #[serde(default)]
    pub path: Option<String>,
    /// Another host than that of the endpoint, at the same port. Nothing follows from its not being reached.
    #[serde(default)]
    pub host: Option<String>,
    /// The body; templates are filled in as JSON.
    #[serde(default)]
    pub body: Option<String>,
    /// Go on as soon as the head of the answer is there, and leave the rest to come.
    #[serde(default)]
    pub open: bool,
}

/// An HTTP/1.1 request written out, for what a client library would correct or refuse.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRaw {
    /// The request line and the header lines, without line ends. `{{http.headers}}` stands for those of the session.
    pub head: Vec<String>,
    /// The body; templates are filled in as JSON. Its length is told unless the head says something of it.
    #[serde(default)]
    pub body: Option<String>,
    /// How much of the body is sent before the connection is closed; all of it if absent.
    #[serde(default)]
    pub cut_after: Option<usize>,
}

/// Reads a map from header names to texts, or to null for a header that is left out.
pub(super) fn headers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Headers, D::Error> {
    Map::<String, Value>::deserialize(deserializer)?
        .into_iter()
        .map(|(name, value)| match value {
            Value::Null => Ok((name, None)),
            Value::String(text) => Ok((name, Some(text))),
            other => Err(serde::de::Error::custom(format!(
                "the header `{name}` takes a text, or null to leave it out, found {other}"
            ))),
        })
        .collect()
}
