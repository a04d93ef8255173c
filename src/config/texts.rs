//! Small files that options name: read whole, with an end to what is taken, and written so that
//! others can't read a secret.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use thiserror::Error;

use crate::net::link::plain_io;

/// Far more than any configuration, cookie file or token; a device would never end.
const MOST: u64 = 16 << 20;

/// Why a file could not be used.
#[derive(Debug, Error)]
pub enum TextError {
    /// The system refused.
    #[error("{name}: {}", plain_io(source))]
    Io {
        /// The file as it was named.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// Too long to be what it should be.
    #[error("{name}: longer than {} MiB", MOST >> 20)]
    TooLong {
        /// The file as it was named.
        name: String,
    },
    /// Not text.
    #[error("{name}: not UTF-8 from byte {offset} on")]
    NotText {
        /// The file as it was named.
        name: String,
        /// The first byte that is none.
        offset: usize,
    },
}

/// Reads a file of text; `-` is stdin.
///
/// # Errors
///
/// It can't be read, is longer than 16 MiB or not UTF-8.
pub fn read(name: &str) -> Result<String, TextError> {
    match name {
        "-" => read_from(io::stdin().lock(), "stdin"),
        name => match File::open(name) {
            Ok(file) => read_from(file, name),
            Err(source) => Err(TextError::Io { name: name.to_owned(), source }),
        },
    }
}

/// The same, but a file that is not there is `None`: for those nobody named.
///
/// # Errors
///
/// As [`read`].
pub fn read_if_there(path: &Path) -> Result<Option<String>, TextError> {
    match read(&path.to_string_lossy()) {
        Ok(text) => Ok(Some(text)),
        Err(TextError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_from(reader: impl Read, name: &str) -> Result<String, TextError> {
    let name = || name.to_owned();
    let mut bytes = Vec::new();
    let io = |source| TextError::Io { name: name(), source };
    reader.take(MOST + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > MOST {
        return Err(TextError::TooLong { name: name() });
    }
    String::from_utf8(bytes).map_err(|error| TextError::NotText {
        name: name(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// Writes a file of secrets: a new one is for its owner only.
///
/// # Errors
///
/// It can't be written.
pub fn write_secret(path: &Path, text: &str) -> Result<(), TextError> {
    let open = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    open.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|source| TextError::Io { name: path.display().to_string(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_is_its_owners() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jar");
        assert!(read_if_there(&path).expect("no error").is_none());
        write_secret(&path, "é").expect("written");
        assert_eq!(read_if_there(&path).expect("read").as_deref(), Some("é"));
        let mode = path.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn what_is_no_text_is_told_with_its_name() {
        let error = read_from(&b"ab\xff"[..], "f").expect_err("not text");
        assert_eq!(error.to_string(), "f: not UTF-8 from byte 2 on");
        let endless = read_from(io::repeat(b'x'), "/dev/zero").expect_err("endless");
        assert_eq!(endless.to_string(), "/dev/zero: longer than 16 MiB");
        assert!(
            read("/nonexistent/f")
                .expect_err("missing")
                .to_string()
                .starts_with("/nonexistent/f: ")
        );
    }
}
