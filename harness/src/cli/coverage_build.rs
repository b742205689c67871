//! Builds a server that reports what it executes, for guided fuzzing.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, ExitCode};

use mcp_conform::fuzz::guided::instrument::{Kit, compiler_flag};

use super::output::{complain, print};

/// Where the parts are written, beneath the current folder, unless `CARGO_TARGET_DIR` names another one.
const FOLDER: &str = "mcp-conform-coverage";

/// What `env` ends with when it cannot run a program.
const NOT_RUN: u8 = 127;

/// Runs the build that follows `--` in an environment in which compilers instrument; without one, says how it is done by
/// hand.
pub(crate) fn main(words: &[OsString]) -> ExitCode {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = Path::new(&target).join(FOLDER);
    let compiler = std::env::var_os("CC").filter(|word| !word.is_empty()).unwrap_or_else(|| "cc".into());
    let kit = match Kit::write(&folder) {
        Ok(kit) => kit,
        Err(error) => {
            complain(format!("`{}` cannot be written: {error}", folder.display()));
            return ExitCode::FAILURE;
        }
    };
    let compiled = Command::new(&compiler)
        .args(["-O2", "-fPIC", "-c"])
        .arg(&kit.source)
        .arg("-o")
        .arg(&kit.object)
        .env_remove("CFLAGS")
        .status();
    match compiled {
        Ok(status) if status.success() => {}
        Ok(_) => {
            complain(format!("`{}` does not compile {}", compiler.display(), kit.source.display()));
            return ExitCode::FAILURE;
        }
        Err(error) => {
            complain(format!("a C compiler is needed, and `{}` cannot be run: {error}", compiler.display()));
            return ExitCode::FAILURE;
        }
    }
    let Some((program, arguments)) = words.split_first() else {
        print(&by_hand(&kit));
        return ExitCode::SUCCESS;
    };
    let mut build = Command::new(program);
    build.args(arguments);
    if Path::new(program).file_stem() == Some(OsStr::new("cargo")) {
        // A folder of its own: the next ordinary build must not find these binaries.
        build.envs(kit.for_cargo()).env("CARGO_TARGET_DIR", &folder);
    } else {
        let before = |name: &str| std::env::var_os(name).unwrap_or_default();
        build.envs(kit.for_c(is_clang(&compiler), &before));
    }
    match build.status() {
        Ok(status) if status.success() => {
            if Path::new(program).file_stem() == Some(OsStr::new("cargo")) {
                complain(format!("the instrumented server is in {}", folder.display()));
            }
            ExitCode::SUCCESS
        }
        Ok(status) => {
            ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(NOT_RUN))
        }
        Err(error) => {
            complain(format!("`{}` cannot be run: {error}", program.display()));
            ExitCode::from(NOT_RUN)
        }
    }
}

fn is_clang(compiler: &OsStr) -> bool {
    let said = Command::new(compiler).arg("--version").output().map(|output| output.stdout);
    said.is_ok_and(|said| String::from_utf8_lossy(&said).contains("clang"))
}

fn by_hand(kit: &Kit) -> String {
    let (wrapper, object) = (kit.wrapper.display(), kit.object.display());
    format!(
        "Rust, the packages of your workspace alone:\n  export RUSTC_WORKSPACE_WRAPPER={wrapper}\n  cargo build \
         --target-dir target/coverage\n\nC and C++:\n  clang {} ... {object}\n  gcc {} ... {object}\n\nPython needs \
         no build.\n",
        compiler_flag(true),
        compiler_flag(false)
    )
}
