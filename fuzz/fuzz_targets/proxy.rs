//! The dialogues with proxies: total, the same however cut, and nothing taken beyond their end.

#![no_main]

use std::mem::discriminant;

use libfuzzer_sys::fuzz_target;
use wscope::net::proxy::{Destination, Dialogue, Proxy, ProxyError};
use wscope_fuzz::{Case, seen};

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let proxy = match (case.flag(0), case.flag(1)) {
        (false, false) => "http://user:password@p",
        (false, true) => "socks4a://user@p",
        (true, false) => "socks5h://p",
        (true, true) => "socks5h://user:password@p",
    };
    let whole = talk(proxy, &[case.bytes]);
    let cut = talk(proxy, &seen::pieces(case.bytes, &case.cuts));
    match (whole, cut) {
        (Ok(whole), Ok(cut)) => assert_eq!(cut, whole, "the same however cut"),
        // What is quoted of a stranger's bytes depends on how many had come.
        (Err(whole), Err(cut)) => assert_eq!(discriminant(&cut), discriminant(&whole)),
        (whole, cut) => panic!("{whole:?}, cut: {cut:?}"),
    }
});

/// What was sent, how much was taken, and whether the way is open.
fn talk(proxy: &str, pieces: &[&[u8]]) -> Result<(Vec<u8>, usize, bool), ProxyError> {
    let proxy = Proxy::parse(proxy).expect("a proxy");
    let mut dialogue = Dialogue::begin(&proxy, &Destination::new("host.example", 443))?;
    let (mut sent, mut taken, mut open) = (dialogue.take_output(), 0, false);
    for piece in pieces {
        match dialogue.feed(piece) {
            Ok(fed) => {
                assert!(fed.consumed <= piece.len() && (fed.open || fed.consumed == piece.len()));
                assert!(!open || fed.consumed == 0, "nothing behind the end");
                taken += fed.consumed;
                open = fed.open;
            }
            Err(error) => {
                assert!(!error.to_string().contains(char::is_control), "{error}");
                assert_eq!(dialogue.feed(b"more"), Err(error.clone()), "the same at each call");
                return Err(error);
            }
        }
        sent.append(&mut dialogue.take_output());
    }
    dialogue.ended();
    Ok((sent, taken, open))
}
