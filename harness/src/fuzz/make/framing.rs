//! What is no message, or not where it should be: bytes, lines, and the texts of broken JSON.

use mcp_conform_cases::case::Action;

use super::MakerSettings;
use super::call::{alone, idle_method};
use super::methods::in_turn;
use crate::event::Transport;
use crate::fuzz::input::{Input, InputStep};
use crate::template::repeated;

/// Where inputs of bytes come from.
const ORIGIN: &str = "framing";
/// The longest line, in bytes, as long as larger texts are not excluded.
const LONG_LINE: usize = 1024 * 1024;

/// All of them, each sort in turn. Over HTTP there are no lines, so that only texts are left.
pub(super) fn all(settings: &MakerSettings) -> Vec<Input> {
    let texts = texts(settings).into_iter().map(|text| alone("text", Action::Raw(text))).collect();
    let bytes = bytes().into_iter().map(|bytes| alone(ORIGIN, Action::Bytes(bytes))).collect();
    if settings.transport == Transport::Stdio {
        in_turn(vec![texts, bytes, pieces(settings)])
    } else {
        in_turn(vec![texts, bytes])
    }
}

/// A request that does nothing, without the line end. Its id is no fresh one because bytes are sent as they are.
fn plain(settings: &MakerSettings) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"id\":\"framing\",\"method\":\"{}\"}}", idle_method(settings))
}

fn texts(settings: &MakerSettings) -> Vec<String> {
    let plain = plain(settings);
    let mut texts: Vec<String> = [
        "garbage",
        "",
        "{",
        "\u{0}",
        " ",
        "\t",
        "\r",
        "GET / HTTP/1.1",
        "Content-Length: 2",
        "<xml/>",
        "---",
        "}",
        "[",
        "]",
        "\"",
        "{\"",
        "{\"jsonrpc\"",
        "{\"jsonrpc\":\"2.0\",",
        "{\"jsonrpc\":\"2.0\",\"id\":",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\"",
        "{}{}",
        "[][]",
        "nul",
        "tru",
        "NaN",
        "-",
        "1e",
        "\"\\",
        "\"\\u",
        "\"\\ud8",
        "\u{feff}{}",
        "\u{1a}",
        "\u{4}",
        "\u{2028}",
        "// comment",
        "/* comment */ {}",
        "{/**/}",
        "{'a':1}",
        "{a:1}",
        "[1,]",
        "{\"a\":1,}",
        "{,}",
        "[,]",
        "\u{1b}[2J",
        "\u{c}",
    ]
    .map(str::to_owned)
    .into();
    texts.push(format!("{plain} // comment"));
    texts.push(format!("/* comment */ {plain}"));
    texts.push(format!("\u{feff}{plain}"));
    texts.push(format!("  \t {plain} \t "));
    texts.push(format!("{plain}{plain}"));
    texts.push(format!("{plain} {plain}"));
    texts.push(format!("{plain},{plain}"));
    texts.push(format!("{plain}\0"));
    texts.push(format!("\0{plain}"));
    texts.push(format!("{plain}\r"));
    texts.push(plain.replace(',', "\u{a0},"));
    texts.push(plain.replace(':', " : "));
    for depth in [100, 1000, 100_000] {
        texts.push(repeated("[", depth));
        texts.push(repeated("{\"a\":", depth));
        texts.push(format!("{}{}", repeated("[", depth), repeated("]", depth)));
    }
    let long = LONG_LINE.min(settings.largest_text);
    texts.push(repeated("x", long));
    texts.push(repeated(" ", long));
    texts.push(format!("\"{}\"", repeated("\\u0000", long / 6)));
    texts.push(repeated("9", 65_536.min(settings.largest_text)));
    texts
}

/// Lines that are no UTF-8, and lines that end otherwise. Each ends with a line end, so that the next message is whole.
fn bytes() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        &b"\xff\n"[..],
        b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}\n",
        b"\n",
        b"\xed\xa0\x80\n",
        b"\r\n",
        b"\n\n\n\n\n\n\n\n",
        b"\r\r\r\n",
        b" \n",
        b"\0\n",
        b"\0\0\0\0\0\0\0\0\n",
        b"\xff\xfe\n",
        b"\xef\xbb\xbf\n",
        b"\xfe\xff\0{\0}\n",
        b"{\0}\0\n",
        b"\xc0\x80\n",
        b"\xc0\xaf\n",
        b"\xf4\x90\x80\x80\n",
        b"\xf8\x88\x80\x80\x80\n",
        b"\x80\n",
        b"\xe2\x82\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":\"framing\",\"method\":\"\xc3\x28\"}\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":\"framing\",\"method\":\"tools/call\",\"params\":{\"name\":\"\xed\xa0\x80\"}}\n",
        b"{\"\xff\":1}\n",
        b"\x1f\x8b\x08\0\0\0\0\0\n",
        b"\x16\x03\x01\x02\0\x01\0\n",
        b"\x83\xa7jsonrpc\xa32.0\n",
    ]
    .map(<[u8]>::to_vec)
    .into();
    all.push((0..=255).filter(|byte| *byte != b'\n').chain([b'\n']).collect());
    all
}

/// Messages in several pieces, several messages in one, and messages that never end.
fn pieces(settings: &MakerSettings) -> Vec<Input> {
    let plain = plain(settings);
    let line = |end: &str| format!("{plain}{end}").into_bytes();
    let input = |pieces: Vec<Vec<u8>>, ends: bool| {
        let mut steps: Vec<InputStep> = pieces.into_iter().map(|piece| Action::Bytes(piece).into()).collect();
        if ends {
            steps.push(Action::CloseInput.into());
        }
        Input { origin: ORIGIN, steps }
    };
    let halves = |bytes: Vec<u8>, at: usize| {
        let (first, second) = bytes.split_at_checked(at).unwrap_or((&bytes, &[]));
        vec![first.to_vec(), second.to_vec()]
    };
    let accented = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"é\",\"method\":\"{}\"}}\n", idle_method(settings))
        .into_bytes();
    let middle = accented.iter().position(|byte| *byte == 0xc3).map_or(0, |at| at.saturating_add(1));
    vec![
        input(halves(line("\n"), 1), false),
        input(halves(line("\n"), 20), false),
        input(halves(line("\n"), plain.len()), false),
        input(halves(accented, middle), false),
        input(line("\n").chunks(1).map(<[u8]>::to_vec).collect(), false),
        input(vec![line("\r\n")], false),
        input(vec![[line("\n"), line("\n"), line("\n")].concat()], false),
        input(vec![[line("\n\n"), line("\r\n"), line("\n")].concat()], false),
        input(vec![line("\n").repeat(100)], false),
        input(vec![line("")], true),
        input(vec![b"{\"jsonrpc\":".to_vec()], true),
        input(vec![b"\xf0\x9f".to_vec()], true),
        input(vec![Vec::new(), b"\n".to_vec()], true),
        input(vec![line("\n")], true),
    ]
}
