//! Makes inputs smaller as long as they still show what was found.
//!
//! It works on the structure of any input, also one that was read from a file, and needs no decisions that led to it.

mod edits;
mod place;

use proptest::strategy::ValueTree;

use super::input::Input;
use super::make::Maker;
use edits::Edit;

/// How many smaller inputs are proposed for one input: each costs the caller at least one exchange with a server.
pub const MAX_CANDIDATES: usize = 4096;

/// An input and everything smaller that can be made of it, one candidate after the other.
///
/// The contract is that of proptest, so that a caller can also go step by step: after [`ValueTree::simplify`] said
/// yes, try [`ValueTree::current`]; if it still shows the finding call `simplify` again, else
/// [`ValueTree::complicate`], which proposes the next candidate or says that there is none. When either says no,
/// `current` is the smallest input that showed the finding.
#[derive(Clone, Debug)]
pub struct InputTree {
    /// The smallest input that is known to show what was found.
    best: Input,
    /// What was proposed last.
    candidate: Option<Input>,
    /// Makes the claims of candidates true.
    maker: Option<Maker>,
    edits: Vec<Edit>,
    next: usize,
    /// Whether anything has become smaller since the edits were gone through from the start.
    progressed: bool,
    /// Whether the edits are those of `best`.
    planned: bool,
    left: usize,
}

impl InputTree {
    /// A tree for an input. Without a maker, claims about steps that change are given up.
    #[must_use]
    pub fn new(input: Input, maker: Option<Maker>) -> InputTree {
        InputTree {
            best: input,
            candidate: None,
            maker,
            edits: Vec::new(),
            next: 0,
            progressed: false,
            planned: false,
            left: MAX_CANDIDATES,
        }
    }

    fn propose(&mut self) -> bool {
        self.candidate = None;
        while self.left > 0 {
            if !self.planned {
                self.edits = edits::of(&self.best);
                self.planned = true;
            }
            let Some(edit) = self.edits.get(self.next) else {
                if !self.progressed {
                    return false;
                }
                self.progressed = false;
                self.next = 0;
                continue;
            };
            self.next = self.next.saturating_add(1);
            if let Some(mut candidate) = edits::applied(edit, &self.best) {
                match &self.maker {
                    Some(maker) => maker.reclaim(&mut candidate),
                    None => edits::drop_claims(&mut candidate, &self.best),
                }
                self.left = self.left.saturating_sub(1);
                self.candidate = Some(candidate);
                return true;
            }
        }
        false
    }
}

impl ValueTree for InputTree {
    type Value = Input;

    fn current(&self) -> Input {
        self.candidate.as_ref().unwrap_or(&self.best).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(candidate) = self.candidate.take() {
            self.best = candidate;
            self.progressed = true;
            self.planned = false;
            // What comes now in its place has not been tried yet.
            self.next = self.next.saturating_sub(1);
        }
        self.propose()
    }

    fn complicate(&mut self) -> bool {
        self.propose()
    }
}

/// Makes an input smaller while `still` says that it shows the finding, with at most `budget` questions. The input
/// itself is taken to show it.
pub fn shrink(
    input: Input,
    maker: Option<&Maker>,
    budget: usize,
    mut still: impl FnMut(&Input) -> bool,
) -> Input {
    let mut tree = InputTree::new(input, maker.cloned());
    let mut more = tree.simplify();
    for _ in 0..budget {
        if !more {
            break;
        }
        more = if still(&tree.current()) { tree.simplify() } else { tree.complicate() };
    }
    // What was proposed but never tried proves nothing.
    tree.best
}

#[cfg(test)]
mod tests;
