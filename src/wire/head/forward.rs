//! A request's head as a proxy forwards it: a few parts change, all other bytes stay the same.

use std::borrow::Cow;
use std::ops::Range;

use super::Head;

/// The changes to the head of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forwarding {
    /// The path before the path of the request. For a request for `/`, it is the whole path,
    /// unchanged.
    pub base: String,
    /// The new value of Host; `None` keeps it.
    pub host: Option<String>,
    /// Whether to remove the fields that a client sends only to a proxy.
    pub is_proxy: bool,
}

/// The fields that a client sends only to a proxy: credentials (RFC 9110 §11.7.2), and an obsolete
/// form of Connection.
const OF_PROXY: [&str; 2] = ["Proxy-Authorization", "Proxy-Connection"];

impl Forwarding {
    /// The base followed by the target.
    fn path_of(&self, target: &[u8]) -> Vec<u8> {
        let query = match target {
            [b'/'] => Some(&b""[..]),
            [b'/', query @ ..] if query.starts_with(b"?") => Some(query),
            _ => None,
        };
        match query.filter(|_| !self.base.is_empty()) {
            // A user who names `ws://host/ws` means `/ws`, not `/ws/`.
            Some(query) => [self.base.as_bytes(), query].concat(),
            None => [self.base.trim_end_matches('/').as_bytes(), target].concat(),
        }
    }

    /// The head to forward; `None` if nothing changes. `last` adds "close" to Connection, so that
    /// the connection ends after the response (RFC 9112 §9.6).
    pub fn apply(&self, head: &Head, last: bool) -> Option<Head> {
        let raw = head.raw();
        let mut edits: Vec<(Range<usize>, Vec<u8>)> = Vec::new();
        if let (Some(line), Some(at)) = (head.request_line(), head.target_at()) {
            let target = origin_form(line.target);
            if target.starts_with(b"/") {
                edits.push((at, self.path_of(&target)));
            }
        }
        // Empty lines may come before the first one (RFC 9112 §2.2).
        let blank = raw.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        let first = head.target_at().map_or(blank, |at| at.end);
        let rest = raw.get(first..).unwrap_or_default();
        let ends = rest.iter().position(|byte| *byte == b'\n').map_or(raw.len(), |at| first + at);
        let line_end = ends - usize::from(raw[..ends].ends_with(b"\r"));
        let named = |name: &str| {
            head.headers().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
        };
        let is_dropped = |name: &[u8]| {
            let is_it = |dropped: &str| name.eq_ignore_ascii_case(dropped.as_bytes());
            self.is_proxy && OF_PROXY.iter().any(|dropped| is_it(dropped))
        };
        for field in head.headers().filter(|field| is_dropped(field.name)) {
            let rest = raw.get(field.line.end..).unwrap_or_default();
            let end = [&b"\r\n"[..], b"\n"].into_iter().find(|end| rest.starts_with(end));
            let next = field.line.end + end.map_or(0, <[u8]>::len);
            edits.push((field.line.start..next, Vec::new()));
        }
        if let Some(host) = &self.host {
            // A request with two Host headers keeps both, with the same value, so it does not
            // matter which one the server reads.
            let values = head.headers().filter(|field| field.name.eq_ignore_ascii_case(b"Host"));
            edits.extend(values.map(|field| (field.value_at, host.as_bytes().to_vec())));
            // "a proxy MUST [...] replace it with the host information of the request-target" (RFC
            // 9112 §3.2.2). With `--to`, a missing Host stays missing, so that the server can
            // report it.
            if self.is_proxy && named("Host").is_none() {
                edits.push((line_end..line_end, format!("\r\nHost: {host}").into_bytes()));
            }
        }
        if last && !head.has_token("Connection", "close") {
            edits.push(match named("Connection") {
                Some(field) => (field.value_at, closing(field.value)),
                None => {
                    let kept = head.headers().filter(|field| !is_dropped(field.name));
                    let at = kept.last().map_or(line_end, |field| field.line.end);
                    (at..at, b"\r\nConnection: close".to_vec())
                }
            });
        }
        edits.retain(|(at, bytes)| raw.get(at.clone()) != Some(bytes));
        if edits.is_empty() {
            return None;
        }
        edits.sort_by_key(|(at, _)| at.start);
        let (mut bytes, mut from) = (Vec::with_capacity(raw.len() + 64), 0);
        for (at, new) in edits {
            // If two changes have the same position, which is possible only in a head without a
            // request line, the first one counts.
            let Some(kept) = raw.get(from..at.start) else { continue };
            bytes.extend_from_slice(kept);
            bytes.extend_from_slice(&new);
            from = at.end;
        }
        bytes.extend_from_slice(&raw[from..]);
        Some(Head::parse(head.kind(), &bytes))
    }
}

