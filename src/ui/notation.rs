//! The notation of single values: opcodes, close codes, keys, lengths, switches, times.
//!
//! One notation for the prompt, the command line and the JSON commands. Each function returns
//! `None` or an error in words; the caller knows the position of the value.

use std::time::Duration;

use crate::ui::hex;
use crate::wire::close::{CloseCodeInfo, REGISTRY};
use crate::wire::frame::opcode_name;
use crate::wire::mask::MaskKey;
use crate::wire::{LengthForm, OpCode};

/// The values that [`opcode`] accepts, in words.
pub const OPCODES: &str = "0 to 15, or continuation, text, binary, close, ping, pong";

/// The values that [`duration`] accepts, in words.
pub const TIMES: &str = "seconds, as in 1.5, or 250ms, 2m, 1h";

/// The longest allowed time: the current time plus this time is still valid.
pub const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 86400);

/// An opcode by its name, or by its number: `0` to `15`, `0x0` to `0xf`.
pub fn opcode(word: &str) -> Option<OpCode> {
    let named = |opcode: &OpCode| opcode_name(*opcode) == Some(word);
    (0..16).map(OpCode::from).find(named).or_else(|| {
        let bits = number(word)?;
        u8::try_from(bits).ok().filter(|bits| *bits < 16).map(OpCode::from)
    })
}

/// The name of an opcode, or the number of a reserved one; [`opcode`] reads it back.
pub fn opcode_word(opcode: OpCode) -> String {
    opcode_name(opcode).map_or_else(|| u8::from(opcode).to_string(), str::to_owned)
}

/// A close code: 0 to 65535, or a registered name with dashes, as `going-away`.
pub fn close_code(word: &str) -> Option<u16> {
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.parse().ok();
    }
    close_names().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, info)| info.first)
}

/// The close codes that have a name, with the name that [`close_code`] accepts.
pub fn close_names() -> impl Iterator<Item = (String, &'static CloseCodeInfo)> {
    let single = REGISTRY.iter().filter(|info| info.first == info.last);
    single.map(|info| (info.name.replace(' ', "-").to_lowercase(), info))
}

/// A mask key: eight hex digits.
pub fn mask_key(digits: &str) -> Option<MaskKey> {
    hex::unhex(digits).ok()?.try_into().ok()
}

/// The form of a length, by the bits that carry it: 7, 16 or 64.
pub fn length_form(bits: u64) -> Option<LengthForm> {
    let forms = [LengthForm::Bits7, LengthForm::Bits16, LengthForm::Bits64];
    forms.into_iter().find(|form| u64::from(form.bits()) == bits)
}

/// A switch: `on`, `1`, `true`, `yes`, or `off`, `0`, `false`, `no`.
pub fn on_off(word: &str) -> Option<bool> {
    match word {
        "on" | "1" | "true" | "yes" => Some(true),
        "off" | "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// A number of at most 64 bits, decimal, or hexadecimal after `0x`.
pub fn number(word: &str) -> Option<u64> {
    let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (word, 10),
    };
    // `from_str_radix` would accept a sign.
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, radix).ok().filter(|_| all_digits)
}

/// `1.5`, `250ms`, `2m`: seconds unless a unit is given; at most a hundred years, so that no
/// instant overflows.
///
/// # Errors
///
/// A sentence with the text and the notation of times.
pub fn duration(text: &str) -> Result<Duration, String> {
    let help = || format!("{text:?} is not a time; write {TIMES}");
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(help()),
    };
    let number: f64 = number.parse().map_err(|_| help())?;
    Duration::try_from_secs_f64(number * seconds)
        .ok()
        .filter(|time| *time <= MAX_DURATION)
        .ok_or_else(help)
}

/// Whether a text is the name of a variable, such as `A` or `user_id2`: ASCII letters, digits and
/// `_`, no digit first. Groups of regular expressions have such names.
pub fn is_variable(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opcodes_have_names_and_numbers() {
        for bits in 0..16u8 {
            let wanted = Some(OpCode::from(bits));
            assert_eq!(opcode(&bits.to_string()), wanted);
            assert_eq!(opcode(&format!("{bits:#x}")), wanted);
            assert_eq!(opcode(&opcode_word(OpCode::from(bits))), wanted);
        }
        for wrong in ["", "16", "0x10", "-1", "+1", "Text", "data"] {
            assert_eq!(opcode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn close_codes_have_names_and_numbers() {
        assert_eq!(close_code("1001"), Some(1001));
        assert_eq!(close_code("65535"), Some(65535));
        assert_eq!(close_code("going-away"), Some(1001));
        assert_eq!(close_code("tls-handshake"), Some(1015));
        for wrong in ["", "65536", "-1", "going", "never-used", "private-use"] {
            assert_eq!(close_code(wrong), None, "{wrong}");
        }
        for (name, info) in close_names() {
            assert_eq!(close_code(&name), Some(info.first));
        }
    }

    #[test]
    fn keys_forms_and_switches() {
        assert_eq!(mask_key("37fa213d"), Some([0x37, 0xfa, 0x21, 0x3d]));
        assert_eq!(mask_key("37fa21"), None);
        assert_eq!(length_form(16), Some(LengthForm::Bits16));
        assert_eq!(length_form(8), None);
        assert_eq!((on_off("yes"), on_off("0"), on_off("maybe")), (Some(true), Some(false), None));
        assert_eq!(number("0xffffffffffffffff"), Some(u64::MAX));
        assert_eq!(
            (number("+1"), number("0x+1"), number("a"), number("")),
            (None, None, None, None)
        );
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        for wrong in ["", "-1", "x", "1d", "nan", "inf", "1e300"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
