//! `wscope completions`: the script of a shell, and the answers to that script when Tab is pressed.
//!
//! The scripts for bash, zsh and fish contain no names. They pass the words of the command line, up
//! to the cursor, to `wscope completions SHELL -- WORD…`, so that all three propose the same,
//! including the profiles of the configuration file. Completion opens no connection and looks up no
//! name.

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command, ValueEnum, ValueHint};

use super::{command_line, generated};
use crate::check::catalogue;
use crate::cli::{self, CheckFormat, Shell};
use crate::config::fault::{RANDOM, takes_when};
use crate::config::invocation::{Invocation, find_long, mode_of};
use crate::diagnostics;
use crate::engine::exit::Exit;
use crate::script::command::LensChoice;
use crate::wire::Role;
use crate::wire::close::{self, CodeSender};
use crate::wire::fault::{Argument, FaultInfo};

/// A script reads this as: complete file names here.
const FILES: &str = "<files>";

/// A word, and its meaning in a few words.
type Proposal = (String, String);

/// Prints the script of a shell, or the proposals for the last word.
pub fn run(shell: Shell, words: &[OsString]) -> anyhow::Result<Exit> {
    let Some((typed, before)) = words.split_last() else {
        return generated::print(script(shell));
    };
    let mut program = cli::command();
    program.build();
    let typed = typed.to_string_lossy();
    let proposals = propose(&program, before, &typed);
    let fitting = proposals.iter().filter(|(word, _)| word.starts_with(&*typed) || word == FILES);
    generated::print(&fitting.map(|proposal| line(shell, proposal)).collect::<String>())
}

/// The committed script of a shell.
fn script(shell: Shell) -> &'static str {
    match shell {
        Shell::Bash => include_str!("../../completions/wscope.bash"),
        Shell::Zsh => include_str!("../../completions/_wscope"),
        Shell::Fish => include_str!("../../completions/wscope.fish"),
        Shell::PowerShell => include_str!("../../completions/_wscope.ps1"),
        Shell::Elvish => include_str!("../../completions/wscope.elv"),
    }
}

/// A proposal in the format of the shell's script.
fn line(shell: Shell, (word, meaning): &Proposal) -> String {
    match shell {
        Shell::Zsh if word != FILES => {
            let word = word.replace('\\', "\\\\").replace(':', "\\:");
            format!("{word}:{meaning}\n")
        }
        Shell::Fish if word != FILES => format!("{word}\t{meaning}\n"),
        _ => format!("{word}\n"),
    }
}

