//! Bytes to frames to messages. Raw bytes are kept beside what was understood of them; nothing here panics.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value};

use crate::transcript::Reading;

/// Longest line that is kept whole, in bytes. A longer one is cut and reported.
pub const MAX_LINE: usize = 16 * 1024 * 1024;
/// What is kept of a line that is too long.
const KEPT_OF_LONG_LINE: usize = 64 * 1024;

/// How a line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `\n`
    Lf,
    /// `\r\n`
    CrLf,
    /// The stream ended without a line end.
    EndOfStream,
}

/// One frame as it came: on stdio a line, without its line end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The bytes; of a line longer than [`MAX_LINE`] only the head.
    pub bytes: Vec<u8>,
    /// How the line ended.
    pub ending: Ending,
    /// The true length in bytes.
    pub length: u64,
}

impl Frame {
    /// Whether the frame was longer than we keep.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// Splits a byte stream into lines, with a bound on each.
#[derive(Debug)]
pub struct Framer {
    buffer: Vec<u8>,
    /// Where the next line begins in `buffer`.
    start: usize,
    /// How far `buffer` has been searched for a line end.
    searched: usize,
    /// The head and the length so far of a line that is too long.
    long: Option<(Vec<u8>, u64)>,
    limit: usize,
}

impl Default for Framer {
    fn default() -> Self {
        Framer::with_limit(MAX_LINE)
    }
}

impl Framer {
    /// A framer that keeps lines of up to `limit` bytes whole.
    #[must_use]
    pub fn with_limit(limit: usize) -> Self {
        Framer { buffer: Vec::new(), start: 0, searched: 0, long: None, limit }
    }

    /// Takes in bytes as they were read.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 && (self.start == self.buffer.len() || self.start > 64 * 1024) {
            self.buffer.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line, if there is one.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let Some(offset) = memchr::memchr(b'\n', unsearched) else {
            self.searched = self.buffer.len();
            if self.searched - self.start > self.limit {
                self.give_up_on_line();
            }
            return None;
        };
        let end = self.searched + offset;
        let line = self.buffer.get(self.start..end).unwrap_or_default();
        let (line, ending) = match line.split_last() {
            Some((b'\r', head)) => (head, Ending::CrLf),
            _ => (line, Ending::Lf),
        };
        let frame = finished(self.long.take(), line, ending, self.limit);
        self.start = end + 1;
        self.searched = self.start;
        Some(frame)
    }

    /// What is left when the stream has ended.
    pub fn last_frame(&mut self) -> Option<Frame> {
        let rest = self.buffer.get(self.start..).unwrap_or_default();
        let frame = finished(self.long.take(), rest, Ending::EndOfStream, self.limit);
        self.start = self.buffer.len();
        self.searched = self.start;
        (frame.length > 0).then_some(frame)
    }

    /// Keeps the head of a line that has grown too long and forgets the rest, but for a carriage return at the end: it
    /// may belong to the line end.
    fn give_up_on_line(&mut self) {
        let line = self.buffer.get(self.start..).unwrap_or_default();
        let (line, held_back) = match line.split_last() {
            Some((b'\r', head)) => (head, &b"\r"[..]),
            _ => (line, &[][..]),
        };
        if line.len() <= self.limit && self.long.is_none() {
            return;
        }
        let length = line.len() as u64;
        match &mut self.long {
            Some((_, so_far)) => *so_far += length,
            None => self.long = Some((head_of_long(line, self.limit), length)),
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(held_back);
        self.start = 0;
        self.searched = self.buffer.len();
    }
}

/// The frame of a line that has ended, of which `long` is what was given up before. What is kept depends on nothing but
/// the line, however it arrived.
fn finished(long: Option<(Vec<u8>, u64)>, line: &[u8], ending: Ending, limit: usize) -> Frame {
    let length = line.len() as u64;
    match long {
        Some((head, so_far)) => Frame { bytes: head, ending, length: so_far + length },
        None if line.len() > limit => Frame { bytes: head_of_long(line, limit), ending, length },
        None => Frame { bytes: line.to_vec(), ending, length },
    }
}

/// What is kept of a line that is longer than `limit`.
fn head_of_long(line: &[u8], limit: usize) -> Vec<u8> {
    line.get(..KEPT_OF_LONG_LINE.min(limit)).unwrap_or(line).to_vec()
}

/// What a message is, by its members alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `method` and `id`.
    Request,
    /// `method` without `id`.
    Notification,
    /// `result` or `error`, without `method`.
    Response,
    /// An object that is none of these.
    Other,
}

/// A JSON object that came as one message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The object.
    pub value: Value,
    /// What it is.
    pub kind: Kind,
}

impl Message {
    fn new(value: Value) -> Message {
        let has = |key| member(&value, key).is_some();
        let kind = match (has("method"), has("id"), has("result") || has("error")) {
            (true, true, _) => Kind::Request,
            (true, false, _) => Kind::Notification,
            (false, _, true) => Kind::Response,
            (false, _, false) => Kind::Other,
        };
        Message { value, kind }
    }

