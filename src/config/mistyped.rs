//! Finds what the user meant with a command line that clap refuses, or that would connect to a
//! mistyped command. This file has a sentence for each error of clap, so clap's own messages are
//! never shown.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::bad_value;
use super::invocation::{Invocation, find_long, mode_of};
use super::listen::parse_address;
use super::plan::quoted;
use crate::cli::habits;
use crate::ui::sanitize::escaped;
use crate::ui::suggest;

/// A single word of this length or less may be a host.
const SHORT: usize = 3;

/// The error for words that clap refused.
pub fn refused(program: &Command, typed: &Invocation, error: &clap::Error) -> String {
    // A word after an unknown option may be the option's value.
    let option = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        (ErrorKind::UnknownArgument, Some(ContextValue::String(name))) => name.starts_with('-'),
        _ => false,
    };
    if let Some(text) = command(program, typed, true).filter(|_| !option || typed.begins_so()) {
        return text;
    }
    if let Some(text) = one_dash(program, typed) {
        return text;
    }
    let text = match error.kind() {
        ErrorKind::UnknownArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(name)) if name.starts_with('-') && name != "-" => {
                Some(unknown_option(program, typed, name))
            }
            Some(ContextValue::String(word)) => {
                surplus(program, typed).or_else(|| Some(unexpected(program, typed, word)))
            }
            _ => surplus(program, typed),
        },
        ErrorKind::ArgumentConflict => surplus(program, typed).or_else(|| conflict(error)),
        ErrorKind::MissingRequiredArgument => {
            no_program(program, typed).or_else(|| missing(program, typed, error))
        }
        ErrorKind::InvalidSubcommand => no_action(program, typed, error),
        ErrorKind::InvalidUtf8 => Some(
            "an argument is not valid UTF-8; bytes that are not text are sent from a file: \
             -b --input whole < FILE"
                .to_owned(),
        ),
        _ => bad_value::sentence(error),
    };
    text.unwrap_or_else(|| {
        format!(
            "the arguments do not fit together; wscope {} shows which do",
            help_of(program, typed)
        )
    })
}

/// Options that exclude each other.
fn conflict(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(one)) = error.get(ContextKind::InvalidArg) else { return None };
    let one = plain_name(one);
    let others = match error.get(ContextKind::PriorArg) {
        Some(ContextValue::String(other)) => vec![plain_name(other)],
        Some(ContextValue::Strings(others)) => {
            others.iter().map(|other| plain_name(other)).collect()
        }
        _ => Vec::new(),
    };
    if others.is_empty() {
        return None;
    }
    let others = others.join(" and ");
    Some(format!("{one} can't be combined with {others}; leave one of them out"))
}

/// For example `--hex` and `FILE`, for `--hex <HEX>` and `[FILE]`.
fn plain_name(shown: &str) -> &str {
    let shown = shown.trim_end_matches("...");
    match shown.starts_with('-') {
        true => shown.split([' ', '=']).next().unwrap_or(shown).trim_end_matches("..."),
        false => {
            let inner = shown.strip_prefix(['[', '<']).unwrap_or(shown);
            inner.strip_suffix([']', '>']).unwrap_or(inner)
        }
    }
}

/// The error for a word that the mode does not accept.
fn unexpected(program: &Command, typed: &Invocation, word: &str) -> String {
    let mode = mode_of(program, typed.mode());
    let takes: Vec<&str> = mode
        .get_positionals()
        .filter(|arg| !arg.is_hide_set())
        .filter_map(|arg| arg.get_value_names()?.first().map(|name| name.as_str()))
        .collect();
    let takes = match &takes[..] {
        [] => "no argument".to_owned(),
        [names @ .., "CMD"] => {
            format!("only {}, and CMD after --", names.join(" and "))
        }
        names => format!("only {}", names.join(" and ")),
    };
    let word = escaped(quoted(word).as_bytes());
    format!("unexpected argument {word}: {} takes {takes}", name_of(mode, typed))
}

/// The error for an unknown subcommand.
fn no_action(program: &Command, typed: &Invocation, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let mode = mode_of(program, typed.mode());
    let names = mode.get_subcommands().map(Command::get_name).filter(|name| *name != "help");
    let names: Vec<&str> = names.collect();
    let near = suggest::did_you_mean("", word, names.iter().copied());
    let hint = match near.is_empty() {
        true => format!("; it has {}", names.join(", ")),
        false => near,
    };
    let word = escaped(word.as_bytes());
    Some(format!("{} has no command '{word}'{hint}", name_of(mode, typed)))
}

