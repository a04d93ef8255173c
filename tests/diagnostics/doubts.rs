//! What looks like a proof and is none: each answer here has a legal other explanation, so no cause
//! that it suggests is sure.

use wscope::diagnostics::facts::{CloseFacts, EndKind, Trial, TrialOutcome, Variation};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, classify};
use wscope::wire::close::CloseBody;

use crate::support::{Pair, end};

fn verdict(facts: &Facts<'_>) -> Diagnostic {
    classify(facts).into_iter().next().expect("a verdict")
}

/// The verdict on an answer to a request over plain TCP.
fn of(status: &str, headers: &str, body: &str) -> Diagnostic {
    over("ws://api.example/chat", status, headers, body)
}

fn over(url: &str, status: &str, headers: &str, body: &str) -> Diagnostic {
    let pair = Pair::new("", &format!("HTTP/1.1 {status}\r\n{headers}\r\n{body}"));
    verdict(&Facts { url: Some(url), ..pair.facts() })
}

/// Whether a cause has these words, and how sure it is.
fn sure(d: &Diagnostic, words: &str) -> Option<Confidence> {
    d.causes.iter().find(|cause| cause.text.contains(words)).map(|cause| cause.confidence)
}

const CLOUDFLARE: &str = "Server: cloudflare\r\n";
const FIREWALL: &str = "a rule of Cloudflare's firewall";

#[test]
fn only_cloudflare_itself_says_with_a_number_that_its_firewall_refused() {
    for number in [1006, 1007, 1008, 1009, 1010, 1011, 1012, 1020] {
        let d = of("403 Forbidden", CLOUDFLARE, &format!("error code: {number}\n"));
        assert_eq!((d.entry.code, sure(&d, FIREWALL)), ("W332", Some(Confidence::High)), "{d:?}");
    }
    for (status, headers, number) in [
        ("403 Forbidden", CLOUDFLARE, "1000"),
        ("403 Forbidden", CLOUDFLARE, "1003"),
        ("403 Forbidden", CLOUDFLARE, "10200"),
        ("403 Forbidden", CLOUDFLARE, "10"),
        ("403 Forbidden", "Server: nginx\r\n", "1020"),
        ("403 Forbidden", "", "1020"),
        ("429 Too Many Requests", CLOUDFLARE, "1015"),
        ("500 Internal Server Error", "", "1020"),
        ("530 ", CLOUDFLARE, "1033"),
        ("530 ", CLOUDFLARE, "1016"),
        ("404 Not Found", CLOUDFLARE, "1020"),
    ] {
        let d = of(status, headers, &format!("error code: {number}"));
        assert_eq!(sure(&d, FIREWALL), None, "{status} {headers} {number}: {d:?}");
    }
    assert_eq!(of("429 Too Many Requests", CLOUDFLARE, "error code: 1015").entry.code, "W340");
}

#[test]
fn a_530_is_what_its_page_says() {
    let d = of("530 ", CLOUDFLARE, "error code: 1033");
    assert_eq!(sure(&d, "tunnel"), Some(Confidence::High), "{d:?}");
    let d = of("530 ", CLOUDFLARE, "error code: 1016");
    assert_eq!(sure(&d, "name can't be resolved"), Some(Confidence::High), "{d:?}");
    let d = of("530 ", CLOUDFLARE, "");
    assert_eq!(d.entry.code, "W347");
    assert!(!d.is_proved(), "{d:?}");
    // An origin behind Cloudflare may use such a number itself.
    let d = of("521 ", CLOUDFLARE, "{\"error\":\"device is off\"}");
    assert!(!d.is_proved(), "{d:?}");
    assert!(of("521 ", CLOUDFLARE, "error code: 521").is_proved());
}
