//! The configuration of `wscope proxy`, resolved and checked.

use std::ffi::OsString;
use std::time::Duration;

use super::display::Display;
use super::environment::history_path;
use super::fault::Faults;
use super::forward::{ForwardConfig, ForwardOptions};
use super::lines::{self, LineConfig, TrafficConfig};
use super::listen::{TlsConfig, parse_address, server_tls};
use super::open::OpenConfig;
use super::rule::{Action, Pacing, Rules};
use super::transport::upstream;
use super::usage::UsageError;
use crate::cli::{InputFormat, OutputFormat, ProxyArgs, ProxyFormat, ProxyInput};
use crate::net::listener::ListenAddress;
use crate::net::resolve::AddressFamily;
use crate::ui::terminal::Terminal;
use crate::wire::Role;
use crate::wire::fault::FaultKind;
use crate::wire::head::Forwarding;

/// The configuration of a proxy.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Where it listens.
    pub address: ListenAddress,
    /// TLS with clients, if it is used.
    pub tls: Option<TlsConfig>,
    /// How to open connections to the server.
    pub open: OpenConfig,
    /// The changes to the head of a request, if there is one server.
    pub forwarding: Forwarding,
    /// The settings of a forward proxy. Its `open` is the same for all servers.
    pub forward: Option<ForwardConfig>,
    /// The program to run, with its arguments; empty without one.
    pub command: Vec<OsString>,
    /// The limit for queued data of all connections, in bytes.
    pub max_memory: usize,
    /// The limit for the number of connections; `None`: as many as possible.
    pub max_clients: Option<usize>,
    /// The rules for messages.
    pub rules: Rules,
    /// The delays of data to the server and to the client.
    pub pacing: [Pacing; 2],
    /// The faults towards the server, and towards the client.
    pub faults: [Faults; 2],
    /// The source of lines, the transcript, and the recording.
    pub traffic: TrafficConfig,
    /// End after this time.
    pub max_time: Option<Duration>,
}

impl ProxyConfig {
    /// Whether frames may be changed or added.
    pub fn intervenes(&self) -> bool {
        self.rules.iter().next().is_some() || self.faults.iter().any(|all| *all != Faults::None)
    }

