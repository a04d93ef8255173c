//! The configuration of `wscope listen`, resolved and checked.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::display::Display;
use super::environment::{history_path, variable};
use super::fault::Faults;
use super::lines::{self, LineConfig, TrafficConfig};
use super::open::OpenConfig;
use super::recorded::RecordedName;
use super::transport;
use super::usage::{UsageError, check_raw, check_subprotocols, header_edits};
use crate::cli::prompt::LineOptions;
use crate::cli::{
    AdmissionOptions, InputFormat, ListenArgs, MatchChoice, OutputFormat, RouteArguments,
    ServerDeflateOptions, StayOptions, TlsServerOptions, UnmatchedChoice,
};
use crate::net::files::FileOnce;
use crate::net::listener::ListenAddress;
use crate::net::resolve::AddressFamily;
use crate::net::secret::Secret;
use crate::net::tls::ServerIdentity;
use crate::net::tls::options::Passphrase;
use crate::session::endpoint::AutoPong;
use crate::session::{EndpointConfig, Limits};
use crate::ui::terminal::Terminal;
use crate::wire::Role;
use crate::wire::deflate::params::ServerDeflateConfig;
use crate::wire::handshake::admission::{Admission, Authorization, Origins, Reject};
use crate::wire::handshake::server::ServerConfig;

/// RFC 6455 §10.2: "Servers that are not intended to process input from any web page but only for
/// certain sites SHOULD verify the |Origin| field is an origin they expect."
const ANY_PAGE: &str = "without --origin, web pages of any site can connect; --origin ORIGIN accepts one site, \
     --origin '*' accepts all without this note";

/// The error if every page could start a process.
const EXEC_FOR_ALL: &str = "with --exec, every web page and every machine that reaches this address can start a \
     process; name the pages that may connect with --origin ORIGIN ('*' for all), or require \
     credentials with -u or --bearer";

/// The configuration of a server.
#[derive(Clone, Debug)]
pub struct ListenConfig {
    /// Where it listens.
    pub address: ListenAddress,
    /// TLS, if it is used.
    pub tls: Option<TlsConfig>,
    /// Which clients it accepts, and on what it agrees.
    pub server: ServerConfig,
    /// The time limit for TLS and the request's head.
    pub handshake_timeout: Duration,
    /// The settings of the endpoints, without compression, which the handshake decides.
    pub endpoint: Arc<EndpointConfig>,
    /// The limits for data from a client.
    pub limits: Limits,
    /// The limit for queued data of all connections, in bytes.
    pub max_memory: usize,
    /// The limit for data that waits for clients to read it, for all connections, in bytes.
    pub max_backlog: usize,
    /// The limit for the number of clients; `None`: as many as possible.
    pub max_clients: Option<usize>,
    /// The reaction to messages.
    pub answer: ListenBehaviour,
    /// The server that answers messages that a recording does not have.
    pub upstream: Option<OpenConfig>,
    /// The first messages to each client.
    pub send: Option<GreetingSource>,
    /// The source of lines, the transcript, and the recording.
    pub traffic: TrafficConfig,
    /// The script runs once for each client.
    pub each: bool,
    /// Serve one session.
    pub once: bool,
    /// When the run ends after the end of a script, or, with `once`, of the input.
    pub stay: StayOptions,
    /// End after this many messages.
    pub exit_after: Option<u64>,
    /// End after this time.
    pub max_time: Option<Duration>,
    /// The faults.
    pub faults: Faults,
    /// Notes on surprising consequences, one sentence each.
    pub notes: Vec<&'static str>,
}

/// The reaction to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenBehaviour {
    /// Nothing.
    Nothing,
    /// It is echoed.
    Echo,
    /// It is sent to all other clients.
    Broadcast,
    /// This text is the answer.
    Reply(String),
    /// The client's own process gets it.
    Exec {
        /// For `sh -c`.
        command: String,
        /// Bytes instead of lines.
        raw: bool,
    },
    /// A recorded server answers.
    Replay(MockConfig),
}

/// The recording that answers, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MockConfig {
    /// The recording.
    pub name: RecordedName,
    /// How a client's message is matched with a recorded one.
    pub matching: MatchChoice,
    /// What happens to a message that the recording does not have.
    pub unmatched: UnmatchedChoice,
}

/// The source of the first messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GreetingSource {
    /// stdin, read once to its end.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// The TLS settings.
#[derive(Clone)]
pub struct TlsConfig {
    /// Certificate and key.
    pub identity: ServerIdentity,
    /// The passphrase of the key.
    pub passphrase: Passphrase,
    /// The file for a temporary certificate.
    pub certificate_out: Option<PathBuf>,
}

/// Does not show the passphrase.
impl std::fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.identity.fmt(f)
    }
}

