//! Small files that options name: read completely up to a limit, and written so that other users
//! can't read a secret.
//!
//! A device or a pipe may never end, so no file is read without a limit. Reading waits for the
//! writer of a FIFO, as in every program: these files are read before wscope handles signals, so
//! Ctrl-C ends the wait.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use thiserror::Error;

use crate::net::plain_io::plain_io;

/// The largest configuration, token, cookie file, certificate or key in bytes. Real ones are far
/// smaller.
pub const MOST: u64 = 16 << 20;

/// A file that could not be used.
#[derive(Debug, Error)]
#[error("{name}: {fault}")]
pub struct FileError {
    /// The file as it was named.
    pub name: String,
    /// Why it could not be used.
    pub fault: FileFault,
}

/// Why a file could not be used.
#[derive(Debug, Error)]
pub enum FileFault {
    /// The system refused.
    #[error("{}", plain_io(.0))]
    Io(#[from] io::Error),
    /// It is longer than this many bytes.
    #[error("longer than the limit of {} MiB", .0 >> 20)]
    TooLong(u64),
    /// It is not UTF-8 from this byte on.
    #[error("not UTF-8 from byte {0} on")]
    NotText(usize),
}

impl FileFault {
    fn of(self, name: impl Into<String>) -> FileError {
        FileError { name: name.into(), fault: self }
    }
}

/// A file that an option names and several connections need: read once, at most [`MOST`] bytes.
///
/// A pipe returns its bytes only once, and wscope must not wait for a pipe while it serves
/// connections. All clones share the bytes.
#[derive(Clone)]
pub struct FileOnce {
    path: PathBuf,
    bytes: Arc<OnceLock<Vec<u8>>>,
}

impl FileOnce {
    /// A file that has not been read yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path, bytes: Arc::default() }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes, read by the first call that succeeds.
    pub fn read(&self) -> Result<&[u8], FileError> {
        match self.bytes.get() {
            Some(bytes) => Ok(bytes),
            None => {
                let bytes = read_named(&self.path, MOST)?;
                Ok(self.bytes.get_or_init(|| bytes))
            }
        }
    }
}

/// Two files are equal if their names are equal.
impl PartialEq for FileOnce {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for FileOnce {}

/// Shows only the name, because the bytes may be a key.
impl fmt::Debug for FileOnce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// Reads a file of at most `most` bytes; `-` is stdin.
///
/// # Errors
///
/// It can't be read, or is longer. A device without an end counts as longer.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    match path.as_os_str() == "-" {
        true => read_from(io::stdin().lock(), "stdin", most),
        false => read_named(path, most),
    }
}

/// Like [`read`], but `-` is a file with this name: for options that can't read stdin.
pub fn read_named(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    let name = path.to_string_lossy();
    match File::open(path) {
        Ok(file) => read_from(file, &name, most),
        Err(error) => Err(FileFault::Io(error).of(name)),
    }
}

/// Reads a file of text of at most 16 MiB; `-` is stdin.
///
/// # Errors
///
/// It can't be read, is longer than 16 MiB, or is not UTF-8.
pub fn read_text(path: impl AsRef<Path>) -> Result<String, FileError> {
    let path = path.as_ref();
    let name = if path.as_os_str() == "-" { "stdin".into() } else { path.to_string_lossy() };
    String::from_utf8(read(path, MOST)?)
        .map_err(|error| FileFault::NotText(error.utf8_error().valid_up_to()).of(name))
}

/// Like [`read_text`], but a missing file is `None`: for files that the user did not name.
pub fn read_text_if_there(path: &Path) -> Result<Option<String>, FileError> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(FileError { fault: FileFault::Io(error), .. })
            if error.kind() == io::ErrorKind::NotFound =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn read_from(reader: impl Read, name: &str, most: u64) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    let read = reader.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| FileFault::Io(error).of(name))?;
    match bytes.len() as u64 > most {
        true => Err(FileFault::TooLong(most).of(name)),
        false => Ok(bytes),
    }
}

/// Opens a file to overwrite it; a new file is readable by its owner only.
///
/// # Errors
///
/// Those of [`std::fs::File::create`].
pub fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Creates a new file that only its owner can read.
///
/// # Errors
///
/// The file exists, or can't be created.
pub fn create_new_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes a file of secrets. Only its owner can read a new file.
///
/// # Errors
///
/// It can't be written.
pub fn write_secret(path: &Path, text: &str) -> Result<(), FileError> {
    create_private(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| FileFault::Io(error).of(path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jar");
        assert!(read_text_if_there(&path).expect("no error").is_none());
        write_secret(&path, "é").expect("written");
        assert_eq!(read_text_if_there(&path).expect("read").as_deref(), Some("é"));
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_error_names_the_file_and_what_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, b"ab\xff").expect("written");
        let error = read_text(&path).expect_err("not text");
        assert_eq!(error.to_string(), format!("{}: not UTF-8 from byte 2 on", path.display()));
        let endless = read(Path::new("/dev/zero"), MOST).expect_err("endless");
        assert_eq!(endless.to_string(), "/dev/zero: longer than the limit of 16 MiB");
        assert!(endless.to_string().ends_with(&endless.fault.to_string()));
        let missing = read_text("/nonexistent/f").expect_err("missing").to_string();
        assert!(missing.starts_with("/nonexistent/f: "), "{missing}");
    }
}