    /// Whether the object has none of the members that make a JSON-RPC message, so that it is something else.
    #[must_use]
    pub fn is_none_of_ours(&self) -> bool {
        self.kind == Kind::Other && self.value.get("jsonrpc").is_none() && self.value.get("id").is_none()
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> Option<&Map<String, Value>> {
        self.value.as_object()
    }

    /// A member of the object.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        member(&self.value, name)
    }

    /// The id, whatever its type.
    #[must_use]
    pub fn id(&self) -> Option<&Value> {
        self.member("id")
    }

    /// The method, if it is a string.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.member("method").and_then(Value::as_str)
    }
}

/// A member of a value, if it is an object. Those in messages have few, and comparing their names takes less time than
/// hashing one.
pub(crate) fn member<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    const FEW: usize = 8;
    match value.as_object()? {
        members if members.len() <= FEW => {
            members.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
        }
        members => members.get(name),
    }
}

/// What a whole line says; what is more than a line, or less, is left alone.
pub(crate) fn read_line(bytes: &[u8]) -> Reading {
    match bytes.split_last() {
        Some((b'\n', line)) if memchr::memchr(b'\n', line).is_none() => {
            serde_json::from_slice(line).map_or(Reading::NoJson, Reading::Json)
        }
        _ => Reading::Unread,
    }
}

/// A number for an id, by what [`id_key`] makes of it; two ids hardly ever share one.
pub(crate) fn hash_of(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// An id as something to look up: 1 and 1.0 are the same number, `1` and `"1"` are not the same id.
#[must_use]
pub fn id_key(id: &Value) -> String {
    /// Above it not every integer has a floating-point number of its own.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    // Nearly all ids are integers or texts, and these two ways are much faster than the last.
    if let Some(number) = id.as_i64() {
        return number.to_string();
    }
    // No other JSON begins with a quote.
    if let Some(text) = id.as_str() {
        return ["\"", text].concat();
    }
    match id.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < EXACT) {
        Some(number) => format!("{number:.0}"),
        None => id.to_string(),
    }
}

/// What was understood of a frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One message.
    Message(Message),
    /// An array: a batch, if the revision knows them. Only its objects are messages.
    Batch(Vec<Value>),
    /// JSON that is neither an object nor an array.
    NotAMessage,
    /// No JSON: why.
    NotJson(String),
    /// Not UTF-8: the offset of the first wrong byte.
    NotUtf8(usize),
    /// Nothing but white space.
    Empty,
    /// Longer than we keep.
    TooLong,
    /// JSON as far as it was read, but nested deeper or with larger numbers than we read: why.
    Beyond(String),
}

/// Understands a frame.
#[must_use]
pub fn parse(frame: &Frame) -> Content {
    if frame.is_cut() {
        return Content::TooLong;
    }
    let text = match std::str::from_utf8(&frame.bytes) {
        Ok(text) => text,
        Err(error) => return Content::NotUtf8(error.valid_up_to()),
    };
    if text.trim().is_empty() {
        return Content::Empty;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value @ Value::Object(_)) => Content::Message(Message::new(value)),
        Ok(Value::Array(items)) => Content::Batch(items),
        Ok(_) => Content::NotAMessage,
        Err(error) => {
            match without_lone_surrogates(text).and_then(|text| serde_json::from_str::<Value>(&text).ok()) {
                Some(value @ Value::Object(_)) => Content::Message(Message::new(value)),
                _ if is_beyond(&error) => Content::Beyond(error.to_string()),
                _ => Content::NotJson(error.to_string()),
            }
        }
    }
}

/// Whether the grammar of JSON allows what was read, and only our reader does not. It has no other way to say so.
fn is_beyond(error: &serde_json::Error) -> bool {
    let why = error.to_string();
    why.starts_with("recursion limit exceeded") || why.starts_with("number out of range")
}

