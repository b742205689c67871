//! Event streams: however a stream is cut, the same events come out of it, and they are those of the HTML standard.

use mcp_conform::transport::http::events::{Event, EventParser};

use crate::bytes::{Bytes, pieces};

/// Tries one input.
///
/// # Panics
/// If a promise does not hold.
pub fn run(data: &[u8]) {
    let (stream, pieces) = pieces(Bytes::new(data));
    let mut parser = EventParser::default();
    let events: Vec<Event> = pieces.iter().flat_map(|piece| parser.push(piece)).collect();
    let mut whole = EventParser::default();
    assert_eq!(events, whole.push(stream), "the events depend on how the stream was cut");
    assert_eq!(parser.is_inside_event(), whole.is_inside_event());
    assert_eq!(events, standard(stream), "the events are not those of the standard");
    for event in &events {
        assert_eq!(event.data.as_ref().map_or(0, |data| data.len() as u64), event.length);
        assert!(event.data.is_some() || event.name.is_some() || event.id.is_some() || event.retry.is_some());
    }
    // Whatever came before, a blank line ends it and the next event is read as it is.
    let mut after = parser.push(b"\n\ndata: sign of life\n\n");
    let last = after.pop().expect("an event comes out");
    assert_eq!(last.data.as_deref(), Some(&b"sign of life"[..]));
    assert!(!parser.is_inside_event());
}

/// The events of a whole stream by the simplest means: lines first, then fields.
fn standard(stream: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut event = Event::default();
    for line in lines(stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream)) {
        if line.is_empty() {
            if event != Event::default() {
                events.push(std::mem::take(&mut event));
            }
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = line.split_at(colon.unwrap_or(line.len()));
        let value = value.strip_prefix(b":").unwrap_or(value);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let text = || String::from_utf8_lossy(value).into_owned();
        match field {
            b"data" => {
                let data = match event.data.take() {
                    Some(before) => [&before, &b"\n"[..], value].concat(),
                    None => value.to_vec(),
                };
                event.length = data.len() as u64;
                event.data = Some(data);
            }
            b"event" => event.name = Some(text()),
            b"id" if !value.contains(&0) => event.id = Some(text()),
            // Digits only; what is too large for us is the largest.
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                event.retry = Some(text().parse().unwrap_or(u64::MAX));
            }
            _ => {}
        }
    }
    events
}

/// The lines that have an end: a line feed, a carriage return, or both.
fn lines(stream: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut rest = stream;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let (line, after) = rest.split_at(end);
        rest = after.strip_prefix(b"\r\n").unwrap_or(&after[1..]);
        lines.push(line);
    }
    lines
}
