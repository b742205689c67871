//! Turns of tools: one that takes long has no more than its share of the time, so that the others get theirs.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use mcp_conform_cases::case::Action;
use serde_json::Value;

use crate::fuzz::input::{Input, InputStep};
use crate::fuzz::suspect;
use crate::fuzz::text_of;

/// A tool may be waited for so long: one part in so many of the time, or one in as many as there are tools.
const SHARE: usize = 8;
/// All of them together may be waited for one part in so many of the time, or one in as many as there are tools, unless
/// there is nothing but such tools.
const SHARE_OF_ALL: u32 = 3;
/// A tool that was waited for one part in so many of its share, or less, is not slow.
const SLOW: u32 = 8;
/// So many calls of a tool wait for their turn in a place.
const MOST: usize = 256;
/// So many of them are made in a turn.
const AT_ONCE: usize = 4;

/// How long each tool was waited for, and the calls of those that had more than their share.
#[derive(Default)]
pub(super) struct Turns {
    waits: HashMap<String, Duration>,
    /// By the place where they are tried, by number, and the tool.
    kept: BTreeMap<(usize, String), VecDeque<Input>>,
}

impl Turns {
    /// Counts how long tools were waited for.
    pub(super) fn count(&mut self, waits: HashMap<String, Duration>) {
        for (tool, waited) in waits {
            *self.waits.entry(tool).or_default() += waited;
        }
    }

    /// Which of these tools had more than their share of so much time.
    pub(super) fn over(&self, time: Duration, tools: &[String]) -> Vec<String> {
        let parts = u32::try_from(tools.len().clamp(1, SHARE)).unwrap_or(1);
        // Any tool is waited for now and then.
        let is_slow = |waited: Duration| waited > time / (parts * SLOW);
        let waits: Vec<Duration> = tools
            .iter()
            .filter_map(|tool| self.waits.get(tool))
            .copied()
            .filter(|waited| is_slow(*waited))
            .collect();
        let sum = waits.iter().sum::<Duration>();
        let is_too_much = waits.len() < tools.len() && sum > time / parts.min(SHARE_OF_ALL);
        let over = |tool: &&String| {
            let waited = self.waits.get(*tool).copied().unwrap_or_default();
            // If some of them could go on, they would take all the time that others make room for.
            waited > time / parts || (is_too_much && is_slow(waited))
        };
        tools.iter().filter(over).cloned().collect()
    }

    /// Keeps a call of a tool until it is its turn; says whether there is room for it.
    pub(super) fn keep(&mut self, place: usize, tool: String, input: Input) -> bool {
        let kept = self.kept.entry((place, tool)).or_default();
        let has_room = kept.len() < MOST;
        if has_room {
            kept.push_back(input);
        }
        has_room
    }

    /// The oldest calls that were kept for a place, some of each tool that is not `over`.
    pub(super) fn take(&mut self, place: usize, over: &[String]) -> VecDeque<Input> {
        let mut taken = VecDeque::new();
        for ((of, tool), inputs) in &mut self.kept {
            if *of == place && !over.contains(tool) {
                taken.extend(inputs.drain(..inputs.len().min(AT_ONCE)));
            }
        }
        self.kept.retain(|_, inputs| !inputs.is_empty());
        taken
    }

    /// Whether calls are kept for a place.
    pub(super) fn has(&self, place: usize) -> bool {
        self.kept.keys().any(|(of, _)| *of == place)
    }

    /// How many calls are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.values().map(VecDeque::len).sum()
    }
}

/// The first of these tools that an input calls.
pub(super) fn called(input: &Input, tools: &[String]) -> Option<String> {
    all_called(input, tools).next()
}

/// Those of these tools that an input calls, once for each call.
pub(super) fn all_called<'a>(input: &'a Input, tools: &'a [String]) -> impl Iterator<Item = String> + 'a {
    let steps = if tools.is_empty() { &[] } else { input.steps.as_slice() };
    steps.iter().filter_map(|step| suspect::called(step, tools).or_else(|| unread_call(step, tools)))
}

