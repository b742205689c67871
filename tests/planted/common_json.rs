// JSON, with numbers as they were written.

use std::fmt::Write as _;

/// A value of JSON; numbers as they were written.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String),
    String(String),
    /// A string with half of a surrogate pair, which UTF-8 cannot carry; the halves are replaced.
    Broken(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// Of members with the same name, the last.
    pub fn get(&self, name: &str) -> Option<&Json> {
        let Json::Object(members) = self else { return None };
        members.iter().rev().find(|(each, _)| each == name).map(|(_, value)| value)
    }

    pub fn text(&self) -> Option<&str> {
        if let Json::String(text) | Json::Broken(text) = self { Some(text) } else { None }
    }

    pub fn items(&self) -> &[Json] {
        if let Json::Array(items) = self { items } else { &[] }
    }

    pub fn float(&self) -> Option<f64> {
        if let Json::Number(text) = self { text.parse().ok() } else { None }
    }

    pub fn is_integer(&self) -> bool {
        let Json::Number(text) = self else { return false };
        text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit())
            || self.float().is_some_and(|value| value.is_finite() && value.fract() == 0.0)
    }

    /// Also of `1.0` and `1e2`; `None` if it does not fit.
    pub fn integer(&self) -> Option<i128> {
        let Json::Number(text) = self else { return None };
        let value = self.float().filter(|value| value.fract() == 0.0 && value.abs() < 1e30);
        text.parse().ok().or(value.map(|value| value as i128))
    }

    pub fn write(&self) -> String {
        match self {
            Json::Null => "null".to_owned(),
            Json::Bool(value) => value.to_string(),
            Json::Number(text) => text.clone(),
            Json::String(text) | Json::Broken(text) => quote(text),
            Json::Array(items) => {
                format!("[{}]", items.iter().map(Json::write).collect::<Vec<_>>().join(","))
            }
            Json::Object(members) => {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| quote(name) + ":" + &value.write()).collect();
                format!("{{{}}}", members.join(","))
            }
        }
    }
}

pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\0'..='\u{1f}' => write!(quoted, "\\u{:04x}", sign as u32).unwrap_or(()),
            _ => quoted.push(sign),
        }
    }
    quoted + "\""
}

/// The value, and whether anything was nested too deeply: null stands there then. `None` if it is no JSON.
pub fn parse(text: &str, depth_limit: usize) -> Option<(Json, bool)> {
    let mut parser = Parser { text, at: 0, depth_limit, deep: false };
    let value = parser.value(0)?;
    parser.space();
    (parser.at == text.len()).then_some((value, parser.deep))
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth_limit: usize,
    deep: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    /// Takes the byte if it comes next, after white space.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.space();
        self.next_is(byte).then_some(())
    }

    fn next_is(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.space();
        match self.peek()? {
            b'{' | b'[' if depth >= self.depth_limit => self.skip(),
            b'{' => {
                let mut members = Vec::new();
                self.list(b'{', b'}', |parser| {
                    parser.space();
                    let name = parser.string()?.text()?.to_owned();
                    parser.take(b':')?;
                    members.push((name, parser.value(depth + 1)?));
                    Some(())
                })?;
                Some(Json::Object(members))
            }
            b'[' => {
                let mut items = Vec::new();
                self.list(b'[', b']', |parser| {
                    items.push(parser.value(depth + 1)?);
                    Some(())
                })?;
                Some(Json::Array(items))
            }
            b'"' => self.string(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => self.number(),
        }
    }

    fn list(&mut self, start: u8, end: u8, mut item: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(start)?;
        if self.take(end).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            if self.take(end).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    /// Goes past a list without looking into it, and without recursion.
    fn skip(&mut self) -> Option<Json> {
        let mut expected = Vec::new();
        loop {
            match self.peek()? {
                b'{' => expected.push(b'}'),
                b'[' => expected.push(b']'),
                b'"' => {
                    self.string()?;
                    continue;
                }
                byte @ (b'}' | b']') if expected.pop() != Some(byte) => return None,
                _ => {}
            }
            self.at += 1;
            if expected.is_empty() {
                self.deep = true;
                return Some(Json::Null);
            }
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        let found = self.text.as_bytes().get(self.at..)?.starts_with(word.as_bytes());
        self.at += word.len();
        found.then_some(value)
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        self.next_is(b'-');
        if !self.next_is(b'0') {
            self.digits()?;
        }
        if self.next_is(b'.') {
            self.digits()?;
        }
        if self.next_is(b'e') || self.next_is(b'E') {
            let _ = self.next_is(b'+') || self.next_is(b'-');
            self.digits()?;
        }
        Some(Json::Number(self.text.get(start..self.at)?.to_owned()))
    }

    fn string(&mut self) -> Option<Json> {
        self.next_is(b'"').then_some(())?;
        let (mut text, mut broken) = (String::new(), false);
        loop {
            let start = self.at;
            while self.peek()? >= b' ' && !b"\"\\".contains(&self.peek()?) {
                self.at += 1;
            }
            text.push_str(self.text.get(start..self.at)?);
            if self.next_is(b'"') {
                return Some(if broken { Json::Broken(text) } else { Json::String(text) });
            }
            self.next_is(b'\\').then_some(())?;
            self.at += 1;
            text.push(match *self.text.as_bytes().get(self.at - 1)? {
                byte @ (b'"' | b'\\' | b'/') => byte as char,
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'n' => '\n',
                b'r' => '\r',
                b't' => '\t',
                b'u' => self.unicode(&mut broken)?,
                _ => return None,
            });
        }
    }

    fn unicode(&mut self, broken: &mut bool) -> Option<char> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) && self.text.as_bytes().get(self.at..)?.starts_with(b"\\u") {
            let after_high = self.at;
            self.at += 2;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                return char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
            }
            self.at = after_high;
        }
        *broken |= char::from_u32(high).is_none();
        Some(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        // `from_str_radix` would also take a sign.
        digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    }
}
