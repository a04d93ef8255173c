//! `.netrc`: the credentials for each machine, in the format of ftp(1) as curl reads it.
//!
//! Any text gives a list of entries and a list of errors with their lines. This file reads no
//! files.

use std::ffi::OsString;
use std::path::PathBuf;

use super::file::{OPEN_QUOTE, in_quotes};
use crate::net::secret::Secret;

/// A parsed file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netrc {
    /// The entries in their order.
    pub entries: Vec<NetrcEntry>,
    /// The invalid parts.
    pub faults: Vec<NetrcFault>,
}

/// The entry of one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetrcEntry {
    /// The name of the host; `None` for `default`, which matches all.
    pub machine: Option<String>,
    /// The user's name.
    pub login: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// An additional password for some machines; wscope does not use it.
    pub account: Option<Secret>,
}

/// A part of the file that is not in the format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct NetrcFault {
    /// Counted from 1.
    pub line: usize,
    /// The error; quotes no token, because it could be a password.
    pub what: &'static str,
}

/// The usual place of the file, without `--netrc-file`: `$NETRC`, else `~/.netrc`, as in curl.
pub fn usual_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let given = |name| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given("NETRC").or_else(|| Some(given("HOME")?.join(".netrc")))
}

impl Netrc {
    /// Parses a whole file.
    pub fn parse(text: &str) -> Self {
        let mut entries: Vec<NetrcEntry> = Vec::new();
        let mut tokens = Tokens { rest: text, line: 1, faults: Vec::new() };
        while let Some(token) = tokens.next() {
            // A quoted `machine` is a misplaced value.
            let fault = match (token.quoted, token.text.as_str()) {
                (false, "machine") => match tokens.next() {
                    Some(name) => {
                        entries
                            .push(NetrcEntry { machine: Some(name.text), ..NetrcEntry::default() });
                        continue;
                    }
                    None => "nothing follows machine",
                },
                (false, "default") => {
                    entries.push(NetrcEntry::default());
                    continue;
                }
                (false, "macdef") => {
                    tokens.skip_macro();
                    continue;
                }
                (false, key @ ("login" | "password" | "account")) => {
                    match (tokens.next(), entries.last_mut()) {
                        (Some(value), Some(entry)) => {
                            entry.set(key, value.text);
                            continue;
                        }
                        (Some(_), None) => "a value stands before the first machine",
                        (None, _) => "a value is missing at the end of the file",
                    }
                }
                _ => "this word is not one of machine, default, login, password, account, macdef",
            };
            tokens.faults.push(NetrcFault { line: token.line, what: fault });
        }
        Self { entries, faults: tokens.faults }
    }

    /// The login and password for a host: of the first entry that names it (and `login`, if one
    /// was given), or of the first `default`.
    pub fn find(&self, host: &str, login: Option<&str>) -> Option<&NetrcEntry> {
        let fits_login = |entry: &&NetrcEntry| match (login, entry.login.as_deref()) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        let names_it = |entry: &&NetrcEntry| {
            entry.machine.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(host))
        };
        let named = self.entries.iter().filter(names_it).find(fits_login);
        named.or_else(|| self.entries.iter().filter(|e| e.machine.is_none()).find(fits_login))
    }
}

impl NetrcEntry {
    fn set(&mut self, key: &str, value: String) {
        match key {
            "login" => self.login = Some(value),
            "password" => self.password = Some(Secret::new(value)),
            _ => self.account = Some(Secret::new(value)),
        }
    }
}

struct Token {
    text: String,
    quoted: bool,
    line: usize,
}

struct Tokens<'t> {
    rest: &'t str,
    line: usize,
    faults: Vec<NetrcFault>,
}

