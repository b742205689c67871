//! Guided fuzzing against blind fuzzing: a bug behind four characters, each of them compared alone.
//!
//! `cargo test -p mcp-conform-tests --test guided -- --ignored --nocapture` measures ten seeds on a Rust server, which is
//! built for it, and on a Python server; `SEEDS`, `PYTHON` and `SERVER` (`rust` or `python`) change how many seeds, which
//! Python, and leave one of the two out. It needs a binary with the engine: `cargo build -p mcp-conform --features guided`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use mcp_conform::event::Transport;
use mcp_conform::fuzz::guided::{End, Event, Figures, Guidance, Run, Source, Work};
use mcp_conform::fuzz::make::MakerSettings;
use mcp_conform::process::ServerCommand;
use mcp_conform::profile::Profile;
use mcp_conform_cases::Revision;
use mcp_conform_tests::mcp_conform;
use serde_json::json;

/// So many inputs are tried for each seed.
const EXECUTIONS: u64 = 500_000;

/// What came of one seed.
struct Outcome {
    source: Source,
    /// After how many inputs the bug was found.
    found: Option<u64>,
    figures: Figures,
    /// The memory of the worker at its largest, in KiB.
    memory: u64,
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn python() -> ServerCommand {
    let program = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    server(program.into(), vec![here("guided/server.py")])
}

fn server(program: PathBuf, arguments: Vec<PathBuf>) -> ServerCommand {
    ServerCommand {
        program: program.into(),
        arguments: arguments.into_iter().map(PathBuf::into_os_string).collect(),
        environment: Vec::new(),
        directory: None,
    }
}

/// Builds the Rust server as a user would: with `mcp-conform coverage-build`.
fn instrumented(folder: &Path) -> ServerCommand {
    let status = Command::new(mcp_conform())
        .args(["coverage-build", "--", "cargo", "build", "--manifest-path"])
        .arg(here("guided/rust/Cargo.toml"))
        .env("CARGO_TARGET_DIR", folder)
        .status()
        .unwrap();
    assert!(status.success());
    server(folder.join("mcp-conform-coverage/debug/guided-server"), Vec::new())
}

fn work(command: ServerCommand, seed: u64, folder: &Path) -> Work {
    let tool = json!({
        "name": "deploy",
        "inputSchema": {
            "type": "object",
            "properties": { "mode": { "type": "string" } },
            "required": ["mode"],
        },
    });
    let profile = Profile { tools: vec![tool], capabilities: json!({ "tools": {} }), ..Profile::default() };
    let maker = MakerSettings::new(vec!["deploy".to_owned()], Revision::R2025_11_25, Transport::Stdio, seed);
    Work::new(command, &profile, &maker, folder.join("kept"), folder.to_owned())
}

/// Runs until the server has died or the budget is spent.
fn fuzz(command: ServerCommand, seed: u64, guidance: Guidance, executions: u64) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(command, seed, folder.path());
    work.guidance = guidance;
    work.executions = Some(executions);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut run = Run::start(work, &mcp_conform(), None).await.unwrap();
        let mut outcome =
            Outcome { source: Source::Nothing, found: None, figures: Figures::default(), memory: 0 };
        while let Some(event) = run.next().await {
            outcome.memory = outcome.memory.max(memory(run.group()));
            match event {
                Event::Began { source } => outcome.source = source,
                Event::Progress(figures) | Event::Done(figures) => outcome.figures = figures,
                Event::Found(find) => {
                    let is_planted = String::from_utf8_lossy(&find.bytes).contains("Qz7#");
                    assert!(is_planted && matches!(find.end, End::Died { .. }), "an accident: {find:?}");
                    outcome.found = Some(find.executions);
                    break;
                }
                // The bug is the question here, not the ways to it.
                Event::Reached { .. } => {}
                Event::Failed { why } => panic!("{why}"),
            }
        }
        outcome
    })
}

/// The largest resident size so far of a process, in KiB; 0 if it is gone.
fn memory(process: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|size| size.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
#[ignore = "needs a binary with the engine"]
fn a_server_that_reports_nothing_is_guided_by_its_answers_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let mut work = work(server(env!("CARGO_BIN_EXE_reference-server").into(), Vec::new()), 1, folder.path());
    work.executions = Some(2000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let events = runtime.block_on(async {
        let mut run = Run::start(work, &mcp_conform(), None).await.unwrap();
        let mut events = Vec::new();
        while let Some(event) = run.next().await {
            events.push(event);
        }
        events
    });
    assert_eq!(events.first(), Some(&Event::Began { source: Source::Shape }));
    let Some(Event::Done(figures)) = events.last() else { panic!("{events:?}") };
    assert!(figures.executions >= 2000 && figures.deaths == 0 && figures.reached > 3, "{figures:?}");
    let left: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["kept"]);
}

#[test]
#[ignore = "a measurement that takes minutes"]
fn guidance_finds_what_chance_does_not() {
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    let only = std::env::var("SERVER").ok();
    for name in ["rust", "python"].into_iter().filter(|name| only.as_ref().is_none_or(|only| only == name)) {
        let command = if name == "rust" { instrumented(folder.path()) } else { python() };
        for guidance in [Guidance::Automatic, Guidance::Blind] {
            let mut found = 0;
            for seed in 1..=seeds {
                let begun = Instant::now();
                let outcome = fuzz(command.clone(), seed, guidance, EXECUTIONS);
                found += u64::from(outcome.found.is_some());
                let Figures { executions, reached, unstable, left_out, starts, .. } = outcome.figures;
                println!(
                    "{name} {guidance:?} seed {seed}: found after {:?} inputs, {:.1} s; {:?}, {executions} inputs, \
                     {left_out} left out, {starts} starts, {reached} reached, {unstable} unstable, {} KiB",
                    outcome.found,
                    begun.elapsed().as_secs_f64(),
                    outcome.source,
                    outcome.memory
                );
            }
            println!("{name} {guidance:?}: found by {found} of {seeds} seeds");
            match guidance {
                Guidance::Blind => assert_eq!(found, 0, "{name}"),
                _ => assert!(found * 10 >= seeds * 9, "{name}"),
            }
        }
    }
}
