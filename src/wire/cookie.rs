//! Cookies (RFC 6265): the content of a Set-Cookie, and the cookies of a request.
//!
//! Works on texts, host names and times that are arguments. Uses no file and no clock.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use psl::Psl as _;
use thiserror::Error;

use super::http_date;

/// A cookie as it is stored (RFC 6265 §5.3).
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    /// Its name; may be empty in files of other programs.
    pub name: String,
    /// Its value; not shown by `Debug`.
    pub value: String,
    /// The host or domain that gets it, in lower case without a leading dot.
    pub domain: String,
    /// Whether only this exact host gets it, and no host below it.
    pub host_only: bool,
    /// The path it is for, beginning with `/`.
    pub path: String,
    /// Whether only TLS connections carry it.
    pub secure: bool,
    /// Whether scripts of a page must not see it; kept for the cookie file.
    pub http_only: bool,
    /// When it expires, in seconds since the Unix epoch; `None`: at the end of the session.
    pub expires: Option<i64>,
}

/// Where a cookie comes from, or where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CookieScope<'a> {
    /// The host in lower case, an IPv6 address without brackets.
    pub host: &'a str,
    /// The path of the URL; a query is not part of it and ignored.
    pub path: &'a str,
    /// Whether the connection uses TLS.
    pub secure: bool,
}

/// Why a Set-Cookie is ignored. Contains no cookie value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum CookieError {
    /// No `=`, or no name before it.
    #[error("a Set-Cookie without a name is ignored (RFC 6265 §5.2)")]
    NoName,
    /// A control character.
    #[error("the cookie {name:?} has a control character and is ignored")]
    Control {
        /// Its name.
        name: String,
    },
    /// A domain that the host is not part of.
    #[error(
        "the cookie {name:?} is for {domain:?}, which {host} is not part of; it is ignored (RFC 6265 §5.3)"
    )]
    ForeignDomain {
        /// Its name.
        name: String,
        /// The domain attribute.
        domain: String,
        /// The host that sent it.
        host: String,
    },
    /// A public suffix, below which anyone can register a name.
    #[error(
        "the cookie {name:?} is for all of {domain:?}, a public suffix; it is ignored (RFC 6265 \
         §5.3)"
    )]
    PublicSuffix {
        /// Its name.
        name: String,
        /// The domain attribute.
        domain: String,
    },
    /// A cookie with the attribute Secure, received without TLS.
    #[error("the cookie {name:?} is Secure but came without TLS; it is ignored, as browsers do")]
    NotSecure {
        /// Its name.
        name: String,
    },
    /// The attributes do not fulfil the requirements of the name's prefix.
    #[error(
        "the cookie {name:?} breaks the rule of its prefix: __Secure- needs Secure, __Host- also \
         Path=/ and no Domain; it is ignored (RFC 6265bis §4.1.3)"
    )]
    Prefix {
        /// Its name.
        name: String,
    },
}

