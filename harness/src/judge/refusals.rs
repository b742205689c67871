//! HTTP answers in which a server, or something before it, refuses in general: not this message, but anybody, or anything
//! more for now. What a case wanted to see cannot be seen then, and nothing of the protocol is broken.

use mcp_conform_cases::case::{Action, Expect, Step};

use super::http;
use crate::transcript::{Happening, StepRecord, Transcript, Waited};
use crate::transport::http::exchange::ExchangeId;

/// Why nothing can be said of a step that was not met, if such a refusal is the reason. A step that speaks of HTTP, or
/// sets headers that may be what was refused, wants to know.
#[must_use]
pub fn of_step(step: &Step, done: &StepRecord, transcript: &Transcript) -> Option<String> {
    let wants_to_know = !step.headers.is_empty()
        || matches!(step.action, Action::Http(_) | Action::HttpRaw(_))
        || step.expect.iter().chain(&step.should).any(speaks_of_http);
    if wants_to_know {
        return None;
    }
    let status = match done.waited {
        Waited::Response(_) => None,
        Waited::Unanswered(end) => match &transcript.entries.get(end)?.what {
            Happening::End { exchange, .. } => in_exchange(transcript, *exchange),
            _ => None,
        },
        _ if step.action == Action::Barrier => any(transcript, done.begins),
        _ => in_exchange(transcript, done.exchange?),
    };
    status.map(|status| format!("the server refused in general, with HTTP status {status}"))
}

/// The status of the first such refusal after an entry.
#[must_use]
pub fn any(transcript: &Transcript, from: usize) -> Option<u16> {
    transcript.entries.iter().skip(from).find_map(|entry| match &entry.what {
        Happening::Head { exchange, .. } => in_exchange(transcript, *exchange),
        _ => None,
    })
}

/// The status of an answer, if it is such a refusal and brought no message.
fn in_exchange(transcript: &Transcript, wanted: ExchangeId) -> Option<u16> {
    let brought = |what: &Happening| matches!(what, Happening::Received { origin: Some(origin), .. } if origin.exchange == wanted);
    let mut entries = transcript.entries.iter().map(|entry| &entry.what);
    if entries.clone().any(brought) {
        return None;
    }
    entries.find_map(|what| match what {
        Happening::Head { exchange, status, .. } if *exchange == wanted && is_general(*status) => {
            Some(*status)
        }
        _ => None,
    })
}

/// No or too few rights; too many requests; trouble between us and the server. 500 is the server's own trouble.
fn is_general(status: u16) -> bool {
    matches!(status, 401 | 403 | 429 | 502 | 503 | 504)
}

