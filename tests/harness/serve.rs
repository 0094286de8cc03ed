//! `vltava serve` with any arguments and environment, for starts that are expected to fail, warn or be told of.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::child;

const DEADLINE: Duration = Duration::from_secs(30);

/// A broker process whose output is kept.
pub struct Serve {
    child: Child,
    lines: Receiver<String>,
    stderr: Option<JoinHandle<String>>,
}

impl Serve {
    /// Starts `vltava serve` with these arguments on one core.
    pub fn spawn<S: AsRef<OsStr>>(arguments: &[S], environment: &[(&str, &OsStr)]) -> Serve {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
        command.args(["serve", "--cores", "1"]).args(arguments);
        command.envs(environment.iter().copied());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let (stdout, stderr) = (
            child.stdout.take().expect("piped"),
            child.stderr.take().expect("piped"),
        );
        let (said, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody may be listening any more.
                let _ = said.send(line);
            }
        });
        let stderr = thread::spawn(move || {
            let mut text = String::new();
            let mut stderr = stderr;
            // What came before the end is what counts.
            let _ = stderr.read_to_string(&mut text);
            text
        });
        Serve {
            child,
            lines,
            stderr: Some(stderr),
        }
    }

    /// Waits for the line that says the broker accepts connections.
    pub fn ready(&mut self) -> String {
        let line = self.lines.recv_timeout(DEADLINE);
        line.unwrap_or_else(|_| panic!("the broker did not get ready:\n{}", self.end().1))
    }

    /// The same; `None` if the broker ends before it.
    pub fn ready_or_ended(&mut self) -> Option<String> {
        self.lines.recv_timeout(DEADLINE).ok()
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill is everywhere").success());
    }

    /// Waits for the process to end by itself; returns how, and all it logged.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = child::wait(&mut self.child, DEADLINE);
        let log = self.log();
        (
            status.unwrap_or_else(|| panic!("the broker still ran after {DEADLINE:?}:\n{log}")),
            log,
        )
    }

    /// Kills the process; returns how it ended, and all it logged.
    pub fn end(&mut self) -> (ExitStatus, String) {
        // It may have ended by itself.
        let _ = self.child.kill();
        self.wait()
    }

    /// The port in the ready line.
    pub fn port_in(ready_line: &str) -> u16 {
        let (_, rest) = ready_line
            .split_once("PLAINTEXT://127.0.0.1:")
            .expect("an address in the ready line");
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().expect("a port in the ready line")
    }

    fn log(&mut self) -> String {
        self.stderr
            .take()
            .map(|reading| reading.join().expect("reading does not panic"))
            .unwrap_or_default()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a broker that must not get ready; returns what it said.
///
/// # Panics
/// If it runs, or ends well.
pub fn refusal<S: AsRef<OsStr>>(arguments: &[S]) -> String {
    let mut broker = Serve::spawn(arguments, &[]);
    let (status, log) = broker.wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(
        broker.lines.recv().is_err(),
        "it said that it is ready:\n{log}"
    );
    log
}

/// Resident memory of a process in bytes.
pub fn resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a running process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line
        .and_then(|line| line.split_whitespace().next())
        .expect("VmRSS");
    kib.parse::<u64>().expect("a number") * 1024
}
