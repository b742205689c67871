//! Examples of the strings that `format` names.

/// Strings of a format, the plainest first; empty for a format that we do not know.
pub(super) fn examples(format: &str) -> &'static [&'static str] {
    match format {
        "date-time" => &[
            "2024-01-15T12:00:00Z",
            "2024-02-29T23:59:59.999Z",
            "1970-01-01T00:00:00+00:00",
            "2038-01-19T03:14:08-08:00",
        ],
        "date" => &["2024-01-15", "2024-02-29", "1970-01-01", "9999-12-31"],
        "time" => &["12:00:00Z", "23:59:59.999Z", "00:00:00+00:00", "12:00:00-08:00"],
        "duration" => &["PT1H", "P1D", "P1Y2M3DT4H5M6S", "PT0S"],
        "email" | "idn-email" => &["user@example.com", "first.last+tag@mail.example.org", "a@b.example"],
        "hostname" | "idn-hostname" => {
            &["example.com", "localhost", "a-b.example.org", "xn--bcher-kva.example"]
        }
        "ipv4" => &["127.0.0.1", "192.0.2.1", "0.0.0.0", "255.255.255.255"],
        "ipv6" => &["::1", "2001:db8::1", "::", "2001:db8:0:0:0:0:0:1"],
        "uri" | "iri" | "url" => &[
            "https://example.com/",
            "https://example.com/a/b?c=d#e",
            "urn:example:thing",
            "https://user@example.com:8443/",
        ],
        "uri-reference" | "iri-reference" => &["https://example.com/", "/a/b", "?q=1", "#part"],
        "uri-template" => &["https://example.com/{name}", "/items/{id}{?page}"],
        "uuid" | "guid" => &[
            "123e4567-e89b-42d3-a456-426614174000",
            "00000000-0000-0000-0000-000000000000",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ],
        "json-pointer" => &["/a/b", "", "/a~1b/0"],
        "relative-json-pointer" => &["0/a", "1", "0#"],
        "regex" => &["a+", ".*", "^[a-z]{2,3}$"],
        "byte" | "base64" => &["aGVsbG8=", ""],
        _ => &[],
    }
}
