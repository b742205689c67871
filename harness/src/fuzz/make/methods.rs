//! Every other method of what a server declared, with parameters that nobody expects.

use mcp_conform_cases::Revision;
use serde_json::{Map, Value, json};

use super::MakerSettings;
use super::call::{alone, idle_method, notification, request, send, written};
use super::odd::{PARAMS, VALUES};
use crate::fuzz::input::Input;
use crate::profile::Profile;
use crate::template::{escape_value, repeated};
use mcp_conform_cases::case::Action;

/// Where these inputs come from.
const ORIGIN: &str = "boundary";

/// A method, parameters for it that make sense, and the places in them (as JSON Pointers) where oddities go.
struct Usual {
    method: &'static str,
    params: Value,
    places: &'static [&'static str],
}

/// All of them, each method in turn.
pub(super) fn all(profile: &Profile, settings: &MakerSettings) -> Vec<Input> {
    let usual = usual(profile, settings);
    let mut lanes: Vec<Vec<Input>> = usual.iter().map(|one| of_method(one, settings)).collect();
    lanes.push(addresses(profile));
    lanes.push(meta(settings));
    lanes.push(notifications());
    in_turn(lanes)
}

/// The first of each list, then the second of each, and so on.
pub(super) fn in_turn(lanes: Vec<Vec<Input>>) -> Vec<Input> {
    let mut lanes: Vec<_> = lanes.into_iter().map(Vec::into_iter).collect();
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(lanes.iter_mut().filter_map(Iterator::next));
        if all.len() == before {
            return all;
        }
    }
}

fn usual(profile: &Profile, settings: &MakerSettings) -> Vec<Usual> {
    let first = |items: &[Value], key: &str, other: &str| {
        items.first().and_then(|item| item.get(key)).and_then(Value::as_str).unwrap_or(other).to_owned()
    };
    let uri = first(&profile.resources, "uri", "file:///no-such-file");
    let prompt = first(&profile.prompts, "name", "no-such-prompt");
    let template = first(&profile.templates, "uriTemplate", "file:///{path}");
    let mut table: Vec<(&str, Usual)> = Vec::new();
    let mut add = |capability, method, params: Value, places| {
        table.push((capability, Usual { method, params: escape_value(params), places }));
    };
    add("tools", "tools/list", json!({}), &["/cursor"]);
    add("tools", "tools/call", json!({ "name": "no-such-tool", "arguments": {} }), &["/name", "/arguments"]);
    add("resources", "resources/list", json!({}), &["/cursor"]);
    add("resources", "resources/templates/list", json!({}), &["/cursor"]);
    add("resources", "resources/read", json!({ "uri": uri }), &["/uri"]);
    add("prompts", "prompts/list", json!({}), &["/cursor"]);
    add(
        "prompts",
        "prompts/get",
        json!({ "name": prompt, "arguments": {} }),
        &["/name", "/arguments", "/arguments/x"],
    );
    let completion: &[&str] =
        &["/argument/value", "/argument/name", "/ref/name", "/ref/type", "/ref", "/argument", "/context"];
    add(
        "completions",
        "completion/complete",
        json!({ "ref": { "type": "ref/prompt", "name": prompt }, "argument": { "name": "a", "value": "b" } }),
        completion,
    );
    add(
        "completions",
        "completion/complete",
        json!({ "ref": { "type": "ref/resource", "uri": template }, "argument": { "name": "a", "value": "b" } }),
        &["/ref/uri", "/argument/value", "/argument/name"],
    );
    if settings.is_stateless() {
        add("", "server/discover", json!({}), &["/x"]);
    } else {
        add("logging", "logging/setLevel", json!({ "level": "info" }), &["/level"]);
        add("resources.subscribe", "resources/subscribe", json!({ "uri": uri }), &["/uri"]);
        add("resources.subscribe", "resources/unsubscribe", json!({ "uri": uri }), &["/uri"]);
        add("", "ping", json!({}), &["/x"]);
    }
    if settings.revision == Revision::R2025_11_25 {
        add("tasks", "tasks/list", json!({}), &["/cursor"]);
        add("tasks", "tasks/get", json!({ "taskId": "no-such-task" }), &["/taskId"]);
        add("tasks", "tasks/result", json!({ "taskId": "no-such-task" }), &["/taskId"]);
        add("tasks", "tasks/cancel", json!({ "taskId": "no-such-task" }), &["/taskId"]);
    }
    table
        .into_iter()
        .filter(|(capability, _)| capability.is_empty() || profile.declares(capability))
        .map(|(_, usual)| usual)
        .collect()
}

