//! Lists in pages (spec page `server/utilities/pagination`).
//!
//! A cursor says where the next page begins, and of which list. It is wrapped so that nobody is tempted to build one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::context::Context;
use crate::jsonrpc::RpcError;

/// The page of `entries` that the request asks for, as a result whose list is called `member`.
pub(crate) fn page(
    context: &Context,
    member: &str,
    usual_size: usize,
    entries: Vec<Value>,
) -> Result<Value, RpcError> {
    let size = context.session.server.settings.page_size.unwrap_or(usual_size).max(1);
    let start = match context.request.params.get("cursor") {
        None => 0,
        Some(cursor) => cursor
            .as_str()
            .and_then(|cursor| position(member, cursor))
            .filter(|start| *start < entries.len().max(1))
            .ok_or_else(|| RpcError::invalid_params("Unknown cursor"))?,
    };
    let end = start.saturating_add(size);
    let more = end < entries.len();
    let shown: Vec<Value> = entries.into_iter().skip(start).take(size).collect();
    let mut result = json!({ member: shown });
    if let (true, Some(result)) = (more, result.as_object_mut()) {
        result.insert("nextCursor".into(), cursor(member, end).into());
    }
    Ok(result)
}

fn cursor(member: &str, start: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("{member}@{start}"))
}

fn position(member: &str, cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (list, start) = text.split_once('@')?;
    // Only cursors that we hand out: "+5" and "05" would parse as well.
    (list == member)
        .then(|| start.parse::<usize>().ok())
        .flatten()
        .filter(|number| *number > 0 && number.to_string() == start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_one_list() {
        let handed_out = cursor("tools", 12);
        assert_eq!(position("tools", &handed_out), Some(12));
        assert_eq!(position("prompts", &handed_out), None);
        assert_eq!(position("tools", "not-a-cursor"), None);
        assert_eq!(position("tools", &cursor("tools", 0)), None);
    }
}
