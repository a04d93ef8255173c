//! `/frame`, `/fragment` and `/close`: what is sent by hand, bit by bit.

use crate::script::command::entry::Args;
use crate::script::command::error::{ParseError, ParseFault};
use crate::script::command::payload::{self, Plain};
use crate::script::command::variables::Scope;
use crate::script::command::words::Word;
use crate::script::command::{
    Command, FragmentSpec, Fragmentation, FrameSpec, MaskChoice, Payload,
};
use crate::ui::notation::{OPCODES, close_code, length_form, mask_key, number, on_off, opcode};
use crate::ui::suggest;
use crate::wire::close::CloseBody;
use crate::wire::{Control, Data, OpCode};

/// An option of `/frame`, for help and completion.
#[derive(Clone, Copy, Debug)]
pub struct FrameKey {
    /// The name before the `=`.
    pub name: &'static str,
    /// What it means, in a few words.
    pub meaning: &'static str,
    /// Proposed values.
    pub values: &'static [&'static str],
}

/// The options of `/frame`. The last two take the rest of the line.
pub const FRAME_KEYS: &[FrameKey] = &[
    key("opcode", "name, or 0 to 15", &[]),
    key("fin", "the FIN bit", &["on", "off"]),
    key("rsv1", "the RSV1 bit", &["on", "off"]),
    key("rsv2", "the RSV2 bit", &["on", "off"]),
    key("rsv3", "the RSV3 bit", &["on", "off"]),
    key("rsv", "all three as a number; RSV1 is 4", &["0", "1", "2", "3", "4", "5", "6", "7"]),
    key("mask", "on, off, or the key in hex", &["on", "off", "00000000"]),
    key("form", "bits that carry the length", &["7", "16", "64"]),
    key("length", "the length to announce", &[]),
    key("code", "close code; the payload is its reason", &[]),
    key("payload", "all that follows is payload", &[]),
    key("reason", "the same, after code=", &[]),
];

const fn key(
    name: &'static str,
    meaning: &'static str,
    values: &'static [&'static str],
) -> FrameKey {
    FrameKey { name, meaning, values }
}

/// What a close code is, in words.
const CODES: &str = "0 to 65535, or a name such as going-away; a reason comes after the code";

/// The largest number of fragments of `/fragment`.
const MAX_FRAGMENTS: usize = 1_000_000;

/// `/frame [OPCODE] [KEY=VALUE…] [PAYLOAD]`.
///
/// # Errors
///
/// An option's value is wrong, or the payload.
pub(crate) fn frame(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let mut draft = Draft::default();
    if let Some(word) = args.peek() {
        if opcode(word.text).is_some() {
            args.word();
            draft.once("opcode", word.at)?;
            draft.set("opcode", word)?;
        } else if number(word.text).is_some() {
            return Err(word.not("not an opcode", format!("{OPCODES}; a payload comes after --")));
        }
    }
    let opcode_first = draft.seen.is_empty();
    let payload = loop {
        if args.take_if("--") {
            break args.rest();
        }
        let here = args.trimmed();
        let Some((key, value)) = args.peek().map(option).transpose()?.flatten() else {
            if opcode_first && !draft.seen.contains(&"opcode") {
                args.peek().map_or(Ok(()), misplaced_opcode)?;
            }
            here.words().try_for_each(late_option)?;
            break here;
        };
        if matches!(key, "payload" | "reason") {
            draft.once(key, here.at)?;
            break here.skip(key.len() + 1);
        }
        args.word();
        draft.once(key, here.at)?;
        draft.set(key, value)?;
    };
    draft.finish(payload, args.scope)
}

