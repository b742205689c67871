//! Reports: listeners of a run, which cannot influence it, and the files that are written of it.

pub mod file;
mod finding;
mod frames;
mod group;
pub mod json;
pub mod junit;
mod layout;
pub mod progress;
#[cfg(test)]
mod samples;
pub mod style;
pub mod terminal;

use std::io;
use std::path::PathBuf;

pub use file::{ReportKind, ReportTarget, ReportTargetError};
pub use json::Report;
pub use progress::Progress;
pub use style::{ColourChoice, Style};
pub use terminal::{Terminal, Verbosity};

use crate::event::{Finish, Header};

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The report could not be brought into its format: a mistake of ours.
    #[error("the {kind} report could not be made: {reason}; please report this")]
    Format {
        /// The kind of report.
        kind: ReportKind,
        /// What the library that writes the format says.
        reason: String,
    },
    /// The folder is missing and could not be made.
    #[error("cannot make the folder `{}` for the report: {source}; make it, or name another", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path is a folder.
    #[error("cannot write the report to `{}`: it is a folder; name a file in it", path.display())]
    IsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The file could not be written. What was there before is still there.
    #[error("cannot write the report to `{}`: {source}; check that the folder is writable and has space left", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Standard output is closed or full.
    #[error("cannot write the report to standard output: {0}; write it to a file instead")]
    Stdout(#[source] io::Error),
    /// A report without content.
    #[error("the report is empty; run `mcp-conform` with `--report json=FILE` again")]
    Empty,
    /// A report that ends too early.
    #[error("the report ends in the middle, at line {line}; it was not copied whole")]
    Truncated {
        /// The last line.
        line: usize,
    },
    /// A file that is no JSON, or JSON of another kind.
    #[error("this is no report of mcp-conform: {reason}")]
    NotAReport {
        /// What is wrong with it.
        reason: String,
    },
    /// A report of another version of the format.
    #[error("this is a report in the format `{found}`; this version of mcp-conform reads `{expected}`")]
    OtherFormat {
        /// The format that the file names.
        found: String,
        /// The format that we know.
        expected: &'static str,
    },
    /// A report whose counts do not match its results.
    #[error(
        "the summary of the report counts {counted} results as `{verdict}`, but it holds {held}; it was changed after it was written"
    )]
    Miscounted {
        /// The verdict that is counted wrongly.
        verdict: crate::verdict::Verdict,
        /// The count in the summary.
        counted: usize,
        /// The count of the results.
        held: usize,
    },
}

/// Writes the report of a finished run to where `target` says.
///
/// # Errors
///
/// If it cannot be written. A file is then what it was before.
pub fn write(
    target: &ReportTarget,
    header: &Header,
    finish: &Finish,
    exit_code: u8,
) -> Result<(), ReportError> {
    file::write(target, &render(target.kind, header, finish, exit_code)?)
}

/// The bytes of a report.
///
/// # Errors
///
/// Only by a mistake of ours: everything that a run can hold can be written in every format.
pub fn render(
    kind: ReportKind,
    header: &Header,
    finish: &Finish,
    exit_code: u8,
) -> Result<Vec<u8>, ReportError> {
    match kind {
        ReportKind::Json => Report::new(header, finish, exit_code).to_bytes(),
        ReportKind::Junit => junit::render(header, finish),
    }
}
