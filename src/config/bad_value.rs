//! The error for a wrong value of an option, in one sentence: the option, what is wrong, which
//! values are allowed.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::ui::sanitize::escaped;
use crate::ui::suggest;

/// The sentence; `None` if clap's error is not about a value.
pub fn sentence(error: &clap::Error) -> Option<String> {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    // clap shows the option as in the help: `--connect-timeout <SECS>`.
    let shown = text(ContextKind::InvalidArg)?;
    let (option, takes) = shown.split_once(' ').unwrap_or((shown, ""));
    let option = option.trim_start_matches('<').trim_end_matches('>');
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation => {
            Some(format!("{option}: {}", escaped(error.source()?.to_string().as_bytes())))
        }
        ErrorKind::TooManyValues => {
            Some(format!("{} takes no value; write it alone", option.trim_end_matches("...")))
        }
        ErrorKind::InvalidValue if value.is_empty() => {
            let takes = takes.replace(['<', '>'], "");
            Some(format!("{option} needs a value: {option} {}", takes.trim_end_matches("...")))
        }
        ErrorKind::InvalidValue => {
            let Some(ContextValue::Strings(known)) = error.get(ContextKind::ValidValue) else {
                return None;
            };
            let near = suggest::near(value, known.iter().map(String::as_str));
            let hint = near.first().map(|near| format!("; did you mean {near}?"));
            let value = escaped(format!("{value:?}").as_bytes());
            let known = known.join(", ");
            Some(format!("{option}: {value} is not one of {known}{}", hint.unwrap_or_default()))
        }
        _ => None,
    }
}
