//! Options about the way to a server: proxies, other addresses, the near end, TLS. Their names are
//! curl's where curl has them.

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

    /// Who we are in TLS.
    #[command(flatten)]
    pub identity: IdentityOptions,

    /// TLS.
    #[command(flatten)]
    pub tls: TlsClientOptions,
}

/// Proxies, addresses, the near end, whom to trust.
#[derive(Debug, Args)]
pub struct RouteArguments {
    /// Connect through a proxy: [http|https|socks5|socks5h|socks4a://]HOST[:PORT]
    ///
    /// Without a scheme it speaks HTTP, without a port it is at 1080 (https: 443). socks5h lets
    /// the proxy look the server's name up, socks5 looks it up here. An empty URL uses no proxy.
    /// Without this option the environment decides, as for curl: ws_proxy or http_proxy for
    /// ws://, wss_proxy or https_proxy for wss://, then all_proxy; HTTP_PROXY is the only one that
    /// does not count in capitals.
    #[arg(long, value_name = "URL", help_heading = "Connection")]
    pub proxy: Option<String>,

    /// The user and password for the proxy
    #[arg(long, value_name = "USER:PASSWORD", hide_short_help = true, help_heading = "Connection")]
    pub proxy_user: Option<String>,

    /// Hosts that are reached without a proxy, instead of those in no_proxy
    ///
    /// Names, which mean all below them too, addresses, blocks like 10.0.0.0/8, each with or
    /// without a port, comma-separated; `*` means all.
    #[arg(long, value_name = "LIST", hide_short_help = true, help_heading = "Connection")]
    pub noproxy: Option<String>,

    /// Connect to these addresses instead of looking the name up; may be repeated
    #[arg(long, value_name = "HOST:PORT:ADDR[,ADDR]", action = ArgAction::Append, hide_short_help = true, help_heading = "Connection")]
    pub resolve: Vec<Resolve>,

    /// Connect to another host and port, but ask for the URL's; may be repeated
    ///
    /// An empty HOST1 or PORT1 fits all, an empty HOST2 or PORT2 is the URL's.
    #[arg(long, value_name = "HOST1:PORT1:HOST2:PORT2", action = ArgAction::Append, hide_short_help = true, help_heading = "Connection")]
    pub connect_to: Vec<ConnectTo>,

    /// Leave from an address of this machine, or from a network interface
    #[arg(long, value_name = "ADDR|NAME", hide_short_help = true, help_heading = "Connection")]
    pub interface: Option<Interface>,

    /// Leave from this port, or the first free one of a range
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

    /// Trust the certificates in all PEM files of a folder too
    #[arg(long, value_name = "DIR", hide_short_help = true, help_heading = "TLS")]
    pub capath: Option<PathBuf>,
}

/// The certificate that is shown to a server.
#[derive(Debug, Default, Args)]
pub struct IdentityOptions {
    /// Show this certificate to a server that asks for one: PEM, or PKCS#12 with its key
    ///
    /// The passphrase of a key is taken from WSCOPE_PASSPHRASE, --pass-env or --pass-file, or
    /// asked for on the terminal.
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// The key of the certificate, in PEM, if it is not in the same file
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    pub key: Option<PathBuf>,

    /// Take the key's passphrase from an environment variable [default: WSCOPE_PASSPHRASE]
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

/// How TLS is spoken with a server.
#[derive(Debug, Args)]
pub struct TlsClientOptions {
    /// The oldest TLS version to speak: 1.0, 1.1, 1.2 or 1.3 [default: 1.2]
    #[arg(long, value_name = "VERSION", hide_short_help = true, help_heading = "TLS")]
    pub tls_min: Option<TlsVersion>,

    /// The newest TLS version to speak
    #[arg(long, value_name = "VERSION", hide_short_help = true, help_heading = "TLS")]
    pub tls_max: Option<TlsVersion>,

    /// Offer these protocols by ALPN, best first; an empty list offers none
    ///
    /// The opening handshake works over http/1.1 alone, which is what is offered by default.
    #[arg(long, value_name = "LIST", hide_short_help = true, help_heading = "TLS")]
    pub alpn: Option<String>,

    /// Send NAME as SNI and verify the certificate against it, instead of the URL's host
    #[arg(long, value_name = "NAME", conflicts_with = "no_sni", help_heading = "TLS")]
    pub sni: Option<String>,

    /// Send no server name in TLS
    #[arg(long, hide_short_help = true, help_heading = "TLS")]
    pub no_sni: bool,

    /// Accept only a server whose public key has this SHA-256 hash; may be repeated
    ///
    /// In hex or base64, over the certificate's SubjectPublicKeyInfo, as curl's --pinnedpubkey
    /// takes it. It holds even with --insecure.
    #[arg(long, value_name = "HASH", action = ArgAction::Append, hide_short_help = true, help_heading = "TLS")]
    pub pinned_sha256: Vec<Pin>,

    /// Append the secrets of TLS to FILE, so that Wireshark can read along (Linux)
    ///
    /// Without this option, to the file that the environment variable SSLKEYLOGFILE names.
    #[arg(long, value_name = "FILE", hide_short_help = true, help_heading = "TLS")]
    pub tls_keylog: Option<PathBuf>,
}
