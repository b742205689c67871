//! Streamable HTTP: status, type, and body of what answers a POST.

use mcp_conform_cases::schema::requests_to_server;
use mcp_conform_cases::{Era, Revision};
use serde_json::{Map, Value};

use super::stateless::is_modern;
use super::{Observation, breach};
use crate::judge::Breach;
use crate::judge::dialogue::Dialogue;
use crate::judge::exchanges::{Carried, Exchange, Exchanges};
use crate::judge::http::head_in_words;
use crate::session::headers::SESSION;
use crate::wire::{Content, Kind};

const JSON: &str = "application/json";
const STREAM: &str = "text/event-stream";
/// Which capability stands for methods that begin so.
const CAPABILITIES: [(&str, &str); 4] = [
    ("tools/", "tools"),
    ("prompts/", "prompts"),
    ("resources/", "resources"),
    ("completion/", "completions"),
];

/// What a head says, for a finding.
fn got(exchange: &Exchange<'_>) -> Option<String> {
    exchange.head.map(|head| head_in_words(head.status, head.headers))
}

/// A breach by the head of an answer.
fn by_head(
    dialogue: &Dialogue<'_>,
    exchange: &Exchange<'_>,
    message: String,
    expected: &str,
) -> Option<Breach> {
    let head = exchange.head?;
    Some(Breach {
        expected: Some(expected.to_owned()),
        got: got(exchange),
        ..breach(dialogue, head.entry, Some(exchange.sent), message)
    })
}

/// What was accepted, a notification or a response (`of`), is answered with status 202 (`rule: status`) and nothing
/// else (`rule: body`).
pub(super) fn accepted(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let text = |key: &str| with.get(key).and_then(Value::as_str).unwrap_or_default();
    let (of, by_body) = (text("of"), text("rule") == "body");
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for post in exchanges.posts().filter(|post| post.succeeded()) {
        let concerned = match post.carried {
            Carried::Notification(_) => of == "notification",
            Carried::Response => of == "response",
            _ => false,
        };
        if !concerned {
            continue;
        }
        if by_body {
            let Some(end) = post.whole() else { continue };
            seen.examine((end.length > 0).then(|| {
                let mut broken = breach(
                    dialogue,
                    post.arrivals.first().map_or(end.entry, |first| first.entry),
                    Some(post.sent),
                    format!("the answer to an accepted {of} has a body of {} bytes", end.length),
                );
                broken.context.extend(post.head.map(|head| head.entry));
                broken.expected = Some("no body".to_owned());
                broken
            }));
        } else {
            let wrong = post.status() != Some(202);
            let message =
                || format!("an accepted {of} was answered with status {}", post.status().unwrap_or(0));
            seen.examine(wrong.then(|| by_head(dialogue, post, message(), "status 202")).flatten());
        }
    }
    seen
}

/// Whether the request says that we take both forms of an answer.
fn accepts_both(post: &Exchange<'_>) -> bool {
    let accept = post.sent_header("accept").unwrap_or_default().to_ascii_lowercase();
    accept.contains(JSON) && accept.contains(STREAM)
}

/// A request that was taken is answered as JSON or as an event stream.
pub(super) fn media(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, _, asked) in exchanges.requests().filter(|(post, _, _)| post.succeeded() && accepts_both(post))
    {
        if exchanges.was_cancelled(&asked.id) {
            continue;
        }
        let media = post.media();
        let wrong = media != JSON && media != STREAM;
        let message = || match media.as_str() {
            "" => format!("`{}` was answered without a `Content-Type`", asked.method),
            media => format!("`{}` was answered as {media:?}", asked.method),
        };
        seen.examine(
            wrong.then(|| by_head(dialogue, post, message(), &format!("{JSON} or {STREAM}"))).flatten(),
        );
    }
    seen
}

