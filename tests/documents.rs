//! Every example of the README, the docs and the manual page runs, as it is written.
//!
//! A block marked `sh` is given to a shell, one command after the other; what a `console` block shows
//! is compared as well. Examples name servers of the world: variables `WSCOPE_…` send every connection
//! to an echo server on loopback, so nothing leaves the machine. `wscope listen 9001` and `wscope proxy
//! 9001` get a free port, and `localhost:9001` leads there for the rest of the block. A command ends with
//! status 0, or with that of its comment `# exits 13`. `UPDATE=1 cargo test --test documents` writes
//! `console` blocks anew. A block that cannot run says why: `sh not run: REASON`.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::JoinHandle;

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process_group};
use wscope::script::command::table::{CommandEntry, ENTRIES};

#[path = "common/installed.rs"]
mod installed;
#[path = "common/settled.rs"]
mod settled;

use settled::settled;

/// What the echo server sends first, as a feed would.
const FEED: &str = r#"{"type":"price","pair":"BTC-EUR","price":1.25}
{"type":"heartbeat"}
{"type":"price","pair":"ETH-EUR","price":0.5}
{"type":"ready","ok":true}
"#;

/// Files that examples name, in the folder that they run in.
const FILES: [(&str, &str); 7] = [
    ("feed.jsonl", FEED),
    ("subscribe.json", r#"{"op":"subscribe"}"#),
    ("image.png", "\u{89}PNG"),
    ("my order.json", "{}"),
    ("login.wscope", "hello"),
    ("rules.txt", "< text /price/ -> drop\n"),
    (".config/wscope/config", "[staging]\nurl ws://staging.example/feed\n"),
];

/// Programs that examples run through a proxy: they check that they would use it.
const PROGRAMS: [&str; 2] = ["npm", "python"];

/// A code block, or an example of the manual page.
struct Block {
    place: String,
    console: bool,
    text: String,
}

/// A server in a process of its own, its URL, and what else it prints on stderr; ends with this.
struct Listener(Child, String, Option<JoinHandle<Vec<u8>>>);

impl Listener {
    fn start(mut command: Command) -> Self {
        let mut child = command.process_group(0).stderr(Stdio::piped()).spawn().expect("a process");
        let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let mut said = String::new();
        let url = loop {
            let read = stderr.read_line(&mut said).expect("a pipe");
            let url = said.lines().last().and_then(|line| line.strip_prefix("listening on "));
            match url {
                Some(url) => break url.to_owned(),
                None => assert!(read > 0, "it does not listen: {command:?}\n{said}"),
            }
        };
        let rest = std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = stderr.read_to_end(&mut rest);
            rest
        });
        Self(child, url, Some(rest))
    }

    fn port(&self) -> &str {
        let address = self.1.split('/').nth(2).unwrap_or_default();
        address.rsplit(':').next().unwrap_or_default()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = kill_process_group(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// A program that finds `wscope` and the files of examples, and none of the user's.
fn command(program: &str, folder: &Path) -> Command {
    let mut command = Command::new(program);
    let built = Path::new(env!("CARGO_BIN_EXE_wscope")).parent().expect("a folder");
    let path = format!("{}:{}:/usr/bin:/bin", built.display(), folder.join("bin").display());
    command.env_clear().env("PATH", path);
    command.env("HOME", folder).env("LC_ALL", "C.UTF-8").env("TOKEN", "secret").env("TZ", "UTC");
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a disk");
    for (name, text) in FILES {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a disk");
        fs::write(path, text).expect("a disk");
    }
    fs::create_dir(folder.path().join("bin")).expect("a disk");
    for name in PROGRAMS {
        let path = folder.path().join("bin").join(name);
        fs::write(&path, "#!/bin/sh\ntest -n \"$HTTPS_PROXY\"\n").expect("a disk");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a disk");
    }
    folder
}

/// An echo server that closes when its client has nothing to say.
fn peer(folder: &Path, more: &[&str]) -> Listener {
    let mut listen = command("wscope", folder);
    listen.args(["listen", "127.0.0.1:0", "--echo", "--send", "feed.jsonl", "--origin", "*"]);
    listen.args(["--idle-timeout", "2"]).args(more).stdout(Stdio::null());
    Listener::start(listen)
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a pattern")
}

/// The commands of a block: a line, or several that the shell takes for one.
fn commands(text: &str) -> Vec<String> {
    let document = pattern(r"<<'?(\w+)'?");
    let (mut all, mut open) = (Vec::new(), String::new());
    for line in text.lines() {
        open += line;
        open.push('\n');
        let ended =
            document.captures(&open).is_none_or(|end| open.ends_with(&format!("\n{}\n", &end[1])));
        let parses = || {
            let mut shell = Command::new("sh");
            let status = shell.args(["-n", "-c", &open]).stderr(Stdio::null()).status();
            status.expect("a shell").success()
        };
        if ended && !line.ends_with('\\') && parses() {
            all.push(std::mem::take(&mut open));
        }
    }
    assert!(open.is_empty(), "it does not end: {open}");
    all
}

/// Runs a block, and gives what was wrong.
fn run(block: &Block, ports: (&str, &str)) -> Result<(), String> {
    let folder = folder();
    let (plain, tls) = ports;
    let mut elsewhere = format!(":443:127.0.0.1:{tls}\n:8443:127.0.0.1:{tls}\n::127.0.0.1:{plain}");
    let mut listeners = Vec::new();
    let typed = match block.console {
        true => block.text.lines().filter_map(|line| line.strip_prefix("$ ")).collect::<Vec<_>>(),
        false => vec![&*block.text],
    };
    let (port, status) = (pattern(r"(\s:?)(\d{4,5})(\s|$)"), pattern(r"# exits (\d+)"));
    let mut shown = String::new();
    for line in commands(&typed.join("\n")) {
        let fail = |what: &str| Err(format!("{}: {what}\n{line}", block.place));
        if ["--no-config", "--from-curl -"].iter().any(|way| line.contains(way)) {
            return fail("it may leave the machine");
        }
        if block.console {
            shown += &format!("$ {line}");
        }
        let listens = line.contains("wscope listen ") && !line.contains("--list-faults")
            || line.contains("wscope proxy ") && !line.contains(" -- ");
        let mut shell = match listens {
            true => command("sh", folder.path()),
            false => command("timeout", folder.path()),
        };
        shell.env("WSCOPE_CONNECT_TO", &elsewhere).env("WSCOPE_INSECURE", "yes");
        if listens {
            shell.stdout(Stdio::null());
            let line = line.trim_end().trim_end_matches('&');
            let named = port.captures(line).map(|found| found[2].to_owned());
            shell.args(["-c", &format!("exec {}", port.replace(line, "${1}0$3"))]);
            let listener = Listener::start(shell);
            if let Some(named) = named {
                elsewhere = format!(":{named}:127.0.0.1:{}\n{elsewhere}", listener.port());
            }
            listeners.push(listener);
            continue;
        }
        let wanted = status.captures(&line).map_or("0".to_owned(), |found| found[1].to_owned());
        let both = format!("exec 2>&1\n{line}");
        let output = shell.args(["20", "sh", "-c", &both]).output().expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        shown += &printed;
        if output.status.code().map(|code| code.to_string()).as_deref() != Some(&wanted) {
            return fail(&format!("{:?}\n{printed}", output.status));
        }
    }
    for Listener(child, url, _) in &mut listeners {
        let mut client = command("wscope", folder.path());
        client.args(["-k", "-q", "-x", "hello", "--max-time", "2", url]).stderr(Stdio::null());
        client.stdout(Stdio::null()).status().expect("a client");
        // What was to end by itself has ended; the others go on.
        if let Some(status) = child.try_wait().expect("our child").and_then(|status| status.code())
            && [1, 2].contains(&status)
        {
            return Err(format!("{}: a listener ended with {status}", block.place));
        }
    }
    if !block.console || is_shown(&block.text, &shown) {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_none() {
        return Err(format!("{}: it prints\n{shown}", block.place));
    }
    rewrite(block, &shown);
    Ok(())
}

/// Writes down what a `console` block shows now.
fn rewrite(block: &Block, shown: &str) {
    static PAGES: Mutex<()> = Mutex::new(());
    let _one_at_a_time = PAGES.lock().expect("no panic");
    let (page, _) = block.place.split_once(',').expect("a page");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = fs::read_to_string(&path).expect("a page");
    fs::write(path, text.replace(&block.text, shown)).expect("a disk");
}

/// Whether this is what was printed; `…` stands for anything, on a line of its own for any lines.
fn is_shown(promised: &str, printed: &str) -> bool {
    let line = |line: &str| match line.trim() {
        "…" => "(?:.*\n)*".to_owned(),
        _ => regex::escape(line).replace('…', ".*") + "\n",
    };
    let lines: String = settled(promised).lines().map(line).collect();
    pattern(&format!("^{lines}$")).is_match(&settled(printed))
}

/// The blocks of a page in Markdown that are commands.
fn blocks(place: &str, page: &str) -> Vec<Block> {
    let fence = pattern(r"(?m)^```(\w*)(.*)\n((?s:.*?))^```$");
    let mut found = Vec::new();
    for (number, block) in fence.captures_iter(page).enumerate() {
        let place = format!("{place}, block {}", number + 1);
        let (language, more, text) = (&block[1], block[2].trim(), &block[3]);
        match (language, more) {
            ("sh" | "console", "") => {
                let console = language == "console";
                found.push(Block { place, console, text: text.to_owned() });
            }
            ("sh" | "console", more) => {
                let reason = more.strip_prefix("not run: ").map_or("", str::trim);
                assert!(!reason.is_empty(), "{place}: why is it not run?");
            }
            _ => assert!(!text.starts_with("wscope "), "{place}: mark it as sh"),
        }
    }
    assert!(!page.contains("\n    wscope "), "{place}: an example that is not fenced");
    found
}

/// The examples of the manual page.
fn examples(page: &str) -> Vec<Block> {
    let example = pattern(r"(?m)^\.nf\n((?s:.*?))^\.fi$");
    let roff = [("\\-", "-"), ("\\*(Aq", "'"), ("\\(aq", "'"), ("\\&", ""), ("\\\\", "\\")];
    let plain = |text: &str| roff.iter().fold(text.to_owned(), |text, (a, b)| text.replace(a, b));
    let block = |(n, found): (usize, regex::Captures<'_>)| Block {
        place: format!("man/wscope.1, example {}", n + 1),
        console: false,
        text: plain(&found[1]),
    };
    example.captures_iter(page).enumerate().map(block).collect()
}

/// Does several things at a time, because most of each is waiting, and lists what went wrong.
fn each<T: Sync>(things: &[T], work: impl Fn(&T) -> Result<(), String> + Sync) {
    let (rest, wrong) = (Mutex::new(things.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                loop {
                    let Some(thing) = rest.lock().expect("no panic").next() else { return };
                    let error = work(thing).err();
                    wrong.lock().expect("no panic").extend(error);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_example_runs() {
    ["jq", "xxd"].into_iter().for_each(installed::require);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs =
        fs::read_dir(root.join("docs")).expect("docs").map(|entry| entry.expect("docs").path());
    let pages: Vec<PathBuf> = docs.chain([root.join("README.md")]).collect();
    let mut all = examples(&fs::read_to_string(root.join("man/wscope.1")).expect("a page"));
    assert!(!all.is_empty());
    for page in pages {
        let text = fs::read_to_string(&page).expect("a page");
        all.extend(blocks(&page.strip_prefix(root).expect("below").display().to_string(), &text));
    }
    let folder = folder();
    let plain = peer(folder.path(), &[]);
    let tls = peer(folder.path(), &["--self-signed"]);
    each(&all, |block| run(block, (plain.port(), tls.port())));
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_to_a_page_and_a_heading() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = [root.join("docs"), root.to_owned()].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(folder).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path())
    });
    let link = pattern(r"\]\(([^)\s]+)\)");
    for page in pages.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = fs::read_to_string(&page).expect("a page");
        for link in link.captures_iter(&text).map(|found| found[1].to_owned()) {
            if link.contains("://") {
                continue;
            }
            let (file, place) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                _ => page.parent().expect("a folder").join(file),
            };
            assert!(target.exists(), "{}: {link}: no such file", page.display());
            if !place.is_empty() {
                let text = fs::read_to_string(target).expect("a page");
                let mut headings = text.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line) == place);
                assert!(found, "{}: {link}: no such heading", page.display());
            }
        }
    }
}

