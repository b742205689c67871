//! Which tool is to blame for time that went into waiting: answers that come late may just have been in the queue behind
//! another one.

use std::collections::HashMap;
use std::time::Duration;

/// A request that something was waited for: the tool that it calls, if it does, and when its answer came, if it did.
pub(super) type Awaited = (Option<String>, Option<Duration>);

/// An answer that is waited for as long as this is slow; what is less is the work of a server that works off many.
pub(super) const LONG: Duration = Duration::from_millis(10);

/// How long each tool was waited for from `since` until `now`, given what was asked, oldest first. Each answer is charged
/// with the time since the one before it; the time after the last one goes to the oldest request without one, since a
/// server that works off one after the other is busy with that. What is shorter than [`LONG`] is not counted.
pub(super) fn by_tool(mut asked: Vec<Awaited>, since: Duration, now: Duration) -> HashMap<String, Duration> {
    // Stable, so that what never came stays in the order in which it was asked.
    asked.sort_by_key(|(_, came)| came.unwrap_or(Duration::MAX));
    let mut waits: HashMap<String, Duration> = HashMap::new();
    let mut before = since;
    for (tool, came) in asked {
        let until = came.unwrap_or(now).min(now);
        let waited = until.saturating_sub(before);
        before = before.max(until);
        if let Some(tool) = tool.filter(|_| waited >= LONG) {
            *waits.entry(tool).or_default() += waited;
        }
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_late_is_not_who_was_behind_him() {
        let seconds = Duration::from_secs;
        let asked = |all: &[(&str, Option<u64>)]| -> Vec<Awaited> {
            let one = |(tool, came): &(&str, Option<u64>)| {
                ((!tool.is_empty()).then(|| (*tool).to_owned()), came.map(seconds))
            };
            all.iter().map(one).collect()
        };
        for (all, waits) in [
            // One after the other.
            (asked(&[("sleep", Some(15)), ("add", Some(15)), ("sleep", Some(19))]), &[("sleep", 9)][..]),
            // Side by side.
            (
                asked(&[("sleep", Some(15)), ("add", Some(11)), ("sleep", Some(15))]),
                &[("add", 1), ("sleep", 4)],
            ),
            // It came before anybody waited.
            (asked(&[("add", Some(9)), ("sleep", Some(12))]), &[("sleep", 2)]),
            // Without an answer.
            (asked(&[("add", Some(11)), ("sleep", None), ("add", None)]), &[("add", 1), ("sleep", 9)]),
            // What is no call takes its time too.
            (asked(&[("", Some(15)), ("add", Some(16))]), &[("add", 1)]),
            (asked(&[]), &[]),
        ] {
            let expected =
                waits.iter().map(|(tool, waited)| ((*tool).to_owned(), seconds(*waited))).collect();
            assert_eq!(by_tool(all.clone(), seconds(10), seconds(20)), expected, "{all:?}");
        }
    }
}
