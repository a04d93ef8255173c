//! `--write-out FORMAT`: prints facts about a run at its end, in the user's format, like curl's
//! `-w`.
//!
//! A format is parsed before wscope connects, so a wrong name is a usage error, not an error at the
//! end. This file uses no clock and no file.

use std::time::Duration;

use serde_json::{Map, Value};
use thiserror::Error;

use super::suggest;
use crate::event::Totals;
use crate::ui::sanitize;
use crate::ui::waterfall::OpeningPhase;

/// A parsed format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteOutFormat {
    pieces: Vec<FormatPart>,
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FormatPart {
    Text(String),
    Variable(&'static Variable),
    /// `%{json}`: all values as one object.
    Json,
    /// `%{stdout}` and `%{stderr}`: the output for the rest.
    To(OutputTarget),
}

/// The output stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputTarget {
    /// Standard output, the default.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a format can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// An unknown name.
    #[error("--write-out: unknown name %{{{name}}}{hint}")]
    UnknownName {
        /// The name as written.
        name: String,
        /// A suggestion, as the end of the sentence.
        hint: String,
    },
    /// `%{` without `}`.
    #[error("--write-out: the %{{ at byte {offset} has no closing }}")]
    Open {
        /// The position, in bytes.
        offset: usize,
    },
}

