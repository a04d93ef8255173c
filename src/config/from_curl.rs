//! `--from-curl`: a request that a browser copied "as cURL" becomes the options of a connection.
//!
//! It takes the options for the request and the route to the server. It drops options that belong
//! to the browser's own connection, with a note. It reads no file and no environment. Its result is
//! checked like typed options.

mod options;
mod words;

use std::ffi::OsString;
use std::mem;

use thiserror::Error;

use crate::net::target::Target;
use crate::ui::suggest;
use crate::wire::handshake::grammar::parse_subprotocols;
use crate::wire::handshake::headers::{HeaderEdit, HeaderError};
use options::{CurlOption, Means};
pub use words::{Words, WordsError, split};

/// A curl command as options of wscope.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FromCurl {
    /// The URL; `http://` and `https://` mean `ws://` and `wss://`.
    pub url: String,
    /// The headers in order, without those that a client creates for each connection.
    pub headers: Vec<HeaderEdit>,
    /// The offered subprotocols, in order of preference.
    pub subprotocols: Vec<String>,
    /// The Origin header.
    pub origin: Option<String>,
    /// Other options by their long names in wscope, with their values.
    pub options: Vec<(&'static str, Option<String>)>,
    /// What was left out, and why, one sentence each. The notes quote no value that could be a
    /// secret.
    pub notes: Vec<String>,
}

