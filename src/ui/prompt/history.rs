//! The lines of earlier: the file they are kept in, and how they come back.
//!
//! The file is rustyline's own: one entry a line, locked while it is written, so that several
//! sessions can share it. What is too long to be edited comes back as a label.

use std::borrow::Cow;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustyline::config::Config;
use rustyline::history::{FileHistory, History, SearchDirection, SearchResult};
use rustyline::{Result, error::ReadlineError};

use super::secrets::holds_secret;
use super::typing::SharedTyping;

/// Bytes of an entry at most.
const MAX_ENTRY: usize = 64 * 1024;

/// How rustyline marks a file whose entries may hold line ends.
const FIRST_LINE: &[u8] = b"#V2\n";

/// Whether a line is one for the history: not empty, not begun with a space, not huge, no secret.
pub fn is_kept(line: &str) -> bool {
    !line.is_empty() && line.len() <= MAX_ENTRY && !line.starts_with(' ') && !holds_secret(line)
}

/// Makes sure that there is a file, which only its owner can read, in a folder that only its owner
/// can enter if it has to be created.
pub fn create(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(FIRST_LINE),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// The line editor's error as one of the system.
pub fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(errno) => errno.into(),
        other => io::Error::other(other.to_string()),
    }
}

/// The history as the line editor sees it.
pub struct Recall {
    file: FileHistory,
    typing: SharedTyping,
}

impl Recall {
    pub fn new(config: &Config, typing: SharedTyping) -> Self {
        Self { file: FileHistory::with_config(config), typing }
    }

    /// An entry as it comes into the line; a match in what a label hides has no place.
    fn fold<'a>(&self, found: SearchResult<'a>) -> SearchResult<'a> {
        let entry = self.typing.lock().pastes.fold("recalled", found.entry.to_string());
        let pos = if entry == found.entry { found.pos } else { entry.len() };
        SearchResult { entry: Cow::Owned(entry), pos, ..found }
    }
}

impl History for Recall {
    fn get(&self, index: usize, dir: SearchDirection) -> Result<Option<SearchResult<'_>>> {
        Ok(self.file.get(index, dir)?.map(|found| self.fold(found)))
    }

    fn add(&mut self, line: &str) -> Result<bool> {
        self.file.add(line)
    }

    fn add_owned(&mut self, line: String) -> Result<bool> {
        self.file.add_owned(line)
    }

    fn len(&self) -> usize {
        self.file.len()
    }

    fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    fn set_max_len(&mut self, len: usize) -> Result<()> {
        self.file.set_max_len(len)
    }

    fn ignore_dups(&mut self, yes: bool) -> Result<()> {
        self.file.ignore_dups(yes)
    }

    fn ignore_space(&mut self, yes: bool) {
        self.file.ignore_space(yes);
    }

    fn save(&mut self, path: &Path) -> Result<()> {
        self.file.save(path)
    }

    fn append(&mut self, path: &Path) -> Result<()> {
        self.file.append(path)
    }

    fn load(&mut self, path: &Path) -> Result<()> {
        self.file.load(path)
    }

    fn clear(&mut self) -> Result<()> {
        self.file.clear()
    }

    fn search(
        &self,
        term: &str,
        start: usize,
        dir: SearchDirection,
    ) -> Result<Option<SearchResult<'_>>> {
        Ok(self.file.search(term, start, dir)?.map(|found| self.fold(found)))
    }

    fn starts_with(
        &self,
        term: &str,
        start: usize,
        dir: SearchDirection,
    ) -> Result<Option<SearchResult<'_>>> {
        Ok(self.file.starts_with(term, start, dir)?.map(|found| self.fold(found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lines_worth_keeping_are_kept() {
        assert!(is_kept("/ping"));
        assert!(is_kept(&"x".repeat(MAX_ENTRY)));
        for line in ["", " /ping", "Cookie: a=b", &"x".repeat(MAX_ENTRY + 1)] {
            assert!(!is_kept(line), "{:.20}", line);
        }
    }

    #[test]
    fn long_entries_come_back_as_labels() {
        let typing = SharedTyping::default();
        let config = Config::builder().build();
        let mut recall = Recall::new(&config, typing.clone());
        let long = format!("needle {}", "x".repeat(3000));
        assert!(recall.add("short needle").expect("kept"));
        assert!(recall.add(&long).expect("kept"));
        let found = recall.search("needle", 1, SearchDirection::Reverse).expect("works");
        let found = found.expect("there");
        assert_eq!(found.entry, "[recalled 3,007 bytes, 1 line]");
        assert_eq!(found.pos, found.entry.len());
        assert_eq!(typing.lock().pastes.unfold(found.entry.into_owned()), long);
        let found = recall.get(0, SearchDirection::Reverse).expect("works").expect("there");
        assert_eq!(found.entry, "short needle");
    }
}
