//! `vltava install-links`: a folder that a Kafka user finds everything in, and that loses nothing of his own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::harness::broker::Broker;
use crate::harness::scratch_dir;
use crate::{ended, run, succeed};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(scratch_dir()).expect("a scratch folder")
}

fn install(dir: &Path, more: &[&str]) -> String {
    let args = [&[dir.to_str().expect("UTF-8")], more].concat();
    let ended = run("install-links", &args);
    assert_eq!(ended.code, 0, "{}", ended.err);
    ended.err
}

#[test]
fn every_command_is_there_with_and_without_sh_and_runs_as_a_link() {
    let (folder, broker) = (folder(), Broker::start(&[]));
    assert_eq!(install(folder.path(), &[]), "");
    for name in [
        "kafka-topics",
        "kafka-configs",
        "kafka-console-producer",
        "kafka-console-consumer",
        "kafka-server-start",
        "zookeeper-server-start",
    ] {
        for link in [name.to_owned(), format!("{name}.sh")] {
            let link = folder.path().join("bin").join(link);
            assert!(link.is_symlink() && link.exists(), "{}", link.display());
        }
    }
    let list = |command: &mut Command| {
        ended(command.args(["--bootstrap-server", &broker.bootstrap(), "--list"]))
    };
    let as_link = list(&mut Command::new(folder.path().join("bin/kafka-topics.sh")));
    assert_eq!(
        (as_link.code, as_link.out.as_str()),
        (0, "\n"),
        "{}",
        as_link.err
    );
    // Under another name, and by a hard link, where the system allows one.
    let other = folder.path().join("kafka-topics");
    symlink(folder.path().join("bin/kafka-topics.sh"), &other).unwrap();
    assert_eq!(list(&mut Command::new(&other)).code, 0);
}

#[test]
fn the_property_files_say_nothing_that_has_no_effect() {
    let folder = folder();
    install(folder.path(), &[]);
    let config = folder.path().join("config");
    for (file, kind) in [
        ("server.properties", "broker"),
        ("producer.properties", "producer"),
        ("consumer.properties", "consumer"),
    ] {
        let path = config.join(file);
        let path = path.to_str().expect("UTF-8");
        succeed("config", &["check", path, "--as", kind, "--strict"]);
    }
    assert!(config.join("zookeeper.properties").exists());
}

#[test]
fn what_is_there_stays_until_it_is_forced() {
    let folder = folder();
    install(folder.path(), &[]);
    assert_eq!(
        install(folder.path(), &[]),
        "",
        "a second run has nothing to say"
    );
    let own = folder.path().join("config/server.properties");
    let script = folder.path().join("bin/kafka-topics.sh");
    fs::write(&own, "node.id=7\n").unwrap();
    fs::remove_file(&script).unwrap();
    fs::write(&script, "my own\n").unwrap();
    let said = install(folder.path(), &[]);
    for path in [&own, &script] {
        assert!(
            said.contains(&format!("{} is there already", path.display())),
            "{said}"
        );
    }
    assert_eq!(fs::read_to_string(&own).unwrap(), "node.id=7\n");
    assert_eq!(fs::read_to_string(&script).unwrap(), "my own\n");
    install(folder.path(), &["--force"]);
    assert!(fs::read_to_string(&own).unwrap().contains("log.dirs="));
    assert!(script.is_symlink());
}
