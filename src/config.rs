//! From the command line as typed to what a mode needs: every choice made, every value checked.

pub mod ask;
pub mod credentials;
pub mod defaults;
pub mod environment;
mod fault;
pub mod file;
pub mod from_curl;
pub mod invocation;
mod lines;
mod listen;
pub mod netrc;
pub mod open;
pub mod passphrase;
pub mod plan;
pub mod reach;
pub mod shell_quote;
pub mod texts;
pub mod transport;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::reach::ReachConfig;
use crate::cli::prompt::{LineOptions, PromptOptions};
use crate::cli::{ConnectArgs, DisplayOptions, InputFormat, LimitOptions, Linger, OutputFormat};
use crate::event::Direction;
use crate::session::endpoint::AutoPong;
use crate::session::{EndpointConfig, Limits};
use crate::ui::HumanOptions;
use crate::ui::pattern::Pattern;
use crate::ui::pretty::Pretty;
use crate::ui::style::Palette;
use crate::ui::terminal::{ColorChoice, Terminal};
use crate::ui::view::{Timestamps, View};
use crate::wire::Role;
use crate::wire::handshake::headers::HeaderEdit;
use crate::wire::head::is_token;

pub use crate::net::secret;
pub use fault::Faults;
pub use lines::Lines;
pub use listen::{Answer, ListenConfig, Source, TlsConfig};
pub use open::{Login, OpenConfig};

/// Wrong usage, in a sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

impl UsageError {
    /// With this sentence.
    pub fn new(text: String) -> Self {
        Self(text)
    }
}

/// How much is shown beside the output, and how.
#[derive(Clone, Copy, Debug)]
pub struct Display {
    /// Nothing but errors.
    pub quiet: bool,
    /// 0, 1 (frames) or 2 (hex).
    pub verbose: u8,
    /// What the standard streams are.
    pub terminal: Terminal,
    /// Whether to colour.
    pub color: ColorChoice,
    /// How traffic is shown.
    pub view: View,
    /// Which time is shown.
    pub timestamps: Timestamps,
    /// Whether JSON is shown pretty.
    pub pretty: Pretty,
    /// Whether credentials are shown.
    pub show_secrets: bool,
}

/// What a client session does.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How to open it.
    pub open: OpenConfig,
    /// Who opens it, when it is tried again, what is told at the end.
    pub reach: ReachConfig,
    /// The endpoint's behaviour; compression is filled in once agreed.
    pub endpoint: EndpointConfig,
    /// How stdin becomes messages.
    pub input: InputFormat,
    /// What is written to stdout.
    pub output: OutputFormat,
    /// Send binary messages.
    pub binary: bool,
    /// Messages to send after connecting.
    pub execute: Vec<String>,
    /// For a session with a prompt or a script.
    pub lines: Option<Lines>,
    /// Every event goes to this file.
    pub log: Option<PathBuf>,
    /// Send everything back.
    pub echo: bool,
    /// How long to stay after the input's end.
    pub linger: Linger,
    /// Close after so many messages.
    pub exit_after: Option<u64>,
    /// Close after a matching message.
    pub until: Option<Pattern>,
    /// Spend more connections on telling the causes of a failure apart.
    pub diagnose: bool,
    /// End after this time.
    pub max_time: Option<Duration>,
    /// How much is shown.
    pub display: Display,
}

