//! Judging any pair of heads, and answering any request: the answer passes our own rules.
//!
//! The stream is a request, then a response, divided by its first blank line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::wire::Role;
use wscope::wire::deflate::params::ServerDeflateConfig;
use wscope::wire::handshake::rules::{
    HandshakeContext, Outcome, RULES, Report, check, check_request,
};
use wscope::wire::handshake::server::{ServerConfig, respond};
use wscope::wire::head::{Fed, Head, HeadKind, HeadLimits, HeadParser};
use wscope_fuzz::Case;

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let mut parser = HeadParser::new(HeadKind::Request, HeadLimits::default());
    let (request, rest) = match parser.push(case.bytes) {
        Ok(Fed::Complete { consumed, head }) => (head, &case.bytes[consumed..]),
        Ok(Fed::Incomplete) | Err(_) => (Head::parse(HeadKind::Request, case.bytes), &[][..]),
    };
    let response = Head::parse(HeadKind::Response, rest);
    check_report(&request, &judged(&request, &response));
    check_answer(&request, &case);
});

fn judged(request: &Head, response: &Head) -> Report {
    check(&HandshakeContext::new(request, Some(response)))
}

/// Every rule is judged, in the order of the table, in words fit for a terminal.
fn check_report(request: &Head, report: &Report) {
    assert_eq!(report.verdicts.len(), RULES.len());
    for (verdict, rule) in report.verdicts.iter().zip(RULES) {
        assert_eq!(verdict.rule.id, rule.id);
        assert!(!verdict.text.contains(char::is_control), "{verdict:?}");
    }
    assert!(report.fatal().all(|verdict| verdict.outcome == Outcome::Fail));
    // A server judges the request before there is a response, and no differently.
    let alone = check_request(&HandshakeContext::new(request, None));
    let client = report.verdicts.iter().filter(|verdict| verdict.rule.side == Role::Client);
    for (alone, with_response) in alone.iter().zip(client) {
        assert_eq!((alone.rule.id, alone.outcome), (with_response.rule.id, with_response.outcome));
    }
}

/// What our server answers, our client accepts, and both agree on what was agreed.
fn check_answer(request: &Head, case: &Case<'_>) {
    let deflate = ServerDeflateConfig {
        server_no_context_takeover: case.flag(1),
        client_no_context_takeover: case.flag(2),
        server_max_window_bits: if case.flag(3) { 10 } else { 15 },
        client_max_window_bits: if case.flag(4) { 10 } else { 15 },
    };
    let config = ServerConfig {
        subprotocols: vec!["chat".to_owned(), "v2.chat".to_owned()],
        deflate: (!case.flag(0)).then_some(deflate),
        headers: Vec::new(),
        ..ServerConfig::default()
    };
    match respond(request, &config) {
        Ok(accepted) => {
            let response = Head::parse(HeadKind::Response, &accepted.response);
            assert_eq!(response.raw().len(), accepted.response.len());
            assert_eq!(response.defects(), []);
            let report = judged(request, &response);
            assert_eq!(report.fatal().map(|verdict| &verdict.text).next(), None);
            assert_eq!(report.agreed, accepted.agreed);
        }
        Err(refusal) => {
            assert!(matches!(refusal.status, 400 | 405 | 426), "{refusal:?}");
            assert!(!refusal.reason.contains(char::is_control), "{refusal:?}");
            let response = Head::parse(HeadKind::Response, &refusal.response);
            assert!(response.is_complete());
            assert_eq!(response.status_line().map(|line| line.code), Some(refusal.status));
        }
    }
}
