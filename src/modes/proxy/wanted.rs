//! What a client of a forward proxy requests.

use crate::config::ForwardConfig;
use crate::net::proxy::Destination;
use crate::net::target::Target;
use crate::wire::handshake::server::Refusal;
use crate::wire::head::{Forwarding, Head, absolute_form};

/// A request to the proxy.
pub enum Wanted {
    /// A tunnel to a server (CONNECT).
    Tunnel(Target),
    /// A request to forward.
    Request(Target, Forwarding),
    /// An invalid request, with the answer.
    Nothing(Refusal),
}

/// The answer to a client that uses the proxy like a server.
const NO_PAGES: &str = "This is a proxy (wscope), not a web server: a request must contain the whole \
    URL (GET http://HOST/ HTTP/1.1), or be a CONNECT.\n\nUse it as a proxy:\n\n    \
    curl --proxy http://HERE http://HOST/\n    curl --proxy socks5h://HERE http://HOST/\n    \
    wscope ws://HOST/ --proxy http://HERE\n\nTo put wscope in front of one server: wscope proxy PORT --to URL";

impl Wanted {
    /// Reads a request.
    pub fn of(head: &Head, config: &ForwardConfig) -> Self {
        let refuse = |status, text: String| Self::Nothing(Refusal::new(status, &[], text));
        if let Some(asked) = &config.authorization
            && !head.get("Proxy-Authorization").is_some_and(|given| asked.is_met_by(given))
        {
            let text = match head.get("Proxy-Authorization") {
                None => "this proxy requires a user and a password",
                Some(_) => "the user or the password is wrong",
            };
            let challenge = [("Proxy-Authenticate", asked.challenge())];
            return Self::Nothing(Refusal::new(407, &challenge, text));
        }
        let Some(line) = head.request_line() else {
            return refuse(400, "the first line of the request can't be read".to_owned());
        };
        if line.method == b"CONNECT" {
            let text = String::from_utf8_lossy(line.target);
            let port = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
            let target = port.and_then(|(host, port)| {
                let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
                server(bare.unwrap_or(host), port.parse().ok()?)
            });
            // The client's text may contain a password, so the answer does not quote it; the head
            // shows it to those who may see it.
            let unnamed = || refuse(400, "CONNECT needs HOST:PORT".to_owned());
            return target.map_or_else(unnamed, Self::Tunnel);
        }
        let Some(absolute) = absolute_form(line.target) else {
            return refuse(400, NO_PAGES.replace("HERE", &here(head)));
        };
        let (scheme, authority) = (absolute.scheme, absolute.place());
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let url = text(scheme).zip(text(authority)).filter(|(scheme, authority)| {
            let known = ["http", "https", "ws", "wss"];
            known.iter().any(|one| one.eq_ignore_ascii_case(scheme)) && !authority.is_empty()
        });
        let target = url.and_then(|(scheme, authority)| {
            let secure = scheme.to_ascii_lowercase().ends_with('s') && scheme.len() != 2;
            let scheme = if secure { "wss" } else { "ws" };
            target(&format!("{scheme}://{authority}/"))
        });
        let Some(target) = target else {
            let text = "the request's URL has no usable http, https, ws or wss server and port";
            return refuse(400, text.to_owned());
        };
        // "the proxy MUST ignore the received Host header field (if any) and instead replace it with the
        // host information of the request-target" (RFC 9112 §3.2.2).
        let same = |value: &[u8]| {
            value.eq_ignore_ascii_case(authority)
                || value.eq_ignore_ascii_case(target.host_header.as_bytes())
        };
        let differs = head.get("Host").is_none() || !head.get_all("Host").all(same);
        let host = (differs && !config.keep_host).then(|| target.host_header.clone());
        Self::Request(target, Forwarding { base: String::new(), host, is_proxy: true })
    }
}

/// A server by its host (without brackets) and port.
pub fn server(host: &str, port: u16) -> Option<Target> {
    let is_plain = |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "-._:%".contains(c);
    let usable = !host.is_empty() && host.chars().all(is_plain) && port != 0;
    target(&format!("ws://{}/", Destination::new(host, port))).filter(|_| usable)
}

/// A target that a client named. Notes on how a URL was typed are not for it.
fn target(url: &str) -> Option<Target> {
    Some(Target { notes: Vec::new(), ..Target::parse(url).ok()? })
}

/// The client's name for this proxy, if it can be shown.
fn here(head: &Head) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".:-[]".contains(byte);
    let host = head.get("Host").filter(|host| !host.is_empty() && host.iter().all(is_plain));
    host.map_or("127.0.0.1:PORT".into(), String::from_utf8_lossy).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Such a note is for the one who typed the URL: `CONNECT host:443` is ordinary.
    #[test]
    fn a_target_that_a_client_named_has_no_notes() {
        assert!(server("localhost", 443).expect("a server").notes.is_empty());
    }
}
