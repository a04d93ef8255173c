//! Which headers, query parameters and subprotocols are secret, by their names.
//!
//! The only table for all code that redacts, warns or omits credentials; `docs/secrets.md` lists
//! it.

/// A name that has one of these anywhere in it is that of a secret, letter case ignored.
const PARTS: [&str; 11] = [
    "token",
    "key",
    "secret",
    "auth",
    "pass",
    "session",
    "signature",
    "credential",
    "bearer",
    "jwt",
    "cookie",
];

/// The same for these, as a word between other characters than letters: `sig`, `X-Sig`.
const WORDS: [&str; 2] = ["sig", "pwd"];

/// Names that have one of [`PARTS`] and hold no secret: nonces that are good for one handshake, and
/// what a server asks for (RFC 6455 §11.3, RFC 9110 §11.6.1 and §11.7.1).
const HARMLESS: [&str; 4] =
    ["sec-websocket-key", "sec-websocket-accept", "www-authenticate", "proxy-authenticate"];

/// Whether what goes by this name is secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    // Authors are public.
    let name = name.replace("authoriz", "auth").replace("author", "");
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    PARTS.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_decide_what_is_secret() {
        for name in [
            "Authorization",
            "Proxy-Authorization",
            "cookie",
            "Set-Cookie",
            "X-Api-Key",
            "X-Auth-Token",
            "access_token",
            "apikey",
            "sessionId",
            "sig",
            "X-Sig",
            "X-Amz-Signature",
            "password",
            "client_secret",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "Sec-WebSocket-Key",
            "sec-websocket-accept",
            "WWW-Authenticate",
            "Origin",
            "Host",
            "author",
            "design",
            "Sec-WebSocket-Protocol",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
