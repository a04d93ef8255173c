//! Secrets kept out of logs: the values of credential headers, and the userinfo of URLs.
//!
//! What is taken out is replaced where it stood, so that the head in a log still has its true
//! structure. Payloads are not searched: a log is a record of them.

use std::borrow::Cow;
use std::ops::Range;

use crate::wire::head::Head;

/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";

/// The header fields whose values are secrets (RFC 9110 §11.6.2 and §11.7.2, RFC 6265 §4).
const SECRET: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];

/// Whether the values of a header field are secrets.
pub fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// A head without its secrets. Its defects are those of the new bytes; ask the original for the
/// true ones.
pub fn head(head: &Head) -> Head {
    let raw = head.raw();
    let mut secrets: Vec<Range<usize>> = Vec::new();
    for field in head.headers() {
        if is_secret(&String::from_utf8_lossy(field.name)) && !field.value.is_empty() {
            secrets.push(field.value_at);
        }
    }
    let outside = |range: &Range<usize>| {
        secrets.iter().all(|secret| range.end <= secret.start || secret.end <= range.start)
    };
    let userinfo: Vec<_> = userinfo(raw).filter(outside).collect();
    secrets.extend(userinfo);
    secrets.sort_unstable_by_key(|secret| secret.start);
    Head::parse(head.kind(), &without(raw, &secrets))
}

/// A text without the userinfo of the URLs in it.
pub fn text(text: &str) -> Cow<'_, str> {
    let secrets: Vec<_> = userinfo(text.as_bytes()).collect();
    match secrets.is_empty() {
        true => Cow::Borrowed(text),
        false => String::from_utf8_lossy(&without(text.as_bytes(), &secrets)).into_owned().into(),
    }
}

/// Where userinfo stands: between `://` and the last `@` of an authority (RFC 3986 §3.2). Every
/// `@` before a delimiter counts, as it does for the parsers that browsers use.
fn userinfo(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let starts = memchr::memmem::find_iter(bytes, b"://").map(|at| at + 3);
    starts.filter_map(|start| {
        let rest = &bytes[start..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>".contains(byte);
        let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let at = authority.iter().rposition(|&byte| byte == b'@')?;
        (at > 0).then_some(start..start + at)
    })
}

/// `bytes` with these ranges, which are in order, replaced.
fn without(bytes: &[u8], secrets: &[Range<usize>]) -> Vec<u8> {
    let (mut out, mut done) = (Vec::with_capacity(bytes.len()), 0);
    for secret in secrets {
        out.extend_from_slice(&bytes[done..secret.start]);
        out.extend_from_slice(REDACTED.as_bytes());
        done = secret.end;
    }
    out.extend_from_slice(&bytes[done..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;
    use proptest::prelude::*;

    fn redacted(raw: &[u8]) -> String {
        let head = super::head(&Head::parse(HeadKind::Request, raw));
        String::from_utf8_lossy(head.raw()).into_owned()
    }

    #[test]
    fn values_of_credential_headers_are_replaced_where_they_stood() {
        assert_eq!(
            redacted(
                b"GET ws://me:pw@a.example/x HTTP/1.1\r\nHost: a\r\nauthorization:  Basic bWU6cHc=\r\n\
                  X-Cookie: stays\r\nCOOKIE: a=1; b=2\r\nCookie:\r\nSet-Cookie : id=7\r\n folded\r\n\
                  Origin: https://u@b.example\r\nProxy-Authorization: Bearer x://y@z\r\n\r\n"
            ),
            "GET ws://[redacted]@a.example/x HTTP/1.1\r\nHost: a\r\nauthorization:  [redacted]\r\n\
             X-Cookie: stays\r\nCOOKIE: [redacted]\r\nCookie:\r\nSet-Cookie : [redacted]\r\n\
             Origin: https://[redacted]@b.example\r\nProxy-Authorization: [redacted]\r\n\r\n"
        );
    }

    #[test]
    fn a_head_without_secrets_stays_as_it_is() {
        let raw = b"GET /a@b://c HTTP/1.1\r\nHost: a@b\r\nX: http://h/p@q?u=@\r\nnonsense\r\n\r\n";
        assert_eq!(redacted(raw).as_bytes(), raw);
    }

    #[test]
    fn userinfo_is_taken_out_of_texts() {
        for (before, after) in [
            ("wss://me:p%40w@h/", "wss://[redacted]@h/"),
            ("to ws://a@b@c:1, then", "to ws://[redacted]@c:1, then"),
            ("ws://@h ws://h/?a@b mail@example", "ws://@h ws://h/?a@b mail@example"),
            ("\"http://u@h\" http://v@h", "\"http://[redacted]@h\" http://[redacted]@h"),
        ] {
            assert_eq!(text(before), after);
        }
    }

    proptest! {
        #[test]
        fn any_head_can_be_redacted(raw in "(Cookie|a): ?[a-z:/@ \r\n]{0,60}", cut in 0usize..60) {
            let raw = &raw.as_bytes()[..cut.min(raw.len())];
            let head = Head::parse(HeadKind::Response, raw);
            let redacted = super::head(&head);
            prop_assert_eq!(redacted.headers().len(), head.headers().len());
        }
    }
}
