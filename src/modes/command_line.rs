//! From the typed command line to the options. A curl command and the user's defaults are inserted
//! before the typed options.

use std::ffi::OsString;
use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches as _};

use crate::cli::{self, Cli, Mode};
use crate::config::defaults::{Arguments, assemble, usual_path};
use crate::config::file::ConfigFile;
use crate::config::from_curl::FromCurl;
use crate::config::invocation::{Invocation, mode_of};
use crate::config::lines::OF_TRANSCRIPTS;
use crate::config::transport::OF_UPSTREAM;
use crate::config::{UsageError, environment, mistyped};
use crate::engine::exit::Exit;
use crate::modes::generated;
use crate::net::files;
use crate::net::stdio::stdout_failed;
use crate::output::stderr;
use crate::script::command::{help as command_help, table};

/// Modes without defaults: an invalid configuration file does not stop them.
const WITHOUT_DEFAULTS: [&str; 5] = ["completions", "explain", "help", "man", "version"];

/// The help headings of the options about the connection. A curl command may have these options,
/// too.
const OF_THE_CONNECTION: [&str; 3] = ["Connection", "TLS", "Redirects and retries"];

/// The given options about the connection, with their long names and values.
pub type Given = Vec<(String, Option<String>)>;

/// What the program must do.
pub enum CommandLine {
    /// Run this mode.
    Run(Box<Cli>, Given),
    /// Nothing more: help or an error has been printed.
    Ended(Exit),
}

/// Reads this process's arguments.
///
/// # Errors
///
/// The curl command or a default can't be used.
pub fn read() -> anyhow::Result<CommandLine> {
    let typed = environment::arguments();
    // A profile may precede the mode.
    let words = typed.iter().skip(1).filter_map(|word| word.to_str());
    let mode = words.take(2).find(|word| !word.starts_with('@'));
    // The definition lives until the process ends, because freeing some thousand small pieces takes
    // time in every run.
    let mut program = ManuallyDrop::new(cli::command_of(mode.unwrap_or_default()));
    let invocation = Invocation::read(&program, typed.iter().cloned());
    let mode = invocation.arguments.get(1).and_then(|name| name.to_str()).unwrap_or_default();
    if WITHOUT_DEFAULTS.contains(&mode) {
        return Ok(parse(&mut program, typed, &invocation, None));
    }
    let typed_ids = invocation.given.clone();
    match gather(&program, invocation.clone()) {
        Ok(arguments) => {
            let words = arguments.arguments.clone();
            let mut parsed = parse(&mut program, words, &invocation, Some(&arguments));
            if let CommandLine::Run(cli, _) = &mut parsed {
                note_typed(cli, typed_ids);
            }
            Ok(parsed)
        }
        // Help is printed even if the configuration file is invalid.
        Err(error) => match program.try_get_matches_from_mut(typed) {
            Err(shown) if !shown.use_stderr() => Ok(print(&shown)),
            _ => Err(error.into()),
        },
    }
}

/// Notes which options of a transcript, and of TLS with a second server, were typed (not defaults).
fn note_typed(cli: &mut Cli, mut ids: Vec<String>) {
    if let Some(Mode::Listen(args)) = &mut cli.mode {
        let of_upstream = ids.iter().filter(|id| OF_UPSTREAM.contains(&id.as_str()));
        args.tls_client.typed = of_upstream.cloned().collect();
    }
    ids.retain(|id| OF_TRANSCRIPTS.contains(&id.as_str()));
    match &mut cli.mode {
        None => cli.connect.prompt.lines.traffic.typed = ids,
        Some(Mode::Connect(args)) => args.prompt.lines.traffic.typed = ids,
        Some(Mode::Listen(args)) => args.prompt.traffic.typed = ids,
        Some(Mode::Proxy(args)) => args.traffic.typed = ids,
        Some(_) => {}
    }
}

fn usage(error: &dyn std::fmt::Display) -> UsageError {
    UsageError::new(error.to_string())
}

/// Inserts a curl command and the defaults before the typed options.
fn gather(program: &Command, mut invocation: Invocation) -> Result<Arguments, UsageError> {
    let mut notes = Vec::new();
    if let Some(command) = &invocation.from_curl {
        let text = match command.as_str() {
            "-" => {
                files::read_text("-").map_err(|error| usage(&format!("--from-curl: {error}")))?
            }
            command => command.to_owned(),
        };
        let curl = FromCurl::parse(&text).map_err(|error| usage(&error))?;
        notes.extend(curl.notes.iter().cloned());
        invocation = invocation.with_from_curl(program, &curl);
    }
    let off = invocation.no_config || environment::variable("WSCOPE_NO_CONFIG").is_some();
    let file = if off { None } else { config_file(&invocation)? };
    let variables = if off { Vec::new() } else { environment::variables() };
    let file = file.as_ref().map(|(path, file)| (path.as_path(), file));
    // Only the definition with all options can show whether a default belongs to another mode.
    let whole = (file.is_some() || !variables.is_empty()).then(cli::command);
    let program = whole.as_ref().unwrap_or(program);
    let arguments =
        assemble(program, &invocation, file, variables).map_err(|error| usage(&error))?;
    notes.extend(arguments.notes.iter().cloned());
    let quiet = invocation.given.iter().any(|id| id == "quiet");
    if !quiet {
        notes.iter().for_each(|note| stderr::note(note));
    }
    Ok(arguments)
}

