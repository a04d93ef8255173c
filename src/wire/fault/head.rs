//! The bytes of faults in the answer to an opening request.

use super::{Fault, FaultKind, HeadFault};
use crate::wire::handshake::accept::AcceptSteps;
use crate::wire::handshake::headers::{ACCEPT, EXTENSIONS, PROTOCOL};
use crate::wire::head::Head;
use crate::wire::hex;

/// The sample key of RFC 6455 §1.3.
const OTHER_KEY: &[u8] = b"dGhlIHNhbXBsZSBub25jZQ==";

/// Changes `response`, a valid 101 to `request`, as the fault requires. A fault that does not
/// change the head returns it unchanged.
pub fn with_fault(fault: &Fault, request: &Head, response: &[u8]) -> Vec<u8> {
    let FaultKind::Head(kind) = fault.info.kind else { return response.to_vec() };
    let steps = AcceptSteps::for_key(request.get("Sec-WebSocket-Key").unwrap_or_default());
    let mut lines = HeadLines::of(response);
    match kind {
        HeadFault::AcceptWrong => lines.set(ACCEPT, "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        HeadFault::AcceptEmpty => lines.set(ACCEPT, ""),
        HeadFault::AcceptLower => lines.set(ACCEPT, &steps.accept.to_ascii_lowercase()),
        HeadFault::AcceptHex => lines.set(ACCEPT, &hex(&steps.sha1)),
        HeadFault::AcceptOtherKey => lines.set(ACCEPT, &AcceptSteps::for_key(OTHER_KEY).accept),
        HeadFault::AcceptTwice => lines.add(ACCEPT, &steps.accept),
        HeadFault::AcceptMissing => lines.remove(ACCEPT),
        HeadFault::UpgradeMissing => lines.remove("Upgrade"),
        HeadFault::ConnectionMissing => lines.remove("Connection"),
        HeadFault::SubprotocolUnoffered => lines.set(PROTOCOL, fault.text()),
        HeadFault::SubprotocolTwice => {
            let agreed = lines.get(PROTOCOL).unwrap_or("chat").to_owned();
            lines.set(PROTOCOL, &agreed);
            lines.add(PROTOCOL, &agreed);
        }
        HeadFault::ExtensionUnoffered => lines.add(EXTENSIONS, fault.text()),
        HeadFault::DeflateParameter => {
            lines.set(EXTENSIONS, &format!("permessage-deflate; {}", fault.text()));
        }
        HeadFault::Http10 => lines.start = lines.start.replacen("HTTP/1.1", "HTTP/1.0", 1),
        HeadFault::Body => lines.add("Content-Length", "7"),
        HeadFault::LfOnly => return lines.write("\n"),
    }
    let mut faulty = lines.write("\r\n");
    if kind == HeadFault::Body {
        faulty.extend_from_slice(b"welcome");
    }
    faulty
}

/// A valid 101, then header lines without a blank line; `size` bytes in all.
pub fn endless_head(response: &[u8], size: usize) -> Vec<u8> {
    let mut head = response.strip_suffix(b"\r\n").unwrap_or(response).to_vec();
    let mut number = 0_u64;
    while head.len() < size {
        number += 1;
        head.extend_from_slice(format!("X-Endless-{number}: and so on\r\n").as_bytes());
    }
    head.truncate(size);
    head
}

/// Bytes that cannot be HTTP.
pub fn garbage() -> &'static [u8] {
    b"\x00\xff\x13\x37 this is no HTTP \x1b[31m\x00\x00\xfe\xfd\r\n\r\n"
}

/// The lines of one of our own heads.
struct HeadLines {
    start: String,
    fields: Vec<(String, String)>,
}

impl HeadLines {
    fn of(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.trim_end().split("\r\n");
        let start = lines.next().unwrap_or_default().to_owned();
        let field = |line: &str| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.to_owned(), value.trim().to_owned())
        };
        Self { start, fields: lines.map(field).collect() }
    }

    fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        field.map(|(_, value)| value.as_str())
    }

    /// Sets a header to this value, once: in its place, or at the end.
    fn set(&mut self, name: &str, value: &str) {
        let at = self.fields.iter().position(|(other, _)| other.eq_ignore_ascii_case(name));
        self.remove(name);
        let field = (name.to_owned(), value.to_owned());
        self.fields.insert(at.unwrap_or(self.fields.len()).min(self.fields.len()), field);
    }

    fn add(&mut self, name: &str, value: &str) {
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    fn remove(&mut self, name: &str) {
        self.fields.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }

    fn write(&self, end: &str) -> Vec<u8> {
        let mut head = self.start.clone() + end;
        for (name, value) in &self.fields {
            let space = if value.is_empty() { "" } else { " " };
            head += &format!("{name}:{space}{value}{end}");
        }
        (head + end).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::CATALOGUE;
    use super::*;
    use crate::wire::handshake::rules::{HandshakeContext, Outcome, check};
    use crate::wire::handshake::server::{ServerConfig, respond};
    use crate::wire::head::HeadKind;

    const REQUEST: &[u8] =
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";

    fn good() -> (Head, Vec<u8>) {
        let request = Head::parse(HeadKind::Request, REQUEST);
        let accepted = respond(&request, &ServerConfig::default()).expect("a good request");
        (request, accepted.response)
    }

    #[test]
    fn every_fault_of_the_head_breaks_the_rule_it_names() {
        let (request, response) = good();
        for info in CATALOGUE {
            let FaultKind::Head(kind) = info.kind else { continue };
            let faulty = with_fault(&Fault::plain(info), &request, &response);
            assert_ne!(faulty, response, "{}", info.name);
            let head = Head::parse(HeadKind::Response, &faulty);
            if kind == HeadFault::LfOnly {
                assert!(!head.defects().is_empty());
                continue;
            }
            let report = check(&HandshakeContext::new(&request, Some(&head)));
            for code in info.codes {
                let broken = report.verdicts.iter().any(|verdict| {
                    verdict.rule.code == Some(code)
                        && matches!(verdict.outcome, Outcome::Fail | Outcome::Warn)
                });
                assert!(broken, "{}: {code}", info.name);
            }
        }
    }

    #[test]
    fn an_endless_head_has_its_size_and_no_blank_line() {
        let (_, response) = good();
        for size in [64, 1000, 100_000] {
            let head = endless_head(&response, size);
            assert_eq!(head.len(), size);
            assert!(!head.windows(4).any(|bytes| bytes == b"\r\n\r\n"));
        }
    }

    #[test]
    fn lines_are_written_as_they_were_read() {
        let (_, response) = good();
        assert_eq!(HeadLines::of(&response).write("\r\n"), response);
    }
}