/// An answer in JSON is the one response to the request. A wrong id is judged by other rules, unless it is that of
/// another request.
pub(super) fn json(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, place, asked) in exchanges.requests() {
        let is_json = post.succeeded() && post.media() == JSON && !post.is_encoded();
        let Some(end) = post.whole().filter(|_| is_json && !exchanges.was_cancelled(&asked.id)) else {
            continue;
        };
        let first = post.arrivals.first();
        let wrong = match first.and_then(|first| first.content()) {
            Some(Content::TooLong | Content::Beyond(_)) => continue,
            None => Some("is empty".to_owned()),
            Some(Content::Empty) => Some("is blank".to_owned()),
            Some(Content::NotJson(why)) => Some(format!("is not one JSON document: {why}")),
            Some(Content::NotUtf8(at)) => Some(format!("is no UTF-8 from byte {at} on")),
            Some(Content::NotAMessage) => Some("is no object".to_owned()),
            Some(Content::Batch(_)) => Some("is an array".to_owned()),
            Some(Content::Message(message)) => match message.kind {
                Kind::Response => {
                    let other =
                        exchanges.said_on(post).find_map(|said| said.answers).filter(|other| *other != place);
                    let foreign = message.id().is_some_and(|id| *id != *asked.id);
                    let other = other.filter(|_| foreign).and_then(|other| dialogue.asked.get(other));
                    if other.is_some_and(|other| other.hostile) {
                        continue;
                    }
                    other.map(|other| format!("is the response to another request (`{}`)", other.method))
                }
                Kind::Request => Some("is a request".to_owned()),
                Kind::Notification => Some("is a notification".to_owned()),
                // A message without result and error has a rule of its own.
                Kind::Other if !message.is_none_of_ours() => None,
                Kind::Other => Some("is no JSON-RPC message".to_owned()),
            },
        };
        seen.examine(wrong.map(|what| {
            let entry = first.map_or(end.entry, |first| first.entry);
            let message = format!("the JSON that answers `{}` {what}", asked.method);
            let mut broken = breach(dialogue, entry, Some(post.sent), message);
            broken.expected = Some("one JSON object, the response".to_owned());
            broken
        }));
    }
    seen
}

/// The answer to a request carries no response to another.
pub(super) fn own_response(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, place, asked) in exchanges.requests() {
        for said in exchanges.said_on(post).filter(|said| said.message.kind == Kind::Response) {
            if said.message.id() == Some(&asked.id) {
                seen.examine(None);
                continue;
            }
            // An unknown id, or none, is judged by other rules.
            let Some(other) = said.answers.filter(|other| *other != place) else { continue };
            let Some(other) = dialogue.asked.get(other).filter(|other| !other.hostile) else { continue };
            let message = format!("the answer to `{}` carries the response to another request", asked.method);
            let mut broken = breach(dialogue, said.entry, Some(post.sent), message);
            broken.context.push(other.entry);
            broken.expected = Some(format!("the id {}", asked.id));
            broken.got = Some(format!("the id {}", other.id));
            seen.examine(Some(broken));
        }
    }
    seen
}

/// A subscription that is granted is answered by an event stream. A refusal is judged elsewhere, whatever its form.
pub(super) fn listen(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    /// A body that comes in one piece has come by then.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    let last = dialogue.transcript.entries.len().checked_sub(1);
    for (post, _, asked) in exchanges.requests() {
        if asked.method != "subscriptions/listen" || !is_modern(asked) || !post.succeeded() {
            continue;
        }
        let refused = exchanges.said_on(post).any(|said| said.error().is_some());
        if refused {
            continue;
        }
        if post.is_stream() {
            seen.examine(None);
            continue;
        }
        let over = post.end.map(|end| end.entry).or(last);
        let waited =
            over.and_then(|over| exchanges.at(over)).zip(post.head.and_then(|head| exchanges.at(head.entry)));
        let unfinished = post.whole().is_none() && waited.is_none_or(|(over, head)| over < head + PATIENCE);
        if unfinished || post.is_encoded() {
            continue;
        }
        let message = match post.media().as_str() {
            "" => "a subscription was answered without a `Content-Type`".to_owned(),
            media => format!("a subscription was answered as {media:?}"),
        };
        seen.examine(by_head(dialogue, post, message, STREAM));
    }
    seen
}

