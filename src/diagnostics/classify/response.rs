//! A status other than 101: which program answered, and why it did not upgrade.
//!
//! A status can be misleading: a 404 for a refused Origin, a 400 for a wrong path. So headers and
//! body are checked before the number.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::application::path_hint;
use super::findings::Findings;
use crate::diagnostics::catalogue::tls::USE_WSS;
use crate::diagnostics::clue::plain_told;
use crate::diagnostics::facts::{Trial, Variation};
use crate::diagnostics::said::{self, Subject};
use crate::diagnostics::sniff::{contains, contains_word, engine_io_code};
use crate::diagnostics::url::Url;
use crate::diagnostics::{Clue, Confidence, Diagnostic, Facts, Place, Span, Supported};
use crate::wire::Role;
use crate::wire::head::{Head, HeaderField};

/// The words of the registered reason phrases from 400 on.
const PHRASES: &[u8] = b"bad request unauthorized payment required forbidden not found method allowed acceptable \
    proxy authentication timeout time out conflict gone length precondition failed content payload entity too \
    large uri long unsupported media type range satisfiable expectation i m am a teapot misdirected unprocessable \
    locked dependency early upgrade many requests header fields unavailable for legal reasons internal server \
    error implemented gateway service temporarily http version supported variant also negotiates insufficient \
    storage loop detected extended network";

/// The beginning of the body if `wscope proxy` answers instead of its upstream.
const OWN_PROXY: &str = "wscope proxy: ";

/// The most redirects in a chain; a longer chain is taken for a loop.
const MAX_HOPS: usize = 5;

/// The beginning of a note that quotes the body.
pub const BODY: &str = "the server's message: ";

/// The most characters of a message in a body. A longer body is a page.
const PAGE: usize = 600;

/// The most characters of the server's words that are shown.
const SHOWN: usize = 300;

/// The most characters of a sentence. A longer text is a page.
const SENTENCE: usize = 300;

/// The most characters of a reason in one line.
const REASON: usize = 160;

/// Words of pages that a program in front sends for many causes. They give no reason.
const STOCK_PAGES: [&str; 5] = [
    "due to maintenance downtime or capacity",
    "backend fetch failed",
    "ring-balancer",
    "http error 503. the service is unavailable",
    "herokucdn.com/error-pages/",
];

/// Causes that any refusal may have, with their clues and help.
const ANYWHERE: [(&str, Clue, &str); 2] = [
    (
        "the program or host that answers has no WebSocket support",
        Clue::Unable,
        "run the application under a server with WebSocket support, or correct the host of the URL",
    ),
    (
        "the server refuses the Host that was sent, or has no site for it",
        Clue::OtherHostSent,
        "leave out `--host`, or make the server accept that name",
    ),
];

/// A second cause if a proxy says that it has no server.
const NO_BACKEND: &str = "the proxy has no rule that selects a server for this Host or path";

/// Schemes of credentials that options of wscope send.
const SCHEMES: [&str; 3] = ["basic", "bearer", "digest"];

/// Phrases about upgrades that an application may also use for its own service.
const OF_SERVICE: [&str; 7] = [
    "upgrade",
    "upgraded",
    "websocket request",
    "websocket connection",
    "websocket client",
    "websocket endpoint",
    "websocket handshake",
];

/// With one of these words, such a phrase is about a lost handshake.
const OF_LOSS: [&str; 4] = ["header", "required", "missing", "expected"];

/// Words of a page for a thing that is not there.
const NOT_FOUND: [&str; 4] = ["not found", "not be found", "does not exist", "doesn't exist"];

/// Words of a limit that ends after some time.
const TIMES: [&str; 6] = ["second", "minute", "hour", "retry*", "later", "try again"];

/// The help for a limit without a known end.
const DELAYS: &str = "reconnect with growing, random delays, or raise the limit";

/// The endings of names of headers that may contain a reason.
const REASONS: [&str; 6] = ["error", "message", "reason", "description", "detail", "details"];

/// Headers that show which hop answered.
const HOPS: [&str; 6] = ["Server", "Via", "X-Cache", "CF-Ray", "X-Powered-By", "Ngrok-Error-Code"];

pub(super) fn refusal(facts: &Facts<'_>, found: &mut Findings<'_>) {
    // A server's own answer needs no explanation.
    let Some(head) = facts.response.filter(|_| facts.role == Role::Client) else { return };
    let Some(line) = head.status_line() else { return };
    if line.code == 101 {
        return;
    }
    let answer = RefusalResponse { facts, head, body: facts.body, status: line.code };
    let code = answer.code();
    found.add(code, |d| answer.explain(d));
}

/// A response that needs an explanation.
struct RefusalResponse<'a> {
    facts: &'a Facts<'a>,
    head: &'a Head,
    body: &'a [u8],
    status: u16,
}

