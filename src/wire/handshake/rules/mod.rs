//! Judges a captured opening handshake: every rule of RFC 6455 §4, RFC 7692 §7 and related
//! documents that one request and its response can show.
//!
//! The rules are one table ([`RULES`]), each row with its function, so no rule can be skipped. All
//! rules are judged, even after one has failed. The bytes are parsed once, into `HandshakeFacts`.

mod context;
mod deflate;
mod facts;
mod finding;
pub(super) mod request_http;
mod request_ws;
mod response;

use self::{request_http as http, request_ws as ws, response as res};
pub use context::{HandshakeContext, Sni, UrlFacts};
use facts::HandshakeFacts;
use finding::Finding;
use serde::{Deserialize, Serialize};

use super::Agreed;
use super::accept::AcceptSteps;
use crate::wire::Role::{self, Client, Server};
use crate::wire::head::Head;
use Level::{Must, Other, Should};

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A MUST of RFC 6455 or of an extension's RFC.
    Must,
    /// A SHOULD of one of these RFCs.
    Should,
    /// A rule of another standard, or common sense.
    Other,
}

/// One row of [`RULES`].
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The stable name: section of the standard, then a short word.
    pub id: &'static str,
    /// How binding the rule is.
    pub level: Level,
    /// The role that must follow the rule.
    pub side: Role,
    /// The requirement, as a sentence.
    pub title: &'static str,
    /// The diagnostic that explains a violation, if there is one.
    pub code: Option<&'static str>,
    /// Whether a client must fail the connection over a violation.
    pub fatal: bool,
    judge: fn(&HandshakeFacts<'_>) -> Finding,
}

/// The result of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The rule was followed.
    Pass,
    /// A MUST was broken.
    Fail,
    /// A SHOULD or a rule of another standard was broken, or something is unusual.
    Warn,
    /// The rule does not apply.
    NotApplicable,
}

/// One rule and its result.
#[derive(Clone, Debug)]
pub struct RuleVerdict {
    /// The rule.
    pub rule: &'static Rule,
    /// The outcome.
    pub outcome: Outcome,
    /// What was found, in a few words; bytes of the peers are escaped in it.
    pub text: String,
}

/// All verdicts on one handshake.
#[derive(Clone, Debug)]
pub struct Report {
    /// One verdict for each rule, in the order of [`RULES`].
    pub verdicts: Vec<RuleVerdict>,
    /// The agreed values, as far as they are legal.
    pub agreed: Agreed,
    /// The accept value for the request's key, step by step; `None` without a key.
    pub accept: Option<AcceptSteps>,
}

impl Report {
    /// The violations that make a 101 unusable: the client then must _Fail the WebSocket
    /// Connection_ (RFC 6455 §4.1). Always in the order of [`RULES`]; a status other than 101 is
    /// not such a violation and must be checked first.
    pub fn fatal(&self) -> impl Iterator<Item = &RuleVerdict> {
        self.verdicts
            .iter()
            .filter(|verdict| verdict.rule.fatal && verdict.outcome == Outcome::Fail)
    }

    /// The verdict on the rule with this id.
    pub fn verdict(&self, id: &str) -> Option<&RuleVerdict> {
        self.verdicts.iter().find(|verdict| verdict.rule.id == id)
    }
}

/// Checks every rule on a handshake.
pub fn check(context: &HandshakeContext<'_>) -> Report {
    let facts = HandshakeFacts::gather(context);
    Report {
        verdicts: RULES.iter().map(|rule| rule.judge(&facts)).collect(),
        agreed: facts.agreed(),
        accept: context.request.get("Sec-WebSocket-Key").map(AcceptSteps::for_key),
    }
}

/// Checks the rules for clients on a request, as a server does before it answers. [`refusal`]
/// decides the answer.
pub fn check_request(context: &HandshakeContext<'_>) -> Vec<RuleVerdict> {
    let facts = HandshakeFacts::gather(context);
    RULES.iter().filter(|rule| rule.side == Role::Client).map(|rule| rule.judge(&facts)).collect()
}

