//! `fuzz --guided` on servers that report what they execute, and guided fuzzing against blind fuzzing.
//!
//! It needs a binary with the engine, and the feature `guided` of this package, which says that there is one:
//!
//! ```console
//! $ cargo test --workspace --features mcp-conform-tests/guided --test binary --test guided
//! $ cargo test --workspace --features mcp-conform-tests/guided --test guided -- --ignored --nocapture
//! ```
//!
//! The first line builds the binary too, as `binary` is a test of its package. The second measures; `SEEDS`, `PYTHON` and `SERVER` change how many seeds, which Python, and name the only one of
//! the servers and bugs.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use mcp_conform_tests::mcp_conform;

/// Runs our binary in a folder.
fn run(words: &[&str], server: &[String], folder: &Path) -> Output {
    Command::new(mcp_conform())
        .args(words)
        .args(server)
        .current_dir(folder)
        .env_remove("CARGO_TARGET_DIR")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn what_cannot_be_guided_is_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let server = if cfg!(feature = "guided") { "http://127.0.0.1:1/mcp" } else { "reference" };
    let refused = run(&["fuzz", "--guided"], &[server.to_owned()], folder.path());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{said}");
    let remedy = if cfg!(feature = "guided") {
        "--guided drives servers over stdio alone"
    } else {
        "cargo install --path harness --features guided"
    };
    assert!(said.contains(remedy), "{said}");
}

#[cfg(feature = "guided")]
mod with_engine {
    use std::io::{BufRead, BufReader};
    use std::path::PathBuf;
    use std::time::Instant;

    use mcp_conform_tests::{eventually, processes_with};
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use serde_json::Value;

    use super::*;

    fn here(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("guided").join(path)
    }

    fn python(bug: &str) -> Vec<String> {
        let program = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
        vec![program, here("server.py").to_string_lossy().into_owned(), bug.to_owned()]
    }

