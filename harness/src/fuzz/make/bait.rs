//! Arguments that show by a marker that they were executed, opened or interpreted.
//!
//! What is sent never holds the marker itself, so that a server that only repeats its input is no finding.

use super::{Canary, MakerSettings};
use crate::fuzz::input::Door;
use crate::template::{escape, repeated};

/// A text, as a template, and what must not turn up after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bait {
    pub(super) text: String,
    pub(super) door: Door,
    pub(super) marker: String,
}

/// Factors of the product that only a shell or a database would work out.
const FACTORS: (u64, u64) = (8191, 8209);
/// Lengths that make an expression with exponential or cubic time slow.
const REGEX_LENGTHS: [usize; 6] = [20, 26, 32, 200, 5_000, 50_000];
/// What a text repeats that such expressions go astray on, and how it ends.
pub(in crate::fuzz) const SHAPES: [(&str, &str); 8] =
    [("a", "!"), (" ", "x"), ("0", "x"), ("a@", ""), ("ab.", "@"), ("/", "\n"), ("(", ")"), ("x,", "\n")];
/// So many folders up there is nothing but the root.
const FOLDERS_UP: usize = 16;

/// All of them.
pub(super) fn all(settings: &MakerSettings) -> Vec<Bait> {
    let mut baits: Vec<Bait> = settings.canary.iter().flat_map(files).collect();
    baits.extend(commands());
    baits.extend(queries());
    baits.extend(expressions());
    baits
}

fn files(canary: &Canary) -> Vec<Bait> {
    let path = canary.path.as_str();
    let inner = path.trim_start_matches('/');
    let up = |step: &str| step.repeat(FOLDERS_UP);
    [
        path.to_owned(),
        format!("{}{inner}", up("../")),
        format!("/{}{inner}", up("../")),
        format!("file://{path}"),
        format!("file:///{}{inner}", up("../")),
        format!("{}{inner}", up("....//")),
        format!("{}{inner}", up("%2e%2e%2f")),
        format!("{}{inner}", up("..%2f")),
        format!("{}{inner}", up("..%252f")),
        format!("{}{}", up("..\\"), inner.replace('/', "\\")),
        format!("{path}\0.txt"),
        format!("./{}{inner}", up("../")),
        format!("@{path}"),
    ]
    .into_iter()
    .map(|text| Bait {
        text: escape(&text).into_owned(),
        door: Door::PathTraversal,
        marker: canary.marker.clone(),
    })
    .collect()
}

/// The product between letters, which no calculator writes.
fn product_marker() -> String {
    format!("fz{}x", FACTORS.0.saturating_mul(FACTORS.1))
}

fn commands() -> Vec<Bait> {
    let command = format!("printf fz%sx $(({}*{}))", FACTORS.0, FACTORS.1);
    [
        format!("$({command})"),
        format!("`{command}`"),
        format!("; {command}"),
        format!("; {command} #"),
        format!("| {command}"),
        format!("& {command}"),
        format!("&& {command}"),
        format!("|| {command}"),
        format!("a\n{command}\n"),
        format!("'; {command}; '"),
        format!("\"; {command}; \""),
        format!("\"$({command})\""),
        format!("a'$({command})'"),
        format!(">/dev/null; {command}"),
    ]
    .into_iter()
    .map(|text| Bait { text: escape(&text).into_owned(), door: Door::Command, marker: product_marker() })
    .collect()
}

fn queries() -> Vec<Bait> {
    let joined = format!("'fz'||({}*{})||'x'", FACTORS.0, FACTORS.1);
    let mut baits: Vec<Bait> = [
        format!("' UNION SELECT {joined} --"),
        format!("' UNION SELECT {joined}, NULL --"),
        format!("1 UNION SELECT {joined}"),
        format!("'||{joined}||'"),
        format!("\" UNION SELECT {joined} --"),
    ]
    .into_iter()
    .map(|text| Bait { text, door: Door::Sql, marker: product_marker() })
    .collect();
    // What databases say of a quote that ends a text too early.
    for (text, marker) in [
        // As it stands in JSON; without the rest it is what any reader of tokens may say.
        ("'", "unrecognized token: \\\""),
        ("a'b", "unterminated quoted string at or near"),
        ("\\'", "You have an error in your SQL syntax"),
    ] {
        baits.push(Bait { text: text.to_owned(), door: Door::Sql, marker: marker.to_owned() });
    }
    baits
}

fn expressions() -> Vec<Bait> {
    REGEX_LENGTHS
        .into_iter()
        .flat_map(|length| {
            SHAPES.into_iter().map(move |(part, end)| format!("{}{end}", repeated(part, length)))
        })
        .chain(["(a+)+$", "(a|a)*b", "(.*)*x", "((a*)*)*b"].map(str::to_owned))
        .map(|text| Bait {
            text,
            door: Door::Regex,
            // It is the time that tells; this is what engines say that notice it themselves.
            marker: "catastrophic backtracking".to_owned(),
        })
        .collect()
}
