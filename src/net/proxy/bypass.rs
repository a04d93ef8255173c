//! Hosts that are reached without a proxy: `no_proxy` and `--noproxy`, by curl's rules.
//!
//! Two departures, both where curl's rule would match nothing: `HOST:PORT` means that port of the
//! host, and white space parts entries as commas do.

use std::net::IpAddr;

use super::address::{read_port, split_port};

/// The first entry of `list` that names `host` (a name, or an address without brackets).
pub(super) fn matching<'a>(list: &'a str, host: &str, port: u16) -> Option<&'a str> {
    let entries = list.split(|c: char| c == ',' || c.is_whitespace());
    let mut entries = entries.filter(|entry| !entry.is_empty());
    if list.trim() == "*" {
        return entries.next();
    }
    match host.parse::<IpAddr>() {
        Ok(address) => entries.find(|entry| names_address(entry, address, port)),
        Err(_) => entries.find(|entry| names_host(entry, host, port)),
    }
}

/// `example.com` and `.example.com` are both that host and all below it; `nonexample.com` is not.
fn names_host(entry: &str, host: &str, port: u16) -> bool {
    let entry = match entry.rsplit_once(':') {
        Some((name, digits)) => match read_port(digits) {
            Ok(wanted) if wanted == port => name,
            _ => return false,
        },
        None => entry,
    };
    let entry = entry.strip_suffix('.').unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let host = host.strip_suffix('.').unwrap_or(host);
    let Some(split) = host.len().checked_sub(entry.len()) else { return false };
    let (above, tail) = match (host.get(..split), host.get(split..)) {
        (Some(above), Some(tail)) => (above, tail),
        _ => return false,
    };
    !entry.is_empty()
        && tail.eq_ignore_ascii_case(entry)
        && (above.is_empty() || above.ends_with('.'))
}

/// An address, one with a port, or a block in CIDR notation.
fn names_address(entry: &str, address: IpAddr, port: u16) -> bool {
    if let Some((block, bits)) = entry.split_once('/') {
        let block = block.trim_start_matches('[').trim_end_matches(']');
        let (Ok(block), Ok(bits)) = (block.parse(), bits.parse()) else { return false };
        return is_in_block(address, block, bits);
    }
    if let Ok(named) = entry.parse::<IpAddr>() {
        return named == address;
    }
    match split_port(entry) {
        Ok((host, wanted)) => {
            host.parse() == Ok(address) && wanted.is_none_or(|wanted| wanted == port)
        }
        Err(_) => false,
    }
}

fn is_in_block(address: IpAddr, block: IpAddr, bits: u32) -> bool {
    match (address, block) {
        (IpAddr::V4(address), IpAddr::V4(block)) if bits <= 32 => {
            let differ = address.to_bits() ^ block.to_bits();
            differ.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(block)) if bits <= 128 => {
            let differ = address.to_bits() ^ block.to_bits();
            differ.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(list: &str, host: &str) -> bool {
        matching(list, host, 80).is_some()
    }

    #[test]
    fn a_name_means_itself_and_all_below_it() {
        for (list, host, hit) in [
            ("example.com", "example.com", true),
            ("example.com", "www.example.com", true),
            ("example.com", "nonexample.com", false),
            ("example.com", "com", false),
            (".example.com", "example.com", true),
            (".example.com", "www.example.com", true),
            ("EXAMPLE.com.", "www.example.COM.", true),
            ("www.example.com", "example.com", false),
            ("a,b , example.com", "example.com", true),
            ("a b example.com", "example.com", true),
            (",,example.com,", "example.com", true),
            ("", "example.com", false),
            (".", "example.com", false),
            ("*.example.com", "www.example.com", false),
            ("127.0.0.1", "127.0.0.1.example", false),
            ("ü", "xn--tda", false),
            ("é", "aé", false),
        ] {
            assert_eq!(hits(list, host), hit, "{list} / {host}");
        }
    }

    #[test]
    fn a_star_alone_means_all() {
        assert!(hits("*", "h") && hits(" * ", "::1"));
        assert!(!hits("*,a", "h"), "as in curl, only alone");
    }

    #[test]
    fn addresses_and_blocks() {
        for (list, host, hit) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.11", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.0.0.0/33", "10.0.0.0", false),
            ("10.0.0.0/x", "10.0.0.0", false),
            ("::1", "::1", true),
            ("[::1]", "::1", true),
            ("0:0::1", "::1", true),
            ("fe80::/10", "febf::1", true),
            ("[fe80::]/10", "fec0::1", false),
            ("::/0", "::1", true),
            ("::/129", "::1", false),
            ("::/0", "127.0.0.1", false),
            ("1.com", "127.0.0.1", false),
        ] {
            assert_eq!(hits(list, host), hit, "{list} / {host}");
        }
    }

    #[test]
    fn an_entry_with_a_port_means_that_port() {
        for (list, host, port, hit) in [
            ("localhost:9000", "localhost", 9000, true),
            ("localhost:9000", "localhost", 80, false),
            ("127.0.0.1:80", "127.0.0.1", 80, true),
            ("127.0.0.1:80", "127.0.0.1", 81, false),
            ("[::1]:80", "::1", 80, true),
            ("[::1]:80", "::1", 81, false),
            ("h:x", "h", 80, false),
        ] {
            assert_eq!(matching(list, host, port).is_some(), hit, "{list} / {host}:{port}");
        }
        assert_eq!(matching("a, b", "www.b", 1), Some("b"), "the entry is told");
    }
}
