//! Digest authorization, RFC 7616: a server's challenge in, the value of an Authorization header out.
//!
//! SHA-256 and MD5, their `-sess` forms, `qop=auth`, and servers of RFC 2069 without qop.
//! Randomness is an argument.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use md5::Md5;
use sha2::{Digest as _, Sha256};

use crate::wire::head::{Head, is_token};
use crate::wire::hex;

/// A challenge that wscope can answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// The algorithm as the server wrote it, because the answer repeats it.
    algorithm_name: Option<String>,
    is_session: bool,
    has_qop: bool,
    hashes_user: bool,
    /// "If the TRUE value … the request from the client was rejected because the nonce value was
    /// stale" (§3.3): the user and password may be right.
    pub is_stale: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&Sha256::digest(text.as_bytes())),
        }
    }
}

impl Challenge {
    /// The first challenge that wscope can answer; the server lists them "in order of preference"
    /// (§3.7).
    pub fn of(response: &Head) -> Option<Self> {
        response.get_all("WWW-Authenticate").flat_map(challenges).find_map(|(scheme, fields)| {
            scheme.eq_ignore_ascii_case("digest").then(|| Self::read(&fields)).flatten()
        })
    }

    fn read(fields: &[(String, String)]) -> Option<Self> {
        let get = |name: &str| {
            let found = fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.clone())
        };
        let is = |name: &str| get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let algorithm_name = get("algorithm");
        // "If this is not present, it is assumed to be "MD5"" (§3.3).
        let name = algorithm_name.clone().unwrap_or_else(|| "MD5".to_owned()).to_ascii_uppercase();
        let (name, is_session) = match name.strip_suffix("-SESS") {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let algorithm = match name {
            "MD5" => Algorithm::Md5,
            "SHA-256" => Algorithm::Sha256,
            _ => return None,
        };
        let qop = get("qop");
        let has_auth = |list: &String| list.split(',').any(|word| word.trim() == "auth");
        if qop.as_ref().is_some_and(|list| !has_auth(list)) {
            return None;
        }
        Some(Self {
            realm: get("realm")?,
            nonce: get("nonce")?,
            opaque: get("opaque"),
            algorithm,
            algorithm_name,
            is_session,
            has_qop: qop.is_some(),
            hashes_user: is("userhash"),
            is_stale: is("stale"),
        })
    }

    /// Like `answer`, with the user and password of the refused Basic authorization; `None` if the
    /// request had another authorization.
    pub fn answer_basic(&self, request: &Head, client_nonce: &str) -> Option<String> {
        let line = request.request_line()?;
        let (method, uri) =
            (String::from_utf8_lossy(line.method), String::from_utf8_lossy(line.target));
        let value = String::from_utf8_lossy(request.get("Authorization")?).into_owned();
        let (scheme, encoded) = value.split_once(' ')?;
        let pair = BASE64_STANDARD.decode(encoded.trim()).ok()?;
        let pair = String::from_utf8(pair).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (user, password) = pair.split_once(':')?;
        Some(self.answer(&method, &uri, user, password, client_nonce))
    }

    /// The Authorization header's value for a first request with this nonce (§3.4).
    pub fn answer(
        &self,
        method: &str,
        uri: &str,
        user: &str,
        password: &str,
        client_nonce: &str,
    ) -> String {
        const COUNT: &str = "00000001";
        let hash = |text: String| self.algorithm.hash(&text);
        let Self { realm, nonce, .. } = self;
        let secret = hash(format!("{user}:{realm}:{password}"));
        let secret = match self.is_session {
            true => hash(format!("{secret}:{nonce}:{client_nonce}")),
            false => secret,
        };
        let request = hash(format!("{method}:{uri}"));
        let response = match self.has_qop {
            true => hash(format!("{secret}:{nonce}:{COUNT}:{client_nonce}:auth:{request}")),
            false => hash(format!("{secret}:{nonce}:{request}")),
        };
        let user = match self.hashes_user {
            true => hash(format!("{user}:{realm}")),
            false => user.to_owned(),
        };
        let mut value = format!(
            "Digest username={}, realm={}, nonce={}, uri={}, response=\"{response}\"",
            quoted(&user),
            quoted(realm),
            quoted(nonce),
            quoted(uri)
        );
        let mut add = |text: String| value.push_str(&text);
        if let Some(name) = &self.algorithm_name {
            add(format!(", algorithm={name}"));
        }
        if self.has_qop {
            add(format!(", qop=auth, nc={COUNT}, cnonce={}", quoted(client_nonce)));
        } else if self.is_session {
            add(format!(", cnonce={}", quoted(client_nonce)));
        }
        if let Some(opaque) = &self.opaque {
            add(format!(", opaque={}", quoted(opaque)));
        }
        if self.hashes_user {
            add(", userhash=true".to_owned());
        }
        value
    }
}

