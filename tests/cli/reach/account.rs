//! Who the user is: passwords, tokens, netrc, cookies; and that none of it is seen.

use std::io::Write as _;

use tempfile::NamedTempFile;

use super::{client, hello, values};
use crate::harness::Test;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a disk");
    file
}

/// A run whose request is looked at.
fn asked<'a>(
    args: impl IntoIterator<Item = &'a str>,
    check: impl FnOnce(&wscope::wire::head::Head) + Send + 'static,
) -> Test {
    client(args).peer(|p| {
        check(&p.open());
        p.close_first(1000, "done");
    })
}

#[test]
fn user_and_password_outrank_the_url() {
    asked(["-u", "me:pw:x", "ws://other:one@127.0.0.1:{port}"], |request| {
        assert_eq!(values(request, "Authorization"), ["Basic bWU6cHc6eA=="]);
    })
    .stderr_any()
    .status(0);
    asked(["-u", "me:pw", "-H", "Authorization: mine"], |request| {
        assert_eq!(values(request, "Authorization"), ["mine"]);
    })
    .status(0);
}

#[test]
fn a_password_that_is_missing_needs_a_terminal() {
    // The child has no controlling terminal only where the test has none.
    let has_terminal = std::fs::File::open("/dev/tty").is_ok();
    if !has_terminal {
        client(["-u", "me", "ws://127.0.0.1:1"])
            .stderr("wscope: no terminal to ask for the password; [..]\n")
            .status(2);
    }
}

#[test]
fn a_token_is_typed_or_read() {
    let tokens = file("from.file\n");
    let at_file = format!("@{}", tokens.path().display());
    for (source, token) in [("typed", "typed"), (&at_file, "from.file"), ("env:TOKEN", "from.env")]
    {
        asked(["--bearer", source], move |request| {
            assert_eq!(values(request, "Authorization"), [format!("Bearer {token}")]);
        })
        .env("TOKEN", "from.env")
        .status(0);
    }
    client(["--bearer", "env:NONE", "ws://127.0.0.1:1"])
        .stderr("wscope: --bearer: no environment variable NONE\n")
        .status(2);
}

#[test]
fn netrc_knows_the_host() {
    let netrc = file("machine 127.0.0.1 login me password pw\n");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::copy(netrc.path(), folder.path().join(".netrc")).expect("a disk");
    let path = netrc.path().to_str().expect("a path");
    asked(["--netrc-file", path], |request| {
        assert_eq!(values(request, "Authorization"), ["Basic bWU6cHc="]);
    })
    .status(0);
    asked(["--netrc"], |request| {
        assert_eq!(values(request, "Authorization"), ["Basic bWU6cHc="]);
    })
    .env("HOME", folder.path().to_str().expect("a path"))
    .status(0);
    asked(["--netrc-file", path, "-u", "a:b"], |request| {
        assert_eq!(values(request, "Authorization"), ["Basic YTpi"]);
    })
    .status(0);
}

#[test]
fn a_netrc_entry_without_a_login_is_nobody() {
    for text in ["machine 127.0.0.1\n", "machine 127.0.0.1 password pw\n", "default\n"] {
        let netrc = file(text);
        let path = netrc.path().to_str().expect("a path");
        asked(["--netrc-file", path], |request| {
            assert!(values(request, "Authorization").is_empty());
        })
        .status(0);
    }
}

#[test]
fn cookies_are_typed_or_from_a_file() {
    let jar =
        file("127.0.0.1\tFALSE\t/\tFALSE\t0\tkept\t1\nother.example\tFALSE\t/\tFALSE\t0\tno\t1\n");
    let at_file = format!("@{}", jar.path().display());
    asked(["--cookie", "a=1", "--cookie", &at_file, "--cookie", "b=2"], |request| {
        assert_eq!(values(request, "Cookie"), ["a=1; b=2; kept=1"]);
    })
    .status(0);
}

#[test]
fn a_cookie_for_all_of_co_uk_or_with_a_broken_promise_is_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let jar = folder.path().join("jar");
    let output = client(["--resolve", "www.example.co.uk:{port}:127.0.0.1", "--cookie-jar"])
        .args([&jar])
        .args(["-v", "ws://www.example.co.uk:{port}"])
        .peer(|p| {
            p.open_with(
                "Set-Cookie: wide=1; Domain=co.uk\r\nSet-Cookie: __Secure-a=1\r\n\
                 Set-Cookie: __Host-b=1; Path=/\r\nSet-Cookie: own=1; Domain=example.co.uk\r\n",
            );
            p.close_first(1000, "done");
        })
        .stderr_any()
        .status(0);
    let kept = std::fs::read_to_string(jar).expect("a jar");
    let kept: Vec<&str> = kept.lines().filter(|line| line.contains('\t')).collect();
    assert_eq!(kept, [".example.co.uk\tTRUE\t/\tFALSE\t0\town\t1"]);
    assert!(output.stderr().contains("< Set-Cookie: "), "{}", output.stderr());
}

#[test]
fn no_secret_is_in_any_output_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("log");
    let log = log.to_str().expect("a path");
    let args = ["-u", "me:hunter2", "--cookie", "id=hunter2", "-H", "Cookie2: x", "--log", log];
    // `me:hunter2` in base64.
    let hidden = |text: &str| !text.contains("hunter2") && !text.contains("bWU6aHVudGVyMg");
    for more in
        [&["-vv"][..], &["--output", "json"], &["--output", "frames"], &["--dry-run"], &["--curl"]]
    {
        let instead = more[0].starts_with("--dry") || more[0].starts_with("--curl");
        let test = client(args).args(more.iter().copied()).stdout_any().stderr_any();
        let output = match instead {
            true => test.args(["ws://127.0.0.1:1"]).status(0),
            false => test
                .peer(|p| {
                    let request = p.open_with("Set-Cookie: s=hunter2\r\n");
                    assert_eq!(values(&request, "Cookie"), ["id=hunter2"]);
                    p.close_first(1000, "done");
                })
                .status(0),
        };
        assert!(hidden(output.stdout()) && hidden(output.stderr()), "{more:?}: {output:?}");
    }
    assert!(hidden(&std::fs::read_to_string(log).expect("a log")));
    let output = client(args)
        .args(["--write-out", "%{json}", "--timing"])
        .peer(|p| {
            p.request();
            p.send("HTTP/1.1 401 No\r\nSet-Cookie: s=hunter2\r\nContent-Length: 0\r\n\r\n");
            p.hang_up();
        })
        .stdout_any()
        .stderr_any()
        .status(7);
    assert!(output.stderr().contains("< Set-Cookie: [redacted]"), "{}", output.stderr());
    assert!(hidden(output.stdout()) && hidden(output.stderr()), "{output:?}");
    let output =
        client(args).args(["-v", "--show-secrets"]).peer(hello).stdout_any().stderr_any().status(0);
    assert!(!hidden(output.stderr()), "{}", output.stderr());
}

#[test]
fn the_handshake_mode_hides_them_too() {
    let output = Test::new()
        .args(["handshake", "-u", "me:hunter2", "ws://127.0.0.1:{port}"])
        .peer(|p| {
            assert_eq!(values(&p.open(), "Authorization").len(), 1);
            p.answer_close(1000);
        })
        .stdout_any()
        .status(0);
    assert!(output.stdout().contains("Authorization: [redacted]"), "{}", output.stdout());
}
