//! What is printed, and what is put right: a line each, progress for whoever waits, a count at the end.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::CheckError;
use crate::log::check::{Facts, Finding, Listener, Repair, repair};

/// How often progress is shown to somebody who looks on.
const ON_A_TERMINAL: Duration = Duration::from_millis(200);
/// How often it is written where it is kept.
const IN_A_FILE: Duration = Duration::from_secs(5);

/// The report of one check.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    /// The first failure of our own output.
    failed: Option<io::Error>,
    progress: Progress,
    repairs: bool,
    /// Repairs that wait for the end of a partition, each with the number of findings that it puts right.
    waiting: BTreeMap<Repair, u64>,
    wrong: u64,
    put_right: u64,
    partitions: u64,
    segments: u64,
    batches: u64,
}

impl Report<'_> {
    pub(super) fn new(out: &mut dyn Write, bytes: u64, repairs: bool) -> Report<'_> {
        Report {
            out,
            failed: None,
            progress: Progress::new(bytes),
            repairs,
            waiting: BTreeMap::new(),
            wrong: 0,
            put_right: 0,
            partitions: 0,
            segments: 0,
            batches: 0,
        }
    }

    /// Something is wrong, or harmless and to be known.
    pub(super) fn wrong(&mut self, finding: Finding) {
        let counted = u64::from(!finding.harmless);
        self.wrong += counted;
        match finding.harmless {
            true => self.note(&finding.to_string()),
            false => self.line(&finding.to_string()),
        }
        if let Some(repair) = finding.repair
            && self.repairs
        {
            *self.waiting.entry(repair).or_default() += counted;
        }
    }

    /// Whether things are put right.
    pub(super) fn repairs(&self) -> bool {
        self.repairs
    }

    /// Puts right what can be of what was found so far.
    pub(super) fn put_right(&mut self) {
        while let Some((next, findings)) = self.waiting.pop_first() {
            match repair(&next) {
                Ok(done) => self.done(&done, findings),
                Err(error) => self.line(&format!("not put right: {error}")),
            }
        }
    }

    /// So many findings are put right.
    pub(super) fn done(&mut self, what: &str, findings: u64) {
        self.put_right += findings;
        self.line(&format!("put right: {what}"));
    }

    /// A partition has been looked at.
    pub(super) fn partition(&mut self, facts: &Facts) {
        self.partitions += 1;
        self.segments += facts.segments as u64;
        self.batches += facts.batches;
    }

    /// The last line; whether nothing is wrong any more.
    pub(super) fn finish(mut self, dirs: &str) -> Result<bool, CheckError> {
        self.put_right();
        self.progress.clear();
        let left = self.wrong.saturating_sub(self.put_right);
        let verdict = match (self.wrong, left) {
            (0, _) => "nothing is wrong".to_owned(),
            (wrong, 0) => format!("{wrong} wrong, all put right"),
            (wrong, left) if left < wrong => format!("{wrong} wrong, {left} of them not put right"),
            (wrong, _) => format!("{wrong} wrong"),
        };
        let line = format!(
            "{dirs}: {} partitions, {} segments, {} batches, {} bytes: {verdict}",
            self.partitions, self.segments, self.batches, self.progress.passed
        );
        self.line(&line);
        match self.failed {
            Some(error) => Err(CheckError::Output(error)),
            None => Ok(left == 0),
        }
    }

    fn line(&mut self, text: &str) {
        self.progress.clear();
        if self.failed.is_none()
            && let Err(error) = writeln!(self.out, "{text}").and_then(|()| self.out.flush())
        {
            self.failed = Some(error);
        }
    }
}

impl Listener for Report<'_> {
    fn found(&mut self, finding: Finding) {
        self.wrong(finding);
    }

    fn note(&mut self, text: &str) {
        self.line(&format!("note: {text}"));
    }

    fn passed(&mut self, bytes: u64) {
        self.progress.passed(bytes);
    }

    fn batch(&mut self, _: &Path, _: u64, _: &[u8]) {}
}

/// How far the work has come, on standard error.
struct Progress {
    passed: u64,
    total: u64,
    every: Duration,
    terminal: bool,
    shown: Instant,
    /// A line stands on the terminal that is to be written over.
    standing: bool,
}

impl Progress {
    fn new(total: u64) -> Progress {
        let terminal = io::stderr().is_terminal();
        Progress {
            passed: 0,
            total,
            every: if terminal { ON_A_TERMINAL } else { IN_A_FILE },
            terminal,
            shown: Instant::now(),
            standing: false,
        }
    }

    fn passed(&mut self, bytes: u64) {
        self.passed += bytes;
        if self.shown.elapsed() < self.every {
            return;
        }
        self.shown = Instant::now();
        let percent = self.passed.saturating_mul(100) / self.total.max(1);
        let text = format!(
            "{} of {} bytes checked ({percent} %)",
            self.passed, self.total
        );
        // Nobody reads it: that is no reason to stop.
        let _ = if self.terminal {
            self.standing = true;
            write!(io::stderr(), "\r\x1b[K{text}")
        } else {
            writeln!(io::stderr(), "{text}")
        };
    }

    fn clear(&mut self) {
        if self.standing {
            self.standing = false;
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
