//! Lists the YAML files of a folder as Rust source, so that they are embedded and a new file is noticed: each with its
//! text, and with the same as JSON, which takes a tenth of the time to read at every start.

#[path = "src/yaml/strict.rs"]
mod strict;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed=src/yaml/strict.rs");
    for folder in ["library", "requirements"] {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&root.join(folder), &mut files)?;
        files.sort();
        let mut source = String::from("&[\n");
        for file in files {
            let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            let json = as_json(&fs::read_to_string(&file)?)
                .map_err(|error| io::Error::other(format!("{name}: {error}")))?;
            let _ = writeln!(
                source,
                "    Embedded {{ name: {name:?}, text: include_str!({:?}), json: {json:?} }},",
                file.display().to_string()
            );
        }
        source.push_str("]\n");
        fs::write(out.join(format!("{folder}.rs")), source)?;
    }
    Ok(())
}

fn as_json(yaml: &str) -> Result<String, serde_saphyr::Error> {
    serde_saphyr::from_str_with_options::<serde_json::Value>(yaml, strict::options())
        .map(|value| value.to_string())
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
