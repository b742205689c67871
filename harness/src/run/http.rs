//! Carries out the steps of a case that speak of HTTP itself.

use mcp_conform_cases::case::{Action, Headers, HttpRaw, HttpRequest, Step};
use serde_json::Value;
use tokio::time::Instant;

use crate::session::Session;
use crate::template::{self, TemplateError, Variables};
use crate::transcript::{Happening, Waited};
use crate::transport::http::exchange::ExchangeId;
use crate::wire::Content;

/// Headers with their templates filled in.
pub(super) fn headers(headers: &Headers, known: &Variables) -> Result<Headers, TemplateError> {
    headers
        .iter()
        .map(|(name, value)| {
            Ok((name.clone(), value.as_deref().map(|value| fill(value, known)).transpose()?))
        })
        .collect()
}

fn fill(text: &str, known: &Variables) -> Result<String, TemplateError> {
    Ok(match template::fill(&Value::String(text.to_owned()), known)? {
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// Makes a request; returns its entry.
pub(super) fn request(
    session: &mut Session,
    request: &HttpRequest,
    known: &Variables,
) -> Result<usize, TemplateError> {
    let path = request.path.as_deref().map(|path| fill(path, known)).transpose()?;
    let body = request.body.as_deref().map(|body| template::fill_raw(body, known)).transpose()?;
    let body = body.unwrap_or_default().into_bytes();
    Ok(session.request_http(&request.method, request.host.as_deref(), path.as_deref(), body))
}

/// Makes a request that is written out; returns its entry.
pub(super) fn written_out(
    session: &mut Session,
    raw: &HttpRaw,
    known: &Variables,
) -> Result<usize, TemplateError> {
    let usual = |line: &String| {
        if line == "{{http.headers}}" { Ok(line.clone()) } else { fill(line, known) }
    };
    let head: Vec<String> = raw.head.iter().map(usual).collect::<Result<_, _>>()?;
    let body =
        raw.body.as_deref().map(|body| template::fill_raw(body, known)).transpose()?.unwrap_or_default();
    let tells_length = head.iter().any(|line| {
        let name = line.split(':').next().unwrap_or_default().trim().to_ascii_lowercase();
        name == "content-length" || name == "transfer-encoding"
    });
    let tell_length = raw.body.is_some() && !tells_length;
    Ok(session.request_raw(&head, body.as_bytes(), tell_length, raw.cut_after))
}

/// Drops the connection of an earlier step.
pub(super) fn close(session: &mut Session, name: &str, known: &Variables) {
    let exchange = known.get(name).and_then(|step| step.get("exchange")).and_then(Value::as_u64);
    if let Some(exchange) = exchange.and_then(|exchange| ExchangeId::try_from(exchange).ok()) {
        session.drop_exchange(exchange);
    }
}

/// Whether the HTTP answer itself is what a step waits for, and not the response to a request.
pub(super) fn is_waited_for(step: &Step) -> bool {
    !matches!(&step.action, Action::Request(_))
}

/// Gives templates the id of the last event that came on the stream of each step with a name.
pub(super) fn note_events(session: &Session, script: &[Step], known: &mut Variables) {
    for name in script.iter().filter_map(|step| step.name.as_ref()) {
        let Some(Value::Object(mut named)) = known.get(name).cloned() else { continue };
        let exchange = named.get("exchange").and_then(Value::as_u64);
        let exchange = exchange.and_then(|exchange| ExchangeId::try_from(exchange).ok());
        if let Some(event) = exchange.and_then(|exchange| session.last_event(exchange)) {
            named.insert("event".to_owned(), Value::String(event.to_owned()));
            known.insert(name.clone(), Value::Object(named));
        }
    }
}

/// Waits for an HTTP answer; says how that ended.
pub(super) async fn outcome(
    session: &mut Session,
    step: &Step,
    exchange: ExchangeId,
    deadline: Instant,
) -> Waited {
    let head_is_enough = matches!(&step.action, Action::Http(request) if request.open);
    if !session.exchange_over(exchange, head_is_enough, deadline).await {
        return if session.is_closed() { Waited::Closed } else { Waited::TimedOut };
    }
    if !matches!(step.action, Action::Http(_) | Action::HttpRaw(_)) {
        return Waited::NotWaited;
    }
    let ours = |what: &Happening| match what {
        Happening::Received {
            content: Content::Message(_) | Content::Batch(_),
            origin: Some(origin),
            ..
        } => origin.exchange == exchange,
        _ => false,
    };
    let entries = session.transcript.entries.iter().enumerate();
    let message = entries.clone().find(|(_, entry)| ours(&entry.what)).map(|(index, _)| index);
    let end = entries
        .filter(
            |(_, entry)| matches!(&entry.what, Happening::End { exchange: other, .. } if *other == exchange),
        )
        .map(|(index, _)| index)
        .next_back();
    match (message, end) {
        (Some(message), _) => Waited::Response(message),
        (None, Some(end)) => Waited::Unanswered(end),
        (None, None) => Waited::Passed,
    }
}
