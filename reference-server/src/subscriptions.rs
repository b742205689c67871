//! `subscriptions/listen` of the stateless era (spec page `basic/utilities/subscriptions`): a request whose answer
//! is a stream of notifications, each marked with the id of the request, and whose response is the end of the stream.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::context::Context;
use crate::dispatch::Reply;
use crate::jsonrpc::{self, Object, Request, RpcError};
use crate::outbox::{Kind, Outbox, Outgoing, lock};
use crate::server::Change;
use crate::session::notification_of;
use crate::stateless::{self, SUBSCRIPTION_ID};
use crate::{resources, tasks_extension};

/// The open subscriptions of one connection.
#[derive(Default)]
pub(crate) struct Listens {
    open: Mutex<Vec<Listen>>,
}

struct Listen {
    request: Arc<Request>,
    out: Outbox,
    /// What was acknowledged, in the shape of the request's filter.
    filter: Object,
}

/// Serves `subscriptions/listen`: acknowledges, then keeps the request open.
pub(crate) fn listen(context: &Context) -> Reply {
    let Some(asked) = context.request.params.get("notifications").and_then(Value::as_object) else {
        return Reply::Now(Err(RpcError::invalid_params("notifications must be an object")));
    };
    let filter = match supported_part(context, asked) {
        Ok(filter) => filter,
        Err(error) => return Reply::Now(Err(error)),
    };
    let listen = Listen {
        request: Arc::clone(&context.request),
        out: Arc::clone(&context.out),
        filter: filter.clone(),
    };
    let params = jsonrpc::object(json!({ "notifications": filter }));
    listen.notify("notifications/subscriptions/acknowledged", params);
    lock(&context.session.listens.open).push(listen);
    Reply::Held
}

/// The part of the filter that this server can honour; the acknowledgement must not promise more.
fn supported_part(context: &Context, asked: &Object) -> Result<Object, RpcError> {
    let mut filter = Object::new();
    let settings = &context.session.server.settings;
    for (flag, capability) in [
        ("toolsListChanged", "tools.listChanged"),
        ("promptsListChanged", "prompts.listChanged"),
        ("resourcesListChanged", "resources.listChanged"),
    ] {
        match asked.get(flag) {
            None | Some(Value::Bool(false)) => {}
            Some(Value::Bool(true)) if !settings.declares(capability) => {}
            Some(Value::Bool(true)) => {
                filter.insert(flag.into(), true.into());
            }
            Some(_) => {
                return Err(RpcError::invalid_params(format!("notifications.{flag} must be a boolean")));
            }
        }
    }
    if let Some(uris) = asked.get("resourceSubscriptions") {
        let uris = uris.as_array().filter(|uris| uris.iter().all(Value::is_string));
        let uris = uris
            .ok_or_else(|| RpcError::invalid_params("resourceSubscriptions must be an array of strings"))?;
        let server = &context.session.server;
        let known: Vec<&Value> = uris
            .iter()
            .filter(|uri| uri.as_str().is_some_and(|uri| resources::exists(server, uri)))
            .collect();
        filter.insert("resourceSubscriptions".into(), json!(known));
    }
    if let Some(ids) = asked.get("taskIds") {
        let known = tasks_extension::known_ids(context, ids)?;
        filter.insert("taskIds".into(), known);
    }
    Ok(filter)
}

impl Listens {
    /// Sends a change to each subscription that asked for it.
    pub(crate) fn announce(&self, change: &Change) {
        for listen in lock(&self.open).iter().filter(|listen| listen.wants(change)) {
            let (method, params) = notification_of(change);
            listen.notify(method, params);
        }
    }

    /// Sends a task's state to the subscriptions that named it.
    pub(crate) fn announce_task(&self, id: &str, task: &Object) {
        for listen in lock(&self.open).iter().filter(|listen| listen.names("taskIds", id)) {
            listen.notify("notifications/tasks", task.clone());
        }
    }

    /// Ends a subscription at the client's wish: silently.
    pub(crate) fn cancel(&self, id: &Value) {
        lock(&self.open).retain(|listen| &listen.request.id != id);
    }

    /// Ends all subscriptions from our side, with the response that they have been waiting for.
    pub(crate) fn close(&self) {
        for listen in std::mem::take(&mut *lock(&self.open)) {
            let mut result = json!({ "_meta": { SUBSCRIPTION_ID: listen.request.id } });
            stateless::complete_result(&listen.request.method, &mut result);
            let message = jsonrpc::result(&listen.request.id, result);
            listen.out.send(Outgoing { message, kind: Kind::Answer(listen.request) });
        }
    }
}

impl Listen {
    fn wants(&self, change: &Change) -> bool {
        let flag = |name| self.filter.get(name) == Some(&Value::Bool(true));
        match change {
            Change::Tools => flag("toolsListChanged"),
            Change::Prompts => flag("promptsListChanged"),
            Change::Resources => flag("resourcesListChanged"),
            Change::Updated(uri) => self.names("resourceSubscriptions", uri),
        }
    }

    fn names(&self, list: &str, wanted: &str) -> bool {
        self.filter
            .get(list)
            .and_then(Value::as_array)
            .is_some_and(|names| names.iter().any(|name| name == wanted))
    }

    fn notify(&self, method: &str, mut params: Object) {
        params.insert("_meta".into(), json!({ SUBSCRIPTION_ID: self.request.id }));
        self.out.send(Outgoing::other(jsonrpc::notification(method, params)));
    }
}
