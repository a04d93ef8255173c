//! Origin, subprotocols, extensions: what is offered, and which answers are allowed.

use crate::check::case::{Case, CitedRule, Expectation, Needs, rule};
use crate::check::facts::{CaseFacts, CaseOpening};
use crate::check::request::Edit;
use crate::check::verdict::{Judgement, Verdict};

const ORIGIN: CitedRule = rule(
    "RFC 6455 §10.2",
    "Servers that are not intended to process input from any web page but only for certain sites SHOULD verify the |Origin| field is an origin they expect.",
);
const NO_ORIGIN: CitedRule = rule("RFC 6455 §4.2.1", "Optionally, an |Origin| header field.");
const ONE: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "The value chosen MUST be derived from the client's handshake, specifically by selecting one of the values from the |Sec-WebSocket-Protocol| field that the server is willing to use for this connection (if any).",
);
const NONE: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "if the server does not wish to agree to one of the suggested subprotocols, it MUST NOT send back a |Sec-WebSocket-Protocol| header field in its response",
);
const UNIQUE: CitedRule = rule(
    "RFC 6455 §4.1",
    "The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to U+007E not including separator characters as defined in [RFC2616] and MUST all be unique strings.",
);
pub(super) const CASE: CitedRule = rule(
    "RFC 6455 §4.1",
    "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates the use of a subprotocol that was not present in the client's handshake (the server has indicated a subprotocol not requested by the client), the client MUST _Fail the WebSocket Connection_.",
);
const OFFERED: CitedRule = rule(
    "RFC 6455 §4.2.2",
    "If the server supports multiple extensions, then the value MUST be derived from the client's handshake, specifically by selecting one or more of the values from the |Sec-WebSocket-Extensions| field.",
);
const MALFORMED: CitedRule = rule(
    "RFC 6455 §9.1",
    "If a value is received by either the client or the server during negotiation that does not conform to the ABNF below, the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_.",
);
const DECLINE: CitedRule = rule(
    "RFC 7692 §7",
    "A server MUST decline an extension negotiation offer for this extension if any of the following conditions are met",
);
const SNCT: CitedRule = rule(
    "RFC 7692 §7.1.1.1",
    "A server accepts an extension negotiation offer that includes the \"server_no_context_takeover\" extension parameter by including the \"server_no_context_takeover\" extension parameter in the corresponding extension negotiation response to send back to the client.",
);
const SMWB: CitedRule = rule(
    "RFC 7692 §7.1.2.1",
    "A server accepts an extension negotiation offer with this parameter by including the \"server_max_window_bits\" extension parameter in the extension negotiation response to send back to the client with the same or smaller value as the offer.",
);
pub(super) const CMWB: CitedRule = rule(
    "RFC 7692 §7.1.2.2",
    "If a received extension negotiation offer doesn't have the \"client_max_window_bits\" extension parameter, the corresponding extension negotiation response to the offer MUST NOT include the \"client_max_window_bits\" extension parameter.",
);
const FALLBACK: CitedRule =
    rule("RFC 6455 §9.1", "Note that the order of extensions is significant.");
const LIST: CitedRule = rule(
    "RFC 6455 §9.1",
    "Note that like other HTTP header fields, this header field MAY be split or combined across multiple lines.",
);

const HIJACK: &str = "a page of another site can open a WebSocket with the cookies of the visitor (cross-site WebSocket hijacking)";
const STAMPS: &str = "the client believes that the server speaks a protocol that it does not know";
const BROWSERS: &str = "browsers fail the connection";
const MISREAD: &str = "both sides compress differently, and messages can't be read";

const EXT: &str = "Sec-WebSocket-Extensions";
const PROTO: &str = "Sec-WebSocket-Protocol";

const fn origin(id: &'static str, title: &'static str, edits: &'static [Edit]) -> Case {
    Case::of_server(id, title, ORIGIN, HIJACK)
        .should()
        .open(edits)
        .expect(Expectation::Judged(foreign, "any answer; no cookie for a foreign Origin"))
}

const fn refuses(id: &'static str, title: &'static str, edits: &'static [Edit]) -> Case {
    Case::of_server(id, title, UNIQUE, STAMPS)
        .should()
        .open(edits)
        .expect(Expectation::Judged(clean, "an HTTP status from 400 to 499, or a 101"))
}

const fn declines(id: &'static str, title: &'static str, edits: &'static [Edit]) -> Case {
    Case::of_server(id, title, DECLINE, MISREAD).open(edits).expect(Expectation::Declined)
}

const fn keeps(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    edits: &'static [Edit],
    rules: &'static [&'static str],
) -> Case {
    Case::of_server(id, title, rule, MISREAD).open(edits).expect(Expectation::Keeps(rules))
}

