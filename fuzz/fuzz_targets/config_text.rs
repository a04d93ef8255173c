//! The small files of a user: configuration, netrc, cookies, formats, cookies of responses. Any
//! text is what it says and faults with their lines.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wscope::config::file::ConfigFile;
use wscope::config::netrc::Netrc;
use wscope::net::redirect::{RedirectOptions, Trail};
use wscope::net::retry::retry_after;
use wscope::net::target::Target;
use wscope::ui::write_out::{WriteOutFormat, WriteOutFacts};
use wscope::wire::cookie::{Cookie, CookieScope, Jar, read_netscape};
use wscope::wire::http_date;

const NOW: i64 = 1_700_000_000;

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines = text.split('\n').count();

    let file = ConfigFile::parse(text);
    let settings = file.common.iter().chain(file.profiles.iter().flat_map(|p| &p.settings));
    for setting in settings {
        assert!((1..=lines).contains(&setting.line) && !setting.name.is_empty());
    }
    assert!(file.faults.iter().all(|fault| (1..=lines).contains(&fault.line)));

    let netrc = Netrc::parse(text);
    assert!(netrc.faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
    netrc.find("example.com", None);

    let (cookies, faults) = read_netscape(text);
    assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.line)));
    let mut jar = Jar::default();
    let place = CookieScope { host: "www.example.com", path: "/a/b", secure: true };
    for cookie in cookies.into_iter().chain(Cookie::parse(text, place, NOW)) {
        jar.put(cookie, NOW);
    }
    jar.header(place, NOW);
    // What is written is read back as it was.
    let (again, faults) = read_netscape(&jar.to_netscape());
    assert!(faults.is_empty(), "{faults:?}");
    let mut read = Jar::default();
    again.into_iter().for_each(|cookie| read.put(cookie, NOW));
    assert_eq!(read.to_netscape(), jar.to_netscape());

    if let Ok(format) = WriteOutFormat::parse(text) {
        format.fill(&WriteOutFacts::default());
    }
    http_date::parse(text);
    retry_after(text, NOW);
    let mut trail = Trail::new(Target::parse("wss://www.example.com/a/b").expect("a URL"));
    if let Ok(hop) = trail.follow(302, &[text], RedirectOptions::default()) {
        assert!(hop.target.secure && hop.drop_credentials == hop.crosses_origin);
    }
});
