//! The configuration of a client's session, resolved and checked.

use std::sync::Arc;
use std::time::Duration;

use super::display::Display;
use super::environment::history_path;
use super::fault::Faults;
use super::lines::{self, LineConfig, TrafficConfig};
use super::open::OpenConfig;
use super::reach::ReachConfig;
use super::usage::{UsageError, check_raw, limits};
use crate::cli::prompt::{LineOptions, PromptOptions};
use crate::cli::{
    ConnectArgs, DisplayOptions, HandshakeOptions, InputFormat, OutputFormat, ReachOptions,
    StayOptions,
};
use crate::session::EndpointConfig;
use crate::session::endpoint::AutoPong;
use crate::ui::pattern::Pattern;
use crate::ui::terminal::Terminal;
use crate::wire::Role;

/// The default of `--max-memory`, in bytes.
const MAX_MEMORY: usize = 256 << 20;

/// The configuration of a client session.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// How to open the connection.
    pub open: OpenConfig,
    /// Credentials, retries, and the reports at the end.
    pub reach: ReachConfig,
    /// The settings of the endpoint, without compression, which the handshake decides.
    pub endpoint: Arc<EndpointConfig>,
    /// The source of lines, the transcript, and the recording.
    pub traffic: TrafficConfig,
    /// Messages to send after connecting.
    pub execute: Vec<String>,
    /// The faults.
    pub faults: Faults,
    /// Echo every message.
    pub echo: bool,
    /// When the run ends.
    pub stay: StayOptions,
    /// Close after this many messages.
    pub exit_after: Option<u64>,
    /// Close after a matching message.
    pub until: Option<Pattern>,
    /// Make more connections to find the cause of a failure.
    pub diagnose: bool,
    /// The limit for queued data of all connections, in bytes.
    pub max_memory: usize,
    /// End after this time.
    pub max_time: Option<Duration>,
}

impl ClientConfig {
    /// Resolves all settings.
    pub fn resolve(args: ConnectArgs, terminal: Terminal) -> Result<Self, UsageError> {
        let url = args.url.or(args.connect_url).unwrap_or_default();
        let reach = ReachConfig::resolve(args.reach)?.again(&args.retry);
        let mut open = OpenConfig::resolve(&url, args.handshake)?.reaching(&reach);
        open.limits = limits(&args.limits);
        let faults = Faults::parse(&args.faults.faults, Role::Client)?;
        if faults.decline_deflate() {
            open.deflate = None;
        }
        let until = args.until.as_deref().map(Pattern::new).transpose().map_err(|error| {
            let typed = args.until.as_deref().unwrap_or_default();
            UsageError(format!("--until: {typed:?} is not a regular expression: {error}"))
        })?;
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
        let LineOptions { script, set, no_commands, no_history, traffic, max_kept } = lines;
        let input = match args.input {
            Some(input) => lines::check_input(input, script.as_deref(), args.echo, terminal)?,
            None if lines::is_stdin(script.as_deref()) => InputFormat::Commands,
            None if args.echo || !args.execute.is_empty() || script.is_some() => InputFormat::None,
            None if lines::may_prompt(args.output, terminal) => InputFormat::Prompt,
            None => InputFormat::Lines,
        };
        // A user who says when the run ends wants the answer on stdout, on a terminal, too.
        let ends = args.stay.is_given() || args.exit_after.is_some() || args.until.is_some();
        let one_shot = !args.execute.is_empty() && ends;
        let output = args.output.unwrap_or(match terminal.is_interactive() && !one_shot {
            true => OutputFormat::Frames,
            false => OutputFormat::Lines,
        });
        check_raw(output == OutputFormat::Raw, args.force, terminal)?;
        let display = Display::resolve(&args.display, terminal);
        let traffic = TrafficConfig::resolve(traffic, (input, output), &[], max_kept, display)?;
        let by_lines = commands
            || script.is_some()
            || matches!(input, InputFormat::Prompt | InputFormat::Commands);
        let variables = lines::variables(&set, by_lines)?;
        let execute = args.execute;
        let (executed, execute) =
            if by_lines { (execute, Vec::new()) } else { (Vec::new(), execute) };
        let lines = by_lines.then(|| {
            Ok::<_, UsageError>(LineConfig {
                script: script.clone().filter(|_| input != InputFormat::Commands),
                // Without --commands, the messages of -x are sent unchanged.
                execute: match commands {
                    true => executed,
                    false => {
                        executed.iter().map(|text| lines::as_line(text, no_commands)).collect()
                    }
                },
                variables,
                no_commands,
                exit_on_close,
                history: if no_history { None } else { history_path() },
            })
        });
        Ok(Self {
            traffic: traffic.with(args.binary, args.text, lines.transpose()?),
            open,
            reach,
            endpoint: endpoint.into(),
            execute,
            faults,
            echo: args.echo,
            stay: args.stay,
            exit_after: args.exit_after,
            until,
            diagnose: args.diagnose,
            max_memory: args.max_memory,
            max_time: args.max_time,
        })
    }
}

impl ClientConfig {
    /// A session of a mode that connects, does not read stdin, and writes stdout itself.
    ///
    /// # Errors
    ///
    /// An option can't be used.
    pub fn dial(
        url: &str,
        handshake: HandshakeOptions,
        reach: ReachOptions,
        display: &DisplayOptions,
        terminal: Terminal,
    ) -> Result<Self, UsageError> {
        let reach = ReachConfig::resolve(reach)?;
        let open = OpenConfig::resolve(url, handshake)?.reaching(&reach);
        Ok(Self { reach, ..Self::silent(open, Display::resolve(display, terminal)) })
    }

    /// A session without stdin and stdout, for modes with a fixed sequence.
    pub fn silent(open: OpenConfig, display: Display) -> Self {
        Self {
            open,
            reach: ReachConfig::default(),
            endpoint: EndpointConfig::new(Role::Client).into(),
            traffic: TrafficConfig::silent(display),
            execute: Vec::new(),
            faults: Faults::None,
            echo: false,
            stay: StayOptions::FOREVER,
            exit_after: None,
            until: None,
            diagnose: false,
            max_memory: MAX_MEMORY,
            max_time: None,
        }
    }
}
