//! A session with lines: at the prompt or by a script, over one connection after the other.

use std::io;
use std::time::Instant;

use anyhow::Context as _;

use crate::cli::InputFormat;
use crate::config::{ClientConfig, Lines, OpenConfig};
use crate::engine::exit::Exit;
use crate::engine::open_error::OpenError;
use crate::engine::opening::Opened;
use crate::engine::pump::{Outcome, Pump};
use crate::engine::runtime::Runtime;
use crate::event::{Cause, Ending};
use crate::modes::connect::again::{self, open_patiently};
use crate::modes::connect::alone::SingleConnection;
use crate::modes::connect::failed;
use crate::net::reactor::{SIGNAL, STDIN, STDOUT, WAKER};
use crate::net::retry::Schedule;
use crate::net::signals::Signal;
use crate::script::runner::{ScriptRunner, SessionRequest, Setup, Source};
use crate::ui::style::Ink;

/// What the prompt greets with.
const GREETING: &str = "Connected (press Ctrl-D or type /quit to leave, /help for commands)";

/// Runs the session on a connection that is open.
///
/// # Errors
///
/// This side failed: stdin, stdout, stderr, the log or the system.
pub fn run(
    config: &ClientConfig,
    lines: &Lines,
    script: Source,
    runtime: &mut Runtime,
    opened: Opened,
    max_time: Option<Instant>,
) -> anyhow::Result<Exit> {
    let setup = Setup {
        lines,
        input: config.input,
        binary: config.binary,
        display: &config.display,
        open: Some(&config.open),
        greeting: GREETING,
    };
    let mut runner = setup.runner(script, runtime)?;
    let reconnect = config.reach.reconnect.map(Schedule::new);
    let exit = Session { config, lines, runtime, max_time, reconnect }.run(opened, &mut runner);
    if let Some(prompt) = runner.take_prompt() {
        runtime.reporter.flush().context("the transcript failed")?;
        prompt.close();
        runtime.reporter.turn_back(&config.display);
    }
    runtime.reporter.end_log().map_err(anyhow::Error::msg)?;
    exit
}

struct Session<'a> {
    config: &'a ClientConfig,
    lines: &'a Lines,
    runtime: &'a mut Runtime,
    max_time: Option<Instant>,
    /// `--reconnect`.
    reconnect: Option<Schedule>,
}

