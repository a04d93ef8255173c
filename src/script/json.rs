//! The commands of `--input json`: one object on each line, which can describe any frame.
//!
//! `docs/json.md` describes them for users. A line becomes the same [`Command`] as one of the
//! prompt, and the same code sends it.

use serde::Deserialize;
use serde_json::error::Category;

use crate::engine::outbox::Sender;
use crate::event::ConnId;
use crate::script::command::{Command, FrameSpec, MaskChoice, Payload};
use crate::script::runner::send;
use crate::session::endpoint::SendError;
use crate::ui::base64;
use crate::ui::hex::unhex;
use crate::ui::notation;
use crate::ui::sanitize::escaped;
use crate::wire::close::{MAX_REASON_LEN, may_be_sent};
use crate::wire::{Data, LengthForm, OpCode};

/// Why a line is not a command, or was not sent.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// Not JSON, or not one of the commands.
    #[error("{}", escaped(in_words(error).as_bytes()))]
    Json {
        /// What serde reports; it may quote the line.
        #[from]
        error: serde_json::Error,
    },
    /// A field has a wrong value, is missing, or has no meaning for this type.
    #[error("{0}")]
    Field(String),
    /// The connection does not accept the command.
    #[error(transparent)]
    Send(#[from] SendError),
    /// `conn` is given, but there is only one connection.
    #[error("conn is for wscope listen: here there is one connection")]
    OneConnection,
}

/// What is wrong with a line of JSON.
fn in_words(error: &serde_json::Error) -> String {
    let column = error.column();
    match error.classify() {
        Category::Eof => format!("the JSON is not complete: it ends after column {column}"),
        Category::Syntax => {
            format!("not JSON at column {column}; write an object, as in {{\"text\": \"hello\"}}")
        }
        // The number of the line is already known.
        _ => {
            let text = error.to_string();
            text.split(" at line ").next().unwrap_or(&text).to_owned()
        }
    }
}

/// Carries out one line of a client's input.
///
/// # Errors
///
/// The line is not a command for a client, or the connection does not take it; in words.
pub fn run(line: &[u8], sender: &mut Sender<'_>) -> Result<(), String> {
    let sent = parse(line).and_then(|parsed| match parsed {
        (None, command) => send_to(&command, sender),
        (Some(_), _) => Err(CommandError::OneConnection),
    });
    sent.map_err(|error| error.to_string())
}

/// Carries out a command on one connection. Does not return the note about a broken rule, because
/// programs read it in the transcript.
///
/// # Errors
///
/// The connection does not accept the command.
pub fn send_to(command: &Command, sender: &mut Sender<'_>) -> Result<(), CommandError> {
    let content = send::content(command).map_err(CommandError::Field)?;
    send::send(command, &content, sender)?;
    Ok(())
}

/// Parses a line: the connection, if the line names one, and the command.
///
/// # Errors
///
/// It is not a command.
pub fn parse(line: &[u8]) -> Result<(Option<ConnId>, Command), CommandError> {
    let object: JsonCommand = serde_json::from_slice(line)?;
    object.check_fields()?;
    Ok((object.conn.map(ConnId), object.command()?))
}

/// The object of a line: its type, and the fields that have a meaning for it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonCommand {
    r#type: CommandType,
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
enum CommandType {
    /// A text message, or a fragment of one if `fin` is false.
    #[default]
    Text,
    /// A binary message, or a fragment of one if `fin` is false.
    Binary,
    /// A ping.
    Ping,
    /// A pong without a ping.
    Pong,
    /// The closing handshake.
    Close,
    /// A frame with every bit chosen.
    Frame,
    /// Bytes without a frame, unchanged.
    Bytes,
}

