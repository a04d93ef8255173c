//! The last message as the explanation of an end, and the results of other sessions.

use std::time::Duration;

use wscope::diagnostics::facts::{
    CloseFacts, CrossedMessage, EndKind, LastHeard, StreamFacts, Trial, TrialOutcome, Variation,
};
use wscope::diagnostics::{Confidence, Diagnostic, Facts, Severity, classify};
use wscope::wire::Data;
use wscope::wire::close::CloseBody;

use crate::support::{Pair, end, message};

/// The end of a session whose last message came `quiet` seconds before it.
fn ended(last: &'static str, quiet: f64, code: Option<Option<u16>>) -> Vec<Diagnostic> {
    let pair = Pair::open("", "");
    let heard = LastHeard {
        content: last.as_bytes(),
        before: b"",
        quiet: Duration::from_secs_f64(quiet),
        answered: false,
    };
    let theirs = |content| CrossedMessage {
        ours: false,
        text: true,
        content,
        quiet: Duration::from_secs_f64(quiet),
    };
    let kept = [theirs(b"hello".as_slice()), theirs(last.as_bytes())];
    let stream = StreamFacts {
        kept: &kept,
        kept_all: true,
        frames: 2,
        messages: 2,
        message: Some(message(Data::Text, b"hello")),
        heard: Some(heard),
        ..StreamFacts::default()
    };
    let body = CloseBody { code: code.flatten(), reason: Vec::new() };
    let how = if code.is_some() { EndKind::Closed } else { EndKind::Fin };
    let mut end = end(how, 0.1);
    end.quiet = Duration::from_secs_f64(quiet);
    end.last = end.lifetime;
    let close = CloseFacts {
        received: code.is_some().then_some(&body),
        by_peer: code.is_some(),
        ..CloseFacts::default()
    };
    classify(&Facts { stream, close, end: Some(end), ..pair.facts() })
}

fn first(found: &[Diagnostic]) -> (&str, Severity, Option<(Confidence, &str)>) {
    let verdict = found.first().expect("a verdict");
    let cause = verdict.causes.first().map(|cause| (cause.confidence, &*cause.text));
    (verdict.entry.code, verdict.severity, cause)
}

#[test]
fn a_complaint_is_the_reason_of_the_end_behind_it() {
    let error = r#"{"type":"error","data":"no such room"}"#;
    let text = format!("its last message is {error}");
    let found = ended(error, 0.0, Some(None));
    assert_eq!(first(&found), ("W705", Severity::Warning, Some((Confidence::High, &*text))));
    // A peer that closes with 1000 has done its work, so the message may be about something else.
    let found = ended(error, 0.0, Some(Some(1000)));
    assert_eq!(first(&found), ("W700", Severity::Warning, Some((Confidence::Medium, &*text))));
    let found = ended(error, 0.0, Some(Some(1011)));
    assert_eq!(first(&found), ("W711", Severity::Error, Some((Confidence::High, &*text))));
    let found = ended(error, 0.0, None);
    let (code, _, cause) = first(&found);
    assert_eq!((code, cause.map(|(sure, _)| sure)), ("W801", Some(Confidence::Medium)));
}

