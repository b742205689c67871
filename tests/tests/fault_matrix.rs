//! The suite proves itself: every case passes on the good server, and every fault of the reference server is caught by
//! just the cases that say they catch it.
//!
//! `FAULTS=PATTERN` (parts of names, separated by commas) narrows the matrix while working on a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_conform::event::Transport;
use mcp_conform::run::RunError;
use mcp_conform::select::Selection;
use mcp_conform::settings::{Settings, WhichRevisions};
use mcp_conform::target::Target;
use mcp_conform::verdict::Verdict;
use mcp_conform_cases::{Era, Library, RevisionSet};
use mcp_conform_tests::{run, settings};
use mcp_reference_server::faults::{self, Fault};

/// The token of the reference server where it is protected.
const TOKEN: &str = "a-token-of-the-matrix";

/// The reference server over every transport.
fn reference(options: &[&str]) -> Settings {
    let program = OsString::from(env!("CARGO_BIN_EXE_reference-server"));
    let mut settings = settings(std::slice::from_ref(&program));
    let arguments: Vec<OsString> =
        ["--fixture-delay", "2"].iter().chain(options).map(OsString::from).collect();
    settings.target.ways = Target::all_ways(&program, &arguments);
    settings
}

/// The reference server over Streamable HTTP, protected by a token that the harness has.
fn protected(options: &[&str]) -> Settings {
    let mut settings = reference(&[&["--bearer", TOKEN], options].concat());
    settings.target.restrict(Transport::Http).unwrap();
    settings.http.headers = vec![("Authorization".to_owned(), format!("Bearer {TOKEN}"))];
    settings
}

/// The good server, in variants that leave features out, so that the cases about undeclared features have their turn.
const GOOD: [&str; 3] = [
    "",
    "tools resources prompts logging tasks",
    "tools.listChanged resources.listChanged prompts.listChanged resources.subscribe completions tasks.list tasks.requests.tools.call",
];

#[test]
fn every_case_passes_on_the_good_server_in_every_revision() {
    let library = Library::builtin().unwrap();
    let mut wrong = String::new();
    let mut passed = BTreeSet::new();
    let open = GOOD.iter().map(|without| {
        let options: Vec<&str> =
            without.split_whitespace().flat_map(|feature| ["--without", feature]).collect();
        (*without, reference(&options))
    });
    for (without, mut settings) in open.chain([("an open door", protected(&[]))]) {
        settings.jobs = 8;
        let (header, finish) = run(library.clone(), settings).unwrap();
        assert!(header.revisions.len() >= 4);
        for result in finish.results {
            let complete = without.is_empty() && result.verdict == Verdict::Untestable;
            if result.verdict.is_finding() || result.verdict == Verdict::Error || complete {
                let _ = writeln!(
                    wrong,
                    "{} {} {} {} without [{without}]: {} {:?}",
                    result.verdict,
                    result.case,
                    result.revision,
                    result.transport.as_str(),
                    result.message,
                    result.got
                );
            }
            if result.verdict == Verdict::Pass {
                passed.insert(result.case);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // A case that passes nowhere is not shown to work.
    let never: Vec<&str> =
        library.cases.iter().map(|case| case.id.as_str()).filter(|id| !passed.contains(*id)).collect();
    assert!(never.is_empty(), "these cases pass in no revision: {never:?}");
}

#[test]
fn every_fault_is_caught_by_the_cases_that_claim_it_and_by_no_others() {
    let library = Library::builtin().unwrap();
    let known: BTreeSet<&str> = faults::all().map(|fault| fault.name).collect();
    let unknown: Vec<&str> = library.faults().into_iter().filter(|fault| !known.contains(fault)).collect();
    assert!(unknown.is_empty(), "cases claim faults that do not exist: {unknown:?}");

    let pattern = std::env::var("FAULTS").unwrap_or_default();
    let faults: Vec<&Fault> =
        faults::all().filter(|fault| pattern.split(',').any(|part| fault.name.contains(part))).collect();
    assert!(!faults.is_empty(), "FAULTS={pattern} names none");
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(BTreeMap::new());
    // Runs wait more than they compute, so there are more of them than cores.
    let workers = 8 * std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(what) = try_fault(&library, fault) {
                        wrong.lock().unwrap().insert(fault.name, what);
                    }
                }
            });
        }
    });
    // So many servers at once make some cases miss their moment; what is really off is off on a quiet machine too.
    let mut wrong = wrong.into_inner().unwrap();
    println!("{} faults are tried again alone: {wrong:#?}", wrong.len());
    wrong.retain(|name, what| {
        let Some(fault) = faults.iter().find(|fault| fault.name == *name) else { return true };
        match try_fault(&library, fault) {
            Ok(()) => false,
            Err(alone) => {
                *what = alone;
                true
            }
        }
    });
    let unclaimed: Vec<&str> =
        faults.iter().map(|fault| fault.name).filter(|name| !library.faults().contains(name)).collect();
    println!(
        "{} faults, {} claimed by a case; unclaimed: {unclaimed:?}",
        faults.len(),
        faults.len() - unclaimed.len()
    );
    let report: String = wrong.iter().map(|(name, what)| format!("{name}: {what}\n")).collect();
    assert!(wrong.is_empty(), "{} of {} faults are off:\n{report}", wrong.len(), faults.len());
}

