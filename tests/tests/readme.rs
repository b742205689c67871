//! What the READMEs promise: their command lines run, their case files load, their tables are complete and true.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use mcp_conform::judge::{checks, invariants};
use mcp_conform::target::Target;
use mcp_conform::verdict::Verdict;
use mcp_conform_cases::case::Script;
use mcp_conform_cases::{Case, Library, Revision};
use mcp_conform_tests::{mcp_conform, run, settings};
use mcp_reference_server::faults;
use serde_json::Value;

const REFERENCE: &str = env!("CARGO_BIN_EXE_reference-server");

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The fenced blocks of one language.
fn blocks(markdown: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, String)> = None;
    for line in markdown.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => open = Some((name == language, String::new())),
            (Some(_), Some(_)) => {
                found.extend(open.take().filter(|(wanted, _)| *wanted).map(|(_, body)| body))
            }
            (Some((_, body)), None) => body.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fenced block is not closed");
    found
}

/// The words in backticks outside of fenced blocks.
fn code_spans(markdown: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

/// The cells of every table row whose first cell begins with a backtick or a digit.
fn rows(markdown: &str) -> Vec<Vec<String>> {
    let is_row = |line: &&str| {
        line.starts_with("| `")
            || line.strip_prefix("| ").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    };
    markdown
        .lines()
        .filter(is_row)
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// The section under a heading.
fn section<'a>(markdown: &'a str, heading: &str) -> &'a str {
    let (_, rest) =
        markdown.split_once(&format!("## {heading}\n")).unwrap_or_else(|| panic!("no section `{heading}`"));
    rest.split("\n## ").next().unwrap()
}

