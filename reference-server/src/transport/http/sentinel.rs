//! How a header carries a value that is no plain ASCII (`basic/transports/streamable-http#value-encoding`):
//! `=?base64?…?=`, in exactly this spelling. Anything else stands for itself.

use std::borrow::Cow;

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Reads the value of a header that mirrors a part of the body; `None` if it is not a legal one.
pub(super) fn read(value: &HeaderValue) -> Option<Cow<'_, str>> {
    let legal = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
    let text =
        std::str::from_utf8(value.as_bytes()).ok().filter(|text| text.bytes().all(|byte| legal(&byte)))?;
    match text.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        None => Some(Cow::Borrowed(text)),
        Some(encoded) => String::from_utf8(STANDARD.decode(encoded).ok()?).ok().map(Cow::Owned),
    }
}

/// Wraps a text so that [`read`] gives it back.
pub(crate) fn wrap(text: &str) -> String {
    format!("=?base64?{}?=", STANDARD.encode(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Option<String> {
        read(&HeaderValue::from_bytes(text.as_bytes()).unwrap()).map(Cow::into_owned)
    }

    #[test]
    fn only_the_exact_markers_count() {
        for plain in ["us-west1", "=?BASE64?SGk=?=", "=?base64?SGk=", "SGk=?=", "=?base64?="] {
            assert_eq!(read_text(plain).as_deref(), Some(plain));
        }
        assert_eq!(read_text("=?base64?SGVsbG8sIOS4lueVjA==?=").as_deref(), Some("Hello, 世界"));
        assert_eq!(read_text(&wrap("=?base64?x?=")).as_deref(), Some("=?base64?x?="));
        for bad in ["=?base64?SGVsbG8?=", "=?base64?****?=", "=?base64?/w==?=", "caf\u{e9}"] {
            assert_eq!(read_text(bad), None, "{bad}");
        }
    }
}