/// The tool that is called by what is no JSON, or none that everybody reads: servers may read it all the same. Here that
/// counts, as the tool may take its time then; that there is no answer to it says nothing about other calls of the tool.
fn unread_call(step: &InputStep, tools: &[String]) -> Option<String> {
    let Action::Raw(text) = &step.action else { return None };
    let is_call = text.contains("tools/call") && text_of::message(text).is_none();
    let is_named = |tool: &&String| text.contains(&format!("\"name\":{}", Value::from(tool.as_str())));
    tools.iter().filter(|_| is_call).find(is_named).cloned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(|one| (*one).to_owned()).collect()
    }

    #[test]
    fn a_tool_has_its_share_of_the_time() {
        let many = names(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "sleep"]);
        for (waited, tools, over) in [
            (7, many.as_slice(), false),
            (9, &many, true),
            // Of two, each may have half.
            (29, &names(&["add", "sleep"]), false),
            (31, &names(&["add", "sleep"]), true),
            // To wait is the work then.
            (60, &names(&["sleep"]), false),
            (60, &[], false),
        ] {
            let mut turns = Turns::default();
            turns.count(HashMap::from([("sleep".to_owned(), Duration::from_secs(waited))]));
            let found = turns.over(Duration::from_secs(60), tools);
            assert_eq!(found, if over { names(&["sleep"]) } else { names(&[]) }, "{waited} of {tools:?}");
        }
    }

    #[test]
    fn all_slow_tools_together_have_their_share() {
        let seconds = Duration::from_secs;
        let all = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let over = |waits: &[(&str, u64)], tools: &[&str]| {
            let mut turns = Turns::default();
            turns.count(waits.iter().map(|(tool, waited)| ((*tool).to_owned(), seconds(*waited))).collect());
            turns.over(seconds(60), &names(tools))
        };
        let waits = [("a", 7), ("b", 7), ("c", 1), ("d", 4)];
        assert_eq!(over(&waits, &all), names(&[]), "19 of 60");
        let more = [waits.as_slice(), &[("e", 2)]].concat();
        assert_eq!(over(&more, &all), names(&["a", "b", "c", "d", "e"]), "21 of 60");
        let now_and_then: Vec<(&str, u64)> = all.iter().skip(4).map(|tool| (*tool, 0)).collect();
        let slow = [("a", 7), ("b", 7), ("c", 5), ("d", 4)];
        let with_others = over(&[&slow, now_and_then.as_slice()].concat(), &all);
        assert_eq!(with_others, names(&["a", "b", "c", "d"]), "23 of 60");
        assert_eq!(over(&waits.map(|(tool, waited)| (tool, waited * 2)), &all[..4]), names(&[]), "no others");
    }

    #[test]
    fn a_call_is_one_however_it_is_written() {
        let tools = names(&["a", "b"]);
        let call = |arguments: &str| {
            format!(
                r#"{{"id":{{{{id}}}},"method":"tools/call","params":{{"name":"b","arguments":{arguments}}}}}"#
            )
        };
        let text = |text: String| Action::Raw(text);
        for (action, called) in [
            (text(call("{}")), Some("b")),
            (text(call(r#"{"x":"\ud800"}"#)), Some("b")),
            (text(call("{}").replace("\"b\"", "\"c\"")), None),
            (text(call("NaN").replace("call", "list")), None),
            (Action::Json(json!({ "method": "tools/call", "params": { "name": "a" } })), Some("a")),
        ] {
            let shown = format!("{action:?}");
            let input = Input { origin: "", steps: vec![action.into()] };
            assert_eq!(super::called(&input, &tools).as_deref(), called, "{shown}");
        }
    }

    #[test]
    fn calls_are_kept_until_it_is_the_turn_of_their_tool() {
        let input = |origin| Input { origin, steps: Vec::new() };
        let origins = |inputs: VecDeque<Input>| inputs.iter().map(|one| one.origin).collect::<Vec<_>>();
        let mut turns = Turns::default();
        for (place, tool, origin) in
            [(0, "sleep", "1"), (0, "fetch", "2"), (1, "sleep", "3"), (0, "sleep", "4")]
        {
            assert!(turns.keep(place, tool.to_owned(), input(origin)));
        }
        assert_eq!(origins(turns.take(0, &names(&["fetch", "sleep"]))), [""; 0]);
        assert_eq!(origins(turns.take(0, &names(&["fetch"]))), ["1", "4"]);
        assert_eq!(origins(turns.take(0, &[])), ["2"]);
        assert_eq!((turns.has(0), turns.has(1), turns.len()), (false, true, 1));
        let room = (0..2 * MOST).filter(|_| turns.keep(1, "sleep".to_owned(), input("5"))).count();
        assert_eq!(room, MOST - 1);
        assert_eq!(turns.take(1, &[]).len(), AT_ONCE);
    }
}
