//! HTTP/1.1 written out byte by byte, for what a library would correct or refuse. The answer is read with the same care
//! as any other.

use std::io;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::exchange::{Clients, End, Listener, Reading};

/// Longest head of an answer, in bytes.
const MAX_HEAD: usize = 64 * 1024;
/// Most header fields of an answer.
const MAX_FIELDS: usize = 128;
/// Longest line that tells the size of a chunk, in bytes.
const MAX_SIZE_LINE: usize = 256;

/// Sends bytes and reads one answer.
pub(super) async fn carry_out(
    clients: &Clients,
    url: &Url,
    bytes: &[u8],
    then_close: bool,
    listener: &Listener,
) -> (End, Reading) {
    let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let connected = async {
        let stream = TcpStream::connect((name.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        if url.scheme() != "https" {
            return Ok::<Box<dyn Stream>, io::Error>(Box::new(stream));
        }
        let server = ServerName::try_from(name.clone()).map_err(io::Error::other)?;
        Ok(Box::new(TlsConnector::from(std::sync::Arc::clone(clients.tls())).connect(server, stream).await?))
    };
    let mut stream = match connected.await {
        Ok(stream) => stream,
        Err(error) => {
            return (End::Failed { why: error.to_string(), unreachable: true }, Reading::default());
        }
    };
    // A server may answer, or hang up, before it has read everything.
    let mut written = stream.write_all(bytes).await;
    if written.is_ok() && then_close {
        written = stream.shutdown().await;
    }
    let mut reader = Reader { stream, buffer: Vec::new() };
    match reader.answer(listener).await {
        Ok(done) => done,
        Err(error) => {
            let why = written.err().unwrap_or(error).to_string();
            (End::Failed { why, unreachable: false }, Reading::default())
        }
    }
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Reader {
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
}

/// How long a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Bytes(u64),
    Chunks,
    UntilClosed,
}

impl Reader {
    async fn more(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk).await? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            count => {
                self.buffer.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }

    async fn answer(&mut self, listener: &Listener) -> io::Result<(End, Reading)> {
        let (status, headers) = loop {
            let (status, headers) = self.head().await?;
            // What comes before the answer proper is not it.
            if status >= 200 {
                break (status, headers);
            }
        };
        let extent = extent(status, &headers);
        let mut reading = Reading::begin(status, headers, listener).await;
        let outcome = match extent {
            Extent::Bytes(length) => self.sized(length, &mut reading, listener).await,
            Extent::Chunks => self.chunks(&mut reading, listener).await,
            Extent::UntilClosed => self.rest(&mut reading, listener).await,
        };
        reading.finish(outcome.is_ok(), listener).await;
        Ok((outcome.map_or_else(|error| End::Cut(error.to_string()), |()| End::Whole), reading))
    }

    async fn head(&mut self) -> io::Result<(u16, Vec<(String, String)>)> {
        loop {
            let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
            let mut response = httparse::Response::new(&mut fields);
            match response.parse(&self.buffer) {
                Ok(httparse::Status::Complete(length)) => {
                    let headers = response
                        .headers
                        .iter()
                        .map(|field| {
                            let value = String::from_utf8_lossy(field.value).into_owned();
                            (field.name.to_ascii_lowercase(), value)
                        })
                        .collect();
                    let status = response.code.unwrap_or_default();
                    self.buffer.drain(..length);
                    return Ok((status, headers));
                }
                Ok(httparse::Status::Partial) if self.buffer.len() < MAX_HEAD => {}
                Ok(httparse::Status::Partial) => {
                    return Err(io::Error::other("the head of the answer has no end"));
                }
                Err(error) => return Err(io::Error::other(format!("the answer is no HTTP: {error}"))),
            }
            self.more().await?;
        }
    }

    async fn sized(&mut self, mut left: u64, reading: &mut Reading, listener: &Listener) -> io::Result<()> {
        while left > 0 {
            if self.buffer.is_empty() {
                self.more().await?;
            }
            let count = usize::try_from(left).unwrap_or(usize::MAX).min(self.buffer.len());
            let part: Vec<u8> = self.buffer.drain(..count).collect();
            left -= count as u64;
            reading.take(&part, listener).await;
        }
        Ok(())
    }

    async fn chunks(&mut self, reading: &mut Reading, listener: &Listener) -> io::Result<()> {
        loop {
            let line = self.line().await?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(digits, 16)
                .map_err(|_| io::Error::other(format!("`{line}` is no size of a chunk")))?;
            if size == 0 {
                while !self.line().await?.is_empty() {}
                return Ok(());
            }
            self.sized(size, reading, listener).await?;
            self.line().await?;
        }
    }

    async fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.buffer.len() > MAX_SIZE_LINE {
                return Err(io::Error::other("the size of a chunk has no end"));
            }
            self.more().await?;
        }
    }

    async fn rest(&mut self, reading: &mut Reading, listener: &Listener) -> io::Result<()> {
        loop {
            let part = std::mem::take(&mut self.buffer);
            reading.take(&part, listener).await;
            match self.more().await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                done => done?,
            }
        }
    }
}

fn extent(status: u16, headers: &[(String, String)]) -> Extent {
    let value = |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.trim());
    if matches!(status, 204 | 304) {
        return Extent::Bytes(0);
    }
    if value("transfer-encoding").is_some_and(|coding| coding.to_ascii_lowercase().ends_with("chunked")) {
        return Extent::Chunks;
    }
    value("content-length").and_then(|length| length.parse().ok()).map_or(Extent::UntilClosed, Extent::Bytes)
}
