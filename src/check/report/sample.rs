//! Results for the tests of reports.

use super::results::Results;
use crate::check::case::{Case, Expectation, rule};
use crate::check::plan::CaseResult;
use crate::check::verdict::{Judgement, Verdict};

static GOOD: Case = Case::new("f/ping", "a ping", rule("RFC 1 §1", "says"), "why");
static BAD: Case =
    Case::new("f/rsv2", "a text frame <with> RSV2", rule("RFC 1 §2", "must"), "because")
        .send(&["/frame text rsv2=on x"])
        .expect(Expectation::Dies(&[1002]));
static ODD: Case = Case::new("k/odd", "odd", rule("RFC 1 §3", "should"), "why").should();
static LEFT: Case = Case::new("z/left", "left", rule("RFC 1 §4", "may"), "why");

pub fn outcomes() -> Vec<CaseResult> {
    let of =
        |case, verdict, got: &str| CaseResult { case, judgement: Judgement::new(verdict, got) };
    vec![
        of(&GOOD, Verdict::Pass, "the pong"),
        of(&BAD, Verdict::Fail, "a ping is answered\u{1b}"),
        of(&ODD, Verdict::Warn, "Close 1011, 100%"),
        of(&LEFT, Verdict::Skip, "no permessage-deflate"),
    ]
}

pub fn results(outcomes: &[CaseResult]) -> Results<'_> {
    let url = "ws://127.0.0.1:1/";
    Results {
        subject: url,
        url,
        again: "wscope check ws://127.0.0.1:1/",
        outcomes,
        stopped: None,
        baseline: None,
        strict: false,
        echoes: true,
    }
}