/// Runs the example of a command in a script, of a client or of a server that has five.
#[test]
fn every_example_of_a_command_runs() {
    let folder = folder();
    let plain = peer(folder.path(), &[]);
    let lines =
        |entry: &'static CommandEntry| entry.examples.iter().map(move |(line, _)| (entry, *line));
    // An editor needs a terminal: tests/prompt.
    // What passes a proxy is changed in tests/proxy.
    let runs = |entry: &&CommandEntry| entry.name != "edit" && entry.side.word() != Some("proxy");
    let all: Vec<_> = ENTRIES.iter().filter(runs).flat_map(lines).collect();
    each(&all, |(entry, line)| {
        let folder = self::folder();
        let serves = entry.side.word() == Some("server");
        let before = match entry.name {
            "stop" => "/every 5s /ping\n",
            "off" => "/on ^2$ /text 3\n",
            "show" => "hello\n/expect .\n",
            _ if serves => "/await 5\n",
            _ => "",
        };
        fs::write(folder.path().join("script"), format!("{before}{line}\n")).expect("a disk");
        let mut run = command("wscope", folder.path());
        run.env("WSCOPE_CONNECT_TO", format!("::127.0.0.1:{}", plain.port()));
        let place = if serves { ["listen", "127.0.0.1:0"] } else { ["connect", "ws://localhost"] };
        run.args(place).args(["--script", "script", "-w", "0.1", "--max-time", "3"]);
        let output = match serves {
            false => run.output().expect("it runs"),
            true => served(run, folder.path()),
        };
        // It was understood and done; how the session then ends is another matter, and so is whether
        // the message of an /expect came (13).
        let stderr = String::from_utf8_lossy(&output.stderr);
        let status = output.status.code().unwrap_or(2);
        match status == 2 || status != 13 && stderr.contains("script: line") {
            true => Err(format!("{line}: {:?}\n{stderr}", output.status)),
            false => Ok(()),
        }
    });
}

/// A server's run, with five clients.
fn served(mut run: Command, folder: &Path) -> std::process::Output {
    run.stdout(Stdio::null());
    let mut listener = Listener::start(run);
    let client = |_| {
        let mut client = command("wscope", folder);
        client.args(["--echo", "-q", "--max-time", "3", &listener.1]);
        client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a client")
    };
    let clients: Vec<Child> = (0..5).map(client).collect();
    let status = listener.0.wait().expect("our child");
    clients.into_iter().for_each(|mut client| drop(client.wait()));
    let stderr = listener.2.take().map(|rest| rest.join().expect("no panic")).unwrap_or_default();
    std::process::Output { status, stdout: Vec::new(), stderr }
}