/// The text with escapes of lone surrogates (`\ud800`) replaced by the replacement character; `None` if it has none.
/// The grammar of JSON allows them although they stand for no character, so a frame that holds one is still a message.
fn without_lone_surrogates(text: &str) -> Option<String> {
    let escape_at = |index: usize| {
        let digits = text.get(index..)?.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut replaced = String::with_capacity(text.len());
    let mut found = false;
    let mut index = 0;
    while let Some(character) = text.get(index..).and_then(|rest| rest.chars().next()) {
        let (taken, lone) = match escape_at(index) {
            Some(0xd800..=0xdbff) if matches!(escape_at(index + 6), Some(0xdc00..=0xdfff)) => (12, false),
            Some(0xd800..=0xdfff) => (6, true),
            // An escaped backslash must not be taken for the beginning of an escape.
            None if character == '\\' => (
                1 + text.get(index + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
                false,
            ),
            _ => (character.len_utf8(), false),
        };
        found |= lone;
        replaced.push_str(if lone { "\u{fffd}" } else { text.get(index..index + taken).unwrap_or_default() });
        index += taken;
    }
    found.then_some(replaced)
}

impl Content {
    /// Whether it may answer what had no id that could be read: a response without one, or an array, which answers an
    /// array.
    #[must_use]
    pub fn is_unaddressed(&self) -> bool {
        match self {
            Content::Message(message) => {
                message.kind == Kind::Response && message.id().is_none_or(Value::is_null)
            }
            Content::Batch(_) => true,
            _ => false,
        }
    }

    /// The messages in the frame: one, or the objects of a batch.
    pub fn messages(&self) -> impl Iterator<Item = Cow<'_, Message>> {
        let (one, many) = match self {
            Content::Message(message) => (Some(Cow::Borrowed(message)), None),
            Content::Batch(items) => {
                let objects = items.iter().filter(|item| item.is_object()).cloned();
                (None, Some(objects.map(Message::new).map(Cow::Owned)))
            }
            _ => (None, None),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&[u8]], limit: usize) -> Vec<(Vec<u8>, u64)> {
        let mut framer = Framer::with_limit(limit);
        let mut found = Vec::new();
        for chunk in chunks {
            framer.push(chunk);
            while let Some(frame) = framer.next_frame() {
                found.push((frame.bytes, frame.length));
            }
        }
        found.extend(framer.last_frame().map(|frame| (frame.bytes, frame.length)));
        found
    }

    #[test]
    fn lines_come_whole_however_they_are_cut() {
        let text = b"{\"a\":1}\n\r\nxy\r\nlast";
        let whole = lines(&[text], 100);
        assert_eq!(
            whole.iter().map(|(line, _)| line.as_slice()).collect::<Vec<_>>(),
            [&b"{\"a\":1}"[..], b"", b"xy", b"last"]
        );
        for cut in 0..text.len() {
            assert_eq!(lines(&[&text[..cut], &text[cut..]], 100), whole);
        }
        let bytes: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(lines(&bytes, 100), whole);
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let long = vec![b'x'; 1000];
        let found = lines(&[&long, &long, &long, b"yy\nshort\n"], 900);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].0.len(), found[0].1), (900, 3002));
        assert_eq!(found[1].0, b"short");
    }

    #[test]
    fn what_is_kept_of_a_long_line_does_not_depend_on_how_it_came() {
        for text in
            [&b"abcdefgh\r\nxy\n"[..], b"abcd\r\nabcde\r\n", b"abcd\r", b"abc\r\r\rd\n", b"abcdefgh\r"]
        {
            let whole = lines(&[text], 4);
            for size in 1..text.len() {
                let chunks: Vec<&[u8]> = text.chunks(size).collect();
                assert_eq!(lines(&chunks, 4), whole, "{text:?} in chunks of {size}");
            }
        }
        assert_eq!(
            lines(&[b"abcd\r\n", b"abcdefgh\r", b"\n"], 4),
            [(b"abcd".to_vec(), 4), (b"abcd".to_vec(), 8)]
        );
    }

    #[test]
    fn frames_are_understood_without_being_changed() {
        let parse_text = |bytes: &[u8]| {
            parse(&Frame { bytes: bytes.to_vec(), ending: Ending::Lf, length: bytes.len() as u64 })
        };
        assert!(matches!(
            parse_text(b"{\"id\":1,\"result\":{}}"),
            Content::Message(Message { kind: Kind::Response, .. })
        ));
        assert!(matches!(
            parse_text(b"{\"id\":1,\"method\":\"x\"}"),
            Content::Message(Message { kind: Kind::Request, .. })
        ));
        assert!(matches!(
            parse_text(b"{\"method\":\"x\"}"),
            Content::Message(Message { kind: Kind::Notification, .. })
        ));
        assert!(matches!(parse_text(b"[1,{\"method\":\"x\"}]"), Content::Batch(items) if items.len() == 2));
        assert_eq!(parse_text(b"3"), Content::NotAMessage);
        assert_eq!(parse_text(b" \t"), Content::Empty);
        assert_eq!(parse_text(b"ab\xff"), Content::NotUtf8(2));
        assert!(matches!(parse_text(b"Server started"), Content::NotJson(_)));
        let surrogate = parse_text(br#"{"id":"\ud800","result":{"pair":"\ud83d\ude00","text":"\\ud800"}}"#);
        let Content::Message(message) = surrogate else { panic!("{surrogate:?}") };
        assert_eq!(
            message.value,
            serde_json::json!({ "id": "\u{fffd}", "result": { "pair": "😀", "text": "\\ud800" } })
        );
        assert!(matches!(parse_text("[".repeat(100_000).as_bytes()), Content::Beyond(_)));
        let huge = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, "7".repeat(400));
        assert!(matches!(parse_text(huge.as_bytes()), Content::Beyond(_)));
    }
}
