//! Reaching a server by any way, as anybody, again and again; and what is printed of it.

mod account;
mod again;
mod curl;
mod defaults;
mod proxies;
mod redirects;
mod reporting;
#[cfg(target_os = "linux")]
mod tls;
mod way;

use std::net::TcpListener;

use crate::harness::Test;
use crate::peer::Peer;
use crate::server::serve_next;

/// A run that reads no stdin and ends when the peer closes.
fn client<'a>(args: impl IntoIterator<Item = &'a str>) -> Test {
    Test::new().args(["--input", "none"]).args(args)
}

/// Opens, sends a word and closes.
fn hello(p: &mut Peer) {
    p.open();
    p.text("Hello");
    p.close_first(1000, "done");
}

/// The values of a header.
fn values(head: &wscope::wire::head::Head, name: &str) -> Vec<String> {
    let found = head.headers().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|field| String::from_utf8_lossy(field.value).into_owned()).collect()
}

/// Answers a request with this head, and ends.
fn answer(listener: &TcpListener, head: &str) -> wscope::wire::head::Head {
    let mut request = None;
    serve_next(listener, |p| {
        request = Some(p.request());
        p.send(head.replace('\n', "\r\n"));
        p.hang_up();
    });
    request.expect("a request")
}
