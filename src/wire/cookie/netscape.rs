//! The cookie file that Netscape began and curl, wget and browsers' extensions write: a cookie a
//! line, seven fields between tabs.

use thiserror::Error;

use super::Cookie;

/// What curl puts before the domain of a cookie that scripts must not see.
pub(super) const HTTP_ONLY: &str = "#HttpOnly_";

/// A line that is no cookie.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct NetscapeFault {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

/// Reads a whole file: its cookies, those that are over included, and the lines that are none.
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
    // Some programs leave an empty value out, with its tab.
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
    let expires: i64 = expires.parse().map_err(|_| "its fifth field is no number of seconds")?;
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