impl Rule {
    fn judge(&'static self, facts: &HandshakeFacts<'_>) -> RuleVerdict {
        let (outcome, text) = match (self.judge)(facts) {
            Finding::Kept(text) => (Outcome::Pass, text),
            Finding::Broken(text) if self.level == Level::Must => (Outcome::Fail, text),
            Finding::Broken(text) | Finding::Odd(text) => (Outcome::Warn, text),
            Finding::Moot(why) => (Outcome::NotApplicable, why.to_owned()),
        };
        RuleVerdict { rule: self, outcome, text }
    }
}

/// The refusal of a request.
#[derive(Clone, Debug)]
pub struct RefusalStatus {
    /// 400, 405 or 426.
    pub code: u16,
    /// The headers that the status requires.
    pub headers: &'static [(&'static str, &'static str)],
    /// The rule that was broken.
    pub rule: &'static Rule,
    /// How it was broken.
    pub text: String,
}

struct Status {
    code: u16,
    headers: &'static [(&'static str, &'static str)],
}

const BAD_REQUEST: Status = Status { code: 400, headers: &[] };

const METHOD_NOT_ALLOWED: Status = Status { code: 405, headers: &[("Allow", "GET")] };

/// RFC 6455 §4.2.2: if the version differs, the server "MUST abort the WebSocket handshake […] and
/// instead send an appropriate HTTP error code (such as 426 Upgrade Required) and a
/// |Sec-WebSocket-Version| header field indicating the version(s) the server is capable of
/// understanding." RFC 9110 §15.5.22 adds Upgrade.
const UPGRADE_REQUIRED: Status = Status {
    code: 426,
    headers: &[
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
    ],
};

/// The rules for which a server refuses a request, those with the most precise status first. The
/// other rules concern only the client, or a server can decline the extension instead.
const GROUNDS: [(&str, Status); 18] = [
    ("4.1-req-method", METHOD_NOT_ALLOWED),
    ("4.1-req-httpver", BAD_REQUEST),
    ("4.1-req-target", BAD_REQUEST),
    ("4.1-req-host", BAD_REQUEST),
    ("4.1-req-upgrade", UPGRADE_REQUIRED),
    ("4.1-req-connection", BAD_REQUEST),
    ("11.3.5-req-version-once", BAD_REQUEST),
    ("4.1-req-version-present", UPGRADE_REQUIRED),
    ("4.3-req-version-abnf", UPGRADE_REQUIRED),
    ("4.1-req-version-13", UPGRADE_REQUIRED),
    ("4.1-req-key-present", BAD_REQUEST),
    ("11.3.1-req-key-once", BAD_REQUEST),
    ("4.1-req-key-b64", BAD_REQUEST),
    ("4.1-req-key-16", BAD_REQUEST),
    ("4.1-req-proto-nonempty", BAD_REQUEST),
    ("4.1-req-proto-token", BAD_REQUEST),
    ("4.1-req-proto-unique", BAD_REQUEST),
    ("9.1-req-ext-abnf", BAD_REQUEST),
];

/// Decides whether and how a server refuses a request, from the verdicts of [`check_request`].
pub fn refusal(request: &Head, verdicts: &[RuleVerdict]) -> Option<RefusalStatus> {
    let failed = |id: &str| {
        verdicts.iter().find(|verdict| verdict.rule.id == id && verdict.outcome == Outcome::Fail)
    };
    let refuse = |verdict: &RuleVerdict, status: Status| RefusalStatus {
        code: status.code,
        headers: status.headers,
        rule: verdict.rule,
        text: verdict.text.clone(),
    };
    // Bytes that HTTP allows a recipient to ignore are not a reason to refuse.
    let broken = request.defects().iter().any(|defect| !defect.is_tolerable());
    if broken && let Some(verdict) = failed("4.1-req-syntax") {
        return Some(refuse(verdict, BAD_REQUEST));
    }
    let mut found = GROUNDS.into_iter().filter_map(|(id, status)| Some((failed(id)?, status)));
    let (verdict, status) = found.next()?;
    let mut refusal = refuse(verdict, status);
    // Who adds one missing header at a time is refused once for each.
    let missing = |verdict: &RuleVerdict| verdict.rule.id.ends_with("-present");
    if missing(verdict) {
        for (other, _) in found.filter(|(other, _)| missing(other)) {
            refusal.text += &format!("; {}", other.text);
        }
    }
    Some(refusal)
}

