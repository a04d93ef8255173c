//! Commands that change how the endpoint behaves.

use super::script_of;
use crate::frames::{self, CLOSE, PONG};
use tungstenite::protocol::frame::coding::Data;
use wscope::wire::deflate::params::ServerDeflateConfig;
use wscope::wire::handshake::server::ServerConfig;

#[test]
fn pings_can_be_left_without_an_answer() {
    script_of("/autopong off\nready\n/expect go\n")
        .args(["-q"])
        .peer(|p| {
            p.open();
            p.receive_text("ready");
            p.ping("unanswered");
            p.text("go");
            p.answer_close(1000);
        })
        .stdout("go\n")
        .status(0);
}

#[test]
fn a_pong_can_be_late() {
    script_of("/autopong delay 0.01\nready\n/expect go\n/text sent before the pong\n/expect end\n")
        .args(["-q"])
        .peer(|p| {
            p.open();
            p.receive_text("ready");
            p.send(frames::bytes([
                frames::frame(frames::PING, "late"),
                frames::frame(frames::TEXT, "go"),
            ]));
            p.receive_text("sent before the pong");
            let pong = p.receive_frame();
            assert_eq!((pong.opcode(), &pong.payload[..]), (PONG, &b"late"[..]));
            p.text("end");
            p.answer_close(1000);
        })
        .stdout("go\nend\n")
        .status(0);
}

#[test]
fn the_answer_to_a_close_can_be_withheld() {
    script_of("/autoclose off\nready\n/expect never 0.05\n")
        .args(["-q"])
        .peer(|p| {
            p.open();
            p.receive_text("ready");
            p.send(frames::bytes([frames::frame(CLOSE, [0x03, 0xe8])]));
            // Ours comes only when the script has failed.
            p.receive_close(1001);
        })
        .stderr("wscope: stdin: line 3: /expect /never/: no match within 0.05 s; no message came\n")
        .status(13);
}

#[test]
fn compression_can_be_switched_for_each_message() {
    let deflate = Some(ServerDeflateConfig::default());
    let config = ServerConfig { deflate, ..ServerConfig::default() };
    script_of(
        "aaaaaaaaaaaaaaaa\n/compress off\nbbbbbbbbbbbbbbbb\n/compress on\ncccccccccccccccc\n",
    )
    .args(["-q"])
    .peer(move |p| {
        p.negotiate(&config);
        for (rsv1, text) in [(true, "a"), (false, "b"), (true, "c")] {
            let (frame, content) = p.receive_data();
            assert_eq!(frame.header.rsv1, rsv1, "{text}");
            assert_eq!(content, text.repeat(16).into_bytes());
        }
        p.message(Data::Text, "done");
        p.answer_close(1000);
    })
    .stdout("done\n")
    .status(0);
}