/// The proposals after the words `before`, which begin with the program's name.
fn propose(program: &Command, before: &[OsString], typed: &str) -> Vec<Proposal> {
    let seen = Invocation::read(program, before.iter().cloned());
    let mode = mode_of(program, seen.arguments.get(1).map(OsString::as_os_str));
    // `wscope ca` has commands of its own.
    let inner = seen.positionals.first().and_then(|name| mode.find_subcommand(name));
    let (mode, passed) = match inner.filter(|_| seen.front > 1) {
        Some(inner) => (inner, 1),
        None => (mode, 0),
    };
    let positionals = &seen.positionals[passed..];
    if let Some(id) = &seen.awaiting {
        let option = mode.get_arguments().find(|arg| arg.get_id() == id);
        return option.map(|arg| values(mode, arg, typed)).unwrap_or_default();
    }
    if let Some((name, value)) = typed.strip_prefix("--").and_then(|long| long.split_once('=')) {
        let values = find_long(mode, name).map(|arg| values(mode, arg, value)).unwrap_or_default();
        let whole = |word: String| if word == FILES { word } else { format!("--{name}={word}") };
        return values.into_iter().map(|(word, meaning)| (whole(word), meaning)).collect();
    }
    if typed.starts_with('-') {
        return options(mode, &seen, typed == "-");
    }
    let mut proposals = Vec::new();
    let is_first = seen.arguments.len() <= seen.front;
    if is_first && seen.front < 2 {
        proposals.extend(commands(program));
    }
    if seen.front > 1 && positionals.is_empty() && passed == 0 {
        proposals.extend(commands(mode).filter(|(name, _)| name != "help"));
    }
    let arguments = mode.get_positionals();
    if mode.get_name() == "help" && positionals.is_empty() {
        proposals.extend(commands(program).filter(|(name, _)| name != "help"));
    }
    // The last argument takes all remaining words. If no server is given, the words begin with
    // cases.
    let arguments: Vec<&Arg> = arguments.filter(|arg| !arg.is_hide_set()).collect();
    let unnamed =
        mode.get_name() == "check" && seen.given.iter().any(|id| id == "list" || id == "listen");
    let is_url = |arg: &Arg| arg.get_id() == "url";
    let takes_more = |arg: &Arg| arg.get_num_args().is_some_and(|number| number.max_values() > 1);
    let argument = match arguments.get(positionals.len()).filter(|arg| !(unnamed && is_url(arg))) {
        None => arguments.last().filter(|arg| takes_more(arg)),
        argument => argument,
    };
    proposals.extend(argument.into_iter().flat_map(|arg| values(mode, arg, typed)));
    if proposals.is_empty() && typed.is_empty() {
        proposals = options(mode, &seen, false);
    }
    let takes_profile = is_first && seen.profile.is_none() && find_long(mode, "config").is_some();
    if takes_profile && typed.starts_with('@') {
        return profiles(&seen);
    }
    // A script completes either files or words.
    if takes_profile && proposals.iter().all(|(word, _)| word != FILES) {
        proposals.extend(profiles(&seen));
    }
    proposals
}

/// The commands of the program, or of one of its commands.
fn commands(command: &Command) -> impl Iterator<Item = Proposal> + '_ {
    let shown = command.get_subcommands().filter(|command| !command.is_hide_set());
    shown.map(|command| (command.get_name().to_owned(), about(command.get_about())))
}

/// The options that have not been given; with their short names if `short` is true.
fn options(mode: &Command, seen: &Invocation, short: bool) -> Vec<Proposal> {
    let repeats = |arg: &Arg| matches!(arg.get_action(), ArgAction::Append | ArgAction::Count);
    let given = |arg: &Arg| seen.given.iter().any(|id| arg.get_id() == id);
    let open = mode.get_arguments().filter(|arg| !arg.is_hide_set());
    let mut found = Vec::new();
    for arg in open.filter(|arg| repeats(arg) || !given(arg)) {
        let short = arg.get_short().filter(|_| short).map(|short| format!("-{short}"));
        let long = arg.get_long_and_visible_aliases().unwrap_or_default();
        let names = short.into_iter().chain(long.into_iter().map(|long| format!("--{long}")));
        found.extend(names.map(|name| (name, about(arg.get_help()))));
    }
    found
}

/// The first line of a help text.
fn about(help: Option<&clap::builder::StyledStr>) -> String {
    let help = help.map(ToString::to_string).unwrap_or_default();
    help.lines().next().unwrap_or_default().to_owned()
}

/// The possible values of an option or argument that begin with `typed`.
fn values(mode: &Command, arg: &Arg, typed: &str) -> Vec<Proposal> {
    match (arg.get_id().as_str(), arg.get_value_hint()) {
        ("faults", _) if mode.get_name() == "listen" => faults(Role::Server, typed),
        ("faults", _) => faults(Role::Client, typed),
        ("topic", _) => {
            diagnostics::topics().map(|(name, about)| (name, about.to_owned())).collect()
        }
        ("patterns", _) => cases(typed),
        ("show", _) if mode.get_name() == "check" => cases(typed),
        ("report", _) => report(typed),
        ("lens_map", _) => lens_map(typed),
        ("pace", _) => words(&[
            ("wait", "as many answers as in the recording"),
            ("original", "at the recorded times"),
            ("fast", "all at once"),
            ("2x", "twice as fast"),
        ]),
        ("wait", _) => words(&[("forever", "until the peer closes"), ("0", "at once")]),
        ("width", _) => words(&[("full", "cuts nothing")]),
        (_, ValueHint::AnyPath) => vec![(FILES.to_owned(), String::new())],
        _ => {
            let possible = arg.get_possible_values();
            let shown = possible.iter().filter(|value| !value.is_hide_set());
            shown.map(|value| (value.get_name().to_owned(), about(value.get_help()))).collect()
        }
    }
}

