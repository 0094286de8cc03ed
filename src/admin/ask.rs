//! Asking the cores: a byte to each, and their reports within a time.

use crate::metrics::CoreReport;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A core that does not answer for this long does not turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// Where the cores are asked; one question at a time.
pub struct Questions(Mutex<Line>);

struct Line {
    cores: Vec<UnixStream>,
    reports: Receiver<(usize, CoreReport)>,
    number: u8,
}

impl Questions {
    /// To these cores, in their order, who answer to `reports`.
    ///
    /// # Errors
    /// When a socket cannot be made non-blocking.
    pub fn new(
        cores: Vec<UnixStream>,
        reports: Receiver<(usize, CoreReport)>,
    ) -> std::io::Result<Questions> {
        for core in &cores {
            core.set_nonblocking(true)?;
        }
        Ok(Questions(Mutex::new(Line {
            cores,
            reports,
            number: 0,
        })))
    }

    /// Asks all cores; `None` for each that does not answer in time.
    pub fn ask(&self) -> Vec<Option<CoreReport>> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        line.number = line.number.wrapping_add(1);
        let number = line.number;
        for core in &mut line.cores {
            // Where the socket is full of questions nobody has answered for long.
            let _ = core.write(&[number]);
        }
        let mut reports = vec![None; line.cores.len()];
        let deadline = Instant::now() + PATIENCE;
        while reports.iter().any(Option::is_none) {
            let left = deadline.saturating_duration_since(Instant::now());
            match line.reports.recv_timeout(left) {
                Ok((core, report)) if report.question == number => reports[core] = Some(report),
                // To an earlier question, by a core that was late.
                Ok(_) => {}
                Err(_) => break,
            }
        }
        reports
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::mpsc;

    #[test]
    fn a_late_answer_to_an_earlier_question_is_not_taken_for_todays() {
        let (asker, mut core) = UnixStream::pair().expect("a pair");
        let (sender, receiver) = mpsc::channel();
        let questions = Questions::new(vec![asker], receiver).expect("sockets");
        let late = CoreReport {
            question: 77,
            offline: 9,
            ..CoreReport::default()
        };
        sender.send((0, late)).expect("somebody listens");
        let answering = std::thread::spawn(move || {
            let mut question = [0];
            core.read_exact(&mut question).expect("a question");
            let report = CoreReport {
                question: question[0],
                offline: 1,
                ..CoreReport::default()
            };
            sender.send((0, report)).expect("somebody listens");
        });
        let reports = questions.ask();
        answering.join().expect("it answers");
        assert_eq!(reports[0].as_ref().map(|report| report.offline), Some(1));
    }

    #[test]
    fn a_core_that_does_not_turn_is_given_up() {
        let (asker, _core) = UnixStream::pair().expect("a pair");
        let (_sender, receiver) = mpsc::channel();
        let questions = Questions::new(vec![asker], receiver).expect("sockets");
        assert_eq!(questions.ask(), [None]);
    }
}
