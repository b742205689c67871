//! What comes out of a server's standard output.

use serde_json::{Map, Value};

use super::{Observation, breach};
use crate::judge::dialogue::Dialogue;
use crate::transcript::{Happening, Transcript};
use crate::wire::{Content, Ending, MAX_LINE};

/// Runs of at most this many lines are tried as one message that was spread over several lines.
const LONGEST_SPREAD: usize = 2000;

/// Nothing but messages. Lines that together make one message are left to [`one_message_a_line`], and bytes that are
/// no UTF-8 to [`utf8`]. An empty line says nothing and disturbs no reader that we know of, so it is advice only.
pub(super) fn only_messages(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    let spread = spread_messages(dialogue.transcript);
    let left_by_itself = has_left(dialogue.transcript);
    for (index, entry) in dialogue.transcript.entries.iter().enumerate() {
        let Happening::Received { frame, content, .. } = &entry.what else { continue };
        let is_spread = spread.iter().any(|(from, to)| (*from..=*to).contains(&index));
        // Who ends in the middle of a message is told of its end, if that was neither wanted nor ours.
        let is_cut_off = frame.ending == Ending::EndOfStream && is_beginning(content) && !left_by_itself;
        if is_spread || is_cut_off {
            continue;
        }
        seen.examine(match content {
            // Half of a surrogate pair, escaped: grammatical JSON, though many readers refuse it.
            Content::NotJson(why) if why.contains("hex escape") || why.contains("surrogate") => {
                let mut advice = breach(
                    dialogue,
                    index,
                    None,
                    format!("the server wrote half of a surrogate pair: {why}"),
                );
                advice.advice = true;
                Some(advice)
            }
            Content::NotJson(why) => Some(breach(
                dialogue,
                index,
                None,
                format!("the server wrote a line to its standard output that is no message: {why}"),
            )),
            Content::Message(message) if message.is_none_of_ours() => Some(breach(
                dialogue,
                index,
                None,
                "the server wrote an object to its standard output that is no message",
            )),
            Content::NotAMessage => Some(breach(
                dialogue,
                index,
                None,
                "the server wrote JSON to its standard output that is no message",
            )),
            Content::Empty => {
                let mut advice =
                    breach(dialogue, index, None, "the server wrote an empty line to its standard output");
                advice.advice = true;
                Some(advice)
            }
            Content::Message(_)
            | Content::Batch(_)
            | Content::NotUtf8(_)
            | Content::TooLong
            | Content::Beyond(_) => None,
        });
    }
    seen
}

/// Whether the server ended well and was not told to end.
fn has_left(transcript: &Transcript) -> bool {
    let any = |of: fn(&Happening) -> bool| transcript.entries.iter().any(|entry| of(&entry.what));
    any(|what| matches!(what, Happening::Exited(exit) if exit.code == Some(0)))
        && !any(|what| matches!(what, Happening::Stop(_)))
}

/// Whether it is JSON as far as it goes.
fn is_beginning(content: &Content) -> bool {
    matches!(content, Content::NotJson(why) if why.starts_with("EOF while parsing"))
}

/// A message stands on one line.
pub(super) fn one_message_a_line(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation { examined: dialogue.said.len(), breaches: Vec::new() };
    for (from, to) in spread_messages(dialogue.transcript) {
        let mut broken =
            breach(dialogue, from, None, format!("a message is spread over {} lines", to - from + 1));
        broken.culprits = (from..=to).take(6).collect();
        seen.examine(Some(broken));
    }
    // Nobody says that a carriage return may not stand before the newline.
    let ends_in_crlf =
        |what: &Happening| matches!(what, Happening::Received { frame, .. } if frame.ending == Ending::CrLf);
    if let Some(index) = dialogue.transcript.entries.iter().position(|entry| ends_in_crlf(&entry.what)) {
        let mut advice = breach(dialogue, index, None, "a line ends in CR LF");
        advice.advice = true;
        seen.examine(Some(advice));
    }
    seen
}

/// Runs of lines that are no message each and make one together.
fn spread_messages(transcript: &Transcript) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut run: Option<(usize, Vec<u8>)> = None;
    for (index, entry) in transcript.entries.iter().enumerate() {
        let Happening::Received { frame, content, .. } = &entry.what else { continue };
        let opens = frame.bytes.trim_ascii_start().starts_with(b"{");
        match (&mut run, content) {
            (None, Content::NotJson(_)) if opens => run = Some((index, frame.bytes.clone())),
            (Some(_), Content::Message(_)) => run = None,
            (Some((from, bytes)), _) => {
                bytes.push(b'\n');
                bytes.extend_from_slice(&frame.bytes);
                let closes = frame.bytes.trim_ascii_end().ends_with(b"}");
                if closes && serde_json::from_slice::<Map<String, Value>>(bytes).is_ok() {
                    found.push((*from, index));
                    run = None;
                } else if index - *from > LONGEST_SPREAD {
                    run = None;
                }
            }
            (None, _) => {}
        }
    }
    found
}

/// All output is UTF-8.
pub(super) fn utf8(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (index, entry) in dialogue.transcript.entries.iter().enumerate() {
        let Happening::Received { content, .. } = &entry.what else { continue };
        seen.examine(match content {
            Content::NotUtf8(at) => {
                Some(breach(dialogue, index, None, format!("the line is no UTF-8 from byte {at} on")))
            }
            _ => None,
        });
    }
    seen
}

/// No line is longer than a reader can be asked to take.
pub(super) fn bounded(dialogue: &Dialogue<'_>, _: &Map<String, Value>) -> Observation {
    let mut seen = Observation::default();
    for (index, entry) in dialogue.transcript.entries.iter().enumerate() {
        match &entry.what {
            Happening::Received { frame, .. } => seen.examine(frame.is_cut().then(|| {
                breach(
                    dialogue,
                    index,
                    None,
                    format!("a line is {} bytes long; we read {MAX_LINE} at most", frame.length),
                )
            })),
            Happening::Overflow => seen.examine(Some(breach(
                dialogue,
                index,
                None,
                "the server sent more than a session may hold",
            ))),
            _ => {}
        }
    }
    seen
}
