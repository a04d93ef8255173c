//! Tab in bash, zsh and fish: the committed completions are loaded by the shell itself, on a terminal,
//! and what it then lists is compared with the program's own tables.
//!
//! A shell that is missing is a failure: `scripts/test` installs all three.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use wscope::wire::Role;
use wscope::wire::close::{CodeSender, REGISTRY};
use wscope::wire::fault::FaultInfo;

#[path = "common/installed.rs"]
mod installed;
#[path = "common/terminal.rs"]
#[allow(dead_code)]
mod terminal;
#[path = "common/waiting.rs"]
#[allow(dead_code)]
mod waiting;

use terminal::{Screen, Terminal};

const BASH: &str = r#"
PS1='$ '
bind 'set show-all-if-ambiguous on'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind 'set enable-bracketed-paste off'
source "$COMPLETIONS/wscope.bash"
"#;

const ZSH: &str = r#"
PS1='$ ' LISTMAX=1000
unset zle_bracketed_paste
unsetopt list_ambiguous list_types prompt_sp
fpath=("$COMPLETIONS" $fpath)
autoload -Uz compinit && compinit -u -D
zstyle ':completion:*' verbose no
"#;

const FISH: &str = r#"
function fish_greeting; end
function fish_prompt; echo -n '$ '; end
set -g fish_autosuggestion_enabled 0
source "$COMPLETIONS/wscope.fish"
"#;

#[derive(Clone, Copy, PartialEq, Debug)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

const SHELLS: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];

impl Shell {
    /// The shell with the completions loaded, in a folder with two files and a configuration of two
    /// profiles.
    fn start(self, home: &Path) -> Terminal {
        let (program, rc, text, args) = match self {
            Self::Bash => ("bash", ".bashrc", BASH, &["--noprofile"][..]),
            Self::Zsh => ("zsh", ".zshrc", ZSH, &["--no-globalrcs"][..]),
            Self::Fish => ("fish", ".config/fish/config.fish", FISH, &["--private"][..]),
        };
        let write = |name: &str, text: &str| {
            let path = home.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a disk");
            std::fs::write(path, text).expect("a disk");
        };
        write(rc, text);
        write(
            ".config/wscope/config",
            "insecure\n[dev]\nurl ws://localhost\n[staging]\ninsecure\n",
        );
        write("capture.bin", "");
        write("chat.wsc", "");
        let built = Path::new(env!("CARGO_BIN_EXE_wscope")).parent().expect("a folder");
        let path = format!("{}:/usr/bin:/bin", built.display());
        installed::require(program);
        let mut command = Command::new(program);
        command.args(args).arg("-i").current_dir(home).env_clear();
        let completions = concat!(env!("CARGO_MANIFEST_DIR"), "/completions");
        command.envs([("HOME", home.as_os_str()), ("COMPLETIONS", completions.as_ref())]);
        command.envs([("PATH", &*path), ("TERM", "xterm"), ("LC_ALL", "C.UTF-8")]);
        let terminal = Terminal::start(&command, 250, 400);
        terminal.wait_for_screen(|screen| screen.line() == "$");
        terminal
    }

    /// A word as this shell lists it: bash lists what it replaces, from the last `=`, `:` or `@`.
    fn listed<'a>(self, typed: &str, word: &'a str) -> &'a str {
        let last = typed.rsplit(' ').next().unwrap_or_default();
        match last.rfind(['=', ':', '@']).filter(|_| self == Self::Bash) {
            Some(at) if last[at..].starts_with('@') => &word[at..],
            Some(at) => &word[at + 1..],
            None => word,
        }
    }
}

fn home() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a disk");
    let path = folder.path().canonicalize().expect("a folder");
    (folder, path)
}

/// What is listed: all but the line that is typed in; meanings stand in parentheses.
fn offered(screen: &Screen) -> BTreeSet<String> {
    let rows = screen.text().iter().filter(|row| !row.starts_with("$ "));
    let words = rows.flat_map(|row| row.split("  ")).map(str::trim);
    words.filter(|word| !word.is_empty() && !word.starts_with('(')).map(str::to_owned).collect()
}

