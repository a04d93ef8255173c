//! The host in a URL, an Origin or a Host header: where it ends, and whose machine it is.

use std::net::IpAddr;

/// The host and the port in `host:port`. An IPv6 address keeps its brackets.
pub fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // In an IPv6 address, the colon of the port comes after the brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

/// The address, if the host is an address and not a name. An address may have brackets.
pub fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Whether a host means this machine, whatever a resolver says: `localhost` and the names below it
/// (RFC 6761 §6.3), 127.0.0.0/8, `::1`.
pub fn is_loopback(host: &str) -> bool {
    match address(host) {
        Some(address) => address.to_canonical().is_loopback(),
        None => format!(".{}", host.to_ascii_lowercase()).ends_with(".localhost"),
    }
}

/// Whether a host is an address of a private network or of the link.
pub fn is_private(host: &str) -> bool {
    address(host).is_some_and(|address| match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_list_says_what_this_machine_is() {
        for host in [
            "localhost",
            "LocalHost",
            "app.localhost",
            "127.0.0.1",
            "127.9.9.9",
            "::1",
            "[::1]",
            "::ffff:127.0.0.1",
            "[::ffff:7f00:1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "notlocalhost",
            "localhost.evil.example",
            // For a browser, another site than `localhost`.
            "localhost.",
            "127.0.0.1.evil.example",
            "0.0.0.0",
            "128.0.0.1",
            "[::2]",
            "[[::1]]",
            "[::1]:80]",
            "[::ffff:10.0.0.1]",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn private_addresses_include_those_of_the_link() {
        for host in ["10.0.0.1", "[fd00::1]", "169.254.1.1", "[fe80::1]", "[::ffff:192.168.0.1]"] {
            assert!(is_private(host), "{host}");
        }
        for host in ["127.0.0.1", "11.0.0.1", "[2001:db8::1]", "fd00.example", ""] {
            assert!(!is_private(host), "{host}");
        }
    }

    #[test]
    fn a_port_comes_after_the_last_colon() {
        assert_eq!(split_port("h:80"), ("h", Some("80")));
        assert_eq!(split_port("[::1]:80"), ("[::1]", Some("80")));
        assert_eq!(split_port("[::1]"), ("[::1]", None));
        assert_eq!(split_port("h:"), ("h", Some("")));
        assert_eq!(split_port("[::1]:1]:2"), ("[::1]:1]", Some("2")));
        assert_eq!(split_port("[::1]:80]"), ("[::1]:80]", None));
    }
}
