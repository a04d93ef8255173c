//! The commands of `--input json`: one object a line, any frame can be expressed.
//!
//! `docs/json.md` describes them for users.

use std::time::Instant;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::Deserialize;

use crate::session::Endpoint;
use crate::session::endpoint::SendError;
use crate::ui::hex::unhex;
use crate::ui::notation;
use crate::ui::sanitize::escaped;
use crate::wire::writer::RawFrame;
use crate::wire::{Data, LengthForm, OpCode};

/// Why a line is no command that can be carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Not JSON, or not one of the commands.
    #[error("{}", escaped(error.to_string().as_bytes()))]
    Json {
        /// What serde says; it quotes the line.
        #[from]
        error: serde_json::Error,
    },
    /// The payload is given twice or can't be read.
    #[error("{0}")]
    Payload(String),
    /// The connection does not take it.
    #[error("{0}")]
    Send(#[from] SendError),
    /// A connection is named where there is only one.
    #[error("conn is for wscope listen: here there is one connection")]
    OneConnection,
    /// No newline in sight.
    #[error("a command has at most 64 MiB")]
    TooLong,
}

/// One line: a type, and the fields that have a meaning for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    r#type: Kind,
    conn: Option<u64>,
    text: Option<String>,
    base64: Option<String>,
    hex: Option<String>,
    fin: Option<bool>,
    code: Option<u16>,
    reason: Option<String>,
    rsv1: Option<bool>,
    rsv2: Option<bool>,
    rsv3: Option<bool>,
    opcode: Option<OpCodeArg>,
    mask: Option<MaskArg>,
    length_form: Option<u8>,
    length: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// A text message, or with `fin` false one of its fragments.
    #[default]
    Text,
    /// A binary message, or with `fin` false one of its fragments.
    Binary,
    /// A ping.
    Ping,
    /// A pong nobody asked for.
    Pong,
    /// The closing handshake.
    Close,
    /// A frame with every bit chosen.
    Frame,
    /// Bytes as they are, onto the wire.
    Bytes,
}

impl Command {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// It is no command.
    pub fn parse(line: &[u8]) -> Result<Self, CommandError> {
        let command: Self = serde_json::from_slice(line)?;
        command.check_fields()?;
        Ok(command)
    }

    /// The connection it is for; none means all there are.
    pub fn conn(&self) -> Option<u64> {
        self.conn
    }

