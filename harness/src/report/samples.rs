//! Runs that were made up, for the tests of all reports.

use std::time::Duration;

use mcp_conform_cases::{Level, Revision};
use proptest::prelude::*;

use crate::event::{CaseResult, Direction, Evidence, Finish, Header, Introduction, Named, Transport};
use crate::verdict::{Summary, Verdict};

const STATEFUL: [Revision; 4] =
    [Revision::R2024_11_05, Revision::R2025_03_26, Revision::R2025_06_18, Revision::R2025_11_25];

pub(crate) fn introduction(revision: Revision) -> Introduction {
    let mut capabilities = vec!["tools".to_owned(), "resources".to_owned(), "logging".to_owned()];
    if revision > Revision::R2024_11_05 {
        capabilities.push("completions".to_owned());
    }
    Introduction {
        revision,
        capabilities,
        tools: Some(3),
        resources: Some(1),
        templates: Some(0),
        prompts: None,
    }
}

pub(crate) fn header(revisions: &[Revision], planned: usize) -> Header {
    Header {
        tool: Named { name: "mcp-conform".to_owned(), version: "0.1.0".to_owned() },
        target: "./my-server --db app.db".to_owned(),
        server: Named { name: "my-server".to_owned(), version: "1.4.2".to_owned() },
        transports: vec![Transport::Stdio],
        revisions: revisions.iter().copied().map(introduction).collect(),
        also_speaks: vec![],
        not_called: vec![],
        notes: vec![],
        seed: 7319,
        planned,
    }
}

pub(crate) fn finish(results: Vec<CaseResult>) -> Finish {
    let mut summary = Summary::default();
    results.iter().for_each(|result| summary.count(result.verdict));
    Finish { results, summary, duration: Duration::from_millis(1840), interrupted: false, cut_short: false }
}

pub(crate) fn result(case: &str, revision: Revision, verdict: Verdict, message: &str) -> CaseResult {
    let requirement = case.replace('/', ".");
    CaseResult {
        requirement,
        case: case.to_owned(),
        level: if verdict == Verdict::Warn { Level::Should } else { Level::Must },
        revision,
        transport: Transport::Stdio,
        verdict,
        message: message.to_owned(),
        expected: None,
        got: None,
        duration_ms: Some(12),
        evidence: vec![],
        reproduce: String::new(),
        summary: "the server does what the case asks".to_owned(),
        spec: Some(format!("https://modelcontextprotocol.io/specification/{revision}/basic#{case}")),
    }
}

pub(crate) fn frame(at_us: u64, direction: Direction, text: &str) -> Evidence {
    let bytes = u64::try_from(text.len()).unwrap();
    Evidence { at_us, direction, text: text.to_owned(), bytes, culprit: false }
}

pub(crate) fn culprit(at_us: u64, direction: Direction, text: &str) -> Evidence {
    Evidence { culprit: true, ..frame(at_us, direction, text) }
}

/// Everything passes in one revision.
pub(crate) fn clean() -> (Header, Finish) {
    let revision = Revision::R2025_11_25;
    let cases = ["jsonrpc/id-echo", "jsonrpc/version", "lifecycle/initialize", "tools/list", "tools/call"];
    let mut results: Vec<_> =
        cases.into_iter().map(|case| result(case, revision, Verdict::Pass, "")).collect();
    for case in ["prompts/get", "prompts/list", "prompts/unknown"] {
        results.push(result(case, revision, Verdict::NotApplicable, "the server does not declare prompts"));
    }
    let mut header = header(&[revision], results.len());
    header.also_speaks = STATEFUL.into_iter().take(3).collect();
    (header, finish(results))
}

