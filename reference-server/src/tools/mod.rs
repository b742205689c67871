//! Tools (spec page `server/tools`).

mod asking;
mod calling;
mod changing;
mod content;
mod headers;
mod interactive;
mod structured;
mod tasks;
mod tool;
mod working;

pub(crate) use calling::{call, list};
pub(crate) use tool::Tool;

/// All tools, in the order of the list. The official fixtures come first, so that a client that does not follow
/// cursors sees them; the very first can be called with no arguments.
pub(crate) fn catalog() -> Vec<Tool> {
    [
        content::tools(),
        working::official_tools(),
        structured::official_tools(),
        headers::official_tools(),
        interactive::official_tools(),
        asking::tools(),
        changing::tools(),
        tasks::tools(),
        structured::tools(),
        working::tools(),
        interactive::tools(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