/// A folder in which the command lines of the READMEs find what they name.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let desk = Desk { folder };
        // Over HTTP if the environment says where, else over stdio.
        let serve =
            format!("#!/bin/sh\nexec '{REFERENCE}' --fixture-delay 2 ${{PORT:+--http 127.0.0.1:$PORT}}\n");
        fs::create_dir(desk.path("bin")).unwrap();
        for name in ["my-server", "bin/node", "bin/npx"] {
            fs::write(desk.path(name), &serve).unwrap();
            fs::set_permissions(desk.path(name), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::write(
            desk.path("server.py"),
            format!(
                "import os, sys\nhttp = ['--http', '127.0.0.1:' + sys.argv[1]] if sys.argv[1:] else []\n\
                 os.execv({REFERENCE:?}, [{REFERENCE:?}, '--fixture-delay', '2', *http])\n"
            ),
        )
        .unwrap();
        fs::write(desk.path("server.js"), "").unwrap();
        std::os::unix::fs::symlink(mcp_conform(), desk.path("bin/mcp-conform")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command line as a user would, in a shell.
    fn shell(&self, line: &str) -> Output {
        let mut search = OsString::from(self.path("bin"));
        search.push(":");
        search.push(std::env::var_os("PATH").unwrap_or_default());
        Command::new("sh")
            .arg("-c")
            .arg(line)
            .current_dir(self.folder.path())
            .env("PATH", search)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    #[track_caller]
    fn gives(&self, line: &str, code: i32) -> Output {
        let output = self.shell(line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "$ {line}\n{said}");
        assert!(!said.contains("panicked"), "$ {line}\n{said}");
        output
    }
}

/// The command lines of the fenced blocks, without the `$`.
fn console_lines(markdown: &str) -> Vec<String> {
    let shown = blocks(markdown, "console");
    shown
        .iter()
        .flat_map(|block| block.lines())
        .filter_map(|line| line.strip_prefix("$ "))
        .map(str::to_owned)
        .collect()
}

/// What a campaign may have found.
const FOUND: &str = r#"
id: fuzz/crash-0
title: The server lives
requirement: robustness.no-crash
hostile: true
catches: []
steps:
  - send: { method: tools/call, params: { name: "", arguments: {} } }
  - barrier: true
"#;

#[test]
fn every_command_line_of_the_readme_runs() {
    let readme = text("README.md");
    let desk = Desk::new();
    let mut seen = 0;
    for line in console_lines(&readme) {
        let line = line.replace("cargo run --release --", "mcp-conform");
        if !line.starts_with("mcp-conform ") {
            let is_known = line.starts_with("cargo test") || line.starts_with("cargo install");
            assert!(is_known, "nobody runs `{line}`");
            continue;
        }
        // What is not on this machine is left alone, and what needs the engine has tests of its own, in guided.rs.
        if line.contains("https://") || line.contains("--guided") || line.contains("coverage-build") {
            continue;
        }
        seen += 1;
        // The servers behind all these names are the reference server, which is conformant.
        let (line, says) = if line.starts_with("mcp-conform fuzz ") {
            (line.replacen("fuzz ", "fuzz --cases 200 ", 1), "0 findings")
        } else if line.starts_with("mcp-conform replay ") {
            fs::create_dir(desk.path("mcp-conform-fuzz")).unwrap();
            fs::write(desk.path("mcp-conform-fuzz/found.yaml"), FOUND).unwrap();
            (line, "0 of 1 show a fault")
        } else {
            (line, " passed")
        };
        let output = desk.gives(&line, 0);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(says), "$ {line}\n{said}");
        assert!(!said.contains("failed"), "$ {line}\n{said}");
    }
    assert!(seen >= 7, "only {seen} command lines were found");
    let report = fs::read(desk.path("mcp-conform.json")).expect("the JSON report that CI asks for");
    assert_eq!(mcp_conform::report::json::read(&report).unwrap().exit_code, 0);
    assert!(fs::read_to_string(desk.path("mcp-conform.xml")).unwrap().contains("<testsuites"));
}

#[test]
fn every_command_named_in_passing_runs() {
    let desk = Desk::new();
    let mut seen = 0;
    for span in code_spans(&text("README.md")).into_iter().filter(|span| span.starts_with("mcp-conform ")) {
        seen += 1;
        let faulty = span.contains("--fault NAME");
        let output = desk.gives(&span.replace("NAME", "jsonrpc-wrong-version"), i32::from(faulty));
        let prints = ["explain", "list", "schema"]
            .iter()
            .any(|command| span.starts_with(&format!("mcp-conform {command}")));
        assert_eq!(!output.stdout.is_empty(), prints, "$ {span}");
    }
    assert!(seen >= 6, "only {seen} were found");
    for what in ["cases", "requirements", "faults"] {
        let listed = desk.gives(&format!("mcp-conform list {what}"), 0).stdout;
        assert!(String::from_utf8(listed).unwrap().lines().count() > 100, "{what}");
        let listed = desk.gives(&format!("mcp-conform list {what} --json"), 0).stdout;
        assert!(serde_json::from_slice::<Value>(&listed).unwrap().as_array().unwrap().len() > 100, "{what}");
    }
    for revision in Revision::ALL {
        let schema: Value =
            serde_json::from_slice(&desk.gives(&format!("mcp-conform schema {revision}"), 0).stdout).unwrap();
        jsonschema::meta::validate(&schema).unwrap_or_else(|error| panic!("{revision}: {error}"));
    }
}

#[test]
fn explain_tells_where_the_specification_says_so() {
    let desk = Desk::new();
    let told =
        |id: &str| String::from_utf8(desk.gives(&format!("mcp-conform explain {id}"), 0).stdout).unwrap();
    for id in ["tools/unknown-tool", "tools.unknown-tool-error"] {
        let said = told(id);
        assert!(said.contains("https://modelcontextprotocol.io/specification/"), "{said}");
        assert!(said.contains("2025-11-25  SHOULD"), "{said}");
    }
    // Where the text is unclear, it says so.
    assert!(told("tools/unknown-tool").contains("note"));
}

/// Every code of the table, by whatever gives it. 130 and 143 are given in `kill.rs`, and nothing should ever give 70.
#[test]
fn the_table_of_exit_codes_is_true() {
    let readme = text("README.md");
    let table = rows(section(&readme, "Exit codes"));
    let codes: BTreeSet<i32> =
        table.iter().flat_map(|row| row[0].split(", ")).map(|code| code.parse().unwrap()).collect();
    let desk = Desk::new();
    fs::write(desk.path("a-file"), "").unwrap();
    fs::write(desk.path("wrong.yaml"), "id: a/b\nid: a/b\n").unwrap();
    let mut given = BTreeSet::from([70, 130, 143]);
    for (line, code) in [
        ("mcp-conform reference -k ping/answered", 0),
        // A warning does not change the code.
        ("mcp-conform reference -k ping/empty-result --fault ping-with-content", 0),
        ("mcp-conform reference -k base/jsonrpc-version --fault jsonrpc-wrong-version", 1),
        ("mcp-conform --no-such-option ./my-server", 2),
        ("mcp-conform --cases wrong.yaml ./my-server", 2),
        ("mcp-conform", 2),
        ("mcp-conform ./no-such-server", 3),
        ("mcp-conform -k ping/answered true", 3),
        ("mcp-conform -k no/such-case ./my-server", 4),
        ("mcp-conform -k ping/answered --report json=a-file/report.json ./my-server", 5),
        ("mcp-conform -k base/jsonrpc-version reference --fault jsonrpc-wrong-version", 2),
        ("mcp-conform reference -k base/jsonrpc-version --report json=. --fault jsonrpc-wrong-version", 5),
    ] {
        desk.gives(line, code);
        given.insert(code);
    }
    assert_eq!(codes, given, "the table of README.md and the codes that are given differ");
    let help = String::from_utf8(desk.gives("mcp-conform --help", 0).stdout).unwrap();
    let (_, short) = help.split_once("Exit codes:").unwrap();
    let words: BTreeSet<&str> = short.split(|c: char| !c.is_ascii_digit()).collect();
    assert!(
        codes.iter().all(|code| words.contains(code.to_string().as_str())),
        "--help leaves out a code: {short}"
    );
}

#[test]
fn the_table_of_options_is_complete() {
    let readme = text("README.md");
    let desk = Desk::new();
    let help = String::from_utf8(desk.gives("mcp-conform --help", 0).stdout).unwrap();
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        words
            .filter(|word| {
                word.starts_with('-')
                    && word.trim_matches('-').len() < word.len()
                    && !word.trim_matches('-').is_empty()
            })
            .map(str::to_owned)
            .collect()
    };
    let offered: BTreeSet<String> =
        help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(flags).collect();
    let named: BTreeSet<String> = rows(section(&readme, "Test a server"))
        .iter()
        .chain(&rows(section(&readme, "How the suite proves itself")))
        .flat_map(|row| flags(&row[0]))
        .chain(flags(&readme))
        .collect();
    let table: BTreeSet<String> =
        rows(section(&readme, "Test a server")).iter().flat_map(|row| flags(&row[0])).collect();
    for flag in table.difference(&BTreeSet::from(["-qq".to_owned(), "-vv".to_owned()])) {
        assert!(offered.contains(flag), "README.md names {flag}, which --help does not know: {offered:?}");
    }
    // Either form of an option will do, and help and version need no words.
    for line in help.lines().filter(|line| {
        line.trim_start().starts_with('-') && !line.contains("--help") && !line.contains("--version")
    }) {
        assert!(flags(line).iter().any(|flag| named.contains(flag)), "README.md leaves out {}", line.trim());
    }
}

#[test]
fn the_other_tables_and_numbers_of_the_readme_are_true() {
    let readme = text("README.md");
    let verdicts: Vec<String> = rows(section(&readme, "What the verdicts mean"))
        .into_iter()
        .map(|row| row[0].trim_matches('`').to_owned())
        .collect();
    assert_eq!(verdicts, Verdict::ALL.map(Verdict::as_str));
    assert!(
        readme.contains("more than 400 ways") && faults::all().count() > 400,
        "{} faults",
        faults::all().count()
    );
    for file in ["README.md", "ARCHITECTURE.md", "cases/README.md"] {
        let markdown = text(file);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        for (_, rest) in markdown.match_indices("](").map(|(at, _)| markdown.split_at(at + 2)) {
            let link = rest.split(')').next().unwrap();
            match link.split_once('#') {
                Some(("", anchor)) => {
                    let headings = markdown.lines().filter_map(|line| line.strip_prefix("## "));
                    let mut anchors = headings.map(|heading| heading.to_lowercase().replace(' ', "-"));
                    assert!(anchors.any(|known| known == anchor), "{file} has no heading for `#{anchor}`");
                }
                _ if link.starts_with("https://") => {}
                _ => assert!(
                    folder.parent().unwrap().join(link).exists(),
                    "{file} links to `{link}`, which is not there"
                ),
            }
        }
    }
}

/// The examples of `cases/README.md`.
fn examples() -> Vec<String> {
    let found: Vec<String> = blocks(&text("cases/README.md"), "yaml")
        .into_iter()
        .filter(|block| block.starts_with("id:"))
        .collect();
    assert!(found.len() >= 8, "only {} examples were found", found.len());
    found
}

#[test]
fn the_examples_of_the_case_format_load() {
    let mut library = Library::builtin().unwrap();
    let known: BTreeSet<&str> = faults::all().map(|fault| fault.name).collect();
    for example in examples() {
        library.add("example.yaml", &example).unwrap_or_else(|error| panic!("{error}\n{example}"));
        let case = library.cases.last().unwrap();
        if let Script::Invariant(invariant) = &case.script {
            assert!(invariants::rule(&invariant.name).is_some(), "{example}");
        }
        for check in case.checks() {
            assert!(checks::NAMES.contains(&check), "{example}");
        }
        for fault in &case.catches {
            assert!(known.contains(fault.as_str()), "no fault `{fault}`\n{example}");
        }
    }
}

/// They pass on the good server, and fail or warn on every fault that they say they catch.
#[test]
fn the_examples_of_the_case_format_do_what_they_say() {
    let mut library = Library::builtin().unwrap();
    library.cases.clear();
    for example in examples() {
        library.add("example.yaml", &example).unwrap();
    }
    let verdicts = |library: &Library, fault: Option<&str>| {
        let mut command: Vec<OsString> = vec![REFERENCE.into(), "--fixture-delay".into(), "2".into()];
        command.extend(fault.into_iter().flat_map(|fault| ["--fault".into(), fault.into()]));
        let mut settings = settings(&command);
        settings.target.ways = Target::all_ways(&command[0], &command[1..]);
        settings.timeout = std::time::Duration::from_millis(2500);
        run(library.clone(), settings).unwrap().1.results
    };
    let good = verdicts(&library, None);
    for case in &library.cases {
        let mut own = good.iter().filter(|result| result.case == case.id);
        if case.id.starts_with("my-shop/") {
            assert!(
                own.all(|result| result.verdict == Verdict::Untestable),
                "{} needs a tool that nobody has",
                case.id
            );
        } else {
            assert!(
                own.clone().all(|result| matches!(result.verdict, Verdict::Pass | Verdict::Untestable)),
                "{}",
                case.id
            );
            assert!(own.any(|result| result.verdict == Verdict::Pass), "{} passes in no revision", case.id);
        }
    }
    for case in &library.cases {
        let alone = Library { cases: vec![case.clone()], requirements: library.requirements.clone() };
        for fault in &case.catches {
            let results = verdicts(&alone, Some(fault));
            assert!(
                results.iter().any(|result| result.verdict.is_finding()),
                "{} does not catch {fault}",
                case.id
            );
        }
    }
}

#[test]
fn the_command_lines_of_the_case_format_run() {
    let readme = text("cases/README.md");
    let desk = Desk::new();
    let mut remaining = readme.as_str();
    let mut seen = 0;
    // Each block speaks of the example before it.
    while let Some((before, rest)) = remaining.split_once("```console\n") {
        if let Some(example) = blocks(before, "yaml").into_iter().rfind(|block| block.starts_with("id:")) {
            fs::write(desk.path("my-case.yaml"), example).unwrap();
        }
        let (block, after) = rest.split_once("```").unwrap();
        for line in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
            seen += 1;
            let output = desk.gives(line, 0);
            let said = String::from_utf8_lossy(&output.stderr);
            let finds = said.contains("warning") || said.contains("failed");
            assert_eq!(finds, line.contains("--fault"), "$ {line}\n{said}");
        }
        remaining = after;
    }
    assert!(seen >= 4, "only {seen} command lines were found");
}

