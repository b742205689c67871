//! Starts a worker and hears what it finds.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};

use super::protocol::{Event, Figures};
use super::work::Work;
use super::{ARGUMENT, IS_AVAILABLE, instrument};
use crate::guardian::Guardian;
use crate::process::{Process, ServerCommand};
use crate::text;
use crate::wire::Framer;

/// How often a worker is started again that ended without having finished, for instance because it used too much memory.
const MOST_RESTARTS: u32 = 3;
/// Who has tried so many inputs ended for a reason that takes its time, and is started again without being counted.
const LONG: u64 = 10_000;
/// The longest line of a worker, in bytes.
const MAX_LINE: usize = 1024 * 1024;
/// What is kept of what a worker said when it failed, in bytes.
const EXCERPT: usize = 400;

/// Why no worker runs.
#[derive(Debug, thiserror::Error)]
pub enum GuidedError {
    /// There is no engine.
    #[error(
        "this build of mcp-conform has no engine for guided fuzzing\n  try: cargo install --path harness --features \
         guided (the engine is C++ and needs a compiler for that, such as g++)"
    )]
    Unavailable,
    /// The system refused something.
    #[error("guided fuzzing cannot begin: {0}")]
    System(#[from] io::Error),
}

/// A worker that runs. Dropping this ends it and its server.
#[derive(Debug)]
pub struct Run {
    work: Work,
    guardian: Option<Arc<Guardian>>,
    process: Process,
    /// Held open: its end ends the worker.
    _input: ChildStdin,
    output: ChildStdout,
    framer: Framer,
    restarts: u32,
    began: Instant,
    /// What the workers before this one did, and what this one has told.
    figures: (Figures, Figures),
    over: bool,
    /// Removed with the value.
    _shared: TempDir,
}

impl Run {
    /// Starts a worker. `executable` is our own binary.
    ///
    /// # Errors
    /// When there is no engine in this build, or the system refuses a folder or a process.
    pub async fn start(
        mut work: Work,
        executable: &Path,
        guardian: Option<Arc<Guardian>>,
    ) -> Result<Run, GuidedError> {
        if !IS_AVAILABLE {
            return Err(GuidedError::Unavailable);
        }
        let shared = tempfile::Builder::new().prefix("guided-").tempdir_in(&work.scratch)?;
        work.map = instrument::prepare(shared.path(), &mut work.command)?;
        work.executable = executable.to_owned();
        let (process, input, output) = start(&work, guardian.clone()).await?;
        Ok(Run {
            work,
            guardian,
            process,
            _input: input,
            output,
            framer: Framer::with_limit(MAX_LINE),
            restarts: 0,
            began: Instant::now(),
            figures: (Figures::default(), Figures::default()),
            over: false,
            _shared: shared,
        })
    }

    /// The number of the process group of the worker, which is that of the worker.
    #[must_use]
    pub fn group(&self) -> i32 {
        self.process.group()
    }

    /// The next thing that happens; none once the worker has finished or failed. May be dropped and called again.
    pub async fn next(&mut self) -> Option<Event> {
        let mut chunk = vec![0; 64 * 1024];
        while !self.over {
            while let Some(frame) = self.framer.next_frame() {
                if let Ok(mut event) = serde_json::from_slice::<Event>(&frame.bytes) {
                    if let Event::Progress(figures) | Event::Done(figures) = &mut event {
                        self.figures.1 = *figures;
                        *figures = figures.after(self.figures.0);
                    }
                    self.over = matches!(event, Event::Done(_) | Event::Failed { .. });
                    return Some(event);
                }
            }
            match self.output.read(&mut chunk).await {
                Ok(count @ 1..) => self.framer.push(chunk.get(..count).unwrap_or_default()),
                Ok(0) | Err(_) => {
                    if let Err(why) = self.restart().await {
                        self.over = true;
                        return Some(Event::Failed { why });
                    }
                }
            }
        }
        None
    }

    /// Another worker goes on with the corpus of one that ended before it was done.
    async fn restart(&mut self) -> Result<(), String> {
        let (before, last) = self.figures;
        self.restarts = if last.executions > LONG { 1 } else { self.restarts + 1 };
        if self.restarts > MOST_RESTARTS {
            let said = self.process.stderr_tail();
            let last = said.trim_end().lines().next_back().unwrap_or_default();
            return Err(format!("the engine ended: {}", text::bounded(&text::visible(last), EXCERPT)));
        }
        // What is left of the budget.
        self.figures = (last.after(before), Figures::default());
        self.work.executions = self.work.executions.map(|most| most.saturating_sub(last.executions));
        self.work.time = self.work.time.map(|time| time.saturating_sub(self.began.elapsed()));
        self.began = Instant::now();
        // Another seed, or it would end in the same way.
        self.work.seed = self.work.seed.wrapping_add(1);
        let started = start(&self.work, self.guardian.clone()).await;
        let (process, input, output) =
            started.map_err(|error| format!("the engine does not start: {error}"))?;
        (self.process, self._input, self.output) = (process, input, output);
        self.framer = Framer::with_limit(MAX_LINE);
        Ok(())
    }
}

async fn start(
    work: &Work,
    guardian: Option<Arc<Guardian>>,
) -> io::Result<(Process, ChildStdin, ChildStdout)> {
    let command = ServerCommand {
        program: work.executable.clone().into_os_string(),
        arguments: vec![ARGUMENT.into()],
        environment: Vec::new(),
        directory: None,
    };
    let mut line = serde_json::to_vec(work).map_err(io::Error::other)?;
    line.push(b'\n');
    let (process, mut pipes) = Process::start(&command, guardian)?;
    pipes.stdin.write_all(&line).await?;
    Ok((process, pipes.stdin, pipes.stdout))
}
