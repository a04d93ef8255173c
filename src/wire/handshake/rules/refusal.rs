//! Which status a server refuses a faulty request with (RFC 6455 §4.2.1, §4.2.2).

use super::{Outcome, Rule, Verdict};
use crate::wire::head::Head;

/// How to refuse a request.
#[derive(Clone, Debug)]
pub struct RefusalStatus {
    /// 400, 405 or 426.
    pub code: u16,
    /// The headers the status asks for.
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

/// RFC 6455 §4.2.2: on another version the server "MUST abort the WebSocket handshake
/// […] and instead send an appropriate HTTP error code (such as 426 Upgrade Required)
/// and a |Sec-WebSocket-Version| header field indicating the version(s) the server is
/// capable of understanding." RFC 9110 §15.5.22 adds Upgrade.
const UPGRADE_REQUIRED: Status = Status {
    code: 426,
    headers: &[
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
    ],
};

/// The rules a server insists on, those first whose status tells the client most. The
/// others concern the client alone, or are left to extensions to decline.
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

/// Decides whether and how a server refuses a request, from the verdicts that
/// [`check_request`](super::check_request) gave on it.
pub fn refusal(request: &Head, verdicts: &[Verdict]) -> Option<RefusalStatus> {
    let failed = |id: &str| {
        verdicts.iter().find(|verdict| verdict.rule.id == id && verdict.outcome == Outcome::Fail)
    };
    let refuse = |verdict: &Verdict, status: Status| RefusalStatus {
        code: status.code,
        headers: status.headers,
        rule: verdict.rule,
        text: verdict.text.clone(),
    };
    // Bytes that HTTP lets a recipient overlook are no ground to refuse.
    let broken = request.defects().iter().any(|defect| !defect.is_tolerable());
    if broken && let Some(verdict) = failed("4.1-req-syntax") {
        return Some(refuse(verdict, BAD_REQUEST));
    }
    GROUNDS.into_iter().find_map(|(id, status)| failed(id).map(|verdict| refuse(verdict, status)))
}