/// The value of `--write-out`: the format itself, or its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatSource<'a> {
    /// The format as typed.
    Given(&'a str),
    /// `@FILE`; `-` is stdin.
    File(&'a str),
}

impl<'a> FormatSource<'a> {
    /// Distinguishes the two.
    pub fn of(text: &'a str) -> Self {
        text.strip_prefix('@').map_or(Self::Given(text), Self::File)
    }
}

impl WriteOutFormat {
    /// Parses a format: `%{name}`, `%%`, `\n`, `\r`, `\t`; everything else is literal.
    ///
    /// # Errors
    ///
    /// A name is unknown or not ended.
    pub fn parse(format: &str) -> Result<Self, FormatError> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut at = 0;
        while let Some(c) = format[at..].chars().next() {
            let rest = &format[at..];
            if let Some(behind) = rest.strip_prefix("%{") {
                let end = behind.find('}').ok_or(FormatError::Open { offset: at })?;
                if !plain.is_empty() {
                    pieces.push(FormatPart::Text(std::mem::take(&mut plain)));
                }
                pieces.push(named(&behind[..end])?);
                at += end + 3;
                continue;
            }
            let escape = match rest.get(..2) {
                Some("%%") => Some('%'),
                Some("\\n") => Some('\n'),
                Some("\\r") => Some('\r'),
                Some("\\t") => Some('\t'),
                _ => None,
            };
            plain.push(escape.unwrap_or(c));
            at += if escape.is_some() { 2 } else { c.len_utf8() };
        }
        if !plain.is_empty() {
            pieces.push(FormatPart::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Fills in the values: the text for each stream, in order.
    pub fn fill(&self, facts: &WriteOutFacts) -> Vec<(OutputTarget, String)> {
        let mut out = vec![(OutputTarget::Stdout, String::new())];
        for piece in &self.pieces {
            let more = match piece {
                FormatPart::Text(text) => text.clone(),
                FormatPart::Variable(variable) => text(variable, facts),
                FormatPart::Json => json(facts),
                FormatPart::To(sink) => {
                    out.push((*sink, String::new()));
                    continue;
                }
            };
            if let Some((_, text)) = out.last_mut() {
                text.push_str(&more);
            }
        }
        out.retain(|(_, text)| !text.is_empty());
        out
    }
}

fn named(name: &str) -> Result<FormatPart, FormatError> {
    match name {
        "json" => return Ok(FormatPart::Json),
        "stdout" => return Ok(FormatPart::To(OutputTarget::Stdout)),
        "stderr" => return Ok(FormatPart::To(OutputTarget::Stderr)),
        _ => {}
    }
    find(name).map(FormatPart::Variable).ok_or_else(|| {
        let known = NAMES.iter().map(|variable| variable.name).chain(["json", "stdout", "stderr"]);
        let hint = suggest::did_you_mean("", name, known);
        FormatError::UnknownName { name: name.to_owned(), hint }
    })
}

/// The facts of a run at its end. Facts of phases that were not reached are `None`, empty or 0.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)] // NAMES describes what each is, to users too
pub struct WriteOutFacts {
    pub url: String,
    pub scheme: &'static str,
    pub remote_ip: Option<String>,
    pub remote_port: Option<u16>,
    pub local_ip: Option<String>,
    pub local_port: Option<u16>,
    pub http_code: Option<u16>,
    pub http_version: Option<String>,
    pub subprotocol: Option<String>,
    pub extensions: Option<String>,
    pub close_code: Option<u16>,
    pub close_reason: String,
    pub exitcode: u8,
    pub errormsg: Option<String>,
    pub time_namelookup: Option<Duration>,
    pub time_connect: Option<Duration>,
    pub time_proxy: Option<Duration>,
    pub time_appconnect: Option<Duration>,
    pub time_upgrade: Option<Duration>,
    pub time_first_frame: Option<Duration>,
    pub time_total: Option<Duration>,
    pub sent: Totals,
    pub received: Totals,
    pub ssl_verify_result: Option<u8>,
    pub tls_version: Option<String>,
    pub num_redirects: u32,
    pub num_retries: u32,
}

impl WriteOutFacts {
    /// The phases of opening the connection that were reached, for `--timing`: each begins at the
    /// end of the previous one.
    pub fn phases(&self) -> Vec<OpeningPhase> {
        let ends = [
            ("dns", self.time_namelookup),
            ("tcp", self.time_connect),
            ("proxy", self.time_proxy),
            ("tls", self.time_appconnect),
            ("upgrade", self.time_upgrade),
            ("first frame", self.time_first_frame),
        ];
        let mut start = Duration::ZERO;
        let reached = ends.into_iter().filter_map(|(name, end)| Some((name, end?)));
        reached
            .map(|(name, end)| {
                let phase = OpeningPhase { name, start, took: end.saturating_sub(start) };
                start = start.max(end);
                phase
            })
            .collect()
    }
}

/// A name and its meaning.
#[derive(Debug)]
pub struct Variable {
    /// The name between `%{` and `}`.
    pub name: &'static str,
    /// One sentence for the manual.
    pub help: &'static str,
    get: Get,
}

impl PartialEq for Variable {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Variable {}

/// The source of a value.
#[derive(Debug)]
enum Get {
    Text(fn(&WriteOutFacts) -> Option<&str>),
    Number(fn(&WriteOutFacts) -> Option<u64>),
    Time(fn(&WriteOutFacts) -> Option<Duration>),
}

const fn name(name: &'static str, get: Get, help: &'static str) -> Variable {
    Variable { name, get, help }
}

/// Every name, in the order of the documentation.
#[rustfmt::skip] // a table
pub const NAMES: &[Variable] = &[
    name("url", Get::Text(|f| Some(f.url.as_str())), "the URL that was opened last, without user and password"),
    name("scheme", Get::Text(|f| Some(f.scheme)), "ws or wss"),
    name("remote_ip", Get::Text(|f| f.remote_ip.as_deref()), "the address connected to: the server's or the proxy's"),
    name("remote_port", Get::Number(|f| f.remote_port.map(u64::from)), "its port"),
    name("local_ip", Get::Text(|f| f.local_ip.as_deref()), "the address of this side"),
    name("local_port", Get::Number(|f| f.local_port.map(u64::from)), "its port"),
    name("http_code", Get::Number(|f| f.http_code.map(u64::from)), "the status of the last response; 101 opened the connection"),
    name("http_version", Get::Text(|f| f.http_version.as_deref()), "the version in that response, such as 1.1"),
    name("subprotocol", Get::Text(|f| f.subprotocol.as_deref()), "the subprotocol agreed on"),
    name("extensions", Get::Text(|f| f.extensions.as_deref()), "the extensions agreed on, as the server wrote them"),
    name("close_code", Get::Number(|f| f.close_code.map(u64::from)), "the code of the received Close, or of our Close if the peer sent none"),
    name("close_reason", Get::Text(|f| Some(f.close_reason.as_str())), "the reason in that Close"),
    name("exitcode", Get::Number(|f| Some(f.exitcode.into())), "the exit status"),
    name("errormsg", Get::Text(|f| f.errormsg.as_deref()), "the error, if the run ended with one"),
    name("time_namelookup", Get::Time(|f| f.time_namelookup), "seconds from the start until the name was resolved"),
    name("time_connect", Get::Time(|f| f.time_connect), "seconds until TCP was connected"),
    name("time_proxy", Get::Time(|f| f.time_proxy),
        "seconds until the proxy had opened the tunnel"),
    name("time_appconnect", Get::Time(|f| f.time_appconnect), "seconds until TLS was agreed"),
    name("time_upgrade", Get::Time(|f| f.time_upgrade), "seconds until the response was complete"),
    name("time_first_frame", Get::Time(|f| f.time_first_frame), "seconds until the first frame was received"),
    name("time_total", Get::Time(|f| f.time_total), "seconds until the end"),
    name("frames_sent", Get::Number(|f| Some(f.sent.frames)), "frames sent, control frames included"),
    name("frames_received", Get::Number(|f| Some(f.received.frames)), "frames received, control frames included"),
    name("messages_sent", Get::Number(|f| Some(f.sent.messages)), "messages sent"),
    name("messages_received", Get::Number(|f| Some(f.received.messages)), "messages received"),
    name("bytes_sent", Get::Number(|f| Some(f.sent.bytes)), "bytes of messages sent, before compression"),
    name("bytes_received", Get::Number(|f| Some(f.received.bytes)), "bytes of messages received, after decompression"),
    name("wire_bytes_sent", Get::Number(|f| Some(f.sent.wire_bytes)), "bytes of frames sent, headers included"),
    name("wire_bytes_received", Get::Number(|f| Some(f.received.wire_bytes)), "bytes of frames received, headers included"),
    name("ssl_verify_result", Get::Number(|f| f.ssl_verify_result.map(u64::from)), "0 if the certificate was verified, 1 if not"),
    name("tls_version", Get::Text(|f| f.tls_version.as_deref()), "the version of TLS, such as TLS 1.3"),
    name("num_redirects", Get::Number(|f| Some(f.num_redirects.into())), "redirects followed"),
    name("num_retries", Get::Number(|f| Some(f.num_retries.into())), "tries after the first"),
];

/// Finds a name.
fn find(name: &str) -> Option<&'static Variable> {
    NAMES.iter().find(|variable| variable.name == name)
}

/// A value as text; empty if there is none, but `0.000000` for a time, as in curl.
fn text(variable: &Variable, facts: &WriteOutFacts) -> String {
    match variable.get {
        Get::Text(get) => sanitize::escaped(get(facts).unwrap_or_default().as_bytes()),
        Get::Number(get) => get(facts).map(|number| number.to_string()).unwrap_or_default(),
        Get::Time(get) => format!("{:.6}", get(facts).unwrap_or_default().as_secs_f64()),
    }
}

/// All names in one object on one line; an unknown value is `null`.
fn json(facts: &WriteOutFacts) -> String {
    let value = |variable: &Variable| match variable.get {
        Get::Text(get) => get(facts).map_or(Value::Null, Value::from),
        Get::Number(get) => get(facts).map_or(Value::Null, Value::from),
        Get::Time(get) => get(facts).map_or(Value::Null, |time| {
            // Microseconds, as in the texts.
            Value::from((time.as_secs_f64() * 1e6).round() / 1e6)
        }),
    };
    let object: Map<String, Value> =
        NAMES.iter().map(|variable| (variable.name.to_owned(), value(variable))).collect();
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn facts() -> WriteOutFacts {
        WriteOutFacts {
            url: "ws://h/".to_owned(),
            scheme: "ws",
            http_code: Some(101),
            close_code: Some(1000),
            close_reason: "done\x1b\"".to_owned(),
            time_connect: Some(Duration::from_micros(1500)),
            sent: Totals { frames: 3, ..Totals::default() },
            ..WriteOutFacts::default()
        }
    }

    fn filled(format: &str) -> Vec<(OutputTarget, String)> {
        WriteOutFormat::parse(format).unwrap_or_else(|error| panic!("{error}")).fill(&facts())
    }

    fn stdout(format: &str) -> String {
        filled(format).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn names_are_filled_in_and_the_rest_stands_for_itself() {
        assert_eq!(stdout("%{http_code} %{frames_sent}\\n"), "101 3\n");
        assert_eq!(stdout("100%% %x é\\t\\r\\q%"), "100% %x é\t\r\\q%");
        assert_eq!(stdout("%{time_connect}|%{time_appconnect}"), "0.001500|0.000000");
        assert_eq!(stdout("%{http_code}%{remote_ip}."), "101.");
        assert_eq!(stdout(""), "");
    }

    #[test]
    fn what_a_peer_sent_is_escaped() {
        assert_eq!(stdout("%{close_reason}"), "done\\e\"");
    }

    #[test]
    fn streams_can_be_changed() {
        let out = filled("a%{stderr}b%{url}%{stdout}%{stderr}c");
        let sinks: Vec<_> = out.iter().map(|(sink, text)| (*sink, text.as_str())).collect();
        assert_eq!(
            sinks,
            [
                (OutputTarget::Stdout, "a"),
                (OutputTarget::Stderr, "bws://h/"),
                (OutputTarget::Stderr, "c")
            ]
        );
    }

    #[test]
    fn json_has_every_name() {
        let object: serde_json::Value = serde_json::from_str(&stdout("%{json}")).expect("JSON");
        let object = object.as_object().expect("an object");
        assert_eq!(object.len(), NAMES.len());
        assert_eq!(object["http_code"], 101);
        assert_eq!(object["time_connect"], 0.0015);
        assert_eq!(object["remote_ip"], serde_json::Value::Null);
        assert_eq!(object["close_reason"], "done\x1b\"");
    }

    #[test]
    fn an_unknown_name_is_reported_with_its_neighbours() {
        let error = WriteOutFormat::parse("%{http_cod}").expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "--write-out: unknown name %{http_cod}; did you mean http_code?"
        );
        let error = WriteOutFormat::parse("%{size_upload}").expect_err("unknown");
        assert_eq!(error.to_string(), "--write-out: unknown name %{size_upload}");
        assert_eq!(WriteOutFormat::parse("a%{url"), Err(FormatError::Open { offset: 1 }));
    }

    #[test]
    fn a_format_may_be_in_a_file() {
        assert_eq!(FormatSource::of("@-"), FormatSource::File("-"));
        assert_eq!(FormatSource::of("%{url}"), FormatSource::Given("%{url}"));
    }
}

#[cfg(test)]
mod facts_tests {
    use super::*;

    #[test]
    fn phases_follow_each_other() {
        let time = |millis| Some(Duration::from_millis(millis));
        let facts = WriteOutFacts {
            time_namelookup: time(2),
            time_connect: time(5),
            time_upgrade: time(9),
            ..WriteOutFacts::default()
        };
        let bars: Vec<_> = facts
            .phases()
            .iter()
            .map(|phase| (phase.name, phase.start.as_millis(), phase.took.as_millis()))
            .collect();
        assert_eq!(bars, [("dns", 0, 2), ("tcp", 2, 3), ("upgrade", 5, 4)]);
        assert!(WriteOutFacts::default().phases().is_empty());
    }

    #[test]
    fn every_name_is_there_once_and_explained() {
        for (at, variable) in NAMES.iter().enumerate() {
            assert!(NAMES[..at].iter().all(|other| other.name != variable.name));
            assert!(!variable.help.is_empty() && !variable.help.ends_with('.'));
        }
    }
}
