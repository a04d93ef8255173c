//! Removes secrets from output: by their names and by their values.
//!
//! A header field, a query parameter or a subprotocol is secret by its name; the userinfo of a URL
//! is always secret. The values of secrets in our request are then removed wherever they appear,
//! even if the server sends them back. A secret is replaced in place, so that a head keeps its
//! structure. `docs/secrets.md` describes it for users.

use std::borrow::Cow;
use std::ops::Range;

use base64::prelude::{BASE64_STANDARD, Engine as _};

use crate::diagnostics;
use crate::lens::{Decoded, Secrets};
use crate::wire::head::Head;
use crate::wire::percent::percent_decoded;
use crate::wire::secret::is_secret;

/// The text that replaces a secret.
pub const REDACTED: &str = "[redacted]";

/// Shorter values are not searched for, because they would be found everywhere.
const MIN_VALUE: usize = 4;

/// Cookies often are harmless words, but values of this length are not.
const MIN_COOKIE: usize = 8;

/// Removes secrets from output.
#[derive(Clone, Debug)]
pub struct Redactor {
    /// Nothing is removed: `--show-secrets`.
    shows_all: bool,
    /// The text that replaces a secret.
    mark: &'static str,
    /// Additional secret names (`--redact`), in lower case.
    names: Vec<String>,
    /// The secrets of this run, the longest first.
    values: Vec<Vec<u8>>,
}

/// What programs write for a missing value: common words, and no secrets.
const NO_VALUES: [&[u8]; 4] = [b"undefined", b"null", b"None", b"[object Object]"];

impl Default for Redactor {
    fn default() -> Self {
        Self::new()
    }
}

impl Redactor {
    /// Removes values with a secret name; knows no values yet.
    pub const fn new() -> Self {
        Self { shows_all: false, mark: REDACTED, names: Vec::new(), values: Vec::new() }
    }

    /// With the options `--show-secrets` and `--redact`.
    pub fn of(shows_all: bool, names: &[String]) -> Self {
        let names = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { shows_all, names, ..Self::new() }
    }

    /// A copy that writes `…` instead of a secret, after the scheme of credentials.
    pub fn brief(&self) -> Self {
        Self { mark: "…", ..self.clone() }
    }

    /// Whether everything is shown.
    pub fn shows_all(&self) -> bool {
        self.shows_all
    }

    /// Whether the value of this name is removed.
    pub fn hides(&self, name: &str) -> bool {
        !self.shows_all && self.is_secret(name)
    }

    fn is_secret(&self, name: &str) -> bool {
        is_secret(name) || self.names.iter().any(|other| other.eq_ignore_ascii_case(name))
    }

    /// The known secret values.
    pub fn values(&self) -> &[Vec<u8>] {
        if self.shows_all { &[] } else { &self.values }
    }

    /// From now on, removes this value wherever it appears.
    pub fn learn(&mut self, value: &[u8]) {
        if NO_VALUES.contains(&value) {
            return;
        }
        if value.len() >= MIN_VALUE && !self.values.iter().any(|known| known == value) {
            self.values.push(value.to_vec());
            self.values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        }
    }

    /// Learns the credentials of `-u`, and their form in `Basic`.
    pub fn learn_basic(&mut self, encoded: &[u8]) {
        self.learn(encoded);
        let Ok(pair) = BASE64_STANDARD.decode(encoded) else { return };
        if let Some(colon) = pair.iter().position(|byte| *byte == b':') {
            self.learn(&pair[colon + 1..]);
        }
    }

