//! Lines that no history keeps.
//!
//! A guess by the shape of the text, on the careful side: a line too few in the history is a
//! nuisance, a password in a file is worse. Knows no file.

use std::sync::LazyLock;

use regex::Regex;

/// Shapes of secrets, case ignored.
const SHAPES: &str = r#"(?xi)
    # Fields of HTTP: `Authorization: …`, `Proxy-Authorization: …`, `Cookie: …`, `Set-Cookie: …`
    (?: ^ | [^\w-] ) (?: (?:proxy-)? authorization | (?:set-)? cookie ) [\\"']* \s* [:=] \s* \S
    # Credentials anywhere: `Bearer eyJ…`
  | \b bearer \s+ \S
    # `scheme://user:password@host`
  | \b [a-z][a-z0-9+.-]* :// [^/\s?\#@:]* : [^/\s?\#@]+ @
    # A key with a value, in JSON, in a query, in a form: `"access_token": "…"`, `?api-key=…`
  | (?: password | passwd | passphrase | passcode | \b pwd | token | secret | api[_-]?key | session
      | signature | \b sig | credential | \b auth | \b jwt ) [\w-]*
    [\\"']* \s* [:=] \s* [\\"']* [^\s\\"'&,;}\]]
"#;

static SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SHAPES).ok());

/// Whether a line looks as if it held a password, a token, a cookie or other credentials.
pub fn holds_secret(line: &str) -> bool {
    SHAPE.as_ref().is_none_or(|shape| shape.is_match(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_secrets() {
        assert!(SHAPE.is_some(), "the shapes are a regular expression");
        for line in [
            "Authorization: Basic dXNlcjpwYXNz",
            "/headers authorization: Bearer abc",
            "/headers Proxy-Authorization:x",
            "Cookie: session=1",
            "set-cookie: a=b",
            r#"{"headers":{"Authorization":"Basic eA=="}}"#,
            "send Bearer eyJhbGciOi",
            "BEARER  x",
            "/open wss://user:pw@example.com/",
            "/open ws://:pw@example.com",
            "wss://user:p%40ss@[::1]:8080/path",
            r#"{"type":"login","password":"hunter2"}"#,
            r#"{"Password" : "hunter2"}"#,
            r#"{\"passwd\":\"hunter2\"}"#,
            r#"{"token":12345}"#,
            r#"{"access_token":"x"}"#,
            r#"{"refreshToken": "x"}"#,
            r#"{"tokenValue": "x"}"#,
            r#"{'client_secret':'x'}"#,
            "/open wss://example.com/?api_key=abc",
            "/open wss://example.com/?a=1&apikey=abc",
            "X-API-Key: abc",
            "/headers X-Auth: abc",
            "/open wss://example.com/?sig=abc",
            "X-Session-Id: abc",
            "/text CONNECT\\nlogin:guest\\npasscode:guest\\n\\n\\0",
            "pwd=abc",
            "access_token=abc",
            "password=hunter2",
            "first line\nsecret: x",
        ] {
            assert!(holds_secret(line), "{line}");
        }
    }

    #[test]
    fn everything_else_is_kept() {
        for line in [
            "",
            "hello",
            "/ping",
            "/open wss://example.com:8080/path@home",
            "/open wss://user@example.com/",
            "/open wss://example.com/a:b@c",
            "the authorization failed",
            "I lost my password",
            "forget your token, it is no secret",
            r#"{"type":"subscribe","channel":"tokens"}"#,
            r#"{"password":""}"#,
            r#"{"token": "", "a": 1}"#,
            "?token=&a=1",
            "a cookie and a forbearer",
            "cookies: two",
            "bearer",
            "mail me@example.com",
            "12:30 @ noon",
        ] {
            assert!(!holds_secret(line), "{line}");
        }
    }
}
