//! Several data directories: each stands for itself, and a lost one takes only its partitions along.
//!
//! Setup: a broker with `log.dirs` of three. Expectation: new partitions go where the fewest are; a directory that cannot be used, at
//! the start or later, takes its own partitions offline and no others, in Kafka's codes, and they are back when it is; what cannot
//! be decided (a partition twice, two owners) is refused with a sentence and nothing is changed.

mod harness;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::batches;
use harness::broker::Broker;
use harness::requests::data_of;
use harness::wire_client::{WireClient, wait_until};
use tempfile::TempDir;
use vltava::wire::ErrorCode;
use vltava::wire::messages::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResult};
use vltava::wire::messages::metadata::{MetadataRequest, MetadataRequestTopic};

struct Place {
    broker: Broker,
    dirs: Vec<PathBuf>,
    _root: TempDir,
}

fn start(more: &[(&str, &str)]) -> Place {
    let root = tempfile::tempdir().expect("a temporary directory");
    let dirs: Vec<PathBuf> = ["a", "b", "c"].map(|name| root.path().join(name)).to_vec();
    let listed: Vec<_> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let listed = listed.join(",");
    let broker = Broker::start(&[&[("log.dirs", listed.as_str())], more].concat());
    Place {
        broker,
        dirs,
        _root: root,
    }
}

impl Place {
    fn client(&self) -> WireClient {
        WireClient::connect(self.broker.port())
    }

    fn partitions_in(&self, dir: usize) -> Vec<String> {
        partitions_in(&self.dirs[dir])
    }

    /// The directory that a partition's log is in.
    fn dir_of(&self, partition: &str) -> usize {
        let has = |dir: &PathBuf| dir.join(partition).is_dir();
        self.dirs.iter().position(has).expect("it lies somewhere")
    }
}

fn partitions_in(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("the directory");
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("t-") && !name.ends_with("-delete"))
        .collect();
    names.sort();
    names
}

fn describe(client: &mut WireClient) -> Vec<DescribeLogDirsResult> {
    let all = DescribeLogDirsRequest { topics: None };
    client.call(4, &all).results
}

fn leaders(client: &mut WireClient) -> Vec<(i32, i32, Vec<i32>)> {
    let topic = MetadataRequestTopic {
        name: Some("t".into()),
        ..MetadataRequestTopic::default()
    };
    let request = MetadataRequest {
        topics: Some(vec![topic]),
        ..MetadataRequest::default()
    };
    let topics = client.call(12, &request).topics;
    let partitions = topics.into_iter().flat_map(|topic| topic.partitions);
    let mut leaders: Vec<_> = partitions
        .map(|partition| {
            (
                partition.partition_index,
                partition.leader_id,
                partition.offline_replicas,
            )
        })
        .collect();
    leaders.sort();
    leaders
}

#[test]
fn partitions_go_where_the_fewest_are_and_stay_there() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 9);
    for dir in 0..3 {
        assert_eq!(place.partitions_in(dir).len(), 3, "{:?}", place.dirs[dir]);
    }
    for partition in 0..9 {
        client.write("t", partition, &[&format!("p{partition}")]);
    }
    let described = describe(&mut client);
    let found: Vec<_> = described
        .iter()
        .map(|dir| dir.log_dir.to_string())
        .collect();
    let expected: Vec<_> = place
        .dirs
        .iter()
        .map(|dir| dir.display().to_string())
        .collect();
    assert_eq!(found, expected);
    for dir in &described {
        assert_eq!(dir.error_code, ErrorCode::NONE);
        assert_eq!(dir.topics[0].partitions.len(), 3);
        assert!(dir.total_bytes > 0);
    }
    // Each directory has what a directory of Kafka's has.
    for dir in &place.dirs {
        assert!(dir.join("meta.properties").is_file());
    }
    let before: Vec<_> = (0..3).map(|dir| place.partitions_in(dir)).collect();
    assert!(place.broker.stop().success());
    for dir in &place.dirs {
        assert!(dir.join(".kafka_cleanshutdown").is_file());
        let points = fs::read_to_string(dir.join("recovery-point-offset-checkpoint")).unwrap();
        assert!(points.contains("t "), "{points}");
    }
    place.broker.restart();
    let after: Vec<_> = (0..3).map(|dir| place.partitions_in(dir)).collect();
    assert_eq!(before, after);
    let mut client = place.client();
    for partition in 0..9 {
        assert_eq!(
            client.read_all("t", partition),
            [(0, format!("p{partition}"))]
        );
    }
}

