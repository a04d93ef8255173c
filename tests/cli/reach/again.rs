//! `--retry` until a connection is open, `--reconnect` when it was lost.

use super::{answer, client, hello};
use crate::harness::Test;
use crate::server::serve_next;

const BUSY: &str = "HTTP/1.1 503 Busy\nContent-Length: 0\n\n";

#[test]
fn a_server_that_refuses_twice_is_asked_a_third_time() {
    client(["--retry", "2", "--retry-delay", "10ms", "--write-out", "%{num_retries}\\n"])
        .server(|listener| {
            answer(&listener, BUSY);
            answer(&listener, BUSY);
            serve_next(&listener, hello);
        })
        .stdout("Hello\n2\n")
        .stderr(
            "wscope: note: the server answered 503 Busy [..]; trying again in 0.0 s (attempt 1)\n\
             wscope: note: the server answered 503 Busy [..]; trying again in 0.0 s (attempt 2)\n",
        )
        .status(0);
}

#[test]
fn after_the_last_try_the_failure_stands() {
    client(["-q", "--retry", "1", "--retry-delay", "0"])
        .server(|listener| {
            answer(&listener, BUSY);
            answer(&listener, BUSY);
        })
        .stderr(
            "wscope: the service is unavailable: its reason is \"Busy\"; the server answered 503 Busy \
             instead of 101 [..]\n...\n",
        )
        .status(7);
    // The same would happen again.
    client(["-q", "--retry", "9"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 404 Not Found\nContent-Length: 0\n\n");
        })
        .stderr("wscope: there is no WebSocket at this path: a wrong path, in the URL or rewritten by a proxy, a program without WebSocket, or Upgrade and Connection were lost on the way; the server answered 404 Not Found instead of 101 [..]\n...\n")
        .status(7);
}

#[test]
fn a_server_that_asks_for_too_much_patience_gets_none() {
    client(["--retry", "9"])
        .server(|listener| {
            answer(&listener, "HTTP/1.1 503 Busy\nRetry-After: 86400\nContent-Length: 0\n\n");
        })
        .stderr(
            "wscope: note: not retrying: the server's Retry-After of 86400 s is too long\n...\n",
        )
        .status(7);
}

#[test]
fn exit_12_when_the_time_of_the_run_ends_while_waiting() {
    client(["-q", "--retry", "9", "--retry-delay", "60", "--max-time", "0.3"])
        .server(|listener| {
            answer(&listener, BUSY);
        })
        .stderr("wscope: [..]timed out after [..]: --max-time has passed\n")
        .status(12);
}

#[test]
fn a_lost_connection_is_opened_again_and_messages_are_sent_again() {
    Test::new()
        .args(["-w", "-1", "--reconnect", "--retry-delay", "10ms", "-x", "subscribe"])
        .server(|listener| {
            serve_next(&listener, |p| {
                p.open();
                p.receive_text("subscribe");
                p.text("one");
                p.reset();
            });
            serve_next(&listener, |p| {
                p.open();
                p.receive_text("subscribe");
                p.text("two");
                p.close_first(1012, "restart");
            });
            serve_next(&listener, |p| {
                p.open();
                p.receive_text("subscribe");
                p.close_first(1000, "done");
            });
        })
        .stdout("one\ntwo\n")
        .stderr(
            "wscope: note: [..]; trying again in 0.0 s (attempt 1)\n\
             wscope: note: [..]1012[..]; trying again in 0.0 s (attempt 2)\n",
        )
        .status(0);
}

#[test]
fn lines_go_on_where_they_were() {
    let (key, gate) = crate::waiting::gate();
    Test::new()
        .args(["-q", "--reconnect", "--retry-delay", "10ms"])
        .stdin_after(gate, "later\n")
        .server(move |listener| {
            serve_next(&listener, |p| {
                p.open();
                p.hang_up();
            });
            serve_next(&listener, |p| {
                p.open();
                key.open();
                p.receive_text("later");
                p.answer_close(1000);
            });
        })
        .status(0);
}

#[test]
fn lines_of_x_are_carried_out_again() {
    Test::new()
        .args(["-q", "--commands", "-x", "/text subscribe", "--reconnect", "--retry-delay", "10ms"])
        .server(|listener| {
            serve_next(&listener, |p| {
                p.open();
                p.receive_text("subscribe");
                p.hang_up();
            });
            serve_next(&listener, |p| {
                p.open();
                p.receive_text("subscribe");
                p.close_first(1000, "done");
            });
        })
        .stderr_any()
        .status(0);
}

#[test]
fn a_script_connects_again_too() {
    let (key, gate) = crate::waiting::gate();
    Test::new()
        .args(["-q", "--input", "commands", "--reconnect", "--retry-delay", "10ms"])
        .stdin_after(gate, "/expect second\n")
        .server(move |listener| {
            serve_next(&listener, |p| {
                p.open();
                p.text("first");
                p.hang_up();
            });
            serve_next(&listener, |p| {
                p.open();
                key.open();
                p.text("second");
                p.answer_close(1000);
            });
        })
        .stdout("first\nsecond\n")
        .stderr_any()
        .status(0);
}
