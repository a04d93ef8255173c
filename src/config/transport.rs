//! Makes a [`RouteOptions`] of the options for the route to a server, and of the environment.

use std::path::PathBuf;

use super::usage::UsageError;
use crate::cli::{IdentityOptions, RouteArguments, TransportOptions, UpstreamTlsOptions};
use crate::net::files::FileOnce;
use crate::net::overrides::Overrides;
use crate::net::proxy::Credentials;
use crate::net::proxy::choice::{ProxyOptions, VARIABLES};
use crate::net::resolve::AddressFamily;
use crate::net::route::RouteOptions;
use crate::net::secret::Secret;
use crate::net::source::LocalAddress;
use crate::net::tls::options::{
    ClientIdentity, Passphrase, ServerName, SystemTrust, TlsOptions, parse_alpn,
};

/// The variable of a key's passphrase, unless an option names another source.
const PASSPHRASE_VARIABLE: &str = "WSCOPE_PASSPHRASE";

/// The options that every client has.
#[derive(Clone, Debug, Default)]
pub struct Basics {
    /// `-4`, `-6` or neither.
    pub family: AddressFamily,
    /// `-k`.
    pub insecure: bool,
    /// `--cacert`.
    pub cacert: Option<PathBuf>,
}

/// The options of [`UpstreamTlsOptions`], by their ids.
pub const OF_UPSTREAM: [&str; 12] = [
    "insecure",
    "cacert",
    "client_cert",
    "client_key",
    "capath",
    "tls_min",
    "tls_max",
    "alpn",
    "sni",
    "no_sni",
    "pinned_sha256",
    "tls_keylog",
];

/// The route to the server, for a mode that also has clients.
pub fn upstream(
    route: RouteArguments,
    tls: UpstreamTlsOptions,
    family: AddressFamily,
) -> Result<RouteOptions, UsageError> {
    let identity = IdentityOptions {
        cert: tls.client_cert,
        key: tls.client_key,
        ..IdentityOptions::default()
    };
    let basics = Basics { family, insecure: tls.insecure, cacert: tls.cacert };
    transport(TransportOptions { route, identity, tls: tls.client }, basics)
}

/// Resolves all settings, with the environment of this process.
pub fn transport(options: TransportOptions, basics: Basics) -> Result<RouteOptions, UsageError> {
    transport_in(options, basics, &|name| std::env::var(name).ok())
}

