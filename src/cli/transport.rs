//! Options for the route to a server: proxies, other addresses, the local address, TLS. Options
//! that curl has, too, have curl's names.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use crate::net::overrides::{ConnectTo, Resolve};
use crate::net::source::{Interface, PortRange};
use crate::net::tls::options::{Pin, TlsVersion};

/// How to reach the server.
#[derive(Debug, Args)]
pub struct TransportOptions {
    /// The route.
    #[command(flatten)]
    pub route: RouteArguments,

    /// The client certificate.
    #[command(flatten)]
    pub identity: IdentityOptions,

    /// TLS.
    #[command(flatten)]
    pub tls: TlsClientOptions,
}

/// Proxies, addresses, the near end.
#[derive(Debug, Default, Args)]
pub struct RouteArguments {
    /// Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]
    ///
    /// The default scheme is http, the default port 1080 (443 for https). With socks5h the proxy
    /// resolves the server's name, with socks5 wscope does. An empty URL means no proxy. Without this
    /// option, wscope reads the same variables as curl: ws_proxy or http_proxy for ws://, wss_proxy or
    /// https_proxy for wss://, then all_proxy. Upper case works too, except for HTTP_PROXY.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,

    /// The user and password for the proxy
    #[arg(long, value_name = "USER:PASSWORD", hide_short_help = true, help_heading = "Connection")]
    pub proxy_user: Option<String>,

    /// Hosts to connect to without a proxy; replaces no_proxy
    ///
    /// A comma-separated list of names (including their subdomains), addresses and blocks such as
    /// 10.0.0.0/8, each with or without a port; `*` means all hosts.
    #[arg(long, value_name = "LIST", hide_short_help = true, help_heading = "Connection")]
    pub noproxy: Option<String>,

    /// Connect to these addresses instead of resolving the name; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDR[,ADDR]", action = ArgAction::Append, hide_short_help = true, help_heading = "Connection")]
    pub resolve: Vec<Resolve>,

    /// Connect to HOST2:PORT2 instead of HOST1:PORT1; may be repeated
    ///
    /// Host header, SNI and certificate check still use the URL's host. An empty HOST1 or PORT1 matches
    /// any; an empty HOST2 or PORT2 means the URL's.
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2", action = ArgAction::Append, hide_short_help = true, help_heading = "Connection")]
    pub connect_to: Vec<ConnectTo>,

    /// Connect from this local address or network interface
    #[arg(long, value_name = "ADDR|NAME", hide_short_help = true, help_heading = "Connection")]
    pub interface: Option<Interface>,

    /// Connect from this local port, or the first free one of a range
    #[arg(long, value_name = "PORT[-PORT]", hide_short_help = true, help_heading = "Connection")]
    pub local_port: Option<PortRange>,

    /// Connect to a Unix socket instead of the URL's host
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with_all = ["proxy", "connect_to", "resolve", "interface", "local_port"],
        hide_short_help = true,
        help_heading = "Connection"
    )]
    pub unix_socket: Option<PathBuf>,
}

/// The certificate that wscope shows to a server.
#[derive(Debug, Default, Args)]
pub struct IdentityOptions {
    /// Client certificate, if the server requests one: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of the key is read from WSCOPE_PASSPHRASE, --pass-env, --pass-file or the
    /// terminal.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// The certificate's key in PEM, if it is not in the file of --cert
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    pub key: Option<PathBuf>,

    /// Read the key's passphrase from an environment variable [default: WSCOPE_PASSPHRASE]
    #[arg(
        long,
        value_name = "NAME",
        requires = "cert",
        conflicts_with = "pass_file",
        hide_short_help = true,
        help_heading = "TLS"
    )]
    pub pass_env: Option<String>,

    /// Read the key's passphrase from the first line of FILE
    #[arg(
        long,
        value_name = "FILE",
        requires = "cert",
        hide_short_help = true,
        help_heading = "TLS"
    )]
    pub pass_file: Option<PathBuf>,
}

/// TLS with a server, for modes in which `--cert` belongs to their own clients.
#[derive(Debug, Args)]
pub struct UpstreamTlsOptions {
    /// The options of this group that were typed (not defaults).
    #[arg(skip)]
    pub typed: Vec<String>,

    /// Accept any TLS certificate of the server
    #[arg(short = 'k', long, help_heading = "TLS")]
    pub insecure: bool,

    /// Also trust the CA certificates in a PEM file
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cacert: Option<PathBuf>,

    /// Client certificate for the server: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of the key is read from WSCOPE_PASSPHRASE.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub client_cert: Option<PathBuf>,

    /// The key of --client-cert in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", requires = "client_cert", help_heading = "TLS")]
    pub client_key: Option<PathBuf>,

    /// The other TLS options.
    #[command(flatten)]
    pub client: TlsClientOptions,
}

/// The TLS options for a server.
#[derive(Debug, Args)]
pub struct TlsClientOptions {
    /// Also trust the CA certificates in the PEM files of a directory
    #[arg(long, value_name = "DIR", hide_short_help = true, help_heading = "TLS")]
    pub capath: Option<PathBuf>,

    /// Minimum TLS version: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]
    #[arg(long, value_name = "VERSION", hide_short_help = true, help_heading = "TLS")]
    pub tls_min: Option<TlsVersion>,

    /// Maximum TLS version
    #[arg(long, value_name = "VERSION", hide_short_help = true, help_heading = "TLS")]
    pub tls_max: Option<TlsVersion>,

    /// Offer these protocols in ALPN, preferred first; an empty list sends no ALPN [default: http/1.1]
    ///
    /// The opening handshake works only over http/1.1.
    #[arg(long, value_name = "LIST", hide_short_help = true, help_heading = "TLS")]
    pub alpn: Option<String>,

    /// Send NAME as SNI and verify the certificate against it, instead of the URL's host
    #[arg(long, value_name = "NAME", conflicts_with = "no_sni", help_heading = "TLS")]
    pub sni: Option<String>,

    /// Do not send SNI
    #[arg(long, hide_short_help = true, help_heading = "TLS")]
    pub no_sni: bool,

    /// Accept only a server whose public key has this SHA-256 hash; may be repeated
    ///
    /// The hash of the certificate's SubjectPublicKeyInfo, in hex or base64, as for curl's
    /// --pinnedpubkey. It is checked even with --insecure.
    #[arg(long, value_name = "HASH", action = ArgAction::Append, hide_short_help = true, help_heading = "TLS")]
    pub pinned_sha256: Vec<Pin>,

    /// Append the TLS session keys to FILE, so that Wireshark can decrypt the traffic (Linux)
    ///
    /// Without this option, wscope appends them to the file named by the variable SSLKEYLOGFILE, if set.
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "TLS")]
    pub tls_keylog: Option<PathBuf>,
}