/// The list of Connection with `close` and without `keep-alive`.
fn closing(value: &[u8]) -> Vec<u8> {
    let options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let stays = |option: &&[u8]| !option.is_empty() && !option.eq_ignore_ascii_case(b"keep-alive");
    let options: Vec<&[u8]> = options.filter(stays).chain([&b"close"[..]]).collect();
    options.join(&b", "[..])
}

/// The path and query of a target in absolute form (RFC 9112 §3.2.2), because servers expect the
/// origin form. Any other target is returned unchanged.
fn origin_form(target: &[u8]) -> Cow<'_, [u8]> {
    let Some(AbsoluteForm { resource, .. }) = absolute_form(target) else { return target.into() };
    // A fragment is not sent to a server (RFC 9110 §7.1).
    match resource.split(|byte| *byte == b'#').next().unwrap_or(resource) {
        resource @ [b'/', ..] => resource.into(),
        resource => [b"/", resource].concat().into(),
    }
}

/// The parts of a target in absolute form (RFC 9112 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AbsoluteForm<'a> {
    /// The text before `://`.
    pub scheme: &'a [u8],
    /// The host and port, after the user and password, if they are sent.
    pub authority: &'a [u8],
    /// The rest, which may be empty: path, query and fragment.
    pub resource: &'a [u8],
}

/// Splits a target in absolute form; `None` for every other form.
pub fn absolute_form(target: &[u8]) -> Option<AbsoluteForm<'_>> {
    let at = target.windows(3).position(|part| part == b"://")?;
    let (scheme, rest) = (&target[..at], &target[at + 3..]);
    let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
    let is_scheme = at > 0 && scheme.iter().all(u8::is_ascii_alphabetic);
    is_scheme.then(|| AbsoluteForm { scheme, authority: &rest[..end], resource: &rest[end..] })
}

impl<'a> AbsoluteForm<'a> {
    /// The host and port without the user and password.
    pub fn place(&self) -> &'a [u8] {
        self.authority.rsplit(|byte| *byte == b'@').next().unwrap_or(self.authority)
    }
}

