//! Runs of the program, one file per family: as text and as JSON.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use regex::Regex;

use crate::server::{End, Says, serve};

/// The output for a family of situations.
#[derive(Default)]
pub struct Golden {
    text: String,
    json: String,
}

/// Runs the program in a clean environment, without input.
pub fn wscope(args: &[&str]) -> Output {
    typed(args, "")
}

/// Runs the program with these bytes on stdin.
pub fn typed(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wscope"))
        .env_clear()
        .env("TZ", "UTC")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // The program may have ended before it reads.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

impl Golden {
    /// Runs against a server that sends this; `code` must be the verdict.
    #[track_caller]
    pub fn server(&mut self, code: &str, args: &[&str], says: Says, end: End) {
        let port = serve(says, end).to_string();
        self.run(code, args, &port);
    }

    /// Runs the program; `code` must be the verdict. `{port}` in the arguments stands for the
    /// server's port.
    #[track_caller]
    pub fn run(&mut self, code: &str, args: &[&str], port: &str) {
        let mut named: Vec<String> = args.iter().map(|arg| arg.replace("{port}", port)).collect();
        if named == args && !args.iter().any(|arg| arg.contains("://")) {
            named.push(format!("ws://127.0.0.1:{port}/chat"));
        }
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        let plain = |text: &[u8]| settled(&String::from_utf8_lossy(text), port);

        let told = wscope(&[&["--input", "none", "--output", "none"], &named[..]].concat());
        let said = plain(&told.stderr);
        let verdict = said.lines().find_map(|line| {
            let (severity, rest) = line.split_once('[')?;
            ["error", "warning", "note"].contains(&severity).then(|| rest.get(..4))?
        });
        assert_eq!(verdict, Some(code), "{args:?}: {said}");
        let status = told.status.code().unwrap_or(-1);
        let shown = args.join(" ");
        writeln!(self.text, "== {code} {shown}\n{said}status {status}\n").expect("a String");

        // With -q, only the first line remains.
        let quiet = wscope(&[&["-q", "--input", "none", "--output", "none"], &named[..]].concat());
        let line = plain(&quiet.stderr);
        assert_eq!(line.lines().count(), 1, "{args:?}: {line}");
        assert!(line.starts_with("wscope: "), "{line}");
        // An error with a broken rule has different words in the full output.
        if !line.contains("broke the protocol") && !line.contains("limit of this side") {
            assert_eq!(line.lines().next(), said.lines().next());
        }

        let told = wscope(&[&["--input", "none", "--output", "json"], &named[..]].concat());
        let stdout = plain(&told.stdout);
        let mut found = stdout.lines().filter(|line| line.starts_with("{\"event\":\"diagnostic\""));
        let first = found.clone().next().unwrap_or_default();
        assert!(first.contains(&format!("\"code\":\"{code}\"")), "{args:?}: {first}");
        found.try_for_each(|line| writeln!(self.json, "{line}")).expect("a String takes all");
    }

    /// Compares the output with the committed files, or writes them.
    pub fn compare(&self, name: &str) {
        crate::committed::compare("diagnose", name, &self.text, &self.json);
    }
}

/// The text without values that change: ports, times, keys.
pub fn settled(text: &str, port: &str) -> String {
    let mut text = text.replace(port, "PORT0");
    for (pattern, instead) in [
        (r#""time":"[^"]*""#, r#""time":"T""#),
        (r#""after_us":\d+"#, r#""after_us":0"#),
        (r"\d+\.\d{3} s", "0.000 s"),
        (r"\d+\.\d s after", "0.0 s after"),
        (r"\b\d+(\.\d+)? ms", "0 ms"),
        (r"[A-Za-z0-9+/]{27}=", "ACCEPT+VALUE+OF+28+LETTERS="),
        (r"[A-Za-z0-9+/]{22}==", "KEY+OF+24+LETTERS+++++=="),
        (r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT1"),
    ] {
        let pattern = Regex::new(pattern).expect("a pattern");
        text = pattern.replace_all(&text, instead).into_owned();
    }
    text
}
