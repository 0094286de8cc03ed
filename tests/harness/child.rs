//! Child processes with a deadline: fed, read and, when they hang, killed.

use std::io::{Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a finished child left behind.
pub struct Finished {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// Runs `command` with `input` on its stdin and waits for it.
///
/// # Errors
/// A sentence with the command and its stderr, if it cannot be started, fails, or is still running after `deadline`
/// (it is killed then).
pub fn run(command: &mut Command, input: &[u8], deadline: Duration) -> Result<Finished, String> {
    let shown = format!("{command:?}");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{shown}: {error}"))?;
    let (mut stdin, stdout, stderr) = (
        child.stdin.take().expect("piped"),
        child.stdout.take().expect("piped"),
        child.stderr.take().expect("piped"),
    );
    thread::scope(|scope| {
        let feeding = scope.spawn(move || stdin.write_all(input));
        let stdout = scope.spawn(move || read_all(stdout));
        let stderr = scope.spawn(move || read_all(stderr));
        let status = wait(&mut child, deadline);
        // A child that dies early breaks the pipe; its exit code and stderr tell more than that.
        let _ = feeding.join().expect("feeding does not panic");
        let stdout = stdout.join().expect("reading does not panic");
        let stderr = stderr.join().expect("reading does not panic");
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        match status {
            Some(status) if status.success() => Ok(Finished {
                status,
                stdout,
                stderr,
            }),
            Some(status) => Err(format!("{shown}: {status}\n{stderr}")),
            None => Err(format!("{shown}: killed after {deadline:?}\n{stderr}")),
        }
    })
}

/// Waits for `child`; `None` if it had to be killed because `deadline` passed.
pub fn wait(child: &mut Child, deadline: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("waiting for a child of ours") {
            return Some(status);
        }
        if started.elapsed() > deadline {
            child.kill().expect("killing a child of ours");
            child.wait().expect("waiting for a child of ours");
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn read_all(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What came before a broken pipe is still worth showing.
    let _ = pipe.read_to_end(&mut bytes);
    bytes
}