impl RefusalResponse<'_> {
    fn code(&self) -> &'static str {
        let found = match self.status {
            300..=399 => self.redirect(),
            _ => None,
        };
        found
            .or_else(|| self.own_proxy().map(|_| self.by_status()))
            .or_else(|| self.opened())
            .or_else(|| self.interceptor(Clue::Interceptor))
            .or_else(|| self.tls())
            .or_else(|| self.origin())
            .or_else(|| self.own_code())
            .or_else(|| self.service())
            .or_else(|| self.unavailable())
            .or_else(|| self.page())
            .or_else(|| self.words())
            .or_else(|| Clue::SubprotocolNamed.seen(self.facts).map(|_| "W350"))
            .or_else(|| self.handshake())
            .or_else(|| self.plain_words())
            .or_else(|| Clue::Differs(Variation::NearHost).seen(self.facts).map(|_| "W351"))
            .or_else(|| self.interceptor(Clue::MaybeInterceptor))
            .unwrap_or(self.by_status())
    }

    /// The entry for an error with a number or a name of a service in front.
    fn own_code(&self) -> Option<&'static str> {
        let rbac =
            self.status == 403 && Clue::WholeBody("rbac: access denied").seen(self.facts).is_some();
        if rbac || Clue::CloudflareRule.seen(self.facts).is_some() {
            return Some("W332");
        }
        if [1001, 1003]
            .iter()
            .any(|number| Clue::CloudflareError(*number).seen(self.facts).is_some())
        {
            return Some("W351");
        }
        // A page about such errors contains their names, too.
        let page = self.status >= 400 && contains_word(self.body, "err_ngrok_");
        (page || self.header("Ngrok-Error-Code").is_some()).then(|| self.by_status())
    }

    /// The message of `wscope proxy` about its upstream.
    fn own_proxy(&self) -> Option<&[u8]> {
        let gateway = matches!(self.status, 502..=504);
        self.body.strip_prefix(OWN_PROXY.as_bytes()).filter(|_| gateway)
    }

    /// The code for a filter, if this clue shows one. A gateway's message about its upstream is true
    /// even if the gateway belongs to a filter.
    fn interceptor(&self, clue: Clue) -> Option<&'static str> {
        let gateway = matches!(self.status, 502..=504);
        clue.seen(self.facts).filter(|_| !gateway).map(|_| "W117")
    }

    fn by_status(&self) -> &'static str {
        match self.status {
            400.. if self.ngrok("err_ngrok_3200") || self.ngrok("err_ngrok_8012") => "W343",
            // Envoy answers 503 for every failure of its upstream.
            503 if Clue::Envoy("upstream connect error").seen(self.facts).is_some() => "W343",
            // Without Cloudflare, these numbers have other meanings, or none.
            520..=530 if !self.server("cloudflare") => "W341",
            // Apache answers 500 if its TLS to the upstream fails.
            500 if Clue::ApacheProxy("reason:").seen(self.facts).is_some() => "W343",
            464 if self.server("awselb") => "W346",
            404 if self.server("wsgiserver") || self.server("uvicorn") => "W335",
            status => of_status(status),
        }
    }

    fn ngrok(&self, code: &'static str) -> bool {
        contains_word(self.body, code) || Clue::Ngrok(code).seen(self.facts).is_some()
    }

    /// A plain request on a TLS port: on this one, or on one behind a proxy.
    fn tls(&self) -> Option<&'static str> {
        let secure = self.facts.url.is_some_and(|url| Url::of(url).is_secure());
        // RFC 2817 §4.2.
        let mut wanted = self.head.tokens("Upgrade");
        if self.status == 426 && !secure && wanted.any(|name| name.starts_with(b"TLS/")) {
            return Some("W204");
        }
        if !said::wants_tls(self.body) {
            return None;
        }
        let here = Clue::OtherSchemeAnswers.seen(self.facts).is_some();
        let clues = [Clue::OtherSchemeFails, Clue::KeptAlive];
        let behind = clues.iter().any(|clue| clue.seen(self.facts).is_some());
        let behind = behind || self.header("Via").is_some();
        let other = Clue::OtherPageOfTls.seen(self.facts).is_some();
        let behind = secure || ((behind || other) && !here);
        Some(if behind { "W353" } else { "W204" })
    }

    /// Whether a WebSocket opens in the trial with this difference.
    fn opens(&self, variation: Variation) -> bool {
        self.facts.trial(variation).and_then(Trial::status) == Some(101)
    }

    /// A refusal that another header prevents.
    fn opened(&self) -> Option<&'static str> {
        let opens = |variation| self.opens(variation);
        let other = [Variation::NoSubprotocol, Variation::Subprotocol].into_iter().any(opens);
        let subprotocol = other.then_some("W350");
        // The own Host also has the name that TLS sent (RFC 9110 §15.5.20).
        let host = opens(Variation::OwnHost) && self.status != 421;
        host.then_some("W351").or(subprotocol)
    }

    /// A refusal that another Origin prevents.
    fn origin(&self) -> Option<&'static str> {
        if self.opens(Variation::NoOrigin) {
            return Some("W327");
        }
        let sent = if self.sent("Origin") { "W327" } else { "W328" };
        let helps = self.opens(Variation::OwnOrigin);
        // With an accepted Origin, the server may still refuse for its next reason.
        let helps = helps
            || (self.status == 403
                && Clue::Differs(Variation::OwnOrigin).seen(self.facts).is_some());
        helps.then_some(sent)
    }

    /// The entry for a service in front that its headers or its page show.
    fn service(&self) -> Option<&'static str> {
        let challenge =
            self.header("cf-mitigated").is_some() || contains_word(self.body, "just a moment...");
        if matches!(self.status, 403 | 503) && challenge {
            return Some("W330");
        }
        let amazon =
            self.head.headers().any(|f| f.name.to_ascii_lowercase().starts_with(b"x-amzn"));
        let own = Clue::GatewayIds.seen(self.facts).is_some()
            || self.header("x-amzn-ErrorType").is_some();
        let forbidden = amazon && contains(self.body, b"\"Forbidden\"");
        if self.status == 403 && (own || forbidden) || self.status >= 500 && own {
            return Some("W331");
        }
        if self.status == 404
            && self.content_type("text/plain")
            && self.body.trim_ascii() == b"Page not found"
        {
            return Some("W333");
        }
        let empty = Clue::NoBody.seen(self.facts).is_some();
        // An answer of Envoy itself has no Content-Type if it has no body.
        let own = empty && self.header("Content-Type").is_none();
        (self.status == 403 && self.server("envoy") && own).then_some("W329")
    }

    /// The entry for a success whose words say that the service is unavailable.
    fn unavailable(&self) -> Option<&'static str> {
        let text = self.text();
        let told = self.is_success() && text.len() <= PAGE && said::is_unavailable(&text);
        told.then_some("W344")
    }

    fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The entry for the server's own words.
    fn words(&self) -> Option<&'static str> {
        if self.status >= 400 && Clue::UpgradeFailed.seen(self.facts).is_some() {
            // Other statuses have a meaning of their own, and so do these headers.
            let open = matches!(self.status, 400 | 426 | 500 | 501);
            let told = ["WWW-Authenticate", "Proxy-Authenticate", "Retry-After"];
            let open = open && told.iter().all(|name| self.header(name).is_none());
            return open.then_some("W320");
        }
        // A gateway's page is about the gateway, and a whole page may be about anything.
        let said = said::sentence(self.body).filter(|sentence| !said::is_vague(sentence));
        let text = said.unwrap_or_else(|| self.text());
        let page = self.status < 400 || (502..=504).contains(&self.status);
        let html = self.content_type("text/html") && self.body.trim_ascii_start().starts_with(b"<");
        if page && (html || text.len() > PAGE) {
            return None;
        }
        let start = text.get(..PAGE).unwrap_or(&text);
        // Stock sentences say nothing about this refusal.
        let (subject, phrase) = said::subject(&said::without_stock(start))?;
        // Such a page mentions permission for every cause.
        if subject == Subject::Credentials && Clue::ProxyPage.seen(self.facts).is_some() {
            return None;
        }
        // A filter's page mentions permission, too.
        if phrase == "permission" && self.interceptor(Clue::MaybeInterceptor).is_some() {
            return None;
        }
        // The words in a program's error are its own names.
        let raised = ["fatal error", "uncaught", "exception", "traceback", "stack trace", "panic"];
        if self.status >= 500 && raised.iter().any(|word| said::says(start, word)) {
            return None;
        }
        Some(match subject {
            // A gateway that can't connect describes its own way to the server.
            Subject::Tls | Subject::Certificate | Subject::Alpn if self.status > 500 => {
                return None;
            }
            Subject::Tls if phrase.starts_with("use ") && !self.asks_for_tls(start) => return None,
            Subject::Tls if self.facts.url.is_some_and(|url| !Url::of(url).is_secure()) => "W204",
            Subject::Tls => return None,
            // Without TLS, there is no client certificate.
            Subject::Certificate
                if phrase == "client certificate"
                    && !self.facts.url.is_some_and(|url| Url::of(url).is_secure()) =>
            {
                return None;
            }
            Subject::Certificate => "W212",
            Subject::Alpn => "W215",
            Subject::HeadSize => "W325",
            // Chrome's DevTools refuse a Host with 500. Otherwise, such a status is about another
            // host.
            Subject::Host if self.status < 500 => "W351",
            Subject::Host if self.status == 500 && phrase == "host header" => "W351",
            // With a status above 500, the server has not checked the Origin.
            Subject::Origin if self.status > 500 => return None,
            Subject::Origin if self.sent("Origin") => "W327",
            Subject::Origin => "W328",
            Subject::Subprotocol => "W350",
            Subject::Http => "W346",
            // The version of an API may be meant.
            Subject::Version if !phrase.contains("websocket") && self.names_version() => {
                return None;
            }
            Subject::Version => "W321",
            // With these statuses, a server refuses who asks, not the form of the handshake.
            Subject::Key | Subject::Header if matches!(self.status, 401 | 403) => return None,
            Subject::Key | Subject::Header => "W322",
            // The session may also be that of a login.
            Subject::Session if self.status == 401 => "W326",
            Subject::Session => "W352",
            // If the server read the handshake and refused it, the handshake was not lost. The same
            // applies if a plain GET gets another answer.
            Subject::Upgrade
                if self.refuses_handshake(start)
                    || self.status == 403
                        && Clue::Differs(Variation::NoUpgrade).seen(self.facts).is_some() =>
            {
                return None;
            }
            // With these phrases, an application describes its own service.
            Subject::Upgrade
                if matches!(self.status, 401..=403 | 406..=425 | 427..=499)
                    && OF_SERVICE.contains(&phrase)
                    && !OF_LOSS.iter().any(|word| said::says(start, word)) =>
            {
                return None;
            }
            Subject::Upgrade
                if self.status >= 500
                    && !["websocket", "handshake*", "header upgrade", "upgrade header"]
                        .iter()
                        .any(|words| said::says(start, words)) =>
            {
                return None;
            }
            Subject::Upgrade => "W320",
            // With 402, the limit is that of a payment.
            Subject::Rate if self.status == 402 => return None,
            Subject::Rate if self.status < 500 || self.status == 503 => "W340",
            // A page for an unknown path leaves it open: "not found, or you have no permission".
            Subject::Credentials
                if self.status == 404 && NOT_FOUND.iter().any(|words| said::says(start, words)) =>
            {
                return None;
            }
            Subject::Credentials if matches!(self.status, 200..=499) => "W326",
            // A page for an unknown path names the method of the request.
            Subject::Method if self.status < 500 && self.status != 404 => "W336",
            // A forbidden path exists, so 401 and 403 are not in this list.
            Subject::Path
                if matches!(self.status, 200..=400 | 402 | 405..=499)
                    && said::names_path(start) =>
            {
                "W334"
            }
            _ => return None,
        })
    }

    /// Whether the URL has a version of its own, and the handshake's version was the usual one.
    fn names_version(&self) -> bool {
        let number = |text: &str| {
            let digits = text.strip_prefix(['v', 'V']).unwrap_or(text);
            digits.starts_with(|c: char| c.is_ascii_digit())
                && digits.chars().all(|c| c.is_ascii_digit() || c == '.')
        };
        let url = self.facts.url.map(Url::of);
        let named = url.is_some_and(|url| {
            let query = url.query.to_ascii_lowercase();
            let mut names = query.split('&').filter_map(|pair| pair.split('=').next());
            url.path.split('/').any(number)
                || names.any(|name| name == "v" || name == "eio" || name.contains("version"))
        });
        let listed = self.header("Sec-WebSocket-Version").is_some();
        named && !listed && self.request_has_13()
    }

    /// Whether "use wss" asks for TLS itself. With a URL, it does so only if that is the requested
    /// one, and the server knows it.
    fn asks_for_tls(&self, text: &str) -> bool {
        let end = |c: char| c.is_whitespace() || "\"'`<>,;)".contains(c);
        let after = |start| Some(text.to_ascii_lowercase().split_once(start)?.1.to_owned());
        let Some(named) = ["use wss://", "use https://"].into_iter().find_map(after) else {
            return true;
        };
        let named = named.split(end).next().unwrap_or_default().trim_end_matches('.');
        let (to, path) = (Url::of(named), self.path());
        let host = |url| Url::of(url).host.eq_ignore_ascii_case(to.host);
        let own = self.facts.url.is_some_and(host) && (to.path.len() < 2 || to.path == path);
        named.is_empty() || own && !matches!(self.status, 404 | 410)
    }

    /// Whether only a comparison shows that the server refuses the Host.
    fn near_host_alone(&self) -> bool {
        let told = self.words().or_else(|| self.plain_words());
        Clue::Differs(Variation::NearHost).seen(self.facts).is_some() && told.is_none()
    }

    /// The answer to a plain GET, if it is about the Host or the query. Both requests have the
    /// same.
    fn plain_words(&self) -> Option<&'static str> {
        // The other errors of Engine.IO are about a request without Upgrade.
        if [0, 1, 5].iter().any(|code| Clue::PlainEngineIo(*code).seen(self.facts).is_some()) {
            return Some("W324");
        }
        let (subject, _) = said::subject(&plain_told(self.facts)?)?;
        (subject == Subject::Host).then_some("W351")
    }

    /// The text of the answer: its body, a header with a reason, or a reason phrase that is not
    /// registered.
    fn text(&self) -> String {
        if let Some(exception) = said::exception(self.body) {
            return exception;
        }
        if let Some(row) = said::message_row(self.body).filter(|row| !self.is_bare(row)) {
            return row;
        }
        let text = self.page_words();
        if !self.is_bare(&text) {
            return text;
        }
        let reason = self.header("X-WebSocket-Reject-Reason").or(said::challenge(self.head));
        let other = reason.or(self.own_phrase()).or(self.own_header());
        other.map_or(text, |words| String::from_utf8_lossy(words).into_owned())
    }

    /// The words of the body: of a page, those below its title; of an error in XML, its message.
    fn page_words(&self) -> String {
        let xml = said::sentence(self.body).filter(|_| self.is_markup());
        xml.or_else(|| said::below_title(self.body)).unwrap_or_else(|| said::words(self.body))
    }

    /// Whether the body is HTML or XML.
    fn is_markup(&self) -> bool {
        said::page_text(self.body).is_some()
    }

    /// Whether [`Self::text`] is the text of a whole HTML page, so that most of its sentences may be
    /// about anything.
    fn is_of_page(&self) -> bool {
        self.is_markup()
            && said::sentence(self.body).is_none()
            && said::exception(self.body).is_none()
            && said::message_row(self.body).is_none_or(|row| self.is_bare(&row))
            && !self.is_bare(&self.page_words())
    }

    /// A header of the application with a reason, such as `X-Error-Message` or `dg-error`.
    fn own_header(&self) -> Option<&[u8]> {
        let named = |name: &[u8]| {
            let name = name.to_ascii_lowercase();
            let about = ["error", "reason"].iter().any(|word| contains_word(&name, word));
            about && REASONS.iter().any(|end| name.ends_with(end.as_bytes()))
        };
        let mut fields =
            self.head.headers().filter(|field| self.status >= 400 && named(field.name));
        let tells = |value: &[u8]| {
            let text = String::from_utf8_lossy(value);
            text.contains(' ') && !said::is_vague(&text) && !is_datum(&text)
        };
        fields.find(|field| tells(field.value)).map(|field| field.value)
    }

    /// A reason phrase that says more than the registered ones.
    fn own_phrase(&self) -> Option<&[u8]> {
        let reason = self.head.status_line().map(|line| line.reason).unwrap_or_default();
        let text = String::from_utf8_lossy(reason);
        let says = |known| !said::is_bare(&text, self.status, known);
        (self.status >= 400 && says(PHRASES) && says(said::VAGUE)).then_some(reason)
    }

    /// A text without the status at its beginning and the line below it.
    fn beyond_status(&self, text: &str) -> String {
        let reason = self.head.status_line().map(|line| line.reason).unwrap_or_default();
        let known = [self.status.to_string(), String::from_utf8_lossy(reason).into_owned()];
        let mut rest = text;
        let begins = |rest: &str, start: &String| {
            let begin = rest.get(..start.len()).filter(|_| !start.is_empty());
            begin.is_some_and(|begin| begin.eq_ignore_ascii_case(start))
        };
        while let Some(start) = known.iter().find(|start| begins(bare(rest), start)) {
            rest = bare(&bare(rest)[start.len()..]);
        }
        // A sentence may begin with the words of the status.
        let begun = text.strip_suffix(rest).and_then(|begun| begun.strip_suffix(' '));
        let goes_on = begun.is_some_and(|begun| begun.ends_with(char::is_alphanumeric));
        let goes_on = goes_on && rest.starts_with(char::is_lowercase);
        if said::is_vague(rest) || goes_on { text } else { rest }.to_owned()
    }

    fn is_bare(&self, text: &str) -> bool {
        let reason = self.head.status_line().map(|line| line.reason).unwrap_or_default();
        // An own phrase must not count as a known word.
        let reason = if self.own_phrase().is_some() { b"" } else { reason };
        let path = self.path();
        // An error that names another piece of the path than the last one is about that thing.
        let last = path.rsplit('/').find(|piece| !piece.is_empty()).unwrap_or_default();
        let json = self.body.trim_ascii_start().starts_with(b"{");
        let path = if json && !said::names(text, last) { "" } else { &*path };
        // The name of the server at the end of a page gives no reason.
        let server = self.header("Server").unwrap_or_default();
        let phrase = said::phrase(self.status).as_bytes();
        let known = [reason, phrase, path.as_bytes(), server].join(&b" "[..]);
        said::is_bare(text, self.status, &known)
    }

    /// Whether the answer gives no reason in words.
    fn is_vague(&self) -> bool {
        let text = said::without_stock(&self.text());
        self.is_bare(&text) || said::is_bare(&text, self.status, said::VAGUE)
    }

    fn redirect(&self) -> Option<&'static str> {
        let hops = self.facts.hops;
        let repeated = hops.iter().enumerate().any(|(at, hop)| hops[..at].contains(hop));
        if hops.len() > MAX_HOPS || repeated || self.leads_back() {
            return Some("W313");
        }
        let location = self.header("Location")?;
        let location = String::from_utf8_lossy(location).to_ascii_lowercase();
        if is_login(&location) {
            return Some("W312");
        }
        let asked = self.facts.url.map(Url::of)?;
        let to = Url::of(&location);
        let same = to.host.eq_ignore_ascii_case(asked.host)
            || to.path.len() > 1
                && to.path.eq_ignore_ascii_case(asked.path)
                && to.query.eq_ignore_ascii_case(asked.query);
        let flips = !asked.is_secure() && to.is_secure() && same;
        flips.then_some("W311")
    }

    /// Whether the redirect leads to the requested URL.
    fn leads_back(&self) -> bool {
        let to = self.header("Location").map(String::from_utf8_lossy);
        self.facts.url.zip(to).is_some_and(|(url, to)| Url::of(url).is_met_by(&to))
    }

    /// The program at this path, recognised by the body.
    fn page(&self) -> Option<&'static str> {
        if self.content_type("text/event-stream") {
            return Some("W301");
        }
        let body = self.body.trim_ascii_start();
        let answered = matches!(self.status, 200..=299 | 400);
        if !answered {
            // Older servers of GraphQL answer a request without a query with 500, newer ones 405.
            let graphql = matches!(self.status, 405 | 415 | 500)
                && Clue::GraphqlWords.seen(self.facts).is_some();
            return graphql.then_some("W304");
        }
        let sockjs = body.starts_with(b"Welcome to SockJS")
            || (body.starts_with(b"{") && contains(body, b"\"websocket\":"));
        if sockjs && self.status < 300 {
            return Some("W302");
        }
        if body.starts_with(b"0{\"sid\"") {
            return Some("W303");
        }
        if self.status == 400 && Clue::InspectorTarget.seen(self.facts).is_some() {
            return Some("W334");
        }
        if engine_io_code(body).is_some() {
            return Some(self.engine_io());
        }
        if Clue::GraphqlWords.seen(self.facts).is_some() {
            return Some("W304");
        }
        let json = self.content_type("application/json") || self.content_type("graphql-response");
        let shaped = contains(body, b"\"errors\"") || contains(body, b"\"data\"");
        let graphql = self.path().contains("graphql")
            || contains(body, b"\"errors\":[") && contains(body, b"\"extensions\"");
        if json && shaped && graphql {
            return Some("W304");
        }
        let html = self.content_type("text/html") && body.starts_with(b"<");
        if html && said::exception(self.body).is_some() {
            return Some("W341");
        }
        (self.status == 200 && html).then_some("W300")
    }

    /// The entry for an error of Engine.IO, by its code and the query of the URL.
    fn engine_io(&self) -> &'static str {
        let query = self.facts.url.map(|url| Url::of(url).query).unwrap_or_default();
        let asks = query.contains("transport=websocket");
        match engine_io_code(self.body) {
            // "Bad request" for the right query means that the request was not an upgrade.
            Some(3) if asks => "W320",
            Some(4) => "W332",
            _ => "W324",
        }
    }

    /// The entry that the headers of the request and the answer show.
    fn handshake(&self) -> Option<&'static str> {
        if !matches!(self.status, 400 | 403 | 426) {
            return None;
        }
        let request = self.facts.request?;
        if self.status != 403 {
            if !request.has_token("Upgrade", "websocket")
                || !request.has_token("Connection", "upgrade")
            {
                return Some("W320");
            }
            if request.get("Sec-WebSocket-Key").is_none() {
                return Some("W322");
            }
        }
        let sent_13 = self.request_has_13();
        match self.header("Sec-WebSocket-Version") {
            // gorilla/websocket lists 13 in every refusal. With 403, it refuses only an Origin.
            Some(_) if self.head.has_token("Sec-WebSocket-Version", "13") && sent_13 => {
                Some(match self.status {
                    403 if self.sent("Origin") => "W327",
                    403 => "W328",
                    _ => "W320",
                })
            }
            Some(_) if self.status != 403 => Some("W321"),
            None if self.status != 403 && !sent_13 => Some("W321"),
            // "the server MUST send an Upgrade header field in a 426 response" (RFC 9110 §15.5.22).
            // A 426 without the header, but with a reason in words, is about something else.
            _ if self.status == 426 && self.header("Upgrade").is_none() && !self.is_vague() => {
                Some("W323")
            }
            // The server wants another protocol than WebSocket.
            _ if self.status == 426
                && self
                    .head
                    .tokens("Upgrade")
                    .any(|name| name == b"h2c" || name.starts_with(b"HTTP/2")) =>
            {
                Some("W346")
            }
            _ => (self.status == 426).then_some("W320"),
        }
    }

    fn explain(&self, d: Diagnostic) -> Diagnostic {
        let span = self.span(d.entry.code);
        let shows = |name: &str| {
            let start = span.bytes.get(..name.len()).unwrap_or_default();
            span.place != Place::Body && start.eq_ignore_ascii_case(name.as_bytes())
        };
        // A note does not repeat the excerpt.
        let hops: Vec<_> = HOPS.iter().filter(|name| !shows(name)).collect();
        let d = d.at(span);
        let d = hops.into_iter().fold(d, |d, name| {
            let value = self.header(name).map(String::from_utf8_lossy);
            d.note_if(value.map(|value| format!("{name}: {value}")))
        });
        let d = self.anywhere(self.said(d)).note_if(path_hint(self.facts));
        let d = self.at_other_address(self.over_tls(d));
        let d = self.facts.trials.iter().fold(d, |d, trial| {
            let text = trial.to_string();
            let told = d.causes.iter().filter_map(|cause| cause.because.as_deref());
            match told.into_iter().any(|because| because.starts_with(&text)) {
                true => d,
                false => d.note(text),
            }
        });
        match d.entry.code {
            "W310" | "W311" => match self.location() {
                Some(_) if [Clue::Unable, Clue::RedirectsPage, Clue::RedirectsAway, Clue::RedirectsInside, Clue::RedirectFails].iter().any(|clue| clue.seen(self.facts).is_some()) => d,
                Some(to) => d.help(format!("use `{to}`")),
                None => d.note("there is no Location header"),
            },
            "W313" if self.facts.hops.len() < 2 => d.title("the server redirects the URL to itself"),
            "W313" => d.note(format!("the chain: {}", self.facts.hops.join(" → "))),
            "W344" => d.note_if(self.note_of("Retry-After", "when to retry")),
            "W345" => d.note_if(
                self.facts
                    .response_after
                    .map(|after| format!("the answer took {:.1} s", after.as_secs_f64())),
            ),
            "W204" if !said::wants_tls(self.body) => {
                d.certain().title("the server takes requests over TLS only").help(USE_WSS)
            }
            "W327" if Clue::OriginUnnamed.seen(self.facts).is_some() && self.opens(Variation::NoOrigin) => {
                d.title("the server refuses this request with an Origin, and takes one without")
            }
            "W327" | "W328" => match self.facts.url.map(Url::of) {
                Some(url) if Clue::OriginIsOwn.seen(self.facts).is_none() => {
                    let own = url.http_origin();
                    let known = self.facts.trial(Variation::OwnOrigin).and_then(Trial::status);
                    match known == Some(101) {
                        true => d.help(format!("send the server's own: `-o {own}`")),
                        false if self.opens(Variation::NoOrigin) => d,
                        false if known.is_some() => d.help(
                            "send an Origin of the server's list: `-o ORIGIN`; the server's own Origin is refused, too",
                        ),
                        false => d.help(format!(
                            "send an allowed one, such as the server's own: `-o {own}`; or add yours to the server's list"
                        )),
                    }
                }
                _ => d,
            },
            "W340" if self.header("Retry-After").is_none() && d.causes.is_empty() => d.help(DELAYS),
            "W324" => self.engine_io_cure(d),
            "W325" if self.status == 414 => d.title("the URL is too long"),
            "W321" if Clue::VersionQuoted.seen(self.facts).is_some() => d,
            "W321" if self.request_has_13() => match self.header("Sec-WebSocket-Version") {
                Some(list) => d.help(format!(
                    "13 was sent: update the server, which lists {}, or find the hop that changes the header",
                    String::from_utf8_lossy(list)
                )),
                None => d.help("13 was sent: find the hop that removes or changes Sec-WebSocket-Version; a proxy must forward all headers of the handshake"),
            },
            "W331" if self.status >= 500 => d.title("API Gateway, or the integration behind it, failed"),
            "W320" | "W322" | "W323" if self.own_fault().is_some() => {
                let fault = self.own_fault().unwrap_or_default();
                d.certain().because("wscope did not send a header of the handshake, or changed it", fault)
                    .help("do not change the headers of the handshake with `-H`")
            }
            "W320" if Clue::UpgradeFailed.seen(self.facts).is_some() => {
                d.title("the server could not upgrade the request")
            }
            "W351" if self.near_host_alone() => {
                d.title(format!("the server refuses this request ({}), and opens it as localhost", self.status))
            }
            "W117" if !d.is_proved() => {
                d.title("a proxy on the path may have answered instead of the server")
            }
            "W329" if Clue::PlainSame.seen(self.facts).is_some() => {
                d.title("Envoy, or what is behind it, refuses the request")
            }
            "W339" if Clue::LinkExpired.seen(self.facts).is_some() => {
                d.title(format!("the server refuses this URL ({})", self.status))
            }
            "W334" if self.status != 404 => {
                d.title(format!("there is no WebSocket at this path ({})", self.status))
            }
            "W326" if self.status != 401 => {
                d.title(format!("credentials are missing or refused ({})", self.status))
            }
            "W326" if let Some(help) = self.other_scheme() => d.help(help),
            "W326" if let Some((confidence, why, help)) = self.malformed() => {
                let fact = "the request's Authorization shows it";
                d.certain().judged(confidence, why, fact).help(help)
            }
            "W326" if self.status == 401 && self.is_bare(&self.text()) && Clue::NoChallenge.seen(self.facts).is_some() => {
                d.title("the server answers 401: it refuses the Origin, or credentials are missing or wrong")
            }
            "W326" if self.status != 401 => d.title(format!(
                "the server refuses the credentials, or requires others ({})",
                self.status
            )),
            _ => d,
        }
    }

    /// Adds the cause if the same path opens at the loopback address of the other family.
    fn at_other_address(&self, d: Diagnostic) -> Diagnostic {
        let fact = Clue::OtherFamilyListens.seen(self.facts).filter(|_| !d.is_proved());
        let (Some(fact), Some(there)) = (fact, self.facts.trial(Variation::OtherFamily)) else {
            return d;
        };
        let here = self.facts.dials.first().map(|dial| dial.address.to_string());
        let here = here.unwrap_or_default();
        d.certain()
            .suggests(
                format!(
                    "another program has the port at {here}; the WebSocket is at {}",
                    there.what
                ),
                fact,
            )
            .help(format!(
                "end the other program (`ss -ltnp` shows both), or connect to {}",
                there.what
            ))
    }

    /// Adds the cause if the same path opens over TLS.
    fn over_tls(&self, d: Diagnostic) -> Diagnostic {
        let opens = Clue::OtherSchemeAnswers.seen(self.facts).filter(|_| {
            let trial = self.facts.trial(Variation::OtherScheme);
            // If the answers change by themselves, the trial proves nothing.
            let steady = self.facts.trial(Variation::Unchanged).is_none();
            steady && trial.and_then(Trial::status) == Some(101)
        });
        let url = self.facts.url.map(Url::of).filter(|url| !url.is_secure());
        match opens.zip(url) {
            // The path is right, and the server behind it takes the request.
            Some((fact, url)) => {
                // For port 80, the trial was at port 443.
                let port = url.port.filter(|port| *port != 80);
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                let there = format!("{}{port}{}{}", url.host, url.path, url.shown_query());
                d.certain()
                    .because("the WebSocket of this path is served over TLS only", fact)
                    .help(format!("use `wss://{there}`"))
            }
            None => d,
        }
    }

    /// Inserts the causes that any refusal may have, after the first cause if a fact supports it.
    fn anywhere(&self, mut d: Diagnostic) -> Diagnostic {
        for (text, clue, cure) in ANYWHERE {
            let host = clue == Clue::OtherHostSent;
            let fits =
                !host || matches!(self.status, 400 | 403 | 404 | 421 | 500) && !d.is_proved();
            let listed = d.causes.iter().any(|cause| {
                cause.text == text || !host && cause.text.contains("no WebSocket support")
            });
            let fact = clue
                .seen(self.facts)
                .filter(|_| fits && !listed && !matches!(d.entry.code, "W311" | "W351"))
                // The name in TLS differs from the Host, which explains more.
                .filter(|_| !(d.entry.code == "W211" && d.is_supported()));
            if fact.is_some() {
                let supported = |cause: &&Supported| cause.confidence != Confidence::Low;
                let at = d.causes.iter().take(1).filter(supported).count();
                if d.place(at, text, fact) == 0 {
                    d = d.help(cure);
                }
            }
        }
        d
    }

    /// What is wrong with the form of the credentials that were sent, and the help.
    fn malformed(&self) -> Option<(Confidence, String, String)> {
        let value = String::from_utf8_lossy(self.facts.request?.get("Authorization")?);
        let (sent, content) = value.split_once(' ')?;
        let pair = || STANDARD_NO_PAD.decode(content.trim().trim_end_matches('=')).ok();
        if sent.eq_ignore_ascii_case("basic") && !pair().is_some_and(|pair| pair.contains(&b':')) {
            let why = "the value after Basic is not the base64 of user:password".to_owned();
            return Some((
                Confidence::High,
                why,
                "let wscope write it: `-u USER:PASSWORD`".to_owned(),
            ));
        }
        let challenge = String::from_utf8_lossy(self.header("WWW-Authenticate")?);
        let wanted = challenge.split([' ', ',']).next()?;
        let word = |name: &str| {
            (1..20).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        let offers = |f: HeaderField<'_>| {
            f.name.eq_ignore_ascii_case(b"WWW-Authenticate")
                && String::from_utf8_lossy(f.value)
                    .split([' ', ','])
                    .any(|part| part.eq_ignore_ascii_case(sent))
        };
        let help = match wanted.to_ascii_lowercase().as_str() {
            // This scheme has a cause of its own.
            "digest" => return None,
            "basic" => "send it: `-u USER:PASSWORD`".to_owned(),
            "bearer" => "send it: `--bearer TOKEN`".to_owned(),
            _ => format!("write `-H 'Authorization: {wanted} …'`"),
        };
        let why = format!("the scheme {sent} was sent, and the server wants {wanted}");
        let other = word(sent) && word(wanted) && !self.head.headers().any(offers);
        other.then_some((Confidence::Medium, why, help))
    }

    /// The help for a challenge of a scheme that no option sends.
    fn other_scheme(&self) -> Option<String> {
        let value = self.header("WWW-Authenticate").map(String::from_utf8_lossy)?;
        let plain = |name: &str| {
            let token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            (!name.is_empty() && name.len() < 64 && name.chars().all(token))
                .then(|| name.to_owned())
        };
        let scheme = plain(value.split([' ', ',']).next()?)?;
        let sent = self.facts.request.and_then(|request| request.get("Authorization"));
        if sent.is_some_and(|value| !value.contains(&b' ')) {
            return Some(format!(
                "the Authorization header that was sent has no scheme: write `-H 'Authorization: {scheme} …'`"
            ));
        }
        let challenges =
            self.head.headers().filter(|f| f.name.eq_ignore_ascii_case(b"WWW-Authenticate"));
        let offers = |scheme| challenges.clone().any(|field| contains_word(field.value, scheme));
        if ["negotiate", "ntlm"].into_iter().any(offers)
            && !["basic", "bearer", "digest"].into_iter().any(offers)
        {
            return Some(
                "the server wants a Windows login (Negotiate, NTLM), which wscope does not have: enable Basic or a token for this path"
                    .to_owned(),
            );
        }
        let known = SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        if known || sent.is_some() {
            return None;
        }
        let named = |(_, rest): (&str, &str)| plain(rest.split('"').next()?);
        let header =
            value.contains("type=\"header\"").then(|| value.split_once("name=\"")).flatten();
        Some(match header.and_then(named) {
            Some(name) if self.sent(&name) => return None,
            Some(name) => format!("send the header that the challenge names: `-H '{name}: VALUE'`"),
            None => format!(
                "send what the scheme {scheme} asks for: `-H 'Authorization: {scheme} …'`, or, if it is \
                 a key, the header of the API for it, such as `-H 'apikey: VALUE'`"
            ),
        })
    }

    /// The header of the handshake that our own request lacks.
    fn own_fault(&self) -> Option<String> {
        let request = self.facts.request?;
        let missing = ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key"]
            .into_iter()
            .find(|name| request.get(name).is_none());
        let lacks = |(name, token)| !request.has_token(name, token);
        let wrong =
            [("Upgrade", "websocket"), ("Connection", "upgrade")].into_iter().find(|f| lacks(*f));
        missing
            .map(|name| format!("the request has no {name}"))
            .or(wrong.map(|(name, token)| format!("the request's {name} lacks `{token}`")))
    }

    fn engine_io_cure(&self, d: Diagnostic) -> Diagnostic {
        let query = self.facts.url.map(|url| Url::of(url).query).unwrap_or_default();
        let plain = || self.facts.trial(Variation::NoUpgrade).and_then(Trial::body);
        match engine_io_code(self.body).or_else(|| engine_io_code(plain()?)) {
            Some(1) => d.help("remove `sid`; behind a load balancer, use sticky sessions, as each server knows only its own"),
            Some(5) if query.contains("EIO=4") => {
                d.help("write `EIO=3`: this is a Socket.IO 2 server")
            }
            Some(5) if query.contains("EIO=3") => {
                d.help("write `EIO=4`: this is a Socket.IO 3 or later server without allowEIO3")
            }
            Some(0) if query.contains("transport=websocket") => {
                d.help("enable the transport `websocket` on the server, in its `transports` option; a proxy in front must forward the query")
            }
            _ => d,
        }
    }

    /// Puts the server's words in front of all causes, or says that there are none.
    fn said(&self, mut d: Diagnostic) -> Diagnostic {
        let text = self.text();
        let bare = self.is_bare(&text);
        let shown = d.span.as_ref().is_some_and(|span| span.place == Place::Body);
        let json = self.body.trim_ascii_start().starts_with(b"{");
        if !bare && !shown {
            let text = if json {
                String::from_utf8_lossy(self.body).trim().to_owned()
            } else {
                text.clone()
            };
            let cut: String = text.chars().take(SHOWN).collect();
            let more = if cut.len() < text.len() { " …" } else { "" };
            d.notes.insert(0, format!("{BODY}{cut}{more}"));
        }
        // The server's own sentence replaces all guesses.
        let challenged = Clue::NoChallenge.seen(self.facts).is_none();
        let own =
            self.own_proxy().map(|why| String::from_utf8_lossy(why.trim_ascii()).into_owned());
        let told = own.is_some();
        let wrong =
            said::challenge(self.head).map(|words| String::from_utf8_lossy(words).into_owned());
        // The body says more than the code of an error.
        let is_code = |wrong: &String| !wrong.contains(' ') && !bare && !self.is_markup();
        let named = own.or_else(|| wrong.clone().filter(|wrong| !is_code(wrong)));
        let named = named.or_else(|| said::sentence(self.body));
        let html = self.is_markup() && said::sentence(self.body).is_none();
        let of_page = named.is_none() && self.is_of_page();
        let reasons = said::reasons(self.body).filter(|_| of_page);
        let unsaid = named.is_none() && json || of_page && reasons.is_none();
        let whole = self.beyond_status(&named.unwrap_or(text.clone()));
        let long = whole.chars().count() > SENTENCE;
        let sentence = reasons.map_or(whole, |reasons| self.beyond_status(&reasons));
        let near = self.near_host_alone();
        let generic = match d.entry.code {
            "W331" => !d.is_supported(),
            "W332" => !self.refuses_handshake(&text),
            "W351" => near,
            "W336" => !html && !said::says(&sentence, "method"),
            "W323" | "W337" | "W339" | "W340" | "W341" | "W344" => true,
            "W305" => said::is_error(self.body),
            "W304" => Clue::GraphqlWords.seen(self.facts).is_none() && json,
            "W352" => !["connection id", "connectionid", "negotiate"]
                .iter()
                .any(|words| said::says(&text, words)),
            // An error in a challenge is about the sent credentials (RFC 6750 §3.1).
            "W326" if challenged && wrong.is_none() => {
                let known = "authentication authorization authenticate authorized required credentials credential login log valid provided";
                !html
                    && !said::is_bare(
                        &sentence,
                        self.status,
                        &[said::VAGUE, known.as_bytes()].join(&b" "[..]),
                    )
            }
            "W326" => true,
            // The words count if no cause in the catalogue is recognised by them.
            "W343" | "W345" => {
                let known = |because: &String| because.contains("contains \"");
                let late = self.status == 504
                    && ["timeout", "timed out"].iter().any(|words| said::says(&text, words));
                !late && !d.causes.iter().filter_map(|cause| cause.because.as_ref()).any(known)
            }
            // Most of these texts only name the path, which is known.
            "W334" => {
                let page = html;
                let path = said::names_path(&sentence)
                    || said::names(&sentence, &self.path())
                    || page && (sentence.contains("ot found") || sentence.contains("404"));
                // Pages for an unknown path may have any words.
                self.status == 404 && !path && !page
            }
            _ => false,
        };
        let page = unsaid
            || long
            || STOCK_PAGES.iter().any(|words| contains_word(self.body, words))
            || Clue::ProxyPage.seen(self.facts).is_some() && !says_rule(self.body);
        let shown = d.causes.iter().any(|cause| cause.confidence == Confidence::High)
            || Clue::EdgeRefuses.seen(self.facts).is_some()
            || d.entry.code == "W332" && self.server("awselb");
        let asks = d.entry.code == "W326" && challenged;
        let shown = shown && !asks;
        // The program that looks like a filter may be the server, so its words come first.
        if d.entry.code == "W117" && !shown && !page && !self.is_vague() {
            return d.suggests(format!("its reason is \"{sentence}\""), "the answer has this text");
        }
        if told || generic && !self.is_vague() && !self.is_bare(&sentence) && !page && !shown {
            let mut reason: String = sentence.chars().take(REASON).collect();
            if sentence.chars().count() > REASON {
                reason.push('…');
            }
            d.causes.retain(|cause| {
                near || asks && wrong.is_none() && cause.confidence == Confidence::High
            });
            d = match d.entry.code {
                "W334" => d.title("the server does not find what the request names"),
                "W337" => d.title(format!("the server rejects the request ({})", self.status)),
                _ => d,
            };
            let help = match d.entry.code {
                "W326" if wrong.is_some() => {
                    "send credentials that are valid now: `-u USER:PASSWORD`, `--bearer TOKEN`"
                }
                "W326" => {
                    "send what the server names: `-u USER:PASSWORD`, `--bearer TOKEN`, `--cookie NAME=VALUE`, `-H 'NAME: VALUE'`, or a token in the query"
                }
                "W340"
                    if ["quota", "billing"].iter().any(|word| said::says(&text, word))
                        && !TIMES.iter().any(|word| said::says(&text, word)) =>
                {
                    "do as the message says: such a limit is that of an account, and no delay helps"
                }
                "W340" if self.header("Retry-After").is_none() => DELAYS,
                "W340" => d.entry.help,
                _ if told => {
                    "check the server and its address: this client reached the proxy, but the \
                     proxy did not reach the server"
                }
                _ => "follow the server's message, which gives the reason; its log may have more",
            };
            let reason = format!("its reason is \"{reason}\"");
            let fact = "the answer has this text";
            // Such a program also says so if its rules select no server.
            let routes =
                self.status == 503 && (says_rule(self.body) || said::says(&sentence, "backend"));
            // A page has other words besides its reason.
            let d = if html && said::exception(self.body).is_none() {
                d.suggests(reason, fact)
            } else {
                d.because(reason, fact)
            };
            let d = if routes { d.possible(NO_BACKEND) } else { d };
            return d.help(help);
        }
        // The answer may say why a WebSocket opens at another path, but not at this one.
        let says = d.entry.code == "W305" && sentence.contains(' ') && !self.is_vague();
        if says && !page && !shown && Clue::Opens(Variation::OtherPath).seen(self.facts).is_some() {
            let text = format!("its answer may be the reason: \"{sentence}\"");
            return d.suggests(text, "the answer has this text");
        }
        let numbered = self.server("cloudflare") && text.starts_with("error code: ");
        if numbered && !d.is_proved() && matches!(d.entry.code, "W323" | "W332" | "W341") {
            return d
                .certain()
                .title(format!("Cloudflare refuses the request ({})", self.status))
                .because(format!("its reason is \"{text}\""), "the answer has this text")
                .help("look up this number in Cloudflare's list of errors");
        }
        if bare
            && d.entry.code == "W332"
            && !d.is_proved()
            && Clue::ProxyPage.seen(self.facts).is_none()
        {
            return d.title("the application refused the connection without a reason");
        }
        if bare && matches!(d.entry.code, "W323" | "W341") {
            let why = "the server rejects the request without a reason";
            let failed = "the server failed during the handshake, without a reason";
            return d.title(if self.status < 500 { why } else { failed });
        }
        d
    }

    /// Whether these are the words of a library that read the handshake and refused it, for any
    /// reason.
    fn refuses_handshake(&self, text: &str) -> bool {
        let words = ["invalid", "websocket"];
        self.status == 403 && words.iter().all(|word| said::says(text, word))
    }

    fn request_has_13(&self) -> bool {
        self.facts.request.and_then(|head| head.get("Sec-WebSocket-Version")) == Some(b"13")
    }

    /// The line that explains the most.
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
            "W303" | "W324" | "W302" | "W204" | "W215" | "W353" => {
                let body = Span::body(self.body);
                return body.unwrap_or_else(|| Span::start_line(self.head, ""));
            }
            _ => return Span::start_line(self.head, ""),
        };
        Span::header_or_start(self.head, header, "")
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

