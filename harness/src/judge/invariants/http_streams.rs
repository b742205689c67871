//! Streamable HTTP: how the streams that answer requests end.

use std::collections::HashMap;
use std::time::Duration;

use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::judge::exchanges::{Arrival, Carried, Exchange, Exchanges};

/// How long a stream may stay open after its last response.
const TIME_TO_END: Duration = Duration::from_secs(2);
/// Proxies do not close a quiet stream sooner.
const PATIENCE_OF_PROXIES: Duration = Duration::from_secs(5);

/// After the response the stream ends. One that is still open has to be proven so: by the head of an answer to something
/// that we sent when the time was up, for what we hear late may have come in time.
pub(super) fn ends(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let proofs = proofs(&exchanges);
    for post in exchanges.posts().filter(|post| post.is_stream() && !post.was_dropped()) {
        let Some(answered) = last_response(&exchanges, post) else { continue };
        let Some(limit) = exchanges.at(answered).map(|at| at + TIME_TO_END) else { continue };
        let heard = post.end.map_or(usize::MAX, |end| end.entry);
        let before = proofs.partition_point(|(head, _, _)| *head < heard);
        let open =
            before.checked_sub(1).and_then(|last| proofs.get(last)).filter(|(_, sent, _)| *sent >= limit);
        if open.is_none() && post.end.is_none() {
            continue;
        }
        seen.examine(open.map(|(_, _, witness)| {
            let mut broken =
                breach(dialogue, answered, Some(post.sent), "a stream stayed open after its response");
            broken.context.push(*witness);
            broken.expected = Some(format!("its end within {} s", TIME_TO_END.as_secs()));
            broken.got = Some("it was still open when something that we sent later was answered".to_owned());
            broken
        }));
    }
    seen
}

/// Whether nothing had come for so long when an answer ended that something between us and the server may have lost its
/// patience.
fn was_quiet(exchanges: &Exchanges<'_>, exchange: &Exchange<'_>, end: usize) -> bool {
    let last = exchange.arrivals.last().map(|arrival| arrival.entry).or(exchange.head.map(|head| head.entry));
    let silence = last.and_then(|last| exchanges.at(last)).zip(exchanges.at(end));
    silence.is_some_and(|(last, end)| end.saturating_sub(last) >= PATIENCE_OF_PROXIES)
}

/// The entries of heads, and of what was sent last of all that they and those before them answer: when, and its head.
fn proofs(exchanges: &Exchanges<'_>) -> Vec<(usize, Duration, usize)> {
    let mut heads: Vec<(usize, Duration)> = exchanges
        .all
        .iter()
        .filter_map(|exchange| Some((exchange.head?.entry, exchanges.at(exchange.sent)?)))
        .collect();
    heads.sort_unstable();
    let mut latest = (Duration::ZERO, 0);
    heads
        .into_iter()
        .map(|(head, sent)| {
            if sent >= latest.0 {
                latest = (sent, head);
            }
            (head, latest.0, latest.1)
        })
        .collect()
}

/// The entry with the last of the responses that a stream owes, if all have come.
fn last_response(exchanges: &Exchanges<'_>, post: &Exchange<'_>) -> Option<usize> {
    if let Some((id, _)) = post.request() {
        return exchanges.response_on(post, id);
    }
    let mut last = None;
    for id in owed(post) {
        last = last.max(Some(exchanges.response_named(post, id)?));
    }
    last
}

/// The ids of the requests in an array.
fn owed<'d>(post: &Exchange<'d>) -> Vec<&'d Value> {
    let Carried::Batch(members) = post.carried else { return Vec::new() };
    let requests = members.iter().filter(|member| member.get("method").is_some_and(Value::is_string));
    requests.filter_map(|member| member.get("id")).collect()
}

/// Whether the server itself ended the answer, in good order and without any visible reason outside of it.
fn ended_by_server(exchanges: &Exchanges<'_>, exchange: &Exchange<'_>) -> Option<usize> {
    exchange.whole().map(|end| end.entry).filter(|end| exchanges.is_calm_at(*end))
}

fn is_garbled(exchange: &Exchange<'_>) -> bool {
    exchange.arrivals.iter().any(Arrival::is_garbled)
}