/// The command as typed: `wscope listen`, or `wscope` without a mode.
fn name_of(mode: &Command, typed: &Invocation) -> String {
    match typed.mode() {
        Some(_) => format!("wscope {}", mode.get_name()),
        None => "wscope".to_owned(),
    }
}

/// The error for `--` without a program.
pub fn no_program(program: &Command, typed: &Invocation) -> Option<String> {
    let mode = mode_of(program, typed.mode());
    let takes_one = mode.get_positionals().any(clap::Arg::is_last_set);
    let mut dashes = typed.arguments.iter().skip_while(|word| *word != "--");
    let is_alone = dashes.next().is_some() && dashes.next().is_none();
    (takes_one && is_alone)
        .then(|| format!("{}: the command is missing after --", name_of(mode, typed)))
}

/// The error for a mistyped command that would be used as a host name.
pub fn command(program: &Command, typed: &Invocation, refused: bool) -> Option<String> {
    // With options about the host, the word is certainly a host.
    let by_option = typed.given.iter().any(|id| {
        matches!(id.as_str(), "connect_to_url" | "resolve" | "connect_to" | "host" | "unix_socket")
    });
    let first = typed.positionals.first().filter(|_| typed.mode().is_none() && !by_option)?;
    if first.contains(['.', ':', '/', '[', '@']) {
        return None;
    }
    let name = first.to_lowercase();
    let is_first = typed.begins_so();
    let modes = || program.get_subcommands().map(Command::get_name);
    let host = match refused {
        true => String::new(),
        false => format!("; a host of this name is written ws://{}", escaped(first.as_bytes())),
    };
    if modes().any(|mode| mode == name) {
        return Some(match is_first {
            true => format!("no command '{first}'; did you mean {name}?{host}"),
            false => format!("the command comes first: wscope {name} …{host}"),
        });
    }
    let slips = |mode: &str| strsim::osa_distance(&name, mode);
    let may_be = |mode: &&str| match refused {
        // Two typos in a short word give another word.
        true => mode.len() > 4 || slips(mode) == 1,
        // A single word may also be a host: shop, relay1, listener.
        false => slips(mode) == 1 && (mode.len() > 5 || is_slip(&name, mode)),
    };
    let long = if refused { 1 } else { SHORT };
    let near = suggest::near(&name, modes().filter(may_be));
    let begun = || {
        let begins = |mode: &&str| name.len() > long && mode.starts_with(&name);
        modes().find(begins).or_else(|| habits::command(&name).filter(|_| refused))
    };
    let meant = near.first().copied().or_else(begun)?;
    Some(format!("no command '{}'; did you mean {meant}?{host}", escaped(first.as_bytes())))
}

/// Whether a word equals this one except for a doubled or dropped letter, or two exchanged letters.
/// Such a word is probably a typo.
fn is_slip(word: &str, of: &str) -> bool {
    let sorted = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    let doubled = || {
        let letters: Vec<char> = word.chars().collect();
        (1..letters.len()).any(|at| {
            let mut less = letters.clone();
            letters[at] == less.remove(at - 1) && less.iter().collect::<String>() == of
        })
    };
    word.len() + 1 == of.len() || doubled() || sorted(word) == sorted(of)
}

/// The error for `-header`, a long option with a missing dash.
pub fn one_dash(program: &Command, typed: &Invocation) -> Option<String> {
    let mode = mode_of(program, typed.mode());
    let words = typed.arguments.get(typed.front..)?.iter().filter_map(|word| word.to_str());
    let long = words.take_while(|word| *word != "--").find_map(|word| {
        let name = word.strip_prefix('-')?.split('=').next()?;
        let is_value = typed.values.iter().any(|(_, value)| value == word);
        let known = name.len() > 2 && find_long(mode, name).is_some() || name == "version";
        (known && !is_value && name != "help").then_some(name)
    })?;
    let option = format!("-{long}");
    Some(format!("{}; did you mean --{long}?", no_option(mode, typed, &option)))
}

fn no_option(mode: &Command, typed: &Invocation, name: &str) -> String {
    match typed.mode() {
        Some(_) => format!("wscope {} has no option {name}", mode.get_name()),
        None => format!("unknown option {name}"),
    }
}

