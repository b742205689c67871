//! Event streams, read as the HTML standard says (`text/event-stream`), with a bound on each event.
//!
//! Two things differ from a browser: blocks without data are told too, because an id or a retry time alone matters to
//! us, and the id is the one that stood in the block itself, not the last one before it.

/// Longest data of one event that is kept whole, in bytes.
pub const MAX_DATA: usize = 16 * 1024 * 1024;
/// Longest line that is no data, in bytes; what is longer is cut.
const MAX_FIELD: usize = 64 * 1024;

/// A block of an event stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The `event` field: the type; a message if absent.
    pub name: Option<String>,
    /// The `id` field.
    pub id: Option<String>,
    /// The `retry` field, in milliseconds.
    pub retry: Option<u64>,
    /// The `data` lines, joined by line feeds; `None` if there was none. At most [`MAX_DATA`] bytes of it.
    pub data: Option<Vec<u8>>,
    /// The true length of the data in bytes.
    pub length: u64,
}

impl Event {
    /// Whether the event carries a message, by its type.
    #[must_use]
    pub fn is_message(&self) -> bool {
        self.name.as_deref().is_none_or(|name| name.is_empty() || name == "message")
    }
}

/// Splits a byte stream into events.
#[derive(Debug, Default)]
pub struct EventParser {
    line: Vec<u8>,
    after_cr: bool,
    begun: bool,
    event: Event,
    any: bool,
}

impl EventParser {
    /// Takes in bytes as they were read; returns the events that they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let was_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
            match byte {
                b'\n' if was_cr => {}
                b'\r' | b'\n' => events.extend(self.end_line()),
                _ if self.line.len() < MAX_DATA + MAX_FIELD => self.line.push(byte),
                _ => self.event.length += 1,
            }
        }
        events
    }

    /// Whether something has come that no blank line has ended yet.
    #[must_use]
    pub fn is_inside_event(&self) -> bool {
        self.any || !self.line.is_empty()
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true)
            && let Some(rest) = line.strip_prefix(b"\xef\xbb\xbf")
        {
            line = rest.to_vec();
        }
        if line.is_empty() {
            return std::mem::take(&mut self.any).then(|| std::mem::take(&mut self.event));
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(0) => return None,
            Some(colon) => {
                let (field, rest) = line.split_at(colon);
                let value = rest.get(1..).unwrap_or_default();
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line.as_slice(), &[][..]),
        };
        let text = || {
            let kept = value.get(..MAX_FIELD).unwrap_or(value);
            String::from_utf8_lossy(kept).into_owned()
        };
        match field {
            b"data" => {
                let data = match &mut self.event.data {
                    Some(data) => {
                        self.event.length += 1;
                        if data.len() < MAX_DATA {
                            data.push(b'\n');
                        }
                        data
                    }
                    none => none.insert(Vec::new()),
                };
                self.event.length += value.len() as u64;
                let room = MAX_DATA.saturating_sub(data.len());
                data.extend_from_slice(value.get(..room).unwrap_or(value));
            }
            b"event" => self.event.name = Some(text()),
            b"id" if !value.contains(&0) => self.event.id = Some(text()),
            // Digits only, not even a sign; anything else is ignored. What is too long for us is as good as for ever.
            b"retry" if !value.is_empty() && value.iter().all(u8::is_ascii_digit) => {
                self.event.retry = Some(text().parse().unwrap_or(u64::MAX));
            }
            _ => return None,
        }
        self.any = true;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Vec<Event> {
        EventParser::default().push(text)
    }

    fn data(event: &Event) -> &str {
        std::str::from_utf8(event.data.as_deref().unwrap()).unwrap()
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let text = b"\xef\xbb\xbfdata: a\rdata:b\r\n\r\n: comment\n\nevent: endpoint\ndata:  /x\n\nid: 7\nretry: 250\n\ndata\n\nbogus: 1\n\ndata: lost";
        let events = parse(text);
        assert_eq!(data(&events[0]), "a\nb");
        assert_eq!((events[1].name.as_deref(), data(&events[1])), (Some("endpoint"), " /x"));
        assert_eq!(
            (events[2].id.as_deref(), events[2].retry, &events[2].data),
            (Some("7"), Some(250), &None)
        );
        assert_eq!(data(&events[3]), "");
        assert_eq!(events.len(), 4);
        assert!(events[0].is_message() && !events[1].is_message());
    }

    #[test]
    fn a_retry_time_is_digits_and_nothing_else() {
        let events = parse(b"retry: 250\nretry: +5\nretry: x\nretry\ndata: 1\n\nretry: -1\n\n");
        assert_eq!((events.len(), events[0].retry), (1, Some(250)));
        assert_eq!(parse(b"retry: 99999999999999999999\n\n")[0].retry, Some(u64::MAX));
    }

    #[test]
    fn chunks_do_not_matter() {
        let text = "data: {\"ä\":1}\r\n\r\nid: x\r\ndata: 2\r\rdata: 3\n\n".as_bytes();
        for size in 1..text.len() {
            let mut parser = EventParser::default();
            let events: Vec<Event> = text.chunks(size).flat_map(|chunk| parser.push(chunk)).collect();
            assert_eq!(events, parse(text), "in chunks of {size}");
            assert!(!parser.is_inside_event());
        }
    }

    #[test]
    fn an_event_without_end_is_bounded() {
        let mut parser = EventParser::default();
        let chunk = vec![b'x'; 1024 * 1024];
        parser.push(b"data: ");
        for _ in 0..20 {
            assert!(parser.push(&chunk).is_empty());
        }
        assert!(parser.line.len() <= MAX_DATA + MAX_FIELD && parser.is_inside_event());
        let events = parser.push(b"\n\n");
        assert_eq!(events[0].length, 20 * 1024 * 1024);
        assert_eq!(events[0].data.as_ref().unwrap().len(), MAX_DATA);
    }
}