impl Tokens<'_> {
    fn next(&mut self) -> Option<Token> {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\r']);
            let first = self.rest.chars().next()?;
            match first {
                '\n' => self.advance(1),
                // As in curl: a password that begins with `#` needs quotes.
                '#' => self.advance(self.rest.find('\n').unwrap_or(self.rest.len())),
                '"' => return Some(self.quoted()),
                _ => {
                    let end = self.rest.find([' ', '\t', '\r', '\n']).unwrap_or(self.rest.len());
                    let token =
                        Token { text: self.rest[..end].to_owned(), quoted: false, line: self.line };
                    self.advance(end);
                    return Some(token);
                }
            }
        }
    }

    /// "\n, \r, \t, \" and \\ are escapes" in quoted tokens, as in curl since 7.84.
    fn quoted(&mut self) -> Token {
        let line = self.line;
        let (text, behind) = in_quotes(&self.rest[1..]);
        if behind.is_none() {
            self.faults.push(NetrcFault { line, what: OPEN_QUOTE });
        }
        let line_end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.advance(behind.map_or(line_end, |behind| self.rest.len() - behind.len()));
        Token { text, quoted: true, line }
    }

    /// A macro ends at the next empty line.
    fn skip_macro(&mut self) {
        let mut end = self.rest.find('\n').map_or(self.rest.len(), |at| at + 1);
        for line in self.rest[end..].split_inclusive('\n') {
            end += line.len();
            if line.trim().is_empty() {
                break;
            }
        }
        self.advance(end);
    }

    fn advance(&mut self, bytes: usize) {
        let (gone, rest) = self.rest.split_at(bytes);
        self.line += gone.matches('\n').count();
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# who I am
machine example.com login me password hunter2
machine Other.example
\tlogin \"a b\" # not a password
\tpassword \"q\\\"x\\\\\\n\"
\taccount extra

macdef init
cd /pub
machine not.a.machine

machine example.com login you password second
default login anonymous password guest@
";

    fn login_of(host: &str, login: Option<&str>) -> Option<(String, String)> {
        let netrc = Netrc::parse(FILE);
        let entry = netrc.find(host, login)?;
        let password = entry.password.as_ref().map_or("", Secret::reveal).to_owned();
        Some((entry.login.clone().unwrap_or_default(), password))
    }

    fn pair(login: &str, password: &str) -> Option<(String, String)> {
        Some((login.to_owned(), password.to_owned()))
    }

    #[test]
    fn the_entry_of_a_host_is_found() {
        assert_eq!(login_of("example.com", None), pair("me", "hunter2"));
        assert_eq!(login_of("EXAMPLE.com", Some("you")), pair("you", "second"));
        assert_eq!(login_of("other.example", None), pair("a b", "q\"x\\\n"));
        assert_eq!(login_of("elsewhere", None), pair("anonymous", "guest@"));
        assert_eq!(login_of("not.a.machine", None), pair("anonymous", "guest@"));
        assert_eq!(login_of("example.com", Some("third")), None);
        assert!(Netrc::parse(FILE).faults.is_empty());
    }

    #[test]
    fn faults_have_lines_and_show_no_token() {
        let netrc = Netrc::parse("login x\nmachine h\nhunter2\npassword \"open\nmachine");
        let faults: Vec<String> = netrc.faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "line 1: a value stands before the first machine",
                "line 3: this word is not one of machine, default, login, password, account, macdef",
                "line 4: a quote is not closed on its line",
                "line 5: nothing follows machine",
            ]
        );
        assert_eq!(
            netrc.find("h", None).and_then(|e| e.password.clone()),
            Some(Secret::new("open"))
        );
    }

    #[test]
    fn the_file_has_a_usual_place() {
        let path = |netrc: &'static str| {
            usual_path(|name| Some(if name == "NETRC" { netrc.into() } else { "/h".into() }))
        };
        assert_eq!(path("/n"), Some("/n".into()));
        assert_eq!(path(""), Some("/h/.netrc".into()));
        assert_eq!(usual_path(|_| None), None);
    }

    #[test]
    fn debug_output_has_no_password() {
        assert!(!format!("{:?}", Netrc::parse(FILE)).contains("hunter2"));
    }

    #[test]
    fn any_beginning_of_a_file_is_read() {
        for end in 0..FILE.len() {
            Netrc::parse(&FILE[..end]);
            Netrc::parse(&FILE[end..]);
        }
    }
}
