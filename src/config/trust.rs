//! The environment variables that make programs use a proxy and trust a certificate authority.

use std::ffi::OsString;
use std::path::Path;

/// Variables that would make connections bypass the proxy.
pub const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// Variables that add certificates to the trusted ones: their value is the authority alone.
const ADDING: [&str; 2] = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"];

/// Variables that replace the trusted certificates: their value is the authority together with the
/// system's certificates.
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

/// The variables of the proxy, in both spellings.
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

/// Variables with their values.
pub type CaVariables = Vec<(&'static str, OsString)>;

/// The variables that make programs trust an authority. `bundle` also has the system's
/// certificates.
pub fn trust_variables(authority: &Path, bundle: &Path) -> CaVariables {
    let all = |names: &'static [&'static str], path: &Path| {
        let value = path.as_os_str().to_owned();
        names.iter().map(move |name| (*name, value.clone()))
    };
    all(&ADDING, authority).chain(all(&REPLACING, bundle)).collect()
}

/// The variables that make programs use a proxy.
pub fn proxy_variables(url: &str) -> CaVariables {
    let proxy = PROXY.iter().map(|name| (*name, OsString::from(url)));
    // From version 24 on, Node.js reads the variables if this one is set.
    proxy.chain([("NODE_USE_ENV_PROXY", "1".into())]).collect()
}
