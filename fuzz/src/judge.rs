//! The judge: it bears every recording, judges it the same way twice, points only at what is there, and calls nothing
//! good that nobody has seen.

mod recording;

use std::sync::OnceLock;

use mcp_conform::judge::dialogue::Dialogue;
use mcp_conform::judge::invariants::rule;
use mcp_conform::judge::{Breach, Judgement, evidence, steps};
use mcp_conform::transcript::{Happening, Transcript};
use mcp_conform_cases::Library;
use mcp_conform_cases::case::Script;

/// The longest input, in bytes; longer ones only cost time.
const MAX_INPUT: usize = 8 * 1024;
/// Rules that go by what was found out about the session at the end of a case, not by what was said.
const BY_HEALTH: [&str; 2] = ["no-crash", "no-hang"];

/// Tries one input: a recording as [`recording`] describes it.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    if data.len() > MAX_INPUT {
        return;
    }
    let library = library();
    let transcript = recording::read(data, library);
    let dialogue = Dialogue::of(&transcript);
    let again = Dialogue::of(&transcript);
    let heard = transcript.entries.iter().any(|entry| !matches!(entry.what, Happening::Sent { .. }));
    // That nothing came of what was sent can be seen, too.
    let is_something = !transcript.entries.is_empty();
    for case in &library.cases {
        let Script::Invariant(invariant) = &case.script else { continue };
        let rule = rule(&invariant.name).expect("the library names rules that exist");
        let seen = rule(&dialogue, &invariant.with);
        assert_eq!(seen, rule(&again, &invariant.with), "{} judges differently the second time", case.id);
        assert!(
            is_something || seen.examined == 0 || BY_HEALTH.contains(&invariant.name.as_str()),
            "{} says something about nothing",
            case.id
        );
        seen.breaches.iter().for_each(|breach| proven(breach, &transcript, &case.id));
    }
    for record in &transcript.cases {
        let Some(case) = library.cases.iter().find(|case| case.id == record.case) else { continue };
        let judgement = steps::case(case, record, &transcript);
        assert_eq!(judgement, steps::case(case, record, &transcript), "{} twice", case.id);
        match judgement {
            Judgement::Kept => assert!(heard, "{} passed without a word from the server", case.id),
            Judgement::Broken(breach) => proven(&breach, &transcript, &case.id),
            Judgement::Unseen(why) => assert!(!why.is_empty()),
        }
    }
}

/// A breach says something, and the frames that prove it are there.
fn proven(breach: &Breach, transcript: &Transcript, case: &str) {
    assert!(!breach.message.is_empty(), "{case}");
    let there = |entry: &usize| *entry < transcript.entries.len();
    assert!(breach.culprits.iter().chain(&breach.context).all(there), "{case}: {breach:?}");
    let shown = evidence::of(transcript, breach);
    assert_eq!(
        shown.is_empty(),
        breach.culprits.is_empty() && breach.context.is_empty(),
        "{case}: {breach:?}"
    );
    assert!(shown.is_sorted_by_key(|one| one.at_us), "{case}: {shown:?}");
    assert!(shown.iter().any(|one| one.culprit) || breach.culprits.is_empty(), "{case}: {breach:?}");
}

/// The built-in cases.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::builtin().expect("the library is sound"))
}