/// The file of `--config` or `WSCOPE_CONFIG`, or the usual file if it exists.
pub(super) fn config_file(
    invocation: &Invocation,
) -> Result<Option<(PathBuf, ConfigFile)>, UsageError> {
    let named =
        invocation.config.clone().or(environment::variable("WSCOPE_CONFIG").map(PathBuf::from));
    let read = |path: &Path| match named.is_some() {
        true => files::read_text(path).map(Some),
        false => files::read_text_if_there(path),
    };
    let Some(path) = named.clone().or_else(|| usual_path(environment::variable)) else {
        return Ok(None);
    };
    let text = read(&path).map_err(|error| usage(&format!("configuration: {error}")))?;
    Ok(text.map(|text| (path, ConfigFile::parse(&text))))
}

/// Parses the words. An error in a default is reported with the position of the default.
fn parse(
    program: &mut Command,
    words: Vec<OsString>,
    typed: &Invocation,
    defaults: Option<&Arguments>,
) -> CommandLine {
    let parsed = program.try_get_matches_from_mut(words).and_then(|matches| {
        let given = given(program, &matches);
        Ok((Cli::from_arg_matches(&matches)?, given))
    });
    let fault = match &parsed {
        Ok(_) => mistyped::no_program(program, typed)
            .or_else(|| mistyped::command(program, typed, false)),
        Err(error) => match defaults.and_then(|made| made.blame(error)) {
            Some(fault) => Some(fault.to_string()),
            // For an option of another mode, the error names that mode. clap reads `-header` as
            // `-h`, a request for help.
            None if !error.use_stderr() => mistyped::one_dash(program, typed),
            None if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => None,
            None => Some(mistyped::refused(&cli::command(), typed, error)),
        },
    };
    match (parsed, fault) {
        (_, Some(fault)) => {
            stderr::error(&fault);
            CommandLine::Ended(Exit::Usage)
        }
        (Ok((cli, given)), None) => CommandLine::Run(Box::new(cli), given),
        (Err(error), None) => print(&error),
    }
}

/// `wscope help [COMMAND]`: prints the `--help` of a command of wscope, or the `/help` of a command
/// of the prompt.
///
/// # Errors
///
/// There is no such command.
pub fn help(name: Option<&str>) -> anyhow::Result<Exit> {
    let mut program = cli::command();
    let name = name.unwrap_or_default();
    let modes = program.get_subcommands().map(Command::get_name).map(str::to_owned);
    let modes: Vec<String> = modes.collect();
    let words = match modes.iter().any(|mode| mode == name) {
        true => vec!["wscope", name, "--help"],
        false if name.is_empty() => vec!["wscope", "--help"],
        false => {
            let command = name.strip_prefix('/').unwrap_or(name);
            let text = table::find(command).and_then(|entry| command_help::of(entry.name));
            return match text {
                Some(text) => generated::print_for_people(&text),
                None => Err(usage(&mistyped::no_command(name, &modes)).into()),
            };
        }
    };
    match program.try_get_matches_from_mut(words) {
        Err(shown) => match print(&shown) {
            CommandLine::Ended(exit) => Ok(exit),
            CommandLine::Run(..) => Ok(Exit::Success),
        },
        Ok(_) => Ok(Exit::Success),
    }
}

fn print(error: &clap::Error) -> CommandLine {
    match error.print() {
        // If the reader of the output has closed it, the error does not matter.
        Err(failed) if failed.kind() != io::ErrorKind::BrokenPipe && !error.use_stderr() => {
            stderr::error(&stdout_failed(&failed).to_string());
            CommandLine::Ended(Exit::Failure)
        }
        _ => CommandLine::Ended(if error.use_stderr() { Exit::Usage } else { Exit::Success }),
    }
}

/// The options about the connection, in the order of their definition.
fn given(program: &Command, matches: &ArgMatches) -> Given {
    let (name, matches) = match matches.subcommand() {
        Some((name, matches)) => (Some(name), matches),
        None => (None, matches),
    };
    let mut given = Given::new();
    for arg in mode_of(program, name.map(AsRef::as_ref)).get_arguments() {
        let heading = arg.get_help_heading().unwrap_or_default();
        let id = arg.get_id().as_str();
        let Some(long) = arg.get_long().filter(|_| OF_THE_CONNECTION.contains(&heading)) else {
            continue;
        };
        if matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        if !arg.get_action().takes_values() {
            given.push((long.to_owned(), None));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            given.push((long.to_owned(), Some(value.to_string_lossy().into_owned())));
        }
    }
    given
}
