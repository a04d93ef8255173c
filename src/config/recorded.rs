//! A recording, or one of its connections, named as `FILE` or `FILE#CONN`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::net::plain_io::{cannot_open, plain_io};
use crate::recording::{Fact, Player, Reader, RecordedSession, RecordingError, Sessions, Sniffed};
use crate::session::Limits;
use crate::ui::sanitize::escaped;

/// The limit for the kept content of a recording, in bytes.
pub const MAX_HELD: usize = 512 << 20;

/// The largest number of connections that an error lists.
const LISTED: usize = 20;

/// A connection in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedName {
    path: PathBuf,
    conn: Option<u64>,
}

/// A recorded connection, with notes.
#[derive(Debug)]
pub struct Recorded {
    /// The connection.
    pub session: RecordedSession,
    /// What is incomplete, one sentence each.
    pub notes: Vec<String>,
}

/// Why a recording can't be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecordedError(String);

impl RecordedName {
    /// Parses `FILE` or `FILE#CONN`. If a file with the whole name exists, it is that file.
    pub fn new(text: &OsStr) -> Self {
        let whole = Self { path: text.into(), conn: None };
        let bytes = text.as_bytes();
        let Some(at) = bytes.iter().rposition(|byte| *byte == b'#') else { return whole };
        let number = std::str::from_utf8(&bytes[at + 1..]).ok().and_then(|text| text.parse().ok());
        match number {
            Some(number) if at > 0 && !whole.path.exists() => {
                Self { path: OsStr::from_bytes(&bytes[..at]).into(), conn: Some(number) }
            }
            _ => whole,
        }
    }

    /// Whether it is stdin.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The requested connection.
    pub fn conn(&self) -> Option<u64> {
        self.conn
    }

    /// The error that the connection does not exist.
    pub fn without(&self, conn: u64) -> RecordedError {
        let why = format!(
            "it has no connection {conn} that was open; `wscope decode --list` lists its \
             connections"
        );
        RecordedError(format!("{}: {why}", self.shown()))
    }

    /// Opens the file, or stdin.
    ///
    /// # Errors
    ///
    /// It can't be opened.
    pub fn open(&self) -> Result<Box<dyn Read>, RecordedError> {
        if self.is_stdin() {
            return Ok(Box::new(io::stdin()));
        }
        match File::open(&self.path) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) => {
                let missing = error.kind() == io::ErrorKind::NotFound;
                let numbered = self.path.as_os_str().as_bytes().contains(&b'#');
                let hint = match missing && numbered && self.conn.is_none() {
                    true => "; what follows # is the number of a connection, as in FILE#1",
                    false => "",
                };
                let text = cannot_open(&self.path, &error) + hint;
                Err(RecordedError(escaped(text.as_bytes())))
            }
        }
    }

    /// The name of the file, safe for a terminal.
    pub fn shown(&self) -> String {
        match self.is_stdin() {
            true => "stdin".to_owned(),
            false => escaped(self.path.as_os_str().as_bytes()),
        }
    }

    /// Reads the connection.
    ///
    /// # Errors
    ///
    /// The file can't be read, is not a recording, or does not have exactly one such connection.
    pub fn read(&self) -> Result<Recorded, RecordedError> {
        let fail = |why: String| RecordedError(format!("{}: {why}", self.shown()));
        let (sessions, notes) = self.sessions(self.open()?).map_err(|error| match error {
            RecordingError::Io(error) => fail(format!("can't read it: {}", plain_io(&error))),
            error => fail(error.to_string()),
        })?;
        let mut sessions = sessions.into_iter();
        match (sessions.next(), self.conn) {
            (Some(session), None) if sessions.len() > 0 => {
                let more = sessions.len().saturating_sub(LISTED);
                let numbers = std::iter::once(session.conn)
                    .chain(sessions.take(LISTED).map(|session| session.conn));
                let numbers: Vec<String> = numbers.map(|conn| conn.to_string()).collect();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let (list, name) = (numbers.join(", "), self.shown());
                Err(fail(format!(
                    "it has connections {list}{more}; choose one, as in '{name}#{}'",
                    session.conn
                )))
            }
            (Some(session), _) => Ok(Recorded { session, notes }),
            (None, Some(conn)) => Err(self.without(conn)),
            (None, None) => Err(fail(
                "none of its connections was open; `wscope decode --list` lists them".to_owned(),
            )),
        }
    }

    fn sessions(
        &self,
        input: Box<dyn Read>,
    ) -> Result<(Vec<RecordedSession>, Vec<String>), RecordingError> {
        let Sniffed { format, input } = Reader::sniff(input)?;
        let format = format.ok_or_else(|| {
            RecordingError::new(
                "not a recording: neither JSON lines of --record, nor an HTTP archive, nor a \
                 packet capture",
            )
        })?;
        let mut reader = Reader::of(format, input)?;
        let mut player = Player::new(Limits::default(), None);
        let mut sessions = Sessions::of_acts(self.conn);
        let mut last = 0;
        while let Some(record) = reader.next_record()? {
            last = record.at.micros.max(last);
            if let Fact::Start { role, complete, .. } = record.fact {
                sessions.begin(role, complete);
            }
            player.play(record, &mut |at, event| {
                sessions.take(at, event);
                Ok::<(), RecordingError>(())
            })?;
            if sessions.held() > MAX_HELD {
                let most = MAX_HELD >> 20;
                return Err(RecordingError::new(format!(
                    "it has more than {most} MiB of messages, too many to keep in memory; name \
                     one connection, as in FILE#1"
                )));
            }
        }
        player.end(last, &mut |at, event| {
            sessions.take(at, event);
            Ok::<(), RecordingError>(())
        })?;
        Ok((sessions.finish().0, reader.remark().into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_behind_the_name_chooses_a_connection() {
        let name = |text: &str| {
            let name = RecordedName::new(OsStr::new(text));
            (name.path.display().to_string(), name.conn)
        };
        assert_eq!(name("a.jsonl"), ("a.jsonl".to_owned(), None));
        assert_eq!(name("a.jsonl#12"), ("a.jsonl".to_owned(), Some(12)));
        assert_eq!(name("a#b.jsonl"), ("a#b.jsonl".to_owned(), None));
        assert_eq!(name("a#1#2"), ("a#1".to_owned(), Some(2)));
        assert_eq!(name("#3"), ("#3".to_owned(), None));
        assert_eq!(name("-#3"), ("-".to_owned(), Some(3)));
    }
}
