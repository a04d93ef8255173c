//! Defaults of the user: configuration file, profile and `WSCOPE_*` variables become arguments
//! that are put before those typed.
//!
//! Precedence, weakest first: the file's first part, the profile, the environment, the command
//! line. For an option with one value, the last one counts (the command must have
//! `args_override_self(true)`); options that can be repeated collect all values. A default that
//! conflicts with a stronger option, such as `quiet` with `-v`, is left out. The file and the
//! environment are arguments.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};
use thiserror::Error;

use super::bad_value;
use super::environment::PREFIX;
use super::file::{ConfigFile, Setting};
use super::invocation::{Invocation, find_long, mode_of};
use crate::ui::suggest;

/// Options about the source of defaults can't be in the file itself.
const OUTSIDE: [&str; 2] = ["config", "no-config"];

/// Variables that are not options. The code that needs a key's passphrase reads its variable.
/// `wscope listen --exec` sets two for a process, `wscope proxy --to URL -- CMD` sets one for its
/// program, and the build uses one.
const NO_OPTIONS: [&str; 5] = ["passphrase", "conn", "peer", "port", "dynamic-openssl"];

/// The other variables that `wscope listen --exec` sets. They have names of options, but are not
/// options if `WSCOPE_CONN` is set.
const OF_A_CLIENT: [&str; 2] = ["path", "subprotocol"];

/// The place of a default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OptionOrigin {
    /// In a line of a file.
    File {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// In a variable of the environment.
    Variable(String),
}

impl std::fmt::Display for OptionOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

/// Why a default can't be used. The errors contain no values.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DefaultsError {
    /// A line that can't be parsed.
    #[error("{origin}: {what}")]
    Line {
        /// The position.
        origin: OptionOrigin,
        /// What is wrong.
        what: &'static str,
    },
    /// An unknown name.
    #[error("{origin}: unknown option --{name}{hint}")]
    Unknown {
        /// The position.
        origin: OptionOrigin,
        /// The name as written.
        name: String,
        /// A suggestion, as the end of the sentence.
        hint: String,
    },
    /// An option without its value.
    #[error("{origin}: --{name} needs a value")]
    NoValue {
        /// The position.
        origin: OptionOrigin,
        /// The option.
        name: String,
    },
    /// A flag with a value other than yes or no.
    #[error("{origin}: --{name} takes no value; write the name alone, or yes or no")]
    NoFlag {
        /// The position.
        origin: OptionOrigin,
        /// The option.
        name: String,
    },
    /// A value that the option does not accept.
    #[error("{origin}: {reason}")]
    BadValue {
        /// The position.
        origin: OptionOrigin,
        /// The option, the fault, and the accepted values.
        reason: String,
    },
    /// A profile that does not exist.
    #[error("unknown profile @{name}{place}{hint}")]
    NoProfile {
        /// The name as typed.
        name: String,
        /// ` in FILE`.
        place: String,
        /// A suggestion, as the end of the sentence.
        hint: String,
    },
}

/// The command line with all defaults.
#[derive(Clone)]
pub struct Arguments {
    /// For clap: program, mode, defaults, typed arguments.
    pub arguments: Vec<OsString>,
    /// Notes about variables with unknown names, one sentence each.
    pub notes: Vec<String>,
    /// The used defaults, to find the one that clap refuses.
    used: Vec<(OptionOrigin, OsString)>,
}

/// The usual place of the file, without `--config`: `$XDG_CONFIG_HOME/wscope/config`,
/// `~/.config/wscope/config`.
///
/// "All paths set in these environment variables must be absolute. If an implementation
/// encounters a relative path … it should … ignore it" (XDG Base Directory Specification).
pub fn usual_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || absolute("HOME").map(|home| home.join(".config"));
    let folder = absolute("XDG_CONFIG_HOME").or_else(home)?;
    Some(folder.join("wscope").join("config"))
}

