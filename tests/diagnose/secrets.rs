//! No explanation contains a secret.

use crate::golden::wscope;
use crate::server::{End, Says, serve};

const SECRET: &str = "s3cr3t-t0k3n";

#[test]
fn credentials_are_in_no_explanation() {
    let answers: [&[u8]; 5] = [
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
        b"",
    ];
    for answer in answers {
        let port = serve(Says::Bytes(answer), End::Hang);
        let authority = format!("127.0.0.1:{port}/{SECRET}?token={SECRET}").replacen(
            &format!("/{SECRET}?"),
            "/chat?",
            1,
        );
        let url = format!("ws://me:{SECRET}@{authority}");
        let cookie = format!("Cookie: session={SECRET}");
        let asked = ["-H", cookie.as_str(), url.as_str()];
        for options in [&["--input", "none"][..], &["--input", "none", "--diagnose"]] {
            let told = wscope(&[options, &asked[..]].concat());
            let said = String::from_utf8_lossy(&told.stderr).into_owned();
            assert!(said.contains("error[W"), "{said}");
            assert!(!said.contains(SECRET), "{said}");
        }
        let told = wscope(&[&["--input", "none", "--output", "json"], &asked[..]].concat());
        let said = String::from_utf8_lossy(&told.stdout).into_owned();
        let found: Vec<&str> =
            said.lines().filter(|line| line.contains("\"diagnostic\"")).collect();
        assert!(!found.is_empty() && found.iter().all(|line| !line.contains(SECRET)), "{found:?}");
        let told = wscope(&[&["doctor"], &asked[..]].concat());
        let said = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(said.starts_with("no WebSocket: ") && !said.contains(SECRET), "{said}");
    }
}

/// The excerpt of an answer must not show a token that only the server knows.
#[test]
fn a_token_of_the_server_is_in_no_excerpt() {
    let answer =
        b"HTTP/1.1 302 Found\r\nLocation: /moved?access_token=s3rv3r-t0k3n\r\nContent-Length: 0\r\n\r\n";
    let port = serve(Says::Bytes(answer), End::Hang);
    let url = format!("ws://127.0.0.1:{port}/chat");
    for options in [&["--input", "none"][..], &["--input", "none", "--output", "json"]] {
        let told = wscope(&[options, &[url.as_str()]].concat());
        let said = [told.stdout.as_slice(), told.stderr.as_slice()].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.contains("W310") && said.contains("access_token="), "{said}");
        assert!(!said.contains("s3rv3r"), "{said}");
    }
}