/// A shell of each kind, started once for all the lines of a test.
struct Shells {
    _folder: TempDir,
    terminals: Vec<(Shell, Terminal)>,
}

impl Shells {
    fn start() -> Self {
        let (folder, home) = home();
        let terminals = SHELLS.map(|shell| (shell, shell.start(&home))).into();
        Self { _folder: folder, terminals }
    }

    /// Types a line and Tab in each shell, and waits until exactly these words are listed.
    #[track_caller]
    fn lists(&mut self, typed: &str, words: &[impl AsRef<str>]) {
        for (shell, terminal) in &mut self.terminals {
            let words = words.iter().map(|word| shell.listed(typed, word.as_ref()).to_owned());
            let words: BTreeSet<String> = words.collect();
            terminal.keys(format!("{typed}\t"));
            terminal.wait_for_screen(|screen| offered(screen) == words);
            clear(terminal);
        }
    }

    /// Types a line and Tab in each shell, and waits until the line is this.
    #[track_caller]
    fn becomes(&mut self, typed: &str, line: &str) {
        for (shell, terminal) in &mut self.terminals {
            // What follows shows that Tab is over.
            terminal.keys(format!("{typed}\t+"));
            let line = format!("$ {line}+");
            let screen = terminal.wait_for_screen(|screen| screen.line() == line);
            assert!(offered(&screen).is_empty(), "{shell:?}: {screen:?}");
            clear(terminal);
        }
    }
}

/// Deletes the line, then clears the screen: a listing would stay.
#[track_caller]
fn clear(terminal: &mut Terminal) {
    terminal.keys("\x15");
    terminal.wait_for_screen(|screen| screen.line() == "$");
    terminal.keys("\x0c");
    terminal.wait_for_screen(|screen| {
        screen.line() == "$" && screen.text().iter().filter(|row| !row.is_empty()).count() == 1
    });
}

#[test]
fn commands_and_profiles() {
    let mut shells = Shells::start();
    let command = wscope::cli::command();
    let modes = command.get_subcommands().map(|mode| mode.get_name().to_owned());
    let profiles = ["@dev", "@staging"].map(str::to_owned);
    shells.lists("wscope ", &modes.chain(profiles).collect::<Vec<_>>());
}

#[test]
fn a_command_or_profile_is_finished() {
    let mut shells = Shells::start();
    shells.becomes("wscope lis", "wscope listen ");
    shells.becomes("wscope @d", "wscope @dev ");
    shells.becomes("wscope handshake @s", "wscope handshake @staging ");
}

#[test]
fn options() {
    let mut shells = Shells::start();
    let mut command = wscope::cli::command();
    command.build();
    let longs = |command: &clap::Command, start: &str| {
        let longs = command.get_arguments().filter_map(|arg| arg.get_long_and_visible_aliases());
        let longs = longs.flatten().map(|long| format!("--{long}"));
        longs.filter(|long| long.starts_with(start)).collect::<Vec<_>>()
    };
    let listen = command.find_subcommand("listen").expect("a mode");
    shells.lists("wscope --no", &longs(&command, "--no"));
    shells.lists("wscope listen --max", &longs(listen, "--max"));
    let profiles = ["@dev", "@staging"].map(str::to_owned);
    shells.lists(
        "wscope listen ",
        &longs(listen, "").into_iter().chain(profiles).collect::<Vec<_>>(),
    );
    // What is there cannot be given again, unless it gathers values.
    shells.becomes("wscope listen --echo --ech", "wscope listen --echo --ech");
    shells.becomes("wscope --header 'A: b' --head", "wscope --header 'A: b' --header ");
}

#[test]
fn values_of_options() {
    let mut shells = Shells::start();
    let outputs = ["lines", "null", "raw", "json", "frames", "hex", "none"];
    shells.lists("wscope --output ", &outputs);
    shells.lists("wscope decode --output ", &["frames", "json", "raw", "lines"]);
    shells.lists("wscope --output=", &outputs.map(|value| format!("--output={value}")));
    shells.lists("wscope completions ", &["bash", "zsh", "fish", "powershell", "elvish"]);
    shells.becomes("wscope @dev --color al", "wscope @dev --color always ");
}