impl Cookie {
    /// Parses the value of a Set-Cookie header, received from `from` at the time `now`.
    ///
    /// # Errors
    ///
    /// The header must be ignored.
    pub fn parse(text: &str, from: CookieScope<'_>, now: i64) -> Result<Self, CookieError> {
        let mut parts = text.split(';');
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .map(|(name, value)| (trim(name), trim(value)))
            .filter(|(name, _)| !name.is_empty())
            .ok_or(CookieError::NoName)?;
        let name_again = || name.to_owned();
        // A tab would break the line in the cookie file; curl refuses it for the same reason.
        if text.chars().any(char::is_control) {
            let name = name.chars().filter(|c| !c.is_control()).collect();
            return Err(CookieError::Control { name });
        }
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            domain: from.host.to_ascii_lowercase(),
            host_only: true,
            path: default_path(from.path).to_owned(),
            secure: false,
            http_only: false,
            expires: None,
        };
        let (mut max_age, mut has_domain, mut has_path) = (None, false, false);
        for part in parts {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (trim(key), trim(value));
            if key.eq_ignore_ascii_case("expires") {
                cookie.expires = http_date::parse(value).or(cookie.expires);
            } else if key.eq_ignore_ascii_case("max-age") {
                max_age = seconds(value).or(max_age);
            } else if key.eq_ignore_ascii_case("domain") {
                cookie.set_domain(value, from.host)?;
                has_domain = !value.is_empty();
            } else if key.eq_ignore_ascii_case("path") {
                // "If the attribute-value is empty or if the first character of the
                // attribute-value is not %x2F ("/"): let cookie-path be the default-path" §5.2.4.
                has_path = value.starts_with('/');
                let path = if has_path { value } else { default_path(from.path) };
                cookie.path = path.to_owned();
            } else if key.eq_ignore_ascii_case("secure") {
                cookie.secure = true;
            } else if key.eq_ignore_ascii_case("httponly") {
                cookie.http_only = true;
            }
        }
        // "If a cookie has both the Max-Age and the Expires attribute, the Max-Age attribute has
        // precedence" (§4.1.2.2).
        if let Some(age) = max_age {
            cookie.expires = Some(if age <= 0 { i64::MIN } else { now.saturating_add(age) });
        }
        if cookie.secure && !from.secure {
            return Err(CookieError::NotSecure { name: name_again() });
        }
        // "If the cookie-name begins with a case-insensitive match for the string "__Secure-", abort
        // this algorithm and ignore the cookie entirely unless the cookie's secure-only-flag is
        // true" (RFC 6265bis §5.7); for "__Host-" also unless its "host-only-flag is true" and its
        // "cookie-attribute-list contains an attribute with an attribute-name of "Path", and the
        // cookie's path is /".
        let begins = |prefix: &str| {
            name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
        };
        let for_host_alone = !has_domain && has_path && cookie.path == "/";
        if begins("__Secure-") && !cookie.secure
            || begins("__Host-") && !(cookie.secure && for_host_alone)
        {
            return Err(CookieError::Prefix { name: name_again() });
        }
        Ok(cookie)
    }

    /// §5.2.3 and §5.3, steps 4 to 6.
    fn set_domain(&mut self, value: &str, host: &str) -> Result<(), CookieError> {
        let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
        let public = is_public_suffix(&domain);
        if domain.is_empty() || domain.eq_ignore_ascii_case(host) {
            // An address or a public suffix is a domain of only one host: "If the domain-attribute
            // is identical to the canonicalized request-host: Let the domain-attribute be the empty
            // string." (§5.3, step 5)
            self.host_only = domain.is_empty() || is_address(host) || public;
            return Ok(());
        }
        let name = self.name.clone();
        if !domain_matches(host, &domain) {
            return Err(CookieError::ForeignDomain { name, domain, host: host.to_owned() });
        }
        // "Otherwise: Ignore the cookie entirely and abort these steps."
        if public {
            return Err(CookieError::PublicSuffix { name, domain });
        }
        (self.domain, self.host_only) = (domain, false);
        Ok(())
    }

    /// Whether a request to this scope carries the cookie at this time (§5.4, step 1).
    pub fn goes_to(&self, to: CookieScope<'_>, now: i64) -> bool {
        let for_host = match self.host_only {
            true => self.domain.eq_ignore_ascii_case(to.host),
            false => domain_matches(to.host, &self.domain),
        };
        for_host
            && path_matches(path_of(to.path), &self.path)
            && (to.secure || !self.secure)
            && !self.is_over(now)
    }

    /// Whether it has expired.
    pub fn is_over(&self, now: i64) -> bool {
        self.expires.is_some_and(|at| at <= now)
    }
}

/// Hides the value, because it can be used like a password.
impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie")
            .field("name", &self.name)
            .field("domain", &self.domain)
            .field("host_only", &self.host_only)
            .field("path", &self.path)
            .field("secure", &self.secure)
            .field("http_only", &self.http_only)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Max-Age (§5.2.2): digits, or `-` and digits. A number that is too large means forever.
fn seconds(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let limit = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Some(text.parse().unwrap_or(limit))
}

fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

/// §5.1.4: the path up to, but not including, its last slash; `/` if that leaves nothing.
fn default_path(target: &str) -> &str {
    let path = path_of(target);
    match path.rfind('/') {
        Some(at) if at > 0 && path.starts_with('/') => &path[..at],
        _ => "/",
    }
}

/// §5.1.3: the same name, or a name below it that is not an address.
fn domain_matches(host: &str, domain: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == domain
        || (!is_address(&host)
            && host.strip_suffix(domain).is_some_and(|below| below.ends_with('.')))
}

