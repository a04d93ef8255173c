//! Cookies as RFC 6265 defines them, and the file they are kept in.

use super::*;

const NOW: i64 = 1_000_000_000;
const HERE: CookieScope<'static> =
    CookieScope { host: "www.example.com", path: "/a/b?c=/d/", secure: true };

fn parse(text: &str) -> Cookie {
    Cookie::parse(text, HERE, NOW).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn at(host: &'static str, path: &'static str) -> CookieScope<'static> {
    CookieScope { host, path, secure: true }
}

#[test]
fn a_plain_cookie_is_for_its_host_and_folder() {
    let cookie = parse(" sid = 31d4=x ; unknown; SameSite=Lax");
    assert_eq!((cookie.name.as_str(), cookie.value.as_str()), ("sid", "31d4=x"));
    assert_eq!((cookie.domain.as_str(), cookie.host_only), ("www.example.com", true));
    assert_eq!((cookie.path.as_str(), cookie.expires), ("/a", None));
    assert!(!cookie.secure && !cookie.http_only);
    assert!(cookie.goes_to(at("WWW.example.com", "/a/x"), NOW));
    assert!(!cookie.goes_to(at("sub.www.example.com", "/a/x"), NOW));
    assert!(!cookie.goes_to(at("www.example.com", "/ab"), NOW));
}

#[test]
fn attributes_in_any_case_and_the_last_one_counts() {
    let cookie = parse("a=b; SECURE; httpOnly; Path=/x; PATH=/y/; domain=.Example.COM");
    assert!(cookie.secure && cookie.http_only && !cookie.host_only);
    assert_eq!((cookie.domain.as_str(), cookie.path.as_str()), ("example.com", "/y/"));
    assert!(cookie.goes_to(at("other.example.com", "/y/z"), NOW));
    assert!(!cookie.goes_to(at("badexample.com", "/y/z"), NOW));
    assert!(!cookie.goes_to(at("example.com", "/y"), NOW));
    assert!(!cookie.goes_to(CookieScope { secure: false, ..at("example.com", "/y/") }, NOW));
    assert_eq!(parse("a=b; Path=x").path, "/a");
}

#[test]
fn max_age_is_stronger_than_expires() {
    let expires = "Expires=Sun, 06 Nov 1994 08:49:37 GMT";
    assert_eq!(parse(&format!("a=b; {expires}")).expires, Some(784_111_777));
    assert_eq!(parse(&format!("a=b; Max-Age=10; {expires}")).expires, Some(NOW + 10));
    assert_eq!(parse("a=b; Max-Age=99999999999999999999").expires, Some(i64::MAX));
    for over in ["0", "-1", "-99999999999999999999"] {
        assert!(parse(&format!("a=b; Max-Age={over}")).is_over(i64::MIN), "{over}");
    }
    assert_eq!(parse("a=b; Max-Age=1x; Expires=soon").expires, None);
}

#[test]
fn what_must_be_ignored_is_an_error_without_the_value() {
    for text in ["", "hunter2", "=hunter2", " = hunter2; a=b"] {
        assert_eq!(Cookie::parse(text, HERE, NOW), Err(CookieError::NoName), "{text}");
    }
    for domain in ["example.org", "org", "sub.www.example.com", "ample.com"] {
        let error = Cookie::parse(&format!("a=hunter2; Domain={domain}"), HERE, NOW);
        assert!(matches!(error, Err(CookieError::ForeignDomain { .. })), "{domain}: {error:?}");
    }
    let plain = CookieScope { secure: false, ..HERE };
    let error = Cookie::parse("a=b; Secure", plain, NOW);
    assert_eq!(error, Err(CookieError::NotSecure { name: "a".to_owned() }));
    assert!(matches!(Cookie::parse("a=b\x1b", HERE, NOW), Err(CookieError::Control { .. })));
    assert!(!format!("{:?}", parse("a=hunter2")).contains("hunter2"));
}

#[test]
fn a_public_suffix_is_no_domain_for_a_cookie() {
    for (host, domain) in [
        ("www.example.com", "com"),
        ("www.example.co.uk", "co.uk"),
        ("www.example.co.uk", ".CO.UK"),
        ("me.github.io", "github.io"),
        ("www.example.xn--55qx5d.cn", "xn--55qx5d.cn"),
        ("a.b.unheard-of", "unheard-of"),
    ] {
        let error = Cookie::parse(&format!("a=hunter2; Domain={domain}"), at(host, "/"), NOW);
        assert!(matches!(error, Err(CookieError::PublicSuffix { .. })), "{domain}: {error:?}");
    }
    for (host, domain, host_only) in [
        ("www.example.co.uk", "example.co.uk", false),
        ("co.uk", "co.uk", true),
        ("github.io", "github.io", true),
        ("me.github.io", "me.github.io", false),
    ] {
        let cookie = Cookie::parse(&format!("a=b; Domain={domain}"), at(host, "/"), NOW);
        assert_eq!(cookie.expect("its own").host_only, host_only, "{domain}");
    }
}

