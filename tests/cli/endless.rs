//! Files without an end, files of enormous lines, and a FIFO that nobody writes to.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Test, wscope};
use crate::waiting::Watchdog;

/// More than any of these files may take, far less than a device would fill.
const MEMORY: usize = 512;

#[test]
fn a_device_is_longer_than_any_file_that_an_option_names() {
    let url = "wss://127.0.0.1:1";
    for (args, what) in [
        (&["--config", "/dev/zero", url][..], "configuration: /dev/zero: "),
        (&["--netrc-file", "/dev/zero", url], "--netrc: /dev/zero: "),
        (&["--cookie", "@/dev/zero", url], "--cookie: /dev/zero: "),
        (&["--bearer", "@/dev/zero", url], "--bearer: /dev/zero: "),
        (&["--write-out", "@/dev/zero", url], "--write-out: /dev/zero: "),
        (&["--proto", "/dev/zero", "--message", "a.B", url], "--proto /dev/zero: "),
        (&["proxy", "--rules", "/dev/zero", "--to", "ws://localhost", "0"], "--rules /dev/zero: "),
    ] {
        let expected = format!("wscope: {what}longer than the limit of 16 MiB\n");
        Test::new().memory(MEMORY).args(args.iter().copied()).stderr(expected).status(2);
    }
    let mut pem = tempfile::NamedTempFile::new().expect("a file");
    pem.write_all(b"-----BEGIN CERTIFICATE-----\n").expect("a disk");
    let certificate = pem.path().to_str().expect("a path");
    for (args, status) in [
        (&["--cacert", "/dev/zero", url][..], 6),
        (&["--cert", "/dev/zero", url], 6),
        (&["--cert", certificate, "--key", "/dev/zero", url], 6),
        (&["--cert", "/dev/null", "--pass-file", "/dev/zero", url], 6),
        (&["listen", "--cert", "/dev/zero", "0"], 1),
        (&["listen", "--cert", "/dev/null", "--pass-file", "/dev/zero", "0"], 1),
    ] {
        let test = Test::new().memory(MEMORY).args(args.iter().copied());
        let output = test.stderr_any().stdout_any().status(status);
        assert!(output.stderr().contains("/dev/zero"), "{}", output.stderr());
        assert!(output.stderr().contains("longer than the limit of 16 MiB"), "{}", output.stderr());
    }
    let endless = std::fs::File::open("/dev/zero").expect("a device");
    Test::new()
        .memory(MEMORY)
        .stdin_file(endless)
        .args(["--from-curl", "-"])
        .stderr("wscope: --from-curl: stdin: longer than the limit of 16 MiB\n")
        .status(2);
}

#[test]
fn what_every_client_is_sent_first_has_a_bound_unless_it_is_a_file() {
    Test::new()
        .memory(MEMORY)
        .args(["listen", "--send", "/dev/zero", "0"])
        .stderr("wscope: --send /dev/zero: longer than the limit of 64 MiB\n")
        .status(1);
}

#[test]
fn a_line_of_hex_has_a_bound() {
    Test::new()
        .memory(MEMORY)
        .args(["decode", "/dev/zero"])
        .stderr("wscope: /dev/zero: line 1: longer than 64 MiB; break it into lines, or use --raw for raw bytes\n")
        .status(1);
}

#[test]
fn a_long_configuration_is_read_in_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    let run = |text: &str| {
        std::fs::write(&path, text).expect("a disk");
        let path = path.to_str().expect("a path");
        Test::new().args(["--config", path, "--dry-run", "ws://127.0.0.1:1"])
    };
    let mut headers = String::new();
    (0..100_000).for_each(|n| writeln!(headers, "header X-{n}: {n}").expect("a String"));
    let output = run(&headers).stdout_any().stderr_any().status(0);
    assert!(output.stdout().contains("\r\nX-99999: 99999\r\n"));
    let same = "connect-timeout 3\ninsecure\ninsecure no\n".repeat(40_000);
    run(&same).stdout_any().stderr_any().status(0);
    headers.push_str("connect-timeout soon\n");
    run(&headers).stderr("wscope: [..]/config:100001: --[..]: \"soon\" is not a [..]\n").status(2);
    let name = "a".repeat(1 << 20);
    run(&format!("{name} 1\n"))
        .stderr("wscope: [..]/config:1: this is not the name of an option\n")
        .status(2);
    run(&format!("[{name}]\n")).args(["-q"]).stdout_any().stderr_any().status(0);
}

#[test]
fn a_signal_ends_the_wait_for_a_fifo() {
    let folder = tempfile::tempdir().expect("a folder");
    let fifo = folder.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a fifo");
    let name = fifo.to_str().expect("a path");
    for args in [
        ["--netrc-file", name, "ws://127.0.0.1:1"],
        ["--cacert", name, "wss://127.0.0.1:1"],
        ["--config", name, "ws://127.0.0.1:1"],
    ] {
        let mut child = wscope()
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let pid = Pid::from_child(&child);
        let watchdog = Watchdog::watch(pid);
        // Nobody can write before the child has opened it, and nobody does.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        let writer = loop {
            match open(&fifo, flags, Mode::empty()) {
                Ok(writer) => break writer,
                Err(error) => assert_eq!(error, Errno::NXIO),
            }
            std::thread::yield_now();
        };
        kill_process(pid, Signal::TERM).expect("the child is there");
        let ended = child.wait().expect("our child");
        assert!(!watchdog.dismiss(), "{args:?} did not end");
        assert_eq!(ended.signal(), Some(15), "{args:?}");
        drop(writer);
    }
}
