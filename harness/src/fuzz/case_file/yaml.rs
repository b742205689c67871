//! JSON values as YAML that every reader takes for the same value: in one line, with all texts in double quotes.

use std::fmt::Write as _;

use serde_json::Value;

/// Longer keys, in bytes as they are written, need the mark of an explicit key.
const LONGEST_KEY: usize = 1000;

/// Writes a value.
pub(super) fn write(value: &Value, text: &mut String) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(flag) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(content) => quote(content, text),
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                text.push_str(if index == 0 { "" } else { ", " });
                let before = text.len();
                quote(name, text);
                if text.len().saturating_sub(before) > LONGEST_KEY {
                    text.insert_str(before, "? ");
                }
                text.push_str(": ");
                write(member, text);
            }
            text.push('}');
        }
    }
}

/// Writes a text in double quotes. What is not plain is escaped, so that no reader folds, drops or refuses it.
fn quote(content: &str, text: &mut String) {
    text.push('"');
    for character in content.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            ' '..='~' => text.push(character),
            _ => {
                let code = u32::from(character);
                // Writing to a string cannot fail.
                let _ = match code {
                    0..=0xff => write!(text, "\\x{code:02x}"),
                    0x100..=0xffff => write!(text, "\\u{code:04x}"),
                    _ => write!(text, "\\U{code:08x}"),
                };
            }
        }
    }
    text.push('"');
}
