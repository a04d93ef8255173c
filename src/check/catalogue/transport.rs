//! What carries the connection: TLS.

use crate::check::case::{Case, Expect, Needs, Rule, Tested, rule};
use crate::check::facts::{Facts, Opening};
use crate::check::request::Edit;
use crate::check::verdict::{Judgement, Verdict};

const OLD: Rule = rule("RFC 8996 §5", "TLS 1.1 MUST NOT be used.");
const MAY_OFFER: Rule = rule(
    "RFC 7301 §3.1",
    "A new extension type (\"application_layer_protocol_negotiation(16)\") is defined and MAY be included by the client in its \"ClientHello\" message.",
);

/// Whether TLS comes about that must not.
fn old(facts: &Facts) -> Judgement {
    match &facts.opening {
        Opening::Unsecured(text) => Judgement::new(Verdict::Pass, text.clone()),
        Opening::Dropped | Opening::Silent => {
            Judgement::new(Verdict::PassBare, facts.describe("server"))
        }
        _ => Judgement::new(Verdict::Fail, "TLS 1.1 or 1.0 is accepted"),
    }
}

/// Whether a WebSocket opens, and over what.
fn opens(facts: &Facts) -> Judgement {
    let got = match (&facts.opening, &facts.alpn) {
        (Opening::Open, Some(name)) => format!("101; ALPN agreed on {name}"),
        (Opening::Open, None) => "101; nothing agreed by ALPN".to_owned(),
        _ => facts.describe("server"),
    };
    Judgement::new(if facts.opening == Opening::Open { Verdict::Pass } else { Verdict::Fail }, got)
}

const fn of_tls(id: &'static str, title: &'static str, rule: Rule, why: &'static str) -> Case {
    Case::new(id, title, rule, why).of(Tested::Server).needs(Needs::Tls)
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    of_tls("t/tls-old", "TLS 1.0 and 1.1 alone", OLD, "old versions of TLS can be broken").should().open(&[Edit::OldTls])
        .expect(Expect::Judged(old, "no TLS")),
    of_tls("t/alpn-none", "TLS without ALPN", MAY_OFFER, "clients that offer no protocol are refused").should().open(&[Edit::Alpn(&[])])
        .expect(Expect::Judged(opens, "101")),
    of_tls("t/alpn-h2", "ALPN offers h2 before http/1.1, and the request is one of HTTP/1.1", MAY_OFFER, "shows what a client gets that can do both; a browser goes on with what ALPN agrees on").info().open(&[Edit::Alpn(&["h2", "http/1.1"])])
        .expect(Expect::Judged(opens, "nothing is prescribed")),
];