#[test]
fn a_prefix_of_the_name_is_a_promise() {
    let taken = |text: &str, secure| {
        let from = CookieScope { secure, ..HERE };
        Cookie::parse(text, from, NOW).map(|cookie| cookie.name)
    };
    for (text, over_tls) in [
        ("__Secure-a=1", false),
        ("__secure-a=1; Path=/", false),
        ("__Secure-a=1; Secure", true),
        ("__Secure-a=1; Secure; Domain=example.com", true),
        ("__Host-a=1", false),
        ("__HOST-a=1; Path=/", false),
        ("__Host-a=1; Secure", false),
        ("__Host-a=1; Secure; Path=/a", false),
        ("__Host-a=1; Secure; Path=/; Domain=www.example.com", false),
        ("__Host-a=1; Secure; Path=/", true),
        ("__Host-a=1; Secure; Path=/; Domain=", true),
        ("__Hosta=1", true),
    ] {
        assert_eq!(taken(text, true).is_ok(), over_tls, "{text}");
        if text.starts_with("__Hosta") {
            continue;
        }
        assert!(taken(text, false).is_err(), "{text}");
    }
    assert!(matches!(taken("__Host-a=1", true), Err(CookieError::Prefix { .. })));
}

#[test]
fn an_address_or_a_single_name_is_a_domain_of_its_own() {
    for host in ["127.0.0.1", "::1", "localhost"] {
        let cookie = Cookie::parse(&format!("a=b; Domain={host}"), at(host, "/"), NOW);
        assert!(cookie.expect("for itself").host_only, "{host}");
    }
    assert!(Cookie::parse("a=b; Domain=0.0.1", at("127.0.0.1", "/"), NOW).is_err());
}

#[test]
fn the_jar_replaces_removes_and_orders() {
    let mut jar = Jar::default();
    for text in ["a=1; Path=/", "b=2; Path=/a", "c=3; Path=/", "a=4; Path=/"] {
        jar.put(parse(text), NOW);
    }
    assert_eq!(jar.header(HERE, NOW).as_deref(), Some("b=2; a=4; c=3"));
    jar.put(parse("a=; Path=/; Max-Age=0"), NOW);
    jar.put(parse("never=; Max-Age=0"), NOW);
    assert_eq!(jar.header(HERE, NOW).as_deref(), Some("b=2; c=3"));
    assert_eq!(jar.header(at("elsewhere.net", "/"), NOW), None);
    jar.put(parse("d=5; Max-Age=10"), NOW);
    assert!(jar.header(HERE, NOW + 9).is_some_and(|header| header.contains("d=5")));
    assert!(jar.header(HERE, NOW + 10).is_some_and(|header| !header.contains("d=5")));
}

#[test]
fn the_file_lists_what_the_jar_holds() {
    let mut jar = Jar::default();
    jar.put(parse("a=1; HttpOnly; Secure; Max-Age=10"), NOW);
    jar.put(parse("b=; Domain=example.com; Path=/"), NOW);
    let text = jar.to_netscape();
    let lines: Vec<&str> = text.lines().skip(3).collect();
    assert_eq!(
        lines,
        [
            "#HttpOnly_www.example.com\tFALSE\t/a\tTRUE\t1000000010\ta\t1",
            ".example.com\tTRUE\t/\tFALSE\t0\tb\t",
        ]
    );
    let (cookies, faults) = read_netscape(&text);
    let mut again = Jar::default();
    cookies.into_iter().for_each(|cookie| again.put(cookie, NOW));
    assert_eq!((again.to_netscape(), faults), (text, Vec::new()));
}

#[test]
fn lines_that_are_no_cookies_are_reported() {
    let text = "# comment\r\n\r\n.h.x\tTRUE\t/\tFALSE\t0\tname\r\n\
        h\tTRUE\t/\nh\tyes\t/\tFALSE\t0\ta\tb\nh\tTRUE\t/\tFALSE\tnever\ta\tb\n\
        h\tTRUE\tx\tFALSE\t0\ta\tb\nh\tTRUE\t/\tFALSE\t0\ta\tb\x1b\n";
    let (cookies, faults) = read_netscape(text);
    assert_eq!(cookies.len(), 1);
    assert_eq!((cookies[0].name.as_str(), cookies[0].value.as_str()), ("name", ""));
    let lines: Vec<usize> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [4, 5, 6, 7, 8]);
    assert!(faults[1].to_string().starts_with("line 5: its second field"));
}

#[test]
fn a_jar_keeps_its_order_and_its_places_whatever_leaves() {
    let mut jar = Jar::default();
    let put = |jar: &mut Jar, text: &str| jar.put(parse(text), 100);
    for text in ["a=1", "b=1", "c=1", "a=1; Max-Age=0", "c=2", "a=3", "b=4"] {
        put(&mut jar, text);
    }
    let sent = jar.header(at("www.example.com", "/a/b"), 100);
    assert_eq!(sent.as_deref(), Some("b=4; c=2; a=3"));
    // A linear search for each cookie would take minutes.
    for n in 0..50_000 {
        put(&mut jar, &format!("n{n}=1"));
    }
    assert_eq!(jar.to_netscape().lines().count(), 3 + 50_003);
}
