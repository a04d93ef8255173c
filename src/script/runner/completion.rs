//! What the prompt completes and hints from: the table of commands, the files of this machine, a server's clients.

use std::path::{MAIN_SEPARATOR, Path};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::event::ConnId;
use crate::output::secrets;
use crate::script::command::completion::{Candidate, Surroundings, complete_for};
use crate::script::command::hint::hint_for;
use crate::ui::prompt::{Assist, Completion};
use crate::wire::Role;

/// The most files that are proposed: a longer list is not read.
const MAX_FILES: usize = 1000;

/// A server's clients for completion: their numbers and descriptions. Written by the loop, read by
/// the thread of the editor.
#[derive(Clone, Debug, Default)]
pub struct ClientDirectory(Arc<Mutex<Vec<(u64, String)>>>);

impl ClientDirectory {
    /// Replaces them.
    pub fn set(&self, clients: Vec<(u64, String)>) {
        *self.lock() = clients;
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.lock().len()
    }

    /// Whether one is there.
    pub fn has(&self, id: ConnId) -> bool {
        self.lock().iter().any(|(other, _)| *other == id.0)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes commands and their arguments, or nothing where there are no commands.
pub struct CommandAssist {
    /// Lines that start with a slash are commands.
    pub commands: bool,
    /// Whose side the lines are for.
    pub role: Role,
    /// The clients of a server.
    pub clients: ClientDirectory,
}

impl Assist for CommandAssist {
    fn complete(&self, line: &str, pos: usize) -> (usize, Vec<Completion>) {
        let is_command =
            line.starts_with('/') || (self.role == Role::Server && line.starts_with('@'));
        if !self.commands || !is_command {
            return (pos, Vec::new());
        }
        let clients = &self.clients.lock();
        let amid = Surroundings { role: self.role, files: &files, clients };
        let (start, candidates) = complete_for(line, pos, &amid);
        let completion = |Candidate { replacement, display, description }: Candidate| Completion {
            shown: display,
            replacement,
            description,
        };
        (start, candidates.into_iter().map(completion).collect())
    }

    fn hint(&self, line: &str, pos: usize) -> Option<String> {
        if self.commands { hint_for(line, pos, self.role) } else { None }
    }

    fn may_keep(&self, line: &str) -> bool {
        secrets::redact(line) == line
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
