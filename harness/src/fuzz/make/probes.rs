//! Boundary values for one place in a tool's arguments.

use std::sync::LazyLock;

use serde_json::{Map, Number, Value, json};

use super::text::TELLING;
use super::tool::Kind;
use crate::template::{escape_value, repeated};

/// Lengths at which buffers end, in characters.
const LENGTHS: [usize; 7] = [255, 256, 1024, 4097, 65_536, 65_537, 1024 * 1024];
/// Depths at which parsers give up, or do not.
const DEPTHS: [usize; 5] = [64, 129, 512, 1000, 10_000];

/// A value for one place.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    /// A value, as a template.
    Value(Value),
    /// JSON that no library would write, as a template.
    Written(String),
}

impl Probe {
    /// How long the longest text in it may become, in bytes.
    fn size(&self) -> usize {
        match self {
            Probe::Value(Value::String(text)) | Probe::Written(text) => expanded(text),
            Probe::Value(_) => 0,
        }
    }
}

/// The length of a template once its repetitions are written out.
fn expanded(text: &str) -> usize {
    crate::template::pieces(text).fold(0_usize, |sum, piece| {
        sum.saturating_add(match piece {
            Ok(crate::template::Piece::Literal { text, times }) => text.len().saturating_mul(times),
            Ok(crate::template::Piece::Text(text)) => text.len(),
            Ok(crate::template::Piece::Name(_)) | Err(_) => 0,
        })
    })
}

/// The probes for a place of this kind, those of its own kind first.
pub(super) fn of(kind: Kind, largest_text: usize) -> impl Iterator<Item = &'static Probe> {
    let (first, second, third) = match kind {
        Kind::Text => (&*TEXTS, &*SHAPES, &*NUMBERS),
        Kind::Number => (&*NUMBERS, &*SHAPES, &*SHORT_TEXTS),
        Kind::Other => (&*SHAPES, &*NUMBERS, &*SHORT_TEXTS),
    };
    // Longer ones are only worth their while where a text belongs.
    let all = first.iter().chain(second).chain(third);
    all.filter(move |(size, _)| *size <= largest_text).map(|(_, probe)| probe)
}

/// Probes with their sizes, which are asked for again and again.
type Measured = Vec<(usize, Probe)>;

fn measured(probes: Vec<Probe>) -> Measured {
    probes.into_iter().map(|probe| (probe.size(), probe)).collect()
}

static TEXTS: LazyLock<Measured> = LazyLock::new(|| {
    let mut probes: Vec<Probe> = TELLING.iter().map(|text| Probe::Value(escape_value(json!(text)))).collect();
    probes.extend(LENGTHS.into_iter().map(|length| Probe::Value(json!(repeated("a", length)))));
    probes.push(Probe::Value(json!(repeated("🙂", 16_384))));
    probes.push(Probe::Value(json!(repeated("\0", 1024))));
    probes.push(Probe::Value(json!(repeated("\\\"", 4096))));
    probes.push(Probe::Value(json!(repeated("e\u{301}", 4096))));
    probes.push(Probe::Value(json!(repeated("../", 2000))));
    for written in [
        // Half of a pair, both halves the wrong way round, and one at the end.
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"a\\udfff\"",
        "\"\\u0000\"",
        "\"\\uD83D\\uDE00\"",
        // No JSON, although some parsers take it.
        "\"a\tb\"",
        "\"\\x41\"",
        "'a'",
        "\"a",
        "\"\\u12\"",
    ] {
        probes.push(Probe::Written(written.to_owned()));
    }
    measured(probes)
});

/// Texts where none belongs.
static SHORT_TEXTS: LazyLock<Measured> = LazyLock::new(|| {
    let probes = [
        "",
        "a",
        "0",
        "1",
        "-1",
        "1.5",
        "1e3",
        "0x1F",
        " 1 ",
        "٣",
        "true",
        "null",
        "[]",
        "{}",
        "NaN",
        "9999999999999999999999",
    ]
    .into_iter()
    .map(|text| Probe::Value(json!(text)));
    measured(probes.collect())
});

static NUMBERS: LazyLock<Measured> = LazyLock::new(|| {
    let whole = [
        0_i64,
        1,
        -1,
        2,
        127,
        128,
        255,
        256,
        65_535,
        65_536,
        (1 << 31) - 1,
        1 << 31,
        -(1 << 31),
        -(1 << 31) - 1,
        (1 << 32) - 1,
        1 << 32,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        -(1 << 53) - 1,
        i64::MAX,
        i64::MIN,
    ];
    let mut probes: Vec<Probe> = whole.into_iter().map(|number| Probe::Value(json!(number))).collect();
    probes.extend([1_u64 << 63, u64::MAX].into_iter().map(|number| Probe::Value(json!(number))));
    let fractions =
        [-0.0, 0.1, 0.5, 1.5, -1.5, 1e-7, 1e21, 1e308, -1e308, f64::MAX, f64::MIN_POSITIVE, 1e-320];
    probes.extend(fractions.into_iter().filter_map(Number::from_f64).map(Value::Number).map(Probe::Value));
    for written in [
        "-0",
        "1.0",
        "1e2",
        "18446744073709551616",
        "-9223372036854775809",
        "1e400",
        "-1e400",
        "1e-400",
        "1E+2",
        "0.1e99999999999",
        "NaN",
        "Infinity",
        "-Infinity",
        "01",
        "+1",
        ".5",
        "1.",
        "0x10",
        "1_000",
        "--1",
    ] {
        probes.push(Probe::Written(written.to_owned()));
    }
    // As many digits as some parsers take quadratic time for.
    probes.push(Probe::Written(repeated("9", 20_000)));
    probes.push(Probe::Written(format!("0.{}1", repeated("0", 20_000))));
    measured(probes)
});

static SHAPES: LazyLock<Measured> = LazyLock::new(|| {
    let mut probes: Vec<Probe> = [
        json!(null),
        json!(true),
        json!(false),
        json!([]),
        json!({}),
        json!([[]]),
        json!([null]),
        json!([{}]),
        json!([1, "a", null, [], {}]),
        json!({ "": "" }),
        json!({ "a": { "a": { "a": {} } } }),
        json!({ "__proto__": { "polluted": true } }),
        json!({ "constructor": { "prototype": { "polluted": true } } }),
        json!({ "toString": 1, "valueOf": 1, "length": -1 }),
        json!({ "$ref": "#" }),
        json!({ "$gt": "" }),
        json!(0),
        json!("a"),
    ]
    .into_iter()
    .map(Probe::Value)
    .collect();
    probes.push(Probe::Value(Value::Array(vec![json!(0); 1000])));
    let many: Map<String, Value> = (0..1000).map(|index| (format!("k{index}"), json!(index))).collect();
    probes.push(Probe::Value(Value::Object(many)));
    for depth in DEPTHS {
        probes.push(Probe::Written(format!("{}{}", repeated("[", depth), repeated("]", depth))));
        probes.push(Probe::Written(format!("{}1{}", repeated("{\"a\":", depth), repeated("}", depth))));
    }
    for written in [
        "{\"a\":1,\"a\":2}",
        "{\"__proto__\":1,\"__proto__\":[]}",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "[1 2]",
        "undefined",
        "nul",
        "True",
        "/**/1",
        "",
        ",",
        "{\"\\ud800\":1}",
    ] {
        probes.push(Probe::Written(written.to_owned()));
    }
    measured(probes)
});
