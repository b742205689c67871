//! Turns entries of a recording into the evidence that reports show.

use super::Breach;
use crate::event::{Direction, Evidence};
use crate::text;
use crate::transcript::{Happening, Rung, Transcript};

/// How many frames a finding shows at most.
const MOST: usize = 12;

/// The entries that prove a breach, in the order of time.
#[must_use]
pub fn of(transcript: &Transcript, breach: &Breach) -> Vec<Evidence> {
    let mut entries: Vec<usize> = breach.culprits.iter().chain(&breach.context).copied().collect();
    entries.sort_unstable();
    entries.dedup();
    let excess = entries.len().saturating_sub(MOST);
    if excess > 0 {
        // The culprits stay; of the rest the latest tell most.
        let mut spare = excess;
        entries.retain(|entry| {
            let keep = spare == 0 || breach.culprits.contains(entry);
            spare -= usize::from(!keep);
            keep
        });
        entries.truncate(MOST);
    }
    entries.into_iter().filter_map(|entry| one(transcript, entry, breach.culprits.contains(&entry))).collect()
}

fn one(transcript: &Transcript, index: usize, culprit: bool) -> Option<Evidence> {
    let entry = transcript.entries.get(index)?;
    let (direction, text, bytes) = match &entry.what {
        Happening::Sent { bytes, .. } => {
            let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
            (Direction::Sent, text::frame(body, Evidence::MAX_TEXT), bytes.len() as u64)
        }
        Happening::Received { frame, .. } => {
            (Direction::Received, text::frame(&frame.bytes, Evidence::MAX_TEXT), frame.length)
        }
        Happening::Stop(Rung::InputClosed) => {
            (Direction::Event, "we closed the server's standard input".to_owned(), 0)
        }
        Happening::Stop(Rung::Terminated) => (Direction::Event, "we sent SIGTERM".to_owned(), 0),
        Happening::Stop(Rung::Killed) => (Direction::Event, "we sent SIGKILL".to_owned(), 0),
        Happening::OutputClosed => (Direction::Event, "the server closed its standard output".to_owned(), 0),
        Happening::InputBroken => (Direction::Event, "the server closed its standard input".to_owned(), 0),
        Happening::Exited(exit) => (Direction::Event, format!("the server {exit}"), 0),
        Happening::Overflow => {
            (Direction::Event, "the server sent more than a session may hold".to_owned(), 0)
        }
    };
    let at_us = u64::try_from(entry.at.as_micros()).unwrap_or(u64::MAX);
    Some(Evidence { at_us, direction, text, bytes, culprit })
}
