//! A session with lines: at the prompt or by a script, over one connection after the other.

use std::io;
use std::time::Instant;

use anyhow::Context as _;

use super::alone::Alone;
use super::desk::Desk;
use super::failed;
use super::failure::OpenError;
use super::open::{Opened, open};
use super::pump::{Outcome, Pump};
use crate::cli::InputFormat;
use crate::config::{ClientConfig, Lines, OpenConfig};
use crate::event::{Cause, Ending};
use crate::modes::conductor::{Ask, Conductor, Setup, Source};
use crate::modes::exit::Exit;
use crate::net::reactor::{SIGNAL, STDIN, STDOUT, WAKER};
use crate::net::signals::Signal;
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
    desk: &mut Desk,
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
    let mut conductor = setup.conductor(script, desk)?;
    let exit = Session { config, lines, desk, max_time }.run(opened, &mut conductor);
    if let Some(prompt) = conductor.take_prompt() {
        desk.reporter.flush().context("the transcript failed")?;
        prompt.close();
        desk.reporter.turn_back(&config.display);
    }
    desk.reporter.end_log().map_err(anyhow::Error::msg)?;
    exit
}

struct Session<'a> {
    config: &'a ClientConfig,
    lines: &'a Lines,
    desk: &'a mut Desk,
    max_time: Option<Instant>,
}

impl Session<'_> {
    /// One connection after the other.
    fn run(&mut self, opened: Opened, conductor: &mut Conductor) -> anyhow::Result<Exit> {
        let mut opened = opened;
        loop {
            let outcome = Pump::new(self.config, self.desk, opened, self.max_time)
                .context("can't read stdin")?
                .with_conductor(conductor)
                .run()
                .context("the session ended early")?;
            conductor.show(&state(&outcome.ending), Ink::Violation);
            outcome.tell(conductor.voice(), self.config.input == InputFormat::Prompt);
            let failed = outcome.fault.is_some();
            let signalled =
                matches!(outcome.exit, Exit::Interrupted | Exit::Terminated | Exit::HungUp);
            let leaving = matches!(conductor.ask(), Some(Ask::Quit | Ask::Leave));
            let ends = self.lines.exit_on_close && conductor.ask().is_none();
            if failed || signalled || leaving || ends {
                return Ok(outcome.exit);
            }
            match self.offline(conductor, &outcome)? {
                Then::Open(again) => opened = *again,
                Then::End(exit) => return Ok(exit),
            }
        }
    }

    /// Without a connection, until there is one again or the session ends.
    fn offline(&mut self, conductor: &mut Conductor, outcome: &Outcome) -> io::Result<Then> {
        let mut exit = outcome.exit;
        loop {
            let now = Instant::now();
            conductor.run(&mut Alone::new(self.desk, None), now);
            self.desk.reporter.flush()?;
            if let Some(failure) = conductor.take_failure() {
                conductor.voice().error(&failure.text);
                let status = if failure.unmet { Exit::Unmet } else { Exit::Failure };
                return Ok(Then::End(if exit == Exit::Success { status } else { exit }));
            }
            match conductor.take_ask() {
                Some(Ask::Quit) => return Ok(Then::End(exit)),
                Some(Ask::Leave) => return Ok(Then::End(Exit::Interrupted)),
                Some(Ask::Open) => match self.open_again(conductor)? {
                    Ok(then) => return Ok(then),
                    Err(failed) => exit = failed,
                },
                None => {}
            }
            let scripted = self.config.input != InputFormat::Prompt;
            if scripted && !conductor.is_busy() {
                return Ok(Then::End(exit));
            }
            if let Some(signal) = self.desk.signals.take() {
                return Ok(Then::End(signal.into()));
            }
            if self.max_time.is_some_and(|at| at <= now) {
                conductor.voice().error("the time set by --max-time is over");
                return Ok(Then::End(Exit::Timeout));
            }
            self.wait(conductor)?;
        }
    }

    /// Opens a connection as the conductor has it by now; the error is that of an attempt, which
    /// the session survives.
    fn open_again(&mut self, conductor: &mut Conductor) -> io::Result<Result<Then, Exit>> {
        self.desk.reporter.next_connection();
        conductor.show("connecting", Ink::Info);
        let open_config: OpenConfig = conductor.open_config().unwrap_or(&self.config.open).clone();
        let opened = open(&open_config, self.desk, self.max_time);
        // A wake for lines may have been taken for another in the meantime.
        conductor.set_ready(false);
        let error = match opened {
            Ok(opened) => return Ok(Ok(Then::Open(Box::new(opened)))),
            Err(error) => error,
        };
        self.desk.reporter.flush()?;
        conductor.show("no answer", Ink::Violation);
        match error {
            OpenError::Local(error) => return Err(error),
            // At a prompt Ctrl-C gives up what goes on, not the session.
            OpenError::Signal(Signal::Interrupt) if conductor.prompt().is_some() => {
                conductor.take_interrupt();
                conductor.voice().note("stopped");
            }
            OpenError::Signal(signal) => return Ok(Ok(Then::End(signal.into()))),
            ref error => failed(error, conductor.voice(), self.desk)?,
        }
        Ok(Err(error.exit()))
    }

    fn wait(&mut self, conductor: &mut Conductor) -> io::Result<()> {
        let soon = conductor.is_ready().then(Instant::now);
        let deadline = soon.or_else(|| conductor.deadline().into_iter().chain(self.max_time).min());
        let Desk { reactor, stdout, signals, .. } = &mut *self.desk;
        for event in reactor.wait(deadline)? {
            match event.token() {
                STDOUT => stdout.set_ready(event.is_write_closed()),
                SIGNAL => signals.set_ready(),
                STDIN | WAKER => {
                    conductor.set_ready(event.is_read_closed() || event.is_error());
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
