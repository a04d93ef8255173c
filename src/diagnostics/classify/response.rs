//! A status other than 101: what answered, and why it did not upgrade.
//!
//! A status can lie (a 404 for a refused Origin, a 400 for a wrong path), so headers and body are
//! asked before the number.

use super::application::path_hint;
use super::findings::Findings;
use crate::diagnostics::sniff::{contains, contains_word};
use crate::diagnostics::url::Url;
use crate::diagnostics::{Diagnostic, Facts, Place, Severity, Span};
use crate::wire::Role;
use crate::wire::head::Head;

/// Redirects that are not followed.
const MAX_HOPS: usize = 5;

/// How a note begins that quotes the body.
pub const BODY: &str = "the body: ";

/// Headers that show which hop answered.
const HOPS: [&str; 5] = ["Server", "Via", "X-Cache", "CF-Ray", "X-Powered-By"];

pub(super) fn refusal(facts: &Facts<'_>, found: &mut Findings) {
    let Some(head) = facts.response else { return };
    let Some(line) = head.status_line() else { return };
    if line.code == 101 {
        return;
    }
    let answer = RefusalResponse { facts, head, body: facts.body, status: line.code };
    let code = answer.code();
    found.add(code, |d| answer.explain(d));
}

/// A response to be explained.
struct RefusalResponse<'a> {
    facts: &'a Facts<'a>,
    head: &'a Head,
    body: &'a [u8],
    status: u16,
}