const fn learns(
    id: &'static str,
    title: &'static str,
    rule: CitedRule,
    why: &'static str,
    edits: &'static [Edit],
) -> Case {
    Case::of_server(id, title, rule, why).info().open(edits).expect(Expectation::Learns)
}

/// An accepted foreign origin matters only if there are cookies.
fn foreign(facts: &CaseFacts) -> Judgement {
    let got = facts.describe("server");
    match facts.opening {
        CaseOpening::Open if facts.header("set-cookie").is_some() => {
            Judgement::new(Verdict::Warn, "101 with Set-Cookie: a page of any site can connect")
        }
        CaseOpening::Open => Judgement::new(Verdict::Info, "101"),
        _ => Judgement::new(Verdict::Info, got),
    }
}

/// An illegal header: the server may refuse or ignore it, but should not fail with a 5xx status.
fn clean(facts: &CaseFacts) -> Judgement {
    let got = facts.describe("server");
    let verdict = match facts.opening {
        CaseOpening::Refused(status) if (400..500).contains(&status) => Verdict::Pass,
        // A 5xx status, but it opens no connection.
        CaseOpening::Refused(status) if status >= 500 => Verdict::Warn,
        CaseOpening::Dropped => Verdict::PassBare,
        CaseOpening::Open => return Judgement::new(Verdict::Info, "101"),
        CaseOpening::Silent | CaseOpening::Bad(_) => Verdict::Fail,
        _ => Verdict::Info,
    };
    Judgement::new(verdict, got)
}

/// Like `clean`, for a header that a server must not ignore, although ignoring it does no harm.
fn strict(facts: &CaseFacts) -> Judgement {
    let judgement = clean(facts);
    match judgement.verdict {
        Verdict::Fail if matches!(facts.opening, CaseOpening::Bad(_)) => {
            Judgement::of_own_breach(judgement.got)
        }
        Verdict::Info if facts.opening == CaseOpening::Open => Judgement::new(Verdict::Warn, "101"),
        _ => judgement,
    }
}

fn unstamped(facts: &CaseFacts) -> Judgement {
    match (&facts.opening, facts.header("sec-websocket-protocol")) {
        (CaseOpening::Open, Some(name)) => {
            Judgement::new(Verdict::Info, format!("101 with Sec-WebSocket-Protocol: {name}"))
        }
        (CaseOpening::Open, None) => Judgement::new(Verdict::Pass, "101 without a subprotocol"),
        _ => Judgement::new(Verdict::Info, facts.describe("server")),
    }
}

fn exact(facts: &CaseFacts) -> Judgement {
    match (&facts.opening, facts.header("sec-websocket-protocol")) {
        (CaseOpening::Open, None) => Judgement::new(Verdict::Pass, "101 without a subprotocol"),
        (CaseOpening::Refused(_), _) => Judgement::new(Verdict::Pass, facts.describe("server")),
        (CaseOpening::Open, Some(name)) => {
            Judgement::new(Verdict::Info, format!("101 with Sec-WebSocket-Protocol: {name}"))
        }
        (CaseOpening::Dropped, _) => Judgement::new(Verdict::PassBare, facts.describe("server")),
        _ => Judgement::new(Verdict::Fail, facts.describe("server")),
    }
}

