//! The options of curl that a copied request may have: their names, and their meaning for a
//! WebSocket handshake.

/// The meaning of an option of curl in wscope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// `--url`: the URL.
    Url,
    /// `-H`.
    Header,
    /// `-b`: a Cookie header, or a file of cookies.
    Cookie,
    /// `-u`.
    User,
    /// Its value is the value of a header with this name.
    HeaderOf(&'static str),
    /// `-X`.
    Method,
    /// `--oauth2-bearer`.
    Bearer,
    /// `-E FILE[:PASSPHRASE]`.
    Certificate,
    /// A proxy; this is the scheme if its value has none.
    Proxy(&'static str),
    /// wscope's option of this name, with the same value.
    Same(&'static str),
    /// wscope's option of this name, without a value.
    SameFlag(&'static str),
    /// Content or another method: refused, whatever the value.
    Content,
    /// A flag that asks for something other than a handshake, with the reason why that is
    /// impossible.
    Refused(&'static str),
    /// Dropped with a note that gives the reason. It has a value.
    Dropped(&'static str),
    /// A flag that is dropped with a note that gives the reason.
    DroppedFlag(&'static str),
    /// An option with a value about curl's output: dropped without a note.
    Output,
    /// A flag about curl's output: dropped without a note.
    OutputFlag,
}

impl Means {
    /// Whether the next word is its value.
    pub(super) fn takes_value(self) -> bool {
        !matches!(
            self,
            Self::SameFlag(_) | Self::Refused(_) | Self::DroppedFlag(_) | Self::OutputFlag
        )
    }
}

/// An option of curl.
pub(super) struct CurlOption {
    /// The short name, if it has one.
    pub short: Option<char>,
    /// The long name, without dashes.
    pub long: &'static str,
    /// Its meaning in wscope.
    pub means: Means,
}

/// Finds `-x`.
pub(super) fn short(name: char) -> Option<&'static CurlOption> {
    OPTIONS.iter().find(|option| option.short == Some(name))
}

/// Finds `--name`.
pub(super) fn long(name: &str) -> Option<&'static CurlOption> {
    OPTIONS.iter().find(|option| option.long == name)
}

/// Long names, for suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|option| option.long)
}

const fn with(short: char, long: &'static str, means: Means) -> CurlOption {
    CurlOption { short: Some(short), long, means }
}

const fn only(long: &'static str, means: Means) -> CurlOption {
    CurlOption { short: None, long, means }
}

const ITS_OWN: &str = "a handshake is HTTP/1.1 (RFC 6455 §4.1)";
/// Why a passphrase is not used.
pub(super) const PASSPHRASE: &str =
    "wscope reads a passphrase from the terminal, a file or a variable, never from a command line";
const CIPHERS: &str = "the system's TLS library decides";

/// The table.
const OPTIONS: &[CurlOption] = &[
    only("url", Means::Url),
    with('H', "header", Means::Header),
    with('b', "cookie", Means::Cookie),
    with('u', "user", Means::User),
    with('A', "user-agent", Means::HeaderOf("User-Agent")),
    with('e', "referer", Means::HeaderOf("Referer")),
    with('X', "request", Means::Method),
    only("oauth2-bearer", Means::Bearer),
    with('x', "proxy", Means::Proxy("http://")),
    only("socks5", Means::Proxy("socks5://")),
    only("socks5-hostname", Means::Proxy("socks5h://")),
    only("preproxy", Means::Refused("wscope supports one proxy, not a chain")),
    with('U', "proxy-user", Means::Same("proxy-user")),
    only("noproxy", Means::Same("noproxy")),
    only("cacert", Means::Same("cacert")),
    only("capath", Means::Same("capath")),
    with('E', "cert", Means::Certificate),
    only("pass", Means::Dropped(PASSPHRASE)),
    only("proxy-pass", Means::Dropped(PASSPHRASE)),
    only("key", Means::Same("key")),
    only("tls-max", Means::Same("tls-max")),
    only("resolve", Means::Same("resolve")),
    only("connect-to", Means::Same("connect-to")),
    only("interface", Means::Same("interface")),
    only("unix-socket", Means::Same("unix-socket")),
    with('m', "max-time", Means::Same("max-time")),
    only("connect-timeout", Means::Same("connect-timeout")),
    only("netrc-file", Means::Same("netrc-file")),
    with('c', "cookie-jar", Means::Same("cookie-jar")),
    only("retry", Means::Same("retry")),
    only("retry-delay", Means::Same("retry-delay")),
    with('k', "insecure", Means::SameFlag("insecure")),
    with('L', "location", Means::SameFlag("location")),
    only("location-trusted", Means::SameFlag("location-trusted")),
    with('n', "netrc", Means::SameFlag("netrc")),
    with('4', "ipv4", Means::SameFlag("ipv4")),
    with('6', "ipv6", Means::SameFlag("ipv6")),
    only("path-as-is", Means::SameFlag("path-as-is")),
    with('d', "data", Means::Content),
    only("data-raw", Means::Content),
    only("data-ascii", Means::Content),
    only("data-binary", Means::Content),
    only("data-urlencode", Means::Content),
    only("json", Means::Content),
    with('F', "form", Means::Content),
    only("form-string", Means::Content),
    with('T', "upload-file", Means::Content),
    with('I', "head", Means::Refused("a handshake is a GET (RFC 6455 §4.1)")),
    with('K', "config", Means::Dropped("wscope does not read curl's configuration files")),
    only("http1.1", Means::OutputFlag),
    with('0', "http1.0", Means::DroppedFlag(ITS_OWN)),
    only("http2", Means::DroppedFlag(ITS_OWN)),
    only("http2-prior-knowledge", Means::DroppedFlag(ITS_OWN)),
    only("http3", Means::DroppedFlag(ITS_OWN)),
    only("ciphers", Means::Dropped(CIPHERS)),
    only("tls13-ciphers", Means::Dropped(CIPHERS)),
    only("curves", Means::Dropped(CIPHERS)),
    only("anyauth", Means::DroppedFlag("only Basic and Bearer authorization are sent")),
    only("digest", Means::DroppedFlag("only Basic and Bearer authorization are sent")),
    only("ntlm", Means::DroppedFlag("only Basic and Bearer authorization are sent")),
    only("negotiate", Means::DroppedFlag("only Basic and Bearer authorization are sent")),
    only("basic", Means::OutputFlag),
    only("compressed", Means::DroppedFlag("a 101 response has no content to compress")),
    with('G', "get", Means::OutputFlag),
    with('s', "silent", Means::OutputFlag),
    with('S', "show-error", Means::OutputFlag),
    with('i', "include", Means::OutputFlag),
    only("show-headers", Means::OutputFlag),
    with('v', "verbose", Means::OutputFlag),
    with('N', "no-buffer", Means::OutputFlag),
    with('f', "fail", Means::OutputFlag),
    with('g', "globoff", Means::OutputFlag),
    with('O', "remote-name", Means::OutputFlag),
    with('J', "remote-header-name", Means::OutputFlag),
    with('#', "progress-bar", Means::OutputFlag),
    with('q', "disable", Means::OutputFlag),
    with('o', "output", Means::Output),
    with('D', "dump-header", Means::Output),
    with('w', "write-out", Means::Output),
    only("trace", Means::Output),
    only("trace-ascii", Means::Output),
    only("stderr", Means::Output),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_stands_for_two_options() {
        for (at, option) in OPTIONS.iter().enumerate() {
            for other in &OPTIONS[..at] {
                assert_ne!(option.long, other.long);
                assert!(option.short.is_none() || option.short != other.short, "{}", option.long);
            }
        }
    }
}
