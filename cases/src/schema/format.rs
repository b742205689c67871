//! The string formats that JSON Schema libraries do not know.

/// Whether `text` is base64 of the standard alphabet with its padding (the format `byte`).
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - digits.len() <= 2
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

#[cfg(test)]
mod tests {
    use super::is_base64;

    #[test]
    fn base64_is_told_from_what_only_looks_like_it() {
        for good in ["", "AA==", "AAA=", "AAAA", "+/9z"] {
            assert!(is_base64(good), "{good}");
        }
        for bad in ["A", "AA", "A===", "====", "AA=A", "A-_=", "AA =", "AAA\n"] {
            assert!(!is_base64(bad), "{bad}");
        }
    }
}