/// Puts the defaults before the typed arguments. `file` is the configuration file with its name, if
/// there is one; `environment` has all variables.
///
/// # Errors
///
/// A line, a name, a value or the profile can't be used.
pub fn assemble(
    program: &Command,
    invocation: &Invocation,
    file: Option<(&Path, &ConfigFile)>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Arguments, DefaultsError> {
    let mode = mode_of(program, invocation.arguments.get(1).map(OsString::as_os_str));
    let maker = ArgMaker { program, mode, skip_positional: !invocation.positionals.is_empty() };
    let mut notes = Vec::new();
    let mut sources = of_file(&maker, invocation, file)?;
    sources.push(of_environment(&maker, environment, &mut notes)?);

    // From the strongest to the weakest source, so that each source knows the stronger ones. The
    // time depends on the number of options, not on how often each is given.
    let mut stronger: BTreeSet<String> = invocation.given.iter().cloned().collect();
    for source in sources.iter_mut().rev() {
        let args: BTreeMap<&str, &Arg> = source.iter().map(|made| (made.id(), made.arg)).collect();
        let weaker: BTreeSet<&str> = args
            .into_iter()
            .filter(|(_, arg)| conflicts(mode, arg, &stronger))
            .map(|(id, _)| id)
            .collect();
        source.retain(|made| !weaker.contains(made.id()));
        let on = source.iter().filter(|made| made.word.is_some());
        stronger.extend(on.map(|made| made.id().to_owned()));
    }
    let all: Vec<DefaultArg<'_>> = sources.into_iter().flatten().collect();
    // For an option with one value, and for the URL, only the strongest value counts; a flag that
    // was turned off does not count.
    let mut decided = BTreeSet::new();
    let mut used: Vec<(OptionOrigin, OsString)> = Vec::new();
    for made in all.into_iter().rev() {
        let gathers = matches!(made.arg.get_action(), ArgAction::Append | ArgAction::Count);
        let counts = !decided.contains(made.id());
        if made.word.is_none() || !gathers {
            decided.insert(made.id().to_owned());
        }
        if let (true, Some(word)) = (counts, made.word) {
            used.push((made.origin, word));
        }
    }
    used.reverse();

    let (front, typed) = invocation.arguments.split_at(invocation.front);
    // A user who types no arguments wants help, unless the defaults have a URL.
    let has_url = mode.get_positionals().any(|arg| decided.contains(arg.get_id().as_str()));
    if typed.is_empty() && invocation.profile.is_none() && !has_url {
        return Ok(Arguments { arguments: front.to_vec(), notes, used: Vec::new() });
    }
    let words = used.iter().map(|(_, word)| word);
    let arguments = front.iter().chain(words).chain(typed).cloned().collect();
    Ok(Arguments { arguments, notes, used })
}

impl Arguments {
    /// The default whose value clap refused; `None` if the value was typed.
    pub fn blame(&self, refused: &clap::Error) -> Option<DefaultsError> {
        let text_of = |kind| match refused.get(kind) {
            Some(ContextValue::String(text)) => Some(text.as_str()),
            _ => None,
        };
        // clap shows the option as in the help: `--connect-timeout <SECS>`.
        let option = text_of(ContextKind::InvalidArg)?.split(' ').next()?;
        let word = format!("{option}={}", text_of(ContextKind::InvalidValue)?);
        let (origin, _) = self.used.iter().find(|(_, used)| *used == *word)?;
        let reason = bad_value::sentence(refused)?;
        Some(DefaultsError::BadValue { origin: origin.clone(), reason })
    }
}

/// A default as an argument.
struct DefaultArg<'c> {
    arg: &'c Arg,
    origin: OptionOrigin,
    /// `None` turns off a flag that a weaker source turned on.
    word: Option<OsString>,
}

impl<'c> DefaultArg<'c> {
    fn id(&self) -> &'c str {
        self.arg.get_id().as_str()
    }
}

/// Converts settings to arguments.
struct ArgMaker<'c> {
    program: &'c Command,
    mode: &'c Command,
    /// A positional argument was typed.
    skip_positional: bool,
}

/// The two parts of the file, in order.
fn of_file<'c>(
    maker: &ArgMaker<'c>,
    invocation: &Invocation,
    file: Option<(&Path, &ConfigFile)>,
) -> Result<Vec<Vec<DefaultArg<'c>>>, DefaultsError> {
    let no_profile = |name: &str, place: String, names: Vec<&str>| DefaultsError::NoProfile {
        name: name.to_owned(),
        place,
        hint: suggest::did_you_mean("@", name, names),
    };
    let Some((path, file)) = file else {
        return match &invocation.profile {
            Some(name) => {
                Err(no_profile(name, ": no configuration file was read; profiles are sections of ~/.config/wscope/config"
                    .to_owned(), Vec::new()))
            }
            None => Ok(Vec::new()),
        };
    };
    let origin = |line| OptionOrigin::File { path: path.to_owned(), line };
    if let Some(fault) = file.faults.first() {
        return Err(DefaultsError::Line { origin: origin(fault.line), what: fault.what });
    }
    let gather = |settings: &mut dyn Iterator<Item = &Setting>| {
        settings
            .map(|s| maker.make(&s.name, s.value.as_deref(), origin(s.line)))
            .filter_map(Result::transpose)
            .collect::<Result<Vec<_>, _>>()
    };
    let mut sources = vec![gather(&mut file.common.iter())?];
    if let Some(name) = &invocation.profile {
        let mut settings = file.profile(name).ok_or_else(|| {
            let names = file.profiles.iter().map(|profile| profile.name.as_str()).collect();
            no_profile(name, format!(" in {}", path.display()), names)
        })?;
        sources.push(gather(&mut settings)?);
    }
    Ok(sources)
}