/// §5.1.4: the same path, or a path below it.
fn path_matches(path: &str, cookie_path: &str) -> bool {
    let path = if path.is_empty() { "/" } else { path };
    path.strip_prefix(cookie_path)
        .is_some_and(|rest| rest.is_empty() || cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// "A "public suffix" is a domain that is controlled by a public registry, such as "com", "co.uk",
/// and "pvt.k12.wy.us"." (§5.3) A name that is not in the list counts as a top-level domain.
fn is_public_suffix(domain: &str) -> bool {
    psl::List.suffix(domain.as_bytes()).is_some_and(|suffix| suffix == domain)
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

/// The prefix that curl writes before the domain of a cookie that scripts must not see.
const HTTP_ONLY: &str = "#HttpOnly_";

/// A line that is not a cookie.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct NetscapeFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Reads a cookie file: its cookies, including expired ones, and the lines that are not cookies.
pub fn read_netscape(text: &str) -> (Vec<Cookie>, Vec<NetscapeFault>) {
    let (mut cookies, mut faults) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate() {
        let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
            Some(rest) => (rest, true),
            None if line.trim().is_empty() || line.starts_with('#') => continue,
            None => (line, false),
        };
        match cookie(line, http_only) {
            Ok(cookie) => cookies.push(cookie),
            Err(what) => faults.push(NetscapeFault { line: index + 1, what }),
        }
    }
    (cookies, faults)
}

fn cookie(line: &str, http_only: bool) -> Result<Cookie, &'static str> {
    let mut fields = line.splitn(7, '\t');
    let mut next = || fields.next().ok_or("a cookie has seven fields with tabs between them");
    let (domain, below, path, secure, expires, name) =
        (next()?, next()?, next()?, next()?, next()?, next()?);
    // For an empty value, some programs also leave out the tab before it.
    let value = fields.next().unwrap_or_default();
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err("a control character stands in it");
    }
    let flag = |text: &str, what| match text {
        "TRUE" => Ok(true),
        "FALSE" => Ok(false),
        _ => Err(what),
    };
    let below = flag(below, "its second field is neither TRUE nor FALSE")?;
    let secure = flag(secure, "its fourth field is neither TRUE nor FALSE")?;
    let expires: i64 = expires.parse().map_err(|_| "its fifth field is not a number of seconds")?;
    let domain = domain.trim_start_matches('.').to_ascii_lowercase();
    if domain.is_empty() || domain.starts_with('#') || !path.starts_with('/') {
        return Err("its domain is none, or its path does not begin with a slash");
    }
    Ok(Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain,
        host_only: !below,
        path: path.to_owned(),
        secure,
        http_only,
        expires: (expires != 0).then_some(expires),
    })
}

/// Cookies in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jar {
    cookies: Vec<Cookie>,
    /// The index of each cookie by name, domain and path, because a file may contain a hundred
    /// thousand cookies.
    at: HashMap<[String; 3], usize>,
}

impl Jar {
    /// Stores a cookie. It replaces a cookie with the same name, domain and path, at the same place
    /// in the order (RFC 6265 §5.3, step 11). An expired cookie only removes the old one.
    pub fn put(&mut self, cookie: Cookie, now: i64) {
        let key = [cookie.name.clone(), cookie.domain.clone(), cookie.path.clone()];
        match (self.at.get(&key).copied(), cookie.is_over(now)) {
            (Some(at), true) => {
                self.cookies.remove(at);
                self.at.remove(&key);
                self.at.values_mut().filter(|other| **other > at).for_each(|other| *other -= 1);
            }
            (Some(at), false) => self.cookies[at] = cookie,
            (None, true) => {}
            (None, false) => {
                self.at.insert(key, self.cookies.len());
                self.cookies.push(cookie);
            }
        }
    }

    /// The value of the Cookie header for a request; `None` if no cookie applies.
    ///
    /// RFC 6265 §5.4, step 2: "Cookies with longer paths are listed before cookies with shorter
    /// paths", then those made earlier.
    pub fn header(&self, to: CookieScope<'_>, now: i64) -> Option<String> {
        let mut going: Vec<&Cookie> =
            self.cookies.iter().filter(|cookie| cookie.goes_to(to, now)).collect();
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pair = |cookie: &Cookie| match cookie.name.is_empty() {
            true => cookie.value.clone(),
            false => format!("{}={}", cookie.name, cookie.value),
        };
        let pairs: Vec<String> = going.into_iter().map(pair).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// The file that `--cookie-jar` writes, in Netscape's format. A session cookie has the time 0,
    /// as in curl's files.
    pub fn to_netscape(&self) -> String {
        let mut text = String::from(
            "# Netscape HTTP Cookie File\n\
             # written by wscope; whoever can read this file can be you\n\n",
        );
        let word = |set: bool| if set { "TRUE" } else { "FALSE" };
        for cookie in &self.cookies {
            let _ = writeln!(
                text,
                "{}{}{}\t{}\t{}\t{}\t{}\t{}\t{}",
                if cookie.http_only { HTTP_ONLY } else { "" },
                if cookie.host_only { "" } else { "." },
                cookie.domain,
                word(!cookie.host_only),
                cookie.path,
                word(cookie.secure),
                cookie.expires.unwrap_or(0),
                cookie.name,
                cookie.value,
            );
        }
        text
    }
}

#[cfg(test)]
mod tests;
