//! Invariants: rules that hold for everything a server says. Each is named by the YAML file that gives it its requirement.

mod authorization;
mod batch;
mod cancelling;
mod codes;
mod cursors;
mod declared;
mod elicitation;
mod header_annotations;
mod http_events;
mod http_get;
#[cfg(test)]
pub(super) mod http_recordings;
mod http_replies;
mod http_streams;
mod interim;
mod jsonrpc;
mod listening;
mod lists;
mod logs;
mod methods;
mod newer;
mod output;
mod progress;
mod robustness;
mod schema;
mod sse;
mod stateless;
mod subscribed;
mod tools;
mod values;

use serde_json::{Map, Value};

use super::Breach;
use super::dialogue::Dialogue;

/// What a rule saw in one recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observation {
    /// How many things the rule applied to.
    pub examined: usize,
    /// Those that broke it.
    pub breaches: Vec<Breach>,
}

impl Observation {
    /// Counts one thing that was looked at, and how it broke the rule if it did.
    pub fn examine(&mut self, breach: Option<Breach>) {
        self.examined += 1;
        self.breaches.extend(breach);
    }
}

/// A rule over a recording; the map is the `with` of its YAML file.
pub type Rule = fn(&Dialogue<'_>, &Map<String, Value>) -> Observation;

/// Every rule, by the name that case files use.
const RULES: &[(&str, Rule)] = &[
    ("jsonrpc-version", jsonrpc::version),
    ("response-id", jsonrpc::response_id),
    ("one-response", jsonrpc::one_response),
    ("result-or-error", jsonrpc::result_or_error),
    ("result-xor-error", jsonrpc::result_xor_error),
    ("error-object", jsonrpc::error_object),
    ("error-code-integer", jsonrpc::error_code_integer),
    ("notification-unanswered", jsonrpc::notification_unanswered),
    ("notification-without-id", jsonrpc::notification_without_id),
    ("params-object", jsonrpc::params_object),
    ("no-invented-id", jsonrpc::no_invented_id),
    ("request-id-type", jsonrpc::request_id_type),
    ("request-id-not-null", jsonrpc::request_id_not_null),
    ("request-id-unique", jsonrpc::request_id_unique),
    ("batch-answers", batch::answers),
    ("batch-invalid-member", batch::invalid_member),
    ("no-batch", jsonrpc::no_batch),
    ("stdout-only-messages", output::only_messages),
    ("one-message-a-line", output::one_message_a_line),
    ("utf8", output::utf8),
    ("bounded-lines", output::bounded),
    ("schema", schema::schema),
    ("meta-keys", schema::meta_keys),
    ("progress-increases", progress::increases),
    ("progress-known-token", progress::known_token),
    ("progress-in-time", progress::in_time),
    ("declared-notification", declared::notification),
    ("declared-client-feature", declared::client_feature),
    ("quiet-before-initialized", declared::quiet_before_initialized),
    ("no-server-requests", stateless::no_server_requests),
    ("result-type", stateless::result_type),
    ("known-result-type", stateless::known_result_type),
    ("known-notification", stateless::known_notification),
    ("cache-hints", stateless::cache_hints),
    ("one-cache-scope", stateless::one_scope),
    ("server-info", stateless::server_info),
    ("stable-order", stateless::stable_order),
    ("extensions", stateless::extensions),
    ("retired-code", codes::retired),
    ("free-code-range", codes::free_range),
    ("code-meaning", codes::meaning),
    ("logs-on-request", logs::on_request),
    ("logs-in-time", logs::in_time),
    ("logs-grave-enough", logs::grave_enough),
    ("interim-where-allowed", interim::where_allowed),
    ("interim-marked", interim::marked),
    ("interim-members", interim::has_members),
    ("interim-without-hints", interim::without_hints),
    ("interim-request-kinds", interim::request_kinds),
    ("interim-request-shape", interim::request_shape),
    ("interim-form-message", interim::form_message),
    ("interim-flat-form", interim::flat_form),
    ("interim-only-declared", interim::only_declared),
    ("subscription-known-id", listening::known_id),
    ("subscription-ack-first", listening::ack_first),
    ("subscription-named", listening::named),
    ("subscription-solicited", listening::solicited),
    ("subscription-requested", listening::requested),
    ("subscription-granted", listening::granted),
    ("subscription-unnamed", listening::unnamed),
    ("subscription-graceful-end", listening::graceful_end),
    ("cancels-only-listens", listening::cancels_only_listens),
    ("header-annotations", header_annotations::annotations),
    ("structured-output", tools::structured_output),
    ("structured-text-copy", tools::text_copy),
    ("values", values::values),
    ("own-cursor", cursors::own_accepted),
    ("cancels-own-requests", cancelling::own_requests),
    ("newer-than-revision", newer::than_revision),
    ("unique", lists::unique),
    ("flat-form", elicitation::flat_form),
    ("form-text", elicitation::text),
    ("completed-elicitation", elicitation::completed),
    ("subscribed-updates", subscribed::updates),
    ("no-crash", robustness::no_crash),
    ("no-hang", robustness::no_hang),
    ("http-stream-ends", http_streams::ends),
    ("http-sse-retry", http_streams::retry),
    ("http-batch-on-stream", http_streams::batch),
    ("http-get-answer", http_get::answer),
    ("http-own-response", http_replies::own_response),
    ("http-get-unrelated", http_get::unrelated),
    ("http-sse-unbuffered", http_events::unbuffered),
    ("http-response-delivered", http_streams::delivered),
    ("http-reply-media", http_replies::media),
    ("http-session-id-visible-ascii", http_events::session_id_visible),
    ("http-session-id-not-minted", http_replies::no_session_id),
    ("http-error-status", http_replies::error_status),
    ("http-get-no-response", http_get::no_response),
    ("http-listen-is-stream", http_replies::listen),
    ("http-accepted", http_replies::accepted),
    ("http-no-broadcast", http_get::no_broadcast),
    ("http-json-answer", http_replies::json),
    ("http-sse-data", http_events::data),
    ("http-sse-priming", http_events::priming),
    ("http-event-id-unique", http_events::unique_ids),
    ("auth-metadata-found", authorization::metadata_found),
    ("sse-own-stream", sse::own_stream),
    ("sse-response-on-stream", sse::response_on_stream),
    ("sse-post-status", sse::post_status),
    ("sse-message-events", sse::message_events),
    ("sse-endpoint", sse::endpoint),
];

/// The rule of that name.
#[must_use]
pub fn rule(name: &str) -> Option<Rule> {
    RULES.iter().find(|(known, _)| *known == name).map(|(_, rule)| *rule)
}

/// A breach by what the server said in one entry, with the request that it answers as context.
fn breach(
    dialogue: &Dialogue<'_>,
    entry: usize,
    context: Option<usize>,
    message: impl Into<String>,
) -> Breach {
    Breach {
        message: message.into(),
        culprits: vec![entry],
        context: context.into_iter().collect(),
        during: dialogue.transcript.case_at(entry).map(|case| case.case.clone()),
        ..Breach::default()
    }
}
