//! The user's own case files.

use std::fs;
use std::path::{Path, PathBuf};

use mcp_conform::judge::{checks, invariants};
use mcp_conform_cases::case::Script;
use mcp_conform_cases::{Library, yaml};

/// How deep folders of case files may be nested.
const MOST_FOLDERS: usize = 8;

/// Adds the files, and the `.yaml` files of the folders, to the library.
pub(crate) fn add(library: &mut Library, paths: &[PathBuf]) -> Result<(), String> {
    for path in paths {
        let files = files(path)?;
        if files.is_empty() {
            return Err(format!("--cases {}: the folder holds no `.yaml` file", path.display()));
        }
        for file in files {
            let text = read(&file)?;
            library.add(&file.display().to_string(), &text).map_err(|error| error.to_string())?;
        }
    }
    library.cases.sort_by(|left, right| left.id.cmp(&right.id));
    for case in &library.cases {
        if let Script::Invariant(invariant) = &case.script
            && invariants::rule(&invariant.name).is_none()
        {
            return Err(format!("{}: there is no invariant `{}`", case.id, invariant.name));
        }
        if let Some(unknown) = case.checks().find(|name| !checks::NAMES.contains(name)) {
            return Err(format!("{}: there is no check `{unknown}`", case.id));
        }
    }
    Ok(())
}

/// A file itself, or the `.yaml` files of a folder, in order.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    collect(path, 0, &mut files)?;
    files.sort();
    Ok(files)
}

/// The text of a case file.
pub(crate) fn read(file: &Path) -> Result<String, String> {
    let shown = file.display();
    let about = fs::metadata(file).map_err(|error| format!("{shown}: {error}"))?;
    if !about.is_file() {
        return Err(format!("{shown}: is neither a file nor a folder"));
    }
    let length = about.len();
    if length > yaml::MAX_FILE as u64 {
        return Err(format!("{shown}: is {length} bytes long; the limit is {}", yaml::MAX_FILE));
    }
    fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))
}

fn collect(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), String> {
    if !path.is_dir() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    if depth == MOST_FOLDERS {
        return Err(format!("{}: folders are nested too deeply", path.display()));
    }
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    for entry in entries {
        let inner = entry.map_err(|error| format!("{}: {error}", path.display()))?.path();
        if inner.is_dir() || inner.extension().is_some_and(|extension| extension == "yaml") {
            collect(&inner, depth + 1, files)?;
        }
    }
    Ok(())
}
