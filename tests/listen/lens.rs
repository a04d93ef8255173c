//! Lenses of a server: one for each client, by its path; and what a server speaks.

use crate::harness::{close, listen, receive};
use tungstenite::Message;

#[test]
fn each_client_has_the_lens_of_its_path() {
    let server = listen([
        "--output=frames",
        "--echo",
        "--lens=none",
        "--lens-map=/values=json",
        "--lens-map=/rpc=json-rpc",
        "--exit-after=3",
    ]);
    let of = |path: &str| server.client_of(format!("ws://127.0.0.1:{}{path}", server.port()));
    let text = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"add\"}";
    let (mut values, mut rpc, mut other) = (of("/values?x=1"), of("/rpc"), of("/"));
    for client in [&mut values, &mut rpc, &mut other] {
        client.send(Message::text(text)).expect("open");
        assert_eq!(receive(client), text);
    }
    [values, rpc, other].into_iter().for_each(close);
    let output = server.ends(0);
    let meant: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with('=')).collect();
    let of = |conn: &str| meant.iter().filter(|line| line.starts_with(conn)).count();
    assert_eq!((of("= [1] {"), of("= [2] add#1"), of("= [3]")), (2, 2, 0), "{meant:?}");
}

#[test]
fn a_wrong_map_is_an_error() {
    for (map, error) in [("values=json", "write /path=NAME"), ("/x=jsn", "no lens is called jsn")] {
        let output = crate::harness::wscope()
            .args(["listen", "0", "--lens-map", map])
            .output()
            .expect("it runs");
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(stderr.contains(error), "{stderr}");
    }
}