/// The key and the value of an option; `None` if the word is not an option.
///
/// # Errors
///
/// The word is almost an option, so it is probably a typo. It must not become payload.
fn option(word: Word<'_>) -> Result<Option<(&'static str, Word<'_>)>, ParseError> {
    let Some((name, _)) = word.text.split_once('=') else { return Ok(None) };
    let keys = FRAME_KEYS.iter().map(|key| key.name);
    // Mask keys may be written as in the transcript.
    if let Some((_, key)) =
        [("op", "opcode"), ("key", "mask")].iter().find(|(short, _)| *short == name)
    {
        return Ok(Some((key, word.skip(name.len() + 1))));
    }
    if let Some(key) = keys.clone().find(|key| *key == name) {
        return Ok(Some((key, word.skip(name.len() + 1))));
    }
    match suggest::near(name, keys).first() {
        Some(meant) => {
            let accepted = format!("{meant}=, or -- before a payload that begins so");
            Err(word.not("not an option of /frame", accepted))
        }
        None => Ok(None),
    }
}

/// A payload must not begin with an opcode or with a word that is almost one: the user probably
/// made a typo.
fn misplaced_opcode(word: Word<'_>) -> Result<(), ParseError> {
    if opcode(word.text).is_some() && number(word.text).is_none() {
        let accepted = format!("opcode={}, or -- before a payload that begins so", word.text);
        return Err(word.not("an opcode that does not come first", accepted));
    }
    let plain = word.text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let named = ["continuation", "text", "binary", "close", "ping", "pong"];
    match suggest::near(word.text, named.into_iter().filter(|_| plain)).first() {
        Some(meant) => {
            Err(word
                .not("not an opcode", format!("{meant}, or -- before a payload that begins so")))
        }
        None => Ok(()),
    }
}

/// An option after the beginning of the payload would be sent as payload.
fn late_option(word: Word<'_>) -> Result<(), ParseError> {
    match option(word) {
        Ok(None) => Ok(()),
        _ => Err(word.not(
            "an option in the payload",
            "options before the payload, or -- before a payload that has them",
        )),
    }
}

/// A word of the message is almost one of the command's own words.
fn nearly(word: Word<'_>, names: &[&'static str]) -> Result<(), ParseError> {
    match suggest::near(word.text, names.iter().copied()).first() {
        Some(meant) => {
            Err(word
                .not("not an option", format!("{meant}, or -- before a message that begins so")))
        }
        None => Ok(()),
    }
}

/// A frame while its options are read.
#[derive(Debug)]
struct Draft {
    spec: FrameSpec,
    /// The value of `code=`. The payload then is the reason.
    code: Option<u16>,
    /// The keys that were given already.
    seen: Vec<&'static str>,
}

impl Default for Draft {
    fn default() -> Self {
        let spec = FrameSpec {
            opcode: OpCode::Data(Data::Text),
            fin: true,
            rsv: [false; 3],
            mask: MaskChoice::Role,
            form: None,
            announced: None,
            payload: Payload::Bytes(Vec::new()),
        };
        Self { spec, code: None, seen: Vec::new() }
    }
}

impl Draft {
    fn once(&mut self, key: &'static str, at: usize) -> Result<(), ParseError> {
        if self.seen.contains(&key) {
            return Err(ParseFault::Twice(key).at(at));
        }
        self.seen.push(key);
        Ok(())
    }

    fn set(&mut self, key: &str, value: Word<'_>) -> Result<(), ParseError> {
        let Self { spec, .. } = self;
        match key {
            "opcode" => {
                spec.opcode =
                    opcode(value.text).ok_or_else(|| value.not("not an opcode", OPCODES))?;
            }
            "fin" => spec.fin = switch(value)?,
            "rsv1" => spec.rsv[0] = switch(value)?,
            "rsv2" => spec.rsv[1] = switch(value)?,
            "rsv3" => spec.rsv[2] = switch(value)?,
            "rsv" => {
                let bits = number(value.text).filter(|bits| *bits < 8);
                let bits = bits.ok_or_else(|| value.not("not a value of rsv", "0 to 7"))?;
                spec.rsv = [bits & 4 != 0, bits & 2 != 0, bits & 1 != 0];
            }
            "mask" => {
                let switched =
                    on_off(value.text).map(|on| if on { MaskChoice::On } else { MaskChoice::Off });
                let choice = switched.or_else(|| mask_key(value.text).map(MaskChoice::Key));
                spec.mask =
                    choice.ok_or_else(|| value.not("not a mask", "on, off or 8 hex digits"))?;
            }
            "form" => {
                let form = number(value.text).and_then(length_form);
                spec.form = Some(form.ok_or_else(|| value.not("not a form", "7, 16 or 64"))?);
            }
            "length" => {
                let length = number(value.text);
                let accepted = "a number of bytes, at most 64 bits long";
                spec.announced = Some(length.ok_or_else(|| value.not("not a length", accepted))?);
            }
            _ => self.code = Some(code(value)?),
        }
        Ok(())
    }

