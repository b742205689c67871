//! How servers come to report what they execute: what is put into their environment, and what they are built with.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::process::ServerCommand;

/// The variable that names the file that is shared with the server.
pub const VARIABLE: &str = "MCP_CONFORM_COVERAGE";
/// The size of that file, in bytes; its parts are described in `covrt.c`.
pub const MAP: usize = 4 << 20;
/// Where the regions of counters are listed, 8 bytes each.
pub const REGIONS: usize = 16;
/// How many regions there are at most.
pub const MAX_REGIONS: usize = 500;
/// Offset and length of the bitmap.
pub const BITMAP: (usize, usize) = (65_536, 65_536);

/// What Python imports before anything else.
const SITE: &str = include_str!("sitecustomize.py");
/// What instrumented programs are linked with.
const RUNTIME: &str = include_str!("covrt.c");
/// What cargo runs in the place of rustc for the packages of a workspace.
const WRAPPER: &str = include_str!("rustc-wrapper.sh");

/// Makes the shared file in a folder that the server may write, and has the server's environment name it; returns its
/// path. A server that knows nothing of it is not bothered.
///
/// # Errors
/// When the folder cannot be written.
pub fn prepare(folder: &Path, command: &mut ServerCommand) -> io::Result<PathBuf> {
    let map = folder.join("map");
    File::create_new(&map)?.set_len(u64::try_from(MAP).unwrap_or(0))?;
    let python = folder.join("python");
    fs::create_dir(&python)?;
    fs::write(python.join("sitecustomize.py"), SITE)?;
    let mut path = python.into_os_string();
    // What the user set for the server comes before what we inherited.
    let set =
        command.environment.iter().rfind(|(name, _)| name == "PYTHONPATH").map(|(_, value)| value.clone());
    if let Some(before) = set.or_else(|| std::env::var_os("PYTHONPATH")).filter(|before| !before.is_empty()) {
        path.push(":");
        path.push(before);
    }
    command.environment.push(("PYTHONPATH".into(), path));
    command.environment.push((VARIABLE.into(), map.clone().into_os_string()));
    Ok(map)
}

/// What a server is built with so that it reports what it executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kit {
    /// The runtime as a C file.
    pub source: PathBuf,
    /// The runtime, compiled: what the server is linked with.
    pub object: PathBuf,
    /// For `RUSTC_WORKSPACE_WRAPPER`.
    pub wrapper: PathBuf,
}

impl Kit {
    /// Where the parts of a kit are in a folder, whether it is written or not.
    #[must_use]
    pub fn at(folder: &Path) -> Kit {
        Kit {
            source: folder.join("covrt.c"),
            object: folder.join("covrt.o"),
            wrapper: folder.join("rustc-wrapper.sh"),
        }
    }

    /// Writes the parts that need no compiler into a folder, which is made if need be.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(folder: &Path) -> io::Result<Kit> {
        fs::create_dir_all(folder)?;
        let kit = Kit::at(&folder.canonicalize()?);
        fs::write(&kit.source, RUNTIME)?;
        fs::write(&kit.wrapper, WRAPPER)?;
        fs::set_permissions(&kit.wrapper, fs::Permissions::from_mode(0o755))?;
        Ok(kit)
    }

    /// The environment in which cargo builds an instrumented server.
    #[must_use]
    pub fn for_cargo(&self) -> Vec<(&'static str, OsString)> {
        vec![("RUSTC_WORKSPACE_WRAPPER", self.wrapper.clone().into_os_string())]
    }

    /// The environment in which `make` and its like build one, with what was set before kept in front.
    #[must_use]
    pub fn for_c(&self, is_clang: bool, before: &dyn Fn(&str) -> OsString) -> Vec<(&'static str, OsString)> {
        let added = |name: &str, more: OsString| {
            let mut flags = before(name);
            if !flags.is_empty() {
                flags.push(" ");
            }
            flags.push(more);
            flags
        };
        let flag = compiler_flag(is_clang);
        vec![
            ("CFLAGS", added("CFLAGS", flag.into())),
            ("CXXFLAGS", added("CXXFLAGS", flag.into())),
            ("LDFLAGS", added("LDFLAGS", self.object.clone().into_os_string())),
        ]
    }
}

/// What a C compiler instruments with.
#[must_use]
pub fn compiler_flag(is_clang: bool) -> &'static str {
    if is_clang {
        "-fsanitize-coverage=inline-8bit-counters,pc-table"
    } else {
        "-fsanitize-coverage=trace-pc"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_was_to_be_given_it_is_given_still() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = ServerCommand {
            program: "server".into(),
            arguments: Vec::new(),
            environment: vec![("PYTHONPATH".into(), "/theirs".into())],
            directory: None,
        };
        let map = prepare(folder.path(), &mut command).unwrap();
        assert_eq!(fs::metadata(&map).unwrap().len(), 4 << 20);
        let last = |name: &str| {
            let found = command.environment.iter().rfind(|(known, _)| known == name);
            found.unwrap().1.to_string_lossy().into_owned()
        };
        assert!(last("PYTHONPATH").ends_with("/python:/theirs"), "{}", last("PYTHONPATH"));
        assert_eq!(Path::new(&last(VARIABLE)), map);
    }

    #[test]
    fn flags_that_were_set_stay_in_front() {
        let kit = Kit::at(Path::new("/kit"));
        let flags = kit.for_c(false, &|name| if name == "CFLAGS" { "-O2".into() } else { OsString::new() });
        assert_eq!(flags[0].1, "-O2 -fsanitize-coverage=trace-pc");
        assert_eq!(flags[2], ("LDFLAGS", "/kit/covrt.o".into()));
    }
}
