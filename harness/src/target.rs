//! What is tested: a command that speaks over its standard streams, or the bundled reference server.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::process::ServerCommand;

/// Something to test.
#[derive(Clone, Debug)]
pub struct Target {
    /// How to start it.
    pub command: ServerCommand,
    /// How a user names it on the command line.
    pub words: Vec<String>,
}

/// Why a target cannot even be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No target was named.
    #[error("no server was named\n  try: mcp-conform ./my-server, or mcp-conform -- npx -y some-server")]
    Missing,
    /// The program is not there.
    #[error("`{program}` does not exist{hint}")]
    NotFound {
        /// As it was given.
        program: String,
        /// What to try, on lines of its own.
        hint: String,
    },
    /// The program is a folder.
    #[error("`{0}` is a folder, not a program\n  name the program inside it that starts the server")]
    Folder(String),
    /// The program may not be executed.
    #[error("`{program}` is not executable{hint}")]
    NotExecutable {
        /// As it was given.
        program: String,
        /// What to try, on lines of its own.
        hint: String,
    },
    /// An address, which is not supported yet.
    #[error(
        "`{0}` is an address; servers are tested over stdio so far\n  name the command that starts the server"
    )]
    Address(String),
}

impl Target {
    /// A command line, program first. The program is looked up as a shell would.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be executed.
    pub fn command(words: &[OsString], search: Option<&OsStr>) -> Result<Target, TargetError> {
        let (program, arguments) = words.split_first().ok_or(TargetError::Missing)?;
        let shown = program.to_string_lossy().into_owned();
        if shown.starts_with("http://") || shown.starts_with("https://") {
            return Err(TargetError::Address(shown));
        }
        let found = look_up(program, search).ok_or_else(|| TargetError::NotFound {
            hint: hint_for_missing(&shown),
            program: shown.clone(),
        })?;
        check(&found, &shown, arguments)?;
        Ok(Target {
            command: ServerCommand {
                program: found.into_os_string(),
                arguments: arguments.to_vec(),
                environment: Vec::new(),
                directory: None,
            },
            words: words.iter().map(|word| word.to_string_lossy().into_owned()).collect(),
        })
    }

    /// The reference server that is part of this binary.
    ///
    /// # Errors
    /// When the system does not tell where our executable is.
    pub fn reference(faults: &[String]) -> io::Result<Target> {
        // The pauses that the official fixtures want would be most of the run.
        let mut arguments: Vec<OsString> =
            [REFERENCE_ARGUMENT, "--fixture-delay", "2"].map(OsString::from).into();
        let mut words = vec!["reference".to_owned()];
        for fault in faults {
            arguments.extend([OsString::from("--fault"), OsString::from(fault)]);
            words.extend(["--fault".to_owned(), fault.clone()]);
        }
        let program = std::env::current_exe()?.into_os_string();
        Ok(Target {
            command: ServerCommand { program, arguments, environment: Vec::new(), directory: None },
            words,
        })
    }
}

/// The hidden argument that turns the binary into the reference server.
pub const REFERENCE_ARGUMENT: &str = "__reference-server";

fn look_up(program: &OsStr, search: Option<&OsStr>) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 || path.is_absolute() {
        return path.exists().then(|| path.to_path_buf());
    }
    search
        .into_iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join(path))
        .find(|candidate| candidate.is_file() && is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.permissions().mode() & 0o111 != 0)
}

fn check(found: &Path, shown: &str, arguments: &[OsString]) -> Result<(), TargetError> {
    if found.is_dir() {
        return Err(TargetError::Folder(shown.to_owned()));
    }
    if is_executable(found) {
        return Ok(());
    }
    let rest: String = arguments.iter().map(|argument| format!(" {}", argument.to_string_lossy())).collect();
    let hint = match found.extension().and_then(OsStr::to_str) {
        Some("py") => format!("\n  try: mcp-conform python3 {shown}{rest}"),
        Some("js" | "mjs" | "cjs") => format!("\n  try: mcp-conform node {shown}{rest}"),
        Some("ts") => format!("\n  try: mcp-conform npx tsx {shown}{rest}"),
        Some("jar") => format!("\n  try: mcp-conform -- java -jar {shown}{rest}"),
        _ => format!("\n  try: chmod +x {shown}"),
    };
    Err(TargetError::NotExecutable { program: shown.to_owned(), hint })
}

fn hint_for_missing(shown: &str) -> String {
    let beside = Path::new(shown);
    if shown.contains('/') {
        let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty());
        return match folder {
            Some(folder) if !folder.is_dir() => {
                format!("\n  the folder `{}` does not exist either", folder.display())
            }
            _ => "\n  check the path; it is taken from the current folder".to_owned(),
        };
    }
    if beside.is_file() {
        return format!("\n  try: mcp-conform ./{shown}");
    }
    "\n  it is neither a file here nor a program on PATH".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(words: &[&str]) -> String {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Target::command(&words, Some(OsStr::new("/bin:/usr/bin"))).unwrap_err().to_string()
    }

    #[test]
    fn wrong_targets_get_a_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("srv.py");
        std::fs::write(&script, "").unwrap();
        let script = script.to_str().unwrap();
        assert!(error(&[]).contains("try: mcp-conform ./my-server"));
        assert!(error(&["./no/such"]).contains("the folder `./no` does not exist either"));
        assert!(error(&["no-such-program-here"]).contains("nor a program on PATH"));
        assert!(error(&[folder.path().to_str().unwrap()]).contains("is a folder"));
        assert!(error(&[script, "a"]).contains(&format!("try: mcp-conform python3 {script} a")));
        assert!(error(&["https://x.example/mcp"]).contains("is an address"));
    }

    #[test]
    fn programs_are_found_on_the_path() {
        let target = Target::command(&["sh".into(), "-c".into()], Some(OsStr::new("/nowhere:/bin"))).unwrap();
        assert_eq!(target.command.program, "/bin/sh");
        assert_eq!(target.words, ["sh", "-c"]);
    }
}