/// Failures and warnings in several revisions, and one of every other verdict.
pub(crate) fn broken() -> (Header, Finish) {
    let mut results = Vec::new();
    for revision in STATEFUL {
        results.push(result("jsonrpc/id-echo", revision, Verdict::Pass, ""));
        let verdict = if revision == Revision::R2025_03_26 { Verdict::Untestable } else { Verdict::Pass };
        let reason =
            if verdict == Verdict::Pass { "" } else { "no tool can be called with generated arguments" };
        results.push(result("tools/call", revision, verdict, reason));
        results.push(CaseResult {
            requirement: "transport-stdio.stdout-only-messages".to_owned(),
            level: Level::MustNot,
            duration_ms: Some(12),
            evidence: vec![culprit(12_345, Direction::Received, "[db] Connected to app.db")],
            expected: Some("a JSON-RPC message on each line".to_owned()),
            reproduce: format!(
                "mcp-conform ./my-server --revision {revision} -k transport-stdio/stdout-only-messages"
            ),
            summary: "the server writes nothing to stdout that is not an MCP message".to_owned(),
            spec: Some(format!(
                "https://modelcontextprotocol.io/specification/{revision}/basic/transports#stdio"
            )),
            ..result(
                "transport-stdio/stdout-only-messages",
                revision,
                Verdict::Fail,
                "the server wrote a line to stdout that is not an MCP message",
            )
        });
        if revision == Revision::R2025_03_26 {
            continue;
        }
        results.push(CaseResult {
            requirement: "tools.list.name-format".to_owned(),
            duration_ms: Some(12),
            evidence: vec![
                frame(30_100, Direction::Sent, r#"{"jsonrpc":"2.0","id":7,"method":"tools/list"}"#),
                culprit(
                    31_900,
                    Direction::Received,
                    r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"add","description":"Adds two numbers and returns the sum","inputSchema":{"type":"object"}},{"name":"search files","description":"Searches the files below the root for a word","inputSchema":{"type":"object","properties":{"word":{"type":"string"}},"required":["word"]}}]}}"#,
                ),
            ],
            expected: Some("1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`".to_owned()),
            got: Some(r#""search files""#.to_owned()),
            reproduce: format!("mcp-conform ./my-server --revision {revision} -k tools/name-format"),
            summary: "a tool's name has 1 to 128 characters, and no spaces or other special characters".to_owned(),
            spec: Some(format!(
                "https://modelcontextprotocol.io/specification/{revision}/server/tools#tool-names"
            )),
            ..result(
                "tools/name-format",
                revision,
                Verdict::Warn,
                "the name of a tool has characters that clients may not accept",
            )
        });
    }
    let newest = Revision::R2025_11_25;
    results.push(CaseResult {
        requirement: "robustness.unknown-method".to_owned(),
        duration_ms: Some(12),
        evidence: vec![
            frame(1_204_000, Direction::Sent, r#"{"jsonrpc":"2.0","id":41,"method":"no/such/method"}"#),
            frame(
                1_204_900,
                Direction::Event,
                "stderr: thread 'main' panicked at src/main.rs:88: no such method",
            ),
            culprit(1_206_000, Direction::Event, "the process exited with status 101"),
        ],
        got: Some("no answer, and the process is gone".to_owned()),
        expected: Some("an error with code -32601".to_owned()),
        reproduce: "mcp-conform ./my-server -k robustness/unknown-method".to_owned(),
        summary: "no input ends the process".to_owned(),
        spec: None,
        ..result("robustness/unknown-method", newest, Verdict::Fail, "the server died of an unknown method")
    });
    let skipped = |area: &str, count: usize, reason: &str| {
        let results: Vec<_> = (0..count)
            .map(|number| result(&format!("{area}/case-{number}"), newest, Verdict::NotApplicable, reason))
            .collect();
        results
    };
    results.extend(skipped("prompts", 7, "the server does not declare prompts."));
    results.extend(skipped("tasks", 3, "the server does not declare tasks."));
    results.extend(skipped("sse", 2, "only over sse."));
    results.extend(skipped("http", 2, "only over http."));
    results.extend(skipped("batch", 1, "2025-11-25 has no batches."));
    results.push(result(
        "resources/read",
        newest,
        Verdict::Error,
        "the case file asks for a fixture that is missing",
    ));
    let mut header = header(&STATEFUL, results.len());
    header.also_speaks = vec![Revision::R2026_07_28];
    header.not_called = vec!["delete_file".to_owned(), "send_mail".to_owned()];
    header.notes = vec!["the server took 4.1 s to answer its first request".to_owned()];
    (header, finish(results))
}

/// A server that attacks whoever reads the report.
pub(crate) fn hostile() -> (Header, Finish) {
    let revision = Revision::R2025_11_25;
    let evil = "]]></failure><script>alert(1)</script>\0\u{1b}]52;c;aGk=\u{7}\u{9b}2J\u{202e}\r\n::error::x \u{fffe}";
    let mut header = header(&[revision], 2);
    header.server = Named {
        name: "]]><evil a='1'>\u{1b}[31m\0".to_owned(),
        version: format!("1\r\n{}", "9".repeat(300)),
    };
    if let Some(introduction) = header.revisions.first_mut() {
        introduction.capabilities = (0..40).map(|number| format!("x\u{7}{number}")).collect();
        introduction.prompts = Some(usize::MAX);
    }
    header.not_called = vec!["a\u{1b}[2K".to_owned(), "b\u{200b}c".to_owned()];
    header.notes = vec![evil.to_owned()];
    let mut fail = CaseResult {
        expected: Some(evil.to_owned()),
        got: Some(format!("{}{evil}", "long ".repeat(500))),
        duration_ms: Some(12),
        evidence: vec![
            culprit(5, Direction::Received, evil),
            culprit(900, Direction::Received, &"\u{1b}[".repeat(2000)),
        ],
        reproduce: "mcp-conform ./my-server".to_owned(),
        ..result("robustness/\u{1b}[0m", revision, Verdict::Fail, evil)
    };
    if let Some(flood) = fail.evidence.last_mut() {
        flood.bytes = 2_000_000_000;
    }
    let skip = result("tools/x", revision, Verdict::Untestable, evil);
    (header, finish(vec![fail, skip]))
}

