//! What is written, to stdout and to files, and what is compared with what was known.

use std::fs;

use crate::{check, listen};

#[test]
fn reports_are_written_in_every_format() {
    let server = listen(["--lenient", "--echo"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let option = |name: &str| format!("--report={name}={}", path(name));
    let names = ["text", "json", "junit", "tap", "github"];
    let options: Vec<String> = names.iter().map(|name| option(name)).collect();
    let mut args = vec![server.url(), "f/rsv1", "f/len-125"];
    args.extend(options.iter().map(String::as_str));
    let run = check(&args);
    assert_eq!(run.status, Some(13));
    let read = |name: &str| fs::read_to_string(path(name)).expect("a report");
    assert_eq!(read("text"), run.stdout);
    assert!(read("json").lines().count() == 3 && read("json").contains("\"verdict\":\"FAIL\""));
    assert!(read("junit").contains("<testsuite name=\"f\" tests=\"2\" failures=\"1\""));
    assert!(read("tap").starts_with("TAP version 14\n1..2\nnot ok 1 - f/rsv1 "));
    assert!(read("github").starts_with("::error title=FAIL f/rsv1::"));
    let missing = check(&[server.url(), "f/ping", "--report", "json=/nowhere/at/all"]);
    assert_eq!((missing.status, missing.stdout.as_str()), (Some(2), ""));
    let error = "wscope: --report /nowhere/at/all: the folder /nowhere/at does not exist\n";
    assert_eq!(missing.stderr, error);
    let missing = check(&[server.url(), "f/ping", "--write-baseline", "/nowhere/at/all"]);
    assert_eq!((missing.status, missing.stdout.as_str()), (Some(2), ""));
}

#[test]
fn what_was_known_does_not_fail_and_what_is_worse_does() {
    let (strict, lenient) = (listen(["--echo"]), listen(["--echo", "--lenient"]));
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (folder.path().join("good"), folder.path().join("bad"));
    let (good, bad) = (good.display().to_string(), bad.display().to_string());
    let cases = ["f/rsv1", "f/rsv2", "f/ping"];
    let run = |url: &str, more: &[&str]| check(&[&[url], &cases[..], more].concat());
    assert_eq!(run(strict.url(), &["--write-baseline", &good]).status, Some(0));
    assert_eq!(run(lenient.url(), &["--write-baseline", &bad]).status, Some(13));
    assert_eq!(run(lenient.url(), &["--baseline", &bad]).status, Some(0));
    let worse = run(lenient.url(), &["--baseline", &good]);
    assert_eq!(worse.status, Some(13));
    assert!(
        worse.stdout.contains("\nworse than the baseline: f/rsv1 f/rsv2\n"),
        "{}",
        worse.stdout
    );
    let better = run(strict.url(), &["--baseline", &bad]);
    assert_eq!(better.status, Some(0));
    let note = "\nbetter than the baseline; --write-baseline updates it: f/rsv1 f/rsv2\n";
    assert!(better.stdout.contains(note), "{}", better.stdout);
    assert_eq!(run(strict.url(), &["--baseline", &bad, "--strict"]).status, Some(13));

    let again = check(&[strict.url(), "--rerun", &bad, "--output", "json"]);
    assert_eq!(again.objects().len(), 3);
    let narrowed = check(&[strict.url(), "f/rsv1", "f/rsv3", "--rerun", &bad, "--output", "json"]);
    assert_eq!(narrowed.objects().len(), 2, "{}", narrowed.stdout);
    let excluded = check(&[strict.url(), "h/", "--rerun", &bad]);
    assert_eq!(excluded.status, Some(2), "{}", excluded.stderr);
    let nothing = check(&[strict.url(), "--rerun", &good]);
    assert_eq!(nothing.status, Some(2), "{}", nothing.stderr);
}

#[test]
fn runs_are_repeated_and_stop_at_the_first_failure_where_that_is_asked_for() {
    let server = listen(["--lenient", "--echo"]);
    let run = check(&[server.url(), "f/rsv1", "f/rsv2", "--repeat", "3", "--output", "json"]);
    assert_eq!(run.verdict("f/rsv2").0, "FAIL");
    let run = check(&[server.url(), "f/rsv1", "f/rsv2", "--fail-fast", "-j", "1"]);
    assert_eq!(run.stdout.lines().last(), Some("1 INCONCLUSIVE, 1 FAIL"));
    assert_eq!(run.status, Some(13));
}

#[test]
fn an_object_that_holds_nothing_is_not_a_baseline() {
    let server = listen(["--echo"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("empty").display().to_string();
    std::fs::write(&path, "{}\n").expect("a file");
    for option in ["--baseline", "--rerun"] {
        let run = check(&[server.url(), "f/ping", option, &path]);
        let error = format!(
            "wscope: {path}: line 1 is not a verdict of wscope check: it is not an object with \
             the id of a case\n"
        );
        assert_eq!((run.status, run.stderr), (Some(2), error), "{option}");
    }
}
