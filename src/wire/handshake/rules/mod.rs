//! Judges a captured opening handshake: every rule of RFC 6455 §4, RFC 7692 §7 and
//! their neighbours that can be decided from one request and its response.
//!
//! The rules are one table (`table`), each row with the function that judges it, so
//! that none can be skipped and all are judged even after one has failed. What came
//! over the wire is read once, into `Facts`.

mod deflate;
mod facts;
mod refusal;
mod request_http;
mod request_ws;
mod response;
mod table;

use super::Agreed;
use super::accept::AcceptSteps;
use crate::wire::head::Head;
use facts::Facts;

pub use refusal::{RefusalStatus, refusal};
pub use table::RULES;

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A MUST of RFC 6455 or of an extension's RFC.
    Must,
    /// A SHOULD of these.
    Should,
    /// A rule of another standard, or one of good sense.
    Other,
}

/// Whose duty a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The client's: it is judged from the request.
    Client,
    /// The server's: it is judged from the response.
    Server,
}

/// One row of [`RULES`].
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The stable name: section of the standard, then a short word.
    pub id: &'static str,
    /// How binding it is.
    pub level: Level,
    /// Whose duty it is.
    pub side: Side,
    /// What it asks, as a sentence.
    pub title: &'static str,
    /// The diagnostic that explains a breach, if there is one.
    pub code: Option<&'static str>,
    /// Whether a client must fail the connection over a breach.
    pub fatal: bool,
    judge: fn(&Facts<'_>) -> Finding,
}

/// How a rule came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Kept.
    Pass,
    /// A MUST was broken.
    Fail,
    /// A SHOULD or a rule of another standard was broken, or the thing is odd.
    Warn,
    /// There was nothing to judge.
    NotApplicable,
}

/// One rule and how it came out.
#[derive(Clone, Debug)]
pub struct Verdict {
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
    pub verdicts: Vec<Verdict>,
    /// What was agreed on, as far as it was agreed on legally.
    pub agreed: Agreed,
    /// The accept value that the request's key demands, step by step; `None` without a key.
    pub accept: Option<AcceptSteps>,
}

impl Report {
    /// The breaches that make a 101 unusable: the client then must _Fail the WebSocket
    /// Connection_ (RFC 6455 §4.1). Always in the order of [`RULES`]; a status other
    /// than 101 is no such breach and has to be looked at first.
    pub fn fatal(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts
            .iter()
            .filter(|verdict| verdict.rule.fatal && verdict.outcome == Outcome::Fail)
    }

    /// The verdict on the rule with this id.
    pub fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.verdicts.iter().find(|verdict| verdict.rule.id == id)
    }
}

/// What is known of the URL that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct UrlFacts<'a> {
    /// True for `wss`.
    pub secure: bool,
    /// The host as it stands in a `Host` header: IPv6 addresses in brackets.
    pub host: &'a str,
    /// The port, the scheme's default filled in.
    pub port: u16,
    /// Path and query: the resource name of RFC 6455 §3.
    pub resource: &'a str,
    /// The fragment without `#`, which no ws URL may have.
    pub fragment: Option<&'a str>,
    /// Whether the host is this machine.
    pub loopback: bool,
}

/// What is known of the server name in the TLS handshake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sni<'a> {
    /// The TLS handshake was not seen.
    #[default]
    Unseen,
    /// It was seen, and named no server.
    Missing,
    /// It named this server.
    Sent(&'a str),
}

/// A captured handshake and what is known about it.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The URL, unknown to a server and in a bare capture.
    pub url: Option<UrlFacts<'a>>,
    /// The name in the TLS handshake.
    pub sni: Sni<'a>,
    /// How many bytes the client sent behind the request before it had the response.
    pub early_bytes: u64,
    /// The key headers of earlier connections in this session, in order.
    pub earlier_keys: &'a [Vec<u8>],
    /// The request as it was sent.
    pub request: &'a Head,
    /// The response as it came; without it, all rules for servers are not applicable.
    pub response: Option<&'a Head>,
}

impl<'a> Context<'a> {
    /// A pair of which nothing else is known.
    pub fn new(request: &'a Head, response: Option<&'a Head>) -> Self {
        Self { url: None, sni: Sni::Unseen, early_bytes: 0, earlier_keys: &[], request, response }
    }
}

/// Judges a handshake by every rule.
pub fn check(context: &Context<'_>) -> Report {
    let facts = Facts::gather(context);
    Report {
        verdicts: RULES.iter().map(|rule| rule.judge(&facts)).collect(),
        agreed: facts.agreed(),
        accept: context.request.get("Sec-WebSocket-Key").map(AcceptSteps::for_key),
    }
}

/// Judges a request by the rules for clients, as a server does before it answers. See
/// [`refusal`] for what to answer.
pub fn check_request(context: &Context<'_>) -> Vec<Verdict> {
    let facts = Facts::gather(context);
    RULES.iter().filter(|rule| rule.side == Side::Client).map(|rule| rule.judge(&facts)).collect()
}

impl Rule {
    fn judge(&'static self, facts: &Facts<'_>) -> Verdict {
        let (outcome, text) = match (self.judge)(facts) {
            Finding::Kept(text) => (Outcome::Pass, text),
            Finding::Broken(text) if self.level == Level::Must => (Outcome::Fail, text),
            Finding::Broken(text) | Finding::Odd(text) => (Outcome::Warn, text),
            Finding::Moot(why) => (Outcome::NotApplicable, why.to_owned()),
        };
        Verdict { rule: self, outcome, text }
    }
}

/// What the function of a rule found; the rule's level makes an [`Outcome`] of it.
enum Finding {
    Kept(String),
    Broken(String),
    /// A warning whatever the rule's level.
    Odd(String),
    /// Nothing to judge, and why.
    Moot(&'static str),
}

impl Finding {
    fn kept(text: impl Into<String>) -> Self {
        Self::Kept(text.into())
    }

    fn broken(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }

    /// `Kept` if `fine`, else `Broken`, with the text for each.
    fn decide(fine: bool, kept: impl Into<String>, broken: impl FnOnce() -> String) -> Self {
        if fine { Self::Kept(kept.into()) } else { Self::Broken(broken()) }
    }
}
