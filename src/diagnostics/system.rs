//! Errors of the operating system. They are recognised by their names in `errno.h` and by the texts
//! that programs in any language print.

/// An error of the operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemError {
    /// The name, as in `ECONNRESET`.
    pub name: &'static str,
    /// The texts of systems and resolvers, in lower case; the first one is that of this system.
    pub words: &'static [&'static str],
    /// What it means on a connection: one sentence.
    pub meaning: &'static str,
    /// The code of the entry that explains more.
    pub code: Option<&'static str>,
}

const fn error(
    name: &'static str,
    words: &'static [&'static str],
    meaning: &'static str,
    code: Option<&'static str>,
) -> SystemError {
    SystemError { name, words, meaning, code }
}

/// The errors that connections can have.
#[rustfmt::skip]
pub const SYSTEM_ERRORS: &[SystemError] = &[
    error("ECONNRESET", &["connection reset by peer", "forcibly closed by the remote host"], "the peer, or a device on the path, ended the TCP connection with a reset.", Some("W802")),
    error("ECONNREFUSED", &["connection refused", "actively refused"], "the host answers, but nothing listens on that port.", Some("W103")),
    error("ECONNABORTED", &["software caused connection abort", "connection aborted"], "this system aborted the TCP connection.", Some("W802")),
    error("EPIPE", &["broken pipe"], "this side wrote to a connection that the peer had closed.", Some("W801")),
    error("ETIMEDOUT", &["connection timed out", "operation timed out"], "the peer did not answer in time, and the system gave up the connection.", Some("W105")),
    error("EHOSTUNREACH", &["no route to host", "host is unreachable"], "no path leads to the host, or a firewall rejects the packets.", Some("W106")),
    error("ENETUNREACH", &["network is unreachable", "network unreachable"], "this machine has no route to the network of that address.", Some("W106")),
    error("ENETDOWN", &["network is down"], "the network interface of this machine is down.", Some("W106")),
    error("ENOTFOUND", &["could not resolve host", "no such host"], "the name does not exist in DNS (Node.js).", Some("W101")),
    error("EAI_NONAME", &["name or service not known", "nodename nor servname provided"], "the name does not exist in DNS.", Some("W101")),
    error("EAI_AGAIN", &["temporary failure in name resolution"], "the name server did not answer.", Some("W102")),
    error("EADDRINUSE", &["address already in use", "only one usage of each socket address"], "another program listens on that address and port; choose another port, or find the program with `ss -ltnp`.", None),
    error("EADDRNOTAVAIL", &["cannot assign requested address", "can't assign requested address"], "the address is not one of this machine, or all local ports are in use.", None),
    error("EACCES", &["permission denied"], "the system does not allow it: ports below 1024 need a privilege, files and Unix sockets need permissions.", None),
    error("EPERM", &["operation not permitted"], "the system does not allow it; a local firewall may reject the packets.", None),
    error("EMFILE", &["too many open files"], "the process has reached its limit of open files and connections; `ulimit -n` shows and raises the limit.", None),
    error("ENOENT", &["no such file or directory"], "no file or Unix socket has that name.", None),
    error("ENOBUFS", &["no buffer space available"], "the system has no memory left for the data of connections.", None),
    error("ENOTCONN", &["transport endpoint is not connected", "socket is not connected"], "the connection ended before it was used.", Some("W801")),
    error("EPROTO", &["wrong version number", "packet length too long"], "the port does not speak TLS, or another version of it.", Some("W201")),
    error("CERT_HAS_EXPIRED", &["certificate has expired"], "the certificate has expired.", Some("W206")),
    error("ERR_TLS_CERT_ALTNAME_INVALID", &["hostname mismatch", "does not match certificate's altnames"], "the certificate is for other names.", Some("W207")),
    error("DEPTH_ZERO_SELF_SIGNED_CERT", &["self-signed certificate", "self signed certificate"], "the server's certificate is self-signed.", Some("W208")),
    error("UNABLE_TO_VERIFY_LEAF_SIGNATURE", &["unable to get local issuer certificate", "unable to verify the first certificate"], "the issuer of the certificate is not trusted, or the server does not send the intermediate certificate.", Some("W208")),
];

/// The error whose name or words are in a text. Any text may be around them, as in `connect
/// ECONNREFUSED 127.0.0.1:80` and `Connection reset by peer (os error 104)`.
pub fn find(text: &str) -> Option<&'static SystemError> {
    let lower = text.to_lowercase();
    let is_word = |name: &str| {
        let word = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
        lower.split(word).any(|word| word.eq_ignore_ascii_case(name))
    };
    let named = SYSTEM_ERRORS.iter().find(|error| is_word(error.name));
    named.or_else(|| {
        SYSTEM_ERRORS.iter().find(|error| error.words.iter().any(|words| lower.contains(words)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_words_are_found_inside_of_messages() {
        for (text, name) in [
            ("ECONNRESET", "ECONNRESET"),
            ("econnreset", "ECONNRESET"),
            ("Error: read ECONNRESET", "ECONNRESET"),
            ("connect ECONNREFUSED 127.0.0.1:80", "ECONNREFUSED"),
            ("Connection reset by peer (os error 104)", "ECONNRESET"),
            ("[Errno 98] Address already in use", "EADDRINUSE"),
            ("dial tcp: lookup x: no such host", "ENOTFOUND"),
        ] {
            assert_eq!(find(text).map(|error| error.name), Some(name), "{text}");
        }
        assert_eq!(find("EPIPES"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn every_entry_it_names_exists() {
        for code in SYSTEM_ERRORS.iter().filter_map(|error| error.code) {
            assert!(crate::diagnostics::entry(code).is_some(), "{code}");
        }
    }
}
