//! The lines of stdio: however a stream is cut, the same frames come out of it, and a frame is read the same way twice.

use mcp_conform::text;
use mcp_conform::wire::{Content, Ending, Frame, Framer, Kind, id_key, parse};
use mcp_reference_server::transport::framing::{Framer as ServerFramer, Line};
use serde_json::Value;

use crate::bytes::{Bytes, pieces};

/// Limits of a line that are tried, in bytes; the last one is never reached.
const LIMITS: [usize; 6] = [1, 2, 7, 64, 300, 1 << 20];
/// How much of a frame a text shows, in bytes.
const SHOWN: usize = 60;

/// Tries one input.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let limit = *bytes.pick(&LIMITS);
    let (stream, pieces) = pieces(bytes);
    let frames = frames(&pieces, limit);
    assert_eq!(frames, frames_of_whole(stream, limit), "the frames depend on how the stream was cut");
    for frame in &frames {
        understand(frame);
    }
    assert_eq!(
        server_lines(&pieces, limit),
        server_lines(&[stream], limit),
        "the lines of the reference server depend on how the stream was cut"
    );
}

fn frames(pieces: &[&[u8]], limit: usize) -> Vec<Frame> {
    let mut framer = Framer::with_limit(limit);
    let mut found = Vec::new();
    for piece in pieces {
        framer.push(piece);
        while let Some(frame) = framer.next_frame() {
            found.push(frame);
        }
    }
    found.extend(framer.last_frame());
    assert_eq!(framer.last_frame(), None, "the end comes once");
    found
}

/// The same by the simplest means: the whole stream at hand, split at line feeds.
fn frames_of_whole(stream: &[u8], limit: usize) -> Vec<Frame> {
    let mut found = Vec::new();
    let mut lines = stream.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        let (line, ending) = match line.strip_suffix(b"\r") {
            _ if lines.peek().is_none() => (line, Ending::EndOfStream),
            Some(line) => (line, Ending::CrLf),
            None => (line, Ending::Lf),
        };
        if ending == Ending::EndOfStream && line.is_empty() {
            continue;
        }
        // No limit that is tried is longer than what is kept of a long line.
        let kept = if line.len() > limit { &line[..limit] } else { line };
        found.push(Frame { bytes: kept.to_vec(), ending, length: line.len() as u64 });
    }
    found
}

fn understand(frame: &Frame) {
    let content = parse(frame);
    // Floats compare by their text: a number may be none that equals itself.
    assert_eq!(format!("{content:?}"), format!("{:?}", parse(frame)), "read twice, understood twice");
    let utf8 = std::str::from_utf8(&frame.bytes);
    let json = serde_json::from_slice::<Value>(&frame.bytes);
    match &content {
        Content::TooLong => assert!(frame.is_cut()),
        Content::NotUtf8(at) => assert_eq!(utf8.map_err(|error| error.valid_up_to()), Err(*at)),
        Content::Empty => assert!(utf8.is_ok_and(|text| text.trim().is_empty())),
        Content::NotJson(why) | Content::Beyond(why) => assert!(json.is_err() && !why.is_empty()),
        Content::NotAMessage => assert!(json.is_ok_and(|value| !value.is_object() && !value.is_array())),
        Content::Message(message) => {
            // Lone surrogates are let pass although our JSON library refuses them.
            if let Ok(value) = json {
                assert_eq!(message.value, value);
            }
            assert!(message.members().is_some());
            assert_eq!(
                message.kind == Kind::Notification,
                message.id().is_none() && has(&message.value, "method")
            );
            if let Some(id) = message.id() {
                assert_eq!(id_key(id), id_key(&id.clone()));
                assert_eq!(id.is_string(), id_key(id).starts_with('"'), "a text is never taken for a number");
            }
        }
        Content::Batch(items) => {
            let objects = items.iter().filter(|item| item.is_object()).count();
            assert_eq!(content.messages().count(), objects);
        }
    }
    show(&frame.bytes);
}

fn has(value: &Value, member: &str) -> bool {
    value.get(member).is_some()
}

/// What is shown of a frame is bounded, and nothing in it reaches a terminal.
fn show(bytes: &[u8]) {
    let text = text::frame(bytes, SHOWN);
    assert!(text.len() <= SHOWN, "{} bytes where {SHOWN} were asked for", text.len());
    let visible = text::visible(&text);
    assert!(
        !visible.chars().any(|character| character.is_control() || text::is_unsafe(character)),
        "{visible:?}"
    );
    assert!(text::visible_ascii(&text).bytes().all(|byte| matches!(byte, b' '..=b'~')));
}

fn server_lines(pieces: &[&[u8]], limit: usize) -> Vec<Option<Vec<u8>>> {
    let mut found = Vec::new();
    let mut note = |line: Line<'_>| {
        found.push(match line {
            Line::Text(text) => Some(text.to_vec()),
            Line::TooLong => None,
        });
    };
    let mut framer = ServerFramer::new(limit);
    for piece in pieces {
        framer.feed(piece, &mut note);
    }
    framer.finish(&mut note);
    assert!(found.iter().flatten().all(|line| line.len() <= limit));
    found
}
