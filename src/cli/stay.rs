//! The options that decide when a run ends.

use std::time::Duration;

use clap::Args;

use super::values::{Wait, duration, wait};

/// The times that end a run. [`crate::behaviour::stay`] applies them.
#[derive(Args, Clone, Copy, Debug, Default)]
#[command(next_help_heading = "Ending")]
pub struct StayOptions {
    /// Close SECS after the end of the input, even if the peer keeps sending
    ///
    /// 0 closes at once; `forever` waits until the peer closes. The input ends with stdin, with the last
    /// -x, or with the last line of a script. Without -w, --idle-exit and --for, wscope closes after 2 s
    /// of silence if the peer has answered our last message, and 5 s after the end of the input if it
    /// has not. It always waits for --exit-after, --until and /expect.
    #[arg(short = 'w', long, value_name = "SECS", value_parser = wait, allow_hyphen_values = true)]
    pub wait: Option<Wait>,

    /// After the end of the input, close when no message has arrived for SECS
    #[arg(long, alias = "linger", value_name = "SECS", value_parser = wait, allow_hyphen_values = true)]
    pub idle_exit: Option<Wait>,

    /// Close SECS after the connection opened (a server: after its start), with status 0, or 13 if an expectation is not met
    #[arg(long = "for", id = "for", value_name = "SECS", value_parser = duration)]
    pub run_for: Option<Duration>,
}

impl StayOptions {
    /// Stay until something else ends the run.
    pub const FOREVER: Self = Self { wait: Some(Wait::Forever), idle_exit: None, run_for: None };

    /// Whether an option that counts from the end of the input was given.
    pub fn follows_input(&self) -> bool {
        self.wait.is_some() || self.idle_exit.is_some()
    }

    /// Whether the run may end because no message arrives.
    pub fn end_by_silence(&self) -> bool {
        self.idle_exit.is_some() || !self.is_given()
    }

    /// Whether any of these options was given.
    pub fn is_given(&self) -> bool {
        self.follows_input() || self.run_for.is_some()
    }
}
