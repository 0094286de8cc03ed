//! ZooKeeper's names, which old scripts call.

use crate::{run, succeed};

#[test]
fn starting_and_stopping_zookeeper_is_no_failure() {
    assert!(
        succeed("zookeeper-server-start.sh", &["zookeeper.properties"])
            .contains("No ZooKeeper is needed")
    );
    assert!(succeed("zookeeper-server-stop", &[]).contains("kafka-server-stop"));
}

#[test]
fn the_shell_has_done_nothing_and_says_what_to_do() {
    let ended = run(
        "zookeeper-shell",
        &["localhost:2181", "ls", "/brokers/topics"],
    );
    assert_eq!(ended.code, 1);
    assert!(
        ended
            .err
            .contains("kafka-topics --bootstrap-server HOST:9092 --list"),
        "{}",
        ended.err
    );
}
