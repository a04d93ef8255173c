//! What a client says to a forward proxy first: SOCKS5, a ClientHello, a request. Total; what was
//! decided stays decided when more comes; nothing after a message is taken.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::net::client_hello::{self, ClientHello};
use wscope::net::first_bytes::{self, FirstBytes};
use wscope::wire::head::{Forwarding, Head, HeadKind, absolute_form};
use wscope::wire::socks::{self, Read};
use wscope_fuzz::Case;

fuzz_target!(|input: &[u8]| {
    let Some(case) = Case::read(input) else { return };
    let begin = &case.bytes[..case.cuts.first().map_or(0, |cut| (*cut).min(case.bytes.len()))];
    message(socks::greeting, begin, case.bytes);
    message(socks::login, begin, case.bytes);
    message(socks::request, begin, case.bytes);
    match FirstBytes::of(begin) {
        FirstBytes::Unknown => assert!(begin.len() < first_bytes::MOST, "it must end"),
        decided => assert_eq!(FirstBytes::of(case.bytes), decided),
    }
    match client_hello::read(begin) {
        ClientHello::More => {}
        decided => assert_eq!(client_hello::read(case.bytes), decided),
    }
    if let ClientHello::Whole { name: Some(name) } = client_hello::read(case.bytes) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        assert!(name.len() <= 253 && name.chars().all(is_plain), "{name:?}");
    }
    let head = Head::parse(HeadKind::Request, case.bytes);
    absolute_form(case.bytes);
    let host = case.flag(0).then(|| "host.example".to_owned());
    let forwarding = Forwarding { base: String::new(), host, is_proxy: true };
    if let Some(passed) = forwarding.apply(&head, case.flag(1)) {
        assert_eq!(passed.get("Proxy-Authorization"), None);
    }
    if let Some(veiled) = head.veiled("Proxy-Authorization", "-") {
        assert!(veiled.get_all("Proxy-Authorization").all(|value| value == b"-"));
    }
});

/// The same whether more has come or not.
fn message<T: PartialEq + std::fmt::Debug>(read: fn(&[u8]) -> Read<T>, begin: &[u8], all: &[u8]) {
    match read(begin) {
        Read::More => {}
        Read::Whole(value, length) => {
            assert!(length <= begin.len());
            assert_eq!(read(all), Read::Whole(value, length));
        }
        Read::Wrong(text, reply) => {
            assert!(!text.contains(char::is_control), "{text}");
            assert_eq!(read(all), Read::Wrong(text, reply));
        }
    }
}
