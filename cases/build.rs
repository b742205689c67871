//! Lists the YAML files of a folder as Rust source, so that they are embedded and a new file is noticed.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    for folder in ["library", "requirements"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        let mut source = String::from("&[\n");
        for file in files {
            let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            let _ = writeln!(source, "    ({name:?}, include_str!({:?})),", file.display().to_string());
        }
        source.push_str("]\n");
        fs::write(out.join(format!("{folder}.rs")), source)?;
    }
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    Ok(())
}
