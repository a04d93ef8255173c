//! All cookies of a run: what responses set, what requests carry.

use std::fmt::Write as _;

use super::{Cookie, CookieScope};

/// Cookies in the order they were made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jar {
    cookies: Vec<Cookie>,
}

impl Jar {
    /// Puts a cookie in; one of the same name, domain and path gives way but lends it its place
    /// in the order (RFC 6265 §5.3, step 11). One that is over only removes.
    pub fn put(&mut self, cookie: Cookie, now: i64) {
        let same = |other: &Cookie| {
            other.name == cookie.name && other.domain == cookie.domain && other.path == cookie.path
        };
        let at = self.cookies.iter().position(same);
        match (at, cookie.is_over(now)) {
            (Some(at), true) => {
                self.cookies.remove(at);
            }
            (Some(at), false) => self.cookies[at] = cookie,
            (None, true) => {}
            (None, false) => self.cookies.push(cookie),
        }
    }

    /// The value of the Cookie header for a request; `None` if it carries none.
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

    /// The file that `--cookie-jar` writes, in Netscape's format. A cookie of the session has
    /// the time 0, as curl writes it.
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
                if cookie.http_only { super::netscape::HTTP_ONLY } else { "" },
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