#[test]
fn what_the_case_format_refuses_is_refused_with_those_words() {
    let readme = text("cases/README.md");
    // Spelled `yml`, so that it is not taken for one of the examples, which load.
    let wrong = blocks(&readme, "yml").into_iter().next().unwrap();
    let words = blocks(&readme, "text").into_iter().next().unwrap();
    let error = Case::read("my-case.yaml", &wrong).unwrap_err().to_string();
    assert_eq!(error.trim_end(), words.trim_end());

    let good = "id: a/b\ntitle: t\nrequirement: ping.respond\nsteps:\n  - barrier: true\n";
    assert!(Library::builtin().unwrap().add("x", good).is_ok());
    for (from, to) in [
        ("title: t", "title: &a t"),
        ("title: t", "title: !mine t"),
        ("title: t", "title: t\ntitle: t"),
        ("title: t", "title: t\ncatchs: []"),
        ("title: t", "title: t\nonce: yes"),
        ("title: t", "title: t\nrevisions: 2025-11-25"),
        ("title: t", "title: t\nrevisions: \"2026-07-28\""),
        ("barrier: true", "barrier: true\n---\na: 1"),
        ("barrier: true", "barrier: true\n    close_input: true"),
        ("barrier: true", "expect: result"),
        ("barrier: true", "close_input: true"),
        ("barrier: true", "send: { method: ping }\n    expect: { result: {} }"),
        ("ping.respond", "ping.no-such-requirement"),
    ] {
        assert!(
            Library::builtin().unwrap().add("x", &good.replace(from, to)).is_err(),
            "{to:?} was accepted"
        );
    }
    let long = format!("{good}# {}", "x".repeat(256 * 1024));
    assert!(Library::builtin().unwrap().add("x", &long).is_err());
}

