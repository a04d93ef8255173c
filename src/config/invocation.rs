//! Reads a command line before clap does: the mode, the profile, the configuration file and the
//! given options. The defaults, which depend on these, are inserted before clap parses the line.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Command};

use super::from_curl::FromCurl;
use crate::cli::is_group;

/// The result of reading a command line.
#[derive(Clone, Default)]
pub struct Invocation {
    /// The arguments without the profile, the program's name first.
    pub arguments: Vec<OsString>,
    /// How many of them are program and mode; defaults follow these.
    pub front: usize,
    /// `@name`, without the `@`.
    pub profile: Option<String>,
    /// `--config FILE`; the last one counts.
    pub config: Option<PathBuf>,
    /// `--no-config`.
    pub no_config: bool,
    /// `--from-curl COMMAND`; the last one counts.
    pub from_curl: Option<String>,
    /// The ids of the options given.
    pub given: Vec<String>,
    /// The URL and other positional arguments.
    pub positionals: Vec<String>,
    /// Options whose value is a separate argument, as typed, with that value.
    pub values: Vec<(String, String)>,
    /// The id of the last option, if its value is missing.
    pub awaiting: Option<String>,
}

/// The command of the mode: the named subcommand, or the program itself, which is `connect`.
pub fn mode_of<'c>(program: &'c Command, name: Option<&OsStr>) -> &'c Command {
    name.and_then(OsStr::to_str).and_then(|name| named(program, name)).unwrap_or(program)
}

/// A mode by its name, or by its flag, as in `-l` and `-lv`.
fn named<'c>(program: &'c Command, name: &str) -> Option<&'c Command> {
    let by_flag = |mode: &&Command| {
        let flag = mode.get_short_flag();
        flag.is_some_and(|flag| name.strip_prefix('-').is_some_and(|rest| rest.starts_with(flag)))
    };
    program.find_subcommand(name).or_else(|| program.get_subcommands().find(by_flag))
}

/// Whether positional arguments of a mode are patterns of cases, which may begin with `@`.
fn takes_patterns(mode: &Command) -> bool {
    mode.get_arguments().any(|arg| arg.get_id() == "patterns")
}

/// An option by its long name, or one of its other long names.
pub fn find_long<'c>(command: &'c Command, name: &str) -> Option<&'c Arg> {
    command.get_arguments().find(|arg| {
        arg.get_long() == Some(name)
            || arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
    })
}

impl Invocation {
    /// Reads the arguments of the system, the program's name first.
    ///
    /// A profile is the first argument, or else any positional one, that begins with `@`; no URL and
    /// no mode does. In `wscope check` patterns do, as `@must`: there only the first positional
    /// argument can be a profile, and not one of these words.
    pub fn read(program: &Command, arguments: impl IntoIterator<Item = OsString>) -> Self {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let is_mode = |argument: &OsString| {
            argument.to_str().is_some_and(|name| named(program, name).is_some())
        };
        let profile_at = match arguments.get(1) {
            Some(first) if is_mode(first) => 2,
            _ => 1,
        };
        let name = |argument: &OsString| argument.to_str()?.strip_prefix('@').map(str::to_owned);
        let profile = arguments.get(profile_at).and_then(name);
        let mode = mode_of(program, arguments.get(1).map(OsString::as_os_str));
        let profile = profile.filter(|name| !takes_patterns(mode) || !is_group(name));
        if profile.is_some() {
            arguments.remove(profile_at);
        }
        let front = match arguments.get(1) {
            Some(first) if is_mode(first) => 2,
            _ => arguments.len().min(1),
        };
        let mut invocation = Self { front, profile, ..Self::default() };
        let mode = mode_of(program, arguments.get(1).map(OsString::as_os_str));
        let later = invocation.walk(mode, arguments.get(front..).unwrap_or_default());
        if let (None, Some(at)) = (&invocation.profile, later) {
            invocation.profile = name(&arguments.remove(front + at));
            let typed = invocation.profile.as_deref();
            invocation.positionals.retain(|word| word.strip_prefix('@') != typed);
        }
        invocation.arguments = arguments;
        invocation
    }

    /// The word of the mode, if one was typed.
    pub fn mode(&self) -> Option<&OsStr> {
        (self.front > 1).then(|| self.arguments[1].as_os_str())
    }

    /// Whether the first word after program and mode is a positional argument.
    pub fn begins_so(&self) -> bool {
        let word = self.arguments.get(self.front).and_then(|word| word.to_str());
        word.is_some() && word == self.positionals.first().map(String::as_str)
    }

    /// Inserts the options of a curl command before all other options. Its URL counts only if none
    /// was typed.
    pub fn with_from_curl(mut self, program: &Command, curl: &FromCurl) -> Self {
        let mut words = curl.to_arguments();
        let mode = mode_of(program, self.arguments.get(1).map(OsString::as_os_str));
        let typed_url =
            !self.positionals.is_empty() || self.given.iter().any(|id| id == "connect_to_url");
        if !typed_url {
            words.push(OsString::from(&curl.url));
        }
        self.walk(mode, &words);
        self.arguments.splice(self.front..self.front, words);
        self
    }

