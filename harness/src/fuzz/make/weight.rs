//! Which inputs are long.

use mcp_conform_cases::case::Action;
use serde_json::Value;

use super::tool::Tool;
use crate::fuzz::input::Input;
use crate::fuzz::suspect;
use crate::template::{Piece, pieces};

/// Texts longer than this are long, in bytes.
const LONG: usize = 4 * 1024;

/// Whether an input holds a long text.
pub(super) fn is_long(input: &Input) -> bool {
    input.steps.iter().any(|step| match &step.action {
        Action::Request(send) | Action::Notify(send) => {
            is_long_text(&send.method)
                || send.params.as_ref().is_some_and(holds_long_text)
                || send.id.as_ref().is_some_and(holds_long_text)
        }
        Action::Json(message) => holds_long_text(message),
        Action::Raw(text) => is_long_text(text),
        Action::Bytes(bytes) => bytes.len() > LONG,
        _ => false,
    })
}

/// Whether all arguments are long that a tool is known to take.
pub(super) fn is_lengthy(tool: &Tool) -> bool {
    tool.pool.iter().all(holds_long_text)
}

/// Whether an input calls one of these tools.
pub(super) fn calls(input: &Input, tools: &[String]) -> bool {
    !tools.is_empty() && input.steps.iter().any(|step| suspect::called(step, tools).is_some())
}

fn holds_long_text(value: &Value) -> bool {
    match value {
        Value::String(text) => is_long_text(text),
        Value::Array(items) => items.iter().any(holds_long_text),
        Value::Object(members) => {
            members.iter().any(|(name, member)| is_long_text(name) || holds_long_text(member))
        }
        _ => false,
    }
}

/// Whether a template is a long text once it is filled in, whatever the names in it stand for.
fn is_long_text(template: &str) -> bool {
    let length = |piece: Piece<'_>| match piece {
        Piece::Text(text) => text.len(),
        Piece::Name(_) => 0,
        Piece::Literal { text, times } => text.len().saturating_mul(times),
    };
    template.len() > LONG
        || (memchr::memmem::find(template.as_bytes(), b"{{").is_some()
            && pieces(template).flatten().map(length).fold(0, usize::saturating_add) > LONG)
}
