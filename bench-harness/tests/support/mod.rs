//! A broker to measure, and the load generator as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use tempfile::TempDir;

/// A broker on a free port over an empty directory; killed when this is dropped.
pub struct Broker {
    child: Child,
    port: u16,
    home: TempDir,
}

impl Broker {
    /// Starts one, and waits until it is ready.
    pub fn start() -> Broker {
        let home = tempfile::tempdir().expect("a scratch folder");
        let port = free_port();
        let mut child = Command::new(broker_binary())
            .args(["serve", "--cores", "1", "--data-dir"])
            .arg(home.path().join("data"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .args(["--override", "group.initial.rebalance.delay.ms=0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the broker starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("the broker says that it is ready");
        assert!(line.contains("is ready"), "{line}");
        Broker { child, port, home }
    }

    /// HOST:PORT.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A file in the broker's scratch folder.
    pub fn path(&self, name: &str) -> String {
        self.home.path().join(name).display().to_string()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The recipe that starts Vltava.
pub fn recipe() -> String {
    format!("{}/peers/vltava", env!("CARGO_MANIFEST_DIR"))
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    listener.local_addr().expect("it is bound").port()
}

/// The broker's binary, which stands beside the load generator's; built if need be.
pub fn broker_binary() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let bench = Path::new(env!("CARGO_BIN_EXE_vltava-bench"));
        let path = bench.with_file_name("vltava");
        if !path.exists() {
            let built = Command::new(env!("CARGO"))
                .args(["build", "--package", "vltava"])
                .status();
            assert!(built.is_ok_and(|status| status.success()), "cargo build");
        }
        path
    })
}

/// How a run ended.
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A run of the load generator.
pub struct Bench {
    child: Mutex<Child>,
}

/// Starts it with these arguments, and more from a line with blanks between them.
pub fn bench(arguments: &[&str], line: &str) -> Bench {
    let child = Command::new(env!("CARGO_BIN_EXE_vltava-bench"))
        .args(arguments)
        .args(line.split_whitespace())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the load generator starts");
    Bench {
        child: Mutex::new(child),
    }
}

/// Runs it to its end.
pub fn run(arguments: &[&str], line: &str) -> Output {
    bench(arguments, line).wait()
}

/// What a run that goes on says on standard error.
pub struct Lines(BufReader<ChildStderr>);

impl Lines {
    /// Of a run whose lines nobody else reads.
    pub fn of(bench: &Bench) -> Lines {
        let stderr = bench.child.lock().unwrap().stderr.take();
        Lines(BufReader::new(stderr.expect("it is piped")))
    }

    /// The next ones.
    pub fn next(&mut self, count: usize) -> String {
        let mut lines = String::new();
        for _ in 0..count {
            self.0.read_line(&mut lines).expect("a line");
        }
        lines
    }
}

impl Bench {
    fn wait(self) -> Output {
        let child = self.child.into_inner().unwrap();
        let output = child.wait_with_output().expect("it ends");
        Output {
            status: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.lock().unwrap().id()
    }

    /// As Ctrl-C does.
    pub fn interrupt_and_wait(self) -> Output {
        signal(self.pid(), "INT");
        self.wait()
    }
}

/// Stops a process for so long.
pub fn stand_still(pid: u32, length: Duration) {
    signal(pid, "STOP");
    std::thread::sleep(length);
    signal(pid, "CONT");
}

fn signal(pid: u32, name: &str) {
    let arguments = [format!("-{name}"), pid.to_string()];
    let sent = Command::new("kill").args(&arguments).status();
    assert!(sent.is_ok_and(|status| status.success()), "{arguments:?}");
}

/// A JSON file.
pub fn json(path: &str) -> serde_json::Value {
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("it is JSON")
}
