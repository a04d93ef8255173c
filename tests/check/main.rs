//! `wscope check` as its users meet it: the real program against its own server, in order and with
//! faults, and against servers that die, refuse or stay silent.

#[path = "../listen/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../listen/raw.rs"]
#[allow(dead_code)]
mod raw;

mod clients;
mod options;
mod reports;
mod verdicts;

#[path = "../common/frames.rs"]
#[allow(dead_code)]
mod frames;
#[path = "../common/waiting.rs"]
#[allow(dead_code)]
mod waiting;

use std::ffi::OsString;
use std::ops::Deref;
use std::process::Output;

use rustix::process::Signal;
use serde_json::Value;

use harness::Server;

/// A server that ends with the test, whatever the test comes to.
struct Served(Option<Server>);

/// Starts one.
#[track_caller]
fn listen<A: Into<OsString>>(args: impl IntoIterator<Item = A>) -> Served {
    Served(Some(harness::listen(args)))
}

impl Served {
    /// Ends it, and gives what it printed.
    #[track_caller]
    fn interrupt(mut self) -> harness::Output {
        self.0.take().expect("it runs").interrupt()
    }
}

impl Deref for Served {
    type Target = Server;

    fn deref(&self) -> &Server {
        self.0.as_ref().expect("it runs")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(server) = &self.0 {
            server.signal(Signal::INT);
        }
    }
}

/// What one run came to.
struct Checked {
    stdout: String,
    stderr: String,
    status: Option<i32>,
}

impl Checked {
    /// The objects of a report in JSON.
    #[track_caller]
    fn objects(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).expect("JSON");
        self.stdout.lines().map(parse).collect()
    }

    /// The verdict on a case and what was seen, of a report in JSON.
    #[track_caller]
    fn verdict(&self, id: &str) -> (String, String) {
        let objects = self.objects();
        let case = objects.iter().find(|object| object["id"] == id).expect("the case ran");
        let text = |name: &str| case[name].as_str().expect("text").to_owned();
        (text("verdict"), text("got"))
    }
}

/// Runs `wscope check` with these arguments.
#[track_caller]
fn check(args: &[&str]) -> Checked {
    let run = harness::wscope().arg("check").args(args).output();
    let Output { status, stdout, stderr } = run.expect("the binary starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Checked { stdout: text(stdout), stderr: text(stderr), status: status.code() }
}