fn of_method(usual: &Usual, settings: &MakerSettings) -> Vec<Input> {
    let mut lanes = vec![vec![alone(ORIGIN, request(usual.method, usual.params.clone()))]];
    for place in usual.places {
        let lane = VALUES.iter().map(|value| {
            let mut params = usual.params.clone();
            let path: Vec<String> = place.split('/').skip(1).map(str::to_owned).collect();
            super::tool::put(&mut params, &path, value.clone());
            alone(ORIGIN, request(usual.method, params))
        });
        lanes.push(lane.collect());
    }
    let missing = usual.params.as_object().into_iter().flat_map(Map::keys).map(|name| {
        let mut params = usual.params.clone();
        if let Some(members) = params.as_object_mut() {
            members.shift_remove(name);
        }
        alone(ORIGIN, request(usual.method, params))
    });
    lanes.push(missing.collect());
    let method = Value::from(usual.method);
    let whole = PARAMS.iter().map(|params| {
        let text =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":{method},\"params\":{params}}}");
        alone(ORIGIN, Action::Raw(text))
    });
    lanes.push(whole.collect());
    let twice =
        written(settings, &method.to_string(), "\"name\":\"a\",\"name\":\"b\",\"uri\":\"a:\",\"uri\":\"b:\"");
    lanes.push(vec![alone(ORIGIN, Action::Raw(twice))]);
    in_turn(lanes)
}

/// Addresses of resources that should not be readable, or are none.
fn addresses(profile: &Profile) -> Vec<Input> {
    if !profile.declares("resources") {
        return Vec::new();
    }
    let mut uris: Vec<String> = [
        "file:///../../../../../../etc/passwd",
        "file:///etc/passwd",
        "file://localhost/etc/passwd",
        "file:///%2e%2e/%2e%2e/etc/passwd",
        "file:///etc/passwd%00.txt",
        "file:etc/passwd",
        "file:////",
        "FILE:///etc/passwd",
        "unknown-scheme:thing",
        "http://127.0.0.1:1/",
        "http://[::1",
        "http://a:99999/",
        "//host/path",
        ":",
        "::",
        "a:",
        "%",
        "file:///%",
        "file:///%zz",
        "file:///\u{202e}🙂",
        "file:///a b",
        "file:///a\nb",
        "file:///a\0b",
        "data:text/plain,a",
        "javascript:0",
    ]
    .map(str::to_owned)
    .into();
    let listed = profile.resources.first().and_then(|item| item.get("uri")).and_then(Value::as_str);
    if let Some(uri) = listed {
        let uri = crate::template::escape(uri);
        uris.extend(
            ["/../../../../etc/passwd", "?a=b", "#f", "%00", "/", " "].map(|end| format!("{uri}{end}")),
        );
        uris.push(uri.to_uppercase());
    }
    for template in &profile.templates {
        let Some(template) = template.get("uriTemplate").and_then(Value::as_str) else { continue };
        for value in ["", "..%2f..%2fetc%2fpasswd", "../../etc/passwd", "%", "\0", "🙂", "__proto__"] {
            uris.push(crate::template::escape(&expanded(template, value)).into_owned());
        }
        uris.push(crate::template::escape(template).into_owned());
    }
    uris.push(format!("file:///{}", repeated("a", 65_536)));
    uris.push(format!("file:///{}etc/passwd", repeated("../", 4096)));
    uris.into_iter().map(|uri| alone(ORIGIN, request("resources/read", json!({ "uri": uri })))).collect()
}

/// A template with every expression replaced by a value, however much of RFC 6570 it uses.
fn expanded(template: &str, value: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        text.push_str(value);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text
}

/// Odd members of `_meta`, in a request that does nothing else.
fn meta(settings: &MakerSettings) -> Vec<Input> {
    let method = idle_method(settings);
    let with = |members: Value| alone(ORIGIN, request(method, Value::Null).with_meta(members));
    let tokens = [
        json!(""),
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!("\0"),
        json!("__proto__"),
        json!(repeated("t", 65_536)),
    ];
    let keys =
        ["", "/", "a/", "/a", "a b/c", "modelcontextprotocol.io/x", "mcp/x", "__proto__", "🙂/🙂", "\0"];
    let mut all: Vec<Input> =
        tokens.into_iter().map(|token| with(json!({ "progressToken": token }))).collect();
    all.extend(keys.into_iter().map(|key| with(json!({ key: 1 }))));
    all.push(with(json!({ repeated("k", 65_536): {} })));
    let mut without = send(method, Value::Null);
    without.without_meta = vec!["*".to_owned()];
    all.push(alone(ORIGIN, Action::Request(without)));
    all
}

/// Notifications that mean nothing, or mean it to nobody.
fn notifications() -> Vec<Input> {
    let mut all = Vec::new();
    for params in [
        json!(null),
        json!({}),
        json!({ "requestId": null }),
        json!({ "requestId": [] }),
        json!({ "requestId": "no-such-request" }),
        json!({ "requestId": 1e300, "reason": 5 }),
        json!({ "requestId": "no-such-request", "reason": repeated("r", 65_536) }),
    ] {
        all.push(alone(ORIGIN, notification("notifications/cancelled", params)));
    }
    for params in [
        json!(null),
        json!({ "progressToken": "no-such-token", "progress": 1 }),
        json!({ "progressToken": null, "progress": "x" }),
        json!({ "progressToken": {}, "progress": -1e308, "total": 0 }),
    ] {
        all.push(alone(ORIGIN, notification("notifications/progress", params)));
    }
    for method in
        ["notifications/roots/list_changed", "notifications/no-such-thing", "notifications/", "tools/list"]
    {
        all.push(alone(ORIGIN, notification(method, Value::Null)));
        all.push(alone(ORIGIN, notification(method, json!({ "x": [] }))));
    }
    all
}