impl Session<'_> {
    /// One connection after the other.
    fn run(&mut self, opened: Opened, runner: &mut ScriptRunner) -> anyhow::Result<Exit> {
        let mut opened = opened;
        loop {
            let began = Instant::now();
            let mut outcome = Pump::new(self.config, self.runtime, opened, self.max_time)
                .context("can't read stdin")?
                .with_conductor(runner)
                .run()
                .context("the session ended early")?;
            self.runtime.record.ended(&outcome.ending, outcome.first_frame);
            outcome.record(self.runtime);
            runner.show(&state(&outcome.ending), Ink::Violation);
            outcome.tell(runner.notifier(), self.config.input == InputFormat::Prompt);
            let failed = outcome.fault.is_some();
            let signalled =
                matches!(outcome.exit, Exit::Interrupted | Exit::Terminated | Exit::HungUp);
            let leaving =
                matches!(runner.request(), Some(SessionRequest::Quit | SessionRequest::Leave));
            if failed || signalled || leaving {
                return Ok(outcome.exit);
            }
            if runner.request().is_none() {
                match self.reconnect(runner, &mut outcome, began)? {
                    Some(Then::Open(again)) => {
                        opened = *again;
                        continue;
                    }
                    Some(Then::End(exit)) => return Ok(exit),
                    None => {}
                }
            }
            if self.lines.exit_on_close && runner.request().is_none() {
                return Ok(outcome.exit);
            }
            match self.offline(runner, &outcome)? {
                Then::Open(again) => opened = *again,
                Then::End(exit) => return Ok(exit),
            }
        }
    }

    /// `--reconnect`: opens another connection after one that was lost, and gives the lines of
    /// `-x` again; `None` where there is to be none.
    fn reconnect(
        &mut self,
        runner: &mut ScriptRunner,
        outcome: &mut Outcome,
        began: Instant,
    ) -> io::Result<Option<Then>> {
        let Some(mut schedule) = self.reconnect.take() else { return Ok(None) };
        let waited =
            again::after(outcome, began.elapsed(), &mut schedule, self.runtime, self.max_time);
        let tried = match waited {
            Ok(false) => None,
            Ok(true) => Some(self.try_open(runner, &mut schedule)?),
            Err(error) => Some(self.without(runner, error)?),
        };
        let then = tried.and_then(|tried| tried.map_err(|exit| outcome.exit = exit).ok());
        self.reconnect = Some(schedule);
        if matches!(then, Some(Then::Open(_))) && !self.lines.execute.is_empty() {
            runner.push_source(Source::of_lines("-x", &self.lines.execute));
        }
        Ok(then)
    }

    /// Without a connection, until there is one again or the session ends.
    fn offline(&mut self, runner: &mut ScriptRunner, outcome: &Outcome) -> io::Result<Then> {
        let mut exit = outcome.exit;
        loop {
            let now = Instant::now();
            runner.run(&mut SingleConnection::new(self.runtime, None), now);
            self.runtime.reporter.flush()?;
            if let Some(failure) = runner.take_failure() {
                runner.notifier().error(&failure.text);
                let status = if failure.unmet { Exit::Unmet } else { Exit::Failure };
                return Ok(Then::End(if exit == Exit::Success { status } else { exit }));
            }
            match runner.take_request() {
                Some(SessionRequest::Quit) => return Ok(Then::End(exit)),
                Some(SessionRequest::Leave) => return Ok(Then::End(Exit::Interrupted)),
                Some(SessionRequest::Open) => match self.open_again(runner)? {
                    Ok(then) => return Ok(then),
                    Err(failed) => exit = failed,
                },
                None => {}
            }
            let scripted = self.config.input != InputFormat::Prompt;
            if scripted && !runner.is_busy() {
                return Ok(Then::End(exit));
            }
            if let Some(signal) = self.runtime.signals.take() {
                return Ok(Then::End(signal.into()));
            }
            if self.max_time.is_some_and(|at| at <= now) {
                runner.notifier().error("the time set by --max-time is over");
                return Ok(Then::End(Exit::Timeout));
            }
            self.wait(runner)?;
        }
    }

    /// Opens a connection as the runner has it by now; the error is that of an attempt, which
    /// the session survives.
    fn open_again(&mut self, runner: &mut ScriptRunner) -> io::Result<Result<Then, Exit>> {
        self.runtime.reporter.next_connection();
        self.try_open(runner, &mut Schedule::new(self.config.reach.retry))
    }

    fn try_open(
        &mut self,
        runner: &mut ScriptRunner,
        schedule: &mut Schedule,
    ) -> io::Result<Result<Then, Exit>> {
        runner.show("connecting", Ink::Info);
        let open_config: OpenConfig = runner.open_config().unwrap_or(&self.config.open).clone();
        let opened = open_patiently(&open_config, schedule, self.runtime, self.max_time);
        // A wake for lines, or for their end, may have been taken for another in the meantime.
        runner.set_ready(true);
        match opened {
            Ok(opened) => Ok(Ok(Then::Open(Box::new(opened)))),
            Err(error) => self.without(runner, error),
        }
    }

    /// Says why there is no connection.
    fn without(
        &mut self,
        runner: &mut ScriptRunner,
        error: OpenError,
    ) -> io::Result<Result<Then, Exit>> {
        self.runtime.reporter.flush()?;
        runner.show("no answer", Ink::Violation);
        match error {
            OpenError::Local(error) => return Err(error),
            // At a prompt Ctrl-C gives up what goes on, not the session.
            OpenError::Signal(Signal::Interrupt) if runner.prompt().is_some() => {
                runner.take_interrupt();
                runner.notifier().note("stopped");
            }
            OpenError::Signal(signal) => return Ok(Ok(Then::End(signal.into()))),
            ref error => failed(error, runner.notifier(), self.runtime)?,
        }
        Ok(Err(error.exit()))
    }

    fn wait(&mut self, runner: &mut ScriptRunner) -> io::Result<()> {
        let soon = runner.is_ready().then(Instant::now);
        let deadline = soon.or_else(|| runner.deadline().into_iter().chain(self.max_time).min());
        let Runtime { reactor, stdout, signals, .. } = &mut *self.runtime;
        for event in reactor.wait(deadline)? {
            match event.token() {
                STDOUT => stdout.set_ready(event.is_write_closed()),
                SIGNAL => signals.set_ready(),
                STDIN | WAKER => {
                    runner.set_ready(event.is_read_closed() || event.is_error());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What follows a connection.
enum Then {
    Open(Box<Opened>),
    End(Exit),
}

/// The end as the prompt shows it: with the code that an application would see.
fn state(ending: &Ending) -> String {
    let close = match (&ending.cause, &ending.received, &ending.sent) {
        (Cause::Closed, Some(received), _) => received.code.unwrap_or(1005),
        (Cause::Violation(_), _, Some(sent)) => sent.code.unwrap_or(1005),
        // "1006 is a reserved value … designated for use in applications expecting a status code
        // to indicate that the connection was closed abnormally" (RFC 6455 §7.4.1).
        _ => 1006,
    };
    format!("closed {close}")
}
