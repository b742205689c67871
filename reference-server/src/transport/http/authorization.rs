//! The server as a protected resource (`basic/authorization`): who calls it shows a bearer token, and who has none is
//! told where to get one.
//!
//! The token is given on the command line instead of being issued by an authorization server; what the client sees
//! of this side is the same.

use std::hint::black_box;

use axum::http::StatusCode;
use serde_json::json;

use super::message::{Ask, Reply};
use crate::jsonrpc::{self, RpcError, code};

/// Where the metadata document is, without and with the path of the resource (RFC 9728, section 3.1).
pub(super) const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";
/// What a token must allow.
const SCOPE: &str = "mcp";
/// Who would issue tokens: a name that never resolves.
const AUTHORIZATION_SERVER: &str = "https://authorization.example";

/// # Errors
/// The refusal of a request that does not show the token.
pub(super) fn check(ask: &Ask, token: &str, endpoint: &str) -> Result<(), Reply> {
    let mut values = ask.headers.get_all("authorization").iter();
    let Some(value) = values.next() else {
        // One in the query would end up in logs and histories: it does not count.
        return Err(challenge(ask, endpoint, StatusCode::UNAUTHORIZED, None));
    };
    let (scheme, shown) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer")
        && values.next().is_none()
        && value.to_str().is_ok_and(|text| text.contains(' '))
    {
        return Err(challenge(ask, endpoint, StatusCode::UNAUTHORIZED, None));
    }
    let shown = shown.trim_matches(' ');
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    if shown.is_empty() || !shown.bytes().all(legal) || values.next().is_some() {
        return Err(challenge(ask, endpoint, StatusCode::BAD_REQUEST, Some("invalid_request")));
    }
    if same(shown.as_bytes(), token.as_bytes()) {
        Ok(())
    } else {
        Err(challenge(ask, endpoint, StatusCode::UNAUTHORIZED, Some("invalid_token")))
    }
}

/// Compares in a time that does not tell how much is right.
fn same(shown: &[u8], token: &[u8]) -> bool {
    let difference = shown.iter().zip(token).fold(0, |difference, (one, other)| difference | (one ^ other));
    black_box(difference) == 0 && shown.len() == token.len()
}

/// 401 or 400 with the challenge of RFC 6750, section 3, and the metadata's address of RFC 9728, section 5.1.
fn challenge(ask: &Ask, endpoint: &str, status: StatusCode, error: Option<&str>) -> Reply {
    let metadata = format!("{}{WELL_KNOWN}{endpoint}", origin(ask));
    let mut value = format!("Bearer resource_metadata=\"{metadata}\", scope=\"{SCOPE}\"");
    if let Some(error) = error {
        value.push_str(", error=\"");
        value.push_str(error);
        value.push('"');
    }
    let refusal = RpcError::new(code::INVALID_REQUEST, "Authorization required");
    Reply::json(status, &jsonrpc::error(None, &refusal)).with_header("www-authenticate", &value)
}

/// The metadata document (RFC 9728, section 2), if the path is one of its two addresses. It needs no token.
pub(super) fn metadata(ask: &Ask, endpoint: &str) -> Option<Reply> {
    let path = ask.path.strip_prefix(WELL_KNOWN)?;
    if !path.is_empty() && path != endpoint {
        return None;
    }
    if ask.method != axum::http::Method::GET {
        return Some(Reply::method_not_allowed("GET"));
    }
    Some(Reply::json(
        StatusCode::OK,
        &json!({
            "resource": format!("{}{endpoint}", origin(ask)),
            "authorization_servers": [AUTHORIZATION_SERVER],
            "scopes_supported": [SCOPE],
            "bearer_methods_supported": ["header"],
            "resource_name": "MCP reference server",
        }),
    ))
}

/// The server by the name under which the client knows it; a check before this one has made sure that it is ours.
fn origin(ask: &Ask) -> String {
    format!("http://{}", ask.header("host").unwrap_or("localhost"))
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn only_the_whole_token_counts() {
        assert!(same(b"secret", b"secret"));
        for wrong in ["", "secre", "secret1", "Secret", "secreT"] {
            assert!(!same(wrong.as_bytes(), b"secret"), "{wrong}");
        }
    }
}
