//! Protection against DNS rebinding (`basic/transports#security-warning`): a web page on a foreign site must not reach
//! a server on this machine through the user's browser. The browser says in `Origin` where the page is from, and in
//! `Host` by which name it came here; both must be names of this machine.

use std::net::{IpAddr, SocketAddr};

use axum::http::StatusCode;

use super::message::{Ask, Reply};

/// # Errors
/// The refusal of a request with a foreign `Origin` or `Host`. Programs that are no browsers send no `Origin`.
pub(super) fn check(ask: &Ask, own: SocketAddr) -> Result<(), Reply> {
    if !ask.headers.get_all("host").iter().all(|host| host.to_str().is_ok_and(|host| is_ours(host, own))) {
        return Err(Reply::refusal(StatusCode::FORBIDDEN, "Forbidden: this server has another name"));
    }
    let is_our_page = |origin: &str| {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| is_ours(authority, own))
    };
    if !ask.headers.get_all("origin").iter().all(|origin| origin.to_str().is_ok_and(is_our_page)) {
        return Err(Reply::refusal(StatusCode::FORBIDDEN, "Forbidden: foreign Origin"));
    }
    Ok(())
}

/// Whether a host, with or without port, is this machine: a loopback name or address, or the address we listen on.
fn is_ours(authority: &str, own: SocketAddr) -> bool {
    let host = host_of(authority);
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address == own.ip())
}

/// `[::1]:80` has colons in the host, `localhost:80` has not.
fn host_of(authority: &str) -> &str {
    if let Some((host, rest)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        && (rest.is_empty() || rest.starts_with(':'))
    {
        return host;
    }
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn names_of_this_machine() {
        let own = "127.0.0.1:80".parse().unwrap();
        for ours in ["localhost", "LOCALHOST:1", "127.0.0.1:80", "127.9.9.9", "[::1]:80", "[::1]"] {
            assert!(is_ours(ours, own), "{ours}");
        }
        for foreign in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "",
            "10.0.0.1",
            "localhost:80@evil",
            "[::1]evil",
        ] {
            assert!(!is_ours(foreign, own), "{foreign}");
        }
    }
}
