//! The moment in which our own process confines itself and becomes the server.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use nix::errno::Errno;

use super::{END_OF_FOLDERS, Limits};

/// Why a server was not started.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The words after [`super::ARGUMENT`] are not those that [`super::Confinement::wrap`] writes.
    #[error("the confinement of a server is not understood: {0}")]
    Words(String),
    /// A limit was refused.
    #[error("the limit of {what} cannot be set: {error}")]
    Limit {
        /// Which one.
        what: &'static str,
        /// What the system says.
        error: Errno,
    },
    /// Landlock is there, and its rules were refused.
    #[error("writing cannot be confined to the scratch folder: {0}")]
    Writing(String),
    /// The program does not exist.
    #[error("`{0}` does not exist")]
    Missing(String),
    /// The program could not be started.
    #[error("`{program}` cannot be started: {error}")]
    Start {
        /// As it was given.
        program: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Confines this process and becomes the program that the words name. Returns only when that failed.
pub fn enter(words: impl Iterator<Item = OsString>) -> Refusal {
    match prepare(words) {
        Ok(mut command) => {
            let error = command.exec();
            let program = command.get_program().to_string_lossy().into_owned();
            if error.kind() == io::ErrorKind::NotFound {
                Refusal::Missing(program)
            } else {
                Refusal::Start { program, error }
            }
        }
        Err(refusal) => refusal,
    }
}

fn prepare(mut words: impl Iterator<Item = OsString>) -> Result<Command, Refusal> {
    let limits = words.next().ok_or_else(|| Refusal::Words("limits are missing".to_owned()))?;
    let limits: Limits =
        serde_json::from_str(&limits.to_string_lossy()).map_err(|error| Refusal::Words(error.to_string()))?;
    let folders: Vec<PathBuf> =
        words.by_ref().take_while(|word| word != END_OF_FOLDERS).map(PathBuf::from).collect();
    let program = words.next().ok_or_else(|| Refusal::Words("the program is missing".to_owned()))?;
    let mut command = Command::new(program);
    command.args(words);
    limits.apply()?;
    confine_writing(&folders)?;
    Ok(command)
}

#[cfg(target_os = "linux")]
fn confine_writing(folders: &[PathBuf]) -> Result<(), Refusal> {
    // A kernel without Landlock is no reason not to test: `Confinement::describe` has said so.
    super::writing::restrict(folders).map(|_| ()).map_err(|error| Refusal::Writing(error.to_string()))
}

#[cfg(not(target_os = "linux"))]
fn confine_writing(_folders: &[PathBuf]) -> Result<(), Refusal> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_are_not_ours_are_refused_before_anything_is_limited() {
        let said = |words: &[&str]| prepare(words.iter().map(OsString::from)).unwrap_err().to_string();
        assert!(said(&[]).contains("limits are missing"));
        assert!(said(&["{}", "/x", "--", "sh"]).contains("missing field"));
        let limits = serde_json::to_string(&Limits::default()).unwrap();
        assert!(said(&[&limits, "/x"]).contains("the program is missing"));
        assert!(said(&[&limits, "/x", "--"]).contains("the program is missing"));
    }
}