fn speaks_of_http(expect: &Expect) -> bool {
    match expect {
        Expect::AnyOf(alternatives) => alternatives.iter().any(speaks_of_http),
        Expect::Members(members) => http::is_asked_for(members),
        Expect::Outcome(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use mcp_conform_cases::case::{ClientKind, Script};
    use mcp_conform_cases::{Case, Revision};
    use serde_json::json;

    use super::super::{Judgement, steps};
    use super::*;
    use crate::event::Transport;
    use crate::template::Variables;
    use crate::transcript::{Carrier, CaseRecord, Entry, Health, Origin, Pass, Reading};
    use crate::transport::http::exchange::End;
    use crate::wire::{self, Ending, Frame};

    /// A step that sends a request.
    const PLAIN: &str = "  - send: { method: ping }\n    expect: result";

    fn case(steps: &str) -> Case {
        let text = format!("id: a/b\ntitle: A title\nrequirement: ping.respond\nsteps:\n{steps}\n");
        Case::read("a/b.yaml", &text).unwrap()
    }

    /// What is judged where the answer has this status and, if so, this message in it.
    fn judged(steps: &str, status: u16, message: Option<&str>, waited: fn(usize) -> Waited) -> Judgement {
        let case = case(steps);
        assert!(matches!(&case.script, Script::Steps(steps) if steps.len() == 1));
        let carrier = Carrier {
            exchange: 0,
            method: "POST".to_owned(),
            path: "/mcp".to_owned(),
            headers: Vec::new(),
            raw: false,
        };
        let sent = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
        let mut happened = vec![
            Happening::Sent {
                bytes: sent.to_string().into_bytes(),
                message: Some(sent),
                read: Reading::Unread,
                hostile: false,
                carrier: Some(Box::new(carrier)),
            },
            Happening::Head { exchange: 0, status, headers: Vec::new() },
        ];
        if let Some(message) = message {
            let bytes = message.as_bytes().to_vec();
            let frame = Frame { length: bytes.len() as u64, bytes, ending: Ending::EndOfStream };
            let content = wire::parse(&frame);
            let origin = Some(Box::new(Origin { exchange: 0, event: None }));
            happened.push(Happening::Received { frame, content, origin });
        }
        happened.push(Happening::End { exchange: 0, end: End::Whole, body: Vec::new(), length: 0 });
        let ends = happened.len();
        let transcript = Transcript {
            revision: Revision::R2025_11_25,
            transport: Transport::Http,
            client: ClientKind::default(),
            capabilities: json!({}),
            entries: happened.into_iter().map(|what| Entry { at: Duration::ZERO, what }).collect(),
            cases: Vec::new(),
            stderr: String::new(),
        };
        let done = StepRecord {
            begins: 0,
            ends,
            sent: Some(0),
            exchange: Some(0),
            id: Some(json!(1)),
            waited: waited(ends - 1),
        };
        let pass = Pass { steps: vec![done], variables: Variables::default(), ..Pass::default() };
        let record = CaseRecord {
            case: case.id.clone(),
            hostile: false,
            begins: 0,
            ends,
            passes: vec![pass],
            health: Health::Well,
        };
        steps::case(&case, &record, &transcript)
    }

    fn unseen(judgement: &Judgement) -> bool {
        matches!(judgement, Judgement::Unseen(why) if why.contains("HTTP status"))
    }

    fn broken(judgement: &Judgement) -> bool {
        matches!(judgement, Judgement::Broken(_))
    }

    #[test]
    fn who_is_refused_in_general_sees_nothing() {
        let expected: BTreeMap<u16, bool> = BTreeMap::from([
            (401, true),
            (403, true),
            (429, true),
            (502, true),
            (503, true),
            (504, true),
            (200, false),
            (202, false),
            (400, false),
            (404, false),
            (405, false),
            (500, false),
            (501, false),
        ]);
        for (status, general) in expected {
            let judgement = judged(PLAIN, status, None, Waited::Unanswered);
            assert_eq!(
                (unseen(&judgement), broken(&judgement)),
                (general, !general),
                "{status}: {judgement:?}"
            );
        }
    }

    #[test]
    fn a_message_counts_whatever_is_beside_it() {
        let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"No"}}"#;
        assert!(broken(&judged(PLAIN, 503, Some(error), |end| Waited::Response(end - 1))));
        assert!(broken(&judged(PLAIN, 429, Some(error), Waited::Unanswered)));
    }

    #[test]
    fn a_step_about_http_wants_to_know() {
        for steps in [
            "  - send: { method: ping }\n    expect: { http.status: 200 }",
            "  - send: { method: ping }\n    expect: { any_of: [result, { http.status: 404 }] }",
            "  - send: { method: ping }\n    headers: { Origin: null }\n    expect: result",
        ] {
            assert!(broken(&judged(steps, 403, None, Waited::Unanswered)), "{steps}");
        }
    }

    #[test]
    fn who_says_that_it_is_busy_does_not_hang() {
        let timed_out = |_| Waited::TimedOut;
        assert!(unseen(&judged("  - barrier: true", 503, None, timed_out)));
        assert!(broken(&judged("  - barrier: true", 500, None, timed_out)));
    }
}
