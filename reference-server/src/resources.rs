//! Resources and resource templates (spec page `server/resources`).

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::context::Context;
use crate::fixtures::{PNG, WATCHED_URI};
use crate::jsonrpc::{RpcError, code};
use crate::outbox::lock;
use crate::pagination;
use crate::revision::Revision;
use crate::server::Server;

const STATIC_TEXT: &str = "test://static-text";
const STATIC_BINARY: &str = "test://static-binary";
const DYNAMIC: &str = "test://dynamic-resource";
const TEMPLATE: (&str, &str) = ("test://template/", "/data");

/// Answers `resources/list`.
pub(crate) fn list(context: &Context) -> Result<Value, RpcError> {
    let revision = context.revision();
    let mut resources = vec![
        resource(
            revision,
            STATIC_TEXT,
            "static-text",
            "Static text",
            "A text that never changes",
            "text/plain",
        ),
        resource(
            revision,
            STATIC_BINARY,
            "static-binary",
            "Static binary",
            "A PNG of one pixel",
            "image/png",
        ),
        resource(
            revision,
            WATCHED_URI,
            "watched-resource",
            "Watched",
            "Changes when a tool is called",
            "text/plain",
        ),
    ];
    if context.session.server.extra_resource.load(Ordering::Relaxed) {
        resources.push(resource(
            revision,
            DYNAMIC,
            "dynamic-resource",
            "Dynamic",
            "Comes and goes",
            "text/plain",
        ));
    }
    pagination::page(context, "resources", 2, resources)
}

/// Answers `resources/templates/list`.
pub(crate) fn list_templates(context: &Context) -> Result<Value, RpcError> {
    let revision = context.revision();
    let template = |uri: &str, name: &str, title: &str, description: &str| {
        let mut entry = json!({
            "uriTemplate": uri, "name": name, "description": description, "mimeType": "application/json",
        });
        add_title(revision, &mut entry, title);
        entry
    };
    let templates = vec![
        template("test://template/{id}/data", "template-data", "Data by id", "JSON data for any id"),
        template(
            "test://city/{country}/{city}",
            "city",
            "City",
            "A city of a country; both can be completed",
        ),
    ];
    pagination::page(context, "resourceTemplates", 1, templates)
}

fn resource(revision: Revision, uri: &str, name: &str, title: &str, description: &str, mime: &str) -> Value {
    let mut entry = json!({
        "uri": uri, "name": name, "description": description, "mimeType": mime,
        "annotations": { "audience": ["user", "assistant"], "priority": 0.5 },
    });
    add_title(revision, &mut entry, title);
    if let (true, Some(annotations)) =
        (revision >= Revision::V2025_06_18, entry.get_mut("annotations").and_then(Value::as_object_mut))
    {
        annotations.insert("lastModified".into(), "2025-06-18T00:00:00Z".into());
    }
    entry
}

/// Titles came with 2025-06-18.
fn add_title(revision: Revision, entry: &mut Value, title: &str) {
    if let (true, Some(entry)) = (revision >= Revision::V2025_06_18, entry.as_object_mut()) {
        entry.insert("title".into(), title.into());
    }
}

/// Answers `resources/read`.
pub(crate) fn read(context: &Context) -> Result<Value, RpcError> {
    let uri = uri_of(context)?;
    let contents =
        contents(&context.session.server, uri).ok_or_else(|| not_found(context.revision(), uri))?;
    Ok(json!({ "contents": [contents] }))
}

/// True if the resource can be read.
pub(crate) fn exists(server: &Server, uri: &str) -> bool {
    contents(server, uri).is_some()
}

fn contents(server: &Server, uri: &str) -> Option<Value> {
    let text = |mime: &str, text: &str| Some(json!({ "uri": uri, "mimeType": mime, "text": text }));
    match uri {
        STATIC_TEXT => text("text/plain", "This is the content of the static text resource."),
        STATIC_BINARY => Some(json!({ "uri": uri, "mimeType": "image/png", "blob": PNG })),
        WATCHED_URI => {
            let version = server.watched_version.load(Ordering::Relaxed);
            text("text/plain", &format!("This is version {version} of the watched resource."))
        }
        DYNAMIC if server.extra_resource.load(Ordering::Relaxed) => {
            text("text/plain", "This resource comes and goes.")
        }
        _ => {
            if let Some((country, city)) =
                uri.strip_prefix("test://city/").and_then(|rest| rest.split_once('/'))
            {
                let known = crate::completion::cities(country).contains(&city);
                return known.then(|| {
                    json!({ "uri": uri, "mimeType": "application/json",
                    "text": json!({ "country": country, "city": city }).to_string() })
                });
            }
            let id = uri.strip_prefix(TEMPLATE.0)?.strip_suffix(TEMPLATE.1)?;
            // {id} expands to one path segment (RFC 6570).
            let valid =
                !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c));
            let data = json!({ "id": id, "templateTest": true, "data": format!("Data for ID: {id}") });
            if valid { text("application/json", &data.to_string()) } else { None }
        }
    }
}

fn uri_of(context: &Context) -> Result<&str, RpcError> {
    context
        .request
        .params
        .get("uri")
        .and_then(Value::as_str)
        .ok_or_else(|| RpcError::invalid_params("uri must be a string"))
}

/// The code changed with the era: -32002 lies in the range that JSON-RPC leaves to implementations.
fn not_found(revision: Revision, uri: &str) -> RpcError {
    let code = if revision.is_stateless() { code::INVALID_PARAMS } else { code::RESOURCE_NOT_FOUND };
    RpcError::new(code, "Resource not found").with_data(json!({ "uri": uri }))
}

/// Answers `resources/subscribe` (stateful era; later see [`crate::subscriptions`]).
pub(crate) fn subscribe(context: &Context) -> Result<Value, RpcError> {
    let uri = uri_of(context)?;
    if !exists(&context.session.server, uri) {
        return Err(not_found(context.revision(), uri));
    }
    lock(&context.session.subscribed).insert(uri.to_owned());
    Ok(json!({}))
}

/// Answers `resources/unsubscribe`; ending what never began is no error.
pub(crate) fn unsubscribe(context: &Context) -> Result<Value, RpcError> {
    let uri = uri_of(context)?;
    lock(&context.session.subscribed).remove(uri);
    Ok(json!({}))
}