    /// Learns every secret of our request.
    pub fn learn_head(&mut self, head: &Head) {
        for (name, range) in self.named(head) {
            let value = head.raw()[range].trim_ascii();
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if name == "cookie" {
                let pairs = value.split(|byte| *byte == b';');
                let values = pairs.filter_map(|pair| pair.splitn(2, |byte| *byte == b'=').nth(1));
                let long = values.filter(|value| value.len() >= MIN_COOKIE);
                long.collect::<Vec<_>>().into_iter().for_each(|value| self.learn(value));
                continue;
            }
            // The userinfo of a URL, as in Origin.
            if name == "userinfo"
                && let Some(colon) = value.iter().position(|byte| *byte == b':')
            {
                self.learn(&value[colon + 1..]);
            }
            match value.iter().position(|byte| *byte == b' ') {
                Some(space) if name.ends_with("authorization") => {
                    let credentials = value[space..].trim_ascii();
                    match value[..space].eq_ignore_ascii_case(b"basic") {
                        true => self.learn_basic(credentials),
                        false => self.learn(credentials),
                    }
                }
                _ => self.learn(value),
            }
        }
    }

    /// The positions of the secrets in a head, in order, without overlaps.
    pub fn spans_of_head(&self, head: &Head) -> Vec<Range<usize>> {
        if self.shows_all {
            return Vec::new();
        }
        let raw = head.raw();
        let named = self.named(head).into_iter().map(|(_, range)| range);
        let mut secrets: Vec<_> = named.map(|range| self.behind_scheme(raw, range)).collect();
        self.find_values(raw, &mut secrets);
        apart(secrets)
    }

    /// The positions of the secrets in a text.
    pub fn spans(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        if self.shows_all {
            return Vec::new();
        }
        let mut secrets = Vec::new();
        self.find_in_urls(bytes, |_, range| secrets.push(range));
        self.find_values(bytes, &mut secrets);
        apart(secrets)
    }