/// Nothing could be judged.
pub(crate) fn nothing() -> (Header, Finish) {
    let (mut header, _) = clean();
    for introduction in &mut header.revisions {
        introduction.capabilities.clear();
        (introduction.tools, introduction.resources) = (None, None);
    }
    header.server = Named::default();
    header.also_speaks.clear();
    let revision = Revision::R2025_11_25;
    let reason = "the server does not declare tools";
    let results = ["tools/list", "tools/call"]
        .into_iter()
        .map(|case| result(case, revision, Verdict::NotApplicable, reason))
        .collect();
    (header, finish(results))
}

fn any_text() -> impl Strategy<Value = String> {
    let evil = [
        "]]>",
        "\u{1b}[0m",
        "\0",
        "\u{202e}",
        "\n",
        "\r",
        "<![CDATA[",
        "&amp;",
        "\u{9b}",
        "\u{ffff}",
        "\u{1f469}\u{200d}",
    ];
    proptest::collection::vec(
        prop_oneof![any::<String>(), proptest::sample::select(evil.to_vec()).prop_map(str::to_owned)],
        0..4,
    )
    .prop_map(|parts| parts.concat())
}

fn any_evidence() -> impl Strategy<Value = Evidence> {
    let direction = proptest::sample::select(vec![Direction::Sent, Direction::Received, Direction::Event]);
    (any::<u64>(), direction, any_text(), any::<u64>(), any::<bool>()).prop_map(
        |(at_us, direction, text, bytes, culprit)| Evidence { at_us, direction, text, bytes, culprit },
    )
}

fn any_result() -> impl Strategy<Value = CaseResult> {
    let levels = vec![Level::Must, Level::MustNot, Level::Should, Level::ShouldNot, Level::May];
    let transports = vec![Transport::Stdio, Transport::Http, Transport::Sse];
    (
        (any_text(), any_text(), any_text(), any_text(), any_text()),
        (
            proptest::option::of(any_text()),
            proptest::option::of(any_text()),
            proptest::option::of(any_text()),
        ),
        proptest::sample::select(levels),
        proptest::sample::select(Revision::ALL.to_vec()),
        proptest::sample::select(transports),
        proptest::sample::select(Verdict::ALL.to_vec()),
        proptest::collection::vec(any_evidence(), 0..9),
    )
        .prop_map(|(texts, optional, level, revision, transport, verdict, evidence)| {
            let (requirement, case, message, reproduce, summary) = texts;
            let (expected, got, spec) = optional;
            CaseResult {
                requirement,
                case,
                level,
                revision,
                transport,
                verdict,
                message,
                expected,
                got,
                duration_ms: None,
                evidence,
                reproduce,
                summary,
                spec,
            }
        })
}

fn any_introduction() -> impl Strategy<Value = Introduction> {
    let revision = proptest::sample::select(Revision::ALL.to_vec());
    (revision, proptest::collection::vec(any_text(), 0..4), any::<[Option<usize>; 4]>()).prop_map(
        |(revision, capabilities, [tools, resources, templates, prompts])| Introduction {
            revision,
            capabilities,
            tools,
            resources,
            templates,
            prompts,
        },
    )
}

/// Any run at all, with hostile text in every place.
pub(crate) fn any_run() -> impl Strategy<Value = (Header, Finish)> {
    let names = || (any_text(), any_text()).prop_map(|(name, version)| Named { name, version });
    let texts = || proptest::collection::vec(any_text(), 0..4);
    (
        (names(), any_text(), names(), any::<u64>()),
        proptest::collection::vec(any_introduction(), 0..4),
        (texts(), texts(), proptest::sample::subsequence(Revision::ALL.to_vec(), 0..=5)),
        proptest::collection::vec(any_result(), 0..6),
        (0..u64::from(u32::MAX), any::<bool>()),
    )
        .prop_map(
            |(said, revisions, (not_called, notes, also_speaks), results, (millis, interrupted))| {
                let (tool, target, server, seed) = said;
                let planned = results.len();
                let transport = Transport::Stdio;
                let header = Header {
                    tool,
                    target,
                    server,
                    transports: vec![transport],
                    revisions,
                    also_speaks,
                    not_called,
                    notes,
                    seed,
                    planned,
                };
                let finish =
                    Finish { duration: Duration::from_millis(millis), interrupted, ..finish(results) };
                (header, finish)
            },
        )
}
