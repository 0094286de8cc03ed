//! A node of Apache Kafka, broker and controller in one process, on a directory and on ports that were free a moment ago.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::harness::wire_client::WireClient;
use crate::harness::{child, toolchain};
use crate::{NODE_ID, names};

/// A start takes seconds; a busy machine may take longer.
const DEADLINE: Duration = Duration::from_secs(90);

/// Snapshots of the metadata and new segments of its log as often as can be.
pub const MANY_SNAPSHOTS: &[&str] = &[
    "metadata.log.max.record.bytes.between.snapshots=1",
    "metadata.log.max.snapshot.interval.ms=500",
    "metadata.log.segment.ms=500",
    "metadata.max.idle.interval.ms=100",
];

/// Who votes: a directory that Kafka formatted says so itself, any other needs the file of settings for it.
#[derive(Clone, Copy)]
pub enum Quorum {
    InTheLog,
    InTheFile,
}

/// Where Kafka's jars are.
pub struct Kafka {
    jars: &'static Path,
}

/// A running node. It is killed when this is dropped.
pub struct Running {
    child: Child,
    port: u16,
    log: PathBuf,
}

impl Kafka {
    /// Kafka, if it can be had here.
    pub fn available() -> Option<Kafka> {
        let jars = toolchain::kafka_broker()?;
        Some(Kafka { jars })
    }

