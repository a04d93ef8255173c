//! What helps at the prompt: the table of commands, and the files of this machine.

use std::path::{MAIN_SEPARATOR, Path};

use crate::ui::command::completion::{Candidate, complete};
use crate::ui::command::hint::hint;
use crate::ui::prompt::{Assist, Completion};

/// Files that are proposed at most: more nobody reads.
const MAX_FILES: usize = 1000;

/// Completes commands and their arguments, or nothing where there are no commands.
pub struct CommandAssist {
    /// Lines that start with a slash are commands.
    pub commands: bool,
}

impl Assist for CommandAssist {
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>) {
        if !self.commands || !line.starts_with('/') {
            return (pos, Vec::new());
        }
        let (start, candidates) = complete(line, pos, &files);
        let widest = candidates.iter().map(|candidate| candidate.display.len()).max().unwrap_or(0);
        let completion = |Candidate { replacement, display, description }: Candidate| Completion {
            shown: match description.is_empty() {
                true => display,
                false => format!("{display:widest$}  {description}"),
            },
            replacement,
        };
        (start, candidates.into_iter().map(completion).collect())
    }

    fn hint(&self, line: &str, pos: usize) -> Option<String> {
        if self.commands { hint(line, pos) } else { None }
    }
}

/// The paths that begin with `typed`; a folder ends in a slash.
fn files(typed: &str) -> Vec<String> {
    let (folder, begun) = match typed.rfind(MAIN_SEPARATOR) {
        Some(at) => typed.split_at(at + 1),
        None => ("", typed),
    };
    let place = match folder {
        "" => Path::new(".").to_owned(),
        folder => crate::config::expand_home(Path::new(folder)),
    };
    // A folder that can't be read has nothing to propose.
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut paths: Vec<String> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let hidden = name.starts_with('.') && !begun.starts_with('.');
            if hidden || !name.starts_with(begun) {
                return None;
            }
            let is_folder = std::fs::metadata(entry.path()).is_ok_and(|entry| entry.is_dir());
            Some(format!("{folder}{name}{}", if is_folder { "/" } else { "" }))
        })
        .take(MAX_FILES)
        .collect();
    paths.sort_unstable();
    paths
}
