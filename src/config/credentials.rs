//! `-u`, `--bearer`: credentials, as headers.
//!
//! This file decides the source of a secret and the sent value. Other code reads files, variables
//! and the terminal.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use thiserror::Error;

use crate::net::secret::Secret;

/// `-u USER[:PASSWORD]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name; may be empty.
    pub name: String,
    /// The password; without one, wscope asks for it on the terminal.
    pub password: Option<Secret>,
}

/// `--bearer`: the source of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// Typed.
    Given(Secret),
    /// `@FILE`, or `@-` for stdin.
    File(String),
    /// `env:NAME`.
    Variable(String),
}

/// `--cookie`: cookies as typed, or a file of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CookieSource {
    /// `NAME=VALUE`, or several with `; ` between them.
    Given(Secret),
    /// `@FILE`, in Netscape's format.
    File(String),
}

/// Why credentials can't be sent. The errors contain no secrets.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// A control character in a name or password.
    #[error(
        "the user name or password has a control character, which Basic can't carry (RFC 7617 §2)"
    )]
    Control,
    /// An empty token.
    #[error("the bearer token is empty")]
    EmptyToken,
    /// A token with an invalid character.
    #[error(
        "the bearer token has {found:?} at byte {offset}; a token has only letters, digits and -._~+/= (RFC 6750 §2.1)"
    )]
    BadToken {
        /// The character.
        found: char,
        /// The position, in bytes.
        offset: usize,
    },
    /// Neither `NAME=VALUE` nor `@FILE`.
    #[error("--cookie takes NAME=VALUE, or @FILE for a file in Netscape's format")]
    NoCookie,
    /// `@` or `env:` without a name.
    #[error("--bearer {form} needs a name after it")]
    NoName {
        /// `@` or `env:`.
        form: &'static str,
    },
}

impl User {
    /// Reads `name`, `name:` or `name:password`. RFC 7617 §2: "a user-id containing a colon
    /// character is invalid", so the first colon ends it.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            Some((name, password)) => {
                Self { name: name.to_owned(), password: Some(Secret::new(password)) }
            }
            None => Self { name: text.to_owned(), password: None },
        }
    }

    /// The question on a terminal.
    pub fn question(&self) -> String {
        format!("password of {}: ", self.name)
    }

    /// The value of Authorization or Proxy-Authorization with this password.
    ///
    /// # Errors
    ///
    /// RFC 7617 §2: "The user-id and password MUST NOT contain any control characters".
    pub fn basic(&self, password: &Secret) -> Result<Secret, CredentialError> {
        let credentials = format!("{}:{}", self.name, password.reveal());
        if credentials.chars().any(char::is_control) {
            return Err(CredentialError::Control);
        }
        Ok(Secret::new(format!("Basic {}", BASE64_STANDARD.encode(credentials))))
    }
}

impl TokenSource {
    /// Reads `TOKEN`, `@FILE` or `env:NAME`.
    ///
    /// # Errors
    ///
    /// A file or a variable without a name.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        match (text.strip_prefix('@'), text.strip_prefix("env:")) {
            (Some(""), _) => Err(CredentialError::NoName { form: "@" }),
            (_, Some("")) => Err(CredentialError::NoName { form: "env:" }),
            (Some(file), _) => Ok(Self::File(file.to_owned())),
            (_, Some(name)) => Ok(Self::Variable(name.to_owned())),
            _ => Ok(Self::Given(Secret::new(text))),
        }
    }
}

impl CookieSource {
    /// Reads `NAME=VALUE` or `@FILE`.
    ///
    /// # Errors
    ///
    /// It is neither. The error does not show the text, because it may be a value without its name.
    pub fn parse(text: &str) -> Result<Self, CredentialError> {
        match text.strip_prefix('@') {
            Some(file) if !file.is_empty() => Ok(Self::File(file.to_owned())),
            None if text.contains('=') && !text.contains(char::is_control) => {
                Ok(Self::Given(Secret::new(text)))
            }
            _ => Err(CredentialError::NoCookie),
        }
    }
}

