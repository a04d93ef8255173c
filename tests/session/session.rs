//! One session at the prompt: the binary on a terminal, a peer that does what the test asks, and a home
//! folder of its own.
//!
//! `Setup::new().args([…]).start(|p, told| …)`. The script waits for the test with
//! [`Release::wait`], the test moves it on with [`Session::release_peer`]: so nobody waits for a time.

use std::fs::File;
use std::net::TcpListener;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::peer::Peer;
use crate::server::{Server, scripted, serve_on};
use crate::terminal::{Screen, Terminal};
use crate::waiting::{Gate, Key, gate};

/// The prompt of an open connection.
pub const PROMPT: &str = "connected   > ";

/// What a peer waits for.
pub type Release = Gate;

/// A session that has not begun.
pub struct Setup {
    args: Vec<String>,
    env: Vec<(String, String)>,
    size: (u16, u16),
    home: Arc<TempDir>,
    /// Around the command line: `{}` stands for it.
    shell: Option<String>,
    stdout: Option<File>,
}

/// A session, and the hands of the test on both of its ends.
pub struct Session {
    pub terminal: Terminal,
    peer: Option<Server>,
    key: Key,
    home: Arc<TempDir>,
}

impl Setup {
    pub fn new() -> Self {
        let env = [("TERM", "xterm-256color"), ("PATH", "/usr/bin:/bin"), ("TZ", "UTC")];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let home = Arc::new(tempfile::tempdir().expect("a folder"));
        let (args, env) = (Vec::new(), env.to_vec());
        Self { args, env, size: (100, 30), home, shell: None, stdout: None }
    }

    /// Adds arguments before the URL.
    pub fn args<'a>(mut self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.args.extend(args.into_iter().map(str::to_owned));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.retain(|(other, _)| other != name);
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// In the home folder of an earlier session.
    pub fn home_of(mut self, earlier: &Session) -> Self {
        self.home = Arc::clone(&earlier.home);
        self
    }

    /// Has a shell run it; `{}` stands for the command line.
    pub fn shell(mut self, line: &str) -> Self {
        self.shell = Some(line.to_owned());
        self
    }

    /// With stdout in a file.
    pub fn stdout(mut self, stdout: File) -> Self {
        self.stdout = Some(stdout);
        self
    }

    /// Where things can be put before it begins.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Begins it, against a peer with one connection. The handshake is the script's.
    pub fn start(self, script: impl FnOnce(&mut Peer, &Release) + Send + 'static) -> Session {
        self.serve(|listener, told| scripted(move |p| script(p, &told))(listener))
    }

    /// The same, and the first prompt is there.
    pub fn ready(self, script: impl FnOnce(&mut Peer, &Release) + Send + 'static) -> Session {
        let session = self.start(script);
        session.wait_for_line(PROMPT);
        session
    }

    /// Begins it, against a server.
    pub fn serve(self, serve: impl FnOnce(TcpListener, Release) + Send + 'static) -> Session {
        let (key, told) = gate();
        let peer = serve_on("127.0.0.1:0", move |listener| serve(listener, told));
        let command = self.command(peer.port);
        let (columns, rows) = self.size;
        let terminal = match self.stdout {
            None => Terminal::start(&command, columns, rows),
            Some(stdout) => Terminal::start_with_stdout(&command, stdout, columns, rows),
        };
        Session { terminal, peer: Some(peer), key, home: self.home }
    }

    /// With an environment that holds nothing else.
    fn command(&self, port: u16) -> Command {
        let binary = env!("CARGO_BIN_EXE_wscope");
        let home = self.home.path();
        let mut command = Command::new("env");
        command.arg("-i").args(self.env.iter().map(|(name, value)| format!("{name}={value}")));
        command.arg(format!("HOME={}", home.display()));
        command.arg(format!("XDG_STATE_HOME={}", home.join("state").display()));
        let url = format!("ws://127.0.0.1:{port}/");
        match &self.shell {
            None => command.arg(binary).args(&self.args).arg(url),
            Some(line) => {
                let line = line.replace("{}", r#""$0" "$@""#);
                command.args(["sh", "-c", &line, binary]).args(&self.args).arg(url)
            }
        };
        command.current_dir(home);
        command
    }
}

impl Session {
    /// Waits until the cursor stands after this, and nothing else is in its row.
    #[track_caller]
    pub fn wait_for_line(&self, line: &str) -> Screen {
        self.terminal.wait_for_screen(|screen| screen.ends_with_line(line))
    }

    /// Waits until a row has this in it.
    #[track_caller]
    pub fn wait_for_row(&self, part: &str) -> Screen {
        self.terminal.wait_for_screen(|screen| has_row(screen, part))
    }

    /// Types a line that fits a row, and enters it when it stands there.
    #[track_caller]
    pub fn enter(&mut self, line: &str) {
        self.terminal.keys(line);
        let end = PROMPT.len() + line.chars().count();
        self.terminal.wait_for_screen(|screen| {
            // A hint may follow.
            screen.line().starts_with(format!("{PROMPT}{line}").trim_end())
                && screen.cursor.1 == end
        });
        self.terminal.keys("\r");
    }

    /// Lets the peer go on.
    pub fn release_peer(&self) {
        self.key.open();
    }

    /// A file or folder of its home.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// What the history keeps, without the mark of its format.
    pub fn history(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("state/wscope/history")).unwrap_or_default();
        text.lines().filter(|line| *line != "#V2").map(str::to_owned).collect()
    }

    /// Waits for its end and the peer's. The terminal must be as it was found.
    #[track_caller]
    pub fn end(&mut self, status: i32) -> Screen {
        let ended = self.terminal.end();
        let screen = self.terminal.screen();
        let peer = self.peer.take().expect("it ends once");
        if let Err(panic) = peer.end() {
            eprintln!("the peer failed; the screen: {screen:#?}");
            std::panic::resume_unwind(panic);
        }
        assert_eq!(ended.code(), Some(status), "{screen:#?}");
        assert!(!screen.bracketed_paste, "pastes are not announced any more: {screen:#?}");
        screen
    }

    /// Ctrl-D; the peer answers the Close. Between two lines the terminal would take the key for
    /// its own.
    #[track_caller]
    pub fn leave(mut self) {
        self.wait_for_line(PROMPT);
        self.terminal.keys("\x04");
        self.end(0);
    }
}

impl Deref for Session {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}

/// Whether a row has this in it.
pub fn has_row(screen: &Screen, part: &str) -> bool {
    screen.rows.iter().any(|row| row.contains(part))
}

/// Accepts, and answers the Close that Ctrl-D sends.
pub fn quiet(p: &mut Peer, _: &Release) {
    p.open();
    p.answer_close(1000);
}
