//! The environment variables that make programs use a proxy and trust a certificate authority.

use std::ffi::OsString;
use std::path::Path;

/// They would keep connections from the proxy.
pub const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Read by those who add to what they trust: the authority alone.
const ADDING: [&str; 2] = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"];

/// Read by those who then trust nothing else: the authority with what the system trusts.
const REPLACING: [&str; 8] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "WEBSOCKET_CLIENT_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "CARGO_HTTP_CAINFO",
    "AWS_CA_BUNDLE",
    "PERL_LWP_SSL_CA_FILE",
];

/// Of the proxy, in both spellings.
const PROXY: [&str; 8] = [
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "ws_proxy",
    "wss_proxy",
    "all_proxy",
    "ALL_PROXY",
];

/// Variables and their values.
pub type CaVariables = Vec<(&'static str, OsString)>;

/// By which programs trust an authority; `bundle` has it with what the system trusts.
pub fn trust_variables(authority: &Path, bundle: &Path) -> CaVariables {
    let all = |names: &'static [&'static str], path: &Path| {
        let value = path.as_os_str().to_owned();
        names.iter().map(move |name| (*name, value.clone()))
    };
    all(&ADDING, authority).chain(all(&REPLACING, bundle)).collect()
}

/// By which programs use a proxy.
pub fn proxy_variables(url: &str) -> CaVariables {
    let proxy = PROXY.iter().map(|name| (*name, OsString::from(url)));
    // From Node.js 24 on it reads the variables if it is asked to.
    proxy.chain([("NODE_USE_ENV_PROXY", "1".into())]).collect()
}