impl Head {
    /// The head with another value in all fields of this name; `None` if it has no such field.
    pub fn veiled(&self, name: &str, value: &str) -> Option<Self> {
        let raw = self.raw();
        let (mut bytes, mut from) = (Vec::new(), 0);
        for field in self.headers().filter(|f| f.name.eq_ignore_ascii_case(name.as_bytes())) {
            bytes.extend_from_slice(&raw[from..field.value_at.start]);
            bytes.extend_from_slice(value.as_bytes());
            from = field.value_at.end;
        }
        (from > 0).then(|| {
            bytes.extend_from_slice(&raw[from..]);
            self.rewritten(&bytes)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    fn passed_on(raw: &str, base: &str, host: Option<&str>, last: bool) -> Option<String> {
        let head = Head::parse(HeadKind::Request, raw.as_bytes());
        let host = host.map(String::from);
        let forwarding = Forwarding { base: base.into(), host, is_proxy: false };
        let head = forwarding.apply(&head, last)?;
        Some(String::from_utf8(head.raw().to_vec()).expect("text"))
    }

    #[test]
    fn only_what_must_change_changes() {
        let raw = "GET /a?b HTTP/1.1\r\nX:  1 \r\nhOST:\t here:1\r\nOrigin: http://here:1\r\n\r\n";
        let expected =
            "GET /a?b HTTP/1.1\r\nX:  1 \r\nhOST:\t there\r\nOrigin: http://here:1\r\n\r\n";
        assert_eq!(passed_on(raw, "", Some("there"), false).as_deref(), Some(expected));
        assert_eq!(passed_on(raw, "", Some("here:1"), false), None);
        assert_eq!(passed_on(raw, "", None, false), None);
    }

    #[test]
    fn a_base_stands_before_the_path() {
        let under = |base: &str, target: &str| {
            let head = passed_on(&format!("GET {target} HTTP/1.1\r\n\r\n"), base, None, false);
            head.map(|head| head.split(' ').nth(1).unwrap_or_default().to_owned())
        };
        let to = |target: &str| under("/base", target);
        assert_eq!(to("/").as_deref(), Some("/base"));
        assert_eq!(to("/?q").as_deref(), Some("/base?q"));
        assert_eq!(under("/base/", "/").as_deref(), Some("/base/"));
        assert_eq!(under("/base/", "/x").as_deref(), Some("/base/x"));
        assert_eq!(under("/", "/x"), None);
        assert_eq!(to("/x?u=http://y").as_deref(), Some("/base/x?u=http://y"));
        assert_eq!(to("ws://other:1/x").as_deref(), Some("/base/x"));
        assert_eq!(to("http://other").as_deref(), Some("/base"));
        assert_eq!(to("http://other?q").as_deref(), Some("/base?q"));
        assert_eq!(to("http://other/x?q#part").as_deref(), Some("/base/x?q"));
        assert_eq!(to("*"), None);
    }

    #[test]
    fn what_is_for_the_proxy_stays_there() {
        let raw = "GET http://u:p@Host:81/x HTTP/1.1\r\nHost: Host:81\r\nA:1\r\n\
                   proxy-authorization: Basic x\r\nB: 2\r\nProxy-Connection: keep-alive\r\n\r\n";
        let head = Head::parse(HeadKind::Request, raw.as_bytes());
        let forwarding = Forwarding { is_proxy: true, ..Forwarding::default() };
        let passed = |last| {
            let head = forwarding.apply(&head, last).expect("changed");
            String::from_utf8(head.raw().to_vec()).expect("text")
        };
        let expected = "GET /x HTTP/1.1\r\nHost: Host:81\r\nA:1\r\nB: 2\r\n";
        assert_eq!(passed(false), format!("{expected}\r\n"));
        assert_eq!(passed(true), format!("{expected}Connection: close\r\n\r\n"));
        assert_eq!(
            absolute_form(b"http://u:p@Host:81/x").map(|it| it.place()),
            Some(&b"Host:81"[..])
        );
        let veiled = head.veiled("Proxy-Authorization", "-").expect("it has one");
        assert_eq!(veiled.raw(), raw.replace("Basic x", "-").as_bytes());
        assert_eq!(head.veiled("Other", "-"), None);
    }

    #[test]
    fn the_last_request_says_so() {
        let last = |fields: &str| {
            let head = passed_on(&format!("GET / HTTP/1.1\r\n{fields}\r\n"), "", None, true);
            head.map(|head| head["GET / HTTP/1.1\r\n".len()..].to_owned())
        };
        assert_eq!(last("").as_deref(), Some("Connection: close\r\n\r\n"));
        assert_eq!(last("A: b\r\n").as_deref(), Some("A: b\r\nConnection: close\r\n\r\n"));
        let kept = last("connection: Keep-Alive, TE\r\nTE: x\r\n");
        assert_eq!(kept.as_deref(), Some("connection: TE, close\r\nTE: x\r\n\r\n"));
        assert_eq!(last("Connection: close\r\n"), None);
    }

    #[test]
    fn a_missing_host_is_added_by_a_proxy_that_clients_chose() {
        for start in ["\r\nGET / HTTP/1.0", "GET / HTTP/1.1"] {
            let raw = format!("{start}\r\n\r\n");
            let head = Head::parse(HeadKind::Request, raw.as_bytes());
            let host = Some("h".to_owned());
            for (is_proxy, field) in [(true, "Host: h\r\n"), (false, "")] {
                let forwarding =
                    Forwarding { host: host.clone(), is_proxy, ..Forwarding::default() };
                let passed = forwarding.apply(&head, true).expect("changed");
                let expected = format!("{start}\r\n{field}Connection: close\r\n\r\n");
                assert_eq!(passed.raw(), expected.as_bytes());
            }
        }
    }

    #[test]
    fn of_two_hosts_both_are_changed() {
        let raw = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\nhost:b\r\n\r\n";
        let expected = "GET / HTTP/1.1\r\nHost: h\r\nX: y\r\nhost:h\r\n\r\n";
        assert_eq!(passed_on(raw, "", Some("h"), false).as_deref(), Some(expected));
    }
}