/// A text without punctuation in front of its first word. A quotation mark stays.
fn bare(text: &str) -> &str {
    text.trim_start_matches(|c: char| !c.is_alphanumeric() && !"\"'“‘«(".contains(c))
}

/// Whether a URL is that of a login: a part of its path, or the first part of its host, is a word
/// for a login.
fn is_login(location: &str) -> bool {
    const WORDS: [&str; 17] = [
        "login",
        "log-in",
        "signin",
        "sign-in",
        "sign_in",
        "auth",
        "authn",
        "oauth",
        "oauth2",
        "authorize",
        "authenticate",
        "sso",
        "saml",
        "saml2",
        "openid",
        "openid-connect",
        "cas",
    ];
    let url = Url::of(location);
    let plain = |part: &str| part.split(['.', ';']).next().unwrap_or_default().to_owned();
    let host = url.host.split('.').next().unwrap_or_default().to_owned();
    let parts = url.path.split('/').map(plain).chain([host]);
    parts.into_iter().any(|part| WORDS.contains(&part.as_str()))
}

/// Whether a proxy's page gives the reason itself.
fn says_rule(body: &[u8]) -> bool {
    contains_word(body, "no server is available")
}

/// The code of the entry for a status other than 101, if only the number is known.
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
        414 | 431 => "W325",
        495 | 496 => "W212",
        502 => "W343",
        503 => "W344",
        504 => "W345",
        505 => "W346",
        520..=530 => "W347",
        500..=599 => "W341",
        // A 400, and all statuses without a registered meaning that matters here.
        _ => "W323",
    }
}