/// Errors with the given `code` (or one of them) come with the HTTP status `status`. With `methods: absent` only for
/// methods that this revision no longer has, or whose capability the server does not declare; there a status without
/// any error is a breach too.
pub(super) fn error_status(dialogue: &Dialogue<'_>, with: &Map<String, Value>) -> Observation {
    let codes: Vec<i64> = match with.get("code") {
        Some(Value::Array(codes)) => codes.iter().filter_map(Value::as_i64).collect(),
        code => code.and_then(Value::as_i64).into_iter().collect(),
    };
    let Some(wanted) = with.get("status").and_then(Value::as_u64) else { return Observation::default() };
    let only_absent = with.get("methods").is_some_and(|methods| methods == "absent");
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, _, asked) in exchanges.requests().filter(|(_, _, asked)| is_modern(asked)) {
        if only_absent && !is_absent(dialogue, &asked.method) {
            continue;
        }
        // Who may not ask, or not now, is told so before anything else.
        let Some(status) = post.status().filter(|status| !matches!(status, 300..=399 | 401 | 403 | 429))
        else {
            continue;
        };
        let expected = format!("status {wanted} with the error code {}", list(&codes));
        let Some(first) = post.arrivals.first() else {
            let silent =
                only_absent && u64::from(status) == wanted && post.whole().is_some_and(|end| end.length == 0);
            let message = format!("`{}` got status {status} without an error in JSON-RPC", asked.method);
            seen.breaches.extend(silent.then(|| by_head(dialogue, post, message, &expected)).flatten());
            seen.examined += usize::from(silent);
            continue;
        };
        // Once a stream has carried something its status is out.
        let Some(Content::Message(message)) = first.content() else { continue };
        let code = message.value.get("error").and_then(|error| error.get("code")).and_then(Value::as_i64);
        let Some(code) = code.filter(|code| message.kind == Kind::Response && codes.contains(code)) else {
            continue;
        };
        // Another id is another finding, and perhaps another request.
        if message.id().is_some_and(|id| !id.is_null() && *id != *asked.id) {
            continue;
        }
        let wrong = u64::from(status) != wanted;
        seen.examine(
            wrong
                .then(|| {
                    let message = format!("the error {code} came with status {status}");
                    let mut broken = by_head(dialogue, post, message, &expected)?;
                    broken.context.push(first.entry);
                    Some(broken)
                })
                .flatten(),
        );
    }
    seen
}

fn list(codes: &[i64]) -> String {
    codes.iter().map(i64::to_string).collect::<Vec<_>>().join(" or ")
}

/// Whether a method is one of older revisions, or belongs to a capability that the server does not declare. What a
/// server makes of `initialize` is its own affair: it may still speak to clients of that era.
fn is_absent(dialogue: &Dialogue<'_>, method: &str) -> bool {
    let revision = dialogue.transcript.revision;
    if requests_to_server(revision).contains(&method) {
        let Some(declared) = dialogue.transcript.capabilities.as_object() else { return false };
        return CAPABILITIES
            .iter()
            .any(|(prefix, capability)| method.starts_with(prefix) && !declared.contains_key(*capability));
    }
    let is_older =
        |other: &Revision| other.era() == Era::Stateful && requests_to_server(*other).contains(&method);
    method != "initialize" && Revision::ALL.iter().any(is_older)
}

/// No answer gives a session id, not even the one that was sent along.
pub(super) fn no_session_id(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let name = SESSION.to_ascii_lowercase();
    let mut seen = Observation::default();
    let exchanges = Exchanges::streamable(dialogue);
    for (post, _, asked) in exchanges.requests() {
        if post.head.is_none() || !is_modern(asked) || asked.method == "initialize" {
            continue;
        }
        let given = post.header(&name).next();
        let echoed = given.is_some() && post.sent_header(SESSION) == given;
        let message =
            if echoed { "an answer repeats the session id" } else { "an answer gives a session id" };
        seen.examine(given.and_then(|_| by_head(dialogue, post, message.to_owned(), "no `Mcp-Session-Id`")));
    }
    seen
}