#[rustfmt::skip] // a table
pub(super) static CASES: &[Case] = &[
    learns("o/none", "no Origin", NO_ORIGIN, "clients other than browsers send no Origin", &[Edit::Drop("Origin")]),
    learns("o/scheme", "the site's own Origin with http: instead of https:", ORIGIN, "a page that was modified on the network can connect", &[Edit::Set("Origin", "http://{host}")]).needs(Needs::Tls),
    learns("o/same", "the site's own Origin", ORIGIN, "pages of the site itself are refused", &[Edit::Set("Origin", "{origin}")]),
    origin("o/evil", "the Origin of another site", &[Edit::Set("Origin", "https://evil.example")]),
    origin("o/null", "Origin: null, as a sandboxed page sends it", &[Edit::Set("Origin", "null")]),
    origin("o/suffix", "an Origin whose host begins with that of the site", &[Edit::Set("Origin", "https://{name}.evil.example")]),
    origin("o/prefix", "an Origin whose host ends with that of the site", &[Edit::Set("Origin", "https://evil{name}")]),

    Case::of_server("p/unknown", "an unknown subprotocol", NONE, STAMPS).should().open(&[Edit::Set(PROTO, "x-wscope-unknown")])
        .expect(Expectation::Judged(unstamped, "101 without a subprotocol")),
    keeps("p/two", "two unknown subprotocols", ONE, &[Edit::Set(PROTO, "x-wscope-a, x-wscope-b")], &["4.1-res-proto-offered", "4.2.2-res-proto-token"]),
    keeps("p/none", "no subprotocol", NONE, &[Edit::Drop(PROTO)], &["4.1-res-proto-offered", "4.2.2-res-proto-none"]),
    refuses("p/empty", "an empty Sec-WebSocket-Protocol", &[Edit::Set(PROTO, "")]),
    refuses("p/dup", "the same subprotocol twice", &[Edit::Set(PROTO, "x-wscope-a, x-wscope-a")]),
    refuses("p/illegal", "a subprotocol with a slash", &[Edit::Set(PROTO, "x-wscope/")]),
    Case::of_server("p/case", "a known subprotocol in capitals", CASE, BROWSERS).needs(Needs::Subprotocol)
        .open(&[Edit::Set(PROTO, "{SUBPROTOCOL}")]).expect(Expectation::Judged(exact, "101 without a subprotocol, or a refusal")),

    Case::of_server("x/unknown", "an unknown extension", OFFERED, BROWSERS).open(&[Edit::Set(EXT, "x-wscope-unknown; a=1")]).expect(Expectation::Declined),
    Case::of_server("x/malformed", "a header that is not a list of extensions", MALFORMED, STAMPS).should().open(&[Edit::Set(EXT, "permessage-deflate; =;;,")])
        .expect(Expectation::Judged(strict, "an HTTP status from 400 to 499")),
    learns("x/deflate", "a plain offer of permessage-deflate", OFFERED, "shows whether messages can be compressed", &[Edit::Set(EXT, "permessage-deflate")]),
    declines("x/param-unknown", "an offer with an unknown parameter", &[Edit::Set(EXT, "permessage-deflate; x_foo=1")]),
    declines("x/bits-7", "an offer with a window of 7 bits", &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=7")]),
    declines("x/bits-16", "an offer with a window of 16 bits", &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=16")]),
    declines("x/bits-08", "an offer with a window of 08 bits", &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=08")]),
    declines("x/bits-novalue", "an offer with server_max_window_bits without a value", &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits")]),
    declines("x/client-bits-16", "an offer with a client's window of 16 bits", &[Edit::Set(EXT, "permessage-deflate; client_max_window_bits=16")]),
    declines("x/param-dup", "an offer with a parameter twice", &[Edit::Set(EXT, "permessage-deflate; server_no_context_takeover; server_no_context_takeover")]),
    declines("x/flag-value", "an offer with a value for a flag", &[Edit::Set(EXT, "permessage-deflate; server_no_context_takeover=1")]),
    keeps("x/snct", "an offer that asks for server_no_context_takeover", SNCT, &[Edit::Set(EXT, "permessage-deflate; server_no_context_takeover")], &["7692-7.1.1.1-ack"]).autobahn("13.2"),
    keeps("x/smwb-9", "an offer that asks for a window of 9 bits", SMWB, &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=9")], &["7692-7.1.2.1-ack", "7692-7.1.2.1-le"]).autobahn("13.3"),
    learns("x/smwb-8", "an offer that asks for a window of 8 bits", SMWB, "zlib can't make a window of 8 bits", &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=8")]),
    keeps("x/cmwb-none", "an offer without client_max_window_bits", CMWB, &[Edit::Set(EXT, "permessage-deflate")], &["7692-7.1.2.2-offered"]),
    keeps("x/fallback", "an illegal offer, then a plain one", FALLBACK, &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=99, permessage-deflate")], &["7692-5-fallback"]).should().autobahn("13.7"),
    keeps("x/quoted", "a value in quotes", SMWB, &[Edit::Set(EXT, "permessage-deflate; server_max_window_bits=\"10\"")], &["7692-7.1.2.1-ack", "7692-7.1.2.1-le"]),
    keeps("x/split", "offers in two header lines", LIST, &[Edit::Set(EXT, "x-wscope-unknown"), Edit::Add(EXT, "permessage-deflate")], &["4.1-res-ext-offered"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::catalogue::find;
    use crate::check::judge::judge;
    use crate::wire::Role;

    #[test]
    fn an_error_of_the_server_opens_nothing_and_is_no_breach() {
        let facts = CaseFacts { opening: CaseOpening::Refused(500), ..CaseFacts::default() };
        for id in ["x/malformed", "x/bits-7", "p/illegal"] {
            let case = find(id, Role::Server).expect("a case");
            assert_eq!(judge(case, &facts, false).verdict, Verdict::Warn, "{id}");
        }
    }
}