    /// Copies a server and builds it as a user would.
    fn built(name: &str, build: &[&str], folder: &Path) {
        for file in ["Cargo.toml", "Cargo.lock", "src/main.rs", "Makefile", "server.c"] {
            let from = here(name).join(file);
            if from.exists() {
                std::fs::create_dir_all(folder.join(file).parent().unwrap()).unwrap();
                std::fs::copy(from, folder.join(file)).unwrap();
            }
        }
        let words = [&["coverage-build", "--"], build].concat();
        let output = run(&words, &[], folder);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn rust(folder: &Path) -> Vec<String> {
        built("rust", &["cargo", "build", "--locked"], folder);
        vec![folder.join("target/mcp-conform-coverage/debug/guided-server").to_string_lossy().into_owned()]
    }

    fn c(program: &str, folder: &Path) -> Vec<String> {
        built("c", &["make", program], folder);
        vec![folder.join(program).to_string_lossy().into_owned()]
    }

    /// A campaign; what it says and what it reports.
    fn fuzz(options: &[&str], server: &[String], folder: &Path) -> (String, Value) {
        let words = ["fuzz", "--guided", "--color", "never", "--report", "json=report.json"];
        let output = run(&[&words, options, &["--"]].concat(), server, folder);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        let report = std::fs::read(folder.join("report.json")).unwrap();
        (said, serde_json::from_slice(&report).unwrap())
    }

    /// So many seeds are tried until one finds the bug.
    const SEEDS: u32 = 12;

    fn crash(report: &Value) -> Option<&Value> {
        report["findings"].as_array()?.iter().find(|finding| finding["oracle"] == "crash")
    }

    #[test]
    fn a_bug_that_is_seen_in_what_is_executed_alone_is_found_and_replayed() {
        let folders: [_; 4] = std::array::from_fn(|_| tempfile::tempdir().unwrap());
        let [one, two, three, four] = folders.each_ref().map(|folder| folder.path());
        // Which of the two ways Python reports by depends on its version.
        for (server, folder, source) in [
            (rust(one), one, "sancov"),
            (c("server", two), two, "sancov, gcc"),
            (c("server-cpp", three), three, "sancov, gcc"),
            (python("nested"), four, "sys."),
        ] {
            // How soon it is found differs by a factor of a hundred from seed to seed.
            let campaigns = (1..=SEEDS).map(|seed: u32| {
                let options = ["--call", "all", "--cases", "60000", "--seed", &seed.to_string()];
                fuzz(&options, &server, folder)
            });
            let mut last = None;
            for campaign in campaigns {
                let is_found = crash(&campaign.1).is_some();
                last = Some(campaign);
                if is_found {
                    break;
                }
            }
            let (said, report) = last.unwrap();
            assert!(said.contains("is guided over stdio by") && said.contains(source), "{said}");
            let guided = &report["guided"][0];
            assert_eq!(guided["failed"], Value::Null, "{said}");
            let executions = guided["figures"]["executions"].as_u64().unwrap();
            assert!(executions > 35_000 && report["stats"]["cases"].as_u64().unwrap() < 61_000, "{said}");
            let finding = crash(&report).unwrap_or_else(|| panic!("{server:?}: nothing was found\n{said}"));
            assert!(finding["minimized"].as_str().unwrap().contains("Qz7"), "{finding}");
            assert_eq!(finding["reproduced"], "3 of 3");
            let file = finding["case_file"].as_str().unwrap();
            let replayed = run(&["replay", file, "--call", "all", "--"], &server, folder);
            assert_eq!(replayed.status.code(), Some(1), "{}", String::from_utf8_lossy(&replayed.stderr));
        }
    }

    #[test]
    fn a_server_that_reports_nothing_is_guided_by_its_answers_and_told_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        // Without its site Python does not load what reports.
        let mut server = python("prefix");
        server.insert(1, "-S".to_owned());
        let options = ["--call", "all", "--cases", "6000", "--corpus", "kept"];
        let (said, report) = fuzz(&options, &server, folder.path());
        assert!(said.contains("response shape") && said.contains("coverage-build"), "{said}");
        assert_eq!(report["guided"][0]["source"], "shape");
        // A later campaign goes on from here.
        assert!(inputs(&folder.path().join("kept")) > 0);
    }

    fn inputs(corpus: &Path) -> usize {
        std::fs::read_dir(corpus.join("guided/2025-11-25/corpus")).map_or(0, Iterator::count)
    }

    #[test]
    fn a_merged_corpus_is_smaller_and_reaches_as_much() {
        let folder = tempfile::tempdir().unwrap();
        let server = python("prefix");
        let reached = |options: &[&str]| {
            let (said, report) =
                fuzz(&[&["--call", "all", "--seed", "2"], options].concat(), &server, folder.path());
            assert_eq!(report["guided"][0]["failed"], Value::Null, "{said}");
            report["guided"][0]["figures"]["reached"].as_u64().unwrap()
        };
        reached(&["--cases", "30000", "--corpus", "kept"]);
        let [kept, small] = ["kept", "small"].map(|name| folder.path().join(name));
        let of_use = inputs(&kept);
        // What another machine may have added.
        for number in 0..100 {
            let file = kept.join(format!("guided/2025-11-25/corpus/more-{number}"));
            std::fs::write(file, [&[0, 0][..], format!("{number:03}").as_bytes()].concat()).unwrap();
        }
        let all = reached(&["--cases", "3000", "--corpus", "kept"]);
        reached(&["--cases", "3000", "--corpus", "kept", "--merge", "small"]);
        assert!(inputs(&kept) >= of_use + 100, "nothing is taken away");
        let merged = inputs(&small);
        assert!(merged > 0 && merged < of_use + 50, "{merged}, where {of_use} were of use");
        let again = reached(&["--cases", "3000", "--corpus", "small"]);
        // What a busy machine makes look like chance is not trusted, and one place of a small server is a share of all.
        assert!(again * 4 >= all * 3, "{again} instead of {all}");
        let refused = run(&["fuzz", "--guided", "--merge", "small", "--"], &server, folder.path());
        assert_eq!(refused.status.code(), Some(2));
    }