/// The error for an option that this mode does not have.
fn unknown_option(program: &Command, typed: &Invocation, option: &str) -> String {
    let mode = mode_of(program, typed.mode());
    let name = escaped(option.split('=').next().unwrap_or_default().as_bytes());
    let serves = mode.get_name() == "listen";
    let no_option = no_option(mode, typed, &name);
    if let Some(advice) = habits::option_of(mode.get_name(), &name) {
        return format!("{no_option}; {advice}");
    }
    let takes_handshake = find_long(mode, "header").is_some();
    if let Some(advice) = habits::option(&name, serves).filter(|_| takes_handshake) {
        return format!("{no_option}; {advice}");
    }
    let has = |command: &Command| match name.strip_prefix("--") {
        Some(long) => find_long(command, long).is_some(),
        None => command.get_arguments().any(|arg| arg.get_short() == name.chars().nth(1)),
    };
    // The program's own options are those of connect.
    let others = program.get_subcommands().filter(|other| other.get_name() != mode.get_name());
    if let Some(other) = others.into_iter().find(|other| has(other)) {
        return format!("{no_option}; wscope {} has it", other.get_name());
    }
    let longs = mode.get_arguments().filter_map(Arg::get_long);
    let hint = name.strip_prefix("--").map(|long| suggest::did_you_mean("--", long, longs));
    match hint.filter(|hint| !hint.is_empty()) {
        Some(hint) => format!("{no_option}{hint}"),
        None => format!("{no_option}; wscope {} lists all", help_of(program, typed)),
    }
}

fn help_of(program: &Command, typed: &Invocation) -> String {
    match typed.mode() {
        Some(_) => format!("help {}", mode_of(program, typed.mode()).get_name()),
        None => "--help".to_owned(),
    }
}

/// The error for a missing argument.
fn missing(program: &Command, typed: &Invocation, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mode = mode_of(program, typed.mode());
    let named: Vec<String> = missing.iter().map(|one| one.replace(['<', '>'], "")).collect();
    let text = named.join(" and ");
    if let Some(option) = missing.iter().find_map(|one| needs(program, typed, one)) {
        let more = match option.as_str() {
            "message" => "; to send a message: -x MESSAGE",
            _ => "",
        };
        return Some(format!("--{option} needs {text}, too{more}"));
    }
    if let Some(option) = swallowed(mode, typed, &named) {
        let name = name_of(mode, typed);
        return Some(format!("{name} needs {text}; {option} took the word after it as its value"));
    }
    Some(format!(
        "{} needs {text}; wscope {} shows how",
        name_of(mode, typed),
        help_of(program, typed)
    ))
}

/// The error for an option that took the missing argument as its value. It does not quote the
/// value, which may be a secret.
fn swallowed<'t>(mode: &Command, typed: &'t Invocation, lacks: &[String]) -> Option<&'t str> {
    let serves = matches!(mode.get_name(), "listen" | "proxy");
    let fits = |value: &str| match lacks.iter().any(|name| name.contains("PORT")) {
        true => parse_address(value).is_ok(),
        false => !serves && lacks.iter().any(|name| name == "URL") && is_url(value),
    };
    // These options need a number.
    let counts = |option: &str| {
        let arg = match option.strip_prefix("--") {
            Some(long) => find_long(mode, long),
            None => mode.get_arguments().find(|arg| arg.get_short() == option.chars().nth(1)),
        };
        let names = arg.and_then(Arg::get_value_names).unwrap_or_default();
        names
            .iter()
            .any(|name| ["SECS", "N", "SIZE", "CODE", "MODE", "PORT"].contains(&name.as_str()))
    };
    let taken = typed.values.iter().rev().find(|(option, value)| fits(value) && !counts(option));
    taken.map(|(option, _)| option.as_str())
}

/// The option that needs another one; clap reports it as a missing argument.
fn needs(program: &Command, typed: &Invocation, other: &str) -> Option<String> {
    let mode = mode_of(program, typed.mode());
    let given = mode.get_arguments().filter(|arg| typed.given.iter().any(|id| arg.get_id() == id));
    let mut longs = given.filter_map(|arg| Some((arg, arg.get_long()?)));
    let wanted = longs.find(|(arg, long)| {
        // Given alone, the other option may require this one.
        let value = if arg.get_action().takes_values() { "=1" } else { "" };
        let mut words = vec![OsString::from("wscope")];
        words.extend(typed.mode().map(OsString::from));
        words.push(format!("--{long}{value}").into());
        let Err(error) = program.clone().try_get_matches_from(words) else { return false };
        let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
            return false;
        };
        other.starts_with('-') && missing.iter().any(|one| one == other)
    })?;
    Some(wanted.1.to_owned())
}

