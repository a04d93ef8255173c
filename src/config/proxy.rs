//! The choices of `wscope proxy`, made and checked.

use std::path::PathBuf;
use std::time::Duration;

use super::display::Display;
use super::lens::LensConfig;
use super::lines::check_transcript;
use super::listen::{TlsConfig, parse_address, tls};
use super::open::OpenConfig;
use super::transport::{Basics, transport};
use super::usage::UsageError;
use crate::cli::prompt::TrafficOptions;
use crate::cli::{IdentityOptions, OutputFormat, ProxyArgs, ProxyFormat, TransportOptions};
use crate::net::listener::ListenAddress;
use crate::net::resolve::AddressFamily;
use crate::ui::terminal::Terminal;
use crate::wire::head::Forwarding;

/// What a proxy does.
#[derive(Clone, Debug)]
pub struct ProxyConfig {
    /// Where it listens.
    pub address: ListenAddress,
    /// TLS with clients, or plain.
    pub tls: Option<TlsConfig>,
    /// How the server is reached.
    pub open: OpenConfig,
    /// What is changed in the head of a request.
    pub forwarding: Forwarding,
    /// The most bytes that may wait in memory, over all connections.
    pub max_memory: usize,
    /// How many connections at once; `None` for as many as there can be.
    pub max_clients: Option<usize>,
    /// What stdout is for.
    pub output: OutputFormat,
    /// Every event goes to this file.
    pub log: Option<PathBuf>,
    /// What the transcript shows, as for `/filter`.
    pub filter: Option<String>,
    /// How messages are read.
    pub lenses: LensConfig,
    /// End after so long.
    pub max_time: Option<Duration>,
    /// What is shown.
    pub display: Display,
}

impl ProxyConfig {
    /// Makes every choice that was left open.
    pub fn resolve(args: ProxyArgs, terminal: Terminal) -> Result<Self, UsageError> {
        let address = parse_address(&args.address)?;
        let family = match (args.ipv4, args.ipv6) {
            (true, _) => AddressFamily::V4,
            (_, true) => AddressFamily::V6,
            _ => AddressFamily::Any,
        };
        let basics = Basics { family, insecure: args.insecure, cacert: args.cacert };
        let identity = IdentityOptions {
            cert: args.client_cert,
            key: args.client_key,
            ..IdentityOptions::default()
        };
        let way = TransportOptions { route: args.route, identity, tls: args.tls_client };
        let open = OpenConfig {
            transport: transport(way, basics)?,
            connect_timeout: args.connect_timeout,
            handshake_timeout: args.handshake_timeout,
            ..OpenConfig::of_url(&args.to).map_err(|error| UsageError(format!("--to: {error}")))?
        };
        let path = open.target.resource_name.as_str();
        if path.contains('?') {
            let text = "--to: a query can't stand before the path of a request; leave it out";
            return Err(UsageError(text.to_owned()));
        }
        let forwarding = Forwarding {
            base: path.trim_end_matches('/').to_owned(),
            host: (!args.keep_host).then(|| open.target.host_header.clone()),
        };
        let TrafficOptions { log, view, timestamps, filter, lenses, typed } = args.traffic;
        let mut display = Display::resolve(&args.display, terminal);
        display.timestamps = timestamps;
        display.view = view.unwrap_or_default();
        let output = match args.output {
            ProxyFormat::Frames => OutputFormat::Frames,
            ProxyFormat::Json => OutputFormat::Json,
            ProxyFormat::None => OutputFormat::None,
        };
        check_transcript(&typed, output, &display)?;
        Ok(Self {
            tls: tls(args.tls_server, &address)?,
            address,
            open,
            forwarding,
            max_memory: args.max_memory,
            max_clients: args.max_clients.map(|most| most as usize),
            output,
            log,
            filter,
            lenses: LensConfig::resolve(&lenses, &args.lens_map.lens_map)?,
            max_time: args.max_time,
            display,
        })
    }
}
