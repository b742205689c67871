//! Judges a leg: on a thread of its own while the next one is flown, or at once. What one thread makes and another lets go
//! of costs both of them time, so that this is only worth its while where a processor has nothing else to do.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;
use tokio::task::JoinHandle;

use super::input::Input;
use super::leg::{Leg, Try};
use super::suspect::{self, Knowledge, Suspect};

/// So many inputs of earlier legs are kept: the cause of what shows at the beginning of a leg may be among them.
const KEPT: usize = 256;

/// What is suspicious in a leg, what was tried in it, and the tools of which a call succeeded.
type Verdict = (Vec<Suspect>, Vec<Try>, HashSet<String>);

/// A leg that is being judged, or was.
pub(super) struct Judging {
    place: usize,
    later: bool,
    task: Task,
}

enum Task {
    Beside(JoinHandle<Verdict>),
    Done(Verdict),
}

/// What came of it.
pub(super) struct Judged {
    /// The place where it was flown, by number.
    pub(super) place: usize,
    /// Whether other legs were flown in the same session before.
    pub(super) later: bool,
    /// What is suspicious.
    pub(super) suspects: Vec<Suspect>,
    /// What was tried, with the last inputs of the legs before.
    pub(super) tried: Vec<Input>,
    /// The tools of which a call succeeded.
    pub(super) served: HashSet<String>,
}

impl Judging {
    /// Begins, `beside` what calls it where there is a processor for that.
    pub(super) fn begin(
        (place, later): (usize, bool),
        leg: Leg,
        knowledge: Arc<Knowledge>,
        beside: bool,
    ) -> Judging {
        let judge = move || {
            let served = served(&leg, &knowledge.tools);
            (suspect::all(&leg, &knowledge), leg.tries, served)
        };
        let task =
            if beside { Task::Beside(tokio::task::spawn_blocking(judge)) } else { Task::Done(judge()) };
        Judging { place, later, task }
    }

    /// Waits until it is done. `earlier` is what [`last_of`] leaves of the leg that was judged before it.
    pub(super) async fn end(self, mut earlier: Vec<Input>) -> Judged {
        let (mut suspects, tries, served) = match self.task {
            Task::Done(judged) => judged,
            Task::Beside(task) => match task.await {
                Ok(judged) => judged,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    // The campaign is over.
                    Err(_) => Default::default(),
                },
            },
        };
        if !self.later {
            // That was another session.
            earlier.clear();
        }
        for place in suspects.iter_mut().flat_map(|suspect| &mut suspect.tries) {
            *place += earlier.len();
        }
        let mut tried = earlier;
        tried.extend(tries.into_iter().map(|this| this.input));
        Judged { place: self.place, later: self.later, suspects, tried, served }
    }
}

/// Those of these tools of which a call succeeded. A server may accept any other name that is called as well.
pub(super) fn served(leg: &Leg, tools: &[String]) -> HashSet<String> {
    let mut served = HashSet::new();
    for call in leg.calls() {
        let name = call.params.get("name").and_then(Value::as_str);
        let Some(tool) = tools.iter().find(|tool| Some(tool.as_str()) == name) else { continue };
        // Another request may have had the same id.
        let has_content = || call.answer.get("result").is_some_and(|result| result.get("content").is_some());
        if !served.contains(tool) && has_content() && !suspect::is_refusal(call.answer) {
            served.insert(tool.clone());
        }
    }
    served
}

/// The last of the inputs that were tried, for the leg after them.
pub(super) fn last_of(mut tried: Vec<Input>) -> Vec<Input> {
    tried.split_off(tried.len().saturating_sub(KEPT))
}