impl RefusalResponse<'_> {
    fn code(&self) -> &'static str {
        let by_tls = self.tls();
        by_tls
            .or_else(|| match self.status {
                300..=399 => self.redirect(),
                403 => self.forbidden(),
                404 => self.not_found(),
                _ => None,
            })
            .or_else(|| self.challenge())
            .or_else(|| self.page())
            .or_else(|| self.handshake())
            .unwrap_or(self.by_status())
    }

    fn by_status(&self) -> &'static str {
        match self.status {
            // The same numbers have other meanings, or none, where Cloudflare did not answer.
            520..=530 if !self.server("cloudflare") => "W341",
            status => of_status(status),
        }
    }

    /// Plain text on a TLS port, certificates, ALPN.
    fn tls(&self) -> Option<&'static str> {
        let contains = |text: &str| contains_word(self.body, text);
        if self.status == 400
            && (contains("plain http request was sent to https port")
                || contains("http request to an https server")
                || contains("speaking plain http to an ssl-enabled"))
        {
            return Some("W204");
        }
        if contains("missing alpn protocol") {
            return Some("W215");
        }
        let wanted = contains("no required ssl certificate") || contains("ssl certificate error");
        let wanted = wanted || contains("client certificate");
        (matches!(self.status, 400 | 403) && wanted).then_some("W212")
    }

    fn redirect(&self) -> Option<&'static str> {
        let hops = self.facts.hops;
        let repeated = hops.iter().enumerate().any(|(at, hop)| hops[..at].contains(hop));
        if hops.len() > MAX_HOPS || repeated {
            return Some("W313");
        }
        let location = self.header("Location")?;
        let location = String::from_utf8_lossy(location).to_ascii_lowercase();
        let words = ["login", "signin", "sign-in", "sign_in", "/auth", "sso", "oauth", "saml"];
        if words.iter().any(|word| location.contains(word)) {
            return Some("W312");
        }
        let asked = self.facts.url.map(Url::of)?;
        let to = Url::of(&location);
        let flips =
            !asked.is_secure() && to.is_secure() && to.host.eq_ignore_ascii_case(asked.host);
        flips.then_some("W311")
    }

    fn forbidden(&self) -> Option<&'static str> {
        if let Some(probe) = self.facts.origin_probe {
            match (probe.with_origin, probe.status) {
                (true, 101) if self.sent("Origin") => return Some("W327"),
                (true, status) if status != 403 => return Some("W328"),
                _ => {}
            }
        }
        if self.header("cf-mitigated").is_some() {
            return Some("W330");
        }
        // tornado writes "Cross origin websockets not allowed", others use other words.
        if self.sent("Origin") && contains_word(self.body, "origin") {
            return Some("W327");
        }
        let amazon =
            self.head.headers().any(|f| f.name.to_ascii_lowercase().starts_with(b"x-amzn"));
        if amazon && contains(self.body, b"\"Forbidden\"") {
            return Some("W331");
        }
        self.server("envoy").then_some("W329")
    }

    fn not_found(&self) -> Option<&'static str> {
        let plain = self.content_type("text/plain");
        if plain && self.body.trim_ascii() == b"Page not found" {
            return Some("W333");
        }
        let without = ["wsgiserver", "werkzeug", "uvicorn", "gunicorn"];
        without.iter().any(|server| self.server(server)).then_some("W335")
    }

    fn challenge(&self) -> Option<&'static str> {
        let mitigated = self.header("cf-mitigated").is_some();
        let page = contains_word(self.body, "just a moment...") || mitigated;
        (matches!(self.status, 403 | 503) && page).then_some("W330")
    }

    /// What lives at the path, recognised by the body.
    fn page(&self) -> Option<&'static str> {
        if self.content_type("text/event-stream") {
            return Some("W301");
        }
        let body = self.body.trim_ascii_start();
        let answered = matches!(self.status, 200..=299 | 400);
        if !answered {
            return None;
        }
        let sockjs = body.starts_with(b"Welcome to SockJS")
            || (body.starts_with(b"{") && contains(body, b"\"websocket\":"));
        if sockjs && self.status < 300 {
            return Some("W302");
        }
        if body.starts_with(b"0{\"sid\"") {
            return Some("W303");
        }
        if engine_io_error(body) {
            return Some(if self.status == 200 { "W303" } else { "W324" });
        }
        let json = self.content_type("application/json") || self.content_type("graphql-response");
        let shaped = contains(body, b"\"errors\"") || contains(body, b"\"data\"");
        if json && shaped && self.path().contains("graphql") {
            return Some("W304");
        }
        (self.status == 200 && self.content_type("text/html")).then_some("W300")
    }

    /// What the server dislikes in the handshake itself.
    fn handshake(&self) -> Option<&'static str> {
        if !(400..=500).contains(&self.status) {
            return None;
        }
        let asked = self.facts.request.is_none_or(|head| head.has_token("Upgrade", "websocket"));
        // A server sees itself that the request did not ask; a hop may have removed it.
        if self.facts.role == Role::Server && !asked {
            return Some("W320");
        }
        if self.header("Sec-WebSocket-Version").is_some() {
            return Some("W321");
        }
        let contains = |text: &str| contains_word(self.body, text);
        if contains("cookie too large")
            || contains("header fields too large")
            || contains("header too large")
        {
            return Some("W325");
        }
        if contains("sec-websocket-") {
            return Some("W322");
        }
        let upgrade = [
            "upgrade required",
            "invalid upgrade header",
            "can \"upgrade\" only",
            "not a websocket",
            "missing upgrade",
            "expected upgrade",
        ];
        let removed = self.status == 426 || upgrade.iter().any(|text| contains(text));
        (asked && removed).then_some("W320")
    }

    fn explain(&self, d: Diagnostic) -> Diagnostic {
        let span = self.span(d.entry.code);
        let shows = |name: &str| {
            let start = span.bytes.get(..name.len()).unwrap_or_default();
            span.place != Place::Body && start.eq_ignore_ascii_case(name.as_bytes())
        };
        // What the excerpt shows is not repeated in a note.
        let hops: Vec<_> = HOPS.iter().filter(|name| !shows(name)).collect();
        let body = self.body_start().filter(|_| span.place != Place::Body);
        let d = d.at(span);
        let d = hops.into_iter().fold(d, |d, name| {
            let value = self.header(name).map(String::from_utf8_lossy);
            d.note_if(value.map(|value| format!("{name}: {value}")))
        });
        let d = d.note_if(body).note_if(path_hint(self.facts));
        match d.entry.code {
            "W310" | "W311" => match self.location() {
                Some(to) => d.help(format!("use `{to}`")),
                None => d.note("there is no Location header"),
            },
            "W313" => d.note(format!("the chain: {}", self.facts.hops.join(" → "))),
            "W321" => {
                let lists_13 = self.head.has_token("Sec-WebSocket-Version", "13");
                let sent_13 = self
                    .facts
                    .request
                    .is_some_and(|request| request.get("Sec-WebSocket-Version") == Some(b"13"));
                let altered = "13 is listed and 13 was sent: the header was changed on the way";
                d.note_if((lists_13 && sent_13).then_some(altered))
            }
            "W344" => d.note_if(self.note_of("Retry-After", "it says when to come back")),
            "W345" => d.note_if(
                self.facts
                    .response_after
                    .map(|after| format!("the answer took {:.1} s", after.as_secs_f64())),
            ),
            // An Origin that is there already is not missing.
            "W332" if self.sent("Origin") => {
                d.help("check the credentials and the application's log, then the Origin sent")
            }
            // The probe has shown which one is taken: the server's own.
            "W328" => match self.facts.url.map(Url::of) {
                Some(url) => {
                    let scheme = if url.is_secure() { "https" } else { "http" };
                    let port = url.port.map(|port| format!(":{port}")).unwrap_or_default();
                    d.help(format!("send one: `-o {scheme}://{}{port}`", url.host))
                }
                None => d,
            },
            "W320"
                if self.facts.request.is_some_and(|request| request.get("Upgrade").is_none()) =>
            {
                let whose = match self.facts.role {
                    Role::Client => "our own request had no Upgrade",
                    Role::Server => "the request that came had no Upgrade",
                };
                d.note(whose).severity(Severity::Error)
            }
            _ => d,
        }
    }

    /// The line that explains most.
    fn span(&self, code: &str) -> Span {
        let header = match code {
            "W300" | "W301" => "Content-Type",
            "W310" | "W311" | "W312" | "W313" => "Location",
            "W321" => "Sec-WebSocket-Version",
            "W326" => "WWW-Authenticate",
            "W329" => "Server",
            "W330" => "cf-mitigated",
            "W336" => "Allow",
            "W340" => "Retry-After",
            "W322" | "W303" | "W324" | "W302" | "W204" | "W215" | "W333" => {
                let body = Span::body(self.body);
                return body.unwrap_or_else(|| Span::start_line(self.head, ""));
            }
            _ => return Span::start_line(self.head, ""),
        };
        Span::header_or_start(self.head, header, "")
    }

    fn body_start(&self) -> Option<String> {
        /// The length of a meaningful line of an error page.
        const SHOWN: usize = 512;
        let start = &self.body[..self.body.len().min(SHOWN)];
        let text = String::from_utf8_lossy(start);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let more = if self.body.len() > SHOWN { " …" } else { "" };
        (!line.is_empty()).then(|| format!("{BODY}{line}{more}"))
    }

    fn location(&self) -> Option<String> {
        let to = String::from_utf8_lossy(self.header("Location")?).into_owned();
        // RFC 9110 §10.2.2: a relative reference is resolved against the target URI.
        let origin = self.facts.url.map(|url| Url::of(url).origin());
        let is_path = to.starts_with('/') && !to.starts_with("//");
        let to = if is_path { origin.unwrap_or_default() + &to } else { to };
        Some(to.replacen("http", "ws", usize::from(to.starts_with("http"))))
    }

    fn note_of(&self, name: &str, what: &str) -> Option<String> {
        let value = self.header(name).map(String::from_utf8_lossy)?;
        Some(format!("{what}: {name} {value}"))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.head.headers().find(|f| f.name.eq_ignore_ascii_case(name.as_bytes())).map(|f| f.value)
    }

    fn sent(&self, name: &str) -> bool {
        self.facts.request.is_some_and(|request| request.get(name).is_some())
    }

    fn server(&self, word: &str) -> bool {
        self.header("Server").is_some_and(|server| contains_word(server, word))
    }

    fn content_type(&self, word: &str) -> bool {
        self.header("Content-Type").is_some_and(|value| contains_word(value, word))
    }

    fn path(&self) -> String {
        let typed = self.facts.url.map(|url| Url::of(url).path.to_ascii_lowercase());
        typed.unwrap_or_default()
    }
}

