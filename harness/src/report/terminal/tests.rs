use proptest::prelude::*;

use super::*;
use crate::event::Direction;
use crate::report::samples;

const AT_80: Style = Style { colour: false, unicode: true, width: Some(80) };

fn at_80((header, finish): (Header, Finish), verbosity: Verbosity) -> String {
    render(&header, &finish, AT_80, verbosity)
}

#[test]
fn all_pass() {
    insta::assert_snapshot!(at_80(samples::clean(), Verbosity::Normal), @r"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      my-server 1.4.2  2025-11-25   tools 3, resources 1, logging, completions;
                                    no prompts
      also speaks      2024-11-05 … 2025-06-18

      jsonrpc         ✔ 2
      lifecycle       ✔ 1
      tools           ✔ 2
      not applicable  3  the server does not declare prompts

    5 passed, 3 not applicable · 1.8 s · seed 7319
    ");
}

#[test]
fn failures_in_several_revisions() {
    insta::assert_snapshot!(at_80(samples::broken(), Verbosity::Normal), @r#"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      my-server 1.4.2  2025-03-26 … 2025-11-25   tools 3, resources 1, logging,
                                                 completions; no prompts
                       2024-11-05                tools 3, resources 1, logging;
                                                 no prompts
      also speaks      2026-07-28
      not called       delete_file, send_mail (to allow it: --call NAME, or
                       --call all unless destructive)
      note             the server took 4.1 s to answer its first request

      jsonrpc          ✔ 4
      robustness            ✘ 1
      tools            ✔ 3       ⚠ 3
      transport-stdio       ✘ 4
      not applicable   15  the server does not declare prompts (7), the server does
                           not declare tasks (3), only over sse (2), 2 other
                           reasons (3)
      untestable        1  no tool can be called with generated arguments
      error             1  the case file asks for a fixture that is missing

    ✘ transport-stdio/stdout-only-messages  MUST NOT
      2024-11-05 … 2025-11-25 · stdio
      the server wrote a line to stdout that is not an MCP message
      ▸ 0.012s ← [db] Connected to app.db
      expected  a JSON-RPC message on each line
      spec      transport-stdio.stdout-only-messages: the server writes nothing to
                stdout that is not an MCP message
                https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
      again     mcp-conform ./my-server --revision 2025-11-25 -k transport-stdio/stdout-only-messages

    ✘ robustness/unknown-method  MUST  2025-11-25 · stdio
      the server died of an unknown method
        1.204s → {"jsonrpc":"2.0","id":41,"method":"no/such/method"}
        1.204s · stderr: thread 'main' panicked at src/main.rs:88: no such method
      ▸ 1.206s · the process exited with status 101
      expected  an error with code -32601
      got       no answer, and the process is gone
      spec      robustness.unknown-method: no input ends the process
      again     mcp-conform ./my-server -k robustness/unknown-method

    ⚠ tools/name-format  SHOULD  2024-11-05, 2025-06-18, 2025-11-25 · stdio
      the name of a tool has characters that clients may not accept
        0.030s → {"jsonrpc":"2.0","id":7,"method":"tools/list"}
      ▸ 0.031s ← …bject"}},{"name":"search files","description":"Searc… (+136 bytes)
                                   ^^^^^^^^^^^^^^
      expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
      got       "search files"
      spec      tools.list.name-format: a tool's name has 1 to 128 characters, and
                no spaces or other special characters
                https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names
      again     mcp-conform ./my-server --revision 2025-11-25 -k tools/name-format

    5 failed, 3 warnings, 1 error, 7 passed, 15 not applicable, 1 untestable
    1.8 s · seed 7319
    "#);
}

#[test]
fn failures_at_120_columns() {
    let (header, finish) = samples::broken();
    let style = Style { width: Some(120), ..AT_80 };
    insta::assert_snapshot!(render(&header, &finish, style, Verbosity::Normal), @r#"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      my-server 1.4.2  2025-03-26 … 2025-11-25   tools 3, resources 1, logging, completions; no prompts
                       2024-11-05                tools 3, resources 1, logging; no prompts
      also speaks      2026-07-28
      not called       delete_file, send_mail (to allow it: --call NAME, or --call all unless destructive)
      note             the server took 4.1 s to answer its first request

      jsonrpc          ✔ 4
      robustness            ✘ 1
      tools            ✔ 3       ⚠ 3
      transport-stdio       ✘ 4
      not applicable   15  the server does not declare prompts (7), the server does not declare tasks (3), only over
                           sse (2), 2 other reasons (3)
      untestable        1  no tool can be called with generated arguments
      error             1  the case file asks for a fixture that is missing

    ✘ transport-stdio/stdout-only-messages  MUST NOT  2024-11-05 … 2025-11-25 · stdio
      the server wrote a line to stdout that is not an MCP message
      ▸ 0.012s ← [db] Connected to app.db
      expected  a JSON-RPC message on each line
      spec      transport-stdio.stdout-only-messages: the server writes nothing to stdout that is not an MCP message
                https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
      again     mcp-conform ./my-server --revision 2025-11-25 -k transport-stdio/stdout-only-messages

    ✘ robustness/unknown-method  MUST  2025-11-25 · stdio
      the server died of an unknown method
        1.204s → {"jsonrpc":"2.0","id":41,"method":"no/such/method"}
        1.204s · stderr: thread 'main' panicked at src/main.rs:88: no such method
      ▸ 1.206s · the process exited with status 101
      expected  an error with code -32601
      got       no answer, and the process is gone
      spec      robustness.unknown-method: no input ends the process
      again     mcp-conform ./my-server -k robustness/unknown-method

    ⚠ tools/name-format  SHOULD  2024-11-05, 2025-06-18, 2025-11-25 · stdio
      the name of a tool has characters that clients may not accept
        0.030s → {"jsonrpc":"2.0","id":7,"method":"tools/list"}
      ▸ 0.031s ← …ma":{"type":"object"}},{"name":"search files","description":"Searches the files below the ro… (+110 bytes)
                                                 ^^^^^^^^^^^^^^
      expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
      got       "search files"
      spec      tools.list.name-format: a tool's name has 1 to 128 characters, and no spaces or other special characters
                https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names
      again     mcp-conform ./my-server --revision 2025-11-25 -k tools/name-format

    5 failed, 3 warnings, 1 error, 7 passed, 15 not applicable, 1 untestable · 1.8 s · seed 7319
    "#);
}

#[test]
fn failures_in_ascii() {
    let (header, finish) = samples::broken();
    let style = Style { unicode: false, ..AT_80 };
    insta::assert_snapshot!(render(&header, &finish, style, Verbosity::Normal), @r#"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      my-server 1.4.2  2025-03-26 ... 2025-11-25   tools 3, resources 1, logging,
                                                   completions; no prompts
                       2024-11-05                  tools 3, resources 1, logging;
                                                   no prompts
      also speaks      2026-07-28
      not called       delete_file, send_mail (to allow it: --call NAME, or
                       --call all unless destructive)
      note             the server took 4.1 s to answer its first request

      jsonrpc          ok 4
      robustness             FAIL 1
      tools            ok 3          WARN 3
      transport-stdio        FAIL 4
      not applicable   15  the server does not declare prompts (7), the server does
                           not declare tasks (3), only over sse (2), 2 other
                           reasons (3)
      untestable        1  no tool can be called with generated arguments
      error             1  the case file asks for a fixture that is missing

    FAIL transport-stdio/stdout-only-messages  MUST NOT
      2024-11-05 ... 2025-11-25 - stdio
      the server wrote a line to stdout that is not an MCP message
      > 0.012s <- [db] Connected to app.db
      expected  a JSON-RPC message on each line
      spec      transport-stdio.stdout-only-messages: the server writes nothing to
                stdout that is not an MCP message
                https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
      again     mcp-conform ./my-server --revision 2025-11-25 -k transport-stdio/stdout-only-messages

    FAIL robustness/unknown-method  MUST  2025-11-25 - stdio
      the server died of an unknown method
        1.204s -> {"jsonrpc":"2.0","id":41,"method":"no/such/method"}
        1.204s *  stderr: thread 'main' panicked at src/main.rs:88: no such method
      > 1.206s *  the process exited with status 101
      expected  an error with code -32601
      got       no answer, and the process is gone
      spec      robustness.unknown-method: no input ends the process
      again     mcp-conform ./my-server -k robustness/unknown-method

    WARN tools/name-format  SHOULD  2024-11-05, 2025-06-18, 2025-11-25 - stdio
      the name of a tool has characters that clients may not accept
        0.030s -> {"jsonrpc":"2.0","id":7,"method":"tools/list"}
      > 0.031s <- ...ject"}},{"name":"search files","description":"S... (+140 bytes)
                                     ^^^^^^^^^^^^^^
      expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
      got       "search files"
      spec      tools.list.name-format: a tool's name has 1 to 128 characters, and
                no spaces or other special characters
                https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names
      again     mcp-conform ./my-server --revision 2025-11-25 -k tools/name-format

    5 failed, 3 warnings, 1 error, 7 passed, 15 not applicable, 1 untestable
    1.8 s - seed 7319
    "#);
}

#[test]
fn hostile_server() {
    insta::assert_snapshot!(at_80(samples::hostile(), Verbosity::Normal), @r"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      ]]><evil a='1'>\x1b[31m\x00 1\r\n99999999999999999999999999999… (+271 bytes)
                  2025-11-25   tools 3, resources 1, prompts 18446744073709551615,
                               x\x070, x\x071, x\x072, x\x073, x\x074, x\x075,
                               x\x076, x\x077, x\x078, x\x079, 30 more; no logging,
                               no completions
      not called  a\x1b[2K, b\u{200b}c (to allow it: --call NAME, or --call all
                  unless destructive)
      note        ]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07\u{9b}
                  2J\u{202e}\r\n::error::x \u{fffe}

      robustness  ✘ 1
      untestable  1  ]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07\u{
                     9b}2J\u{202e}\r\n::error::x \u{fffe}

    ✘ robustness/\x1b[0m  MUST  2025-11-25 · stdio
      ]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07\u{9b}2J\u{202e}\r
      \n::error::x \u{fffe}
      ▸ 0.000s ← ]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07\u{9b}2
                 J\u{202e}\r\n::error::x \u{fffe}
      ▸ 0.000s ← \x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[
                 \x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[
                 \x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[\x1b[
                 … (+1999999928 bytes)
      expected  ]]></failure><script>alert(1)</script>\x00\x1b]52;c;aGk=\x07\u{9b}2J
                \u{202e}\r\n::error::x \u{fffe}
      got       long long long long long long long long long long long long long
                long long long long long long long long long long long long long
                long long long long long long long long long long long long long
                long long long long long long long long long long long long long
                long long long long long long long long … (+2274 bytes)
      spec      robustness.\x1b[0m: the server does what the case asks
                https://modelcontextprotocol.io/specification/2025-11-25/basic#robustness/\x1b[0m
      again     mcp-conform ./my-server

    1 failed, 1 untestable · 1.8 s · seed 7319
    ");
}

#[test]
fn lines_fit_but_for_what_is_to_be_copied() {
    for width in [80, 120] {
        let style = Style { width: Some(width), ..AT_80 };
        for (header, finish) in [samples::clean(), samples::broken(), samples::hostile()] {
            for verbosity in [Verbosity::Normal, Verbosity::Frames] {
                let report = render(&header, &finish, style, verbosity);
                let copied = |line: &&str| line.contains("https://") || line.contains("  again ");
                let long = report.lines().filter(|line| !copied(line)).find(|line| text::width(line) > width);
                assert_eq!(long, None);
            }
        }
    }
}

#[test]
fn nothing_found() {
    insta::assert_snapshot!(at_80(samples::nothing(), Verbosity::Normal), @r"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      unnamed server  2025-11-25   nothing declared

      not applicable  2  the server does not declare tools

    nothing was tested: 2 not applicable · 1.8 s · seed 7319
    ");
}

#[test]
fn quiet() {
    let text = at_80(samples::broken(), Verbosity::Findings);
    let first = text.lines().take(3).collect::<Vec<_>>();
    let error = "  error  1  the case file asks for a fixture that is missing";
    assert_eq!(first, [error, "", "✘ transport-stdio/stdout-only-messages  MUST NOT"]);
    assert_eq!(text.matches("✘").count(), 2);
    assert!(!text.contains("not declare"));
}

#[test]
fn very_quiet() {
    insta::assert_snapshot!(at_80(samples::broken(), Verbosity::Summary), @r"
    5 failed, 3 warnings, 1 error, 7 passed, 15 not applicable, 1 untestable
    1.8 s · seed 7319
    ");
}

#[test]
fn every_item() {
    let (header, mut finish) = samples::broken();
    finish.results.retain(|result| !result.verdict.is_finding());
    finish.summary = samples::finish(finish.results.clone()).summary;
    insta::assert_snapshot!(render(&header, &finish, AT_80, Verbosity::Items), @r"
    mcp-conform 0.1.0  ./my-server --db app.db over stdio
      my-server 1.4.2  2025-03-26 … 2025-11-25   tools 3, resources 1, logging,
                                                 completions; no prompts
                       2024-11-05                tools 3, resources 1, logging;
                                                 no prompts
      also speaks      2026-07-28
      not called       delete_file, send_mail (to allow it: --call NAME, or
                       --call all unless destructive)
      note             the server took 4.1 s to answer its first request

      ✔ jsonrpc/id-echo  2024-11-05 … 2025-11-25
      ✔ tools/call       2024-11-05, 2025-06-18, 2025-11-25
      ? tools/call       2025-03-26  no tool can be called with generated arguments
      – prompts/case-0   2025-11-25  the server does not declare prompts
      – prompts/case-1   2025-11-25  the server does not declare prompts
      – prompts/case-2   2025-11-25  the server does not declare prompts
      – prompts/case-3   2025-11-25  the server does not declare prompts
      – prompts/case-4   2025-11-25  the server does not declare prompts
      – prompts/case-5   2025-11-25  the server does not declare prompts
      – prompts/case-6   2025-11-25  the server does not declare prompts
      – tasks/case-0     2025-11-25  the server does not declare tasks
      – tasks/case-1     2025-11-25  the server does not declare tasks
      – tasks/case-2     2025-11-25  the server does not declare tasks
      – sse/case-0       2025-11-25  only over sse
      – sse/case-1       2025-11-25  only over sse
      – http/case-0      2025-11-25  only over http
      – http/case-1      2025-11-25  only over http
      – batch/case-0     2025-11-25  2025-11-25 has no batches
      ! resources/read   2025-11-25
          the case file asks for a fixture that is missing

      jsonrpc         ✔ 4
      tools           ✔ 3
      not applicable  15  the server does not declare prompts (7), the server does
                          not declare tasks (3), only over sse (2), 2 other
                          reasons (3)
      untestable       1  no tool can be called with generated arguments
      error            1  the case file asks for a fixture that is missing

    1 error, 7 passed, 15 not applicable, 1 untestable · 1.8 s · seed 7319
    ");
}

#[test]
fn every_frame_uncut() {
    let (_, finish) = samples::broken();
    let warning = finish.results.iter().find(|result| result.verdict == Verdict::Warn).unwrap();
    let finish = samples::finish(vec![warning.clone()]);
    insta::assert_snapshot!(closing(None, &finish, AT_80, Verbosity::Frames), @r#"
      tools  ⚠ 1

    ⚠ tools/name-format  SHOULD  2024-11-05 · stdio
      the name of a tool has characters that clients may not accept
        0.030s → {"jsonrpc":"2.0","id":7,"method":"tools/list"}
      ▸ 0.031s ← {"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"add","descripti
                 on":"Adds two numbers and returns the sum","inputSchema":{"type":"o
                 bject"}},{"name":"search files","description":"Searches the files b
                                  ^^^^^^^^^^^^^^
                 elow the root for a word","inputSchema":{"type":"object","propertie
                 s":{"word":{"type":"string"}},"required":["word"]}}]}}
      expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
      got       "search files"
      spec      tools.list.name-format: a tool's name has 1 to 128 characters, and
                no spaces or other special characters
                https://modelcontextprotocol.io/specification/2024-11-05/server/tools#tool-names
      again     mcp-conform ./my-server --revision 2024-11-05 -k tools/name-format

    1 warning · 1.8 s
    "#);
}

#[test]
fn many_frames() {
    let (_, finish) = samples::broken();
    let mut result = finish.results.iter().find(|result| result.verdict == Verdict::Warn).unwrap().clone();
    let pings = |count: u64, from: u64| {
        (0..count)
            .map(move |number| samples::frame(from + number * 1000, Direction::Received, "{\"ping\":1}"))
    };
    result.evidence = pings(20, 0).chain(result.evidence).chain(pings(10, 40_000)).collect();
    let finish = samples::finish(vec![result]);
    insta::assert_snapshot!(closing(None, &finish, AT_80, Verbosity::Findings), @r#"
    ⚠ tools/name-format  SHOULD  2024-11-05 · stdio
      the name of a tool has characters that clients may not accept
        … 19 frames left out; -vv shows all
        0.019s ← {"ping":1}
        0.030s → {"jsonrpc":"2.0","id":7,"method":"tools/list"}
      ▸ 0.031s ← …bject"}},{"name":"search files","description":"Searc… (+136 bytes)
                                   ^^^^^^^^^^^^^^
        0.040s ← {"ping":1}
        … 8 frames left out
        0.049s ← {"ping":1}
      expected  1 to 128 characters out of A-Z, a-z, 0-9, `_`, `-`, and `.`
      got       "search files"
      spec      tools.list.name-format: a tool's name has 1 to 128 characters, and
                no spaces or other special characters
                https://modelcontextprotocol.io/specification/2024-11-05/server/tools#tool-names
      again     mcp-conform ./my-server --revision 2024-11-05 -k tools/name-format

    1 warning · 1.8 s
    "#);
}

#[test]
fn interrupted() {
    let (header, mut finish) = samples::clean();
    finish.interrupted = true;
    finish.duration = Duration::from_secs(185);
    insta::assert_snapshot!(render(&header, &finish, AT_80, Verbosity::Summary), @"interrupted: 5 passed, 3 not applicable · 3 min 05 s · seed 7319");
}

#[test]
fn colours_change_nothing_but_colour() {
    let (header, finish) = samples::broken();
    for verbosity in [Verbosity::Findings, Verbosity::Normal, Verbosity::Frames] {
        let plain = render(&header, &finish, AT_80, verbosity);
        let coloured = render(&header, &finish, Style { colour: true, ..AT_80 }, verbosity);
        assert!(coloured.contains("\u{1b}[1m\u{1b}[31m✘"));
        let mut bare = String::new();
        let mut rest = coloured.as_str();
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            bare.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        bare.push_str(rest);
        let trimmed: Vec<_> = bare.lines().map(str::trim_end).collect();
        assert_eq!(trimmed, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn listens() {
    let (header, finish) = samples::broken();
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, AT_80, Verbosity::Normal);
    terminal.on(&Event::Progress("starting ./my-server".to_owned()));
    terminal.on(&Event::Started(Box::new(header.clone())));
    terminal.on(&Event::Ended(Box::new(finish.clone())));
    assert_eq!(String::from_utf8(out).unwrap(), render(&header, &finish, AT_80, Verbosity::Normal));
}

#[test]
fn a_closed_terminal_is_left_alone() {
    struct Closed(usize);
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            self.0 += 1;
            assert_eq!(self.0, 1);
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (header, finish) = samples::broken();
    let mut terminal = Terminal::new(Closed(0), AT_80, Verbosity::Normal);
    terminal.on(&Event::Started(Box::new(header)));
    terminal.on(&Event::Ended(Box::new(finish)));
}

#[test]
fn durations() {
    let spent = |millis| spent(Duration::from_millis(millis));
    assert_eq!([19, 99, 100].map(spent), ["19 ms", "99 ms", "0.1 s"]);
    assert_eq!([9940, 9950, 59_940].map(spent), ["9.9 s", "10 s", "59 s"]);
    assert_eq!([59_950, 185_000].map(spent), ["1 min 00 s", "3 min 05 s"]);
}

#[test]
fn levels_come_from_counts() {
    assert_eq!(Verbosity::from_counts(0, 0), Verbosity::Normal);
    assert_eq!(Verbosity::from_counts(1, 0), Verbosity::Findings);
    assert_eq!(Verbosity::from_counts(9, 0), Verbosity::Summary);
    assert_eq!(Verbosity::from_counts(0, 1), Verbosity::Items);
    assert_eq!(Verbosity::from_counts(0, u8::MAX), Verbosity::Frames);
    assert_eq!(Verbosity::from_counts(1, 1), Verbosity::Normal);
}

proptest! {
    #[test]
    fn hostile_text_never_reaches_the_terminal(
        (header, finish) in samples::any_run(),
        unicode: bool,
        width in proptest::option::of(0usize..200),
        verbosity in proptest::sample::select(vec![
            Verbosity::Summary, Verbosity::Findings, Verbosity::Normal, Verbosity::Items, Verbosity::Frames,
        ]),
    ) {
        let style = Style { colour: false, unicode, width };
        let report = render(&header, &finish, style, verbosity);
        prop_assert!(!report.chars().any(|character| character != '\n' && text::is_unsafe(character)));
        prop_assert!(unicode || report.is_ascii());
        prop_assert!(report.lines().all(|line| !line.ends_with(' ')));
    }
}
