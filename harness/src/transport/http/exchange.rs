//! One HTTP request and what comes back for it, told event by event.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame as BodyFrame, Incoming as IncomingBody};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{mpsc, watch};
use url::Url;

use super::events::{Event, EventParser};
use super::raw;
use crate::wire::{Ending, Frame, MAX_LINE};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Connections are used again only if they have not been idle for longer, so that servers which close them early do
/// not cost us a request.
const REUSE: Duration = Duration::from_millis(500);
/// What is kept of a body that holds no message, in bytes.
pub const KEPT_OF_BODY: usize = 64 * 1024;

/// The number of a request within its session.
pub type ExchangeId = u32;

/// How the answer to a request ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The body is whole.
    Whole,
    /// The connection broke in the middle of the body.
    Cut(String),
    /// There was no answer at all.
    Failed {
        /// Why.
        why: String,
        /// Whether there was not even a connection.
        unreachable: bool,
    },
    /// We dropped the connection.
    Dropped,
}

/// What happens in an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The head of the answer is there.
    Head {
        /// The status.
        status: u16,
        /// The header fields, names in lower case.
        headers: Vec<(String, String)>,
    },
    /// A body or an event that holds a message, by its type.
    Message {
        /// The bytes.
        frame: Frame,
        /// The event around it, without its data.
        event: Option<Event>,
    },
    /// An event without a message.
    Event(Event),
    /// The answer is over.
    End {
        /// How.
        end: End,
        /// The body, unless it was told as messages; at most [`KEPT_OF_BODY`] bytes.
        body: Vec<u8>,
        /// The true length of the body in bytes.
        length: u64,
    },
}

/// What is sent.
#[derive(Clone, Debug)]
pub enum Sending {
    /// A request that a library makes.
    Request {
        /// The HTTP method.
        method: String,
        /// Where to.
        url: Url,
        /// All headers but `Host` and `Content-Length`.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// Bytes for a connection to this address.
    Raw {
        /// Where to.
        url: Url,
        /// The bytes.
        bytes: Vec<u8>,
        /// Whether our side of the connection is closed after them.
        then_close: bool,
    },
}

/// What all exchanges of a run share.
#[derive(Clone, Debug)]
pub struct Clients {
    library: Client<HttpsConnector<HttpConnector>, Content>,
    tls: Arc<rustls::ClientConfig>,
}

impl Clients {
    /// Clients that trust what `tls` trusts.
    #[must_use]
    pub fn new(tls: rustls::ClientConfig) -> Clients {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT));
        connector.set_nodelay(true);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let library = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(REUSE)
            .build(https);
        Clients { library, tls: Arc::new(tls) }
    }

    /// How connections are secured.
    #[must_use]
    pub fn tls(&self) -> &Arc<rustls::ClientConfig> {
        &self.tls
    }
}

/// Where the steps of an exchange are told.
#[derive(Clone, Debug)]
pub(super) struct Listener {
    pub(super) id: ExchangeId,
    pub(super) to: mpsc::Sender<(ExchangeId, Step)>,
    /// Becomes true once what comes later may be sent.
    pub(super) passed: watch::Sender<bool>,
    /// Whether what comes later must wait for the head of the answer.
    pub(super) ordered: bool,
}

impl Listener {
    async fn tell(&self, step: Step) {
        if matches!(step, Step::Head { .. } | Step::End { .. }) {
            self.passed.send_replace(true);
        }
        // Nobody listens any more once the session is over.
        let _ = self.to.send((self.id, step)).await;
    }
}

/// Carries an exchange out.
pub(super) async fn carry_out(clients: Clients, sending: Sending, listener: Listener) {
    let end = match sending {
        Sending::Request { method, url, headers, body } => {
            if body.is_empty() && !listener.ordered {
                listener.passed.send_replace(true);
            }
            let passed = (!listener.ordered).then(|| listener.passed.clone());
            match request(&method, &url, &headers, Content { bytes: Some(body.into()), passed }) {
                Ok(request) => match clients.library.request(request).await {
                    Ok(response) => answer(response, &listener).await,
                    Err(error) => (
                        End::Failed { unreachable: error.is_connect(), why: innermost(&error) },
                        Reading::default(),
                    ),
                },
                Err(why) => (End::Failed { why, unreachable: false }, Reading::default()),
            }
        }
        Sending::Raw { url, bytes, then_close } => {
            listener.passed.send_replace(true);
            raw::carry_out(&clients, &url, &bytes, then_close, &listener).await
        }
    };
    let (end, reading) = end;
    listener.tell(Step::End { end, body: reading.kept, length: reading.length }).await;
}

