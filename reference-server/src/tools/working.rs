//! Tools that take their time: progress, logging, cancellation.

use std::time::Duration;

use serde_json::{Value, json};

use super::tool::{Run, TaskSupport, Tool, text};
use crate::logging::Level;
use crate::revision::Revision;

/// Parts in which the slow tool does its work.
const PARTS: u32 = 10;

pub(super) fn official_tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_tool_with_progress",
            "Progress",
            "Reports progress three times",
            Run::Later(|context, _| {
                Box::pin(async move {
                    for done in [0.0, 50.0, 100.0] {
                        context.progress(done, 100.0, "Still at it");
                        context.pause(1).await;
                    }
                    text("Progress was reported to whoever asked for it.")
                })
            }),
        ),
        Tool::new(
            "test_tool_with_logging",
            "Logging",
            "Logs three messages at level info",
            Run::Later(|context, _| {
                Box::pin(async move {
                    for message in
                        ["Tool execution started", "Tool processing data", "Tool execution completed"]
                    {
                        context.log(Level::Info, message.into());
                        context.pause(1).await;
                    }
                    text("Three messages were logged.")
                })
            }),
        )
        .until(Revision::LATEST_STATEFUL),
        Tool::new(
            "test_logging_tool",
            "Logging",
            "Logs if the request asks for it",
            Run::Now(|context, _| {
                context.log(Level::Debug, "A detail".into());
                context.log(Level::Info, "Tool execution started".into());
                context.log(Level::Warning, json!({ "message": "Something to look at", "count": 1 }));
                context.log(Level::Error, "Something went wrong, as it should".into());
                text("Messages were logged at four levels.")
            }),
        )
        .since(Revision::V2026_07_28),
        Tool::new(
            "test_reconnection",
            "Reconnection",
            "Has its connection closed, and finishes a moment later",
            Run::Later(|context, _| {
                Box::pin(async move {
                    context.out.interrupt();
                    context.pause(2).await;
                    text("The result came late, but it came.")
                })
            }),
        )
        .since(Revision::V2025_11_25)
        .until(Revision::V2025_11_25),
    ]
}

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new(
            "test_slow",
            "Slow",
            "Works for the given time, reports progress, can be cancelled",
            Run::Later(|context, arguments| {
                Box::pin(async move {
                    let seconds = arguments.get("seconds").and_then(Value::as_f64).unwrap_or(0.01);
                    for part in 0..PARTS {
                        context.progress(part.into(), PARTS.into(), "Working slowly");
                        tokio::time::sleep(Duration::from_secs_f64(seconds / f64::from(PARTS))).await;
                    }
                    context.progress(PARTS.into(), PARTS.into(), "Done");
                    text(&format!("Worked for {seconds} seconds."))
                })
            }),
        )
        .input(json!({
            "type": "object",
            "properties": { "seconds": { "type": "number", "minimum": 0, "maximum": 60, "default": 0.01 } },
            "additionalProperties": false,
        }))
        .callable_as_task(TaskSupport::Optional),
        Tool::new(
            "test_logging_levels",
            "Log levels",
            "Logs one message at each of the eight levels",
            Run::Now(|context, _| {
                for level in [
                    Level::Debug,
                    Level::Info,
                    Level::Notice,
                    Level::Warning,
                    Level::Error,
                    Level::Critical,
                    Level::Alert,
                    Level::Emergency,
                ] {
                    context.log(level, format!("A message of level {}", level.as_str()).into());
                }
                text("Eight messages were logged, as far as their level was wanted.")
            }),
        ),
    ]
}