    fn finish(mut self, payload: Word<'_>, scope: Scope<'_>) -> Result<Command, ParseError> {
        let read = payload::parse(payload, Plain::Text, scope)?;
        self.spec.payload = match (self.code, read) {
            (None, read) => read,
            (Some(_), Payload::File(_)) => return Err(ParseFault::ReasonFromFile.at(payload.at)),
            (code, Payload::Bytes(reason)) => {
                if !self.seen.contains(&"opcode") {
                    self.spec.opcode = OpCode::Control(Control::Close);
                }
                Payload::Bytes(CloseBody { code, reason }.to_payload())
            }
        };
        Ok(Command::Frame(self.spec))
    }
}

fn switch(value: Word<'_>) -> Result<bool, ParseError> {
    on_off(value.text).ok_or_else(|| value.not("not a switch", "on or off"))
}

pub(crate) fn code(word: Word<'_>) -> Result<u16, ParseError> {
    close_code(word.text).ok_or_else(|| word.not("not a close code", CODES))
}

/// `/close [CODE] [REASON]`.
///
/// # Errors
///
/// The first word is not a code, or an escape of the reason is wrong.
pub(crate) fn close(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let code = args.word().map(code).transpose()?;
    Ok(Command::Close { code, reason: payload::unescape(args.rest(), args.scope)? })
}

/// `/fragment N|SIZES [binary] [ping] MESSAGE`.
///
/// # Errors
///
/// The cut is invalid, the message is missing or can't be read.
pub(crate) fn fragment(args: &mut Args<'_>) -> Result<Command, ParseError> {
    let cut = cut(args.need("N, or sizes such as 2,0,5")?)?;
    let (mut binary, mut ping) = (false, false);
    let message = loop {
        if args.take_if("--") {
            break args.rest();
        }
        match args.peek().map(|word| word.text) {
            Some("binary") if !binary => binary = args.take_if("binary"),
            Some("ping") if !ping => ping = args.take_if("ping"),
            Some(_) => {
                let all: &[_] = &[("binary", binary), ("ping", ping)];
                let left: Vec<_> =
                    all.iter().filter(|(_, given)| !given).map(|(n, _)| *n).collect();
                args.peek().map_or(Ok(()), |word| nearly(word, &left))?;
                break args.rest();
            }
            None => return Err(args.missing("a message (an empty one is written --)")),
        }
    };
    let message = payload::parse(message, Plain::Text, args.scope)?;
    Ok(Command::Fragment(FragmentSpec { cut, binary, ping, message }))
}

fn cut(word: Word<'_>) -> Result<Fragmentation, ParseError> {
    let wrong = || {
        let accepted = format!("1 to {MAX_FRAGMENTS} fragments, or sizes in bytes as in 2,0,5");
        word.not("not a way to cut a message", accepted)
    };
    let size = |text: &str| number(text).and_then(|n| usize::try_from(n).ok()).ok_or_else(wrong);
    if !word.text.contains(',') {
        let count = size(word.text)?;
        return match (1..=MAX_FRAGMENTS).contains(&count) {
            true => Ok(Fragmentation::Count(count)),
            false => Err(wrong()),
        };
    }
    // `5,` is one size; the rest of the message is the last fragment.
    let sizes = word.text.strip_suffix(',').unwrap_or(word.text);
    sizes.split(',').map(size).collect::<Result<_, _>>().map(Fragmentation::Sizes)
}
