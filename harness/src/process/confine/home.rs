//! The home folder of a confined server.
//!
//! A server that is fuzzed should not act in the user's name: with the scratch folder as its home it finds no
//! credentials there and can write its settings. But much that starts a server lives in the real home:
//!
//! - Package runners (`npx`, `uvx`) keep the packages there that they start without a network. They keep the real home,
//!   and may write their caches, without which they do not start.
//! - Version managers (pyenv, nvm, Volta, rustup) put programs there that look for the real ones beside them. A program
//!   beneath the home keeps it.
//!
//! Everything else gets the scratch folder.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Which home a server has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Home {
    /// The real one for package runners and for programs that lie beneath it, else the scratch folder.
    #[default]
    Automatic,
    /// The real one.
    Keep,
    /// The scratch folder.
    Scratch,
}

/// A package runner, and where it keeps what it runs.
struct Runner {
    programs: &'static [&'static str],
    /// A variable that names its cache.
    variable: &'static str,
    /// Folders beneath the home.
    caches: &'static [&'static str],
}

const RUNNERS: [Runner; 7] = [
    Runner { programs: &["npx", "npm"], variable: "npm_config_cache", caches: &[".npm"] },
    Runner {
        programs: &["uvx", "uv"],
        variable: "UV_CACHE_DIR",
        caches: &[".cache/uv", ".local/share/uv", "Library/Caches/uv"],
    },
    Runner {
        programs: &["pnpx", "pnpm"],
        variable: "PNPM_HOME",
        caches: &[".cache/pnpm", ".local/share/pnpm", ".local/state/pnpm", "Library/pnpm"],
    },
    Runner { programs: &["bunx", "bun"], variable: "BUN_INSTALL", caches: &[".bun"] },
    Runner { programs: &["deno"], variable: "DENO_DIR", caches: &[".cache/deno", "Library/Caches/deno"] },
    Runner { programs: &["pipx"], variable: "PIPX_HOME", caches: &[".cache/pipx", ".local/share/pipx"] },
    Runner {
        programs: &["go"],
        variable: "GOCACHE",
        caches: &[".cache/go-build", "Library/Caches/go-build"],
    },
];

/// The variables by which programs find a folder for temporary files.
const TEMPORARY: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];

/// The variables of the XDG base directories, and what they are beneath a home.
const BASES: [(&str, &str); 4] = [
    ("XDG_CACHE_HOME", ".cache"),
    ("XDG_CONFIG_HOME", ".config"),
    ("XDG_DATA_HOME", ".local/share"),
    ("XDG_STATE_HOME", ".local/state"),
];

/// Where Python looks for packages that a user installed without a virtual environment.
const PYTHON_PACKAGES: &str = "PYTHONUSERBASE";

/// What was settled for a program.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whether the home is the scratch folder.
    replaced: bool,
    /// The caches that the program may write.
    pub(super) writable: Vec<PathBuf>,
}

/// Settles the home of a program, given the variables of our own environment.
pub(super) fn settle(choice: Home, program: &Path, variable: &dyn Fn(&str) -> Option<OsString>) -> Place {
    let home = variable("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or_default();
    let runner = RUNNERS.iter().find(|runner| runner.programs.contains(&name));
    let replaced = match choice {
        Home::Keep => false,
        Home::Scratch => true,
        // A home of `/` holds every program and says nothing.
        Home::Automatic => {
            runner.is_none()
                && !home.as_deref().is_some_and(|home| home.parent().is_some() && program.starts_with(home))
        }
    };
    let writable = match runner {
        Some(runner) if !replaced => {
            let beneath = home.iter().flat_map(|home| runner.caches.iter().map(|cache| home.join(cache)));
            let named = variable(runner.variable).map(PathBuf::from).filter(|path| path.is_absolute());
            named.into_iter().chain(beneath).filter(|path| path.is_dir()).collect()
        }
        _ => Vec::new(),
    };
    Place { replaced, writable }
}

impl Place {
    /// The variables that a server is started with.
    pub(super) fn environment(
        &self,
        scratch: &Path,
        variable: &dyn Fn(&str) -> Option<OsString>,
    ) -> Vec<(OsString, OsString)> {
        let scratch_itself = || scratch.as_os_str().to_owned();
        let mut variables: Vec<(OsString, OsString)> =
            TEMPORARY.map(|name| (OsString::from(name), scratch_itself())).into();
        if self.replaced {
            variables.push(("HOME".into(), scratch_itself()));
            variables.extend(
                BASES.map(|(name, below)| (OsString::from(name), scratch.join(below).into_os_string())),
            );
            // Packages are no settings: without them the server would not start.
            if let (None, Some(home)) = (variable(PYTHON_PACKAGES), variable("HOME")) {
                variables.push((PYTHON_PACKAGES.into(), Path::new(&home).join(".local").into_os_string()));
            }
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(choice: Home, program: &str, home: Option<&str>) -> bool {
        settle(choice, Path::new(program), &|name| (name == "HOME").then_some(home).flatten().map(Into::into))
            .replaced
    }

    #[test]
    fn the_home_is_kept_only_where_a_start_needs_it() {
        for (choice, program, home, replaced) in [
            (Home::Automatic, "/usr/bin/python3", Some("/home/u"), true),
            (Home::Automatic, "/usr/bin/python3", None, true),
            (Home::Automatic, "/usr/bin/python3", Some("/"), true),
            (Home::Automatic, "./server", Some("/home/u"), true),
            (Home::Automatic, "/home/u/.pyenv/shims/python3", Some("/home/u"), false),
            (Home::Automatic, "/home/user/server", Some("/home/u"), true),
            (Home::Automatic, "/usr/bin/npx", Some("/home/u"), false),
            (Home::Automatic, "/opt/uvx", None, false),
            (Home::Keep, "/usr/bin/python3", Some("/home/u"), false),
            (Home::Scratch, "/usr/bin/npx", Some("/home/u"), true),
        ] {
            assert_eq!(settled(choice, program, home), replaced, "{choice:?} {program} {home:?}");
        }
    }

    #[test]
    fn a_replaced_home_leaves_python_its_packages() {
        let variables = |name: &str| (name == "HOME").then(|| OsString::from("/home/u"));
        let place = settle(Home::Scratch, Path::new("/usr/bin/python3"), &variables);
        let environment = place.environment(Path::new("/scratch"), &variables);
        for (name, value) in [
            ("TMPDIR", "/scratch"),
            ("HOME", "/scratch"),
            ("XDG_CACHE_HOME", "/scratch/.cache"),
            ("PYTHONUSERBASE", "/home/u/.local"),
        ] {
            assert!(environment.contains(&(name.into(), value.into())), "{name}: {environment:?}");
        }
        let kept = settle(Home::Keep, Path::new("/usr/bin/python3"), &variables);
        let environment = kept.environment(Path::new("/scratch"), &variables);
        assert_eq!(environment.len(), TEMPORARY.len(), "{environment:?}");
    }
}
