//! The file that keeps lines from one session to the next.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::driver::Driven;

struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state/wscope/history")
    }

    fn session(&self) -> Driven {
        Driven::ready_with(&[("PROMPT_HISTORY", self.file().to_str().expect("UTF-8"))])
    }

    fn lines(&self) -> String {
        fs::read_to_string(self.file()).expect("a history")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("it is there").permissions().mode() & 0o777
}

/// Types lines and waits for each to be received.
fn enter(t: &mut Driven, lines: &[&str]) {
    for line in lines {
        t.keys(format!("{line}\r"));
        assert_eq!(t.report(), format!("Line({line:?})"));
    }
}

#[test]
fn lines_come_back_in_the_next_session() {
    let home = Home::new();
    let mut t = home.session();
    enter(&mut t, &["first", "second"]);
    t.leave();
    assert_eq!(mode(&home.file()), 0o600);
    assert_eq!(mode(home.file().parent().expect("a folder")), 0o700);
    assert_eq!(home.lines(), "#V2\nfirst\nsecond\n");
    let mut t = home.session();
    t.keys("\x1b[A\x1b[A");
    t.wait_for_line("connected   > first");
    t.keys("\x1b[B");
    t.wait_for_line("connected   > second");
    t.leave();
}

#[test]
fn secrets_and_what_begins_with_a_space_are_not_kept() {
    let home = Home::new();
    let mut t = home.session();
    enter(
        &mut t,
        &[
            "kept",
            " not kept",
            r#"{"password":"hunter2"}"#,
            "/headers Authorization: Bearer abc",
            "/open wss://user:pw@localhost/",
            "kept too",
            "kept too",
        ],
    );
    t.keys("\x1b[A\x1b[A");
    t.wait_for_line("connected   > kept");
    t.leave();
    assert_eq!(home.lines(), "#V2\nkept\nkept too\n");
}

#[test]
fn two_sessions_share_it() {
    let home = Home::new();
    let mut one = home.session();
    let mut two = home.session();
    enter(&mut one, &["one a"]);
    enter(&mut two, &["two a"]);
    enter(&mut one, &["one b"]);
    enter(&mut two, &["two b"]);
    one.leave();
    two.leave();
    assert_eq!(home.lines(), "#V2\none a\ntwo a\none b\ntwo b\n");
}

#[test]
fn it_keeps_no_more_than_it_should() {
    let home = Home::new();
    let path = home.file();
    let env = [("PROMPT_HISTORY", path.to_str().expect("UTF-8")), ("PROMPT_HISTORY_SIZE", "3")];
    let mut t = Driven::ready_with(&env);
    enter(&mut t, &["1", "2", "3", "4", "5"]);
    t.leave();
    assert_eq!(home.lines(), "#V2\n3\n4\n5\n");
}

#[test]
fn one_that_cannot_be_read_is_reported_once_and_left_alone() {
    let home = Home::new();
    fs::create_dir_all(home.file().parent().expect("a folder")).expect("a folder");
    fs::write(home.file(), b"#V2\nfine\nnot \xff fine\n").expect("a file");
    let t = Driven::start_with(&[("PROMPT_HISTORY", home.file().to_str().expect("UTF-8"))]);
    t.terminal.wait_for_bytes("* can't read the history, lines are not kept: ");
    t.wait_for_line("connected   > ");
    let mut t = t;
    enter(&mut t, &["one", "two"]);
    let shown = String::from_utf8_lossy(&t.bytes()).matches("can't").count();
    assert_eq!(shown, 1);
    t.leave();
    assert_eq!(fs::read(home.file()).expect("a file"), b"#V2\nfine\nnot \xff fine\n");

    let home = Home::new();
    fs::create_dir_all(home.file()).expect("a folder where the file should be");
    let t = Driven::start_with(&[("PROMPT_HISTORY", home.file().to_str().expect("UTF-8"))]);
    t.terminal.wait_for_bytes("* can't read the history, lines are not kept: ");
    t.leave();
}
