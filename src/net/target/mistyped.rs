//! Mistyped URLs, and what the user probably meant.

use std::net::Ipv6Addr;

use super::TargetError;

/// The schemes that typos are compared with, the longest first.
const SCHEMES: [&str; 4] = ["https", "http", "wss", "ws"];

/// The error for a mistyped URL; `None` if the text is not one.
///
/// The suggestion contains the rest of the text, unless it may contain a password or a token.
pub(super) fn slip(text: &str) -> Option<TargetError> {
    let quote = text.chars().next().filter(|c| "\"'`<“”‘’«(".contains(*c));
    if let Some(quote) = quote {
        let bare = text.trim_matches(|c| "\"'`<>“”‘’«»()".contains(c));
        return Some(error(format!("a URL does not begin with {quote}"), "", bare));
    }
    if let Some(slip) = path(text).or_else(|| specifier(text)) {
        return Some(slip);
    }
    let known = SCHEMES.into_iter().find(|scheme| {
        let start = text.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    let Some(scheme) = known else { return misspelled(text) };
    let after = &text[scheme.len()..];
    let rest = after.trim_start_matches(|c| ":;,./\\".contains(c));
    let marks = &after[..after.len() - rest.len()];
    let slashes = marks.chars().filter(|c| matches!(c, '/' | '\\')).count();
    match marks {
        _ if marks.starts_with("://") && slashes == 2 => return twice(rest),
        "" => return misspelled(text),
        // A host with this name, with a port or a path.
        "." | "/" => return None,
        ":" if is_port(rest) => return None,
        _ if rest.is_empty() && slashes >= 2 => return None,
        _ if slashes == 0 && !marks.contains([':', ';']) => return None,
        _ => {}
    }
    let fault = match (marks, slashes) {
        (":", _) => format!("two slashes are missing after `{scheme}:`"),
        (":/", _) => format!("a slash is missing after `{scheme}:/`"),
        ("//", _) => format!("a colon is missing after `{scheme}`"),
        (":///", _) if !is_secret(rest) => {
            return Some(TargetError::Mistyped {
                fault: format!(
                    "`{scheme}:///` has no host, as with an empty variable, or a slash too many"
                ),
                write: format!("{scheme}://HOST/{rest} or {scheme}://{rest}"),
            });
        }
        (_, 3..) => format!("`{scheme}{marks}` has too many slashes"),
        _ => format!("a URL can't begin with `{scheme}{marks}`"),
    };
    Some(error(fault, scheme, rest))
}

/// `//host`, `/path`, `./socket`: a part of a URL without its beginning.
fn path(text: &str) -> Option<TargetError> {
    if let Some(rest) = text.strip_prefix("//") {
        return Some(error("the scheme is missing".to_owned(), "ws", rest));
    }
    let relative = ["./", "../", "~/"].iter().any(|start| text.starts_with(start));
    if !relative && !text.starts_with('/') {
        return None;
    }
    let fault = "a path is not a URL".to_owned();
    let write = match text {
        _ if is_secret(text) => "ws://HOST".to_owned(),
        _ if relative => format!("ws+unix:{text}"),
        _ => format!("ws+unix:{text} for a Unix socket, ws://HOST{text} for a server"),
    };
    Some(TargetError::Mistyped { fault, write })
}

/// `ws-l:ADDRESS`, `autoreconnect:URL`: websocat's words before an address.
fn specifier(text: &str) -> Option<TargetError> {
    let (name, rest) = text.split_once(':')?;
    let here = match name {
        "ws-l" | "ws-listen" | "l-ws" | "listen-ws" => "wscope listen",
        "autoreconnect" => "--reconnect",
        _ => return None,
    };
    let rest = if is_secret(rest) { "URL" } else { rest };
    let fault = format!("`{name}:` is websocat's");
    (!is_port(rest)).then(|| TargetError::Mistyped { fault, write: format!("{here} {rest}") })
}

/// `::1`, `::1:9000`, `fe80::1%eth0`, `[::1`: an IPv6 address without brackets, whose last colon
/// may belong to a port.
pub(super) fn bare_ipv6(place: &str) -> Option<TargetError> {
    let (bare, is_open) = match place.strip_prefix('[') {
        Some(rest) if !rest.contains(']') => (rest, true),
        _ => (place, false),
    };
    let is_address = |text: &str| {
        let (address, zone) = text.split_once('%').unwrap_or((text, ""));
        address.parse::<Ipv6Addr>().is_ok() && !zone.contains(':')
    };
    let whole = is_address(bare).then(|| format!("[{bare}]"));
    let with_port =
        bare.rsplit_once(':').filter(|(address, port)| is_port(port) && is_address(address));
    let write = match (with_port, whole) {
        (Some((address, port)), Some(whole)) => format!("[{address}]:{port} or {whole}"),
        (Some((address, port)), None) => format!("[{address}]:{port}"),
        (None, Some(whole)) => whole,
        (None, None) if is_open => "[ADDRESS]:PORT".to_owned(),
        (None, None) => return None,
    };
    let fault = "an IPv6 address needs brackets in a URL".to_owned();
    Some(TargetError::Mistyped { fault, write })
}

/// `ws://ws://host`: one URL was pasted after the beginning of another.
fn twice(rest: &str) -> Option<TargetError> {
    let inner = SCHEMES.into_iter().find(|scheme| {
        let start = rest.get(..scheme.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && rest[scheme.len()..].starts_with("://")
    })?;
    let rest = &rest[inner.len() + "://".len()..];
    Some(error("the URL has two schemes".to_owned(), inner, rest))
}

/// `wws://host`, `htp://host`.
fn misspelled(text: &str) -> Option<TargetError> {
    let (typed, rest) = text.split_once("://")?;
    let typed = typed.to_ascii_lowercase();
    let near = |scheme: &&str| strsim::osa_distance(&typed, scheme) == 1;
    let meant = SCHEMES.into_iter().rev().find(near)?;
    Some(error(format!("{typed}:// is not a scheme"), meant, rest))
}

fn error(fault: String, scheme: &str, rest: &str) -> TargetError {
    let rest = if is_secret(rest) || rest.is_empty() { "HOST" } else { rest };
    let colon = if scheme.is_empty() { "" } else { "://" };
    TargetError::Mistyped { fault, write: format!("{scheme}{colon}{rest}") }
}

/// Whether the text may contain a password or a token.
fn is_secret(rest: &str) -> bool {
    rest.contains(['@', '?', '\\'])
}

/// `9000`, `9000/path`.
fn is_port(text: &str) -> bool {
    let end = text.find(['/', '?']).unwrap_or(text.len());
    end > 0 && text[..end].bytes().all(|byte| byte.is_ascii_digit())
}