fn transport_in(
    options: TransportOptions,
    basics: Basics,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<RouteOptions, UsageError> {
    let TransportOptions { route, identity, tls } = options;
    let environment = VARIABLES
        .iter()
        .filter_map(|name| variable(name).map(|value| (name.to_string(), value)))
        .collect();
    let key_log = tls
        .tls_keylog
        .or_else(|| variable("SSLKEYLOGFILE").filter(|path| !path.is_empty()).map(PathBuf::from));
    if let (Some(min), Some(max)) = (tls.tls_min, tls.tls_max)
        && min > max
    {
        return Err(UsageError("--tls-min is newer than --tls-max".to_owned()));
    }
    let passphrase = match (identity.pass_file, identity.pass_env) {
        (Some(path), _) => Passphrase::File(FileOnce::new(path)),
        (None, Some(name)) => match variable(&name) {
            Some(text) => Passphrase::Given(Secret::new(text)),
            None => {
                let text = format!("--pass-env: no environment variable {name}");
                return Err(UsageError(text));
            }
        },
        (None, None) => variable(PASSPHRASE_VARIABLE)
            .map_or(Passphrase::Unknown, |text| Passphrase::Given(Secret::new(text))),
    };
    let defaults = TlsOptions::default();
    let alpn = tls.alpn.as_deref().map(parse_alpn).transpose();
    let alpn = alpn.map_err(|error| UsageError(format!("--alpn: {error}")))?;
    Ok(RouteOptions {
        proxy: ProxyOptions {
            proxy: route.proxy,
            user: route.proxy_user.as_deref().map(Credentials::parse),
            noproxy: route.noproxy,
            environment,
        },
        overrides: Overrides { resolve: route.resolve, connect_to: route.connect_to },
        source: LocalAddress { interface: route.interface, ports: route.local_port },
        unix_socket: route.unix_socket,
        family: basics.family,
        tls: TlsOptions {
            insecure: basics.insecure,
            cacert: basics.cacert.map(FileOnce::new),
            capath: tls.capath,
            identity: identity.cert.map(|certificate| ClientIdentity {
                certificate: FileOnce::new(certificate),
                key: identity.key.map(FileOnce::new),
                passphrase,
            }),
            min: tls.tls_min,
            max: tls.tls_max,
            server_name: match (tls.sni, tls.no_sni) {
                (Some(name), _) => ServerName::Other(name),
                (None, true) => ServerName::Unsent,
                (None, false) => ServerName::Host,
            },
            alpn: alpn.unwrap_or(defaults.alpn),
            pins: tls.pinned_sha256,
            key_log,
            system_trust: SystemTrust {
                file: variable("SSL_CERT_FILE").map(PathBuf::from),
                folders: variable("SSL_CERT_DIR")
                    .map(|folders| std::env::split_paths(&folders).collect())
                    .unwrap_or_default(),
            },
        },
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: TransportOptions,
    }

    fn choices(
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<RouteOptions, UsageError> {
        let arguments = ["wscope"].iter().chain(arguments);
        let options = Program::try_parse_from(arguments).expect("options").options;
        let variable = |wanted: &str| {
            let found = environment.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_string())
        };
        transport_in(options, Basics::default(), &variable)
    }

    #[test]
    fn nothing_typed_leaves_the_defaults() {
        let transport = choices(&[], &[]).unwrap();
        assert!(transport.source.is_any() && transport.unix_socket.is_none());
        assert_eq!(transport.overrides, Overrides::default());
        assert_eq!(transport.proxy, ProxyOptions::default());
        assert_eq!(transport.tls.alpn, ["http/1.1"]);
        assert_eq!(transport.tls.identity, None);
    }

    #[test]
    fn only_the_variables_that_count_are_read() {
        let environment = [("http_proxy", "p"), ("HTTP_PROXY", "evil"), ("HOME", "/")];
        let transport = choices(&[], &environment).unwrap();
        let names: Vec<_> = transport.proxy.environment.keys().collect();
        assert_eq!(names, ["http_proxy"]);
    }

    #[test]
    fn the_key_log_is_the_options_or_the_environments() {
        let environment = [("SSLKEYLOGFILE", "env")];
        let key_log = |arguments: &[&str], environment: &[(&str, &str)]| {
            choices(arguments, environment).unwrap().tls.key_log
        };
        assert_eq!(key_log(&["--tls-keylog", "opt"], &environment), Some("opt".into()));
        assert_eq!(key_log(&[], &environment), Some("env".into()));
        assert_eq!(key_log(&[], &[("SSLKEYLOGFILE", "")]), None);
    }

    #[test]
    fn the_passphrase_has_a_place_but_not_the_command_line() {
        let environment = [("WSCOPE_PASSPHRASE", "a"), ("OTHER", "b")];
        let passphrase = |arguments: &[&str]| {
            let arguments = [&["--cert", "c"], arguments].concat();
            choices(&arguments, &environment).unwrap().tls.identity.unwrap().passphrase
        };
        let given = |text: &str| Passphrase::Given(Secret::new(text));
        assert_eq!(passphrase(&[]), given("a"));
        assert_eq!(passphrase(&["--pass-env", "OTHER"]), given("b"));
        assert_eq!(passphrase(&["--pass-file", "f"]), Passphrase::File(FileOnce::new("f".into())));
        let unset = choices(&["--cert", "c", "--pass-env", "NONE"], &environment);
        assert!(unset.unwrap_err().to_string().contains("NONE"));
        let none = choices(&["--cert", "c"], &[]).unwrap().tls.identity.unwrap().passphrase;
        assert_eq!(none, Passphrase::Unknown);
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for wrong in [
            &["--resolve", "x"][..],
            &["--connect-to", "x"],
            &["--interface", "a/b"],
            &["--local-port", "0"],
            &["--tls-min", "1.4"],
            &["--pinned-sha256", "x"],
            &["--key", "k"],
            &["--sni", "a", "--no-sni"],
            &["--unix-socket", "a", "--proxy", "b"],
        ] {
            let arguments = ["wscope"].iter().chain(wrong);
            assert!(Program::try_parse_from(arguments).is_err(), "{wrong:?}");
        }
        assert!(choices(&["--alpn", "a,,b"], &[]).is_err());
        assert!(choices(&["--tls-min", "1.3", "--tls-max", "1.2"], &[]).is_err());
    }

    #[test]
    fn an_empty_list_offers_no_protocol() {
        assert_eq!(choices(&["--alpn", ""], &[]).unwrap().tls.alpn, [""; 0]);
    }

    #[test]
    fn no_secret_is_in_the_debug_output() {
        let environment = [("http_proxy", "http://u:secret@p"), ("WSCOPE_PASSPHRASE", "secret")];
        let arguments = ["--cert", "c", "--proxy-user", "u:secret", "--proxy", "u:secret@h"];
        let transport = choices(&arguments, &environment).unwrap();
        assert!(!format!("{transport:?}").contains("secret"));
    }
}