    /// Reads options in the same way as clap: a value never counts as an option. Returns the
    /// position of a profile.
    fn walk(&mut self, mode: &Command, arguments: &[OsString]) -> Option<usize> {
        let mut rest = arguments.iter();
        let mut profile = None;
        while let Some(argument) = rest.next() {
            let text = argument.to_string_lossy();
            if text == "--" {
                self.positionals.extend(rest.map(|word| word.to_string_lossy().into_owned()));
                break;
            }
            if let Some(long) = text.strip_prefix("--") {
                let (name, attached) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value)),
                    None => (long, None),
                };
                let Some(arg) = find_long(mode, name) else { continue };
                let value = match (arg.get_action().takes_values(), attached) {
                    (true, None) => self.value(&text, arg, &mut rest),
                    (_, attached) => attached.map(str::to_owned),
                };
                self.note(arg, value);
            } else if let Some(cluster) = text.strip_prefix('-').filter(|c| !c.is_empty()) {
                let mut shorts = cluster.chars();
                while let Some(short) = shorts.next() {
                    let found = mode.get_arguments().find(|arg| arg.get_short() == Some(short));
                    let Some(arg) = found else { break };
                    self.note(arg, None);
                    if arg.get_action().takes_values() {
                        if shorts.as_str().is_empty() {
                            self.value(&format!("-{short}"), arg, &mut rest);
                        }
                        break;
                    }
                }
            } else {
                let pattern = takes_patterns(mode)
                    && (!self.positionals.is_empty()
                        || text.strip_prefix('@').is_some_and(is_group));
                if text.len() > 1 && text.starts_with('@') && !pattern {
                    profile = profile.or(Some(arguments.len() - rest.len() - 1));
                }
                self.positionals.push(text.into_owned());
            }
        }
        profile
    }

    /// The argument after an option with a value.
    fn value(
        &mut self,
        option: &str,
        arg: &Arg,
        rest: &mut std::slice::Iter<'_, OsString>,
    ) -> Option<String> {
        let value = rest.next().map(|value| value.to_string_lossy().into_owned());
        match &value {
            Some(value) => self.values.push((option.to_owned(), value.clone())),
            None => self.awaiting = Some(arg.get_id().to_string()),
        }
        value
    }

    fn note(&mut self, arg: &Arg, value: Option<String>) {
        match (arg.get_long(), value) {
            (Some("config"), Some(file)) => self.config = Some(file.into()),
            (Some("no-config"), _) => self.no_config = true,
            (Some("from-curl"), command) => self.from_curl = command,
            _ => {}
        }
        self.given.push(arg.get_id().to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command as program;

    fn read(line: &str) -> Invocation {
        let words = ["wscope"].into_iter().chain(line.split_whitespace());
        Invocation::read(&program(), words.map(OsString::from))
    }

    #[test]
    fn mode_and_profile_in_either_order() {
        for line in ["@dev connect -k", "connect @dev -k"] {
            let seen = read(line);
            assert_eq!(seen.arguments, ["wscope", "connect", "-k"], "{line}");
            assert_eq!((seen.front, seen.profile.as_deref()), (2, Some("dev")));
        }
        let seen = read("@dev ws://h");
        assert_eq!((seen.front, seen.arguments.len(), seen.positionals.len()), (1, 2, 1));
        for line in ["-v @dev ws://h", "-v ws://h @dev", "-x @b ws://h @dev"] {
            let seen = read(line);
            assert_eq!(seen.profile.as_deref(), Some("dev"), "{line}");
            assert_eq!(seen.positionals, ["ws://h"], "{line}");
            assert!(!seen.arguments.contains(&"@dev".into()), "{line}");
        }
        assert_eq!(read("-x @dev").profile, None);
        assert_eq!(read("").front, 1);
        assert_eq!(Invocation::read(&program(), []).front, 0);
    }

    #[test]
    fn a_curl_command_stands_before_what_was_typed() {
        let curl = FromCurl::parse("curl -k -H 'A: b' https://h/").expect("a curl command");
        let seen = read("connect -v").with_from_curl(&program(), &curl);
        assert_eq!(
            seen.arguments[1..],
            ["connect", "--header=A: b", "--insecure", "https://h/", "-v"]
        );
        assert!(!seen.positionals.is_empty());
        assert_eq!(seen.given, ["verbose", "headers", "insecure"]);
        for typed in ["ws://other", "-c ws://other"] {
            let seen = read(typed).with_from_curl(&program(), &curl);
            assert!(!seen.arguments.contains(&"https://h/".into()), "{typed}");
        }
        let seen = read("--from-curl=-a --from-curl -b");
        assert_eq!(seen.from_curl.as_deref(), Some("-b"));
    }

    #[test]
    fn values_are_not_taken_for_options() {
        let seen = read("-x --no-config -kx@y --config=a --config b -- --no-config");
        assert!(!seen.no_config && !seen.positionals.is_empty());
        assert_eq!(seen.config, Some("b".into()));
        assert_eq!(seen.given, ["execute", "insecure", "execute", "config", "config"]);
        let seen = read("--no-config --unknown -Z -");
        assert!(seen.no_config && !seen.positionals.is_empty());
        assert!(read("-w -1 -v").positionals.is_empty());
    }
}
