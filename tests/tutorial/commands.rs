//! The page's commands, one after another, typed in a folder as `vltava install-links` makes it.
//!
//! Unchanged but for the port and what stands in brackets there (【topic name】), with the spaces put back that the page swallowed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::harness::{child, package_dir, scratch_dir};

/// Longer than the programs' own patience, of a minute.
const COMMAND_DEADLINE: Duration = Duration::from_secs(150);

/// A folder with `bin/` and `config/`, and the broker that was started in it.
pub struct Folder {
    home: TempDir,
    port: u16,
    /// One that no other broker of this machine has: stopping is by this.
    node_id: u32,
    server: Option<Child>,
    /// Where commands are looked for.
    path: String,
}

impl Folder {
    pub fn new() -> Folder {
        let home = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
        let mut install = Command::new(env!("CARGO_BIN_EXE_vltava"));
        let installed = install.arg("install-links").arg(home.path()).status();
        assert!(installed.expect("the binary runs").success());
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
        static NEXT: AtomicU32 = AtomicU32::new(50);
        Folder {
            node_id: 100 * std::process::id() + NEXT.fetch_add(1, Ordering::Relaxed),
            home,
            port: port.expect("a free port on loopback").port(),
            server: None,
            path: std::env::var("PATH").expect("a path of commands"),
        }
    }

    fn shell(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        command
            .arg("-c")
            .arg(self.on_its_port(line))
            .current_dir(self.home.path())
            .env("PATH", &self.path)
            .env("VLTAVA_BROKER_PORT", self.port.to_string());
        command
    }

    /// A text in which the broker's usual port is this folder's.
    pub fn on_its_port(&self, text: &str) -> String {
        text.replace("9092", &self.port.to_string())
    }

    /// Has `python3` be this interpreter, which is called that or `python` in its folder.
    pub fn finds_python_at(&mut self, interpreter: &Path) {
        let bin = interpreter.parent().expect("a file lies in a folder");
        self.path = format!("{}:{}", bin.display(), self.path);
    }

    /// Types a line and waits for its end; what it printed.
    pub fn types(&self, line: &str) -> String {
        self.types_with(line, "")
    }

    fn types_with(&self, line: &str, input: &str) -> String {
        // What a command complains about goes to its standard output, as with Kafka's.
        let shown =
            format!("{line} > >(tee said); code=$?; [ $code = 0 ] || cat said >&2; exit $code");
        let finished = child::run(&mut self.shell(&shown), input.as_bytes(), COMMAND_DEADLINE);
        let finished = finished.unwrap_or_else(|error| panic!("{error}"));
        String::from_utf8(finished.stdout).expect("UTF-8")
    }

    /// Types a line that goes on until it is told to stop.
    fn leaves_running(&self, line: &str) -> Child {
        let mut command = self.shell(&format!("exec {line}"));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(Stdio::null()).spawn().expect("bash runs")
    }

    /// Starts the server with a line and more arguments; what it says until it is ready.
    pub fn starts_the_server(&mut self, line: &str, more: &[&str]) -> String {
        let mut server = self.leaves_running(&format!("{line} {}", more.join(" ")));
        let mut said = BufReader::new(server.stdout.take().expect("piped"));
        self.server = Some(server);
        let mut until_ready = String::new();
        while !until_ready.contains(" is ready on ") {
            let length = said.read_line(&mut until_ready).expect("UTF-8");
            assert!(length > 0, "{line} ended: {until_ready}");
        }
        // Whoever prints must be heard, or he waits.
        thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        until_ready
    }