/// The Cookie header for the typed cookies and those of a jar. RFC 6265 §5.4: "the user agent MUST
/// NOT attach more than one Cookie header field".
pub fn cookie_header<'a>(
    given: impl IntoIterator<Item = &'a Secret>,
    from_jar: Option<&'a str>,
) -> Option<Secret> {
    let given = given.into_iter().map(|secret| secret.reveal().trim().trim_end_matches(';'));
    let parts: Vec<&str> = given.chain(from_jar).collect();
    (!parts.is_empty()).then(|| Secret::new(parts.join("; ")))
}

/// The value of Authorization for a token. White space around the token, such as a file's last line
/// end, is not part of it.
///
/// # Errors
///
/// RFC 6750 §2.1: `b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
pub fn bearer(token: &Secret) -> Result<Secret, CredentialError> {
    let token = token.reveal().trim();
    let legal = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
    match token.char_indices().find(|(_, c)| !legal(*c)) {
        Some((offset, found)) => Err(CredentialError::BadToken { found, offset }),
        None if token.is_empty() => Err(CredentialError::EmptyToken),
        None => Ok(Secret::new(format!("Bearer {token}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_colon_ends_the_name() {
        let user = User::parse("me:a:b");
        assert_eq!((user.name.as_str(), user.password), ("me", Some(Secret::new("a:b"))));
        assert_eq!(User::parse("me:").password, Some(Secret::new("")));
        let asked = User::parse("me");
        assert_eq!((asked.question().as_str(), asked.password), ("password of me: ", None));
    }

    #[test]
    fn basic_is_that_of_the_rfc() {
        // RFC 7617 §2, the example.
        let user = User::parse("Aladdin:open sesame");
        let value = user.basic(&Secret::new("open sesame")).expect("legal");
        assert_eq!(value.reveal(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(user.basic(&Secret::new("a\nb")), Err(CredentialError::Control));
    }

    #[test]
    fn a_token_comes_from_three_places() {
        assert_eq!(TokenSource::parse("abc"), Ok(TokenSource::Given(Secret::new("abc"))));
        assert_eq!(TokenSource::parse("@-"), Ok(TokenSource::File("-".to_owned())));
        assert_eq!(TokenSource::parse("env:T"), Ok(TokenSource::Variable("T".to_owned())));
        for form in ["@", "env:"] {
            assert_eq!(TokenSource::parse(form), Err(CredentialError::NoName { form }));
        }
    }

    #[test]
    fn cookies_are_typed_or_in_a_file_and_sent_as_one_header() {
        let given = CookieSource::parse("a=1;").expect("a cookie");
        assert_eq!(given, CookieSource::Given(Secret::new("a=1;")));
        assert_eq!(CookieSource::parse("@jar"), Ok(CookieSource::File("jar".to_owned())));
        for wrong in ["", "@", "hunter2", "a=b\n"] {
            assert_eq!(CookieSource::parse(wrong), Err(CredentialError::NoCookie), "{wrong}");
        }
        let typed = [Secret::new("a=1;"), Secret::new("b=2")];
        assert_eq!(cookie_header(&typed, Some("c=3")), Some(Secret::new("a=1; b=2; c=3")));
        assert_eq!(cookie_header(&[], None), None);
    }

    #[test]
    fn a_token_is_checked_and_trimmed() {
        assert_eq!(bearer(&Secret::new(" a.b-c=\r\n")).expect("legal").reveal(), "Bearer a.b-c=");
        assert_eq!(bearer(&Secret::new("\n")), Err(CredentialError::EmptyToken));
        let error = bearer(&Secret::new("ab c")).expect_err("a space");
        assert_eq!(error, CredentialError::BadToken { found: ' ', offset: 2 });
    }
}
