//! A server process, and just enough of HTTP to talk to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Long enough for anything that is going to happen.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long silence must last to be believed.
pub(crate) const SILENCE: Duration = Duration::from_millis(200);

/// A server that listens for both transports; it ends with this.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) http: SocketAddr,
    pub(crate) sse: SocketAddr,
}

impl Server {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-reference-server"))
            .args([
                "--http",
                "127.0.0.1:0",
                "--sse",
                "127.0.0.1:0",
                "--fixture-delay",
                "5",
                "--exit-with-stdin",
            ])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let (mut text, mut byte) = (String::new(), [0]);
        while text.lines().count() < 2 || !text.ends_with('\n') {
            assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{text}");
            text.push(char::from(byte[0]));
        }
        let address = |path: &str| -> SocketAddr {
            let line = text.lines().find(|line| line.ends_with(path)).unwrap();
            line.strip_prefix("listening on http://").unwrap().strip_suffix(path).unwrap().parse().unwrap()
        };
        let (http, sse) = (address("/mcp"), address("/sse"));
        Self { child, http, sse }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Ask {
    address: SocketAddr,
    line: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

impl Ask {
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let ask = Self {
            address,
            line: format!("{method} {path} HTTP/1.1"),
            headers: Vec::new(),
            body: Vec::new(),
        };
        ask.with("Host", &address.to_string()).with("Connection", "close")
    }

    /// POST of a message as every client sends it.
    pub(crate) fn post(address: SocketAddr, path: &str, message: &Value) -> Self {
        let ask = Self::new(address, "POST", path).with("Content-Type", "application/json");
        ask.with("Accept", "application/json, text/event-stream").body(message.to_string())
    }

    /// Sets a header; one of that name is replaced.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let mut ask = self.without(name);
        ask.headers.push((name.to_owned(), value.as_bytes().to_vec()));
        ask
    }

    /// Adds a header even if there is one.
    pub(crate) fn and(mut self, name: &str, value: &[u8]) -> Self {
        self.headers.push((name.to_owned(), value.to_vec()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and leaves the answer to be read.
    pub(crate) fn open(&self) -> Connection {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let mut bytes = format!("{}\r\n", self.line).into_bytes();
        for (name, value) in &self.headers {
            bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        bytes.extend(format!("Content-Length: {}\r\n\r\n", self.body.len()).into_bytes());
        bytes.extend(&self.body);
        // A server that refuses a long body may not read all of it.
        let _ = stream.write_all(&bytes);
        Connection { stream, bytes: Vec::new() }
    }

    /// Sends it and reads the answer to its end.
    pub(crate) fn send(&self) -> Answer {
        self.open().finish(PATIENCE)
    }
}

/// An answer that is being read.
pub(crate) struct Connection {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Connection {
    /// Reads until the text is as wanted, the answer ends, or the time is over. False unless it is as wanted.
    pub(crate) fn read_until(&mut self, time: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let end = Instant::now() + time;
        let mut buffer = [0; 65536];
        loop {
            if wanted(&self.text()) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            self.stream.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut buffer) {
                Ok(0) => {
                    self.bytes.extend(b"<end>");
                    return wanted(&self.text());
                }
                Ok(length) => self.bytes.extend(&buffer[..length]),
                Err(_) => return wanted(&self.text()),
            }
        }
    }

    /// Waits for a text.
    pub(crate) fn expect(&mut self, text: &str) {
        assert!(self.read_until(PATIENCE, |all| all.contains(text)), "no {text} in {}", self.text());
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Reads to the end, or until the time is over.
    pub(crate) fn finish(mut self, time: Duration) -> Answer {
        self.read_until(time, |text| text.ends_with("<end>"));
        Answer::parse(&self.text())
    }
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// With the marks of chunks, if there are any.
    pub(crate) body: String,
    pub(crate) ended: bool,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let (text, ended) = text.strip_suffix("<end>").map_or((text, false), |text| (text, true));
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
        Self { status: status.unwrap_or(0), headers, body: body.to_owned(), ended }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The data of the events.
    pub(crate) fn data(&self) -> Vec<String> {
        let data = self.body.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| !data.is_empty()).map(str::to_owned).collect()
    }

    /// The ids of the events.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.body.lines().filter_map(|line| line.strip_prefix("id: ")).map(str::to_owned).collect()
    }

    /// The messages in the events.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.data().iter().map(|data| serde_json::from_str(data).unwrap()).collect()
    }
}

pub(crate) fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

pub(crate) fn notification(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "method": method })
}

pub(crate) fn initialize(revision: &str) -> Value {
    let client = json!({ "name": "test", "version": "1" });
    request(
        0,
        "initialize",
        json!({ "protocolVersion": revision, "capabilities": { "sampling": {} }, "clientInfo": client }),
    )
}

/// A session of a stateful revision.
pub(crate) struct Session {
    pub(crate) address: SocketAddr,
    pub(crate) id: String,
    revision: String,
}

impl Session {
    pub(crate) fn begin(address: SocketAddr, revision: &str) -> (Self, Answer) {
        let answer = Ask::post(address, "/mcp", &initialize(revision)).send();
        let id = answer.header("mcp-session-id").unwrap_or_default().to_owned();
        let session = Self { address, id, revision: revision.to_owned() };
        session.post(&notification("notifications/initialized")).send();
        (session, answer)
    }

    fn dress(&self, ask: Ask) -> Ask {
        let ask = ask.with("Mcp-Session-Id", &self.id);
        if self.revision.as_str() >= "2025-06-18" {
            ask.with("MCP-Protocol-Version", &self.revision)
        } else {
            ask
        }
    }

    pub(crate) fn post(&self, message: &Value) -> Ask {
        self.dress(Ask::post(self.address, "/mcp", message))
    }

    pub(crate) fn call(&self, id: u64, tool: &str, arguments: Value) -> Ask {
        self.post(&request(id, "tools/call", json!({ "name": tool, "arguments": arguments })))
    }

    pub(crate) fn get(&self) -> Ask {
        self.dress(Ask::new(self.address, "GET", "/mcp")).with("Accept", "text/event-stream")
    }

    pub(crate) fn delete(&self) -> Ask {
        self.dress(Ask::new(self.address, "DELETE", "/mcp"))
    }
}

/// A request of the stateless era, with all its headers.
pub(crate) fn modern(address: SocketAddr, id: impl Into<Value>, method: &str, mut params: Value) -> Ask {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2026-07-28");
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let name = params.get("name").or_else(|| params.get("uri")).and_then(Value::as_str).map(str::to_owned);
    let ask = Ask::post(address, "/mcp", &request(id, method, params));
    let ask = ask.with("MCP-Protocol-Version", "2026-07-28").with("Mcp-Method", method);
    match name {
        Some(name) => ask.with("Mcp-Name", &name),
        None => ask,
    }
}