#[test]
fn faults() {
    let mut shells = Shells::start();
    for (typed, role) in
        [("wscope listen --fault ", Role::Server), ("wscope --fault ", Role::Client)]
    {
        let names = FaultInfo::of(role).map(|fault| fault.name).chain(["random"]);
        shells.lists(typed, &names.collect::<Vec<_>>());
    }
    shells.lists("wscope listen --fault masked@", &["masked@open", "masked@message:1"]);
    shells.becomes("wscope listen --fault accept-empty@", "wscope listen --fault accept-empty@");
    let codes = REGISTRY.iter().filter(|code| code.first == code.last);
    let codes = codes.filter(|code| code.sender != CodeSender::Nobody);
    let codes = codes.map(|code| format!("close:{}", code.first));
    shells.lists("wscope listen --fault close:", &codes.collect::<Vec<_>>());
    shells.becomes("wscope listen --fault close:1012", "wscope listen --fault close:1012 ");
}

#[test]
fn what_explain_knows() {
    let mut shells = Shells::start();
    let diagnostics = wscope::diagnostics::entries().map(|entry| entry.code);
    shells.lists("wscope explain W", &diagnostics.collect::<Vec<_>>());
    let codes = (1000..=1009).map(|code| code.to_string());
    shells.lists("wscope explain 100", &codes.collect::<Vec<_>>());
    shells.becomes("wscope explain going", "wscope explain going-away ");
}

#[test]
fn files_stand_only_where_a_file_is_meant() {
    let mut shells = Shells::start();
    shells.becomes("wscope decode cap", "wscope decode capture.bin ");
    shells.lists("wscope decode c", &["capture.bin", "chat.wsc"]);
    shells.becomes("wscope decode @d", "wscope decode @dev ");
    shells.becomes("wscope --script ch", "wscope --script chat.wsc ");
    shells.becomes("wscope --script=ch", "wscope --script=chat.wsc ");
    for typed in ["wscope cap", "wscope -H c", "wscope -H @", "wscope --host l", "wscope man c"] {
        shells.becomes(typed, typed);
    }
}

#[test]
fn cases_of_check_and_what_it_reports() {
    let mut shells = Shells::start();
    use wscope::check::catalogue;
    let areas = catalogue::AREAS.iter().map(|(area, _)| format!("{area}/"));
    let groups = ["@must", "@should", "@info", "@rfc6455", "@rfc7692"].map(str::to_owned);
    shells.lists("wscope check ws://h ", &areas.chain(groups).collect::<Vec<_>>());
    let all = [Role::Server, Role::Client].into_iter().flat_map(catalogue::about);
    let resets: BTreeSet<&str> =
        all.map(|case| case.id).filter(|id| id.starts_with("f/rsv")).collect();
    shells.lists("wscope check --show f/rsv", &resets.into_iter().collect::<Vec<_>>());
    shells.lists("wscope check --report ", &["text=", "json=", "junit=", "tap=", "github="]);
    // What ends so goes on.
    shells.becomes("wscope check --report ju", "wscope check --report junit=");
}

#[test]
fn commands_of_commands_recordings_and_paces() {
    let mut shells = Shells::start();
    let command = wscope::cli::command();
    let ca = command.find_subcommand("ca").expect("a mode");
    let names = ca.get_subcommands().map(|inner| inner.get_name().to_owned());
    shells.lists("wscope ca ", &names.filter(|name| name != "help").collect::<Vec<_>>());
    shells.becomes("wscope ca trust-help chr", "wscope ca trust-help chromium ");
    shells.becomes("wscope help lis", "wscope help listen ");
    shells.lists("wscope replay --pace ", &["wait", "original", "fast", "2x"]);
    shells.becomes("wscope replay cap", "wscope replay capture.bin ");
    shells.becomes("wscope listen --replay ch", "wscope listen --replay chat.wsc ");
    shells.becomes("wscope -w for", "wscope -w forever ");
}