fn request(
    method: &str,
    url: &Url,
    headers: &[(String, String)],
    body: Content,
) -> Result<Request<Content>, String> {
    let mut request =
        Request::builder().method(method).uri(url.as_str()).body(body).map_err(|error| error.to_string())?;
    for (name, value) in headers {
        let wrong = |_| format!("the header `{name}: {value}` cannot be sent this way");
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong(()))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong(()))?;
        request.headers_mut().append(parsed, value);
    }
    Ok(request)
}

async fn answer(response: Response<IncomingBody>, listener: &Listener) -> (End, Reading) {
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let mut reading = Reading::begin(response.status().as_u16(), headers, listener).await;
    let mut body = response.into_body();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    reading.take(&data, listener).await;
                }
            }
            Some(Err(error)) => {
                reading.finish(false, listener).await;
                return (End::Cut(innermost(&error)), reading);
            }
            None => {
                reading.finish(true, listener).await;
                return (End::Whole, reading);
            }
        }
    }
}

/// The body of an answer, being read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    events: Option<EventParser>,
    is_json: bool,
    succeeded: bool,
    kept: Vec<u8>,
    length: u64,
}

impl Reading {
    /// Tells the head and gets ready for the body.
    pub(super) async fn begin(status: u16, headers: Vec<(String, String)>, listener: &Listener) -> Reading {
        let media = media_type(&headers);
        let encoded = headers.iter().any(|(name, value)| name == "content-encoding" && value != "identity");
        listener.tell(Step::Head { status, headers }).await;
        Reading {
            events: (media == "text/event-stream" && !encoded).then(EventParser::default),
            is_json: media == "application/json" && !encoded,
            succeeded: (200..300).contains(&status),
            ..Reading::default()
        }
    }

    /// Takes in a part of the body.
    pub(super) async fn take(&mut self, bytes: &[u8], listener: &Listener) {
        self.length += bytes.len() as u64;
        let Some(parser) = &mut self.events else {
            let limit = if self.is_json { MAX_LINE } else { KEPT_OF_BODY };
            let room = limit.saturating_sub(self.kept.len());
            self.kept.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            return;
        };
        for mut event in parser.push(bytes) {
            match event.data.take() {
                Some(data) if event.is_message() && !data.is_empty() => {
                    let frame = Frame { bytes: data, ending: Ending::EndOfStream, length: event.length };
                    listener.tell(Step::Message { frame, event: Some(event) }).await;
                }
                data => listener.tell(Step::Event(Event { data, ..event })).await,
            }
        }
    }

    /// Tells the message that a whole body is.
    pub(super) async fn finish(&mut self, whole: bool, listener: &Listener) {
        if !self.is_json || !whole || self.kept.is_empty() || !(self.succeeded || is_json_rpc(&self.kept)) {
            self.kept.truncate(KEPT_OF_BODY);
            return;
        }
        let bytes = std::mem::take(&mut self.kept);
        let frame = Frame { bytes, ending: Ending::EndOfStream, length: self.length };
        listener.tell(Step::Message { frame, event: None }).await;
    }
}

/// Whether a body beside an error status comes from the protocol and not from some part of the web server.
fn is_json_rpc(body: &[u8]) -> bool {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else { return false };
    value.get("jsonrpc").is_some() || value.get("error").is_some_and(|error| error.get("code").is_some())
}

/// The media type without parameters, in lower case.
#[must_use]
pub fn media_type(headers: &[(String, String)]) -> String {
    let value = headers.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The last cause of an error, which says most.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A body that tells when it has been taken by the connection.
#[derive(Debug)]
struct Content {
    bytes: Option<Bytes>,
    passed: Option<watch::Sender<bool>>,
}

impl Body for Content {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, Self::Error>>> {
        let bytes = self.bytes.take().filter(|bytes| !bytes.is_empty());
        if let Some(passed) = &self.passed {
            passed.send_replace(true);
        }
        Poll::Ready(bytes.map(|bytes| Ok(BodyFrame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.as_ref().is_none_or(Bytes::is_empty)
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        hyper::body::SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
