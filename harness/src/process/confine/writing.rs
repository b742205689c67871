//! Writing only beneath a few folders, and signals only to relatives, held by Landlock where the kernel has it.

use std::path::PathBuf;

use landlock::{
    ABI, AccessFs, LandlockStatus, Ruleset, RulesetAttr as _, RulesetCreatedAttr as _, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};

/// What programs write to and nothing is changed by, and where processes share memory. Terminals are left out on
/// purpose: one of them is the user's.
const HARMLESS: [&str; 7] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/shm", "/proc/self"];

/// The version whose rights to write are taken. Later ones add commands to devices, which are no writing (a server may
/// need a graphics card), and connections to sockets, which are the network and free.
const WRITING: ABI = ABI::V3;

/// Confines the calling thread and all that it starts. Returns the version of Landlock that is in force, or nothing on a
/// kernel without it.
pub(super) fn restrict(folders: &[PathBuf]) -> Result<Option<String>, RulesetError> {
    let rights = AccessFs::from_write(WRITING);
    // Reading and executing are not handled, so they stay free.
    let status = Ruleset::default()
        .handle_access(rights)?
        // A tool that ends a process named in its arguments must not find us or the user's editor.
        .scope(Scope::Signal)?
        .create()?
        .add_rules(path_beneath_rules(folders, rights))?
        .add_rules(path_beneath_rules(HARMLESS, rights))?
        .restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, kernel_abi }) => {
            Some(kernel_abi.map_or_else(|| effective_abi.to_string(), |version| version.to_string()))
        }
        (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => None,
    })
}
