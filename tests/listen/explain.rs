//! Why a client was not let in or did not stay, explained from the server's side.

use crate::harness::listen;

#[test]
fn refused_and_broken_clients_are_explained_as_json_and_in_the_transcript() {
    for (options, marks) in [
        (["--output", "json"], ["\"code\":\"W320\"", "\"code\":\"W201\"", "\"code\":\"W628\""]),
        (["--output", "frames"], ["[1] error[W320]: ", "[2] error[W201]: ", "[3] error[W628]: "]),
    ] {
        let server = listen(options);
        let without =
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
        let mut raw = server.raw();
        assert_eq!(raw.ask("/", without).status(), 426);
        raw.rest();
        let mut raw = server.raw();
        raw.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
        raw.rest();
        let mut raw = server.open();
        raw.send(b"\x81\x02hi");
        raw.rest();
        let told = server.interrupt().stdout;
        for mark in marks {
            assert!(told.contains(mark), "{mark}: {told}");
        }
    }
}

#[test]
fn a_client_that_leaves_in_order_is_not_explained() {
    let server = listen(["--output", "json"]);
    let client = server.client();
    crate::harness::close(client);
    assert!(!server.interrupt().stdout.contains("\"diagnostic\""));
}

#[test]
fn a_client_whose_mask_never_changes_is_named() {
    let server = listen(["--output", "json", "--echo"]);
    let mut raw = server.open();
    for _ in 0..8 {
        raw.send(b"\x81\x82\0\0\0\0hi");
        raw.receive_frame();
    }
    raw.send(b"\x88\x82\0\0\0\0\x03\xe8");
    raw.rest();
    let told = server.interrupt().stdout;
    assert!(told.contains("\"code\":\"W629\"") && told.contains("the key 00000000"), "{told}");
}
