//! What a campaign of fuzzing costs beside the server that it tries: its cases a second against the round trips of a
//! driver that writes a line, reads a line and does nothing else, on the same server in the same run.
//!
//! `cargo bench -p mcp-conform-tests --bench rate`. `SERVER="python3 server.py"` measures that server alone. It and the
//! reference server are tried for `SECONDS` each time, the trivial one with `CASES`; `ROUNDS` and `TRIPS` change how much,
//! and with `VERBOSE` a campaign tells how far it is. `cargo build --release -p mcp-conform` first, and servers are
//! confined and watched as `mcp-conform fuzz` has them.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use mcp_conform::fuzz::campaign::{self, Budget, FuzzEvent, Outcome, Stats};
use mcp_conform::fuzz::ground::FuzzSettings;
use mcp_conform::run::Stop;
use mcp_conform::settings::WhichRevisions;
use mcp_conform_cases::{Library, Revision, RevisionSet};
use mcp_conform_tests::settings;
use mimalloc::MiMalloc;
use serde_json::{Value, json};
use tokio::sync::watch;

/// The same as that of `mcp-conform`.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const TRIVIAL: &str = env!("CARGO_BIN_EXE_trivial-server");
const REFERENCE: &str = env!("CARGO_BIN_EXE_reference-server");

fn main() {
    // `cargo test` runs benches too, and has no use for them.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let timed = Budget { cases: None, time: Some(Duration::from_secs(number("SECONDS", 60))) };
    match std::env::var("SERVER") {
        Ok(server) => measure(&server, timed, 3_000),
        Err(_) => {
            let counted = Budget { cases: Some(number("CASES", 100_000)), time: None };
            measure(TRIVIAL, counted, 100_000);
            // It has a tool that takes a minute, and where inputs are counted each call of it is waited for.
            measure(REFERENCE, timed, 50_000);
        }
    }
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// One server: the bare driver and the campaign take turns, so that a busy machine slows both.
fn measure(server: &str, budget: Budget, trips: u64) {
    let (trips, rounds) = (number("TRIPS", trips), number("ROUNDS", 3));
    let command: Vec<OsString> = server.split_whitespace().map(OsString::from).collect();
    let name =
        server.split_whitespace().filter_map(|word| word.rsplit('/').next()).collect::<Vec<_>>().join(" ");
    println!("{name}: {rounds} rounds of {trips} bare calls and {budget:?} a lane");
    let (mut one, mut two) = (Vec::new(), Vec::new());
    let mut peak = 0;
    for round in 1..=rounds {
        let bare = bare_rate(&command, trips, "tools/call");
        let ping = bare_rate(&command, trips, "ping");
        println!("  {round}: bare {bare:.0}/s (ping {ping:.0}/s)");
        forget_peak_memory();
        for (lanes, ratios) in [(1, &mut one), (2, &mut two)] {
            let before = own_processor_seconds();
            let cases = budget.cases.map(|cases| cases * lanes);
            let (outcome, seconds) = campaign(&command, Budget { cases, ..budget }, lanes as usize);
            let stats = outcome.stats;
            let own = (own_processor_seconds() - before) / stats.cases as f64 * 1e6;
            let later = later_rate(&outcome, &seconds);
            let steps = rate(&outcome) * stats.steps as f64 / stats.cases as f64;
            ratios.push([rate(&outcome) / bare, later / bare, steps / bare]);
            println!(
                "     {lanes} lanes {:.0}/s with {steps:.0} messages/s, {later:.0}/s in the second half ({} cases, {} sessions, {:.1} s in all, {:.1} s of lanes looking, {own:.1} µs of ours a case, {} findings)",
                rate(&outcome),
                stats.cases,
                stats.sessions,
                Duration::from_millis(stats.duration_ms).as_secs_f64(),
                Duration::from_millis(stats.looking_ms).as_secs_f64(),
                outcome.findings.len()
            );
        }
        peak = peak.max(peak_memory_mb());
    }
    for (lanes, ratios) in [(1, one), (2, two)] {
        let [all, later, steps] = [0, 1, 2].map(|of| median(ratios.iter().map(|ratio| ratio[of]).collect()));
        println!(
            "  median ratio, {lanes} lanes: {all:.2}, in the second half {later:.2} (at least 0.80); of messages {steps:.2}"
        );
    }
    println!("  peak memory {peak} MB (limit 128 MB)");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Cases a second while inputs were tried: what goes into looking at suspects and into trials of endurance happens once,
/// however long the campaign is. Starts of the server count.
fn rate(outcome: &Outcome) -> f64 {
    let stats = outcome.stats;
    let all = stats.cases as f64 / stats.cases_per_second;
    stats.cases as f64 / (all - stats.looking_ms as f64 / 1e3 / outcome.introduction.lanes as f64)
}

/// The same for the second half of the cases alone: what a server does wrong is known by then, and costs less.
fn later_rate(outcome: &Outcome, seconds: &[Stats]) -> f64 {
    let cases = outcome.stats.cases;
    let when =
        |wanted: u64| seconds.iter().find(|stats| stats.cases >= wanted).copied().unwrap_or(outcome.stats);
    let (half, all) = (when(cases.div_ceil(2)), when(cases));
    let spent = (all.duration_ms - half.duration_ms) as f64;
    let looking = (all.looking_ms - half.looking_ms) as f64 / outcome.introduction.lanes as f64;
    (all.cases - half.cases) as f64 / (spent - looking) * 1e3
}

/// A server, written to and read from by the thread that asks.
struct Bare {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
}

impl Bare {
    fn start(command: &[OsString]) -> Bare {
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut bare = Bare { child, input, output, line: Vec::new() };
        bare.ask(
            0,
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "bare", "version": "0" },
            }),
        );
        bare.input.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n").unwrap();
        bare
    }

    fn ask(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.exchange(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}\n"
        ));
        serde_json::from_slice(&self.line).unwrap()
    }

    fn exchange(&mut self, text: &str) {
        self.input.write_all(text.as_bytes()).unwrap();
        self.line.clear();
        self.output.read_until(b'\n', &mut self.line).unwrap();
    }
}