/// The areas about the network side.
const NETWORK: [&str; 3] = ["http", "sse-legacy", "auth"];
/// Cases whose traffic the invariants of the network side look at.
const TRAFFIC: [&str; 6] =
    ["stateless-subs/*", "stateless-base/*", "sampling/*", "progress/*", "base/*", "tools/call-listed"];

/// Runs the suite on the server with one fault and compares what broke with what should have.
fn try_fault(library: &Library, fault: &Fault) -> Result<(), String> {
    let shows: RevisionSet = fault.revisions.parse().map_err(|error| format!("its revisions: {error}"))?;
    let claimants: BTreeSet<&str> = library
        .cases
        .iter()
        .filter(|case| case.catches.iter().any(|name| name == fault.name))
        .map(|case| case.id.as_str())
        .collect();
    let mut settings = if fault.requirement.starts_with("auth.") {
        protected(&["--fault", fault.name])
    } else {
        reference(&["--fault", fault.name])
    };
    // Messages are the same everywhere, so that one transport is enough for their faults.
    let transport: Transport =
        fault.transports.first().unwrap().parse().map_err(|error| format!("{error}"))?;
    settings.target.restrict(transport).map_err(|error| error.to_string())?;
    if transport != Transport::Stdio {
        let mut patterns: Vec<String> = NETWORK.iter().map(|area| format!("{area}/*")).collect();
        patterns.extend(TRAFFIC.map(str::to_owned));
        patterns.extend(claimants.iter().map(|case| (*case).to_owned()));
        settings.selection = Selection::new(&patterns).map_err(|error| error.to_string())?;
    }
    settings.revisions = WhichRevisions::These(revisions_for(library, fault.name, shows));
    // Enough for a busy machine, and little enough for servers that never answer.
    settings.timeout = Duration::from_secs(4);
    settings.startup_timeout = Duration::from_secs(4);
    // Where every new session fails, sessions wait beside each other.
    settings.jobs = 6;
    // A fault of the network side breaks what messages are carried by, and so in the end every case. What must not
    // break are the other cases about that side.
    let has_a_say = |case: &str| {
        transport == Transport::Stdio
            || claimants.contains(case)
            || NETWORK.iter().any(|area| case.split('/').next() == Some(area))
    };
    let caught: BTreeSet<String> = match run(library.clone(), settings) {
        Ok((_, finish)) => finish
            .results
            .iter()
            .filter(|result| result.verdict.is_finding() && has_a_say(&result.case))
            .map(|result| result.case.clone())
            .collect(),
        // A server with which no session begins is refused as a whole: exit code 3, and no case has a say.
        Err(RunError::NotSpeaking(_) | RunError::NoRevision { .. }) if claimants.is_empty() => return Ok(()),
        Err(error) => return Err(format!("the run ended with: {error}")),
    };
    // What no case claims shows all the same: with such a server no session begins.
    if claimants.is_empty() && transport != Transport::Stdio {
        return Err("nothing notices it".to_owned());
    }
    let missed: Vec<&&str> = claimants.iter().filter(|case| !caught.contains(**case)).collect();
    let unclaimed: Vec<&String> = caught.iter().filter(|case| !claimants.contains(case.as_str())).collect();
    match (missed.is_empty(), unclaimed.is_empty()) {
        (true, true) => Ok(()),
        (false, true) => Err(format!("not caught by {missed:?}")),
        (true, false) => Err(format!("breaks {unclaimed:?}, which do not claim it")),
        (false, false) => {
            Err(format!("not caught by {missed:?}; breaks {unclaimed:?}, which do not claim it"))
        }
    }
}

/// The newest revision of each era in which the fault shows, and one for every case that claims it.
fn revisions_for(library: &Library, fault: &str, shows: RevisionSet) -> RevisionSet {
    let newest = |era: Era| shows.iter().rfind(|revision| revision.era() == era);
    let mut chosen: RevisionSet = [Era::Stateful, Era::Stateless].into_iter().filter_map(newest).collect();
    for case in library.cases.iter().filter(|case| case.catches.iter().any(|name| name == fault)) {
        let common = case.revisions.intersection(shows);
        if common.intersection(chosen).is_empty() {
            chosen.extend(common.iter().next_back());
        }
    }
    chosen
}