    /// A head without its secrets; its defects are still those of the received bytes.
    pub fn head<'h>(&self, head: &'h Head) -> Cow<'h, Head> {
        let secrets = self.spans_of_head(head);
        match secrets.is_empty() {
            true => Cow::Borrowed(head),
            false => Cow::Owned(head.rewritten(&self.without(head.raw(), secrets))),
        }
    }

    /// A text without secrets: in URLs, and known values.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            Cow::Owned(bytes) => String::from_utf8_lossy(&bytes).into_owned().into(),
        }
    }

    /// A sentence of wscope without secrets. A secret may also be a word of the catalogue
    /// (`wrong`), and so a word of the sentence. To replace it there would reveal it. Such a secret
    /// is replaced only in text from outside: in quotes, or in a value after `:` or `=`.
    pub fn sentence<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.shows_all {
            return Cow::Borrowed(text);
        }
        let bytes = text.as_bytes();
        let mut secrets = Vec::new();
        self.find_values(bytes, &mut secrets);
        secrets.retain(|range| {
            let is_word = is_own_word(&bytes[range.clone()]);
            let before = &bytes[..range.start];
            let quotes = before.iter().filter(|byte| **byte == b'"').count();
            let is_value = before.trim_ascii_end().ends_with(b":") || before.ends_with(b"=");
            !is_word || quotes % 2 == 1 || is_value
        });
        self.find_cut_values(bytes, &mut secrets);
        self.find_in_urls(bytes, |_, range| secrets.push(range));
        let secrets = apart(secrets);
        match secrets.is_empty() {
            true => Cow::Borrowed(text),
            false => String::from_utf8_lossy(&self.without(bytes, secrets)).into_owned().into(),
        }
    }

    /// A sentence of wscope that quotes messages, without secrets and without the values of secret
    /// names.
    pub fn quoting(&self, text: &str) -> String {
        if self.shows_all {
            return text.to_owned();
        }
        let text = self.with_secrets(|secrets| secrets.masked_quotes(text));
        self.sentence(&text).into_owned()
    }

    /// Bytes without secrets.
    pub fn bytes<'b>(&self, bytes: &'b [u8]) -> Cow<'b, [u8]> {
        let secrets = self.spans(bytes);
        match secrets.is_empty() {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned(self.without(bytes, secrets)),
        }
    }

    /// Removes the secrets from the meaning of a message.
    pub fn decoded(&self, decoded: &mut Decoded) {
        if !self.shows_all {
            self.with_secrets(|secrets| decoded.mask(secrets));
        }
    }

    /// Removes the secrets from a text about the meaning of messages.
    pub fn meant(&self, text: &str) -> String {
        match self.shows_all {
            true => text.to_owned(),
            false => self.with_secrets(|secrets| secrets.masked(text)),
        }
    }

    fn with_secrets<T>(&self, f: impl FnOnce(&Secrets<'_>) -> T) -> T {
        f(&Secrets {
            is_secret: &|name| self.is_secret(name),
            clean: &|text| self.text(text),
            mask: self.mark,
        })
    }

    /// The positions of secrets in a head, with their names.
    fn named<'h>(&self, head: &'h Head) -> Vec<(&'h [u8], Range<usize>)> {
        let raw = head.raw();
        let mut found: Vec<(&[u8], Range<usize>)> = Vec::new();
        for field in head.headers().filter(|field| !field.value.is_empty()) {
            if self.is_secret(&String::from_utf8_lossy(field.name)) {
                found.push((field.name, field.value_at));
            } else if field.name.eq_ignore_ascii_case(b"sec-websocket-protocol") {
                let at = field.value_at.start;
                let secrets = self.find_in_subprotocols(field.value).into_iter();
                found.extend(secrets.map(|s| (field.name, at + s.start..at + s.end)));
            }
        }
        self.find_in_urls(raw, |name, range| found.push((name, range)));
        found
    }

    /// Tokens among subprotocols: after an item that is a secret name (`bearer, TOKEN`), and after
    /// the secret name inside an item (`base64url.bearer.authorization.k8s.io.TOKEN`).
    fn find_in_subprotocols(&self, list: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut start = 0;
        let mut announced = false;
        for item in list.split(|byte| *byte == b',') {
            let at = start + item.len() - item.trim_ascii_start().len();
            let item_end = start + item.len();
            start = item_end + 1;
            let item = item.trim_ascii();
            let end = at + item.len();
            if std::mem::take(&mut announced) || is_jwt(item) {
                found.push(at..end);
                continue;
            }
            /// For Kubernetes, the name ends with its domain.
            const KUBERNETES: &[u8] = b"base64url.bearer.authorization.k8s.io.";
            if item.len() > KUBERNETES.len() && item.starts_with(KUBERNETES) {
                found.push(at + KUBERNETES.len()..end);
                continue;
            }
            // The words of the item, and the end of each.
            let words = item.split(|byte| b".=:/".contains(byte)).scan(0, |position, word| {
                *position += word.len() + 1;
                Some((String::from_utf8_lossy(word).into_owned(), *position - 1))
            });
            let named = words.filter(|(word, _)| self.is_secret(word)).map(|(_, end)| end).next();
            match named {
                Some(name_end) if name_end < item.len() => found.push(at + name_end + 1..end),
                Some(_) => announced = true,
                None => {}
            }
        }
        found
    }

    /// Userinfo and secret parameters of the URLs in a text.
    fn find_in_urls<'b>(&self, bytes: &'b [u8], mut take: impl FnMut(&'b [u8], Range<usize>)) {
        userinfo(bytes).for_each(|range| take(b"userinfo", range));
        for start in memchr::memchr2_iter(b'?', b'#', bytes).map(|at| at + 1) {
            let ends = |byte: &u8| *byte <= b' ' || b"\"'<>`\\".contains(byte);
            let rest = &bytes[start..];
            let query = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
            let mut at = start;
            for pair in query.split(|byte| b"&;?#".contains(byte)) {
                let (from, to) = (at, at + pair.len());
                at = to + 1;
                let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
                let name = &pair[..equals];
                // In a sentence, punctuation after the URL is not part of it.
                let value = pair[equals + 1..].trim_ascii_end();
                let tail = value.iter().rev().take_while(|byte| b":,.)".contains(byte)).count();
                let value = &value[..value.len() - tail];
                let is_shown = value.is_empty() || value == "…".as_bytes();
                let decoded = percent_decoded(&String::from_utf8_lossy(name));
                if !is_shown && self.is_secret(&String::from_utf8_lossy(&decoded)) {
                    take(name, from + equals + 1..from + equals + 1 + value.len());
                }
            }
        }
    }

    fn find_values(&self, bytes: &[u8], found: &mut Vec<Range<usize>>) {
        for value in &self.values {
            let starts = memchr::memmem::find_iter(bytes, value);
            found.extend(starts.map(|start| start..start + value.len()));
        }
    }

    /// Finds the beginnings of secrets before a cut, which `…` marks.
    fn find_cut_values(&self, bytes: &[u8], found: &mut Vec<Range<usize>>) {
        for cut in memchr::memmem::find_iter(bytes, "…") {
            for value in &self.values {
                let lengths = (MIN_VALUE..value.len()).rev();
                let longest = { lengths }.find(|len| bytes[..cut].ends_with(&value[..*len]));
                found.extend(longest.map(|len| cut - len..cut));
            }
        }
    }

    /// In `Basic …`, the scheme is not secret.
    fn behind_scheme(&self, raw: &[u8], range: Range<usize>) -> Range<usize> {
        let value = &raw[range.clone()];
        let scheme = ["Basic ", "Bearer ", "Digest "]
            .into_iter()
            .find(|scheme| self.mark != REDACTED && value.starts_with(scheme.as_bytes()));
        range.start + scheme.map_or(0, str::len)..range.end
    }

    /// `bytes` with these ranges replaced.
    fn without(&self, bytes: &[u8], secrets: Vec<Range<usize>>) -> Vec<u8> {
        let (mut out, mut done) = (Vec::with_capacity(bytes.len()), 0);
        for secret in secrets {
            out.extend_from_slice(&bytes[done..secret.start]);
            out.extend_from_slice(self.mark.as_bytes());
            done = secret.end;
        }
        out.extend_from_slice(&bytes[done..]);
        out
    }
}