/// Every rule that one captured HTTP/1.1 handshake can decide, rules for clients first.
#[rustfmt::skip] // one rule, one line: it is a table
pub static RULES: &[Rule] = &[
    rule("3-uri-fragment", Must, Client, "the URL has no fragment", http::fragment).code("W002"),
    rule("4.1-tls-sni", Must, Client, "TLS names the server", http::sni),
    rule("4.1-req-syntax", Must, Client, "the request is valid HTTP", http::syntax),
    rule("4.1-req-method", Must, Client, "the method is GET", http::method),
    rule("4.1-req-httpver", Must, Client, "the version is HTTP/1.1 or later", http::version),
    rule("4.1-req-target", Must, Client, "the target is the URL's path and query", http::target),
    rule("4.1-req-host", Must, Client, "Host names the URL's host and port", http::host),
    rule("4.1-req-upgrade", Must, Client, "Upgrade offers websocket", http::upgrade),
    rule("4.1-req-connection", Must, Client, "Connection lists upgrade", http::connection),
    rule("4.1-req-key-present", Must, Client, "there is a Sec-WebSocket-Key", ws::key_present),
    rule("4.1-req-key-b64", Must, Client, "the key is base64", ws::key_base64),
    rule("4.1-req-key-16", Must, Client, "the key has 16 bytes", ws::key_length),
    rule("4.1-req-key-fresh", Must, Client, "the key was not used before", ws::key_fresh),
    rule("4.1-req-key-random", Must, Client, "the key is not a sample or constant", ws::key_random),
    rule("11.3.1-req-key-once", Must, Client, "Sec-WebSocket-Key appears once", ws::key_once),
    rule("4.1-req-version-present", Must, Client, "there is a Sec-WebSocket-Version", ws::version_present),
    rule("4.1-req-version-13", Must, Client, "the version is 13", ws::version_13),
    rule("4.3-req-version-abnf", Must, Client, "the version is a number from 0 to 255", ws::version_abnf),
    rule("11.3.5-req-version-once", Must, Client, "Sec-WebSocket-Version appears once", ws::version_once),
    rule("4.1-req-origin", Must, Client, "a browser sends Origin", http::origin),
    rule("4.1-req-origin-form", Must, Client, "Origin is an origin", http::origin_form),
    rule("4.1-req-proto-nonempty", Must, Client, "no offered subprotocol is empty", ws::subprotocol_nonempty),
    rule("4.1-req-proto-token", Must, Client, "offered subprotocols are tokens", ws::subprotocol_token),
    rule("4.1-req-proto-unique", Must, Client, "no subprotocol is offered twice", ws::subprotocol_unique),
    rule("9.1-req-ext-abnf", Must, Client, "the offered extensions can be parsed", ws::extension_abnf),
    rule("9.1-req-ext-registered", Must, Client, "offered extensions are registered", ws::extension_registered),
    rule("4.1-req-wait", Must, Client, "nothing is sent before the response", http::wait),
    rule("9112-req-no-body", Other, Client, "the request has no body", http::no_body),
    rule("10.6-tls", Should, Client, "other machines are reached over TLS", http::tls),
    rule("10.5-secret-in-url", Other, Client, "the URL holds no credential", http::secret_in_url),
    rule("7692-7-offer-param", Must, Client, "offered deflate parameters are defined", deflate::offer_param),
    rule("7692-7-offer-value", Must, Client, "offered deflate parameters have legal values", deflate::offer_value),
    rule("7692-7-offer-once", Must, Client, "no deflate parameter is offered twice", deflate::offer_once),

    rule("4.1-res-status", Must, Server, "the status is 101", res::status),
    rule("4.2.2-res-httpver", Must, Server, "the response is HTTP/1.1", res::version).code("W349"),
    rule("4.1-res-upgrade", Must, Server, "Upgrade is websocket", res::upgrade).code("W404").fatal(),
    rule("4.1-res-connection", Must, Server, "Connection lists upgrade", res::connection).code("W405").fatal(),
    rule("4.1-res-accept-present", Must, Server, "there is a Sec-WebSocket-Accept", res::accept_present).code("W401").fatal(),
    rule("4.1-res-accept-value", Must, Server, "the accept value proves the key was read", res::accept_value).code("W402").fatal(),
    rule("4.2.2-res-accept-abnf", Must, Server, "the accept value is base64 of 20 bytes", res::accept_abnf).code("W402"),
    rule("11.3.3-res-accept-once", Must, Server, "Sec-WebSocket-Accept appears once", res::accept_once).code("W403"),
    rule("4.1-res-ext-offered", Must, Server, "accepted extensions were offered", res::extension_offered).code("W420").fatal(),
    rule("9.1-res-ext-abnf", Must, Server, "the accepted extensions can be parsed", res::extension_abnf).code("W421").fatal(),
    rule("11.3.2-res-ext-once", Should, Server, "Sec-WebSocket-Extensions appears once", res::extension_once),
    rule("4.1-res-proto-offered", Must, Server, "the chosen subprotocol was offered", res::subprotocol_offered).code("W410").fatal(),
    rule("4.2.2-res-proto-none", Must, Server, "no subprotocol is chosen if none is offered", res::subprotocol_none).code("W410").fatal(),
    rule("4.2.2-res-proto-token", Must, Server, "the chosen subprotocol is one token", res::subprotocol_token).code("W413").fatal(),
    rule("11.3.4-res-proto-once", Must, Server, "Sec-WebSocket-Protocol appears once", res::subprotocol_once).code("W413").fatal(),
    rule("whatwg-res-proto-acked", Other, Server, "an offered subprotocol is chosen", res::subprotocol_acked).code("W411"),
    rule("9110-res-101-nobody", Other, Server, "a 101 announces no body", res::no_body).code("W406"),
    rule("4.2.2-res-version-absent", Should, Server, "a 101 has no Sec-WebSocket-Version", res::version_absent),
    rule("4.4-res-version-list", Must, Server, "a version mismatch is answered with a list", res::version_list).code("W321"),
    rule("4.3-res-version-abnf", Must, Server, "the versions listed are numbers from 0 to 255", res::version_abnf).code("W321"),
    rule("9110-res-426-upgrade", Other, Server, "a 426 says what to upgrade to", res::status_426),
    rule("9110-res-405-allow", Other, Server, "a 405 lists the methods allowed", res::status_405).code("W336"),
    rule("9110-res-401-auth", Other, Server, "a 401 says how to authenticate", res::status_401),
    rule("whatwg-res-redirect", Other, Server, "the response is not a redirect", res::redirect).code("W310"),
    rule("7692-5-fallback", Should, Server, "the first acceptable deflate offer is taken", deflate::fallback).code("W429"),
    rule("7692-7-res-param", Must, Server, "accepted deflate parameters are defined", deflate::answer_param).code("W422").fatal(),
    rule("7692-7-res-value", Must, Server, "accepted deflate parameters have legal values", deflate::answer_value).code("W424").fatal(),
    rule("7692-7-res-once", Must, Server, "deflate and its parameters are accepted once", deflate::answer_once).code("W423").fatal(),
    rule("7692-7.1.1.1-ack", Must, Server, "server_no_context_takeover is confirmed", deflate::takeover_ack).code("W426").fatal(),
    rule("7692-7.1.2.1-le", Must, Server, "the server's window is no larger than offered", deflate::server_bits_le).code("W427").fatal(),
    rule("7692-7.1.2.1-ack", Must, Server, "server_max_window_bits is confirmed", deflate::server_bits_ack).code("W427").fatal(),
    rule("7692-7.1.2.2-offered", Must, Server, "client_max_window_bits was offered", deflate::client_bits_offered).code("W425").fatal(),
    rule("7692-7.1.2.2-le", Should, Server, "the client's window is no larger than hinted", deflate::client_bits_le),
    rule("7692-5-rsv", Must, Server, "only one extension uses RSV1", deflate::rsv).code("W428").fatal(),
];

const fn rule(
    id: &'static str,
    level: Level,
    side: Role,
    title: &'static str,
    judge: fn(&HandshakeFacts<'_>) -> Finding,
) -> Rule {
    Rule { id, level, side, title, code: None, fatal: false, judge }
}

impl Rule {
    const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    const fn fatal(mut self) -> Self {
        self.fatal = true;
        self
    }
}