impl JsonCommand {
    /// Refuses a field that has no meaning for this type, because it would be ignored.
    fn check_fields(&self) -> Result<(), CommandError> {
        let Self { text, base64, hex, code, reason, rsv1, rsv2, rsv3, .. } = self;
        let payload = text.is_some() || base64.is_some() || hex.is_some();
        let bits = rsv1.is_some() || rsv2.is_some() || rsv3.is_some() || self.opcode.is_some();
        let header =
            bits || self.mask.is_some() || self.length_form.is_some() || self.length.is_some();
        let message =
            matches!(self.r#type, CommandType::Text | CommandType::Binary | CommandType::Frame);
        let wrong = if self.r#type != CommandType::Close && (code.is_some() || reason.is_some()) {
            "code and reason are for close"
        } else if self.r#type == CommandType::Close && payload {
            "a close takes code and reason; for another payload use frame"
        } else if self.r#type != CommandType::Frame && header {
            "opcode, rsv1 to rsv3, mask, length_form and length are for frame"
        } else if !message && self.fin.is_some() {
            "fin is for text, binary and frame"
        } else {
            return Ok(());
        };
        Err(CommandError::Field(wrong.to_owned()))
    }

    /// The payload in one of three notations; without one, it is empty.
    fn payload(&self) -> Result<Vec<u8>, CommandError> {
        let wrong = |text: String| CommandError::Field(text);
        match (&self.text, &self.base64, &self.hex) {
            (None, None, None) => Ok(Vec::new()),
            (Some(text), None, None) => Ok(text.clone().into_bytes()),
            (None, Some(base64), None) => {
                base64::decode(base64).map_err(|fault| wrong(format!("base64: {fault}")))
            }
            (None, None, Some(hex)) => unhex(hex).map_err(|fault| wrong(format!("hex: {fault}"))),
            _ => Err(wrong("give one of text, base64 and hex".to_owned())),
        }
    }

    fn command(self) -> Result<Command, CommandError> {
        let payload = Payload::Bytes(self.payload()?);
        Ok(match self.r#type {
            CommandType::Text if self.fin == Some(false) => {
                Command::Unfinished { opcode: Data::Text, payload }
            }
            CommandType::Binary if self.fin == Some(false) => {
                Command::Unfinished { opcode: Data::Binary, payload }
            }
            CommandType::Text => Command::Text(payload),
            CommandType::Binary => Command::Binary(payload),
            CommandType::Ping => Command::Ping(legal_control(payload)?),
            CommandType::Pong => Command::Pong(legal_control(payload)?),
            CommandType::Close => self.close()?,
            CommandType::Frame => Command::Frame(self.frame(payload)?),
            CommandType::Bytes => Command::Bytes(payload),
        })
    }

    /// At the prompt, an illegal Close is sent. For a program it is an error, because a program can
    /// use `frame`.
    fn close(self) -> Result<Command, CommandError> {
        let reason = self.reason.unwrap_or_default().into_bytes();
        // A reason needs a code before it; without a code, 1000 is meant.
        let code = self.code.or((!reason.is_empty()).then_some(1000));
        if let Some(code) = code.filter(|code| !may_be_sent(*code)) {
            return Err(illegal(SendError::CloseCode(code)));
        }
        if reason.len() > MAX_REASON_LEN {
            return Err(illegal(SendError::ReasonTooLong(reason.len())));
        }
        Ok(Command::Close { code, reason })
    }

    fn frame(self, payload: Payload) -> Result<FrameSpec, CommandError> {
        let opcode =
            self.opcode.ok_or_else(|| CommandError::Field("a frame needs an opcode".to_owned()))?;
        Ok(FrameSpec {
            fin: self.fin.unwrap_or(true),
            rsv: [self.rsv1, self.rsv2, self.rsv3].map(Option::unwrap_or_default),
            opcode: opcode.opcode()?,
            mask: mask_choice(self.mask)?,
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
        opcode.ok_or_else(|| CommandError::Field(format!("opcode: use {}", notation::OPCODES)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum MaskArg {
    /// As the role requires, or no mask.
    On(bool),
    /// This key, in hex.
    Key(String),
}

/// At the prompt, a ping or pong may be too long; for a program that is an error.
fn legal_control(payload: Payload) -> Result<Payload, CommandError> {
    match &payload {
        Payload::Bytes(bytes) if bytes.len() > 125 => {
            Err(illegal(SendError::ControlTooLong(bytes.len())))
        }
        _ => Ok(payload),
    }
}

fn illegal(error: SendError) -> CommandError {
    CommandError::Send(error)
}

fn mask_choice(mask: Option<MaskArg>) -> Result<MaskChoice, CommandError> {
    match mask {
        None | Some(MaskArg::On(true)) => Ok(MaskChoice::Role),
        Some(MaskArg::On(false)) => Ok(MaskChoice::Off),
        Some(MaskArg::Key(hex)) => {
            let help = || CommandError::Field("mask: use true, false or 8 hex digits".to_owned());
            notation::mask_key(&hex).map(MaskChoice::Key).ok_or_else(help)
        }
    }
}

fn length_form_of(bits: u8) -> Result<LengthForm, CommandError> {
    notation::length_form(bits.into())
        .ok_or_else(|| CommandError::Field(format!("length_form: use 7, 16 or 64, not {bits}")))
}
