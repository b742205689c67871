//! Messages whose envelope is wrong: ids, versions, methods, batches, members that stand twice.

use mcp_conform_cases::case::Action;

use super::MakerSettings;
use super::call::{alone, idle_method};
use super::methods::in_turn;
use super::odd::{IDS, METHODS, PARAMS};
use crate::fuzz::input::Input;
use crate::template::repeated;

/// Where these inputs come from.
const ORIGIN: &str = "envelope";
/// How many messages a long batch has.
const LONG_BATCH: usize = 1000;

/// All of them, each sort in turn.
pub(super) fn all(settings: &MakerSettings) -> Vec<Input> {
    let idle = idle_method(settings);
    let params = if settings.is_stateless() { ",\"params\":{\"_meta\":{{meta}}}" } else { "" };
    let ids =
        IDS.iter().map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{idle}\"{params}}}"));
    let methods = METHODS
        .iter()
        .map(|method| format!("{{\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":{method}{params}}}"));
    let odd_params = PARAMS.iter().map(|params| {
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":\"{idle}\",\"params\":{params}}}")
    });
    let versions = versions(idle, params);
    let lanes = [
        ids.collect(),
        methods.collect(),
        odd_params.collect(),
        versions,
        shapes(idle, params),
        batches(idle, params),
    ];
    let as_inputs =
        |texts: Vec<String>| texts.into_iter().map(|text| alone(ORIGIN, Action::Raw(text))).collect();
    in_turn(lanes.into_iter().map(as_inputs).collect())
}

fn versions(idle: &str, params: &str) -> Vec<String> {
    [
        "",
        "\"jsonrpc\":\"1.0\",",
        "\"jsonrpc\":2.0,",
        "\"jsonrpc\":2,",
        "\"jsonrpc\":null,",
        "\"jsonrpc\":\"\",",
        "\"jsonrpc\":[],",
        "\"jsonrpc\":\"2.0 \",",
        "\"jsonrpc\":\"2.0\",\"jsonrpc\":\"1.0\",",
        "\"JSONRPC\":\"2.0\",",
    ]
    .into_iter()
    .map(|version| format!("{{{version}\"id\":{{{{id}}}},\"method\":\"{idle}\"{params}}}"))
    .collect()
}

/// Members that are missing, too many, or contradict each other.
fn shapes(idle: &str, params: &str) -> Vec<String> {
    let mut shapes: Vec<String> = [
        "{}",
        "null",
        "true",
        "0",
        "\"\"",
        "\"{}\"",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"error\":{\"code\":-1,\"message\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"result\":{},\"error\":{\"code\":-1,\"message\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"x\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"error\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"error\":\"x\"}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"method\":\"notifications/initialized\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":{{id}},\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":{{id}}}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"tools/list\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"tools/call\",\"params\":{}}",
        "{\"\":0}",
        "{\"__proto__\":{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"}}",
    ]
    .map(str::to_owned)
    .into();
    let usual = format!("\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":\"{idle}\"{params}");
    for extra in [
        "\"x\":1".to_owned(),
        "\"__proto__\":{\"x\":1}".to_owned(),
        "\"constructor\":null".to_owned(),
        "\"result\":{}".to_owned(),
        "\"error\":null".to_owned(),
        "\"id\":\"again\"".to_owned(),
        "\"method\":\"no/such/method\"".to_owned(),
        "\"params\":[]".to_owned(),
        "\"\\ud800\":1".to_owned(),
        format!("\"{}\":1", repeated("k", 65_536)),
        format!("\"x\":{}{}", repeated("[", 10_000), repeated("]", 10_000)),
        format!("\"x\":[{}0]", repeated("0,", 50_000)),
        // With a space, or the brace and those of the template would be taken for each other.
        format!("\"x\":{{ {}\"z\":0}}", repeated("\"a\":0,", 10_000)),
    ] {
        shapes.push(format!("{{{usual},{extra}}}"));
    }
    shapes
}

fn batches(idle: &str, params: &str) -> Vec<String> {
    let one = format!("{{\"jsonrpc\":\"2.0\",\"id\":{{{{id}}}},\"method\":\"{idle}\"{params}}}");
    let other = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"other\",\"method\":\"{idle}\"{params}}}");
    let note = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/no-such-thing\"}";
    let plain = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"many\",\"method\":\"{idle}\"}},");
    vec![
        "[]".to_owned(),
        "[1]".to_owned(),
        "[1,2,3]".to_owned(),
        "[null]".to_owned(),
        "[{}]".to_owned(),
        "[[]]".to_owned(),
        format!("[{one}]"),
        format!("[{one},{other}]"),
        format!("[{one},{one}]"),
        format!("[[{one}]]"),
        format!("[{one},1,null,[],{note}]"),
        format!("[{note}]"),
        format!("[{}{one}]", repeated(&plain, LONG_BATCH)),
        format!("[{}{one}]", repeated("[],", LONG_BATCH)),
        format!("{}{one}{}", repeated("[", 128), repeated("]", 128)),
    ]
}
