//! Every fault of the network side shows, in each era and on each transport in which it says it does.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_reference_server::faults::{self, Fault};

use super::client::Server;
use super::traffic::{Log, legacy, protected, stateful, stateless};

const TOKEN: &str = "0123456789abcdef";

/// What to run to see a fault, beginning with the newest revision of each era.
fn scenes(fault: &Fault) -> Vec<&'static str> {
    if fault.transports.contains(&"sse") {
        return vec!["sse"];
    }
    if fault.requirement.starts_with("auth.") {
        return vec!["bearer"];
    }
    let (first, last) = fault.revisions.split_once("..").unwrap_or((fault.revisions, fault.revisions));
    let stateful = ["2025-11-25", "2025-06-18", "2025-03-26"].into_iter();
    let mut scenes: Vec<_> = stateful.filter(|revision| (first..=last).contains(revision)).take(1).collect();
    if last == "2026-07-28" {
        scenes.push("2026-07-28");
    }
    scenes
}

fn play(scene: &'static str, faults: &[&str]) -> Log {
    let mut arguments = vec!["--keep-alive", "0.1"];
    if scene == "bearer" {
        arguments.extend(["--bearer", TOKEN]);
    }
    arguments.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let server = Server::start(&arguments);
    match scene {
        "sse" => legacy(&server),
        "bearer" => protected(&server, TOKEN),
        "2026-07-28" => stateless(&server),
        revision => stateful(&server, revision),
    }
}

/// The entries that differ, by name.
fn differences(good: &Log, bad: &Log) -> Vec<&'static str> {
    let mut differ: Vec<_> = good
        .entries
        .iter()
        .zip(&bad.entries)
        .filter(|(one, other)| one != other)
        .map(|((name, _), _)| *name)
        .collect();
    differ.dedup();
    if good.entries.len() != bad.entries.len() {
        differ.push("(number of entries)");
    }
    differ
}

#[test]
fn every_fault_shows_where_it_says() {
    let ours: Vec<&Fault> = faults::all().filter(|fault| !fault.transports.contains(&"stdio")).collect();
    assert!(ours.len() > 100);
    let scenes_of_all = ["sse", "bearer", "2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"];
    let good: BTreeMap<_, _> = scenes_of_all.into_iter().map(|scene| (scene, play(scene, &[]))).collect();
    for scene in scenes_of_all {
        let again = play(scene, &[]);
        let differ = differences(&good[scene], &again);
        assert!(differ.is_empty(), "{scene}: runs differ in {differ:?}");
    }
    let (next, silent) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let verbose = std::env::var_os("SHOW_FAULTS").is_some();
    std::thread::scope(|scope| {
        // Runs wait more than they compute.
        for _ in 0..8 {
            scope.spawn(|| {
                while let Some(fault) = ours.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for scene in scenes(fault) {
                        let differ = differences(&good[scene], &play(scene, &[fault.name]));
                        if verbose {
                            println!("{} in {scene}: {}", fault.name, differ.join(", "));
                        }
                        if differ.is_empty() {
                            silent.lock().unwrap().push(format!("{} in {scene}", fault.name));
                        }
                    }
                }
            });
        }
    });
    let silent = silent.into_inner().unwrap();
    assert!(silent.is_empty(), "{} faults do not show: {silent:#?}", silent.len());
}