    /// Refuses a field that would be ignored: what is typed must have a meaning.
    fn check_fields(&self) -> Result<(), CommandError> {
        let Self { text, base64, hex, code, reason, rsv1, rsv2, rsv3, .. } = self;
        let payload = text.is_some() || base64.is_some() || hex.is_some();
        let bits = rsv1.is_some() || rsv2.is_some() || rsv3.is_some() || self.opcode.is_some();
        let header =
            bits || self.mask.is_some() || self.length_form.is_some() || self.length.is_some();
        let message = matches!(self.r#type, Kind::Text | Kind::Binary | Kind::Frame);
        let wrong = if self.r#type != Kind::Close && (code.is_some() || reason.is_some()) {
            "code and reason are for close"
        } else if self.r#type == Kind::Close && payload {
            "a close takes code and reason; for another payload use frame"
        } else if self.r#type != Kind::Frame && header {
            "opcode, rsv1 to rsv3, mask, length_form and length are for frame"
        } else if !message && self.fin.is_some() {
            "fin is for text, binary and frame"
        } else {
            return Ok(());
        };
        Err(CommandError::Payload(wrong.to_owned()))
    }

    /// The payload in one of three notations; none is empty.
    fn payload(&self) -> Result<Vec<u8>, CommandError> {
        let wrong = |text: String| CommandError::Payload(text);
        match (&self.text, &self.base64, &self.hex) {
            (None, None, None) => Ok(Vec::new()),
            (Some(text), None, None) => Ok(text.clone().into_bytes()),
            (None, Some(base64), None) => BASE64_STANDARD
                .decode(base64.as_bytes())
                .map_err(|error| wrong(format!("base64: {}", error.to_string().to_lowercase()))),
            (None, None, Some(hex)) => unhex(hex).map_err(|fault| wrong(format!("hex: {fault}"))),
            _ => Err(wrong("give one of text, base64 and hex".to_owned())),
        }
    }

    fn raw_frame(&self, endpoint: &mut Endpoint) -> Result<RawFrame, CommandError> {
        let payload = self.payload()?;
        let opcode = self
            .opcode
            .as_ref()
            .ok_or_else(|| CommandError::Payload("a frame needs an opcode".to_owned()))?;
        Ok(RawFrame {
            fin: self.fin.unwrap_or(true),
            rsv1: self.rsv1.unwrap_or(false),
            rsv2: self.rsv2.unwrap_or(false),
            rsv3: self.rsv3.unwrap_or(false),
            opcode: opcode.opcode()?,
            mask: mask_key(self.mask.as_ref(), endpoint)?,
            form: self.length_form.map(length_form_of).transpose()?,
            announced: self.length,
            payload,
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OpCodeArg {
    Number(u8),
    Name(String),
}

impl OpCodeArg {
    fn opcode(&self) -> Result<OpCode, CommandError> {
        let opcode = match self {
            Self::Number(bits) => Some(*bits).filter(|bits| *bits < 16).map(OpCode::from),
            Self::Name(name) => notation::opcode(name),
        };
        opcode.ok_or_else(|| CommandError::Payload(format!("opcode: use {}", notation::OPCODES)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum MaskArg {
    /// As the role demands, or not at all.
    On(bool),
    /// This key, in hex.
    Key(String),
}

/// Carries out one line of a client's input.
pub fn run(
    line: &[u8],
    endpoint: &mut Endpoint,
    now: Instant,
    out: &mut Vec<u8>,
) -> Result<(), CommandError> {
    let command = Command::parse(line)?;
    if command.conn.is_some() {
        return Err(CommandError::OneConnection);
    }
    command.run(endpoint, now, out)
}

impl Command {
    /// Carries it out on a connection.
    ///
    /// # Errors
    ///
    /// The payload can't be read, or the connection does not take it.
    pub fn run(
        &self,
        endpoint: &mut Endpoint,
        now: Instant,
        out: &mut Vec<u8>,
    ) -> Result<(), CommandError> {
        let last = self.fin.unwrap_or(true);
        match self.r#type {
            Kind::Text => endpoint.send_fragment(Data::Text, &self.payload()?, last, out)?,
            Kind::Binary => endpoint.send_fragment(Data::Binary, &self.payload()?, last, out)?,
            Kind::Ping => endpoint.send_ping(&self.payload()?, now, out)?,
            Kind::Pong => endpoint.send_pong(&self.payload()?, out)?,
            Kind::Close => {
                let reason = self.reason.as_deref().unwrap_or_default();
                // A reason needs a code before it; nobody means another one than 1000 then.
                let code = self.code.or((!reason.is_empty()).then_some(1000));
                endpoint.close(code, reason, now, out)?;
            }
            Kind::Frame => {
                let frame = self.raw_frame(endpoint)?;
                endpoint.send_raw(&frame, now, out);
            }
            Kind::Bytes => out.extend_from_slice(&self.payload()?),
        }
        Ok(())
    }
}

fn mask_key(
    mask: Option<&MaskArg>,
    endpoint: &mut Endpoint,
) -> Result<Option<[u8; 4]>, CommandError> {
    match mask {
        None | Some(MaskArg::On(true)) => Ok(endpoint.key()),
        Some(MaskArg::On(false)) => Ok(None),
        Some(MaskArg::Key(hex)) => {
            let help = || CommandError::Payload("mask: use true, false or 8 hex digits".to_owned());
            notation::mask_key(hex).map(Some).ok_or_else(help)
        }
    }
}

fn length_form_of(bits: u8) -> Result<LengthForm, CommandError> {
    notation::length_form(bits.into())
        .ok_or_else(|| CommandError::Payload(format!("length_form: use 7, 16 or 64, not {bits}")))
}