/// Round trips a second: pings, or calls of the quickest tool that needs nothing but texts.
fn bare_rate(command: &[OsString], trips: u64, method: &str) -> f64 {
    let mut bare = Bare::start(command);
    let params = if method == "ping" {
        json!({})
    } else {
        let listed = bare.ask(1, "tools/list", &json!({}));
        let calls = calls_of(listed["result"]["tools"].as_array().unwrap());
        let time = |call: &Value| {
            let begun = Instant::now();
            bare.ask(1, method, call);
            begun.elapsed()
        };
        calls.into_iter().min_by_key(time).expect("a tool that takes nothing but texts")
    };
    let begun = Instant::now();
    for id in 2..trips + 2 {
        bare.exchange(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"{method}\",\"params\":{params}}}\n"
        ));
    }
    let rate = trips as f64 / begun.elapsed().as_secs_f64();
    let Bare { mut child, input, .. } = bare;
    drop(input);
    child.wait().unwrap();
    rate
}

/// Calls of the tools that need nothing but texts.
fn calls_of(tools: &[Value]) -> Vec<Value> {
    let call = |tool: &Value| -> Option<Value> {
        let schema = &tool["inputSchema"];
        let names = schema["required"].as_array()?;
        let arguments: Option<serde_json::Map<String, Value>> = names
            .iter()
            .map(|name| {
                let name = name.as_str()?;
                (schema["properties"][name]["type"] == "string").then(|| (name.to_owned(), json!("a")))
            })
            .collect();
        Some(json!({ "name": tool["name"], "arguments": arguments? }))
    };
    tools.iter().filter_map(call).collect()
}

/// A campaign as `mcp-conform fuzz` carries it out, on so many servers at once, and its figures of each second.
fn campaign(command: &[OsString], budget: Budget, lanes: usize) -> (Outcome, Vec<Stats>) {
    let mut settings = settings(command);
    let mut latest = RevisionSet::EMPTY;
    latest.insert(Revision::R2025_11_25);
    settings.revisions = WhichRevisions::These(latest);
    settings.jobs = lanes;
    let binary = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().join("mcp-conform");
    settings.executable = binary.is_file().then_some(binary);
    let confined = settings.executable.is_some();
    let fuzz = FuzzSettings {
        settings,
        budget,
        shard: (0, 1),
        corpus: Vec::new(),
        confined,
        guided: None,
        rate: None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (_stop, stopped) = watch::channel(Stop::No);
    let library = Library::builtin().unwrap();
    let verbose = std::env::var_os("VERBOSE").is_some();
    let mut seconds = Vec::new();
    let mut tell = |event: &FuzzEvent| match event {
        FuzzEvent::Progress(stats) => {
            if verbose {
                eprintln!("    {stats:?}");
            }
            seconds.push(*stats);
        }
        FuzzEvent::Found(finding) if verbose => eprintln!("    {}", finding.signature),
        _ => {}
    };
    let outcome = runtime.block_on(campaign::run(&library, &fuzz, stopped, &mut tell)).unwrap();
    (outcome, seconds)
}

/// Processor time of this process without its children, from the kernel's count of clock ticks (100 a second).
fn own_processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: f64 = [11, 12].iter().map(|index| fields[*index].parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

/// From here on the peak counts anew.
fn forget_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