    /// Resolves all settings.
    pub fn resolve(args: ProxyArgs, terminal: Terminal) -> Result<Self, UsageError> {
        let address = parse_address(args.address.as_deref().unwrap_or("0"))?;
        let family = AddressFamily::only(args.ipv4, args.ipv6);
        // With a forward proxy, each request has its own URL.
        let server = args.to.as_deref().or(args.server.as_deref());
        let to = server.unwrap_or("ws://localhost");
        let open = OpenConfig {
            transport: upstream(args.route, args.tls_client, family)?,
            connect_timeout: args.connect_timeout,
            handshake_timeout: args.handshake_timeout,
            ..OpenConfig::of_url(to).map_err(|error| UsageError(format!("--to: {error}")))?
        };
        let runs = !args.command.is_empty();
        if runs && server.is_none() && open.transport.unix_socket.is_some() {
            let text = "--unix-socket leads to one server; add --to URL";
            return Err(UsageError(text.to_owned()));
        }
        let options = ForwardOptions {
            user: args.user,
            intercept: args.intercept,
            tunnel: args.tunnel,
            ca_dir: args.ca_dir,
            keep_host: args.keep_host,
            transparent: args.transparent,
        };
        let forward = server.is_none().then(|| ForwardConfig::resolve(options, &address));
        let path = open.target.resource_name.as_str();
        if path.contains('?') {
            let text = "--to: the URL can't have a query, because the path of each request follows it; \
                 leave it out";
            return Err(UsageError(text.to_owned()));
        }
        let forwarding = Forwarding {
            base: path.to_owned(),
            host: (!args.keep_host).then(|| open.target.host_header.clone()),
            is_proxy: false,
        };
        let mut display = Display::resolve(&args.display, terminal);
        let output = match args.output {
            Some(ProxyFormat::Json) if runs => {
                let text =
                    "--output json: stdout belongs to CMD; --log FILE writes the events to a file";
                return Err(UsageError(text.to_owned()));
            }
            Some(ProxyFormat::Frames) | None if runs => {
                display.verbose = display.verbose.max(u8::from(!display.quiet));
                OutputFormat::None
            }
            // Without a prompt, the transcript is the only output that `-q` can silence.
            None if display.quiet
                && args.traffic.typed.is_empty()
                && !lines::may_prompt(None, terminal) =>
            {
                OutputFormat::None
            }
            Some(ProxyFormat::Frames) | None => OutputFormat::Frames,
            Some(ProxyFormat::Json) => OutputFormat::Json,
            Some(ProxyFormat::None) => OutputFormat::None,
        };
        let script = args.script;
        let input = args.input.map(|input| match input {
            ProxyInput::Prompt => InputFormat::Prompt,
            ProxyInput::Commands => InputFormat::Commands,
            ProxyInput::None => InputFormat::None,
        });
        if runs && lines::is_stdin(script.as_deref()) {
            let text = "--script - reads stdin, which belongs to CMD; write the lines to a file";
            return Err(UsageError(text.to_owned()));
        }
        let input = match input {
            Some(input) => lines::check_input(input, script.as_deref(), false, terminal)?,
            None if lines::is_stdin(script.as_deref()) => InputFormat::Commands,
            None if script.is_none() && !runs && lines::may_prompt(Some(output), terminal) => {
                InputFormat::Prompt
            }
            None => InputFormat::None,
        };
        let paths = &args.lens_map.lens_map;
        let traffic =
            TrafficConfig::resolve(args.traffic, (input, output), paths, args.max_kept, display)?;
        let by_lines = script.is_some() || input != InputFormat::None;
        let variables = lines::variables(&args.set, by_lines)?;
        let script = script.filter(|path| !lines::is_stdin(Some(path)));
        let history = if args.no_history { None } else { history_path() };
        let lines = LineConfig { script, variables, history, ..LineConfig::default() };
        let rules = Rules::read(&args.rules, &args.rule_files)?;
        if !by_lines && rules.any(|action| matches!(action, Action::Hold)) {
            let text = "a rule that holds messages needs the prompt, --script or --input commands, to \
                 pass them on";
            return Err(UsageError(text.to_owned()));
        }
        Ok(Self {
            tls: server_tls(args.tls_server, &address)?,
            address,
            open,
            forwarding,
            forward: forward.transpose()?,
            command: args.command,
            rules,
            faults: faults(&args.faults)?,
            traffic: traffic.with(false, false, by_lines.then_some(lines)),
            pacing: [Pacing::read(args.latency.as_deref(), args.throttle)?; 2],
            max_memory: args.max_memory,
            max_clients: args.max_clients.map(|most| most as usize),
            max_time: args.max_time,
        })
    }
}

/// `--fault [DIR] FAULT`: towards the client, or, with `>`, towards the server.
fn faults(texts: &[String]) -> Result<[Faults; 2], UsageError> {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for text in texts {
        match text.strip_prefix('>') {
            Some(fault) => to_server.push(fault.trim_start().to_owned()),
            None => to_client.push(text.trim_start_matches('<').trim_start().to_owned()),
        }
    }
    let all = [Faults::parse(&to_server, Role::Client)?, Faults::parse(&to_client, Role::Server)?];
    let refuse = |name: &str, why: &str| {
        Err(UsageError(format!("--fault: {name} is not a fault of a proxy: {why}")))
    };
    for faults in &all {
        match faults {
            Faults::None => {}
            Faults::Random { .. } => return refuse("random", "name the fault"),
            Faults::Chosen(faults) => {
                for fault in faults {
                    let why = match fault.info.kind {
                        FaultKind::Answer(_) => "--rule '> -> reject 503' answers a request",
                        FaultKind::Pace(_) => "the proxy forwards the 101 when it arrives",
                        _ => continue,
                    };
                    return refuse(fault.info.name, why);
                }
            }
        }
    }
    Ok(all)
}