#[cfg(test)]
mod tests {
    use mcp_conform_cases::Revision;
    use serde_json::{Value, json};

    use super::super::http_recordings::{Seen, check};

    const NOW: Revision = Revision::R2026_07_28;

    fn each(name: &str, with: &Value, revision: Revision, request: &str, table: &[(&str, Seen)]) {
        for (answer, seen) in table {
            check(name, with, revision, &[(&format!("{request}\n{answer}"), *seen)]);
            let hostile = request.replace("POST", "POST!");
            check(name, with, revision, &[(&format!("{hostile}\n{answer}"), (0, 0, 0))]);
        }
    }

    #[test]
    fn what_is_accepted_gets_202_and_nothing_else() {
        let cases = [("notification", "POST *notifications/initialized"), ("response", "POST =s-1")];
        for (of, request) in cases {
            let status = [
                ("#0 202 -\n#0 end", (1, 0, 0)),
                ("#0 200 -\n#0 end", (1, 1, 0)),
                ("#0 400 -\n#0 end", (0, 0, 0)),
            ];
            each(
                "http-accepted",
                &json!({ "of": of, "rule": "status" }),
                Revision::R2025_06_18,
                request,
                &status,
            );
            let body = [
                ("#0 202 -\n#0 end", (1, 0, 0)),
                ("#0 202 text/plain\n#0 end 8", (1, 1, 0)),
                ("#0 202 -", (0, 0, 0)),
                ("#0 500 text/plain\n#0 end 8", (0, 0, 0)),
            ];
            each(
                "http-accepted",
                &json!({ "of": of, "rule": "body" }),
                Revision::R2025_06_18,
                request,
                &body,
            );
        }
        let with = json!({ "of": "response", "rule": "status" });
        each(
            "http-accepted",
            &with,
            Revision::R2025_06_18,
            "POST ?1 ping",
            &[("#0 200 -\n#0 end", (0, 0, 0))],
        );
    }

    #[test]
    fn requests_are_answered_as_json_or_stream() {
        let table = [
            ("#0 200 application/json;charset=utf-8", (1, 0, 0)),
            ("#0 200 text/event-stream", (1, 0, 0)),
            ("#0 200 text/html", (1, 1, 0)),
            ("#0 202 -", (1, 1, 0)),
            ("#0 404 text/html", (0, 0, 0)),
            ("#0 202 -\nPOST *notifications/cancelled {\"requestId\":1}", (0, 0, 0)),
        ];
        each("http-reply-media", &json!({}), Revision::R2025_06_18, "POST ?1 ping", &table);
    }

    #[test]
    fn json_is_the_one_response() {
        let head = "#0 200 application/json\n";
        let table = [
            ("#0 =1\n#0 end 9", (1, 0, 0)),
            ("#0 ~1 -32601\n#0 end 9", (1, 0, 0)),
            ("#0 end", (1, 1, 0)),
            ("#0 [{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}]\n#0 end 9", (1, 1, 0)),
            ("#0 \"text\"\n#0 end 9", (1, 1, 0)),
            ("#0 {}{}\n#0 end 9", (1, 1, 0)),
            ("#0 *notifications/message\n#0 end 9", (1, 1, 0)),
            // The id belongs to nobody, which is another finding.
            ("#0 =7\n#0 end 9", (1, 0, 0)),
            ("#0 =1", (0, 0, 0)),
            ("#0 cut", (0, 0, 0)),
        ];
        let table = table.map(|(answer, seen)| (format!("{head}{answer}"), seen));
        let table: Vec<(&str, Seen)> = table.iter().map(|(answer, seen)| (answer.as_str(), *seen)).collect();
        each("http-json-answer", &json!({}), Revision::R2025_06_18, "POST ?1 ping", &table);
        let crossed = "POST ?1 ping\nPOST ?2 ping\n#0 200 application/json\n#0 =2\n#0 end 9";
        check("http-json-answer", &json!({}), Revision::R2025_06_18, &[(crossed, (1, 1, 0))]);
    }

