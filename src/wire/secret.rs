//! Which headers, query parameters and subprotocols are secret, by their names.
//!
//! All code that redacts, warns about or omits credentials uses this table; `docs/secrets.md` lists
//! it.

/// A name is secret if it contains one of these, in any letter case.
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

/// A name is secret if it contains one of these as a whole word: `sig`, `X-Sig`.
const WORDS: [&str; 2] = ["sig", "pwd"];

/// Names that contain one of [`PARTS`] but are not secret: values that are valid for one handshake,
/// and challenges of a server (RFC 6455 §11.3, RFC 9110 §11.6.1 and §11.7.1).
const HARMLESS: [&str; 4] =
    ["sec-websocket-key", "sec-websocket-accept", "www-authenticate", "proxy-authenticate"];

/// Whether the value with this name is secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    if HARMLESS.contains(&name.as_str()) {
        return false;
    }
    // Names of authors are not secret.
    let name = name.replace("authoriz", "auth").replace("author", "");
    let mut words = name.split(|c: char| !c.is_ascii_alphabetic());
    PARTS.iter().any(|part| name.contains(part)) || words.any(|word| WORDS.contains(&word))
}

/// Whether a name is that of a credential itself, such as `access_token` or `X-Api-Key`, and not of
/// something about one, such as `keyword`, nor of a password, which may be any text.
pub fn is_credential(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    is_secret(name) && PARTS.iter().any(|part| lower.ends_with(part))
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
