//! `wscope handshake`: both heads, each rule's verdict, the accept value step by step.

use crate::harness::Test;
use crate::peer::Peer;
use crate::transcript::objects;

fn judging() -> Test {
    Test::new().args(["handshake", "ws://127.0.0.1:{port}/chat"])
}

fn good(p: &mut Peer) {
    p.open();
    p.answer_close(1000);
}

fn wrong_accept(p: &mut Peer) {
    p.request();
    p.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
    );
    p.receive_end();
}

#[test]
fn a_good_handshake_is_printed_from_the_connection_to_the_sum() {
    judging()
        .peer(good)
        .stdout_like(
            "✓ the handshake is in order\n\
             [..] rules: [..] passed, 0 FAILED, [..] warned, [..] not applicable\n\
             \n\
             * 127.0.0.1 resolved to 127.0.0.1:{port}\n\
             * connected to 127.0.0.1:{port} from 127.0.0.1:[..]\n\
             * name [..] ms, tcp [..] ms, upgrade [..] ms\n\
             \n\
             Request\n\
             > GET /chat HTTP/1.1\n\
             > Host: 127.0.0.1:{port}\n\
             ...\n\
             >\n\
             \n\
             Response\n\
             < HTTP/1.1 101 Switching Protocols\n\
             ...\n\
             <\n\
             \n\
             Sec-WebSocket-Accept\n  \
               key           [..]==\n  \
               with the GUID [..]==258EAFA5-E914-47DA-95CA-C5AB0DC85B11\n  \
               SHA-1         [..]\n  \
               base64        [..]=\n  \
               received      [..]= (the same)\n\
             \n\
             Agreed\n  \
               subprotocol   none\n  \
               extensions    none\n",
        )
        .status(0);
}

#[test]
fn a_wrong_accept_value_fails_its_rule_with_exit_8() {
    let output = judging().peer(wrong_accept).stdout_any().stderr_any().status(8);
    let rule = output.stdout().lines().find(|line| line.contains("4.1-res-accept-value"));
    let rule = rule.expect("the rule");
    assert!(rule.contains("FAIL") && rule.contains("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "{rule}");
    assert!(output.stderr().contains("W402"), "{}", output.stderr());
}

#[test]
fn another_status_is_judged_too_with_exit_7() {
    let output = judging()
        .peer(|p| {
            p.request();
            p.send("HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\nnothing\n");
            p.receive_end();
        })
        .stdout_any()
        .stderr("wscope: there is no WebSocket at this path: a wrong path, in the URL or rewritten by a proxy, a program without WebSocket, or Upgrade and Connection were lost on the way; the server answered 404 Not Found instead of 101 [..]\n...\n")
        .status(7);
    assert!(output.stdout().starts_with("- refused: 404 Not Found; no rule is broken\n67 rules: "));
    assert!(!output.stdout().contains("FAIL "), "{}", output.stdout());
}

#[test]
fn every_rule_is_listed_with_v() {
    let output = judging().args(["-v"]).peer(good).stdout_any().status(0);
    for part in ["\nRules for the client\n", "\nRules for the server\n", "✓ pass  4.1-res-status "]
    {
        assert!(output.stdout().contains(part), "{}", output.stdout());
    }
}

#[test]
fn what_was_found_comes_first() {
    let output = judging().peer(wrong_accept).stdout_any().stderr_any().status(8);
    let start: Vec<&str> = output.stdout().lines().take(3).collect();
    assert_eq!(start[0], "✗ the handshake breaks rules");
    assert!(start[1].contains(" 1 FAILED, "), "{start:?}");
    assert!(start[2].contains("✗ FAIL  4.1-res-accept-value"), "{start:?}");
    assert!(!output.stdout().contains("✓ pass"), "{}", output.stdout());
}

#[test]
fn json_has_heads_verdicts_and_what_was_agreed() {
    let output = judging().args(["--output", "json"]).peer(good).stdout_any().status(0);
    let objects = objects(&output);
    let kind = |event: &str| objects.iter().filter(|o| o["event"] == event).collect::<Vec<_>>();
    assert_eq!(kind("head").len(), 2);
    assert_eq!(kind("head")[0]["target"], "/chat");
    assert_eq!(kind("head")[1]["status"], 101);
    let handshake = kind("handshake")[0];
    let verdicts = handshake["verdicts"].as_array().expect("verdicts");
    assert!(verdicts.len() > 50);
    assert!(verdicts.iter().all(|verdict| verdict["outcome"] != "fail"));
    assert_eq!(kind("open").len(), 1);
}

#[test]
fn json_of_a_bad_handshake_names_the_rule_that_failed() {
    let output =
        judging().args(["--output", "json"]).peer(wrong_accept).stdout_any().stderr_any().status(8);
    let objects = objects(&output);
    let handshake = objects.iter().find(|o| o["event"] == "handshake").expect("a handshake");
    let verdicts = handshake["verdicts"].as_array().expect("verdicts");
    let failed: Vec<_> = verdicts.iter().filter(|v| v["outcome"] == "fail").collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(
        (&failed[0]["rule"], &failed[0]["code"]),
        (&"4.1-res-accept-value".into(), &"W402".into())
    );
}

#[test]
fn the_demo_shows_each_kind_of_frame() {
    let output = Test::new().args(["demo"]).stdout_any().status(0);
    let said = output.stdout();
    for part in [
        "> GET /demo HTTP/1.1\n",
        "< HTTP/1.1 101 Switching Protocols\n",
        "permessage-deflate",
        "TEXT ",
        "BIN ",
        "CONT ",
        " F1M ",
        "PING ",
        "PONG ",
        "(rtt ",
        "CLOSE ",
        "closed with 1000",
    ] {
        assert!(said.contains(part), "{part} is missing:\n{said}");
    }
}
