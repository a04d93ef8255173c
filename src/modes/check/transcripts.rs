//! `--transcripts`: a recording of each connection of a case, kept if the case did not pass.

use std::cell::Cell;
use std::fs;
use std::io;
use std::mem;
use std::path::PathBuf;

use crate::check::plan::{Purpose, Work};
use crate::check::verdict::Verdict;
use crate::cli::OutputFormat;
use crate::config::Display;
use crate::engine::runtime::Runtime;
use crate::net::plain_io::plain_io;
use crate::output::reporter::Reporter;
use crate::wire::Role;

/// The folder of the recordings.
pub(super) struct Transcripts {
    folder: PathBuf,
    /// Our role in the connections.
    role: Role,
    display: Display,
    strict: bool,
    begun: Cell<u64>,
}

/// The recording of one connection.
pub(super) struct Recorder {
    reporter: Reporter,
    /// The path of the file until the case and its verdict are known.
    path: PathBuf,
    /// The final path, if the recording is kept.
    name: Option<PathBuf>,
    strict: bool,
}

impl Transcripts {
    /// Creates the folder, if it does not exist.
    ///
    /// # Errors
    ///
    /// It can't be created; in words.
    pub(super) fn new(
        folder: PathBuf,
        role: Role,
        display: Display,
        strict: bool,
    ) -> Result<Self, String> {
        fs::create_dir_all(&folder)
            .map_err(|error| format!("--transcripts {}: {}", folder.display(), plain_io(&error)))?;
        Ok(Self { folder, role, display, strict, begun: Cell::new(0) })
    }

    /// Begins a recording.
    ///
    /// # Errors
    ///
    /// The file can't be written.
    pub(super) fn begin(&self) -> io::Result<Recorder> {
        self.begun.set(self.begun.get() + 1);
        let path = self.folder.join(format!(".wscope-{}-{}", std::process::id(), self.begun.get()));
        let mut reporter = Reporter::of(self.role, OutputFormat::None, &self.display);
        reporter.log_to(&path).map_err(io::Error::other)?;
        Ok(Recorder { reporter, path, name: None, strict: self.strict })
    }
}

impl Recorder {
    /// Replaces the reporter with the recording.
    pub(super) fn take_over(&mut self, runtime: &mut Runtime) {
        mem::swap(&mut self.reporter, &mut runtime.reporter);
    }

    /// Restores the reporter.
    ///
    /// # Errors
    ///
    /// An output failed.
    pub(super) fn give_back(&mut self, runtime: &mut Runtime) -> io::Result<()> {
        mem::swap(&mut self.reporter, &mut runtime.reporter);
        self.reporter.flush()
    }

    /// Decides with the verdict whether the recording is kept.
    pub(super) fn judged(&mut self, work: Work, verdict: Verdict) {
        let again = match work.purpose {
            Purpose::Result(_) | Purpose::Part(_) => "",
            Purpose::Again(_) => ".again",
            Purpose::Control | Purpose::Echo => return,
        };
        let kept = match verdict {
            Verdict::Pass | Verdict::Info | Verdict::Skip => false,
            Verdict::PassBare => self.strict,
            Verdict::Warn | Verdict::Inconclusive | Verdict::Flaky | Verdict::Fail => true,
        };
        let name = format!("{}{again}.jsonl", work.case.id.replace('/', "-"));
        self.name = kept.then(|| self.path.with_file_name(name));
    }

    /// Ends the recording at the end of the connection.
    ///
    /// # Errors
    ///
    /// The file is incomplete.
    pub(super) fn end(mut self) -> io::Result<()> {
        let ended = self.reporter.end_log().map_err(io::Error::other);
        match &self.name {
            Some(name) => ended.and_then(|()| fs::rename(&self.path, name)),
            // A file that can't be removed does no harm.
            None => {
                let _ = fs::remove_file(&self.path);
                Ok(())
            }
        }
    }
}

/// Takes a step of a connection, with its recording in place of the reporter. The step returns the
/// next state, if the connection goes on, and the verdict on its case, if there is one now.
///
/// # Errors
///
/// The step failed, or an output did.
pub(super) fn recorded<S>(
    mut recorder: Option<Recorder>,
    runtime: &mut Runtime,
    step: impl FnOnce(&mut Runtime) -> (io::Result<Option<S>>, Option<(Work, Verdict)>),
) -> io::Result<Option<(S, Option<Recorder>)>> {
    recorder.iter_mut().for_each(|recorder| recorder.take_over(runtime));
    let (stepped, judged) = step(runtime);
    recorder.iter_mut().try_for_each(|recorder| recorder.give_back(runtime))?;
    if let (Some(recorder), Some((work, verdict))) = (&mut recorder, judged) {
        recorder.judged(work, verdict);
    }
    match (stepped?, recorder) {
        (Some(state), recorder) => Ok(Some((state, recorder))),
        (None, Some(recorder)) => recorder.end().map(|()| None),
        (None, None) => Ok(None),
    }
}