/// The error for more words than the mode allows.
fn surplus(program: &Command, typed: &Invocation) -> Option<String> {
    let mode = mode_of(program, typed.mode());
    let by_option = typed.given.iter().any(|id| id == "connect_to_url");
    let all: Vec<&str> = typed.positionals.iter().map(String::as_str).collect();
    // In other programs, `-c 3` is a number.
    let counts = |value: &str| value.parse::<u16>().is_ok();
    let number = typed.values.iter().find(|(option, value)| option == "-c" && counts(value));
    if let Some((_, count)) = number.filter(|_| by_option) {
        let count = format!("--exit-after {count} ends after that many messages");
        return Some(format!("-c is the URL, as in wscat; {count}"));
    }
    let (first, more) = match (&all[..], by_option) {
        (more @ [_, ..], true) => ("", more),
        ([first, more @ ..], false) if !more.is_empty() => (*first, more),
        _ => return None,
    };
    let joined = more.join(" ");
    let second = more[0];
    let modes = || program.get_subcommands().map(Command::get_name);
    if let Some(mode) = modes().find(|mode| *mode == second && typed.mode().is_none()) {
        return Some(format!("the command comes first: wscope {mode} {}", quoted(first)));
    }
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    let is_host = !first.is_empty() && !first.contains([':', '/']) && !is_port(first);
    let shown = |text: &str| escaped(text.as_bytes());
    if mode.get_name() == "decode" {
        let hex = all.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_hexdigit()));
        return Some(match hex {
            true => format!("one FILE only; hex digits are written --hex '{}'", all.join(" ")),
            false => format!("one FILE only, not {} too", shown(&quoted(second))),
        });
    }
    let (one, serves) = match mode.get_name() {
        "listen" => ("one address only", true),
        "connect" | "wscope" | "handshake" | "doctor" | "ping" => ("one URL only", false),
        _ => return None,
    };
    let sends = find_long(mode, "execute").is_some();
    // It does not look like a URL: it has no dot, colon or slash.
    let is_word =
        first != "localhost" && !first.is_empty() && !first.contains(['.', ':', '/', '@']);
    Some(match second {
        "-" => format!("{one}; - is not needed, stdin is read without it"),
        _ if first == "-" => {
            format!("{one}; - is not needed, stdin is read without it: wscope {}", shown(second))
        }
        _ if second.starts_with('@') => format!("{one}; a second profile is not read"),
        _ if is_host && is_port(second) => {
            format!("{one}; a port follows a colon: {}:{second}", shown(first))
        }
        _ if serves && (is_port(second) || is_url(second)) => {
            format!("{one}, not {} too; run wscope once for each", shown(second))
        }
        _ if serves => {
            format!("{one}; to answer every message: --reply {}", shown(&quoted(&joined)))
        }
        _ if is_url(second) && is_word => {
            format!("{one}; {} before it is not a URL: wscope {}", shown(first), shown(second))
        }
        _ if is_url(second) => {
            format!("{one}, not {} too; run wscope once for each", shown(second))
        }
        _ if is_header(second) => format!(
            "{one}; a header is written -H {}{}",
            shown(&quoted(second)),
            if sends { ", a message -x" } else { "" }
        ),
        _ if sends && is_word && typed.mode().is_none() => format!(
            "no command '{}', and {one}; to send a message: -x {}",
            shown(first),
            shown(&quoted(&joined))
        ),
        _ if sends => format!("{one}; to send a message: -x {}", shown(&quoted(&joined))),
        _ => format!("{one}, not {} too", shown(&quoted(second))),
    })
}

fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
}

/// `Name:value`, as in HTTPie.
fn is_header(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, value)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !value.is_empty()
            && !value.trim().bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The error for an unknown command after `wscope help`.
pub fn no_command(name: &str, modes: &[String]) -> String {
    let near = suggest::did_you_mean("", name, modes.iter().map(String::as_str));
    let hint = match (near.is_empty(), habits::command(name)) {
        (false, _) => near,
        (true, Some(meant)) => format!("; did you mean {meant}?"),
        (true, None) => "; wscope help lists all".to_owned(),
    };
    format!("no command '{}'{hint}", escaped(name.as_bytes()))
}
