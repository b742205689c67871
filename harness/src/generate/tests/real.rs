//! Schemas like those of servers that people use, written anew: what counts is the shape, and the first answers.

use serde_json::{Value, json};

use super::super::Hints;
use super::{broken, made, made_with, whys};

const DRAFT_07: &str = "http://json-schema.org/draft-07/schema#";

fn files() -> Hints {
    Hints { paths: vec!["/srv/data".to_owned(), "/srv/data/notes.txt".to_owned()], ..Hints::default() }
}

/// As the TypeScript SDK writes them: draft-07, types only.
#[test]
fn a_server_of_files() {
    let read = json!({ "$schema": DRAFT_07, "type": "object", "required": ["path"], "properties": {
        "path": { "type": "string" },
        "tail": { "type": "number", "description": "Only so many lines from the end" },
        "head": { "type": "number", "description": "Only so many lines from the start" } } });
    let found = made_with(&read, &files(), 12);
    assert_eq!(found[0], json!({ "path": "/srv/data" }));
    assert_eq!(found[1], json!({ "path": "/srv/data", "tail": 1, "head": 1 }));
    assert_eq!(found[2], json!({ "path": "/srv/data/notes.txt" }));
    let why = broken(&read);
    assert_eq!(
        whys(&why)[..2],
        ["required property `path` is missing", "`path` is an integer, not a string"]
    );

    let edit = json!({ "$schema": DRAFT_07, "type": "object", "required": ["path", "edits"], "properties": {
        "path": { "type": "string" },
        "edits": { "type": "array", "items": { "type": "object", "required": ["oldText", "newText"], "properties": {
            "oldText": { "type": "string", "description": "What to look for" },
            "newText": { "type": "string", "description": "What to put there" } } } },
        "dryRun": { "type": "boolean", "default": false } } });
    let found = made_with(&edit, &files(), 4);
    assert_eq!(
        found[0],
        json!({ "path": "/srv/data", "edits": [{ "oldText": "hello", "newText": "hello" }] })
    );
    assert_eq!(found[1].get("dryRun"), Some(&json!(false)));
    assert!(whys(&broken(&edit)).contains(&"required property `oldText` is missing in item 0 of `edits`"));

    let many = json!({ "$schema": DRAFT_07, "type": "object", "required": ["paths"], "properties": {
        "paths": { "type": "array", "minItems": 1, "items": { "type": "string" }, "description": "Paths of files" } } });
    assert_eq!(made_with(&many, &files(), 3)[0], json!({ "paths": ["/srv/data"] }));
    assert!(whys(&broken(&many)).contains(&"`paths` has 0 items, fewer than 1"));
}

/// As Pydantic writes them: titles everywhere, no dialect.
#[test]
fn a_server_of_time() {
    let convert = json!({ "type": "object", "title": "convertArguments",
        "required": ["source_timezone", "time", "target_timezone"], "properties": {
            "source_timezone": { "type": "string", "title": "Source Timezone",
                "description": "IANA name of the zone to convert from (e.g., 'America/New_York', 'Europe/London')." },
            "time": { "type": "string", "title": "Time", "description": "A time of day on 24 hours (HH:MM)" },
            "target_timezone": { "type": "string", "title": "Target Timezone",
                "description": "IANA name of the zone to convert to (e.g., 'Asia/Tokyo')." } } });
    let found = made(&convert);
    assert_eq!(found[0], json!({ "source_timezone": "UTC", "time": "12:00", "target_timezone": "UTC" }));
    assert!(found.iter().any(|value| value.get("target_timezone") == Some(&json!("Asia/Tokyo"))));
}

#[test]
fn a_server_of_everything() {
    let links = json!({ "$schema": DRAFT_07, "type": "object", "properties": {
        "count": { "type": "number", "minimum": 1, "maximum": 10, "default": 3 } } });
    assert_eq!(made(&links)[..2], [json!({}), json!({ "count": 3 })]);
    let why = broken(&links);
    assert!(whys(&why).contains(&"`count` is 11, above the maximum 10"), "{why:?}");
    assert!(whys(&why).contains(&"`count` is 0, below the minimum 1"), "{why:?}");

    let annotated = json!({ "$schema": DRAFT_07, "type": "object", "required": ["messageType"], "properties": {
        "messageType": { "type": "string", "enum": ["error", "success", "debug"] },
        "includeImage": { "type": "boolean", "default": false } }, "additionalProperties": false });
    let found = made(&annotated);
    assert_eq!(found.len(), 9, "{found:?}");
    let why = broken(&annotated);
    assert!(
        whys(&why).contains(&"extra property `mcp_conform_unexpected` though additionalProperties is false")
    );
    assert!(why.iter().any(|one| one.keyword == "enum" && one.path == "/messageType"));

    assert_eq!(made(&json!({ "type": "object", "properties": {} })), [json!({})]);
    assert_eq!(made(&json!({ "type": "object", "additionalProperties": false })), [json!({})]);
}

#[test]
fn optional_values_of_python() {
    let search = json!({ "type": "object", "title": "searchArguments", "required": ["query"], "properties": {
        "query": { "type": "string", "minLength": 1, "maxLength": 200 },
        "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 10 },
        "since": { "anyOf": [{ "type": "string", "format": "date-time" }, { "type": "null" }], "default": null },
        "filter": { "anyOf": [{ "$ref": "#/$defs/Filter" }, { "type": "null" }], "default": null } },
        "$defs": { "Filter": { "type": "object", "required": ["tags"], "properties": {
            "tags": { "type": "array", "items": { "type": "string" } },
            "mode": { "$ref": "#/$defs/Mode", "default": "all" } } },
            "Mode": { "type": "string", "enum": ["any", "all"] } } });
    let found = made(&search);
    assert_eq!(found[0], json!({ "query": "test" }));
    assert_eq!(
        found[1],
        json!({ "query": "test", "limit": 10, "since": "2024-01-15T12:00:00Z",
            "filter": { "tags": ["example"], "mode": "all" } })
    );
    assert!(whys(&broken(&search)).contains(&"`limit` is a string, not an integer"));
}

/// What the official suite's reference server lists to see that a schema survives the way to the client.
#[test]
fn a_tool_that_uses_much_of_2020_12() {
    let schema: Value = json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "$defs": { "address": { "$anchor": "addressDef", "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } } } },
        "properties": { "name": { "type": "string" }, "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" }, "email": { "type": "string" } },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": { "properties": { "contactMethod": { "const": "phone" } }, "required": ["contactMethod"] },
        "then": { "required": ["phone"] }, "else": { "required": ["email"] },
        "additionalProperties": false });
    let found = made(&schema);
    assert!(found.len() >= 10, "{found:?}");
    assert_eq!(found[0], json!({ "contactMethod": "phone", "phone": "+12025550100" }));
    assert_eq!(found[1].as_object().unwrap().len(), 5);
    assert!(found.iter().any(|value| value.get("contactMethod").is_none()), "{found:?}");
    assert!(
        found.iter().any(|value| value.get("address").is_none() && value.get("email").is_some()),
        "{found:?}"
    );
    assert!(!broken(&schema).is_empty());
}
