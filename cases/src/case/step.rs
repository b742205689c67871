//! Steps: what a case sends, waits for, and remembers.

use base64::Engine as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::expect::{Expect, path_matchers};
use super::http::{self, Headers, HttpRaw, HttpRequest};
use super::matcher::Matcher;
use super::path::Path;

/// A request or notification that the session completes as its era demands.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Send {
    /// The method.
    pub method: String,
    /// The parameters; the session adds `_meta` in the stateless era.
    #[serde(default)]
    pub params: Option<Value>,
    /// The id instead of the next free one.
    #[serde(default)]
    pub id: Option<Value>,
    /// Members added to `params._meta`, or put in the place of those that the session adds.
    #[serde(default)]
    pub meta: Map<String, Value>,
    /// Members of `params._meta` that are left out; `*` leaves out `_meta` itself.
    #[serde(default)]
    pub without_meta: Vec<String>,
    /// Do not wait for the response; a later `response_to` does.
    #[serde(default)]
    pub background: bool,
}

/// Messages of the server that are no responses: which, and how many of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// The method.
    pub method: String,
    /// What the message must be like to count.
    pub when: Vec<(Path, Matcher)>,
    /// The smallest number of such messages.
    pub min: usize,
    /// The largest number, if there is one.
    pub max: Option<usize>,
    /// The step on whose HTTP stream they must have come, by name.
    pub on: Option<String>,
}

impl<'de> Deserialize<'de> for Watch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            method: String,
            #[serde(default)]
            when: Map<String, Value>,
            #[serde(default = "one")]
            min: usize,
            #[serde(default)]
            max: Option<usize>,
            #[serde(default)]
            on: Option<String>,
        }
        fn one() -> usize {
            1
        }
        let raw = Raw::deserialize(deserializer)?;
        if raw.max.is_some_and(|max| max < raw.min) {
            return Err(serde::de::Error::custom(format!("`max` is below `min`, which is {}", raw.min)));
        }
        let when = path_matchers(raw.when).map_err(serde::de::Error::custom)?;
        Ok(Watch { method: raw.method, when, min: raw.min, max: raw.max, on: raw.on })
    }
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sends a request.
    Request(Send),
    /// Sends a notification.
    Notify(Send),
    /// Sends a JSON value as one message, as it is.
    Json(Value),
    /// Sends a text and a line end, as it is.
    Raw(String),
    /// Sends bytes, without adding a line end.
    Bytes(Vec<u8>),
    /// Makes an HTTP request that need not carry a message.
    Http(HttpRequest),
    /// Makes an HTTP request that is written out.
    HttpRaw(HttpRaw),
    /// Drops the connection on which the answer to an earlier step comes.
    Close(String),
    /// Waits for messages of the server.
    Await(Watch),
    /// Waits for the response to an earlier step.
    ResponseTo(String),
    /// Closes the server's standard input.
    CloseInput,
    /// Sends SIGTERM to the server's process.
    Terminate,
    /// Waits for the server's process to end.
    AwaitExit,
    /// Makes sure that all that was sent has been read, by an exchange that every server must support.
    Barrier,
}

/// One thing to do, and what must come of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// What to do.
    pub action: Action,
    /// HTTP headers in the place of those that the session sends with what this step sends.
    pub headers: Headers,
    /// A name for later steps: `{{name.id}}` is the id that was sent.
    pub name: Option<String>,
    /// What must come back.
    pub expect: Option<Expect>,
    /// What should come back: a warning at most.
    pub should: Option<Expect>,
    /// Messages that must arrive between sending and the response.
    pub during: Vec<Watch>,
    /// Values to remember, from the response.
    pub capture: Vec<(String, Path)>,
    /// Only prepares the ground: when it does not go as expected, the case is untestable, not failed.
    pub setup: bool,
}

impl Step {
    /// Whether the step makes sense over HTTP alone.
    #[must_use]
    pub fn is_http_only(&self) -> bool {
        matches!(self.action, Action::Http(_) | Action::HttpRaw(_) | Action::Close(_))
    }