/// Whether the value of a header is not a reason, but an address, a time, a number or a word for
/// nothing.
fn is_datum(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    let first = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].iter().any(|day| {
        first.strip_prefix(day).is_some_and(|rest| rest.is_empty() || rest.ends_with("day"))
    });
    let number = text.trim_start_matches(['-', '+']).starts_with(|c: char| c.is_ascii_digit());
    // The code of an error, before its words, is longer than a number of minutes.
    let words = text.split_whitespace().skip(1).filter(|word| word.len() > 2).count();
    let is_code = first.len() >= 4 && first.bytes().all(|byte| byte.is_ascii_digit());
    let number = number && !(is_code && words >= 2 && !text.contains([':', ',', ';']));
    let nothing = ["none", "nil", "null", "n"].contains(&first) || text.starts_with("no error");
    day || number || nothing || text.starts_with("http://") || text.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_by_whole_words() {
        for url in [
            "/login?rd=/ws",
            "https://sso.example/start",
            "/users/sign_in",
            "/realms/x/protocol/openid-connect/auth",
            "/login.php",
            "https://h/oauth2/start",
        ] {
            assert!(is_login(url), "{url}");
        }
        for url in [
            "/lesson",
            "/authors",
            "/blogin",
            "https://app.example/ws?next=/login",
            "/possessions",
            "",
        ] {
            assert!(!is_login(url), "{url}");
        }
    }

    #[test]
    fn every_status_has_an_entry() {
        for status in 0..=999 {
            let entry = crate::diagnostics::entry(of_status(status));
            assert!(entry.is_some(), "{status}");
        }
    }
}
