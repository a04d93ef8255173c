//! Our half of the handshake in a case, the request to a server or the response to a client: the
//! usual bytes, with the changes of the case.
//!
//! The change is made in the bytes, because a request writer can't produce deliberate errors.

use std::time::Duration;

/// How long a server may take to give up an endless request.
pub const STALL: Duration = Duration::from_secs(12);

/// The delay between two bytes of a slow request.
pub const SLOWNESS: Duration = Duration::from_millis(2);

/// A change of the request, of the response, or of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Another first line; `{target}` is path and query, `{host}` the authority.
    Line(&'static str),
    /// Sets the header to this value; replaces its other values.
    Set(&'static str, &'static str),
    /// The header is left out.
    Drop(&'static str),
    /// One more header line of this name.
    Add(&'static str, &'static str),
    /// One more line, unchanged.
    Raw(&'static str),
    /// The name of the header is written like this, with its letter case.
    Name(&'static str),
    /// Lines end with LF alone.
    BareLf,
    /// Only the first half is sent.
    Half,
    /// Bytes after the blank line, in the same segment.
    Behind(&'static [u8]),
    /// First sends a request with these changes, on the same connection.
    After(&'static [Edit]),
    /// One byte every [`SLOWNESS`].
    Slow,
    /// TLS offers these protocols in ALPN.
    Alpn(&'static [&'static str]),
    /// TLS offers only versions 1.0 and 1.1.
    OldTls,
}

/// The values that are only known when the request is made.
#[derive(Clone, Copy, Debug)]
pub struct RequestPlace<'a> {
    /// Path and query.
    pub target: &'a str,
    /// The Host header.
    pub host: &'a str,
    /// The host's name alone.
    pub name: &'a str,
    /// The site's origin, as in `http://localhost:80`.
    pub origin: &'a str,
    /// A subprotocol that the server knows, or nothing.
    pub subprotocol: &'a str,
}

impl RequestPlace<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{target}", self.target)
            .replace("{host}", self.host)
            .replace("{name}", self.name)
            .replace("{origin}", self.origin)
            .replace("{subprotocol}", self.subprotocol)
            .replace("{SUBPROTOCOL}", &self.subprotocol.to_ascii_uppercase())
    }
}

/// The usual request or response with these changes.
pub fn edited(usual: &[u8], edits: &[Edit], place: RequestPlace<'_>) -> Vec<u8> {
    if edits.is_empty() {
        return usual.to_vec();
    }
    let text = String::from_utf8_lossy(usual);
    let mut lines: Vec<String> = text.trim_end().split("\r\n").map(str::to_owned).collect();
    let (mut end, mut behind, mut half) = ("\r\n", &[][..], false);
    for edit in edits {
        match *edit {
            Edit::Line(line) => lines[0] = place.fill(line),
            Edit::Set(name, value) => {
                let line = format!("{name}: {}", place.fill(value));
                match lines.iter_mut().skip(1).find(|line| is_of(line, name)) {
                    Some(old) => *old = line,
                    None => lines.push(line),
                }
            }
            Edit::Drop(name) => lines.retain(|line| !is_of(line, name)),
            Edit::Add(name, value) => lines.push(format!("{name}: {}", place.fill(value))),
            Edit::Raw(line) => lines.push(line.to_owned()),
            Edit::Name(name) => {
                if let Some(line) = lines.iter_mut().skip(1).find(|line| is_of(line, name)) {
                    line.replace_range(..name.len(), name);
                }
            }
            Edit::BareLf => end = "\n",
            Edit::Behind(bytes) => behind = bytes,
            Edit::Half => half = true,
            Edit::After(_) | Edit::Slow | Edit::Alpn(_) | Edit::OldTls => {}
        }
    }
    let mut bytes = lines.join(end).into_bytes();
    bytes.extend_from_slice(end.as_bytes());
    bytes.extend_from_slice(end.as_bytes());
    bytes.extend_from_slice(behind);
    if half {
        bytes.truncate(bytes.len() / 2);
    }
    bytes
}

fn is_of(line: &str, name: &str) -> bool {
    line.split_once(':').is_some_and(|(own, _)| own.eq_ignore_ascii_case(name))
}

/// The changes of the request that is sent first, if there is one.
pub fn before(edits: &[Edit]) -> Option<&'static [Edit]> {
    edits.iter().find_map(|edit| match edit {
        Edit::After(before) => Some(*before),
        _ => None,
    })
}

/// The changes as options of `wscope`; `None` if it has no option for one of them.
pub fn as_options(edits: &[Edit]) -> Option<String> {
    let option = |edit: &Edit| match edit {
        Edit::Set(name, "") => Some(format!(" -H '{name};'")),
        Edit::Set(name, value) if !value.contains('{') => Some(format!(" -H '{name}: {value}'")),
        Edit::Drop(name) => Some(format!(" -H '{name}:'")),
        Edit::Alpn(names) => Some(format!(" --alpn '{}'", names.join(","))),
        Edit::OldTls => Some(" --tls-min 1.0 --tls-max 1.1".to_owned()),
        _ => None,
    };
    edits.iter().map(option).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &[u8] = b"GET /a HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n\r\n";
    const PLACE: RequestPlace<'_> = RequestPlace {
        target: "/a",
        host: "h",
        name: "h",
        origin: "http://h",
        subprotocol: "chat",
    };

    fn changed(edits: &[Edit]) -> String {
        String::from_utf8(edited(USUAL, edits, PLACE)).expect("text")
    }

    #[test]
    fn a_request_is_changed_where_a_case_says_so() {
        assert_eq!(changed(&[]).as_bytes(), USUAL);
        assert_eq!(
            changed(&[Edit::Line("POST {target} HTTP/1.0"), Edit::Drop("upgrade")]),
            "POST /a HTTP/1.0\r\nHost: h\r\n\r\n"
        );
        assert_eq!(
            changed(&[Edit::Set("Host", "x"), Edit::Add("Host", "{host}"), Edit::Raw("A : b")]),
            "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nHost: h\r\nA : b\r\n\r\n"
        );
        assert_eq!(
            changed(&[Edit::BareLf, Edit::Name("UPGRADE"), Edit::Behind(b"body")]),
            "GET /a HTTP/1.1\nHost: h\nUPGRADE: websocket\n\nbody"
        );
        assert!(changed(&[Edit::Set("P", "{SUBPROTOCOL}")]).contains("\r\nP: CHAT\r\n"));
    }

    #[test]
    fn what_options_can_do_is_shown_as_options() {
        let edits = [Edit::Set("A", ""), Edit::Set("B", "c"), Edit::Drop("D")];
        assert_eq!(as_options(&edits).as_deref(), Some(" -H 'A;' -H 'B: c' -H 'D:'"));
        assert_eq!(as_options(&[Edit::BareLf]), None);
    }
}
