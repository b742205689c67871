//! Faults of lines on stdout and of the process's end.

use serde_json::Value;

use super::catalog::{STDIO, faults, range};
use super::hook::{Hook, StdioFault};
use crate::outbox::{Kind, Outgoing};
use crate::stateless;

/// The line of an answer on which nothing else depends (as [`super::hook::Departure::plain`]).
fn is_plain(outgoing: &Outgoing) -> bool {
    let Kind::Answer(request) = &outgoing.kind else { return false };
    request.method == "ping" || (request.method == "prompts/list" && stateless::is_stateless(request))
}

fn answers(outgoing: &Outgoing, method: &str) -> bool {
    matches!(&outgoing.kind, Kind::Answer(request) if request.method == method)
}

fn with_prefix(prefix: &[u8], line: Vec<u8>) -> Vec<u8> {
    [prefix, &line].concat()
}

faults! { STDIO =>
    "banner-on-stdout", "stdio.stdout-only-mcp", range::ALL, "Greets on stdout before the first message" => [
        Hook::Startup(b"MCP server running on stdio\n")];
    "log-line-on-stdout", "stdio.stdout-only-mcp", range::ALL, "Writes a log line to stdout before answering tools/list" => [
        Hook::Bytes(|outgoing, line| if answers(outgoing, "tools/list") { with_prefix(b"[info] listing tools\n", line) } else { line })];
    "json-log-line-on-stdout", "stdio.stdout-only-mcp", range::ALL, "Writes a structured log line to stdout before answering tools/list" => [
        Hook::Bytes(|outgoing, line| if answers(outgoing, "tools/list") {
            with_prefix(b"{\"level\":\"info\",\"msg\":\"listing tools\"}\n", line)
        } else { line })];
    "pretty-printed-json", "stdio.no-embedded-newlines", range::ALL, "Spreads answers over several lines" => [
        Hook::Bytes(|outgoing, line| {
            let pretty = is_plain(outgoing).then(|| serde_json::to_vec_pretty(&outgoing.message).ok()).flatten();
            pretty.map_or(line, |pretty| [pretty.as_slice(), b"\n"].concat())
        })];
    "crlf-line-ends", "stdio.no-embedded-newlines", range::ALL, "Ends answers with CR LF" => [
        Hook::Bytes(|outgoing, line| if is_plain(outgoing) { [line.trim_ascii_end(), b"\r\n"].concat() } else { line })];
    "content-length-header", "stdio.stdout-only-mcp", range::ALL, "Precedes answers with a header as in the Language Server Protocol" => [
        Hook::Bytes(|outgoing, line| if is_plain(outgoing) {
            with_prefix(format!("Content-Length: {}\r\n\r\n", line.len()).as_bytes(), line)
        } else { line })];
    "byte-order-mark", "stdio.stdout-only-mcp", range::ALL, "Puts a byte order mark before answers" => [
        Hook::Bytes(|outgoing, line| if is_plain(outgoing) { with_prefix(b"\xef\xbb\xbf", line) } else { line })];
    "truncated-json", "stdio.stdout-only-mcp", range::ALL, "Cuts answers short" => [
        Hook::Bytes(|outgoing, line| if is_plain(outgoing) {
            [line.trim_ascii_end().split_last().map_or(&[][..], |(_, cut)| cut), b"\n"].concat()
        } else { line })];
    "invalid-utf8-output", "base.utf8", range::FROM_2025_03, "Texts of tool results hold a byte that is not UTF-8" => [
        Hook::Bytes(|outgoing, line| {
            let text = outgoing.message.pointer("/result/content/0/text").and_then(Value::as_str);
            let Some(text) = text.filter(|_| answers(outgoing, "tools/call")) else { return line };
            replace_once(line, text.as_bytes(), b"caf\xe9")
        })];
    "does-not-exit-on-eof", "stdio.exit-on-stdin-close", range::ALL, "Lives on after stdin was closed" => [
        Hook::Stdio(StdioFault::IgnoreEof)];
    "ignores-sigterm", "stdio.exit-on-sigterm", range::ALL, "Lives on after SIGTERM, and after stdin was closed" => [
        Hook::Stdio(StdioFault::IgnoreSigterm), Hook::Stdio(StdioFault::IgnoreEof)];
}

fn replace_once(line: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    let Some(start) = line.windows(old.len().max(1)).position(|window| window == old) else { return line };
    let (before, rest) = line.split_at(start);
    [before, new, rest.split_at_checked(old.len()).map_or(&[][..], |(_, after)| after)].concat()
}
