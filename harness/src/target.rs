//! What is tested: a command that speaks over its standard streams, or the bundled reference server.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use url::Url;

use crate::event::Transport;
use crate::process::ServerCommand;
use crate::transport::http::host::PORT;

/// A way to reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over the standard streams of a process.
    Stdio(ServerCommand),
    /// Over HTTP, in either of its forms.
    Http {
        /// What starts it; `None` for a server that runs already.
        command: Option<ServerCommand>,
        /// The address, in which `{port}` stands for a free port.
        address: String,
        /// In which form, if that is known.
        transport: Option<Transport>,
    },
}

/// Something to test.
#[derive(Clone, Debug)]
pub struct Target {
    /// How to reach it: one way, or several for the bundled server.
    pub ways: Vec<Way>,
    /// The command as a user writes it, or the address, or `reference` and its options.
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
    /// An address that is none, or not one of HTTP.
    #[error("`{0}` is no address of an HTTP server\n  try: http://127.0.0.1:8000/mcp")]
    Address(String),
    /// The target is not reached that way.
    #[error(
        "the server is not reached over {0}\n  try: --url for a command that starts an HTTP server, and no --url for stdio"
    )]
    NotOver(&'static str),
    /// A place for a port, and nothing that is started there.
    #[error(
        "`{0}` has a place for a port, but no command follows that starts the server there\n  try: mcp-conform --url {0} -- python3 server.py {{port}}"
    )]
    NoCommand(String),
}

impl Target {
    /// Whether it is the bundled reference server.
    #[must_use]
    pub fn is_reference(&self) -> bool {
        self.words.first().is_some_and(|word| word == "reference")
    }

    /// What the command line names: a command that speaks over its standard streams, an address, or both, a command
    /// that starts an HTTP server and the address where it does.
    ///
    /// # Errors
    /// When there is no such program, it cannot be executed, or the address is none.
    pub fn named(
        words: &[OsString],
        url: Option<&str>,
        environment: &[(OsString, OsString)],
        search: Option<&OsStr>,
    ) -> Result<Target, TargetError> {
        let lone = words.first().map(|word| word.to_string_lossy().into_owned());
        let is_address = |word: &String| word.starts_with("http://") || word.starts_with("https://");
        let (address, words) = match (url, lone.filter(is_address)) {
            (Some(url), _) => (Some(url.to_owned()), words),
            (None, Some(url)) => (Some(url), words.get(1..).unwrap_or_default()),
            (None, None) => (None, words),
        };
        let Some(address) = address else {
            let mut target = Target::command(words, search)?;
            if let Some(Way::Stdio(command)) = target.ways.first_mut() {
                command.environment = environment.to_vec();
            }
            return Ok(target);
        };
        let sample = address.replace(PORT, "1");
        let parsed = Url::parse(&sample).map_err(|_| TargetError::Address(address.clone()))?;
        if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none() {
            return Err(TargetError::Address(address));
        }
        if words.is_empty() {
            if address.contains(PORT) {
                return Err(TargetError::NoCommand(address));
            }
            let words = vec![address.clone()];
            return Ok(Target { ways: vec![Way::Http { command: None, address, transport: None }], words });
        }
        let started = Target::command(words, search)?;
        let command = started.ways.into_iter().find_map(|way| match way {
            Way::Stdio(command) => Some(ServerCommand { environment: environment.to_vec(), ..command }),
            Way::Http { .. } => None,
        });
        Ok(Target { ways: vec![Way::Http { command, address, transport: None }], words: started.words })
    }

    /// A command line, program first. The program is looked up as a shell would.
    ///
    /// # Errors
    /// When there is no such program, or it cannot be executed.
    pub fn command(words: &[OsString], search: Option<&OsStr>) -> Result<Target, TargetError> {
        let (program, arguments) = words.split_first().ok_or(TargetError::Missing)?;
        let shown = program.to_string_lossy().into_owned();
        let found = look_up(program, search).ok_or_else(|| TargetError::NotFound {
            hint: hint_for_missing(&shown),
            program: shown.clone(),
        })?;
        check(&found, &shown, arguments)?;
        let command = ServerCommand {
            program: found.into_os_string(),
            arguments: arguments.to_vec(),
            environment: Vec::new(),
            directory: None,
        };
        let words = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Ok(Target { ways: vec![Way::Stdio(command)], words })
    }

