//! Tools that return each kind of content (spec page `server/tools#tool-result`).

use serde_json::{Value, json};

use super::tool::{Run, Tool, failure, text};
use crate::dispatch::Outcome;
use crate::fixtures::{PNG, WAV};
use crate::revision::Revision;

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::new("test_simple_text", "Simple text", "Returns one text", Run::Now(|_, _| {
            text("This is a simple text response for testing.")
        })),
        Tool::new("test_image_content", "Image", "Returns a PNG of one pixel", Run::Now(|_, _| content(vec![image()]))),
        Tool::new("test_audio_content", "Audio", "Returns a short WAV", Run::Now(|_, _| {
            content(vec![json!({ "type": "audio", "data": WAV, "mimeType": "audio/wav" })])
        }))
        .since(Revision::V2025_03_26),
        Tool::new("test_embedded_resource", "Embedded resource", "Returns a text resource", Run::Now(|_, _| {
            content(vec![resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")])
        })),
        Tool::new("test_multiple_content_types", "Several contents", "Returns text, image and resource", Run::Now(|_, _| {
            let data = json!({ "test": "data", "value": 123 }).to_string();
            content(vec![
                json!({ "type": "text", "text": "Multiple content types test:" }),
                image(),
                resource("test://mixed-content-resource", "application/json", &data),
            ])
        })),
        Tool::new("test_error_handling", "Error", "Always reports an error of its own", Run::Now(|_, _| {
            failure("This tool intentionally returns an error for testing")
        })),
        Tool::new("test_resource_link", "Resource link", "Returns a link to a resource", Run::Now(|_, _| {
            content(vec![json!({
                "type": "resource_link", "uri": "test://static-text", "name": "static-text", "mimeType": "text/plain",
                "annotations": { "audience": ["user"], "priority": 1 },
            })])
        }))
        .since(Revision::V2025_06_18),
    ]
}

fn content(blocks: Vec<Value>) -> Outcome {
    Ok(json!({ "content": blocks }))
}

fn image() -> Value {
    json!({ "type": "image", "data": PNG, "mimeType": "image/png" })
}

fn resource(uri: &str, mime: &str, text: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "mimeType": mime, "text": text } })
}
