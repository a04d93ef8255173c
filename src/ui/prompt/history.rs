//! The history: the file of earlier lines, and how they are recalled.
//!
//! The file is rustyline's own: one entry on each line, locked while it is written, so that several
//! sessions can share it. An entry that is too long to edit is recalled as a label.

use std::borrow::Cow;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;
use rustyline::Result;
use rustyline::config::Config;
use rustyline::error::ReadlineError;
use rustyline::history::{FileHistory, History, SearchDirection, SearchResult};

use super::typing::SharedTyping;

/// The largest entry in bytes.
const MAX_ENTRY: usize = 64 * 1024;

/// The mark of rustyline for a file whose entries may contain line ends.
const FIRST_LINE: &[u8] = b"#V2\n";

/// Whether the history keeps a line: not if it is empty, begins with a space, is very long, or
/// contains a secret.
pub fn is_kept(line: &str) -> bool {
    !line.is_empty() && line.len() <= MAX_ENTRY && !line.starts_with(' ') && !holds_secret(line)
}

/// Creates the file, if there is none; only its owner can read it. Also creates the folder, which
/// only its owner can enter.
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

/// Converts an error of the line editor to an error of the system.
pub fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        ReadlineError::Errno(errno) => errno.into(),
        other => io::Error::other(other.to_string()),
    }
}

/// The history for the line editor.
pub struct Recall {
    file: FileHistory,
    typing: SharedTyping,
}

impl Recall {
    pub fn new(config: &Config, typing: SharedTyping) -> Self {
        Self { file: FileHistory::with_config(config), typing }
    }

    /// An entry as it is recalled. A match inside a text that a label hides has no position.
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

/// Shapes of secrets, case ignored.
const SHAPES: &str = r#"(?xi)
    # Fields of HTTP: `Authorization: …`, `Proxy-Authorization: …`, `Cookie: …`, `Set-Cookie: …`
    (?: ^ | [^\w-] ) (?: (?:proxy-)? authorization | (?:set-)? cookie ) [\\"']* \s* [:=] \s* \S
    # Credentials anywhere: `Bearer eyJ…`
  | \b bearer \s+ \S
    # `scheme://user:password@host`
  | \b [a-z][a-z0-9+.-]* :// [^/\s?\#@:]* : [^/\s?\#@]+ @
    # A key with a value, in JSON, in a query, in a form: `"access_token": "…"`, `?api-key=…`
  | (?: password | passwd | passphrase | passcode | \b pwd | token | secret | api[_-]?key | session
      | signature | \b sig | credential | \b auth | \b jwt ) [\w-]*
    [\\"']* \s* [:=] \s* [\\"']* [^\s\\"'&,;}\]]
"#;

static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SHAPES).ok());

/// Whether a line seems to contain a password, a token, a cookie or other credentials.
pub fn holds_secret(line: &str) -> bool {
    SHAPE.as_ref().is_none_or(|shape| shape.is_match(line))
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

#[cfg(test)]
mod secrets_tests {
    use super::*;

    #[test]
    fn credentials_are_secrets() {
        assert!(SHAPE.is_some(), "the shapes are a regular expression");
        for line in [
            "Authorization: Basic dXNlcjpwYXNz",
            "/headers authorization: Bearer abc",
            "/headers Proxy-Authorization:x",
            "Cookie: session=1",
            "set-cookie: a=b",
            r#"{"headers":{"Authorization":"Basic eA=="}}"#,
            "send Bearer eyJhbGciOi",
            "BEARER  x",
            "/open wss://user:pw@example.com/",
            "/open ws://:pw@example.com",
            "wss://user:p%40ss@[::1]:8080/path",
            r#"{"type":"login","password":"hunter2"}"#,
            r#"{"Password" : "hunter2"}"#,
            r#"{\"passwd\":\"hunter2\"}"#,
            r#"{"token":12345}"#,
            r#"{"access_token":"x"}"#,
            r#"{"refreshToken": "x"}"#,
            r#"{"tokenValue": "x"}"#,
            r#"{'client_secret':'x'}"#,
            "/open wss://example.com/?api_key=abc",
            "/open wss://example.com/?a=1&apikey=abc",
            "X-API-Key: abc",
            "/headers X-Auth: abc",
            "/open wss://example.com/?sig=abc",
            "X-Session-Id: abc",
            "/text CONNECT\\nlogin:guest\\npasscode:guest\\n\\n\\0",
            "pwd=abc",
            "access_token=abc",
            "password=hunter2",
            "first line\nsecret: x",
        ] {
            assert!(holds_secret(line), "{line}");
        }
    }

    #[test]
    fn everything_else_is_kept() {
        for line in [
            "",
            "hello",
            "/ping",
            "/open wss://example.com:8080/path@home",
            "/open wss://user@example.com/",
            "/open wss://example.com/a:b@c",
            "the authorization failed",
            "I lost my password",
            "forget your token, it is no secret",
            r#"{"type":"subscribe","channel":"tokens"}"#,
            r#"{"password":""}"#,
            r#"{"token": "", "a": 1}"#,
            "?token=&a=1",
            "a cookie and a forbearer",
            "cookies: two",
            "bearer",
            "mail me@example.com",
            "12:30 @ noon",
        ] {
            assert!(!holds_secret(line), "{line}");
        }
    }
}