fn words(words: &[(&str, &str)]) -> Vec<Proposal> {
    words.iter().map(|(word, about)| ((*word).to_owned(), (*about).to_owned())).collect()
}

/// The cases of `wscope check`: first groups and areas, then the cases of a typed area. `!`
/// excludes cases.
fn cases(typed: &str) -> Vec<Proposal> {
    let (not, bare) = match typed.strip_prefix('!') {
        Some(bare) => ("!", bare),
        None => ("", typed),
    };
    let mut found: Vec<Proposal> = Vec::new();
    let cases = || [Role::Server, Role::Client].into_iter().flat_map(catalogue::about);
    if bare.contains('/') {
        found.extend(cases().map(|case| (case.id.to_owned(), case.title.to_owned())));
    } else {
        let areas = catalogue::AREAS.iter();
        found.extend(areas.map(|(area, about)| (format!("{area}/"), (*about).to_owned())));
        found.extend(words(&[
            ("@must", "what a MUST demands"),
            ("@should", "what a SHOULD demands"),
            ("@info", "what no rule decides"),
            ("@rfc6455", "WebSocket"),
            ("@rfc7692", "compression"),
        ]));
    }
    found.sort();
    found.dedup();
    found.into_iter().map(|(word, about)| (format!("{not}{word}"), about)).collect()
}

/// `FORMAT=FILE`.
fn report(typed: &str) -> Vec<Proposal> {
    if typed.contains('=') {
        return Vec::new();
    }
    let formats = CheckFormat::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    formats.map(|value| (format!("{}=", value.get_name()), about(value.get_help()))).collect()
}

/// `/PATH=NAME`.
fn lens_map(typed: &str) -> Vec<Proposal> {
    let Some((path, _)) = typed.split_once('=') else { return Vec::new() };
    LensChoice::names().map(|name| (format!("{path}={name}"), String::new())).collect()
}

/// The faults of a role by name; after `:` the codes of a Close, after `@` the possible times.
fn faults(role: Role, typed: &str) -> Vec<Proposal> {
    let named = |name: &str| FaultInfo::of(role).find(|info| info.name == name);
    if let Some((fault, _)) = typed.split_once('@') {
        let info = named(fault.split(':').next().unwrap_or_default());
        let late = info.is_some_and(|info| takes_when(info.kind));
        let moments = [("open", "after the handshake"), ("message:1", "after the first message")];
        let moments = moments.iter().filter(|_| late);
        return moments.map(|(when, about)| (format!("{fault}@{when}"), (*about).into())).collect();
    }
    if let Some((name, _)) = typed.split_once(':') {
        let close = named(name).is_some_and(|i| matches!(i.argument, Argument::Close { .. }));
        let codes = close::REGISTRY.iter().filter(|code| close && code.first == code.last);
        let codes = codes.filter(|code| name != "close" || code.sender != CodeSender::Nobody);
        return codes.map(|code| (format!("{name}:{}", code.first), code.name.into())).collect();
    }
    let random = (RANDOM.to_owned(), "another one for each connection".to_owned());
    let each = FaultInfo::of(role).map(|info| (info.name.to_owned(), info.does.to_owned()));
    each.chain([random]).collect()
}

/// The profiles of the configuration file; empty if the file can't be read.
fn profiles(seen: &Invocation) -> Vec<Proposal> {
    let file = command_line::config_file(seen).ok().flatten();
    let profiles = file.map(|(_, file)| file.profiles).unwrap_or_default();
    profiles.into_iter().map(|profile| (format!("@{}", profile.name), "a profile".into())).collect()
}
