//! Which method goes where, and in which revisions it exists.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::context::Context;
use crate::jsonrpc::RpcError;
use crate::revision::Revision;
use crate::{
    completion, lifecycle, logging, prompts, resources, stateless, subscriptions, tasks, tasks_extension,
    tools,
};

/// A result, or the error to answer with.
pub type Outcome = Result<Value, RpcError>;

/// Work that is not done at once.
pub type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// How a request is answered.
pub enum Reply {
    /// At once.
    Now(Outcome),
    /// When the work is done, unless it is cancelled before.
    Later(Work),
    /// Not here: a subscription's response is its end.
    Held,
}

/// Serves a request. A method that its revision does not have is an unknown method.
pub fn dispatch(context: Context) -> Reply {
    let method = context.request.method.clone();
    if capability_of(&method, context.revision())
        .is_some_and(|path| !context.session.server.settings.declares(path))
    {
        return Reply::Now(Err(RpcError::method_not_found(&method)));
    }
    let reply = match method.as_str() {
        "tools/list" => tools::list(&context),
        "tools/call" => return tools::call(context),
        "resources/list" => resources::list(&context),
        "resources/templates/list" => resources::list_templates(&context),
        "resources/read" => resources::read(&context),
        "prompts/list" => prompts::list(&context),
        "prompts/get" => prompts::get(&context),
        "completion/complete" => completion::complete(&context),
        _ if context.revision().is_stateless() => return dispatch_stateless(&method, &context),
        _ => return dispatch_stateful(&method, context),
    };
    Reply::Now(reply)
}

/// The capability that a method belongs to.
fn capability_of(method: &str, revision: Revision) -> Option<&'static str> {
    Some(match method {
        "resources/subscribe" | "resources/unsubscribe" => "resources.subscribe",
        "logging/setLevel" => "logging",
        "completion/complete" => "completions",
        "tasks/list" => "tasks.list",
        "tasks/cancel" if !revision.is_stateless() => "tasks.cancel",
        _ if method.starts_with("tools/") => "tools",
        _ if method.starts_with("resources/") => "resources",
        _ if method.starts_with("prompts/") => "prompts",
        _ if method.starts_with("tasks/") && !revision.is_stateless() => "tasks",
        _ => return None,
    })
}

fn dispatch_stateless(method: &str, context: &Context) -> Reply {
    Reply::Now(match method {
        "server/discover" => Ok(stateless::discover(context)),
        "subscriptions/listen" => return subscriptions::listen(context),
        "tasks/get" => tasks_extension::get(context),
        "tasks/update" => tasks_extension::update(context),
        "tasks/cancel" => tasks_extension::cancel(context),
        _ => Err(RpcError::method_not_found(method)),
    })
}

fn dispatch_stateful(method: &str, context: Context) -> Reply {
    let has_tasks = context.revision() == Revision::V2025_11_25;
    Reply::Now(match method {
        "initialize" => lifecycle::initialize(&context),
        "ping" => Ok(Value::Object(crate::jsonrpc::Object::new())),
        "logging/setLevel" => logging::set_level(&context),
        "resources/subscribe" => resources::subscribe(&context),
        "resources/unsubscribe" => resources::unsubscribe(&context),
        "tasks/get" if has_tasks => tasks::get(&context),
        "tasks/list" if has_tasks => tasks::list(&context),
        "tasks/cancel" if has_tasks => tasks::cancel(&context),
        "tasks/result" if has_tasks => return tasks::result(context),
        _ => Err(RpcError::method_not_found(method)),
    })
}