/// `WSCOPE_CONNECT_TIMEOUT=3`: the long name in capitals, `_` for `-`. For a repeatable option,
/// each line is a value. An empty value counts as unset.
fn of_environment<'c>(
    maker: &ArgMaker<'c>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    notes: &mut Vec<String>,
) -> Result<Vec<DefaultArg<'c>>, DefaultsError> {
    let mut variables: Vec<(String, String)> = environment
        .into_iter()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, value)| name.starts_with(PREFIX) && !value.is_empty())
        .collect();
    // The order of the system has no meaning.
    variables.sort();
    let in_exec = variables.iter().any(|(name, _)| name == "WSCOPE_CONN");
    let mut made = Vec::new();
    for (variable, value) in variables {
        let name = variable[PREFIX.len()..].to_ascii_lowercase().replace('_', "-");
        let name_is = |names: &[&str]| names.contains(&name.as_str());
        if name_is(&OUTSIDE) || name_is(&NO_OPTIONS) || in_exec && name_is(&OF_A_CLIENT) {
            continue;
        }
        let origin = || OptionOrigin::Variable(variable.clone());
        let is_list = find_long(maker.mode, &name)
            .is_some_and(|arg| matches!(arg.get_action(), ArgAction::Append));
        let values: Vec<&str> = match is_list {
            true => value.lines().filter(|line| !line.trim().is_empty()).collect(),
            false => vec![&value],
        };
        for value in values {
            match maker.make(&name, Some(value), origin()) {
                Ok(one) => made.extend(one),
                // A variable of another program may begin with the same prefix.
                Err(error @ DefaultsError::Unknown { .. }) => notes.push(error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(made)
}

impl<'c> ArgMaker<'c> {
    /// The argument for a setting; `None` if this mode does not have the option.
    fn make(
        &self,
        name: &str,
        value: Option<&str>,
        origin: OptionOrigin,
    ) -> Result<Option<DefaultArg<'c>>, DefaultsError> {
        let name = name.to_ascii_lowercase();
        let outside = OUTSIDE.contains(&name.as_str()) || matches!(&*name, "help" | "version");
        let positional = |command: &'c Command| {
            command.get_positionals().find(|arg| arg.get_id().as_str() == name)
        };
        let known =
            |command: &'c Command| find_long(command, &name).or_else(|| positional(command));
        let Some(arg) = known(self.mode).filter(|_| !outside) else {
            let elsewhere = self.program.get_subcommands().any(|mode| known(mode).is_some())
                || known(self.program).is_some();
            return match elsewhere && !outside {
                true => Ok(None),
                false => Err(self.unknown(name, origin)),
            };
        };
        let needs_value = arg.is_positional() || arg.get_action().takes_values();
        let word = match (needs_value, value) {
            (true, None) => return Err(DefaultsError::NoValue { origin, name }),
            (true, Some(_)) if arg.is_positional() && self.skip_positional => return Ok(None),
            (true, Some(value)) if arg.is_positional() => value.to_owned(),
            (true, Some(value)) => format!("--{name}={value}"),
            (false, value) => match value.map(str::to_ascii_lowercase).as_deref() {
                None | Some("yes" | "true" | "on" | "1") => format!("--{name}"),
                Some("no" | "false" | "off" | "0") => {
                    return Ok(Some(DefaultArg { arg, origin, word: None }));
                }
                Some(_) => return Err(DefaultsError::NoFlag { origin, name }),
            },
        };
        Ok(Some(DefaultArg { arg, origin, word: Some(word.into()) }))
    }

    fn unknown(&self, name: String, origin: OptionOrigin) -> DefaultsError {
        let modes = std::iter::once(self.program).chain(self.program.get_subcommands());
        let mut names: Vec<&str> = modes
            .flat_map(Command::get_arguments)
            .filter_map(Arg::get_long)
            .filter(|long| !OUTSIDE.contains(long))
            .collect();
        names.sort_unstable();
        names.dedup();
        let hint = suggest::did_you_mean("--", &name, names);
        DefaultsError::Unknown { origin, name, hint }
    }
}

/// Options that conflict only for some values, so that clap accepts both. As a default, the weaker
/// one is dropped.
const MAY_DISAGREE: [(&str, &str); 2] = [("echo", "input"), ("script", "input")];

/// Whether an option conflicts with one of the others.
fn conflicts(mode: &Command, arg: &Arg, others: &BTreeSet<String>) -> bool {
    let against = |arg: &Arg, id: &str| {
        mode.get_arg_conflicts_with(arg).iter().any(|other| other.get_id().as_str() == id)
    };
    let id = arg.get_id().as_str();
    let disagree = |a: &str, b: &str| a == id && others.contains(b);
    if MAY_DISAGREE.iter().any(|(a, b)| disagree(a, b) || disagree(b, a)) {
        return true;
    }
    others.iter().any(|id| {
        let other = mode.get_arguments().find(|other| other.get_id().as_str() == id);
        // clap accepts a conflict that either option declares.
        against(arg, id) || other.is_some_and(|other| against(other, arg.get_id().as_str()))
    })
}

#[cfg(test)]
pub(super) mod tests;
