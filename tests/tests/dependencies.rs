//! The dependency rule of ARCHITECTURE.md.

use std::process::Command;

use serde_json::Value;

/// What each package of the workspace may use of the others.
const ALLOWED: [(&str, &[&str]); 5] = [
    ("mcp-conform-cases", &[]),
    ("mcp-reference-server", &[]),
    ("mcp-conform-engine", &[]),
    ("mcp-conform", &["mcp-conform-cases", "mcp-conform-engine", "mcp-reference-server"]),
    ("mcp-conform-tests", &["mcp-conform", "mcp-conform-cases", "mcp-reference-server"]),
];

#[test]
fn packages_depend_on_no_others_than_they_may() {
    let cargo = std::env::var_os("CARGO").unwrap();
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let names: Vec<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    assert_eq!(names.len(), ALLOWED.len(), "a new package needs a line here: {names:?}");
    for (name, allowed) in ALLOWED {
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let dependency = dependency["name"].as_str().unwrap();
            let ours = names.contains(&dependency);
            assert!(!ours || allowed.contains(&dependency), "{name} must not depend on {dependency}");
            assert!(!["rmcp", "mcp-sdk"].contains(&dependency), "{name} is built on an SDK");
        }
    }
}

/// The binary carries the reference server; the library must not know it, or a shared mistake would hide.
#[test]
fn the_harness_library_does_not_know_the_reference_server() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/src");
    let mut folders = vec![root.clone()];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path != root.join("cli") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                seen += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(
                    !text.contains("mcp_reference_server"),
                    "{} uses the reference server",
                    path.display()
                );
            }
        }
    }
    assert!(seen > 30, "only {seen} files were looked at");
}
