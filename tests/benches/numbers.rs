//! The numbers that this project promises, as ratios within one run or as counts. `cargo bench -p mcp-conform-tests`
//!
//! `SERVER="python3 server.py"` names a further server for the share of time that is spent waiting for it.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mcp_conform::detect::{Access, Opener};
use mcp_conform::process::ServerCommand;
use mcp_conform::session::Outgoing;
use mcp_conform::session::client::ScriptedClient;
use mcp_conform_cases::case::ClientKind;
use mcp_conform_cases::{Library, Revision};
use mcp_conform_tests::{run, settings};

const REFERENCE: &str = env!("CARGO_BIN_EXE_reference-server");
/// Round trips of one measurement.
const TRIPS: u32 = 20_000;
/// Measurements; the two drivers take turns, so that a busy machine slows both.
const ROUNDS: usize = 5;

fn main() {
    // `cargo test` runs benches too, and has no use for them.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    full_run();
    round_trips();
    if let Some(server) = std::env::var_os("SERVER") {
        waiting(&server.to_string_lossy());
    }
}

/// The whole suite on the reference server, all revisions, as `mcp-conform reference` runs it.
fn full_run() {
    let mut seconds = Vec::new();
    let mut items = 0;
    for _ in 0..ROUNDS {
        let library = Library::builtin().unwrap();
        let mut settings = settings(&[REFERENCE.into(), "--fixture-delay".into(), "2".into()]);
        settings.jobs = 8;
        let begun = Instant::now();
        let (_, finish) = run(library, settings).unwrap();
        seconds.push(begun.elapsed().as_secs_f64());
        items = finish.summary.total();
    }
    seconds.sort_by(f64::total_cmp);
    println!(
        "full run on the reference server: {items} items, five revisions, median {:.2} s (limit 1 s)",
        seconds[ROUNDS / 2]
    );
    println!("peak memory of this process after {ROUNDS} runs: {} MB (limit 64 MB)", peak_memory_mb());
}

/// Round trips a second of the harness, against a driver that writes and reads lines and does nothing else.
fn round_trips() {
    let mut ratios = Vec::new();
    let mut rates = (0.0, 0.0);
    for _ in 0..ROUNDS {
        let bare = bare_rate();
        let ours = harness_rate();
        rates = (bare, ours);
        ratios.push(ours / bare);
    }
    ratios.sort_by(f64::total_cmp);
    println!(
        "round trips: bare driver {:.0}/s, harness {:.0}/s in the last of {ROUNDS} rounds; median ratio {:.2} (at least 0.80)",
        rates.0,
        rates.1,
        ratios[ROUNDS / 2]
    );
}

fn bare_rate() -> f64 {
    let mut child = Command::new(REFERENCE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = Vec::new();
    let mut exchange = |text: &str| {
        input.write_all(text.as_bytes()).unwrap();
        line.clear();
        output.read_until(b'\n', &mut line).unwrap();
    };
    exchange(
        "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bare\",\"version\":\"0\"}}}\n",
    );
    let begun = Instant::now();
    for id in 1..=TRIPS {
        exchange(&format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n"));
    }
    let rate = f64::from(TRIPS) / begun.elapsed().as_secs_f64();
    drop(input);
    child.wait().unwrap();
    rate
}

fn harness_rate() -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let command = ServerCommand {
            program: REFERENCE.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
        };
        let opener = Opener {
            access: Access::Stdio { command, guardian: None },
            scripted: ScriptedClient::default(),
            startup: Duration::from_secs(10),
        };
        let mut begun = opener.begin(Revision::R2025_11_25, ClientKind::Plain, false).await.unwrap();
        let start = Instant::now();
        for _ in 0..TRIPS {
            begun.session.exchange(Outgoing::new("ping"), Duration::from_secs(10)).await;
        }
        f64::from(TRIPS) / start.elapsed().as_secs_f64()
    })
}

/// How much of a run on another server is spent waiting for it: all but our own processor time.
fn waiting(server: &str) {
    let command: Vec<OsString> = server.split_whitespace().map(OsString::from).collect();
    let before = own_processor_seconds();
    let begun = Instant::now();
    let (_, finish) = run(Library::builtin().unwrap(), settings(&command)).unwrap();
    let wall = begun.elapsed().as_secs_f64();
    let own = own_processor_seconds() - before;
    println!(
        "{server}: {} items in {wall:.1} s, {:.1} % of it waiting for the server (at least 90 %)",
        finish.summary.total(),
        100.0 * (1.0 - own / wall)
    );
}

/// Processor time of this process without its children, from the kernel's count of clock ticks (100 a second).
fn own_processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().map(|index| fields[*index].parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
