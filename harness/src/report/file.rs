//! Where a report goes, and how it gets there: whole, or not at all.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::ReportError;
use crate::text;

/// The formats of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportKind {
    /// `mcp-conform-report/1`; see [`super::json`].
    Json,
    /// JUnit XML; see [`super::junit`].
    Junit,
}

impl ReportKind {
    /// Every kind.
    pub const ALL: [ReportKind; 2] = [ReportKind::Json, ReportKind::Junit];

    /// `json` or `junit`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReportKind::Json => "json",
            ReportKind::Junit => "junit",
        }
    }
}

impl fmt::Display for ReportKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One `--report KIND=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportTarget {
    /// The format.
    pub kind: ReportKind,
    /// The file; `-` means standard output.
    pub path: PathBuf,
}

impl ReportTarget {
    /// Whether the report goes to standard output.
    #[must_use]
    pub fn is_stdout(&self) -> bool {
        self.path.as_os_str() == "-"
    }
}

impl fmt::Display for ReportTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.path.display())
    }
}

/// Why a `--report` was not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportTargetError {
    /// No `=`, though it begins with a kind.
    #[error("`{0}` says no file: write `{0}=FILE`, or `{0}=-` for standard output")]
    NoFile(ReportKind),
    /// No `=`: only a file.
    #[error("`{file}` says no kind: write `{kind}={file}`{}", others(*.kind))]
    NoKind {
        /// What was given.
        file: String,
        /// The kind that the name suggests.
        kind: ReportKind,
    },
    /// A kind that does not exist.
    #[error("unknown kind of report `{given}`; {}", match .similar {
        Some(kind) => format!("did you mean `{kind}`?"),
        None => "the kinds are json and junit".to_owned(),
    })]
    UnknownKind {
        /// What was given.
        given: String,
        /// The kind that was probably meant.
        similar: Option<ReportKind>,
    },
}

fn others(kind: ReportKind) -> String {
    let others: Vec<_> = ReportKind::ALL
        .into_iter()
        .filter(|other| *other != kind)
        .map(|other| format!("{other}=FILE"))
        .collect();
    format!(" (or {})", others.join(", "))
}

impl FromStr for ReportTarget {
    type Err = ReportTargetError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let kind_of = |name: &str| ReportKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        let shown = |text: &str| text::visible(&text::bounded(text, 200)).into_owned();
        let Some((name, path)) = given.split_once('=') else {
            if let Some(kind) = kind_of(given) {
                return Err(ReportTargetError::NoFile(kind));
            }
            if given.contains(['.', '/', '\\']) {
                let kind = if given.ends_with(".xml") { ReportKind::Junit } else { ReportKind::Json };
                return Err(ReportTargetError::NoKind { file: shown(given), kind });
            }
            return Err(ReportTargetError::UnknownKind { given: shown(given), similar: similar(given) });
        };
        let Some(kind) = kind_of(name) else {
            return Err(ReportTargetError::UnknownKind { given: shown(name), similar: similar(name) });
        };
        if path.is_empty() {
            return Err(ReportTargetError::NoFile(kind));
        }
        Ok(ReportTarget { kind, path: PathBuf::from(path) })
    }
}

fn similar(given: &str) -> Option<ReportKind> {
    let given = given.to_ascii_lowercase();
    // What people call the format of JUnit when they look at the file.
    if matches!(given.as_str(), "xml" | "xunit") {
        return Some(ReportKind::Junit);
    }
    let distance = |kind: &ReportKind| strsim::damerau_levenshtein(kind.as_str(), &given);
    ReportKind::ALL.into_iter().min_by_key(distance).filter(|kind| distance(kind) <= 2)
}

/// Writes the bytes of a report to where `target` says.
///
/// # Errors
///
/// As [`write_whole`]; and if standard output is closed or full.
pub fn write(target: &ReportTarget, bytes: &[u8]) -> Result<(), ReportError> {
    if target.is_stdout() {
        let mut out = io::stdout().lock();
        return out.write_all(bytes).and_then(|()| out.flush()).map_err(ReportError::Stdout);
    }
    write_whole(&target.path, bytes)
}

/// Writes a file so that it is whole or absent, whatever happens in between: into a temporary file beside it, which then
/// takes its place. Missing folders are made. Devices and pipes cannot be replaced and are written directly.
///
/// # Errors
///
/// If it cannot be written. What was there before is then still there.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write { path: path.to_owned(), source };
    let place = match fs::metadata(path) {
        Ok(there) if there.is_dir() => return Err(ReportError::IsFolder { path: path.to_owned() }),
        Ok(there) if !there.is_file() => {
            return fs::OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|mut file| file.write_all(bytes).and_then(|()| file.flush()))
                .map_err(failed);
        }
        // A link keeps pointing to its file.
        Ok(_) => fs::canonicalize(path).map_err(failed)?,
        Err(_) => path.to_owned(),
    };
    let folder = match place.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder).map_err(|source| ReportError::Folder { path: folder.to_owned(), source })?;
    replace(folder, &place, bytes).map_err(failed)
}

fn replace(folder: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mcp-conform-").suffix(".tmp");
    // Not secret, unlike most temporary files: the permissions that any new file gets.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(place).map_err(|error| error.error)?;
    // So that the new name survives a crash too. Not every system can, and the report is whole either way.
    #[cfg(unix)]
    if let Ok(folder) = fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn targets_are_a_kind_and_a_file() {
        let target: ReportTarget = "json=out/a=b.json".parse().unwrap();
        assert_eq!(target, ReportTarget { kind: ReportKind::Json, path: PathBuf::from("out/a=b.json") });
        assert!(!target.is_stdout());
        assert!("junit=-".parse::<ReportTarget>().unwrap().is_stdout());
        assert!(!"junit=./-".parse::<ReportTarget>().unwrap().is_stdout());
    }

    #[test]
    fn mistakes_are_explained() {
        let refused = |given: &str| given.parse::<ReportTarget>().unwrap_err().to_string();
        assert_eq!(
            refused("json"),
            "`json` says no file: write `json=FILE`, or `json=-` for standard output"
        );
        assert_eq!(
            refused("junit="),
            "`junit` says no file: write `junit=FILE`, or `junit=-` for standard output"
        );
        assert_eq!(refused("out.xml"), "`out.xml` says no kind: write `junit=out.xml` (or json=FILE)");
        assert_eq!(
            refused("out/report"),
            "`out/report` says no kind: write `json=out/report` (or junit=FILE)"
        );
        assert_eq!(refused("jnit=x"), "unknown kind of report `jnit`; did you mean `junit`?");
        assert_eq!(refused("JSON=x"), "unknown kind of report `JSON`; did you mean `json`?");
        assert_eq!(refused("xml=x"), "unknown kind of report `xml`; did you mean `junit`?");
        assert_eq!(
            refused("sa\x1brif=x"),
            r"unknown kind of report `sa\x1brif`; the kinds are json and junit"
        );
    }

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/report.json");
        write_whole(&path, b"one").unwrap();
        write_whole(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(entries(path.parent().unwrap()), ["report.json"]);
    }

    #[test]
    fn a_folder_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_whole(folder.path(), b"x").unwrap_err();
        assert!(error.to_string().ends_with("it is a folder; name a file in it"), "{error}");
    }

    #[test]
    fn a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, b"x").unwrap();
        let error = write_whole(&file.join("report.json"), b"x").unwrap_err();
        assert!(matches!(error, ReportError::Folder { .. }), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_whole(&link, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        write_whole(Path::new("/dev/null"), b"x").unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_told() {
        let error = write_whole(Path::new("/dev/full"), &[b'x'; 100]).unwrap_err();
        assert!(error.to_string().contains("has space left"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn the_file_can_be_read_by_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (plain, report) = (folder.path().join("plain"), folder.path().join("report"));
        fs::write(&plain, b"x").unwrap();
        write_whole(&report, b"x").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&report), mode(&plain));
    }
}
