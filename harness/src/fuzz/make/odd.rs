//! Values that are odd in any place: ids, methods, parameters, names.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::template::{escape_value, repeated};

/// JSON texts for an id. None of them is an id that the session uses by itself.
pub(super) static IDS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut ids: Vec<String> = [
        "0",
        "-1",
        "1.5",
        "-0",
        "2147483648",
        "9007199254740993",
        "9223372036854775808",
        "18446744073709551616",
        "1e400",
        "1e2",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"__proto__\"",
        "\"🙂\"",
        "\"9\"",
        "null",
        "true",
        "false",
        "[]",
        "[1]",
        "{}",
        "{\"id\":1}",
    ]
    .map(str::to_owned)
    .into();
    for length in [300, 65_536] {
        ids.push(format!("\"{}\"", repeated("i", length)));
    }
    ids.push(repeated("7", 400));
    ids
});

/// JSON texts for a method.
pub(super) static METHODS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut methods: Vec<String> = [
        "\"\"",
        "\" \"",
        "\"__proto__\"",
        "\"constructor\"",
        "\"toString\"",
        "\"rpc.discover\"",
        "\"no/such/method\"",
        "\"tools\"",
        "\"tools/\"",
        "\"/tools/list\"",
        "\"TOOLS/LIST\"",
        "\"tools/list \"",
        "\"tools/list\\u0000\"",
        "\"tools\\/list\"",
        "\"t\\u006fols/list\"",
        "\"tools/liſt\"",
        "\"tools/call/../list\"",
        "\"notifications/nothing\"",
        "\"\\ud800\"",
        "0",
        "null",
        "true",
        "[]",
        "[\"tools/list\"]",
        "{}",
    ]
    .map(str::to_owned)
    .into();
    methods.push(format!("\"{}\"", repeated("m", 65_536)));
    methods.push(format!("\"{}\"", repeated("a/", 4096)));
    methods
});

/// Parameters for a method that takes an object, as JSON texts.
pub(super) static PARAMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut params: Vec<String> = [
        "null",
        "[]",
        "[1,2,3]",
        "[{}]",
        "\"\"",
        "\"params\"",
        "0",
        "-1",
        "true",
        "{}",
        "{\"\":null}",
        "{\"__proto__\":{\"name\":\"x\"}}",
        "{\"constructor\":{\"prototype\":{\"x\":1}}}",
        "{\"name\":null,\"arguments\":null}",
        "{\"_meta\":null}",
        "{\"_meta\":[]}",
        "{\"_meta\":\"x\"}",
        "{\"_meta\":{\"progressToken\":null}}",
    ]
    .map(str::to_owned)
    .into();
    params.push(format!("{}{}", repeated("[", 512), repeated("]", 512)));
    params
});

/// Values for a name, an address, a cursor or a level, as templates.
pub(super) static VALUES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut values: Vec<Value> = [
        json!(""),
        json!(" "),
        json!("\0"),
        json!("a\nb"),
        json!("__proto__"),
        json!("constructor"),
        json!("no-such-thing"),
        json!("../../../../etc/passwd"),
        json!("%00"),
        json!("%2e%2e%2f"),
        json!("{{7*7}}"),
        json!("{x}"),
        json!("'"),
        json!("🙂\u{202e}"),
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!([]),
        json!(["a"]),
        json!({}),
        json!({ "a": {} }),
    ]
    .map(escape_value)
    .into();
    values.push(json!(repeated("n", 65_536)));
    values
});
