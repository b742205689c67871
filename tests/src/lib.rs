//! Helpers shared by the integration tests of mcp-conform.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use mcp_conform::event::{Finish, Header};
use mcp_conform::run::{self, RunError, Stop};
use mcp_conform::select::Selection;
use mcp_conform::settings::{Calls, HttpSettings, Settings, WhichRevisions};
use mcp_conform::target::Target;
use mcp_conform_cases::{Library, RevisionSet};
use tokio::sync::watch;

/// Settings for a run of a test: every tool may be called, every revision is tested.
///
/// # Panics
/// When the command cannot be found.
#[must_use]
pub fn settings(command: &[OsString]) -> Settings {
    Settings {
        target: Target::command(command, std::env::var_os("PATH").as_deref()).expect("the server is there"),
        http: HttpSettings::default(),
        revisions: WhichRevisions::These(RevisionSet::ALL),
        selection: Selection::default(),
        calls: Calls { all: true, names: Vec::new() },
        timeout: Duration::from_secs(10),
        startup_timeout: Duration::from_secs(30),
        max_time: Duration::from_secs(300),
        jobs: 1,
        seed: 1,
        repeat_options: Vec::new(),
        executable: None,
    }
}

/// Runs the suite on a runtime of its own.
///
/// # Errors
/// As [`run::run`].
///
/// # Panics
/// When the runtime cannot be built.
pub fn run(library: Library, settings: Settings) -> Result<(Header, Finish), RunError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (_stop, stopped) = watch::channel(Stop::No);
    runtime.block_on(run::run(library, settings, &mut [], stopped))
}

/// Where the `mcp-conform` binary lies: beside the tests. `cargo test --workspace` has built it, because its own
/// package has an integration test.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn mcp_conform() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(|deps| deps.parent()).expect("a target folder");
    let binary = folder.join("mcp-conform");
    if !binary.is_file() {
        panic!(
            "{} is missing: run `cargo test --workspace`, or `cargo build -p mcp-conform` first",
            binary.display()
        );
    }
    binary
}

/// The processes that were started with an environment variable, as `NAME=VALUE`, by the names of their programs; without
/// the test itself.
///
/// # Panics
/// When the system does not list its processes.
#[must_use]
pub fn processes_with(variable: &str) -> Vec<String> {
    let this = std::process::id().to_string();
    std::fs::read_dir("/proc")
        .expect("a list of processes")
        .flatten()
        .filter(|entry| entry.file_name() != this.as_str())
        .filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).split('\0').any(|other| other == variable)
        })
        .map(|entry| std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default())
        .collect()
}

/// Waits for a condition that the system brings about by itself, and looks again a thousand times a second.
///
/// # Panics
/// When it has not come about after 30 seconds.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::park_timeout(Duration::from_millis(1));
    }
}