    #[test]
    fn an_interrupt_ends_the_engine_and_its_server() {
        let folder = tempfile::tempdir().unwrap();
        let marker = ("MCP_CONFORM_GUIDED_MARKER", std::process::id().to_string());
        let mut campaign = Command::new(mcp_conform())
            .args(["fuzz", "--guided", "--call", "all", "--time", "600", "--ndjson", "--cases", "100000000"])
            .args(["--corpus", "kept", "--"])
            .args(python("prefix"))
            .current_dir(folder.path())
            .env(marker.0, &marker.1)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(campaign.stdout.take().unwrap()).lines().map_while(Result::ok);
        // More inputs than the walk has: the engine is at work.
        let is_far = |line: String| {
            let told: Value = serde_json::from_str(&line).unwrap();
            told["stats"]["cases"].as_u64().is_some_and(|cases| cases > 5_000)
        };
        assert!(lines.any(is_far), "it ended too soon");
        kill(Pid::from_raw(i32::try_from(campaign.id()).unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(campaign.wait().unwrap().code(), Some(130));
        let variable = format!("{}={}", marker.0, marker.1);
        eventually("the end of all servers", || processes_with(&variable).is_empty());
    }

    /// Fuzzes until a crash is reported or the budget is spent; says how many inputs had been tried by then, and how long
    /// it took.
    fn measure(options: &[&str], seed: u64, server: &[String]) -> (Option<u64>, f64) {
        let folder = tempfile::tempdir().unwrap();
        let begun = Instant::now();
        let mut campaign = Command::new(mcp_conform())
            .arg("fuzz")
            .args(options)
            .args([
                "--call",
                "all",
                "--cases",
                "500000",
                "--ndjson",
                "-qq",
                "--seed",
                &seed.to_string(),
                "--",
            ])
            .args(server)
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut cases = 0;
        let mut found = None;
        for line in BufReader::new(campaign.stdout.take().unwrap()).lines().map_while(Result::ok) {
            let told: Value = serde_json::from_str(&line).unwrap();
            cases = told["stats"]["cases"].as_u64().unwrap_or(cases);
            if found.is_none() && told["finding"]["oracle"] == "crash" {
                found = Some(cases);
                // An interrupt ends it in good order.
                kill(Pid::from_raw(i32::try_from(campaign.id()).unwrap()), Signal::SIGINT).unwrap();
            }
        }
        campaign.wait().unwrap();
        (found, begun.elapsed().as_secs_f64())
    }

    #[test]
    #[ignore = "a measurement that takes many minutes"]
    fn guidance_finds_what_chance_does_not() {
        let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(10);
        let folder = tempfile::tempdir().unwrap();
        let only = std::env::var("SERVER").ok();
        for name in ["rust", "prefix", "deep", "nested", "gated"] {
            if only.as_ref().is_some_and(|only| only != name) {
                continue;
            }
            let server = if name == "rust" { rust(folder.path()) } else { python(name) };
            for (how, options) in [("guided", &["--guided"][..]), ("blind", &[])] {
                let mut found = 0;
                for seed in 1..=seeds {
                    let (after, seconds) = measure(options, seed, &server);
                    found += u64::from(after.is_some());
                    println!(
                        "{name} {how} seed {seed}: found after at most {after:?} inputs, {seconds:.1} s"
                    );
                }
                println!("{name} {how}: found by {found} of {seeds} seeds");
                match how {
                    "blind" => assert_eq!(found, 0, "{name}"),
                    _ => assert!(found * 10 >= seeds * 9, "{name}"),
                }
            }
        }
    }
}
