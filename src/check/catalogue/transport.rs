//! TLS.

use crate::check::case::{Case, CitedRule, Expectation, Needs, Tested, rule};
use crate::check::facts::{CaseFacts, CaseOpening};
use crate::check::request::Edit;
use crate::check::verdict::{Judgement, Verdict};

const OLD: CitedRule = rule("RFC 8996 §5", "TLS 1.1 MUST NOT be used.");
const MAY_OFFER: CitedRule = rule(
    "RFC 7301 §3.1",
    "A new extension type (\"application_layer_protocol_negotiation(16)\") is defined and MAY be included by the client in its \"ClientHello\" message.",
);

/// Whether the server establishes TLS in a version that it must not accept.
fn old(facts: &CaseFacts) -> Judgement {
    match without_tls(facts) {
        Some((true, got)) if facts.opening == CaseOpening::Dropped => {
            Judgement::new(Verdict::PassBare, got)
        }
        Some((true, got)) => Judgement::new(Verdict::Pass, got),
        Some((false, got)) => Judgement::new(Verdict::Inconclusive, got),
        None => Judgement::new(Verdict::Fail, "TLS 1.1 or 1.0 is accepted"),
    }
}

/// Whether TLS is established, and what a WebSocket over it then uses.
fn opens(facts: &CaseFacts) -> Judgement {
    match (without_tls(facts), &facts.opening, &facts.alpn) {
        (Some((true, got)), ..) => Judgement::new(Verdict::Fail, got),
        (Some((false, got)), ..) => Judgement::new(Verdict::Inconclusive, got),
        (None, CaseOpening::Open, Some(name)) => {
            Judgement::new(Verdict::Pass, format!("101; ALPN agreed on {name}"))
        }
        (None, CaseOpening::Open, None) => {
            Judgement::new(Verdict::Pass, "101; nothing agreed by ALPN")
        }
        // The answer to the WebSocket request says nothing about TLS.
        _ => Judgement::new(Verdict::Info, format!("TLS, then {}", facts.describe("server"))),
    }
}

/// If TLS was not established: whether the server ended the handshake, and what wscope saw.
fn without_tls(facts: &CaseFacts) -> Option<(bool, String)> {
    match &facts.opening {
        _ if facts.secured => None,
        CaseOpening::Unsecured(text) => Some((true, text.clone())),
        CaseOpening::Dropped => {
            Some((true, "the connection ended in the TLS handshake".to_owned()))
        }
        CaseOpening::Silent => Some((false, "no answer in the TLS handshake".to_owned())),
        _ => None,
    }
}

const fn of_tls(id: &'static str, title: &'static str, rule: CitedRule, why: &'static str) -> Case {
    Case::new(id, title, rule, why).of(Tested::Server).needs(Needs::Tls)
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    of_tls("t/tls-old", "only TLS 1.0 and 1.1", OLD, "old versions of TLS can be broken").should().open(&[Edit::OldTls])
        .expect(Expectation::Judged(old, "no TLS")),
    of_tls("t/alpn-none", "TLS without ALPN", MAY_OFFER, "clients that offer no protocol are refused").should().open(&[Edit::Alpn(&[])])
        .expect(Expectation::Judged(opens, "TLS is established")),
    of_tls("t/alpn-h2", "ALPN offers h2 before http/1.1, and the request is HTTP/1.1", MAY_OFFER, "shows what a client with both gets; a browser speaks what ALPN agrees on").info().open(&[Edit::Alpn(&["h2", "http/1.1"])])
        .expect(Expectation::Judged(opens, "no rule applies")),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::catalogue::find;
    use crate::check::judge::judge;
    use crate::wire::Role;

    #[track_caller]
    fn check(id: &str, secured: bool, opening: CaseOpening, verdict: Verdict) {
        let case = find(id, Role::Server).expect("a case");
        let facts = CaseFacts { opening, secured, ..CaseFacts::default() };
        let judgement = judge(case, &facts, false);
        assert_eq!(judgement.verdict, verdict, "{id} {facts:?}: {}", judgement.got);
    }

    #[test]
    fn what_comes_over_tls_without_alpn_is_no_matter_of_alpn() {
        for opening in [
            CaseOpening::Refused(403),
            CaseOpening::Refused(429),
            CaseOpening::Refused(503),
            CaseOpening::Dropped,
            CaseOpening::Silent,
        ] {
            check("t/alpn-none", true, opening.clone(), Verdict::Info);
            check("t/alpn-h2", true, opening, Verdict::Info);
        }
        let failed = || CaseOpening::Unsecured("the TLS handshake failed".into());
        check("t/alpn-none", false, failed(), Verdict::Warn);
        check("t/alpn-none", false, CaseOpening::Dropped, Verdict::Warn);
        check("t/alpn-none", false, CaseOpening::Silent, Verdict::Inconclusive);
        check("t/alpn-none", true, CaseOpening::Open, Verdict::Pass);
        check("t/alpn-h2", false, failed(), Verdict::Info);
    }

    #[test]
    fn an_old_version_is_accepted_where_tls_comes_about_whatever_follows() {
        for opening in [
            CaseOpening::Open,
            CaseOpening::Dropped,
            CaseOpening::Silent,
            CaseOpening::Refused(403),
        ] {
            check("t/tls-old", true, opening, Verdict::Warn);
        }
        check("t/tls-old", false, CaseOpening::Unsecured("no".into()), Verdict::Pass);
        check("t/tls-old", false, CaseOpening::Dropped, Verdict::PassBare);
        check("t/tls-old", false, CaseOpening::Silent, Verdict::Inconclusive);
        check("t/tls-old", false, CaseOpening::Unable("no".into()), Verdict::Inconclusive);
    }
}