/// Whether the catalogue of diagnostics, or a refusal of `listen`, contains this word.
fn is_own_word(value: &[u8]) -> bool {
    let Some(word) =
        std::str::from_utf8(value).ok().filter(|_| value.iter().all(u8::is_ascii_lowercase))
    else {
        return false;
    };
    let has = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|one| one == word);
    word == "right"
        || diagnostics::entries().any(|entry| {
            let causes =
                entry.causes.iter().flat_map(|cause| [cause.text, cause.help.unwrap_or("")]);
            [entry.title, entry.explanation, entry.help].into_iter().chain(causes).any(has)
        })
}

/// Ranges in order; overlapping ranges are joined.
fn apart(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_unstable_by_key(|range| (range.start, std::cmp::Reverse(range.end)));
    let mut apart: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// The positions of userinfo: between `://` and the last `@` of an authority (RFC 3986 §3.2). Every
/// `@` before a delimiter counts, as in the parsers of browsers.
fn userinfo(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    const TUNNEL: &[u8] = b"CONNECT ";
    let starts = memchr::memmem::find_iter(bytes, b"://").map(|at| at + 3);
    // The target of CONNECT is an authority, which should have no userinfo.
    let tunnel = bytes.starts_with(TUNNEL).then_some(TUNNEL.len());
    starts.chain(tunnel).filter_map(|start| {
        let rest = &bytes[start..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/?#\"'<>".contains(byte);
        let authority = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        let at = authority.iter().rposition(|&byte| byte == b'@')?;
        // Placeholders in our own advice and plans are not secret.
        let is_shown = [&b""[..], b"USER:PASSWORD", "…".as_bytes()].contains(&&authority[..at]);
        (!is_shown).then_some(start..start + at)
    })
}

/// `eyJ` is `{"` in base64url: a JSON Web Token (RFC 7519) begins with it.
fn is_jwt(item: &[u8]) -> bool {
    item.starts_with(b"eyJ") && item.iter().filter(|byte| **byte == b'.').count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;
    use proptest::prelude::*;

    fn redacted(raw: &[u8]) -> String {
        let head = Head::parse(HeadKind::Request, raw);
        String::from_utf8_lossy(Redactor::new().head(&head).raw()).into_owned()
    }

    #[test]
    fn who_asks_for_a_tunnel_may_say_too_much() {
        let shown = redacted(b"CONNECT me:s3cret@host:1 HTTP/1.1\r\nHost: host:1\r\n\r\n");
        assert!(shown.starts_with("CONNECT ") && shown.contains("@host:1 HTTP/1.1"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn an_encoded_name_is_the_same_name() {
        let redactor = Redactor::new();
        let text = redactor.text("ws://a/?%74oken=S3CRETv4lue&x=1");
        assert_eq!(text, "ws://a/?%74oken=[redacted]&x=1");
    }

    #[test]
    fn names_of_the_command_line_are_secret_too() {
        let redactor = Redactor::of(false, &["X-Tenant".to_owned()]);
        assert!(redactor.hides("x-tenant") && !redactor.hides("x-tenants"));
        assert!(!Redactor::of(true, &[]).hides("Cookie"));
    }

    #[test]
    fn values_of_secret_headers_are_replaced_where_they_stood() {
        assert_eq!(
            redacted(
                b"GET ws://me:pw@a.example/x HTTP/1.1\r\nHost: a\r\nauthorization:  Basic bWU6cHc=\r\n\
                  X-Plain: stays\r\nCOOKIE: a=1; b=2\r\nCookie:\r\nSet-Cookie : id=7\r\n folded\r\n\
                  Origin: https://u@b.example\r\nProxy-Authorization: Bearer x://y@z\r\n\r\n"
            ),
            "GET ws://[redacted]@a.example/x HTTP/1.1\r\nHost: a\r\nauthorization:  [redacted]\r\n\
             X-Plain: stays\r\nCOOKIE: [redacted]\r\nCookie:\r\nSet-Cookie : [redacted]\r\n\
             Origin: https://[redacted]@b.example\r\nProxy-Authorization: [redacted]\r\n\r\n"
        );
    }

    #[test]
    fn a_head_without_secrets_stays_as_it_is() {
        let raw = b"GET /a@b://c HTTP/1.1\r\nHost: a@b\r\nX: http://h/p@q?u=@\r\nnonsense\r\n\r\n";
        assert_eq!(redacted(raw).as_bytes(), raw);
    }

    #[test]
    fn secrets_of_urls_are_taken_out_of_texts() {
        for (before, after) in [
            ("wss://me:p%40w@h/", "wss://[redacted]@h/"),
            ("to ws://a@b@c:1, then", "to ws://[redacted]@c:1, then"),
            ("ws://@h ws://h/?a@b mail@example", "ws://@h ws://h/?a@b mail@example"),
            ("\"http://u@h\" http://v@h", "\"http://[redacted]@h\" http://[redacted]@h"),
            ("/?a=1&access_token=x.y&b=2 z", "/?a=1&access_token=[redacted]&b=2 z"),
            ("ws://h/?token=t: refused", "ws://h/?token=[redacted]: refused"),
            ("'/?a=1;sig=t' /#key=k", "'/?a=1;sig=[redacted]' /#key=[redacted]"),
            ("what? key=1 /?token=&a=b", "what? key=1 /?token=&a=b"),
        ] {
            assert_eq!(Redactor::new().text(before), after);
        }
    }

    #[test]
    fn tokens_among_subprotocols_are_replaced() {
        for (before, after) in [
            ("chat, superchat", "chat, superchat"),
            (
                "base64url.bearer.authorization.k8s.io.dG9rZW4, v4.channel.k8s.io",
                "base64url.bearer.authorization.k8s.io.[redacted], v4.channel.k8s.io",
            ),
            ("bearer, dG9rZW4, chat", "bearer, [redacted], chat"),
            ("access_token,abc", "access_token,[redacted]"),
            (
                "openai-insecure-api-key.sk-1, realtime",
                "openai-insecure-api-key.[redacted], realtime",
            ),
            ("eyJhbGciOiJub25lIn0.e30.x", "[redacted]"),
        ] {
            let head =
                |list: &str| format!("GET / HTTP/1.1\r\nSec-WebSocket-Protocol: {list}\r\n\r\n");
            assert_eq!(redacted(head(before).as_bytes()), head(after));
        }
    }

    #[test]
    fn secrets_of_a_request_are_known_by_their_values() {
        let mut redactor = Redactor::new();
        redactor.learn_head(&Head::parse(
            HeadKind::Request,
            b"GET /?token=query%20token HTTP/1.1\r\nAuthorization: Basic bWU6aHVudGVyMg==\r\n\
              Proxy-Authorization: Bearer b.token\r\nCookie: a=dark; id=0123456789\r\n\
              X-Api-Key: k3y!\r\nSec-WebSocket-Protocol: bearer, protocol-token\r\n\r\n",
        ));
        let text =
            "query%20token bWU6aHVudGVyMg== hunter2 b.token dark 0123456789 k3y! protocol-token";
        let hidden = redactor.text(text).replace(REDACTED, "-");
        assert_eq!(hidden, "- - - - dark - - -");
    }

    #[test]
    fn a_secret_that_is_a_word_of_the_sentence_stays_in_it() {
        let mut redactor = Redactor::new();
        redactor.learn(b"wrong");
        redactor.learn(b"s3cret");
        redactor.learn(b"swordfish");
        let cases = [
            (
                "the credentials sent are wrong, or expired",
                "the credentials sent are wrong, or expired",
            ),
            ("its reason is \"wrong is bad\"", "its reason is \"[redacted] is bad\""),
            ("X-Echo: wrong", "X-Echo: [redacted]"),
            ("ws://wrong@a/?token=wrong is wrong", "ws://[redacted]@a/?token=[redacted] is wrong"),
            ("s3cret stands alone", "[redacted] stands alone"),
            ("its reason: invalid token swordfish", "its reason: invalid token [redacted]"),
            ("answered 403 no swordfish here", "answered 403 no [redacted] here"),
        ];
        for (text, expected) in cases {
            assert_eq!(redactor.sentence(text), expected);
        }
    }

    #[test]
    fn a_brief_mark_leaves_the_scheme() {
        let head =
            Head::parse(HeadKind::Request, b"GET / HTTP/1.1\r\nAuthorization: Basic x\r\n\r\n");
        let head = Redactor::new().brief().head(&head).into_owned();
        assert_eq!(head.raw(), "GET / HTTP/1.1\r\nAuthorization: Basic …\r\n\r\n".as_bytes());
    }

    proptest! {
        #[test]
        fn any_head_can_be_redacted(raw in "(Cookie|a): ?[a-z:/@?=& \r\n]{0,60}", cut in 0usize..60) {
            let raw = &raw.as_bytes()[..cut.min(raw.len())];
            let head = Head::parse(HeadKind::Response, raw);
            let mut redactor = Redactor::new();
            redactor.learn_head(&head);
            prop_assert_eq!(redactor.head(&head).headers().len(), head.headers().len());
        }

        #[test]
        fn any_subprotocols_can_be_redacted(list in "[a-z.,= ]{0,40}|(bearer|token)[., ]{0,3}[a-z]{0,3}") {
            let found = Redactor::new().find_in_subprotocols(list.as_bytes());
            prop_assert!(found.iter().all(|range| range.start <= range.end && range.end <= list.len()));
        }
    }
}
