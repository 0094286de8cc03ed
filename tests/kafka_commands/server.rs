//! A broker's life by Kafka's scripts: format, start in the background, stop.
//!
//! Setup: links with Kafka's names in a folder `bin`, a node id that no other broker of this machine has.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::broker::Broker;
use crate::harness::scratch_dir;
use crate::{Ended, ended, run, succeed};

const CLUSTER_ID: &str = "MkU3OEVBNTcwNTJENDM2Qk";
const DEADLINE: Duration = Duration::from_secs(60);

struct Home(tempfile::TempDir, u32);

impl Home {
    fn new() -> Home {
        let home = tempfile::tempdir_in(scratch_dir()).expect("a scratch folder");
        fs::create_dir(home.path().join("bin")).unwrap();
        for name in ["kafka-server-start", "kafka-server-stop", "kafka-storage"] {
            let link = home.path().join("bin").join(format!("{name}.sh"));
            symlink(env!("CARGO_BIN_EXE_vltava"), link).unwrap();
        }
        // Of this test and no other: they run beside each other, and other brokers beside them.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let node_id = 100 * std::process::id() + NEXT.fetch_add(1, Ordering::Relaxed);
        let text = format!(
            "node.id={node_id}\nlisteners=PLAINTEXT://127.0.0.1:0\nlog.dirs={}\n",
            home.path().join("data").display()
        );
        fs::write(home.path().join("server.properties"), text).unwrap();
        Home(home, node_id)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn run(&self, name: &str, args: &[&str]) -> Ended {
        let program = self.path().join("bin").join(format!("{name}.sh"));
        let mut command = Command::new(program);
        ended(
            command
                .args(args)
                .current_dir(self.path())
                .env_remove("LOG_DIR"),
        )
    }

    fn log_says(&self, words: &str) {
        let began = Instant::now();
        let log = self.path().join("logs/kafkaServer.out");
        loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            if text.contains(words) {
                return;
            }
            assert!(began.elapsed() < DEADLINE, "no {words:?} in: {text}");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Home {
    /// Also where the test fails: no broker is left behind.
    fn drop(&mut self) {
        self.run("kafka-server-stop", &[&format!("--node-id={}", self.1)]);
    }
}

#[test]
fn a_formatted_node_is_started_in_the_background_and_stopped_by_its_id() {
    let home = Home::new();
    let stop = format!("--node-id={}", home.1);
    let nothing = home.run("kafka-server-stop", &[&stop]);
    assert_eq!(
        (nothing.code, nothing.out.as_str()),
        (1, "No kafka server to stop\n")
    );

    let format = ["format", "-t", CLUSTER_ID, "-c", "server.properties"];
    let formatted = home.run("kafka-storage", &format);
    assert_eq!(formatted.code, 0, "{}", formatted.err);
    let again = home.run("kafka-storage", &format);
    assert!(
        again.code == 1 && again.err.contains("is already formatted"),
        "{}",
        again.err
    );

    let started = home.run("kafka-server-start", &["-daemon", "server.properties"]);
    assert_eq!(started.code, 0, "{}{}", started.out, started.err);
    home.log_says("is ready on");
    let identity = fs::read_to_string(home.path().join("data/meta.properties")).unwrap();
    assert!(
        identity.contains(&format!("cluster.id={CLUSTER_ID}\n")),
        "{identity}"
    );

    let stopped = home.run("kafka-server-stop", &[&stop]);
    assert_eq!(stopped.code, 0, "{}{}", stopped.out, stopped.err);
    home.log_says("stopped cleanly");
}

#[test]
fn a_broker_that_cannot_run_in_the_background_says_where_the_reason_is() {
    let home = Home::new();
    let started = home.run(
        "kafka-server-start",
        &[
            "-daemon",
            "server.properties",
            "--override",
            "num.partitions=many",
        ],
    );
    assert_eq!(started.code, 1);
    assert!(started.err.contains("ended at once"), "{}", started.err);
    home.log_says("num.partitions");
}

#[test]
fn a_running_broker_tells_its_cluster_and_its_versions() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let said = succeed("kafka-cluster", &["cluster-id", "--bootstrap-server", &at]);
    let identity = fs::read_to_string(broker.data_dir().join("meta.properties")).unwrap();
    let id = said.trim_end().strip_prefix("Cluster ID: ").expect(&said);
    assert!(
        identity.contains(&format!("cluster.id={id}\n")),
        "{id}: {identity}"
    );
    let versions = succeed("kafka-broker-api-versions", &["--bootstrap-server", &at]);
    assert!(versions.starts_with(&format!("{at} (id: ")), "{versions}");
    assert!(
        versions.contains("\n\tProduce(0): 0 to 13 [usable: 13],\n"),
        "{versions}"
    );
    assert!(versions.ends_with("]\n)\n"), "{versions}");
}

#[test]
fn features_are_described_with_their_levels() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    for args in [
        ["--bootstrap-server", &at, "describe"],
        ["describe", "--bootstrap-server", &at],
    ] {
        let said = succeed("kafka-features", &args);
        let rows = [
            "Feature: metadata.version                          SupportedMinVersion: 3.3-IV3          \
             SupportedMaxVersion: 4.3-IV0          FinalizedVersionLevel: 4.3-IV0          Epoch: ",
            "Feature: transaction.version                       SupportedMinVersion: 0                \
             SupportedMaxVersion: 2                FinalizedVersionLevel: 2                Epoch: ",
        ];
        assert_eq!(said.lines().count(), rows.len(), "{said}");
        for (line, row) in said.lines().zip(rows) {
            let epoch = line.strip_prefix(row).expect(&said);
            assert!(epoch.parse::<u64>().is_ok(), "{said}");
        }
    }
}

#[test]
fn levels_of_features_go_down_and_up_and_what_is_refused_is_said() {
    let broker = Broker::start(&[]);
    let at = broker.bootstrap();
    let change = |line: &str| {
        let args: Vec<&str> = ["--bootstrap-server", &at]
            .into_iter()
            .chain(line.split(' '))
            .collect();
        run("kafka-features", &args)
    };
    for (line, said) in [
        (
            "downgrade --feature transaction.version=1 --dry-run",
            "transaction.version can be downgraded to 1.\n",
        ),
        (
            "disable --feature transaction.version",
            "transaction.version was disabled.\n",
        ),
        (
            "upgrade --feature transaction.version=2",
            "transaction.version was upgraded to 2.\n",
        ),
        (
            "upgrade --metadata 4.3-IV0",
            "metadata.version was upgraded to 30.\n",
        ),
    ] {
        let done = change(line);
        assert_eq!(
            (done.code, done.out.as_str()),
            (0, said),
            "{line}: {}",
            done.err
        );
    }
    let refused = change("upgrade --feature transaction.version=9");
    assert_eq!(refused.code, 1);
    let begins = "Could not upgrade transaction.version to 9. ";
    assert!(refused.out.starts_with(begins), "{}", refused.out);
    let count = "1 out of 1 operation(s) failed.";
    assert!(refused.err.contains(count), "{}", refused.err);
}
