//! Log lines to stderr: plain text for a terminal, with systemd's priority prefix for journald. Each cause is rate-limited.

use log::{Level, LevelFilter, Log, Metadata, Record};
use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// From one place in the code at most this many lines a window are written.
const LINES_A_WINDOW: u32 = 10;
const WINDOW: Duration = Duration::from_secs(10);

/// A cause: the line of code that logs.
type Cause = (Option<&'static str>, Option<u32>);

struct Window {
    began: Instant,
    lines: u32,
    dropped: u32,
}

struct StderrLogger {
    journald: bool,
    windows: Mutex<HashMap<Cause, Window>>,
}

/// Starts logging at `level`. A second call changes nothing.
pub fn start(level: LevelFilter) {
    let logger = StderrLogger {
        // systemd sets this for services whose stderr goes to the journal.
        journald: std::env::var_os("JOURNAL_STREAM").is_some(),
        windows: Mutex::default(),
    };
    if log::set_boxed_logger(Box::new(logger)).is_ok() {
        log::set_max_level(level);
    }
}

impl Log for StderrLogger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let own = metadata.target().starts_with("vltava");
        metadata.level() <= log::max_level() && (own || metadata.level() <= Level::Warn)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let cause = (record.file_static(), record.line());
        let Some(dropped) = self.admit(cause, Instant::now()) else {
            return;
        };
        let mut line = String::new();
        if dropped > 0 {
            line.push_str(&self.line(
                Level::Warn,
                &format!("{dropped} more lines like the next were left out"),
            ));
        }
        line.push_str(&self.line(record.level(), &record.args().to_string()));
        // A broken stderr must not stop the broker.
        drop(std::io::stderr().lock().write_all(line.as_bytes()));
    }

    fn flush(&self) {}
}

impl StderrLogger {
    /// Whether a line of this cause may be written now, with the number that was left out before it.
    fn admit(&self, cause: Cause, now: Instant) -> Option<u32> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.entry(cause).or_insert(Window {
            began: now,
            lines: 0,
            dropped: 0,
        });
        let mut dropped = 0;
        if now.duration_since(window.began) >= WINDOW {
            dropped = window.dropped;
            *window = Window {
                began: now,
                lines: 0,
                dropped: 0,
            };
        }
        if window.lines >= LINES_A_WINDOW {
            window.dropped += 1;
            return None;
        }
        window.lines += 1;
        Some(dropped)
    }

    fn line(&self, level: Level, text: &str) -> String {
        if self.journald {
            let priority = match level {
                Level::Error => 3,
                Level::Warn => 4,
                Level::Info => 6,
                Level::Debug | Level::Trace => 7,
            };
            return format!("<{priority}>{text}\n");
        }
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let (seconds, millis) = (now.as_secs() % 86_400, now.subsec_millis());
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        format!(
            "{hours:02}:{minutes:02}:{:02}.{millis:03}Z {level:5} {text}\n",
            seconds % 60
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_floods_is_cut_short_and_the_rest_is_counted() {
        let logger = StderrLogger {
            journald: false,
            windows: Mutex::default(),
        };
        let (cause, began) = ((Some("a.rs"), Some(1)), Instant::now());
        let written = (0..100)
            .filter(|_| logger.admit(cause, began).is_some())
            .count();
        assert_eq!(written, LINES_A_WINDOW as usize);
        assert_eq!(logger.admit((Some("a.rs"), Some(2)), began), Some(0));
        assert_eq!(
            logger.admit(cause, began + WINDOW),
            Some(100 - LINES_A_WINDOW)
        );
    }
}