    fn java(&self) -> Command {
        let mut command = Command::new("java");
        // The simplest collector and compiler start soonest.
        command.args(["-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]);
        command.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=info");
        command.arg("-cp").arg(self.jars.join("*"));
        command
    }

    /// Runs one of Kafka's tools; what it printed.
    pub fn tool<S: AsRef<std::ffi::OsStr>>(&self, class: &str, arguments: &[S]) -> String {
        let mut command = self.java();
        command.arg(class).args(arguments);
        let ended =
            child::run(&mut command, b"", DEADLINE).unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8_lossy(&ended.stdout).into_owned()
    }

    /// Formats a directory for a node that is its own quorum.
    pub fn format(&self, data: &Path, more: &[&str]) {
        let file = properties(data, free_port(), free_port(), Quorum::InTheLog, &[]);
        let mut arguments = vec![
            "format",
            "--standalone",
            "-t",
            "MkU3OEVBNTcwNTJENDM2Qk",
            "-c",
            file.to_str().expect("UTF-8"),
        ];
        arguments.extend(more);
        self.tool("kafka.tools.StorageTool", &arguments);
    }

    /// Starts the node and waits until it serves.
    pub fn start(&self, data: &Path, quorum: Quorum, more: &[&str]) -> Running {
        let port = free_port();
        let file = properties(data, port, free_port(), quorum, more);
        let log = data.with_file_name("kafka.log");
        let written = File::create(&log).expect("a log of ours");
        let child = self
            .java()
            .arg("kafka.Kafka")
            .arg(file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()
            .expect("java runs");
        let mut running = Running { child, port, log };
        running.wait_for("Kafka Server started");
        running
    }

    /// Lets a group of the new protocol and a transaction leave their records.
    pub fn use_new_groups_and_transactions(&self, running: &Running) {
        let server = format!("127.0.0.1:{}", running.port);
        let consumer = [
            "--bootstrap-server",
            &server,
            "--topic",
            "plain",
            "--group",
            "new-protocol",
            "--command-property",
            "group.protocol=consumer",
            "--command-property",
            "auto.offset.reset=earliest",
            "--max-messages",
            "5",
        ];
        let read = self.tool("org.apache.kafka.tools.consumer.ConsoleConsumer", &consumer);
        assert_eq!(read.lines().count(), 5, "{read}");
        let properties = format!("bootstrap.servers={server}");
        let producer = [
            "--topic",
            "plain",
            "--num-records",
            "20",
            "--record-size",
            "10",
            "--throughput",
            "-1",
            "--transactional-id",
            "committed",
            "--command-property",
            &properties,
        ];
        self.tool("org.apache.kafka.tools.ProducerPerformance", &producer);
    }
}

impl Running {
    /// A connection to it.
    pub fn client(&self) -> WireClient {
        WireClient::connect(self.port)
    }

    fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    fn wait_for(&mut self, words: &str) {
        let began = Instant::now();
        while !self.log().contains(words) {
            let ended = self.child.try_wait().expect("waiting for a child of ours");
            assert!(
                ended.is_none() && began.elapsed() < DEADLINE,
                "Kafka did not say {words:?} ({ended:?}):\n{}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the metadata has a snapshot and the log has rolled behind it.
    pub fn wait_for_snapshot(&self, data: &Path) {
        let dir = data.join("__cluster_metadata-0");
        let began = Instant::now();
        let newest_segment = || {
            let names = names(&dir).into_iter();
            names
                .filter_map(|name| name.strip_suffix(".log")?.parse::<i64>().ok())
                .max()
        };
        let first = newest_segment();
        let done = || {
            let newest = newest_segment();
            newest > first && snapshots(&dir).into_iter().max() > newest
        };
        while !done() {
            assert!(began.elapsed() < DEADLINE, "no snapshot:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Stops it in order.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        let signalled = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(signalled.expect("kill is everywhere").success());
        let ended = child::wait(&mut self.child, DEADLINE);
        assert!(ended.is_some(), "Kafka does not stop:\n{}", self.log());
    }

    /// The same; it must not have complained of anything it found.
    pub fn stop_without_complaint(self) {
        let log = self.log();
        let complaints: Vec<_> = log
            .lines()
            .filter(|line| {
                let about_files = [
                    "LogLoader",
                    "LogManager",
                    "UnifiedLog",
                    "LogSegment",
                    "Index",
                    "Snapshot",
                    "Checkpoint",
                ];
                (line.contains(" WARN ") || line.contains(" ERROR "))
                    && about_files.iter().any(|about| line.contains(about))
            })
            .collect();
        assert!(complaints.is_empty(), "{complaints:#?}");
        self.stop();
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) {
        self.child.kill().expect("killing a child of ours");
        self.child.wait().expect("waiting for a child of ours");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The offsets at which snapshots of the metadata end.
pub fn snapshots(dir: &Path) -> Vec<i64> {
    let end = |name: String| {
        let (end, _) = name.strip_suffix(".checkpoint")?.split_once('-')?;
        end.parse().ok()
    };
    names(dir).into_iter().filter_map(end).collect()
}

/// Writes the settings beside the directory.
fn properties(data: &Path, port: u16, controller: u16, quorum: Quorum, more: &[&str]) -> PathBuf {
    let voters = match quorum {
        Quorum::InTheLog => format!("controller.quorum.bootstrap.servers=127.0.0.1:{controller}"),
        Quorum::InTheFile => format!("controller.quorum.voters={NODE_ID}@127.0.0.1:{controller}"),
    };
    let listeners = format!("PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}");
    let text = format!(
        "process.roles=broker,controller\n\
         node.id={NODE_ID}\n\
         {voters}\n\
         controller.listener.names=CONTROLLER\n\
         listeners={listeners}\n\
         advertised.listeners={listeners}\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         log.dirs={}\n\
         offsets.topic.num.partitions=3\n\
         offsets.topic.replication.factor=1\n\
         transaction.state.log.num.partitions=2\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         log.cleaner.backoff.ms=50\n\
         broker.session.timeout.ms=6000\n\
         broker.heartbeat.interval.ms=500\n\
         {}\n",
        data.display(),
        more.join("\n")
    );
    let path = data.with_file_name("kafka.properties");
    fs::write(&path, text).expect("a file of ours");
    path
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
    let address = listener.local_addr();
    address.expect("a bound socket has an address").port()
}
