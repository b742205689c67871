//! `tools/list` and `tools/call`.

use serde_json::Value;

use super::tool::{Run, TaskSupport, failure};
use crate::context::Context;
use crate::dispatch::{Outcome, Reply, Work};
use crate::jsonrpc::{Object, RpcError};
use crate::revision::Revision;
use crate::{pagination, schema, tasks};

/// Answers `tools/list`.
pub(crate) fn list(context: &Context) -> Outcome {
    let revision = context.revision();
    let entries = context.session.server.tools_of(revision).map(|tool| tool.describe(revision)).collect();
    pagination::page(context, "tools", 15, entries)
}

/// Answers `tools/call`.
///
/// A call that does not fit the request's shape, or names no tool, is a protocol error. Arguments that do not fit
/// the tool's schema are the model's mistake, which it can correct, so they are reported in the result.
pub(crate) fn call(context: Context) -> Reply {
    let call = match Call::read(&context) {
        Ok(call) => call,
        Err(error) => return Reply::Now(Err(error)),
    };
    if let Some(problem) = schema::first_problem(&call.input_schema, &Value::Object(call.arguments.clone())) {
        return Reply::Now(failure(&format!("Invalid arguments: {problem}")));
    }
    let (run, arguments) = (call.run, call.arguments);
    if let Some(task) = call.task {
        return Reply::Now(tasks::start(&context, &task, |context| work(run, context, arguments)));
    }
    match run {
        Run::Now(run) => Reply::Now(run(&context, &arguments)),
        Run::Later(run) => Reply::Later(run(context, arguments)),
    }
}

fn work(run: Run, context: Context, arguments: Object) -> Work {
    match run {
        Run::Now(run) => Box::pin(async move { run(&context, &arguments) }),
        Run::Later(run) => run(context, arguments),
    }
}

struct Call {
    run: Run,
    input_schema: Value,
    arguments: Object,
    /// The wish to be answered with a task (2025-11-25).
    task: Option<Value>,
}

impl Call {
    fn read(context: &Context) -> Result<Self, RpcError> {
        let (params, revision) = (&context.request.params, context.revision());
        let name = params.get("name").and_then(Value::as_str);
        let name = name.ok_or_else(|| RpcError::invalid_params("name must be a string"))?;
        let arguments = match params.get("arguments") {
            None => Object::new(),
            Some(Value::Object(arguments)) => arguments.clone(),
            Some(_) => return Err(RpcError::invalid_params("arguments must be an object")),
        };
        let tool = context.session.server.tools_of(revision).find(|tool| tool.name == name);
        let tool = tool.ok_or_else(|| RpcError::invalid_params(format!("Unknown tool: {name}")))?;
        let mut task = None;
        // Other revisions do not know the member, and ignore it like any other.
        if revision == Revision::V2025_11_25 {
            // A server that declares no tasks ignores the wish for one.
            task = params
                .get("task")
                .filter(|_| context.session.server.settings.declares("tasks.requests.tools.call"))
                .cloned();
            match (tool.task_support, &task) {
                (TaskSupport::Forbidden, Some(_)) => {
                    return Err(RpcError::method_not_found("tools/call as a task, for this tool"));
                }
                (TaskSupport::Required, None) => {
                    return Err(RpcError::method_not_found("tools/call other than as a task, for this tool"));
                }
                _ => {}
            }
        }
        Ok(Self { run: tool.run, input_schema: tool.input_schema.clone(), arguments, task })
    }
}