impl ListenConfig {
    /// Resolves all settings.
    pub fn resolve(args: ListenArgs, terminal: Terminal) -> Result<Self, UsageError> {
        for (name, time) in
            [("--ping-interval", args.ping_interval), ("--idle-timeout", args.idle_timeout)]
        {
            if time.is_some_and(|time| time.is_zero()) {
                return Err(UsageError(format!("{name} must be more than 0")));
            }
        }
        let address = match (&args.unix_socket, &args.address) {
            (Some(path), _) => ListenAddress::Unix { path: path.clone(), mode: args.unix_mode },
            (None, address) => parse_address(address.as_deref().unwrap_or_default())?,
        };
        match (args.on_unmatched, &args.to) {
            (UnmatchedChoice::Pass, None) => {
                return Err(UsageError(
                    "--on-unmatched pass: name the server with --to URL".to_owned(),
                ));
            }
            (UnmatchedChoice::Close | UnmatchedChoice::Ignore, Some(_)) => {
                return Err(UsageError("--to needs --on-unmatched pass".to_owned()));
            }
            _ => {}
        }
        // Defaults apply to every mode, so these may be present without --to. If the user typed
        // them, they would have no effect.
        if let (None, Some(id)) = (&args.to, args.tls_client.typed.first()) {
            return Err(UsageError(format!(
                "--{} applies to the connection to the server of --to; add --on-unmatched pass \
                 --to URL",
                id.replace('_', "-")
            )));
        }
        let way =
            transport::upstream(RouteArguments::default(), args.tls_client, AddressFamily::Any)?;
        let upstream = args.to.as_deref().map(OpenConfig::of_url).transpose();
        let upstream = upstream.map_err(|error| UsageError(format!("--to: {error}")))?;
        let upstream = upstream.map(|open| OpenConfig { transport: way, ..open });
        let mock = args.replay.as_deref().map(|name| MockConfig {
            name: RecordedName::new(name),
            matching: args.matching,
            unmatched: args.on_unmatched,
        });
        let answer = match (args.exec, args.reply, mock) {
            (.., Some(mock)) => ListenBehaviour::Replay(mock),
            (Some(command), ..) => ListenBehaviour::Exec { command, raw: args.exec_raw },
            (_, Some(text), _) => ListenBehaviour::Reply(text),
            _ if args.echo => ListenBehaviour::Echo,
            _ if args.broadcast => ListenBehaviour::Broadcast,
            _ => ListenBehaviour::Nothing,
        };
        let send = args.send.map(|path| match path.as_os_str() == "-" {
            true => GreetingSource::Stdin,
            false => GreetingSource::File(path),
        });
        let answers = answer != ListenBehaviour::Nothing;
        let LineOptions { script, set, no_commands, no_history, traffic, max_kept } = args.prompt;
        if args.each && lines::is_stdin(script.as_deref()) {
            let text = "--each can't repeat a script from stdin; name a file, as in --script FILE";
            return Err(UsageError(text.to_owned()));
        }
        let input = match args.input {
            Some(_) if send == Some(GreetingSource::Stdin) => {
                return Err(UsageError("--input and --send - can't both read stdin".to_owned()));
            }
            Some(input) => lines::check_input(input, script.as_deref(), false, terminal)?,
            None if lines::is_stdin(script.as_deref()) && send == Some(GreetingSource::Stdin) => {
                return Err(UsageError("--script - and --send - can't both read stdin".to_owned()));
            }
            None if lines::is_stdin(script.as_deref()) => InputFormat::Commands,
            None if answers || script.is_some() || send == Some(GreetingSource::Stdin) => {
                InputFormat::None
            }
            None if lines::may_prompt(args.output, terminal) => InputFormat::Prompt,
            None if send.is_some() || terminal.background => InputFormat::None,
            None => InputFormat::Lines,
        };
        let output = args.output.unwrap_or(match terminal.is_interactive() {
            true => OutputFormat::Frames,
            false if answers => OutputFormat::None,
            false => OutputFormat::Lines,
        });
        check_raw(output == OutputFormat::Raw, args.force, terminal)?;
        let display = Display::resolve(&args.display, terminal);
        let paths = &args.lens_map.lens_map;
        let traffic = TrafficConfig::resolve(traffic, (input, output), paths, max_kept, display)?;
        let by_lines =
            script.is_some() || matches!(input, InputFormat::Prompt | InputFormat::Commands);
        if args.stay.follows_input() && !args.once && !by_lines {
            let text = "-w and --idle-exit need --once or a script; without these, a server does not \
                 end by itself";
            return Err(UsageError(text.to_owned()));
        }
        let variables = lines::variables(&set, by_lines)?;
        let lines = by_lines.then(|| LineConfig {
            variables,
            script: script.filter(|path| !lines::is_stdin(Some(path))),
            no_commands,
            history: if no_history { None } else { history_path() },
            ..LineConfig::default()
        });
        let endpoint = EndpointConfig {
            lenient: args.lenient,
            auto_pong: if args.no_pong { AutoPong::Off } else { AutoPong::On },
            close_timeout: args.close_timeout,
            ping_interval: args.ping_interval,
            pong_timeout: args.pong_timeout,
            idle_timeout: args.idle_timeout,
            ..EndpointConfig::new(Role::Server)
        };
        let asks = args.handshake.user.is_some() || args.handshake.bearer.is_some();
        let any_page = !address.is_local() && !asks && args.handshake.origins.is_empty();
        if any_page && matches!(answer, ListenBehaviour::Exec { .. }) {
            return Err(UsageError(EXEC_FOR_ALL.to_owned()));
        }
        let mut notes = Vec::new();
        if !address.is_local() {
            notes.push("other machines can connect, too");
        }
        if any_page {
            notes.push(ANY_PAGE);
        }
        let limits =
            Limits { message: args.max_message, inflated: args.max_inflated, ..Limits::default() };
        Ok(Self {
            tls: server_tls(args.tls, &address)?,
            handshake_timeout: args.handshake.handshake_timeout,
            server: server(args.handshake, &args.deflate, &address)?,
            address,
            endpoint: endpoint.into(),
            limits,
            max_memory: args.max_memory,
            max_backlog: args.max_backlog,
            max_clients: args.max_clients.map(|most| most as usize),
            answer,
            upstream,
            send,
            traffic: traffic.with(args.binary, args.text, lines),
            each: args.each,
            once: args.once,
            stay: args.stay,
            exit_after: args.exit_after,
            max_time: args.max_time,
            faults: Faults::parse(&args.faults.faults, Role::Server)?,
            notes,
        })
    }
}