#[test]
fn an_answer_is_no_reason_and_nor_is_a_complaint_of_long_ago() {
    for (last, quiet) in [(r#"{"result":1,"error":null}"#, 0.0), (r#"{"type":"error"}"#, 5.0)] {
        let found = ended(last, quiet, Some(Some(1011)));
        let named =
            |d: &Diagnostic| d.causes.iter().any(|cause| cause.text.contains("last message"));
        assert!(!found.iter().any(named), "{last}: {found:?}");
    }
    let found = ended("done", 0.0, Some(Some(1000)));
    assert_eq!(first(&found).1, Severity::Note);
    // Lines of a log may be about errors, although the session ends in order.
    let found = ended(r#"{"level":"error","line":"disk full"}"#, 0.0, Some(Some(1000)));
    assert_eq!(first(&found).1, Severity::Note);
}

#[test]
fn a_heartbeat_without_an_answer_is_suspected() {
    let cause = "the application did not receive the answer to its heartbeat message";
    for (last, code, entry) in [
        ("PING", None, "W801"),
        (r#"{"type":"ping"}"#, Some(None), "W705"),
        ("", Some(Some(4001)), "W723"),
    ] {
        let found = ended(last, 0.7, code);
        let (named, severity, said) = first(&found);
        assert_eq!((named, said), (entry, Some((Confidence::Medium, cause))), "{last}");
        assert!(severity <= Severity::Warning);
    }
    // The message came together with the end, or is not a heartbeat.
    for (last, quiet) in [("PING", 0.0), ("tick", 0.7)] {
        let found = ended(last, quiet, None);
        assert!(!found[0].causes.iter().any(|found| found.text == cause), "{last}");
    }
}

/// A session that the peer ended at once, with these trials.
fn tried(asked: &str, trials: &[(Variation, TrialOutcome)]) -> Diagnostic {
    let pair = Pair::open(asked, "");
    let trials: Vec<Trial> = trials
        .iter()
        .map(|(variation, outcome)| Trial {
            variation: *variation,
            what: "https://own.example".to_owned(),
            outcome: outcome.clone(),
        })
        .collect();
    let mut end = end(EndKind::Fin, 0.0);
    end.lifetime = Duration::from_millis(3);
    let stream = StreamFacts {
        sent: Some(message(Data::Text, b"hi")),
        ended_on_ours: true,
        ..StreamFacts::default()
    };
    let facts = Facts { trials: &trials, stream, end: Some(end), ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

#[test]
fn what_stays_open_shows_why_the_other_did_not() {
    let lost = || TrialOutcome::Ended("connection lost".to_owned());
    let stayed = || TrialOutcome::Stayed;
    let d = tried("", &[(Variation::Again, stayed())]);
    assert_eq!(
        (&*d.causes[0].text, d.is_proved()),
        ("the application ended it because of our message", false)
    );
    let d = tried(
        "Origin: https://a.example\r\n",
        &[
            (Variation::Again, lost()),
            (Variation::OwnOrigin, stayed()),
            (Variation::Again, lost()),
            (Variation::OwnOrigin, stayed()),
        ],
    );
    assert!(d.is_proved() && d.causes[0].text.contains("refuses our Origin"), "{d:?}");
    assert!(d.help.contains("-o https://own.example"), "{}", d.help);
    // One trial is no proof. If another trial contradicts it, it shows nothing.
    let d = tried("", &[(Variation::Again, lost()), (Variation::OwnOrigin, stayed())]);
    assert!(!d.is_proved() && d.causes[0].text.contains("requires an Origin"), "{d:?}");
    for more in [&[stayed()][..], &[lost(), lost()]] {
        let mut trials = vec![(Variation::Again, lost()), (Variation::OwnOrigin, stayed())];
        let kinds = [Variation::Again, Variation::OwnOrigin];
        trials.extend(kinds.into_iter().zip(more.iter().cloned()));
        let d = tried("", &trials);
        assert!(!d.causes.iter().any(|cause| cause.text.contains("Origin")), "{d:?}");
    }
    let d = tried("", &[(Variation::Again, lost()), (Variation::OtherPath, stayed())]);
    assert!(!d.is_proved() && d.causes[0].text.contains("knows this path"), "{d:?}");
    // All sessions end in the same way, so no cause is proved, and our message is not the cause.
    let d = tried("", &[(Variation::Again, lost()), (Variation::OtherPath, lost())]);
    assert!(!d.is_proved(), "{d:?}");
    assert!(d.causes.iter().all(|cause| !cause.text.contains("our message")), "{d:?}");
    let gone = TrialOutcome::Unreached("cannot connect to h: connection refused".to_owned());
    let d = tried("", &[(Variation::Again, gone)]);
    assert!(d.is_proved() && d.causes[0].text.contains("stopped listening"), "{d:?}");
}

#[test]
fn an_announcement_is_the_cause_of_the_end_after_it() {
    let cause = "the server ends or restarts, as it announced";
    let announced = [
        r#"{"type":"shutdown","in":5}"#,
        r#"{"type":"notice","text":"server restarting in 5 s"}"#,
        r#"{"type":"disconnect","reason":"server_restart","reconnect":true}"#,
    ];
    for last in announced {
        for code in [Some(Some(1000)), Some(Some(1001)), Some(Some(1012)), Some(None), None] {
            let found = ended(last, 5.0, code);
            let (_, _, said) = first(&found);
            assert_eq!(said, Some((Confidence::Medium, cause)), "{last} {code:?}: {found:?}");
        }
    }
    for last in [
        "tick",
        r#"{"user":"bob","text":"restart the game?"}"#,
        r#"{"node":3}"#,
        r#"{"type":"status","server":"ok","maintenance":false}"#,
        r#"{"server":{"shutdown":null}}"#,
        r#"{"node":"a","restarts":0}"#,
        r#"{"type":"restart_round","n":3}"#,
        r#"{"type":"notice","text":"Scheduled maintenance tomorrow"}"#,
        "the server is not going down",
        "maintenance finished, service is back",
        "service nginx restarted",
        "alice: we drain the lake tomorrow",
    ] {
        for code in [Some(Some(1001)), None] {
            let found = ended(last, 5.0, code);
            assert!(!found[0].causes.iter().any(|found| found.text == cause), "{last}: {found:?}");
        }
    }
    // A crash may follow an announcement, so its help stays.
    let (announced, plain) = (ended(announced[0], 5.0, None), ended("tick", 5.0, None));
    assert_eq!(announced[0].help, plain[0].help, "{announced:?}");
}

/// The first diagnostic of a session that was in use until it ended at this age.
fn aged(age: f64, quiet: f64, code: Option<u16>) -> Diagnostic {
    let pair = Pair::open("", "");
    let heard = LastHeard {
        content: b"tick",
        before: b"tick",
        quiet: Duration::from_secs_f64(quiet),
        answered: false,
    };
    let stream = StreamFacts {
        frames: 9,
        messages: 9,
        message: Some(message(Data::Text, b"tick")),
        heard: Some(heard),
        ..StreamFacts::default()
    };
    let body = CloseBody { code, reason: Vec::new() };
    let mut end = end(if code.is_some() { EndKind::Closed } else { EndKind::Fin }, quiet);
    end.lifetime = Duration::from_secs_f64(age);
    (end.last, end.quiet) = (end.lifetime, Duration::from_secs_f64(quiet));
    let received = code.map(|_| &body);
    let close = CloseFacts { received, by_peer: code.is_some(), ..CloseFacts::default() };
    let facts = Facts { stream, close, end: Some(end), ..pair.facts() };
    classify(&facts).into_iter().next().expect("a verdict")
}

#[test]
fn an_end_at_a_round_age_with_traffic_may_be_a_limit_on_the_age() {
    let limit = |d: &Diagnostic| {
        let cause =
            d.causes.iter().find(|cause| cause.text.contains("limit on the age of a connection"));
        cause.map(|cause| cause.confidence)
    };
    for code in [Some(1000), Some(1001), Some(1008), None] {
        for (age, shown) in [(30.02, "30.0 s"), (10.1, "10.1 s"), (3600.4, "3600.4 s")] {
            let d = aged(age, 0.4, code);
            assert_eq!(limit(&d), Some(Confidence::Low), "{code:?} {age}: {d:?}");
            let note = format!("it ended {shown} after the 101, and 400 ms after other traffic");
            assert!(d.notes.iter().any(|said| said.contains(&note)), "{d:?}");
            assert!(d.causes.iter().all(|cause| !cause.text.starts_with("an idle timeout")));
        }
        // Not a round age, a silence before the end, or an end soon after the opening.
        for (age, quiet) in [(37.5, 0.4), (30.0, 12.0), (0.3, 0.1)] {
            assert_eq!(limit(&aged(age, quiet, code)), None, "{code:?} {age} {quiet}");
        }
    }
    assert_eq!(limit(&aged(30.0, 0.4, Some(1011))), None);
}

#[test]
fn an_end_behind_a_proxy_in_the_middle_of_traffic_may_be_a_restart() {
    let of = |age: f64, headers: &str| {
        let pair = Pair::open("", headers);
        let mut end = end(EndKind::Fin, 0.3);
        end.lifetime = Duration::from_secs_f64(age);
        let stream = StreamFacts { frames: 9, messages: 9, ..StreamFacts::default() };
        let facts = Facts { stream, end: Some(end), ..pair.facts() };
        let d = classify(&facts).into_iter().next().expect("a verdict");
        d.causes.iter().map(|cause| cause.text.to_string()).collect::<Vec<_>>()
    };
    let nginx = "Server: nginx/1.22.1\r\n";
    let restart = "restarted, or reloaded its configuration";
    assert!(of(3.1, nginx)[0].contains(restart), "{:?}", of(3.1, nginx));
    // A round age, and no proxy.
    assert!(!of(30.0, nginx).iter().any(|cause| cause.contains(restart)));
    assert!(!of(3.1, "").iter().any(|cause| cause.contains(restart)));
}
