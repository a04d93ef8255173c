//! `--write-out FORMAT`: what is printed about a run when it is over, in a form of the user's, as curl's
//! `-w` does.
//!
//! A format is read whole before anything is dialled, so that a wrong name is wrong usage and not
//! a surprise at the end. Knows no clock and no file.

mod facts;

use thiserror::Error;

use super::suggest;
pub use facts::{Facts, NAMES, Variable};
use facts::{find, json, text};

/// A format, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    pieces: Vec<Piece>,
}

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(&'static Variable),
    /// `%{json}`: everything as one object.
    Json,
    /// `%{stdout}` and `%{stderr}`: where the rest goes.
    To(Sink),
}

/// Where output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// Standard output, with which a format begins.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Why a format can't be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FormatError {
    /// A name that means nothing.
    #[error("--write-out: there is no %{{{name}}}{hint}")]
    UnknownName {
        /// The name as written.
        name: String,
        /// What may have been meant, as the sentence's end.
        hint: String,
    },
    /// `%{` without `}`.
    #[error("--write-out: the %{{ at byte {offset} is never closed")]
    Open {
        /// Where, in bytes.
        offset: usize,
    },
}

/// `--write-out`'s value: the format itself, or the file it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FormatSource<'a> {
    /// As typed.
    Given(&'a str),
    /// `@FILE`; `-` is stdin.
    File(&'a str),
}

impl<'a> FormatSource<'a> {
    /// Tells one from the other.
    pub fn of(text: &'a str) -> Self {
        text.strip_prefix('@').map_or(Self::Given(text), Self::File)
    }
}

impl Format {
    /// Reads a format: `%{name}`, `%%`, `\n`, `\r`, `\t`; everything else stands for itself.
    ///
    /// # Errors
    ///
    /// A name that is unknown or not ended.
    pub fn parse(format: &str) -> Result<Self, FormatError> {
        let (mut pieces, mut plain) = (Vec::new(), String::new());
        let mut at = 0;
        while let Some(c) = format[at..].chars().next() {
            let rest = &format[at..];
            if let Some(behind) = rest.strip_prefix("%{") {
                let end = behind.find('}').ok_or(FormatError::Open { offset: at })?;
                if !plain.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut plain)));
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
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }

    /// Fills it in: what goes to each stream, in order.
    pub fn fill(&self, facts: &Facts) -> Vec<(Sink, String)> {
        let mut out = vec![(Sink::Stdout, String::new())];
        for piece in &self.pieces {
            let more = match piece {
                Piece::Text(text) => text.clone(),
                Piece::Variable(variable) => text(variable, facts),
                Piece::Json => json(facts),
                Piece::To(sink) => {
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

fn named(name: &str) -> Result<Piece, FormatError> {
    match name {
        "json" => return Ok(Piece::Json),
        "stdout" => return Ok(Piece::To(Sink::Stdout)),
        "stderr" => return Ok(Piece::To(Sink::Stderr)),
        _ => {}
    }
    find(name).map(Piece::Variable).ok_or_else(|| {
        let known = NAMES.iter().map(|variable| variable.name).chain(["json", "stdout", "stderr"]);
        let hint = suggest::did_you_mean("", name, known);
        FormatError::UnknownName { name: name.to_owned(), hint }
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn facts() -> Facts {
        Facts {
            url: "ws://h/".to_owned(),
            scheme: "ws",
            http_code: Some(101),
            close_code: Some(1000),
            close_reason: "done\x1b\"".to_owned(),
            time_connect: Some(Duration::from_micros(1500)),
            frames_sent: 3,
            ..Facts::default()
        }
    }

    fn filled(format: &str) -> Vec<(Sink, String)> {
        Format::parse(format).unwrap_or_else(|error| panic!("{error}")).fill(&facts())
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
    fn what_a_peer_said_is_escaped() {
        assert_eq!(stdout("%{close_reason}"), "done\\e\"");
    }

    #[test]
    fn streams_can_be_changed() {
        let out = filled("a%{stderr}b%{url}%{stdout}%{stderr}c");
        let sinks: Vec<_> = out.iter().map(|(sink, text)| (*sink, text.as_str())).collect();
        assert_eq!(sinks, [(Sink::Stdout, "a"), (Sink::Stderr, "bws://h/"), (Sink::Stderr, "c")]);
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
    fn an_unknown_name_is_told_with_its_neighbours() {
        let error = Format::parse("%{http_cod}").expect_err("unknown");
        assert_eq!(
            error.to_string(),
            "--write-out: there is no %{http_cod}; did you mean http_code?"
        );
        let error = Format::parse("%{size_upload}").expect_err("unknown");
        assert_eq!(error.to_string(), "--write-out: there is no %{size_upload}");
        assert_eq!(Format::parse("a%{url"), Err(FormatError::Open { offset: 1 }));
    }

    #[test]
    fn a_format_may_be_in_a_file() {
        assert_eq!(FormatSource::of("@-"), FormatSource::File("-"));
        assert_eq!(FormatSource::of("%{url}"), FormatSource::Given("%{url}"));
    }
}