/// `PORT`, `ADDR:PORT`, `[IPv6]:PORT`, `localhost:PORT`, `:PORT`.
///
/// # Errors
///
/// It has none of these forms.
pub fn parse_address(text: &str) -> Result<ListenAddress, UsageError> {
    if let Some((_, rest)) = text.split_once("://") {
        let place = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // Without the credentials of a URL.
        let place = place.rsplit('@').next().unwrap_or_default();
        let text = "a URL is not a listen address; write";
        return Err(UsageError(match parse_address(place) {
            Ok(_) => format!("{text} it without scheme and path: {place}"),
            Err(_) => format!("{text} a port, such as 9001, or ADDR:PORT"),
        }));
    }
    let help = || {
        UsageError(format!(
            "{text:?} is not a listen address; write a port (9001, or 0 for any), 192.0.2.1:9001, \
             [::1]:9001, or :9001 for all addresses"
        ))
    };
    if let Ok(port) = text.parse::<u16>() {
        return Ok(ListenAddress::Loopback(port));
    }
    let (host, port) = text.rsplit_once(':').ok_or_else(help)?;
    let port = port.parse::<u16>().map_err(|_| help())?;
    match host {
        "" | "*" => Ok(ListenAddress::Everywhere(port)),
        "localhost" => Ok(ListenAddress::Loopback(port)),
        _ => {
            let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
            let address: IpAddr = bare.unwrap_or(host).parse().map_err(|_| help())?;
            // Without brackets an IPv6 address and a port can't be separated.
            match bare.is_none() && address.is_ipv6() {
                true => Err(help()),
                false => Ok(ListenAddress::Address(SocketAddr::new(address, port))),
            }
        }
    }
}

/// The accepted values of `--origin`.
const ORIGIN_FORM: &str = "an origin is as browsers send it: `https://app.example`, `null`";

fn check_origin(origin: &str) -> Result<(), UsageError> {
    if origin.contains(',') {
        let text = format!("--origin: {origin:?} has a comma; repeat the option for each origin");
        return Err(UsageError(text));
    }
    match origin.trim().trim_end_matches('/').is_empty() {
        true => Err(UsageError(format!("--origin: {origin:?} is not an origin; {ORIGIN_FORM}"))),
        false => Ok(()),
    }
}

fn server(
    options: AdmissionOptions,
    deflate: &ServerDeflateOptions,
    address: &ListenAddress,
) -> Result<ServerConfig, UsageError> {
    check_subprotocols(&options.subprotocols)?;
    if let Some(path) = options.paths.iter().find(|path| !path.starts_with('/')) {
        return Err(UsageError(format!("--path: {path:?} does not begin with /")));
    }
    options.origins.iter().try_for_each(|origin| check_origin(origin))?;
    let origins = match options.origins.as_slice() {
        [] if address.is_local() => Origins::Local,
        [] => Origins::Any,
        all if all.iter().any(|origin| origin == "*") => Origins::Any,
        some => Origins::Listed(some.to_vec()),
    };
    let authorization = match (options.user, options.bearer) {
        (Some(pair), _) => Some(basic(pair)?),
        (None, token) => token.map(Authorization::Bearer),
    };
    let admission = Admission {
        paths: options.paths,
        origins,
        authorization,
        require_subprotocol: options.require_subprotocol,
        reject: options.reject.as_deref().map(parse_reject).transpose()?,
    };
    Ok(ServerConfig {
        subprotocols: options.subprotocols,
        deflate: accepted_deflate(deflate),
        headers: header_edits(&options.headers)?,
        admission,
    })
}

