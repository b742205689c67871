//! LLVM's libFuzzer as an engine. It is linked as a library: neither cargo-fuzz nor a nightly compiler is needed.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::{Engine, EngineError, Target, foreign};

pub use crate::mutate::Marks;

/// How many bytes of memory the process may use before libFuzzer ends it, in MiB.
const MEMORY_MIB: u32 = 120;

/// What decides which inputs are made.
#[derive(Clone, Debug)]
pub struct LibFuzzer {
    /// Where inputs with new feedback are kept, and those that are there already are begun with.
    pub corpus: PathBuf,
    /// Folders of further inputs to begin with.
    pub seeds: Vec<PathBuf>,
    /// What the files that libFuzzer writes when it gives up begin with, the folder included.
    pub artifacts: PathBuf,
    /// Where random decisions come from; 0 counts as 1, since libFuzzer takes 0 for the time of day.
    pub seed: u32,
    /// How many first bytes say what kind of input it is; those behind them are taken for text more often than not.
    pub head: usize,
    /// What stands between the parts of that text, and what begins a part that the byte behind it stands for. Neither is
    /// likely to come about by chance.
    pub marks: Marks,
    /// The longest input, in bytes.
    pub longest: usize,
}

impl LibFuzzer {
    fn arguments(&self) -> Result<Vec<CString>, EngineError> {
        let mut words: Vec<OsString> = vec!["mcp-conform".into()];
        words.extend(
            [
                format!("-seed={}", self.seed.max(1)),
                format!("-max_len={}", self.longest),
                format!("-rss_limit_mb={MEMORY_MIB}"),
                // Deadlines are the target's: it knows what is the server's delay.
                "-timeout=0".to_owned(),
                // Of other processes that write into the same folder, and it would depend on the time.
                "-reload=0".to_owned(),
                // What is compared in this process are our own texts and not the server's.
                "-use_cmp=0".to_owned(),
                // It favours what is seldom reached, which are the places of a server that depend on the time.
                "-entropic=0".to_owned(),
                "-detect_leaks=0".to_owned(),
                "-verbosity=0".to_owned(),
            ]
            .map(OsString::from),
        );
        // A signal to us is no crash of the target.
        for signal in ["abrt", "bus", "fpe", "ill", "int", "segv", "term", "usr1", "usr2", "xfsz"] {
            words.push(format!("-handle_{signal}=0").into());
        }
        let mut artifacts = OsString::from("-artifact_prefix=");
        artifacts.push(&self.artifacts);
        words.push(artifacts);
        words.push(self.corpus.clone().into_os_string());
        words.extend(self.seeds.iter().map(|folder| folder.clone().into_os_string()));
        words.iter().map(|word| terminated(word)).collect()
    }
}

fn terminated(word: &OsStr) -> Result<CString, EngineError> {
    CString::new(word.as_bytes()).map_err(|_| EngineError::Path)
}

/// libFuzzer keeps its state for the life of the process, and ends the process when the target stops it.
impl Engine for LibFuzzer {
    fn run(&self, target: Box<dyn Target>) -> Result<(), EngineError> {
        foreign::drive(&self.arguments()?, (self.head, self.marks), target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_never_the_time_of_day() {
        let engine = LibFuzzer {
            corpus: "/c".into(),
            seeds: vec!["/s".into()],
            artifacts: "/a".into(),
            seed: 0,
            head: 2,
            marks: Marks { next: 0xff, known: 0xfe },
            longest: 9,
        };
        let words: Vec<String> =
            engine.arguments().unwrap().into_iter().map(|word| word.into_string().unwrap()).collect();
        assert!(
            words.contains(&"-seed=1".to_owned()) && words.contains(&"-max_len=9".to_owned()),
            "{words:?}"
        );
        assert_eq!(words.last().unwrap(), "/s");
    }

    #[test]
    fn a_folder_that_c_cannot_name_is_refused() {
        let engine = LibFuzzer {
            corpus: "a\0b".into(),
            seeds: Vec::new(),
            artifacts: "/a".into(),
            seed: 1,
            head: 2,
            marks: Marks { next: 0xff, known: 0xfe },
            longest: 9,
        };
        assert_eq!(engine.arguments().unwrap_err(), EngineError::Path);
    }
}
