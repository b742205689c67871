//! Several messages whose order or overlap is what matters.

use mcp_conform_cases::case::Path;
use serde_json::{Value, json};

use super::MakerSettings;
use super::call::{idle_method, notification, request, tool_call};
use super::methods::in_turn;
use super::tool::{Kind, Tool, put};
use crate::fuzz::input::{Input, InputStep};
use crate::profile::Profile;

/// Where these inputs come from.
const ORIGIN: &str = "sequence";
/// How many tools get sequences of their own.
pub(super) const MAX_TOOLS: usize = 40;
/// How many requests run at once where there are many.
const MANY: usize = 64;
/// Where an answer may hold something that the next call can use.
const CAPTURED: [&str; 4] = [
    "result.content[0].text",
    "result.structuredContent",
    "result.structuredContent.id",
    "result.content[0].uri",
];

/// All of them, each tool in turn.
pub(super) fn all(tools: &[Tool], profile: &Profile, settings: &MakerSettings) -> Vec<Input> {
    let mut lanes: Vec<Vec<Input>> = vec![general(profile, settings)];
    for (index, tool) in tools.iter().enumerate().take(MAX_TOOLS) {
        let next = tools.get(index.saturating_add(1)).or_else(|| tools.first()).unwrap_or(tool);
        lanes.push(of_tool(tool, next, settings));
    }
    in_turn(lanes)
}

pub(super) fn input(steps: Vec<InputStep>) -> Input {
    Input { origin: ORIGIN, steps }
}

/// A call of a tool with its plainest arguments.
pub(super) fn plain_call(tool: &Tool) -> InputStep {
    let arguments = tool.pool.first().cloned().unwrap_or_else(|| json!({}));
    let claim = tool.claim(&arguments);
    tool_call(&tool.name, arguments).claiming(claim)
}

pub(super) fn cancel(id: &str) -> InputStep {
    notification("notifications/cancelled", json!({ "requestId": id }))
}

fn of_tool(tool: &Tool, next: &Tool, settings: &MakerSettings) -> Vec<Input> {
    let call = || plain_call(tool);
    let started = || call().in_background().named("call");
    let idle = || request(idle_method(settings), Value::Null);
    let mut all = vec![
        input(vec![started(), cancel("{{call.id}}"), idle()]),
        input(vec![started(), cancel("{{call.id}}"), cancel("{{call.id}}"), call()]),
        input(vec![call().named("call"), cancel("{{call.id}}"), call()]),
        input(vec![call(), request("tools/list", json!({})), call()]),
        input(vec![
            call().with_id(json!("again")).in_background(),
            call().with_id(json!("again")).in_background(),
            idle(),
        ]),
        input(vec![
            call().with_id(json!(424_242)).in_background(),
            call().with_id(json!("424242")).in_background(),
            idle(),
        ]),
        input(vec![
            call().with_meta(json!({ "progressToken": "p" })),
            call().with_meta(json!({ "progressToken": "p" })),
        ]),
        input(vec![
            call().with_meta(json!({ "progressToken": 0 })).in_background().named("call"),
            cancel("{{call.id}}"),
            call().with_meta(json!({ "progressToken": 0 })),
        ]),
    ];
    let mut many: Vec<InputStep> = (0..MANY).map(|_| call().in_background()).collect();
    many.push(idle());
    all.push(input(many));
    if let Some(place) =
        next.places.iter().find(|place| place.kind == Kind::Text).or_else(|| next.places.first())
    {
        for path in CAPTURED {
            let Ok(path) = path.parse::<Path>() else { continue };
            let mut arguments = next.pool.first().cloned().unwrap_or_else(|| json!({}));
            put(&mut arguments, &place.path, json!("{{captured}}"));
            let mut first = call();
            first.capture = vec![("captured".to_owned(), path)];
            all.push(input(vec![first, tool_call(&next.name, arguments)]));
        }
    }
    all
}

fn general(profile: &Profile, settings: &MakerSettings) -> Vec<Input> {
    let idle = || request(idle_method(settings), Value::Null);
    let mut lists: Vec<&str> = Vec::new();
    for (capability, method) in
        [("tools", "tools/list"), ("resources", "resources/list"), ("prompts", "prompts/list")]
    {
        if profile.declares(capability) {
            lists.push(method);
        }
    }
    let started = || idle().in_background().named("asked");
    let mut all = vec![
        input(vec![idle(), idle(), idle()]),
        input(vec![started(), cancel("{{asked.id}}"), idle()]),
        input(vec![cancel("no-such-request"), cancel("no-such-request"), idle()]),
        input(vec![idle().with_id(json!("same")), idle().with_id(json!("same"))]),
    ];
    let mut many: Vec<InputStep> = (0..MANY).map(|_| idle().in_background()).collect();
    many.push(idle());
    all.push(input(many));
    for method in lists {
        let list = || request(method, json!({}));
        all.push(input(vec![list().in_background(), list().in_background(), list()]));
        all.push(input(vec![list().in_background().named("asked"), cancel("{{asked.id}}"), list()]));
        let mut first = list();
        first.capture =
            "result.nextCursor".parse().map(|path| vec![("cursor".to_owned(), path)]).unwrap_or_default();
        let page = |cursor: Value| request(method, json!({ "cursor": cursor }));
        all.push(input(vec![first.clone(), page(json!("{{cursor}}")), page(json!("{{cursor}}"))]));
        all.push(input(vec![first, page(json!("x{{cursor}}")), page(json!("{{cursor}}{{cursor}}"))]));
    }
    all
}