/// A stream that is closed before its response, which comes when it is taken up again, names the time to come back
/// after. One that has lost its response is the finding of another rule.
pub(super) fn retry(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, place, asked) in exchanges.requests().filter(|(post, _, _)| post.is_stream()) {
        let Some(end) = ended_by_server(&exchanges, post) else { continue };
        let came_later = exchanges.answered_at(place).is_some_and(|answer| {
            answer > end
                && exchanges.bearer(answer).is_some_and(|bearer| bearer.is("GET") && bearer.resumes())
        });
        if !came_later || exchanges.response_on(post, &asked.id).is_some() {
            continue;
        }
        let told =
            post.arrivals.iter().any(|arrival| arrival.event.is_some_and(|event| event.retry.is_some()));
        seen.examine((!told).then(|| {
            let mut broken = breach(
                dialogue,
                end,
                Some(post.sent),
                "a stream was closed before its response, and no event had a `retry` field",
            );
            broken.context.extend(post.arrivals.last().map(|arrival| arrival.entry));
            broken
        }));
    }
    seen
}

/// A stream that answers an array brings the response to each request in it, alone or in arrays.
pub(super) fn batch(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for post in exchanges.posts().filter(|post| post.is_stream()) {
        let Carried::Batch(members) = post.carried else { continue };
        let owed = owed(post);
        let proper = members.iter().all(|member| member.get("method").is_some_and(Value::is_string));
        if !proper || owed.is_empty() || owed.iter().any(|id| exchanges.was_cancelled(id)) {
            continue;
        }
        let missing: Vec<&&Value> =
            owed.iter().filter(|id| exchanges.response_named(post, id).is_none()).collect();
        let ended = ended_by_server(&exchanges, post).filter(|_| !is_garbled(post));
        match (missing.first(), ended) {
            (None, _) => seen.examine(None),
            (Some(id), Some(end)) => {
                let message = format!("a stream ended without the response to {id}, which it owed an array");
                let mut broken = breach(dialogue, end, Some(post.sent), message);
                broken.expected = Some(format!("{} responses", owed.len()));
                broken.got = Some((owed.len() - missing.len()).to_string());
                broken.context.extend(post.arrivals.iter().map(|arrival| arrival.entry).take(6));
                seen.examine(Some(broken));
            }
            (Some(_), None) => {}
        }
    }
    seen
}

/// A request that was taken gets its response before the answer ends. With `resumed`, where streams can be taken up
/// again, together with what came then. A response that came elsewhere is the finding of other rules, and so is an
/// answer in which something could not be read.
pub(super) fn delivered(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let resumed = with.get("resumed") == Some(&Value::Bool(true))
        && dialogue.transcript.revision == Revision::R2025_11_25;
    let stateless = dialogue.transcript.revision.era() == Era::Stateless;
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let next = if resumed { continuations(&exchanges) } else { HashMap::new() };
    for (post, place, asked) in exchanges.requests().filter(|(post, _, _)| post.succeeded()) {
        // A subscription may end without a word; answers in JSON are judged by rules of their own.
        if asked.method == "subscriptions/listen" || !(post.is_stream() || stateless) {
            continue;
        }
        let mut chain = vec![post];
        while let Some(more) =
            chain.last().and_then(|last| next.get(&last.sent)).and_then(|place| exchanges.all.get(*place))
        {
            chain.push(more);
        }
        if chain.iter().any(|part| exchanges.response_on(part, &asked.id).is_some()) {
            seen.examine(None);
            continue;
        }
        let Some(last) = chain.last().copied().filter(|_| post.is_stream()) else { continue };
        let doubtful = chain.iter().any(|part| is_garbled(part))
            || exchanges.answered_at(place).is_some()
            || exchanges.was_cancelled(&asked.id)
            // It might have been taken up again, and was not.
            || (resumed && last.last_event_id().is_some())
            || (chain.len() > 1 && is_refusal(last.status()));
        let Some(end) = ended_by_server(&exchanges, last).filter(|_| !doubtful) else { continue };
        let what = if chain.len() > 1 {
            "a stream ended without the response to its request, and so did what came when it was taken up again"
        } else {
            "a stream ended without the response to its request"
        };
        let mut broken = breach(dialogue, end, Some(post.sent), format!("{what} (`{}`)", asked.method));
        broken.context.extend(chain.iter().skip(1).map(|part| part.sent));
        broken.context.extend(last.head.map(|head| head.entry));
        broken.advice = was_quiet(&exchanges, last, end);
        seen.examine(Some(broken));
    }
    seen
}

/// Statuses that say nothing of streams: the client may not, should come later, or has no session any more.
fn is_refusal(status: Option<u16>) -> bool {
    !matches!(status, Some(status) if (200..300).contains(&status) || (400..500).contains(&status) && !matches!(status, 401 | 403 | 404 | 429))
}