/// Why a text is not a request that could open a WebSocket connection.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FromCurlError {
    /// It can't be split into words.
    #[error("the curl command can't be read: {0}")]
    Words(#[from] WordsError),
    /// A command other than curl.
    #[error("the command does not begin with curl, but with {found:?}; use \"Copy as cURL\"")]
    NotCurl {
        /// The first word.
        found: String,
    },
    /// No URL among the words.
    #[error("the curl command has no URL")]
    NoUrl,
    /// More than one URL.
    #[error("the curl command has {count} URLs; copy one request")]
    ManyUrls {
        /// How many.
        count: usize,
    },
    /// An option without its required value.
    #[error("curl's option {option} needs a value, and nothing follows it")]
    NoValue {
        /// As written.
        option: String,
    },
    /// An option that wscope does not know.
    #[error("curl's option {option} is unknown{hint}")]
    Unknown {
        /// As written.
        option: String,
        /// A suggestion, as the end of the sentence.
        hint: String,
    },
    /// An option that no handshake can fulfil.
    #[error("curl's option {option} is not supported: {reason}")]
    Refused {
        /// As written.
        option: String,
        /// The reason.
        reason: &'static str,
    },
    /// A header that can't be sent.
    #[error("the curl command has a header that can't be sent: {0}")]
    Header(#[from] HeaderError),
}

const CONTENT: &str = "a handshake is a GET without content (RFC 6455 §4.1); \
    send messages with -x once the connection is open";
const LEAVE_OUT: &str = "; leave it out of the command";
const METHOD: &str = "\"The method of the request MUST be GET\" (RFC 6455 §4.1)";

/// Headers that belong to one HTTP connection (RFC 9110 §7.6.1), or to content that is not sent.
const HOP_BY_HOP: [&str; 9] = [
    "Connection",
    "Upgrade",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Content-Length",
];

/// Headers of the copied handshake that need a new value in each handshake.
const STALE: [&str; 3] = ["Sec-WebSocket-Key", "Sec-WebSocket-Version", "Sec-WebSocket-Accept"];

/// Whether curl has an option with this long name and the same meaning.
pub fn is_option_of_curl(name: &str) -> bool {
    options::long(name).is_some()
}

impl FromCurl {
    /// Parses a copied command, including the word `curl`.
    ///
    /// # Errors
    ///
    /// It is not a single curl command, or no opening handshake can do what it asks for.
    pub fn parse(text: &str) -> Result<Self, FromCurlError> {
        let Words { words, unexpanded } = split(text)?;
        let mut words = words.into_iter();
        let first = words.next().unwrap_or_default();
        let program = first.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
        if program != "curl" && program != "curl.exe" {
            return Err(FromCurlError::NotCurl { found: first });
        }
        let mut reader = CurlParser::default();
        for name in unexpanded {
            reader.note(format!("shell variables are not expanded: {name} is sent as written"));
        }
        reader.read(words)?;
        reader.finish()
    }

    /// The command as arguments of wscope, without the URL. They precede the typed arguments, which
    /// override them.
    pub fn to_arguments(&self) -> Vec<OsString> {
        let mut arguments = Vec::new();
        let mut add = |name: &str, value: Option<&str>| {
            // One word each, so that a value can't look like an option.
            arguments.push(match value {
                Some(value) => OsString::from(format!("--{name}={value}")),
                None => OsString::from(format!("--{name}")),
            });
        };
        for edit in &self.headers {
            let text = match edit.value() {
                Some("") => format!("{};", edit.name()),
                Some(value) => format!("{}: {value}", edit.name()),
                None => format!("{}:", edit.name()),
            };
            add("header", Some(&text));
        }
        for name in &self.subprotocols {
            add("subprotocol", Some(name));
        }
        if let Some(origin) = &self.origin {
            add("origin", Some(origin));
        }
        for (name, value) in &self.options {
            add(name, value.as_deref());
        }
        arguments
    }
}

/// Hides headers and values, which a derived `Debug` would print.
impl std::fmt::Debug for FromCurl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.headers.iter().map(HeaderEdit::name).collect();
        let options: Vec<_> = self.options.iter().map(|(name, _)| name).collect();
        f.debug_struct("FromCurl")
            .field("headers", &names)
            .field("options", &options)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// The state of parsing.
#[derive(Default)]
struct CurlParser {
    urls: Vec<String>,
    /// The values of all `Host` headers. They are compared with the URL once it is known.
    hosts: Vec<HeaderEdit>,
    cookies: Vec<String>,
    made: FromCurl,
}

impl CurlParser {
    fn note(&mut self, text: String) {
        self.made.notes.push(text);
    }

    fn read(&mut self, mut words: impl Iterator<Item = String>) -> Result<(), FromCurlError> {
        while let Some(word) = words.next() {
            if let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) {
                self.long(name, &word, &mut words)?;
            } else if let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                self.cluster(cluster, &mut words)?;
            } else if word != "--" {
                self.urls.push(word);
            }
        }
        Ok(())
    }

    fn long(
        &mut self,
        name: &str,
        word: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), FromCurlError> {
        if let Some(option) = options::long(name) {
            let value = if option.means.takes_value() { words.next() } else { None };
            return self.take(option, word, value);
        }
        // "You can turn off a flag option by prefixing it with no-" (curl's manual page): then the
        // option counts as not given.
        let turned_off = name.strip_prefix("no-").and_then(options::long);
        if turned_off.is_some_and(|option| !option.means.takes_value()) {
            return Ok(());
        }
        let hint = match suggest::did_you_mean("--", name, options::names()) {
            hint if hint.is_empty() => LEAVE_OUT.to_owned(),
            hint => hint,
        };
        Err(FromCurlError::Unknown { option: word.to_owned(), hint })
    }

    /// `-sSL`, `-XGET`: flags, and at the end an option with a value, in this word or the next.
    fn cluster(
        &mut self,
        cluster: &str,
        words: &mut impl Iterator<Item = String>,
    ) -> Result<(), FromCurlError> {
        let mut rest = cluster.chars();
        while let Some(name) = rest.next() {
            let written = format!("-{name}");
            let Some(option) = options::short(name) else {
                return Err(FromCurlError::Unknown { option: written, hint: LEAVE_OUT.to_owned() });
            };
            if option.means.takes_value() {
                let attached = rest.as_str();
                let value =
                    if attached.is_empty() { words.next() } else { Some(attached.to_owned()) };
                return self.take(option, &written, value);
            }
            self.take(option, &written, None)?;
        }
        Ok(())
    }

    fn take(
        &mut self,
        option: &CurlOption,
        written: &str,
        value: Option<String>,
    ) -> Result<(), FromCurlError> {
        let written = || written.to_owned();
        let value = match (option.means.takes_value(), value) {
            (true, None) => return Err(FromCurlError::NoValue { option: written() }),
            (_, value) => value.unwrap_or_default(),
        };
        let refused = |reason| Err(FromCurlError::Refused { option: written(), reason });
        match option.means {
            Means::Url => self.urls.push(value),
            Means::Header => self.header(&value)?,
            // "If no "=" symbol is used in the argument, it is instead treated as a filename"
            // (curl's manual page).
            Means::Cookie if value.contains('=') => self.cookies.push(value),
            Means::Cookie => self.option("cookie", Some(format!("@{value}"))),
            Means::User => self.option("user", Some(value)),
            Means::HeaderOf(name) => self.add(HeaderEdit::send(name, &value)?),
            Means::Method if value == "GET" => {}
            Means::Method => return refused(METHOD),
            Means::Bearer => self.option("bearer", Some(value)),
            Means::Proxy(scheme) => {
                let has_scheme = value.contains("://") || value.is_empty();
                let value = if has_scheme { value } else { format!("{scheme}{value}") };
                self.option("proxy", Some(value));
            }
            Means::Certificate => {
                // A colon after a single letter belongs to a drive; `\:` belongs to the name.
                let file = match value.rfind(':') {
                    Some(at) if at > 1 && !value[..at].ends_with('\\') => {
                        self.note(format!("the passphrase is omitted: {}", options::PASSPHRASE));
                        value[..at].to_owned()
                    }
                    _ => value,
                };
                self.option("cert", Some(file.replace("\\:", ":")));
            }
            Means::Same(name) => self.option(name, Some(value)),
            Means::SameFlag(name) => self.option(name, None),
            Means::Content => return refused(CONTENT),
            Means::Refused(reason) => return refused(reason),
            Means::Dropped(reason) | Means::DroppedFlag(reason) => {
                self.note(format!("curl's option {} is omitted: {reason}", written()));
            }
            Means::Output | Means::OutputFlag => {}
        }
        Ok(())
    }

    fn option(&mut self, name: &'static str, value: Option<String>) {
        // A repeated flag counts once.
        if value.is_some() || !self.made.options.iter().any(|(known, _)| *known == name) {
            self.made.options.push((name, value));
        }
    }

    fn add(&mut self, edit: HeaderEdit) {
        self.made.headers.push(edit);
    }

    fn header(&mut self, text: &str) -> Result<(), FromCurlError> {
        if let Some(pseudo) = text.strip_prefix(':') {
            let name = pseudo.split(':').next().unwrap_or_default();
            let note = format!(":{name} is omitted: it is an HTTP/2 pseudo-header");
            self.note(note);
            return Ok(());
        }
        if text.starts_with('@') {
            self.note("curl's header files are not read; use -H @FILE".to_owned());
            return Ok(());
        }
        let edit: HeaderEdit = text.parse()?;
        let name = edit.name();
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        if let Some(known) = STALE.into_iter().find(|known| is(known)) {
            self.note(format!("{known} is omitted: each connection has a new one"));
        } else if let Some(known) = HOP_BY_HOP.into_iter().find(|known| is(known)) {
            self.note(format!("{known} is omitted: it belongs to the browser's connection"));
        } else if is("Sec-WebSocket-Protocol") {
            self.subprotocols(&edit);
        } else if is("Sec-WebSocket-Extensions") {
            self.extensions(edit.value().unwrap_or_default());
        } else if is("Host") {
            self.hosts.push(edit);
        } else if is("Origin") && edit.value().is_some() && self.made.origin.is_none() {
            self.made.origin = edit.value().map(str::to_owned);
        } else {
            self.add(edit);
        }
        Ok(())
    }

    /// A valid list becomes an offer; an invalid list is sent unchanged.
    fn subprotocols(&mut self, edit: &HeaderEdit) {
        let value = edit.value().unwrap_or_default();
        let list = parse_subprotocols([value.as_bytes()]);
        if list.faults.is_empty() {
            self.made.subprotocols.extend(list.names);
        } else {
            self.add(edit.clone());
        }
    }

    fn extensions(&mut self, value: &str) {
        // The offer of every browser, and of wscope by default.
        const USUAL: &str = "permessage-deflate; client_max_window_bits";
        if value != USUAL {
            self.note(format!(
                "Sec-WebSocket-Extensions is omitted: wscope makes its own offer; the browser's \
                 was {value:?}"
            ));
        }
    }

    fn finish(mut self) -> Result<FromCurl, FromCurlError> {
        let url = match self.urls.len() {
            0 => return Err(FromCurlError::NoUrl),
            1 => self.urls.remove(0),
            count => return Err(FromCurlError::ManyUrls { count }),
        };
        // curl drops a fragment; RFC 6455 §3 forbids one.
        let url = url.split('#').next().unwrap_or_default().to_owned();
        let usual = Target::parse(&url).ok().map(|target| target.host_header);
        for host in mem::take(&mut self.hosts) {
            match host.value() {
                Some(value) if usual.as_deref() == Some(value) => {
                    self.note("Host is omitted: the URL has the same host".to_owned());
                }
                _ => self.add(host),
            }
        }
        if !self.cookies.is_empty() {
            let value = self.cookies.join("; ");
            self.add(HeaderEdit::send("Cookie", &value)?);
        }
        Ok(FromCurl { url, ..self.made })
    }
}

#[cfg(test)]
mod tests;
