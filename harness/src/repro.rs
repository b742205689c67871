//! The command that repeats a finding.

use mcp_conform_cases::Revision;

use crate::event::Transport;
use crate::settings::Settings;

/// A command line for a POSIX shell that runs these cases alone against the same target.
#[must_use]
pub fn command(settings: &Settings, revision: Revision, transport: Transport, cases: &[&str]) -> String {
    let selected = cases.iter().flat_map(|case| ["-k".to_owned(), (*case).to_owned()]).collect();
    let reference = settings.target.is_reference();
    // A subcommand comes before its options.
    let subcommand = if reference { vec!["reference".to_owned()] } else { Vec::new() };
    words(settings, revision, transport, subcommand, selected)
}

/// A command line for a POSIX shell that tries a finding of the fuzzer again on the same target.
#[must_use]
pub fn replay(settings: &Settings, revision: Revision, transport: Transport, file: &str) -> String {
    words(settings, revision, transport, vec!["replay".to_owned(), file.to_owned()], Vec::new())
}

fn words(
    settings: &Settings,
    revision: Revision,
    transport: Transport,
    subcommand: Vec<String>,
    options: Vec<String>,
) -> String {
    let mut words: Vec<String> = vec!["mcp-conform".to_owned()];
    let is_bare =
        settings.target.is_reference() && subcommand.first().is_some_and(|word| word == "reference");
    words.extend(subcommand);
    if is_bare {
        words.extend(settings.target.words.iter().skip(1).cloned());
    }
    words.extend(options);
    words.extend(["--revision".to_owned(), revision.as_str().to_owned()]);
    if settings.target.ways.len() > 1 {
        words.extend(["--transport".to_owned(), transport.as_str().to_owned()]);
    }
    words.extend(settings.repeat_options.iter().cloned());
    if !is_bare {
        if settings.target.words.iter().any(|word| word.starts_with('-')) {
            words.push("--".to_owned());
        }
        words.extend(settings.target.words.iter().cloned());
    }
    words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// A word as a POSIX shell takes it.
#[must_use]
pub fn quote(word: &str) -> String {
    let plain =
        !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn words_survive_a_shell() {
        for word in ["plain", "", "a b", "it's", "$HOME", "`x`", "ä;rm -rf /", "new\nline", "\\"] {
            let printed = std::process::Command::new("sh")
                .arg("-c")
                .arg(format!("printf %s {}", quote(word)))
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(printed.stdout).unwrap(), word);
        }
    }
}