/// By the entry of the request whose answer ended early, the place of the exchange that took it up again.
fn continuations(exchanges: &Exchanges<'_>) -> HashMap<usize, usize> {
    let mut events: Vec<(usize, usize, bool)> = Vec::new();
    for (place, exchange) in exchanges.all.iter().enumerate().filter(|(_, exchange)| !exchange.hostile) {
        if exchange.is("GET") && exchange.resumes() {
            events.push((exchange.sent, place, true));
        }
        events.extend(exchange.end.map(|end| (end.entry, place, false)));
    }
    events.sort_unstable();
    // Servers may use an id for several streams; we come back as soon as one has ended.
    let mut ended: HashMap<&str, usize> = HashMap::new();
    let mut next = HashMap::new();
    for (_, place, resumes) in events {
        let Some(exchange) = exchanges.all.get(place) else { continue };
        if resumes {
            if let Some(before) = exchange.sent_header("last-event-id").and_then(|id| ended.remove(id)) {
                next.insert(before, place);
            }
        } else if let Some(id) = exchange.last_event_id() {
            ended.insert(id, exchange.sent);
        }
    }
    next
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::json;

    use super::super::http_recordings::check;

    const ASKED: &str = "POST ?1 tools/call\n#0 200 text/event-stream\n";
    /// The request, an event with an id, and the end.
    const EARLY: &str = "POST ?1 tools/call\n#0 200 text/event-stream\n#0 @a\n#0 end\n";

    #[test]
    fn streams_end_with_the_response() {
        let answered = format!("{ASKED}#0 =1\n");
        let later = "POST ?2 ping\n#1 200 application/json\n#1 =2\n#1 end\n";
        let table = [
            (format!("{answered}#0 end\n{later}"), (1, 0, 0)),
            // We may hear of an end long after it came.
            (format!("{answered}+9000\n#0 end\n"), (1, 0, 0)),
            (format!("{answered}+9000\nPOST ?2 ping\n#0 end\n"), (1, 0, 0)),
            (format!("{answered}+1000\n{later}"), (0, 0, 0)),
            (format!("{answered}+2500\n{later}"), (1, 1, 0)),
            (format!("{answered}+2500\n{later}#0 end\n"), (1, 1, 0)),
            (format!("{answered}#0 dropped\n+2500\n{later}"), (0, 0, 0)),
            (format!("{ASKED}+2500\n{later}"), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-stream-ends", &json!({}), Revision::R2025_06_18, &[(script, *seen)]);
        }
        let array = r#"POST [{"id":1,"method":"ping"},{"id":2,"method":"ping"}]"#;
        let script =
            format!("{array}\n#0 200 text/event-stream\n#0 =1\n+3000\nPOST ?3 ping\n#1 200 -\n#0 =2\n#0 end");
        check("http-stream-ends", &json!({}), Revision::R2025_03_26, &[(&script, (1, 0, 0))]);
    }

    #[test]
    fn a_stream_that_is_closed_early_says_when_to_come_back() {
        let again = "GET Last-Event-ID=a\n#1 200 text/event-stream\n#1 @b =1\n#1 end\n";
        let table = [
            (format!("{EARLY}{again}"), (1, 1, 0)),
            (format!("{}{again}", EARLY.replace("@a", "@a retry=50")), (1, 0, 0)),
            (format!("{ASKED}#0 @a\n#0 =1\n#0 end\n"), (0, 0, 0)),
            (EARLY.to_owned(), (0, 0, 0)),
            (format!("{}{again}", EARLY.replace("end", "cut")), (0, 0, 0)),
            (format!("{EARLY}{again}gone\n"), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-sse-retry", &json!({}), Revision::R2025_11_25, &[(script, *seen)]);
        }
    }

    #[test]
    fn arrays_are_answered_in_full() {
        let array =
            r#"POST [{"id":1,"method":"ping"},{"id":2,"method":"ping"},{"method":"notifications/x"}]"#;
        let head = "\n#0 200 text/event-stream\n";
        let table = [
            (format!("{array}{head}#0 =2\n#0 =1\n#0 end\n"), (1, 0, 0)),
            (
                format!("{array}{head}#0 [{{\"id\":1,\"result\":{{}}}},{{\"id\":2,\"result\":{{}}}}]\n"),
                (1, 0, 0),
            ),
            (format!("{array}{head}#0 =1\n#0 end\n"), (1, 1, 0)),
            (format!("{array}{head}#0 =1\n"), (0, 0, 0)),
            (format!("{array}{head}#0 =1\n#0 cut\n"), (0, 0, 0)),
            (format!("{}{head}#0 =1\n#0 end\n", array.replace("POST", "POST!")), (0, 0, 0)),
        ];
        for (script, seen) in &table {
            check("http-batch-on-stream", &json!({}), Revision::R2025_03_26, &[(script, *seen)]);
        }
    }

    #[test]
    fn responses_are_delivered() {
        let again = "GET Last-Event-ID=a\n";
        let both = [
            (format!("{ASKED}#0 =1\n#0 end\n"), (1, 0, 0)),
            (format!("{ASKED}#0 end\n"), (1, 1, 0)),
            (format!("{ASKED}+6000\n#0 end\n"), (1, 0, 1)),
            (ASKED.to_owned(), (0, 0, 0)),
            (format!("{ASKED}#0 cut\n"), (0, 0, 0)),
            (format!("{ASKED}#0 dropped\n"), (0, 0, 0)),
            (format!("{ASKED}#0 end\ngone\n"), (0, 0, 0)),
            (format!("{ASKED}DELETE\n#0 end\n"), (0, 0, 0)),
            (format!("{ASKED}#0 type=mcp =1\n#0 end\n"), (0, 0, 0)),
            (format!("{ASKED}#0 {{\n#0 end\n"), (0, 0, 0)),
            ("POST ?1 tools/call\n#0 500 text/event-stream\n#0 end\n".to_owned(), (0, 0, 0)),
            (ASKED.replace("POST", "POST!") + "#0 end\n", (0, 0, 0)),
            // On another stream, which is another finding.
            (
                format!("GET\n#0 200 text/event-stream\n{}#0 =1\n#1 end\n", ASKED.replace("#0", "#1")),
                (0, 0, 0),
            ),
        ];
        let resumed = [
            (format!("{EARLY}{again}#1 200 text/event-stream\n#1 @b =1\n#1 end\n"), (1, 0, 0)),
            (format!("{EARLY}{again}#1 200 text/event-stream\n#1 end\n"), (1, 1, 0)),
            (format!("{EARLY}{again}#1 405 -\n#1 end\n"), (1, 1, 0)),
            (format!("{EARLY}{again}#1 404 -\n#1 end\n"), (0, 0, 0)),
            (format!("{EARLY}{again}#1 200 text/event-stream\n"), (0, 0, 0)),
            (EARLY.to_owned(), (0, 0, 0)),
            (
                format!(
                    "{EARLY}{again}#1 200 text/event-stream\n#1 @b\n#1 end\nGET Last-Event-ID=b\n#2 200 text/event-stream\n#2 =1\n"
                ),
                (1, 0, 0),
            ),
        ];
        for (script, seen) in both.iter().chain(&resumed) {
            check(
                "http-response-delivered",
                &json!({ "resumed": true }),
                Revision::R2025_11_25,
                &[(script, *seen)],
            );
        }
        for (script, seen) in &both {
            check(
                "http-response-delivered",
                &json!({ "resumed": false }),
                Revision::R2025_06_18,
                &[(script, *seen)],
            );
            check(
                "http-response-delivered",
                &json!({ "resumed": true }),
                Revision::R2026_07_28,
                &[(script, *seen)],
            );
        }
        let with = json!({ "resumed": false });
        check("http-response-delivered", &with, Revision::R2025_06_18, &[(EARLY, (1, 1, 0))]);
        let json = "POST ?1 tools/call\n#0 200 application/json\n#0 =1\n#0 end";
        check("http-response-delivered", &with, Revision::R2025_06_18, &[(json, (0, 0, 0))]);
        let listen = "POST ?1 subscriptions/listen\n#0 200 text/event-stream\n#0 end";
        check(
            "http-response-delivered",
            &with,
            Revision::R2026_07_28,
            &[(json, (1, 0, 0)), (listen, (0, 0, 0))],
        );
    }

    #[test]
    fn a_session_that_expired_owes_nothing() {
        let call = ASKED.replace("POST", "POST^");
        let after = "#0 end\nPOST^ ?2 ping\n#1 404 -\n#1 end\n";
        let table = [
            (format!("{call}{after}"), (0, 0, 0)),
            (format!("{call}{after}POST^ ?3 ping\n#2 200 -\n"), (1, 1, 0)),
            // Only requests that name the session tell.
            (format!("{call}{}", after.replace('^', "")), (1, 1, 0)),
        ];
        for (script, seen) in &table {
            check("http-response-delivered", &json!({}), Revision::R2025_06_18, &[(script, *seen)]);
        }
    }
}