    /// The reference server that is part of this binary, over all transports; over HTTP protected by a token if there
    /// is one.
    ///
    /// # Errors
    /// When the system does not tell where our executable is.
    pub fn reference(faults: &[String], token: Option<&str>) -> io::Result<Target> {
        // The pauses that the official fixtures want would be most of the run.
        let mut arguments: Vec<OsString> =
            [REFERENCE_ARGUMENT, "--fixture-delay", "2"].map(OsString::from).into();
        let mut words = vec!["reference".to_owned()];
        for fault in faults {
            arguments.extend([OsString::from("--fault"), OsString::from(fault)]);
            words.extend(["--fault".to_owned(), fault.clone()]);
        }
        let program = std::env::current_exe()?.into_os_string();
        let mut ways = Target::all_ways(&program, &arguments);
        for way in &mut ways {
            if let (Way::Http { command: Some(command), .. }, Some(token)) = (way, token) {
                command.arguments.extend([OsString::from("--bearer"), OsString::from(token)]);
            }
        }
        Ok(Target { ways, words })
    }

    /// The ways to reach a program that takes the options of the reference server.
    #[must_use]
    pub fn all_ways(program: &OsStr, arguments: &[OsString]) -> Vec<Way> {
        let command = |more: &[&str]| ServerCommand {
            program: program.to_owned(),
            arguments: arguments.iter().cloned().chain(more.iter().map(OsString::from)).collect(),
            environment: Vec::new(),
            directory: None,
        };
        let place = format!("127.0.0.1:{PORT}");
        let http = |option: &str, path: &str, transport| Way::Http {
            command: Some(command(&[option, &place])),
            address: format!("http://{place}{path}"),
            transport: Some(transport),
        };
        vec![
            Way::Stdio(command(&[])),
            http("--http", "/mcp", Transport::Http),
            http("--sse", "/sse", Transport::Sse),
        ]
    }

    /// Leaves only the ways of a transport.
    ///
    /// # Errors
    /// When there is none.
    pub fn restrict(&mut self, wanted: Transport) -> Result<(), TargetError> {
        self.ways.retain_mut(|way| match way {
            Way::Stdio(_) => wanted == Transport::Stdio,
            Way::Http { transport, .. } => {
                wanted != Transport::Stdio && *transport.get_or_insert(wanted) == wanted
            }
        });
        if self.ways.is_empty() { Err(TargetError::NotOver(wanted.as_str())) } else { Ok(()) }
    }

    /// Whether there is an HTTP server that can run only once at a time.
    #[must_use]
    pub fn has_fixed_port(&self) -> bool {
        self.ways.iter().any(|way| matches!(way, Way::Http { address, .. } if !address.contains(PORT)))
    }

    /// The commands that start the server.
    pub fn commands(&self) -> impl Iterator<Item = &ServerCommand> {
        self.ways.iter().filter_map(|way| match way {
            Way::Stdio(command) => Some(command),
            Way::Http { command, .. } => command.as_ref(),
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
    }

    #[test]
    fn addresses_are_told_from_commands() {
        let named = |words: &[&str], url| {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            Target::named(&words, url, &[], Some(OsStr::new("/bin")))
        };
        let remote = named(&["https://x.example/mcp"], None).unwrap();
        assert_eq!(
            remote.ways,
            [Way::Http { command: None, address: "https://x.example/mcp".to_owned(), transport: None }]
        );
        let ours = named(&["sh", "{port}"], Some("http://127.0.0.1:{port}/mcp")).unwrap();
        assert!(matches!(&ours.ways[..], [Way::Http { command: Some(_), .. }]));
        let lost = named(&[], Some("http://127.0.0.1:{port}/mcp")).unwrap_err().to_string();
        assert!(lost.contains("-- python3 server.py {port}"), "{lost}");
        assert!(
            named(&[], Some("ftp://x/")).unwrap_err().to_string().contains("no address of an HTTP server")
        );
    }

    #[test]
    fn programs_are_found_on_the_path() {
        let target = Target::command(&["sh".into(), "-c".into()], Some(OsStr::new("/nowhere:/bin"))).unwrap();
        assert!(matches!(&target.ways[..], [Way::Stdio(command)] if command.program == "/bin/sh"));
        assert_eq!(target.words, ["sh", "-c"]);
    }
}
