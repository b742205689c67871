//! What no output may show.

/// What stands in the place of a secret.
const HIDDEN: &str = "(hidden)";

/// Takes secrets out of texts; a server may have said them.
pub fn hide<'s, 't>(secrets: impl Iterator<Item = &'s str>, texts: impl Iterator<Item = &'t mut String>) {
    let secrets: Vec<&str> = secrets.collect();
    for text in texts {
        for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
            if text.contains(secret) {
                *text = text.replace(secret, HIDDEN);
            }
        }
    }
}