/// The words that a complaint about an unknown one lists.
fn known_words(text: &str) -> Vec<String> {
    let error = Case::read("x.yaml", text).unwrap_err().to_string();
    let (_, list) =
        error.lines().next().unwrap().split_once("expected ").unwrap_or_else(|| panic!("{error}"));
    list.trim_start_matches("one of ")
        .split([',', ' ', '`'])
        .filter(|word| !word.is_empty() && *word != "or")
        .map(str::to_owned)
        .collect()
}

/// The string literals between two marks of a source file.
fn literals(file: &str, from: &str, to: &str) -> Vec<String> {
    let source = text(file);
    let (_, rest) = source.split_once(from).unwrap_or_else(|| panic!("{file} has no `{from}`"));
    rest.split(to).next().unwrap().split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_case_format_leaves_nothing_out() {
    let readme = text("cases/README.md");
    let spans = code_spans(&readme).join(" ");
    let spoken: BTreeSet<&str> =
        spans.split(|c: char| !(c.is_ascii_alphanumeric() || "_-".contains(c))).collect();
    let head = "id: a/b\ntitle: t\nrequirement: r\n";
    let with = |line: &str| known_words(&format!("{head}{line}\n"));
    let mut words = with("zzz: 1");
    words.extend(with("session: zzz"));
    words.extend(with("client: zzz"));
    words.extend(with("for_each: zzz"));
    words.extend(with("needs: { zzz: 1 }"));
    words.extend(with("never: [{ method: m, zzz: 1 }]"));
    words.extend(with("steps: [{ zzz: 1 }]"));
    words.extend(with("steps: [{ send: { method: m, zzz: 1 } }]"));
    words.extend(with("answers: { m: zzz }"));
    words.extend(literals("cases/src/case/matcher.rs", "const OPERATORS", "];"));
    words.extend(literals("harness/src/judge/invariants.rs", "const RULES", "];"));
    words.extend(checks::NAMES.map(str::to_owned));
    words.extend(["result", "error", "response", "silence", "any_of"].map(str::to_owned));
    assert!(words.len() > 150, "only {} words were found", words.len());
    let missing: BTreeSet<&String> = words.iter().filter(|word| !spoken.contains(word.as_str())).collect();
    assert!(missing.is_empty(), "cases/README.md says nothing of {missing:?}");
    for row in rows(section(&readme, "Invariants")) {
        for rule in row[0].split(", ").map(|rule| rule.trim_matches('`')) {
            assert!(invariants::rule(rule).is_some(), "there is no rule `{rule}`");
        }
    }
}
