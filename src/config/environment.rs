//! The arguments and the environment of this process, and the folders of the user's files. Only
//! this file asks the system for them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The arguments, the program's name first.
pub fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// The prefix of this program's variables.
pub(super) const PREFIX: &str = "WSCOPE_";

/// The variables of this program, unchanged.
pub fn variables() -> Vec<(OsString, OsString)> {
    let own = |name: &OsString| name.as_encoded_bytes().starts_with(PREFIX.as_bytes());
    std::env::vars_os().filter(|(name, _)| own(name)).collect()
}

/// A variable; an empty one counts as unset.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// "when present and not an empty string (regardless of its value), prevents the addition of ANSI
/// color" (no-color.org).
pub(super) fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The width in the variable `COLUMNS`.
pub(super) fn columns() -> Option<usize> {
    variable("COLUMNS")?.to_str()?.parse().ok().filter(|columns| *columns > 0)
}

/// The pager command.
pub fn pager() -> OsString {
    variable("WSCOPE_PAGER").or_else(|| variable("PAGER")).unwrap_or_else(|| "less".into())
}

/// The home folder.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// Replaces a leading `~/` with the home folder, as shells do.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// "$XDG_DATA_HOME defines the base directory relative to which user-specific data files should be
/// stored" (XDG Base Directory Specification); its default is `~/.local/share`.
pub fn authority_folder() -> Option<PathBuf> {
    let data =
        std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let data = data.or_else(|| home().map(|home| home.join(".local/share")))?;
    Some(data.join("wscope/ca"))
}

/// "$XDG_STATE_HOME defines the base directory relative to which user-specific state files should
/// be stored" (XDG Base Directory Specification); its default is `~/.local/state`.
pub(super) fn history_path() -> Option<PathBuf> {
    let state =
        std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state = state.or_else(|| home().map(|home| home.join(".local/state")))?;
    Some(state.join("wscope").join("history"))
}