#[test]
fn a_directory_that_is_missing_at_the_start_takes_only_its_partitions_offline() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 6);
    for partition in 0..6 {
        client.write("t", partition, &["before"]);
    }
    place.broker.kill();
    // A file where the directory was: it can neither be made nor read.
    let aside = place.dirs[1].with_extension("aside");
    fs::rename(&place.dirs[1], &aside).unwrap();
    fs::write(&place.dirs[1], "no directory").unwrap();
    let lost = partitions_in(&aside);
    place.broker.restart();
    let log = place.broker.log();
    assert!(
        log.contains(&place.dirs[1].display().to_string()) && log.contains("offline"),
        "{log}"
    );
    let mut client = place.client();
    for (partition, leader, offline) in leaders(&mut client) {
        let is_lost = lost.contains(&format!("t-{partition}"));
        assert_eq!(leader == -1, is_lost, "{partition}");
        assert_eq!(offline.len(), usize::from(is_lost));
        let answer = client.produce("t", partition, &batches::batch(&["after"]));
        let expected = match is_lost {
            true => ErrorCode::KAFKA_STORAGE_ERROR,
            false => ErrorCode::NONE,
        };
        assert_eq!(answer.error_code, expected, "{partition}");
        let fetched = client.fetch("t", partition, 0);
        assert_eq!(fetched.error_code, expected, "{partition}");
        assert_eq!(data_of(&fetched).is_empty(), is_lost);
    }
    let described = describe(&mut client);
    let codes: Vec<_> = described.iter().map(|dir| dir.error_code).collect();
    assert_eq!(
        codes,
        [
            ErrorCode::NONE,
            ErrorCode::KAFKA_STORAGE_ERROR,
            ErrorCode::NONE
        ]
    );
    // New topics are made elsewhere, and a stop is a stop.
    client.create_topic("u", 4);
    client.write("u", 3, &["new"]);
    assert!(place.broker.stop().success());
    // The directory is back, and with it all that was in it.
    fs::remove_file(&place.dirs[1]).unwrap();
    fs::rename(&aside, &place.dirs[1]).unwrap();
    place.broker.restart();
    let mut client = place.client();
    for (partition, leader, _) in leaders(&mut client) {
        assert_eq!(leader, 1, "{partition}");
        let records = client.read_all("t", partition);
        assert_eq!(records[0], (0, "before".to_owned()));
        let is_lost = lost.contains(&format!("t-{partition}"));
        assert_eq!(records.len(), if is_lost { 1 } else { 2 });
        client.write("t", partition, &["again"]);
    }
}

#[test]
fn a_directory_that_is_lost_while_the_broker_runs_takes_only_its_partitions_along() {
    let mut place = start(&[("log.flush.offset.checkpoint.interval.ms", "200")]);
    let mut client = place.client();
    client.create_topic("t", 6);
    for partition in 0..6 {
        client.write("t", partition, &["before"]);
    }
    let victim = 2;
    let lost = place.partitions_in(victim);
    fs::remove_dir_all(&place.dirs[victim]).unwrap();
    wait_until("its partitions to take no records", || {
        lost.iter().all(|name| {
            let partition = name[2..].parse().unwrap();
            let answer = client.produce("t", partition, &batches::batch(&["x"]));
            answer.error_code == ErrorCode::KAFKA_STORAGE_ERROR
        })
    });
    wait_until("the loss to be said", || {
        place.broker.log().contains("takes no new partitions")
    });
    for partition in 0..6 {
        if !lost.contains(&format!("t-{partition}")) {
            client.write("t", partition, &["after"]);
            assert_eq!(client.read_all("t", partition).len(), 2);
        }
    }
    client.create_topic("u", 3);
    client.write("u", 0, &["new"]);
    // What could not be closed is told, and the others have their marks.
    assert!(!place.broker.stop().success());
    for dir in [0, 1] {
        assert!(place.dirs[dir].join(".kafka_cleanshutdown").is_file());
    }
}

#[test]
fn the_metadata_may_lie_in_a_directory_of_its_own_and_no_broker_starts_without_it() {
    let root = tempfile::tempdir().unwrap();
    let metadata = root.path().join("metadata");
    let mut place = start(&[("metadata.log.dir", metadata.to_str().unwrap())]);
    let mut client = place.client();
    client.create_topic("t", 3);
    client.write("t", 2, &["x"]);
    assert!(metadata.join("__cluster_metadata-0").is_dir());
    assert!(partitions_in(&metadata).is_empty());
    place.broker.kill();
    place.broker.restart();
    let mut client = place.client();
    assert_eq!(client.read_all("t", 2), [(0, "x".to_owned())]);
    place.broker.kill();
    fs::rename(&metadata, root.path().join("aside")).unwrap();
    fs::write(&metadata, "no directory").unwrap();
    let log = refused(&mut place.broker);
    assert!(log.contains("the metadata log belongs in"), "{log}");
}

/// The broker starts and ends by itself; what it said.
fn refused(broker: &mut Broker) -> String {
    let before = broker.log().len();
    broker.start_and_end();
    broker.log().split_off(before)
}

