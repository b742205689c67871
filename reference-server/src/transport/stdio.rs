//! stdio (spec page `basic/transports#stdio`): one message a line, in on stdin, out on stdout, nothing else there.
//!
//! Reading and writing block, so each has a thread; the protocol core runs between them on the async runtime. The
//! queues are bounded in effect: input waits while too much output is unread, so that a client which never reads
//! cannot make the server grow.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use super::framing::{Framer, LONGEST_LINE, Line};
use super::termination;
use crate::faults::{Faults, StdioFault};
use crate::jsonrpc::RpcError;
use crate::outbox::{Outbox, Outgoing, Sink};
use crate::server::{Server, Settings};
use crate::session::Session;

/// Bytes read at once.
const CHUNK: usize = 64 * 1024;
/// Unwritten bytes at which no more input is taken.
const MOST_UNWRITTEN: usize = 4 * 1024 * 1024;
/// How long requests that were read before the end may still take; a question to the client has no answer to come.
const LAST_ANSWERS: Duration = Duration::from_millis(200);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client closed stdin, or asked by signal.
    Regularly,
    /// A fault wants the process to die.
    Crashed,
}

/// Serves stdin and stdout until the client closes stdin or the process is told to terminate.
///
/// # Errors
/// When a thread or a signal handler cannot be set up.
pub async fn serve(settings: Settings, faults: Faults) -> io::Result<Ended> {
    let faults = Arc::new(faults);
    let (chunks, mut input) = mpsc::channel(8);
    std::thread::Builder::new().name("stdin".into()).spawn(move || read_stdin(&chunks))?;
    let (lines, unwritten) = mpsc::unbounded_channel();
    let backlog = Arc::new(Backlog::default());
    let writer_backlog = Arc::clone(&backlog);
    let writer = std::thread::Builder::new()
        .name("stdout".into())
        .spawn(move || write_stdout(unwritten, &writer_backlog))?;
    let mut terminated = termination(&faults)?;

    let stdout = Arc::new(Stdout { lines, backlog: Arc::clone(&backlog) });
    for line in faults.startup_lines() {
        stdout.write(line);
    }
    let out: Outbox = Arc::new(Encoder { stdout: Arc::clone(&stdout), faults: Arc::clone(&faults) });
    let out = faults.wrap(out);
    let session = Session::new(&Server::new(settings), Arc::clone(&out));
    let mut framer = Framer::default();
    let mut receive = |line: Line<'_>| match line {
        Line::TooLong => {
            let error = RpcError::invalid_request(format!("A message may have {LONGEST_LINE} bytes at most"));
            session.complain(None, &error, &out);
        }
        Line::Text(bytes) => faults.receive(bytes, &session, &out),
    };
    let mut signalled = false;
    loop {
        let next = async {
            backlog.below_limit().await;
            input.recv().await
        };
        let chunk = tokio::select! {
            chunk = next => chunk,
            () = &mut terminated => { signalled = true; None }
        };
        let Some(chunk) = chunk else { break };
        framer.feed(&chunk, &mut receive);
        // Lets workers run between two chunks even if the client never pauses.
        tokio::task::yield_now().await;
        if faults.has_crashed() {
            break;
        }
    }
    if !signalled && !faults.has_crashed() {
        framer.finish(&mut receive);
    }
    if faults.has_crashed() {
        return Ok(Ended::Crashed);
    }
    if faults.stdio(StdioFault::IgnoreEof) && !signalled {
        let _ = terminated.await;
    }
    session.input_closed();
    if !signalled {
        // What was asked before the end is still answered, unless it takes too long.
        let _ = tokio::time::timeout(LAST_ANSWERS, session.idle()).await;
    }
    drop((session, out, stdout));
    // The writer ends when the last message is out; one that hangs on a full pipe must not keep us.
    let _ = tokio::time::timeout(LAST_ANSWERS, tokio::task::spawn_blocking(move || writer.join())).await;
    Ok(Ended::Regularly)
}

/// Completes when the process is told to end, if it listens.
fn termination(faults: &Faults) -> io::Result<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> {
    let requested = termination::requested(false)?;
    if faults.stdio(StdioFault::IgnoreSigterm) {
        return Ok(Box::pin(async move {
            requested.await;
            std::future::pending::<()>().await;
        }));
    }
    Ok(requested)
}

fn read_stdin(chunks: &mpsc::Sender<Vec<u8>>) {
    let mut stdin = io::stdin().lock();
    let mut buffer = vec![0; CHUNK];
    loop {
        match stdin.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                let chunk = buffer.get(..length).unwrap_or_default().to_vec();
                if chunks.blocking_send(chunk).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

fn write_stdout(mut lines: mpsc::UnboundedReceiver<Vec<u8>>, backlog: &Backlog) {
    let mut stdout = io::stdout().lock();
    let mut buffer = Vec::with_capacity(CHUNK);
    while let Some(line) = lines.blocking_recv() {
        buffer.extend_from_slice(&line);
        // Whatever is ready goes out in one write; a message never waits for another.
        while buffer.len() < CHUNK
            && let Ok(line) = lines.try_recv()
        {
            buffer.extend_from_slice(&line);
        }
        let written = stdout.write_all(&buffer).and_then(|()| stdout.flush());
        backlog.shrink(buffer.len());
        buffer.clear();
        if written.is_err() {
            // Nobody reads any more; go on taking lines so that nothing else notices.
            while let Some(line) = lines.blocking_recv() {
                backlog.shrink(line.len());
            }
        }
    }
}

/// Counts unwritten bytes.
#[derive(Default)]
struct Backlog {
    bytes: AtomicUsize,
    shrunk: Notify,
}

impl Backlog {
    fn shrink(&self, bytes: usize) {
        let before = self.bytes.fetch_sub(bytes, Ordering::AcqRel);
        if before >= MOST_UNWRITTEN {
            self.shrunk.notify_waiters();
        }
    }

    async fn below_limit(&self) {
        loop {
            let shrunk = self.shrunk.notified();
            if self.bytes.load(Ordering::Acquire) < MOST_UNWRITTEN {
                return;
            }
            shrunk.await;
        }
    }
}

/// The way to the writing thread.
struct Stdout {
    lines: mpsc::UnboundedSender<Vec<u8>>,
    backlog: Arc<Backlog>,
}

impl Stdout {
    fn write(&self, line: Vec<u8>) {
        self.backlog.bytes.fetch_add(line.len(), Ordering::AcqRel);
        // Fails only after the writer has ended, when there is nobody to tell.
        let _ = self.lines.send(line);
    }
}

/// Turns messages into lines.
struct Encoder {
    stdout: Arc<Stdout>,
    faults: Arc<Faults>,
}

impl Sink for Encoder {
    fn send(&self, outgoing: Outgoing) {
        let mut line = Vec::with_capacity(128);
        // A Value in memory can always be written as JSON, and JSON never contains a raw line end.
        if serde_json::to_writer(&mut line, &outgoing.message).is_ok() {
            line.push(b'\n');
            self.stdout.write(self.faults.distort_line(&outgoing, line));
        }
    }
}