    /// Whether the step can show that the server did something right.
    #[must_use]
    pub fn gives_evidence(&self) -> bool {
        !self.setup
            && (self.expect.is_some()
                || self.should.is_some()
                || !self.during.is_empty()
                || matches!(self.action, Action::Await(_) | Action::AwaitExit | Action::Barrier))
    }
}

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Raw {
            #[serde(default)]
            send: Option<Send>,
            #[serde(default)]
            notify: Option<Send>,
            #[serde(default)]
            send_json: Option<Value>,
            #[serde(default)]
            send_raw: Option<String>,
            #[serde(default)]
            send_bytes: Option<String>,
            #[serde(default)]
            http: Option<HttpRequest>,
            #[serde(default)]
            http_raw: Option<HttpRaw>,
            #[serde(default)]
            close: Option<String>,
            #[serde(default, deserialize_with = "http::headers")]
            headers: Headers,
            #[serde(default)]
            r#await: Option<Watch>,
            #[serde(default)]
            response_to: Option<String>,
            #[serde(default)]
            close_input: bool,
            #[serde(default)]
            barrier: bool,
            #[serde(default)]
            terminate: bool,
            #[serde(default)]
            await_exit: bool,
            #[serde(default)]
            r#as: Option<String>,
            #[serde(default)]
            expect: Option<Expect>,
            #[serde(default)]
            should: Option<Expect>,
            #[serde(default)]
            during: Vec<Watch>,
            #[serde(default)]
            capture: Map<String, Value>,
            #[serde(default)]
            setup: bool,
        }
        use serde::de::Error as _;
        let raw = Raw::deserialize(deserializer)?;
        let bytes = raw
            .send_bytes
            .map(|text| base64::engine::general_purpose::STANDARD.decode(text))
            .transpose()
            .map_err(|error| D::Error::custom(format!("`send_bytes` is no Base64: {error}")))?;
        let mut actions: Vec<Action> = [
            raw.send.map(Action::Request),
            raw.notify.map(Action::Notify),
            raw.send_json.map(Action::Json),
            raw.send_raw.map(Action::Raw),
            bytes.map(Action::Bytes),
            raw.http.map(Action::Http),
            raw.http_raw.map(Action::HttpRaw),
            raw.close.map(Action::Close),
            raw.r#await.map(Action::Await),
            raw.response_to.map(Action::ResponseTo),
            raw.close_input.then_some(Action::CloseInput),
            raw.barrier.then_some(Action::Barrier),
            raw.terminate.then_some(Action::Terminate),
            raw.await_exit.then_some(Action::AwaitExit),
        ]
        .into_iter()
        .flatten()
        .collect();
        let action = match (actions.pop(), actions.is_empty()) {
            (Some(action), true) => action,
            _ => {
                return Err(D::Error::custom(
                    "a step does exactly one thing: send, notify, send_json, send_raw, send_bytes, http, http_raw, close, await, response_to, close_input, terminate, await_exit, or barrier",
                ));
            }
        };
        if matches!(action, Action::Barrier | Action::Close(_))
            && (raw.expect.is_some() || raw.should.is_some())
        {
            return Err(D::Error::custom("`barrier` and `close` bring nothing that could be expected"));
        }
        let takes_headers = matches!(
            action,
            Action::Request(_)
                | Action::Notify(_)
                | Action::Json(_)
                | Action::Raw(_)
                | Action::Bytes(_)
                | Action::Http(_)
        );
        if !raw.headers.is_empty() && !takes_headers {
            return Err(D::Error::custom(
                "`headers` stand beside what is sent; `http_raw` writes out its own",
            ));
        }
        let capture = raw
            .capture
            .into_iter()
            .map(|(name, path)| {
                let text = path
                    .as_str()
                    .ok_or_else(|| D::Error::custom(format!("`capture`: `{name}` takes a path")))?;
                Ok((name, text.parse().map_err(D::Error::custom)?))
            })
            .collect::<Result<_, D::Error>>()?;
        Ok(Step {
            action,
            headers: raw.headers,
            name: raw.r#as,
            expect: raw.expect,
            should: raw.should,
            during: raw.during,
            capture,
            setup: raw.setup,
        })
    }
}
