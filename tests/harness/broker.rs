//! The broker under test: the real binary as a child process, with a data directory and a port of its own.
//!
//! `VLTAVA_TEST_BOOTSTRAP=HOST:PORT` lets the tests with real clients talk to a broker that already runs, to compare
//! another broker's behaviour with what the tests expect (start it with `log.retention.ms=-1`: some records are dated long
//! ago). What needs the process itself is left out then.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::{child, scratch_dir};

/// A broker says that it is ready in milliseconds; a busy machine may take longer.
const READY_DEADLINE: Duration = Duration::from_secs(30);
const STOP_DEADLINE: Duration = Duration::from_secs(30);

/// A running broker of our own. It is killed and its data removed when this is dropped.
pub struct Broker {
    child: Child,
    port: u16,
    overrides: Vec<String>,
    ready_line: String,
    home: TempDir,
}

impl Broker {
    /// Starts a broker on a free port over an empty data directory, with these properties set.
    ///
    /// # Panics
    /// If it does not say that it is ready; the message has what it logged.
    pub fn start(overrides: &[(&str, &str)]) -> Broker {
        let home = tempfile::Builder::new()
            .prefix("broker-")
            .tempdir_in(scratch_dir())
            .expect("a scratch folder");
        let overrides: Vec<String> = overrides
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let port = free_port();
        let (child, ready_line) = spawn(home.path(), port, &overrides);
        Broker {
            child,
            port,
            overrides,
            ready_line,
            home,
        }
    }

    /// HOST:PORT, as clients take it.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The process id, for a look at `/proc`.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The line with which the broker said that it accepts connections.
    pub fn ready_line(&self) -> &str {
        &self.ready_line
    }

    /// The data directory.
    pub fn data_dir(&self) -> std::path::PathBuf {
        data_dir(self.home.path())
    }

    /// Everything the broker has logged since its first start.
    pub fn log(&self) -> String {
        read_log(self.home.path())
    }

    /// True while the process has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("waiting for a child of ours")
            .is_none()
    }

    /// Stops the broker with SIGTERM and returns how it ended.
    ///
    /// # Panics
    /// If it does not end by itself.
    pub fn stop(&mut self) -> ExitStatus {
        let signalled = Command::new("kill")
            .args(["-TERM", &self.pid().to_string()])
            .status();
        assert!(
            signalled.expect("kill is everywhere").success(),
            "the broker had already ended:\n{}",
            self.log()
        );
        child::wait(&mut self.child, STOP_DEADLINE).unwrap_or_else(|| {
            panic!(
                "no end within {STOP_DEADLINE:?} of SIGTERM:\n{}",
                self.log()
            )
        })
    }

    /// Ends the broker as a crash does (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().expect("killing a child of ours");
        self.child.wait().expect("waiting for a child of ours");
    }

    /// Starts the broker and kills it so much later, wherever it is then.
    pub fn start_and_kill_after(&mut self, alive: Duration) {
        assert!(!self.is_running(), "this is for a broker that has ended");
        self.child = command(self.home.path(), self.port, &self.overrides)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        thread::sleep(alive);
        self.kill();
    }

    /// Starts a broker that is to refuse, and waits for its end.
    ///
    /// # Panics
    /// If it does not end by itself, or ends well.
    pub fn start_and_end(&mut self) {
        assert!(!self.is_running(), "this is for a broker that has ended");
        self.child = command(self.home.path(), self.port, &self.overrides)
            .stdout(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let ended = child::wait(&mut self.child, STOP_DEADLINE);
        let status = ended.unwrap_or_else(|| panic!("it goes on:\n{}", self.log()));
        assert!(!status.success(), "{}", self.log());
    }

    /// Starts the broker again on the same port, data directory and properties, after `stop` or `kill`.
    pub fn restart(&mut self) {
        assert!(!self.is_running(), "restart is for a broker that has ended");
        (self.child, self.ready_line) = spawn(self.home.path(), self.port, &self.overrides);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the broker's log:\n{}", self.log());
        }
    }
}

/// What the tests with real clients talk to.
pub struct Target {
    pub bootstrap: String,
    /// `None` when `VLTAVA_TEST_BOOTSTRAP` names a broker that is not ours to stop.
    pub broker: Option<Broker>,
    run: String,
}

impl Target {
    /// A broker of our own that keeps records however old they say they are, or the one that the environment names.
    pub fn start() -> Target {
        let run = format!("{}", std::process::id());
        match std::env::var("VLTAVA_TEST_BOOTSTRAP") {
            Ok(bootstrap) => Target {
                bootstrap,
                broker: None,
                run,
            },
            Err(_) => {
                let broker = Broker::start(&[("log.retention.ms", "-1")]);
                Target {
                    bootstrap: broker.bootstrap(),
                    broker: Some(broker),
                    run,
                }
            }
        }
    }

    /// A topic name that no earlier run on the same broker has used.
    pub fn topic(&self, name: &str) -> String {
        format!("{name}.{}", self.run)
    }
}

fn spawn(home: &Path, port: u16, overrides: &[String]) -> (Child, String) {
    let mut command = command(home, port, overrides);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = child.stdout.take().expect("piped");
    let Some(line) = first_line(stdout) else {
        let _ = child.kill();
        let status = child.wait().expect("waiting for a child of ours");
        panic!(
            "the broker did not get ready ({status}):\n{}",
            read_log(home)
        );
    };
    (child, line)
}

/// The broker's command line; what it logs is appended to the log of its earlier lives.
fn command(home: &Path, port: u16, overrides: &[String]) -> Command {
    let log = File::options()
        .create(true)
        .append(true)
        .open(home.join("log"))
        .expect("the broker's log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vltava"));
    command.args([
        "serve",
        "--cores",
        "2",
        "--listen",
        &format!("127.0.0.1:{port}"),
    ]);
    let names_its_own = |property: &String| property.starts_with("log.dirs=");
    if !overrides.iter().any(names_its_own) {
        command.arg("--data-dir").arg(data_dir(home));
    }
    for property in overrides {
        command.args(["--override", property]);
    }
    command.stdin(Stdio::null()).stderr(log);
    command
}

/// The first line of the broker's stdout, unless it ends or says nothing in time. The rest is read and dropped, so that
/// the broker never waits for a reader.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (line, first) = mpsc::channel();
    thread::spawn(move || {
        for text in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Only the first is waited for.
            let _ = line.send(text);
        }
    });
    first.recv_timeout(READY_DEADLINE).ok()
}

fn data_dir(home: &Path) -> std::path::PathBuf {
    home.join("data")
}

fn read_log(home: &Path) -> String {
    let bytes = fs::read(home.join("log")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}