    /// Starts the server as the page does, on this folder's port and over data below it.
    fn starts_the_pages_server(&mut self) {
        let data = format!("log.dirs={}", self.file("data").display());
        let node_id = format!("node.id={}", self.node_id);
        let mut more = Vec::new();
        for setting in [
            "listeners=PLAINTEXT://127.0.0.1:9092",
            "advertised.listeners=PLAINTEXT://127.0.0.1:9092",
            &data,
            &node_id,
        ] {
            more.extend(["--override", setting]);
        }
        self.starts_the_server("bin/kafka-server-start.sh config/server.properties", &more);
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // Already ended is as good.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Waits for a command that ends by itself once it has what it waits for.
fn output_of(child: Child) -> String {
    let Output { stdout, .. } = child.wait_with_output().expect("waiting for a child");
    String::from_utf8(stdout).expect("UTF-8")
}

#[test]
fn the_commands_of_the_page_do_what_it_says() {
    let mut folder = Folder::new();
    let said = folder.types("bin/zookeeper-server-start.sh config/zookeeper.properties");
    assert!(said.contains("No ZooKeeper is needed"), "{said}");
    folder.starts_the_pages_server();

    let said = folder.types("bin/kafka-topics.sh --create --zookeeper localhost:2181 --replication-factor 1 --partitions 1 --topic test");
    assert_eq!(said, "Created topic test.\n");
    assert_eq!(
        folder.types("bin/kafka-topics.sh --list --zookeeper localhost:2181"),
        "test\n"
    );

    let consumer = folder.leaves_running("bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic test --from-beginning --max-messages 2");
    let producer = "bin/kafka-console-producer.sh --broker-list localhost:9092 --topic test";
    folder.types_with(producer, "hello\nkafka\n");
    assert_eq!(output_of(consumer), "hello\nkafka\n");

    let said =
        folder.types("./bin/kafka-topics  --delete --zookeeper localhost:2181  --topic test");
    assert_eq!(said, "");
    // What the other commands use may stay: the deleted topic is gone.
    let left = folder.types("./bin/kafka-topics --zookeeper localhost:2181 --list");
    assert!(!left.lines().any(|topic| topic == "test"), "{left}");
    let stopped = folder.types(&format!(
        "bin/kafka-server-stop.sh --node-id={}",
        folder.node_id
    ));
    assert_eq!(stopped, "");
}

#[test]
fn the_settings_of_a_topic_are_given_changed_and_taken_back_as_the_page_does_it() {
    let mut folder = Folder::new();
    folder.starts_the_pages_server();
    folder.types("bin/kafka-topics.sh --zookeeper localhost:2181 --create --topic my-topic --partitions 1 --replication-factor 1 --config max.message.bytes=64000 --config flush.messages=1");
    let configs = |folder: &Folder| {
        let said = folder
            .types("bin/kafka-topics.sh --zookeeper localhost:2181 --describe --topic my-topic");
        let first = said.lines().next().unwrap_or_default().to_owned();
        first
            .split("Configs: ")
            .nth(1)
            .unwrap_or_default()
            .to_owned()
    };
    let given = configs(&folder);
    assert!(
        given.contains("max.message.bytes=64000") && given.contains("flush.messages=1"),
        "{given}"
    );
    folder.types("bin/kafka-topics.sh --zookeeper localhost:2181 --alter --topic my-topic --config max.message.bytes=128000");
    let changed = configs(&folder);
    assert!(changed.contains("max.message.bytes=128000"), "{changed}");
    folder.types("bin/kafka-topics.sh --zookeeper localhost:2181 --alter --topic my-topic --deleteConfig max.message.bytes");
    let taken_back = configs(&folder);
    assert!(
        !taken_back.contains("max.message.bytes") && taken_back.contains("flush.messages=1"),
        "{taken_back}"
    );
}

#[test]
fn the_property_files_of_the_page_serve_the_console_commands() {
    let mut folder = Folder::new();
    folder.starts_the_pages_server();
    for (file, of) in [
        ("consumer.properties", "tutorial-consumer.properties"),
        ("producer.properties", "tutorial-producer.properties"),
    ] {
        let printed = package_dir()
            .join("src/cli/client_properties/testdata")
            .join(of);
        fs::copy(printed, folder.file("config").join(file)).expect("a copy");
    }
    folder.types("bin/kafka-topics.sh --create --topic test --bootstrap-server localhost:9092");
    folder.types_with(
        "bin/kafka-console-producer.sh --broker-list localhost:9092 --topic test --producer.config config/producer.properties",
        "by the page's own file\n",
    );
    // Its `auto.offset.reset = largest` and `--from-beginning` contradict each other, as in Kafka.
    let said = folder.types("bin/kafka-console-consumer.sh --bootstrap-server localhost:9092 --topic test --consumer.config config/consumer.properties --partition 0 --offset earliest --max-messages 1");
    assert_eq!(said, "by the page's own file\n");
}
