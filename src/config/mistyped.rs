//! A command line that clap refuses, or that would dial a mistyped command: what was meant.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::bad_value;
use super::invocation::{Invocation, find_long, mode_of};
use super::plan::quoted;
use crate::cli::habits;
use crate::ui::sanitize::escaped;
use crate::ui::suggest;

/// A name that short may as well be a host's.
const SHORT: usize = 5;

/// What was meant by words that clap refused; `None` if its own message is as good.
pub fn refused(program: &Command, typed: &Invocation, error: &clap::Error) -> Option<String> {
    if let Some(text) = command(program, typed, true) {
        return Some(text);
    }
    match error.kind() {
        ErrorKind::UnknownArgument => match error.get(ContextKind::InvalidArg) {
            Some(ContextValue::String(name)) if name.starts_with('-') && name != "-" => {
                Some(unknown_option(program, typed, name))
            }
            _ => surplus(program, typed),
        },
        ErrorKind::ArgumentConflict => surplus(program, typed),
        ErrorKind::MissingRequiredArgument => missing(program, typed, error),
        _ => bad_value::sentence(error),
    }
}

/// A command that was mistyped, and would be taken for the host to connect to.
pub fn command(program: &Command, typed: &Invocation, refused: bool) -> Option<String> {
    let by_option = typed.given.iter().any(|id| id == "connect_to_url");
    let first = typed.positionals.first().filter(|_| typed.mode().is_none() && !by_option)?;
    if first.contains(['.', ':', '/', '[', '@']) {
        return None;
    }
    let name = first.to_lowercase();
    let is_first =
        typed.arguments.get(typed.front).is_some_and(|word| word.to_str() == Some(first));
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
    // Two slips make another word of a short one.
    let slips = |mode: &str| strsim::osa_distance(&name, mode);
    let may_be = |mode: &&str| mode.len() >= SHORT || refused && slips(mode) == 1;
    let near = suggest::near(&name, modes().filter(may_be));
    let begun = || {
        let begins = |mode: &&str| refused && name.len() >= 3 && mode.starts_with(&name);
        modes().find(begins).or_else(|| habits::command(&name).filter(|_| refused))
    };
    let meant = near.first().copied().or_else(begun)?;
    Some(format!("no command '{}'; did you mean {meant}?{host}", escaped(first.as_bytes())))
}

/// An option that this mode does not have.
fn unknown_option(program: &Command, typed: &Invocation, option: &str) -> String {
    let mode = mode_of(program, typed.mode());
    let name = escaped(option.split('=').next().unwrap_or_default().as_bytes());
    let serves = mode.get_name() == "listen";
    let no_option = match typed.mode() {
        Some(_) => format!("wscope {} has no option {name}", mode.get_name()),
        None => format!("unknown option {name}"),
    };
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
        return format!("{no_option}; it is one of wscope {}", other.get_name());
    }
    let longs = mode.get_arguments().filter_map(Arg::get_long);
    let hint = name.strip_prefix("--").map(|long| suggest::did_you_mean("--", long, longs));
    match hint.filter(|hint| !hint.is_empty()) {
        Some(hint) => format!("{no_option}{hint}"),
        None => format!("{no_option}; wscope {} lists all", help_of(typed)),
    }
}

fn help_of(typed: &Invocation) -> String {
    match typed.mode().and_then(std::ffi::OsStr::to_str) {
        Some(mode) if !mode.starts_with('-') => format!("help {mode}"),
        _ => "--help".to_owned(),
    }
}

/// What a mode can't do without.
fn missing(program: &Command, typed: &Invocation, error: &clap::Error) -> Option<String> {
    let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mode = mode_of(program, typed.mode()).get_name();
    let missing: Vec<String> = missing.iter().map(|one| one.replace(['<', '>'], "")).collect();
    let text = missing.join(" and ");
    Some(format!("wscope {mode} needs {text}; wscope {} shows how", help_of(typed)))
}

/// More words than the mode takes.
fn surplus(program: &Command, typed: &Invocation) -> Option<String> {
    let mode = mode_of(program, typed.mode());
    let by_option = typed.given.iter().any(|id| id == "connect_to_url");
    let all: Vec<&str> = typed.positionals.iter().map(String::as_str).collect();
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
        "connect" | "wscope" | "handshake" | "doctor" => ("one URL only", false),
        _ => return None,
    };
    let sends = find_long(mode, "execute").is_some();
    Some(match second {
        "-" => format!("{one}; - is not needed, stdin is read without it"),
        _ if first == "-" => {
            format!("{one}; - is not needed, stdin is read without it: wscope {}", shown(second))
        }
        _ if second.starts_with('@') => format!("{one}; a second profile is not read"),
        _ if is_host && is_port(second) => {
            format!("{one}; a port follows a colon: {}:{second}", shown(first))
        }
        _ if serves => {
            format!("{one}; to answer every message: --reply {}", shown(&quoted(&joined)))
        }
        _ if is_url(second) => {
            format!("{one}, not {} too; run wscope once for each", shown(second))
        }
        _ if is_header(second) => format!(
            "{one}; a header is written -H {}{}",
            shown(&quoted(second)),
            if sends { ", a message -x" } else { "" }
        ),
        _ if sends => format!("{one}; to send a message: -x {}", shown(&quoted(&joined))),
        _ => format!("{one}, not {} too", shown(&quoted(second))),
    })
}

fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://").map_or("", |(scheme, _)| scheme);
    !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
}

/// `Name:value`, as HTTPie takes it.
fn is_header(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, value)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !value.is_empty()
            && !value.trim().bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// A name that `wscope help` does not know.
pub fn no_command(name: &str, modes: &[String]) -> String {
    let near = suggest::did_you_mean("", name, modes.iter().map(String::as_str));
    let hint = match (near.is_empty(), habits::command(name)) {
        (false, _) => near,
        (true, Some(meant)) => format!("; did you mean {meant}?"),
        (true, None) => "; wscope help lists all".to_owned(),
    };
    format!("no command '{}'{hint}", escaped(name.as_bytes()))
}
