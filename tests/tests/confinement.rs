//! What a confined server cannot do to the machine, and that common runtimes work all the same.
//!
//! Everything here is bounded by itself too: a test whose confinement fails takes half a gigabyte at most.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use mcp_conform::fuzz::watch::{Excess, Watchdog};
use mcp_conform::process::confine::home::Home;
use mcp_conform::process::confine::{Confinement, Limits, scratch};
use mcp_conform::process::{Process, ServerCommand};
use mcp_conform_tests::mcp_conform;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::runtime::Handle;

/// How long something that happens by itself may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn small() -> Limits {
    Limits { memory_bytes: 128 << 20, file_bytes: 1 << 20, processes: 20, ..Limits::default() }
}

fn confinement(folder: &Path) -> Confinement {
    // The interpreters of the machine may need the home that they were installed in.
    Confinement { limits: small(), home: Home::Keep, ..Confinement::new(folder.into()) }
}

fn command(words: &[&str]) -> ServerCommand {
    ServerCommand {
        program: words[0].into(),
        arguments: words[1..].iter().map(Into::into).collect(),
        environment: Vec::new(),
        directory: None,
    }
}

/// Runs a program confined to its end.
fn run(confinement: &Confinement, words: &[&str]) -> Output {
    let wrapped = confinement.wrap(&command(words), &mcp_conform());
    Command::new(&wrapped.program)
        .args(&wrapped.arguments)
        .envs(wrapped.environment)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What a Python program that runs to its end prints.
fn python(confinement: &Confinement, program: &str) -> String {
    let output = run(confinement, &["python3", "-c", program]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Runs a program confined and watched until the watchdog ends it.
async fn watched(confinement: &Confinement, words: &[&str]) -> Option<Excess> {
    let wrapped = confinement.wrap(&command(words), &mcp_conform());
    let (mut process, pipes) = Process::start(&wrapped, None).unwrap();
    let mut watchdog = Watchdog::start(&process, confinement.limits, &Handle::current());
    let excess = tokio::time::timeout(PATIENCE, watchdog.exceeded()).await.expect("it is not ended");
    let exit = process.ended_within(PATIENCE).await.expect("it lives on");
    assert_eq!(exit.signal, Some(9), "{exit:?} {}", process.stderr_tail());
    assert_eq!(watchdog.excess(), excess);
    drop(pipes);
    excess
}

#[test]
fn memory_that_is_mapped_ends() {
    let folder = scratch().unwrap();
    let said = python(
        &confinement(folder.path()),
        "
held = []
try:
    for _ in range(64): held.append(bytes(8 << 20))
    print('got everything')
except MemoryError:
    print('refused after', len(held))",
    );
    let count: u64 = said.strip_prefix("refused after ").unwrap_or_else(|| panic!("{said}")).parse().unwrap();
    // Twice the limit, without what the interpreter has itself.
    assert!((16..32).contains(&count), "{said}");
}

#[tokio::test]
async fn memory_that_is_used_ends_the_server_and_is_named() {
    let folder = scratch().unwrap();
    let hog = "
import time
held = [b'x' * (8 << 20) for _ in range(24)]
time.sleep(1000)";
    let excess = watched(&confinement(folder.path()), &["python3", "-c", hog]).await;
    let Some(Excess::Memory { bytes, limit }) = excess else { panic!("{excess:?}") };
    assert_eq!(limit, 128 << 20);
    assert!(bytes > limit && bytes < limit * 2, "{bytes}");
}

#[tokio::test]
async fn too_many_processes_end_the_server_and_are_named() {
    let folder = scratch().unwrap();
    let forks = "for i in $(seq 40); do sleep 1000 & done; wait";
    let excess = watched(&confinement(folder.path()), &["sh", "-c", forks]).await;
    let Some(Excess::Processes { count, limit }) = excess else { panic!("{excess:?}") };
    assert_eq!(limit, 20);
    assert!(count > 20 && count <= 41, "{count}");
}

#[tokio::test]
async fn a_server_that_ends_by_itself_took_nothing() {
    let folder = scratch().unwrap();
    let confinement = confinement(folder.path());
    let wrapped = confinement.wrap(&command(&["sh", "-c", "exit 7"]), &mcp_conform());
    let (mut process, _pipes) = Process::start(&wrapped, None).unwrap();
    let mut watchdog = Watchdog::start(&process, confinement.limits, &Handle::current());
    assert_eq!(process.ended_within(PATIENCE).await.and_then(|exit| exit.code), Some(7));
    let excess = tokio::time::timeout(PATIENCE, watchdog.exceeded()).await.expect("it watches on");
    assert_eq!(excess, None);
}

#[test]
fn a_file_does_not_grow_beyond_its_limit() {
    let folder = scratch().unwrap();
    let said = python(
        &confinement(folder.path()),
        "
import os
file = os.path.join(os.environ['TMPDIR'], 'big')
try:
    with open(file, 'wb') as out:
        for _ in range(64): out.write(bytes(1 << 16))
    print('got everything')
except OSError as error:
    print(error.errno, os.path.getsize(file))",
    );
    // EFBIG, exactly at the limit.
    assert_eq!(said, "27 1048576");
}

#[test]
fn nothing_is_written_outside_of_the_scratch_folder() {
    let folder = scratch().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let kept = outside.path().join("kept");
    std::fs::write(&kept, "precious").unwrap();
    let confinement = confinement(folder.path());
    if !confinement.confines_writing() {
        println!("not tested: {}", confinement.describe());
        return;
    }
    let kept = kept.to_str().unwrap();
    let said = confinement.describe();
    let version = said.rsplit(' ').next().unwrap().trim_end_matches(')').parse::<u32>().unwrap();
    let program = format!(
        "
import os, tempfile
def attempt(what):
    try: what(); return 'done'
    except OSError as error: return error.__class__.__name__
kept = {kept:?}
print(attempt(lambda: open(kept, 'a')), attempt(lambda: open(kept, 'w')), attempt(lambda: os.unlink(kept)))
print(attempt(lambda: os.mkdir(kept + '.d')), attempt(lambda: os.rename(kept, kept + '2')), attempt(lambda: os.symlink('/', kept + '.l')))
print(attempt(lambda: os.link(kept, os.environ['TMPDIR'] + '/link')))
print(open(kept).read())
with tempfile.TemporaryFile() as file: file.write(b'x')
print(attempt(lambda: open('/dev/null', 'w').write('x')))
if {version} >= 3: print(attempt(lambda: os.truncate(kept, 0)))
if {version} >= 6: print(attempt(lambda: os.kill(os.getppid(), 0)))"
    );
    let said = python(&confinement, &program);
    let lines: Vec<&str> = said.lines().collect();
    let refused = "PermissionError PermissionError PermissionError";
    // A link out of another folder is answered with EXDEV.
    assert_eq!(lines[..5], [refused, refused, "OSError", "precious", "done"]);
    // Truncating and signals came with later versions.
    assert!(lines[5..].iter().all(|line| *line == "PermissionError"), "{said}");
    assert_eq!(lines.len(), 5 + usize::from(version >= 3) + usize::from(version >= 6), "{said}");
    assert_eq!(std::fs::read_to_string(kept).unwrap(), "precious");
}

#[test]
fn limits_are_those_that_were_asked_for() {
    let folder = scratch().unwrap();
    let limits = Limits { descriptors: 99, cpu_seconds: 77, ..small() };
    let output = run(
        &Confinement { limits, ..confinement(folder.path()) },
        &["sh", "-c", "ulimit -n; ulimit -t; ulimit -c; echo $PPID $$"],
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], ["99", "77", "0"], "{said}");
    // The shell is our own child: nothing stands between.
    assert!(lines[3].starts_with(&format!("{} ", std::process::id())), "{said}");
}

#[test]
fn processor_time_ends() {
    let folder = scratch().unwrap();
    let limits = Limits { cpu_seconds: 1, ..small() };
    let confinement = Confinement { limits, ..confinement(folder.path()) };
    let output = run(&confinement, &["sh", "-c", "while :; do :; done"]);
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(24), "SIGXCPU tells what happened: {output:?}");
}

#[test]
fn a_program_that_does_not_start_is_named() {
    let folder = scratch().unwrap();
    let confinement = confinement(folder.path());
    for (program, code, says) in [
        ("/no/such/program", 127, "mcp-conform: `/no/such/program` does not exist"),
        ("/dev/null", 126, "mcp-conform: `/dev/null` cannot be started: Permission denied"),
    ] {
        let output = run(&confinement, &[program]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

/// Starts a server that says `ready`, and then sends every line back.
async fn echoes(confinement: &Confinement, words: &[&str]) {
    let wrapped = confinement.wrap(&command(words), &mcp_conform());
    let (mut process, mut pipes) = Process::start(&wrapped, None).unwrap();
    let mut lines = BufReader::new(pipes.stdout).lines();
    for line in [None, Some("one"), Some("two")] {
        if let Some(line) = line {
            pipes.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        }
        let answer = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("an answer in time");
        let said = process.stderr_tail();
        assert_eq!(answer.unwrap().as_deref(), line.or(Some("ready")), "{words:?}: {said}");
    }
    drop(pipes.stdin);
    let exit = process.ended_within(PATIENCE).await.expect("it lives on");
    assert_eq!(exit.code, Some(0), "{words:?}: {}", process.stderr_tail());
}

#[tokio::test]
async fn common_runtimes_work_within_the_default_limits() {
    let folder = scratch().unwrap();
    let confinement = Confinement { limits: Limits::default(), ..confinement(folder.path()) };
    let python = "
import sys, threading, tempfile, multiprocessing
threads = [threading.Thread(target=lambda: None) for _ in range(16)]
for thread in threads: thread.start()
tempfile.TemporaryFile().write(b'x'); multiprocessing.Lock()
print('ready', flush=True)
for line in sys.stdin: print(line, end='', flush=True)";
    echoes(&confinement, &["python3", "-c", python]).await;
    let node = "
const fs = require('fs'), os = require('os'), path = require('path');
fs.writeFileSync(path.join(os.tmpdir(), 'x'), 'x');
new (require('worker_threads').Worker)('process.exit(0)', {eval: true}).on('exit', () => {
  console.log('ready');
  require('readline').createInterface({input: process.stdin}).on('line', line => console.log(line));
});";
    if Command::new("node").arg("--version").output().is_ok() {
        echoes(&confinement, &["node", "-e", node]).await;
    }
    echoes(&confinement, &["sh", "-c", "echo ready; exec cat"]).await;
}