    #[test]
    fn answers_carry_no_other_response() {
        let table = [
            ("#0 200 text/event-stream\n#0 *notifications/message\n#0 =1", (1, 0, 0)),
            ("#0 200 text/event-stream\n#0 =2\n#0 =1", (2, 1, 0)),
            ("#0 200 application/json\n#0 =2", (1, 1, 0)),
            ("#0 200 application/json\n#0 =7", (0, 0, 0)),
            ("#0 400 application/json\n#0 ~null -32600", (0, 0, 0)),
        ];
        for (answer, seen) in table {
            let script = format!("POST ?1 tools/list\nPOST ?2 tools/list\n{answer}");
            check("http-own-response", &json!({}), NOW, &[(&script, seen)]);
        }
    }

    #[test]
    fn subscriptions_are_streams() {
        let table = [
            ("#0 200 text/event-stream", (1, 0, 0)),
            ("#0 200 application/json\n#0 =1\n#0 end 9", (1, 1, 0)),
            ("#0 200 application/json\n+1500\n#0 dropped", (1, 1, 0)),
            ("#0 200 application/json", (0, 0, 0)),
            ("#0 200 application/json\n#0 ~1 -32601\n#0 end 9", (0, 0, 0)),
            ("#0 200 text/event-stream\n#0 ~1 -32602\n#0 end", (0, 0, 0)),
            ("#0 404 application/json\n#0 ~1 -32601\n#0 end 9", (0, 0, 0)),
        ];
        each("http-listen-is-stream", &json!({}), NOW, "POST ?1 subscriptions/listen", &table);
    }

    #[test]
    fn errors_have_their_status() {
        let with = json!({ "code": [-32020, -32022], "status": 400 });
        let table = [
            ("#0 400 application/json\n#0 ~1 -32022", (1, 0, 0)),
            ("#0 200 application/json\n#0 ~1 -32022", (1, 1, 0)),
            ("#0 200 text/event-stream\n#0 ~1 -32020", (1, 1, 0)),
            ("#0 200 text/event-stream\n#0 *notifications/message\n#0 ~1 -32020", (0, 0, 0)),
            ("#0 200 application/json\n#0 ~1 -32602", (0, 0, 0)),
            ("#0 401 application/json\n#0 ~1 -32022", (0, 0, 0)),
            ("#0 404 -\n#0 end", (0, 0, 0)),
        ];
        each("http-error-status", &with, NOW, "POST ?1 tools/list", &table);
        let with = json!({ "code": -32601, "status": 404, "methods": "absent" });
        let table = [
            ("#0 404 application/json\n#0 ~1 -32601", (1, 0, 0)),
            ("#0 400 application/json\n#0 ~1 -32601", (1, 1, 0)),
            ("#0 404 -\n#0 end", (1, 1, 0)),
            ("#0 404 text/html\n#0 end 90", (0, 0, 0)),
            ("#0 200 application/json\n#0 =1", (0, 0, 0)),
        ];
        // One that was removed, and one whose capability is not declared.
        each("http-error-status", &with, NOW, "POST ?1 ping", &table);
        each("http-error-status", &with, NOW, "POST ?1 prompts/list", &table);
        for method in ["initialize", "tools/list", "mcp-conform/none"] {
            let script = format!("POST ?1 {method}\n#0 400 application/json\n#0 ~1 -32601");
            check("http-error-status", &with, NOW, &[(&script, (0, 0, 0))]);
        }
    }

    #[test]
    fn no_session_is_made_up() {
        let table = [
            ("#0 200 application/json\n#0 =1", (1, 0, 0)),
            ("#0 200 application/json mcp-session-id=5\n#0 =1", (1, 1, 0)),
            ("", (0, 0, 0)),
        ];
        each("http-session-id-not-minted", &json!({}), NOW, "POST ?1 tools/list", &table);
        let other_era = "POST ?1 initialize\n#0 200 application/json mcp-session-id=5\n#0 =1";
        check("http-session-id-not-minted", &json!({}), NOW, &[(other_era, (0, 0, 0))]);
    }
}