/// `{"code":3,"message":"Bad request"}` and what older versions write.
pub(super) fn engine_io_error(body: &[u8]) -> bool {
    let words: [&[u8]; 3] =
        [b"Transport unknown", b"Session ID unknown", b"Unsupported protocol version"];
    let shape = body.starts_with(b"{\"code\":") && contains(body, b"\"message\"");
    shape || words.iter().any(|word| contains(body, word))
}

/// The code of the entry for a status other than 101, where nothing but the number is known.
pub fn of_status(status: u16) -> &'static str {
    match status {
        200..=299 => "W305",
        300..=399 => "W310",
        401 => "W326",
        403 => "W332",
        404 => "W334",
        405 => "W336",
        406 | 415 => "W337",
        408 => "W338",
        410 | 451 => "W339",
        421 => "W211",
        426 => "W320",
        429 => "W340",
        431 => "W325",
        495 | 496 => "W212",
        502 => "W343",
        503 => "W344",
        504 => "W345",
        505 => "W346",
        520..=530 => "W347",
        500..=599 => "W341",
        // A 400, and what the registry gives no meaning that matters here.
        _ => "W323",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_an_entry() {
        for status in 0..=999 {
            let entry = crate::diagnostics::entry(of_status(status));
            assert!(entry.is_some(), "{status}");
        }
    }
}
