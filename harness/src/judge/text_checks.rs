//! Named checks of texts: addresses, templates, timestamps, media types.

use std::sync::LazyLock;

use regex::Regex;

/// A check and what it asks for, in words.
type Check = (&'static str, fn(&str) -> bool);

/// The check of that name.
#[must_use]
pub fn check(name: &str) -> Option<Check> {
    Some(match name {
        "base64-like" => ("Base64", base64_like),
        "media-type" => ("a media type such as `image/png`", media_type),
        "uri" => ("an address with a scheme, as RFC 3986 has it", uri),
        "uri-template" => ("a template as RFC 6570 has it", uri_template),
        "iso-8601" => ("an ISO 8601 timestamp", iso_8601),
        "url" => ("a complete URL", url),
        "https-or-local" => ("an https URL, or one of this machine", https_or_local),
        _ => return None,
    })
}

fn found(pattern: &'static LazyLock<Option<Regex>>, text: &str) -> bool {
    // A pattern of ours that does not compile would be our own trouble, so it accepts.
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// Any alphabet, with or without padding and line breaks.
fn base64_like(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'\r' | b'\n')
    })
}

fn media_type(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+/[A-Za-z0-9!#$%&'*+.^_`|~-]+(\s*;.*)?$").ok()
    });
    found(&PATTERN, text)
}

fn uri(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*$").ok());
    found(&PATTERN, text)
}

/// Balanced braces with something in them, and no braces inside.
fn uri_template(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^([^{}]|\{[+#./;?&=,!@|]?[^{}\s+#/;?&=!@|]+\})*$").ok());
    found(&PATTERN, text)
}

/// A date, with or without a time, in the extended or the basic form.
fn iso_8601(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"^[+-]?\d{4,6}(-?(\d{2}(-?\d{2})?|W\d{2}(-?\d)?|\d{3}))?([T ]\d{2}(:?\d{2}(:?\d{2})?)?([.,]\d+)?(Z|[+-]\d{2}(:?\d{2})?)?)?$").ok()
    });
    found(&PATTERN, text)
}

fn url(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[A-Za-z][A-Za-z0-9+.-]*:(//[^\s/?#]+|[^\s/])[^\s]*$").ok());
    found(&PATTERN, text)
}

fn https_or_local(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(r"(?i)^(https:|http://(localhost|127\.[0-9.]+|\[::1\]|[^/:?#]+\.localhost)([:/?#]|$))")
            .ok()
    });
    // What is no http at all is left to other rules.
    !text.to_ascii_lowercase().starts_with("http:") || found(&PATTERN, text)
}

#[cfg(test)]
mod tests {
    use super::check;

    fn accepts(name: &str, text: &str) -> bool {
        check(name).is_some_and(|(_, accepts)| accepts(text))
    }

    #[test]
    fn texts_are_told_apart() {
        for (name, good, bad) in [
            ("base64-like", "aGk_-+/=", "data:image/png;base64,aGk="),
            ("media-type", "text/plain; charset=utf-8", "png"),
            ("uri", "test://a/b?c=%20", "not a uri"),
            ("uri", "urn:isbn:1", "1x:y"),
            ("uri-template", "test://{a}/{+b,c*}{?q:3}", "test://{a"),
            ("uri-template", "plain://x", "test://{}"),
            ("iso-8601", "2025-01-12T15:00:58Z", "yesterday"),
            ("iso-8601", "2025-01-12T15:00:58.123456+02:00", "12.01.2025"),
            ("iso-8601", "20250112T150058Z", "1700000000000"),
            ("url", "https://example.com/x", "example"),
            ("https-or-local", "http://localhost:3000/a", "http://example.com/"),
        ] {
            assert!(accepts(name, good), "{name} {good}");
            assert!(!accepts(name, bad), "{name} {bad}");
        }
    }
}
