//! Turns entries of a recording into the evidence that reports show.

use super::{Breach, http};
use crate::event::{Direction, Evidence, Transport};
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
        Happening::Sent { bytes, carrier, .. } => {
            let body = text::frame(bytes.strip_suffix(b"\n").unwrap_or(bytes), Evidence::MAX_TEXT);
            let text = match carrier {
                Some(carrier) => format!("{} {body}", http::request_in_words(carrier)).trim_end().to_owned(),
                None => body,
            };
            (Direction::Sent, text, bytes.len() as u64)
        }
        Happening::Head { status, headers, .. } => {
            (Direction::Received, http::head_in_words(*status, headers), 0)
        }
        Happening::Event { event, .. } => (Direction::Received, http::event_in_words(event), event.length),
        Happening::End { end, body, length, .. } => match end.failure() {
            Some(failure) => (Direction::Event, failure, *length),
            None if body.is_empty() => (Direction::Event, "the HTTP answer ended".to_owned(), *length),
            None => (Direction::Received, text::frame(body, Evidence::MAX_TEXT), *length),
        },
        Happening::Received { frame, .. } | Happening::Late { frame } => {
            (Direction::Received, text::frame(&frame.bytes, Evidence::MAX_TEXT), frame.length)
        }
        Happening::Stop(Rung::InputClosed) => {
            (Direction::Event, "we closed the server's standard input".to_owned(), 0)
        }
        Happening::Stop(Rung::Terminated) => (Direction::Event, "we sent SIGTERM".to_owned(), 0),
        Happening::Stop(Rung::Killed) => (Direction::Event, "we sent SIGKILL".to_owned(), 0),
        Happening::OutputClosed if transcript.transport == Transport::Stdio => {
            (Direction::Event, "the server closed its standard output".to_owned(), 0)
        }
        Happening::OutputClosed => (Direction::Event, "the server is no longer reached".to_owned(), 0),
        Happening::SessionLost => (Direction::Event, "the server no longer knows the session".to_owned(), 0),
        Happening::InputBroken => (Direction::Event, "the server closed its standard input".to_owned(), 0),
        Happening::Exited(exit) => (Direction::Event, format!("the server {exit}"), 0),
        Happening::Overflow => {
            (Direction::Event, "the server sent more than a session may hold".to_owned(), 0)
        }
    };
    let at_us = u64::try_from(entry.at.as_micros()).unwrap_or(u64::MAX);
    Some(Evidence { at_us, direction, text, bytes, culprit })
}