#[test]
fn a_partition_in_two_directories_stops_the_start_and_nothing_is_changed() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 3);
    client.write("t", 0, &["x"]);
    assert!(place.broker.stop().success());
    let (here, there) = (place.dir_of("t-0"), (place.dir_of("t-0") + 1) % 3);
    fs::create_dir(place.dirs[there].join("t-0")).unwrap();
    let log = refused(&mut place.broker);
    assert!(log.contains("the log of t-0 is in"), "{log}");
    for dir in [here, there] {
        assert!(place.dirs[dir].join(".kafka_cleanshutdown").is_file());
    }
    fs::remove_dir(place.dirs[there].join("t-0")).unwrap();
    place.broker.restart();
    assert_eq!(place.client().read_all("t", 0), [(0, "x".to_owned())]);
}

#[test]
fn a_partition_that_was_moved_while_no_broker_ran_is_found_and_the_metadata_says_so() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 3);
    client.write("t", 1, &["x"]);
    assert!(place.broker.stop().success());
    let (from, to) = (place.dir_of("t-1"), (place.dir_of("t-1") + 1) % 3);
    fs::rename(place.dirs[from].join("t-1"), place.dirs[to].join("t-1")).unwrap();
    place.broker.restart();
    assert_eq!(place.client().read_all("t", 1), [(0, "x".to_owned())]);
    assert_eq!(place.dir_of("t-1"), to);
    // Its old place may be gone now, and it is not missed.
    place.broker.kill();
    if from != 0 {
        fs::remove_dir_all(&place.dirs[from]).unwrap();
        fs::write(&place.dirs[from], "no directory").unwrap();
    }
    place.broker.restart();
    assert_eq!(place.client().read_all("t", 1), [(0, "x".to_owned())]);
}

#[test]
fn each_directory_is_trusted_by_its_own_mark() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 3);
    for partition in 0..3 {
        client.write("t", partition, &["x"]);
    }
    assert!(place.broker.stop().success());
    fs::remove_file(place.dirs[1].join(".kafka_cleanshutdown")).unwrap();
    place.broker.restart();
    for partition in 0..3 {
        assert_eq!(
            place.client().read_all("t", partition),
            [(0, "x".to_owned())]
        );
    }
}

#[test]
fn a_directory_without_permission_is_offline_unless_root_may_do_anything() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 3);
    client.write("t", 1, &["x"]);
    assert!(place.broker.stop().success());
    let dir = place.dirs[1].clone();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o000)).unwrap();
    let may_do_anything = fs::read_dir(&dir).is_ok();
    place.broker.restart();
    let described = describe(&mut place.client());
    let expected = match may_do_anything {
        true => ErrorCode::NONE,
        false => ErrorCode::KAFKA_STORAGE_ERROR,
    };
    assert_eq!(described[1].error_code, expected);
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Exit code and output of `vltava check`.
fn check(dirs: &[&Path]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vltava"))
        .arg("check")
        .args(dirs)
        .output()
        .expect("the binary runs");
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code().expect("not killed"), text)
}

#[test]
fn a_check_of_all_directories_counts_once_and_knows_what_should_be_in_each() {
    let mut place = start(&[]);
    let mut client = place.client();
    client.create_topic("t", 9);
    for partition in 0..9 {
        client.write("t", partition, &["value"]);
    }
    assert!(place.broker.stop().success());
    let dirs: Vec<&Path> = place.dirs.iter().map(PathBuf::as_path).collect();

    let (code, whole) = check(&dirs);
    assert_eq!(code, 0, "{whole}");
    assert_eq!(whole.lines().count(), 1, "{whole}");
    assert!(whole.contains(": 10 partitions, 10 segments"), "{whole}");
    let twice = check(&[dirs[0], dirs[0], dirs[1], dirs[2]]);
    assert_eq!(twice, (0, whole), "a directory that is named twice");

    // Alone, the last directory cannot know.
    let lost = place.dirs[2].join(&place.partitions_in(2)[0]);
    let aside = place.dirs[2].with_file_name("aside");
    fs::rename(&lost, &aside).unwrap();
    let (code, told) = check(&dirs);
    let missing = format!("{}: is missing", lost.display());
    assert_eq!(code, 1, "{told}");
    assert_eq!(told.matches(&missing).count(), 1, "{told}");
    assert!(told.ends_with(": 1 wrong\n"), "{told}");
    let (_, alone) = check(&dirs[2..]);
    assert!(!alone.contains(&missing), "{alone}");
    fs::rename(&aside, &lost).unwrap();

    let copy = place.dirs[1].join(lost.file_name().unwrap());
    copy_folder(&lost, &copy);
    let (code, told) = check(&dirs);
    assert_eq!(code, 1, "{told}");
    let double = format!("{}: is in {} too", lost.display(), copy.display());
    assert!(told.contains(&double), "{told}");

    let other = tempfile::tempdir().unwrap();
    let identity = "version=1\ncluster.id=AAAAAAAAAAAAAAAAAAAAAQ\nnode.id=7\n";
    fs::write(other.path().join("meta.properties"), identity).unwrap();
    let (code, told) = check(&[dirs[0], other.path()]);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains("belong to different brokers"), "{told}");
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}