/// `USER:PASSWORD`.
pub(super) fn basic(pair: String) -> Result<Authorization, UsageError> {
    match pair.contains(':') {
        true => Ok(Authorization::Basic(pair)),
        false => Err(UsageError("-u: write USER:PASSWORD".to_owned())),
    }
}

/// `STATUS[:BODY]`.
fn parse_reject(text: &str) -> Result<Reject, UsageError> {
    let (status, body) = match text.split_once(':') {
        Some((status, body)) => (status, Some(body.to_owned())),
        None => (text, None),
    };
    let status = status.parse().ok().filter(|status| (200..=599).contains(status));
    status.map(|status| Reject { status, body }).ok_or_else(|| {
        UsageError(format!(
            "--reject: {text:?} has no status from 200 to 599; write 503 or 503:BODY"
        ))
    })
}

fn accepted_deflate(options: &ServerDeflateOptions) -> Option<ServerDeflateConfig> {
    let default = ServerDeflateConfig::default();
    (!options.no_compress).then(|| ServerDeflateConfig {
        server_no_context_takeover: options.server_no_context_takeover,
        client_no_context_takeover: options.client_no_context_takeover,
        server_max_window_bits: options
            .server_max_window_bits
            .unwrap_or(default.server_max_window_bits),
        client_max_window_bits: options
            .client_max_window_bits
            .unwrap_or(default.client_max_window_bits),
    })
}

/// The TLS settings for clients, if TLS is used.
///
/// # Errors
///
/// An option can't be used.
pub fn server_tls(
    options: TlsServerOptions,
    address: &ListenAddress,
) -> Result<Option<TlsConfig>, UsageError> {
    let TlsServerOptions { cert, key, pass_file, self_signed, self_signed_out } = options;
    let identity = match cert {
        Some(certificate) => match key {
            Some(key) => ServerIdentity::Pem { certificate, key },
            None if is_pkcs12(&certificate) => ServerIdentity::Pkcs12(certificate),
            None => ServerIdentity::Pem { key: certificate.clone(), certificate },
        },
        None if self_signed || self_signed_out.is_some() => {
            let mut names = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
            if let ListenAddress::Address(address) = address
                && !address.ip().is_loopback()
            {
                names.push(address.ip().to_string());
            }
            ServerIdentity::SelfSigned(names)
        }
        None => return Ok(None),
    };
    let given = || variable("WSCOPE_PASSPHRASE")?.into_string().ok().map(Secret::new);
    let passphrase = match pass_file {
        Some(path) => Passphrase::File(FileOnce::new(path)),
        None => given().map_or(Passphrase::Unknown, Passphrase::Given),
    };
    Ok(Some(TlsConfig { identity, passphrase, certificate_out: self_signed_out }))
}

/// Judged by its name; browsers and Windows use these extensions for such archives.
fn is_pkcs12(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["p12", "pfx"].contains(&&*extension.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<ListenAddress> {
        parse_address(text).ok()
    }

    #[test]
    fn a_port_alone_is_for_this_machine_alone() {
        assert_eq!(parsed("9001"), Some(ListenAddress::Loopback(9001)));
        assert_eq!(parsed("localhost:0"), Some(ListenAddress::Loopback(0)));
        assert_eq!(parsed(":9001"), Some(ListenAddress::Everywhere(9001)));
        assert_eq!(parsed("*:1"), Some(ListenAddress::Everywhere(1)));
        let address = |text: &str| text.parse().ok().map(ListenAddress::Address);
        assert_eq!(parsed("0.0.0.0:9001"), address("0.0.0.0:9001"));
        assert_eq!(parsed("[::]:9001"), address("[::]:9001"));
        for wrong in ["", "x", "65536", "::1:9001", "host.example:1", "[::1]", "1.2.3.4", "-1", ":"]
        {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_refusal_has_a_status_and_may_have_a_body() {
        let reject = |status, body: Option<&str>| Reject { status, body: body.map(String::from) };
        assert_eq!(parse_reject("503").ok(), Some(reject(503, None)));
        assert_eq!(parse_reject("401:no: never").ok(), Some(reject(401, Some("no: never"))));
        for wrong in ["", "x", "101", "600", ":body"] {
            assert!(parse_reject(wrong).is_err(), "{wrong}");
        }
    }
}