/// A quoted-string (RFC 9110 §5.6.4).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The schemes of a list of challenges with their parameters: "WWW-Authenticate = #challenge" and
/// "Proxy-Authenticate = #challenge" (RFC 9110 §11.6.1, §11.7.1). An element that breaks the grammar
/// is skipped; a quoted string without an end ends the list.
pub fn challenges(value: &[u8]) -> Vec<(String, Vec<(String, String)>)> {
    let text = String::from_utf8_lossy(value);
    let mut found: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = &*text;
    while !rest.is_empty() {
        let element = rest.trim_start_matches([' ', '\t', ',']);
        let is_new = found.is_empty() || rest[..rest.len() - element.len()].contains(',');
        let is_other = |c: char| !c.is_ascii() || !is_token(&[c as u8]);
        let (word, behind) = element.split_at(element.find(is_other).unwrap_or(element.len()));
        rest = match behind.trim_start().strip_prefix('=') {
            // A name and its value: a parameter of the previous scheme.
            Some(value) => {
                let Some((value, behind)) = parameter_value(value.trim_start()) else { break };
                if let Some((_, fields)) = found.last_mut() {
                    fields.push((word.to_owned(), value));
                }
                behind
            }
            None if is_new && !word.is_empty() => {
                found.push((word.to_owned(), Vec::new()));
                behind
            }
            // The token68 of a scheme, or text that breaks the grammar.
            None => &element[element.find(',').unwrap_or(element.len())..],
        };
    }
    found
}

/// A token or a quoted-string, and the text after it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let (mut value, mut chars) = (String::new(), inside.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, &inside[at + 1..])),
            '\\' => value.push(chars.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::head::HeadKind;

    fn challenge(headers: &str) -> Option<Challenge> {
        let text = format!("HTTP/1.1 401 Unauthorized\r\n{headers}\r\n");
        Challenge::of(&Head::parse(HeadKind::Response, text.as_bytes()))
    }

    /// RFC 7616 §3.9.1.
    const EXAMPLE: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
        opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn answered(algorithm: &str) -> String {
        let header = format!("WWW-Authenticate: Digest algorithm={algorithm}, {EXAMPLE}\r\n");
        let found = challenge(&header).expect("a challenge");
        let nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        found.answer("GET", "/dir/index.html", "Mufasa", "Circle of Life", nonce)
    }

    #[test]
    fn the_examples_of_the_rfc_are_met() {
        let md5 = answered("MD5");
        assert!(md5.contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""), "{md5}");
        let sha = answered("SHA-256");
        let response = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert!(sha.contains(&format!("response=\"{response}\"")), "{sha}");
        assert!(sha.contains("algorithm=SHA-256, qop=auth, nc=00000001, cnonce="), "{sha}");
        assert!(sha.ends_with("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""), "{sha}");
    }

    #[test]
    fn the_old_form_has_no_qop() {
        // The values of RFC 2617 §3.5, without qop.
        let found = challenge(
            "WWW-Authenticate: Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"\r\n",
        );
        let value = found.expect("a challenge").answer(
            "GET",
            "/dir/index.html",
            "Mufasa",
            "Circle Of Life",
            "x",
        );
        assert!(value.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{value}");
        assert!(!value.contains("qop") && !value.contains("cnonce"));
    }

    #[test]
    fn the_first_that_can_be_answered_is_taken() {
        let both = format!(
            "WWW-Authenticate: Basic realm=\"a, b\", Digest algorithm=SHA-512-256, {EXAMPLE}, Digest stale=TRUE, algorithm=MD5-sess, {EXAMPLE}\r\n"
        );
        let found = challenge(&both).expect("the second");
        assert!(found.is_session && found.is_stale && found.algorithm == Algorithm::Md5);
        assert_eq!(challenge("WWW-Authenticate: Basic realm=\"x\"\r\n"), None);
        let only = "WWW-Authenticate: Digest realm=\"x\", nonce=\"y\", qop=\"auth-int\"\r\n";
        assert_eq!(challenge(only), None);
    }

    #[test]
    fn what_belongs_to_no_scheme_is_skipped() {
        for before in ["Negotiate YII/a+b==, ", "NTLM TlRM, ", ", ,Basic realm=x, ", "é, "] {
            let found = challenge(&format!("WWW-Authenticate: {before}Digest {EXAMPLE}\r\n"));
            assert!(found.is_some(), "{before}");
        }
        let names = |value: &[u8]| challenges(value).into_iter().map(|it| it.0).collect::<Vec<_>>();
        assert_eq!(
            names(b"Negotiate YII/a+b==,,NTLM TlRM,Basic realm=\"x, Digest"),
            ["Negotiate", "NTLM", "Basic"]
        );
    }

    #[test]
    fn no_header_can_make_it_panic() {
        for odd in [
            "=",
            "Digest",
            "Digest \"",
            "Digest realm",
            "Digest realm=\"\\",
            "\u{e9}=x",
            ",,,",
            "Digest realm=\u{e9}\",x",
        ] {
            assert_eq!(challenge(&format!("WWW-Authenticate: {odd}\r\n")), None);
        }
        let quotes = challenge("WWW-Authenticate: Digest realm=\"a\\\"b\", nonce=n\r\n");
        assert!(
            quotes.expect("legal").answer("GET", "/", "u\"", "p", "c").contains("realm=\"a\\\"b\"")
        );
    }
}
