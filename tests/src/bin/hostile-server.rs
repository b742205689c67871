//! Servers that no user should have to write by hand: each mode misbehaves in a way that breaks naive tools.

use std::io::{self, Write as _};
use std::process::{Command, ExitCode, Stdio};

use serde_json::{Value, json};

fn main() -> io::Result<ExitCode> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    match mode.as_str() {
        "exit-at-once" => return Ok(ExitCode::from(3)),
        "stack-trace" => {
            writeln!(
                io::stderr(),
                "Traceback (most recent call last):\n  File \"server.py\", line 1\nModuleNotFoundError: No module named 'mcp'"
            )?;
            return Ok(ExitCode::from(1));
        }
        "banner-then-exit" => {
            writeln!(io::stdout(), "Welcome to my server!")?;
            return Ok(ExitCode::SUCCESS);
        }
        "banner-then-mute" => {
            writeln!(io::stdout(), "Server listening on http://localhost:3000")?;
            wait_for_end()?;
        }
        "mute" => wait_for_end()?,
        "garbage" => {
            let line = [0u8, 255, 27, b'[', b'3', b'1', b'm', b'\n'];
            for _ in 0..1000 {
                io::stdout().write_all(&line)?;
            }
            wait_for_end()?;
        }
        "close-stdout" => {
            // Replaces our standard output, which closes the pipe.
            nix::unistd::dup2_stdout(std::fs::File::open("/dev/null")?)?;
            wait_for_end()?;
        }
        "flood" => {
            let line = [
                b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}".as_slice(),
                b"\n",
            ]
            .concat();
            while io::stdout().write_all(&line).is_ok() {}
        }
        "endless-line" => {
            let chunk = vec![b'x'; 1 << 20];
            while io::stdout().write_all(&chunk).is_ok() {}
        }
        "stderr-flood" => {
            let chunk = vec![b'e'; 1 << 20];
            std::thread::spawn(move || while io::stderr().write_all(&chunk).is_ok() {});
            wait_for_end()?;
        }
        "never-reads" => loop {
            std::thread::park();
        },
        "ignores-term" => {
            ignore_sigterm()?;
            loop {
                std::thread::park();
            }
        }
        "silent-to-discover" => older_revision_alone()?,
        "grandchild" => {
            Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn()?;
            wait_for_end()?;
        }
        other => {
            writeln!(io::stderr(), "hostile-server: no mode `{other}`")?;
            return Ok(ExitCode::from(2));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Greets in a revision before the one that it is asked for, answers pings, and nothing else.
fn older_revision_alone() -> io::Result<()> {
    for line in io::stdin().lines() {
        let message: Value = serde_json::from_str(&line?)?;
        let result = match message["method"].as_str() {
            Some("initialize") => json!({
                "protocolVersion": "2025-03-26",
                "capabilities": {},
                "serverInfo": { "name": "older", "version": "1" },
            }),
            Some("ping") => json!({}),
            _ => continue,
        };
        writeln!(io::stdout(), "{}", json!({ "jsonrpc": "2.0", "id": message["id"], "result": result }))?;
    }
    Ok(())
}

/// Reads until standard input is closed, and says nothing.
fn wait_for_end() -> io::Result<()> {
    io::copy(&mut io::stdin().lock(), &mut io::sink()).map(|_| ())
}

/// A shell is the shortest way to ignore a signal without unsafe code: the disposition outlives `exec`.
fn ignore_sigterm() -> io::Result<()> {
    if std::env::var_os("SIGTERM_IGNORED").is_none() {
        use std::os::unix::process::CommandExt as _;
        let program = std::env::current_exe()?;
        let mut shell = Command::new("sh");
        shell
            .env("SIGTERM_IGNORED", "1")
            .arg("-c")
            .arg("trap '' TERM; exec \"$0\" ignores-term")
            .arg(program);
        return Err(shell.exec());
    }
    Ok(())
}
