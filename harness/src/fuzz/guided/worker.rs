//! What the worker process does.

use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use mcp_conform_engine::Engine;
use mcp_conform_engine::libfuzzer::{LibFuzzer, Marks};
use nix::sys::signal::{Signal, raise};

use super::CORPUS;
use super::executor::{Executor, tell};
use super::protocol::Event;
use super::work::Work;
use crate::fuzz::make::bytes::{KNOWN, NEXT_TEXT};
use crate::guardian::Guardian;

/// How many seeds there are at most.
const MOST_SEEDS: usize = 1024;
/// How many properties of a tool have a seed of their own.
const PROPERTIES: u8 = 4;
/// How many values that a property is known to take have a seed of their own, beside a short text.
const VALUES: u8 = 8;
/// The bytes of an input that name a tool and a property.
const HEAD: usize = 2;
/// How much is read of the work, in bytes: listings are bounded elsewhere.
const MAX_WORK: u64 = 256 * 1024 * 1024;

/// Reads [`Work`] as a line of JSON, does it, and tells of it on standard output. Ends when the work is done, or at once
/// when the input ends. Returns only when the work cannot begin, or the engine gives up.
pub fn main(input: impl Read + Send + 'static) {
    if let Err(why) = begin(input) {
        tell(&Event::Failed { why });
    }
}

fn begin(input: impl Read + Send + 'static) -> Result<(), String> {
    let mut input = BufReader::new(input);
    let work = read(&mut input)?;
    let guardian = Guardian::start(&work.executable).map_err(|error| format!("no guardian: {error}"))?;
    thread::spawn(move || {
        let _ = io::copy(&mut input, &mut io::sink());
        // The guardian ends the server. An orderly exit would be taken for a crash by the engine.
        let _ = raise(Signal::SIGKILL);
    });
    let corpus = work.folder.join(CORPUS);
    let seeds = seeds(&work).map_err(|error| format!("no folder for the corpus: {error}"))?;
    // And nothing at all, with which the engine begins; all of them are over when the next one comes.
    let to_load = files_in(&corpus) + files_in(&seeds) + 2;
    let engine = LibFuzzer {
        corpus,
        seeds: vec![seeds],
        artifacts: work.folder.join("engine-"),
        // The upper half is as random as the lower one.
        seed: u32::try_from((work.seed ^ (work.seed >> 32)) & u64::from(u32::MAX)).unwrap_or(1),
        head: HEAD,
        marks: Marks { next: NEXT_TEXT, known: KNOWN },
        longest: work.longest,
    };
    let executor = Executor::new(work, to_load, Arc::new(guardian))?;
    engine.run(Box::new(executor)).map_err(|error| error.to_string())
}

fn files_in(folder: &Path) -> u64 {
    let count = folder.read_dir().map_or(0, Iterator::count);
    u64::try_from(count).unwrap_or(u64::MAX)
}

fn read(input: &mut impl BufRead) -> Result<Work, String> {
    let mut line = Vec::new();
    for byte in input.by_ref().take(MAX_WORK).bytes() {
        match byte.map_err(|error| error.to_string())? {
            b'\n' => break,
            byte => line.push(byte),
        }
    }
    serde_json::from_slice(&line).map_err(|error| format!("no work: {error}"))
}

/// Makes the folders, and inputs for each tool and its first properties: a short text, and values that they are known to
/// take.
fn seeds(work: &Work) -> io::Result<std::path::PathBuf> {
    for folder in [CORPUS, "artifacts", "seeds"] {
        std::fs::create_dir_all(work.folder.join(folder))?;
    }
    let folder = work.folder.join("seeds");
    let tools = u8::try_from(work.tools().min(200)).unwrap_or(0);
    let calls = |part: &[u8]| -> Vec<Vec<u8>> {
        let places = (0..tools).flat_map(|tool| (0..PROPERTIES).map(move |property| [tool, property]));
        places.map(|place| [&place, part].concat()).collect()
    };
    let known = (0..VALUES).flat_map(|value| calls(&[KNOWN, value]));
    // And what is no call of a tool, by a few first decisions.
    let others = (0..PROPERTIES).map(|decision| vec![255, decision * 50, 0]);
    for (number, seed) in others.chain(calls(b"1")).chain(known).take(MOST_SEEDS).enumerate() {
        write(&folder, number, &seed)?;
    }
    Ok(folder)
}

fn write(folder: &Path, number: usize, seed: &[u8]) -> io::Result<()> {
    std::fs::write(folder.join(format!("{number:04}")), seed)
}
