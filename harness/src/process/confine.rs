//! Confinement of a server: what it may use of the machine, and where it may write.
//!
//! A fuzzer calls tools with arguments that nobody foresaw. What they break must be the server and not the machine, so
//! the server is started through this binary: with [`ARGUMENT`] it limits *itself*, and then becomes the program. Process
//! and group stay what they were, limits cannot be lifted again, and children inherit them.
//!
//! Not confined are reading, the network, devices beside a harmless few, and how many files are written. A server that
//! leaves its process group is still confined, but no longer counted or ended.

pub mod home;
mod limits;
mod trampoline;
#[cfg(target_os = "linux")]
mod writing;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::ServerCommand;
use home::Home;
pub use limits::{DATA_FOR_RESIDENT, Limits};
pub use trampoline::{Refusal, enter};

/// The hidden argument that turns the binary into a server that has confined itself.
pub const ARGUMENT: &str = "__confined";

/// Stands between the folders that may be written and the program. Folders are absolute, so none looks like it.
const END_OF_FOLDERS: &str = "--";

/// What a server may do to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confinement {
    /// What it may use.
    pub limits: Limits,
    /// The folder that it may write. Whoever made it removes it when the server has ended.
    pub scratch: PathBuf,
    /// Further folders that it may write.
    pub writable: Vec<PathBuf>,
    /// Whether its home is the scratch folder too.
    pub home: Home,
}

/// A folder for what a server writes, removed with the value. What cannot be removed stays in the system's folder for
/// temporary files.
///
/// # Errors
/// When no folder can be made.
pub fn scratch() -> io::Result<TempDir> {
    tempfile::Builder::new().prefix("mcp-conform-").tempdir()
}

impl Confinement {
    /// The default limits, and writing only beneath a folder.
    #[must_use]
    pub fn new(scratch: PathBuf) -> Confinement {
        Confinement {
            limits: Limits::default(),
            // Landlock and a changed working directory both want it absolute.
            scratch: std::path::absolute(&scratch).unwrap_or(scratch),
            writable: Vec::new(),
            home: Home::Automatic,
        }
    }

    /// The command that starts a server confined. `own` is our own executable.
    ///
    /// What the caller set in the environment stays as it is: it may name folders that a server needs.
    #[must_use]
    pub fn wrap(&self, command: &ServerCommand, own: &Path) -> ServerCommand {
        self.wrapped(command, own, &|name| std::env::var_os(name))
    }

    fn wrapped(
        &self,
        command: &ServerCommand,
        own: &Path,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> ServerCommand {
        let place = home::settle(self.home, Path::new(&command.program), variable);
        let mut arguments = vec![
            OsString::from(ARGUMENT),
            // Without limits there is nothing to read, and the trampoline refuses.
            OsString::from(serde_json::to_string(&self.limits).unwrap_or_default()),
        ];
        arguments.push(self.scratch.clone().into_os_string());
        arguments
            .extend(self.writable.iter().chain(&place.writable).map(|path| path.clone().into_os_string()));
        arguments.push(OsString::from(END_OF_FOLDERS));
        arguments.push(command.program.clone());
        arguments.extend(command.arguments.iter().cloned());
        let mut environment = place.environment(&self.scratch, variable);
        environment.extend(command.environment.iter().cloned());
        ServerCommand {
            program: own.as_os_str().to_owned(),
            arguments,
            environment,
            directory: command.directory.clone(),
        }
    }

    /// What is in force on this system, as one part of a sentence: `memory 2 GiB, files 64 MiB, 64 processes, writes
    /// only in a scratch folder (Landlock ABI 7)`.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("{}, {}", self.limits, self.writing())
    }

    /// Whether this system keeps a server from writing outside of its folders.
    #[must_use]
    pub fn confines_writing(&self) -> bool {
        self.landlock().is_some()
    }

    fn writing(&self) -> String {
        match self.landlock() {
            Some(version) => format!("writes only in a scratch folder (Landlock ABI {version})"),
            None => "writes wherever it likes: this system has no Landlock".to_owned(),
        }
    }

    /// The version of Landlock that is in force, found out by a thread that confines itself and ends.
    #[cfg(target_os = "linux")]
    fn landlock(&self) -> Option<String> {
        let folders = vec![self.scratch.clone()];
        std::thread::spawn(move || writing::restrict(&folders).ok().flatten()).join().ok().flatten()
    }

    #[cfg(not(target_os = "linux"))]
    fn landlock(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(program: &str) -> ServerCommand {
        ServerCommand {
            program: program.into(),
            arguments: vec!["--".into(), "x".into()],
            environment: vec![("TMPDIR".into(), "/theirs".into())],
            directory: Some("/".into()),
        }
    }

    #[test]
    fn a_wrapped_command_is_the_same_one_behind_ours() {
        let confinement = Confinement::new("/scratch".into());
        let wrapped = confinement.wrapped(&command("/usr/bin/server"), Path::new("/own"), &|_| None);
        assert_eq!(wrapped.program, "/own");
        assert_eq!(wrapped.directory, Some("/".into()));
        let words: Vec<&str> = wrapped.arguments.iter().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[0], ARGUMENT);
        assert_eq!(serde_json::from_str::<Limits>(words[1]).unwrap(), Limits::default());
        assert_eq!(words[2..], ["/scratch", "--", "/usr/bin/server", "--", "x"]);
        assert_eq!(wrapped.environment.last().unwrap(), &("TMPDIR".into(), "/theirs".into()));
    }

    #[test]
    fn a_package_runner_may_write_its_cache() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".npm")).unwrap();
        let confinement = Confinement::new("/scratch".into());
        let home = folder.path().as_os_str().to_owned();
        let wrapped = confinement.wrapped(&command("/usr/bin/npx"), Path::new("/own"), &|name| {
            (name == "HOME").then(|| home.clone())
        });
        assert_eq!(wrapped.arguments[3], folder.path().join(".npm"));
        assert!(!wrapped.environment.iter().any(|(name, _)| name == "HOME"));
    }

    #[test]
    fn what_is_in_force_is_said_in_words() {
        let folder = scratch().unwrap();
        let confinement = Confinement::new(folder.path().into());
        let said = confinement.describe();
        assert!(said.contains("files 64 MiB") && said.contains(", writes "), "{said}");
        assert_eq!(said.contains("(Landlock ABI "), confinement.confines_writing(), "{said}");
        // The thread that tried it out was confined, and nobody else.
        std::fs::write(folder.path().with_extension("beside"), "").unwrap();
        std::fs::remove_file(folder.path().with_extension("beside")).unwrap();
    }
}