impl ClientConfig {
    /// Makes every choice that was left open.
    ///
    /// # Errors
    ///
    /// Something typed can't be used.
    pub fn resolve(args: ConnectArgs, terminal: Terminal) -> Result<Self, UsageError> {
        let url = args.url.or(args.connect_url).unwrap_or_default();
        let reach = ReachConfig::resolve(args.reach)?;
        let open = OpenConfig {
            redirects: reach.redirects,
            keeps_cookies: reach.keeps_cookies(),
            ..OpenConfig::resolve(&url, args.handshake, limits(&args.limits))?
        };
        let until = args
            .until
            .as_deref()
            .map(Pattern::new)
            .transpose()
            .map_err(|error| UsageError(format!("--until: {error}")))?;
        let endpoint = EndpointConfig {
            lenient: args.lenient,
            auto_pong: if args.no_pong { AutoPong::Off } else { AutoPong::On },
            close_timeout: args.close_timeout,
            ping_interval: args.ping_interval,
            pong_timeout: args.pong_timeout,
            ..EndpointConfig::new(Role::Client)
        };
        if args.ping_interval.is_some_and(|interval| interval.is_zero()) {
            return Err(UsageError("--ping-interval must be more than 0".to_owned()));
        }
        let PromptOptions { lines, commands, exit_on_close } = args.prompt;
        let LineOptions { script, no_commands, no_history, log, view, timestamps } = lines;
        let input = match args.input {
            Some(input) => lines::check_input(input, terminal)?,
            None if lines::is_stdin(script.as_deref()) => InputFormat::Commands,
            None if args.echo || !args.execute.is_empty() || script.is_some() => InputFormat::None,
            None if terminal.stdin => InputFormat::Prompt,
            None => InputFormat::Lines,
        };
        let output = args.output.unwrap_or(match terminal.is_interactive() {
            true => OutputFormat::Frames,
            false => OutputFormat::Lines,
        });
        let mut display = Display::resolve(&args.display, terminal);
        let output = lines::share_screen(input, output, view, timestamps, &mut display);
        let by_lines = commands
            || script.is_some()
            || matches!(input, InputFormat::Prompt | InputFormat::Commands);
        let execute = args.execute;
        let (executed, execute) =
            if by_lines { (execute, Vec::new()) } else { (Vec::new(), execute) };
        let lines = by_lines.then(|| {
            Ok::<_, UsageError>(Lines {
                script: script.clone().filter(|_| input != InputFormat::Commands),
                // Without --commands the messages of -x are what they are.
                execute: match commands {
                    true => executed,
                    false => {
                        executed.iter().map(|text| lines::as_line(text, no_commands)).collect()
                    }
                },
                no_commands,
                exit_on_close,
                lingers: args.linger.is_some(),
                history: if no_history { None } else { lines::history_path() },
            })
        });
        Ok(Self {
            lines: lines.transpose()?,
            log,
            open,
            reach,
            endpoint,
            input,
            output,
            binary: args.binary,
            execute,
            echo: args.echo,
            linger: args.linger.unwrap_or(Linger::For(Duration::from_secs(1))),
            exit_after: args.exit_after,
            until,
            diagnose: args.diagnose,
            max_time: args.max_time,
            display,
        })
    }
}

impl ClientConfig {
    /// A session that neither reads stdin nor writes stdout, for modes that bring a script.
    pub fn silent(open: OpenConfig, display: Display) -> Self {
        Self {
            open,
            reach: ReachConfig::default(),
            endpoint: EndpointConfig::new(Role::Client),
            input: InputFormat::None,
            output: OutputFormat::None,
            binary: false,
            execute: Vec::new(),
            lines: None,
            log: None,
            echo: false,
            linger: Linger::Forever,
            exit_after: None,
            until: None,
            diagnose: false,
            max_time: None,
            display,
        }
    }
}

impl Display {
    /// Takes what was typed.
    pub fn resolve(options: &DisplayOptions, terminal: Terminal) -> Self {
        let DisplayOptions { quiet, verbose, color, pretty, show_secrets } = *options;
        let (view, timestamps) = (View::default(), Timestamps::default());
        Self { quiet, verbose, terminal, color, view, timestamps, pretty, show_secrets }
    }

    /// How a transcript looks on a stream that is a terminal, or is not.
    pub fn human(&self, role: Role, is_terminal: bool) -> HumanOptions {
        let sent = match role {
            Role::Client => Direction::ToServer,
            Role::Server => Direction::ToClient,
        };
        HumanOptions {
            show_connection: role == Role::Server,
            width: self.terminal.width,
            palette: self.palette(is_terminal),
            view: match self.view {
                View::Frames if self.verbose > 1 => View::Hex,
                view => view,
            },
            pretty: self.pretty,
            timestamps: self.timestamps,
            ..HumanOptions::new(sent)
        }
    }

    /// The colours of a stream that is a terminal, or is not.
    pub fn palette(&self, is_terminal: bool) -> Palette {
        Palette { on: self.color.decide(no_color(), is_terminal) }
    }
}

/// Headers as `-H` takes them.
fn header_edits(texts: &[String]) -> Result<Vec<HeaderEdit>, UsageError> {
    let parse = |text: &String| text.parse().map_err(|error| UsageError(format!("-H: {error}")));
    texts.iter().map(parse).collect()
}

/// "elements … MUST be non-empty strings with characters in the range U+0021 to U+007E not
/// including separator characters" (RFC 6455 §4.1).
fn check_subprotocols(names: &[String]) -> Result<(), UsageError> {
    match names.iter().find(|name| !is_token(name.as_bytes())) {
        None => Ok(()),
        Some(name) => Err(UsageError(format!(
            "-s: {name:?} can't be a subprotocol: a name has only letters, digits and !#$%&'*+-.^_`|~; give -s once for each"
        ))),
    }
}

/// The limits as the session takes them.
pub fn limits(options: &LimitOptions) -> Limits {
    Limits { message: options.max_message, inflated: options.max_inflated, ..Limits::default() }
}

/// "when present and not an empty string (regardless of its value), prevents the addition of ANSI
/// color" (no-color.org).
fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// The home folder.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// A leading `~/` is the home folder, as shells have it.
pub fn expand_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
